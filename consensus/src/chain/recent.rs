//! The last final blocks, for receipts and for those who wait for the next one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::Hash;
use crate::block::{Block, Header};
use crate::service::{Final, Receipt};

/// Most blocks that are kept, and most transactions in them.
const BLOCKS: usize = 256;
const TRANSACTIONS: usize = 1_000_000;
/// Most that wait for blocks to come.
const WAITERS: usize = 4_096;

/// The last final blocks.
pub struct Recent {
    /// Height, hash and time of the last one.
    last: (u64, Hash, u64),
    blocks: VecDeque<Final>,
    transactions: usize,
    receipts: HashMap<[u8; 32], Receipt>,
    waiters: BTreeMap<u64, Vec<oneshot::Sender<Final>>>,
    waiting: usize,
}

impl Recent {
    /// None yet; the last one had this header.
    pub(super) fn new(last: &Header) -> Self {
        Recent {
            last: (last.height, last.hash(), last.time_ms),
            blocks: VecDeque::new(),
            transactions: 0,
            receipts: HashMap::new(),
            waiters: BTreeMap::new(),
            waiting: 0,
        }
    }

    /// Height of the last final block that was applied.
    pub fn height(&self) -> u64 {
        self.last.0
    }

    /// Its height, hash and time.
    pub fn last(&self) -> (u64, Hash, u64) {
        self.last
    }

    /// The block of a height, if it is among the last.
    pub fn block(&self, height: u64) -> Option<Final> {
        let first = self.blocks.front()?.block.header.height;
        self.blocks.get(usize::try_from(height.checked_sub(first)?).ok()?).cloned()
    }

    /// Where a transaction took effect, if that was among the last blocks.
    pub fn receipt(&self, id: &[u8; 32]) -> Option<Receipt> {
        self.receipts.get(id).copied()
    }

    /// Sends the block of a height that is to come.
    pub fn wait(&mut self, height: u64, reply: oneshot::Sender<Final>) {
        if self.waiting >= WAITERS {
            self.waiters.values_mut().for_each(|all| all.retain(|one| !one.is_closed()));
            self.waiters.retain(|_, all| !all.is_empty());
            self.waiting = self.waiters.values().map(Vec::len).sum();
        }
        if self.waiting < WAITERS {
            self.waiting += 1;
            self.waiters.entry(height).or_default().push(reply);
        }
    }

    /// Adds the next final block.
    pub(super) fn push(&mut self, block: Arc<Block>, hashes: Arc<Vec<[u8; 32]>>, final_ms: u64) {
        let header = &block.header;
        self.last = (header.height, header.hash(), header.time_ms);
        for (index, id) in hashes.iter().enumerate() {
            let receipt = Receipt { height: header.height, index: index as u32 };
            self.receipts.insert(*id, receipt);
        }
        self.transactions += hashes.len();
        self.blocks.push_back(Final { block, hashes, final_ms });
        while self.blocks.len() > BLOCKS
            || self.transactions > TRANSACTIONS && self.blocks.len() > 1
        {
            let Some(old) = self.blocks.pop_front() else { break };
            self.transactions -= old.hashes.len();
            for id in old.hashes.iter() {
                self.receipts.remove(id);
            }
        }
        let later = self.waiters.split_off(&(self.last.0 + 1));
        for (height, all) in std::mem::replace(&mut self.waiters, later) {
            self.waiting -= all.len();
            if let Some(block) = self.block(height) {
                all.into_iter().for_each(|reply| drop(reply.send(block.clone())));
            }
        }
    }
}
