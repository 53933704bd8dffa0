//! Blocks as a node's JSON or as RLP.

use alloy_consensus::{EthereumTxEnvelope, Header, SignableTransaction, TxEip4844};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Signature, U256};
use alloy_rlp::{Decodable, Encodable};
use serde::Deserialize;

use crate::chain::ChainError;

/// A transaction of any type, 0 to 4.
pub type Transaction = EthereumTxEnvelope<TxEip4844>;

type JsonBlock = alloy_rpc_types_eth::Block<alloy_rpc_types_eth::Transaction<Transaction>>;
type RlpBlock = alloy_consensus::Block<Transaction>;

/// What the JSON of a block says besides its content; RLP says none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The block hash.
    pub hash: B256,
    /// For each transaction its hash and its sender.
    pub transactions: Vec<(B256, Address)>,
}

/// A block as read.
#[derive(Clone, Debug)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The transactions.
    pub transactions: Vec<Transaction>,
    /// What is to be compared.
    pub stated: Option<Stated>,
}

/// An answer of a node's JSON-RPC.
#[derive(Deserialize)]
struct Answer {
    result: JsonBlock,
}

/// The two forms in which JSON says a signature's parity, of which the parser reads one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parity {
    #[serde(rename = "type")]
    kind: Option<U256>,
    v: Option<U256>,
    y_parity: Option<U256>,
}

/// Those of a block, or of the block in an answer.
#[derive(Deserialize)]
struct Parities {
    #[serde(default)]
    transactions: Vec<Parity>,
    result: Option<Box<Parities>>,
}

impl Block {
    /// Reads `{..}` as JSON, a block or a node's answer around one, and anything else as RLP.
    pub fn read(bytes: &[u8]) -> Result<Block, ChainError> {
        if bytes.trim_ascii_start().starts_with(b"{") {
            return read_json(bytes);
        }
        let mut rest = bytes;
        let block = RlpBlock::decode(&mut rest).map_err(|error| malformed("RLP block", error))?;
        if !rest.is_empty() {
            let why = format!("{} bytes follow the block", rest.len());
            return Err(malformed("RLP block", why));
        }
        let transactions = block.body.transactions;
        Ok(Block { header: block.header, transactions, stated: None })
    }

    /// The block without what only JSON says, as RLP. Uncles and withdrawals are left out: the
    /// checks concern neither.
    pub fn to_rlp(&self) -> Vec<u8> {
        let body = alloy_consensus::BlockBody {
            transactions: self.transactions.clone(),
            ommers: Vec::new(),
            withdrawals: None,
        };
        let mut bytes = Vec::new();
        RlpBlock { header: self.header.clone(), body }.encode(&mut bytes);
        bytes
    }
}

fn read_json(bytes: &[u8]) -> Result<Block, ChainError> {
    let block = serde_json::from_slice::<JsonBlock>(bytes).or_else(|error| {
        // The error of the form that it was meant to be is the one that helps.
        let head = &bytes[..bytes.len().min(200)];
        if head.windows(8).any(|window| window == b"\"result\"") || ends_in_result(bytes) {
            serde_json::from_slice::<Answer>(bytes).map(|answer| answer.result)
        } else {
            Err(error)
        }
    });
    let block = block.map_err(|error| malformed("block JSON", error))?;
    let Some(list) = block.transactions.as_transactions() else {
        let why = "`transactions` holds hashes; ask the node for full transactions \
                   (eth_getBlockByNumber with `true`)";
        return Err(malformed("block JSON", why));
    };
    compare_parities(bytes)?;
    no_gap(&block.header.inner)?;
    let stated = list.iter().map(|tx| (*tx.inner.inner().tx_hash(), tx.inner.signer())).collect();
    let transactions = list.iter().map(|tx| tx.inner.inner().clone()).collect();
    let stated = Some(Stated { hash: block.header.hash, transactions: stated });
    Ok(Block { header: block.header.inner, transactions, stated })
}

/// RLP tells a header's later fields by their position alone, so that one left out before another
/// would be read as a different header.
fn no_gap(header: &Header) -> Result<(), ChainError> {
    let fields = [
        ("baseFeePerGas", header.base_fee_per_gas.is_some()),
        ("withdrawalsRoot", header.withdrawals_root.is_some()),
        ("blobGasUsed", header.blob_gas_used.is_some()),
        ("excessBlobGas", header.excess_blob_gas.is_some()),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root.is_some()),
        ("requestsHash", header.requests_hash.is_some()),
        ("blockAccessListHash", header.block_access_list_hash.is_some()),
        ("slotNumber", header.slot_number.is_some()),
    ];
    match fields.windows(2).find(|pair| !pair[0].1 && pair[1].1) {
        None => Ok(()),
        Some(pair) => {
            let why = format!("the header has `{}` but no `{}`", pair[1].0, pair[0].0);
            Err(malformed("block JSON", why))
        }
    }
}

/// Compares `v` with `yParity` where a transaction has both.
fn compare_parities(bytes: &[u8]) -> Result<(), ChainError> {
    let all = serde_json::from_slice::<Parities>(bytes);
    let all = all.map_err(|error| malformed("block JSON", error))?;
    let inner = all.result.map_or(Vec::new(), |result| result.transactions);
    for (position, parity) in all.transactions.iter().chain(&inner).enumerate() {
        let Parity { kind, v: Some(v), y_parity: Some(y_parity) } = *parity else { continue };
        // Before types, v was 27 plus the parity, or 35 plus it and twice the chain's number.
        let legacy = kind.is_none_or(|kind| kind.is_zero()) && v > U256::from(1);
        let stated = if legacy { U256::from(!v.bit(0)) } else { v };
        if stated != y_parity {
            let why =
                format!("transaction {position}: `v` {v:#x} contradicts `yParity` {y_parity:#x}");
            return Err(malformed("block JSON", why));
        }
    }
    Ok(())
}

/// Whether a node wrote the result after other members.
fn ends_in_result(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{\"jsonrpc\"") || bytes.starts_with(b"{\"id\"")
}

/// Reads one transaction in the form of EIP-2718.
pub fn transaction(bytes: &[u8]) -> Result<Transaction, ChainError> {
    let mut rest = bytes;
    let read = Transaction::decode_2718(&mut rest);
    let transaction = read.map_err(|error| malformed("transaction", error))?;
    if !rest.is_empty() {
        return Err(malformed("transaction", format!("{} bytes follow it", rest.len())));
    }
    Ok(transaction)
}

/// The bytes whose Keccak-256 is the transaction's hash.
pub(super) fn encoded(transaction: &Transaction) -> Vec<u8> {
    transaction.encoded_2718()
}

/// The bytes whose Keccak-256 was signed, and the signature.
pub(super) fn signed(transaction: &Transaction) -> (Vec<u8>, &Signature) {
    let mut bytes = Vec::new();
    let signature = match transaction {
        Transaction::Legacy(tx) => {
            tx.tx().encode_for_signing(&mut bytes);
            tx.signature()
        }
        Transaction::Eip2930(tx) => {
            tx.tx().encode_for_signing(&mut bytes);
            tx.signature()
        }
        Transaction::Eip1559(tx) => {
            tx.tx().encode_for_signing(&mut bytes);
            tx.signature()
        }
        Transaction::Eip4844(tx) => {
            tx.tx().encode_for_signing(&mut bytes);
            tx.signature()
        }
        Transaction::Eip7702(tx) => {
            tx.tx().encode_for_signing(&mut bytes);
            tx.signature()
        }
    };
    (bytes, signature)
}

/// The authorisations of a transaction of type 4: the signed bytes, r || s, and y's parity.
pub(super) fn authorisations(transaction: &Transaction) -> Vec<(Vec<u8>, [u8; 64], u8)> {
    let Transaction::Eip7702(tx) = transaction else { return Vec::new() };
    let list = &tx.tx().authorization_list;
    let one = |authorisation: &alloy_eips::eip7702::SignedAuthorization| {
        let mut bytes = vec![alloy_eips::eip7702::constants::MAGIC];
        authorisation.inner().encode(&mut bytes);
        let signature = joined(&authorisation.r().to_be_bytes(), &authorisation.s().to_be_bytes());
        (bytes, signature, authorisation.y_parity())
    };
    list.iter().map(one).collect()
}

pub(super) fn joined(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(r);
    signature[32..].copy_from_slice(s);
    signature
}

fn malformed(what: &str, why: impl ToString) -> ChainError {
    ChainError::Malformed { what: what.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::driver::data;

    #[test]
    fn v_and_y_parity_are_compared() {
        let compare = |members: &str| {
            let block = format!("{{\"transactions\":[{{}},{{{members}}}]}}");
            let answer = format!("{{\"result\":{block},\"id\":1}}");
            let results = [block, answer].map(|text| compare_parities(text.as_bytes()));
            results.map(|result| result.map_err(|error| error.to_string()))
        };
        for members in [
            r#""type":"0x2","v":"0x1","yParity":"0x1""#,
            r#""type":"0x1","v":"0x0","yParity":"0x0""#,
            r#""type":"0x2","v":"0x0""#,
            r#""type":"0x2","yParity":"0x1""#,
            r#""type":"0x0","v":"0x1b","yParity":"0x0""#,
            r#""v":"0x26","yParity":"0x1""#,
            r#""v":"0x25","yParity":"0x0""#,
        ] {
            assert!(compare(members).iter().all(Result::is_ok), "{members}");
        }
        for members in [
            r#""type":"0x2","v":"0x1","yParity":"0x0""#,
            r#""type":"0x4","v":"0x0","yParity":"0x1""#,
            r#""type":"0x2","v":"0x25","yParity":"0x0""#,
            r#""type":"0x0","v":"0x1c","yParity":"0x0""#,
            r#""v":"0x26","yParity":"0x0""#,
        ] {
            for result in compare(members) {
                let error = result.expect_err(members);
                assert!(error.contains("transaction 1: `v` 0x"), "{error}");
                assert!(error.contains("contradicts `yParity` 0x"), "{error}");
            }
        }
    }

    #[test]
    fn a_field_missing_between_others_is_an_error() {
        let Some(folder) = data("Ethereum blocks") else { return };
        let path = folder.join("ethereum/blocks/19933122.json");
        let text = std::fs::read_to_string(path).expect("a file");
        let whole: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for field in ["baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas"] {
            let mut json = whole.clone();
            let removed = json.as_object_mut().expect("an object").remove(field);
            assert!(removed.is_some(), "{field}");
            let error = Block::read(json.to_string().as_bytes()).expect_err(field);
            assert!(error.to_string().contains(&format!("no `{field}`")), "{error}");
        }
        let mut json = whole.clone();
        json.as_object_mut().expect("an object").remove("parentBeaconBlockRoot");
        assert!(Block::read(json.to_string().as_bytes()).is_ok(), "the last one ends the list");
    }

    #[test]
    fn a_flipped_v_of_a_real_block_is_an_error() {
        let Some(folder) = data("Ethereum blocks") else { return };
        let mut flipped = 0;
        for entry in std::fs::read_dir(folder.join("ethereum/blocks")).expect("a folder") {
            let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a file");
            let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let list = json["transactions"].as_array().expect("a list");
            let typed = list.iter().position(|tx| tx["v"].is_string() && tx["yParity"].is_string());
            let Some(position) = typed else { continue };
            let mut json = json.clone();
            let v = &mut json["transactions"][position]["v"];
            *v = if *v == "0x0" { "0x1" } else { "0x0" }.into();
            let error = Block::read(json.to_string().as_bytes()).expect_err("a contradiction");
            assert!(error.to_string().contains("`v`"), "{error}");
            flipped += 1;
        }
        println!("{flipped} blocks with a flipped `v`");
    }
}
