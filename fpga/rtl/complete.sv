// Takes completions from the cores in turn and writes their lines to the completion ring, one a cycle. Room is there:
// `fetch` saw to it.
`default_nettype none

module complete #(
    parameter CQ_LOG2 = 13
) (
    input  wire               clk,
    input  wire               rst,
    input  wire  [31:0]       nonce,
    // From the core of op i + 1.
    input  wire  [3:0]        in_valid,
    output wire  [3:0]        in_ready,
    input  wire  [4*32-1:0]   in_tag,
    input  wire  [4*32-1:0]   in_check,
    input  wire  [4*768-1:0]  in_payload,
    input  wire  [3:0]        in_wide,
    output wire  [3:0]        completed,
    output wire  [31:0]       cq_tail,
    output wire               write,
    output wire  [CQ_LOG2-1:0] write_address,
    output wire  [511:0]      write_line
);
    `include "crc32.svh"

    // 0: the next core that has something, after the one before; a wide one keeps its turn for its second part.
    logic [1:0] before_q;
    logic part_q;
    wire [1:0] first = before_q + 2'd1;
    wire [1:0] second = before_q + 2'd2;
    wire [1:0] third = before_q + 2'd3;
    wire [1:0] core = part_q ? before_q
        : in_valid[first] ? first : in_valid[second] ? second : in_valid[third] ? third : before_q;
    wire some = in_valid[core];
    wire last = part_q || !in_wide[core];
    assign in_ready = some && last ? 4'd1 << core : 4'd0;
    assign completed = in_ready;

    // 1: the line without its CRC; 2: with it, into the ring.
    logic valid_1_q, valid_2_q;
    logic [31:0] number_q, tail_q, address_2_q;
    logic [479:0] body_1_q;
    logic [511:0] line_2_q;
    wire [31:0] word = {~number_q[CQ_LOG2], 5'd0, last, part_q, number_q[23:0]};
    // The core's, by a multiplexer: an index into all four would be a shifter.
    localparam WIDTH = 768 + 64;
    wire [4*WIDTH-1:0] records = {
        in_check[3*32+:32], in_tag[3*32+:32], in_payload[3*768+:768],
        in_check[2*32+:32], in_tag[2*32+:32], in_payload[2*768+:768],
        in_check[1*32+:32], in_tag[1*32+:32], in_payload[1*768+:768],
        in_check[0+:32], in_tag[0+:32], in_payload[0+:768]
    };
    wire [2*WIDTH-1:0] pair = core[1] ? records[2*WIDTH+:2*WIDTH] : records[0+:2*WIDTH];
    wire [WIDTH-1:0] record = core[0] ? pair[WIDTH+:WIDTH] : pair[0+:WIDTH];
    wire [383:0] payload = part_q ? record[384+:384] : record[0+:384];
    assign cq_tail = tail_q;
    assign write = valid_2_q;
    assign write_address = address_2_q[CQ_LOG2-1:0];
    assign write_line = line_2_q;

    always_ff @(posedge clk) begin
        valid_1_q <= some;
        if (some) begin
            before_q <= core;
            part_q <= !last;
            body_1_q <= {word, record[768+:64], payload};
            number_q <= number_q + 32'd1;
        end
        valid_2_q <= valid_1_q;
        if (valid_1_q) begin
            // Four bytes short of a line: zeros in front change nothing while the register is zero.
            line_2_q <= {~crc32_line(32'd0, {body_1_q ^ {448'd0, ~nonce}, 32'd0}), body_1_q};
            address_2_q <= number_q - 32'd1;
        end
        // Counted when it is in memory.
        if (valid_2_q) tail_q <= tail_q + 32'd1;
        if (rst) begin
            before_q <= 2'd0;
            part_q <= 1'b0;
            valid_1_q <= 1'b0;
            valid_2_q <= 1'b0;
            number_q <= 32'd0;
            tail_q <= 32'd0;
        end
    end

    wire unused = &{1'b0, address_2_q};
endmodule

`default_nettype wire
