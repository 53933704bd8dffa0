// Double SHA-256 of messages of 64 bytes: a pipe of three times STAGES stages, one digest every 64 /
// STAGES cycles. STAGES divides 64.
//
// The pipe never stops: a message enters only if there is room for its digest in the memory behind
// (credits), so no enable fans out over the pipe. In order, so that tags wait in a memory beside it, and
// so does the state that the second compression adds at its end.
`default_nettype none

module sha256d #(
    parameter int STAGES = 64
) (
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
`include "sha256_functions.svh"
`include "sha256_padding.svh"

    localparam int LOOP = 64 / STAGES;
    // Room for what is in the stages, in the entry before each 64 rounds, and on its way out.
    localparam int ROOM = $clog2(3 * STAGES + 8);
    // And for what is between the second entry and the third.
    localparam int WAIT = $clog2(STAGES + 2);

    logic [5:0]    phase_q;
    logic [ROOM:0] entered_q, hashed_q, read_q;

    wire turn   = LOOP == 1 | phase_q == 6'd0;
    wire full   = entered_q == {~read_q[ROOM], read_q[ROOM-1:0]};
    wire accept = in_valid & in_ready;

    assign in_ready = turn & ~full;
    assign busy     = accept | entered_q != hashed_q;

    // An empty pipe takes a message at any time.
    always_ff @(posedge clk) begin
        if (rst | ~busy | phase_q == 6'(LOOP - 1)) phase_q <= 6'd0;
        else phase_q <= phase_q + 6'd1;
    end

    // First compression: the message.
    logic         message_valid_q;
    logic [31:0]  message_x_q;
    logic [511:0] message_q;
    wire          message_done;
    wire  [255:0] message_state;
    wire  [511:0] message = reverse_512(in_line);

    always_ff @(posedge clk) begin
        if (rst) message_valid_q <= 1'b0;
        else if (turn) message_valid_q <= accept;
        if (accept) begin
            message_q   <= message;
            message_x_q <= INITIAL[31:0] + round_constant(6'd0) + message[511:480];
        end
    end

    sha256_pipe #(.STAGES(STAGES)) message_pipe (
        .clk(clk), .rst(rst), .turn(turn), .phase(phase_q),
        .in_valid(message_valid_q), .in_state(INITIAL[255:32]), .in_x(message_x_q),
        .in_window(message_q), .out_valid(message_done), .out_state(message_state)
    );

    // Second: its padding, with the first one's result waiting for the end.
    logic            padding_valid_q;
    logic [255:32]   padding_state_q;
    logic [31:0]     padding_x_q;
    logic [255:0]    waiting [0:(1 << WAIT) - 1];
    logic [WAIT-1:0] wait_in_q, wait_out_q;
    wire             padding_done;
    wire  [255:0]    padding_state;
    wire  [255:0]    message_sum = add_words(INITIAL, message_state);

    always_ff @(posedge clk) begin
        if (rst) begin
            padding_valid_q <= 1'b0;
            wait_in_q       <= '0;
        end else if (turn) begin
            padding_valid_q <= message_done;
            if (message_done) wait_in_q <= wait_in_q + 1'b1;
        end
        if (turn & message_done) begin
            padding_state_q    <= message_sum[255:32];
            padding_x_q        <= message_sum[31:0] + padding_constant(6'd0);
            waiting[wait_in_q] <= message_sum;
        end
    end

    sha256_pipe #(.STAGES(STAGES), .PADDED(1)) padding_pipe (
        .clk(clk), .rst(rst), .turn(turn), .phase(phase_q),
        .in_valid(padding_valid_q), .in_state(padding_state_q), .in_x(padding_x_q),
        .in_window(512'b0), .out_valid(padding_done), .out_state(padding_state)
    );

    // Third: the digest, again.
    logic         digest_valid_q;
    logic [31:0]  digest_x_q;
    logic [255:0] digest_q;
    wire          digest_done;
    wire  [255:0] digest_state;
    wire  [255:0] padding_sum = add_words(waiting[wait_out_q], padding_state);

    always_ff @(posedge clk) begin
        if (rst) begin
            digest_valid_q <= 1'b0;
            wait_out_q     <= '0;
        end else if (turn) begin
            digest_valid_q <= padding_done;
            if (padding_done) wait_out_q <= wait_out_q + 1'b1;
        end
        if (turn & padding_done) begin
            digest_q   <= padding_sum;
            digest_x_q <= INITIAL[31:0] + round_constant(6'd0) + padding_sum[255:224];
        end
    end

    sha256_pipe #(.STAGES(STAGES)) digest_pipe (
        .clk(clk), .rst(rst), .turn(turn), .phase(phase_q),
        .in_valid(digest_valid_q), .in_state(INITIAL[255:32]), .in_x(digest_x_q),
        .in_window({digest_q, DIGEST_PADDING}), .out_valid(digest_done), .out_state(digest_state)
    );

    // Behind the pipe: tags since the entry, digests until they are taken.
    logic [63:0]  tags [0:(1 << ROOM) - 1];
    logic [255:0] digests [0:(1 << ROOM) - 1];
    logic         out_valid_q;
    logic [63:0]  out_tag_q;
    logic [255:0] out_digest_q;

    wire store = turn & digest_done;
    wire give  = hashed_q != read_q & (~out_valid_q | out_ready);

    assign out_valid   = out_valid_q;
    assign {out_tag, out_check} = out_tag_q;
    assign out_payload = {512'b0, out_digest_q};
    assign out_wide    = 1'b0;

    always_ff @(posedge clk) begin
        if (rst) begin
            entered_q   <= '0;
            hashed_q    <= '0;
            read_q      <= '0;
            out_valid_q <= 1'b0;
        end else begin
            if (accept) entered_q <= entered_q + 1'b1;
            if (store) hashed_q <= hashed_q + 1'b1;
            if (give) read_q <= read_q + 1'b1;

            if (give) out_valid_q <= 1'b1;
            else if (out_ready) out_valid_q <= 1'b0;
        end
    end

    always_ff @(posedge clk) begin
        if (accept) tags[entered_q[ROOM-1:0]] <= {in_tag, in_check};
        if (store) digests[hashed_q[ROOM-1:0]] <= reverse_256(add_words(INITIAL, digest_state));
        if (give) begin
            out_tag_q    <= tags[read_q[ROOM-1:0]];
            out_digest_q <= digests[read_q[ROOM-1:0]];
        end
    end

    // Every line is a job.
    wire unused = &{1'b0, in_first, in_last};
endmodule

`default_nettype wire
