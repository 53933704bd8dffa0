//! Final headers as JSON.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::JsonError;
use super::hex::{Hex, HexBytes};
use crate::Hash;
use crate::block::Header;
use crate::fields::Fields;
use crate::proof::final_header::{decode_certificate, encode_certificate};
use crate::proof::{FinalHeader, MOST_DESCENDANTS};

/// The number 1.
pub struct One;

impl Serialize for One {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(1)
    }
}

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            1 => Ok(One),
            other => Err(de::Error::custom(format!("field `version` is {other}; 1 is expected"))),
        }
    }
}

/// [`FinalHeader`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockText {
    headers: Vec<HeaderText>,
    view: u64,
    parent_view: u64,
    validators: u32,
    signers: HexBytes,
    signatures: Vec<Hex<64>>,
}

impl BlockText {
    pub fn of(block: &FinalHeader) -> Self {
        let mut certificate = Vec::new();
        encode_certificate(&block.certificate, &mut certificate);
        let validators = block.certificate.signers.len();
        BlockText {
            headers: block.headers().map(HeaderText::of).collect(),
            view: block.view,
            parent_view: block.parent_view,
            validators: validators as u32,
            signers: HexBytes(certificate[4..4 + validators.div_ceil(8)].to_vec()),
            signatures: block.certificate.signatures.iter().map(|one| Hex(one.0)).collect(),
        }
    }

    pub fn read(self) -> Result<FinalHeader, JsonError> {
        let (field, found) = ("headers", self.headers.len());
        if !(1..=1 + MOST_DESCENDANTS).contains(&found) {
            let expected = found.clamp(1, 1 + MOST_DESCENDANTS);
            return Err(JsonError::Length { field, found, expected });
        }
        let mut headers = self.headers.into_iter().map(HeaderText::read);
        let header = headers.next().expect("there is one");
        let descendants = headers.collect();
        // The certificate as bytes, which are checked as those of the binary form.
        let (found, expected) = (self.signers.0.len(), (self.validators as usize).div_ceil(8));
        if found != expected {
            return Err(JsonError::Length { field: "signers", found, expected });
        }
        let mut bytes = self.validators.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signers.0);
        self.signatures.iter().for_each(|Hex(one)| bytes.extend_from_slice(one));
        let mut fields = Fields::new(&bytes);
        let certificate = decode_certificate(&mut fields)?;
        fields.end()?;
        let (view, parent_view) = (self.view, self.parent_view);
        Ok(FinalHeader { header, descendants, view, parent_view, certificate })
    }
}

/// [`Header`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderText {
    version: One,
    chain: Hex<32>,
    height: u64,
    epoch: u64,
    view: u64,
    parent: Hex<32>,
    time: u64,
    proposer: u32,
    transactions: u32,
    transactions_root: Hex<32>,
    state_root: Hex<32>,
}

impl HeaderText {
    fn of(header: &Header) -> Self {
        HeaderText {
            version: One,
            chain: Hex(header.chain.0),
            height: header.height,
            epoch: header.epoch,
            view: header.view,
            parent: Hex(header.parent.0),
            time: header.time_ms,
            proposer: header.proposer,
            transactions: header.transactions,
            transactions_root: Hex(header.transactions_root),
            state_root: Hex(header.state_root),
        }
    }

    fn read(self) -> Header {
        Header {
            chain: Hash::from(self.chain.0),
            height: self.height,
            epoch: self.epoch,
            view: self.view,
            parent: Hash::from(self.parent.0),
            time_ms: self.time,
            proposer: self.proposer,
            transactions: self.transactions,
            transactions_root: self.transactions_root.0,
            state_root: self.state_root.0,
        }
    }
}
