//! Transactions on their way into the pool: from clients, and from other validators.
//!
//! What arrives while a batch is worked on is the next batch: hashes in one engine batch, unknown
//! signatures in one, accounts in one read. What came from a client goes on to the other validators,
//! who are all connected, so what came from one of them does not.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use commonware_cryptography::ed25519;
use commonware_p2p::{Blocker, Receiver, Recipients, Sender};
use commonware_parallel::Strategy;
use sigmill::{Class, Terms};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, warn};

use crate::address::Address;
use crate::chain::{Chain, Refused, Runtime};
use crate::deliveries::Delivered;
use crate::ledger::{Fault, LedgerError, Touched, standing};
use crate::pool::{Entry, Refusal, Source};
use crate::senders::resolve_senders;
use crate::stages::Stage;
use crate::transaction::{Signed, SignedTransaction, decode_list, encode_list};

/// Most bytes of transactions in a message between validators.
pub const MESSAGE_BYTES: usize = 256 << 10;
/// Most transactions in a batch.
const BATCH: usize = 16_384;
/// How long the first of a batch waits for more.
const LINGER: Duration = Duration::from_millis(25);
/// How long a batch may wait for a device.
const PATIENCE: Duration = Duration::from_secs(1);
/// Messages that wait for a batch; beyond it, those of other validators are dropped.
const QUEUE: usize = 1_024;
/// A validator that sends that many transactions which no honest one passes on is blocked.
const OFFENCES: u32 = 16;

/// Answers of [`Request::Submit`](crate::service::Request::Submit).
pub type Replies = Vec<Result<[u8; 32], Refusal>>;

/// Transactions that came together.
struct Arrived {
    source: Source,
    transactions: Vec<SignedTransaction>,
    reply: Option<oneshot::Sender<Replies>>,
}

/// The end to which clients' transactions go.
#[derive(Clone)]
pub struct Doorway(mpsc::Sender<Arrived>);

impl Doorway {
    /// Hands transactions in; without room they are refused as [`Refusal::Full`].
    pub fn submit(&self, transactions: Vec<SignedTransaction>, reply: oneshot::Sender<Replies>) {
        let arrived = Arrived { source: Source::Client, transactions, reply: Some(reply) };
        if let Err(error) = self.0.try_send(arrived) {
            let Arrived { transactions, reply, .. } = error.into_inner();
            if let Some(reply) = reply {
                let _ = reply.send(transactions.iter().map(|_| Err(Refusal::Full)).collect());
            }
        }
    }
}

/// Who has sent something, in that order: the place is a peer's number, as long as the process lives
/// and whatever set of validators is in force. The network lets in those that it was told of only.
#[derive(Clone, Default)]
struct Peers(Arc<Mutex<Vec<ed25519::PublicKey>>>);

impl Peers {
    fn number(&self, identity: ed25519::PublicKey) -> u32 {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|one| *one == identity).unwrap_or_else(|| {
            all.push(identity);
            all.len() - 1
        });
        place as u32
    }

    fn identity(&self, number: u32) -> Option<ed25519::PublicKey> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(number as usize).cloned()
    }
}

/// Takes transactions into the pool.
pub struct Intake<E: Runtime, S: Strategy, B> {
    chain: Chain<E, S>,
    peers: Peers,
    blocker: B,
    arrivals: mpsc::Receiver<Arrived>,
    doorway: mpsc::Sender<Arrived>,
    offences: HashMap<u32, u32>,
}

impl<E, S, B> Intake<E, S, B>
where
    E: Runtime,
    S: Strategy,
    B: Blocker<PublicKey = ed25519::PublicKey>,
{
    /// An intake of a chain, and where clients' transactions are handed in.
    pub fn new(chain: Chain<E, S>, blocker: B) -> (Self, Doorway) {
        let (doorway, arrivals) = mpsc::channel(QUEUE);
        let offences = HashMap::new();
        let door = Doorway(doorway.clone());
        let peers = Peers::default();
        (Intake { chain, peers, blocker, arrivals, doorway, offences }, door)
    }

    /// Runs until the network stops.
    pub async fn run(
        mut self,
        context: E,
        (mut sender, receiver): (
            impl Sender<PublicKey = ed25519::PublicKey>,
            impl Receiver<PublicKey = ed25519::PublicKey>,
        ),
    ) {
        let (doorway, peers) = (self.doorway.clone(), self.peers.clone());
        let (offend, mut offenders) = mpsc::unbounded_channel();
        context.child("gossip").spawn(move |_| listen(receiver, peers, doorway, offend));
        while let Some(first) = self.arrivals.recv().await {
            context.sleep(LINGER).await;
            let mut batch = vec![first];
            let mut count = batch[0].transactions.len();
            while count < BATCH {
                let Ok(next) = self.arrivals.try_recv() else { break };
                count += next.transactions.len();
                batch.push(next);
            }
            while let Ok(peer) = offenders.try_recv() {
                self.offend(peer, OFFENCES);
            }
            match self.admit(&context, batch).await {
                Ok(taken) => spread(&mut sender, &taken),
                Err(error) => debug!(%error, "no admission"),
            }
        }
    }

    /// Takes a batch; gives what came from clients and was taken, encoded.
    async fn admit(&mut self, context: &E, batch: Vec<Arrived>) -> Result<Vec<Vec<u8>>, Refused> {
        let mut sources = Vec::new();
        let mut transactions = Vec::new();
        let mut replies = Vec::new();
        for arrived in batch {
            sources.extend(arrived.transactions.iter().map(|_| arrived.source));
            let start = transactions.len();
            transactions.extend(arrived.transactions);
            replies.extend(arrived.reply.map(|reply| (start..transactions.len(), reply)));
        }
        let terms = Terms::default().class(Class::Mempool).deadline(PATIENCE);
        let stages = self.chain.stages();
        let hashes =
            stages.run(Stage::Batches, || self.chain.crypto().hashes(&transactions, terms));
        let next = self.chain.recent().height() + 1;
        let mut answers: Vec<Option<Refusal>> = vec![None; transactions.len()];
        let mut left = Vec::new();
        {
            let pool = self.chain.pool();
            let mut seen = HashSet::new();
            for (at, one) in transactions.iter().enumerate() {
                let screened = pool.screen(one, &hashes[at].id, sources[at], next);
                match screened {
                    Ok(()) if seen.insert(hashes[at].id) => left.push(at),
                    Ok(()) => answers[at] = Some(Refusal::Known),
                    Err(refusal) => answers[at] = Some(refusal),
                }
            }
        }
        let ones: Vec<&SignedTransaction> = left.iter().map(|&at| &transactions[at]).collect();
        let unknown: Vec<_> = left.iter().map(|&at| hashes[at]).collect();
        let (crypto, cache) = (self.chain.crypto(), self.chain.senders());
        let recover = || resolve_senders(crypto, cache, &ones, &unknown, terms);
        let senders = stages.run(Stage::Batches, recover);
        let ids: Vec<_> = unknown.iter().map(|hashes| hashes.id).collect();
        let judge = || self.chain.delivered(&ones, &ids, terms);
        let mut delivered: BTreeMap<usize, Arc<Delivered>> = BTreeMap::new();
        for (place, one) in stages.run(Stage::Batches, judge) {
            match one {
                Ok(one) => drop(delivered.insert(place, one)),
                Err(why) => refuse(&mut answers[left[place]], Fault::Unproven(why)),
            }
        }
        let nobody = Address::ZERO;
        let signed: Vec<Signed<'_>> = ones
            .iter()
            .zip(&senders)
            .enumerate()
            .map(|(place, (one, sender))| Signed {
                sender: sender.as_ref().unwrap_or(&nobody),
                transaction: one,
                delivered: delivered.get(&place).map_or(&[], |one| &one.senders),
            })
            .collect();
        let epoch = self.chain.epoch(next);
        let open = signed.iter().copied().enumerate();
        let open = open.map(|(place, one)| (place, one, delivered.get(&place)));
        let faults = loop {
            let applied = self.chain.ledger().applied();
            match self.chain.unbacked(context, &applied, epoch, open.clone()).await {
                // The next block has just been applied.
                Err(Refused::Ledger(LedgerError::NoParent(_))) => {}
                faults => break faults?,
            }
        };
        for (place, fault) in faults {
            refuse(&mut answers[left[place]], fault);
        }
        let mut touched = Touched::with_capacity(self.chain.id(), signed.len());
        let places: Vec<_> = signed.iter().map(|one| touched.add(one)).collect();
        let values = self.chain.ledger().read(&touched.keys);
        let values = stages.poll(Stage::Pool, values).await?;
        let mut taken = Vec::new();
        {
            let mut pool = self.chain.pool();
            for ((&at, sender), (signed, places)) in
                left.iter().zip(&senders).zip(signed.iter().zip(&places))
            {
                let Some(sender) = *sender else {
                    answers[at] = Some(Refusal::BadSignature);
                    continue;
                };
                if answers[at].is_some() {
                    continue;
                }
                let standing = standing(signed, touched.of(places), &values, epoch);
                let one = &transactions[at];
                let entry = Entry { transaction: one.clone(), hash: hashes[at].id, sender };
                match pool.admit(entry, sources[at], next, standing) {
                    Ok(()) if sources[at] == Source::Client => taken.push(one.encode()),
                    Ok(()) => (),
                    Err(refusal) => answers[at] = Some(refusal),
                }
            }
        }
        self.chain.has_work();
        for (source, answer) in sources.iter().zip(&answers) {
            if let (Source::Peer(peer), Some(refusal)) = (source, answer)
                && refusal.is_offence()
            {
                self.offend(*peer, 1);
            }
        }
        for (range, reply) in replies {
            let answer = |at: usize| answers[at].clone().map_or(Ok(hashes[at].id), Err);
            let _ = reply.send(range.map(answer).collect());
        }
        Ok(taken)
    }

    fn offend(&mut self, peer: u32, offences: u32) {
        let count = self.offences.entry(peer).or_default();
        let before = *count;
        *count = before.saturating_add(offences);
        if before < OFFENCES
            && *count >= OFFENCES
            && let Some(identity) = self.peers.identity(peer)
        {
            warn!(peer, "blocked: it sends transactions that no honest validator passes on");
            self.blocker.block(identity);
        }
    }
}

/// A transaction that has no effect here; what was said of it first stays.
fn refuse(answer: &mut Option<Refusal>, fault: Fault) {
    answer.get_or_insert(Refusal::Effect(fault));
}

/// Sends transactions to all validators, in messages of bounded size.
fn spread(sender: &mut impl Sender<PublicKey = ed25519::PublicKey>, taken: &[Vec<u8>]) {
    for message in encode_list(taken, MESSAGE_BYTES) {
        sender.send(Recipients::All, message, false);
    }
}

/// Decodes what other validators send. A message that is none is worth as much as [`OFFENCES`].
async fn listen(
    mut receiver: impl Receiver<PublicKey = ed25519::PublicKey>,
    peers: Peers,
    doorway: mpsc::Sender<Arrived>,
    offend: mpsc::UnboundedSender<u32>,
) {
    while let Ok((identity, message)) = receiver.recv().await {
        let peer = peers.number(identity);
        match decode_list(message.as_ref()) {
            Ok(transactions) => {
                let arrived = Arrived { source: Source::Peer(peer), transactions, reply: None };
                if let Err(mpsc::error::TrySendError::Closed(_)) = doorway.try_send(arrived) {
                    return;
                }
            }
            Err(error) => {
                debug!(%error, peer, "a message that is no list of transactions");
                let _ = offend.send(peer);
            }
        }
    }
}
