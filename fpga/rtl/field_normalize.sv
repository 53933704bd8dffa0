// c + t or c - t mod p, below p, in three stages: for t < 2^256 + 2^74 and c < p.
`default_nettype none

module field_normalize (
    input  wire          clk,
    input  wire  [2:0]   valid,
    input  wire  [256:0] t,
    input  wire          negative,
    input  wire  [255:0] c,
    output wire  [255:0] result
);
    localparam [255:0] P = {224'hFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE, 32'hFFFFFC2F};
    // p and 2 p as numbers of 260 bits.
    localparam [259:0] P1 = {4'd0, P};
    localparam [259:0] P2 = {3'd0, P, 1'b0};

    // With 2 p added where t is subtracted, 0 <= sum < 3 p.
    logic [259:0] sum_q, sum2_q, less_q, lesser_q;
    logic [255:0] result_q;
    always_ff @(posedge clk) begin
        if (valid[0]) sum_q <= negative ? P2 + {4'd0, c} - {3'd0, t} : {4'd0, c} + {3'd0, t};
        if (valid[1]) begin
            sum2_q <= sum_q;
            less_q <= sum_q - P1;
            lesser_q <= sum_q - P2;
        end
        // The top bit is the sign.
        if (valid[2])
            result_q <= !lesser_q[259] ? lesser_q[255:0] : !less_q[259] ? less_q[255:0] : sum2_q[255:0];
    end
    assign result = result_q;

    wire unused = &{1'b0, sum2_q[259:256], less_q[258:256], lesser_q[258:256]};
endmodule

`default_nettype wire
