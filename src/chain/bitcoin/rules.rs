//! Which consensus rules are in force for a block.

use bitcoin::block::Header;

/// The chain that a block belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// The main chain.
    #[default]
    Main,
    /// Testnet 3.
    Test,
    /// Signet: all rules are in force from the first block.
    Signet,
}

/// What the caller knows about a block and the block does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The chain.
    pub network: Network,
    /// The height; `None`: what the coinbase states (BIP 34) if plausible, else today's rules.
    pub height: Option<u32>,
}

/// The soft forks in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Force {
    /// BIP 16.
    pub script_hash: bool,
    /// BIP 66: strict DER.
    pub strict_der: bool,
    /// BIP 65.
    pub lock_time: bool,
    /// BIPs 68 and 112.
    pub sequence: bool,
    /// BIPs 141, 143.
    pub witness: bool,
    /// BIP 147: the dummy of CHECKMULTISIG is empty.
    pub null_dummy: bool,
    /// BIPs 341, 342.
    pub taproot: bool,
}

impl Force {
    /// Today's rules.
    pub(super) const TODAY: Force = Force {
        script_hash: true,
        strict_der: true,
        lock_time: true,
        sequence: true,
        witness: true,
        null_dummy: true,
        taproot: true,
    };

    /// The rules for a block with this header, whose coinbase states `stated` as its height.
    pub(super) fn of(rules: Rules, header: &Header, stated: Option<u32>) -> Force {
        let heights = match rules.network {
            Network::Main => &MAIN,
            Network::Test => &TEST,
            Network::Signet => return Force::TODAY,
        };
        let time = header.time;
        let script_hash = time >= SCRIPT_HASH_TIME;
        let stated = stated.filter(|height| match rules.network {
            Network::Main => plausible_on_main(*height, time),
            _ => *height >= heights.height_in_coinbase,
        });
        let stated = stated.filter(|_| header.version.to_consensus() >= 2);
        let early = rules.network == Network::Main && time < HEIGHT_IN_COINBASE_TIME;
        let Some(height) = rules.height.or(stated).or(early.then_some(0)) else {
            return Force { script_hash, ..Force::TODAY };
        };
        Force {
            script_hash,
            strict_der: height >= heights.strict_der,
            lock_time: height >= heights.lock_time,
            sequence: height >= heights.sequence,
            witness: height >= heights.witness,
            null_dummy: height >= heights.witness,
            taproot: height >= heights.taproot,
        }
    }
}

/// Whether the main chain could have had this height at this time: blocks came 10 minutes apart by
/// design and 9.4 to 10.5 by record, from block 100,000 on.
fn plausible_on_main(height: u32, time: u32) -> bool {
    let elapsed = u64::from(time.saturating_sub(GENESIS_TIME));
    let height = u64::from(height);
    height >= 100_000 && (height * 540..height * 660).contains(&elapsed)
}

/// First block of each rule.
struct Heights {
    height_in_coinbase: u32,
    strict_der: u32,
    lock_time: u32,
    sequence: u32,
    witness: u32,
    taproot: u32,
}

/// As Bitcoin Core's chainparams state them (BIP 90).
const MAIN: Heights = Heights {
    height_in_coinbase: 227_931,
    strict_der: 363_725,
    lock_time: 388_381,
    sequence: 419_328,
    witness: 481_824,
    taproot: 709_632,
};

/// Taproot: no block of testnet 3 breaks it, so nodes enforce it from the first.
const TEST: Heights = Heights {
    height_in_coinbase: 21_111,
    strict_der: 330_776,
    lock_time: 581_885,
    sequence: 770_112,
    witness: 834_624,
    taproot: 0,
};

/// Time of the first block of the main chain; no block of any chain is older.
pub(super) const GENESIS_TIME: u32 = 1_231_006_505;
/// BIP 16 is in force for blocks of 2012-04-01 and later.
const SCRIPT_HASH_TIME: u32 = 1_333_238_400;
/// Time of main block 227,931, less the two hours by which a block's time may be ahead.
const HEIGHT_IN_COINBASE_TIME: u32 = 1_364_140_204 - 7_200;

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;

    fn header(version: i32, time: u32) -> Header {
        Header {
            version: bitcoin::block::Version::from_consensus(version),
            prev_blockhash: bitcoin::BlockHash::all_zeros(),
            merkle_root: bitcoin::TxMerkleNode::all_zeros(),
            time,
            bits: bitcoin::CompactTarget::from_consensus(0),
            nonce: 0,
        }
    }

    #[test]
    fn the_coinbase_tells_the_height() {
        let rules = Rules::default();
        // Times of main blocks 363,724 and 866,342.
        let before = Force::of(rules, &header(3, 1_435_974_000), Some(363_724));
        assert!(!before.strict_der && before.script_hash && !before.witness);
        let after = Force::of(rules, &header(3, 1_435_974_900), Some(363_725));
        assert!(after.strict_der && !after.lock_time);
        let now = Force::of(rules, &header(0x2000_0000, 1_729_300_000), Some(866_342));
        assert_eq!(now, Force::TODAY);
    }

    #[test]
    fn what_is_not_plausible_gets_todays_rules() {
        let rules = Rules::default();
        let time = 1_729_300_000;
        assert_eq!(Force::of(rules, &header(2, time), Some(300_000)), Force::TODAY);
        assert_eq!(Force::of(rules, &header(2, time), None), Force::TODAY);
        assert_eq!(Force::of(rules, &header(1, 1_435_974_000), Some(363_724)), Force::TODAY);
        // Before BIP 34 no height is needed: time alone tells that BIP 66 was not there yet.
        assert!(!Force::of(rules, &header(1, 1_354_116_278), None).strict_der);
    }

    #[test]
    fn the_caller_is_believed() {
        let rules = Rules { network: Network::Main, height: Some(709_631) };
        let force = Force::of(rules, &header(1, 1_729_300_000), Some(866_342));
        assert!(force.witness && !force.taproot);
        let rules = Rules { network: Network::Test, height: Some(834_624) };
        assert_eq!(Force::of(rules, &header(1, 1_473_600_000), None), Force::TODAY);
        let rules = Rules { network: Network::Signet, height: Some(1) };
        assert_eq!(Force::of(rules, &header(1, 1_600_000_000), None), Force::TODAY);
    }
}
