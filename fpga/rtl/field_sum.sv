// a + k b or a - k b mod p, below p: one a cycle, five stages.
`default_nettype none

module field_sum #(
    parameter TAG = 1
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            in_valid,
    input  wire  [255:0]   in_a,
    input  wire  [255:0]   in_b,
    input  wire  [2:0]     in_factor,
    input  wire            in_negative,
    input  wire  [TAG-1:0] in_tag,
    output wire            out_valid,
    output wire  [255:0]   out_result,
    output wire  [TAG-1:0] out_tag
);
    localparam STAGES = 5;
    logic [STAGES-1:0] valid_q;
    wire [STAGES-1:0] enter = {valid_q[STAGES-2:0], in_valid};
    always_ff @(posedge clk) valid_q <= rst ? '0 : enter;

    logic [STAGES*TAG-1:0] tag_q;
    logic [2*257-1:0] aside_q;
    integer i;
    always_ff @(posedge clk) begin
        if (enter[0]) tag_q[0+:TAG] <= in_tag;
        for (i = 1; i < STAGES; i = i + 1)
            if (enter[i]) tag_q[TAG*i+:TAG] <= tag_q[TAG*(i-1)+:TAG];
        if (enter[0]) aside_q[0+:257] <= {in_a, in_negative};
        if (enter[1]) aside_q[257+:257] <= aside_q[0+:257];
    end

    // 0
    wire [261:0] scaled;
    logic [261:0] scaled_q;
    field_scale scale (.a(in_b), .factor(in_factor), .scaled(scaled));
    always_ff @(posedge clk) if (enter[0]) scaled_q <= scaled;

    // 1: six bits above, times 2^32 + 977 = 2^32 + 1,024 - 47.
    logic [256:0] sum_q;
    wire [39:0] over = {34'd0, scaled_q[261:256]};
    wire [39:0] again = (over << 32) + (over << 10) + over - (over << 5) - (over << 4);
    always_ff @(posedge clk) if (enter[1]) sum_q <= {1'b0, scaled_q[255:0]} + {217'd0, again};

    // 2 to 4.
    field_normalize normalize (
        .clk(clk), .valid(enter[4:2]), .t(sum_q), .negative(aside_q[257]), .c(aside_q[258+:256]),
        .result(out_result)
    );
    assign out_valid = valid_q[STAGES-1];
    assign out_tag = tag_q[TAG*(STAGES-1)+:TAG];
endmodule

`default_nettype wire
