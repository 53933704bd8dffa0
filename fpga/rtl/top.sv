// The card: registers, rings in card memory, and the cores between them. Around it a card needs an AXI-Lite master for
// the registers and a writer and a reader of lines, PCIe's DMA or a mapped window.
`default_nettype none

module top #(
    parameter [255:0] BUILD_HASH = 256'd0,
    parameter SQ_LOG2 = 13,
    parameter CQ_LOG2 = 13,
    parameter SHA256D_STAGES = 64,
    parameter TILED = 0
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
    // Lines to the submission ring.
    input  wire          h2c_valid,
    output wire          h2c_ready,
    input  wire  [31:0]  h2c_addr,
    input  wire  [511:0] h2c_data,
    // Lines from the completion ring.
    input  wire          c2h_req_valid,
    output wire          c2h_req_ready,
    input  wire  [31:0]  c2h_req_addr,
    output wire          c2h_valid,
    input  wire          c2h_ready,
    output wire  [511:0] c2h_data,
    output wire          irq
);
    wire reset, halted, unknown_op, bad_count;
    wire [31:0] nonce, sq_tail, sq_head, cq_head, cq_tail;
    wire [3:0] completed, busy, blocked, starved;
    registers #(.BUILD_HASH(BUILD_HASH), .SQ_LOG2(SQ_LOG2), .CQ_LOG2(CQ_LOG2)) registers (
        .clk(clk), .rst(rst),
        .s_axil_awvalid(s_axil_awvalid), .s_axil_awready(s_axil_awready), .s_axil_awaddr(s_axil_awaddr),
        .s_axil_wvalid(s_axil_wvalid), .s_axil_wready(s_axil_wready), .s_axil_wdata(s_axil_wdata),
        .s_axil_wstrb(s_axil_wstrb), .s_axil_bvalid(s_axil_bvalid), .s_axil_bready(s_axil_bready),
        .s_axil_bresp(s_axil_bresp), .s_axil_arvalid(s_axil_arvalid), .s_axil_arready(s_axil_arready),
        .s_axil_araddr(s_axil_araddr), .s_axil_rvalid(s_axil_rvalid), .s_axil_rready(s_axil_rready),
        .s_axil_rdata(s_axil_rdata), .s_axil_rresp(s_axil_rresp),
        .reset(reset), .nonce(nonce), .sq_tail(sq_tail), .cq_head(cq_head), .sq_head(sq_head), .cq_tail(cq_tail),
        .unknown_op(unknown_op), .bad_count(bad_count), .halted(halted), .irq(irq),
        .completed(completed), .busy(busy), .blocked(blocked), .starved(starved)
    );

    // Rings; what is written elsewhere goes nowhere.
    assign h2c_ready = 1'b1;
    wire read;
    wire [SQ_LOG2-1:0] read_address;
    wire [511:0] read_line;
    ring_memory #(.LOG2(SQ_LOG2)) submissions (
        .clk(clk), .write(h2c_valid && h2c_addr[31:28] == 4'd0), .write_address(h2c_addr[6+:SQ_LOG2]),
        .write_line(h2c_data), .read(read), .read_address(read_address), .read_line(read_line)
    );
    wire write;
    wire [CQ_LOG2-1:0] write_address;
    wire [511:0] write_line;
    logic c2h_valid_q;
    assign c2h_req_ready = !c2h_valid_q || c2h_ready;
    assign c2h_valid = c2h_valid_q;
    ring_memory #(.LOG2(CQ_LOG2)) completions (
        .clk(clk), .write(write), .write_address(write_address), .write_line(write_line),
        .read(c2h_req_valid && c2h_req_ready), .read_address(c2h_req_addr[6+:CQ_LOG2]), .read_line(c2h_data)
    );
    always_ff @(posedge clk)
        if (rst) c2h_valid_q <= 1'b0;
        else if (c2h_req_ready) c2h_valid_q <= c2h_req_valid;
    wire unused = &{1'b0, h2c_addr, c2h_req_addr};

    wire [3:0] in_valid, in_ready, held;
    wire [511:0] in_line;
    wire in_first, in_last;
    wire [31:0] in_tag, in_check;
    fetch #(.SQ_LOG2(SQ_LOG2), .CQ_LOG2(CQ_LOG2)) fetch (
        .clk(clk), .rst(reset), .halted(halted), .sq_tail(sq_tail), .sq_head(sq_head), .cq_head(cq_head),
        .read(read), .read_address(read_address), .read_line(read_line),
        .unknown_op(unknown_op), .bad_count(bad_count), .held(held),
        .out_valid(in_valid), .out_ready(in_ready), .out_line(in_line), .out_first(in_first), .out_last(in_last),
        .out_tag(in_tag), .out_check(in_check)
    );

    wire [3:0] out_valid, out_ready, out_wide;
    wire [4*32-1:0] out_tag, out_check;
    wire [4*768-1:0] out_payload;
    sha256 sha256 (
        .clk(clk), .rst(reset), .in_valid(in_valid[0]), .in_ready(in_ready[0]), .in_line(in_line),
        .in_first(in_first), .in_last(in_last), .in_tag(in_tag), .in_check(in_check),
        .out_valid(out_valid[0]), .out_ready(out_ready[0]), .out_tag(out_tag[0+:32]),
        .out_check(out_check[0+:32]), .out_payload(out_payload[0+:768]), .out_wide(out_wide[0]), .busy(busy[0])
    );
    sha256d #(.STAGES(SHA256D_STAGES)) sha256d (
        .clk(clk), .rst(reset), .in_valid(in_valid[1]), .in_ready(in_ready[1]), .in_line(in_line),
        .in_first(in_first), .in_last(in_last), .in_tag(in_tag), .in_check(in_check),
        .out_valid(out_valid[1]), .out_ready(out_ready[1]), .out_tag(out_tag[32+:32]),
        .out_check(out_check[32+:32]), .out_payload(out_payload[768+:768]), .out_wide(out_wide[1]), .busy(busy[1])
    );
    keccak256 keccak256 (
        .clk(clk), .rst(reset), .in_valid(in_valid[2]), .in_ready(in_ready[2]), .in_line(in_line),
        .in_first(in_first), .in_last(in_last), .in_tag(in_tag), .in_check(in_check),
        .out_valid(out_valid[2]), .out_ready(out_ready[2]), .out_tag(out_tag[64+:32]),
        .out_check(out_check[64+:32]), .out_payload(out_payload[1536+:768]), .out_wide(out_wide[2]), .busy(busy[2])
    );
    secp256k1 #(.TILED(TILED)) secp256k1 (
        .clk(clk), .rst(reset), .in_valid(in_valid[3]), .in_ready(in_ready[3]), .in_line(in_line),
        .in_first(in_first), .in_last(in_last), .in_tag(in_tag), .in_check(in_check),
        .out_valid(out_valid[3]), .out_ready(out_ready[3]), .out_tag(out_tag[96+:32]),
        .out_check(out_check[96+:32]), .out_payload(out_payload[2304+:768]), .out_wide(out_wide[3]), .busy(busy[3])
    );

    // Why a core does not compute, the first that holds; in what cycles are left it computes nothing for its own reasons.
    assign blocked = ~busy & (held | out_valid & ~out_ready);
    assign starved = ~busy & ~blocked & in_ready & ~in_valid;

    complete #(.CQ_LOG2(CQ_LOG2)) complete (
        .clk(clk), .rst(reset), .nonce(nonce), .in_valid(out_valid), .in_ready(out_ready), .in_tag(out_tag),
        .in_check(out_check), .in_payload(out_payload), .in_wide(out_wide), .completed(completed),
        .cq_tail(cq_tail), .write(write), .write_address(write_address), .write_line(write_line)
    );
endmodule

`default_nettype wire
