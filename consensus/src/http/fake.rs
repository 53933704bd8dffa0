//! A validator of tests: one task that puts what it takes of a submission into a block at once.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::pool::Refusal;
use crate::service::{Final, Receipt, Request, Service, Status};
use crate::state::{Account, Record, Sequence};
use crate::transaction::{Action, SignedTransaction};
use crate::{Address, Block, Hash, Header};

/// The nonce that the fake finds no room for.
pub(crate) const NO_ROOM: u64 = 1_000;
/// The nonce that the fake says is used.
pub(crate) const USED: u64 = 1_001;
/// The namespace and the digest of the only record.
pub(crate) const RECORD: ([u8; 32], [u8; 32]) =
    (*b"notary\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", [2; 32]);

/// The chain that all fakes say they are of.
pub(crate) const CHAIN: [u8; 32] = [9; 32];

/// An account that has sent three transactions. Others have sent none.
pub(crate) const ADDRESS: Address = Address::repeat_byte(0x11);
/// The one address without an account.
pub(crate) const NOBODY: Address = Address::repeat_byte(0x12);

struct Fake {
    blocks: Vec<Final>,
    receipts: HashMap<[u8; 32], Receipt>,
    waiting: Vec<(u64, oneshot::Sender<Final>)>,
}

/// A validator with block 0. It ends when no service is left.
pub(crate) fn validator() -> Service {
    let (service, queue) = Service::new(64);
    let mut fake = Fake { blocks: vec![], receipts: HashMap::new(), waiting: vec![] };
    fake.seal(vec![]);
    tokio::spawn(fake.answer(queue));
    service
}

impl Fake {
    fn seal(&mut self, transactions: Vec<SignedTransaction>) {
        let hashes: Vec<_> = transactions.iter().map(|one| one.hash().0).collect();
        let height = self.blocks.len() as u64;
        for (index, hash) in (0..).zip(&hashes) {
            self.receipts.insert(*hash, Receipt { height, index });
        }
        let parent = self.blocks.last().map_or([0; 32], |last| last.block.header.hash().0);
        let header = Header {
            chain: Hash::from(CHAIN),
            height,
            epoch: 0,
            view: height,
            parent: Hash::from(parent),
            time_ms: 1_000 + height,
            proposer: 0,
            transactions: hashes.len() as u32,
            transactions_root: hashes.first().copied().unwrap_or_default(),
            state_root: [6; 32],
        };
        let block = Arc::new(Block { header, transactions: Arc::new(transactions) });
        self.blocks.push(Final { block, hashes: Arc::new(hashes), final_ms: 2_000 + height });
        for (height, back) in std::mem::take(&mut self.waiting) {
            self.wait(height, back);
        }
    }

    fn wait(&mut self, height: u64, back: oneshot::Sender<Final>) {
        match self.blocks.get(height as usize) {
            Some(block) => drop(back.send(block.clone())),
            None => self.waiting.push((height, back)),
        }
    }

    fn take(&self, one: &SignedTransaction) -> Result<[u8; 32], Refusal> {
        let hash = one.hash().0;
        match one.transaction.action {
            _ if one.transaction.chain.0 != CHAIN => Err(Refusal::WrongChain),
            Action::Transfer { amount: 0, .. } => Err(Refusal::ZeroAmount),
            _ if self.receipts.contains_key(&hash) => Err(Refusal::Known),
            _ if one.transaction.nonce == NO_ROOM => Err(Refusal::Full),
            _ if one.transaction.nonce == USED => Err(Refusal::NonceUsed { nonce: USED, next: 2 }),
            _ => Ok(hash),
        }
    }

    async fn answer(mut self, mut queue: mpsc::Receiver<Request>) {
        while let Some(request) = queue.recv().await {
            // Who does not wait any more gets no answer.
            match request {
                Request::Submit(list, back) => {
                    let answers: Vec<_> = list.iter().map(|one| self.take(one)).collect();
                    let taken = list.into_iter().zip(&answers).filter(|(_, answer)| answer.is_ok());
                    self.seal(taken.map(|(one, _)| one).collect());
                    let _ = back.send(answers);
                }
                Request::Account(address, back) => {
                    let nonce = if address == ADDRESS { 3 } else { 0 };
                    let account = Account { balance: u64::MAX, nonce };
                    let _ = back.send((address != NOBODY).then_some(account));
                }
                Request::Record(namespace, digest, back) => {
                    let record = Record { author: ADDRESS, height: 5 };
                    let _ = back.send(((namespace, digest) == RECORD).then_some(record));
                }
                Request::Receipt(hash, back) => {
                    let _ = back.send(self.receipts.get(&hash).copied());
                }
                Request::Block(height, back) => {
                    let _ = back.send(self.blocks.get(height as usize).cloned());
                }
                Request::Proof(_, _, back) => drop(back.send(None)),
                Request::Messages(height, _, back) => {
                    let known = self.blocks.get(height as usize);
                    let _ = back.send(known.map(|_| vec![]));
                }
                Request::Lane(_, _, back) => {
                    let next = |next| Sequence { next, height: next };
                    let _ = back.send([next(7), next(0)]);
                }
                Request::Validators(_, back) => drop(back.send(None)),
                Request::State(_, back) => drop(back.send(None)),
                Request::Await(height, back) => self.wait(height, back),
                Request::Status(back) => {
                    let header = &self.blocks.last().expect("block 0").block.header;
                    let _ = back.send(Status {
                        chain: CHAIN,
                        height: header.height,
                        block: header.hash().0,
                        state_root: [7; 32],
                        time_ms: header.time_ms,
                        pooled: 0,
                        pooled_bytes: 0,
                    });
                }
            }
        }
    }
}
