//! One validator that runs twice: each half talks with a part of the others.

use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::simulated::SplitTarget;
use commonware_runtime::{IoBuf, Supervisor as _};
use sigmill_consensus::node::Channels;

use crate::faults::{Tapped, honest};
use crate::world::{Context, Inlet, Outlet, World};

impl World {
    /// The other validators whose bits are set.
    pub fn side(&self, me: usize, bits: u8) -> Vec<PublicKey> {
        let on_it = |index: usize| index != me && (bits >> index) & 1 == 1;
        let all = self.identities.iter().enumerate();
        all.filter(|(index, _)| on_it(*index)).map(|(_, one)| one.clone()).collect()
    }
}

/// Splits all channels: the halves of a message's sender hear it.
pub fn split(
    context: &Context,
    channels: Channels<Outlet, Inlet>,
    [first, second]: [Vec<PublicKey>; 2],
) -> (Channels<Tapped, Inlet>, Channels<Tapped, Inlet>) {
    let one = |(inner, receiver): (Outlet, Inlet)| {
        let heard = [first.clone(), second.clone()];
        let router = move |(from, _): &(PublicKey, IoBuf)| match [
            heard[0].contains(from),
            heard[1].contains(from),
        ] {
            [true, true] => SplitTarget::Both,
            [true, false] => SplitTarget::Primary,
            [false, true] => SplitTarget::Secondary,
            [false, false] => SplitTarget::None,
        };
        let receivers = receiver.split_with(context.child("twins"), router);
        let to = |side: &Vec<PublicKey>| Tapped {
            inner: inner.clone(),
            tap: honest(),
            side: side.clone(),
        };
        ((to(&first), receivers.0), (to(&second), receivers.1))
    };
    let votes = one(channels.votes);
    let certificates = one(channels.certificates);
    let resolver = one(channels.resolver);
    let backfill = one(channels.backfill);
    let blocks = one(channels.blocks);
    let transactions = one(channels.transactions);
    let first = Channels {
        votes: votes.0,
        certificates: certificates.0,
        resolver: resolver.0,
        backfill: backfill.0,
        blocks: blocks.0,
        transactions: transactions.0,
    };
    let second = Channels {
        votes: votes.1,
        certificates: certificates.1,
        resolver: resolver.1,
        backfill: backfill.1,
        blocks: blocks.1,
        transactions: transactions.1,
    };
    (first, second)
}
