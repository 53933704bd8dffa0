//! Proof that no word of the limb code overflows: functions run on intervals, from the bounds which the
//! texts state to those which they promise. Loops keep an invariant; each formula in them is run once, from
//! the invariant, and has to end in it.

use naga::Scalar;

use super::generate::{Format, U32, U64};
use super::interpreter::Interpreter;
use super::intervals::{Interval, Value};

/// Limits of limbs are counted in sixteenths of 2^B. A settled limb lies below 1 + 2^-4.
const SETTLED: u64 = 17;
/// Of a limb below 2^B.
const CARRIED: u64 = 16;

/// Both formats.
pub const FORMATS: [&Format; 2] = [&U64, &U32];

fn read(name: &str) -> String {
    let path = format!("{}/shaders/{name}.wgsl", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The field and the formulas in a format, with a piece of the text replaced.
fn edited(format: &Format, from: &str, to: &str) -> Interpreter {
    let text = [format.name, "field", "point"].map(read).concat();
    assert!(text.contains(from), "{from} is not in the text");
    Interpreter::new(text.replacen(from, to, 1))
}

/// The field and the formulas in a format.
pub fn interpreter(format: &Format) -> Interpreter {
    edited(format, "", "")
}

fn number(scalar: Scalar, low: i128, high: i128) -> Value {
    Value::Number(Interval::of(scalar, low, high))
}

/// An element with limbs below `limit` sixteenths of 2^B.
fn below(format: &Format, limit: u64) -> Value {
    let high = i128::from(limit << (format.bits - 4)) - 1;
    Value::Parts(vec![number(Scalar::U32, 0, high); format.limbs])
}

/// A number below 2^256 `excess` / 10, with limbs below 2^B.
fn scalar_below(format: &Format, excess: i128) -> Value {
    let mut a = below(format, CARRIED);
    let top = 256 - format.bits * (format.limbs - 1);
    *a.part_mut(format.limbs - 1) = number(Scalar::U32, 0, (excess << top) / 10);
    a
}

/// A half with limbs below 2^B and a top limb from -`top` to `top` - 1.
fn half_below(format: &Format, top: i128) -> Value {
    let mut limbs = vec![number(Scalar::I32, 0, (1 << format.bits) - 1); format.half];
    limbs[format.half - 1] = number(Scalar::I32, -top, top - 1);
    Value::Parts(limbs)
}

/// Whether all that `found` may be is among what `stated` may be.
fn within(found: &Value, stated: &Value) -> bool {
    match (found, stated) {
        (Value::Number(a), Value::Number(b)) => a.low >= b.low && a.high <= b.high,
        (Value::Parts(a), Value::Parts(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| within(a, b))
        }
        _ => false,
    }
}

#[track_caller]
fn assert_within(found: &Value, stated: &Value) {
    assert!(within(found, stated), "{found:?} exceeds {stated:?}");
}

#[track_caller]
fn assert_sound(interpreter: &Interpreter) {
    assert!(interpreter.reports.is_empty(), "{}", interpreter.reports.join("\n"));
}

/// Limits of two factors whose product is the largest that the format states. Limbs are below 2^32.
fn factors(format: &Format) -> Vec<[u64; 2]> {
    match format.tight {
        true => vec![[SETTLED, SETTLED]],
        // 20 by 20, 50 by 8, 62.5 by 6.4.
        false => vec![[320, 320], [800, 128], [128, 800], [1000, 102]],
    }
}

#[test]
fn products_hold() {
    for format in FORMATS {
        let settled = below(format, SETTLED);
        let mut run = interpreter(format);
        for [a, b] in factors(format) {
            let product = run.call("fe_mul", &[&below(format, a), &below(format, b)]);
            assert_within(&product, &settled);
        }
        let square = run.call("fe_sqr", &[&below(format, factors(format)[0][0])]);
        assert_within(&square, &settled);
        assert_sound(&run);
    }
}

#[test]
fn sums_hold() {
    for format in FORMATS {
        let settled = below(format, SETTLED);
        let mut run = interpreter(format);
        // 2^(B + 5).
        for name in ["fe_carry", "fe_settle"] {
            let a = if format.tight && name == "fe_settle" { SETTLED } else { 16 << 5 };
            assert_within(&run.call(name, &[&below(format, a)]), &settled);
        }
        let a = if format.tight { 16 << 1 } else { 16 << 5 };
        assert_within(&run.call("fe_normalize", &[&below(format, a)]), &below(format, CARRIED));

        // What the operands' limits give, which the tight format carries.
        let gives = |limit| below(format, if format.tight { SETTLED } else { limit });
        let k = number(Scalar::U32, 0, 8);
        let (a, b) = (if format.tight { SETTLED } else { 100 }, 16 * format.subtrahend as u64);
        let (left, right) = (below(format, a), below(format, b));
        assert_within(&run.call("fe_add", &[&left, &right]), &gives(a + b));
        assert_within(&run.call("fe_sub", &[&left, &right]), &gives(a + 160));
        assert_within(&run.call("fe_times", &[&left, &k]), &gives(a * 8));
        assert_sound(&run);
    }
}

/// What else stages do with elements.
#[test]
fn keys_hold() {
    for format in FORMATS {
        let settled = below(format, SETTLED);
        let mut run = interpreter(format);
        let seven = run.call("fe_small", &[&number(Scalar::U32, 7, 7)]);
        let sum = run.call("fe_add", &[&settled, &seven]);
        let square = run.call("fe_settle", &[&sum]);
        assert_within(&square, &settled);
        let difference = run.call("fe_sub", &[&settled, &square]);
        run.call("fe_is_zero", &[&difference]);
        assert_within(&run.constant("BETA"), &settled);
        let words = Value::Parts(vec![number(Scalar::U32, 0, 0xffff_ffff); 8]);
        assert_within(&run.call("limbs_load", &[&words]), &scalar_below(format, 10));
        assert_sound(&run);
    }
}

/// Z of a point in Jacobian coordinates: a product or twice one.
fn z_invariant(format: &Format) -> Value {
    below(format, if format.tight { SETTLED } else { 2 * SETTLED })
}

fn point(coordinates: &[&Value]) -> Value {
    Value::Parts(coordinates.iter().map(|&coordinate| coordinate.clone()).collect())
}

/// Runs the formulas of a sum from the invariant to itself.
fn sum_keeps_invariant(run: &mut Interpreter, format: &Format) -> bool {
    let settled = below(format, SETTLED);
    let sum = point(&[&settled, &settled, &z_invariant(format)]);
    // An affine y is negated where its digit is.
    let zero = run.call("fe_zero", &[]);
    let negated = run.call("fe_sub", &[&zero, &settled]);
    let affine = point(&[&settled, &settled.join(&negated)]);
    let doubled = run.call("point_double", &[&sum]);
    let added = run.call("point_add_affine", &[&sum, &affine]);
    for coordinate in 0..3 {
        run.call("fe_normalize", &[sum.part(coordinate)]);
    }
    within(&doubled, &sum) && within(&added, &sum)
}

#[test]
fn sums_of_points_hold() {
    for format in FORMATS {
        let mut run = interpreter(format);
        assert!(sum_keeps_invariant(&mut run, format));
        assert_sound(&run);
    }
}

#[test]
fn tables_hold() {
    for format in FORMATS {
        let settled = below(format, SETTLED);
        let affine = point(&[&settled, &settled]);
        let mut run = interpreter(format);
        let doubled = run.call("point_double_co_z", &[&affine]);
        let next = run.call("point_add_co_z", &[&affine, &affine]);
        for (made, z) in [(&doubled, &settled), (&next, &doubled.part(2).join(&settled))] {
            assert_within(made.part(0), &affine);
            assert_within(made.part(1), &affine);
            let z = run.call("fe_mul", &[z, made.part(2)]);
            assert_within(&z, &settled);
            run.call("fe_normalize", &[made.part(2)]);
        }
        assert_sound(&run);
    }
}

#[test]
fn scalars_hold() {
    for format in FORMATS {
        let plain = below(format, CARRIED);
        let scalar = scalar_below(format, 11);
        let mut run = interpreter(format);
        let product = run.call("sc_mul", &[&scalar, &scalar]);
        // The mask of the top limb takes nothing away.
        assert_within(&product, &scalar);
        assert_within(&run.constant("SC_ONE"), &scalar);
        assert_within(&run.call("sc_reduce", &[&plain]), &plain);
        assert_within(&run.call("sc_negate", &[&plain]), &plain);
        assert_sound(&run);
    }
}

#[test]
fn halves_hold() {
    for format in FORMATS {
        let mut run = interpreter(format);
        let scalar = scalar_below(format, 10);
        let [c1, c2] = ["LATTICE_G1", "LATTICE_G2"].map(|name| {
            let constant = run.constant(name);
            run.call("sc_quotient", &[&scalar, &constant])
        });
        let half = half_below(format, 1 << (format.bits - 1));
        assert_within(&c1, &half);
        assert_within(&c2, &half);
        let first = run.call("sc_nearest_first", &[&scalar, &c1, &c2]);
        let second = run.call("sc_nearest_second", &[&c1, &c2]);
        assert_within(&first, &half);
        assert_within(&second, &half);

        let sign = number(Scalar::I32, -1, 1);
        let none = Value::Parts(vec![number(Scalar::I32, 0, 0); format.half]);
        // Of a half below 2^130 or so the top limb is 0 or -1: sums stay far from its sign.
        for (half, sum) in [(&half, &half), (&half_below(format, 2), &half_below(format, 4))] {
            assert_within(&run.call("half_carry", &[half]), half);
            for vector in ["LATTICE_A1", "LATTICE_B1", "LATTICE_A2"] {
                let vector = run.constant(vector);
                assert_within(&run.call("half_add", &[half, &vector, &sign]), sum);
            }
            assert_within(&run.call("half_add", &[&none, half, &sign]), sum);
        }
        assert_sound(&run);
    }
}

#[test]
fn larger_factors_are_reported() {
    // 20.5 by 20; 1.9 by 1.9.
    for (format, [a, b]) in [(&U64, [328, 320]), (&U32, [30, 30])] {
        let mut run = interpreter(format);
        run.call("fe_mul", &[&below(format, a), &below(format, b)]);
        assert!(!run.reports.is_empty());
    }
}

#[test]
fn larger_limbs_are_reported() {
    let mut run = interpreter(&U64);
    run.call("fe_carry", &[&below(&U64, 16 << 6)]);
    assert!(!run.reports.is_empty());
    for format in FORMATS {
        let mut run = interpreter(format);
        let limit = 16 * (format.subtrahend as u64 + 1);
        run.call("fe_sub", &[&below(format, SETTLED), &below(format, limit)]);
        assert!(!run.reports.is_empty());
    }
}

#[test]
fn an_unsettled_difference_is_reported() {
    let (from, to) = (
        "let x = fe_settle(fe_sub(fe_sqr(e), fe_times(d, 2u)));",
        "let x = fe_sub(fe_sqr(e), fe_times(d, 2u));",
    );
    let mut run = edited(&U64, from, to);
    assert!(!sum_keeps_invariant(&mut run, &U64));
    assert!(!run.reports.is_empty());
}

#[test]
fn wrapped_values_are_reported_but_under_a_mask() {
    let any = number(Scalar::U32, 0, 0xffff_ffff);
    for (body, sound) in [
        ("(a * a) & 0xffu", true),
        ("((a << 8u) | (a >> 24u)) & 0xffu", true),
        ("a * a", false),
        ("(a * a) >> 3u", false),
        ("(a << 8u) + 1u", false),
        ("(a + a) & 0xffu", false),
        ("(a * a) & a", false),
    ] {
        let mut run = Interpreter::new(format!("fn f(a: u32) -> u32 {{ return {body}; }}"));
        run.call("f", &[&any]);
        assert_eq!(run.reports.is_empty(), sound, "{body}: {:?}", run.reports);
    }
}
