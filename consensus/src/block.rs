//! Blocks: a header, which consensus orders by its hash, and the transactions that it commits to.

use std::sync::Arc;

use bytes::{Buf as _, BufMut};
use commonware_codec::{Buf, EncodeSize, Error as CodecError, Read, ReadExt, Write};
use commonware_cryptography::Digestible;
use rayon::prelude::*;
use sigmill::error::BatchError;
use sigmill::{Algorithm, Batch, Engine, Job, Terms};

use crate::crypto::Crypto;
use crate::fields::{DecodeError, Fields};
use crate::genesis::{Genesis, Limits};
use crate::resolve::resolve;
use crate::transaction::{Kinds, SHORTEST, SignedTransaction};
use crate::{Hash, keccak};

#[cfg(feature = "validator")]
mod consensus;

/// What goes before a header when it is hashed.
pub const HEADER_TAG: &[u8; 16] = b"sigmill:header01";
/// Bytes of a header.
pub const HEADER_BYTES: usize = 169;

/// What consensus orders, and all that a light client needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The chain.
    pub chain: Hash,
    /// Blocks before it, the genesis block included.
    pub height: u64,
    /// The epoch of the validators that vote on it.
    pub epoch: u64,
    /// The view in which it was proposed.
    pub view: u64,
    /// Hash of the parent's header.
    pub parent: Hash,
    /// Milliseconds since 1970 began (UTC); more than the parent's.
    pub time_ms: u64,
    /// Index of the proposer among the epoch's validators.
    pub proposer: u32,
    /// Number of transactions. With it, a root has one list only.
    pub transactions: u32,
    /// Root of the tree of their hashes.
    pub transactions_root: [u8; 32],
    /// Root of the state that the parent left.
    pub state_root: [u8; 32],
}

impl Header {
    /// The block that everything begins with: no one proposes it.
    pub fn genesis(genesis: &Genesis) -> Self {
        Header {
            chain: genesis.chain(),
            height: 0,
            epoch: 0,
            view: 0,
            parent: Hash::from([0; 32]),
            time_ms: genesis.time_ms,
            proposer: 0,
            transactions: 0,
            transactions_root: [0; 32],
            state_root: [0; 32],
        }
    }

    /// Its encoding.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut rest = &mut bytes[..];
        rest.put_u8(1);
        rest.put_slice(&self.chain.0);
        rest.put_u64(self.height);
        rest.put_u64(self.epoch);
        rest.put_u64(self.view);
        rest.put_slice(&self.parent.0);
        rest.put_u64(self.time_ms);
        rest.put_u32(self.proposer);
        rest.put_u32(self.transactions);
        rest.put_slice(&self.transactions_root);
        rest.put_slice(&self.state_root);
        debug_assert!(rest.is_empty());
        bytes
    }

    /// Reads one header, the whole of the bytes.
    ///
    /// # Errors
    /// [`DecodeError`]: the first field that no encoder writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes);
        let header = Header::read(&mut fields)?;
        fields.end()?;
        Ok(header)
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        fields.version()?;
        Ok(Header {
            chain: Hash::from(fields.array::<32>("chain")?),
            height: fields.u64("height")?,
            epoch: fields.u64("epoch")?,
            view: fields.u64("view")?,
            parent: Hash::from(fields.array::<32>("parent")?),
            time_ms: fields.u64("time")?,
            proposer: fields.u32("proposer")?,
            transactions: fields.u32("transactions")?,
            transactions_root: fields.array("transactions root")?,
            state_root: fields.array("state root")?,
        })
    }

    /// The block's name, which votes are for.
    pub fn hash(&self) -> Hash {
        keccak(&[HEADER_TAG, &self.encode()])
    }
}

/// Root of the tree over the hashes of a block's transactions: Bitcoin's, over double SHA-256. Zero
/// without any.
///
/// # Errors
/// [`BatchError`]: more leaves than a job may have, 2^25.
pub fn transactions_root(
    engine: &Engine,
    hashes: &[[u8; 32]],
    terms: Terms,
) -> Result<[u8; 32], BatchError> {
    let mut batch = Batch::open(Algorithm::MerkleRootSha256d);
    batch.push(Job::MerkleRoot { leaves: hashes })?;
    let resolved = resolve(engine, batch.seal(), terms);
    Ok(*resolved.digests().next().expect("one tree has one root"))
}

/// A header with its transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// As many transactions as the header says, in the order in which they take effect.
    pub transactions: Arc<Vec<SignedTransaction>>,
}

impl Block {
    /// The encoding: the header, then the transactions.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_bytes());
        bytes.extend_from_slice(&self.header.encode());
        for one in self.transactions.iter() {
            one.encode_into(&mut bytes);
        }
        bytes
    }

    /// Bytes of its encoding.
    pub fn encoded_bytes(&self) -> usize {
        let transactions = self.transactions.iter().map(SignedTransaction::encoded_bytes);
        HEADER_BYTES + transactions.sum::<usize>()
    }

    /// Whether the transactions are those that the header commits to; computed on the host.
    pub fn is_whole(&self) -> bool {
        let host = Crypto::Libsecp256k1;
        let ids: Vec<_> = self.transactions.par_iter().map(|one| one.hash().0).collect();
        host.transactions_root(&ids, Terms::default()) == self.header.transactions_root
    }

    /// Reads one block, the whole of the bytes. Whether it [is whole](Self::is_whole) is not looked
    /// at. Takes memory for as many transactions as the bytes
    /// can hold, and no more.
    ///
    /// # Errors
    /// [`DecodeError`]: the first field that no encoder writes or that exceeds a limit.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        within("block bytes", bytes.len() as u64, limits.block_bytes.into())?;
        let mut fields = Fields::new(bytes);
        let header = Header::read(&mut fields)?;
        within("transactions", header.transactions.into(), limits.block_transactions.into())?;
        let count = header.transactions as usize;
        let want = count * SHORTEST;
        if fields.left() < want {
            return Err(DecodeError::Short { field: "transactions", want, got: fields.left() });
        }
        let mut transactions = Vec::with_capacity(count);
        for _ in 0..count {
            transactions.push(SignedTransaction::read(&mut fields, Kinds::All)?);
        }
        fields.end()?;
        Ok(Block { header, transactions: Arc::new(transactions) })
    }
}

fn within(field: &'static str, value: u64, limit: u64) -> Result<(), DecodeError> {
    if value > limit { Err(DecodeError::Limit { field, value, limit }) } else { Ok(()) }
}

impl Digestible for Block {
    type Digest = Hash;

    fn digest(&self) -> Hash {
        self.header.hash()
    }
}

/// On the wire and in archives: the number of bytes (u32), then the encoding. What is read has the
/// transactions that its header commits to: the header's hash names the whole block, and another
/// body must not take the place of the one that consensus ordered.
impl Write for Block {
    fn write(&self, writer: &mut impl BufMut) {
        let bytes = self.encode();
        writer.put_u32(bytes.len() as u32);
        writer.put_slice(&bytes);
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        4 + self.encoded_bytes()
    }
}

impl Read for Block {
    type Cfg = Limits;

    fn read_cfg(reader: &mut impl Buf, limits: &Limits) -> Result<Self, CodecError> {
        let bytes = u32::read(reader)?;
        if bytes > limits.block_bytes {
            return Err(CodecError::InvalidLength(bytes as usize));
        }
        let bytes = bytes as usize;
        if reader.remaining() < bytes {
            return Err(CodecError::EndOfBuffer);
        }
        let bytes = reader.copy_to_bytes(bytes);
        let block = Block::decode(&bytes, limits)
            .map_err(|error| CodecError::Wrapped("block", error.into()))?;
        match block.is_whole() {
            true => Ok(block),
            false => Err(CodecError::Invalid("block", "the transactions have another root")),
        }
    }
}

#[cfg(test)]
mod tests {
    use commonware_codec::{Decode, Encode};

    use super::*;
    use crate::transaction::tests::{record, transfer};

    fn limits() -> Limits {
        Limits { block_bytes: 4_096, block_transactions: 8, ..Limits::default() }
    }

    fn block(transactions: Vec<SignedTransaction>) -> Block {
        let ids: Vec<_> = transactions.iter().map(|one| one.hash().0).collect();
        let header = Header {
            chain: Hash::from([1; 32]),
            height: 2,
            epoch: 3,
            view: 4,
            parent: Hash::from([5; 32]),
            time_ms: 6,
            proposer: 7,
            transactions: transactions.len() as u32,
            transactions_root: naive(&ids),
            state_root: [9; 32],
        };
        Block { header, transactions: Arc::new(transactions) }
    }

    #[test]
    fn fields_lie_where_the_specification_says() {
        let header = block(vec![transfer(1, 0)]).header;
        let bytes = Header { transactions_root: [8; 32], ..header }.encode();
        assert_eq!((bytes[0], &bytes[1..33]), (1, &[1; 32][..]));
        for (at, value) in [(33, 2_u64), (41, 3), (49, 4), (89, 6)] {
            assert_eq!(bytes[at..at + 8], value.to_be_bytes(), "byte {at}");
        }
        assert_eq!(bytes[57..89], [5; 32]);
        assert_eq!(bytes[97..105], [0, 0, 0, 7, 0, 0, 0, 1]);
        assert_eq!((&bytes[105..137], &bytes[137..]), (&[8; 32][..], &[9; 32][..]));
    }

    #[test]
    fn what_is_decoded_encodes_to_the_same_bytes() {
        for list in [vec![], vec![transfer(1, 0)], vec![record(2, 0), transfer(3, 9)]] {
            let block = block(list);
            let bytes = block.encode();
            assert_eq!(bytes.len(), block.encoded_bytes());
            assert_eq!(Block::decode(&bytes, &limits()), Ok(block.clone()));
            assert_eq!(Header::decode(&bytes[..HEADER_BYTES]), Ok(block.header.clone()));
            let coded = Encode::encode(&block);
            assert_eq!(Block::decode_cfg(coded, &limits()).unwrap(), block);
        }
    }

    #[test]
    fn another_body_is_no_block_of_that_header() {
        let (mine, other) = (block(vec![transfer(1, 0)]), block(vec![transfer(2, 0)]));
        let forged = Block { header: mine.header.clone(), ..other };
        assert_eq!(forged.digest(), mine.digest());
        assert!(mine.is_whole() && !forged.is_whole());
        assert!(Block::decode_cfg(Encode::encode(&mine), &limits()).is_ok());
        assert!(Block::decode_cfg(Encode::encode(&forged), &limits()).is_err());
    }

    #[test]
    fn every_cut_is_refused() {
        let block = block(vec![transfer(1, 0), record(2, 0)]);
        let (bytes, coded) = (block.encode(), Encode::encode(&block));
        for end in 0..bytes.len() {
            let error = Block::decode(&bytes[..end], &limits()).unwrap_err();
            assert!(matches!(error, DecodeError::Short { .. }), "{end}: {error}");
        }
        for end in 0..coded.len() {
            assert!(Block::decode_cfg(coded.slice(..end), &limits()).is_err(), "{end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Block::decode(&longer, &limits()), Err(DecodeError::Trailing { bytes: 1 }));
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let full = block((1..9).map(|n| transfer(n, 0)).collect());
        let bytes = full.encode();
        let exact = Limits { block_bytes: bytes.len() as u32, ..limits() };
        assert!(Block::decode(&bytes, &exact).is_ok());
        let less = Limits { block_bytes: exact.block_bytes - 1, ..exact.clone() };
        let (field, value) = ("block bytes", bytes.len() as u64);
        let error = DecodeError::Limit { field, value, limit: value - 1 };
        assert_eq!(Block::decode(&bytes, &less), Err(error));
        assert!(Block::decode_cfg(Encode::encode(&full), &less).is_err());
        let fewer = Limits { block_transactions: 7, ..exact };
        let error = DecodeError::Limit { field: "transactions", value: 8, limit: 7 };
        assert_eq!(Block::decode(&bytes, &fewer), Err(error));
    }

    #[test]
    fn a_count_without_bytes_takes_no_memory() {
        let mut bytes = block(vec![]).header.encode();
        bytes[101..105].fill(0xff);
        let loose = Limits { block_transactions: u32::MAX, ..limits() };
        match Block::decode(&bytes, &loose).unwrap_err() {
            DecodeError::Short { field, .. } => assert_eq!(field, "transactions"),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_block_is_named_by_its_header() {
        let one = block(vec![transfer(1, 0)]);
        assert_eq!(one.digest(), one.header.hash());
        let bytes = one.header.encode();
        for bit in 8..HEADER_BYTES * 8 {
            let mut other = bytes;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Header::decode(&other).unwrap().hash(), one.digest(), "bit {bit}");
        }
    }

    /// The tree by its definition.
    fn naive(level: &[[u8; 32]]) -> [u8; 32] {
        use commonware_cryptography::{Hasher, Sha256};
        match level {
            [] => [0; 32],
            [root] => *root,
            _ => {
                let above = level.chunks(2).map(|pair| {
                    let once = Sha256::hash(&[&pair[0], &pair[pair.len() - 1]]);
                    Sha256::hash(&[&once.0]).0
                });
                naive(&above.collect::<Vec<_>>())
            }
        }
    }

    #[test]
    fn roots_are_bitcoins_and_the_count_tells_repeated_tails_apart() {
        let engine = Engine::builder().threads(1).open().unwrap();
        let hashes: Vec<_> = (0..9).map(|n| keccak(&[&[n]]).0).collect();
        let root = |list: &[[u8; 32]]| transactions_root(&engine, list, Terms::default()).unwrap();
        for count in 0..=9 {
            assert_eq!(root(&hashes[..count]), naive(&hashes[..count]), "{count}");
        }
        let mut repeated = hashes[..3].to_vec();
        repeated.push(hashes[2]);
        assert_eq!(root(&repeated), root(&hashes[..3])); // CVE-2012-2459
        let header = |list: &[[u8; 32]]| Header {
            transactions: list.len() as u32,
            transactions_root: root(list),
            ..block(vec![]).header
        };
        assert_ne!(header(&repeated).hash(), header(&hashes[..3]).hash());
    }

    #[test]
    fn records_fill_a_block_too() {
        let block = block((1..9).map(|n| record(n, 0)).collect());
        assert_eq!(block.encoded_bytes(), HEADER_BYTES + 8 * 181);
        assert_eq!(Block::decode(&block.encode(), &limits()), Ok(block));
    }
}
