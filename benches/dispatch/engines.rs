//! Engines and devices that the measurements run on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secp256k1::{Keypair, SecretKey, schnorr};
use sigmill::algorithms::sha256;
use sigmill::backend::{Backend, BatchId, Capability, Completion};
use sigmill::dispatch::examine::{Host, host};
use sigmill::error::Rejected;
use sigmill::isa::Isa;
use sigmill::parsed::{Operands, Parsed};
use sigmill::verdict::Evidence;
use sigmill::{Algorithm, Batch, Device, EcdsaRule, Job, backend};

/// ECDSA jobs, well formed and wrong: they cost what valid ones do.
pub fn ecdsa(jobs: usize) -> Batch {
    let mut batch = Batch::open(Algorithm::EcdsaSecp256k1(EcdsaRule::Compact));
    // The generator of the group.
    let mut key = [0; 33];
    key[0] = 2;
    key[1..17].copy_from_slice(&0x79be667e_f9dcbbac_55a06295_ce870b07_u128.to_be_bytes());
    key[17..].copy_from_slice(&0x029bfcdb_2dce28d9_59f2815b_16f81798_u128.to_be_bytes());
    for job in 0..jobs as u64 {
        let message = sha256::hash(&job.to_le_bytes());
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&sha256::hash(&message));
        signature[32..].copy_from_slice(&message);
        (signature[0], signature[32]) = (0, 0);
        let job = Job::Ecdsa { message: &message, signature: &signature, key: &key };
        batch.push(job).expect("room");
    }
    batch.seal()
}

/// Messages of 64 bytes.
pub fn sha256(jobs: usize) -> Batch {
    let mut batch = Batch::open(Algorithm::Sha256);
    for job in 0..jobs as u64 {
        let half = sha256::hash(&job.to_le_bytes());
        let message = [half, half];
        batch.push(Job::Hash { message: message.as_flattened() }).expect("room");
    }
    batch.seal()
}

/// An accelerator that computes on the host's own cores and then takes `times` that, asleep: a device that does
/// not pay.
pub fn slow(times: u32) -> Device {
    device(times, true)
}

/// An accelerator that computes as fast as the host's best kernels do, on a thread of its own.
pub fn fast() -> Device {
    device(1, false)
}

fn device(times: u32, shares: bool) -> Device {
    let device = Device::admit(move || {
        let capabilities = [Algorithm::EcdsaSecp256k1(EcdsaRule::Compact), Algorithm::Sha256]
            .map(|algorithm| Capability { algorithm, max_items: 1 << 20, judges: false });
        let host = Box::new(host(Isa::detect().expect("a level")));
        Ok(Box::new(Slow { times, shares, host, capabilities, done: VecDeque::new() }))
    });
    device.expect("it is correct")
}

struct Slow {
    times: u32,
    shares: bool,
    host: Box<dyn Host>,
    capabilities: [Capability; 2],
    done: VecDeque<(Instant, Completion)>,
}

impl Backend for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn shares_host(&self) -> bool {
        self.shares
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        let started = Instant::now();
        let evidence = match batch.operands() {
            Operands::Columns => self.host.compute(&batch),
            operands => Evidence::Points(self.host.points(operands)),
        };
        let busy = started.elapsed() * self.times;
        let begins = self.done.back().map_or(started, |(at, _)| (*at).max(started));
        self.done.push_back((begins + busy, Completion { id, result: Ok(evidence), busy }));
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        let ready = self.done.front().is_some_and(|(at, _)| *at <= Instant::now());
        if ready { self.done.pop_front().map(|(_, completion)| completion) } else { None }
    }

    fn wait(&mut self, until: Instant) {
        let at = self.done.front().map_or(until, |(at, _)| (*at).min(until));
        std::thread::sleep(
            at.saturating_duration_since(Instant::now()).max(Duration::from_micros(50)),
        );
    }
}

/// The device that does nothing.
pub fn null(inline: bool) -> Device {
    backend::null::device(inline).expect("null")
}

/// BIP 340 jobs of one key, for combined verification; all of them bad, or none.
pub fn combined(jobs: usize, bad: bool) -> Batch {
    let secret = SecretKey::from_secret_bytes([7; 32]).expect("in range");
    let pair = Keypair::from_secret_key(&secret);
    let key = pair.x_only_public_key().0.to_byte_array();
    let mut batch = Batch::open_combined(Algorithm::SchnorrBip340);
    for job in 0..jobs as u64 {
        let mut message = sha256::hash(&job.to_le_bytes());
        let signature = schnorr::sign_no_aux_rand(&message, &pair).to_byte_array();
        message[0] ^= u8::from(bad);
        let job = Job::Schnorr { message: &message, signature: &signature, key: &key };
        batch.push(job).expect("room");
    }
    batch.seal()
}
