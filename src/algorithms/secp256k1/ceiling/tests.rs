use std::cell::Cell;

use super::*;
use crate::algorithm::{EcdsaRule, RecoverRule};
use crate::algorithms::secp256k1::field::{Row, Stage};
use crate::algorithms::secp256k1::piece::{PIECE, VerifyOver};
use crate::algorithms::secp256k1::portable::Scalar5x52;
use crate::algorithms::secp256k1::recover::Recover;
use crate::batch::{Batch, Job};
use crate::parsed::{Operands, Parsed, Words};
use crate::verdict::{Reason, Verdict};

thread_local! {
    static COUNTED: Cell<[u32; 2]> = const { Cell::new([0; 2]) };
}

fn count(at: usize) {
    let mut counted = COUNTED.get();
    counted[at] += 1;
    COUNTED.set(counted);
}

/// The portable field, which counts.
#[derive(Clone, Copy, Debug)]
struct Counting(Scalar5x52);

impl FieldVec for Counting {
    const LANES: usize = Scalar5x52::LANES;
    const PRODUCTS: [u32; 2] = Scalar5x52::PRODUCTS;
    type Mask = <Scalar5x52 as FieldVec>::Mask;
    type Order = <Scalar5x52 as FieldVec>::Order;

    fn products(rounds: usize) -> Self {
        Counting(Scalar5x52::products(rounds))
    }

    fn splat(words: &Words) -> Self {
        Counting(Scalar5x52::splat(words))
    }

    fn load(words: &[Words]) -> Self {
        Counting(Scalar5x52::load(words))
    }

    fn store(self, out: &mut [Words]) {
        self.0.store(out);
    }

    fn gather<'a>(row: impl Fn(usize) -> &'a Row) -> [Self; 2] {
        Scalar5x52::gather(row).map(Counting)
    }

    fn gather_x<'a>(row: impl Fn(usize) -> &'a Row) -> Self {
        Counting(Scalar5x52::gather_x(row))
    }

    fn scatter(point: [Self; 2], put: impl FnMut(usize, Row)) {
        Scalar5x52::scatter(point.map(|coordinate| coordinate.0), put);
    }

    fn enter<S: Stage>(stage: S) -> S::Out {
        stage.run()
    }

    fn add(self, other: Self) -> Self {
        Counting(self.0.add(other.0))
    }

    fn negate(self, magnitude: u64) -> Self {
        Counting(self.0.negate(magnitude))
    }

    fn times(self, k: u64) -> Self {
        Counting(self.0.times(k))
    }

    fn half(self) -> Self {
        Counting(self.0.half())
    }

    fn carry(self) -> Self {
        Counting(self.0.carry())
    }

    fn settle(self) -> Self {
        Counting(self.0.settle())
    }

    fn mul(self, other: Self) -> Self {
        count(0);
        Counting(self.0.mul(other.0))
    }

    fn mul_add(self, other: Self, addend: Self) -> Self {
        count(0);
        Counting(self.0.mul_add(other.0, addend.0))
    }

    fn invert(self) -> Self {
        Counting(self.0.invert())
    }

    fn square(self) -> Self {
        count(1);
        Counting(self.0.square())
    }

    fn square_add(self, addend: Self) -> Self {
        count(1);
        Counting(self.0.square_add(addend.0))
    }

    fn normalize(self) -> Self {
        Counting(self.0.normalize())
    }

    fn is_zero(self) -> Self::Mask {
        self.0.is_zero()
    }

    fn is_odd(self) -> Self::Mask {
        self.0.is_odd()
    }

    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        Counting(Scalar5x52::select(mask, a.0, b.0))
    }
}

/// Signatures of a full piece.
fn batch(algorithm: Algorithm) -> Parsed {
    use secp256k1::{Keypair, Message, PublicKey, SecretKey, ecdsa, schnorr};
    let mut batch = Batch::open(algorithm);
    for i in 0..PIECE {
        let mut secret = [7; 32];
        secret[..8].copy_from_slice(&i.to_le_bytes());
        let message = secret;
        let secret = SecretKey::from_secret_bytes(secret).expect("in range");
        let digest = Message::from_digest(message);
        let signature = ecdsa::RecoverableSignature::sign_ecdsa_recoverable(digest, &secret);
        let (id, compact) = signature.serialize_compact();
        let pushed = match algorithm {
            Algorithm::SchnorrBip340 => {
                let pair = Keypair::from_secret_key(&secret);
                let signature = schnorr::sign_no_aux_rand(&message, &pair).to_byte_array();
                let key = pair.x_only_public_key().0.to_byte_array();
                batch.push(Job::Schnorr { message: &message, signature: &signature, key: &key })
            }
            Algorithm::RecoverSecp256k1(_) => {
                let recovery_id = id.to_u8() & 1;
                batch.push(Job::Recover { message: &message, signature: &compact, recovery_id })
            }
            _ => {
                let key = PublicKey::from_secret_key(&secret).serialize();
                batch.push(Job::Ecdsa { message: &message, signature: &compact, key: &key })
            }
        };
        pushed.expect("room");
    }
    Parsed::parse(batch.seal())
}

/// Field operations of a job, rounded to the next whole one.
fn counted(algorithm: Algorithm) -> Work {
    let parsed = batch(algorithm);
    assert_eq!(parsed.live(), PIECE);
    let mut out = vec![Verdict::Invalid(Reason::Equation); PIECE];
    let (out, range) = (&mut out[..], 0..PIECE);
    COUNTED.set([0; 2]);
    match parsed.operands() {
        Operands::Ecdsa(equation) => VerifyOver { equation, range, out }.run::<Counting>(),
        Operands::Schnorr(equation) => VerifyOver { equation, range, out }.run::<Counting>(),
        Operands::Recover(operands) => {
            let out = &mut vec![[0; 64]; PIECE][..];
            Recover { operands, range, out }.run::<Counting>();
            assert!(out.iter().all(|key| *key != [0; 64]));
            let [products, squares] = COUNTED.get().map(|count| count.div_ceil(PIECE as u32));
            return Work { products, squares };
        }
        Operands::Columns => unreachable!("signatures have operands"),
    }
    assert!(out.iter().all(|verdict| verdict.is_valid()));
    let [products, squares] = COUNTED.get().map(|count| count.div_ceil(PIECE as u32));
    Work { products, squares }
}

#[test]
fn the_work_is_what_the_kernels_do() {
    let all = [
        Algorithm::EcdsaSecp256k1(EcdsaRule::Compact),
        Algorithm::SchnorrBip340,
        Algorithm::RecoverSecp256k1(RecoverRule::EthereumTransaction),
    ];
    assert_eq!(all.map(work), all.map(|algorithm| Some(counted(algorithm))));
    assert_eq!(work(Algorithm::Sha256), None);
}

#[test]
fn a_limit_is_measured_at_every_level() {
    for isa in Isa::all() {
        let most = measure(isa, Duration::from_millis(5));
        assert!(most > 0.0, "{isa}");
        let work = Work { products: 2, squares: 1 };
        assert!(products(isa, work) >= 20.0, "{isa}");
    }
}
