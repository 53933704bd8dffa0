//! Writes the two field files: straight-line limb code, the same functions in two limb formats.
//!
//! An element has N limbs of B bits and 260 = B N. Sums of columns and what they carry stay inside one
//! word of the format, u64 or u32; `bounds` proves that on the text.

use std::fmt::Write;

use num_bigint::BigUint;

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

    /// Eight words to limbs.
    fn load(&self) -> String {
        let Format { bits, limbs, .. } = *self;
        let mut parts = Vec::new();
        for i in 0..limbs {
            let (word, shift) = (i * bits / 32, i * bits % 32);
            let next = shift + bits > 32 && word + 1 < 8;
            let mut part = match shift {
                0 => format!("w[{word}]"),
                _ => format!("(w[{word}] >> {shift}u)"),
            };
            if next {
                part = format!("({part} | (w[{}] << {}u))", word + 1, 32 - shift);
            }
            if i + 1 < limbs {
                part = format!("{part} & {}", self.mask());
            }
            parts.push(part);
        }
        format!(
            "// Limbs of eight words, lowest first.\nfn limbs_load(w: array<u32, 8>) -> Fe {{\n    return Fe(\n        {},\n    );\n}}\n",
            parts.join(",\n        ")
        )
    }

    /// Limbs below 2^B, of a number below 2^256, to words.
    fn pack(&self) -> String {
        let Format { bits, limbs, .. } = *self;
        let mut words = Vec::new();
        for word in 0..8 {
            let mut parts = Vec::new();
            for i in 0..limbs {
                let (low, high) = (i * bits, (i + 1) * bits);
                if high <= word * 32 || low >= (word + 1) * 32 {
                    continue;
                }
                let (from, to) = (low, word * 32);
                parts.push(if from > to {
                    format!("(a[{i}] << {}u)", from - to)
                } else if from < to {
                    format!("(a[{i}] >> {}u)", to - from)
                } else {
                    format!("a[{i}]")
                });
            }
            words.push(parts.join(" | "));
        }
        format!(
            "// Words of a number below 2^256 whose limbs are carried.\nfn limbs_pack(a: Fe) -> array<u32, 8> {{\n    return array<u32, 8>(\n        {},\n    );\n}}\n",
            words.join(",\n        ")
        )
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

    fn carry(&self) -> String {
        let (body, out) = self.carry_once(&|i| format!("a[{i}]"));
        let comment = "// The same element with limbs below 2^B (1 + 2^-4); those of `a` lie below 2^(B + 5).\n";
        self.function(comment, "fe_carry(a: Fe) -> Fe", &body, &out)
    }

    /// A sum limb by limb, carried where the format wants it.
    fn limbwise(&self, comment: &str, head: &str, limb: impl Fn(usize) -> String) -> String {
        let parts: Vec<_> = (0..self.limbs).map(limb).collect();
        if !self.tight {
            return self.function(comment, head, "", &parts);
        }
        let mut body = String::new();
        for (i, part) in parts.iter().enumerate() {
            writeln!(body, "    let l{i} = {part};").unwrap();
        }
        let (rest, out) = self.carry_once(&|i| format!("l{i}"));
        self.function(comment, head, &(body + &rest), &out)
    }

    fn add(&self) -> String {
        self.limbwise("// a + b.\n", "fe_add(a: Fe, b: Fe) -> Fe", |i| format!("a[{i}] + b[{i}]"))
    }

    /// A multiple of p with limbs from `subtrahend` 2^B on, and less than 2^B above it.
    fn cushion(&self) -> Vec<u64> {
        let Format { bits, limbs, subtrahend, .. } = *self;
        let least = (subtrahend as u64) << bits;
        let ones =
            (0..limbs).fold(BigUint::ZERO, |sum, i| sum + (BigUint::from(least) << (i * bits)));
        let multiple = (&ones + p() - 1u8) / p() * p();
        let rest = self.digits(&(multiple - ones), limbs);
        rest.into_iter().map(|digit| digit + least).collect()
    }

    fn sub(&self) -> String {
        let cushion = self.cushion();
        let comment = format!(
            "// a - b, with a multiple of p so large that no limb runs below zero: those of b lie below\n// {} 2^B.\n",
            self.subtrahend
        );
        self.limbwise(&comment, "fe_sub(a: Fe, b: Fe) -> Fe", |i| {
            format!("a[{i}] + ({:#x}u - b[{i}])", cushion[i])
        })
    }

    fn times(&self) -> String {
        self.limbwise("// k a, for k up to 8.\n", "fe_times(a: Fe, k: u32) -> Fe", |i| {
            format!("a[{i}] * k")
        })
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

    /// Product or square mod p. High limbs come off a running sum of the high columns just when the low
    /// column wants them, so that two sums are all that lives beside the limbs.
    fn product(&self, name: &str, square: bool) -> String {
        let Format { bits, limbs, .. } = *self;
        let fold = self.fold();
        let mut body = String::new();
        if square {
            for i in 0..limbs - 1 {
                writeln!(body, "    let d{i} = a[{i}] << 1u;").unwrap();
            }
        }
        // Past limb N: what of the fold lands there.
        let mut over: Vec<Vec<String>> = vec![Vec::new(); fold.len() + 2];
        for i in 0..limbs {
            let carried = (i > 0).then(|| format!("(high{} >> {bits}u)", i - 1));
            let column = self.column(limbs + i, square);
            let terms: Vec<_> =
                carried.into_iter().chain((!column.is_empty()).then_some(column)).collect();
            writeln!(body, "    let high{i} = {};", terms.join(" + ")).unwrap();
            writeln!(body, "    let h{i} = {};", self.wide_mask(&format!("high{i}"))).unwrap();
            let mut terms = Vec::new();
            if i > 0 {
                terms.push(format!("(low{} >> {bits}u)", i - 1));
            }
            terms.push(self.column(i, square));
            for &(at, digit) in &fold {
                if at <= i {
                    terms.push(format!("h{} * {}", i - at, self.literal(digit)));
                }
            }
            writeln!(body, "    let low{i} = {};", terms.join(" + ")).unwrap();
            writeln!(body, "    let t{i} = {};", self.low(&format!("low{i}"))).unwrap();
        }
        writeln!(body, "    let h{limbs} = high{} >> {bits}u;", limbs - 1).unwrap();
        over[0].push(format!("(low{} >> {bits}u)", limbs - 1));
        for j in 0..=limbs {
            for &(at, digit) in &fold {
                if j + at >= limbs {
                    over[j + at - limbs].push(format!("h{j} * {}", self.literal(digit)));
                }
            }
        }
        // Those again, as limbs, and folded in turn.
        let over: Vec<_> = over.into_iter().filter(|terms| !terms.is_empty()).collect();
        let count = over.len();
        for (k, mut terms) in over.into_iter().enumerate() {
            if k > 0 {
                terms.insert(0, format!("(over{} >> {bits}u)", k - 1));
            }
            writeln!(body, "    let over{k} = {};", terms.join(" + ")).unwrap();
            writeln!(body, "    let o{k} = {};", self.wide_mask(&format!("over{k}"))).unwrap();
        }
        writeln!(body, "    let o{count} = over{} >> {bits}u;", count - 1).unwrap();
        let last = count + fold.last().expect("p is not a power of two").0;
        let mut out = Vec::new();
        for i in 0..=last {
            let mut terms = vec![self.wide(&format!("t{i}"))];
            if i > 0 {
                terms.push(format!("(sum{} >> {bits}u)", i - 1));
            }
            for &(at, digit) in &fold {
                if let Some(k) = i.checked_sub(at).filter(|&k| k <= count) {
                    terms.push(format!("o{k} * {}", self.literal(digit)));
                }
            }
            writeln!(body, "    let sum{i} = {};", terms.join(" + ")).unwrap();
            out.push(self.low(&format!("sum{i}")));
        }
        out.push(format!("t{} + {}", last + 1, self.narrow(&format!("(sum{last} >> {bits}u)"))));
        out.extend((last + 2..limbs).map(|i| format!("t{i}")));
        let (comment, head) = if square {
            ("// a^2.\n", format!("{name}(a: Fe) -> Fe"))
        } else {
            ("// a b.\n", format!("{name}(a: Fe, b: Fe) -> Fe"))
        };
        self.function(comment, &head, &body, &out)
    }

    fn wide_mask(&self, word: &str) -> String {
        format!("{word} & {}", self.literal((1u64 << self.bits) - 1))
    }

    /// Below p, limbs carried.
    fn normalize(&self) -> String {
        let Format { bits, limbs, .. } = *self;
        let top_bits = 256 - bits * (limbs - 1);
        let mut body = String::new();
        // 2^256 = 2^32 + 977.
        let (at, shift) = (32 / bits, 32 % bits);
        writeln!(body, "    let top = a[{}] >> {top_bits}u;", limbs - 1).unwrap();
        let top_mask = (1u64 << top_bits) - 1;
        for i in 0..limbs {
            let low = if i == limbs - 1 {
                format!("(a[{i}] & {top_mask:#x}u)")
            } else {
                format!("a[{i}]")
            };
            let mut terms = vec![low];
            if i > 0 {
                terms.push(format!("(x{} >> {bits}u)", i - 1));
            }
            if i == 0 {
                terms.push("top * 977u".to_owned());
            }
            if i == at {
                terms.push(format!("(top << {shift}u)"));
            }
            writeln!(body, "    let x{i} = {};", terms.join(" + ")).unwrap();
        }
        body.push_str("    // x - p + 2^256: what it has above 2^256 says whether x reaches p.\n");
        for i in 0..limbs {
            let low =
                if i == limbs - 1 { format!("x{i}") } else { format!("(x{i} & {})", self.mask()) };
            let mut terms = vec![low];
            if i > 0 {
                terms.push(format!("(y{} >> {bits}u)", i - 1));
            }
            if i == 0 {
                terms.push("977u".to_owned());
            }
            if i == at {
                terms.push(format!("{}u", 1u64 << shift));
            }
            writeln!(body, "    let y{i} = {};", terms.join(" + ")).unwrap();
        }
        writeln!(body, "    let reaches = (y{} >> {top_bits}u) != 0u;", limbs - 1).unwrap();
        let out: Vec<_> = (0..limbs)
            .map(|i| {
                if i == limbs - 1 {
                    format!("select(x{i}, y{i} & {top_mask:#x}u, reaches)")
                } else {
                    format!("select(x{i}, y{i}, reaches) & {}", self.mask())
                }
            })
            .collect();
        let comment = "// The same element below p. Limbs of `a` lie below 2^(B + 5), in the smaller format below 2^(B + 1).\n";
        self.function(comment, "fe_normalize(a: Fe) -> Fe", &body, &out)
    }

    fn is_zero(&self) -> String {
        let limbs: Vec<_> = (0..self.limbs).map(|i| format!("a[{i}]")).collect();
        format!(
            "// Whether a number with carried limbs, below its modulus, is zero.\nfn limbs_are_zero(a: Fe) -> bool {{\n    return ({}) == 0u;\n}}\n",
            limbs.join(" | ")
        )
    }

    fn select(&self) -> String {
        let out: Vec<_> =
            (0..self.limbs).map(|i| format!("select(a[{i}], b[{i}], which)")).collect();
        let head = "limbs_select(a: Fe, b: Fe, which: bool) -> Fe";
        self.function("// b where `which` holds, else a.\n", head, "", &out)
    }

    fn settle(&self) -> String {
        let body = if self.tight { "a" } else { "fe_carry(a)" };
        format!(
            "// What a sum or difference has to go through before it may be subtracted.\nfn fe_settle(a: Fe) -> Fe {{\n    return {body};\n}}\n"
        )
    }

    /// Montgomery's product mod n: a b / 2^260.
    fn montgomery(&self) -> String {
        let Format { bits, limbs, .. } = *self;
        let modulus = self.digits(&n(), limbs);
        let radix = BigUint::from(1u8) << bits;
        // -1/n mod 2^B.
        let inverse: BigUint = &radix - n().modinv(&radix).expect("n is odd");
        let inverse: u64 = inverse.try_into().expect("a limb");
        let mut body = String::new();
        for k in 0..2 * limbs {
            let mut terms = Vec::new();
            if k > 0 {
                terms.push(format!("(c{} >> {bits}u)", k - 1));
            }
            let column = self.column(k, false);
            if !column.is_empty() {
                terms.push(column);
            }
            for i in 0..limbs.min(k) {
                if let Some(digit) = k.checked_sub(i).and_then(|j| modulus.get(j)) {
                    terms.push(format!(
                        "{} * {}",
                        self.wide(&format!("m{i}")),
                        self.literal(*digit)
                    ));
                }
            }
            if k < limbs {
                writeln!(body, "    let s{k} = {};", terms.join(" + ")).unwrap();
                let low = self.narrow(&format!("s{k}"));
                let product = format!("({low} & {}) * {inverse:#x}u", self.mask());
                writeln!(body, "    let m{k} = ({product}) & {};", self.mask()).unwrap();
                let last =
                    format!("{} * {}", self.wide(&format!("m{k}")), self.literal(modulus[0]));
                writeln!(body, "    let c{k} = s{k} + {last};").unwrap();
            } else {
                writeln!(body, "    let c{k} = {};", terms.join(" + ")).unwrap();
            }
        }
        let out: Vec<_> = (limbs..2 * limbs).map(|k| self.low(&format!("c{k}"))).collect();
        let comment = "// a b / 2^260 mod n, below 1.1 n, limbs carried (Montgomery's product). Both numbers lie below\n// 1.1 2^256, their limbs below 2^B.\n";
        self.function(comment, "sc_mul(a: Fe, b: Fe) -> Fe", &body, &out)
            + "\n"
            + &self.constant(
                "SC_ONE",
                &radix.pow(limbs as u32).modpow(&BigUint::from(1u8), &n()).to_str_radix(16),
            )
    }

    /// Below n, from below 2 n.
    fn reduce(&self) -> String {
        let Format { bits, limbs, .. } = *self;
        let complement = self.digits(&((BigUint::from(1u8) << 260) - n()), limbs);
        let mut body = String::new();
        for (i, digit) in complement.iter().enumerate() {
            let carry = if i > 0 { format!(" + (y{} >> {bits}u)", i - 1) } else { String::new() };
            writeln!(body, "    let y{i} = a[{i}] + {digit:#x}u{carry};").unwrap();
        }
        writeln!(body, "    let reaches = (y{} >> {bits}u) != 0u;", limbs - 1).unwrap();
        let out: Vec<_> = (0..limbs)
            .map(|i| format!("select(a[{i}], y{i} & {}, reaches)", self.mask()))
            .collect();
        let comment = "// The same number below n, from one below 2 n with limbs below 2^B.\n";
        self.function(comment, "sc_reduce(a: Fe) -> Fe", &body, &out)
    }

    fn negate(&self) -> String {
        let Format { bits, limbs, .. } = *self;
        let modulus = self.digits(&n(), limbs);
        let mut body = String::new();
        for (i, digit) in modulus.iter().enumerate() {
            let carry = if i > 0 { format!(" + (y{} >> {bits}u)", i - 1) } else { String::new() };
            writeln!(body, "    let y{i} = {digit}i - i32(a[{i}]){carry};").unwrap();
        }
        body.push_str("    let zero = limbs_are_zero(a);\n");
        let out: Vec<_> =
            (0..limbs).map(|i| format!("select(u32(y{i}) & {}, 0u, zero)", self.mask())).collect();
        self.function("// -a mod n, for a below n.\n", "sc_negate(a: Fe) -> Fe", &body, &out)
    }

    /// k g / 2^384 to the nearest integer, by the two constants of the lattice.
    fn quotient(&self) -> String {
        let Format { bits, limbs, half, .. } = *self;
        // Columns below 2^338 or so are left out: a half exceeds its bound by 2^-40 of a basis vector.
        let first = 338 / bits - 1;
        let mut body = String::new();
        for k in first..2 * limbs {
            let mut terms = Vec::new();
            if k > first {
                terms.push(format!("(c{} >> {bits}u)", k - 1));
            }
            for i in 0..limbs {
                if let Some(j) = k.checked_sub(i).filter(|&j| j < limbs) {
                    terms.push(format!(
                        "{} * {}",
                        self.wide(&format!("k[{i}]")),
                        self.wide(&format!("g[{j}]"))
                    ));
                }
            }
            writeln!(body, "    let c{k} = {};", terms.join(" + ")).unwrap();
            writeln!(body, "    let w{k} = {};", self.low(&format!("c{k}"))).unwrap();
        }
        // From bit 383 on, plus one, without its lowest bit.
        let (at, shift) = (383 / bits, 383 % bits);
        let digits = limbs / 2;
        let mut out = Vec::new();
        for i in 0..=digits {
            let k = at + i;
            let part = |k: usize| if k < 2 * limbs { format!("w{k}") } else { "0u".to_owned() };
            let carry =
                if i > 0 { format!(" + (q{} >> {bits}u)", i - 1) } else { " + 1u".to_owned() };
            let sum = format!(
                "((({} >> {shift}u) | ({} << {}u)) & {}){carry}",
                part(k),
                part(k + 1),
                bits - shift,
                self.mask()
            );
            writeln!(body, "    let q{i} = {sum};").unwrap();
        }
        for i in 0..half {
            out.push(if i < digits {
                format!(
                    "(((q{i} & {}) >> 1u) | (q{} << {}u)) & {}",
                    self.mask(),
                    i + 1,
                    bits - 1,
                    self.mask()
                )
            } else {
                "0u".to_owned()
            });
        }
        let constant = |name: &str, value: &str| self.constant(name, value);
        let out: Vec<_> = out.into_iter().map(|limb| format!("i32({limb})")).collect();
        format!(
            "// round(2^384 A1 / n) and round(2^384 B1 / n): see `sc_nearest`.\n{}{}\n// k g / 2^384 to the nearest integer, below 2^{}.\nfn sc_quotient(k: Fe, g: Fe) -> Half {{\n{body}    return Half(\n        {},\n    );\n}}\n",
            constant(
                "LATTICE_G1",
                "3086d221a7d46bcde86c90e49284eb153daa8a1471e8ca7fe893209a45dbb031"
            ),
            constant(
                "LATTICE_G2",
                "e4437ed6010e88286f547fa90abfe4c4221208ac9df506c61571b4ae8ac47f71"
            ),
            digits * bits,
            out.join(",\n        ")
        )
    }

    fn half_digits(&self, value: &str) -> Vec<u64> {
        self.digits(&hex(value), self.half)
    }

    /// Limbs of a half from columns `x{i}` of signed words.
    fn half_limbs(&self, narrow: bool) -> (String, Vec<String>) {
        let Format { bits, half, .. } = *self;
        let mut body = String::new();
        let mut out = Vec::new();
        for i in 0..half {
            if i > 0 {
                writeln!(body, "    let y{i} = x{i} + (y{} >> {bits}u);", i - 1).unwrap();
            } else {
                body.push_str("    let y0 = x0;\n");
            }
            let limb =
                if narrow && self.word == "u64" { format!("i32(y{i})") } else { format!("y{i}") };
            out.push(if i + 1 < half {
                format!("{limb} & {}", self.mask().replace('u', "i"))
            } else {
                // Its sign is the number's.
                format!("({limb} << {}u) >> {}u", 32 - bits, 32 - bits)
            });
        }
        (body, out)
    }

    fn half_carry(&self) -> String {
        let mut body = String::new();
        for i in 0..self.half {
            writeln!(body, "    let x{i} = k[{i}];").unwrap();
        }
        let (rest, out) = self.half_limbs(false);
        format!(
            "// The same half with limbs from 0 to 2^B - 1, but the top one with the sign.\nfn half_carry(k: Half) -> Half {{\n{body}{rest}    return Half(\n        {},\n    );\n}}\n",
            out.join(",\n        ")
        )
    }

    /// k in two halves, k = first + second lambda.
    fn nearest(&self) -> String {
        let Format { half, signed, .. } = *self;
        let a1 = self.half_digits(A1);
        let b1 = self.half_digits(B1);
        let a2 = self.half_digits(A2);
        let wide = |limb: String| if signed == "i64" { format!("i64({limb})") } else { limb };
        let constant = |value: u64| {
            if signed == "i64" { format!("i64({value}i)") } else { format!("{value}i") }
        };
        let sum = |name: &str, digits: &[u64], i: usize, sign: &str| {
            let mut out = String::new();
            for j in 0..=i {
                if digits[i - j] != 0 {
                    write!(
                        out,
                        " {sign} {} * {}",
                        wide(format!("{name}[{j}]")),
                        constant(digits[i - j])
                    )
                    .unwrap();
                }
            }
            out
        };
        let mut functions = String::new();
        let mut body = String::new();
        for i in 0..half {
            let k = wide(format!("i32(k[{i}])"));
            writeln!(
                body,
                "    let x{i} = {k}{}{};",
                sum("c1", &a1, i, "-"),
                sum("c2", &a2, i, "-")
            )
            .unwrap();
        }
        let (rest, out) = self.half_limbs(true);
        write!(
            functions,
            "// k in two short halves, k = first + second lambda mod n, by the lattice basis (A1, -B1), (A2, A1)\n// (Guide to Elliptic Curve Cryptography, algorithm 3.74): first = k - c1 A1 - c2 A2,\n// second = c1 B1 - c2 A1. Each is a sum mod 2^156.\nfn sc_nearest_first(k: Fe, c1: Half, c2: Half) -> Half {{\n{body}{rest}    return Half(\n        {},\n    );\n}}\n",
            out.join(",\n        ")
        )
        .unwrap();
        let mut body = String::new();
        for i in 0..half {
            let terms = format!("{}{}", sum("c1", &b1, i, "+"), sum("c2", &a1, i, "-"));
            writeln!(body, "    let x{i} = {};", terms.trim_start_matches(" + ")).unwrap();
        }
        let (rest, out) = self.half_limbs(true);
        write!(
            functions,
            "\nfn sc_nearest_second(c1: Half, c2: Half) -> Half {{\n{body}{rest}    return Half(\n        {},\n    );\n}}\n",
            out.join(",\n        ")
        )
        .unwrap();
        functions
    }

    /// The basis vectors, and k + a or k - a.
    fn half_add(&self) -> String {
        let mut out = String::new();
        for (name, value) in [("LATTICE_A1", A1), ("LATTICE_B1", B1), ("LATTICE_A2", A2)] {
            let digits: Vec<_> =
                self.half_digits(value).iter().map(|d| format!("{d:#x}i")).collect();
            writeln!(out, "const {name}: Half = Half({});", digits.join(", ")).unwrap();
        }
        let limbs: Vec<_> = (0..self.half).map(|i| format!("k[{i}] + sign * a[{i}]")).collect();
        write!(
            out,
            "\n// k + sign a, for a sign of -1, 0 or 1.\nfn half_add(k: Half, a: Half, sign: i32) -> Half {{\n    return half_carry(Half(\n        {},\n    ));\n}}\n",
            limbs.join(",\n        ")
        )
        .unwrap();
        out
    }

    /// A non-negative half below 2^160 as five words.
    fn half_pack(&self) -> String {
        let Format { bits, half, .. } = *self;
        let mut words = Vec::new();
        for word in 0..5 {
            let mut parts = Vec::new();
            for i in 0..half {
                let (low, high) = (i * bits, (i + 1) * bits);
                if high <= word * 32 || low >= (word + 1) * 32 {
                    continue;
                }
                let to = word * 32;
                parts.push(if low > to {
                    format!("(u32(k[{i}]) << {}u)", low - to)
                } else if low < to {
                    format!("(u32(k[{i}]) >> {}u)", to - low)
                } else {
                    format!("u32(k[{i}])")
                });
            }
            words.push(parts.join(" | "));
        }
        format!(
            "// Words of a half that is not negative.\nfn half_pack(k: Half) -> array<u32, 5> {{\n    return array<u32, 5>(\n        {},\n    );\n}}\n",
            words.join(",\n        ")
        )
    }
}

/// The short lattice basis (A1, -B1), (A2, A1).
const A1: &str = "3086d221a7d46bcde86c90e49284eb15";
const B1: &str = "e4437ed6010e88286f547fa90abfe4c3";
const A2: &str = "114ca50f7a8e2f3f657c1108d9d44cfd8";
