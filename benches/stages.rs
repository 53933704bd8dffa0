//! Micro benches of the stages: field, points, hashes.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sigmill::algorithms::secp256k1::curve::{Curve, Secp256k1};
use sigmill::algorithms::secp256k1::field::{FieldVec, invert, sqrt};
use sigmill::algorithms::secp256k1::point::Affine;
use sigmill::algorithms::secp256k1::portable::Scalar5x52;
use sigmill::algorithms::secp256k1::scalar;
use sigmill::algorithms::{keccak256, sha256};

fn bench<T>(criterion: &mut Criterion, name: &str, mut work: impl FnMut() -> T) {
    criterion.bench_function(name, |bencher| bencher.iter(&mut work));
}

fn stages(criterion: &mut Criterion) {
    let [x, y] = Secp256k1::GENERATOR;
    let (a, b) = (Scalar5x52::splat(&x), Scalar5x52::splat(&y));
    bench(criterion, "portable::field/mul", || black_box(a).mul(black_box(b)));
    bench(criterion, "portable::field/square", || black_box(a).square());
    bench(criterion, "portable::field/invert", || invert(black_box(a)));
    bench(criterion, "portable::field/sqrt", || sqrt(black_box(a)));
    let point = Affine { x: a, y: b };
    let double = point.to_jacobian().double();
    bench(criterion, "portable::point/double", || black_box(double).double());
    bench(criterion, "portable::point/add_affine", || {
        black_box(double).add_affine(black_box(point))
    });
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
