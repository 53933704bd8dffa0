//! A relayer: carries what a chain says to another one there (SPEC.md, 18). It is trusted with nothing
//! and keeps nothing that is not on the chains, but for the height to begin at.
//!
//! ```text
//! source: blocks -> proofs of messages -> Lane: a nonce each -> receiver: pool -> block
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, info};

use crate::client::{Client, ClientError};
use crate::keys::AccountKey;
use crate::proof::Proof;
use crate::{Hash, state};

mod lane;

use lane::Lane;

/// How long the source is asked for a block that is not there yet.
const WAIT: Duration = Duration::from_millis(200);
/// How long after a failure the next validator is asked.
const PAUSE: Duration = Duration::from_millis(100);
/// Without progress for so long, everything that is under way is handed in again.
const STALL: Duration = Duration::from_secs(3);
/// Proofs that wait for a nonce; with more of them no further block is read.
const AHEAD: usize = 64;

/// What is relayed, and by whom.
#[derive(Debug)]
pub struct Route {
    /// Validators of the source; one that fails gives way to the next.
    pub source: Vec<Client>,
    /// Validators of the receiver.
    pub receiver: Vec<Client>,
    /// The account on the receiver that signs deliveries.
    pub key: AccountKey,
    /// Height of the source's first block that is looked at.
    pub from: u64,
}

/// How far a relayer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The source's blocks up to this height are relayed: where to begin again.
    pub height: u64,
    /// The last height of the source that was read.
    pub read: u64,
    /// Deliveries that have become final.
    pub deliveries: u64,
    /// Messages in them.
    pub messages: u64,
    /// Deliveries that brought nothing new: another relayer was first.
    pub overtaken: u64,
}

/// Why a relayer ends.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Nobody is named on one of the sides.
    #[error("no validator of the {0} is named")]
    Nobody(&'static str),
    /// No validator of a side answers; what the last one says.
    #[error("no validator of the {side} answers: {error}")]
    Silent {
        /// Source or receiver.
        side: &'static str,
        /// What the last one said.
        error: ClientError,
    },
    /// Both sides are one chain.
    #[error("both sides are of chain {0}")]
    OneChain(Hash),
    /// The account that signs is not there.
    #[error("the receiver has no account {0}: it takes one that was given the minimum balance")]
    NoAccount(crate::Address),
}

/// Validators of one side, the one that answered last first.
#[derive(Debug)]
struct Side {
    name: &'static str,
    clients: VecDeque<Client>,
}

impl Side {
    fn new(name: &'static str, clients: Vec<Client>) -> Result<Self, RelayError> {
        match clients.is_empty() {
            true => Err(RelayError::Nobody(name)),
            false => Ok(Side { name, clients: clients.into() }),
        }
    }

    fn client(&self) -> &Client {
        self.clients.front().expect("a side has a validator")
    }

    /// The next validator's turn, after one has failed.
    async fn turn(&mut self, error: &ClientError) {
        debug!(%error, side = self.name, "the next validator is asked");
        self.clients.rotate_left(1);
        tokio::time::sleep(PAUSE).await;
    }

    /// The chain of the first that answers.
    async fn chain(&mut self) -> Result<Hash, RelayError> {
        let mut last = None;
        for _ in 0..self.clients.len() {
            match self.client().status().await {
                Ok(status) => return Ok(Hash::from(status.chain)),
                Err(error) => {
                    self.turn(&error).await;
                    last = Some(error);
                }
            }
        }
        Err(RelayError::Silent { side: self.name, error: last.expect("a side has a validator") })
    }
}

/// Relays until the future is dropped, or cannot begin. `progress` is called after every step that made
/// some: [`Progress::height`] is what a restart should begin after.
///
/// # Errors
/// [`RelayError`]: before anything was relayed.
pub async fn relay(
    route: Route,
    mut progress: impl FnMut(&Progress),
) -> Result<std::convert::Infallible, RelayError> {
    let mut source = Side::new("source", route.source)?;
    let mut receiver = Side::new("receiver", route.receiver)?;
    let chain = receiver.chain().await?;
    if source.chain().await? == chain {
        return Err(RelayError::OneChain(chain));
    }
    let mut account = account(&mut receiver, &route.key).await?;
    let mut lane = Lane::new(chain, route.key, account.nonce);
    let mut ahead: VecDeque<(u64, Proof)> = VecDeque::new();
    let first = route.from.max(1);
    let mut now = Progress { height: first - 1, read: first - 1, ..Progress::default() };
    let mut moved = Instant::now();
    loop {
        let before = now;
        if ahead.len() >= AHEAD {
            tokio::time::sleep(PAUSE).await;
        } else {
            match source.client().messages(now.read + 1, &chain, WAIT).await {
                Ok(Some(proofs)) => {
                    now.read += 1;
                    ahead.extend(proofs.into_iter().map(|proof| (now.read, proof)));
                }
                Ok(None) => {}
                Err(error) => source.turn(&error).await,
            }
        }
        lane.load(&mut ahead);
        let handed_in = lane.hand_in(receiver.client()).await;
        let standing = match handed_in {
            Ok(()) => receiver.client().account(lane.address()).await,
            Err(error) => Err(error),
        };
        match standing {
            Ok(Some(found)) => account = found,
            Ok(None) => {}
            Err(error) => receiver.turn(&error).await,
        }
        lane.settle(account.nonce, &mut now);
        now.height = lane.lowest().or(ahead.front().map(|one| one.0)).map_or(now.read, |h| h - 1);
        if now != before {
            progress(&now);
        }
        if (now.deliveries, now.overtaken) != (before.deliveries, before.overtaken)
            || lane.is_empty()
        {
            moved = Instant::now();
        } else if moved.elapsed() > STALL {
            info!(nonce = account.nonce, "no progress: everything is handed in again");
            lane.again();
            moved = Instant::now();
        }
    }
}

async fn account(receiver: &mut Side, key: &AccountKey) -> Result<state::Account, RelayError> {
    let address = key.address();
    loop {
        match receiver.client().account(&address).await {
            Ok(Some(account)) => return Ok(account),
            Ok(None) => return Err(RelayError::NoAccount(address)),
            Err(error) => receiver.turn(&error).await,
        }
    }
}
