//! Micro benches of the stages, level by level: field, points, scalars, hashes.
//!
//! A bench named `level::stage` runs the stage 64 times in a row, each on the result before;
//! its throughput is in lanes, so that levels compare.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sigmill::algorithms::merkle::{self, Threads};
use sigmill::algorithms::secp256k1::curve::{Curve, Secp256k1};
use sigmill::algorithms::secp256k1::field::FieldVec;
use sigmill::algorithms::secp256k1::inversion::invert;
use sigmill::algorithms::secp256k1::point::Affine;
use sigmill::algorithms::secp256k1::scalar;
use sigmill::algorithms::secp256k1::sqrt::sqrt;
use sigmill::algorithms::{keccak256, sha256};
use sigmill::isa::{Isa, Kernel};
use sigmill::{Algorithm, Batch, Job};

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

/// Messages of a batch.
const ITEMS: usize = 1_024;

fn hash_batch(algorithm: Algorithm, length: impl Fn(usize) -> usize) -> Batch {
    let mut batch = Batch::open(algorithm);
    for i in 0..ITEMS {
        let message: Vec<u8> = (0..length(i)).map(|j| (i * 31 + j * 7) as u8).collect();
        batch.push(Job::Hash { message: &message }).expect("room");
    }
    batch.seal()
}

/// Times of whole batches, by every kernel of the best level.
fn hashes(criterion: &mut Criterion) {
    let isa = Isa::detect().expect("a level");
    let mut out = vec![[0; 32]; ITEMS];
    let shapes: [(&str, &dyn Fn(usize) -> usize); 4] =
        [("32", &|_| 32), ("64", &|_| 64), ("80", &|_| 80), ("mixed to 300", &|i| i * 77 % 300)];
    for (shape, length) in shapes {
        let batch = hash_batch(Algorithm::Sha256d, length);
        for plan in sha256::Plan::all(isa).into_iter().filter(|plan| plan.is_of_one_kernel()) {
            bench(criterion, &format!("sha256d/bytes={shape}/items={ITEMS}/{plan}"), || {
                sha256::digest_twice(plan, black_box(batch.column(0)), 0..ITEMS, &mut out);
            });
        }
        let batch = hash_batch(Algorithm::Keccak256, length);
        for isa in Isa::all() {
            bench(criterion, &format!("keccak256/bytes={shape}/items={ITEMS}/{isa}"), || {
                keccak256::digest(isa, black_box(batch.column(0)), 0..ITEMS, &mut out);
            });
        }
    }
    let plan = sha256::Plan::measure(isa);
    let mut signed = Batch::open(Algorithm::SchnorrBip340);
    for digest in &out {
        let (signature, key) = (&[7; 64], digest);
        signed.push(Job::Schnorr { message: digest, signature, key }).expect("room");
    }
    let signed = signed.seal();
    bench(criterion, &format!("bip340-challenges/items={ITEMS}/{plan}"), || {
        let signatures = signed.column(1).bytes().as_chunks().0;
        let keys = signed.column(2).bytes().as_chunks().0;
        let messages = black_box(signed.column(0));
        sha256::challenges(plan, messages, 0..ITEMS, signatures, keys, &mut out);
    });
    let mut tree = Batch::open(Algorithm::MerkleRootSha256d);
    tree.push(Job::MerkleRoot { leaves: &out }).expect("room");
    let tree = tree.seal();
    let mut root = [[0; 32]];
    bench(criterion, &format!("merkle/leaves={ITEMS}/{plan}"), || {
        merkle::roots(plan, Threads::This, black_box(tree.column(0)), 0..1, &mut root);
    });
}

criterion_group!(benches, stages, hashes);
criterion_main!(benches);
