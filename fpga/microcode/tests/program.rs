//! The program against k256, and the core's memories against the assembler.

use std::path::Path;

use fpga_microcode::instruction::{Instruction, Product};
use fpga_microcode::job::{GENERATOR_WINDOWS, Job, KEY_WINDOWS};
use fpga_microcode::{field, machine, memory, program};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{ProjectivePoint, Scalar};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng, rngs::StdRng};

/// Cycles of a verification are instructions of the program: one a turn.
#[test]
fn the_multiplier_works_in_nearly_every_cycle() {
    let program = program();
    let products = program.iter().filter(|instruction| instruction.product.is_some()).count();
    let busy = products as f64 / program.len() as f64;
    println!("{} cycles a verification, {products} products, {busy:.4} busy", program.len());
    assert!(program.len() <= 2_100 && busy >= 0.98, "{} {busy}", program.len());
}

#[test]
fn words_stand_for_their_instructions() {
    for instruction in program() {
        assert_eq!(Instruction::decode(instruction.encode()), *instruction);
    }
}

/// The files that the RTL includes; `SIGMILL_WRITE=1` renews them.
#[test]
fn the_memories_are_what_the_assembler_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rtl");
    let files = [
        ("secp256k1_length.svh", memory::length_text(program())),
        ("secp256k1_program.svh", memory::program_text(program())),
        ("secp256k1_generator.svh", memory::generator_text()),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        if std::env::var_os("SIGMILL_WRITE").is_some() {
            std::fs::write(&path, &text).expect("a writable tree");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "{name}: SIGMILL_WRITE=1 renews it");
    }
}

const LAMBDA: &str = "5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72";

fn scalar(digit: i32) -> Scalar {
    let size = Scalar::from(u64::from(digit.unsigned_abs()));
    if digit < 0 { -size } else { size }
}

/// The scalar that two halves of digits stand for.
fn total(halves: [&[i32]; 2], base: u64) -> Scalar {
    let lambda = BigUint::parse_bytes(LAMBDA.as_bytes(), 16).expect("digits").to_bytes_be();
    let lambda: [u8; 32] = lambda.try_into().expect("32 bytes");
    let lambda = Scalar::from_repr(lambda.into()).expect("below the order");
    let [first, second] = halves.map(|digits| {
        digits.iter().rev().fold(Scalar::ZERO, |sum, d| sum * Scalar::from(base) + scalar(*d))
    });
    first + second * lambda
}

fn coordinates(point: &ProjectivePoint) -> Option<[BigUint; 2]> {
    let bytes = point.to_affine().to_sec1_point(false);
    let bytes = bytes.as_bytes();
    let at = |start: usize| BigUint::from_bytes_be(&bytes[start..start + 32]);
    (bytes.len() == 65).then(|| [at(1), at(33)])
}

struct Case {
    key: [[i32; KEY_WINDOWS]; 2],
    generator: [[i32; GENERATOR_WINDOWS]; 2],
    q: ProjectivePoint,
}

impl Case {
    fn check(&self, words: &[u128]) {
        let q = coordinates(&self.q).expect("a key is not infinity");
        let job = Job::new(self.key, self.generator, q);
        let [x, y, z] = machine::run(words, &job);
        let u1 = total([&self.generator[0], &self.generator[1]], 1_024);
        let u2 = total([&self.key[0], &self.key[1]], 32);
        let expected = coordinates(&(ProjectivePoint::GENERATOR * u1 + self.q * u2));
        let Some([ex, ey]) = expected else {
            assert_eq!(z, BigUint::ZERO);
            return;
        };
        assert_ne!(z, BigUint::ZERO);
        let p = field::prime();
        let zz = &z * &z % &p;
        assert_eq!(x, ex * &zz % &p);
        assert_eq!(y, ey * &zz % &p * z % &p);
    }
}

fn words() -> Vec<u128> {
    program().iter().map(Instruction::encode).collect()
}

#[test]
fn random_digits_give_the_referee_s_points() {
    let words = words();
    let mut random = StdRng::seed_from_u64(41);
    for _ in 0..if cfg!(debug_assertions) { 20 } else { 200 } {
        let mut q = [0; 16];
        random.fill(&mut q[..]);
        let q = ProjectivePoint::GENERATOR * Scalar::from(u128::from_le_bytes(q));
        let key = [(); 2].map(|()| [(); KEY_WINDOWS].map(|()| random.random_range(-16..=16)));
        let generator = [(); 2]
            .map(|()| [(); GENERATOR_WINDOWS].map(|()| random.random_range(-512..512) * 2 + 1));
        Case { key, generator, q }.check(&words);
    }
}

/// Zero digits, equal and opposite points, infinity on the way and at the end.
#[test]
fn no_input_leads_outside_the_formulas() {
    let words = words();
    let ones = [1; GENERATOR_WINDOWS];
    let generators = [[ones; 2], [ones, ones.map(|d| -d)], [[1_023; _], [-1_023; _]]];
    let keys = [
        [[0; KEY_WINDOWS]; 2],
        [[16; _], [-16; _]],
        [[-16; _], [0; _]],
        [[1; _]; 2],
        [std::array::from_fn(|w| i32::from(w == KEY_WINDOWS - 1)), [0; _]],
    ];
    for q in [1u64, 2, 3, 32, 1_024, 1_023] {
        for sign in [1, -1] {
            let q = ProjectivePoint::GENERATOR * (Scalar::from(q) * scalar(sign));
            for generator in generators {
                for key in keys {
                    Case { key, generator, q }.check(&words);
                }
                // u2 Q = -u1 G or u1 G, digit by digit where Q = G or -G: 1,024^w = 32^(2 w).
                for turn in [1, -1] {
                    let mut key = [[0; KEY_WINDOWS]; 2];
                    for (half, digits) in key.iter_mut().enumerate() {
                        for w in 0..GENERATOR_WINDOWS {
                            let d = turn * generator[half][w];
                            // A digit of ten bits as two of five.
                            let low = (d + 16).rem_euclid(32) - 16;
                            digits[2 * w] += low;
                            digits[2 * w + 1] += (d - low) / 32;
                        }
                    }
                    if key.iter().flatten().all(|d| (-16..=16).contains(d)) {
                        Case { key, generator, q }.check(&words);
                    }
                }
            }
        }
    }
}

/// A wrong word must show.
#[test]
fn a_spoilt_program_is_noticed() {
    let mut program = program().to_vec();
    let at = program.iter().position(|i| matches!(i.product, Some(Product { c: Some(_), .. })));
    let product = &mut program[at.expect("the formulas add")].product;
    product.as_mut().expect("just found").sign.negative ^= true;
    let words: Vec<_> = program.iter().map(Instruction::encode).collect();
    let case = Case {
        key: [[3; KEY_WINDOWS]; 2],
        generator: [[5; GENERATOR_WINDOWS]; 2],
        q: ProjectivePoint::GENERATOR.double(),
    };
    assert!(std::panic::catch_unwind(|| case.check(&words)).is_err());
}
