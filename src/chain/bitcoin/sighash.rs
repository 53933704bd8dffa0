//! The message that a signature signs, under the three schemes: legacy, BIP 143, BIP 341.
//!
//! Hash types are taken as they stand in the signature: legacy and BIP 143 give a meaning to all
//! 256 of them, which the typed interfaces of wallets do not.

use std::sync::OnceLock;

use bitcoin::consensus::{Encodable, serialize};
use bitcoin::hashes::{Hash, HashEngine, sha256, sha256d};
use bitcoin::opcodes::all::OP_CODESEPARATOR;
use bitcoin::{Transaction, TxOut, VarInt};

use super::script::operations;

/// Low five bits: which outputs are signed.
const OUTPUTS_MASK: u32 = 0x1f;
const NONE: u32 = 2;
const SINGLE: u32 = 3;
/// Only this input is signed.
const ANYONE_CAN_PAY: u32 = 0x80;

/// The hashes that all inputs of a transaction share, computed on first use.
#[derive(Debug, Default)]
pub(super) struct Shared {
    v0: OnceLock<[[u8; 32]; 3]>,
    taproot: OnceLock<[[u8; 32]; 5]>,
}

/// What BIP 342 adds to the message of a script path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    /// Hash of leaf version and script.
    pub hash: [u8; 32],
    /// Position of the last executed OP_CODESEPARATOR, counted in operations; all ones if none.
    pub code_separator: u32,
}

/// Writes to a hash engine cannot fail.
fn put(engine: &mut sha256::HashEngine, item: &impl Encodable) {
    item.consensus_encode(engine).expect("a hash engine takes every byte");
}

fn put_bytes(engine: &mut sha256::HashEngine, bytes: &[u8]) {
    put(engine, &VarInt::from(bytes.len()));
    engine.input(bytes);
}

fn double(engine: sha256::HashEngine) -> [u8; 32] {
    sha256d::Hash::from_engine(engine).to_byte_array()
}

fn single(fill: impl FnOnce(&mut sha256::HashEngine)) -> [u8; 32] {
    let mut engine = sha256::Hash::engine();
    fill(&mut engine);
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// SHA-256 with a tag: SHA-256(SHA-256(tag) || SHA-256(tag) || parts) (BIP 340).
pub(super) fn tagged(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    single(|engine| {
        let tag = single(|engine| engine.input(tag.as_bytes()));
        engine.input(&tag);
        engine.input(&tag);
        for part in parts {
            engine.input(part);
        }
    })
}

/// The legacy message. `code` is the running script from the last executed OP_CODESEPARATOR on,
/// the signatures already deleted; the remaining OP_CODESEPARATORs fall out here.
pub(super) fn legacy(transaction: &Transaction, input: usize, code: &[u8], kind: u32) -> [u8; 32] {
    let outputs = kind & OUTPUTS_MASK;
    if outputs == SINGLE && input >= transaction.output.len() {
        // The chain signs the number 1 here, little-endian.
        let mut one = [0; 32];
        one[0] = 1;
        return one;
    }
    let alone = kind & ANYONE_CAN_PAY != 0;
    let mut engine = sha256d::Hash::engine();
    put(&mut engine, &transaction.version);
    let inputs = if alone { input..input + 1 } else { 0..transaction.input.len() };
    put(&mut engine, &VarInt::from(inputs.len()));
    for index in inputs {
        let other = &transaction.input[index];
        put(&mut engine, &other.previous_output);
        if index == input {
            put_code(&mut engine, code);
        } else {
            put_bytes(&mut engine, &[]);
        }
        let free = index != input && matches!(outputs, NONE | SINGLE);
        put(&mut engine, &if free { 0 } else { other.sequence.to_consensus_u32() });
    }
    match outputs {
        NONE => put(&mut engine, &VarInt::from(0u32)),
        SINGLE => {
            put(&mut engine, &VarInt::from(input + 1));
            for _ in 0..input {
                put(&mut engine, &u64::MAX);
                put_bytes(&mut engine, &[]);
            }
            put(&mut engine, &transaction.output[input]);
        }
        _ => {
            put(&mut engine, &VarInt::from(transaction.output.len()));
            transaction.output.iter().for_each(|output| put(&mut engine, output));
        }
    }
    put(&mut engine, &transaction.lock_time);
    put(&mut engine, &kind);
    double(engine)
}

/// The script with its length, OP_CODESEPARATOR left out; what cannot be read stays.
fn put_code(engine: &mut sha256::HashEngine, code: &[u8]) {
    let separators: Vec<usize> = operations(code)
        .map_while(Result::ok)
        .filter(|operation| operation.opcode == OP_CODESEPARATOR)
        .map(|operation| operation.start)
        .collect();
    put(engine, &VarInt::from(code.len() - separators.len()));
    let mut start = 0;
    for separator in separators {
        engine.input(&code[start..separator]);
        start = separator + 1;
    }
    engine.input(&code[start..]);
}

/// The BIP 143 message. `code` is the running script from the last executed OP_CODESEPARATOR on.
pub(super) fn version_0(
    transaction: &Transaction,
    shared: &Shared,
    input: usize,
    code: &[u8],
    value: u64,
    kind: u32,
) -> [u8; 32] {
    let outputs = kind & OUTPUTS_MASK;
    let alone = kind & ANYONE_CAN_PAY != 0;
    let free = matches!(outputs, NONE | SINGLE);
    let [points, sequences, all_outputs] = shared.v0.get_or_init(|| {
        let twice = |digest: [u8; 32]| sha256::Hash::hash(&digest).to_byte_array();
        [
            twice(single(|engine| points_of(transaction, engine))),
            twice(single(|engine| sequences_of(transaction, engine))),
            twice(single(|engine| outputs_of(transaction, engine))),
        ]
    });
    const ZERO: [u8; 32] = [0; 32];
    let own = &transaction.input[input];
    let mut engine = sha256d::Hash::engine();
    put(&mut engine, &transaction.version);
    engine.input(if alone { &ZERO } else { points });
    engine.input(if alone || free { &ZERO } else { sequences });
    put(&mut engine, &own.previous_output);
    put_bytes(&mut engine, code);
    put(&mut engine, &value);
    put(&mut engine, &own.sequence);
    match (outputs, transaction.output.get(input)) {
        (SINGLE, Some(output)) => {
            let mut single = sha256d::Hash::engine();
            put(&mut single, output);
            engine.input(&double(single));
        }
        (SINGLE | NONE, _) => engine.input(&ZERO),
        _ => engine.input(all_outputs),
    }
    put(&mut engine, &transaction.lock_time);
    put(&mut engine, &kind);
    double(engine)
}

fn points_of(transaction: &Transaction, engine: &mut sha256::HashEngine) {
    transaction.input.iter().for_each(|input| put(engine, &input.previous_output));
}

fn sequences_of(transaction: &Transaction, engine: &mut sha256::HashEngine) {
    transaction.input.iter().for_each(|input| put(engine, &input.sequence));
}

fn outputs_of(transaction: &Transaction, engine: &mut sha256::HashEngine) {
    transaction.output.iter().for_each(|output| put(engine, output));
}

/// The BIP 341 message; `None` where the hash type is undefined, or signs an output that is not
/// there. `spent` holds the spent output of every input, `annex` begins with 0x50.
pub(super) fn taproot(
    transaction: &Transaction,
    shared: &Shared,
    input: usize,
    spent: &[TxOut],
    annex: Option<&[u8]>,
    leaf: Option<Leaf>,
    kind: u8,
) -> Option<[u8; 32]> {
    if !matches!(kind, 0..=3 | 0x81..=0x83) {
        return None;
    }
    let outputs = u32::from(kind & 3);
    let alone = u32::from(kind) & ANYONE_CAN_PAY != 0;
    let [points, values, scripts, sequences, all_outputs] = shared.taproot.get_or_init(|| {
        [
            single(|engine| points_of(transaction, engine)),
            single(|engine| spent.iter().for_each(|output| put(engine, &output.value))),
            single(|engine| spent.iter().for_each(|output| put(engine, &output.script_pubkey))),
            single(|engine| sequences_of(transaction, engine)),
            single(|engine| outputs_of(transaction, engine)),
        ]
    });
    let own = &transaction.input[input];
    let mut message = Vec::with_capacity(256);
    // Epoch 0, then the common part in the order of BIP 341.
    message.extend_from_slice(&[0, kind]);
    message.extend_from_slice(&transaction.version.0.to_le_bytes());
    message.extend_from_slice(&transaction.lock_time.to_consensus_u32().to_le_bytes());
    if !alone {
        for part in [points, values, scripts, sequences] {
            message.extend_from_slice(part);
        }
    }
    if !matches!(outputs, NONE | SINGLE) {
        message.extend_from_slice(all_outputs);
    }
    message.push(u8::from(leaf.is_some()) * 2 + u8::from(annex.is_some()));
    if alone {
        message.extend_from_slice(&serialize(&own.previous_output));
        message.extend_from_slice(&serialize(&spent[input]));
        message.extend_from_slice(&own.sequence.to_consensus_u32().to_le_bytes());
    } else {
        message.extend_from_slice(&(input as u32).to_le_bytes());
    }
    if let Some(annex) = annex {
        message.extend_from_slice(&single(|engine| put_bytes(engine, annex)));
    }
    if outputs == SINGLE {
        let output = transaction.output.get(input)?;
        message.extend_from_slice(&single(|engine| put(engine, output)));
    }
    if let Some(leaf) = leaf {
        message.extend_from_slice(&leaf.hash);
        // Key version 0.
        message.push(0);
        message.extend_from_slice(&leaf.code_separator.to_le_bytes());
    }
    Some(tagged("TapSighash", &[&message]))
}
