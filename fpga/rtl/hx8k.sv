// SHA-256 on an iCE40 HX8K behind a bus of bytes: no rings, one block at a time, the identity registers
// of every image.
//
// 0x40 takes a block's bytes, the first one first; 0x41 starts; 0x60.. is the digest, which stands until
// the next start. The next block may be written while one is compressed.
`default_nettype none

module hx8k #(
    parameter [255:0] BUILD_HASH = 256'b0
) (
    input  wire       clk,
    input  wire       rst,

    input  wire       wr,
    input  wire       rd,
    input  wire [6:0] addr,
    input  wire [7:0] din,
    // Of the address of the last read, from the edge that took it.
    output wire [7:0] dout,
    // No block is being compressed; a start while one is does nothing.
    output wire       ready
);
    localparam [31:0]  MAGIC       = 32'h4C4D4753;
    localparam [31:0]  ABI_VERSION = 32'd1;
    localparam [31:0]  CAPS        = 32'd1;
    localparam [31:0]  RINGS       = 32'd0;
    localparam [511:0] IDENTITY    = {BUILD_HASH, 128'b0, RINGS, CAPS, ABI_VERSION, MAGIC};

    localparam [6:0]   DATA        = 7'h40;
    localparam [6:0]   START       = 7'h41;

    logic [511:0] block_q;
    logic [7:0]   dout_q;
    wire  [255:0] digest;
    wire          digest_valid, start_ready, busy;
    wire          start = wr & addr == START;

    sha256_compress compress (
        .clk        (clk),
        .rst        (rst),
        .in_valid   (start),
        .in_ready   (start_ready),
        .in_block   (block_q),
        .in_first   (din[0]),
        .in_again   (din[1]),
        .out_valid  (digest_valid),
        .out_ready  (start),
        .out_digest (digest),
        .busy       (busy)
    );

    assign dout  = dout_q;
    assign ready = ~busy;

    always_ff @(posedge clk) begin
        if (wr & addr == DATA) block_q <= {din, block_q[511:8]};
        if (rd) begin
            if (~addr[6]) dout_q <= IDENTITY[{addr[5:0], 3'b0} +: 8];
            else if (addr[5]) dout_q <= digest[{addr[4:0], 3'b0} +: 8];
            else dout_q <= addr == START ? {6'b0, digest_valid, ready} : 8'b0;
        end
    end

    wire unused = start_ready;
endmodule

`default_nettype wire
