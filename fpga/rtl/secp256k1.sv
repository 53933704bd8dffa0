// u1 G + u2 Q: a barrel of 32 signatures, each a thread that runs the same program without branches, one instruction a
// turn, a turn every 32 cycles. An instruction's results are written 14 cycles before the thread's next one reads: no
// hazards, so the multiplier takes a product in nearly every cycle.
//
//   0 thread  1 program  2 job  3 digit  4 registers, generator, key  5 operands  6..19 product  20 write
//
// Fields of an instruction: fpga/microcode/src/instruction.rs.
`default_nettype none

module secp256k1 #(
    parameter TILED = 0
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          in_valid,
    output logic         in_ready,
    input  wire  [511:0] in_line,
    input  wire          in_first,
    input  wire          in_last,
    input  wire  [31:0]  in_tag,
    input  wire  [31:0]  in_check,
    output logic         out_valid,
    input  wire          out_ready,
    output logic [31:0]  out_tag,
    output logic [31:0]  out_check,
    output logic [767:0] out_payload,
    output wire          out_wide,
    output wire          busy
);
    `include "secp256k1_length.svh"

    logic [81:0] program_rom [0:LENGTH-1];
    initial begin
        `include "secp256k1_program.svh"
    end
    logic [255:0] generator_rom [0:2047];
    initial begin
        `include "secp256k1_generator.svh"
    end

    // 0 and 1: the turn's thread and its instruction.
    wire valid_1;
    wire [4:0] thread_1;
    wire [11:0] at_1;
    wire [6:0] digit_address;
    wire [511:0] digit_line, key_line;
    logic [4:0] thread_4_q;
    wire result_valid;
    wire [4:0] result_thread;
    wire [1:0] result_word;
    wire [255:0] sum;
    secp256k1_threads #(.LAST(LENGTH - 12'd1)) threads (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_line(in_line), .in_first(in_first), .in_last(in_last),
        .in_tag(in_tag), .in_check(in_check),
        .turn_valid(valid_1), .turn_thread(thread_1), .turn_at(at_1),
        .digit_address(digit_address), .digit_line(digit_line), .key_thread(thread_4_q), .key_line(key_line),
        .result_valid(result_valid), .result_thread(result_thread), .result_word(result_word), .result_data(sum),
        .out_valid(out_valid), .out_ready(out_ready), .out_tag(out_tag), .out_check(out_check),
        .out_payload(out_payload)
    );
    assign out_wide = 1'b1;

    logic valid_2_q, valid_3_q, valid_4_q, valid_5_q;
    logic [4:0] thread_2_q, thread_3_q, thread_5_q;
    logic [81:0] word_2_q, word_3_q, word_4_q, word_5_q;
    always_ff @(posedge clk) begin
        valid_2_q <= valid_1 && !rst;
        valid_3_q <= valid_2_q && !rst;
        valid_4_q <= valid_3_q && !rst;
        valid_5_q <= valid_4_q && !rst;
        if (valid_1) {thread_2_q, word_2_q} <= {thread_1, program_rom[at_1]};
        if (valid_2_q) {thread_3_q, word_3_q} <= {thread_2_q, word_2_q};
        if (valid_3_q) {thread_4_q, word_4_q} <= {thread_3_q, word_3_q};
        if (valid_4_q) {thread_5_q, word_5_q} <= {thread_4_q, word_4_q};
    end

    // 2: lane l of digits is the 16-bit word 12 + l of the job, 32 words a line.
    wire [5:0] place_2 = word_2_q[80:75] + 6'd12;
    wire [5:0] place_3 = word_3_q[80:75] + 6'd12;
    assign digit_address = {thread_2_q, 1'b0, place_2[5]};

    // 3: the digit's row and sign; the key's are bytes.
    wire [15:0] lane = digit_line[16*place_3[4:0]+:16];
    wire [7:0] half = word_3_q[81] ? lane[15:8] : lane[7:0];
    wire is_generator = word_3_q[80:75] >= 6'd26;
    logic [8:0] row_4_q;
    logic turn_4_q, turn_5_q;
    always_ff @(posedge clk) begin
        if (valid_3_q) begin
            row_4_q <= is_generator ? lane[8:0] : {4'd0, half[4:0]};
            turn_4_q <= is_generator ? lane[15] : half[7];
        end
        if (valid_4_q) turn_5_q <= turn_4_q;
    end

    // 4: five operands: a, b, c of the product, a, b of the sum.
    wire [44:0] operands_4 = {word_4_q[67:59], word_4_q[58:50], word_4_q[35:27], word_4_q[25:17], word_4_q[16:8]};
    wire [44:0] operands_5 = {word_5_q[67:59], word_5_q[58:50], word_5_q[35:27], word_5_q[25:17], word_5_q[16:8]};
    wire [5*12-1:0] product_addresses;
    wire [5*10-1:0] sum_addresses;
    wire [5*256-1:0] from_products, from_sums, read;
    genvar port;
    generate
        for (port = 0; port < 5; port = port + 1) begin : g_operand
            // Address, bank, row.
            wire [8:0] operand = operands_4[9*port+:9];
            wire unused = operand[7];
            assign product_addresses[12*port+:12] =
                {thread_4_q, operand[8] ? {row_4_q[4:0], operand[1:0]} : operand[6:0]};
            assign sum_addresses[10*port+:10] = {thread_4_q, operand[4:0]};
            assign read[256*port+:256] =
                operands_5[9*port+7] ? from_sums[256*port+:256] : from_products[256*port+:256];
        end
    endgenerate
    wire product_valid, sum_valid;
    wire [11:0] product_to;
    wire [12:0] sum_to;
    wire [255:0] product;
    register_file #(.LOG2(12)) products (
        .clk(clk), .write(product_valid), .write_address(product_to), .write_data(product),
        .read(valid_4_q), .read_address(product_addresses), .read_data(from_products)
    );
    register_file #(.LOG2(10)) sums (
        .clk(clk), .write(sum_valid && sum_to[12]), .write_address(sum_to[9:0]), .write_data(sum),
        .read(valid_4_q), .read_address(sum_addresses), .read_data(from_sums)
    );
    // Generator and constants; a constant's number stands in its address.
    wire [1:0] which = word_4_q[60:59];
    logic [255:0] generator_q;
    always_ff @(posedge clk)
        if (valid_4_q) generator_q <= generator_rom[{which, which == 2'd3 ? {7'd0, word_4_q[62:61]} : row_4_q}];

    // 5
    logic product_valid_q, sum_valid_q;
    logic [255:0] a_q, b_q, c_q, sum_a_q, sum_b_q;
    logic [2:0] factor_q, sum_factor_q;
    logic negative_q, sum_negative_q;
    logic [11:0] to_q;
    // Write, result's word, thread, register.
    logic [12:0] sum_to_q;
    wire writes_sum = word_5_q[41] || word_5_q[48:47] != 2'd0;
    always_ff @(posedge clk) begin
        product_valid_q <= valid_5_q && word_5_q[0] && !rst;
        sum_valid_q <= valid_5_q && writes_sum && !rst;
        if (valid_5_q && word_5_q[0]) begin
            a_q <= read[0+:256];
            b_q <= read[256+:256];
            c_q <= word_5_q[26] ? read[512+:256] : 256'd0;
            factor_q <= word_5_q[38:36];
            negative_q <= word_5_q[39] ^ (word_5_q[40] && turn_5_q);
            to_q <= {thread_5_q, word_5_q[7:1]};
        end
        if (valid_5_q && writes_sum) begin
            sum_a_q <= word_5_q[49] ? read[768+:256] : 256'd0;
            case (word_5_q[69:68])
                2'd0: sum_b_q <= read[1024+:256];
                2'd1: sum_b_q <= generator_q;
                default: sum_b_q <= word_5_q[59] ? key_line[511:256] : key_line[255:0];
            endcase
            sum_factor_q <= word_5_q[72:70];
            sum_negative_q <= word_5_q[73] ^ (word_5_q[74] && turn_5_q);
            sum_to_q <= {word_5_q[41], word_5_q[48:47], thread_5_q, word_5_q[46:42]};
        end
    end

    // 6 on
    assign busy = product_valid_q;
    field_product #(.TILED(TILED), .TAG(12)) field_product (
        .clk(clk), .rst(rst), .in_valid(product_valid_q), .in_a(a_q), .in_b(b_q), .in_c(c_q),
        .in_factor(factor_q), .in_negative(negative_q), .in_tag(to_q),
        .out_valid(product_valid), .out_result(product), .out_tag(product_to)
    );
    field_sum #(.TAG(13)) field_sum (
        .clk(clk), .rst(rst), .in_valid(sum_valid_q), .in_a(sum_a_q), .in_b(sum_b_q),
        .in_factor(sum_factor_q), .in_negative(sum_negative_q), .in_tag(sum_to_q),
        .out_valid(sum_valid), .out_result(sum), .out_tag(sum_to)
    );
    wire unused = &{1'b0, word_5_q, place_2, place_3, half, operands_5, operands_4};
    assign result_valid = sum_valid && sum_to[11:10] != 2'd0;
    assign result_word = sum_to[11:10];
    assign result_thread = sum_to[9:5];
endmodule

`default_nettype wire
