//! On numbers known exactly an interpreter computes. What it computes is the arithmetic meant: so it reads
//! the text rightly, and no mask of the text takes away a bit that counts.

use naga::Scalar;
use num_bigint::BigInt;

use super::bounds::{FORMATS, interpreter};
use super::generate::Format;
use super::intervals::{Interval, Value};

fn hex(text: &str) -> BigInt {
    BigInt::parse_bytes(text.as_bytes(), 16).expect("hex")
}

fn p() -> BigInt {
    hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")
}

fn n() -> BigInt {
    hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
}

/// The number by which the curve's endomorphism multiplies.
fn lambda() -> BigInt {
    hex("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72")
}

/// Small numbers, numbers just below the modulus, and some between.
fn samples(modulus: &BigInt) -> Vec<BigInt> {
    let mut samples = vec![BigInt::ZERO, 1.into(), BigInt::from(2).pow(224) - 1, modulus - 1];
    samples.extend((1..5).map(|k| BigInt::from(3).pow(150 * k) % modulus));
    samples
}

fn residue(a: BigInt, modulus: &BigInt) -> BigInt {
    (a % modulus + modulus) % modulus
}

/// The limbs of a number.
fn exactly(format: &Format, number: &BigInt) -> Value {
    let radix = BigInt::from(1) << format.bits;
    let limb = |i: usize| i128::try_from((number >> (i * format.bits)) % &radix).expect("a limb");
    let limbs = (0..format.limbs).map(|i| Value::Number(Interval::exactly(Scalar::U32, limb(i))));
    Value::Parts(limbs.collect())
}

/// The number of some limbs.
fn value(format: &Format, limbs: &Value) -> BigInt {
    let limbs = limbs.numbers().into_iter().map(|limb| limb.known().expect("computed"));
    limbs.enumerate().map(|(i, limb)| BigInt::from(limb) << (i * format.bits)).sum()
}

#[test]
fn elements_are_computed() {
    let p = p();
    for format in FORMATS {
        let mut run = interpreter(format);
        for a in samples(&p) {
            let left = exactly(format, &a);
            for b in samples(&p) {
                let right = exactly(format, &b);
                for (name, expected) in
                    [("fe_mul", &a * &b), ("fe_sub", &a - &b), ("fe_add", &a + &b)]
                {
                    let result = run.call(name, &[&left, &right]);
                    let result = run.call("fe_normalize", &[&result]);
                    assert_eq!(value(format, &result), residue(expected, &p), "{name}");
                }
            }
            let square = run.call("fe_sqr", &[&left]);
            let square = run.call("fe_normalize", &[&square]);
            assert_eq!(value(format, &square), residue(&a * &a, &p));
        }
        assert_eq!(run.reports, Vec::<String>::new());
    }
}

#[test]
fn scalars_are_computed() {
    let n = n();
    for format in FORMATS {
        let mut run = interpreter(format);
        for a in samples(&n) {
            let left = exactly(format, &a);
            let negated = run.call("sc_negate", &[&left]);
            assert_eq!(value(format, &negated), residue(-&a, &n));
            for b in samples(&n) {
                let product = run.call("sc_mul", &[&left, &exactly(format, &b)]);
                let product = run.call("sc_reduce", &[&product]);
                let product = value(format, &product);
                assert!(product < n);
                assert_eq!((product << 260) % &n, &a * &b % &n);
            }
        }
        assert_eq!(run.reports, Vec::<String>::new());
    }
}

#[test]
fn halves_are_computed() {
    let n = n();
    for format in FORMATS {
        let mut run = interpreter(format);
        for k in samples(&n) {
            let scalar = exactly(format, &k);
            let [c1, c2] = ["LATTICE_G1", "LATTICE_G2"].map(|name| {
                let constant = run.constant(name);
                run.call("sc_quotient", &[&scalar, &constant])
            });
            let first = value(format, &run.call("sc_nearest_first", &[&scalar, &c1, &c2]));
            let second = value(format, &run.call("sc_nearest_second", &[&c1, &c2]));
            assert!(first.bits() <= 128 && second.bits() <= 128);
            assert_eq!(residue(first + second * lambda(), &n), k);
        }
        assert_eq!(run.reports, Vec::<String>::new());
    }
}
