//! Sends a plan on time and follows the chain.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, sleep_until};

use super::deliver::Validators;
use super::follow::follow;
use super::tally::{CHUNKS, Tally};
use super::{LoadError, Outcome, Plan, Progress};
use crate::client::Client;

/// How late a chunk may be sent; a later one is not.
const LATE: Duration = Duration::from_secs(1);

/// How a plan is sent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Most requests in flight. Transfers that find no room are late and not sent.
    pub in_flight: usize,
    /// How many validators are followed at once; the first to show a block counts.
    pub followers: usize,
    /// How long to wait for the last transfers after the last was sent.
    pub settle: Duration,
}

impl Default for Settings {
    /// 1,024 requests, 2 followers, 30 s.
    fn default() -> Self {
        Settings { in_flight: 1_024, followers: 2, settle: Duration::from_secs(30) }
    }
}

/// Sends a plan and waits until all that was taken is final, or [`Settings::settle`] is over. Every
/// account's transfers go to one validator, or to the next where that one is down. `progress` is
/// called every second, and at the end; it should be quick.
///
/// # Errors
/// [`LoadError::Nobody`], [`LoadError::Silent`], [`LoadError::Chain`]; after the first transfer was
/// sent, none.
pub async fn run(
    plan: Arc<Plan>,
    clients: &[Client],
    settings: &Settings,
    mut progress: impl FnMut(&Progress),
) -> Result<Outcome, LoadError> {
    let clients: Arc<[Client]> = clients.into();
    let height = height(&plan, &clients).await?;
    let chunks = plan.terms().seconds * CHUNKS;
    let (seen, mut blocks) = mpsc::channel(64);
    let mut followers = JoinSet::new(); // Ends them when dropped.
    for first in 0..settings.followers.clamp(1, clients.len()) {
        followers.spawn(follow(clients.clone(), first, height + 1, seen.clone()));
    }
    let validators = Arc::new(Validators::new(clients));
    let room = Arc::new(Semaphore::new(settings.in_flight.min(Semaphore::MAX_PERMITS)));
    let (report, mut reports) = mpsc::unbounded_channel();

    let mut tally = Tally::new(plan, height);
    let end = tally.due(chunks) + settings.settle;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut chunk, mut open) = (0, 0_usize); // The next chunk; parts without an answer.
    while chunk < chunks || open > 0 || !tally.is_settled() {
        let due = tally.due(chunk);
        tokio::select! {
            biased;
            () = sleep_until(due), if chunk < chunks => {
                for (first, part) in tally.parts(chunk, validators.clients.len()) {
                    let transfers = part.0.len() as u64;
                    match room.clone().try_acquire_owned() {
                        Ok(held) if due.elapsed() <= LATE => {
                            tally.total.sent += transfers;
                            open += 1;
                            let validators = validators.clone();
                            tokio::spawn(validators.deliver(first, part, report.clone(), held));
                        }
                        _ => tally.total.late += transfers,
                    }
                }
                chunk += 1;
            }
            Some(seen) = blocks.recv() => tally.block(seen),
            Some(delivered) = reports.recv() => {
                open -= 1;
                tally.answer(&delivered);
            }
            _ = second.tick() => progress(tally.now()),
            () = sleep_until(end), if chunk == chunks => break,
        }
    }
    progress(tally.now());
    Ok(tally.end())
}

/// The highest final height of the validators that answer.
async fn height(plan: &Plan, clients: &[Client]) -> Result<u64, LoadError> {
    let (mut height, mut silent) = (None, LoadError::Nobody);
    for client in clients {
        match client.status().await {
            Ok(status) if status.chain != plan.terms().chain.0 => {
                return Err(LoadError::Chain { url: client.url().to_owned() });
            }
            Ok(status) => height = height.max(Some(status.height)),
            Err(error) => silent = LoadError::Silent(error),
        }
    }
    height.ok_or(silent)
}
