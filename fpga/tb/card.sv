// Plays a script on the card, cycle for cycle as the model's C ABI does (fpga/sim/src/shim.cpp), and compares what it
// reads; it computes nothing.
//
// +script names a file of `op address value` a line, all hexadecimal: op 0 writes a register, 1 reads one, 2 writes a
// line, 3 reads one, 4 lets that many cycles pass. Ends with `PASS <reads>`, or with `FAIL` and why.
`default_nettype none
`timescale 1ns / 1ns

module card;
    // Cycles that any answer may take.
    localparam PATIENCE = 10000;

    logic         clk = 0, rst = 1;
    logic         awvalid = 0, wvalid = 0, bready = 0, arvalid = 0, rready = 0;
    logic         h2c_valid = 0, req_valid = 0, c2h_ready = 0;
    wire          awready, wready, bvalid, arready, rvalid, h2c_ready, req_ready, c2h_valid, irq;
    wire  [1:0]   bresp, rresp;
    wire  [31:0]  rdata;
    wire  [511:0] c2h_data;
    logic [31:0]  address = 0;
    logic [511:0] value = 0, found = 0;

    top dut (
        .clk(clk), .rst(rst),
        .s_axil_awvalid(awvalid), .s_axil_awready(awready), .s_axil_awaddr(address[11:0]),
        .s_axil_wvalid(wvalid), .s_axil_wready(wready), .s_axil_wdata(value[31:0]), .s_axil_wstrb(4'd15),
        .s_axil_bvalid(bvalid), .s_axil_bready(bready), .s_axil_bresp(bresp),
        .s_axil_arvalid(arvalid), .s_axil_arready(arready), .s_axil_araddr(address[11:0]),
        .s_axil_rvalid(rvalid), .s_axil_rready(rready), .s_axil_rdata(rdata), .s_axil_rresp(rresp),
        .h2c_valid(h2c_valid), .h2c_ready(h2c_ready), .h2c_addr(address), .h2c_data(value),
        .c2h_req_valid(req_valid), .c2h_req_ready(req_ready), .c2h_req_addr(address),
        .c2h_valid(c2h_valid), .c2h_ready(c2h_ready), .c2h_data(c2h_data), .irq(irq)
    );

    integer     script, reads = 0, line = 0, waited;
    logic [3:0] op;
    logic       asked, got, taken, address_taken, data_taken;
    reg [8 * 256 - 1:0] path;

    task tick;
        begin
            #1 clk = 1;
            #1 clk = 0;
        end
    endtask

    task fail(input [8 * 20 - 1:0] why);
        begin
            $display("FAIL %0s: line %0d, address %h: %h, not %h", why, line, address, found, value);
            $finish;
        end
    endtask

    task write_register;
        begin
            awvalid = 1;
            wvalid = 1;
            bready = 1;
            got = 0;
            for (waited = 0; waited < PATIENCE && !got; waited = waited + 1) begin
                #1 address_taken = awvalid && awready;
                data_taken = wvalid && wready;
                got = !awvalid && !wvalid && bvalid;
                tick;
                if (address_taken) awvalid = 0;
                if (data_taken) wvalid = 0;
            end
            bready = 0;
            if (!got) fail("stuck");
        end
    endtask

    task read_register;
        begin
            arvalid = 1;
            rready = 1;
            asked = 0;
            got = 0;
            for (waited = 0; waited < PATIENCE && !got; waited = waited + 1) begin
                #1 taken = arvalid && arready;
                got = asked && rvalid;
                if (got) found = rdata;
                tick;
                if (taken) begin
                    asked = 1;
                    arvalid = 0;
                end
            end
            rready = 0;
            if (!got) fail("stuck");
        end
    endtask

    task write_line;
        begin
            h2c_valid = 1;
            got = 0;
            for (waited = 0; waited < PATIENCE && !got; waited = waited + 1) begin
                #1 got = h2c_ready;
                tick;
            end
            h2c_valid = 0;
            if (!got) fail("stuck");
        end
    endtask

    task read_line;
        begin
            c2h_ready = 1;
            asked = 0;
            got = 0;
            for (waited = 0; waited < PATIENCE && !got; waited = waited + 1) begin
                req_valid = !asked;
                #1 taken = req_valid && req_ready;
                got = c2h_valid;
                if (got) found = c2h_data;
                tick;
                if (taken) asked = 1;
            end
            req_valid = 0;
            c2h_ready = 0;
            if (!got) fail("stuck");
        end
    endtask

    initial begin
        if (!$value$plusargs("script=%s", path)) fail("no +script");
        script = $fopen(path, "r");
        repeat (8) tick;
        rst = 0;
        tick;
        while ($fscanf(script, "%h %h %h\n", op, address, value) == 3) begin
            line = line + 1;
            case (op)
                4'd0: write_register;
                4'd1: read_register;
                4'd2: write_line;
                4'd3: read_line;
                default: repeat (value[31:0]) tick;
            endcase
            if (op == 4'd1 || op == 4'd3) begin
                reads = reads + 1;
                if (found !== value) fail("wrong");
            end
        end
        $display("PASS %0d", reads);
        $finish;
    end
endmodule
