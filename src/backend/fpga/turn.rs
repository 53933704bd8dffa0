//! A turn of the card's host: completions are read, batches finished, lines submitted.

use std::time::Instant;

use rayon::ThreadPool;

use crate::backend::Completion;
use crate::backend::fpga::flight::{Encoded, Flight, Jobs};
use crate::backend::fpga::{Fpga, messages, registers, signatures};
use crate::error::Fault;
use crate::isa::Isa;
use crate::parsed::Operands;

impl Fpga {
    /// Reads completions, submits more, and looks whether the card still works.
    pub(super) fn turn(&mut self) -> Result<(), Fault> {
        let transport = &mut **self.transport.get_mut();
        self.completed.clear();
        self.completions.drain(transport, &mut self.completed)?;
        let nothing = self.completed.is_empty();
        for completed in &self.completed {
            let (id, item) = self.jobs.answer(completed, self.submission.tail())?;
            let flight = self.batches.iter_mut().find(|flight| flight.id == id);
            flight.ok_or(Fault::Stale)?.take(item, &completed.payload);
        }
        self.pump()?;
        if nothing && !self.jobs.is_empty() {
            self.look()?;
        }
        Ok(())
    }

    /// Submits lines as long as there is room, and finishes batches that are answered.
    pub(super) fn pump(&mut self) -> Result<(), Fault> {
        loop {
            let rest = &self.encoded.lines[self.pushed..];
            if !rest.is_empty() {
                let transport = &mut **self.transport.get_mut();
                self.pushed += self.submission.push(transport, rest)?;
                if self.pushed < self.encoded.lines.len() {
                    break;
                }
            }
            let flight =
                self.batches.iter_mut().find(|flight| flight.encoded < flight.batch.live());
            let Some(flight) = flight else { break };
            encode(self.isa, &self.pool, self.identity.caps, flight, &self.jobs, &mut self.encoded);
            self.pushed = 0;
            let Encoded { jobs, .. } = &self.encoded;
            self.jobs.add(flight.id, flight.encoded, self.submission.tail(), jobs);
            flight.encoded += jobs.len();
            flight.back += jobs.iter().filter(|job| job.is_none()).count();
            flight.roots.append(&mut self.encoded.roots);
        }
        self.finish()
    }

    /// Completes the batches whose items are all answered.
    fn finish(&mut self) -> Result<(), Fault> {
        let before = self.done.len();
        while let Some(at) = self.batches.iter().position(Flight::is_done) {
            let Some(flight) = self.batches.remove(at) else { break };
            let (id, started) = (flight.id, flight.started);
            let result = self.pool.install(|| flight.evidence(self.isa));
            let fault = result.as_ref().err().cloned();
            // What it waited for those before it is no part of its own time.
            let now = Instant::now();
            let busy = now - started.max(std::mem::replace(&mut self.finished, now));
            self.done.push_back(Completion { id, result, busy });
            fault.map_or(Ok(()), Err)?;
        }
        if self.done.len() > before {
            self.sample();
        }
        Ok(())
    }

    /// Nothing came: asks for the card's errors and for progress.
    fn look(&mut self) -> Result<(), Fault> {
        let transport = &mut **self.transport.get_mut();
        registers::errors(transport)?;
        let (submission, completions) = (&mut self.submission, &self.completions);
        if self.watch.is_late((submission.head(), completions.head()), transport) {
            // Fetching is progress too, and not asked for otherwise.
            submission.look(transport)?;
            if self.watch.is_late((submission.head(), completions.head()), transport) {
                return Err(Fault::Timeout);
            }
        }
        Ok(())
    }

    /// The card as a whole failed: every batch is answered with the fault.
    pub(super) fn fail(&mut self, fault: Fault) {
        for Flight { id, started, .. } in self.batches.drain(..) {
            let (result, busy) = (Err(fault.clone()), started.elapsed());
            self.done.push_back(Completion { id, result, busy });
        }
        self.jobs.clear();
        self.failed.get_or_insert(fault);
    }
}

/// Encodes the next part of a batch.
fn encode(isa: Isa, pool: &ThreadPool, caps: u32, flight: &Flight, jobs: &Jobs, out: &mut Encoded) {
    out.lines.clear();
    out.jobs.clear();
    out.roots.clear();
    let (batch, first, tag) = (&flight.batch, flight.encoded, jobs.next_tag());
    match batch.operands() {
        Operands::Columns => messages::encode(caps, batch, messages::cut(batch, first), tag, out),
        _ => {
            let items = signatures::cut(batch, first);
            pool.install(|| signatures::encode(isa, batch, items, tag, out));
        }
    }
}
