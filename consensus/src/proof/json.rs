//! Proofs as JSON, for programs that read no bytes (SPEC.md, 16). What is read has passed the checks of
//! the binary form.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::state::check_opening;
use super::{Included, PROOF_TAG, Path, Proof, STATE_TAG, StateProof, Subject, depth};
use crate::fields::DecodeError;

mod block;
mod hex;
mod transaction;

use block::{BlockText, One};
use hex::{Hex, HexBytes};
use transaction::{AddressText, TransactionText};

/// Most bytes of a proof as JSON: four times those of the binary form.
pub const MOST_JSON_BYTES: u64 = 4 << 20;

/// Why a text, or a file, is no proof.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON, or has a field too many or too few, or one of another type.
    #[error("{0}")]
    Syntax(#[from] serde_json::Error),
    /// A field has a value that no encoder writes.
    #[error(transparent)]
    Field(#[from] DecodeError),
    /// It is longer than any proof.
    #[error("{bytes} bytes; a proof has at most {limit}")]
    Long {
        /// How many bytes it has.
        bytes: u64,
        /// How many it may have.
        limit: u64,
    },
    /// A list has more or fewer entries than others of its fields say.
    #[error("field `{field}` has {found} entries; {expected} are expected")]
    Length {
        /// Name of the field.
        field: &'static str,
        /// How many it has.
        found: usize,
        /// How many it may have.
        expected: usize,
    },
}

impl Proof {
    /// The proof as JSON, on one line.
    pub fn to_json(&self) -> String {
        let one = |Included { index, path, transaction }: &Included| IncludedText {
            index: *index,
            path: path.siblings().iter().copied().map(Hex).collect(),
            transaction: TransactionText::of(transaction),
        };
        let transactions = self.transactions.iter().map(one).collect();
        let block = BlockText::of(&self.block);
        write(&ProofText { tag: Tag, version: One, block, transactions })
    }

    /// Reads [`Proof::to_json`], and other spellings of the same fields. As [`Proof::decode`], takes
    /// memory for what is there, and no more.
    ///
    /// # Errors
    /// [`JsonError`].
    pub fn from_json(json: &[u8]) -> Result<Self, JsonError> {
        let text: ProofText = serde_json::from_slice(json)?;
        let block = text.block.read()?;
        let leaves = block.header.transactions;
        let one = |text: IncludedText| {
            let (found, expected) = (text.path.len(), depth(leaves));
            if found != expected {
                return Err(JsonError::Length { field: "path", found, expected });
            }
            let path = Path(text.path.into_iter().map(|Hex(sibling)| sibling).collect());
            Ok(Included { index: text.index, path, transaction: text.transaction.read()? })
        };
        let transactions: Vec<_> =
            text.transactions.into_iter().map(one).collect::<Result<_, _>>()?;
        let (field, value, limit) = ("transactions", transactions.len() as u64, u16::MAX.into());
        match value <= limit {
            true => Ok(Proof { block, transactions }),
            false => Err(DecodeError::Limit { field, value, limit }.into()),
        }
    }
}

fn write(text: &impl Serialize) -> String {
    serde_json::to_string(text).expect("its keys are texts")
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofText {
    tag: Tag<false>,
    version: One,
    block: BlockText,
    transactions: Vec<IncludedText>,
}

/// The tag of a proof, or of a proof of state.
struct Tag<const STATE: bool>;

impl<const STATE: bool> Tag<STATE> {
    const TEXT: &[u8; 8] = if STATE { STATE_TAG } else { PROOF_TAG };
}

impl<const STATE: bool> Serialize for Tag<STATE> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(Self::TEXT).expect("it is ASCII"))
    }
}

impl<'de, const STATE: bool> Deserialize<'de> for Tag<STATE> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let known = String::deserialize(deserializer)?.as_bytes() == Self::TEXT;
        known.then_some(Tag).ok_or_else(|| de::Error::custom("field `tag` is another proof's"))
    }
}

/// [`Included`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IncludedText {
    index: u32,
    path: Vec<Hex<32>>,
    transaction: TransactionText,
}

impl StateProof {
    /// The proof as JSON, on one line.
    pub fn to_json(&self) -> String {
        let subject = match self.subject {
            Subject::Account(address) => SubjectText::Account { address: AddressText(address) },
            Subject::Record { namespace, digest } => {
                SubjectText::Record { namespace: Hex(namespace), digest: Hex(digest) }
            }
        };
        let (block, value) = (BlockText::of(&self.block), Hex(self.value));
        let opening = HexBytes(self.opening.clone());
        write(&StateText { tag: Tag, version: One, block, subject, value, opening })
    }

    /// Reads [`StateProof::to_json`], and other spellings of the same fields. Takes memory for what is
    /// there, and no more.
    ///
    /// # Errors
    /// [`JsonError`].
    pub fn from_json(json: &[u8]) -> Result<Self, JsonError> {
        let text: StateText = serde_json::from_slice(json)?;
        let block = text.block.read()?;
        let subject = match text.subject {
            SubjectText::Account { address: AddressText(address) } => Subject::Account(address),
            SubjectText::Record { namespace: Hex(namespace), digest: Hex(digest) } => {
                Subject::Record { namespace, digest }
            }
        };
        let (Hex(value), HexBytes(opening)) = (text.value, text.opening);
        check_opening(opening.len())?;
        Ok(StateProof { block, subject, value, opening })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateText {
    tag: Tag<true>,
    version: One,
    block: BlockText,
    subject: SubjectText,
    value: Hex<32>,
    opening: HexBytes,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum SubjectText {
    Account { address: AddressText },
    Record { namespace: Hex<32>, digest: Hex<32> },
}
