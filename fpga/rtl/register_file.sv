// A bank of registers of all threads: one writer, five readers, 256 bits; a read takes a cycle.
`default_nettype none

module register_file #(
    parameter LOG2 = 12
) (
    input  wire              clk,
    input  wire              write,
    input  wire  [LOG2-1:0]  write_address,
    input  wire  [255:0]     write_data,
    input  wire              read,
    input  wire  [5*LOG2-1:0] read_address,
    output wire  [5*256-1:0] read_data
);
    logic [255:0] memory [0:(1<<LOG2)-1];
    always_ff @(posedge clk) if (write) memory[write_address] <= write_data;
    genvar port;
    generate
        for (port = 0; port < 5; port = port + 1) begin : g_port
            logic [255:0] data_q;
            always_ff @(posedge clk) if (read) data_q <= memory[read_address[LOG2*port+:LOG2]];
            assign read_data[256*port+:256] = data_q;
        end
    endgenerate
endmodule

`default_nettype wire
