// Feeds field_product or field_sum with a case a cycle from +cases (`a b c factor negative result`, hexadecimal; a sum has
// no a) and compares; it computes nothing. Define UNIT as the module, PARAMETERS as its parameter list, and SUM for
// field_sum. Ends with `PASS <cases>` or `FAIL` and which.
`default_nettype none
`timescale 1ns / 1ns

module field;
    logic         clk = 0, rst = 1, valid = 0, more = 1;
    logic [255:0] a = 0, b = 0, c = 0, result = 0;
    logic [2:0]   factor = 0;
    logic         negative = 0;
    integer       file, got, pauses = 0, count = 0, seed = 1, quiet = 0;
    reg [8 * 256 - 1:0] path;
    logic [255:0] next_a, next_b, next_c, next_result;
    logic [2:0]   next_factor;
    logic         next_negative;

    // The expected result travels along.
    wire          out_valid;
    wire  [255:0] out_result, out_tag;

    `UNIT `PARAMETERS dut (
        .clk(clk), .rst(rst), .in_valid(valid), .in_b(b),
`ifdef SUM
        .in_a(c),
`else
        .in_a(a), .in_c(c),
`endif
        .in_factor(factor), .in_negative(negative), .in_tag(result),
        .out_valid(out_valid), .out_result(out_result), .out_tag(out_tag)
    );

    always #5 clk = ~clk;

    initial begin
        if (!$value$plusargs("cases=%s", path)) $display("FAIL no +cases");
        got = $value$plusargs("bubbles=%d", pauses);
        file = $fopen(path, "r");
        repeat (4) @(posedge clk);
        rst <= 0;
    end

    always @(posedge clk) if (!rst) begin
        got = 0;
        if (!pauses || ($random(seed) & 3) != 0) begin
            got = $fscanf(file, "%h %h %h %h %h %h\n", next_a, next_b, next_c, next_factor, next_negative, next_result);
            more <= got == 6;
            {a, b, c, factor, negative, result} <=
                {next_a, next_b, next_c, next_factor, next_negative, next_result};
        end
        valid <= got == 6;
        if (out_valid === 1'bx) begin
            $display("FAIL unknown handshake");
            $finish;
        end
        if (out_valid) begin
            if (out_result !== out_tag) begin
                $display("FAIL case %0d: %h, not %h", count, out_result, out_tag);
                $finish;
            end
            count = count + 1;
        end
        quiet = more ? 0 : quiet + 1;
        if (quiet == 40) begin
            $display("PASS %0d", count);
            $finish;
        end
    end
endmodule
