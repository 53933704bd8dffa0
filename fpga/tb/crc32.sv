// Compares crc32_line with +cases (`start line result`, hexadecimal); it computes nothing else. Ends with `PASS <cases>` or
// `FAIL` and which.
`default_nettype none

module crc32;
    `include "crc32.svh"
    integer       file, count = 0, wrong = 0;
    reg [8 * 256 - 1:0] path;
    logic [31:0]  start, result;
    logic [511:0] line;

    initial begin
        if (!$value$plusargs("cases=%s", path)) $display("FAIL no +cases");
        file = $fopen(path, "r");
        while ($fscanf(file, "%h %h %h\n", start, line, result) == 3) begin
            if (crc32_line(start, line) !== result) begin
                $display("FAIL case %0d: %h, not %h", count, crc32_line(start, line), result);
                wrong = wrong + 1;
            end
            count = count + 1;
        end
        if (wrong == 0) $display("PASS %0d", count);
        $finish;
    end
endmodule

`default_nettype wire
