//! The secret key of an account in a file: 64 hexadecimal digits, for their owner's eyes alone.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use alloy_primitives::hex;
use sigmill_consensus::keys::{AccountKey, KeyError, WrongLine};
use zeroize::Zeroizing;

/// Makes a key and keeps it in a new file of mode 600.
pub fn create(path: &Path) -> Result<AccountKey, KeyError> {
    let (key, secret) = loop {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(KeyError::Randomness)?;
        if let Some(key) = AccountKey::from_bytes(&bytes) {
            break (key, bytes);
        }
    };
    let mut text = Zeroizing::new([b'\n'; 65]);
    hex::encode_to_slice(*secret, &mut text[..64]).expect("64 digits of 32 bytes");
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
        _ => KeyError::Io { path: path.to_owned(), source },
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(&*text).and_then(|()| file.sync_all()).map_err(|error| {
        // A key that is there in part would be in the way.
        let _ = std::fs::remove_file(path);
        failed(error)
    })?;
    Ok(key)
}

/// Reads a key; a file that others may use is refused.
pub fn read(path: &Path) -> Result<AccountKey, KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Mode { path: path.to_owned(), mode });
        }
    }
    // One byte more than a key file has, with a line's end of Windows.
    let mut text = Zeroizing::new(String::with_capacity(67));
    file.take(67).read_to_string(&mut text).map_err(failed)?;
    let mut secret = Zeroizing::new([0; 32]);
    let digits = text.trim_end_matches(['\r', '\n']);
    let is_key = digits.len() == 64 && hex::decode_to_slice(digits, &mut *secret).is_ok();
    is_key.then(|| AccountKey::from_bytes(&secret)).flatten().ok_or_else(|| {
        let wrong = WrongLine { line: 1, field: "64 hexadecimal digits" };
        KeyError::Line { path: path.to_owned(), wrong }
    })
}
