//! Numbers mod n and their halves: functions `sc_` and `half_`.

use std::fmt::Write;

use num_bigint::BigUint;

use super::{Format, hex, n};

impl Format {
    /// Montgomery's product mod n: a b / 2^260.
    pub fn montgomery(&self) -> String {
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
    pub fn reduce(&self) -> String {
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

    pub fn negate(&self) -> String {
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
    pub fn quotient(&self) -> String {
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

    pub fn half_carry(&self) -> String {
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
    pub fn nearest(&self) -> String {
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
    pub fn half_add(&self) -> String {
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
    pub fn half_pack(&self) -> String {
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
