// SHA-256's 64 rounds, unrolled into STAGES registers, each of which does 64 / STAGES rounds: a part of
// sha256d, which adds what comes in front and behind.
//
// In the cycle of `turn` every stage takes from the one before; in the others it turns its own value
// over. PADDED: the block is the constant one that pads a message of 64 bytes, and in_window is
// nothing; else in_state is the initial one. Only valid stages change, so empty ones cost a
// simulator little.
`default_nettype none

module sha256_pipe #(
    parameter int STAGES = 64,
    parameter bit PADDED = 0
) (
    input  wire           clk,
    input  wire           rst,
    input  wire           turn,
    input  wire  [5:0]    phase,

    // in_x: h + K_0 + W_0, which is all that needs h.
    input  wire           in_valid,
    input  wire  [255:32] in_state,
    input  wire  [31:0]   in_x,
    input  wire  [511:0]  in_window,

    output wire           out_valid,
    output wire  [255:0]  out_state
);
`include "sha256_functions.svh"
`include "sha256_padding.svh"

    localparam int LOOP = 64 / STAGES;

    generate
        for (genvar i = 0; i < STAGES; i++) begin : stage
            logic          valid_q;
            logic [31:0]   x_q;
            // Of h, all but the last stage need only the sum.
            /* verilator lint_off UNUSEDSIGNAL */
            logic [255:0]  state_q;
            /* verilator lint_on UNUSEDSIGNAL */
            wire           from_valid;
            wire  [255:32] from_state;
            wire  [31:0]   from_x;

            if (i == 0) begin : from
                assign from_valid = turn ? in_valid : valid_q;
                assign from_state = turn ? in_state : state_q[255:32];
                assign from_x     = turn ? in_x : x_q;
            end else begin : from
                assign from_valid = turn ? stage[i - 1].valid_q : valid_q;
                assign from_state = turn ? stage[i - 1].state_q[255:32] : state_q[255:32];
                assign from_x     = turn ? stage[i - 1].x_q : x_q;
            end

            // The next round; its x needs no more of this one than g.
            wire [5:0] next = 6'(i * LOOP + 1) + (LOOP == 1 ? 6'd0 : phase);

            always_ff @(posedge clk) begin
                if (rst) valid_q <= 1'b0;
                else valid_q <= from_valid;
                // T1 twice, not a wire, which a simulator would evaluate in empty stages too.
                if (from_valid) state_q <= {
                    round_t1(from_state[127:96], from_state[95:64], from_state[63:32], from_x)
                        + round_t2(from_state[255:224], from_state[223:192], from_state[191:160]),
                    from_state[255:160],
                    round_t1(from_state[127:96], from_state[95:64], from_state[63:32], from_x)
                        + from_state[159:128],
                    from_state[127:32]
                };
            end

            if (PADDED) begin : block
                wire unused = &{1'b0, in_window};
                always_ff @(posedge clk) begin
                    if (from_valid) x_q <= from_state[63:32] + padding_constant(next);
                end
            end else begin : block
                logic [511:0] window_q;
                wire  [511:0] from_window;

                if (i == 0) begin : from
                    assign from_window = turn ? in_window : window_q;
                end else begin : from
                    assign from_window = turn ? stage[i - 1].block.window_q : window_q;
                end

                always_ff @(posedge clk) begin
                    if (from_valid) begin
                        x_q <= from_state[63:32] + round_constant(next) + from_window[479:448];
                        // W_64 and later are in no round.
                        window_q <= {from_window[479:0], i * LOOP >= 48 ? 32'b0 : schedule(
                            from_window[511:480], from_window[479:448], from_window[223:192],
                            from_window[63:32])};
                    end
                end
            end
        end
    endgenerate

    assign out_valid = stage[STAGES - 1].valid_q;
    assign out_state = stage[STAGES - 1].state_q;
endmodule

`default_nettype wire
