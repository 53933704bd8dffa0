// c + k a b or c - k a b mod p, p = 2^256 - 2^32 - 977, below p: one a cycle, 14 stages. What goes with a product
// travels along in `in_tag`.
//
// 2^256 = 2^32 + 977 mod p, twice: 512 bits become 290, times k 296, then 257; no multiplier besides that of a b.
`default_nettype none

module field_product #(
    parameter TILED = 0,
    parameter TAG = 1
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            in_valid,
    input  wire  [255:0]   in_a,
    input  wire  [255:0]   in_b,
    input  wire  [255:0]   in_c,
    input  wire  [2:0]     in_factor,
    input  wire            in_negative,
    input  wire  [TAG-1:0] in_tag,
    output logic           out_valid,
    output wire  [255:0]   out_result,
    output wire  [TAG-1:0] out_tag
);
    localparam STAGES = 14;
    logic [STAGES-1:0] valid_q;
    // The valid bit at each stage's entrance.
    wire [STAGES-1:0] enter = {valid_q[STAGES-2:0], in_valid};
    always_ff @(posedge clk) valid_q <= rst ? '0 : enter;

    // What waits beside the arithmetic.
    localparam ASIDE = TAG + 256 + 1 + 3;
    logic [11*ASIDE-1:0] aside_q;
    logic [3*TAG-1:0] tag_q;
    integer i;
    always_ff @(posedge clk) begin
        if (enter[0]) aside_q[0+:ASIDE] <= {in_tag, in_c, in_negative, in_factor};
        for (i = 1; i < 11; i = i + 1)
            if (enter[i]) aside_q[ASIDE*i+:ASIDE] <= aside_q[ASIDE*(i-1)+:ASIDE];
        if (enter[11]) tag_q[0+:TAG] <= aside_q[ASIDE*10+260+:TAG];
        for (i = 1; i < 3; i = i + 1)
            if (enter[11+i]) tag_q[TAG*i+:TAG] <= tag_q[TAG*(i-1)+:TAG];
    end

    // 0 to 5.
    wire [511:0] product;
    product_512 #(.TILED(TILED)) multiplier (
        .clk(clk), .valid(enter[5:0]), .a(in_a), .b(in_b), .product(product)
    );

    // 6: 977 = 1,024 - 47, 47 = 32 + 16 - 1.
    logic [255:0] low_q, high_q;
    logic [265:0] times_q;
    wire [265:0] high = {10'd0, product[511:256]};
    always_ff @(posedge clk)
        if (enter[6]) begin
            low_q <= product[255:0];
            high_q <= product[511:256];
            times_q <= (high << 10) + high - (high << 5) - (high << 4);
        end

    // 7: below 2^256 (2^32 + 978) < 2^290.
    logic [289:0] folded_q;
    always_ff @(posedge clk)
        if (enter[7]) folded_q <= {34'd0, low_q} + {2'd0, high_q, 32'd0} + {24'd0, times_q};

    // 8
    wire [295:0] scaled;
    logic [295:0] scaled_q;
    field_scale #(.WIDTH(290)) scale (
        .a(folded_q), .factor(aside_q[ASIDE*7+:3]), .scaled(scaled)
    );
    always_ff @(posedge clk) if (enter[8]) scaled_q <= scaled;

    // 9: 40 bits are left above.
    logic [255:0] rest_q;
    logic [73:0] again_q;
    wire [73:0] over = {34'd0, scaled_q[295:256]};
    always_ff @(posedge clk)
        if (enter[9]) begin
            rest_q <= scaled_q[255:0];
            again_q <= (over << 32) + (over << 10) + over - (over << 5) - (over << 4);
        end

    // 10: below 2^256 + 2^74.
    logic [256:0] sum_q;
    always_ff @(posedge clk) if (enter[10]) sum_q <= {1'b0, rest_q} + {183'd0, again_q};

    // 11 to 13.
    wire [ASIDE-1:0] last = aside_q[ASIDE*10+:ASIDE];
    wire [255:0] result;
    field_normalize normalize (
        .clk(clk), .valid(enter[13:11]), .t(sum_q), .negative(last[3]), .c(last[4+:256]), .result(result)
    );
    wire unused = &{1'b0, last};
    assign out_valid = valid_q[STAGES-1];
    assign out_result = result;
    assign out_tag = tag_q[TAG*2+:TAG];
endmodule

`default_nettype wire
