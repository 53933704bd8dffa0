//! Micro benches of the stages, level by level: field, points, scalars, hashes.
//!
//! A bench named `level::stage` runs the stage 64 times in a row, each on the result before;
//! its throughput is in lanes, so that levels compare.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sigmill::algorithms::secp256k1::curve::{Curve, Secp256k1};
use sigmill::algorithms::secp256k1::field::{FieldVec, invert, sqrt};
use sigmill::algorithms::secp256k1::point::Affine;
use sigmill::algorithms::secp256k1::scalar;
use sigmill::algorithms::{keccak256, sha256};
use sigmill::isa::{Isa, Kernel};

/// Stages in a row.
const ROW: usize = 64;

#[derive(Clone, Copy)]
enum Work {
    Mul,
    Square,
    Double,
    AddAffine,
    Invert,
    Sqrt,
}

impl Kernel for Work {
    type Out = usize;

    #[inline(always)]
    fn run<V: FieldVec>(self) -> usize {
        let [x, y] = black_box(Secp256k1::GENERATOR).map(|words| V::splat(&words));
        let point = Affine { x, y };
        let start = point.to_jacobian().double();
        match self {
            Work::Mul => {
                let mut a = x;
                for _ in 0..ROW {
                    a = a.mul(y);
                }
                black_box(a);
            }
            Work::Square => {
                let mut a = x;
                for _ in 0..ROW {
                    a = a.square();
                }
                black_box(a);
            }
            Work::Double => {
                let mut p = start;
                for _ in 0..ROW {
                    p = p.double();
                }
                black_box(p);
            }
            Work::AddAffine => {
                let mut p = start;
                for _ in 0..ROW {
                    p = p.add_affine(point);
                }
                black_box(p);
            }
            Work::Invert => {
                black_box(invert(black_box(x)));
            }
            Work::Sqrt => {
                black_box(sqrt(black_box(x)));
            }
        }
        V::LANES * if matches!(self, Work::Invert | Work::Sqrt) { 1 } else { ROW }
    }
}

fn bench<T>(criterion: &mut Criterion, name: &str, mut work: impl FnMut() -> T) {
    criterion.bench_function(name, |bencher| bencher.iter(&mut work));
}

fn stages(criterion: &mut Criterion) {
    for isa in Isa::all() {
        for (name, work) in [
            ("field/mul", Work::Mul),
            ("field/square", Work::Square),
            ("field/invert", Work::Invert),
            ("field/sqrt", Work::Sqrt),
            ("point/double", Work::Double),
            ("point/add_affine", Work::AddAffine),
        ] {
            let mut group = criterion.benchmark_group(isa.to_string());
            group.throughput(Throughput::Elements(isa.run(work) as u64));
            group.bench_function(name, |bencher| bencher.iter(|| isa.run(work)));
        }
    }
    let [x, y] = Secp256k1::GENERATOR;
    bench(criterion, "scalar/mul_montgomery", || {
        scalar::mul_montgomery(black_box(&x), black_box(&y))
    });
    bench(criterion, "scalar/invert", || scalar::invert(black_box(&x)));
    bench(criterion, "scalar/split", || scalar::split(black_box(&x)));
    let message = [7; 136];
    bench(criterion, "sha256/bytes=64", || sha256::hash(black_box(&message[..64])));
    bench(criterion, "keccak256/bytes=136", || keccak256::hash(black_box(&message)));
}

criterion_group!(benches, stages);
criterion_main!(benches);
