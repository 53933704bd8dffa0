//! What a block commits to: proof of work, Merkle root, witness commitment.

use std::collections::HashMap;

use bitcoin::block::Header;
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{Block, Transaction};

use super::rules::{Force, Network};

/// What the witness commitment (BIP 141) has to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WitnessCommitment {
    /// None is made and none is needed.
    Absent,
    /// One is needed and missing, or has no reserved value, for the reason named.
    Broken(&'static str),
    /// The commitment and the reserved value.
    Made([u8; 32], [u8; 32]),
}

impl WitnessCommitment {
    /// Reads it from the coinbase: the last output that begins with the marker.
    pub(super) fn of(block: &Block, force: Force) -> WitnessCommitment {
        const MARKER: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
        let coinbase = &block.txdata[0];
        let made = coinbase.output.iter().rev().find_map(|output| {
            output.script_pubkey.as_bytes().strip_prefix(&MARKER)?.first_chunk::<32>()
        });
        match made.filter(|_| force.witness) {
            Some(made) => {
                let witness = coinbase.input.first().map(|input| input.witness.to_vec());
                match witness.as_deref().unwrap_or_default() {
                    [reserved] if reserved.len() == 32 => WitnessCommitment::Made(
                        *made,
                        reserved.as_slice().try_into().expect("the length is 32"),
                    ),
                    _ => WitnessCommitment::Broken("the coinbase has no reserved value"),
                }
            }
            None if block.txdata.iter().any(has_witness) => {
                WitnessCommitment::Broken("there is witness data and no commitment to it")
            }
            None => WitnessCommitment::Absent,
        }
    }
}

/// Whether the transaction carries a witness, so that its two identities differ.
pub(super) fn has_witness(transaction: &Transaction) -> bool {
    transaction.input.iter().any(|input| !input.witness.is_empty())
}

/// The transaction without its witnesses, as its id is made of it.
pub(super) fn without_witness(transaction: &Transaction) -> Vec<u8> {
    let mut bytes = serialize(&transaction.version);
    bytes.reserve(transaction.base_size());
    bytes.extend_from_slice(&serialize(&transaction.input));
    bytes.extend_from_slice(&serialize(&transaction.output));
    bytes.extend_from_slice(&serialize(&transaction.lock_time));
    bytes
}

/// The first transaction that stands twice in the list, and where it stood before. Repeating the
/// end of the list can leave the Merkle root as it was (CVE-2012-2459), and no valid block holds a
/// transaction twice.
pub(super) fn repeated(identities: &[Option<[u8; 32]>]) -> Option<(usize, usize)> {
    let mut seen = HashMap::with_capacity(identities.len());
    identities.iter().enumerate().find_map(|(position, identity)| {
        let before = seen.insert((*identity)?, position)?;
        Some((position, before))
    })
}

/// Whether the header's hash meets the target that the header states, and that target is one the
/// network allows. `hash` is in the byte order in which it was computed.
pub(super) fn proof_of_work(header: &Header, hash: &[u8; 32], network: Network) -> bool {
    let Some(mut target) = target(header.bits.to_consensus()) else {
        return false;
    };
    let limit = match network {
        Network::Main | Network::Test => 0x1d00_ffff,
        Network::Signet => 0x1e03_77ae,
    };
    let mut hash = *hash;
    // Numbers are little-endian; arrays compare from their first byte on.
    hash.reverse();
    target.reverse();
    let mut easiest = self::target(limit).expect("the limits are targets");
    easiest.reverse();
    hash <= target && target <= easiest
}

/// The 256-bit number, little-endian, whose compact form is `bits`: mantissa of 23 bits and sign,
/// exponent in bytes. `None` for zero, negative and too large.
fn target(bits: u32) -> Option<[u8; 32]> {
    let exponent = (bits >> 24) as usize;
    let mantissa = (bits & 0x007f_ffff).to_le_bytes();
    if bits & 0x0080_0000 != 0 {
        return None;
    }
    let mut target = [0; 32];
    for (index, byte) in mantissa.into_iter().enumerate().filter(|(_, byte)| *byte != 0) {
        // What falls below the exponent is cut off, what lies above 256 bits is too large.
        if let Some(position) = (exponent + index).checked_sub(3) {
            *target.get_mut(position)? = byte;
        }
    }
    (target != [0; 32]).then_some(target)
}

/// A hash as the chain's tools print it: last byte first.
pub(super) fn printed(hash: &[u8; 32]) -> String {
    bitcoin::hashes::sha256d::Hash::from_byte_array(*hash).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_targets() {
        let at = |bits, position: usize| target(bits).map(|target| target[position]);
        assert_eq!(at(0x1d00_ffff, 26), Some(0xff));
        assert_eq!(at(0x1d00_ffff, 28), Some(0));
        assert_eq!(at(0x2012_3456, 31), Some(0x12));
        assert_eq!(target(0x2112_3456), None);
        assert_eq!(target(0x2200_0056).map(|target| target[31]), Some(0x56));
        assert_eq!(target(0x1d80_0001), None);
        assert_eq!(target(0x0100_3456), None);
        assert_eq!(at(0x0112_3456, 0), Some(0x12));
        assert_eq!(target(0), None);
    }

    #[test]
    fn repetition_is_found() {
        let list = [1, 2, 3, 3].map(|byte| Some([byte; 32]));
        assert_eq!(repeated(&list), Some((3, 2)));
        assert_eq!(repeated(&list[..3]), None);
        assert_eq!(repeated(&[None, None]), None);
    }
}
