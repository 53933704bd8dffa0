//! Micro benches of the stages: field, points, hashes.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sigmill::algorithms::secp256k1::curve::{Curve, Secp256k1};
use sigmill::algorithms::secp256k1::field::{FieldVec, invert, sqrt};
use sigmill::algorithms::secp256k1::point::Affine;
use sigmill::algorithms::secp256k1::portable::Scalar5x52;
use sigmill::algorithms::secp256k1::scalar;
use sigmill::algorithms::{keccak256, sha256};

fn stages(criterion: &mut Criterion) {
    let [x, y] = Secp256k1::GENERATOR;
    let (a, b) = (Scalar5x52::splat(&x), Scalar5x52::splat(&y));
    let mut bench = |name: &str, work: &mut dyn FnMut()| {
        criterion.bench_function(name, |bencher| bencher.iter(&mut *work));
    };
    bench("portable::field/mul", &mut || drop(black_box(black_box(a).mul(black_box(b)))));
    bench("portable::field/square", &mut || drop(black_box(black_box(a).square())));
    bench("portable::field/invert", &mut || drop(black_box(invert(black_box(a)))));
    bench("portable::field/sqrt", &mut || drop(black_box(sqrt(black_box(a)))));
    let point = Affine { x: a, y: b };
    let double = point.to_jacobian().double();
    bench("portable::point/double", &mut || drop(black_box(black_box(double).double())));
    bench("portable::point/add_affine", &mut || {
        drop(black_box(black_box(double).add_affine(black_box(point))));
    });
    bench("scalar/mul_montgomery", &mut || {
        drop(black_box(scalar::mul_montgomery(black_box(&x), black_box(&y))));
    });
    bench("scalar/invert", &mut || drop(black_box(scalar::invert(black_box(&x)))));
    bench("scalar/split", &mut || drop(black_box(scalar::split(black_box(&x)))));
    let message = [7; 136];
    bench("sha256/bytes=64", &mut || drop(black_box(sha256::hash(black_box(&message[..64])))));
    bench("keccak256/bytes=136", &mut || drop(black_box(keccak256::hash(black_box(&message)))));
}

criterion_group!(benches, stages);
criterion_main!(benches);
