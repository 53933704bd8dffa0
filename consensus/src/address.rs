//! Accounts are named as Ethereum names them.

use crate::keccak;

/// The last 20 bytes of Keccak-256 of a public key, x || y. Written as `0x` and 40 digits, with
/// EIP-55's checksum in the case of the letters.
pub type Address = alloy_primitives::Address;

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `0x` and 40 hexadecimal digits.
    #[error("`{0}` is no address: `0x` and 40 hexadecimal digits are expected")]
    Form(String),
    /// Letters of both cases that are not EIP-55's checksum.
    #[error("`{0}` has a wrong checksum (EIP-55)")]
    Checksum(String),
}

/// The address of a public key, x || y, 32 bytes big-endian each.
pub fn of_key(key: &[u8; 64]) -> Address {
    Address::from_slice(&keccak(&[key]).0[12..])
}

/// Reads an address: digits in lower case, or with EIP-55's checksum.
///
/// # Errors
/// [`AddressError`], with the text.
pub fn parse(text: &str) -> Result<Address, AddressError> {
    let form = || AddressError::Form(text.to_owned());
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40).ok_or_else(form)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(form());
    }
    let address: Address = text.parse().map_err(|_| form())?;
    let lower = !digits.bytes().any(|digit| digit.is_ascii_uppercase());
    if !lower && address.to_checksum(None) != text {
        return Err(AddressError::Checksum(text.to_owned()));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EIP-55's first example.
    const TEXT: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    #[test]
    fn checksums_count_where_cases_are_mixed() {
        let address = parse(TEXT).unwrap();
        assert_eq!(address.to_checksum(None), TEXT);
        assert_eq!(parse(&TEXT.to_lowercase()), Ok(address));
        let wrong = TEXT.replace("5aA", "5aa");
        assert_eq!(parse(&wrong), Err(AddressError::Checksum(wrong.clone())));
    }

    #[test]
    fn other_forms_are_refused() {
        let texts = ["", "0x", "0x12", &TEXT[2..], &format!("{TEXT}0"), &TEXT.replace('f', "g")];
        for text in texts {
            assert_eq!(parse(text), Err(AddressError::Form(text.to_owned())));
        }
        let wide = format!("0x{}", "\u{e9}".repeat(20)); // 40 bytes, no digits
        assert_eq!(parse(&wide), Err(AddressError::Form(wide.clone())));
    }

    #[test]
    fn a_key_has_the_address_that_ethereum_gives_it() {
        // The secret key 1: its address is printed in many Ethereum texts.
        let key = crate::keys::AccountKey::from_bytes(&{
            let mut one = [0; 32];
            one[31] = 1;
            one
        });
        let address = key.unwrap().address();
        assert_eq!(address.to_checksum(None), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    }
}
