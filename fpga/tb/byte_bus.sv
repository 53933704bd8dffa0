// Plays a file of bus cycles to the HX8K image, as RTL or, with BITSTREAM defined, as what icebox_vlog
// made of the bits, and compares what is read; it computes nothing.
//
// +cycles names a file of `operation address byte`, hexadecimal: 0 writes, 1 reads and compares, 2 waits
// until ready. Ends with `PASS <reads>` or with `FAIL` and why.
`default_nettype none
`timescale 1ns / 1ns

module byte_bus;
    localparam PATIENCE = 200;

    logic       clk = 0, rst = 1, wr = 0, rd = 0;
    logic [6:0] addr = 0, at;
    logic [7:0] din = 0, value;
    logic [1:0] operation;
    wire  [7:0] dout;
    wire        ready;
    integer     file, waited, reads = 0;
    reg [8 * 256 - 1:0] path;

`ifdef BITSTREAM
    chip dut (
        .clk(clk), .rst(rst), .wr(wr), .rd(rd), .ready(ready),
        .\addr[0] (addr[0]), .\addr[1] (addr[1]), .\addr[2] (addr[2]), .\addr[3] (addr[3]),
        .\addr[4] (addr[4]), .\addr[5] (addr[5]), .\addr[6] (addr[6]),
        .\din[0] (din[0]), .\din[1] (din[1]), .\din[2] (din[2]), .\din[3] (din[3]),
        .\din[4] (din[4]), .\din[5] (din[5]), .\din[6] (din[6]), .\din[7] (din[7]),
        .\dout[0] (dout[0]), .\dout[1] (dout[1]), .\dout[2] (dout[2]), .\dout[3] (dout[3]),
        .\dout[4] (dout[4]), .\dout[5] (dout[5]), .\dout[6] (dout[6]), .\dout[7] (dout[7])
    );
`else
    hx8k #(.BUILD_HASH(`BUILD_HASH)) dut (
        .clk(clk), .rst(rst), .wr(wr), .rd(rd), .addr(addr), .din(din), .dout(dout), .ready(ready)
    );
`endif

    always #5 clk = ~clk;

    // Inputs change, and outputs are looked at, away from the rising edge.
    initial begin
        if (!$value$plusargs("cycles=%s", path)) begin
            $display("FAIL no +cycles");
            $finish;
        end
        file = $fopen(path, "r");
        repeat (4) @(negedge clk);
        rst = 0;
        while ($fscanf(file, "%h %h %h\n", operation, at, value) == 3) begin
            wr = operation == 0;
            rd = operation == 1;
            addr = at;
            din = value;
            @(negedge clk);
            wr = 0;
            rd = 0;
            waited = 0;
            while (operation == 2 && ready !== 1 && waited < PATIENCE) begin
                waited = waited + 1;
                @(negedge clk);
            end
            if (waited == PATIENCE) begin
                $display("FAIL stuck");
                $finish;
            end
            if (operation == 1) begin
                reads = reads + 1;
                if (dout !== value) begin
                    $display("FAIL read %0d: %h at %h, expected %h", reads, dout, at, value);
                    $finish;
                end
            end
        end
        $display("PASS %0d", reads);
        $finish;
    end
endmodule
