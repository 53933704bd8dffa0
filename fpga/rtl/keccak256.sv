// Keccak-256 of padded blocks of 136 bytes, three lines each: a round a cycle, 25 cycles a block.
//
// The lines of the next block are taken while the rounds run; its words are xored in, and the digest
// is given out, in the one cycle between two permutations.
`default_nettype none

module keccak256 (
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
    localparam [4:0] LAST_ROUND = 5'd23;

    // Offsets of rho, lane x + 5 y, lane 0 lowest.
    localparam [149:0] ROTATION = {
        6'd14, 6'd56, 6'd61, 6'd2, 6'd18,
        6'd8, 6'd21, 6'd15, 6'd45, 6'd41,
        6'd39, 6'd25, 6'd43, 6'd10, 6'd3,
        6'd20, 6'd55, 6'd6, 6'd44, 6'd36,
        6'd27, 6'd28, 6'd62, 6'd1, 6'd0
    };

    function automatic [63:0] rotate(input [63:0] lane, input [5:0] by);
        rotate = lane << by | lane >> (7'd64 - {1'b0, by});
    endfunction

    // A round, in the letters of FIPS 202: theta, rho and pi, chi, iota.
    function automatic [1599:0] permute_round(input [1599:0] a, input [63:0] constant);
        logic [319:0]  c, d;
        logic [1599:0] b;
        for (int x = 0; x < 5; x++)
            c[64 * x +: 64] = a[64 * x +: 64] ^ a[64 * (x + 5) +: 64] ^ a[64 * (x + 10) +: 64]
                ^ a[64 * (x + 15) +: 64] ^ a[64 * (x + 20) +: 64];
        for (int x = 0; x < 5; x++)
            d[64 * x +: 64] = c[64 * ((x + 4) % 5) +: 64] ^ rotate(c[64 * ((x + 1) % 5) +: 64], 6'd1);
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 5; x++)
                b[64 * (y + 5 * ((2 * x + 3 * y) % 5)) +: 64] = rotate(
                    a[64 * (x + 5 * y) +: 64] ^ d[64 * x +: 64], ROTATION[6 * (x + 5 * y) +: 6]);
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 5; x++)
                permute_round[64 * (x + 5 * y) +: 64] = b[64 * (x + 5 * y) +: 64]
                    ^ (~b[64 * ((x + 1) % 5 + 5 * y) +: 64] & b[64 * ((x + 2) % 5 + 5 * y) +: 64]);
        permute_round[63:0] = permute_round[63:0] ^ constant;
    endfunction

    function automatic [63:0] round_constant(input [4:0] round);
        case (round)
            5'd0: round_constant = 64'h0000000000000001; 5'd1: round_constant = 64'h0000000000008082;
            5'd2: round_constant = 64'h800000000000808a; 5'd3: round_constant = 64'h8000000080008000;
            5'd4: round_constant = 64'h000000000000808b; 5'd5: round_constant = 64'h0000000080000001;
            5'd6: round_constant = 64'h8000000080008081; 5'd7: round_constant = 64'h8000000000008009;
            5'd8: round_constant = 64'h000000000000008a; 5'd9: round_constant = 64'h0000000000000088;
            5'd10: round_constant = 64'h0000000080008009; 5'd11: round_constant = 64'h000000008000000a;
            5'd12: round_constant = 64'h000000008000808b; 5'd13: round_constant = 64'h800000000000008b;
            5'd14: round_constant = 64'h8000000000008089; 5'd15: round_constant = 64'h8000000000008003;
            5'd16: round_constant = 64'h8000000000008002; 5'd17: round_constant = 64'h8000000000000080;
            5'd18: round_constant = 64'h000000000000800a; 5'd19: round_constant = 64'h800000008000000a;
            5'd20: round_constant = 64'h8000000080008081; 5'd21: round_constant = 64'h8000000000008080;
            5'd22: round_constant = 64'h0000000080000001; default: round_constant = 64'h8000000080008008;
        endcase
    endfunction

    // The next block, filling or full.
    logic          next_valid_q, next_first_q, next_last_q;
    logic [1:0]    next_lines_q;
    logic [1087:0] next_block_q;
    logic [31:0]   next_tag_q, next_check_q;

    // The block in the permutation; at rest its digest is lowest in the state.
    logic          rest_q, run_last_q;
    logic [4:0]    round_q;
    logic [1599:0] state_q;
    logic [31:0]   run_tag_q, run_check_q;

    logic          out_valid_q;
    logic [31:0]   out_tag_q, out_check_q;
    logic [255:0]  out_digest_q;

    wire accept = in_valid & in_ready;
    wire give   = rest_q & run_last_q & ~out_valid_q;
    wire take   = rest_q & next_valid_q & (~run_last_q | give);

    assign in_ready    = ~next_valid_q;
    assign out_valid   = out_valid_q;
    assign out_tag     = out_tag_q;
    assign out_check   = out_check_q;
    assign out_payload = {512'b0, out_digest_q};
    assign out_wide    = 1'b0;
    assign busy        = ~rest_q | take;

    always_ff @(posedge clk) begin
        if (rst) begin
            next_valid_q <= 1'b0;
            rest_q       <= 1'b1;
            run_last_q   <= 1'b0;
            out_valid_q  <= 1'b0;
        end else begin
            if (accept) next_valid_q <= ~in_first & next_lines_q == 2'd2;
            else if (take) next_valid_q <= 1'b0;

            if (take) rest_q <= 1'b0;
            else if (round_q == LAST_ROUND) rest_q <= 1'b1;

            if (take) run_last_q <= next_last_q;
            else if (give) run_last_q <= 1'b0;

            if (give) out_valid_q <= 1'b1;
            else if (out_ready) out_valid_q <= 1'b0;
        end
    end

    always_ff @(posedge clk) begin
        if (accept) begin
            next_lines_q <= in_first | next_lines_q == 2'd2 ? 2'd0 : next_lines_q + 2'd1;
            if (in_first) begin
                next_first_q <= 1'b1;
            end else begin
                // Lines come in at the top; two of them and 64 bits of the third fill the block.
                if (next_lines_q == 2'd2) next_block_q[1087:1024] <= in_line[63:0];
                else next_block_q[1023:0] <= {in_line, next_block_q[1023:512]};
                next_last_q  <= in_last;
                next_tag_q   <= in_tag;
                next_check_q <= in_check;
            end
        end else if (take) begin
            next_first_q <= 1'b0;
        end
    end

    always_ff @(posedge clk) begin
        if (take) begin
            state_q     <= (next_first_q ? 1600'b0 : state_q) ^ {512'b0, next_block_q};
            round_q     <= 5'd0;
            run_tag_q   <= next_tag_q;
            run_check_q <= next_check_q;
        end else if (~rest_q) begin
            state_q     <= permute_round(state_q, round_constant(round_q));
            round_q     <= round_q + 5'd1;
        end
        if (give) begin
            out_tag_q    <= run_tag_q;
            out_check_q  <= run_check_q;
            out_digest_q <= state_q[255:0];
        end
    end
endmodule

`default_nettype wire
