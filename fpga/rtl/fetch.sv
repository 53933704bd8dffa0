// Takes descriptors off the submission ring in order, and hands their lines to the core of their op, with the CRC of what
// was read. A job starts only when the completion ring has room for all its lines: credits, so that no completion waits.
`default_nettype none

module fetch #(
    parameter SQ_LOG2 = 13,
    parameter CQ_LOG2 = 13
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               halted,
    input  wire  [31:0]       sq_tail,
    output wire  [31:0]       sq_head,
    input  wire  [31:0]       cq_head,
    output wire               read,
    output wire  [SQ_LOG2-1:0] read_address,
    input  wire  [511:0]      read_line,
    output logic              unknown_op,
    output logic              bad_count,
    // The next line waits for room in the completion ring; it is for the core of op i + 1.
    output logic [3:0]        held,
    // To the core of op i + 1.
    output wire  [3:0]        out_valid,
    input  wire  [3:0]        out_ready,
    output wire  [511:0]      out_line,
    output wire               out_first,
    output wire               out_last,
    output wire  [31:0]       out_tag,
    output wire  [31:0]       out_check
);
    `include "crc32.svh"
    localparam [31:0] CQ_LINES = 1 << CQ_LOG2;
    // A run: each of its lines is a job.
    localparam [7:0] RUN = 8'd2;

    // Lines read ahead: a read takes a cycle, so two would do for one line a cycle; a line in `coming` has its place.
    logic [511:0] ahead [0:3];
    logic [1:0] ahead_at_q;
    logic [2:0] ahead_count_q;
    logic coming_q;
    logic [31:0] head_q;
    assign sq_head = head_q;
    assign read = !halted && head_q != sq_tail && ahead_count_q + {2'd0, coming_q} < 3'd4;
    assign read_address = head_q[SQ_LOG2-1:0];
    wire [1:0] ahead_end = ahead_at_q + ahead_count_q[1:0];
    wire [511:0] line = ahead[ahead_at_q];
    wire has_line = ahead_count_q != 3'd0;

    // Of the job whose lines come: lines left, op as a mask.
    logic [31:0] left_q, tag_q, crc_q;
    logic [3:0] core_q;
    logic run_q;
    wire is_header = left_q == 32'd0;

    wire [7:0] op = line[7:0];
    wire [31:0] count = line[95:64];
    wire [3:0] core = op == 8'd1 ? 4'd1 : op == RUN ? 4'd2 : op == 8'd3 ? 4'd4 : op == 8'd4 ? 4'd8 : 4'd0;
    // 4 = 1 mod 3: the sum of the digits to base four tells.
    logic [5:0] digits;
    integer i;
    always_comb begin
        digits = 6'd0;
        for (i = 0; i < 16; i = i + 1) digits = digits + {4'd0, count[2*i+:2]};
    end
    wire fits = core[2] ? digits % 3 == 0 && count != 32'd0 : core[3] ? count == 32'd2 : count != 32'd0;
    wire refused = core == 4'd0 || !fits;

    // Lines of the completion ring that are spoken for. A host that takes CQ_HEAD back gets no more of them.
    logic [31:0] promised_q;
    wire [31:0] wanted = is_header && core[3] ? 32'd2 : 32'd1;
    wire starts = is_header ? op != RUN : run_q;
    wire has_credit = !starts || promised_q + wanted - cq_head <= CQ_LINES;

    // What leaves: a header of a run does not.
    logic [3:0] valid_q;
    logic [511:0] line_q;
    logic first_q, last_q;
    logic [31:0] out_tag_q;
    wire leaves = (valid_q & out_ready) != 4'd0;
    wire free = valid_q == 4'd0 || leaves;
    wire takes = has_line && free && has_credit && !halted && !unknown_op && !bad_count;
    wire waits = has_line && free && !has_credit && !halted;
    wire sends = takes && !(is_header && (refused || op == RUN));
    assign out_valid = valid_q;
    assign out_line = line_q;
    assign out_first = first_q;
    assign out_last = last_q;
    assign out_tag = out_tag_q;
    assign out_check = ~crc_q;

    always_ff @(posedge clk) begin
        coming_q <= read;
        if (read) head_q <= head_q + 32'd1;
        if (coming_q) ahead[ahead_end] <= read_line;
        ahead_count_q <= ahead_count_q + {2'd0, coming_q} - {2'd0, takes};
        if (takes) ahead_at_q <= ahead_at_q + 2'd1;

        held <= !waits ? 4'd0 : is_header ? core : core_q;
        if (leaves) valid_q <= 4'd0;
        if (takes) begin
            if (is_header) begin
                unknown_op <= core == 4'd0;
                bad_count <= core != 4'd0 && !fits;
                if (!refused) begin
                    left_q <= count;
                    core_q <= core;
                    tag_q <= line[63:32];
                    run_q <= op == RUN;
                end
            end else begin
                left_q <= left_q - 32'd1;
                if (run_q) tag_q <= tag_q + 32'd1;
            end
        end
        if (sends) begin
            valid_q <= is_header ? core : core_q;
            line_q <= line;
            first_q <= is_header || run_q;
            last_q <= run_q ? !is_header : !is_header && left_q == 32'd1;
            out_tag_q <= is_header ? line[63:32] : tag_q;
            crc_q <= crc32_line(is_header || run_q ? 32'hFFFFFFFF : crc_q, line);
            if (starts) promised_q <= promised_q + wanted;
        end
        if (rst) begin
            coming_q <= 1'b0;
            head_q <= 32'd0;
            ahead_at_q <= 2'd0;
            ahead_count_q <= 3'd0;
            valid_q <= 4'd0;
            left_q <= 32'd0;
            run_q <= 1'b0;
            promised_q <= 32'd0;
            held <= 4'd0;
            unknown_op <= 1'b0;
            bad_count <= 1'b0;
        end
    end
endmodule

`default_nettype wire
