// Keccak-f[1600] on lanes of 64 bits as pairs of words, the low one first (FIPS 202, 3.2 and 3.3).

// Lane (x, y) of the standard lies at 5 y + x.
alias Lane = vec2<u32>;
alias Lanes = array<vec2<u32>, 25>;

// Turned left, by 1 to 31 bits.
fn turn(a: Lane, bits: u32) -> Lane {
    return (a << vec2(bits)) | (a.yx >> vec2(32u - bits));
}

fn chi(a: Lane, b: Lane, c: Lane) -> Lane {
    return a ^ (~b & c);
}

// Iota's constant of a round: only bits 2^j - 1 are ever set, and bit `round` of the word below says
// whether this one is.
fn iota(round: u32) -> Lane {
    let low = ((0x50f4f1u >> round) & 1u)
        | (((0xdb916u >> round) & 1u) << 1u)
        | (((0x8c7f94u >> round) & 1u) << 3u)
        | (((0x327356u >> round) & 1u) << 7u)
        | (((0xb5d4deu >> round) & 1u) << 15u)
        | (((0xd81c68u >> round) & 1u) << 31u);
    return Lane(low, ((0xbbe0ccu >> round) & 1u) << 31u);
}

// One round. Pi moves lane (x + 3 y, x), both mod 5, to (x, y).
fn keccak_round(a: Lanes, round: u32) -> Lanes {
    let c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
    let c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
    let c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
    let c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
    let c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
    let d0 = c4 ^ turn(c1, 1u);
    let d1 = c0 ^ turn(c2, 1u);
    let d2 = c1 ^ turn(c3, 1u);
    let d3 = c2 ^ turn(c4, 1u);
    let d4 = c3 ^ turn(c0, 1u);
    let b0 = a[0] ^ d0;
    let b1 = turn((a[6] ^ d1).yx, 12u);
    let b2 = turn((a[12] ^ d2).yx, 11u);
    let b3 = turn(a[18] ^ d3, 21u);
    let b4 = turn(a[24] ^ d4, 14u);
    let b5 = turn(a[3] ^ d3, 28u);
    let b6 = turn(a[9] ^ d4, 20u);
    let b7 = turn(a[10] ^ d0, 3u);
    let b8 = turn((a[16] ^ d1).yx, 13u);
    let b9 = turn((a[22] ^ d2).yx, 29u);
    let b10 = turn(a[1] ^ d1, 1u);
    let b11 = turn(a[7] ^ d2, 6u);
    let b12 = turn(a[13] ^ d3, 25u);
    let b13 = turn(a[19] ^ d4, 8u);
    let b14 = turn(a[20] ^ d0, 18u);
    let b15 = turn(a[4] ^ d4, 27u);
    let b16 = turn((a[5] ^ d0).yx, 4u);
    let b17 = turn(a[11] ^ d1, 10u);
    let b18 = turn(a[17] ^ d2, 15u);
    let b19 = turn((a[23] ^ d3).yx, 24u);
    let b20 = turn((a[2] ^ d2).yx, 30u);
    let b21 = turn((a[8] ^ d3).yx, 23u);
    let b22 = turn((a[14] ^ d4).yx, 7u);
    let b23 = turn((a[15] ^ d0).yx, 9u);
    let b24 = turn(a[21] ^ d1, 2u);
    return Lanes(
        chi(b0, b1, b2) ^ iota(round),
        chi(b1, b2, b3),
        chi(b2, b3, b4),
        chi(b3, b4, b0),
        chi(b4, b0, b1),
        chi(b5, b6, b7),
        chi(b6, b7, b8),
        chi(b7, b8, b9),
        chi(b8, b9, b5),
        chi(b9, b5, b6),
        chi(b10, b11, b12),
        chi(b11, b12, b13),
        chi(b12, b13, b14),
        chi(b13, b14, b10),
        chi(b14, b10, b11),
        chi(b15, b16, b17),
        chi(b16, b17, b18),
        chi(b17, b18, b19),
        chi(b18, b19, b15),
        chi(b19, b15, b16),
        chi(b20, b21, b22),
        chi(b21, b22, b23),
        chi(b22, b23, b24),
        chi(b23, b24, b20),
        chi(b24, b20, b21),
    );
}
