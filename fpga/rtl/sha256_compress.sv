// SHA-256's compression of one block in 66 cycles: load, x of round 0, 64 rounds, of which the last
// leaves the core at rest.
//
// The digest is a sum that stands at the output while the core rests, taken or not; loading the next
// block consumes it in the same cycle. So there is no register for it, and no idle state.
`default_nettype none

module sha256_compress (
    input  wire          clk,
    input  wire          rst,

    // in_first: from the initial state, else from that of the block before. in_again: instead of
    // in_block, the digest at the output and its padding, from the initial state.
    input  wire          in_valid,
    output wire          in_ready,
    input  wire  [511:0] in_block,
    input  wire          in_first,
    input  wire          in_again,

    output wire          out_valid,
    input  wire          out_ready,
    output wire  [255:0] out_digest,

    output wire          busy
);
`include "sha256_functions.svh"

    logic         rest_q, fresh_q;
    logic [6:0]   count_q;
    logic [255:0] chain_q, state_q;
    logic [31:0]  x_q;
    logic [511:0] window_q;

    wire [255:0]  sum = add_words(chain_q, state_q);
    wire          load = in_valid & in_ready;
    wire  [31:0]  t1   = round_t1(state_q[127:96], state_q[95:64], state_q[63:32], x_q);
    wire  [31:0]  t2   = round_t2(state_q[255:224], state_q[223:192], state_q[191:160]);

    assign in_ready   = rest_q & (~fresh_q | out_ready);
    assign out_valid  = rest_q & fresh_q;
    assign out_digest = reverse_256(sum);
    assign busy       = ~rest_q | load;

    always_ff @(posedge clk) begin
        if (rst) begin
            rest_q  <= 1'b1;
            fresh_q <= 1'b0;
        end else if (load) begin
            rest_q  <= 1'b0;
        end else if (~rest_q) begin
            rest_q  <= count_q[6];
            fresh_q <= 1'b1;
        end else if (out_ready) begin
            fresh_q <= 1'b0;
        end
    end

    // Count 0 makes x of round 0; count t + 1 is round t, and makes x of the next.
    always_ff @(posedge clk) begin
        if (load) begin
            count_q  <= '0;
            chain_q  <= in_first | in_again ? INITIAL : sum;
            state_q  <= in_first | in_again ? INITIAL : sum;
            window_q <= in_again ? {sum, DIGEST_PADDING} : reverse_512(in_block);
        end else if (~rest_q) begin
            count_q  <= count_q + 7'd1;
            window_q <= {window_q[479:0], schedule(
                window_q[511:480], window_q[479:448], window_q[223:192], window_q[63:32])};
            x_q      <= (count_q == '0 ? state_q[31:0] : state_q[63:32])
                + round_constant(count_q[5:0]) + window_q[511:480];
            if (count_q != '0)
                state_q <= {t1 + t2, state_q[255:160], state_q[159:128] + t1, state_q[127:32]};
        end
    end
endmodule

`default_nettype wire
