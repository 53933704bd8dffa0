//! Which output each input spends: from the block itself, from a file, or inferred.

use std::collections::{HashMap, HashSet};

use bitcoin::hashes::Hash;
use bitcoin::{Block, ScriptBuf, TxOut};

use super::rules::Force;
use super::sighash::Shared;
use super::spend::infer;

/// What is known of the output that an input spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// Value and script.
    Known,
    /// The script, inferred from the input that spends it; not the value.
    Assumed,
    /// Nothing.
    Unknown,
    /// It is spent twice in the block, or does not exist.
    Wrong(&'static str),
}

/// The outputs that a transaction's inputs spend.
#[derive(Debug)]
pub(super) struct Spent {
    /// In input order; empty where unknown.
    pub outputs: Vec<TxOut>,
    /// Of each.
    pub knowledge: Vec<Knowledge>,
    /// Whether value and script of all are known.
    pub all_known: bool,
    /// The hashes that the inputs' signatures share.
    pub shared: Shared,
}

/// Resolves all inputs but the coinbase's. `identities` are the transaction ids, `None` where they
/// could not be computed; `given` are the spent outputs in input order, if the caller has them. An
/// output that the block makes counts before what is given.
pub(super) fn resolve(
    block: &Block,
    identities: &[Option<[u8; 32]>],
    given: Option<Vec<TxOut>>,
    force: Force,
) -> Vec<Spent> {
    let mut made: HashMap<[u8; 32], usize> = HashMap::new();
    let mut spent_before = HashSet::new();
    let mut given = given.map(Vec::into_iter);
    let mut all = Vec::with_capacity(block.txdata.len());
    for (position, transaction) in block.txdata.iter().enumerate() {
        let mut spent = Spent {
            outputs: Vec::new(),
            knowledge: Vec::new(),
            all_known: true,
            shared: Shared::default(),
        };
        for input in transaction.input.iter().filter(|_| position > 0) {
            let point = input.previous_output;
            let listed = given.as_mut().and_then(Iterator::next);
            let maker = made.get(point.txid.as_byte_array());
            let own = maker.map(|maker| block.txdata[*maker].output.get(point.vout as usize));
            let (output, knowledge) = if !spent_before.insert(point) {
                (None, Knowledge::Wrong("it spends an output that the block spends before"))
            } else {
                match (own, listed) {
                    (Some(None), _) => {
                        (None, Knowledge::Wrong("it spends an output that its maker lacks"))
                    }
                    (Some(Some(own)), _) => (Some(own.clone()), Knowledge::Known),
                    (None, Some(listed)) => (Some(listed), Knowledge::Known),
                    (None, None) => match infer(input.script_sig.as_bytes(), &input.witness, force)
                    {
                        Some(script) => {
                            let script_pubkey = ScriptBuf::from_bytes(script);
                            (Some(TxOut { script_pubkey, ..TxOut::NULL }), Knowledge::Assumed)
                        }
                        None => (None, Knowledge::Unknown),
                    },
                }
            };
            spent.outputs.push(output.unwrap_or(TxOut::NULL));
            spent.knowledge.push(knowledge);
            spent.all_known &= knowledge == Knowledge::Known;
        }
        if let Some(identity) = identities[position] {
            made.insert(identity, position);
        }
        all.push(spent);
    }
    all
}
