//! Collects votes into batches over pinned keys, and gives each its verdict.

use commonware_utils::Participant;
use sigmill::error::BatchError;
use sigmill::{Algorithm, Batch, Engine, Job, OpenBatch, PinnedKeys, Terms};

use super::VoteSignature;
use crate::resolve::resolve;

/// Votes of one committee. One batch holds 2^24 of them or 1 GiB of what they sign; should there be
/// more, it is resolved and another opened.
pub(super) struct Votes<'a> {
    engine: &'a Engine,
    keys: &'a PinnedKeys,
    terms: Terms,
    open: OpenBatch,
    /// By job: the entry that it belongs to.
    entries: Vec<usize>,
    /// Entries whose verdicts are known.
    known: Vec<(usize, bool)>,
}

impl<'a> Votes<'a> {
    pub fn new(engine: &'a Engine, keys: &'a PinnedKeys, terms: Terms) -> Self {
        let open = open(keys);
        Votes { engine, keys, terms, open, entries: Vec::new(), known: Vec::new() }
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

    /// Tells the verdict of each vote, with its entry.
    pub fn resolve(mut self, mut tell: impl FnMut(usize, bool)) {
        self.flush();
        self.known.into_iter().for_each(|(entry, valid)| tell(entry, valid));
    }

    fn flush(&mut self) {
        let batch = std::mem::replace(&mut self.open, open(self.keys)).seal();
        let resolved = resolve(self.engine, batch, self.terms);
        let valid = resolved.verdicts().map(|verdict| verdict.is_valid());
        self.known.extend(self.entries.drain(..).zip(valid));
    }
}

fn open(keys: &PinnedKeys) -> OpenBatch {
    Batch::open_pinned(Algorithm::SchnorrBip340, keys).expect("BIP 340 has public keys")
}
