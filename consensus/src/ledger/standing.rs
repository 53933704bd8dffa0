//! What the final state says of a transaction that waits (SPEC.md, 11): whether it can take effect,
//! whatever goes before it.

use super::Fault;
use crate::decree::{Decree, Order};
use crate::pool::Standing;
use crate::proof::Proof;
use crate::sets::Head;
use crate::state::{Account, Sequence, Value};
use crate::transaction::{Action, Signed};

/// The standing of a transaction whose `places` among `values` are those of
/// [`Touched`](super::Touched); `epoch` is the next block's.
pub(crate) fn standing(
    one: &Signed<'_>,
    places: &[u32],
    values: &[Option<Value>],
    epoch: u64,
) -> Standing {
    let value = |at: usize| places.get(at).and_then(|&place| values[place as usize].as_ref());
    let next = |at: usize| value(at).map(Sequence::of).unwrap_or_default().next;
    let fault = match &one.transaction.transaction.action {
        Action::Transfer { .. } | Action::Record { .. } => None,
        Action::Message(_) if value(3).is_none() => Some(Fault::Unlinked),
        Action::Message(message) => (message.sequence < next(2)).then_some(Fault::WrongSequence),
        Action::Deliver(proof) => match value(1).map(Head::of) {
            None => Some(Fault::Unlinked),
            Some(head) => (!brings_news(proof, &head, next)).then_some(Fault::NothingNew),
        },
        Action::Decree(decree) => overtaken(decree, value(1).map(Head::of), epoch),
    };
    Standing { sender: value(0).map(Account::of), target: value(1).is_some(), fault }
}

/// Whether a delivery has a message or a set that was not there yet; `next` gives the counter at a
/// place.
fn brings_news(proof: &Proof, head: &Head, next: impl Fn(usize) -> u64) -> bool {
    let mut place = 3; // the sender's account, head, escrow
    proof.transactions.iter().any(|included| match &included.transaction.transaction.action {
        Action::Message(message) => {
            place += 2;
            message.sequence >= next(place - 2)
        }
        Action::Decree(decree) => match &decree.draft.order {
            Order::Validators(set) => {
                place += 2 * set.validators.len();
                set.from > head.newest.from
            }
            Order::Link { .. } => false,
        },
        _ => false,
    })
}

/// Why a decree cannot take effect any more.
pub(super) fn overtaken(decree: &Decree, head: Option<Head>, epoch: u64) -> Option<Fault> {
    match &decree.draft.order {
        Order::Validators(set) if set.from <= epoch => Some(Fault::EpochPassed),
        Order::Validators(_) => {
            head.filter(|head| head.newest.from > epoch).map(|_| Fault::ChangePending)
        }
        Order::Link { .. } => head.map(|_| Fault::LinkExists),
    }
}
