//! Genesis files, key files, addresses. What stands after a line `===` is the file of accounts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sigmill_consensus::keys::ValidatorKeys;
use sigmill_consensus::{Genesis, address};

fn genesis(text: &str, accounts: &str) {
    match Genesis::parse(text, |_| Ok(accounts.to_owned())) {
        // What is written again, in either way, is the same chain.
        Ok(genesis) => {
            let text = genesis.text(None);
            let again = Genesis::parse(&text, |_| panic!("no file is named")).unwrap();
            assert_eq!((again.chain(), &again), (genesis.chain(), &genesis));
            let listed =
                Genesis::parse(&genesis.text(Some("list")), |_| Ok(genesis.accounts_text()));
            assert_eq!(listed.unwrap(), genesis);
            assert_eq!(again.text(None), text);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fuzz_target!(|text: &str| {
    let (file, accounts) = text.split_once("\n===\n").unwrap_or((text, ""));
    genesis(file, accounts);
    if let Ok(keys) = ValidatorKeys::parse(text) {
        let lower = text.to_lowercase();
        assert_eq!(ValidatorKeys::parse(&lower).unwrap().public(), keys.public());
    }
    for line in text.lines() {
        let Ok(address) = address::parse(line) else { continue };
        assert_eq!(address::parse(&address.to_checksum(None)), Ok(address));
        let lower = format!("{address:#x}");
        assert_eq!(address::parse(&lower), Ok(address));
        assert!(line.eq_ignore_ascii_case(&lower));
    }
});
