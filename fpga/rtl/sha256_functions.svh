// Functions and constants of SHA-256 (FIPS 180-4), included inside the modules that compute it.
//
// Functions, not modules: called under a register's enable they cost a simulator nothing while the
// core is idle. A state is {a, b, .., h}, a window {W_t, .., W_t+15}, both first word on top.

    /* verilator lint_off UNUSEDPARAM */
    localparam [255:0] INITIAL = {
        32'h6a09e667, 32'hbb67ae85, 32'h3c6ef372, 32'ha54ff53a,
        32'h510e527f, 32'h9b05688c, 32'h1f83d9ab, 32'h5be0cd19
    };

    // What follows a digest of 32 bytes in its block.
    localparam [255:0] DIGEST_PADDING = {32'h80000000, 192'b0, 32'd256};
    /* verilator lint_on UNUSEDPARAM */

    // Bytes between a line's order, byte 0 lowest, and that of the words.
    function automatic [255:0] reverse_256(input [255:0] bytes);
        for (int i = 0; i < 32; i++) reverse_256[8 * i +: 8] = bytes[8 * (31 - i) +: 8];
    endfunction

    function automatic [511:0] reverse_512(input [511:0] bytes);
        reverse_512 = {reverse_256(bytes[255:0]), reverse_256(bytes[511:256])};
    endfunction

    // The feed-forward: eight sums of 32 bits.
    function automatic [255:0] add_words(input [255:0] a, input [255:0] b);
        for (int i = 0; i < 8; i++) add_words[32 * i +: 32] = a[32 * i +: 32] + b[32 * i +: 32];
    endfunction

    // W_t+16. Functions called every cycle take and give words: a simulator clears wide ones each time.
    function automatic [31:0] schedule(input [31:0] w0, w1, w9, w14);
        schedule = w0 + w9
            + ({w1[6:0], w1[31:7]} ^ {w1[17:0], w1[31:18]} ^ (w1 >> 3))
            + ({w14[16:0], w14[31:17]} ^ {w14[18:0], w14[31:19]} ^ (w14 >> 10));
    endfunction

    // T1 and T2 of a round, after which a is T1 + T2 and e is d + T1. x is h + K_t + W_t, of the cycle
    // before: that sum is off the longest path, as h is then still g.
    function automatic [31:0] round_t1(input [31:0] e, f, g, x);
        round_t1 = x + (g ^ (e & (f ^ g)))
            + ({e[5:0], e[31:6]} ^ {e[10:0], e[31:11]} ^ {e[24:0], e[31:25]});
    endfunction

    function automatic [31:0] round_t2(input [31:0] a, b, c);
        round_t2 = ((a & b) | (c & (a | b)))
            + ({a[1:0], a[31:2]} ^ {a[12:0], a[31:13]} ^ {a[21:0], a[31:22]});
    endfunction

    // K_t.
    function automatic [31:0] round_constant(input [5:0] t);
        case (t)
            6'd0: round_constant = 32'h428a2f98; 6'd1: round_constant = 32'h71374491;
            6'd2: round_constant = 32'hb5c0fbcf; 6'd3: round_constant = 32'he9b5dba5;
            6'd4: round_constant = 32'h3956c25b; 6'd5: round_constant = 32'h59f111f1;
            6'd6: round_constant = 32'h923f82a4; 6'd7: round_constant = 32'hab1c5ed5;
            6'd8: round_constant = 32'hd807aa98; 6'd9: round_constant = 32'h12835b01;
            6'd10: round_constant = 32'h243185be; 6'd11: round_constant = 32'h550c7dc3;
            6'd12: round_constant = 32'h72be5d74; 6'd13: round_constant = 32'h80deb1fe;
            6'd14: round_constant = 32'h9bdc06a7; 6'd15: round_constant = 32'hc19bf174;
            6'd16: round_constant = 32'he49b69c1; 6'd17: round_constant = 32'hefbe4786;
            6'd18: round_constant = 32'h0fc19dc6; 6'd19: round_constant = 32'h240ca1cc;
            6'd20: round_constant = 32'h2de92c6f; 6'd21: round_constant = 32'h4a7484aa;
            6'd22: round_constant = 32'h5cb0a9dc; 6'd23: round_constant = 32'h76f988da;
            6'd24: round_constant = 32'h983e5152; 6'd25: round_constant = 32'ha831c66d;
            6'd26: round_constant = 32'hb00327c8; 6'd27: round_constant = 32'hbf597fc7;
            6'd28: round_constant = 32'hc6e00bf3; 6'd29: round_constant = 32'hd5a79147;
            6'd30: round_constant = 32'h06ca6351; 6'd31: round_constant = 32'h14292967;
            6'd32: round_constant = 32'h27b70a85; 6'd33: round_constant = 32'h2e1b2138;
            6'd34: round_constant = 32'h4d2c6dfc; 6'd35: round_constant = 32'h53380d13;
            6'd36: round_constant = 32'h650a7354; 6'd37: round_constant = 32'h766a0abb;
            6'd38: round_constant = 32'h81c2c92e; 6'd39: round_constant = 32'h92722c85;
            6'd40: round_constant = 32'ha2bfe8a1; 6'd41: round_constant = 32'ha81a664b;
            6'd42: round_constant = 32'hc24b8b70; 6'd43: round_constant = 32'hc76c51a3;
            6'd44: round_constant = 32'hd192e819; 6'd45: round_constant = 32'hd6990624;
            6'd46: round_constant = 32'hf40e3585; 6'd47: round_constant = 32'h106aa070;
            6'd48: round_constant = 32'h19a4c116; 6'd49: round_constant = 32'h1e376c08;
            6'd50: round_constant = 32'h2748774c; 6'd51: round_constant = 32'h34b0bcb5;
            6'd52: round_constant = 32'h391c0cb3; 6'd53: round_constant = 32'h4ed8aa4a;
            6'd54: round_constant = 32'h5b9cca4f; 6'd55: round_constant = 32'h682e6ff3;
            6'd56: round_constant = 32'h748f82ee; 6'd57: round_constant = 32'h78a5636f;
            6'd58: round_constant = 32'h84c87814; 6'd59: round_constant = 32'h8cc70208;
            6'd60: round_constant = 32'h90befffa; 6'd61: round_constant = 32'ha4506ceb;
            6'd62: round_constant = 32'hbef9a3f7; default: round_constant = 32'hc67178f2;
        endcase
    endfunction
