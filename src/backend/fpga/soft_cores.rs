//! The cores of the card in software: they read lines as the contract has them, and compute with the
//! kernels of the CPU and the referee.

use k256::elliptic_curve::sec1::ToSec1Point;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::descriptor::tests::decode;
use super::descriptor::{Line, TWICE};
use super::manifest::Core;
use crate::algorithms::secp256k1::field::FieldVec;
use crate::algorithms::secp256k1::integer::{from_be, reduce_n, to_be};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::{keccak256, sha256};
use crate::parsed::Words;

/// What a core makes of a job's lines; zeros of lines that no host sends.
pub fn compute(lines: &[Line], random: &mut StdRng) -> Vec<u8> {
    let bytes = lines[1..].as_flattened();
    match lines[0][0] {
        1 => unpad_sha(bytes).map_or(vec![0; 32], |message| {
            let digest = sha256::hash(message);
            let twice = lines[0][1] & TWICE != 0;
            if twice { sha256::hash(&digest).to_vec() } else { digest.to_vec() }
        }),
        3 => unpad_keccak(bytes).map_or(vec![0; 32], |message| keccak256::hash(&message).to_vec()),
        _ => {
            let job = lines.as_flattened().try_into().expect("192 bytes");
            point(job, random).unwrap_or(vec![0; 96])
        }
    }
}

/// The message of padded blocks.
fn unpad_sha(bytes: &[u8]) -> Option<&[u8]> {
    let bits = u64::from_be_bytes(*bytes.last_chunk()?);
    let length = (bits / 8) as usize;
    let rest = bytes.get(length..bytes.len() - 8)?;
    let fits = rest.len() <= 64 && *rest.first()? == 0x80 && rest[1..].iter().all(|&b| b == 0);
    fits.then_some(&bytes[..length])
}

fn unpad_keccak(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    for block in bytes.chunks(192) {
        (block[136..] == [0; 56]).then_some(())?;
        message.extend_from_slice(&block[..136]);
    }
    *message.last_mut()? ^= 0x80;
    let end = message.iter().rposition(|&byte| byte != 0)?;
    (message[end] == 1).then_some(())?;
    message.truncate(end);
    Some(message)
}

/// u1 G + u2 Q in Jacobian coordinates with a random Z.
fn point(job: &[u8; 192], random: &mut StdRng) -> Option<Vec<u8>> {
    let ([u1, u2], [x, y]) = decode(job)?;
    let encoded = [&[4][..], &to_be(&x), &to_be(&y)].concat();
    let key = k256::PublicKey::from_sec1_bytes(&encoded).ok()?;
    let key = k256::ProjectivePoint::from(*key.as_affine());
    let sum = (k256::ProjectivePoint::GENERATOR * u1 + key * u2).to_affine();
    let sum = sum.to_sec1_point(false);
    let (x, y) = (sum.x()?, sum.y()?);
    let [x, y] = [x, y].map(|bytes| from_be(bytes.as_slice().try_into().expect("32 bytes")));
    let z = reduce_n(random.random::<Words>());
    let [x, y, right] = [x, y, z].map(|words| Scalar5x52::splat(&words));
    let square = right.square();
    let mut out = [[0; 4], [0; 4], z];
    x.mul(square).store(&mut out[..1]);
    y.mul(square.mul(right)).store(&mut out[1..2]);
    Some(out.as_flattened().iter().flat_map(|word| word.to_le_bytes()).collect())
}

/// The jobs that lines are, and what their cores compute: tag, lines with a CRC, core, payload.
pub fn jobs(lines: &[Line]) -> Vec<(u32, Vec<Line>, Core, Vec<u8>)> {
    let mut random = StdRng::seed_from_u64(1);
    let (mut jobs, mut rest) = (Vec::new(), lines);
    while let Some(header) = rest.first() {
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| header[at + i]));
        let (job, after) = rest.split_at(word(8) as usize + 1);
        rest = after;
        let core = Core::ALL[header[0] as usize - 1];
        if core == Core::Sha256d {
            for (tag, line) in (word(4)..).zip(&job[1..]) {
                jobs.push((tag, vec![*line], core, sha256::hash_twice(line).to_vec()));
            }
        } else {
            jobs.push((word(4), job.to_vec(), core, compute(job, &mut random)));
        }
    }
    jobs
}
