//! Which form an input has, and the check that belongs to it.

use super::bitcoin::{BlockCheck, Rules, is_block};
use super::records::{ETHRCV_MAGIC, EthrcvCheck, FILE_LIMIT, SIGCHK_MAGIC, SigchkCheck};
use super::{ChainError, Check, Kind, ethereum};

/// The form of the input by its first bytes, of which 1,024 suffice; `None` if it looks like nothing
/// that is known.
pub fn detect(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(SIGCHK_MAGIC) {
        return Some(Kind::Sigchk);
    }
    if bytes.starts_with(ETHRCV_MAGIC) {
        return Some(Kind::Ethrcv);
    }
    let text = bytes.trim_ascii_start();
    if text.starts_with(b"{") || is_rlp_block(bytes) {
        return Some(Kind::EthereumBlock);
    }
    is_block(bytes).then_some(Kind::BitcoinBlock)
}

/// Whether a list begins whose first item is a list of 256 to 65,535 bytes: an Ethereum block and
/// its header.
fn is_rlp_block(bytes: &[u8]) -> bool {
    match bytes {
        [first @ 0xf8..=0xfb, rest @ ..] => rest.get(usize::from(first - 0xf7)) == Some(&0xf9),
        _ => false,
    }
}

/// Most bytes that an input of the form `kind` may have, so that nobody reads on without end: blocks
/// as text, with some white space.
pub fn limit(kind: Kind) -> usize {
    match kind {
        Kind::BitcoinBlock => 16 << 20,
        Kind::EthereumBlock => 64 << 20,
        Kind::Sigchk | Kind::Ethrcv => FILE_LIMIT,
    }
}

/// Opens the check of an input of the form `kind`. `prevouts` and `rules` concern Bitcoin blocks.
pub fn open(
    bytes: &[u8],
    kind: Kind,
    prevouts: Option<&[u8]>,
    rules: Rules,
) -> Result<Box<dyn Check>, ChainError> {
    Ok(match kind {
        Kind::BitcoinBlock => Box::new(BlockCheck::new(bytes, prevouts, rules)?),
        Kind::EthereumBlock => Box::new(ethereum::BlockCheck::new(bytes)?),
        Kind::Sigchk => Box::new(SigchkCheck::new(bytes)?),
        Kind::Ethrcv => Box::new(EthrcvCheck::new(bytes)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        assert_eq!(detect(b"SIGCHK01...."), Some(Kind::Sigchk));
        assert_eq!(detect(b"ETHRCV01"), Some(Kind::Ethrcv));
        assert_eq!(detect(b" \n{\"number\":"), Some(Kind::EthereumBlock));
        assert_eq!(detect(&[0xfa, 1, 2, 3, 0xf9, 2, 0]), Some(Kind::EthereumBlock));
        let mut header = [0; 80];
        header[..4].copy_from_slice(&[2, 0, 0, 0x20]);
        header[68..76].copy_from_slice(&[0, 0, 0, 0x60, 0xff, 0xff, 0, 0x1d]);
        let hex: String = header.iter().map(|byte| format!("{byte:02x}\n")).collect();
        assert_eq!(detect(&header), Some(Kind::BitcoinBlock));
        assert_eq!(detect(hex.as_bytes()), Some(Kind::BitcoinBlock));
        // One field may be odd.
        header[75] = 0xff;
        assert_eq!(detect(&header), Some(Kind::BitcoinBlock));
        for nothing in [&[][..], &[0; 200], b"hello", &header[..79], b"0102"] {
            assert_eq!(detect(nothing), None);
        }
        let rules = Rules::default();
        assert!(open(&header, Kind::BitcoinBlock, None, rules).is_err());
        assert!(open(b"", Kind::Sigchk, None, rules).is_err());
    }
}
