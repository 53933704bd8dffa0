// A scalar in two odd halves, k = first + second lambda mod n, below 2^129 in size.

// Windows of a half over the key, and how many of them make one over G.
const WINDOWS: u32 = 26u;
const KEY_WIDTH: u32 = 5u;
const GENERATOR_STRIDE: u32 = 3u;
const GENERATOR_WIDTH: u32 = 15u;
// Bits that the windows of a half hold.
const KEY_MARKER: u32 = 130u;
const GENERATOR_MARKER: u32 = 135u;
const COMB_MARKER: u32 = 129u;
// Rows of `generator`.
const ROW_START: u32 = 16384u;
const ROW_END: u32 = 16385u;
const ROW_COMB: u32 = 16386u;
const ROW_COMB_END: u32 = 55298u;

fn half_is_negative(k: Half) -> bool {
    return k[HALF_TOP] < 0;
}

// Which way a basis vector moves a half toward zero, 0 where it is odd already.
fn odd_step(k: Half) -> i32 {
    return select(select(-1, 1, half_is_negative(k)), 0, (k[0] & 1) == 1);
}

// Five words: the size, the sign in the highest bit, and a one at bit `marker`, past the size, which
// makes the highest digit one like the others (see `digit`).
fn half_store(k: Half, marker: u32, at: u32) {
    let negative = half_is_negative(k);
    let size = half_pack(half_add(Half(), k, select(1, -1, negative)));
    halves[at] = size[0];
    halves[at + 1u] = size[1];
    halves[at + 2u] = size[2];
    halves[at + 3u] = size[3];
    halves[at + 4u] = size[4] | (1u << (marker - 128u)) | select(0u, 0x80000000u, negative);
}

// Splits k below n. A basis vector added to make the first half odd, then the other to make the second
// odd (mod 2 the basis is (1, 1), (0, 1)), keeps them short.
fn scalar_store(k: Fe, marker: u32, at: u32) {
    let c1 = sc_quotient(k, LATTICE_G1);
    let c2 = sc_quotient(k, LATTICE_G2);
    var first = sc_nearest_first(k, c1, c2);
    var second = sc_nearest_second(c1, c2);
    var step = odd_step(first);
    first = half_add(first, LATTICE_A1, step);
    second = half_add(second, LATTICE_B1, -step);
    step = odd_step(second);
    first = half_add(first, LATTICE_A2, step);
    second = half_add(second, LATTICE_A1, step);
    half_store(first, marker, at);
    half_store(second, marker, at + 5u);
}

// Windows of an odd half give odd digits: that of the window of `width` bits from bit `low` is
// 2 v + 1 - 2^width for the v below, whatever the lower digits are, since each leaves an odd rest.
struct Digit {
    // The row of the odd multiple.
    row: u32,
    negative: bool,
}

fn digit(at: u32, low: u32, width: u32) -> Digit {
    let bit = low + 1u;
    let word = bit / 32u;
    let shift = bit % 32u;
    // The sign is no part of the size.
    var bits = (halves[at + word] & select(0xffffffffu, 0x7fffffffu, word == 4u)) >> shift;
    if shift + width > 32u && word < 4u {
        bits |= (halves[at + word + 1u] & select(0xffffffffu, 0x7fffffffu, word == 3u)) << (32u - shift);
    }
    let v = bits & ((1u << width) - 1u);
    let high = 1u << (width - 1u);
    let positive = (v & high) != 0u;
    let row = select(~v, v, positive) & (high - 1u);
    return Digit(row, positive == ((halves[at + 4u] >> 31u) != 0u));
}
