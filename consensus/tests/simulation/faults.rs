//! Senders whose messages are looked at, or spoiled, on their way out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use commonware_actor::{Feedback, Unreliable};
use commonware_codec::varint::UInt;
use commonware_codec::{Copying, DecodeExt as _, ReadExt as _};
use commonware_consensus::simplex::types::{Proposal, Vote};
use commonware_consensus::{Epochable as _, Viewable as _};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{CheckedSender, LimitedSender, Recipients};
use commonware_runtime::IoBufs;
use fastrand::Rng;
use sigmill_consensus::{Hash, VoteScheme};

use crate::plan::Plan;
use crate::world::Outlet;

/// What is done with a message.
pub type Tap = Arc<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>;

/// A sender with a tap, to those on its side.
#[derive(Clone)]
pub struct Tapped {
    pub inner: Outlet,
    pub tap: Tap,
    pub side: Vec<PublicKey>,
}

impl LimitedSender for Tapped {
    type PublicKey = PublicKey;
    type Checked<'a> = TappedOnce<'a>;

    fn check(&mut self, recipients: Recipients<PublicKey>) -> Result<TappedOnce<'_>, SystemTime> {
        let wanted = |one: &&PublicKey| match &recipients {
            Recipients::All => true,
            Recipients::Some(all) => all.contains(one),
            Recipients::One(only) => only == *one,
        };
        let recipients = Recipients::Some(self.side.iter().filter(wanted).cloned().collect());
        Ok(TappedOnce { inner: self.inner.check(recipients)?, tap: self.tap.clone() })
    }
}

/// A message that may be sent.
pub struct TappedOnce<'a> {
    inner: <Outlet as LimitedSender>::Checked<'a>,
    tap: Tap,
}

impl CheckedSender for TappedOnce<'_> {
    type PublicKey = PublicKey;

    fn recipients(&self) -> Vec<PublicKey> {
        self.inner.recipients()
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        let message = (self.tap)(message.into().coalesce().as_ref().to_vec());
        self.inner.send(message, priority)
    }
}

/// Changes nothing.
pub fn honest() -> Tap {
    Arc::new(|message| message)
}

/// Spoils so many of a hundred messages: bits, length, or all of it.
pub fn spoil(percent: u64, seed: u64, spoiled: Arc<Mutex<u64>>) -> Tap {
    let rng = Mutex::new(Rng::with_seed(seed));
    Arc::new(move |mut message| {
        let mut rng = rng.lock().unwrap();
        if rng.u64(..100) >= percent || message.is_empty() {
            return message;
        }
        *spoiled.lock().unwrap() += 1;
        match rng.u8(..3) {
            0 => (0..rng.usize(1..4)).for_each(|_| {
                let at = rng.usize(..message.len());
                message[at] ^= 1 << rng.u8(..8);
            }),
            1 => message.truncate(rng.usize(..message.len())),
            _ => message = (0..rng.usize(1..300)).map(|_| rng.u8(..)).collect(),
        }
        message
    })
}

/// What a validator has voted for in a view.
#[derive(Default)]
struct Ballot {
    notarized: Option<Proposal<Hash>>,
    finalized: Option<Proposal<Hash>>,
    nullified: bool,
}

/// Validator, epoch, view.
type Place = (usize, u64, u64);

/// The votes of honest validators, over all their lives.
#[derive(Clone, Default)]
pub struct Ballots(Arc<Mutex<HashMap<Place, Ballot>>>);

impl Ballots {
    /// Panics when a validator votes twice, or where it has no vote.
    pub fn watch(&self, validator: usize, plan: &Plan) -> Tap {
        let (ballots, plan) = (self.clone(), plan.clone());
        Arc::new(move |message| {
            let mut bytes = Copying(&message);
            let epoch: u64 = UInt::read(&mut bytes).expect("an epoch is named").into();
            let vote = Vote::<VoteScheme, Hash>::decode(bytes).expect("a vote is sent");
            assert_eq!(vote.epoch().get(), epoch, "validator {validator}");
            let members = plan.members(epoch);
            assert!(members.contains(&validator), "validator {validator} votes in epoch {epoch}");
            let view = vote.view().get();
            let mut all = ballots.0.lock().unwrap();
            let ballot = all.entry((validator, epoch, view)).or_default();
            let same = |before: &mut Option<Proposal<Hash>>, now: Proposal<Hash>| {
                let one = before.get_or_insert_with(|| now.clone());
                assert_eq!(*one, now, "validator {validator} votes twice in view {view}");
            };
            match vote {
                Vote::Notarize(vote) => same(&mut ballot.notarized, vote.proposal),
                Vote::Finalize(vote) => same(&mut ballot.finalized, vote.proposal),
                Vote::Nullify(_) => ballot.nullified = true,
            }
            let both = ballot.nullified && ballot.finalized.is_some();
            assert!(!both, "validator {validator} nullifies and finalizes view {view}");
            if let (Some(one), Some(other)) = (&ballot.notarized, &ballot.finalized) {
                assert_eq!(one, other, "validator {validator} finalizes another in view {view}");
            }
            message
        })
    }

    /// Number of views of all validators in which one voted.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}
