//! Sets of validators, and how the state keeps them (SPEC.md, 9): a head for each chain, which names
//! its two latest sets, and two keys for each of their validators.

use commonware_codec::{Copying, DecodeExt};
use commonware_cryptography::ed25519;

use crate::genesis::Validator;
use crate::state::{Key, Value};
use crate::{Hash, keccak};

/// What goes before a chain's id when it is hashed to the key of its head.
pub const HEAD_TAG: &[u8; 16] = b"sigmill:valsets1";
/// What goes before a validator's place when it is hashed to the keys of what it has.
pub const VALIDATOR_TAG: &[u8; 16] = b"sigmill:validat1";
/// Most validators of a set that travels in a transaction.
pub const TRAVELLING_LIMIT: usize = 500;

/// Who votes from an epoch on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    /// The first epoch; 0 for the set of the genesis.
    pub from: u64,
    /// The validators, ascending by identity. A validator's place is its index.
    pub validators: Vec<Validator>,
}

/// Why validators are no set that may travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// Their number.
    #[error("1 to {TRAVELLING_LIMIT} validators are expected")]
    Number,
    /// The order of two identities, or one is there twice.
    #[error("identity {0} is not above the one before")]
    Order(usize),
    /// A vote key is no x of a point of secp256k1.
    #[error("vote key {0} is none of secp256k1")]
    VoteKey(usize),
    /// A vote key is there twice.
    #[error("a vote key is there twice")]
    VoteTwice,
}

impl ValidatorSet {
    /// Whether it may travel in a transaction: 1 to [`TRAVELLING_LIMIT`] validators, ascending, no key
    /// twice, vote keys that are some.
    ///
    /// # Errors
    /// [`SetError`], with the validator's place.
    pub fn check(&self) -> Result<(), SetError> {
        let all = &self.validators;
        if !(1..=TRAVELLING_LIMIT).contains(&all.len()) {
            return Err(SetError::Number);
        }
        if let Some(at) = all.windows(2).position(|pair| pair[0].identity >= pair[1].identity) {
            return Err(SetError::Order(at + 1));
        }
        let is_point = |one: &Validator| k256::schnorr::VerifyingKey::from_slice(&one.vote).is_ok();
        if let Some(at) = all.iter().position(|one| !is_point(one)) {
            return Err(SetError::VoteKey(at));
        }
        let mut votes: Vec<_> = all.iter().map(|one| one.vote).collect();
        votes.sort_unstable();
        match votes.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(SetError::VoteTwice),
            false => Ok(()),
        }
    }

    /// First epoch and number.
    pub fn span(&self) -> Span {
        Span { from: self.from, validators: self.validators.len() as u32 }
    }

    /// What writes its validators into the state, as a set of this chain, in the order of
    /// [`Span::keys`]. The head ([`Head`]) goes with it.
    pub fn pairs(&self, chain: &Hash) -> Vec<(Key, Value)> {
        self.span().keys(chain).into_iter().zip(self.values()).collect()
    }

    /// What lies at [`Span::keys`], in their order.
    pub fn values(&self) -> impl Iterator<Item = Value> {
        self.validators.iter().flat_map(|one| {
            let identity: &[u8] = one.identity.as_ref();
            [identity.try_into().expect("an identity has 32 bytes"), one.vote]
        })
    }

    /// Reads a set back from what lies at [`Span::keys`], in their order. `None` where a value is
    /// missing or no key: no state has that.
    pub fn read(span: Span, values: &[Option<Value>]) -> Option<Self> {
        if values.len() != 2 * span.validators as usize {
            return None;
        }
        let validator = |pair: &[Option<Value>]| {
            let identity = ed25519::PublicKey::decode(Copying(&pair[0]?)).ok()?;
            Some(Validator { identity, vote: pair[1]? })
        };
        let validators = values.chunks_exact(2).map(validator).collect::<Option<_>>()?;
        Some(ValidatorSet { from: span.from, validators })
    }
}

/// Which set of a chain is meant, and how many validators it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first epoch.
    pub from: u64,
    /// Its number of validators.
    pub validators: u32,
}

impl Span {
    /// Where the validators of the set lie: identity and vote key of each, in order.
    pub fn keys(&self, chain: &Hash) -> Vec<Key> {
        let both = |index| [0, 1].map(|part| validator_key(chain, self.from, index, part));
        (0..self.validators).flat_map(both).collect()
    }
}

/// The two latest sets of a chain, as the state names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The latest.
    pub newest: Span,
    /// The one before it, if the state has it.
    pub previous: Option<Span>,
}

impl Head {
    /// Where the head of a chain's sets lies.
    pub fn key(chain: &Hash) -> Key {
        keccak(&[HEAD_TAG, &chain.0]).0
    }

    /// newest.from || newest.n || previous.from || previous.n, big-endian, then zeros; without a
    /// previous set its two fields are zero.
    pub fn value(&self) -> Value {
        let mut value = [0; 32];
        for (span, at) in [(Some(self.newest), 0), (self.previous, 12)] {
            let Some(Span { from, validators }) = span else { continue };
            value[at..at + 8].copy_from_slice(&from.to_be_bytes());
            value[at + 8..at + 12].copy_from_slice(&validators.to_be_bytes());
        }
        value
    }

    /// Reads [`Head::value`].
    pub fn of(value: &Value) -> Self {
        let span = |at: usize| Span {
            from: u64::from_be_bytes(value[at..at + 8].try_into().expect("8 bytes")),
            validators: u32::from_be_bytes(value[at + 8..at + 12].try_into().expect("4 bytes")),
        };
        let previous = Some(span(12)).filter(|previous| previous.validators > 0);
        Head { newest: span(0), previous }
    }

    /// The head once this set is the latest.
    pub fn then(head: Option<Self>, newest: Span) -> Self {
        Head { newest, previous: head.map(|head| head.newest) }
    }

    /// Which of the two is in force at an epoch: the latest that has begun. `None`: an earlier one.
    pub fn in_force(&self, epoch: u64) -> Option<Span> {
        let begun = |span: &Span| span.from <= epoch;
        Some(self.newest).filter(begun).or(self.previous.filter(begun))
    }
}

/// Where a key of a validator lies: `part` is 0 for its identity, 1 for its vote key.
pub fn validator_key(chain: &Hash, from: u64, index: u32, part: u8) -> Key {
    let parts: [&[u8]; 5] =
        [VALIDATOR_TAG, &chain.0, &from.to_be_bytes(), &index.to_be_bytes(), &[part]];
    keccak(&parts).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genesis::Genesis;
    use crate::genesis::tests::text;

    fn set(from: u64, validators: u8) -> ValidatorSet {
        let genesis = Genesis::parse(&text(validators), |_| panic!("no file is named")).unwrap();
        ValidatorSet { from, validators: genesis.validators }
    }

    #[test]
    fn sets_are_read_as_written() {
        let (chain, set) = (keccak(&[b"chain"]), set(7, 5));
        let pairs = set.pairs(&chain);
        let keys: Vec<_> = pairs.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, set.span().keys(&chain));
        let mut values: Vec<_> = pairs.iter().map(|(_, value)| Some(*value)).collect();
        assert_eq!(ValidatorSet::read(set.span(), &values), Some(set.clone()));
        assert_eq!(ValidatorSet::read(set.span(), &values[1..]), None);
        values[3] = None;
        assert_eq!(ValidatorSet::read(set.span(), &values), None);
        let mut all = keys.clone();
        all.extend(Span { from: 8, validators: 5 }.keys(&chain));
        all.extend(set.span().keys(&keccak(&[b"other"])));
        all.extend([Head::key(&chain), Head::key(&keccak(&[b"other"]))]);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 32, "no two keys are the same");
    }

    #[test]
    fn heads_are_read_as_written() {
        let span = |from, validators| Span { from, validators };
        let first = Head::then(None, span(3, 4));
        let second = Head::then(Some(first), span(1 << 40, 500));
        for head in [first, second] {
            assert_eq!(Head::of(&head.value()), head);
        }
        assert_eq!(second.value()[24..], [0; 8]);
        let force = [(2, None), (3, Some(span(3, 4))), ((1 << 40) - 1, Some(span(3, 4)))];
        for (epoch, expected) in force.into_iter().chain([(1 << 40, Some(span(1 << 40, 500)))]) {
            assert_eq!(second.in_force(epoch), expected, "{epoch}");
        }
    }

    #[test]
    fn what_may_not_travel_is_named() {
        assert_eq!(set(1, 4).check(), Ok(()));
        let changed = |change: fn(&mut Vec<Validator>)| {
            let mut set = set(1, 4);
            change(&mut set.validators);
            set.check()
        };
        assert_eq!(changed(Vec::clear), Err(SetError::Number));
        assert_eq!(changed(|all| *all = vec![all[0].clone(); 501]), Err(SetError::Number));
        assert_eq!(changed(|all| all.swap(1, 2)), Err(SetError::Order(2)));
        assert_eq!(changed(|all| all[3] = all[2].clone()), Err(SetError::Order(3)));
        assert_eq!(changed(|all| all[3].vote = [0xff; 32]), Err(SetError::VoteKey(3)));
        assert_eq!(changed(|all| all[3].vote = all[0].vote), Err(SetError::VoteTwice));
    }
}
