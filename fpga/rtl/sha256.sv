// SHA-256 of padded blocks, a line each; flag bit 0 of the header hashes the digest once more.
//
// The header and the next block wait here while a block is compressed, so they cost no cycle: 66 a
// block, also where every job is one block.
`default_nettype none

module sha256 (
    input  wire          clk,
    input  wire          rst,

    input  wire          in_valid,
    output wire          in_ready,
    input  wire  [511:0] in_line,
    input  wire          in_first,
    input  wire          in_last,
    input  wire  [31:0]  in_tag,
    input  wire  [31:0]  in_check,

    output wire          out_valid,
    input  wire          out_ready,
    output wire  [31:0]  out_tag,
    output wire  [31:0]  out_check,
    output wire  [767:0] out_payload,
    output wire          out_wide,

    output wire          busy
);
    // The job of the next block; its header is in force until that block is taken.
    logic         head_again_q, head_first_q;
    logic         next_valid_q, next_first_q, next_last_q;
    logic [511:0] next_block_q;
    logic [31:0]  next_tag_q, next_check_q;

    // The job of the block in the compression.
    logic         run_last_q, run_again_q;
    logic [31:0]  run_tag_q, run_check_q;

    logic         out_valid_q;
    logic [31:0]  out_tag_q, out_check_q;
    logic [255:0] out_digest_q;

    wire          step_ready, step_valid;
    wire [255:0]  digest;

    wire again = step_valid & run_again_q;
    wire take  = next_valid_q & step_ready & ~again;
    wire give  = step_valid & run_last_q & ~run_again_q & ~out_valid_q;

    sha256_compress compress (
        .clk        (clk),
        .rst        (rst),
        .in_valid   (next_valid_q | again),
        .in_ready   (step_ready),
        .in_block   (next_block_q),
        .in_first   (next_first_q),
        .in_again   (again),
        .out_valid  (step_valid),
        .out_ready  (~run_last_q | run_again_q | ~out_valid_q),
        .out_digest (digest),
        .busy       (busy)
    );

    assign in_ready    = ~next_valid_q;
    assign out_valid   = out_valid_q;
    assign out_tag     = out_tag_q;
    assign out_check   = out_check_q;
    assign out_payload = {512'b0, out_digest_q};
    assign out_wide    = 1'b0;

    always_ff @(posedge clk) begin
        if (rst) begin
            next_valid_q <= 1'b0;
            run_last_q   <= 1'b0;
            run_again_q  <= 1'b0;
            out_valid_q  <= 1'b0;
        end else begin
            if (in_valid & in_ready) next_valid_q <= ~in_first;
            else if (take) next_valid_q <= 1'b0;

            if (take) begin
                run_last_q  <= next_last_q;
                run_again_q <= next_last_q & head_again_q;
            end else if (again) begin
                run_again_q <= 1'b0;
            end

            if (give) out_valid_q <= 1'b1;
            else if (out_ready) out_valid_q <= 1'b0;
        end
    end

    always_ff @(posedge clk) begin
        if (in_valid & in_ready) begin
            head_first_q <= in_first;
            if (in_first) begin
                head_again_q <= in_line[8];
            end else begin
                next_first_q <= head_first_q;
                next_block_q <= in_line;
                next_last_q  <= in_last;
                next_tag_q   <= in_tag;
                next_check_q <= in_check;
            end
        end
        if (take) begin
            run_tag_q   <= next_tag_q;
            run_check_q <= next_check_q;
        end
        if (give) begin
            out_tag_q    <= run_tag_q;
            out_check_q  <= run_check_q;
            out_digest_q <= digest;
        end
    end
endmodule

`default_nettype wire
