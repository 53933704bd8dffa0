//! Keccak-f[1600] over vectors of 64-bit words, one message a lane, written once.

use super::RATE;

/// A vector of `N` words. Holding one proves that this machine has the level.
pub(super) trait WordVec<const N: usize>: Copy {
    /// The proof that the first vector is made from.
    type Token: Copy;

    /// Words as they lie in memory, lane 0 first.
    fn from_array(token: Self::Token, words: &[u64; N]) -> Self;
    /// Words as they lie in memory, lane 0 first.
    fn to_array(self) -> [u64; N];
    /// Transposes blocks: vector i holds word i, little-endian, of each lane's block.
    fn load(token: Self::Token, blocks: [&[u8; RATE]; N]) -> [Self; RATE / 8];
    /// The first four words of each lane, little-endian.
    fn store(words: [Self; 4]) -> [[u8; 32]; N];

    /// a ^ b.
    fn xor(self, other: Self) -> Self;
    /// a ^ w, the same w in every lane.
    fn xor_word(self, word: u64) -> Self;
    /// a ^ b ^ c.
    fn xor_3(self, b: Self, c: Self) -> Self;
    /// a ^ (!b & c).
    fn chi(self, b: Self, c: Self) -> Self;
    /// Turned left by a number of bits that is a constant after inlining.
    fn rotate(self, bits: u32) -> Self;
}

/// One word, in plain Rust.
impl WordVec<1> for u64 {
    type Token = ();

    #[inline(always)]
    fn from_array(_: (), &[word]: &[u64; 1]) -> Self {
        word
    }

    #[inline(always)]
    fn to_array(self) -> [u64; 1] {
        [self]
    }

    #[inline(always)]
    fn load(_: (), [block]: [&[u8; RATE]; 1]) -> [Self; RATE / 8] {
        std::array::from_fn(|i| u64::from_le_bytes(block.as_chunks().0[i]))
    }

    #[inline(always)]
    fn store(words: [Self; 4]) -> [[u8; 32]; 1] {
        let mut digest = [0; 32];
        for (chunk, word) in digest.as_chunks_mut().0.iter_mut().zip(words) {
            *chunk = word.to_le_bytes();
        }
        [digest]
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn xor_word(self, word: u64) -> Self {
        self ^ word
    }

    #[inline(always)]
    fn xor_3(self, b: Self, c: Self) -> Self {
        self ^ b ^ c
    }

    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        self ^ (!b & c)
    }

    #[inline(always)]
    fn rotate(self, bits: u32) -> Self {
        self.rotate_left(bits)
    }
}

/// Round constants of iota (FIPS 202, 3.2.5).
#[rustfmt::skip]
const ROUND: [u64; 24] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a, 0x8000_0000_8000_8000,
    0x0000_0000_0000_808b, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
    0x0000_0000_0000_008a, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000a,
    0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
    0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800a, 0x8000_0000_8000_000a,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
];

/// Offsets of rho (FIPS 202, 3.2.2).
const OFFSET: [u32; 25] =
    [0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14];

/// The state: lane (x, y) of FIPS 202 lies at 5 y + x.
pub(super) type State<V> = [V; 25];

/// Keccak-f[1600].
#[inline(always)]
pub(super) fn permute<V: WordVec<N>, const N: usize>(a: &mut State<V>) {
    for constant in ROUND {
        round(a, constant);
    }
}

/// Keccak-f[1600], of whose last round only the digest is computed.
#[inline(always)]
pub(super) fn squeeze<V: WordVec<N>, const N: usize>(a: &mut State<V>) -> [V; 4] {
    let [first @ .., last] = ROUND;
    for constant in first {
        round(a, constant);
    }
    let (c, turned) = theta(a);
    let [b0, b1, b2, b3, b4] = diffuse_row(a, &c, &turned, 0);
    [b0.chi(b1, b2).xor_word(last), b1.chi(b2, b3), b2.chi(b3, b4), b3.chi(b4, b0)]
}

#[inline(always)]
fn round<V: WordVec<N>, const N: usize>(a: &mut State<V>, constant: u64) {
    let (c, turned) = theta(a);
    let mut rows = [[a[0]; 5]; 5];
    unrolled!(Y in 0 1 2 3 4 => rows[Y] = diffuse_row(a, &c, &turned, Y));
    unrolled!(Y in 0 1 2 3 4 => unrolled!(X in 0 1 2 3 4 => {
        a[5 * Y + X] = rows[Y][X].chi(rows[Y][(X + 1) % 5], rows[Y][(X + 2) % 5]);
    }));
    a[0] = a[0].xor_word(constant);
}

/// The columns' parities, as they are and turned by one bit.
#[inline(always)]
fn theta<V: WordVec<N>, const N: usize>(a: &State<V>) -> ([V; 5], [V; 5]) {
    let parity = |x: usize| a[x].xor_3(a[x + 5], a[x + 10]).xor_3(a[x + 15], a[x + 20]);
    let c = [parity(0), parity(1), parity(2), parity(3), parity(4)];
    (c, [c[0].rotate(1), c[1].rotate(1), c[2].rotate(1), c[3].rotate(1), c[4].rotate(1)])
}

/// Row y after theta, rho and pi. Pi moves lane (x + 3 y, x), both mod 5, to (x, y).
#[inline(always)]
fn diffuse_row<V: WordVec<N>, const N: usize>(
    a: &State<V>,
    c: &[V; 5],
    turned: &[V; 5],
    y: usize,
) -> [V; 5] {
    let lane = |to: usize| {
        let (x, y) = ((to + 3 * y) % 5, to);
        a[5 * y + x].xor_3(c[(x + 4) % 5], turned[(x + 1) % 5]).rotate(OFFSET[5 * y + x])
    };
    [lane(0), lane(1), lane(2), lane(3), lane(4)]
}
