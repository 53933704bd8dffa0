//! What each stage leaves in the device's memory, against the host's stage of the same name.

use super::testing::open;
use super::*;
use crate::algorithms::secp256k1::curve::Secp256k1;
use crate::algorithms::secp256k1::field::FieldVec;
use crate::algorithms::secp256k1::integer::{self, HALF_N, N, to_be};
use crate::algorithms::secp256k1::key;
use crate::algorithms::secp256k1::multiply::{Scalars, complete};
use crate::algorithms::secp256k1::point::{Affine, OneLane};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::scalar::{self, Half};
use crate::batch::{Batch, Job};
use crate::parsed::{EcdsaOperands, Words};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// The words of a buffer that stages share.
fn read(gpu: &Gpu, which: usize) -> Vec<u32> {
    let buffer = &gpu.buffers.left[which];
    let readback = gpu.context.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: buffer.size(),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = gpu.context.device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &readback, 0, buffer.size());
    encoder.map_buffer_on_submit(&readback, wgpu::MapMode::Read, .., |_| {});
    gpu.context.queue.submit([encoder.finish()]);
    gpu.context.device.poll(wgpu::PollType::wait_indefinitely()).expect("no loss");
    bytemuck::cast_slice(&readback.get_mapped_range(..).expect("mapped")).to_vec()
}

fn words(of: &[u32]) -> Words {
    core::array::from_fn(|i| u64::from(of[2 * i]) | u64::from(of[2 * i + 1]) << 32)
}

/// Numbers at the borders, with limbs of zeros and ones, and at random.
fn numbers(count: usize) -> Vec<Words> {
    let mut random = StdRng::seed_from_u64(4);
    let minus = |k: u64| integer::sub(&N, &[k, 0, 0, 0]).0;
    let mut all = vec![[1, 0, 0, 0], [2, 0, 0, 0], minus(1), minus(2), HALF_N, [0, 1, 0, 0]];
    while all.len() < count {
        let width = [13, 26, 32, 64][random.random_range(0..4)];
        let mut words = [0u64; 4];
        let mut kind = 0;
        for bit in 0..256 {
            if bit % width == 0 {
                kind = random.random_range(0..4);
            }
            let set = kind == 1 || kind > 1 && random.random();
            words[bit / 64] |= u64::from(set) << (bit % 64);
        }
        let words = integer::reduce_n(words);
        if words != [0; 4] {
            all.push(words);
        }
    }
    all
}

/// Runs a batch and leaves every stage's memory behind.
fn run(gpu: &mut Gpu, batch: &Arc<Parsed>) {
    gpu.submit(BatchId(1), batch.clone()).expect("room");
    while gpu.poll().is_none() {
        gpu.wait(Instant::now() + Duration::from_millis(5));
    }
}

/// Edge values as z, r and s under keys in every form: given, even, odd, and on no point.
fn edges() -> Arc<Parsed> {
    let numbers = numbers(700);
    let mut batch = Batch::open(super::testing::COMPACT);
    for i in 0..numbers.len() {
        let at = |offset: usize| to_be(&numbers[(i * 7 + offset) % numbers.len()]);
        let signature = [at(1), at(2)].as_flattened().try_into().expect("64 bytes");
        let signature: [u8; 64] = signature;
        let mut encoded = vec![2 + (i % 2) as u8];
        encoded.extend(at(3));
        if let (true, Some([x, y])) = (i % 3 == 0, key::point(&encoded)) {
            encoded = [&[4][..], &to_be(&x), &to_be(&y)].concat();
        }
        let job = Job::Ecdsa { message: &at(0), signature: &signature, key: &encoded };
        batch.push(job).expect("room");
    }
    Arc::new(Parsed::parse(batch.seal()))
}

fn key_of(operands: &EcdsaOperands, item: usize) -> Option<[Words; 2]> {
    let keys = &operands.keys;
    match keys.form[item] {
        crate::parsed::KeyForm::Full => Some([keys.x[item], keys.y[item]]),
        form => key::point(&[&[form as u8][..], &to_be(&keys.x[item])].concat()),
    }
}

/// The five words in which a device keeps a half.
fn packed(half: &Half, marker: u32) -> [u32; 5] {
    let [a, b, c] = half.size;
    let c = c as u32 | 1 << (marker - 128) | u32::from(half.negative) << 31;
    [a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32, c]
}

fn stages_agree(limbs: Limbs) {
    let Some(mut gpu) = open(limbs) else { return };
    let batch = edges();
    let Operands::Ecdsa(operands) = batch.operands() else { panic!("ECDSA") };
    run(&mut gpu, &batch);
    let [points, halves, tables] = [0, 1, 2].map(|which| read(&gpu, which));
    let (mut keys, mut missing) = (0, 0);
    for item in 0..batch.live() {
        let inverse = scalar::invert(&operands.s[item]);
        let u1 = scalar::mul(&operands.z[item], &inverse);
        let u2 = scalar::mul(&operands.r[item], &inverse);
        // prepare: both scalars in odd halves.
        let expected = [scalar::split_odd(&u1), scalar::split_odd(&u2)];
        for (scalar, marker) in [135, 130].into_iter().enumerate() {
            for half in 0..2 {
                let at = item * 20 + scalar * 10 + half * 5;
                let expected = packed(&expected[scalar][half], marker);
                assert_eq!(halves[at..at + 5], expected, "item {item}, scalar {scalar}, {half}");
            }
        }
        // decode: the first row of the table is the key.
        let row = |row: usize| -> [Words; 2] {
            let at = (item * 16 + row) * 16;
            [words(&tables[at..]), words(&tables[at + 8..])]
        };
        let Some(key) = key_of(operands, item) else {
            assert_eq!(row(0), [[0; 4]; 2], "item {item}: no point");
            missing += 1;
            continue;
        };
        keys += 1;
        assert_eq!(row(0), key, "item {item}");
        // table: odd multiples.
        let [x, y] = key.map(|words| Scalar5x52::splat(&words));
        let twice = Affine { x, y }.to_jacobian().double().to_affine().expect("of odd order");
        let [x2, y2] = twice.map(|words| Scalar5x52::splat(&words));
        let mut multiple = Affine { x, y }.to_jacobian();
        for i in 1..16 {
            multiple = multiple.add_complete(Affine { x: x2, y: y2 });
            assert_eq!(Some(row(i)), multiple.to_affine(), "item {item}, row {i}");
        }
        // multiply: X, Y, Z of u1 G + u2 Q, and the inverse of Z after it.
        let coordinate = |i: usize| words(&points[item * 32 + 8 * i..]);
        let [x, y, z] = [0, 1, 2].map(|i| Scalar5x52::splat(&coordinate(i)));
        let sum = OneLane { x, y, z }.to_affine();
        let expected = complete::<Secp256k1>(&Scalars { u1, u2 }, &key).to_affine();
        assert_eq!(sum, expected, "item {item}");
        let product = z.mul(Scalar5x52::splat(&coordinate(3))).normalize();
        let mut one = [[0; 4]];
        product.store(&mut one);
        assert_eq!(one[0], [u64::from(expected.is_some()), 0, 0, 0], "item {item}");
    }
    println!("{limbs:?}: {keys} keys, {missing} that are no point");
    assert!(keys > 100 && missing > 100);
}

#[test]
fn stages_in_64_bit_integers_agree_with_the_host() {
    stages_agree(Limbs::U64);
}

#[test]
fn stages_in_32_bit_integers_agree_with_the_host() {
    stages_agree(Limbs::U32);
}
