//! Collects votes into batches over pinned keys, and gives each its verdict.

use commonware_utils::Participant;
use sigmill::error::BatchError;
use sigmill::{Algorithm, Batch, Engine, Job, OpenBatch, PinnedKeys, Terms};

use super::VoteSignature;
use crate::resolve::{Pending, submit};

/// Votes of one committee. One batch holds 2^24 of them or 1 GiB of what they sign; should there be
/// more, it is submitted and another opened.
pub(super) struct Votes<'a> {
    engine: &'a Engine,
    keys: &'a PinnedKeys,
    terms: Terms,
    open: OpenBatch,
    /// By job: the entry that it belongs to.
    entries: Vec<usize>,
    /// What was submitted, with the entries of its jobs.
    submitted: Vec<(Vec<usize>, Pending<'a>)>,
}

impl<'a> Votes<'a> {
    pub fn new(engine: &'a Engine, keys: &'a PinnedKeys, terms: Terms) -> Self {
        let open = open(keys);
        Votes { engine, keys, terms, open, entries: Vec::new(), submitted: Vec::new() }
    }

    /// Adds a vote to an entry. The signer is below the number of keys.
    pub fn push(
        &mut self,
        entry: usize,
        message: &[u8],
        VoteSignature(signature): &VoteSignature,
        signer: Participant,
    ) {
        let job = Job::SchnorrPinned { message, signature, key: signer.get() };
        match self.open.push(job) {
            Ok(_) => self.entries.push(entry),
            Err(BatchError::Full) => {
                self.flush();
                self.open.push(job).expect("an empty batch holds a vote");
                self.entries.push(entry);
            }
            Err(error) => unreachable!("a vote of a known signer: {error}"),
        }
    }

    /// Waits, and tells the verdict of each vote, with its entry.
    pub fn resolve(mut self, mut tell: impl FnMut(usize, bool)) {
        self.flush();
        for (entries, pending) in self.submitted {
            let resolved = pending.wait();
            let valid = resolved.verdicts().map(|verdict| verdict.is_valid());
            entries.into_iter().zip(valid).for_each(|(entry, valid)| tell(entry, valid));
        }
    }

    /// Submits what has come so far.
    pub fn flush(&mut self) {
        if !self.entries.is_empty() {
            let batch = std::mem::replace(&mut self.open, open(self.keys)).seal();
            let entries = std::mem::take(&mut self.entries);
            self.submitted.push((entries, submit(self.engine, batch, self.terms)));
        }
    }
}

fn open(keys: &PinnedKeys) -> OpenBatch {
    Batch::open_pinned(Algorithm::SchnorrBip340, keys).expect("BIP 340 has public keys")
}
