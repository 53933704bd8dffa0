//! A draft on its way between validators: a TOML file that each of them signs.

use std::collections::BTreeMap;

use alloy_primitives::hex;
use commonware_cryptography::certificate::Signers;
use commonware_utils::{Faults as _, N3f1, Participant};
use serde::{Deserialize, Serialize};

use super::{Decree, Draft};
use crate::Hash;
use crate::fields::DecodeError;
use crate::genesis::VALIDATORS_LIMIT;
use crate::keys::VoteKey;
use crate::scheme::{Certificate, VoteSignature};

/// A draft, its signers, and what they have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftFile {
    /// The chain whose validators decide.
    pub chain: Hash,
    /// What they decide.
    pub draft: Draft,
    /// Vote keys of the validators of the draft's epoch, in their order.
    pub signers: Vec<[u8; 32]>,
    signatures: BTreeMap<usize, [u8; 64]>,
}

/// Why a draft's file is refused, or not signed.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// It is no TOML, or has a field too many or too few, or one of the wrong type.
    #[error("decree: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A field's value is not allowed.
    #[error("decree: `{field}`: {why}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The key is none of the signers'.
    #[error("the key is none of the validators that decide")]
    NoSigner,
    /// The signer's own check of the signature failed.
    #[error("the signature did not verify")]
    Signature,
    /// Too few have signed.
    #[error("{signed} of {validators} validators have signed; {quorum} are needed")]
    NoQuorum {
        /// How many have.
        signed: usize,
        /// Of how many.
        validators: usize,
        /// How many have to.
        quorum: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: u64,
    chain: String,
    draft: String,
    signers: Vec<String>,
    #[serde(default)]
    signatures: BTreeMap<String, String>,
}

fn wrong(field: &'static str, why: impl ToString) -> DraftError {
    DraftError::Field { field, why: why.to_string() }
}

impl DraftFile {
    /// A draft that nobody has signed.
    pub fn new(chain: Hash, draft: Draft, signers: Vec<[u8; 32]>) -> Self {
        DraftFile { chain, draft, signers, signatures: BTreeMap::new() }
    }

    /// The file's text: `format = 1`, `chain`, `draft` (its encoding), `signers` in hexadecimal digits, and
    /// a table of `signatures` by place.
    pub fn text(&self) -> String {
        let mut draft = Vec::new();
        self.draft.encode_into(&mut draft);
        let signature = |(place, one): (&usize, &[u8; 64])| (place.to_string(), hex::encode(one));
        let text = Text {
            format: 1,
            chain: hex::encode(self.chain),
            draft: hex::encode(draft),
            signers: self.signers.iter().map(hex::encode).collect(),
            signatures: self.signatures.iter().map(signature).collect(),
        };
        toml::to_string(&text).expect("it has texts and numbers only")
    }

    /// Reads [`DraftFile::text`]. Signatures are not verified.
    ///
    /// # Errors
    /// [`DraftError::Syntax`], [`DraftError::Field`].
    pub fn parse(text: &str) -> Result<Self, DraftError> {
        let Text { format, chain, draft, signers, signatures } = toml::from_str(text)?;
        if format != 1 {
            return Err(wrong("format", format!("{format} is unknown; 1 is expected")));
        }
        let chain: [u8; 32] = digits("chain", &chain)?;
        let draft = hex::decode(&draft).map_err(|error| wrong("draft", error))?;
        let draft = Draft::decode(&draft).map_err(|error: DecodeError| wrong("draft", error))?;
        if !(1..=VALIDATORS_LIMIT).contains(&signers.len()) {
            return Err(wrong("signers", format!("1 to {VALIDATORS_LIMIT} are expected")));
        }
        let signers: Result<Vec<_>, _> = signers.iter().map(|one| digits("signers", one)).collect();
        let signers = signers?;
        let mut places = BTreeMap::new();
        for (place, one) in &signatures {
            let place = place.parse().ok().filter(|&place: &usize| place < signers.len());
            let place =
                place.ok_or_else(|| wrong("signatures", "places of signers are expected"))?;
            places.insert(place, digits("signatures", one)?);
        }
        Ok(DraftFile { chain: chain.into(), draft, signers, signatures: places })
    }

    /// Adds a validator's signature.
    ///
    /// # Errors
    /// [`DraftError::NoSigner`], [`DraftError::Signature`].
    pub fn sign(&mut self, key: &VoteKey) -> Result<(), DraftError> {
        let public = key.public();
        let place = self.signers.iter().position(|one| *one == public);
        let place = place.ok_or(DraftError::NoSigner)?;
        let signature = self.draft.sign(self.chain, key).ok_or(DraftError::Signature)?;
        self.signatures.insert(place, signature.0);
        Ok(())
    }

    /// How many have signed.
    pub fn signed(&self) -> usize {
        self.signatures.len()
    }

    /// The decree, once enough have signed.
    ///
    /// # Errors
    /// [`DraftError::NoQuorum`].
    pub fn decree(&self) -> Result<Decree, DraftError> {
        let (signed, validators) = (self.signed(), self.signers.len());
        let quorum = N3f1::quorum(validators as u32) as usize;
        if signed < quorum {
            return Err(DraftError::NoQuorum { signed, validators, quorum });
        }
        let places = self.signatures.keys().map(|&place| Participant::new(place as u32));
        let signers = Signers::new(validators as u32, places).expect("places are below the number");
        let signatures = self.signatures.values().copied().map(VoteSignature).collect();
        Ok(Decree { draft: self.draft.clone(), certificate: Certificate { signers, signatures } })
    }
}

fn digits<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], DraftError> {
    let mut bytes = [0; N];
    let right = text.len() == 2 * N && hex::decode_to_slice(text, &mut bytes).is_ok();
    right
        .then_some(bytes)
        .ok_or_else(|| wrong(field, format!("{} hexadecimal digits are expected", 2 * N)))
}
