//! Files and pipes, read within bounds.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sigmill::chain::{self, Kind};

/// Bytes that tell an input's form.
const HEAD: u64 = 1_024;

/// An input, read whole.
pub(super) struct Input {
    pub(super) bytes: Vec<u8>,
    pub(super) kind: Kind,
}

/// Reads a file, or standard input for `-`, up to the limit of its form. Memory stays below that
/// limit whatever comes.
pub(super) fn read(name: &str, kind: Option<Kind>) -> Result<Input, String> {
    let mut source: Box<dyn Read> = if name == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        let path = Path::new(name);
        if path.is_dir() {
            return Err("is a directory; give the files in it".to_owned());
        }
        Box::new(File::open(path).map_err(|error| format!("cannot be opened: {error}"))?)
    };
    let mut bytes = Vec::new();
    let failed = |error: std::io::Error| format!("cannot be read: {error}");
    source.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    let Some(kind) = kind.or_else(|| chain::detect(&bytes)) else {
        return Err("is of no known form (a Bitcoin block as bytes or hex, an Ethereum block as \
                    JSON or RLP, .sigchk, .ethrcv); --kind forces one"
            .to_owned());
    };
    let limit = chain::limit(kind);
    source.take((limit - bytes.len() + 1) as u64).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        let name = print_kind(kind);
        return Err(format!("has more than {limit} bytes, the most for the form {name}"));
    }
    Ok(Input { bytes, kind })
}

/// A form's name, as `--kind` takes it.
pub(super) fn print_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::BitcoinBlock => "bitcoin-block",
        Kind::EthereumBlock => "ethereum-block",
        Kind::Sigchk => "sigchk",
        Kind::Ethrcv => "ethrcv",
    }
}
