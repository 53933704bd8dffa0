// Numbers mod p and mod n in 20 limbs of 13 bits, columns summed in u32.
//
// Twenty products of 26 bits fill a word but for a bit and a half, so that every function carries
// its result: in units of 2^13 a limb lies below 1 + 2^-4 always.
// Written by tests/shaders/generate.rs.

const LIMB_BITS: u32 = 13u;
const HALF_TOP: u32 = 11u;

// An element mod p, or a number mod n.
alias Fe = array<u32, 20>;
// Half a scalar, in two's complement: the top limb has the sign.
alias Half = array<i32, 12>;

const BETA: Fe = Fe(0x1eeu, 0xca8u, 0xa1cu, 0x12d8u, 0x1c13u, 0x4cau, 0xbd6u, 0xea2u, 0x1049u, 0xce7u, 0xd3au, 0x1868u, 0x19eau, 0x1223u, 0x1b9u, 0xe2u, 0x57cu, 0x115bu, 0x1a5au, 0xf5u);

// Limbs of eight words, lowest first.
fn limbs_load(w: array<u32, 8>) -> Fe {
    return Fe(
        w[0] & 0x1fffu,
        (w[0] >> 13u) & 0x1fffu,
        ((w[0] >> 26u) | (w[1] << 6u)) & 0x1fffu,
        (w[1] >> 7u) & 0x1fffu,
        ((w[1] >> 20u) | (w[2] << 12u)) & 0x1fffu,
        (w[2] >> 1u) & 0x1fffu,
        (w[2] >> 14u) & 0x1fffu,
        ((w[2] >> 27u) | (w[3] << 5u)) & 0x1fffu,
        (w[3] >> 8u) & 0x1fffu,
        ((w[3] >> 21u) | (w[4] << 11u)) & 0x1fffu,
        (w[4] >> 2u) & 0x1fffu,
        (w[4] >> 15u) & 0x1fffu,
        ((w[4] >> 28u) | (w[5] << 4u)) & 0x1fffu,
        (w[5] >> 9u) & 0x1fffu,
        ((w[5] >> 22u) | (w[6] << 10u)) & 0x1fffu,
        (w[6] >> 3u) & 0x1fffu,
        (w[6] >> 16u) & 0x1fffu,
        ((w[6] >> 29u) | (w[7] << 3u)) & 0x1fffu,
        (w[7] >> 10u) & 0x1fffu,
        (w[7] >> 23u),
    );
}

// Words of a number below 2^256 whose limbs are carried.
fn limbs_pack(a: Fe) -> array<u32, 8> {
    return array<u32, 8>(
        a[0] | (a[1] << 13u) | (a[2] << 26u),
        (a[2] >> 6u) | (a[3] << 7u) | (a[4] << 20u),
        (a[4] >> 12u) | (a[5] << 1u) | (a[6] << 14u) | (a[7] << 27u),
        (a[7] >> 5u) | (a[8] << 8u) | (a[9] << 21u),
        (a[9] >> 11u) | (a[10] << 2u) | (a[11] << 15u) | (a[12] << 28u),
        (a[12] >> 4u) | (a[13] << 9u) | (a[14] << 22u),
        (a[14] >> 10u) | (a[15] << 3u) | (a[16] << 16u) | (a[17] << 29u),
        (a[17] >> 3u) | (a[18] << 10u) | (a[19] << 23u),
    );
}

// The same element with limbs below 2^B (1 + 2^-4); those of `a` lie below 2^(B + 5).
fn fe_carry(a: Fe) -> Fe {
    let top = a[19] >> 13u;
    let s0 = a[0] + top * 0x1d10u;
    let s1 = a[1] + top * 0x1u;
    let s2 = a[2] + top * 0x400u;
    let s3 = a[3];
    let s4 = a[4];
    let s5 = a[5];
    let s6 = a[6];
    let s7 = a[7];
    let s8 = a[8];
    let s9 = a[9];
    let s10 = a[10];
    let s11 = a[11];
    let s12 = a[12];
    let s13 = a[13];
    let s14 = a[14];
    let s15 = a[15];
    let s16 = a[16];
    let s17 = a[17];
    let s18 = a[18];
    let s19 = (a[19] & 0x1fffu);
    return Fe(
        s0 & 0x1fffu,
        (s1 & 0x1fffu) + (s0 >> 13u),
        (s2 & 0x1fffu) + (s1 >> 13u),
        (s3 & 0x1fffu) + (s2 >> 13u),
        (s4 & 0x1fffu) + (s3 >> 13u),
        (s5 & 0x1fffu) + (s4 >> 13u),
        (s6 & 0x1fffu) + (s5 >> 13u),
        (s7 & 0x1fffu) + (s6 >> 13u),
        (s8 & 0x1fffu) + (s7 >> 13u),
        (s9 & 0x1fffu) + (s8 >> 13u),
        (s10 & 0x1fffu) + (s9 >> 13u),
        (s11 & 0x1fffu) + (s10 >> 13u),
        (s12 & 0x1fffu) + (s11 >> 13u),
        (s13 & 0x1fffu) + (s12 >> 13u),
        (s14 & 0x1fffu) + (s13 >> 13u),
        (s15 & 0x1fffu) + (s14 >> 13u),
        (s16 & 0x1fffu) + (s15 >> 13u),
        (s17 & 0x1fffu) + (s16 >> 13u),
        (s18 & 0x1fffu) + (s17 >> 13u),
        s19 + (s18 >> 13u),
    );
}

// a + b.
fn fe_add(a: Fe, b: Fe) -> Fe {
    let l0 = a[0] + b[0];
    let l1 = a[1] + b[1];
    let l2 = a[2] + b[2];
    let l3 = a[3] + b[3];
    let l4 = a[4] + b[4];
    let l5 = a[5] + b[5];
    let l6 = a[6] + b[6];
    let l7 = a[7] + b[7];
    let l8 = a[8] + b[8];
    let l9 = a[9] + b[9];
    let l10 = a[10] + b[10];
    let l11 = a[11] + b[11];
    let l12 = a[12] + b[12];
    let l13 = a[13] + b[13];
    let l14 = a[14] + b[14];
    let l15 = a[15] + b[15];
    let l16 = a[16] + b[16];
    let l17 = a[17] + b[17];
    let l18 = a[18] + b[18];
    let l19 = a[19] + b[19];
    let top = l19 >> 13u;
    let s0 = l0 + top * 0x1d10u;
    let s1 = l1 + top * 0x1u;
    let s2 = l2 + top * 0x400u;
    let s3 = l3;
    let s4 = l4;
    let s5 = l5;
    let s6 = l6;
    let s7 = l7;
    let s8 = l8;
    let s9 = l9;
    let s10 = l10;
    let s11 = l11;
    let s12 = l12;
    let s13 = l13;
    let s14 = l14;
    let s15 = l15;
    let s16 = l16;
    let s17 = l17;
    let s18 = l18;
    let s19 = (l19 & 0x1fffu);
    return Fe(
        s0 & 0x1fffu,
        (s1 & 0x1fffu) + (s0 >> 13u),
        (s2 & 0x1fffu) + (s1 >> 13u),
        (s3 & 0x1fffu) + (s2 >> 13u),
        (s4 & 0x1fffu) + (s3 >> 13u),
        (s5 & 0x1fffu) + (s4 >> 13u),
        (s6 & 0x1fffu) + (s5 >> 13u),
        (s7 & 0x1fffu) + (s6 >> 13u),
        (s8 & 0x1fffu) + (s7 >> 13u),
        (s9 & 0x1fffu) + (s8 >> 13u),
        (s10 & 0x1fffu) + (s9 >> 13u),
        (s11 & 0x1fffu) + (s10 >> 13u),
        (s12 & 0x1fffu) + (s11 >> 13u),
        (s13 & 0x1fffu) + (s12 >> 13u),
        (s14 & 0x1fffu) + (s13 >> 13u),
        (s15 & 0x1fffu) + (s14 >> 13u),
        (s16 & 0x1fffu) + (s15 >> 13u),
        (s17 & 0x1fffu) + (s16 >> 13u),
        (s18 & 0x1fffu) + (s17 >> 13u),
        s19 + (s18 >> 13u),
    );
}

// a - b, with a multiple of p so large that no limb runs below zero: those of b lie below
// 2 2^B.
fn fe_sub(a: Fe, b: Fe) -> Fe {
    let l0 = a[0] + (0x420fu - b[0]);
    let l1 = a[1] + (0x5ffau - b[1]);
    let l2 = a[2] + (0x57bdu - b[2]);
    let l3 = a[3] + (0x5ffdu - b[3]);
    let l4 = a[4] + (0x5ffdu - b[4]);
    let l5 = a[5] + (0x5ffdu - b[5]);
    let l6 = a[6] + (0x5ffdu - b[6]);
    let l7 = a[7] + (0x5ffdu - b[7]);
    let l8 = a[8] + (0x5ffdu - b[8]);
    let l9 = a[9] + (0x5ffdu - b[9]);
    let l10 = a[10] + (0x5ffdu - b[10]);
    let l11 = a[11] + (0x5ffdu - b[11]);
    let l12 = a[12] + (0x5ffdu - b[12]);
    let l13 = a[13] + (0x5ffdu - b[13]);
    let l14 = a[14] + (0x5ffdu - b[14]);
    let l15 = a[15] + (0x5ffdu - b[15]);
    let l16 = a[16] + (0x5ffdu - b[16]);
    let l17 = a[17] + (0x5ffdu - b[17]);
    let l18 = a[18] + (0x5ffdu - b[18]);
    let l19 = a[19] + (0x41fdu - b[19]);
    let top = l19 >> 13u;
    let s0 = l0 + top * 0x1d10u;
    let s1 = l1 + top * 0x1u;
    let s2 = l2 + top * 0x400u;
    let s3 = l3;
    let s4 = l4;
    let s5 = l5;
    let s6 = l6;
    let s7 = l7;
    let s8 = l8;
    let s9 = l9;
    let s10 = l10;
    let s11 = l11;
    let s12 = l12;
    let s13 = l13;
    let s14 = l14;
    let s15 = l15;
    let s16 = l16;
    let s17 = l17;
    let s18 = l18;
    let s19 = (l19 & 0x1fffu);
    return Fe(
        s0 & 0x1fffu,
        (s1 & 0x1fffu) + (s0 >> 13u),
        (s2 & 0x1fffu) + (s1 >> 13u),
        (s3 & 0x1fffu) + (s2 >> 13u),
        (s4 & 0x1fffu) + (s3 >> 13u),
        (s5 & 0x1fffu) + (s4 >> 13u),
        (s6 & 0x1fffu) + (s5 >> 13u),
        (s7 & 0x1fffu) + (s6 >> 13u),
        (s8 & 0x1fffu) + (s7 >> 13u),
        (s9 & 0x1fffu) + (s8 >> 13u),
        (s10 & 0x1fffu) + (s9 >> 13u),
        (s11 & 0x1fffu) + (s10 >> 13u),
        (s12 & 0x1fffu) + (s11 >> 13u),
        (s13 & 0x1fffu) + (s12 >> 13u),
        (s14 & 0x1fffu) + (s13 >> 13u),
        (s15 & 0x1fffu) + (s14 >> 13u),
        (s16 & 0x1fffu) + (s15 >> 13u),
        (s17 & 0x1fffu) + (s16 >> 13u),
        (s18 & 0x1fffu) + (s17 >> 13u),
        s19 + (s18 >> 13u),
    );
}

// k a, for k up to 8.
fn fe_times(a: Fe, k: u32) -> Fe {
    let l0 = a[0] * k;
    let l1 = a[1] * k;
    let l2 = a[2] * k;
    let l3 = a[3] * k;
    let l4 = a[4] * k;
    let l5 = a[5] * k;
    let l6 = a[6] * k;
    let l7 = a[7] * k;
    let l8 = a[8] * k;
    let l9 = a[9] * k;
    let l10 = a[10] * k;
    let l11 = a[11] * k;
    let l12 = a[12] * k;
    let l13 = a[13] * k;
    let l14 = a[14] * k;
    let l15 = a[15] * k;
    let l16 = a[16] * k;
    let l17 = a[17] * k;
    let l18 = a[18] * k;
    let l19 = a[19] * k;
    let top = l19 >> 13u;
    let s0 = l0 + top * 0x1d10u;
    let s1 = l1 + top * 0x1u;
    let s2 = l2 + top * 0x400u;
    let s3 = l3;
    let s4 = l4;
    let s5 = l5;
    let s6 = l6;
    let s7 = l7;
    let s8 = l8;
    let s9 = l9;
    let s10 = l10;
    let s11 = l11;
    let s12 = l12;
    let s13 = l13;
    let s14 = l14;
    let s15 = l15;
    let s16 = l16;
    let s17 = l17;
    let s18 = l18;
    let s19 = (l19 & 0x1fffu);
    return Fe(
        s0 & 0x1fffu,
        (s1 & 0x1fffu) + (s0 >> 13u),
        (s2 & 0x1fffu) + (s1 >> 13u),
        (s3 & 0x1fffu) + (s2 >> 13u),
        (s4 & 0x1fffu) + (s3 >> 13u),
        (s5 & 0x1fffu) + (s4 >> 13u),
        (s6 & 0x1fffu) + (s5 >> 13u),
        (s7 & 0x1fffu) + (s6 >> 13u),
        (s8 & 0x1fffu) + (s7 >> 13u),
        (s9 & 0x1fffu) + (s8 >> 13u),
        (s10 & 0x1fffu) + (s9 >> 13u),
        (s11 & 0x1fffu) + (s10 >> 13u),
        (s12 & 0x1fffu) + (s11 >> 13u),
        (s13 & 0x1fffu) + (s12 >> 13u),
        (s14 & 0x1fffu) + (s13 >> 13u),
        (s15 & 0x1fffu) + (s14 >> 13u),
        (s16 & 0x1fffu) + (s15 >> 13u),
        (s17 & 0x1fffu) + (s16 >> 13u),
        (s18 & 0x1fffu) + (s17 >> 13u),
        s19 + (s18 >> 13u),
    );
}

// a b.
fn fe_mul(a: Fe, b: Fe) -> Fe {
    let high0 = a[1] * b[19] + a[2] * b[18] + a[3] * b[17] + a[4] * b[16] + a[5] * b[15] + a[6] * b[14] + a[7] * b[13] + a[8] * b[12] + a[9] * b[11] + a[10] * b[10] + a[11] * b[9] + a[12] * b[8] + a[13] * b[7] + a[14] * b[6] + a[15] * b[5] + a[16] * b[4] + a[17] * b[3] + a[18] * b[2] + a[19] * b[1];
    let h0 = high0 & 8191u;
    let low0 = a[0] * b[0] + h0 * 7440u;
    let t0 = low0 & 0x1fffu;
    let high1 = (high0 >> 13u) + a[2] * b[19] + a[3] * b[18] + a[4] * b[17] + a[5] * b[16] + a[6] * b[15] + a[7] * b[14] + a[8] * b[13] + a[9] * b[12] + a[10] * b[11] + a[11] * b[10] + a[12] * b[9] + a[13] * b[8] + a[14] * b[7] + a[15] * b[6] + a[16] * b[5] + a[17] * b[4] + a[18] * b[3] + a[19] * b[2];
    let h1 = high1 & 8191u;
    let low1 = (low0 >> 13u) + a[0] * b[1] + a[1] * b[0] + h1 * 7440u + h0 * 1u;
    let t1 = low1 & 0x1fffu;
    let high2 = (high1 >> 13u) + a[3] * b[19] + a[4] * b[18] + a[5] * b[17] + a[6] * b[16] + a[7] * b[15] + a[8] * b[14] + a[9] * b[13] + a[10] * b[12] + a[11] * b[11] + a[12] * b[10] + a[13] * b[9] + a[14] * b[8] + a[15] * b[7] + a[16] * b[6] + a[17] * b[5] + a[18] * b[4] + a[19] * b[3];
    let h2 = high2 & 8191u;
    let low2 = (low1 >> 13u) + a[0] * b[2] + a[1] * b[1] + a[2] * b[0] + h2 * 7440u + h1 * 1u + h0 * 1024u;
    let t2 = low2 & 0x1fffu;
    let high3 = (high2 >> 13u) + a[4] * b[19] + a[5] * b[18] + a[6] * b[17] + a[7] * b[16] + a[8] * b[15] + a[9] * b[14] + a[10] * b[13] + a[11] * b[12] + a[12] * b[11] + a[13] * b[10] + a[14] * b[9] + a[15] * b[8] + a[16] * b[7] + a[17] * b[6] + a[18] * b[5] + a[19] * b[4];
    let h3 = high3 & 8191u;
    let low3 = (low2 >> 13u) + a[0] * b[3] + a[1] * b[2] + a[2] * b[1] + a[3] * b[0] + h3 * 7440u + h2 * 1u + h1 * 1024u;
    let t3 = low3 & 0x1fffu;
    let high4 = (high3 >> 13u) + a[5] * b[19] + a[6] * b[18] + a[7] * b[17] + a[8] * b[16] + a[9] * b[15] + a[10] * b[14] + a[11] * b[13] + a[12] * b[12] + a[13] * b[11] + a[14] * b[10] + a[15] * b[9] + a[16] * b[8] + a[17] * b[7] + a[18] * b[6] + a[19] * b[5];
    let h4 = high4 & 8191u;
    let low4 = (low3 >> 13u) + a[0] * b[4] + a[1] * b[3] + a[2] * b[2] + a[3] * b[1] + a[4] * b[0] + h4 * 7440u + h3 * 1u + h2 * 1024u;
    let t4 = low4 & 0x1fffu;
    let high5 = (high4 >> 13u) + a[6] * b[19] + a[7] * b[18] + a[8] * b[17] + a[9] * b[16] + a[10] * b[15] + a[11] * b[14] + a[12] * b[13] + a[13] * b[12] + a[14] * b[11] + a[15] * b[10] + a[16] * b[9] + a[17] * b[8] + a[18] * b[7] + a[19] * b[6];
    let h5 = high5 & 8191u;
    let low5 = (low4 >> 13u) + a[0] * b[5] + a[1] * b[4] + a[2] * b[3] + a[3] * b[2] + a[4] * b[1] + a[5] * b[0] + h5 * 7440u + h4 * 1u + h3 * 1024u;
    let t5 = low5 & 0x1fffu;
    let high6 = (high5 >> 13u) + a[7] * b[19] + a[8] * b[18] + a[9] * b[17] + a[10] * b[16] + a[11] * b[15] + a[12] * b[14] + a[13] * b[13] + a[14] * b[12] + a[15] * b[11] + a[16] * b[10] + a[17] * b[9] + a[18] * b[8] + a[19] * b[7];
    let h6 = high6 & 8191u;
    let low6 = (low5 >> 13u) + a[0] * b[6] + a[1] * b[5] + a[2] * b[4] + a[3] * b[3] + a[4] * b[2] + a[5] * b[1] + a[6] * b[0] + h6 * 7440u + h5 * 1u + h4 * 1024u;
    let t6 = low6 & 0x1fffu;
    let high7 = (high6 >> 13u) + a[8] * b[19] + a[9] * b[18] + a[10] * b[17] + a[11] * b[16] + a[12] * b[15] + a[13] * b[14] + a[14] * b[13] + a[15] * b[12] + a[16] * b[11] + a[17] * b[10] + a[18] * b[9] + a[19] * b[8];
    let h7 = high7 & 8191u;
    let low7 = (low6 >> 13u) + a[0] * b[7] + a[1] * b[6] + a[2] * b[5] + a[3] * b[4] + a[4] * b[3] + a[5] * b[2] + a[6] * b[1] + a[7] * b[0] + h7 * 7440u + h6 * 1u + h5 * 1024u;
    let t7 = low7 & 0x1fffu;
    let high8 = (high7 >> 13u) + a[9] * b[19] + a[10] * b[18] + a[11] * b[17] + a[12] * b[16] + a[13] * b[15] + a[14] * b[14] + a[15] * b[13] + a[16] * b[12] + a[17] * b[11] + a[18] * b[10] + a[19] * b[9];
    let h8 = high8 & 8191u;
    let low8 = (low7 >> 13u) + a[0] * b[8] + a[1] * b[7] + a[2] * b[6] + a[3] * b[5] + a[4] * b[4] + a[5] * b[3] + a[6] * b[2] + a[7] * b[1] + a[8] * b[0] + h8 * 7440u + h7 * 1u + h6 * 1024u;
    let t8 = low8 & 0x1fffu;
    let high9 = (high8 >> 13u) + a[10] * b[19] + a[11] * b[18] + a[12] * b[17] + a[13] * b[16] + a[14] * b[15] + a[15] * b[14] + a[16] * b[13] + a[17] * b[12] + a[18] * b[11] + a[19] * b[10];
    let h9 = high9 & 8191u;
    let low9 = (low8 >> 13u) + a[0] * b[9] + a[1] * b[8] + a[2] * b[7] + a[3] * b[6] + a[4] * b[5] + a[5] * b[4] + a[6] * b[3] + a[7] * b[2] + a[8] * b[1] + a[9] * b[0] + h9 * 7440u + h8 * 1u + h7 * 1024u;
    let t9 = low9 & 0x1fffu;
    let high10 = (high9 >> 13u) + a[11] * b[19] + a[12] * b[18] + a[13] * b[17] + a[14] * b[16] + a[15] * b[15] + a[16] * b[14] + a[17] * b[13] + a[18] * b[12] + a[19] * b[11];
    let h10 = high10 & 8191u;
    let low10 = (low9 >> 13u) + a[0] * b[10] + a[1] * b[9] + a[2] * b[8] + a[3] * b[7] + a[4] * b[6] + a[5] * b[5] + a[6] * b[4] + a[7] * b[3] + a[8] * b[2] + a[9] * b[1] + a[10] * b[0] + h10 * 7440u + h9 * 1u + h8 * 1024u;
    let t10 = low10 & 0x1fffu;
    let high11 = (high10 >> 13u) + a[12] * b[19] + a[13] * b[18] + a[14] * b[17] + a[15] * b[16] + a[16] * b[15] + a[17] * b[14] + a[18] * b[13] + a[19] * b[12];
    let h11 = high11 & 8191u;
    let low11 = (low10 >> 13u) + a[0] * b[11] + a[1] * b[10] + a[2] * b[9] + a[3] * b[8] + a[4] * b[7] + a[5] * b[6] + a[6] * b[5] + a[7] * b[4] + a[8] * b[3] + a[9] * b[2] + a[10] * b[1] + a[11] * b[0] + h11 * 7440u + h10 * 1u + h9 * 1024u;
    let t11 = low11 & 0x1fffu;
    let high12 = (high11 >> 13u) + a[13] * b[19] + a[14] * b[18] + a[15] * b[17] + a[16] * b[16] + a[17] * b[15] + a[18] * b[14] + a[19] * b[13];
    let h12 = high12 & 8191u;
    let low12 = (low11 >> 13u) + a[0] * b[12] + a[1] * b[11] + a[2] * b[10] + a[3] * b[9] + a[4] * b[8] + a[5] * b[7] + a[6] * b[6] + a[7] * b[5] + a[8] * b[4] + a[9] * b[3] + a[10] * b[2] + a[11] * b[1] + a[12] * b[0] + h12 * 7440u + h11 * 1u + h10 * 1024u;
    let t12 = low12 & 0x1fffu;
    let high13 = (high12 >> 13u) + a[14] * b[19] + a[15] * b[18] + a[16] * b[17] + a[17] * b[16] + a[18] * b[15] + a[19] * b[14];
    let h13 = high13 & 8191u;
    let low13 = (low12 >> 13u) + a[0] * b[13] + a[1] * b[12] + a[2] * b[11] + a[3] * b[10] + a[4] * b[9] + a[5] * b[8] + a[6] * b[7] + a[7] * b[6] + a[8] * b[5] + a[9] * b[4] + a[10] * b[3] + a[11] * b[2] + a[12] * b[1] + a[13] * b[0] + h13 * 7440u + h12 * 1u + h11 * 1024u;
    let t13 = low13 & 0x1fffu;
    let high14 = (high13 >> 13u) + a[15] * b[19] + a[16] * b[18] + a[17] * b[17] + a[18] * b[16] + a[19] * b[15];
    let h14 = high14 & 8191u;
    let low14 = (low13 >> 13u) + a[0] * b[14] + a[1] * b[13] + a[2] * b[12] + a[3] * b[11] + a[4] * b[10] + a[5] * b[9] + a[6] * b[8] + a[7] * b[7] + a[8] * b[6] + a[9] * b[5] + a[10] * b[4] + a[11] * b[3] + a[12] * b[2] + a[13] * b[1] + a[14] * b[0] + h14 * 7440u + h13 * 1u + h12 * 1024u;
    let t14 = low14 & 0x1fffu;
    let high15 = (high14 >> 13u) + a[16] * b[19] + a[17] * b[18] + a[18] * b[17] + a[19] * b[16];
    let h15 = high15 & 8191u;
    let low15 = (low14 >> 13u) + a[0] * b[15] + a[1] * b[14] + a[2] * b[13] + a[3] * b[12] + a[4] * b[11] + a[5] * b[10] + a[6] * b[9] + a[7] * b[8] + a[8] * b[7] + a[9] * b[6] + a[10] * b[5] + a[11] * b[4] + a[12] * b[3] + a[13] * b[2] + a[14] * b[1] + a[15] * b[0] + h15 * 7440u + h14 * 1u + h13 * 1024u;
    let t15 = low15 & 0x1fffu;
    let high16 = (high15 >> 13u) + a[17] * b[19] + a[18] * b[18] + a[19] * b[17];
    let h16 = high16 & 8191u;
    let low16 = (low15 >> 13u) + a[0] * b[16] + a[1] * b[15] + a[2] * b[14] + a[3] * b[13] + a[4] * b[12] + a[5] * b[11] + a[6] * b[10] + a[7] * b[9] + a[8] * b[8] + a[9] * b[7] + a[10] * b[6] + a[11] * b[5] + a[12] * b[4] + a[13] * b[3] + a[14] * b[2] + a[15] * b[1] + a[16] * b[0] + h16 * 7440u + h15 * 1u + h14 * 1024u;
    let t16 = low16 & 0x1fffu;
    let high17 = (high16 >> 13u) + a[18] * b[19] + a[19] * b[18];
    let h17 = high17 & 8191u;
    let low17 = (low16 >> 13u) + a[0] * b[17] + a[1] * b[16] + a[2] * b[15] + a[3] * b[14] + a[4] * b[13] + a[5] * b[12] + a[6] * b[11] + a[7] * b[10] + a[8] * b[9] + a[9] * b[8] + a[10] * b[7] + a[11] * b[6] + a[12] * b[5] + a[13] * b[4] + a[14] * b[3] + a[15] * b[2] + a[16] * b[1] + a[17] * b[0] + h17 * 7440u + h16 * 1u + h15 * 1024u;
    let t17 = low17 & 0x1fffu;
    let high18 = (high17 >> 13u) + a[19] * b[19];
    let h18 = high18 & 8191u;
    let low18 = (low17 >> 13u) + a[0] * b[18] + a[1] * b[17] + a[2] * b[16] + a[3] * b[15] + a[4] * b[14] + a[5] * b[13] + a[6] * b[12] + a[7] * b[11] + a[8] * b[10] + a[9] * b[9] + a[10] * b[8] + a[11] * b[7] + a[12] * b[6] + a[13] * b[5] + a[14] * b[4] + a[15] * b[3] + a[16] * b[2] + a[17] * b[1] + a[18] * b[0] + h18 * 7440u + h17 * 1u + h16 * 1024u;
    let t18 = low18 & 0x1fffu;
    let high19 = (high18 >> 13u);
    let h19 = high19 & 8191u;
    let low19 = (low18 >> 13u) + a[0] * b[19] + a[1] * b[18] + a[2] * b[17] + a[3] * b[16] + a[4] * b[15] + a[5] * b[14] + a[6] * b[13] + a[7] * b[12] + a[8] * b[11] + a[9] * b[10] + a[10] * b[9] + a[11] * b[8] + a[12] * b[7] + a[13] * b[6] + a[14] * b[5] + a[15] * b[4] + a[16] * b[3] + a[17] * b[2] + a[18] * b[1] + a[19] * b[0] + h19 * 7440u + h18 * 1u + h17 * 1024u;
    let t19 = low19 & 0x1fffu;
    let h20 = high19 >> 13u;
    let over0 = (low19 >> 13u) + h18 * 1024u + h19 * 1u + h20 * 7440u;
    let o0 = over0 & 8191u;
    let over1 = (over0 >> 13u) + h19 * 1024u + h20 * 1u;
    let o1 = over1 & 8191u;
    let over2 = (over1 >> 13u) + h20 * 1024u;
    let o2 = over2 & 8191u;
    let o3 = over2 >> 13u;
    let sum0 = t0 + o0 * 7440u;
    let sum1 = t1 + (sum0 >> 13u) + o1 * 7440u + o0 * 1u;
    let sum2 = t2 + (sum1 >> 13u) + o2 * 7440u + o1 * 1u + o0 * 1024u;
    let sum3 = t3 + (sum2 >> 13u) + o3 * 7440u + o2 * 1u + o1 * 1024u;
    let sum4 = t4 + (sum3 >> 13u) + o3 * 1u + o2 * 1024u;
    let sum5 = t5 + (sum4 >> 13u) + o3 * 1024u;
    return Fe(
        sum0 & 0x1fffu,
        sum1 & 0x1fffu,
        sum2 & 0x1fffu,
        sum3 & 0x1fffu,
        sum4 & 0x1fffu,
        sum5 & 0x1fffu,
        t6 + (sum5 >> 13u),
        t7,
        t8,
        t9,
        t10,
        t11,
        t12,
        t13,
        t14,
        t15,
        t16,
        t17,
        t18,
        t19,
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
    let d9 = a[9] << 1u;
    let d10 = a[10] << 1u;
    let d11 = a[11] << 1u;
    let d12 = a[12] << 1u;
    let d13 = a[13] << 1u;
    let d14 = a[14] << 1u;
    let d15 = a[15] << 1u;
    let d16 = a[16] << 1u;
    let d17 = a[17] << 1u;
    let d18 = a[18] << 1u;
    let high0 = d1 * a[19] + d2 * a[18] + d3 * a[17] + d4 * a[16] + d5 * a[15] + d6 * a[14] + d7 * a[13] + d8 * a[12] + d9 * a[11] + a[10] * a[10];
    let h0 = high0 & 8191u;
    let low0 = a[0] * a[0] + h0 * 7440u;
    let t0 = low0 & 0x1fffu;
    let high1 = (high0 >> 13u) + d2 * a[19] + d3 * a[18] + d4 * a[17] + d5 * a[16] + d6 * a[15] + d7 * a[14] + d8 * a[13] + d9 * a[12] + d10 * a[11];
    let h1 = high1 & 8191u;
    let low1 = (low0 >> 13u) + d0 * a[1] + h1 * 7440u + h0 * 1u;
    let t1 = low1 & 0x1fffu;
    let high2 = (high1 >> 13u) + d3 * a[19] + d4 * a[18] + d5 * a[17] + d6 * a[16] + d7 * a[15] + d8 * a[14] + d9 * a[13] + d10 * a[12] + a[11] * a[11];
    let h2 = high2 & 8191u;
    let low2 = (low1 >> 13u) + d0 * a[2] + a[1] * a[1] + h2 * 7440u + h1 * 1u + h0 * 1024u;
    let t2 = low2 & 0x1fffu;
    let high3 = (high2 >> 13u) + d4 * a[19] + d5 * a[18] + d6 * a[17] + d7 * a[16] + d8 * a[15] + d9 * a[14] + d10 * a[13] + d11 * a[12];
    let h3 = high3 & 8191u;
    let low3 = (low2 >> 13u) + d0 * a[3] + d1 * a[2] + h3 * 7440u + h2 * 1u + h1 * 1024u;
    let t3 = low3 & 0x1fffu;
    let high4 = (high3 >> 13u) + d5 * a[19] + d6 * a[18] + d7 * a[17] + d8 * a[16] + d9 * a[15] + d10 * a[14] + d11 * a[13] + a[12] * a[12];
    let h4 = high4 & 8191u;
    let low4 = (low3 >> 13u) + d0 * a[4] + d1 * a[3] + a[2] * a[2] + h4 * 7440u + h3 * 1u + h2 * 1024u;
    let t4 = low4 & 0x1fffu;
    let high5 = (high4 >> 13u) + d6 * a[19] + d7 * a[18] + d8 * a[17] + d9 * a[16] + d10 * a[15] + d11 * a[14] + d12 * a[13];
    let h5 = high5 & 8191u;
    let low5 = (low4 >> 13u) + d0 * a[5] + d1 * a[4] + d2 * a[3] + h5 * 7440u + h4 * 1u + h3 * 1024u;
    let t5 = low5 & 0x1fffu;
    let high6 = (high5 >> 13u) + d7 * a[19] + d8 * a[18] + d9 * a[17] + d10 * a[16] + d11 * a[15] + d12 * a[14] + a[13] * a[13];
    let h6 = high6 & 8191u;
    let low6 = (low5 >> 13u) + d0 * a[6] + d1 * a[5] + d2 * a[4] + a[3] * a[3] + h6 * 7440u + h5 * 1u + h4 * 1024u;
    let t6 = low6 & 0x1fffu;
    let high7 = (high6 >> 13u) + d8 * a[19] + d9 * a[18] + d10 * a[17] + d11 * a[16] + d12 * a[15] + d13 * a[14];
    let h7 = high7 & 8191u;
    let low7 = (low6 >> 13u) + d0 * a[7] + d1 * a[6] + d2 * a[5] + d3 * a[4] + h7 * 7440u + h6 * 1u + h5 * 1024u;
    let t7 = low7 & 0x1fffu;
    let high8 = (high7 >> 13u) + d9 * a[19] + d10 * a[18] + d11 * a[17] + d12 * a[16] + d13 * a[15] + a[14] * a[14];
    let h8 = high8 & 8191u;
    let low8 = (low7 >> 13u) + d0 * a[8] + d1 * a[7] + d2 * a[6] + d3 * a[5] + a[4] * a[4] + h8 * 7440u + h7 * 1u + h6 * 1024u;
    let t8 = low8 & 0x1fffu;
    let high9 = (high8 >> 13u) + d10 * a[19] + d11 * a[18] + d12 * a[17] + d13 * a[16] + d14 * a[15];
    let h9 = high9 & 8191u;
    let low9 = (low8 >> 13u) + d0 * a[9] + d1 * a[8] + d2 * a[7] + d3 * a[6] + d4 * a[5] + h9 * 7440u + h8 * 1u + h7 * 1024u;
    let t9 = low9 & 0x1fffu;
    let high10 = (high9 >> 13u) + d11 * a[19] + d12 * a[18] + d13 * a[17] + d14 * a[16] + a[15] * a[15];
    let h10 = high10 & 8191u;
    let low10 = (low9 >> 13u) + d0 * a[10] + d1 * a[9] + d2 * a[8] + d3 * a[7] + d4 * a[6] + a[5] * a[5] + h10 * 7440u + h9 * 1u + h8 * 1024u;
    let t10 = low10 & 0x1fffu;
    let high11 = (high10 >> 13u) + d12 * a[19] + d13 * a[18] + d14 * a[17] + d15 * a[16];
    let h11 = high11 & 8191u;
    let low11 = (low10 >> 13u) + d0 * a[11] + d1 * a[10] + d2 * a[9] + d3 * a[8] + d4 * a[7] + d5 * a[6] + h11 * 7440u + h10 * 1u + h9 * 1024u;
    let t11 = low11 & 0x1fffu;
    let high12 = (high11 >> 13u) + d13 * a[19] + d14 * a[18] + d15 * a[17] + a[16] * a[16];
    let h12 = high12 & 8191u;
    let low12 = (low11 >> 13u) + d0 * a[12] + d1 * a[11] + d2 * a[10] + d3 * a[9] + d4 * a[8] + d5 * a[7] + a[6] * a[6] + h12 * 7440u + h11 * 1u + h10 * 1024u;
    let t12 = low12 & 0x1fffu;
    let high13 = (high12 >> 13u) + d14 * a[19] + d15 * a[18] + d16 * a[17];
    let h13 = high13 & 8191u;
    let low13 = (low12 >> 13u) + d0 * a[13] + d1 * a[12] + d2 * a[11] + d3 * a[10] + d4 * a[9] + d5 * a[8] + d6 * a[7] + h13 * 7440u + h12 * 1u + h11 * 1024u;
    let t13 = low13 & 0x1fffu;
    let high14 = (high13 >> 13u) + d15 * a[19] + d16 * a[18] + a[17] * a[17];
    let h14 = high14 & 8191u;
    let low14 = (low13 >> 13u) + d0 * a[14] + d1 * a[13] + d2 * a[12] + d3 * a[11] + d4 * a[10] + d5 * a[9] + d6 * a[8] + a[7] * a[7] + h14 * 7440u + h13 * 1u + h12 * 1024u;
    let t14 = low14 & 0x1fffu;
    let high15 = (high14 >> 13u) + d16 * a[19] + d17 * a[18];
    let h15 = high15 & 8191u;
    let low15 = (low14 >> 13u) + d0 * a[15] + d1 * a[14] + d2 * a[13] + d3 * a[12] + d4 * a[11] + d5 * a[10] + d6 * a[9] + d7 * a[8] + h15 * 7440u + h14 * 1u + h13 * 1024u;
    let t15 = low15 & 0x1fffu;
    let high16 = (high15 >> 13u) + d17 * a[19] + a[18] * a[18];
    let h16 = high16 & 8191u;
    let low16 = (low15 >> 13u) + d0 * a[16] + d1 * a[15] + d2 * a[14] + d3 * a[13] + d4 * a[12] + d5 * a[11] + d6 * a[10] + d7 * a[9] + a[8] * a[8] + h16 * 7440u + h15 * 1u + h14 * 1024u;
    let t16 = low16 & 0x1fffu;
    let high17 = (high16 >> 13u) + d18 * a[19];
    let h17 = high17 & 8191u;
    let low17 = (low16 >> 13u) + d0 * a[17] + d1 * a[16] + d2 * a[15] + d3 * a[14] + d4 * a[13] + d5 * a[12] + d6 * a[11] + d7 * a[10] + d8 * a[9] + h17 * 7440u + h16 * 1u + h15 * 1024u;
    let t17 = low17 & 0x1fffu;
    let high18 = (high17 >> 13u) + a[19] * a[19];
    let h18 = high18 & 8191u;
    let low18 = (low17 >> 13u) + d0 * a[18] + d1 * a[17] + d2 * a[16] + d3 * a[15] + d4 * a[14] + d5 * a[13] + d6 * a[12] + d7 * a[11] + d8 * a[10] + a[9] * a[9] + h18 * 7440u + h17 * 1u + h16 * 1024u;
    let t18 = low18 & 0x1fffu;
    let high19 = (high18 >> 13u);
    let h19 = high19 & 8191u;
    let low19 = (low18 >> 13u) + d0 * a[19] + d1 * a[18] + d2 * a[17] + d3 * a[16] + d4 * a[15] + d5 * a[14] + d6 * a[13] + d7 * a[12] + d8 * a[11] + d9 * a[10] + h19 * 7440u + h18 * 1u + h17 * 1024u;
    let t19 = low19 & 0x1fffu;
    let h20 = high19 >> 13u;
    let over0 = (low19 >> 13u) + h18 * 1024u + h19 * 1u + h20 * 7440u;
    let o0 = over0 & 8191u;
    let over1 = (over0 >> 13u) + h19 * 1024u + h20 * 1u;
    let o1 = over1 & 8191u;
    let over2 = (over1 >> 13u) + h20 * 1024u;
    let o2 = over2 & 8191u;
    let o3 = over2 >> 13u;
    let sum0 = t0 + o0 * 7440u;
    let sum1 = t1 + (sum0 >> 13u) + o1 * 7440u + o0 * 1u;
    let sum2 = t2 + (sum1 >> 13u) + o2 * 7440u + o1 * 1u + o0 * 1024u;
    let sum3 = t3 + (sum2 >> 13u) + o3 * 7440u + o2 * 1u + o1 * 1024u;
    let sum4 = t4 + (sum3 >> 13u) + o3 * 1u + o2 * 1024u;
    let sum5 = t5 + (sum4 >> 13u) + o3 * 1024u;
    return Fe(
        sum0 & 0x1fffu,
        sum1 & 0x1fffu,
        sum2 & 0x1fffu,
        sum3 & 0x1fffu,
        sum4 & 0x1fffu,
        sum5 & 0x1fffu,
        t6 + (sum5 >> 13u),
        t7,
        t8,
        t9,
        t10,
        t11,
        t12,
        t13,
        t14,
        t15,
        t16,
        t17,
        t18,
        t19,
    );
}

// The same element below p. Limbs of `a` lie below 2^(B + 5), in the smaller format below 2^(B + 1).
fn fe_normalize(a: Fe) -> Fe {
    let top = a[19] >> 9u;
    let x0 = a[0] + top * 977u;
    let x1 = a[1] + (x0 >> 13u);
    let x2 = a[2] + (x1 >> 13u) + (top << 6u);
    let x3 = a[3] + (x2 >> 13u);
    let x4 = a[4] + (x3 >> 13u);
    let x5 = a[5] + (x4 >> 13u);
    let x6 = a[6] + (x5 >> 13u);
    let x7 = a[7] + (x6 >> 13u);
    let x8 = a[8] + (x7 >> 13u);
    let x9 = a[9] + (x8 >> 13u);
    let x10 = a[10] + (x9 >> 13u);
    let x11 = a[11] + (x10 >> 13u);
    let x12 = a[12] + (x11 >> 13u);
    let x13 = a[13] + (x12 >> 13u);
    let x14 = a[14] + (x13 >> 13u);
    let x15 = a[15] + (x14 >> 13u);
    let x16 = a[16] + (x15 >> 13u);
    let x17 = a[17] + (x16 >> 13u);
    let x18 = a[18] + (x17 >> 13u);
    let x19 = (a[19] & 0x1ffu) + (x18 >> 13u);
    // x - p + 2^256: what it has above 2^256 says whether x reaches p.
    let y0 = (x0 & 0x1fffu) + 977u;
    let y1 = (x1 & 0x1fffu) + (y0 >> 13u);
    let y2 = (x2 & 0x1fffu) + (y1 >> 13u) + 64u;
    let y3 = (x3 & 0x1fffu) + (y2 >> 13u);
    let y4 = (x4 & 0x1fffu) + (y3 >> 13u);
    let y5 = (x5 & 0x1fffu) + (y4 >> 13u);
    let y6 = (x6 & 0x1fffu) + (y5 >> 13u);
    let y7 = (x7 & 0x1fffu) + (y6 >> 13u);
    let y8 = (x8 & 0x1fffu) + (y7 >> 13u);
    let y9 = (x9 & 0x1fffu) + (y8 >> 13u);
    let y10 = (x10 & 0x1fffu) + (y9 >> 13u);
    let y11 = (x11 & 0x1fffu) + (y10 >> 13u);
    let y12 = (x12 & 0x1fffu) + (y11 >> 13u);
    let y13 = (x13 & 0x1fffu) + (y12 >> 13u);
    let y14 = (x14 & 0x1fffu) + (y13 >> 13u);
    let y15 = (x15 & 0x1fffu) + (y14 >> 13u);
    let y16 = (x16 & 0x1fffu) + (y15 >> 13u);
    let y17 = (x17 & 0x1fffu) + (y16 >> 13u);
    let y18 = (x18 & 0x1fffu) + (y17 >> 13u);
    let y19 = x19 + (y18 >> 13u);
    let reaches = (y19 >> 9u) != 0u;
    return Fe(
        select(x0, y0, reaches) & 0x1fffu,
        select(x1, y1, reaches) & 0x1fffu,
        select(x2, y2, reaches) & 0x1fffu,
        select(x3, y3, reaches) & 0x1fffu,
        select(x4, y4, reaches) & 0x1fffu,
        select(x5, y5, reaches) & 0x1fffu,
        select(x6, y6, reaches) & 0x1fffu,
        select(x7, y7, reaches) & 0x1fffu,
        select(x8, y8, reaches) & 0x1fffu,
        select(x9, y9, reaches) & 0x1fffu,
        select(x10, y10, reaches) & 0x1fffu,
        select(x11, y11, reaches) & 0x1fffu,
        select(x12, y12, reaches) & 0x1fffu,
        select(x13, y13, reaches) & 0x1fffu,
        select(x14, y14, reaches) & 0x1fffu,
        select(x15, y15, reaches) & 0x1fffu,
        select(x16, y16, reaches) & 0x1fffu,
        select(x17, y17, reaches) & 0x1fffu,
        select(x18, y18, reaches) & 0x1fffu,
        select(x19, y19 & 0x1ffu, reaches),
    );
}

// Whether a number with carried limbs, below its modulus, is zero.
fn limbs_are_zero(a: Fe) -> bool {
    return (a[0] | a[1] | a[2] | a[3] | a[4] | a[5] | a[6] | a[7] | a[8] | a[9] | a[10] | a[11] | a[12] | a[13] | a[14] | a[15] | a[16] | a[17] | a[18] | a[19]) == 0u;
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
        select(a[10], b[10], which),
        select(a[11], b[11], which),
        select(a[12], b[12], which),
        select(a[13], b[13], which),
        select(a[14], b[14], which),
        select(a[15], b[15], which),
        select(a[16], b[16], which),
        select(a[17], b[17], which),
        select(a[18], b[18], which),
        select(a[19], b[19], which),
    );
}

// What a sum or difference has to go through before it may be subtracted.
fn fe_settle(a: Fe) -> Fe {
    return a;
}

// a b / 2^260 mod n, below 1.1 n, limbs carried (Montgomery's product). Both numbers lie below
// 1.1 2^256, their limbs below 2^B.
fn sc_mul(a: Fe, b: Fe) -> Fe {
    let s0 = a[0] * b[0];
    let m0 = ((s0 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c0 = s0 + m0 * 321u;
    let s1 = (c0 >> 13u) + a[0] * b[1] + a[1] * b[0] + m0 * 434u;
    let m1 = ((s1 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c1 = s1 + m1 * 321u;
    let s2 = (c1 >> 13u) + a[0] * b[2] + a[1] * b[1] + a[2] * b[0] + m0 * 820u + m1 * 434u;
    let m2 = ((s2 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c2 = s2 + m2 * 321u;
    let s3 = (c2 >> 13u) + a[0] * b[3] + a[1] * b[2] + a[2] * b[1] + a[3] * b[0] + m0 * 1213u + m1 * 820u + m2 * 434u;
    let m3 = ((s3 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c3 = s3 + m3 * 321u;
    let s4 = (c3 >> 13u) + a[0] * b[4] + a[1] * b[3] + a[2] * b[2] + a[3] * b[1] + a[4] * b[0] + m0 * 7165u + m1 * 1213u + m2 * 820u + m3 * 434u;
    let m4 = ((s4 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c4 = s4 + m4 * 321u;
    let s5 = (c4 >> 13u) + a[0] * b[5] + a[1] * b[4] + a[2] * b[3] + a[3] * b[2] + a[4] * b[1] + a[5] * b[0] + m0 * 4125u + m1 * 7165u + m2 * 1213u + m3 * 820u + m4 * 434u;
    let m5 = ((s5 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c5 = s5 + m5 * 321u;
    let s6 = (c5 >> 13u) + a[0] * b[6] + a[1] * b[5] + a[2] * b[4] + a[3] * b[3] + a[4] * b[2] + a[5] * b[1] + a[6] * b[0] + m0 * 7458u + m1 * 4125u + m2 * 7165u + m3 * 1213u + m4 * 820u + m5 * 434u;
    let m6 = ((s6 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c6 = s6 + m6 * 321u;
    let s7 = (c6 >> 13u) + a[0] * b[7] + a[1] * b[6] + a[2] * b[5] + a[3] * b[4] + a[4] * b[3] + a[5] * b[2] + a[6] * b[1] + a[7] * b[0] + m0 * 7381u + m1 * 7458u + m2 * 4125u + m3 * 7165u + m4 * 1213u + m5 * 820u + m6 * 434u;
    let m7 = ((s7 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c7 = s7 + m7 * 321u;
    let s8 = (c7 >> 13u) + a[0] * b[8] + a[1] * b[7] + a[2] * b[6] + a[3] * b[5] + a[4] * b[4] + a[5] * b[3] + a[6] * b[2] + a[7] * b[1] + a[8] * b[0] + m0 * 3804u + m1 * 7381u + m2 * 7458u + m3 * 4125u + m4 * 7165u + m5 * 1213u + m6 * 820u + m7 * 434u;
    let m8 = ((s8 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c8 = s8 + m8 * 321u;
    let s9 = (c8 >> 13u) + a[0] * b[9] + a[1] * b[8] + a[2] * b[7] + a[3] * b[6] + a[4] * b[5] + a[5] * b[4] + a[6] * b[3] + a[7] * b[2] + a[8] * b[1] + a[9] * b[0] + m0 * 5589u + m1 * 3804u + m2 * 7381u + m3 * 7458u + m4 * 4125u + m5 * 7165u + m6 * 1213u + m7 * 820u + m8 * 434u;
    let m9 = ((s9 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c9 = s9 + m9 * 321u;
    let s10 = (c9 >> 13u) + a[0] * b[10] + a[1] * b[9] + a[2] * b[8] + a[3] * b[7] + a[4] * b[6] + a[5] * b[5] + a[6] * b[4] + a[7] * b[3] + a[8] * b[2] + a[9] * b[1] + a[10] * b[0] + m0 * 8191u + m1 * 5589u + m2 * 3804u + m3 * 7381u + m4 * 7458u + m5 * 4125u + m6 * 7165u + m7 * 1213u + m8 * 820u + m9 * 434u;
    let m10 = ((s10 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c10 = s10 + m10 * 321u;
    let s11 = (c10 >> 13u) + a[0] * b[11] + a[1] * b[10] + a[2] * b[9] + a[3] * b[8] + a[4] * b[7] + a[5] * b[6] + a[6] * b[5] + a[7] * b[4] + a[8] * b[3] + a[9] * b[2] + a[10] * b[1] + a[11] * b[0] + m0 * 8191u + m1 * 8191u + m2 * 5589u + m3 * 3804u + m4 * 7381u + m5 * 7458u + m6 * 4125u + m7 * 7165u + m8 * 1213u + m9 * 820u + m10 * 434u;
    let m11 = ((s11 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c11 = s11 + m11 * 321u;
    let s12 = (c11 >> 13u) + a[0] * b[12] + a[1] * b[11] + a[2] * b[10] + a[3] * b[9] + a[4] * b[8] + a[5] * b[7] + a[6] * b[6] + a[7] * b[5] + a[8] * b[4] + a[9] * b[3] + a[10] * b[2] + a[11] * b[1] + a[12] * b[0] + m0 * 8191u + m1 * 8191u + m2 * 8191u + m3 * 5589u + m4 * 3804u + m5 * 7381u + m6 * 7458u + m7 * 4125u + m8 * 7165u + m9 * 1213u + m10 * 820u + m11 * 434u;
    let m12 = ((s12 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c12 = s12 + m12 * 321u;
    let s13 = (c12 >> 13u) + a[0] * b[13] + a[1] * b[12] + a[2] * b[11] + a[3] * b[10] + a[4] * b[9] + a[5] * b[8] + a[6] * b[7] + a[7] * b[6] + a[8] * b[5] + a[9] * b[4] + a[10] * b[3] + a[11] * b[2] + a[12] * b[1] + a[13] * b[0] + m0 * 8191u + m1 * 8191u + m2 * 8191u + m3 * 8191u + m4 * 5589u + m5 * 3804u + m6 * 7381u + m7 * 7458u + m8 * 4125u + m9 * 7165u + m10 * 1213u + m11 * 820u + m12 * 434u;
    let m13 = ((s13 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c13 = s13 + m13 * 321u;
    let s14 = (c13 >> 13u) + a[0] * b[14] + a[1] * b[13] + a[2] * b[12] + a[3] * b[11] + a[4] * b[10] + a[5] * b[9] + a[6] * b[8] + a[7] * b[7] + a[8] * b[6] + a[9] * b[5] + a[10] * b[4] + a[11] * b[3] + a[12] * b[2] + a[13] * b[1] + a[14] * b[0] + m0 * 8191u + m1 * 8191u + m2 * 8191u + m3 * 8191u + m4 * 8191u + m5 * 5589u + m6 * 3804u + m7 * 7381u + m8 * 7458u + m9 * 4125u + m10 * 7165u + m11 * 1213u + m12 * 820u + m13 * 434u;
    let m14 = ((s14 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c14 = s14 + m14 * 321u;
    let s15 = (c14 >> 13u) + a[0] * b[15] + a[1] * b[14] + a[2] * b[13] + a[3] * b[12] + a[4] * b[11] + a[5] * b[10] + a[6] * b[9] + a[7] * b[8] + a[8] * b[7] + a[9] * b[6] + a[10] * b[5] + a[11] * b[4] + a[12] * b[3] + a[13] * b[2] + a[14] * b[1] + a[15] * b[0] + m0 * 8191u + m1 * 8191u + m2 * 8191u + m3 * 8191u + m4 * 8191u + m5 * 8191u + m6 * 5589u + m7 * 3804u + m8 * 7381u + m9 * 7458u + m10 * 4125u + m11 * 7165u + m12 * 1213u + m13 * 820u + m14 * 434u;
    let m15 = ((s15 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c15 = s15 + m15 * 321u;
    let s16 = (c15 >> 13u) + a[0] * b[16] + a[1] * b[15] + a[2] * b[14] + a[3] * b[13] + a[4] * b[12] + a[5] * b[11] + a[6] * b[10] + a[7] * b[9] + a[8] * b[8] + a[9] * b[7] + a[10] * b[6] + a[11] * b[5] + a[12] * b[4] + a[13] * b[3] + a[14] * b[2] + a[15] * b[1] + a[16] * b[0] + m0 * 8191u + m1 * 8191u + m2 * 8191u + m3 * 8191u + m4 * 8191u + m5 * 8191u + m6 * 8191u + m7 * 5589u + m8 * 3804u + m9 * 7381u + m10 * 7458u + m11 * 4125u + m12 * 7165u + m13 * 1213u + m14 * 820u + m15 * 434u;
    let m16 = ((s16 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c16 = s16 + m16 * 321u;
    let s17 = (c16 >> 13u) + a[0] * b[17] + a[1] * b[16] + a[2] * b[15] + a[3] * b[14] + a[4] * b[13] + a[5] * b[12] + a[6] * b[11] + a[7] * b[10] + a[8] * b[9] + a[9] * b[8] + a[10] * b[7] + a[11] * b[6] + a[12] * b[5] + a[13] * b[4] + a[14] * b[3] + a[15] * b[2] + a[16] * b[1] + a[17] * b[0] + m0 * 8191u + m1 * 8191u + m2 * 8191u + m3 * 8191u + m4 * 8191u + m5 * 8191u + m6 * 8191u + m7 * 8191u + m8 * 5589u + m9 * 3804u + m10 * 7381u + m11 * 7458u + m12 * 4125u + m13 * 7165u + m14 * 1213u + m15 * 820u + m16 * 434u;
    let m17 = ((s17 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c17 = s17 + m17 * 321u;
    let s18 = (c17 >> 13u) + a[0] * b[18] + a[1] * b[17] + a[2] * b[16] + a[3] * b[15] + a[4] * b[14] + a[5] * b[13] + a[6] * b[12] + a[7] * b[11] + a[8] * b[10] + a[9] * b[9] + a[10] * b[8] + a[11] * b[7] + a[12] * b[6] + a[13] * b[5] + a[14] * b[4] + a[15] * b[3] + a[16] * b[2] + a[17] * b[1] + a[18] * b[0] + m0 * 8191u + m1 * 8191u + m2 * 8191u + m3 * 8191u + m4 * 8191u + m5 * 8191u + m6 * 8191u + m7 * 8191u + m8 * 8191u + m9 * 5589u + m10 * 3804u + m11 * 7381u + m12 * 7458u + m13 * 4125u + m14 * 7165u + m15 * 1213u + m16 * 820u + m17 * 434u;
    let m18 = ((s18 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c18 = s18 + m18 * 321u;
    let s19 = (c18 >> 13u) + a[0] * b[19] + a[1] * b[18] + a[2] * b[17] + a[3] * b[16] + a[4] * b[15] + a[5] * b[14] + a[6] * b[13] + a[7] * b[12] + a[8] * b[11] + a[9] * b[10] + a[10] * b[9] + a[11] * b[8] + a[12] * b[7] + a[13] * b[6] + a[14] * b[5] + a[15] * b[4] + a[16] * b[3] + a[17] * b[2] + a[18] * b[1] + a[19] * b[0] + m0 * 511u + m1 * 8191u + m2 * 8191u + m3 * 8191u + m4 * 8191u + m5 * 8191u + m6 * 8191u + m7 * 8191u + m8 * 8191u + m9 * 8191u + m10 * 5589u + m11 * 3804u + m12 * 7381u + m13 * 7458u + m14 * 4125u + m15 * 7165u + m16 * 1213u + m17 * 820u + m18 * 434u;
    let m19 = ((s19 & 0x1fffu) * 0x113fu) & 0x1fffu;
    let c19 = s19 + m19 * 321u;
    let c20 = (c19 >> 13u) + a[1] * b[19] + a[2] * b[18] + a[3] * b[17] + a[4] * b[16] + a[5] * b[15] + a[6] * b[14] + a[7] * b[13] + a[8] * b[12] + a[9] * b[11] + a[10] * b[10] + a[11] * b[9] + a[12] * b[8] + a[13] * b[7] + a[14] * b[6] + a[15] * b[5] + a[16] * b[4] + a[17] * b[3] + a[18] * b[2] + a[19] * b[1] + m1 * 511u + m2 * 8191u + m3 * 8191u + m4 * 8191u + m5 * 8191u + m6 * 8191u + m7 * 8191u + m8 * 8191u + m9 * 8191u + m10 * 8191u + m11 * 5589u + m12 * 3804u + m13 * 7381u + m14 * 7458u + m15 * 4125u + m16 * 7165u + m17 * 1213u + m18 * 820u + m19 * 434u;
    let c21 = (c20 >> 13u) + a[2] * b[19] + a[3] * b[18] + a[4] * b[17] + a[5] * b[16] + a[6] * b[15] + a[7] * b[14] + a[8] * b[13] + a[9] * b[12] + a[10] * b[11] + a[11] * b[10] + a[12] * b[9] + a[13] * b[8] + a[14] * b[7] + a[15] * b[6] + a[16] * b[5] + a[17] * b[4] + a[18] * b[3] + a[19] * b[2] + m2 * 511u + m3 * 8191u + m4 * 8191u + m5 * 8191u + m6 * 8191u + m7 * 8191u + m8 * 8191u + m9 * 8191u + m10 * 8191u + m11 * 8191u + m12 * 5589u + m13 * 3804u + m14 * 7381u + m15 * 7458u + m16 * 4125u + m17 * 7165u + m18 * 1213u + m19 * 820u;
    let c22 = (c21 >> 13u) + a[3] * b[19] + a[4] * b[18] + a[5] * b[17] + a[6] * b[16] + a[7] * b[15] + a[8] * b[14] + a[9] * b[13] + a[10] * b[12] + a[11] * b[11] + a[12] * b[10] + a[13] * b[9] + a[14] * b[8] + a[15] * b[7] + a[16] * b[6] + a[17] * b[5] + a[18] * b[4] + a[19] * b[3] + m3 * 511u + m4 * 8191u + m5 * 8191u + m6 * 8191u + m7 * 8191u + m8 * 8191u + m9 * 8191u + m10 * 8191u + m11 * 8191u + m12 * 8191u + m13 * 5589u + m14 * 3804u + m15 * 7381u + m16 * 7458u + m17 * 4125u + m18 * 7165u + m19 * 1213u;
    let c23 = (c22 >> 13u) + a[4] * b[19] + a[5] * b[18] + a[6] * b[17] + a[7] * b[16] + a[8] * b[15] + a[9] * b[14] + a[10] * b[13] + a[11] * b[12] + a[12] * b[11] + a[13] * b[10] + a[14] * b[9] + a[15] * b[8] + a[16] * b[7] + a[17] * b[6] + a[18] * b[5] + a[19] * b[4] + m4 * 511u + m5 * 8191u + m6 * 8191u + m7 * 8191u + m8 * 8191u + m9 * 8191u + m10 * 8191u + m11 * 8191u + m12 * 8191u + m13 * 8191u + m14 * 5589u + m15 * 3804u + m16 * 7381u + m17 * 7458u + m18 * 4125u + m19 * 7165u;
    let c24 = (c23 >> 13u) + a[5] * b[19] + a[6] * b[18] + a[7] * b[17] + a[8] * b[16] + a[9] * b[15] + a[10] * b[14] + a[11] * b[13] + a[12] * b[12] + a[13] * b[11] + a[14] * b[10] + a[15] * b[9] + a[16] * b[8] + a[17] * b[7] + a[18] * b[6] + a[19] * b[5] + m5 * 511u + m6 * 8191u + m7 * 8191u + m8 * 8191u + m9 * 8191u + m10 * 8191u + m11 * 8191u + m12 * 8191u + m13 * 8191u + m14 * 8191u + m15 * 5589u + m16 * 3804u + m17 * 7381u + m18 * 7458u + m19 * 4125u;
    let c25 = (c24 >> 13u) + a[6] * b[19] + a[7] * b[18] + a[8] * b[17] + a[9] * b[16] + a[10] * b[15] + a[11] * b[14] + a[12] * b[13] + a[13] * b[12] + a[14] * b[11] + a[15] * b[10] + a[16] * b[9] + a[17] * b[8] + a[18] * b[7] + a[19] * b[6] + m6 * 511u + m7 * 8191u + m8 * 8191u + m9 * 8191u + m10 * 8191u + m11 * 8191u + m12 * 8191u + m13 * 8191u + m14 * 8191u + m15 * 8191u + m16 * 5589u + m17 * 3804u + m18 * 7381u + m19 * 7458u;
    let c26 = (c25 >> 13u) + a[7] * b[19] + a[8] * b[18] + a[9] * b[17] + a[10] * b[16] + a[11] * b[15] + a[12] * b[14] + a[13] * b[13] + a[14] * b[12] + a[15] * b[11] + a[16] * b[10] + a[17] * b[9] + a[18] * b[8] + a[19] * b[7] + m7 * 511u + m8 * 8191u + m9 * 8191u + m10 * 8191u + m11 * 8191u + m12 * 8191u + m13 * 8191u + m14 * 8191u + m15 * 8191u + m16 * 8191u + m17 * 5589u + m18 * 3804u + m19 * 7381u;
    let c27 = (c26 >> 13u) + a[8] * b[19] + a[9] * b[18] + a[10] * b[17] + a[11] * b[16] + a[12] * b[15] + a[13] * b[14] + a[14] * b[13] + a[15] * b[12] + a[16] * b[11] + a[17] * b[10] + a[18] * b[9] + a[19] * b[8] + m8 * 511u + m9 * 8191u + m10 * 8191u + m11 * 8191u + m12 * 8191u + m13 * 8191u + m14 * 8191u + m15 * 8191u + m16 * 8191u + m17 * 8191u + m18 * 5589u + m19 * 3804u;
    let c28 = (c27 >> 13u) + a[9] * b[19] + a[10] * b[18] + a[11] * b[17] + a[12] * b[16] + a[13] * b[15] + a[14] * b[14] + a[15] * b[13] + a[16] * b[12] + a[17] * b[11] + a[18] * b[10] + a[19] * b[9] + m9 * 511u + m10 * 8191u + m11 * 8191u + m12 * 8191u + m13 * 8191u + m14 * 8191u + m15 * 8191u + m16 * 8191u + m17 * 8191u + m18 * 8191u + m19 * 5589u;
    let c29 = (c28 >> 13u) + a[10] * b[19] + a[11] * b[18] + a[12] * b[17] + a[13] * b[16] + a[14] * b[15] + a[15] * b[14] + a[16] * b[13] + a[17] * b[12] + a[18] * b[11] + a[19] * b[10] + m10 * 511u + m11 * 8191u + m12 * 8191u + m13 * 8191u + m14 * 8191u + m15 * 8191u + m16 * 8191u + m17 * 8191u + m18 * 8191u + m19 * 8191u;
    let c30 = (c29 >> 13u) + a[11] * b[19] + a[12] * b[18] + a[13] * b[17] + a[14] * b[16] + a[15] * b[15] + a[16] * b[14] + a[17] * b[13] + a[18] * b[12] + a[19] * b[11] + m11 * 511u + m12 * 8191u + m13 * 8191u + m14 * 8191u + m15 * 8191u + m16 * 8191u + m17 * 8191u + m18 * 8191u + m19 * 8191u;
    let c31 = (c30 >> 13u) + a[12] * b[19] + a[13] * b[18] + a[14] * b[17] + a[15] * b[16] + a[16] * b[15] + a[17] * b[14] + a[18] * b[13] + a[19] * b[12] + m12 * 511u + m13 * 8191u + m14 * 8191u + m15 * 8191u + m16 * 8191u + m17 * 8191u + m18 * 8191u + m19 * 8191u;
    let c32 = (c31 >> 13u) + a[13] * b[19] + a[14] * b[18] + a[15] * b[17] + a[16] * b[16] + a[17] * b[15] + a[18] * b[14] + a[19] * b[13] + m13 * 511u + m14 * 8191u + m15 * 8191u + m16 * 8191u + m17 * 8191u + m18 * 8191u + m19 * 8191u;
    let c33 = (c32 >> 13u) + a[14] * b[19] + a[15] * b[18] + a[16] * b[17] + a[17] * b[16] + a[18] * b[15] + a[19] * b[14] + m14 * 511u + m15 * 8191u + m16 * 8191u + m17 * 8191u + m18 * 8191u + m19 * 8191u;
    let c34 = (c33 >> 13u) + a[15] * b[19] + a[16] * b[18] + a[17] * b[17] + a[18] * b[16] + a[19] * b[15] + m15 * 511u + m16 * 8191u + m17 * 8191u + m18 * 8191u + m19 * 8191u;
    let c35 = (c34 >> 13u) + a[16] * b[19] + a[17] * b[18] + a[18] * b[17] + a[19] * b[16] + m16 * 511u + m17 * 8191u + m18 * 8191u + m19 * 8191u;
    let c36 = (c35 >> 13u) + a[17] * b[19] + a[18] * b[18] + a[19] * b[17] + m17 * 511u + m18 * 8191u + m19 * 8191u;
    let c37 = (c36 >> 13u) + a[18] * b[19] + a[19] * b[18] + m18 * 511u + m19 * 8191u;
    let c38 = (c37 >> 13u) + a[19] * b[19] + m19 * 511u;
    let c39 = (c38 >> 13u);
    return Fe(
        c20 & 0x1fffu,
        c21 & 0x1fffu,
        c22 & 0x1fffu,
        c23 & 0x1fffu,
        c24 & 0x1fffu,
        c25 & 0x1fffu,
        c26 & 0x1fffu,
        c27 & 0x1fffu,
        c28 & 0x1fffu,
        c29 & 0x1fffu,
        c30 & 0x1fffu,
        c31 & 0x1fffu,
        c32 & 0x1fffu,
        c33 & 0x1fffu,
        c34 & 0x1fffu,
        c35 & 0x1fffu,
        c36 & 0x1fffu,
        c37 & 0x1fffu,
        c38 & 0x1fffu,
        c39 & 0x1fffu,
    );
}

const SC_ONE: Fe = Fe(0xbf0u, 0x4dfu, 0xcbfu, 0x142eu, 0x2du, 0x1e22u, 0xdd7u, 0x12a1u, 0x1231u, 0x2a8u, 0x5u, 0x0u, 0x0u, 0x0u, 0x0u, 0x0u, 0x0u, 0x0u, 0x0u, 0x0u);

// The same number below n, from one below 2 n with limbs below 2^B.
fn sc_reduce(a: Fe) -> Fe {
    let y0 = a[0] + 0x1ebfu;
    let y1 = a[1] + 0x1e4du + (y0 >> 13u);
    let y2 = a[2] + 0x1ccbu + (y1 >> 13u);
    let y3 = a[3] + 0x1b42u + (y2 >> 13u);
    let y4 = a[4] + 0x402u + (y3 >> 13u);
    let y5 = a[5] + 0xfe2u + (y4 >> 13u);
    let y6 = a[6] + 0x2ddu + (y5 >> 13u);
    let y7 = a[7] + 0x32au + (y6 >> 13u);
    let y8 = a[8] + 0x1123u + (y7 >> 13u);
    let y9 = a[9] + 0xa2au + (y8 >> 13u);
    let y10 = a[10] + 0x0u + (y9 >> 13u);
    let y11 = a[11] + 0x0u + (y10 >> 13u);
    let y12 = a[12] + 0x0u + (y11 >> 13u);
    let y13 = a[13] + 0x0u + (y12 >> 13u);
    let y14 = a[14] + 0x0u + (y13 >> 13u);
    let y15 = a[15] + 0x0u + (y14 >> 13u);
    let y16 = a[16] + 0x0u + (y15 >> 13u);
    let y17 = a[17] + 0x0u + (y16 >> 13u);
    let y18 = a[18] + 0x0u + (y17 >> 13u);
    let y19 = a[19] + 0x1e00u + (y18 >> 13u);
    let reaches = (y19 >> 13u) != 0u;
    return Fe(
        select(a[0], y0 & 0x1fffu, reaches),
        select(a[1], y1 & 0x1fffu, reaches),
        select(a[2], y2 & 0x1fffu, reaches),
        select(a[3], y3 & 0x1fffu, reaches),
        select(a[4], y4 & 0x1fffu, reaches),
        select(a[5], y5 & 0x1fffu, reaches),
        select(a[6], y6 & 0x1fffu, reaches),
        select(a[7], y7 & 0x1fffu, reaches),
        select(a[8], y8 & 0x1fffu, reaches),
        select(a[9], y9 & 0x1fffu, reaches),
        select(a[10], y10 & 0x1fffu, reaches),
        select(a[11], y11 & 0x1fffu, reaches),
        select(a[12], y12 & 0x1fffu, reaches),
        select(a[13], y13 & 0x1fffu, reaches),
        select(a[14], y14 & 0x1fffu, reaches),
        select(a[15], y15 & 0x1fffu, reaches),
        select(a[16], y16 & 0x1fffu, reaches),
        select(a[17], y17 & 0x1fffu, reaches),
        select(a[18], y18 & 0x1fffu, reaches),
        select(a[19], y19 & 0x1fffu, reaches),
    );
}

// -a mod n, for a below n.
fn sc_negate(a: Fe) -> Fe {
    let y0 = 321i - i32(a[0]);
    let y1 = 434i - i32(a[1]) + (y0 >> 13u);
    let y2 = 820i - i32(a[2]) + (y1 >> 13u);
    let y3 = 1213i - i32(a[3]) + (y2 >> 13u);
    let y4 = 7165i - i32(a[4]) + (y3 >> 13u);
    let y5 = 4125i - i32(a[5]) + (y4 >> 13u);
    let y6 = 7458i - i32(a[6]) + (y5 >> 13u);
    let y7 = 7381i - i32(a[7]) + (y6 >> 13u);
    let y8 = 3804i - i32(a[8]) + (y7 >> 13u);
    let y9 = 5589i - i32(a[9]) + (y8 >> 13u);
    let y10 = 8191i - i32(a[10]) + (y9 >> 13u);
    let y11 = 8191i - i32(a[11]) + (y10 >> 13u);
    let y12 = 8191i - i32(a[12]) + (y11 >> 13u);
    let y13 = 8191i - i32(a[13]) + (y12 >> 13u);
    let y14 = 8191i - i32(a[14]) + (y13 >> 13u);
    let y15 = 8191i - i32(a[15]) + (y14 >> 13u);
    let y16 = 8191i - i32(a[16]) + (y15 >> 13u);
    let y17 = 8191i - i32(a[17]) + (y16 >> 13u);
    let y18 = 8191i - i32(a[18]) + (y17 >> 13u);
    let y19 = 511i - i32(a[19]) + (y18 >> 13u);
    let zero = limbs_are_zero(a);
    return Fe(
        select(u32(y0) & 0x1fffu, 0u, zero),
        select(u32(y1) & 0x1fffu, 0u, zero),
        select(u32(y2) & 0x1fffu, 0u, zero),
        select(u32(y3) & 0x1fffu, 0u, zero),
        select(u32(y4) & 0x1fffu, 0u, zero),
        select(u32(y5) & 0x1fffu, 0u, zero),
        select(u32(y6) & 0x1fffu, 0u, zero),
        select(u32(y7) & 0x1fffu, 0u, zero),
        select(u32(y8) & 0x1fffu, 0u, zero),
        select(u32(y9) & 0x1fffu, 0u, zero),
        select(u32(y10) & 0x1fffu, 0u, zero),
        select(u32(y11) & 0x1fffu, 0u, zero),
        select(u32(y12) & 0x1fffu, 0u, zero),
        select(u32(y13) & 0x1fffu, 0u, zero),
        select(u32(y14) & 0x1fffu, 0u, zero),
        select(u32(y15) & 0x1fffu, 0u, zero),
        select(u32(y16) & 0x1fffu, 0u, zero),
        select(u32(y17) & 0x1fffu, 0u, zero),
        select(u32(y18) & 0x1fffu, 0u, zero),
        select(u32(y19) & 0x1fffu, 0u, zero),
    );
}

// round(2^384 A1 / n) and round(2^384 B1 / n): see `sc_nearest`.
const LATTICE_G1: Fe = Fe(0x1031u, 0xeddu, 0x691u, 0x641u, 0x1e89u, 0x53fu, 0x7a3u, 0x28eu, 0xa8au, 0x9edu, 0x1ac5u, 0x509u, 0xe49u, 0x1648u, 0x17a1u, 0xd79u, 0x7d4u, 0x110du, 0x1b4u, 0x61u);
const LATTICE_G2: Fe = Fe(0x1f71u, 0x1623u, 0xba2u, 0x369u, 0x157u, 0x363u, 0x17d4u, 0x1593u, 0x1208u, 0x110u, 0x1931u, 0x157fu, 0x1a90u, 0xa3fu, 0x1bdu, 0x1105u, 0x10eu, 0x16b0u, 0x10dfu, 0x1c8u);

// k g / 2^384 to the nearest integer, below 2^130.
fn sc_quotient(k: Fe, g: Fe) -> Half {
    let c25 = k[6] * g[19] + k[7] * g[18] + k[8] * g[17] + k[9] * g[16] + k[10] * g[15] + k[11] * g[14] + k[12] * g[13] + k[13] * g[12] + k[14] * g[11] + k[15] * g[10] + k[16] * g[9] + k[17] * g[8] + k[18] * g[7] + k[19] * g[6];
    let w25 = c25 & 0x1fffu;
    let c26 = (c25 >> 13u) + k[7] * g[19] + k[8] * g[18] + k[9] * g[17] + k[10] * g[16] + k[11] * g[15] + k[12] * g[14] + k[13] * g[13] + k[14] * g[12] + k[15] * g[11] + k[16] * g[10] + k[17] * g[9] + k[18] * g[8] + k[19] * g[7];
    let w26 = c26 & 0x1fffu;
    let c27 = (c26 >> 13u) + k[8] * g[19] + k[9] * g[18] + k[10] * g[17] + k[11] * g[16] + k[12] * g[15] + k[13] * g[14] + k[14] * g[13] + k[15] * g[12] + k[16] * g[11] + k[17] * g[10] + k[18] * g[9] + k[19] * g[8];
    let w27 = c27 & 0x1fffu;
    let c28 = (c27 >> 13u) + k[9] * g[19] + k[10] * g[18] + k[11] * g[17] + k[12] * g[16] + k[13] * g[15] + k[14] * g[14] + k[15] * g[13] + k[16] * g[12] + k[17] * g[11] + k[18] * g[10] + k[19] * g[9];
    let w28 = c28 & 0x1fffu;
    let c29 = (c28 >> 13u) + k[10] * g[19] + k[11] * g[18] + k[12] * g[17] + k[13] * g[16] + k[14] * g[15] + k[15] * g[14] + k[16] * g[13] + k[17] * g[12] + k[18] * g[11] + k[19] * g[10];
    let w29 = c29 & 0x1fffu;
    let c30 = (c29 >> 13u) + k[11] * g[19] + k[12] * g[18] + k[13] * g[17] + k[14] * g[16] + k[15] * g[15] + k[16] * g[14] + k[17] * g[13] + k[18] * g[12] + k[19] * g[11];
    let w30 = c30 & 0x1fffu;
    let c31 = (c30 >> 13u) + k[12] * g[19] + k[13] * g[18] + k[14] * g[17] + k[15] * g[16] + k[16] * g[15] + k[17] * g[14] + k[18] * g[13] + k[19] * g[12];
    let w31 = c31 & 0x1fffu;
    let c32 = (c31 >> 13u) + k[13] * g[19] + k[14] * g[18] + k[15] * g[17] + k[16] * g[16] + k[17] * g[15] + k[18] * g[14] + k[19] * g[13];
    let w32 = c32 & 0x1fffu;
    let c33 = (c32 >> 13u) + k[14] * g[19] + k[15] * g[18] + k[16] * g[17] + k[17] * g[16] + k[18] * g[15] + k[19] * g[14];
    let w33 = c33 & 0x1fffu;
    let c34 = (c33 >> 13u) + k[15] * g[19] + k[16] * g[18] + k[17] * g[17] + k[18] * g[16] + k[19] * g[15];
    let w34 = c34 & 0x1fffu;
    let c35 = (c34 >> 13u) + k[16] * g[19] + k[17] * g[18] + k[18] * g[17] + k[19] * g[16];
    let w35 = c35 & 0x1fffu;
    let c36 = (c35 >> 13u) + k[17] * g[19] + k[18] * g[18] + k[19] * g[17];
    let w36 = c36 & 0x1fffu;
    let c37 = (c36 >> 13u) + k[18] * g[19] + k[19] * g[18];
    let w37 = c37 & 0x1fffu;
    let c38 = (c37 >> 13u) + k[19] * g[19];
    let w38 = c38 & 0x1fffu;
    let c39 = (c38 >> 13u);
    let w39 = c39 & 0x1fffu;
    let q0 = (((w29 >> 6u) | (w30 << 7u)) & 0x1fffu) + 1u;
    let q1 = (((w30 >> 6u) | (w31 << 7u)) & 0x1fffu) + (q0 >> 13u);
    let q2 = (((w31 >> 6u) | (w32 << 7u)) & 0x1fffu) + (q1 >> 13u);
    let q3 = (((w32 >> 6u) | (w33 << 7u)) & 0x1fffu) + (q2 >> 13u);
    let q4 = (((w33 >> 6u) | (w34 << 7u)) & 0x1fffu) + (q3 >> 13u);
    let q5 = (((w34 >> 6u) | (w35 << 7u)) & 0x1fffu) + (q4 >> 13u);
    let q6 = (((w35 >> 6u) | (w36 << 7u)) & 0x1fffu) + (q5 >> 13u);
    let q7 = (((w36 >> 6u) | (w37 << 7u)) & 0x1fffu) + (q6 >> 13u);
    let q8 = (((w37 >> 6u) | (w38 << 7u)) & 0x1fffu) + (q7 >> 13u);
    let q9 = (((w38 >> 6u) | (w39 << 7u)) & 0x1fffu) + (q8 >> 13u);
    let q10 = (((w39 >> 6u) | (0u << 7u)) & 0x1fffu) + (q9 >> 13u);
    return Half(
        i32((((q0 & 0x1fffu) >> 1u) | (q1 << 12u)) & 0x1fffu),
        i32((((q1 & 0x1fffu) >> 1u) | (q2 << 12u)) & 0x1fffu),
        i32((((q2 & 0x1fffu) >> 1u) | (q3 << 12u)) & 0x1fffu),
        i32((((q3 & 0x1fffu) >> 1u) | (q4 << 12u)) & 0x1fffu),
        i32((((q4 & 0x1fffu) >> 1u) | (q5 << 12u)) & 0x1fffu),
        i32((((q5 & 0x1fffu) >> 1u) | (q6 << 12u)) & 0x1fffu),
        i32((((q6 & 0x1fffu) >> 1u) | (q7 << 12u)) & 0x1fffu),
        i32((((q7 & 0x1fffu) >> 1u) | (q8 << 12u)) & 0x1fffu),
        i32((((q8 & 0x1fffu) >> 1u) | (q9 << 12u)) & 0x1fffu),
        i32((((q9 & 0x1fffu) >> 1u) | (q10 << 12u)) & 0x1fffu),
        i32(0u),
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
    let x6 = k[6];
    let x7 = k[7];
    let x8 = k[8];
    let x9 = k[9];
    let x10 = k[10];
    let x11 = k[11];
    let y0 = x0;
    let y1 = x1 + (y0 >> 13u);
    let y2 = x2 + (y1 >> 13u);
    let y3 = x3 + (y2 >> 13u);
    let y4 = x4 + (y3 >> 13u);
    let y5 = x5 + (y4 >> 13u);
    let y6 = x6 + (y5 >> 13u);
    let y7 = x7 + (y6 >> 13u);
    let y8 = x8 + (y7 >> 13u);
    let y9 = x9 + (y8 >> 13u);
    let y10 = x10 + (y9 >> 13u);
    let y11 = x11 + (y10 >> 13u);
    return Half(
        y0 & 0x1fffi,
        y1 & 0x1fffi,
        y2 & 0x1fffi,
        y3 & 0x1fffi,
        y4 & 0x1fffi,
        y5 & 0x1fffi,
        y6 & 0x1fffi,
        y7 & 0x1fffi,
        y8 & 0x1fffi,
        y9 & 0x1fffi,
        y10 & 0x1fffi,
        (y11 << 19u) >> 19u,
    );
}

// k in two short halves, k = first + second lambda mod n, by the lattice basis (A1, -B1), (A2, A1)
// (Guide to Elliptic Curve Cryptography, algorithm 3.74): first = k - c1 A1 - c2 A2,
// second = c1 B1 - c2 A1. Each is a sum mod 2^156.
fn sc_nearest_first(k: Fe, c1: Half, c2: Half) -> Half {
    let x0 = i32(k[0]) - c1[0] * 2837i - c2[0] * 4056i;
    let x1 = i32(k[1]) - c1[0] * 5159i - c1[1] * 2837i - c2[0] * 2598i - c2[1] * 4056i;
    let x2 = i32(k[2]) - c1[0] * 6436i - c1[1] * 5159i - c1[2] * 2837i - c2[0] * 871i - c2[1] * 2598i - c2[2] * 4056i;
    let x3 = i32(k[3]) - c1[0] * 6433i - c1[1] * 6436i - c1[2] * 5159i - c1[3] * 2837i - c2[0] * 545i - c2[1] * 871i - c2[2] * 2598i - c2[3] * 4056i;
    let x4 = i32(k[4]) - c1[0] * 7814i - c1[1] * 6433i - c1[2] * 6436i - c1[3] * 5159i - c1[4] * 2837i - c2[0] * 1404i - c2[1] * 545i - c2[2] * 871i - c2[3] * 2598i - c2[4] * 4056i;
    let x5 = i32(k[5]) - c1[0] * 5606i - c1[1] * 7814i - c1[2] * 6433i - c1[3] * 6436i - c1[4] * 5159i - c1[5] * 2837i - c2[0] * 6651i - c2[1] * 1404i - c2[2] * 545i - c2[3] * 871i - c2[4] * 2598i - c2[5] * 4056i;
    let x6 = i32(k[6]) - c1[0] * 8017i - c1[1] * 5606i - c1[2] * 7814i - c1[3] * 6433i - c1[4] * 6436i - c1[5] * 5159i - c1[6] * 2837i - c2[0] * 907i - c2[1] * 6651i - c2[2] * 1404i - c2[3] * 545i - c2[4] * 871i - c2[5] * 2598i - c2[6] * 4056i;
    let x7 = i32(k[7]) - c1[0] * 1076i - c1[1] * 8017i - c1[2] * 5606i - c1[3] * 7814i - c1[4] * 6433i - c1[5] * 6436i - c1[6] * 5159i - c1[7] * 2837i - c2[0] * 7925i - c2[1] * 907i - c2[2] * 6651i - c2[3] * 1404i - c2[4] * 545i - c2[5] * 871i - c2[6] * 2598i - c2[7] * 4056i;
    let x8 = i32(k[8]) - c1[0] * 1746i - c1[1] * 1076i - c1[2] * 8017i - c1[3] * 5606i - c1[4] * 7814i - c1[5] * 6433i - c1[6] * 6436i - c1[7] * 5159i - c1[8] * 2837i - c2[0] * 2640i - c2[1] * 7925i - c2[2] * 907i - c2[3] * 6651i - c2[4] * 1404i - c2[5] * 545i - c2[6] * 871i - c2[7] * 2598i - c2[8] * 4056i;
    let x9 = i32(k[9]) - c1[0] * 388i - c1[1] * 1746i - c1[2] * 1076i - c1[3] * 8017i - c1[4] * 5606i - c1[5] * 7814i - c1[6] * 6433i - c1[7] * 6436i - c1[8] * 5159i - c1[9] * 2837i - c2[0] * 2214i - c2[1] * 2640i - c2[2] * 7925i - c2[3] * 907i - c2[4] * 6651i - c2[5] * 1404i - c2[6] * 545i - c2[7] * 871i - c2[8] * 2598i - c2[9] * 4056i;
    let x10 = i32(k[10]) - c1[1] * 388i - c1[2] * 1746i - c1[3] * 1076i - c1[4] * 8017i - c1[5] * 5606i - c1[6] * 7814i - c1[7] * 6433i - c1[8] * 6436i - c1[9] * 5159i - c1[10] * 2837i - c2[1] * 2214i - c2[2] * 2640i - c2[3] * 7925i - c2[4] * 907i - c2[5] * 6651i - c2[6] * 1404i - c2[7] * 545i - c2[8] * 871i - c2[9] * 2598i - c2[10] * 4056i;
    let x11 = i32(k[11]) - c1[2] * 388i - c1[3] * 1746i - c1[4] * 1076i - c1[5] * 8017i - c1[6] * 5606i - c1[7] * 7814i - c1[8] * 6433i - c1[9] * 6436i - c1[10] * 5159i - c1[11] * 2837i - c2[2] * 2214i - c2[3] * 2640i - c2[4] * 7925i - c2[5] * 907i - c2[6] * 6651i - c2[7] * 1404i - c2[8] * 545i - c2[9] * 871i - c2[10] * 2598i - c2[11] * 4056i;
    let y0 = x0;
    let y1 = x1 + (y0 >> 13u);
    let y2 = x2 + (y1 >> 13u);
    let y3 = x3 + (y2 >> 13u);
    let y4 = x4 + (y3 >> 13u);
    let y5 = x5 + (y4 >> 13u);
    let y6 = x6 + (y5 >> 13u);
    let y7 = x7 + (y6 >> 13u);
    let y8 = x8 + (y7 >> 13u);
    let y9 = x9 + (y8 >> 13u);
    let y10 = x10 + (y9 >> 13u);
    let y11 = x11 + (y10 >> 13u);
    return Half(
        y0 & 0x1fffi,
        y1 & 0x1fffi,
        y2 & 0x1fffi,
        y3 & 0x1fffi,
        y4 & 0x1fffi,
        y5 & 0x1fffi,
        y6 & 0x1fffi,
        y7 & 0x1fffi,
        y8 & 0x1fffi,
        y9 & 0x1fffi,
        y10 & 0x1fffi,
        (y11 << 19u) >> 19u,
    );
}

fn sc_nearest_second(c1: Half, c2: Half) -> Half {
    let x0 = c1[0] * 1219i - c2[0] * 2837i;
    let x1 = c1[0] * 5631i + c1[1] * 1219i - c2[0] * 5159i - c2[1] * 2837i;
    let x2 = c1[0] * 2626i + c1[1] * 5631i + c1[2] * 1219i - c2[0] * 6436i - c2[1] * 5159i - c2[2] * 2837i;
    let x3 = c1[0] * 2303i + c1[1] * 2626i + c1[2] * 5631i + c1[3] * 1219i - c2[0] * 6433i - c2[1] * 6436i - c2[2] * 5159i - c2[3] * 2837i;
    let x4 = c1[0] * 1781i + c1[1] * 2303i + c1[2] * 2626i + c1[3] * 5631i + c1[4] * 1219i - c2[0] * 7814i - c2[1] * 6433i - c2[2] * 6436i - c2[3] * 5159i - c2[4] * 2837i;
    let x5 = c1[0] * 1044i + c1[1] * 1781i + c1[2] * 2303i + c1[3] * 2626i + c1[4] * 5631i + c1[5] * 1219i - c2[0] * 5606i - c2[1] * 7814i - c2[2] * 6433i - c2[3] * 6436i - c2[4] * 5159i - c2[5] * 2837i;
    let x6 = c1[0] * 1082i + c1[1] * 1044i + c1[2] * 1781i + c1[3] * 2303i + c1[4] * 2626i + c1[5] * 5631i + c1[6] * 1219i - c2[0] * 8017i - c2[1] * 5606i - c2[2] * 7814i - c2[3] * 6433i - c2[4] * 6436i - c2[5] * 5159i - c2[6] * 2837i;
    let x7 = c1[0] * 6848i + c1[1] * 1082i + c1[2] * 1044i + c1[3] * 1781i + c1[4] * 2303i + c1[5] * 2626i + c1[6] * 5631i + c1[7] * 1219i - c2[0] * 1076i - c2[1] * 8017i - c2[2] * 5606i - c2[3] * 7814i - c2[4] * 6433i - c2[5] * 6436i - c2[6] * 5159i - c2[7] * 2837i;
    let x8 = c1[0] * 894i + c1[1] * 6848i + c1[2] * 1082i + c1[3] * 1044i + c1[4] * 1781i + c1[5] * 2303i + c1[6] * 2626i + c1[7] * 5631i + c1[8] * 1219i - c2[0] * 1746i - c2[1] * 1076i - c2[2] * 8017i - c2[3] * 5606i - c2[4] * 7814i - c2[5] * 6433i - c2[6] * 6436i - c2[7] * 5159i - c2[8] * 2837i;
    let x9 = c1[0] * 1826i + c1[1] * 894i + c1[2] * 6848i + c1[3] * 1082i + c1[4] * 1044i + c1[5] * 1781i + c1[6] * 2303i + c1[7] * 2626i + c1[8] * 5631i + c1[9] * 1219i - c2[0] * 388i - c2[1] * 1746i - c2[2] * 1076i - c2[3] * 8017i - c2[4] * 5606i - c2[5] * 7814i - c2[6] * 6433i - c2[7] * 6436i - c2[8] * 5159i - c2[9] * 2837i;
    let x10 = c1[1] * 1826i + c1[2] * 894i + c1[3] * 6848i + c1[4] * 1082i + c1[5] * 1044i + c1[6] * 1781i + c1[7] * 2303i + c1[8] * 2626i + c1[9] * 5631i + c1[10] * 1219i - c2[1] * 388i - c2[2] * 1746i - c2[3] * 1076i - c2[4] * 8017i - c2[5] * 5606i - c2[6] * 7814i - c2[7] * 6433i - c2[8] * 6436i - c2[9] * 5159i - c2[10] * 2837i;
    let x11 = c1[2] * 1826i + c1[3] * 894i + c1[4] * 6848i + c1[5] * 1082i + c1[6] * 1044i + c1[7] * 1781i + c1[8] * 2303i + c1[9] * 2626i + c1[10] * 5631i + c1[11] * 1219i - c2[2] * 388i - c2[3] * 1746i - c2[4] * 1076i - c2[5] * 8017i - c2[6] * 5606i - c2[7] * 7814i - c2[8] * 6433i - c2[9] * 6436i - c2[10] * 5159i - c2[11] * 2837i;
    let y0 = x0;
    let y1 = x1 + (y0 >> 13u);
    let y2 = x2 + (y1 >> 13u);
    let y3 = x3 + (y2 >> 13u);
    let y4 = x4 + (y3 >> 13u);
    let y5 = x5 + (y4 >> 13u);
    let y6 = x6 + (y5 >> 13u);
    let y7 = x7 + (y6 >> 13u);
    let y8 = x8 + (y7 >> 13u);
    let y9 = x9 + (y8 >> 13u);
    let y10 = x10 + (y9 >> 13u);
    let y11 = x11 + (y10 >> 13u);
    return Half(
        y0 & 0x1fffi,
        y1 & 0x1fffi,
        y2 & 0x1fffi,
        y3 & 0x1fffi,
        y4 & 0x1fffi,
        y5 & 0x1fffi,
        y6 & 0x1fffi,
        y7 & 0x1fffi,
        y8 & 0x1fffi,
        y9 & 0x1fffi,
        y10 & 0x1fffi,
        (y11 << 19u) >> 19u,
    );
}

const LATTICE_A1: Half = Half(0xb15i, 0x1427i, 0x1924i, 0x1921i, 0x1e86i, 0x15e6i, 0x1f51i, 0x434i, 0x6d2i, 0x184i, 0x0i, 0x0i);
const LATTICE_B1: Half = Half(0x4c3i, 0x15ffi, 0xa42i, 0x8ffi, 0x6f5i, 0x414i, 0x43ai, 0x1ac0i, 0x37ei, 0x722i, 0x0i, 0x0i);
const LATTICE_A2: Half = Half(0xfd8i, 0xa26i, 0x367i, 0x221i, 0x57ci, 0x19fbi, 0x38bi, 0x1ef5i, 0xa50i, 0x8a6i, 0x0i, 0x0i);

// k + sign a, for a sign of -1, 0 or 1.
fn half_add(k: Half, a: Half, sign: i32) -> Half {
    return half_carry(Half(
        k[0] + sign * a[0],
        k[1] + sign * a[1],
        k[2] + sign * a[2],
        k[3] + sign * a[3],
        k[4] + sign * a[4],
        k[5] + sign * a[5],
        k[6] + sign * a[6],
        k[7] + sign * a[7],
        k[8] + sign * a[8],
        k[9] + sign * a[9],
        k[10] + sign * a[10],
        k[11] + sign * a[11],
    ));
}

// Words of a half that is not negative.
fn half_pack(k: Half) -> array<u32, 5> {
    return array<u32, 5>(
        u32(k[0]) | (u32(k[1]) << 13u) | (u32(k[2]) << 26u),
        (u32(k[2]) >> 6u) | (u32(k[3]) << 7u) | (u32(k[4]) << 20u),
        (u32(k[4]) >> 12u) | (u32(k[5]) << 1u) | (u32(k[6]) << 14u) | (u32(k[7]) << 27u),
        (u32(k[7]) >> 5u) | (u32(k[8]) << 8u) | (u32(k[9]) << 21u),
        (u32(k[9]) >> 11u) | (u32(k[10]) << 2u) | (u32(k[11]) << 15u),
    );
}
