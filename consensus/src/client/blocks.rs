//! Final blocks, as they come.

use std::time::Duration;

use alloy_primitives::hex;
use reqwest::{Method, StatusCode};

use super::{Client, ClientError, PATIENCE};
use crate::Hash;
use crate::block::Block;
use crate::fields::Fields;
use crate::genesis::Limits;
use crate::http::WAIT_LIMIT_MS;
use crate::proof::Proof;

/// Most bytes of a block, or of the proofs of its messages: 637 bytes each in a tree of 4,096.
const BLOCK_LIMIT: usize = 64 << 20;
/// A final block's name and those of its transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinalHashes {
    /// Its height.
    pub height: u64,
    /// When the validator held it for final, milliseconds since 1970.
    pub final_ms: u64,
    /// Its hash.
    pub block: [u8; 32],
    /// Hashes of its transactions, in order.
    pub hashes: Vec<[u8; 32]>,
}

impl Client {
    /// The hashes of the final block of a height, as soon as there is one; `None` if that takes
    /// longer than `wait`, of which at most 30 s count.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn hashes(
        &self,
        height: u64,
        wait: Duration,
    ) -> Result<Option<FinalHashes>, ClientError> {
        let wait = wait.min(Duration::from_millis(WAIT_LIMIT_MS));
        let path = format!("/v1/blocks/{height}/hashes?wait={}", wait.as_millis());
        let request = self.request(Method::GET, &path).timeout(wait + PATIENCE);
        match self.send(request).await?.as_deref() {
            None | Some([]) => Ok(None),
            Some(body) => {
                let found = FinalHashes::decode(body).filter(|found| found.height == height);
                self.answer("the list of hashes", found).map(Some)
            }
        }
    }

    /// The final block of a height and when it was final, milliseconds since 1970, as soon as there is
    /// one; `None` if that takes longer than `wait`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn block(
        &self,
        height: u64,
        limits: &Limits,
        wait: Duration,
    ) -> Result<Option<(Block, u64)>, ClientError> {
        let Some(body) = self.at_height(height, "bytes", wait).await? else { return Ok(None) };
        let read = body.split_first_chunk().and_then(|(time, block)| {
            let block = Block::decode(block, limits).ok()?;
            (block.header.height == height).then_some((block, u64::from_be_bytes(*time)))
        });
        self.answer("the block", read).map(Some)
    }

    /// What the final block of a height says to another chain: proofs for deliveries, as soon as there
    /// is one; `None` if that takes longer than `wait`. The proofs are not verified.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn messages(
        &self,
        height: u64,
        receiver: &Hash,
        wait: Duration,
    ) -> Result<Option<Vec<Proof>>, ClientError> {
        let what = format!("messages/{}", hex::encode_prefixed(receiver));
        let Some(body) = self.at_height(height, &what, wait).await? else { return Ok(None) };
        let mut fields = Fields::new(&body);
        let mut proofs = Vec::new();
        while fields.left() > 0 {
            let proof = fields
                .u32("length")
                .and_then(|length| Proof::decode(fields.take("proof", length as usize)?));
            proofs.push(self.answer("the list of proofs", proof.ok())?);
        }
        Ok(Some(proofs))
    }

    /// A binary answer on the final block of a height; `None` if it is not final in time.
    async fn at_height(
        &self,
        height: u64,
        what: &str,
        wait: Duration,
    ) -> Result<Option<Vec<u8>>, ClientError> {
        let wait = wait.min(Duration::from_millis(WAIT_LIMIT_MS));
        let path = format!("/v1/blocks/{height}/{what}?wait={}", wait.as_millis());
        let request = self.request(Method::GET, &path).timeout(wait + PATIENCE);
        let answer = self.send_within(request, BLOCK_LIMIT).await?;
        // 204: an answer without a status of its own here.
        Ok(answer.filter(|(status, _)| *status != StatusCode::NO_CONTENT).map(|(_, body)| body))
    }
}

impl FinalHashes {
    fn decode(body: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(body);
        let height = fields.u64("height").ok()?;
        let final_ms = fields.u64("final_ms").ok()?;
        let block = fields.array("block").ok()?;
        let mut hashes = Vec::with_capacity(fields.left() / 32);
        while fields.left() > 0 {
            hashes.push(fields.array("hash").ok()?);
        }
        Some(FinalHashes { height, final_ms, block, hashes })
    }
}
