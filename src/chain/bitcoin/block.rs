//! Reading a block and its spent outputs, from bytes that anybody may have made.

use bitcoin::consensus::deserialize;
use bitcoin::consensus::encode::{Error, VarInt, deserialize_partial};
use bitcoin::{Amount, Block, ScriptBuf, TxOut};

use super::super::ChainError;
use super::rules::GENESIS_TIME;

/// Most bytes of a block on the wire, and most weight units (BIP 141).
pub(super) const BLOCK_LIMIT: usize = 4_000_000;

/// Reads a block: wire bytes, or their hex digits with white space anywhere.
pub(super) fn read(bytes: &[u8]) -> Result<Block, ChainError> {
    let malformed = |why: String| ChainError::Malformed { what: "block".into(), why };
    let decoded;
    let wire = if is_hex(bytes) {
        decoded = decode_hex(bytes)?;
        &decoded
    } else {
        bytes
    };
    if wire.is_empty() {
        return Err(malformed("the input is empty".into()));
    }
    if wire.len() > BLOCK_LIMIT {
        return Err(too_large());
    }
    let block: Block = deserialize(wire).map_err(|error| malformed(reason(error)))?;
    if block.txdata.is_empty() {
        return Err(malformed("it holds no transaction".into()));
    }
    if block.weight().to_wu() > BLOCK_LIMIT as u64 {
        return Err(malformed(format!("it weighs more than {BLOCK_LIMIT} weight units")));
    }
    Ok(block)
}

/// What the reader's error means to whoever gave the input.
fn reason(error: Error) -> String {
    match error {
        Error::Io(_) => {
            "the input ends before the block does: it is cut short, or no Bitcoin block".into()
        }
        other => other.to_string(),
    }
}

/// Whether the bytes could be a block, wire or hex: two of the header's version, time and target
/// are such as blocks have, so that a block with a flipped bit is still taken for one.
pub(in super::super) fn is_block(bytes: &[u8]) -> bool {
    let decoded: Vec<u8>;
    let header = if is_hex(bytes) {
        let digits = bytes.iter().filter_map(|byte| char::from(*byte).to_digit(16));
        let digits: Vec<u32> = digits.take(160).collect();
        decoded =
            digits.as_chunks::<2>().0.iter().map(|[high, low]| (high << 4 | low) as u8).collect();
        &decoded
    } else {
        bytes
    };
    let Some(header) = header.first_chunk::<80>() else {
        return false;
    };
    let field =
        |at| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (version, time, bits) = (field(0), field(68), field(72));
    let version_fits = (1..0x4000_0000).contains(&version);
    let time_fits = time >= GENESIS_TIME;
    let bits_fit =
        (3..=0x20).contains(&(bits >> 24)) && (1..0x80_0000).contains(&(bits & 0xff_ffff));
    [version_fits, time_fits, bits_fit].into_iter().filter(|fits| *fits).count() >= 2
}

/// Whether the bytes are a text of hex digits. The first bytes of a block on the wire are its
/// version, of which at least one is no hex digit on every chain.
fn is_hex(bytes: &[u8]) -> bool {
    let mut digits = bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).take(8).peekable();
    digits.peek().is_some() && digits.all(u8::is_ascii_hexdigit)
}

fn decode_hex(text: &[u8]) -> Result<Vec<u8>, ChainError> {
    let malformed = |why: &str| ChainError::Malformed { what: "block".into(), why: why.into() };
    let mut bytes = Vec::with_capacity((text.len() / 2).min(BLOCK_LIMIT));
    let mut high = None;
    for digit in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = char::from(*digit).to_digit(16);
        let value = value.ok_or_else(|| malformed("the text holds more than hex digits"))? as u8;
        match high.take() {
            None => high = Some(value << 4),
            Some(_) if bytes.len() == BLOCK_LIMIT => return Err(too_large()),
            Some(high) => bytes.push(high | value),
        }
    }
    if high.is_some() {
        return Err(malformed("the text holds an odd number of hex digits"));
    }
    Ok(bytes)
}

fn too_large() -> ChainError {
    ChainError::TooLarge { what: "block".into(), limit: BLOCK_LIMIT }
}

/// Reads spent outputs: a value (i64, little-endian) and a script behind its CompactSize length,
/// again and again. There must be `count` of them.
pub(super) fn read_outputs(bytes: &[u8], count: usize) -> Result<Vec<TxOut>, ChainError> {
    let malformed = |why: String| ChainError::Malformed { what: "prevouts".into(), why };
    let mut outputs = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let number = outputs.len();
        if number == count {
            return Err(malformed(format!("more than the {count} spent outputs of the block")));
        }
        let (output, used) = read_output(rest)
            .ok_or_else(|| malformed(format!("spent output {number} is cut short or malformed")))?;
        outputs.push(output);
        rest = &rest[used..];
    }
    if outputs.len() < count {
        let found = outputs.len();
        return Err(malformed(format!("{found} spent outputs where the block spends {count}")));
    }
    Ok(outputs)
}

/// One spent output and its bytes.
fn read_output(bytes: &[u8]) -> Option<(TxOut, usize)> {
    let value = i64::from_le_bytes(*bytes.first_chunk()?);
    let value = u64::try_from(value).ok().filter(|value| *value <= Amount::MAX_MONEY.to_sat())?;
    let (VarInt(length), used) = deserialize_partial(&bytes[8..]).ok()?;
    let start = 8 + used;
    let script = bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)?;
    let output = TxOut {
        value: Amount::from_sat(value),
        script_pubkey: ScriptBuf::from_bytes(script.to_vec()),
    };
    Some((output, start + script.len()))
}

/// The height that the coinbase states (BIP 34): the first push of its script, in shortest form.
pub(super) fn stated_height(block: &Block) -> Option<u32> {
    let script = block.txdata.first()?.input.first()?.script_sig.as_bytes();
    let (&length, rest) = script.split_first()?;
    if !(1..=4).contains(&length) {
        return None;
    }
    let digits = rest.get(..usize::from(length))?;
    let (&top, lower) = digits.split_last()?;
    let negative = top & 0x80 != 0;
    let padded = top == 0 && lower.last().is_none_or(|next| next & 0x80 == 0);
    let height = digits.iter().rev().fold(0, |height, byte| height << 8 | u32::from(*byte));
    (!negative && !padded).then_some(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_told_from_wire() {
        assert!(is_hex(b" 01\n0000 00ff"));
        assert!(
            !is_hex(&[1, 0, 0, 0]) && !is_hex(&[0, 0, 0, 0x20]) && !is_hex(b"") && !is_hex(b" ")
        );
        assert!(matches!(read(b"0100000"), Err(ChainError::Malformed { .. })));
        assert!(matches!(read(b"01000000zz"), Err(ChainError::Malformed { .. })));
        assert_eq!(decode_hex(b"01 0\n0 fF").unwrap(), [1, 0, 0xff]);
    }

    #[test]
    fn sizes_are_bounded() {
        assert!(matches!(read(&vec![0; BLOCK_LIMIT + 1]), Err(ChainError::TooLarge { .. })));
        assert!(matches!(read(&vec![b'0'; 2 * BLOCK_LIMIT + 2]), Err(ChainError::TooLarge { .. })));
        assert!(matches!(read(&vec![0; BLOCK_LIMIT]), Err(ChainError::Malformed { .. })));
        // Counts of transactions and outputs that no input could hold.
        let mut huge = vec![0; 80];
        huge.extend_from_slice(&[0xff; 9]);
        assert!(matches!(read(&huge), Err(ChainError::Malformed { .. })));
        let mut output = vec![0; 8];
        output.extend_from_slice(&[0xff; 9]);
        assert!(matches!(read_outputs(&output, 1), Err(ChainError::Malformed { .. })));
    }

    #[test]
    fn spent_outputs_are_counted() {
        let bytes = [&[5, 0, 0, 0, 0, 0, 0, 0, 1, 0x51][..]; 2].concat();
        assert_eq!(read_outputs(&bytes, 2).unwrap()[1].value.to_sat(), 5);
        for (bytes, count) in [(&bytes[..], 1), (&bytes, 3), (&bytes[..19], 2), (&[0xff; 10], 1)] {
            assert!(matches!(read_outputs(bytes, count), Err(ChainError::Malformed { .. })));
        }
    }
}
