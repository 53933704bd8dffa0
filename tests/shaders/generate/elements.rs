//! Elements mod p: functions `limbs_` and `fe_`.

use std::fmt::Write;

use num_bigint::BigUint;

use super::{Format, p};

impl Format {
    /// Eight words to limbs.
    pub fn load(&self) -> String {
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
    pub fn pack(&self) -> String {
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

    pub fn carry(&self) -> String {
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

    pub fn add(&self) -> String {
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

    pub fn sub(&self) -> String {
        let cushion = self.cushion();
        let comment = format!(
            "// a - b, with a multiple of p so large that no limb runs below zero: those of b lie below\n// {} 2^B.\n",
            self.subtrahend
        );
        self.limbwise(&comment, "fe_sub(a: Fe, b: Fe) -> Fe", |i| {
            format!("a[{i}] + ({:#x}u - b[{i}])", cushion[i])
        })
    }

    pub fn times(&self) -> String {
        self.limbwise("// k a, for k up to 8.\n", "fe_times(a: Fe, k: u32) -> Fe", |i| {
            format!("a[{i}] * k")
        })
    }

    /// Product or square mod p. High limbs come off a running sum of the high columns just when the low
    /// column wants them, so that two sums are all that lives beside the limbs.
    pub fn product(&self, name: &str, square: bool) -> String {
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

    /// Below p, limbs carried.
    pub fn normalize(&self) -> String {
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

    pub fn is_zero(&self) -> String {
        let limbs: Vec<_> = (0..self.limbs).map(|i| format!("a[{i}]")).collect();
        format!(
            "// Whether a number with carried limbs, below its modulus, is zero.\nfn limbs_are_zero(a: Fe) -> bool {{\n    return ({}) == 0u;\n}}\n",
            limbs.join(" | ")
        )
    }

    pub fn select(&self) -> String {
        let out: Vec<_> =
            (0..self.limbs).map(|i| format!("select(a[{i}], b[{i}], which)")).collect();
        let head = "limbs_select(a: Fe, b: Fe, which: bool) -> Fe";
        self.function("// b where `which` holds, else a.\n", head, "", &out)
    }

    pub fn settle(&self) -> String {
        let body = if self.tight { "a" } else { "fe_carry(a)" };
        format!(
            "// What a sum or difference has to go through before it may be subtracted.\nfn fe_settle(a: Fe) -> Fe {{\n    return {body};\n}}\n"
        )
    }
}
