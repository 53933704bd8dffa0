//! Writes the two field files: straight-line limb code, the same functions in two limb formats.
//!
//! An element has N limbs of B bits and 260 = B N. Sums of columns and what they carry stay inside one
//! word of the format, u64 or u32; `bounds` proves that on the text.

use std::fmt::Write;

use num_bigint::BigUint;

mod elements;
mod scalars;

/// One limb format.
pub struct Format {
    /// The file's.
    pub name: &'static str,
    /// Bits of a limb.
    pub bits: usize,
    /// Limbs of an element.
    pub limbs: usize,
    /// Limbs of half a scalar: 156 bits.
    pub half: usize,
    /// The words that columns are summed in, unsigned and signed.
    word: &'static str,
    signed: &'static str,
    /// Sums and differences are carried at once: the format has no bits to spare.
    pub tight: bool,
    /// What each limb of a subtrahend lies below, in units of 2^bits.
    pub subtrahend: usize,
    head: &'static str,
}

/// For devices with 64-bit integers.
pub const U64: Format = Format {
    name: "field_u64",
    bits: 26,
    limbs: 10,
    half: 6,
    word: "u64",
    signed: "i64",
    tight: false,
    subtrahend: 9,
    head: "\
// Numbers mod p and mod n in 10 limbs of 26 bits, columns summed in u64.
//
// A limb may exceed 26 bits: sums and differences are not carried. In units of 2^26 a limb lies
// below 1 + 2^-4 after a product or `fe_carry`; a difference adds 10 to the minuend and wants the
// subtrahend below 9; the limits of the two factors of a product, multiplied, stay below 400.
",
};

/// For every device.
pub const U32: Format = Format {
    name: "field_u32",
    bits: 13,
    limbs: 20,
    half: 12,
    word: "u32",
    signed: "i32",
    tight: true,
    subtrahend: 2,
    head: "\
// Numbers mod p and mod n in 20 limbs of 13 bits, columns summed in u32.
//
// Twenty products of 26 bits fill a word but for a bit and a half, so that every function carries
// its result: in units of 2^13 a limb lies below 1 + 2^-4 always.
",
};

fn p() -> BigUint {
    (BigUint::from(1u8) << 256) - (1u64 << 32) - 977u32
}

fn n() -> BigUint {
    hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
}

fn hex(text: &str) -> BigUint {
    BigUint::parse_bytes(text.as_bytes(), 16).expect("hex")
}

/// The file of a format.
pub fn file(format: &Format) -> String {
    let mut out = String::from(format.head);
    out.push_str("// Written by tests/shaders/generate.rs.\n\n");
    let Format { bits, limbs, half, .. } = format;
    writeln!(out, "const LIMB_BITS: u32 = {bits}u;").unwrap();
    writeln!(out, "const HALF_TOP: u32 = {}u;\n", half - 1).unwrap();
    writeln!(out, "// An element mod p, or a number mod n.\nalias Fe = array<u32, {limbs}>;")
        .unwrap();
    writeln!(out, "// Half a scalar, in two's complement: the top limb has the sign.").unwrap();
    writeln!(out, "alias Half = array<i32, {half}>;").unwrap();
    for function in [
        format.constant("BETA", "7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501ee"),
        format.load(),
        format.pack(),
        format.carry(),
        format.add(),
        format.sub(),
        format.times(),
        format.product("fe_mul", false),
        format.product("fe_sqr", true),
        format.normalize(),
        format.is_zero(),
        format.select(),
        format.settle(),
        format.montgomery(),
        format.reduce(),
        format.negate(),
        format.quotient(),
        format.half_carry(),
        format.nearest(),
        format.half_add(),
        format.half_pack(),
    ] {
        out.push('\n');
        out.push_str(&function);
    }
    out
}

impl Format {
    fn mask(&self) -> String {
        format!("{:#x}u", (1u64 << self.bits) - 1)
    }

    /// Digits of a number, `count` of them, lowest first; it must fit.
    fn digits(&self, number: &BigUint, count: usize) -> Vec<u64> {
        assert!(number.bits() as usize <= count * self.bits);
        let mask = BigUint::from((1u64 << self.bits) - 1);
        let digit = |i: usize| (number >> (i * self.bits)) & &mask;
        (0..count).map(|i| digit(i).try_into().expect("a digit")).collect()
    }

    /// 2^(B N) mod p: where its limbs go, and what they are.
    fn fold(&self) -> Vec<(usize, u64)> {
        let rest = (BigUint::from(1u8) << (self.bits * self.limbs)) % p();
        let digits = self.digits(&rest, self.limbs).into_iter().enumerate();
        digits.filter(|(_, digit)| *digit != 0).collect()
    }

    /// A limb as a word of columns.
    fn wide(&self, limb: &str) -> String {
        if self.word == "u64" { format!("u64({limb})") } else { limb.to_owned() }
    }

    /// A word of columns as a limb.
    fn narrow(&self, word: &str) -> String {
        if self.word == "u64" { format!("u32({word})") } else { word.to_owned() }
    }

    fn literal(&self, value: u64) -> String {
        if self.word == "u64" { format!("u64({value}u)") } else { format!("{value}u") }
    }

    /// `word & mask` as a limb.
    fn low(&self, word: &str) -> String {
        match self.word {
            // The low word holds all of the limb.
            "u64" => format!("u32({word}) & {}", self.mask()),
            _ => format!("{word} & {}", self.mask()),
        }
    }

    fn constant(&self, name: &str, value: &str) -> String {
        let digits: Vec<_> =
            self.digits(&hex(value), self.limbs).iter().map(|d| format!("{d:#x}u")).collect();
        format!("const {name}: Fe = Fe({});\n", digits.join(", "))
    }

    /// Statements that bring limbs `a{i}` to `name{i}`, carried once: the top folded, all at once.
    fn carry_once(&self, a: &dyn Fn(usize) -> String) -> (String, Vec<String>) {
        let Format { bits, limbs, .. } = *self;
        let mut body = String::new();
        writeln!(body, "    let top = {} >> {bits}u;", a(limbs - 1)).unwrap();
        let fold = self.fold();
        for i in 0..limbs {
            let low = match i {
                _ if i == limbs - 1 => format!("({} & {})", a(i), self.mask()),
                _ => a(i),
            };
            let folded = fold.iter().find(|(at, _)| *at == i);
            let sum = folded.map_or(low.clone(), |(_, m)| format!("{low} + top * {m:#x}u"));
            writeln!(body, "    let s{i} = {sum};").unwrap();
        }
        let mut out = vec![format!("s0 & {}", self.mask())];
        for i in 1..limbs {
            let low = match i {
                _ if i == limbs - 1 => format!("s{i}"),
                _ => format!("(s{i} & {})", self.mask()),
            };
            out.push(format!("{low} + (s{} >> {bits}u)", i - 1));
        }
        (body, out)
    }

    fn function(&self, comment: &str, head: &str, body: &str, out: &[String]) -> String {
        format!(
            "{comment}fn {head} {{\n{body}    return Fe(\n        {},\n    );\n}}\n",
            out.join(",\n        ")
        )
    }

    /// The products of column `k`.
    fn column(&self, k: usize, square: bool) -> String {
        let mut terms = Vec::new();
        for i in 0..self.limbs {
            let Some(j) = k.checked_sub(i).filter(|&j| j < self.limbs) else { continue };
            let a = self.wide(&format!("a[{i}]"));
            if !square {
                terms.push(format!("{a} * {}", self.wide(&format!("b[{j}]"))));
            } else if i < j {
                terms.push(format!(
                    "{} * {}",
                    self.wide(&format!("d{i}")),
                    self.wide(&format!("a[{j}]"))
                ));
            } else if i == j {
                terms.push(format!("{a} * {a}"));
            }
        }
        terms.join(" + ")
    }

    fn wide_mask(&self, word: &str) -> String {
        format!("{word} & {}", self.literal((1u64 << self.bits) - 1))
    }
}
