//! Where the transfers of a load took effect, and whether all validators say so.

use std::time::Duration;

use crate::client::Client;
use crate::service::Receipt;

/// A final block, and which of its transactions are the load's.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub height: u64,
    pub block: [u8; 32],
    /// Place in the block and hash.
    pub transfers: Vec<(u32, [u8; 32])>,
}

/// Where every committed transfer took effect, as the validators that were followed said.
#[derive(Clone, Debug, Default)]
pub struct Receipts {
    /// Ascending by height.
    pub(super) blocks: Vec<Kept>,
}

/// What one validator says of the receipts.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The validator.
    pub url: String,
    /// Receipts that it confirms.
    pub found: u64,
    /// Hashes of transfers that it does not have where the receipt says.
    pub missing: Vec<[u8; 32]>,
    /// Heights at which it has another block.
    pub different: Vec<u64>,
    /// Why it was not asked for all; what was not asked is missing.
    pub failure: Option<String>,
}

impl Checked {
    /// Whether it confirms every receipt.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.different.is_empty() && self.failure.is_none()
    }
}

impl Receipts {
    /// Number of receipts.
    pub fn len(&self) -> usize {
        self.blocks.iter().map(|kept| kept.transfers.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hashes and where they took effect.
    pub fn iter(&self) -> impl Iterator<Item = ([u8; 32], Receipt)> {
        let of = |kept: &Kept, (index, hash): (u32, [u8; 32])| {
            (hash, Receipt { height: kept.height, index })
        };
        self.blocks
            .iter()
            .flat_map(move |kept| kept.transfers.iter().map(move |one| of(kept, *one)))
    }

    /// The first and the last height with a receipt.
    pub fn heights(&self) -> Option<(u64, u64)> {
        let mut heights = self.iter().map(|(_, receipt)| receipt.height);
        let first = heights.next()?;
        Some((first, heights.last().unwrap_or(first)))
    }

    /// Asks every validator for every block with a receipt, and waits up to `wait` for each block, so
    /// that one that is behind can catch up.
    pub async fn check(&self, clients: &[Client], wait: Duration) -> Vec<Checked> {
        let mut all = Vec::with_capacity(clients.len());
        for client in clients {
            all.push(self.check_one(client, wait).await);
        }
        all
    }

    async fn check_one(&self, client: &Client, wait: Duration) -> Checked {
        let url = client.url().to_owned();
        let mut checked =
            Checked { url, found: 0, missing: vec![], different: vec![], failure: None };
        for kept in self.blocks.iter().filter(|kept| !kept.transfers.is_empty()) {
            let asked = match &checked.failure {
                None => client.hashes(kept.height, wait).await,
                Some(_) => Ok(None),
            };
            let found = asked.unwrap_or_else(|error| {
                checked.failure = Some(error.to_string());
                None
            });
            let found = found.unwrap_or_else(|| {
                let behind = || format!("{}: height {} is not final", checked.url, kept.height);
                checked.failure.get_or_insert_with(behind);
                Default::default()
            });
            if checked.failure.is_none() && found.block != kept.block {
                checked.different.push(kept.height);
            }
            for (index, hash) in &kept.transfers {
                match found.hashes.get(*index as usize) == Some(hash) {
                    true => checked.found += 1,
                    false => checked.missing.push(*hash),
                }
            }
        }
        checked
    }
}
