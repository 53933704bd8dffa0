// Lines of a ring: one writer, one reader; a read takes a cycle.
`default_nettype none

module ring_memory #(
    parameter LOG2 = 13
) (
    input  wire              clk,
    input  wire              write,
    input  wire  [LOG2-1:0]  write_address,
    input  wire  [511:0]     write_line,
    input  wire              read,
    input  wire  [LOG2-1:0]  read_address,
    output logic [511:0]     read_line
);
    logic [511:0] memory [0:(1<<LOG2)-1];
    always_ff @(posedge clk) begin
        if (write) memory[write_address] <= write_line;
        if (read) read_line <= memory[read_address];
    end
endmodule

`default_nettype wire
