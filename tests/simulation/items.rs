//! Jobs whose answers are known, and batches of them.

use std::sync::Arc;

use secp256k1::{Keypair, Message, SecretKey, ecdsa, schnorr};
use sigmill::dispatch::random::Random;
use sigmill::parsed::Parsed;
use sigmill::{Algorithm, Answers, Batch, EcdsaRule, OpenBatch, Outcome, RecoverRule, referee};

pub const ECDSA: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);
pub const RECOVER: Algorithm = Algorithm::RecoverSecp256k1(RecoverRule::EthereumFrontier);

/// Algorithms of the simulation, commonest first.
pub const ALL: [Algorithm; 5] =
    [ECDSA, Algorithm::SchnorrBip340, RECOVER, Algorithm::Sha256, Algorithm::Keccak256];

/// Whether a device's evidence shows what it computed: of keys and digests nothing does.
pub fn has_evidence(algorithm: Algorithm) -> bool {
    algorithm.value_bytes() == 0
}

/// A job's fields, as the batch's columns have them.
#[derive(Clone, Debug)]
pub struct Job {
    algorithm: Algorithm,
    fields: [Vec<u8>; 3],
}

impl Job {
    /// A copy of one of a batch's jobs.
    pub fn of(batch: &Batch, job: usize) -> Job {
        let fields = [0, 1, 2].map(|column| batch.column(column).get(job).to_vec());
        Job { algorithm: batch.algorithm(), fields }
    }

    /// A batch of it alone.
    pub fn batch(&self) -> Batch {
        let mut batch = Batch::open(self.algorithm);
        self.push(&mut batch);
        batch.seal()
    }

    pub fn push(&self, batch: &mut OpenBatch) {
        let [a, b, c] = &self.fields;
        // A hint may stand behind the hash.
        let hash = || a[..32].try_into().expect("32 bytes");
        let job = match self.algorithm {
            Algorithm::EcdsaSecp256k1(_) => {
                if batch.form() == sigmill::Form::Combined {
                    let odd = b.last().is_some_and(|byte| byte & 1 == 1);
                    sigmill::Job::EcdsaHinted { message: hash(), signature: b, key: c, odd }
                } else {
                    sigmill::Job::Ecdsa { message: hash(), signature: b, key: c }
                }
            }
            Algorithm::SchnorrBip340 => sigmill::Job::Schnorr {
                message: a,
                signature: b[..].try_into().expect("64 bytes"),
                key: c[..].try_into().expect("32 bytes"),
            },
            Algorithm::RecoverSecp256k1(_) => {
                let (signature, id) = b.split_first_chunk().expect("65 bytes");
                sigmill::Job::Recover { message: hash(), signature, recovery_id: id[0] }
            }
            _ => sigmill::Job::Hash { message: a },
        };
        batch.push(job).expect("room");
    }
}

fn bytes<const N: usize>(random: &mut Random) -> [u8; N] {
    std::array::from_fn(|_| random.bits() as u8)
}

/// Keys that sign; few, so that canaries under them come up again.
const KEYS: usize = 3;

/// A pool of jobs of one algorithm: valid, wrong by one bit, malformed. No two share a nonce.
pub fn pool(seed: u64, algorithm: Algorithm, jobs: usize) -> Vec<Job> {
    let mut random = Random::seeded(seed);
    let secrets: Vec<_> = (0..KEYS)
        .map(|_| SecretKey::from_secret_bytes(bytes(&mut random)).expect("in range"))
        .collect();
    (0..jobs).map(|job| make(&mut random, algorithm, &secrets[job % KEYS])).collect()
}

fn make(random: &mut Random, algorithm: Algorithm, secret: &SecretKey) -> Job {
    let mut message: [u8; 32] = bytes(random);
    let pair = Keypair::from_secret_key(secret);
    let digest = Message::from_digest(message);
    let kind = random.below(16);
    let bit = random.below(32);
    let mut fields = match algorithm {
        Algorithm::EcdsaSecp256k1(_) => {
            let signature = ecdsa::sign(digest, secret).serialize_compact();
            let key = secp256k1::PublicKey::from_secret_key(secret);
            let key = match random.below(4) {
                0 => key.serialize_uncompressed().to_vec(),
                _ => key.serialize().to_vec(),
            };
            [message.to_vec(), signature.to_vec(), key]
        }
        Algorithm::SchnorrBip340 => {
            let signature = schnorr::sign_no_aux_rand(&message, &pair).to_byte_array();
            let key = pair.x_only_public_key().0.to_byte_array();
            [message.to_vec(), signature.to_vec(), key.to_vec()]
        }
        Algorithm::RecoverSecp256k1(_) => {
            let signed = ecdsa::RecoverableSignature::sign_ecdsa_recoverable(digest, secret);
            let (id, signature) = signed.serialize_compact();
            let id = [id.to_u8()];
            [message.to_vec(), [&signature[..], &id].concat(), Vec::new()]
        }
        _ => {
            let length = random.below(130);
            let text = (0..length).map(|_| random.bits() as u8).collect();
            return Job { algorithm, fields: [text, Vec::new(), Vec::new()] };
        }
    };
    match kind {
        // s or the message, wrong by one bit: its lowest byte, far from any range.
        0..=2 => fields[1][63] ^= 1 << (bit % 8),
        3 => {
            message[bit] ^= 1;
            fields[0] = message.to_vec();
        }
        // No point, or no key: r of other bits.
        4 => fields[1][..32].copy_from_slice(&bytes::<32>(random)),
        // Out of range.
        5 if bit.is_multiple_of(2) => fields[1][32..64].fill(0xff),
        5 => fields[1][..32].fill(0xff),
        // Half of these are no points.
        6 if fields[2].len() == 33 => fields[2][1..].copy_from_slice(&bytes::<32>(random)),
        6 if fields[2].len() == 32 => fields[2] = bytes::<32>(random).to_vec(),
        _ => {}
    }
    Job { algorithm, fields }
}

/// A batch that may be submitted any number of times.
pub struct Ware {
    pub parsed: Arc<Parsed>,
    /// By job.
    pub truth: Answers,
}

impl Ware {
    pub fn new(batch: Batch) -> Ware {
        let truth = referee::answer(&batch);
        Ware { parsed: Arc::new(Parsed::parse(batch)), truth }
    }

    /// The right answer to a live entry.
    pub fn truth(&self, entry: usize) -> Outcome<'_> {
        self.truth.get(self.parsed.position(entry)).expect("it has as many")
    }
}

/// Whether two outcomes say the same, reasons left out.
pub fn agree(a: Outcome<'_>, b: Outcome<'_>) -> bool {
    match (a, b) {
        (Outcome::Verdict(a), Outcome::Verdict(b)) => a.is_valid() == b.is_valid(),
        (a, b) => a == b,
    }
}

/// Batches of every algorithm and of many sizes.
pub fn stock() -> Vec<Ware> {
    let mut random = Random::seeded(0x51_6d11);
    let mut wares = Vec::new();
    for (index, algorithm) in ALL.into_iter().enumerate() {
        let pool = pool(7_000 + index as u64, algorithm, 96);
        let known: Vec<_> = pool.iter().map(|job| referee::answer(&job.batch())).collect();
        let batches = if index < 3 { 60 } else { 30 };
        for number in 0..batches {
            let items = match number {
                0 => 0,
                1 => 1_500,
                2..=8 => 130 + random.below(500),
                _ => 1 + random.below(40),
            };
            // Some are all valid, as most are outside of tests.
            let all_well = random.below(3) == 0;
            let combined = index < 2 && random.below(6) == 0;
            let mut batch =
                if combined { Batch::open_combined(algorithm) } else { Batch::open(algorithm) };
            while batch.len() < items {
                let at = random.below(pool.len());
                if !all_well || known[at].all_well() {
                    pool[at].push(&mut batch);
                }
            }
            wares.push(batch.seal());
        }
    }
    wares.into_iter().map(Ware::new).collect()
}
