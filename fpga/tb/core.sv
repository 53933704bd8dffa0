// Feeds any core of the common ports with lines from a file and compares its completions with those
// of another; it computes nothing.
//
// Define CORE as the module and PARAMETERS as its parameter list, parentheses included. +lines names
// a file of `first last tag check line`, +jobs one of `tag check wide payload`, all hexadecimal, the
// tag's low 16 bits the job's number. +bubbles=1 pauses both sides at random, +seed of that. Ends
// with `PASS <jobs> cycles <n> busy <n>`, counted from the first line in to the last completion
// out, or with `FAIL` and why.
`default_nettype none
`timescale 1ns / 1ns

`ifndef PARAMETERS
`define PARAMETERS
`endif

module core;
    localparam MAX = 65536;
    // Cycles without a transfer after which the core is stuck.
    localparam PATIENCE = 200000;

    logic         clk = 0, rst = 1;
    logic         in_valid = 0, in_first = 0, in_last = 0, out_ready = 0;
    wire          in_ready, out_valid, out_wide, busy;
    logic [511:0] in_line = 0;
    logic [31:0]  in_tag = 0, in_check = 0;
    wire  [31:0]  out_tag, out_check;
    wire  [767:0] out_payload;

    `CORE `PARAMETERS dut (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_line(in_line),
        .in_first(in_first), .in_last(in_last), .in_tag(in_tag), .in_check(in_check),
        .out_valid(out_valid), .out_ready(out_ready), .out_tag(out_tag), .out_check(out_check),
        .out_payload(out_payload), .out_wide(out_wide), .busy(busy)
    );

    // Of each job: tag, check, wide, payload; then whether it came.
    logic [832:0] jobs [0:MAX - 1];
    logic         seen [0:MAX - 1];
    integer       count = 0, done = 0, idle = 0, lines, file, got, bubbles = 0, seed = 1;
    integer       cycle = 0, started = -1, worked = 0;
    logic         first, last, wide;
    logic [31:0]  tag, check;
    logic [511:0] line;
    logic [767:0] payload;
    logic [832:0] held;
    logic         holds = 0;
    reg [8 * 256 - 1:0] path;

    wire  [832:0] given = {out_tag, out_check, out_wide, out_payload};
    wire  [15:0]  number = out_tag[15:0];

    always #5 clk = ~clk;

    task fail(input [8 * 40 - 1:0] why);
        begin
            $display("FAIL %0s: job %0d, cycle %0d, tag %h", why, number, cycle, out_tag);
            $finish;
        end
    endtask

    // Changes after the edge, as a register's output does.
    task next_line;
        begin
            got = 0;
            if (!bubbles || ($random(seed) & 3) != 0)
                got = $fscanf(lines, "%h %h %h %h %h\n", first, last, tag, check, line);
            in_valid <= got == 5;
            // What is not valid must not matter.
            in_first <= got == 5 ? first : $random(seed);
            in_last  <= got == 5 ? last : $random(seed);
            in_tag   <= got == 5 ? tag : $random(seed);
            in_check <= got == 5 ? check : $random(seed);
            in_line  <= got == 5 ? line : {16{$random(seed)}};
        end
    endtask

    initial begin
        if (!$value$plusargs("jobs=%s", path)) fail("no +jobs");
        file = $fopen(path, "r");
        while ($fscanf(file, "%h %h %h %h\n", tag, check, wide, payload) == 4) begin
            jobs[count] = {tag, check, wide, payload};
            seen[count] = 0;
            count = count + 1;
        end
        if (!$value$plusargs("lines=%s", path)) fail("no +lines");
        lines = $fopen(path, "r");
        got = $value$plusargs("bubbles=%d", bubbles);
        got = $value$plusargs("seed=%d", seed);
        if (count == 0) fail("no jobs");
        repeat (4) @(posedge clk);
        rst <= 0;
    end

    always @(posedge clk) begin
        if (!rst) begin
            cycle <= cycle + 1;
            idle <= idle + 1;
            if (busy === 1) worked = worked + 1;
            if (busy === 1'bx || in_ready === 1'bx || out_valid === 1'bx) fail("unknown handshake");

            if (in_valid && in_ready) begin
                idle <= 0;
                if (started < 0) started = cycle;
            end
            if (!in_valid || in_ready) next_line;

            if (holds && (!out_valid || given !== held)) fail("did not wait");
            if (out_valid && out_ready) begin
                idle <= 0;
                if (number >= count) fail("unknown tag");
                else if (given !== jobs[number]) fail("wrong");
                else if (seen[number]) fail("twice");
                seen[number] = 1;
                done = done + 1;
                if (done == count) begin
                    $display("PASS %0d cycles %0d busy %0d", done, cycle - started + 1, worked);
                    $finish;
                end
            end
            holds <= out_valid && !out_ready;
            held <= given;
            // Slow, then fast, so that what is behind fills up and drains.
            out_ready <= !bubbles || ($random(seed) & 127) < (cycle[9] ? 110 : 1);
            if (idle > PATIENCE) fail("stuck");
        end
    end
endmodule
