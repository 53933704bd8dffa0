//! Shared by the integration tests: owned jobs, backends under test, the real data.
#![allow(dead_code, reason = "each test target uses a part")]

pub mod failing;
pub mod signed;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use sigmill::algorithms::merkle::{self, Threads};
use sigmill::algorithms::secp256k1::{ecdsa, recover, schnorr};
use sigmill::algorithms::{keccak256, sha256};
#[cfg(feature = "fpga-sim")]
use sigmill::backend::fpga;
#[cfg(feature = "gpu")]
use sigmill::backend::gpu::{self, Limbs};
use sigmill::backend::{Backend, BatchId, Capability, Completion};
use sigmill::error::{EngineError, Rejected};
use sigmill::isa::Isa;
use sigmill::parsed::{Operands, Parsed};
use sigmill::verdict::{Evidence, Point};
use sigmill::{
    Algorithm, Answers, Batch, Device, Engine, Form, Job, OpenBatch, Outcome, RecoverRule, Terms,
};

/// A job's fields, in the order of the batch's columns; a recovery's id is the 65th byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned(pub Vec<Vec<u8>>);

/// A batch of these jobs.
pub fn batch<'a>(algorithm: Algorithm, jobs: impl IntoIterator<Item = &'a Owned>) -> Batch {
    fill(Batch::open(algorithm), jobs, |_| false)
}

/// A batch of these jobs in combined form, with a hint by position where it takes one.
pub fn combined<'a>(
    algorithm: Algorithm,
    jobs: impl IntoIterator<Item = &'a Owned>,
    hint: impl Fn(usize) -> bool,
) -> Batch {
    fill(Batch::open_combined(algorithm), jobs, hint)
}

fn fill<'a>(
    mut batch: OpenBatch,
    jobs: impl IntoIterator<Item = &'a Owned>,
    hint: impl Fn(usize) -> bool,
) -> Batch {
    let algorithm = batch.algorithm();
    let is_combined = batch.form() == Form::Combined;
    for (index, Owned(fields)) in jobs.into_iter().enumerate() {
        let field = |index: usize| fields[index].as_slice();
        let fixed = |index: usize| field(index).try_into().expect("32 bytes");
        let job = match algorithm {
            Algorithm::EcdsaSecp256k1(_) if is_combined => Job::EcdsaHinted {
                message: fixed(0),
                signature: field(1),
                key: field(2),
                odd: hint(index),
            },
            Algorithm::EcdsaSecp256k1(_) => {
                Job::Ecdsa { message: fixed(0), signature: field(1), key: field(2) }
            }
            Algorithm::SchnorrBip340 => {
                let signature = field(1).try_into().expect("64 bytes");
                Job::Schnorr { message: field(0), signature, key: fixed(2) }
            }
            Algorithm::RecoverSecp256k1(RecoverRule::EcrecoverPrecompile) => {
                Job::Ecrecover { input: field(0) }
            }
            Algorithm::RecoverSecp256k1(_) => {
                let (signature, id) = field(1).split_first_chunk().expect("65 bytes");
                Job::Recover { message: fixed(0), signature, recovery_id: id[0] }
            }
            Algorithm::MerkleRootSha256d => Job::MerkleRoot { leaves: field(0).as_chunks().0 },
            Algorithm::MerkleProofSha256d => {
                let (root, index) = field(2).split_first_chunk().expect("36 bytes");
                let index = u32::from_le_bytes(index.try_into().expect("four bytes"));
                Job::MerkleProof { leaf: fixed(0), index, path: field(1).as_chunks().0, root }
            }
            _ => Job::Hash { message: field(0) },
        };
        batch.push(job).expect("room");
    }
    batch.seal()
}

/// Submits and waits.
pub fn answer(engine: &Engine, batch: Batch) -> Answers {
    engine.submit(batch, Terms::default()).expect("room").wait().into_answers()
}

/// Answers ECDSA or BIP 340 jobs in every form, requires the same of each, reasons included, and
/// gives the answers. Pinned are the jobs under the first keys that can be.
pub fn answer_in_every_form(engine: &Engine, algorithm: Algorithm, jobs: &[Owned]) -> Answers {
    let single = answer(engine, batch(algorithm, jobs));
    for odd in [false, true] {
        // Short lists are repeated: few jobs are never combined.
        let repeats = 500usize.div_ceil(jobs.len().max(1));
        let many = (0..repeats).flat_map(|_| jobs);
        let answers = answer(engine, combined(algorithm, many, |_| odd));
        for (index, outcome) in answers.iter().enumerate() {
            let job = index % jobs.len();
            assert_eq!(Some(outcome), single.get(job), "combined, hint {odd}: job {job}");
        }
    }
    let mut keys: Vec<&[u8]> = Vec::new();
    for Owned(fields) in jobs {
        let key = fields[2].as_slice();
        if keys.len() < 64 && !keys.contains(&key) && engine.pin(&[key]).is_ok() {
            keys.push(key);
        }
    }
    let pinned = engine.pin(&keys).expect("each was pinned alone");
    let mut open = Batch::open_pinned(algorithm, &pinned).expect("there are keys");
    let mut places = Vec::new();
    for (place, Owned(fields)) in jobs.iter().enumerate() {
        let Some(key) = keys.iter().position(|key| *key == fields[2]) else { continue };
        let (message, key) = (fields[0].as_slice(), key as u32);
        let signature = fields[1].as_slice();
        let job = match algorithm {
            Algorithm::SchnorrBip340 => {
                let signature = signature.try_into().expect("64 bytes");
                Job::SchnorrPinned { message, signature, key }
            }
            _ => {
                let message = message.try_into().expect("32 bytes");
                Job::EcdsaPinned { message, signature, key }
            }
        };
        open.push(job).expect("room");
        places.push(place);
    }
    for (outcome, place) in answer(engine, open.seal()).iter().zip(places) {
        assert_eq!(Some(outcome), single.get(place), "pinned: job {place}");
    }
    single
}

/// Valid or a value, as opposed to invalid; an error is neither and fails the test.
pub fn accepted(outcome: Outcome<'_>) -> bool {
    match outcome {
        Outcome::Verdict(verdict) => verdict.is_valid(),
        Outcome::Digest(_) | Outcome::Key(_) | Outcome::Done => true,
        Outcome::Error(error) => panic!("no answer: {error}"),
    }
}

/// The folder with the real data; where there is none, says what is skipped, and fails if
/// `SIGMILL_REQUIRE` lists `data`.
pub fn data(what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SIGMILL_DATA").map(PathBuf::from);
    if folder.is_none() {
        assert!(
            !is_required("data"),
            "{what}: SIGMILL_REQUIRE lists data, but SIGMILL_DATA is not set"
        );
        println!("skipped: {what}: SIGMILL_DATA is not set");
    }
    folder
}

pub fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "odd hex: {text}");
    let byte = |i: usize| u8::from_str_radix(&text[i..i + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// The host's CPU as users have it.
pub fn cpu() -> Engine {
    Engine::builder().threads(2).open().expect("an engine")
}

/// The host's CPU at every level of this machine; says which are absent.
pub fn levels() -> Vec<(Isa, Engine)> {
    let open = |isa| Engine::builder().threads(1).isa(isa).open().expect("an engine");
    let levels: Vec<_> = Isa::all().into_iter().map(|isa| (isa, open(isa))).collect();
    for name in ["portable", "neon", "avx2", "avx512"] {
        if !levels.iter().any(|(isa, _)| isa.to_string() == name) {
            println!("skipped: level {name}: this machine does not have it");
        }
    }
    levels
}

/// The plainest level.
pub fn portable() -> Engine {
    Engine::builder().threads(2).isa(Isa::PORTABLE).open().expect("an engine")
}

/// A level between the plainest and the best, where the machine has one.
pub fn middle() -> Engine {
    let all = Isa::all();
    let isa = all[all.len() / 2];
    println!("level {isa} of {}", all.len());
    Engine::builder().threads(2).isa(isa).open().expect("an engine")
}

/// An accelerator's way: points as evidence, which the host judges.
pub fn evidence() -> Engine {
    let device = Device::admit(|| Ok(Box::<EvidenceBackend>::default())).expect("it is correct");
    Engine::builder().threads(1).cpu(false).device(device).open().expect("an engine")
}

/// A GPU alone, in software unless `SIGMILL_GPU` is `hardware`, in 64-bit limbs. All tests of a process
/// share it: kernels are compiled once.
#[cfg(feature = "gpu")]
pub fn gpu() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| one_gpu(Limbs::U64)).as_ref()
}

/// The same in 32-bit limbs.
#[cfg(feature = "gpu")]
pub fn gpu_u32() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| one_gpu(Limbs::U32)).as_ref()
}

/// Bytes of a software GPU's buffers in tests: few, so that long batches are cut.
#[cfg(feature = "gpu")]
const GPU_BYTES: usize = 16 << 20;

/// That GPU with few bytes.
#[cfg(feature = "gpu")]
pub fn one_gpu(limbs: Limbs) -> Option<Engine> {
    gpu_of(limbs, Some(GPU_BYTES))
}

/// That GPU alone; where there is none, says so, and fails if `SIGMILL_REQUIRE` lists `gpu`.
#[cfg(feature = "gpu")]
pub fn gpu_of(limbs: Limbs, bytes: Option<usize>) -> Option<Engine> {
    let hardware = std::env::var("SIGMILL_GPU").is_ok_and(|name| name == "hardware");
    let adapter = if hardware { gpu::Adapter::Hardware } else { gpu::Adapter::Software };
    match gpu::device(gpu::Options { limbs: Some(limbs), bytes, ..gpu::Options::new(adapter) }) {
        Ok(device) => {
            let builder = Engine::builder().threads(2).cpu(false);
            Some(builder.device(device).open().expect("an engine"))
        }
        Err(EngineError::Absent { why, .. }) => {
            assert!(!is_required("gpu"), "SIGMILL_REQUIRE lists gpu, which is absent: {why}");
            println!("skipped: {}: {why}", adapter.name());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The simulated FPGA card alone, shared by all tests of a process.
#[cfg(feature = "fpga-sim")]
pub fn fpga() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    let open = || match fpga::Options::simulated().and_then(fpga::device) {
        Ok(device) => {
            let builder = Engine::builder().threads(2).cpu(false);
            Some(builder.device(device).open().expect("an engine"))
        }
        Err(EngineError::Absent { why, .. }) => {
            assert!(!is_required("fpga"), "SIGMILL_REQUIRE lists fpga, which is absent: {why}");
            println!("skipped: fpga=sim: {why}");
            None
        }
        Err(error) => panic!("{error}"),
    };
    ENGINE.get_or_init(open).as_ref()
}

/// An engine of a test's own, or one that many share, if the machine has its device.
pub trait Opened {
    fn with(self, test: impl FnOnce(&Engine));
}

impl Opened for Engine {
    fn with(self, test: impl FnOnce(&Engine)) {
        test(&self);
    }
}

impl Opened for Option<&Engine> {
    fn with(self, test: impl FnOnce(&Engine)) {
        if let Some(engine) = self {
            test(engine);
            let devices = engine.snapshot().devices;
            let faults: u64 = devices.iter().map(|device| device.faults).sum();
            assert_eq!(faults, 0, "{devices:?}");
        }
    }
}

/// Whether `SIGMILL_REQUIRE` lists this.
pub fn is_required(what: &str) -> bool {
    let required = std::env::var("SIGMILL_REQUIRE").unwrap_or_default();
    required.split(',').any(|name| name.trim() == what)
}

/// Computes with the kernels of `isa`, the portable ones unless told otherwise, and judges nothing. `lie` turns its
/// evidence over.
#[derive(Default)]
pub struct EvidenceBackend {
    pub lie: Option<Lie>,
    pub isa: Option<Isa>,
    done: VecDeque<Completion>,
}

/// Called with the evidence of each batch.
pub type Lie = Arc<dyn Fn(&Parsed, &mut Evidence) + Send + Sync>;

impl EvidenceBackend {
    pub fn lying(lie: Lie) -> Self {
        EvidenceBackend { lie: Some(lie), ..EvidenceBackend::default() }
    }
}

impl Backend for EvidenceBackend {
    fn name(&self) -> &str {
        "evidence"
    }

    fn capabilities(&self) -> &[Capability] {
        const ALL: [Capability; 14] = {
            let mut all =
                [Capability { algorithm: Algorithm::Sha256, max_items: 100_000, judges: false };
                    14];
            let mut i = 0;
            while i < 14 {
                all[i].algorithm = Algorithm::ALL[i];
                // Proofs have no evidence: their verdict is the device's own.
                all[i].judges = matches!(Algorithm::ALL[i], Algorithm::MerkleProofSha256d);
                i += 1;
            }
            all
        };
        &ALL
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        let started = Instant::now();
        let live = batch.live();
        let isa = self.isa.unwrap_or(Isa::PORTABLE);
        let plan = sha256::Plan::PORTABLE;
        let messages = batch.batch().column(0);
        let mut digests = vec![[0; 32]; live];
        let point = Point { x: [0; 4], y: [0; 4], z: [0; 4] };
        let mut evidence = match (batch.operands(), batch.algorithm()) {
            (Operands::Ecdsa(operands), _) => {
                let mut points = vec![point; live];
                ecdsa::points(isa, operands, 0..live, &mut points);
                Evidence::Points(points)
            }
            (Operands::Schnorr(operands), _) => {
                let mut points = vec![point; live];
                schnorr::points(isa, operands, 0..live, &mut points);
                Evidence::Points(points)
            }
            (Operands::Recover(operands), _) => {
                let mut keys = vec![[0; 64]; live];
                recover::recover(isa, operands, 0..live, &mut keys);
                Evidence::Keys(keys)
            }
            (_, Algorithm::MerkleProofSha256d) => {
                let reason = sigmill::Reason::Equation;
                let mut verdicts = vec![sigmill::Verdict::Invalid(reason); live];
                merkle::verify_proofs(plan, batch.batch(), 0..live, &mut verdicts);
                Evidence::Verdicts(verdicts)
            }
            (_, algorithm) => {
                match algorithm {
                    Algorithm::Sha256 => sha256::digest(plan, messages, 0..live, &mut digests),
                    Algorithm::Sha256d => {
                        sha256::digest_twice(plan, messages, 0..live, &mut digests)
                    }
                    Algorithm::Keccak256 => keccak256::digest(isa, messages, 0..live, &mut digests),
                    _ => merkle::roots(plan, Threads::This, messages, 0..live, &mut digests),
                }
                Evidence::Digests(digests)
            }
        };
        if let Some(lie) = &self.lie {
            lie(&batch, &mut evidence);
        }
        self.done.push_back(Completion { id, result: Ok(evidence), busy: started.elapsed() });
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        self.done.pop_front()
    }

    fn wait(&mut self, until: Instant) {
        std::thread::park_timeout(
            until.saturating_duration_since(Instant::now()).min(Duration::from_millis(1)),
        );
    }
}
