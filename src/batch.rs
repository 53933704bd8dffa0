//! Jobs of one algorithm in flat columns.
//!
//! A batch is opened for one algorithm, filled, sealed, submitted, and comes back with its answers
//! so that its memory can be used again.

use crate::algorithm::{Algorithm, RecoverRule};
use crate::error::BatchError;
use crate::pinned::PinnedKeys;

mod column;

pub use column::Column;

/// One job, borrowed from the caller; pushing it copies it into the batch's columns.
#[derive(Clone, Copy, Debug)]
pub enum Job<'a> {
    /// [`Algorithm::EcdsaSecp256k1`].
    Ecdsa {
        /// The hash that was signed, big-endian.
        message: &'a [u8; 32],
        /// The signature in the rule's encoding, without sighash byte.
        signature: &'a [u8],
        /// SEC 1 public key: 33 or 65 bytes.
        key: &'a [u8],
    },
    /// [`Algorithm::EcdsaSecp256k1`] in a batch of [`Form::Combined`].
    EcdsaHinted {
        /// The hash that was signed, big-endian.
        message: &'a [u8; 32],
        /// The signature in the rule's encoding.
        signature: &'a [u8],
        /// SEC 1 public key: 33 or 65 bytes.
        key: &'a [u8],
        /// Whether R's y is odd, as the sender says. It is not trusted: a wrong hint costs time and
        /// changes no verdict.
        odd: bool,
    },
    /// [`Algorithm::EcdsaSecp256k1`] in a batch of [`Form::Pinned`].
    EcdsaPinned {
        /// The hash that was signed, big-endian.
        message: &'a [u8; 32],
        /// The signature in the rule's encoding.
        signature: &'a [u8],
        /// Index of the key among the pinned ones.
        key: u32,
    },
    /// [`Algorithm::SchnorrBip340`] in a batch of [`Form::Pinned`]: under the x of the key.
    SchnorrPinned {
        /// The message, of any length.
        message: &'a [u8],
        /// R.x || s.
        signature: &'a [u8; 64],
        /// Index of the key among the pinned ones.
        key: u32,
    },
    /// [`Algorithm::SchnorrBip340`].
    Schnorr {
        /// The message, of any length.
        message: &'a [u8],
        /// R.x || s.
        signature: &'a [u8; 64],
        /// x-only public key.
        key: &'a [u8; 32],
    },
    /// [`Algorithm::RecoverSecp256k1`] under the two transaction rules.
    Recover {
        /// The hash that was signed.
        message: &'a [u8; 32],
        /// r || s, big-endian.
        signature: &'a [u8; 64],
        /// 0 or 1: the parity of R's y. Never 27/28.
        recovery_id: u8,
    },
    /// [`Algorithm::RecoverSecp256k1`] under [`RecoverRule::EcrecoverPrecompile`].
    Ecrecover {
        /// The call's input: h, v, r, s. Short input counts as padded with zeros, long is cut.
        input: &'a [u8],
    },
    /// [`Algorithm::Sha256`], [`Algorithm::Sha256d`], [`Algorithm::Keccak256`].
    Hash {
        /// The message.
        message: &'a [u8],
    },
    /// [`Algorithm::MerkleRootSha256d`].
    MerkleRoot {
        /// The leaves, in order, in the byte order in which they are hashed.
        leaves: &'a [[u8; 32]],
    },
    /// [`Algorithm::MerkleProofSha256d`].
    MerkleProof {
        /// The leaf.
        leaf: &'a [u8; 32],
        /// Its position in the tree's lowest level.
        index: u32,
        /// The sibling at each level, from the leaf upward; at most 32.
        path: &'a [[u8; 32]],
        /// The root to be reached.
        root: &'a [u8; 32],
    },
    /// [`Algorithm::Null`].
    Null,
}

/// Most bytes that one field of a job may carry: 16 MiB. The leaves of a tree may fill the batch.
pub const ITEM_BYTES_LIMIT: usize = 16 << 20;
/// Most bytes that a batch may carry in one column: 1 GiB.
pub const BATCH_BYTES_LIMIT: usize = 1 << 30;
/// Most jobs that a batch may carry.
pub const BATCH_ITEMS_LIMIT: usize = 1 << 24;

/// How the signatures of a batch are verified. It decides what that costs, never a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// Each for itself.
    #[default]
    Single,
    /// Many in one equation, a random combination of theirs: far cheaper where nearly all are valid.
    /// Where it fails, they are verified one by one.
    Combined,
    /// Against keys whose tables were made before: [`Engine::pin`](crate::Engine::pin).
    Pinned,
}

impl Form {
    /// This form, or that of pinned keys where the other one is: its jobs name keys by index.
    pub(crate) fn or_pinned(self, other: Form) -> Form {
        if other == Form::Pinned { Form::Pinned } else { self }
    }
}

/// Algorithm, form, number of jobs and bytes: all that routing looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// How it is computed.
    pub form: Form,
    /// Number of jobs.
    pub items: usize,
    /// Bytes of all columns.
    pub bytes: usize,
}

/// A sealed batch: jobs of one algorithm that change no more.
///
/// Columns by algorithm:
///
/// | algorithm | 0 | 1 | 2 |
/// |---|---|---|---|
/// | ECDSA | message hash, 32 | signature | key |
/// | ECDSA, combined | message hash, hint (0 or 1), 33 | signature | key |
/// | BIP 340 | message | signature, 64 | key, 32 |
/// | either, pinned | as above | as above | index of the key (u32 little-endian), 4 |
/// | recovery | message hash, 32 | r, s, recovery id, 65 | |
/// | recovery, precompile | input | | |
/// | hashes | message | | |
/// | Merkle root | leaves, n x 32 | | |
/// | Merkle proof | leaf, 32 | path, n x 32 | root, index (u32 little-endian), 36 |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    algorithm: Algorithm,
    form: Form,
    pinned: Option<PinnedKeys>,
    items: usize,
    columns: [Column; 3],
}

impl Batch {
    /// Opens an empty batch of [`Form::Single`].
    pub fn open(algorithm: Algorithm) -> OpenBatch {
        Batch::open_as(algorithm, Form::Single, None)
    }

    /// Opens an empty batch of [`Form::Combined`]. ECDSA takes [`Job::EcdsaHinted`] then, BIP 340 the
    /// jobs that it always takes; other algorithms know no such form and compute one by one.
    pub fn open_combined(algorithm: Algorithm) -> OpenBatch {
        let known = matches!(algorithm, Algorithm::EcdsaSecp256k1(_) | Algorithm::SchnorrBip340);
        Batch::open_as(algorithm, if known { Form::Combined } else { Form::Single }, None)
    }

    /// Opens an empty batch of [`Form::Pinned`] for [`Job::EcdsaPinned`] or [`Job::SchnorrPinned`].
    ///
    /// # Errors
    /// [`BatchError::NotPinnable`] for an algorithm without public keys.
    pub fn open_pinned(algorithm: Algorithm, keys: &PinnedKeys) -> Result<OpenBatch, BatchError> {
        match algorithm {
            Algorithm::EcdsaSecp256k1(_) | Algorithm::SchnorrBip340 => {
                Ok(Batch::open_as(algorithm, Form::Pinned, Some(keys.clone())))
            }
            _ => Err(BatchError::NotPinnable { algorithm }),
        }
    }

    fn open_as(algorithm: Algorithm, form: Form, pinned: Option<PinnedKeys>) -> OpenBatch {
        let variable = Column::variable;
        let fixed = Column::fixed;
        let columns = match algorithm {
            Algorithm::EcdsaSecp256k1(_) if form == Form::Pinned => {
                [fixed(32), variable(), fixed(4)]
            }
            Algorithm::EcdsaSecp256k1(_) if form == Form::Combined => {
                [fixed(33), variable(), variable()]
            }
            Algorithm::SchnorrBip340 if form == Form::Pinned => [variable(), fixed(64), fixed(4)],
            Algorithm::EcdsaSecp256k1(_) => [fixed(32), variable(), variable()],
            Algorithm::SchnorrBip340 => [variable(), fixed(64), fixed(32)],
            Algorithm::RecoverSecp256k1(RecoverRule::EcrecoverPrecompile) => {
                [variable(), fixed(0), fixed(0)]
            }
            Algorithm::RecoverSecp256k1(_) => [fixed(32), fixed(65), fixed(0)],
            Algorithm::Sha256 | Algorithm::Sha256d | Algorithm::Keccak256 => {
                [variable(), fixed(0), fixed(0)]
            }
            Algorithm::MerkleRootSha256d => [variable(), fixed(0), fixed(0)],
            Algorithm::MerkleProofSha256d => [fixed(32), variable(), fixed(36)],
            Algorithm::Null => [fixed(0), fixed(0), fixed(0)],
        };
        OpenBatch(Batch { algorithm, form, pinned, items: 0, columns })
    }

    /// A batch of the same algorithm and form, over the same keys, without jobs.
    pub(crate) fn emptied(&self) -> Batch {
        Batch::open_as(self.algorithm, self.form, self.pinned.clone()).seal()
    }

    /// A batch of some of the jobs, in the order given.
    pub(crate) fn picked(&self, jobs: impl IntoIterator<Item = usize>) -> Batch {
        let mut batch = self.emptied();
        for job in jobs {
            for (to, from) in batch.columns.iter_mut().zip(&self.columns) {
                to.push(from.get(job));
            }
            batch.items += 1;
        }
        batch
    }

    /// The algorithm of every job.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How its signatures are verified.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The keys that its jobs name by index.
    pub fn pinned(&self) -> Option<&PinnedKeys> {
        self.pinned.as_ref()
    }

    /// Number of jobs.
    pub fn len(&self) -> usize {
        self.items
    }

    /// Whether it holds no job; an empty batch is legal.
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// What routing looks at.
    pub fn shape(&self) -> Shape {
        let bytes = self.columns.iter().map(|column| column.bytes.len()).sum();
        Shape { algorithm: self.algorithm, form: self.form, items: self.items, bytes }
    }

    /// Column 0, 1 or 2, as the table above lays them out.
    pub fn column(&self, index: usize) -> &Column {
        &self.columns[index]
    }

    /// Empties the batch and opens it again, with its memory.
    pub fn reopen(mut self) -> OpenBatch {
        self.items = 0;
        self.columns.iter_mut().for_each(Column::clear);
        OpenBatch(self)
    }
}

/// A batch that still takes jobs.
#[derive(Clone, Debug)]
pub struct OpenBatch(Batch);

impl OpenBatch {
    /// Copies a job into the columns and returns its position.
    pub fn push(&mut self, job: Job<'_>) -> Result<usize, BatchError> {
        let batch = &mut self.0;
        if batch.items == BATCH_ITEMS_LIMIT {
            return Err(BatchError::Full);
        }
        match (batch.algorithm, job) {
            (Algorithm::EcdsaSecp256k1(_), Job::Ecdsa { message, signature, key })
                if batch.form == Form::Single =>
            {
                batch.fill([("message", message), ("signature", signature), ("key", key)])
            }
            (Algorithm::EcdsaSecp256k1(_), Job::EcdsaHinted { message, signature, key, odd })
                if batch.form == Form::Combined =>
            {
                let mut hinted = [u8::from(odd); 33];
                hinted[..32].copy_from_slice(message);
                batch.fill([("message", &hinted), ("signature", signature), ("key", key)])
            }
            (Algorithm::EcdsaSecp256k1(_), Job::EcdsaPinned { message, signature, key }) => {
                let key = batch.pinned_index(key)?;
                batch.fill([("message", message), ("signature", signature), ("key", &key)])
            }
            (Algorithm::SchnorrBip340, Job::Schnorr { message, signature, key })
                if batch.form != Form::Pinned =>
            {
                batch.fill([("message", message), ("signature", signature), ("key", key)])
            }
            (Algorithm::SchnorrBip340, Job::SchnorrPinned { message, signature, key }) => {
                let key = batch.pinned_index(key)?;
                batch.fill([("message", message), ("signature", signature), ("key", &key)])
            }
            (
                Algorithm::RecoverSecp256k1(
                    RecoverRule::EthereumTransaction | RecoverRule::EthereumFrontier,
                ),
                Job::Recover { message, signature, recovery_id },
            ) => {
                let mut packed = [recovery_id; 65];
                packed[..64].copy_from_slice(signature);
                batch.fill([("message", message), ("signature", &packed), NO_FIELD])
            }
            (
                Algorithm::RecoverSecp256k1(RecoverRule::EcrecoverPrecompile),
                Job::Ecrecover { input },
            ) => batch.fill([("input", &input[..input.len().min(128)]), NO_FIELD, NO_FIELD]),
            (
                Algorithm::Sha256 | Algorithm::Sha256d | Algorithm::Keccak256,
                Job::Hash { message },
            ) => batch.fill([("message", message), NO_FIELD, NO_FIELD]),
            (Algorithm::MerkleRootSha256d, Job::MerkleRoot { leaves }) => {
                batch.fill([("leaves", leaves.as_flattened()), NO_FIELD, NO_FIELD])
            }
            (Algorithm::MerkleProofSha256d, Job::MerkleProof { leaf, index, path, root }) => {
                if path.len() > 32 {
                    let bytes = path.len() * 32;
                    return Err(BatchError::TooLong { field: "path", bytes, limit: 32 * 32 });
                }
                let mut target = [0; 36];
                target[..32].copy_from_slice(root);
                target[32..].copy_from_slice(&index.to_le_bytes());
                batch.fill([("leaf", leaf), ("path", path.as_flattened()), ("root", &target)])
            }
            (Algorithm::Null, Job::Null) => batch.fill([NO_FIELD; 3]),
            (algorithm, job) => Err(BatchError::WrongJob { job: job.form(), algorithm }),
        }
    }

    /// The algorithm of every job.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// How its signatures will be verified.
    pub fn form(&self) -> Form {
        self.0.form
    }

    /// Number of jobs so far.
    pub fn len(&self) -> usize {
        self.0.items
    }

    /// Whether no job was pushed yet.
    pub fn is_empty(&self) -> bool {
        self.0.items == 0
    }

    /// Ends the filling.
    pub fn seal(self) -> Batch {
        self.0
    }
}

const NO_FIELD: (&str, &[u8]) = ("", &[]);

impl Batch {
    /// The column entry of a pinned key.
    fn pinned_index(&self, index: u32) -> Result<[u8; 4], BatchError> {
        let keys = self.pinned.as_ref().map_or(0, PinnedKeys::len);
        if index as usize >= keys {
            return Err(BatchError::NoSuchKey { index, keys });
        }
        Ok(index.to_le_bytes())
    }

    /// Appends one job, all fields or none.
    fn fill(&mut self, fields: [(&'static str, &[u8]); 3]) -> Result<usize, BatchError> {
        let limit = match self.algorithm {
            Algorithm::MerkleRootSha256d => BATCH_BYTES_LIMIT,
            _ => ITEM_BYTES_LIMIT,
        };
        for (column, (field, bytes)) in self.columns.iter().zip(fields) {
            if bytes.len() > limit {
                return Err(BatchError::TooLong { field, bytes: bytes.len(), limit });
            }
            if column.bytes.len() + bytes.len() > BATCH_BYTES_LIMIT {
                return Err(BatchError::Full);
            }
        }
        for (column, (_, bytes)) in self.columns.iter_mut().zip(fields) {
            column.push(bytes);
        }
        self.items += 1;
        Ok(self.items - 1)
    }
}

impl Job<'_> {
    fn form(&self) -> &'static str {
        match self {
            Job::Ecdsa { .. } => "Ecdsa",
            Job::EcdsaHinted { .. } => "EcdsaHinted",
            Job::EcdsaPinned { .. } => "EcdsaPinned",
            Job::Schnorr { .. } => "Schnorr",
            Job::SchnorrPinned { .. } => "SchnorrPinned",
            Job::Recover { .. } => "Recover",
            Job::Ecrecover { .. } => "Ecrecover",
            Job::Hash { .. } => "Hash",
            Job::MerkleRoot { .. } => "MerkleRoot",
            Job::MerkleProof { .. } => "MerkleProof",
            Job::Null => "Null",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(algorithm: Algorithm, job: Job<'_>) -> Result<usize, BatchError> {
        Batch::open(algorithm).push(job)
    }

    #[test]
    fn a_message_ends_at_its_limit() {
        let bytes = vec![0; ITEM_BYTES_LIMIT + 1];
        let limit = ITEM_BYTES_LIMIT;
        let push = |message| push(Algorithm::Keccak256, Job::Hash { message });
        assert_eq!(push(&bytes[1..]), Ok(0));
        let error = BatchError::TooLong { field: "message", bytes: limit + 1, limit };
        assert_eq!(push(&bytes), Err(error));
    }

    #[test]
    fn leaves_may_fill_the_batch() {
        let most = BATCH_BYTES_LIMIT / 32;
        let leaves = vec![[0; 32]; most + 1];
        let push = |leaves| push(Algorithm::MerkleRootSha256d, Job::MerkleRoot { leaves });
        assert_eq!(push(&leaves[..ITEM_BYTES_LIMIT / 32 + 1]), Ok(0));
        let (bytes, limit) = (BATCH_BYTES_LIMIT + 32, BATCH_BYTES_LIMIT);
        let error = BatchError::TooLong { field: "leaves", bytes, limit };
        let text = "field `leaves` has 1073741856 bytes; a job may carry 1073741824";
        assert_eq!(error.to_string(), text);
        assert_eq!(push(&leaves), Err(error));
    }
}
