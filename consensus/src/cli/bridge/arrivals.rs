//! Sees messages arrive.

use std::sync::Arc;
use std::time::Duration;

use sigmill_consensus::client::Client;
use sigmill_consensus::load::Plan;
use sigmill_consensus::{Action, Block, Limits};
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::Failure;
use super::SETTLE;

/// How long one validator is asked for the next block before another is.
const WAIT: Duration = Duration::from_secs(2);

/// Which messages of a plan have taken effect, and when that was seen. A message takes effect where it
/// is the next of its sender (SPEC.md, 18).
pub struct Arrivals {
    plan: Arc<Plan>,
    at: Vec<Option<Instant>>,
    /// By signer: the sequence of the next.
    next: Vec<u64>,
    /// Messages that took effect.
    pub count: u64,
    /// Messages that were brought and had none: they were there already, or came too early.
    pub passed_over: u64,
    /// Blocks with deliveries, and deliveries.
    pub blocks: u64,
    pub deliveries: u64,
}

impl Arrivals {
    pub fn new(plan: Arc<Plan>) -> Self {
        let signers = (0..plan.len()).map(|index| plan.signer(index)).max().unwrap_or(0) + 1;
        Arrivals {
            at: vec![None; plan.len()],
            next: vec![0; signers as usize],
            count: 0,
            passed_over: 0,
            blocks: 0,
            deliveries: 0,
            plan,
        }
    }

    /// Messages of a signer that have taken effect.
    pub fn of(&self, signer: u64) -> u64 {
        self.next.get(signer as usize).copied().unwrap_or_default()
    }

    /// When each message was seen to have taken effect, in the order of the plan.
    pub fn times(&self) -> &[Option<Instant>] {
        &self.at
    }

    fn block(&mut self, block: &Block) {
        let now = Instant::now();
        let before = self.deliveries;
        for one in block.transactions.iter() {
            let Action::Deliver(proof) = &one.transaction.action else { continue };
            self.deliveries += 1;
            for included in &proof.transactions {
                if let Action::Message(message) = &included.transaction.transaction.action
                    && let Some(place) = Plan::place(&message.digest)
                    && (place as usize) < self.plan.len()
                {
                    self.message(place as usize, message.sequence, now);
                }
            }
        }
        self.blocks += u64::from(self.deliveries > before);
    }

    fn message(&mut self, place: usize, sequence: u64, now: Instant) {
        let next = &mut self.next[self.plan.signer(place) as usize];
        if *next == sequence {
            *next += 1;
            self.at[place] = Some(now);
            self.count += 1;
        } else {
            self.passed_over += 1;
        }
    }
}

/// Follows the receiver until everything of the plan has arrived, or long enough after the sending has
/// stopped.
pub async fn follow(
    mut arrivals: Arrivals,
    clients: Vec<Client>,
    limits: Limits,
    mut height: u64,
    stopped: watch::Receiver<bool>,
) -> Result<Arrivals, Failure> {
    let (mut asked, mut end) = (0, None);
    while (arrivals.count as usize) < arrivals.plan.len() {
        if *stopped.borrow() && Instant::now() > *end.get_or_insert(Instant::now() + SETTLE) {
            break;
        }
        match clients[asked].block(height + 1, &limits, WAIT).await {
            Ok(Some((block, _))) => {
                height += 1;
                arrivals.block(&block);
            }
            Ok(None) | Err(_) => {
                asked = (asked + 1) % clients.len();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    Ok(arrivals)
}
