//! The secp256k1 core and its field units.

use std::fmt::Write;

use fpga_microcode::instruction::{Factor, Instruction};
use fpga_microcode::job::{GENERATOR_WINDOWS, Job, KEY_WINDOWS};
use fpga_microcode::{machine, program};
use k256::elliptic_curve::hazmat::FieldArithmetic;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::elliptic_curve::{Field as _, PrimeField};
use k256::{ProjectivePoint, Scalar, Secp256k1};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::icarus::{Core, Job as Sent, Pace, compile, folder, has, run, verdict};

type Field = <Secp256k1 as FieldArithmetic>::FieldElement;

/// 0, 1, p - 1, 2 p's neighbours, single bits and all limbs' top bits, and what is random.
fn element(random: &mut StdRng) -> Field {
    let power = |exponent: u64| Field::from(2).pow_vartime([exponent]);
    let limbs = |width: u64| (1..=256 / width).map(|i| power(width * i - 1)).sum::<Field>();
    match random.random_range(0..12) {
        0 => Field::ZERO,
        1 => Field::ONE,
        2 => -Field::ONE,
        3 => -Field::from(2),
        // 2^256 - p and its neighbours.
        4 => Field::from((1 << 32) + 976 + random.random_range(0..3u64)),
        5 => power(random.random_range(0..256)),
        6 => -power(random.random_range(0..256)),
        7 => limbs(17),
        8 => -limbs(26),
        _ => loop {
            let mut bytes = [0u8; 32];
            random.fill(&mut bytes);
            if let Some(element) = Field::from_repr(bytes.into()).into_option() {
                break element;
            }
        },
    }
}

const FACTORS: [Factor; 6] =
    [Factor::One, Factor::Two, Factor::Three, Factor::Eight, Factor::TwentyOne, Factor::SixtyThree];

/// `a b c factor negative result` a line; without a product a is one.
fn cases(count: usize, product: bool) -> String {
    let mut random = StdRng::seed_from_u64(51);
    let hex = |element: Field| -> String {
        element.to_repr().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let mut text = String::new();
    for _ in 0..count {
        let [a, b, c] = [(); 3].map(|()| element(&mut random));
        let a = if product { a } else { Field::ONE };
        let factor = FACTORS[random.random_range(0..FACTORS.len())];
        let negative: bool = random.random();
        let term = a * b * Field::from(u64::from(factor.value()));
        let result = if negative { c - term } else { c + term };
        let fields = [a, b, c].map(hex).join(" ");
        let sign = u8::from(negative);
        writeln!(text, "{fields} {:x} {sign} {}", factor as u8, hex(result)).expect("a string");
    }
    text
}

/// Runs a unit over cases, with pauses.
fn field(test: &str, unit: &str, parameters: &str, cases: &str) -> Result<Vec<u64>, String> {
    let folder = folder(test);
    let mut defines = vec![format!("UNIT={unit}"), format!("PARAMETERS={parameters}")];
    if unit == "field_sum" {
        defines.push("SUM".to_owned());
    }
    let program = compile(&folder, "field", &[], &defines);
    std::fs::write(folder.join("cases"), cases).expect("a file");
    verdict(&program, &["+cases=cases".to_owned(), "+bubbles=1".to_owned()])
}

const TOOLS: &[&str] = &["iverilog", "vvp"];

/// 10,000 products on edges and random values, in both forms of the multiplier.
#[test]
fn products_are_the_referee_s() {
    if !has(TOOLS) {
        return;
    }
    let cases = cases(10_000, true);
    for tiled in 0..2 {
        let parameters = format!("#(.TILED({tiled}), .TAG(256))");
        assert_eq!(field("field_product", "field_product", &parameters, &cases), Ok(vec![10_000]));
    }
}

#[test]
fn sums_are_the_referee_s() {
    if !has(TOOLS) {
        return;
    }
    let cases = cases(10_000, false);
    assert_eq!(field("field_sum", "field_sum", "#(.TAG(256))", &cases), Ok(vec![10_000]));
}

#[test]
fn a_wrong_product_is_noticed() {
    if !has(TOOLS) {
        return;
    }
    let mut cases = cases(50, true);
    let last = cases.trim_end().len() - 1;
    let digit = if cases.ends_with("0\n") { "1" } else { "0" };
    cases.replace_range(last..=last, digit);
    let said = field("wrong_product", "field_product", "#(.TAG(256))", &cases);
    assert!(said.is_err_and(|said| said.starts_with("FAIL case 49")));
}

fn job(random: &mut StdRng, number: u64) -> Job {
    // Small multiples of G as keys meet those of the table.
    let secret = if number.is_multiple_of(4) { number / 4 + 1 } else { random.random() };
    let point = ProjectivePoint::GENERATOR * Scalar::from(secret);
    let bytes = point.to_affine().to_sec1_point(false);
    let point = [1, 33].map(|at| BigUint::from_bytes_be(&bytes.as_bytes()[at..at + 32]));
    let mut digit = |all: bool| if all { random.random_range(-16..=16) } else { 0 };
    let key = [!number.is_multiple_of(5), !number.is_multiple_of(7)]
        .map(|half| [(); KEY_WINDOWS].map(|()| digit(half)));
    let generator =
        [(); 2].map(|()| [(); GENERATOR_WINDOWS].map(|()| random.random_range(-512..512) * 2 + 1));
    Job::new(key, generator, point)
}

/// What the core has to give: the model's X, Y, Z, word for word.
fn sent(jobs: u64) -> Vec<Sent> {
    let words: Vec<_> = program().iter().map(Instruction::encode).collect();
    let mut random = StdRng::seed_from_u64(52);
    let one = |number| {
        let job = job(&mut random, number);
        let mut payload = vec![0; 96];
        for (value, out) in machine::run(&words, &job).iter().zip(payload.chunks_mut(32)) {
            let bytes = value.to_bytes_le();
            out[..bytes.len()].copy_from_slice(&bytes);
        }
        let lines = job.lines(number as u32).as_chunks().0.to_vec();
        Sent { lines, payload, wide: true }
    };
    (0..jobs).map(one).collect()
}

const CORE: Core = Core { module: "secp256k1", parameters: "" };

/// More jobs than threads, so that threads are used again; pauses and back-pressure on both sides.
#[test]
fn the_core_runs_the_model_s_program() {
    if !has(TOOLS) {
        return;
    }
    let passed = run("secp256k1", CORE, &sent(36), Pace::Paused(3)).expect("the model's points");
    assert_eq!(passed.jobs, 36);
}

#[test]
fn a_wrong_coordinate_is_noticed() {
    if !has(TOOLS) {
        return;
    }
    let mut jobs = sent(1);
    jobs[0].payload[95] ^= 0x80;
    assert!(run("wrong_point", CORE, &jobs, Pace::Full).is_err_and(|said| said.contains("wrong")));
}
