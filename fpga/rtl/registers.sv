// The registers behind AXI-Lite: one transaction at a time each way. Map: fpga/README.md.
`default_nettype none

module registers #(
    parameter [255:0] BUILD_HASH = 256'd0,
    parameter SQ_LOG2 = 13,
    parameter CQ_LOG2 = 13
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          s_axil_awvalid,
    output wire          s_axil_awready,
    input  wire  [11:0]  s_axil_awaddr,
    input  wire          s_axil_wvalid,
    output wire          s_axil_wready,
    input  wire  [31:0]  s_axil_wdata,
    input  wire  [3:0]   s_axil_wstrb,
    output wire          s_axil_bvalid,
    input  wire          s_axil_bready,
    output wire  [1:0]   s_axil_bresp,
    input  wire          s_axil_arvalid,
    output wire          s_axil_arready,
    input  wire  [11:0]  s_axil_araddr,
    output wire          s_axil_rvalid,
    input  wire          s_axil_rready,
    output wire  [31:0]  s_axil_rdata,
    output wire  [1:0]   s_axil_rresp,
    // Reset of everything else: while `rst`, and for two cycles after a write to CONTROL.
    output wire          reset,
    output wire  [31:0]  nonce,
    output wire  [31:0]  sq_tail,
    output wire  [31:0]  cq_head,
    input  wire  [31:0]  sq_head,
    input  wire  [31:0]  cq_tail,
    // An op that no core serves; a count that its op does not take.
    input  wire          unknown_op,
    input  wire          bad_count,
    // Any error: fetching stops.
    output wire          halted,
    output wire          irq,
    // Of the core of each op less one: a completion left; it works; its result waits; it waits for a line. At most one
    // of the last three in a cycle.
    input  wire  [3:0]   completed,
    input  wire  [3:0]   busy,
    input  wire  [3:0]   blocked,
    input  wire  [3:0]   starved
);
    localparam [31:0] MAGIC = 32'h4C4D4753;
    localparam [31:0] ABI_VERSION = 32'd1;
    localparam [31:0] CAPS = 32'hF;
    localparam [31:0] RINGS = SQ_LOG2 | (CQ_LOG2 << 8);
    localparam [31:0] SQ_LINES = 1 << SQ_LOG2;
    localparam [31:0] CQ_LINES = 1 << CQ_LOG2;

    logic [1:0] reset_q;
    assign reset = rst || reset_q != 2'd0;

    // A write is done when address and data are both there, and answered a cycle later; that of a reset when it is over,
    // so that it does not undo the next.
    logic b_valid_q;
    wire write = s_axil_awvalid && s_axil_wvalid && !b_valid_q;
    assign s_axil_awready = write;
    assign s_axil_wready = write;
    assign s_axil_bvalid = b_valid_q && reset_q == 2'd0;
    assign s_axil_bresp = 2'd0;
    logic r_valid_q;
    logic [31:0] r_data_q;
    wire read = s_axil_arvalid && !r_valid_q;
    assign s_axil_arready = read;
    assign s_axil_rvalid = r_valid_q;
    assign s_axil_rdata = r_data_q;
    assign s_axil_rresp = 2'd0;

    logic [31:0] nonce_q, sq_tail_q, cq_head_q, latched_q;
    logic irq_enable_q;
    logic [3:0] err_q;
    logic [63:0] cycles_q;
    logic [4*32-1:0] jobs_q;
    logic [4*64-1:0] busy_q, blocked_q, starved_q;
    assign nonce = nonce_q;
    assign sq_tail = sq_tail_q;
    assign cq_head = cq_head_q;
    assign halted = err_q != 4'd0;
    wire pending = cq_tail != cq_head_q;
    assign irq = irq_enable_q && pending;

    // Counters, 16 bytes an op: jobs and busy from 0x80 on, starved and blocked from 0xC0 on.
    wire [9:0] word = s_axil_araddr[11:2];
    wire is_hash = word[9:3] == 7'd1;
    wire is_counter = word[9:5] == 5'd1;
    wire [2:0] hash_word = word[2:0];
    wire [1:0] op = word[3:2];
    wire [2:0] counter = {word[4], word[1:0]};
    wire is_low = is_counter && (counter == 3'd1 || counter == 3'd4 || counter == 3'd6);
    wire [63:0] counted = !word[4] ? busy_q[64*op+:64] : !word[1] ? starved_q[64*op+:64] : blocked_q[64*op+:64];
    wire [31:0] cycles_low = cycles_q[31:0];
    logic [31:0] value;
    always_comb
        if (is_hash) value = BUILD_HASH[32*hash_word+:32];
        else if (is_counter)
            case (counter)
                3'd0: value = jobs_q[32*op+:32];
                3'd1, 3'd4, 3'd6: value = counted[31:0];
                3'd3: value = 32'd0;
                default: value = latched_q;
            endcase
        else
            case (word)
                10'h00: value = MAGIC;
                10'h01: value = ABI_VERSION;
                10'h02: value = CAPS;
                10'h03: value = RINGS;
                10'h11: value = nonce_q;
                10'h12: value = sq_tail_q;
                10'h13: value = sq_head;
                10'h14: value = cq_head_q;
                10'h15: value = cq_tail;
                10'h16: value = {31'd0, irq_enable_q};
                10'h17: value = {31'd0, pending};
                10'h18: value = {28'd0, err_q};
                10'h19: value = cycles_low;
                10'h1A: value = latched_q;
                default: value = 32'd0;
            endcase

    integer i;
    always_ff @(posedge clk) begin
        if (reset_q != 2'd0) reset_q <= reset_q - 2'd1;
        if (write) begin
            b_valid_q <= 1'b1;
            case (s_axil_awaddr[11:2])
                10'h10: if (s_axil_wdata[0]) reset_q <= 2'd2;
                10'h11: nonce_q <= s_axil_wdata;
                10'h12: sq_tail_q <= s_axil_wdata;
                10'h14: cq_head_q <= s_axil_wdata;
                10'h16: irq_enable_q <= s_axil_wdata[0];
                default: ;
            endcase
        end
        if (s_axil_bvalid && s_axil_bready) b_valid_q <= 1'b0;
        if (read) begin
            r_valid_q <= 1'b1;
            r_data_q <= value;
            if (word == 10'h19) latched_q <= cycles_q[63:32];
            if (is_low) latched_q <= counted[63:32];
        end
        if (r_valid_q && s_axil_rready) r_valid_q <= 1'b0;

        cycles_q <= cycles_q + 64'd1;
        for (i = 0; i < 4; i = i + 1) begin
            if (completed[i]) jobs_q[32*i+:32] <= jobs_q[32*i+:32] + 32'd1;
            if (busy[i]) busy_q[64*i+:64] <= busy_q[64*i+:64] + 64'd1;
            if (blocked[i]) blocked_q[64*i+:64] <= blocked_q[64*i+:64] + 64'd1;
            if (starved[i]) starved_q[64*i+:64] <= starved_q[64*i+:64] + 64'd1;
        end
        err_q <= err_q | {
            cq_tail - cq_head_q > CQ_LINES, sq_tail_q - sq_head > SQ_LINES, bad_count, unknown_op
        };
        if (reset) begin
            nonce_q <= 32'd0;
            sq_tail_q <= 32'd0;
            cq_head_q <= 32'd0;
            irq_enable_q <= 1'b0;
            err_q <= 4'd0;
            cycles_q <= 64'd0;
            jobs_q <= '0;
            busy_q <= '0;
            blocked_q <= '0;
            starved_q <= '0;
            latched_q <= 32'd0;
        end
        if (rst) begin
            reset_q <= 2'd0;
            b_valid_q <= 1'b0;
            r_valid_q <= 1'b0;
        end
    end

    // Registers are written whole, and addressed by words.
    wire unused = &{1'b0, s_axil_wstrb, s_axil_awaddr[1:0], s_axil_araddr[1:0]};
endmodule

`default_nettype wire
