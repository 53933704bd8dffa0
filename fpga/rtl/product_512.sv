// a b, all 512 bits, in six stages. TILED cuts it into 150 tiles of 26 x 17 bits, one DSP48 each, and an adder tree;
// otherwise the tool decides, and a simulator is quicker.
`default_nettype none

module product_512 #(
    parameter TILED = 0
) (
    input  wire          clk,
    // Which stages hold something: the others keep still.
    input  wire  [5:0]   valid,
    input  wire  [255:0] a,
    input  wire  [255:0] b,
    output wire  [511:0] product
);
    generate
        if (TILED == 0) begin : g_behavioural
            logic [6*512-1:0] stage_q;
            integer i;
            always_ff @(posedge clk) begin
                if (valid[0]) stage_q[0+:512] <= {256'd0, a} * {256'd0, b};
                for (i = 1; i < 6; i = i + 1)
                    if (valid[i]) stage_q[512*i+:512] <= stage_q[512*(i-1)+:512];
            end
            assign product = stage_q[512*5+:512];
        end else begin : g_tiled
            // Digits of 26 bits of a, of 17 of b; bit 255 of b is a digit of its own, and no tile.
            wire [259:0] wide_a = {4'd0, a};
            logic [150*43-1:0] tile_q;
            logic [255:0] last_q;
            logic [16*277-1:0] row_q;
            logic [8*294-1:0] two_q;
            logic [4*328-1:0] four_q;
            logic [2*396-1:0] eight_q;
            logic [531:0] all_q;
            genvar i, j;
            for (j = 0; j < 15; j = j + 1) begin : g_row
                for (i = 0; i < 10; i = i + 1) begin : g_tile
                    always_ff @(posedge clk)
                        if (valid[0])
                            tile_q[43*(10*j+i)+:43] <= {17'd0, wide_a[26*i+:26]} * {26'd0, b[17*j+:17]};
                end
                // Every other tile of a row overlaps none: two addends a row.
                wire [276:0] even = {26'd0,
                    tile_q[43*(10*j+8)+:43], 9'd0, tile_q[43*(10*j+6)+:43], 9'd0,
                    tile_q[43*(10*j+4)+:43], 9'd0, tile_q[43*(10*j+2)+:43], 9'd0, tile_q[43*(10*j)+:43]};
                wire [276:0] odd = {
                    tile_q[43*(10*j+9)+:43], 9'd0, tile_q[43*(10*j+7)+:43], 9'd0,
                    tile_q[43*(10*j+5)+:43], 9'd0, tile_q[43*(10*j+3)+:43], 9'd0, tile_q[43*(10*j+1)+:43],
                    26'd0};
                always_ff @(posedge clk) if (valid[1]) row_q[277*j+:277] <= even + odd;
            end
            always_ff @(posedge clk) begin
                if (valid[0]) last_q <= b[255] ? a : 256'd0;
                if (valid[1]) row_q[277*15+:277] <= {21'd0, last_q};
            end
            for (j = 0; j < 8; j = j + 1) begin : g_two
                always_ff @(posedge clk)
                    if (valid[2])
                        two_q[294*j+:294] <= {17'd0, row_q[277*2*j+:277]} + {row_q[277*(2*j+1)+:277], 17'd0};
            end
            for (j = 0; j < 4; j = j + 1) begin : g_four
                always_ff @(posedge clk)
                    if (valid[3])
                        four_q[328*j+:328] <= {34'd0, two_q[294*2*j+:294]} + {two_q[294*(2*j+1)+:294], 34'd0};
            end
            for (j = 0; j < 2; j = j + 1) begin : g_eight
                always_ff @(posedge clk)
                    if (valid[4])
                        eight_q[396*j+:396] <= {68'd0, four_q[328*2*j+:328]} + {four_q[328*(2*j+1)+:328], 68'd0};
            end
            always_ff @(posedge clk)
                if (valid[5]) all_q <= {136'd0, eight_q[0+:396]} + {eight_q[396+:396], 136'd0};
            assign product = all_q[511:0];
            // The product has 512 bits: what stands above is zero.
            wire unused = &{1'b0, all_q[531:512]};
        end
    endgenerate
endmodule

`default_nettype wire
