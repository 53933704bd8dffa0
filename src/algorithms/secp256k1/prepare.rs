//! Operands as an accelerator takes them that computes u1 G + u2 Q and nothing else: the key
//! decompressed, the scalars ready.

use std::ops::Range;

use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec};
use crate::algorithms::secp256k1::multiply::Scalars;
use crate::algorithms::secp256k1::piece::{Piece, Products, pieces};
use crate::algorithms::secp256k1::scratch;
use crate::isa::{Isa, Kernel};
use crate::parsed::{Operands, Words};

/// An item ready for the double multiplication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prepared {
    /// x and y of Q; `None` where the key names no point, and nothing is to be computed.
    pub key: Option<[Words; 2]>,
    /// u1 and u2, below n.
    pub scalars: Scalars,
}

/// Prepares a range of a batch of signatures; `out` gets an entry for each item of it.
pub(crate) fn prepare(isa: Isa, operands: &Operands, range: Range<usize>, out: &mut Vec<Prepared>) {
    out.clear();
    isa.run(Prepare { operands, range, out });
}

struct Prepare<'a> {
    operands: &'a Operands,
    range: Range<usize>,
    out: &'a mut Vec<Prepared>,
}

impl Kernel for Prepare<'_> {
    type Out = ();

    #[inline(always)]
    fn run<V: FieldVec>(self) {
        let mut piece = scratch::take::<Piece<V>>();
        for (items, _) in pieces(self.range) {
            match self.operands {
                Operands::Ecdsa(operands) => operands.prepare(&mut piece, items),
                Operands::Schnorr(operands) => operands.prepare(&mut piece, items),
                Operands::Recover(operands) => operands.prepare(&mut piece, items),
                Operands::Columns => return,
            }
            collect(&piece, self.out);
        }
        scratch::put(piece);
    }
}

#[inline(always)]
fn collect<V: FieldVec>(piece: &Piece<V>, out: &mut Vec<Prepared>) {
    let groups = piece.keys.points.iter().zip(&piece.keys.missing);
    for ((point, missing), scalars) in groups.zip(piece.scalars.chunks(V::LANES)) {
        let [mut x, mut y] = [[[0; 4]; LANES]; 2];
        point.x.store(&mut x[..V::LANES]);
        point.y.store(&mut y[..V::LANES]);
        for (lane, &scalars) in scalars.iter().enumerate() {
            let key = (!missing.lane(lane)).then_some([x[lane], y[lane]]);
            out.push(Prepared { key, scalars });
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::algorithm::{Algorithm, EcdsaRule, RecoverRule};
    use crate::algorithms::secp256k1::curve::Secp256k1;
    use crate::algorithms::secp256k1::multiply::complete;
    use crate::algorithms::secp256k1::point::OneLane;
    use crate::algorithms::secp256k1::{ecdsa, integer, recover, schnorr};
    use crate::batch::{Batch, Job};
    use crate::parsed::Parsed;
    use crate::verdict::Point;

    /// Random jobs, of which about half have keys or points that do not exist.
    fn batch(algorithm: Algorithm, items: usize) -> Parsed {
        let mut random = StdRng::seed_from_u64(5);
        let mut batch = Batch::open(algorithm);
        for _ in 0..items {
            let (message, mut signature): ([u8; 32], [u8; 64]) = (random.random(), [0; 64]);
            random.fill(&mut signature);
            let mut key = [0; 33];
            random.fill(&mut key);
            key[0] = 2 + (key[0] & 1);
            let job = match algorithm {
                Algorithm::SchnorrBip340 => {
                    let key = key.last_chunk().expect("32 bytes");
                    Job::Schnorr { message: &message, signature: &signature, key }
                }
                Algorithm::RecoverSecp256k1(_) => Job::Recover {
                    message: &message,
                    signature: &signature,
                    recovery_id: key[0] & 1,
                },
                _ => Job::Ecdsa { message: &message, signature: &signature, key: &key },
            };
            batch.push(job).expect("room");
        }
        Parsed::parse(batch.seal())
    }

    fn computed(prepared: &Prepared) -> Option<[Words; 2]> {
        prepared.key.and_then(|key| complete::<Secp256k1>(&prepared.scalars, &key).to_affine())
    }

    #[test]
    fn sums_of_what_is_prepared_are_those_of_the_kernels_at_every_level() {
        let none = Point { x: [0; 4], y: [0; 4], z: [0; 4] };
        for algorithm in [
            Algorithm::EcdsaSecp256k1(EcdsaRule::Compact),
            Algorithm::SchnorrBip340,
            Algorithm::RecoverSecp256k1(RecoverRule::EthereumFrontier),
        ] {
            let parsed = batch(algorithm, 300);
            let (operands, all) = (parsed.operands(), 3..parsed.live());
            let mut points = vec![none; all.len()];
            let mut keys = vec![[0; 64]; all.len()];
            match operands {
                Operands::Ecdsa(o) => ecdsa::points(Isa::PORTABLE, o, all.clone(), &mut points),
                Operands::Schnorr(o) => schnorr::points(Isa::PORTABLE, o, all.clone(), &mut points),
                Operands::Recover(o) => recover::recover(Isa::PORTABLE, o, all.clone(), &mut keys),
                Operands::Columns => unreachable!("signatures"),
            }
            for isa in Isa::all() {
                let mut prepared = Vec::new();
                prepare(isa, operands, all.clone(), &mut prepared);
                assert_eq!(prepared.len(), all.len());
                let missing = prepared.iter().filter(|prepared| prepared.key.is_none()).count();
                assert!(missing > all.len() / 4 && missing < all.len());
                for (item, prepared) in prepared.iter().enumerate() {
                    let expected = match operands {
                        Operands::Recover(_) => {
                            let (x, y) = keys[item].split_first_chunk().expect("64 bytes");
                            let y = y.try_into().expect("32 bytes");
                            let key = [integer::from_be(x), integer::from_be(y)];
                            (key != [[0; 4]; 2]).then_some(key)
                        }
                        _ => OneLane::load(&points[item]).to_affine(),
                    };
                    assert_eq!(computed(prepared), expected, "{algorithm}, {isa}: item {item}");
                }
            }
        }
    }
}
