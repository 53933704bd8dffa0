//! The host's CPU: the kernels of `algorithms` over pieces of a batch, in the engine's own pool.

mod ceiling;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::algorithm::Algorithm;
use crate::algorithms::merkle::{self, Threads};
use crate::algorithms::secp256k1::{ecdsa, pinned, recover, schnorr};
use crate::algorithms::{keccak256, sha256};
use crate::backend::device::Device;
use crate::backend::{Backend, BatchId, Capability, Completion, InlineKernel};
use crate::batch::{BATCH_ITEMS_LIMIT, Form};
use crate::dispatch::PieceId;
use crate::error::{EngineError, Rejected};
use crate::isa::Isa;
use crate::observe::{Observer, Subject};
use crate::parsed::{Operands, Parsed};
use crate::verdict::{Evidence, Reason, Verdict};

pub use ceiling::ceiling;

/// The CPU as a device with a pool of its own.
///
/// `threads`: 0 takes every core.
///
/// # Errors
/// [`EngineError::Threads`], [`EngineError::Isa`], or a failed known-answer test.
pub fn device(threads: usize) -> Result<Device, EngineError> {
    let kernels = Kernels::measure(Isa::detect()?);
    device_in(pool(threads)?, kernels)
}

/// Which kernels run: the level, and what was measured on this machine once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernels {
    pub(crate) isa: Isa,
    pub(crate) sha256: sha256::Plan,
}

impl Kernels {
    /// Plain Rust throughout.
    #[cfg(test)]
    pub const PORTABLE: Kernels = Kernels { isa: Isa::PORTABLE, sha256: sha256::Plan::PORTABLE };

    /// The fastest of a level; takes less than a millisecond.
    pub fn measure(isa: Isa) -> Kernels {
        Kernels { isa, sha256: sha256::Plan::measure(isa) }
    }
}

/// The CPU as a device over a pool that is there already.
pub(crate) fn device_in(pool: Arc<ThreadPool>, kernels: Kernels) -> Result<Device, EngineError> {
    let all = Algorithm::ALL;
    let capabilities =
        all.map(|algorithm| Capability { algorithm, max_items: BATCH_ITEMS_LIMIT, judges: true });
    Device::admit(move || {
        let pool = pool.clone();
        let (done, spares) = (VecDeque::new(), Vec::new());
        Ok(Box::new(Cpu { pool, kernels, capabilities, done, spares, observer: None }))
    })
}

/// A pool of the engine's own; 0 threads: as many as the machine has cores.
pub(crate) fn pool(threads: usize) -> Result<Arc<ThreadPool>, EngineError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("sigmill-{index}"))
        .build()
        .map(Arc::new)
        .map_err(|error| EngineError::Threads(error.to_string()))
}

struct Cpu {
    pool: Arc<ThreadPool>,
    kernels: Kernels,
    capabilities: [Capability; Algorithm::ALL.len()],
    done: VecDeque<Completion>,
    /// Evidence of earlier batches, one of a kind.
    spares: Vec<Evidence>,
    observer: Option<Observer>,
}

impl Backend for Cpu {
    fn name(&self) -> &str {
        "cpu"
    }

    fn description(&self) -> String {
        let Kernels { isa, sha256 } = self.kernels;
        let threads = self.pool.current_num_threads();
        format!("{isa} kernels, {threads} threads, sha256: {sha256}")
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn width(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn is_host(&self) -> bool {
        true
    }

    fn observe(&mut self, observer: Observer) {
        self.observer = Some(observer);
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        let all = 0..batch.live();
        self.submit_range(id, batch, all)
    }

    fn submit_range(
        &mut self,
        id: BatchId,
        batch: Arc<Parsed>,
        entries: Range<usize>,
    ) -> Result<(), Rejected> {
        let started = Instant::now();
        let mut evidence = Evidence::take(&mut self.spares, batch.algorithm());
        let subject = Subject::of(&batch, BatchId(0), PieceId(id.0), entries.len());
        let watched = self.observer.as_ref().map(|observer| (observer, subject, &*batch));
        let kernels = self.kernels;
        self.pool.install(|| compute_shared(kernels, &batch, entries, &mut evidence, watched));
        drop(batch);
        self.done.push_back(Completion { id, result: Ok(evidence), busy: started.elapsed() });
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        self.done.pop_front()
    }

    fn recycle(&mut self, evidence: Evidence) {
        let kind = std::mem::discriminant(&evidence);
        if self.spares.iter().all(|spare| std::mem::discriminant(spare) != kind) {
            self.spares.push(evidence);
        }
    }

    fn wait(&mut self, _until: Instant) {}

    fn inline_kernel(&self) -> Option<InlineKernel> {
        let kernels = self.kernels;
        Some(Arc::new(move |batch, evidence| compute(kernels, batch, evidence)))
    }
}

/// Computes a whole batch on this thread.
pub(crate) fn compute(kernels: Kernels, batch: &Parsed, evidence: &mut Evidence) {
    compute_pieces(kernels, batch, 0..batch.live(), evidence, usize::MAX, None);
}

/// By whom steps of the kernels are kept, whose, and of which batch.
type Watched<'a> = Option<(&'a Observer, Subject, &'a Parsed)>;

/// Computes a range of a batch on the threads of the current rayon pool.
pub(crate) fn compute_shared(
    kernels: Kernels,
    batch: &Parsed,
    entries: Range<usize>,
    evidence: &mut Evidence,
    watched: Watched<'_>,
) {
    // Few entries are not worth a second thread.
    const FEW: usize = 32;
    let piece = match entries.len() {
        0..=FEW => FEW,
        items => piece(batch.form(), items, rayon::current_num_threads()),
    };
    compute_pieces(kernels, batch, entries, evidence, piece, watched);
}

/// Runs an audit of so many entries on the threads of the current rayon pool, and gives what it names.
pub(crate) fn audit_shared(
    entries: usize,
    audit: impl Fn(Range<usize>) -> Vec<usize> + Sync,
) -> Vec<usize> {
    // An equation is the cheaper the longer it is: one a thread, and none that is short.
    const LEAST: usize = 2_048;
    if entries < 2 * LEAST {
        return audit(0..entries);
    }
    let piece = entries.div_ceil(rayon::current_num_threads()).max(LEAST);
    let pieces = (0..entries.div_ceil(piece)).into_par_iter();
    pieces.flat_map_iter(|at| audit(at * piece..entries.min((at + 1) * piece))).collect()
}

/// Items of one piece: enough to share an inversion well, few enough that the threads end
/// together. A combined equation is the cheaper the longer it is: one a thread.
fn piece(form: Form, entries: usize, threads: usize) -> usize {
    match form {
        Form::Combined => entries.div_ceil(threads).max(512),
        _ => entries.div_ceil(4 * threads).clamp(32, 512),
    }
}

fn compute_pieces(
    kernels: Kernels,
    batch: &Parsed,
    entries: Range<usize>,
    evidence: &mut Evidence,
    piece: usize,
    watched: Watched<'_>,
) {
    let Kernels { isa, sha256: plan } = kernels;
    // A batch in one piece is the caller's own thread's.
    let threads = if piece == usize::MAX { Threads::This } else { Threads::Pool };
    let combined = batch.form() == Form::Combined;
    match evidence {
        Evidence::Verdicts(out) => {
            let blank = Verdict::Invalid(Reason::Equation);
            fill(out, entries, blank, piece, watched, |range, out| {
                match (batch.operands(), batch.batch().pinned()) {
                    (Operands::Ecdsa(operands), Some(keys)) => {
                        pinned::verify(isa, keys, operands, range, out);
                    }
                    (Operands::Schnorr(operands), Some(keys)) => {
                        pinned::verify(isa, keys, operands, range, out);
                    }
                    (Operands::Ecdsa(operands), None) if combined => {
                        ecdsa::verify_combined(isa, plan, operands, range, out);
                    }
                    (Operands::Schnorr(operands), None) if combined => {
                        schnorr::verify_combined(isa, plan, operands, range, out);
                    }
                    (Operands::Ecdsa(operands), None) => ecdsa::verify(isa, operands, range, out),
                    (Operands::Schnorr(operands), None) => {
                        schnorr::verify(isa, operands, range, out);
                    }
                    _ => merkle::verify_proofs(plan, batch.batch(), range, out),
                }
            });
        }
        Evidence::Keys(out) => fill(out, entries, [0; 64], piece, watched, |range, out| {
            if let Operands::Recover(operands) = batch.operands() {
                recover::recover(isa, operands, range, out);
            }
        }),
        Evidence::Digests(out) => {
            let messages = batch.batch().column(0);
            fill(out, entries, [0; 32], piece, watched, |range, out| match batch.algorithm() {
                Algorithm::Sha256 => sha256::digest(plan, messages, range, out),
                Algorithm::Sha256d => sha256::digest_twice(plan, messages, range, out),
                Algorithm::Keccak256 => keccak256::digest(isa, messages, range, out),
                _ => merkle::roots(plan, threads, messages, range, out),
            });
        }
        Evidence::Points(_) | Evidence::Nothing | Evidence::Rooted(_) => {}
    }
}

/// Sets `out` to the range's entries and has `kernel` fill them, piece by piece.
fn fill<T: Copy + Send>(
    out: &mut Vec<T>,
    entries: Range<usize>,
    blank: T,
    piece: usize,
    watched: Watched<'_>,
    kernel: impl Fn(Range<usize>, &mut [T]) + Sync,
) {
    let kernel = |range: Range<usize>, out: &mut [T]| match watched {
        Some((observer, subject, batch)) => {
            let subject = Subject { items: out.len() as u32, ..subject };
            let subject = subject.reading(batch, range.clone());
            observer.kernel(subject, || kernel(range, out));
        }
        None => kernel(range, out),
    };
    out.clear();
    out.resize(entries.len(), blank);
    if entries.len() <= piece {
        return kernel(entries, out);
    }
    out.par_chunks_mut(piece).enumerate().for_each(|(index, out)| {
        let start = entries.start + index * piece;
        kernel(start..start + out.len(), out);
    });
}
