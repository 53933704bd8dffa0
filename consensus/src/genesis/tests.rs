use commonware_cryptography::Signer;

use super::*;
use crate::keys::VoteKey;

/// A genesis of so many validators, whose keys are named by their number.
pub(crate) fn text(validators: u8) -> String {
    let mut text = String::from(
        "format = 1\nname = \"test\"\ntime_ms = 1\n\n[limits]\nblock_bytes = 65536\n\
         block_transactions = 64\naccount_transactions = 4\nexpiry_heights = 100\n\
         epoch_heights = 1000\nminimum_balance = 10\n",
    );
    for n in 1..=validators {
        let identity = ed25519::PrivateKey::from_seed(n.into()).public_key();
        let vote = VoteKey::from_bytes(&[n; 32]).unwrap().public();
        text += &format!(
            "\n[[validators]]\nidentity = \"{}\"\nvote = \"{}\"\n",
            hex::encode(identity.encode()),
            hex::encode(vote)
        );
    }
    text + "\n[accounts]\n\
        \"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\" = 1000\n\
        \"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\" = 10\n"
}

fn parse(text: &str) -> Result<Genesis, GenesisError> {
    Genesis::parse(text, |path| panic!("{} was asked for", path.display()))
}

/// The text with one piece in place of another, which must be there once.
fn with(from: &str, to: &str) -> String {
    let text = text(4);
    assert_eq!(text.matches(from).count(), 1, "`{from}`");
    text.replace(from, to)
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    let genesis = parse(&text(4)).unwrap();
    let mut parts: Vec<_> = text(4).split("\n[[").map(str::to_owned).collect();
    let last = parts.pop().unwrap();
    let (last, accounts) = last.split_once("\n[accounts]").unwrap();
    let mut turned = parts.remove(0);
    for part in [last.to_owned()].into_iter().chain(parts.into_iter().rev()) {
        turned += &format!("\n[[{part}");
    }
    turned += &format!("\n[accounts]{accounts}");
    assert_ne!(turned, text(4));
    assert_eq!(parse(&turned).unwrap(), genesis);
    assert_eq!(genesis.supply(), 1_010);
    assert!(genesis.validators.is_sorted());
    assert!(genesis.accounts.is_sorted());
}

#[test]
fn the_canonical_bytes_lie_where_the_specification_says() {
    let genesis = parse(&text(2)).unwrap();
    let bytes = genesis.canonical();
    assert_eq!(bytes[..21], *b"sigmill:genesis1\x04test");
    assert_eq!(bytes[21..29], 1_u64.to_be_bytes());
    let limits = [65_536_u32, 64, 4, 100, 1_000].map(u32::to_be_bytes);
    assert_eq!(bytes[29..49], *limits.as_flattened());
    assert_eq!(bytes[49..57], 10_u64.to_be_bytes());
    assert_eq!(bytes[57..61], [0, 0, 0, 2]);
    assert_eq!(bytes[61..93], *genesis.validators[0].identity.as_ref());
    assert_eq!(bytes[93..125], genesis.validators[0].vote);
    assert_eq!(bytes[189..193], [0, 0, 0, 2]);
    assert_eq!(bytes.len(), 193 + 32);
    assert_eq!(genesis.chain(), keccak(&[&bytes]));
}

#[test]
fn everything_in_the_file_is_part_of_the_chain() {
    let chain = parse(&text(4)).unwrap().chain();
    for (from, to) in [
        ("\"test\"", "\"tess\""),
        ("time_ms = 1\n", "time_ms = 2\n"),
        ("block_bytes = 65536", "block_bytes = 65537"),
        ("block_transactions = 64", "block_transactions = 65"),
        ("account_transactions = 4", "account_transactions = 5"),
        ("expiry_heights = 100", "expiry_heights = 101"),
        ("epoch_heights = 1000", "epoch_heights = 1001"),
        ("minimum_balance = 10", "minimum_balance = 9"),
        ("\" = 1000", "\" = 1001"),
        (
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaee",
        ),
    ] {
        assert_ne!(parse(&with(from, to)).unwrap().chain(), chain, "{to}");
    }
    assert_ne!(parse(&text(3)).unwrap().chain(), chain);
}

#[test]
fn accounts_may_lie_in_a_file_of_their_own() {
    let (head, _) =
        text(4).split_once("\n[accounts]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let named = head.replace("time_ms = 1\n", "time_ms = 1\naccounts_file = \"a.txt\"\n");
    let open = |list: &'static str| {
        let named = named.clone();
        move || {
            Genesis::parse(&named, |path| {
                assert_eq!(path, Path::new("a.txt"));
                Ok(list.to_owned())
            })
        }
    };
    let list = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359 10\n\
                0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed 1000\n";
    assert_eq!(open(list)().unwrap(), parse(&text(4)).unwrap());
    for (list, field) in [
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\n", "accounts_file line 1"),
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed 010\n", "accounts_file line 1"),
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed +10\n", "accounts_file line 1"),
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed 10\n\n", "accounts_file line 2"),
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1bead 10\n", "accounts_file line 1"),
    ] {
        match open(list)().unwrap_err() {
            GenesisError::Field { field: found, .. } => assert_eq!(found, field, "{list}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn refusals_name_their_field() {
    let first = hex::encode(VoteKey::from_bytes(&[1; 32]).unwrap().public());
    let second = hex::encode(VoteKey::from_bytes(&[2; 32]).unwrap().public());
    let identity = |n| hex::encode(ed25519::PrivateKey::from_seed(n).public_key().encode());
    for (changed, field) in [
        (with("format = 1", "format = 2"), "format"),
        (with("\"test\"", "\"\""), "name"),
        (with("\"test\"", "\"Test\""), "name"),
        (with("time_ms = 1\n", "time_ms = 0\n"), "time_ms"),
        (with("block_bytes = 65536", "block_bytes = 1"), "limits.block_bytes"),
        (with("block_bytes = 65536", "block_bytes = 16777217"), "limits.block_bytes"),
        (with("_transactions = 64", "_transactions = 0"), "limits.block_transactions"),
        (
            with("account_transactions = 4", "account_transactions = 0"),
            "limits.account_transactions",
        ),
        (with("expiry_heights = 100", "expiry_heights = 0"), "limits.expiry_heights"),
        (with("epoch_heights = 1000", "epoch_heights = 15"), "limits.epoch_heights"),
        (with("epoch_heights = 1000", "epoch_heights = 2147483649"), "limits.epoch_heights"),
        (with("minimum_balance = 10", "minimum_balance = 0"), "limits.minimum_balance"),
        (with(&first, &first[1..]), "validators[0].vote"),
        (with(&first, &first.to_uppercase()), "validators[0].vote"),
        (with(&first, &"f".repeat(64)), "validators[0].vote"),
        (with(&first, &second), "validators[1].vote"),
        (with(&identity(3), "00"), "validators[2].identity"),
        (with(&identity(3), &identity(2)), "validators"),
        (text(0).replace("name", "validators = []\nname"), "validators"),
        (with("0xfB69", "0xfb69"), "accounts.0xfb6916095ca1df60bB79Ce92cE3Ea74c37c5d359"),
        (with("\" = 1000", "\" = 9223372036854775798"), "accounts"), // with 10 one more than allowed
        (with("\" = 1000", "\" = 18446744073709551615"), "accounts"),
        (text(4).split("\n[accounts]").next().unwrap().to_owned(), "accounts"),
        (with("time_ms = 1\n", "time_ms = 1\naccounts_file = \"a\"\n"), "accounts_file"),
        (
            with("\" = 1000\n", "\" = 1000\n\"0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359\" = 10\n"),
            "accounts.0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        ),
        (with("\" = 1000", "\" = 9"), "accounts.0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    ] {
        match parse(&changed) {
            Err(GenesisError::Field { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{field}: {other:?}"),
        }
    }
}

#[test]
fn fields_too_many_or_too_few_are_refused() {
    for changed in [
        with("time_ms = 1\n", ""),
        with("time_ms = 1\n", "time_ms = 1\nextra = 1\n"),
        with("expiry_heights = 100\n", ""),
        with("epoch_heights = 1000\n", ""),
        with("expiry_heights = 100", "expiry_heights = 100\nextra = 1"),
        with("\" = 1000", "\" = -1"),
        with("\" = 1000", "\" = 18446744073709551616"),
        with("\" = 1000", "\" = \"1000\""),
        text(1).replace("vote = ", "extra = 1\nvote = "),
        text(1) + "time_ms",
        String::new(),
    ] {
        let error = parse(&changed).unwrap_err();
        assert!(matches!(error, GenesisError::Syntax(_)), "{error}");
    }
    let error = parse(&with("time_ms = 1\n", "")).unwrap_err();
    assert!(error.to_string().contains("time_ms"), "{error}");
}

#[test]
fn files_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("genesis.toml");
    let error = Genesis::read(&path).unwrap_err().to_string();
    assert!(error.contains("genesis.toml"), "{error}");
    std::fs::write(&path, text(4)).unwrap();
    assert_eq!(Genesis::read(&path).unwrap(), parse(&text(4)).unwrap());
}
