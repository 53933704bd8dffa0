//! Inverses modulo p or n by division steps (Bernstein and Yang, "Fast constant-time gcd computation
//! and modular inversion", 2019), here in variable time and 62 steps at once.
//!
//! f and g start as the modulus and a, and every step keeps f odd and halves g. 62 steps depend on
//! the lowest 62 bits of f and g alone: they are done on words and give a matrix, which is then
//! applied to f and g, and modulo the modulus to d and e, where d a = f and e a = g. When g is 0, f is
//! 1 or -1, and d the inverse up to that sign.

use crate::parsed::Words;

/// Five limbs of 62 bits, the highest signed.
type Limbs = [i64; 5];

const LIMB: i64 = (1 << 62) - 1;

/// An odd modulus below 2^256.
#[derive(Debug)]
pub struct Modulus {
    limbs: Limbs,
    /// 1/modulus mod 2^62.
    inverse: i64,
}

impl Modulus {
    /// Prepares a modulus.
    pub const fn new(words: &Words) -> Self {
        // Newton's iteration: each round doubles the correct bits.
        let mut inverse = 1u64;
        let mut round = 0;
        while round < 6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(words[0].wrapping_mul(inverse)));
            round += 1;
        }
        Modulus { limbs: to_limbs(words), inverse: inverse as i64 & LIMB }
    }

    /// 1/a, and 0 for 0; a lies below the modulus, which is prime.
    pub fn invert(&self, a: &Words) -> Words {
        let (mut d, mut e): (Limbs, Limbs) = ([0; 5], [1, 0, 0, 0, 0]);
        let (mut f, mut g) = (self.limbs, to_limbs(a));
        let mut eta = -1;
        while g != [0; 5] {
            let matrix = steps(&mut eta, f[0] as u64, g[0] as u64);
            (d, e) = self.apply_mod(&matrix, &d, &e);
            (f, g) = apply(&matrix, &f, &g);
        }
        self.settle(d, f[4] < 0)
    }

    /// (u d + v e, q d + r e) / 2^62 modulo the modulus, all between minus twice it and itself.
    fn apply_mod(&self, [u, v, q, r]: &[i64; 4], d: &Limbs, e: &Limbs) -> (Limbs, Limbs) {
        // Multiples of the modulus that keep the range, and make the lowest 62 bits zero.
        let (d_negative, e_negative) = (d[4] >> 63, e[4] >> 63);
        let row = |a: i64, b: i64| {
            let low = wide(a, d[0]) + wide(b, e[0]);
            let keep = (a & d_negative) + (b & e_negative);
            let clear = self.inverse.wrapping_mul(low as i64).wrapping_add(keep) & LIMB;
            combine(&[(a, d), (b, e), (keep - clear, &self.limbs)])
        };
        (row(*u, *v), row(*q, *r))
    }

    /// The representative below the modulus of d, or of -d.
    fn settle(&self, mut d: Limbs, negate: bool) -> Words {
        let add = |a: &Limbs| carry(std::array::from_fn(|i| a[i] + self.limbs[i]));
        if d[4] < 0 {
            d = add(&d);
        }
        if negate {
            d = carry(d.map(|limb| -limb));
        }
        if d[4] < 0 {
            d = add(&d);
        }
        let [a, b, c, d, e] = d.map(|limb| limb as u64);
        [a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6 | e << 56]
    }
}

const fn to_limbs(w: &Words) -> Limbs {
    let limb = LIMB as u64;
    [
        (w[0] & limb) as i64,
        ((w[0] >> 62 | w[1] << 2) & limb) as i64,
        ((w[1] >> 60 | w[2] << 4) & limb) as i64,
        ((w[2] >> 58 | w[3] << 6) & limb) as i64,
        (w[3] >> 56) as i64,
    ]
}

fn wide(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// Brings limbs 0 to 3 back to 62 bits.
fn carry(mut limbs: Limbs) -> Limbs {
    for i in 0..4 {
        limbs[i + 1] += limbs[i] >> 62;
        limbs[i] &= LIMB;
    }
    limbs
}

/// The sum of the products, whose lowest 62 bits are zero, / 2^62.
#[inline(always)]
fn combine<const N: usize>(terms: &[(i64, &Limbs); N]) -> Limbs {
    let mut out = [0; 5];
    let mut sum = 0i128;
    for i in 0..5 {
        for (factor, limbs) in terms {
            sum += wide(*factor, limbs[i]);
        }
        if i > 0 {
            out[i - 1] = sum as i64 & LIMB;
        }
        sum >>= 62;
    }
    out[4] = sum as i64;
    out
}

/// (u f + v g, q f + r g) / 2^62, which is exact.
fn apply([u, v, q, r]: &[i64; 4], f: &Limbs, g: &Limbs) -> (Limbs, Limbs) {
    (combine(&[(*u, f), (*v, g)]), combine(&[(*q, f), (*r, g)]))
}

/// 62 division steps on the lowest bits of f and g: the matrix (u, v; q, r), times 2^62. `eta` is
/// minus the paper's delta.
fn steps(eta: &mut i64, mut f: u64, mut g: u64) -> [i64; 4] {
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let mut left = 62u32;
    loop {
        // Steps that only halve g.
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        (u, v) = (u << zeros, v << zeros);
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            return [u, v, q, r].map(|entry| entry as i64);
        }
        // f and g are odd: take as many multiples of f as make g's lowest bits zero, as long as the
        // steps would not swap again. f (f^2 - 2) = -1/f mod 2^6.
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        let bits = (*eta + 1).min(i64::from(left)).min(6) as u32;
        let inverse = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2));
        let multiple = g.wrapping_mul(inverse) & ((1 << bits) - 1);
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::algorithms::secp256k1::integer::{N, P, ZERO, is_below, sub, to_be};

    #[test]
    fn products_with_the_inverse_are_one() {
        let mut random = StdRng::seed_from_u64(21);
        for prime in [P, N] {
            let modulus = Modulus::new(&prime);
            let big = |words: &Words| BigUint::from_bytes_be(&to_be(words));
            let minus = |k: u64| sub(&prime, &[k, 0, 0, 0]).0;
            let mut values =
                vec![[1, 0, 0, 0], [2, 0, 0, 0], minus(1), minus(2), [0, 0, 0, 1 << 63]];
            while values.len() < 3_000 {
                let word = |random: &mut StdRng| match random.random_range(0..4) {
                    0 => 0,
                    1 => u64::MAX,
                    2 => 1 << random.random_range(0..64),
                    _ => random.random(),
                };
                values.push(std::array::from_fn(|_| word(&mut random)));
            }
            for a in values.iter().filter(|a| is_below(a, &prime) && **a != ZERO) {
                let inverse = modulus.invert(a);
                assert!(is_below(&inverse, &prime));
                assert_eq!(big(a) * big(&inverse) % big(&prime), BigUint::from(1u8), "{a:x?}");
            }
            assert_eq!(modulus.invert(&ZERO), ZERO);
        }
    }
}
