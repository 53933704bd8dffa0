//! Votes of an epoch that has not begun here.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;

use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Message, Receiver};

/// Most votes that are kept of a validator: those of a few views.
const VOTES: usize = 16;
/// Bytes of the longest message that is kept; votes are shorter.
const BYTES: usize = 512;

/// Votes of the next epoch. Others began it a little earlier: without their first votes this
/// validator would not hear of its first proposal.
#[derive(Default)]
pub(super) struct Early(BTreeMap<PublicKey, Vec<Message<PublicKey>>>);

impl Early {
    /// Keeps a message, if its sender has room.
    pub fn keep(&mut self, message: Message<PublicKey>) {
        let kept = self.0.entry(message.0.clone()).or_default();
        if kept.len() < VOTES && message.1.len() <= BYTES {
            kept.push(message);
        }
    }

    /// A receiver of these before all others.
    pub fn before<R: Receiver<PublicKey = PublicKey>>(self, inner: R) -> AfterEarly<R> {
        AfterEarly { early: self.0.into_values().flatten().collect(), inner }
    }
}

/// A receiver of messages, some of which came early.
#[derive(Debug)]
pub(super) struct AfterEarly<R> {
    early: VecDeque<Message<PublicKey>>,
    inner: R,
}

impl<R: Receiver<PublicKey = PublicKey>> Receiver for AfterEarly<R> {
    type Error = R::Error;
    type PublicKey = PublicKey;

    async fn recv(&mut self) -> Result<Message<PublicKey>, R::Error> {
        match self.early.pop_front() {
            Some(message) => Ok(message),
            None => self.inner.recv().await,
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        self.inner.capacity()
    }
}
