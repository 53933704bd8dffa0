//! The host's kernels as a lane alone: what is submitted waits in the queue or is refused, and is never computed on the
//! thread that submits it, which is the generator's.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use sigmill::algorithms::secp256k1::{ecdsa, schnorr};
use sigmill::algorithms::sha256::Plan;
use sigmill::backend::{Backend, BatchId, Capability, Completion};
use sigmill::error::Rejected;
use sigmill::isa::Isa;
use sigmill::parsed::{Operands, Parsed};
use sigmill::verdict::{Evidence, Reason, Verdict};
use sigmill::{Algorithm, Device, EcdsaRule, Form};

/// A lane of so many threads for ECDSA and BIP 340.
pub fn device(threads: usize) -> Device {
    let device = Device::admit(move || {
        let capabilities =
            [Algorithm::EcdsaSecp256k1(EcdsaRule::Compact), Algorithm::SchnorrBip340]
                .map(|algorithm| Capability { algorithm, max_items: 1 << 20, judges: true });
        let isa = Isa::detect().expect("a level");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let (plan, done) = (Plan::measure(isa), VecDeque::new());
        Ok(Box::new(Host { isa, plan, pool, capabilities, done }))
    });
    device.expect("it is correct")
}

struct Host {
    isa: Isa,
    plan: Plan,
    pool: rayon::ThreadPool,
    capabilities: [Capability; 2],
    done: VecDeque<Completion>,
}

impl Backend for Host {
    fn name(&self) -> &str {
        "host"
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
        let Host { isa, plan, pool, .. } = self;
        let (isa, plan, combined) = (*isa, *plan, batch.form() == Form::Combined);
        let mut out = vec![Verdict::Invalid(Reason::Equation); entries.len()];
        let part = match combined {
            true => out.len().div_ceil(pool.current_num_threads()).max(512),
            false => out.len().div_ceil(4 * pool.current_num_threads()).clamp(32, 512),
        };
        let compute = |(index, out): (usize, &mut [Verdict])| {
            let start = entries.start + index * part;
            let range = start..start + out.len();
            match batch.operands() {
                Operands::Ecdsa(operands) => ecdsa::verify(isa, operands, range, out),
                Operands::Schnorr(operands) if combined => {
                    schnorr::verify_combined(isa, plan, operands, range, out);
                }
                Operands::Schnorr(operands) => schnorr::verify(isa, operands, range, out),
                _ => unreachable!("it is capable of no others"),
            }
        };
        pool.install(|| out.par_chunks_mut(part).enumerate().for_each(compute));
        let result = Ok(Evidence::Verdicts(out));
        self.done.push_back(Completion { id, result, busy: started.elapsed() });
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        self.done.pop_front()
    }

    fn wait(&mut self, _until: Instant) {}
}
