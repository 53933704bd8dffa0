//! Cuts a stream of jobs into batches of bounded size, each with what its jobs were for.

use crate::algorithm::Algorithm;
use crate::batch::{Batch, Job, OpenBatch};
use crate::error::BatchError;

/// Most bytes that a batch of a check carries, its last job apart.
const BYTES_LIMIT: usize = 32 << 20;
/// Most jobs that a batch of a check carries.
const ITEMS_LIMIT: usize = 1 << 16;

/// Fills batches of one algorithm; every job has a tag that says what it is for.
pub(super) struct Cut<T> {
    algorithm: Algorithm,
    open: OpenBatch,
    tags: Vec<T>,
    bytes: usize,
    sealed: Vec<(Batch, Vec<T>)>,
}

impl<T> Cut<T> {
    /// Nothing yet.
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let open = Batch::open(algorithm);
        Cut { algorithm, open, tags: Vec::new(), bytes: 0, sealed: Vec::new() }
    }

    /// Adds a job of about `bytes` bytes. Fails as [`OpenBatch::push`] does, a full batch apart.
    pub(super) fn push(&mut self, job: Job<'_>, bytes: usize, tag: T) -> Result<(), BatchError> {
        if self.bytes >= BYTES_LIMIT || self.tags.len() == ITEMS_LIMIT {
            self.seal();
        }
        self.open.push(job)?;
        self.tags.push(tag);
        self.bytes += bytes;
        Ok(())
    }

    /// The batches, none of them empty.
    pub(super) fn finish(mut self) -> Vec<(Batch, Vec<T>)> {
        if !self.tags.is_empty() {
            self.seal();
        }
        self.sealed
    }

    fn seal(&mut self) {
        let full = std::mem::replace(&mut self.open, Batch::open(self.algorithm));
        self.sealed.push((full.seal(), std::mem::take(&mut self.tags)));
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_by_bytes_and_by_items() {
        let mut cut = Cut::new(Algorithm::Sha256);
        assert!(Cut::<()>::new(Algorithm::Sha256).finish().is_empty());
        let long = vec![0; 12 << 20];
        for tag in 0..4 {
            cut.push(Job::Hash { message: &long }, long.len(), tag).unwrap();
        }
        for tag in 0..ITEMS_LIMIT {
            cut.push(Job::Hash { message: b"" }, 0, tag).unwrap();
        }
        let sizes: Vec<_> =
            cut.finish().iter().map(|(batch, tags)| (batch.len(), tags.len())).collect();
        assert_eq!(sizes, [(3, 3), (ITEMS_LIMIT, ITEMS_LIMIT), (1, 1)]);
    }
}
