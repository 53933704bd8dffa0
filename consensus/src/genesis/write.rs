//! Writes a genesis file.

use std::fmt::Write;

use alloy_primitives::hex;
use commonware_codec::Encode;

use super::{Genesis, Limits, Validator};

impl Genesis {
    /// The text of a genesis file that is read as this genesis. Its accounts are listed in it, or, with
    /// `accounts_file`, expected in that file ([`Genesis::accounts_text`]), relative to its folder.
    pub fn text(&self, accounts_file: Option<&str>) -> String {
        let Limits {
            block_bytes,
            block_transactions,
            account_transactions,
            expiry_heights,
            epoch_heights,
            minimum_balance,
        } = self.limits;
        let mut text = format!(
            "format = 1\nname = {}\ntime_ms = {}\n",
            toml::Value::from(&*self.name),
            self.time_ms
        );
        if let Some(path) = accounts_file {
            text += &format!("accounts_file = {}\n", toml::Value::from(path));
        }
        text += &format!(
            "\n[limits]\nblock_bytes = {block_bytes}\nblock_transactions = {block_transactions}\n\
             account_transactions = {account_transactions}\nexpiry_heights = {expiry_heights}\n\
             epoch_heights = {epoch_heights}\nminimum_balance = {minimum_balance}\n"
        );
        for Validator { identity, vote } in &self.validators {
            let (identity, vote) = (hex::encode(identity.encode()), hex::encode(vote));
            text += &format!("\n[[validators]]\nidentity = \"{identity}\"\nvote = \"{vote}\"\n");
        }
        if accounts_file.is_none() {
            text += "\n[accounts]\n";
            for (address, balance) in &self.accounts {
                writeln!(text, "\"{address:?}\" = {balance}").expect("a string takes all");
            }
        }
        text
    }

    /// The text of a file of accounts: a line each, address and balance.
    pub fn accounts_text(&self) -> String {
        let mut text = String::new();
        for (address, balance) in &self.accounts {
            writeln!(text, "{address:?} {balance}").expect("a string takes all");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::genesis::tests::text;

    #[test]
    fn what_is_written_is_read_as_the_same_genesis() {
        let none = |_: &Path| panic!("no file is named");
        let genesis = Genesis::parse(&text(4), none).unwrap();
        assert_eq!(Genesis::parse(&genesis.text(None), none).unwrap(), genesis);
        let path = "a \"b\".txt";
        let read = Genesis::parse(&genesis.text(Some(path)), |found| {
            assert_eq!(found, Path::new(path));
            Ok(genesis.accounts_text())
        });
        assert_eq!(read.unwrap(), genesis);
    }
}
