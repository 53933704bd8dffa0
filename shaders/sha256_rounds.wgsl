// SHA-256's compression (FIPS 180-4, 6.2.2), straight-line. Words are as the standard has them,
// big-endian in memory.
// Written by tests/shaders/hashes.rs.

alias State = array<u32, 8>;
alias Block = array<u32, 16>;

// H(0).
const SHA256_INITIAL = State(
    0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
    0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
);

fn turn_right(x: u32, bits: u32) -> u32 {
    return (x >> bits) | (x << (32u - bits));
}

fn big_sigma_0(x: u32) -> u32 {
    return turn_right(x, 2u) ^ turn_right(x, 13u) ^ turn_right(x, 22u);
}

fn big_sigma_1(x: u32) -> u32 {
    return turn_right(x, 6u) ^ turn_right(x, 11u) ^ turn_right(x, 25u);
}

fn small_sigma_0(x: u32) -> u32 {
    return turn_right(x, 7u) ^ turn_right(x, 18u) ^ (x >> 3u);
}

fn small_sigma_1(x: u32) -> u32 {
    return turn_right(x, 17u) ^ turn_right(x, 19u) ^ (x >> 10u);
}

fn choose(e: u32, f: u32, g: u32) -> u32 {
    return g ^ (e & (f ^ g));
}

fn majority(a: u32, b: u32, c: u32) -> u32 {
    return (a & b) | (c & (a | b));
}

// Words between memory's order and the standard's.
fn swap_bytes(x: u32) -> u32 {
    return (turn_right(x, 24u) & 0x00ff00ffu) | (turn_right(x, 8u) & 0xff00ff00u);
}

// The block that hashes a digest of 32 bytes: the digest, one bit, a length of 256 bits.
fn sha256_block_of_digest(d: State) -> Block {
    return Block(
        d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7],
        0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, 256u,
    );
}

// The state after a block; the schedule is a ring of 16 words.
fn sha256_compress(state: State, block: Block) -> State {
    var a = state[0];
    var b = state[1];
    var c = state[2];
    var d = state[3];
    var e = state[4];
    var f = state[5];
    var g = state[6];
    var h = state[7];
    var w0 = block[0];
    h += big_sigma_1(e) + choose(e, f, g) + 0x428a2f98u + w0;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    var w1 = block[1];
    g += big_sigma_1(d) + choose(d, e, f) + 0x71374491u + w1;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    var w2 = block[2];
    f += big_sigma_1(c) + choose(c, d, e) + 0xb5c0fbcfu + w2;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    var w3 = block[3];
    e += big_sigma_1(b) + choose(b, c, d) + 0xe9b5dba5u + w3;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    var w4 = block[4];
    d += big_sigma_1(a) + choose(a, b, c) + 0x3956c25bu + w4;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    var w5 = block[5];
    c += big_sigma_1(h) + choose(h, a, b) + 0x59f111f1u + w5;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    var w6 = block[6];
    b += big_sigma_1(g) + choose(g, h, a) + 0x923f82a4u + w6;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    var w7 = block[7];
    a += big_sigma_1(f) + choose(f, g, h) + 0xab1c5ed5u + w7;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    var w8 = block[8];
    h += big_sigma_1(e) + choose(e, f, g) + 0xd807aa98u + w8;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    var w9 = block[9];
    g += big_sigma_1(d) + choose(d, e, f) + 0x12835b01u + w9;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    var w10 = block[10];
    f += big_sigma_1(c) + choose(c, d, e) + 0x243185beu + w10;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    var w11 = block[11];
    e += big_sigma_1(b) + choose(b, c, d) + 0x550c7dc3u + w11;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    var w12 = block[12];
    d += big_sigma_1(a) + choose(a, b, c) + 0x72be5d74u + w12;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    var w13 = block[13];
    c += big_sigma_1(h) + choose(h, a, b) + 0x80deb1feu + w13;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    var w14 = block[14];
    b += big_sigma_1(g) + choose(g, h, a) + 0x9bdc06a7u + w14;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    var w15 = block[15];
    a += big_sigma_1(f) + choose(f, g, h) + 0xc19bf174u + w15;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    w0 += small_sigma_0(w1) + w9 + small_sigma_1(w14);
    h += big_sigma_1(e) + choose(e, f, g) + 0xe49b69c1u + w0;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    w1 += small_sigma_0(w2) + w10 + small_sigma_1(w15);
    g += big_sigma_1(d) + choose(d, e, f) + 0xefbe4786u + w1;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    w2 += small_sigma_0(w3) + w11 + small_sigma_1(w0);
    f += big_sigma_1(c) + choose(c, d, e) + 0x0fc19dc6u + w2;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    w3 += small_sigma_0(w4) + w12 + small_sigma_1(w1);
    e += big_sigma_1(b) + choose(b, c, d) + 0x240ca1ccu + w3;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    w4 += small_sigma_0(w5) + w13 + small_sigma_1(w2);
    d += big_sigma_1(a) + choose(a, b, c) + 0x2de92c6fu + w4;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    w5 += small_sigma_0(w6) + w14 + small_sigma_1(w3);
    c += big_sigma_1(h) + choose(h, a, b) + 0x4a7484aau + w5;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    w6 += small_sigma_0(w7) + w15 + small_sigma_1(w4);
    b += big_sigma_1(g) + choose(g, h, a) + 0x5cb0a9dcu + w6;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    w7 += small_sigma_0(w8) + w0 + small_sigma_1(w5);
    a += big_sigma_1(f) + choose(f, g, h) + 0x76f988dau + w7;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    w8 += small_sigma_0(w9) + w1 + small_sigma_1(w6);
    h += big_sigma_1(e) + choose(e, f, g) + 0x983e5152u + w8;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    w9 += small_sigma_0(w10) + w2 + small_sigma_1(w7);
    g += big_sigma_1(d) + choose(d, e, f) + 0xa831c66du + w9;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    w10 += small_sigma_0(w11) + w3 + small_sigma_1(w8);
    f += big_sigma_1(c) + choose(c, d, e) + 0xb00327c8u + w10;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    w11 += small_sigma_0(w12) + w4 + small_sigma_1(w9);
    e += big_sigma_1(b) + choose(b, c, d) + 0xbf597fc7u + w11;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    w12 += small_sigma_0(w13) + w5 + small_sigma_1(w10);
    d += big_sigma_1(a) + choose(a, b, c) + 0xc6e00bf3u + w12;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    w13 += small_sigma_0(w14) + w6 + small_sigma_1(w11);
    c += big_sigma_1(h) + choose(h, a, b) + 0xd5a79147u + w13;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    w14 += small_sigma_0(w15) + w7 + small_sigma_1(w12);
    b += big_sigma_1(g) + choose(g, h, a) + 0x06ca6351u + w14;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    w15 += small_sigma_0(w0) + w8 + small_sigma_1(w13);
    a += big_sigma_1(f) + choose(f, g, h) + 0x14292967u + w15;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    w0 += small_sigma_0(w1) + w9 + small_sigma_1(w14);
    h += big_sigma_1(e) + choose(e, f, g) + 0x27b70a85u + w0;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    w1 += small_sigma_0(w2) + w10 + small_sigma_1(w15);
    g += big_sigma_1(d) + choose(d, e, f) + 0x2e1b2138u + w1;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    w2 += small_sigma_0(w3) + w11 + small_sigma_1(w0);
    f += big_sigma_1(c) + choose(c, d, e) + 0x4d2c6dfcu + w2;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    w3 += small_sigma_0(w4) + w12 + small_sigma_1(w1);
    e += big_sigma_1(b) + choose(b, c, d) + 0x53380d13u + w3;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    w4 += small_sigma_0(w5) + w13 + small_sigma_1(w2);
    d += big_sigma_1(a) + choose(a, b, c) + 0x650a7354u + w4;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    w5 += small_sigma_0(w6) + w14 + small_sigma_1(w3);
    c += big_sigma_1(h) + choose(h, a, b) + 0x766a0abbu + w5;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    w6 += small_sigma_0(w7) + w15 + small_sigma_1(w4);
    b += big_sigma_1(g) + choose(g, h, a) + 0x81c2c92eu + w6;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    w7 += small_sigma_0(w8) + w0 + small_sigma_1(w5);
    a += big_sigma_1(f) + choose(f, g, h) + 0x92722c85u + w7;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    w8 += small_sigma_0(w9) + w1 + small_sigma_1(w6);
    h += big_sigma_1(e) + choose(e, f, g) + 0xa2bfe8a1u + w8;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    w9 += small_sigma_0(w10) + w2 + small_sigma_1(w7);
    g += big_sigma_1(d) + choose(d, e, f) + 0xa81a664bu + w9;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    w10 += small_sigma_0(w11) + w3 + small_sigma_1(w8);
    f += big_sigma_1(c) + choose(c, d, e) + 0xc24b8b70u + w10;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    w11 += small_sigma_0(w12) + w4 + small_sigma_1(w9);
    e += big_sigma_1(b) + choose(b, c, d) + 0xc76c51a3u + w11;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    w12 += small_sigma_0(w13) + w5 + small_sigma_1(w10);
    d += big_sigma_1(a) + choose(a, b, c) + 0xd192e819u + w12;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    w13 += small_sigma_0(w14) + w6 + small_sigma_1(w11);
    c += big_sigma_1(h) + choose(h, a, b) + 0xd6990624u + w13;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    w14 += small_sigma_0(w15) + w7 + small_sigma_1(w12);
    b += big_sigma_1(g) + choose(g, h, a) + 0xf40e3585u + w14;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    w15 += small_sigma_0(w0) + w8 + small_sigma_1(w13);
    a += big_sigma_1(f) + choose(f, g, h) + 0x106aa070u + w15;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    w0 += small_sigma_0(w1) + w9 + small_sigma_1(w14);
    h += big_sigma_1(e) + choose(e, f, g) + 0x19a4c116u + w0;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    w1 += small_sigma_0(w2) + w10 + small_sigma_1(w15);
    g += big_sigma_1(d) + choose(d, e, f) + 0x1e376c08u + w1;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    w2 += small_sigma_0(w3) + w11 + small_sigma_1(w0);
    f += big_sigma_1(c) + choose(c, d, e) + 0x2748774cu + w2;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    w3 += small_sigma_0(w4) + w12 + small_sigma_1(w1);
    e += big_sigma_1(b) + choose(b, c, d) + 0x34b0bcb5u + w3;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    w4 += small_sigma_0(w5) + w13 + small_sigma_1(w2);
    d += big_sigma_1(a) + choose(a, b, c) + 0x391c0cb3u + w4;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    w5 += small_sigma_0(w6) + w14 + small_sigma_1(w3);
    c += big_sigma_1(h) + choose(h, a, b) + 0x4ed8aa4au + w5;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    w6 += small_sigma_0(w7) + w15 + small_sigma_1(w4);
    b += big_sigma_1(g) + choose(g, h, a) + 0x5b9cca4fu + w6;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    w7 += small_sigma_0(w8) + w0 + small_sigma_1(w5);
    a += big_sigma_1(f) + choose(f, g, h) + 0x682e6ff3u + w7;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    w8 += small_sigma_0(w9) + w1 + small_sigma_1(w6);
    h += big_sigma_1(e) + choose(e, f, g) + 0x748f82eeu + w8;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    w9 += small_sigma_0(w10) + w2 + small_sigma_1(w7);
    g += big_sigma_1(d) + choose(d, e, f) + 0x78a5636fu + w9;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    w10 += small_sigma_0(w11) + w3 + small_sigma_1(w8);
    f += big_sigma_1(c) + choose(c, d, e) + 0x84c87814u + w10;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    w11 += small_sigma_0(w12) + w4 + small_sigma_1(w9);
    e += big_sigma_1(b) + choose(b, c, d) + 0x8cc70208u + w11;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    w12 += small_sigma_0(w13) + w5 + small_sigma_1(w10);
    d += big_sigma_1(a) + choose(a, b, c) + 0x90befffau + w12;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    w13 += small_sigma_0(w14) + w6 + small_sigma_1(w11);
    c += big_sigma_1(h) + choose(h, a, b) + 0xa4506cebu + w13;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    w14 += small_sigma_0(w15) + w7 + small_sigma_1(w12);
    b += big_sigma_1(g) + choose(g, h, a) + 0xbef9a3f7u + w14;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    w15 += small_sigma_0(w0) + w8 + small_sigma_1(w13);
    a += big_sigma_1(f) + choose(f, g, h) + 0xc67178f2u + w15;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    return State(
        state[0] + a, state[1] + b, state[2] + c, state[3] + d,
        state[4] + e, state[5] + f, state[6] + g, state[7] + h,
    );
}

// The state after the block that ends a message of 64 bytes: all padding, K + W a constant.
fn sha256_compress_padding_of_64(state: State) -> State {
    var a = state[0];
    var b = state[1];
    var c = state[2];
    var d = state[3];
    var e = state[4];
    var f = state[5];
    var g = state[6];
    var h = state[7];
    h += big_sigma_1(e) + choose(e, f, g) + 0xc28a2f98u;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    g += big_sigma_1(d) + choose(d, e, f) + 0x71374491u;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    f += big_sigma_1(c) + choose(c, d, e) + 0xb5c0fbcfu;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    e += big_sigma_1(b) + choose(b, c, d) + 0xe9b5dba5u;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    d += big_sigma_1(a) + choose(a, b, c) + 0x3956c25bu;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    c += big_sigma_1(h) + choose(h, a, b) + 0x59f111f1u;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    b += big_sigma_1(g) + choose(g, h, a) + 0x923f82a4u;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    a += big_sigma_1(f) + choose(f, g, h) + 0xab1c5ed5u;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    h += big_sigma_1(e) + choose(e, f, g) + 0xd807aa98u;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    g += big_sigma_1(d) + choose(d, e, f) + 0x12835b01u;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    f += big_sigma_1(c) + choose(c, d, e) + 0x243185beu;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    e += big_sigma_1(b) + choose(b, c, d) + 0x550c7dc3u;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    d += big_sigma_1(a) + choose(a, b, c) + 0x72be5d74u;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    c += big_sigma_1(h) + choose(h, a, b) + 0x80deb1feu;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    b += big_sigma_1(g) + choose(g, h, a) + 0x9bdc06a7u;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    a += big_sigma_1(f) + choose(f, g, h) + 0xc19bf374u;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    h += big_sigma_1(e) + choose(e, f, g) + 0x649b69c1u;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    g += big_sigma_1(d) + choose(d, e, f) + 0xf0fe4786u;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    f += big_sigma_1(c) + choose(c, d, e) + 0x0fe1edc6u;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    e += big_sigma_1(b) + choose(b, c, d) + 0x240cf254u;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    d += big_sigma_1(a) + choose(a, b, c) + 0x4fe9346fu;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    c += big_sigma_1(h) + choose(h, a, b) + 0x6cc984beu;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    b += big_sigma_1(g) + choose(g, h, a) + 0x61b9411eu;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    a += big_sigma_1(f) + choose(f, g, h) + 0x16f988fau;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    h += big_sigma_1(e) + choose(e, f, g) + 0xf2c65152u;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    g += big_sigma_1(d) + choose(d, e, f) + 0xa88e5a6du;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    f += big_sigma_1(c) + choose(c, d, e) + 0xb019fc65u;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    e += big_sigma_1(b) + choose(b, c, d) + 0xb9d99ec7u;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    d += big_sigma_1(a) + choose(a, b, c) + 0x9a1231c3u;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    c += big_sigma_1(h) + choose(h, a, b) + 0xe70eeaa0u;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    b += big_sigma_1(g) + choose(g, h, a) + 0xfdb1232bu;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    a += big_sigma_1(f) + choose(f, g, h) + 0xc7353eb0u;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    h += big_sigma_1(e) + choose(e, f, g) + 0x3069bad5u;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    g += big_sigma_1(d) + choose(d, e, f) + 0xcb976d5fu;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    f += big_sigma_1(c) + choose(c, d, e) + 0x5a0f118fu;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    e += big_sigma_1(b) + choose(b, c, d) + 0xdc1eeefdu;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    d += big_sigma_1(a) + choose(a, b, c) + 0x0a35b689u;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    c += big_sigma_1(h) + choose(h, a, b) + 0xde0b7a04u;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    b += big_sigma_1(g) + choose(g, h, a) + 0x58f4ca9du;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    a += big_sigma_1(f) + choose(f, g, h) + 0xe15d5b16u;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    h += big_sigma_1(e) + choose(e, f, g) + 0x007f3e86u;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    g += big_sigma_1(d) + choose(d, e, f) + 0x37088980u;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    f += big_sigma_1(c) + choose(c, d, e) + 0xa507ea32u;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    e += big_sigma_1(b) + choose(b, c, d) + 0x6fab9537u;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    d += big_sigma_1(a) + choose(a, b, c) + 0x17406110u;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    c += big_sigma_1(h) + choose(h, a, b) + 0x0d8cd6f1u;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    b += big_sigma_1(g) + choose(g, h, a) + 0xcdaa3b6du;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    a += big_sigma_1(f) + choose(f, g, h) + 0xc0bbbe37u;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    h += big_sigma_1(e) + choose(e, f, g) + 0x83613bdau;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    g += big_sigma_1(d) + choose(d, e, f) + 0xdb48a363u;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    f += big_sigma_1(c) + choose(c, d, e) + 0x0b02e931u;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    e += big_sigma_1(b) + choose(b, c, d) + 0x6fd15ca7u;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    d += big_sigma_1(a) + choose(a, b, c) + 0x521afacau;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    c += big_sigma_1(h) + choose(h, a, b) + 0x31338431u;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    b += big_sigma_1(g) + choose(g, h, a) + 0x6ed41a95u;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    a += big_sigma_1(f) + choose(f, g, h) + 0x6d437890u;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    h += big_sigma_1(e) + choose(e, f, g) + 0xc39c91f2u;
    d += h;
    h += big_sigma_0(a) + majority(a, b, c);
    g += big_sigma_1(d) + choose(d, e, f) + 0x9eccabbdu;
    c += g;
    g += big_sigma_0(h) + majority(h, a, b);
    f += big_sigma_1(c) + choose(c, d, e) + 0xb5c9a0e6u;
    b += f;
    f += big_sigma_0(g) + majority(g, h, a);
    e += big_sigma_1(b) + choose(b, c, d) + 0x532fb63cu;
    a += e;
    e += big_sigma_0(f) + majority(f, g, h);
    d += big_sigma_1(a) + choose(a, b, c) + 0xd2c741c6u;
    h += d;
    d += big_sigma_0(e) + majority(e, f, g);
    c += big_sigma_1(h) + choose(h, a, b) + 0x07237ea3u;
    g += c;
    c += big_sigma_0(d) + majority(d, e, f);
    b += big_sigma_1(g) + choose(g, h, a) + 0xa4954b68u;
    f += b;
    b += big_sigma_0(c) + majority(c, d, e);
    a += big_sigma_1(f) + choose(f, g, h) + 0x4c191d76u;
    e += a;
    a += big_sigma_0(b) + majority(b, c, d);
    return State(
        state[0] + a, state[1] + b, state[2] + c, state[3] + d,
        state[4] + e, state[5] + f, state[6] + g, state[7] + h,
    );
}
