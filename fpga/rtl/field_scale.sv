// k a for the factors of the programs: shifts and at most two additions.
`default_nettype none

module field_scale #(
    parameter WIDTH = 256
) (
    input  wire  [WIDTH-1:0] a,
    // 0: 1, 1: 2, 2: 3, 3: 8, 4: 21, 5: 63.
    input  wire  [2:0]       factor,
    output logic [WIDTH+5:0] scaled
);
    wire [WIDTH+5:0] wide = {6'd0, a};
    always_comb
        case (factor)
            3'd0: scaled = wide;
            3'd1: scaled = wide << 1;
            3'd2: scaled = wide + (wide << 1);
            3'd3: scaled = wide << 3;
            3'd4: scaled = wide + (wide << 2) + (wide << 4);
            default: scaled = (wide << 6) - wide;
        endcase
endmodule

`default_nettype wire
