//! Writes the rounds of SHA-256: straight-line, the state turning by name instead of moving.

use std::fmt::Write;

/// K (FIPS 180-4, 4.2.2): 32 bits of the fractions of the cube roots of the first 64 primes.
fn constants() -> [u32; 64] {
    let mut primes = (2u128..).filter(|n| (2..*n).all(|d| n % d != 0));
    std::array::from_fn(|_| {
        let prime = primes.next().expect("there are more primes");
        // The largest x with x^3 <= prime 2^96 is the root times 2^32.
        let (mut low, mut high) = (0u128, 8 << 32);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if middle * middle * middle <= prime << 96 { low = middle } else { high = middle }
        }
        low as u32
    })
}

/// W of the block that ends a message of 64 bytes.
fn padding_of_64() -> [u32; 64] {
    let mut w = [0u32; 64];
    (w[0], w[15]) = (0x8000_0000, 512);
    for i in 16..64 {
        let (a, b) = (w[i - 15], w[i - 2]);
        let small_0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
        let small_1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
        w[i] = small_1.wrapping_add(w[i - 7]).wrapping_add(small_0).wrapping_add(w[i - 16]);
    }
    w
}

const HEAD: &str = "\
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
";

/// The file.
pub fn sha256_rounds() -> String {
    let mut out = String::from(HEAD);
    let k = constants();
    out.push_str("\n// The state after a block; the schedule is a ring of 16 words.\n");
    function(&mut out, "sha256_compress(state: State, block: Block)", |out, i| {
        let at = |i: usize| format!("w{}", i % 16);
        if i < 16 {
            writeln!(out, "    var w{i} = block[{i}];").unwrap();
        } else {
            let [w, early, middle, late] = [at(i), at(i + 1), at(i + 9), at(i + 14)];
            writeln!(out, "    {w} += small_sigma_0({early}) + {middle} + small_sigma_1({late});")
                .unwrap();
        }
        format!("{:#010x}u + {}", k[i], at(i))
    });
    out.push_str(
        "\n// The state after the block that ends a message of 64 bytes: all padding, K + W a constant.\n",
    );
    let w = padding_of_64();
    function(&mut out, "sha256_compress_padding_of_64(state: State)", |_, i| {
        format!("{:#010x}u", k[i].wrapping_add(w[i]))
    });
    out
}

/// A compression; `term` writes what a round needs and gives its K + W.
fn function(out: &mut String, name: &str, term: impl Fn(&mut String, usize) -> String) {
    writeln!(out, "fn {name} -> State {{").unwrap();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for (i, name) in names.iter().enumerate() {
        writeln!(out, "    var {name} = state[{i}];").unwrap();
    }
    for i in 0..64 {
        let kw = term(out, i);
        let [a, b, c, d, e, f, g, h] = std::array::from_fn(|j| names[(j + 64 - i) % 8]);
        writeln!(out, "    {h} += big_sigma_1({e}) + choose({e}, {f}, {g}) + {kw};").unwrap();
        writeln!(out, "    {d} += {h};").unwrap();
        writeln!(out, "    {h} += big_sigma_0({a}) + majority({a}, {b}, {c});").unwrap();
    }
    writeln!(out, "    return State(").unwrap();
    for half in [0, 4] {
        let sums: Vec<_> =
            (half..half + 4).map(|i| format!("state[{i}] + {},", names[i])).collect();
        writeln!(out, "        {}", sums.join(" ")).unwrap();
    }
    out.push_str("    );\n}\n");
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};
    use sigmill::backend::gpu::Limbs;
    use sigmill::backend::gpu::program::Kernel;

    /// Kernels of hashes want nothing that a browser lacks, and are the same in both limb formats.
    #[test]
    fn hashes_run_everywhere() {
        for kernel in [
            Kernel::Sha256,
            Kernel::Keccak256,
            Kernel::MerkleStart,
            Kernel::MerkleRise,
            Kernel::MerkleNext,
        ] {
            let text = kernel.text(Limbs::U32);
            assert_eq!(text, kernel.text(Limbs::U64));
            let module = naga::front::wgsl::parse_str(&text)
                .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&text)));
            let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
            validator.validate(&module).unwrap_or_else(|error| panic!("{kernel:?}: {error:?}"));
            assert!(module.entry_points.iter().any(|entry| entry.name == kernel.entry()));
        }
    }
}
