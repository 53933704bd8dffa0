// The threads' lives: a free thread waits for a job, whose lines go into its memory; it takes its turn every 32 cycles
// until the program ends, its result goes out and it is free again.
`default_nettype none

module secp256k1_threads #(
    parameter [11:0] LAST = 0
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
    // Whose turn it is, and at which instruction.
    output logic         turn_valid,
    output logic [4:0]   turn_thread,
    output logic [11:0]  turn_at,
    // Two reads of job memory, a cycle each: the line of a digit, the line of the key.
    input  wire  [6:0]   digit_address,
    output logic [511:0] digit_line,
    input  wire  [4:0]   key_thread,
    output logic [511:0] key_line,
    // A word of a thread's result: 1 X, 2 Y, 3 Z, which is the last.
    input  wire          result_valid,
    input  wire  [4:0]   result_thread,
    input  wire  [1:0]   result_word,
    input  wire  [255:0] result_data,
    output logic         out_valid,
    input  wire          out_ready,
    output logic [31:0]  out_tag,
    output logic [31:0]  out_check,
    output logic [767:0] out_payload
);
    logic [4:0] turn_q;
    // In the program; owing a result that has not gone out.
    logic [31:0] active_q, owing_q;
    logic [11:0] at_q [0:31];

    // Line l of thread t at {t, l}; tag and check by thread.
    logic [511:0] jobs [0:127];
    logic [63:0] tags [0:31];
    logic loading_q;
    logic [4:0] load_thread_q;
    logic [1:0] load_line_q;

    wire is_active = active_q[turn_q];
    wire is_last = at_q[turn_q] == LAST;
    wire is_free = !is_active && !owing_q[turn_q];
    wire loads = in_valid && loading_q;
    always_comb in_ready = loading_q;

    integer i;
    always_ff @(posedge clk) begin
        turn_q <= turn_q + 5'd1;
        turn_valid <= is_active;
        turn_thread <= turn_q;
        turn_at <= at_q[turn_q];
        if (is_active) begin
            at_q[turn_q] <= is_last ? 12'd0 : at_q[turn_q] + 12'd1;
            if (is_last) begin
                active_q[turn_q] <= 1'b0;
                owing_q[turn_q] <= 1'b1;
            end
        end else if (is_free && !loading_q) begin
            loading_q <= 1'b1;
            load_thread_q <= turn_q;
            load_line_q <= 2'd0;
        end
        if (loads) begin
            jobs[{load_thread_q, in_first ? 2'd0 : load_line_q}] <= in_line;
            load_line_q <= load_line_q + 2'd1;
            if (in_last) begin
                tags[load_thread_q] <= {in_check, in_tag};
                active_q[load_thread_q] <= 1'b1;
                loading_q <= 1'b0;
            end
        end
        if (takes) owing_q[done_thread] <= 1'b0;
        if (rst) begin
            turn_q <= 5'd0;
            turn_valid <= 1'b0;
            active_q <= 32'd0;
            owing_q <= 32'd0;
            loading_q <= 1'b0;
            for (i = 0; i < 32; i = i + 1) at_q[i] <= 12'd0;
        end
    end

    always_ff @(posedge clk) begin
        digit_line <= jobs[digit_address];
        key_line <= jobs[{key_thread, 2'd2}];
    end

    // Results by thread, and the threads that are done, in their order.
    logic [255:0] result_x [0:31];
    logic [255:0] result_y [0:31];
    logic [255:0] result_z [0:31];
    logic [4:0] done [0:31];
    logic [5:0] done_head_q, done_tail_q;
    logic out_valid_q;
    wire [4:0] done_thread = done[done_head_q[4:0]];
    wire takes = done_head_q != done_tail_q && (!out_valid_q || out_ready);
    always_comb out_valid = out_valid_q;

    always_ff @(posedge clk) begin
        if (result_valid) begin
            if (result_word == 2'd1) result_x[result_thread] <= result_data;
            if (result_word == 2'd2) result_y[result_thread] <= result_data;
            if (result_word == 2'd3) begin
                result_z[result_thread] <= result_data;
                done[done_tail_q[4:0]] <= result_thread;
                done_tail_q <= done_tail_q + 6'd1;
            end
        end
        if (out_ready) out_valid_q <= 1'b0;
        if (takes) begin
            out_valid_q <= 1'b1;
            {out_check, out_tag} <= tags[done_thread];
            out_payload <= {result_z[done_thread], result_y[done_thread], result_x[done_thread]};
            done_head_q <= done_head_q + 6'd1;
        end
        if (rst) begin
            done_head_q <= 6'd0;
            done_tail_q <= 6'd0;
            out_valid_q <= 1'b0;
        end
    end
endmodule

`default_nettype wire
