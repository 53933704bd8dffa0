// Numbers mod p and mod n in 10 limbs of 26 bits, columns summed in u64.
//
// A limb may exceed 26 bits: sums and differences are not carried. In units of 2^26 a limb lies
// below 1 + 2^-4 after a product or `fe_carry`; a difference adds 10 to the minuend and wants the
// subtrahend below 9; the limits of the two factors of a product, multiplied, stay below 400.
// Written by tests/shaders/generate.rs.

const LIMB_BITS: u32 = 26u;
const HALF_TOP: u32 = 5u;

// An element mod p, or a number mod n.
alias Fe = array<u32, 10>;
// Half a scalar, in two's complement: the top limb has the sign.
alias Half = array<i32, 6>;

const BETA: Fe = Fe(0x19501eeu, 0x25b0a1cu, 0x995c13u, 0x1d44bd6u, 0x19cf049u, 0x30d0d3au, 0x24479eau, 0x1c41b9u, 0x22b657cu, 0x1eba5au);

// Limbs of eight words, lowest first.
fn limbs_load(w: array<u32, 8>) -> Fe {
    return Fe(
        w[0] & 0x3ffffffu,
        ((w[0] >> 26u) | (w[1] << 6u)) & 0x3ffffffu,
        ((w[1] >> 20u) | (w[2] << 12u)) & 0x3ffffffu,
        ((w[2] >> 14u) | (w[3] << 18u)) & 0x3ffffffu,
        ((w[3] >> 8u) | (w[4] << 24u)) & 0x3ffffffu,
        (w[4] >> 2u) & 0x3ffffffu,
        ((w[4] >> 28u) | (w[5] << 4u)) & 0x3ffffffu,
        ((w[5] >> 22u) | (w[6] << 10u)) & 0x3ffffffu,
        ((w[6] >> 16u) | (w[7] << 16u)) & 0x3ffffffu,
        (w[7] >> 10u),
    );
}

// Words of a number below 2^256 whose limbs are carried.
fn limbs_pack(a: Fe) -> array<u32, 8> {
    return array<u32, 8>(
        a[0] | (a[1] << 26u),
        (a[1] >> 6u) | (a[2] << 20u),
        (a[2] >> 12u) | (a[3] << 14u),
        (a[3] >> 18u) | (a[4] << 8u),
        (a[4] >> 24u) | (a[5] << 2u) | (a[6] << 28u),
        (a[6] >> 4u) | (a[7] << 22u),
        (a[7] >> 10u) | (a[8] << 16u),
        (a[8] >> 16u) | (a[9] << 10u),
    );
}

// The same element with limbs below 2^B (1 + 2^-4); those of `a` lie below 2^(B + 5).
fn fe_carry(a: Fe) -> Fe {
    let top = a[9] >> 26u;
    let s0 = a[0] + top * 0x3d10u;
    let s1 = a[1] + top * 0x400u;
    let s2 = a[2];
    let s3 = a[3];
    let s4 = a[4];
    let s5 = a[5];
    let s6 = a[6];
    let s7 = a[7];
    let s8 = a[8];
    let s9 = (a[9] & 0x3ffffffu);
    return Fe(
        s0 & 0x3ffffffu,
        (s1 & 0x3ffffffu) + (s0 >> 26u),
        (s2 & 0x3ffffffu) + (s1 >> 26u),
        (s3 & 0x3ffffffu) + (s2 >> 26u),
        (s4 & 0x3ffffffu) + (s3 >> 26u),
        (s5 & 0x3ffffffu) + (s4 >> 26u),
        (s6 & 0x3ffffffu) + (s5 >> 26u),
        (s7 & 0x3ffffffu) + (s6 >> 26u),
        (s8 & 0x3ffffffu) + (s7 >> 26u),
        s9 + (s8 >> 26u),
    );
}

// a + b.
fn fe_add(a: Fe, b: Fe) -> Fe {
    return Fe(
        a[0] + b[0],
        a[1] + b[1],
        a[2] + b[2],
        a[3] + b[3],
        a[4] + b[4],
        a[5] + b[5],
        a[6] + b[6],
        a[7] + b[7],
        a[8] + b[8],
        a[9] + b[9],
    );
}

// a - b, with a multiple of p so large that no limb runs below zero: those of b lie below
// 9 2^B.
fn fe_sub(a: Fe, b: Fe) -> Fe {
    return Fe(
        a[0] + (0x27fdd69fu - b[0]),
        a[1] + (0x27ffdbb6u - b[1]),
        a[2] + (0x27fffff6u - b[2]),
        a[3] + (0x27fffff6u - b[3]),
        a[4] + (0x27fffff6u - b[4]),
        a[5] + (0x27fffff6u - b[5]),
        a[6] + (0x27fffff6u - b[6]),
        a[7] + (0x27fffff6u - b[7]),
        a[8] + (0x27fffff6u - b[8]),
        a[9] + (0x243ffff6u - b[9]),
    );
}

// k a, for k up to 8.
fn fe_times(a: Fe, k: u32) -> Fe {
    return Fe(
        a[0] * k,
        a[1] * k,
        a[2] * k,
        a[3] * k,
        a[4] * k,
        a[5] * k,
        a[6] * k,
        a[7] * k,
        a[8] * k,
        a[9] * k,
    );
}

// a b.
fn fe_mul(a: Fe, b: Fe) -> Fe {
    let high0 = u64(a[1]) * u64(b[9]) + u64(a[2]) * u64(b[8]) + u64(a[3]) * u64(b[7]) + u64(a[4]) * u64(b[6]) + u64(a[5]) * u64(b[5]) + u64(a[6]) * u64(b[4]) + u64(a[7]) * u64(b[3]) + u64(a[8]) * u64(b[2]) + u64(a[9]) * u64(b[1]);
    let h0 = high0 & u64(67108863u);
    let low0 = u64(a[0]) * u64(b[0]) + h0 * u64(15632u);
    let t0 = u32(low0) & 0x3ffffffu;
    let high1 = (high0 >> 26u) + u64(a[2]) * u64(b[9]) + u64(a[3]) * u64(b[8]) + u64(a[4]) * u64(b[7]) + u64(a[5]) * u64(b[6]) + u64(a[6]) * u64(b[5]) + u64(a[7]) * u64(b[4]) + u64(a[8]) * u64(b[3]) + u64(a[9]) * u64(b[2]);
    let h1 = high1 & u64(67108863u);
    let low1 = (low0 >> 26u) + u64(a[0]) * u64(b[1]) + u64(a[1]) * u64(b[0]) + h1 * u64(15632u) + h0 * u64(1024u);
    let t1 = u32(low1) & 0x3ffffffu;
    let high2 = (high1 >> 26u) + u64(a[3]) * u64(b[9]) + u64(a[4]) * u64(b[8]) + u64(a[5]) * u64(b[7]) + u64(a[6]) * u64(b[6]) + u64(a[7]) * u64(b[5]) + u64(a[8]) * u64(b[4]) + u64(a[9]) * u64(b[3]);
    let h2 = high2 & u64(67108863u);
    let low2 = (low1 >> 26u) + u64(a[0]) * u64(b[2]) + u64(a[1]) * u64(b[1]) + u64(a[2]) * u64(b[0]) + h2 * u64(15632u) + h1 * u64(1024u);
    let t2 = u32(low2) & 0x3ffffffu;
    let high3 = (high2 >> 26u) + u64(a[4]) * u64(b[9]) + u64(a[5]) * u64(b[8]) + u64(a[6]) * u64(b[7]) + u64(a[7]) * u64(b[6]) + u64(a[8]) * u64(b[5]) + u64(a[9]) * u64(b[4]);
    let h3 = high3 & u64(67108863u);
    let low3 = (low2 >> 26u) + u64(a[0]) * u64(b[3]) + u64(a[1]) * u64(b[2]) + u64(a[2]) * u64(b[1]) + u64(a[3]) * u64(b[0]) + h3 * u64(15632u) + h2 * u64(1024u);
    let t3 = u32(low3) & 0x3ffffffu;
    let high4 = (high3 >> 26u) + u64(a[5]) * u64(b[9]) + u64(a[6]) * u64(b[8]) + u64(a[7]) * u64(b[7]) + u64(a[8]) * u64(b[6]) + u64(a[9]) * u64(b[5]);
    let h4 = high4 & u64(67108863u);
    let low4 = (low3 >> 26u) + u64(a[0]) * u64(b[4]) + u64(a[1]) * u64(b[3]) + u64(a[2]) * u64(b[2]) + u64(a[3]) * u64(b[1]) + u64(a[4]) * u64(b[0]) + h4 * u64(15632u) + h3 * u64(1024u);
    let t4 = u32(low4) & 0x3ffffffu;
    let high5 = (high4 >> 26u) + u64(a[6]) * u64(b[9]) + u64(a[7]) * u64(b[8]) + u64(a[8]) * u64(b[7]) + u64(a[9]) * u64(b[6]);
    let h5 = high5 & u64(67108863u);
    let low5 = (low4 >> 26u) + u64(a[0]) * u64(b[5]) + u64(a[1]) * u64(b[4]) + u64(a[2]) * u64(b[3]) + u64(a[3]) * u64(b[2]) + u64(a[4]) * u64(b[1]) + u64(a[5]) * u64(b[0]) + h5 * u64(15632u) + h4 * u64(1024u);
    let t5 = u32(low5) & 0x3ffffffu;
    let high6 = (high5 >> 26u) + u64(a[7]) * u64(b[9]) + u64(a[8]) * u64(b[8]) + u64(a[9]) * u64(b[7]);
    let h6 = high6 & u64(67108863u);
    let low6 = (low5 >> 26u) + u64(a[0]) * u64(b[6]) + u64(a[1]) * u64(b[5]) + u64(a[2]) * u64(b[4]) + u64(a[3]) * u64(b[3]) + u64(a[4]) * u64(b[2]) + u64(a[5]) * u64(b[1]) + u64(a[6]) * u64(b[0]) + h6 * u64(15632u) + h5 * u64(1024u);
    let t6 = u32(low6) & 0x3ffffffu;
    let high7 = (high6 >> 26u) + u64(a[8]) * u64(b[9]) + u64(a[9]) * u64(b[8]);
    let h7 = high7 & u64(67108863u);
    let low7 = (low6 >> 26u) + u64(a[0]) * u64(b[7]) + u64(a[1]) * u64(b[6]) + u64(a[2]) * u64(b[5]) + u64(a[3]) * u64(b[4]) + u64(a[4]) * u64(b[3]) + u64(a[5]) * u64(b[2]) + u64(a[6]) * u64(b[1]) + u64(a[7]) * u64(b[0]) + h7 * u64(15632u) + h6 * u64(1024u);
    let t7 = u32(low7) & 0x3ffffffu;
    let high8 = (high7 >> 26u) + u64(a[9]) * u64(b[9]);
    let h8 = high8 & u64(67108863u);
    let low8 = (low7 >> 26u) + u64(a[0]) * u64(b[8]) + u64(a[1]) * u64(b[7]) + u64(a[2]) * u64(b[6]) + u64(a[3]) * u64(b[5]) + u64(a[4]) * u64(b[4]) + u64(a[5]) * u64(b[3]) + u64(a[6]) * u64(b[2]) + u64(a[7]) * u64(b[1]) + u64(a[8]) * u64(b[0]) + h8 * u64(15632u) + h7 * u64(1024u);
    let t8 = u32(low8) & 0x3ffffffu;
    let high9 = (high8 >> 26u);
    let h9 = high9 & u64(67108863u);
    let low9 = (low8 >> 26u) + u64(a[0]) * u64(b[9]) + u64(a[1]) * u64(b[8]) + u64(a[2]) * u64(b[7]) + u64(a[3]) * u64(b[6]) + u64(a[4]) * u64(b[5]) + u64(a[5]) * u64(b[4]) + u64(a[6]) * u64(b[3]) + u64(a[7]) * u64(b[2]) + u64(a[8]) * u64(b[1]) + u64(a[9]) * u64(b[0]) + h9 * u64(15632u) + h8 * u64(1024u);
    let t9 = u32(low9) & 0x3ffffffu;
    let h10 = high9 >> 26u;
    let over0 = (low9 >> 26u) + h9 * u64(1024u) + h10 * u64(15632u);
    let o0 = over0 & u64(67108863u);
    let over1 = (over0 >> 26u) + h10 * u64(1024u);
    let o1 = over1 & u64(67108863u);
    let o2 = over1 >> 26u;
    let sum0 = u64(t0) + o0 * u64(15632u);
    let sum1 = u64(t1) + (sum0 >> 26u) + o1 * u64(15632u) + o0 * u64(1024u);
    let sum2 = u64(t2) + (sum1 >> 26u) + o2 * u64(15632u) + o1 * u64(1024u);
    let sum3 = u64(t3) + (sum2 >> 26u) + o2 * u64(1024u);
    return Fe(
        u32(sum0) & 0x3ffffffu,
        u32(sum1) & 0x3ffffffu,
        u32(sum2) & 0x3ffffffu,
        u32(sum3) & 0x3ffffffu,
        t4 + u32((sum3 >> 26u)),
        t5,
        t6,
        t7,
        t8,
        t9,
    );
}

// a^2.
fn fe_sqr(a: Fe) -> Fe {
    let d0 = a[0] << 1u;
    let d1 = a[1] << 1u;
    let d2 = a[2] << 1u;
    let d3 = a[3] << 1u;
    let d4 = a[4] << 1u;
    let d5 = a[5] << 1u;
    let d6 = a[6] << 1u;
    let d7 = a[7] << 1u;
    let d8 = a[8] << 1u;
    let high0 = u64(d1) * u64(a[9]) + u64(d2) * u64(a[8]) + u64(d3) * u64(a[7]) + u64(d4) * u64(a[6]) + u64(a[5]) * u64(a[5]);
    let h0 = high0 & u64(67108863u);
    let low0 = u64(a[0]) * u64(a[0]) + h0 * u64(15632u);
    let t0 = u32(low0) & 0x3ffffffu;
    let high1 = (high0 >> 26u) + u64(d2) * u64(a[9]) + u64(d3) * u64(a[8]) + u64(d4) * u64(a[7]) + u64(d5) * u64(a[6]);
    let h1 = high1 & u64(67108863u);
    let low1 = (low0 >> 26u) + u64(d0) * u64(a[1]) + h1 * u64(15632u) + h0 * u64(1024u);
    let t1 = u32(low1) & 0x3ffffffu;
    let high2 = (high1 >> 26u) + u64(d3) * u64(a[9]) + u64(d4) * u64(a[8]) + u64(d5) * u64(a[7]) + u64(a[6]) * u64(a[6]);
    let h2 = high2 & u64(67108863u);
    let low2 = (low1 >> 26u) + u64(d0) * u64(a[2]) + u64(a[1]) * u64(a[1]) + h2 * u64(15632u) + h1 * u64(1024u);
    let t2 = u32(low2) & 0x3ffffffu;
    let high3 = (high2 >> 26u) + u64(d4) * u64(a[9]) + u64(d5) * u64(a[8]) + u64(d6) * u64(a[7]);
    let h3 = high3 & u64(67108863u);
    let low3 = (low2 >> 26u) + u64(d0) * u64(a[3]) + u64(d1) * u64(a[2]) + h3 * u64(15632u) + h2 * u64(1024u);
    let t3 = u32(low3) & 0x3ffffffu;
    let high4 = (high3 >> 26u) + u64(d5) * u64(a[9]) + u64(d6) * u64(a[8]) + u64(a[7]) * u64(a[7]);
    let h4 = high4 & u64(67108863u);
    let low4 = (low3 >> 26u) + u64(d0) * u64(a[4]) + u64(d1) * u64(a[3]) + u64(a[2]) * u64(a[2]) + h4 * u64(15632u) + h3 * u64(1024u);
    let t4 = u32(low4) & 0x3ffffffu;
    let high5 = (high4 >> 26u) + u64(d6) * u64(a[9]) + u64(d7) * u64(a[8]);
    let h5 = high5 & u64(67108863u);
    let low5 = (low4 >> 26u) + u64(d0) * u64(a[5]) + u64(d1) * u64(a[4]) + u64(d2) * u64(a[3]) + h5 * u64(15632u) + h4 * u64(1024u);
    let t5 = u32(low5) & 0x3ffffffu;
    let high6 = (high5 >> 26u) + u64(d7) * u64(a[9]) + u64(a[8]) * u64(a[8]);
    let h6 = high6 & u64(67108863u);
    let low6 = (low5 >> 26u) + u64(d0) * u64(a[6]) + u64(d1) * u64(a[5]) + u64(d2) * u64(a[4]) + u64(a[3]) * u64(a[3]) + h6 * u64(15632u) + h5 * u64(1024u);
    let t6 = u32(low6) & 0x3ffffffu;
    let high7 = (high6 >> 26u) + u64(d8) * u64(a[9]);
    let h7 = high7 & u64(67108863u);
    let low7 = (low6 >> 26u) + u64(d0) * u64(a[7]) + u64(d1) * u64(a[6]) + u64(d2) * u64(a[5]) + u64(d3) * u64(a[4]) + h7 * u64(15632u) + h6 * u64(1024u);
    let t7 = u32(low7) & 0x3ffffffu;
    let high8 = (high7 >> 26u) + u64(a[9]) * u64(a[9]);
    let h8 = high8 & u64(67108863u);
    let low8 = (low7 >> 26u) + u64(d0) * u64(a[8]) + u64(d1) * u64(a[7]) + u64(d2) * u64(a[6]) + u64(d3) * u64(a[5]) + u64(a[4]) * u64(a[4]) + h8 * u64(15632u) + h7 * u64(1024u);
    let t8 = u32(low8) & 0x3ffffffu;
    let high9 = (high8 >> 26u);
    let h9 = high9 & u64(67108863u);
    let low9 = (low8 >> 26u) + u64(d0) * u64(a[9]) + u64(d1) * u64(a[8]) + u64(d2) * u64(a[7]) + u64(d3) * u64(a[6]) + u64(d4) * u64(a[5]) + h9 * u64(15632u) + h8 * u64(1024u);
    let t9 = u32(low9) & 0x3ffffffu;
    let h10 = high9 >> 26u;
    let over0 = (low9 >> 26u) + h9 * u64(1024u) + h10 * u64(15632u);
    let o0 = over0 & u64(67108863u);
    let over1 = (over0 >> 26u) + h10 * u64(1024u);
    let o1 = over1 & u64(67108863u);
    let o2 = over1 >> 26u;
    let sum0 = u64(t0) + o0 * u64(15632u);
    let sum1 = u64(t1) + (sum0 >> 26u) + o1 * u64(15632u) + o0 * u64(1024u);
    let sum2 = u64(t2) + (sum1 >> 26u) + o2 * u64(15632u) + o1 * u64(1024u);
    let sum3 = u64(t3) + (sum2 >> 26u) + o2 * u64(1024u);
    return Fe(
        u32(sum0) & 0x3ffffffu,
        u32(sum1) & 0x3ffffffu,
        u32(sum2) & 0x3ffffffu,
        u32(sum3) & 0x3ffffffu,
        t4 + u32((sum3 >> 26u)),
        t5,
        t6,
        t7,
        t8,
        t9,
    );
}

// The same element below p. Limbs of `a` lie below 2^(B + 5), in the smaller format below 2^(B + 1).
fn fe_normalize(a: Fe) -> Fe {
    let top = a[9] >> 22u;
    let x0 = a[0] + top * 977u;
    let x1 = a[1] + (x0 >> 26u) + (top << 6u);
    let x2 = a[2] + (x1 >> 26u);
    let x3 = a[3] + (x2 >> 26u);
    let x4 = a[4] + (x3 >> 26u);
    let x5 = a[5] + (x4 >> 26u);
    let x6 = a[6] + (x5 >> 26u);
    let x7 = a[7] + (x6 >> 26u);
    let x8 = a[8] + (x7 >> 26u);
    let x9 = (a[9] & 0x3fffffu) + (x8 >> 26u);
    // x - p + 2^256: what it has above 2^256 says whether x reaches p.
    let y0 = (x0 & 0x3ffffffu) + 977u;
    let y1 = (x1 & 0x3ffffffu) + (y0 >> 26u) + 64u;
    let y2 = (x2 & 0x3ffffffu) + (y1 >> 26u);
    let y3 = (x3 & 0x3ffffffu) + (y2 >> 26u);
    let y4 = (x4 & 0x3ffffffu) + (y3 >> 26u);
    let y5 = (x5 & 0x3ffffffu) + (y4 >> 26u);
    let y6 = (x6 & 0x3ffffffu) + (y5 >> 26u);
    let y7 = (x7 & 0x3ffffffu) + (y6 >> 26u);
    let y8 = (x8 & 0x3ffffffu) + (y7 >> 26u);
    let y9 = x9 + (y8 >> 26u);
    let reaches = (y9 >> 22u) != 0u;
    return Fe(
        select(x0, y0, reaches) & 0x3ffffffu,
        select(x1, y1, reaches) & 0x3ffffffu,
        select(x2, y2, reaches) & 0x3ffffffu,
        select(x3, y3, reaches) & 0x3ffffffu,
        select(x4, y4, reaches) & 0x3ffffffu,
        select(x5, y5, reaches) & 0x3ffffffu,
        select(x6, y6, reaches) & 0x3ffffffu,
        select(x7, y7, reaches) & 0x3ffffffu,
        select(x8, y8, reaches) & 0x3ffffffu,
        select(x9, y9 & 0x3fffffu, reaches),
    );
}

// Whether a number with carried limbs, below its modulus, is zero.
fn limbs_are_zero(a: Fe) -> bool {
    return (a[0] | a[1] | a[2] | a[3] | a[4] | a[5] | a[6] | a[7] | a[8] | a[9]) == 0u;
}

// b where `which` holds, else a.
fn limbs_select(a: Fe, b: Fe, which: bool) -> Fe {
    return Fe(
        select(a[0], b[0], which),
        select(a[1], b[1], which),
        select(a[2], b[2], which),
        select(a[3], b[3], which),
        select(a[4], b[4], which),
        select(a[5], b[5], which),
        select(a[6], b[6], which),
        select(a[7], b[7], which),
        select(a[8], b[8], which),
        select(a[9], b[9], which),
    );
}

// What a sum or difference has to go through before it may be subtracted.
fn fe_settle(a: Fe) -> Fe {
    return fe_carry(a);
}

// a b / 2^260 mod n, below 1.1 n, limbs carried (Montgomery's product). Both numbers lie below
// 1.1 2^256, their limbs below 2^B.
fn sc_mul(a: Fe, b: Fe) -> Fe {
    let s0 = u64(a[0]) * u64(b[0]);
    let m0 = ((u32(s0) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c0 = s0 + u64(m0) * u64(3555649u);
    let s1 = (c0 >> 26u) + u64(a[0]) * u64(b[1]) + u64(a[1]) * u64(b[0]) + u64(m0) * u64(9937716u);
    let m1 = ((u32(s1) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c1 = s1 + u64(m1) * u64(3555649u);
    let s2 = (c1 >> 26u) + u64(a[0]) * u64(b[2]) + u64(a[1]) * u64(b[1]) + u64(a[2]) * u64(b[0]) + u64(m0) * u64(33799165u) + u64(m1) * u64(9937716u);
    let m2 = ((u32(s2) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c2 = s2 + u64(m2) * u64(3555649u);
    let s3 = (c2 >> 26u) + u64(a[0]) * u64(b[3]) + u64(a[1]) * u64(b[2]) + u64(a[2]) * u64(b[1]) + u64(a[3]) * u64(b[0]) + u64(m0) * u64(60472610u) + u64(m1) * u64(33799165u) + u64(m2) * u64(9937716u);
    let m3 = ((u32(s3) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c3 = s3 + u64(m3) * u64(3555649u);
    let s4 = (c3 >> 26u) + u64(a[0]) * u64(b[4]) + u64(a[1]) * u64(b[3]) + u64(a[2]) * u64(b[2]) + u64(a[3]) * u64(b[1]) + u64(a[4]) * u64(b[0]) + u64(m0) * u64(45788892u) + u64(m1) * u64(60472610u) + u64(m2) * u64(33799165u) + u64(m3) * u64(9937716u);
    let m4 = ((u32(s4) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c4 = s4 + u64(m4) * u64(3555649u);
    let s5 = (c4 >> 26u) + u64(a[0]) * u64(b[5]) + u64(a[1]) * u64(b[4]) + u64(a[2]) * u64(b[3]) + u64(a[3]) * u64(b[2]) + u64(a[4]) * u64(b[1]) + u64(a[5]) * u64(b[0]) + u64(m0) * u64(67108863u) + u64(m1) * u64(45788892u) + u64(m2) * u64(60472610u) + u64(m3) * u64(33799165u) + u64(m4) * u64(9937716u);
    let m5 = ((u32(s5) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c5 = s5 + u64(m5) * u64(3555649u);
    let s6 = (c5 >> 26u) + u64(a[0]) * u64(b[6]) + u64(a[1]) * u64(b[5]) + u64(a[2]) * u64(b[4]) + u64(a[3]) * u64(b[3]) + u64(a[4]) * u64(b[2]) + u64(a[5]) * u64(b[1]) + u64(a[6]) * u64(b[0]) + u64(m0) * u64(67108863u) + u64(m1) * u64(67108863u) + u64(m2) * u64(45788892u) + u64(m3) * u64(60472610u) + u64(m4) * u64(33799165u) + u64(m5) * u64(9937716u);
    let m6 = ((u32(s6) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c6 = s6 + u64(m6) * u64(3555649u);
    let s7 = (c6 >> 26u) + u64(a[0]) * u64(b[7]) + u64(a[1]) * u64(b[6]) + u64(a[2]) * u64(b[5]) + u64(a[3]) * u64(b[4]) + u64(a[4]) * u64(b[3]) + u64(a[5]) * u64(b[2]) + u64(a[6]) * u64(b[1]) + u64(a[7]) * u64(b[0]) + u64(m0) * u64(67108863u) + u64(m1) * u64(67108863u) + u64(m2) * u64(67108863u) + u64(m3) * u64(45788892u) + u64(m4) * u64(60472610u) + u64(m5) * u64(33799165u) + u64(m6) * u64(9937716u);
    let m7 = ((u32(s7) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c7 = s7 + u64(m7) * u64(3555649u);
    let s8 = (c7 >> 26u) + u64(a[0]) * u64(b[8]) + u64(a[1]) * u64(b[7]) + u64(a[2]) * u64(b[6]) + u64(a[3]) * u64(b[5]) + u64(a[4]) * u64(b[4]) + u64(a[5]) * u64(b[3]) + u64(a[6]) * u64(b[2]) + u64(a[7]) * u64(b[1]) + u64(a[8]) * u64(b[0]) + u64(m0) * u64(67108863u) + u64(m1) * u64(67108863u) + u64(m2) * u64(67108863u) + u64(m3) * u64(67108863u) + u64(m4) * u64(45788892u) + u64(m5) * u64(60472610u) + u64(m6) * u64(33799165u) + u64(m7) * u64(9937716u);
    let m8 = ((u32(s8) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c8 = s8 + u64(m8) * u64(3555649u);
    let s9 = (c8 >> 26u) + u64(a[0]) * u64(b[9]) + u64(a[1]) * u64(b[8]) + u64(a[2]) * u64(b[7]) + u64(a[3]) * u64(b[6]) + u64(a[4]) * u64(b[5]) + u64(a[5]) * u64(b[4]) + u64(a[6]) * u64(b[3]) + u64(a[7]) * u64(b[2]) + u64(a[8]) * u64(b[1]) + u64(a[9]) * u64(b[0]) + u64(m0) * u64(4194303u) + u64(m1) * u64(67108863u) + u64(m2) * u64(67108863u) + u64(m3) * u64(67108863u) + u64(m4) * u64(67108863u) + u64(m5) * u64(45788892u) + u64(m6) * u64(60472610u) + u64(m7) * u64(33799165u) + u64(m8) * u64(9937716u);
    let m9 = ((u32(s9) & 0x3ffffffu) * 0x188b13fu) & 0x3ffffffu;
    let c9 = s9 + u64(m9) * u64(3555649u);
    let c10 = (c9 >> 26u) + u64(a[1]) * u64(b[9]) + u64(a[2]) * u64(b[8]) + u64(a[3]) * u64(b[7]) + u64(a[4]) * u64(b[6]) + u64(a[5]) * u64(b[5]) + u64(a[6]) * u64(b[4]) + u64(a[7]) * u64(b[3]) + u64(a[8]) * u64(b[2]) + u64(a[9]) * u64(b[1]) + u64(m1) * u64(4194303u) + u64(m2) * u64(67108863u) + u64(m3) * u64(67108863u) + u64(m4) * u64(67108863u) + u64(m5) * u64(67108863u) + u64(m6) * u64(45788892u) + u64(m7) * u64(60472610u) + u64(m8) * u64(33799165u) + u64(m9) * u64(9937716u);
    let c11 = (c10 >> 26u) + u64(a[2]) * u64(b[9]) + u64(a[3]) * u64(b[8]) + u64(a[4]) * u64(b[7]) + u64(a[5]) * u64(b[6]) + u64(a[6]) * u64(b[5]) + u64(a[7]) * u64(b[4]) + u64(a[8]) * u64(b[3]) + u64(a[9]) * u64(b[2]) + u64(m2) * u64(4194303u) + u64(m3) * u64(67108863u) + u64(m4) * u64(67108863u) + u64(m5) * u64(67108863u) + u64(m6) * u64(67108863u) + u64(m7) * u64(45788892u) + u64(m8) * u64(60472610u) + u64(m9) * u64(33799165u);
    let c12 = (c11 >> 26u) + u64(a[3]) * u64(b[9]) + u64(a[4]) * u64(b[8]) + u64(a[5]) * u64(b[7]) + u64(a[6]) * u64(b[6]) + u64(a[7]) * u64(b[5]) + u64(a[8]) * u64(b[4]) + u64(a[9]) * u64(b[3]) + u64(m3) * u64(4194303u) + u64(m4) * u64(67108863u) + u64(m5) * u64(67108863u) + u64(m6) * u64(67108863u) + u64(m7) * u64(67108863u) + u64(m8) * u64(45788892u) + u64(m9) * u64(60472610u);
    let c13 = (c12 >> 26u) + u64(a[4]) * u64(b[9]) + u64(a[5]) * u64(b[8]) + u64(a[6]) * u64(b[7]) + u64(a[7]) * u64(b[6]) + u64(a[8]) * u64(b[5]) + u64(a[9]) * u64(b[4]) + u64(m4) * u64(4194303u) + u64(m5) * u64(67108863u) + u64(m6) * u64(67108863u) + u64(m7) * u64(67108863u) + u64(m8) * u64(67108863u) + u64(m9) * u64(45788892u);
    let c14 = (c13 >> 26u) + u64(a[5]) * u64(b[9]) + u64(a[6]) * u64(b[8]) + u64(a[7]) * u64(b[7]) + u64(a[8]) * u64(b[6]) + u64(a[9]) * u64(b[5]) + u64(m5) * u64(4194303u) + u64(m6) * u64(67108863u) + u64(m7) * u64(67108863u) + u64(m8) * u64(67108863u) + u64(m9) * u64(67108863u);
    let c15 = (c14 >> 26u) + u64(a[6]) * u64(b[9]) + u64(a[7]) * u64(b[8]) + u64(a[8]) * u64(b[7]) + u64(a[9]) * u64(b[6]) + u64(m6) * u64(4194303u) + u64(m7) * u64(67108863u) + u64(m8) * u64(67108863u) + u64(m9) * u64(67108863u);
    let c16 = (c15 >> 26u) + u64(a[7]) * u64(b[9]) + u64(a[8]) * u64(b[8]) + u64(a[9]) * u64(b[7]) + u64(m7) * u64(4194303u) + u64(m8) * u64(67108863u) + u64(m9) * u64(67108863u);
    let c17 = (c16 >> 26u) + u64(a[8]) * u64(b[9]) + u64(a[9]) * u64(b[8]) + u64(m8) * u64(4194303u) + u64(m9) * u64(67108863u);
    let c18 = (c17 >> 26u) + u64(a[9]) * u64(b[9]) + u64(m9) * u64(4194303u);
    let c19 = (c18 >> 26u);
    return Fe(
        u32(c10) & 0x3ffffffu,
        u32(c11) & 0x3ffffffu,
        u32(c12) & 0x3ffffffu,
        u32(c13) & 0x3ffffffu,
        u32(c14) & 0x3ffffffu,
        u32(c15) & 0x3ffffffu,
        u32(c16) & 0x3ffffffu,
        u32(c17) & 0x3ffffffu,
        u32(c18) & 0x3ffffffu,
        u32(c19) & 0x3ffffffu,
    );
}

const SC_ONE: Fe = Fe(0x9bebf0u, 0x285ccbfu, 0x3c4402du, 0x2542dd7u, 0x551231u, 0x5u, 0x0u, 0x0u, 0x0u, 0x0u);

// The same number below n, from one below 2 n with limbs below 2^B.
fn sc_reduce(a: Fe) -> Fe {
    let y0 = a[0] + 0x3c9bebfu;
    let y1 = a[1] + 0x3685ccbu + (y0 >> 26u);
    let y2 = a[2] + 0x1fc4402u + (y1 >> 26u);
    let y3 = a[3] + 0x6542ddu + (y2 >> 26u);
    let y4 = a[4] + 0x1455123u + (y3 >> 26u);
    let y5 = a[5] + 0x0u + (y4 >> 26u);
    let y6 = a[6] + 0x0u + (y5 >> 26u);
    let y7 = a[7] + 0x0u + (y6 >> 26u);
    let y8 = a[8] + 0x0u + (y7 >> 26u);
    let y9 = a[9] + 0x3c00000u + (y8 >> 26u);
    let reaches = (y9 >> 26u) != 0u;
    return Fe(
        select(a[0], y0 & 0x3ffffffu, reaches),
        select(a[1], y1 & 0x3ffffffu, reaches),
        select(a[2], y2 & 0x3ffffffu, reaches),
        select(a[3], y3 & 0x3ffffffu, reaches),
        select(a[4], y4 & 0x3ffffffu, reaches),
        select(a[5], y5 & 0x3ffffffu, reaches),
        select(a[6], y6 & 0x3ffffffu, reaches),
        select(a[7], y7 & 0x3ffffffu, reaches),
        select(a[8], y8 & 0x3ffffffu, reaches),
        select(a[9], y9 & 0x3ffffffu, reaches),
    );
}

// -a mod n, for a below n.
fn sc_negate(a: Fe) -> Fe {
    let y0 = 3555649i - i32(a[0]);
    let y1 = 9937716i - i32(a[1]) + (y0 >> 26u);
    let y2 = 33799165i - i32(a[2]) + (y1 >> 26u);
    let y3 = 60472610i - i32(a[3]) + (y2 >> 26u);
    let y4 = 45788892i - i32(a[4]) + (y3 >> 26u);
    let y5 = 67108863i - i32(a[5]) + (y4 >> 26u);
    let y6 = 67108863i - i32(a[6]) + (y5 >> 26u);
    let y7 = 67108863i - i32(a[7]) + (y6 >> 26u);
    let y8 = 67108863i - i32(a[8]) + (y7 >> 26u);
    let y9 = 4194303i - i32(a[9]) + (y8 >> 26u);
    let zero = limbs_are_zero(a);
    return Fe(
        select(u32(y0) & 0x3ffffffu, 0u, zero),
        select(u32(y1) & 0x3ffffffu, 0u, zero),
        select(u32(y2) & 0x3ffffffu, 0u, zero),
        select(u32(y3) & 0x3ffffffu, 0u, zero),
        select(u32(y4) & 0x3ffffffu, 0u, zero),
        select(u32(y5) & 0x3ffffffu, 0u, zero),
        select(u32(y6) & 0x3ffffffu, 0u, zero),
        select(u32(y7) & 0x3ffffffu, 0u, zero),
        select(u32(y8) & 0x3ffffffu, 0u, zero),
        select(u32(y9) & 0x3ffffffu, 0u, zero),
    );
}

// round(2^384 A1 / n) and round(2^384 B1 / n): see `sc_nearest`.
const LATTICE_G1: Fe = Fe(0x1dbb031u, 0xc82691u, 0xa7fe89u, 0x51c7a3u, 0x13daa8au, 0xa13ac5u, 0x2c90e49u, 0x1af37a1u, 0x221a7d4u, 0xc21b4u);
const LATTICE_G2: Fe = Fe(0x2c47f71u, 0x6d2ba2u, 0x6c6157u, 0x2b277d4u, 0x221208u, 0x2aff931u, 0x147fa90u, 0x220a1bdu, 0x2d6010eu, 0x3910dfu);

// k g / 2^384 to the nearest integer, below 2^130.
fn sc_quotient(k: Fe, g: Fe) -> Half {
    let c12 = u64(k[3]) * u64(g[9]) + u64(k[4]) * u64(g[8]) + u64(k[5]) * u64(g[7]) + u64(k[6]) * u64(g[6]) + u64(k[7]) * u64(g[5]) + u64(k[8]) * u64(g[4]) + u64(k[9]) * u64(g[3]);
    let w12 = u32(c12) & 0x3ffffffu;
    let c13 = (c12 >> 26u) + u64(k[4]) * u64(g[9]) + u64(k[5]) * u64(g[8]) + u64(k[6]) * u64(g[7]) + u64(k[7]) * u64(g[6]) + u64(k[8]) * u64(g[5]) + u64(k[9]) * u64(g[4]);
    let w13 = u32(c13) & 0x3ffffffu;
    let c14 = (c13 >> 26u) + u64(k[5]) * u64(g[9]) + u64(k[6]) * u64(g[8]) + u64(k[7]) * u64(g[7]) + u64(k[8]) * u64(g[6]) + u64(k[9]) * u64(g[5]);
    let w14 = u32(c14) & 0x3ffffffu;
    let c15 = (c14 >> 26u) + u64(k[6]) * u64(g[9]) + u64(k[7]) * u64(g[8]) + u64(k[8]) * u64(g[7]) + u64(k[9]) * u64(g[6]);
    let w15 = u32(c15) & 0x3ffffffu;
    let c16 = (c15 >> 26u) + u64(k[7]) * u64(g[9]) + u64(k[8]) * u64(g[8]) + u64(k[9]) * u64(g[7]);
    let w16 = u32(c16) & 0x3ffffffu;
    let c17 = (c16 >> 26u) + u64(k[8]) * u64(g[9]) + u64(k[9]) * u64(g[8]);
    let w17 = u32(c17) & 0x3ffffffu;
    let c18 = (c17 >> 26u) + u64(k[9]) * u64(g[9]);
    let w18 = u32(c18) & 0x3ffffffu;
    let c19 = (c18 >> 26u);
    let w19 = u32(c19) & 0x3ffffffu;
    let q0 = (((w14 >> 19u) | (w15 << 7u)) & 0x3ffffffu) + 1u;
    let q1 = (((w15 >> 19u) | (w16 << 7u)) & 0x3ffffffu) + (q0 >> 26u);
    let q2 = (((w16 >> 19u) | (w17 << 7u)) & 0x3ffffffu) + (q1 >> 26u);
    let q3 = (((w17 >> 19u) | (w18 << 7u)) & 0x3ffffffu) + (q2 >> 26u);
    let q4 = (((w18 >> 19u) | (w19 << 7u)) & 0x3ffffffu) + (q3 >> 26u);
    let q5 = (((w19 >> 19u) | (0u << 7u)) & 0x3ffffffu) + (q4 >> 26u);
    return Half(
        i32((((q0 & 0x3ffffffu) >> 1u) | (q1 << 25u)) & 0x3ffffffu),
        i32((((q1 & 0x3ffffffu) >> 1u) | (q2 << 25u)) & 0x3ffffffu),
        i32((((q2 & 0x3ffffffu) >> 1u) | (q3 << 25u)) & 0x3ffffffu),
        i32((((q3 & 0x3ffffffu) >> 1u) | (q4 << 25u)) & 0x3ffffffu),
        i32((((q4 & 0x3ffffffu) >> 1u) | (q5 << 25u)) & 0x3ffffffu),
        i32(0u),
    );
}

// The same half with limbs from 0 to 2^B - 1, but the top one with the sign.
fn half_carry(k: Half) -> Half {
    let x0 = k[0];
    let x1 = k[1];
    let x2 = k[2];
    let x3 = k[3];
    let x4 = k[4];
    let x5 = k[5];
    let y0 = x0;
    let y1 = x1 + (y0 >> 26u);
    let y2 = x2 + (y1 >> 26u);
    let y3 = x3 + (y2 >> 26u);
    let y4 = x4 + (y3 >> 26u);
    let y5 = x5 + (y4 >> 26u);
    return Half(
        y0 & 0x3ffffffi,
        y1 & 0x3ffffffi,
        y2 & 0x3ffffffi,
        y3 & 0x3ffffffi,
        y4 & 0x3ffffffi,
        (y5 << 6u) >> 6u,
    );
}

// k in two short halves, k = first + second lambda mod n, by the lattice basis (A1, -B1), (A2, A1)
// (Guide to Elliptic Curve Cryptography, algorithm 3.74): first = k - c1 A1 - c2 A2,
// second = c1 B1 - c2 A1. Each is a sum mod 2^156.
fn sc_nearest_first(k: Fe, c1: Half, c2: Half) -> Half {
    let x0 = i64(i32(k[0])) - i64(c1[0]) * i64(42265365i) - i64(c2[0]) * i64(21286872i);
    let x1 = i64(i32(k[1])) - i64(c1[0]) * i64(52705572i) - i64(c1[1]) * i64(42265365i) - i64(c2[0]) * i64(4465511i) - i64(c2[1]) * i64(21286872i);
    let x2 = i64(i32(k[2])) - i64(c1[0]) * i64(45932166i) - i64(c1[1]) * i64(52705572i) - i64(c1[2]) * i64(42265365i) - i64(c2[0]) * i64(54486396i) - i64(c2[1]) * i64(4465511i) - i64(c2[2]) * i64(21286872i);
    let x3 = i64(i32(k[3])) - i64(c1[0]) * i64(8822609i) - i64(c1[1]) * i64(45932166i) - i64(c1[2]) * i64(52705572i) - i64(c1[3]) * i64(42265365i) - i64(c2[0]) * i64(64922507i) - i64(c2[1]) * i64(54486396i) - i64(c2[2]) * i64(4465511i) - i64(c2[3]) * i64(21286872i);
    let x4 = i64(i32(k[4])) - i64(c1[0]) * i64(3180242i) - i64(c1[1]) * i64(8822609i) - i64(c1[2]) * i64(45932166i) - i64(c1[3]) * i64(52705572i) - i64(c1[4]) * i64(42265365i) - i64(c2[0]) * i64(18139728i) - i64(c2[1]) * i64(64922507i) - i64(c2[2]) * i64(54486396i) - i64(c2[3]) * i64(4465511i) - i64(c2[4]) * i64(21286872i);
    let x5 = i64(i32(k[5])) - i64(c1[1]) * i64(3180242i) - i64(c1[2]) * i64(8822609i) - i64(c1[3]) * i64(45932166i) - i64(c1[4]) * i64(52705572i) - i64(c1[5]) * i64(42265365i) - i64(c2[1]) * i64(18139728i) - i64(c2[2]) * i64(64922507i) - i64(c2[3]) * i64(54486396i) - i64(c2[4]) * i64(4465511i) - i64(c2[5]) * i64(21286872i);
    let y0 = x0;
    let y1 = x1 + (y0 >> 26u);
    let y2 = x2 + (y1 >> 26u);
    let y3 = x3 + (y2 >> 26u);
    let y4 = x4 + (y3 >> 26u);
    let y5 = x5 + (y4 >> 26u);
    return Half(
        i32(y0) & 0x3ffffffi,
        i32(y1) & 0x3ffffffi,
        i32(y2) & 0x3ffffffi,
        i32(y3) & 0x3ffffffi,
        i32(y4) & 0x3ffffffi,
        (i32(y5) << 6u) >> 6u,
    );
}

fn sc_nearest_second(c1: Half, c2: Half) -> Half {
    let x0 = i64(c1[0]) * i64(46130371i) - i64(c2[0]) * i64(42265365i);
    let x1 = i64(c1[0]) * i64(18868802i) + i64(c1[1]) * i64(46130371i) - i64(c2[0]) * i64(52705572i) - i64(c2[1]) * i64(42265365i);
    let x2 = i64(c1[0]) * i64(8554229i) + i64(c1[1]) * i64(18868802i) + i64(c1[2]) * i64(46130371i) - i64(c2[0]) * i64(45932166i) - i64(c2[1]) * i64(52705572i) - i64(c2[2]) * i64(42265365i);
    let x3 = i64(c1[0]) * i64(56099898i) + i64(c1[1]) * i64(8554229i) + i64(c1[2]) * i64(18868802i) + i64(c1[3]) * i64(46130371i) - i64(c2[0]) * i64(8822609i) - i64(c2[1]) * i64(45932166i) - i64(c2[2]) * i64(52705572i) - i64(c2[3]) * i64(42265365i);
    let x4 = i64(c1[0]) * i64(14959486i) + i64(c1[1]) * i64(56099898i) + i64(c1[2]) * i64(8554229i) + i64(c1[3]) * i64(18868802i) + i64(c1[4]) * i64(46130371i) - i64(c2[0]) * i64(3180242i) - i64(c2[1]) * i64(8822609i) - i64(c2[2]) * i64(45932166i) - i64(c2[3]) * i64(52705572i) - i64(c2[4]) * i64(42265365i);
    let x5 = i64(c1[1]) * i64(14959486i) + i64(c1[2]) * i64(56099898i) + i64(c1[3]) * i64(8554229i) + i64(c1[4]) * i64(18868802i) + i64(c1[5]) * i64(46130371i) - i64(c2[1]) * i64(3180242i) - i64(c2[2]) * i64(8822609i) - i64(c2[3]) * i64(45932166i) - i64(c2[4]) * i64(52705572i) - i64(c2[5]) * i64(42265365i);
    let y0 = x0;
    let y1 = x1 + (y0 >> 26u);
    let y2 = x2 + (y1 >> 26u);
    let y3 = x3 + (y2 >> 26u);
    let y4 = x4 + (y3 >> 26u);
    let y5 = x5 + (y4 >> 26u);
    return Half(
        i32(y0) & 0x3ffffffi,
        i32(y1) & 0x3ffffffi,
        i32(y2) & 0x3ffffffi,
        i32(y3) & 0x3ffffffi,
        i32(y4) & 0x3ffffffi,
        (i32(y5) << 6u) >> 6u,
    );
}

const LATTICE_A1: Half = Half(0x284eb15i, 0x3243924i, 0x2bcde86i, 0x869f51i, 0x3086d2i, 0x0i);
const LATTICE_B1: Half = Half(0x2bfe4c3i, 0x11fea42i, 0x8286f5i, 0x358043ai, 0xe4437ei, 0x0i);
const LATTICE_A2: Half = Half(0x144cfd8i, 0x442367i, 0x33f657ci, 0x3dea38bi, 0x114ca50i, 0x0i);

// k + sign a, for a sign of -1, 0 or 1.
fn half_add(k: Half, a: Half, sign: i32) -> Half {
    return half_carry(Half(
        k[0] + sign * a[0],
        k[1] + sign * a[1],
        k[2] + sign * a[2],
        k[3] + sign * a[3],
        k[4] + sign * a[4],
        k[5] + sign * a[5],
    ));
}

// Words of a half that is not negative.
fn half_pack(k: Half) -> array<u32, 5> {
    return array<u32, 5>(
        u32(k[0]) | (u32(k[1]) << 26u),
        (u32(k[1]) >> 6u) | (u32(k[2]) << 20u),
        (u32(k[2]) >> 12u) | (u32(k[3]) << 14u),
        (u32(k[3]) >> 18u) | (u32(k[4]) << 8u),
        (u32(k[4]) >> 24u) | (u32(k[5]) << 2u),
    );
}
