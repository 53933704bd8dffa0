//! Keys on disk, for their owner's eyes alone: a validator's in three lines of text, an account's in
//! one of 64 hexadecimal digits.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::hex;
use commonware_codec::{Copying, DecodeExt, Write as _};
use commonware_cryptography::ed25519;
use zeroize::Zeroizing;

use super::{AccountKey, ValidatorKeys, VoteKey, fresh};

/// Why keys could not be made, kept or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is there already; a key is never overwritten.
    #[error("{}: exists already, and a key is never overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may use the file.
    #[error("{}: mode {mode:03o} lets others in; `chmod 600` it", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file does not say what a key file says.
    #[error("{}: {wrong}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Where.
        wrong: WrongLine,
    },
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system: {0}")]
    Randomness(getrandom::Error),
}

/// A line that no key file has. What it says is not repeated: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no `{field}` of a key file")]
pub struct WrongLine {
    /// Its number, from 1.
    pub line: usize,
    /// What it should be.
    pub field: &'static str,
}

const HEADER: &str = "sigmill validator keys 1";

/// Most bytes that are read of a key file; one has 169.
const MOST_BYTES: u64 = 512;

impl ValidatorKeys {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`WrongLine`], the first.
    pub fn parse(text: &str) -> Result<Self, WrongLine> {
        let wrong = |line, field| WrongLine { line, field };
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(wrong(1, HEADER));
        }
        let mut secret = |line, field: &'static str| {
            let digits = lines.next().and_then(|text| text.strip_prefix(field)?.strip_prefix(' '));
            let digits = digits.filter(|digits| digits.len() == 64).ok_or(wrong(line, field))?;
            let mut bytes = Zeroizing::new([0; 32]);
            hex::decode_to_slice(digits, &mut *bytes).map_err(|_| wrong(line, field))?;
            Ok::<_, WrongLine>(bytes)
        };
        let (identity, vote) = (secret(2, "identity")?, secret(3, "vote")?);
        if lines.next().is_some() {
            return Err(wrong(4, "end"));
        }
        let identity =
            ed25519::PrivateKey::decode(Copying(&*identity)).map_err(|_| wrong(2, "identity"))?;
        let vote = VoteKey::from_bytes(&vote).ok_or(wrong(3, "vote"))?;
        Ok(ValidatorKeys { identity, vote })
    }

    /// The text of a key file.
    fn text(&self) -> Zeroizing<Vec<u8>> {
        let mut identity = Zeroizing::new([0; 32]);
        self.identity.write(&mut &mut identity[..]);
        let vote = Zeroizing::new(<[u8; 32]>::from(self.vote.0.to_bytes()));
        // Long enough that it never grows and leaves secrets behind.
        let mut text = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize));
        text.extend_from_slice(HEADER.as_bytes());
        for (field, secret) in [("\nidentity ", identity), ("\nvote ", vote)] {
            let mut digits = Zeroizing::new([0; 64]);
            hex::encode_to_slice(secret.as_slice(), &mut *digits).expect("64 digits of 32 bytes");
            text.extend_from_slice(field.as_bytes());
            text.extend_from_slice(&*digits);
        }
        text.push(b'\n');
        text
    }

    /// Keeps them in a new file, which its owner alone may read (mode 600), and on the disk.
    ///
    /// # Errors
    /// [`KeyError::Exists`], [`KeyError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), KeyError> {
        keep(path, &self.text())
    }

    /// Reads what [`ValidatorKeys::write`] wrote.
    ///
    /// # Errors
    /// [`KeyError`]; a file that others may use is refused.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let line = |wrong| KeyError::Line { path: path.to_owned(), wrong };
        ValidatorKeys::parse(&secret(path)?).map_err(line)
    }
}

impl AccountKey {
    /// Makes a new key and keeps it as [`ValidatorKeys::write`] does: 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError::Exists`], [`KeyError::Io`], [`KeyError::Randomness`].
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let mut text = Zeroizing::new([b'\n'; 65]);
        let key = fresh(|bytes| {
            hex::encode_to_slice(bytes, &mut text[..64]).expect("64 digits of 32 bytes");
            AccountKey::from_bytes(bytes)
        })?;
        keep(path, &*text)?;
        Ok(key)
    }

    /// Reads what [`AccountKey::create`] kept.
    ///
    /// # Errors
    /// [`KeyError`]; a file that others may use is refused.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = secret(path)?;
        let digits = text.trim_end_matches(['\r', '\n']);
        let mut bytes = Zeroizing::new([0; 32]);
        let is_key = digits.len() == 64 && hex::decode_to_slice(digits, &mut *bytes).is_ok();
        is_key.then(|| AccountKey::from_bytes(&bytes)).flatten().ok_or_else(|| {
            let wrong = WrongLine { line: 1, field: "64 hexadecimal digits" };
            KeyError::Line { path: path.to_owned(), wrong }
        })
    }
}

/// Writes a new file that its owner alone may read (mode 600), and waits until it is on the disk.
fn keep(path: &Path, text: &[u8]) -> Result<(), KeyError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
        _ => KeyError::Io { path: path.to_owned(), source },
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    let kept = file.write_all(text).and_then(|()| file.sync_all());
    kept.and_then(|()| sync(path)).map_err(|error| {
        // A key that is there in part would be refused later, and in the way.
        let _ = std::fs::remove_file(path);
        failed(error)
    })
}

/// The text of a key file that nobody but its owner may use.
fn secret(path: &Path) -> Result<Zeroizing<String>, KeyError> {
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
    let mut text = Zeroizing::new(String::with_capacity(MOST_BYTES as usize));
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Makes a new file's entry in its folder last.
fn sync(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_disk_and_are_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("validator.key");
        let keys = ValidatorKeys::generate().unwrap();
        keys.write(&path).unwrap();
        assert_eq!(ValidatorKeys::read(&path).unwrap().public(), keys.public());
        let before = std::fs::read(&path).unwrap();
        let error = ValidatorKeys::generate().unwrap().write(&path).unwrap_err();
        assert!(matches!(error, KeyError::Exists { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_use_a_key_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("validator.key");
        ValidatorKeys::generate().unwrap().write(&path).unwrap();
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = ValidatorKeys::read(&path).unwrap_err();
        assert!(matches!(error, KeyError::Mode { mode: 0o640, .. }), "{error}");
    }

    #[test]
    fn account_keys_survive_the_disk_and_are_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.key");
        let key = AccountKey::create(&path).unwrap();
        assert_eq!(AccountKey::read(&path).unwrap().address(), key.address());
        let error = AccountKey::create(&path).unwrap_err();
        assert!(matches!(error, KeyError::Exists { .. }), "{error}");
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in [&text[..63], "", &"0".repeat(64), &format!("{text}{text}")] {
            std::fs::write(&path, damaged).unwrap();
            let error = AccountKey::read(&path).unwrap_err();
            assert!(matches!(error, KeyError::Line { .. }), "{error}");
        }
    }

    #[test]
    fn a_damaged_file_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("validator.key");
        ValidatorKeys::generate().unwrap().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let zero = format!("vote {}", "0".repeat(64));
        let vote = text.lines().nth(2).unwrap();
        for (damaged, line) in [
            (text.replace("keys 1", "keys 2"), 1),
            (text.replace("identity ", "identity  "), 2),
            (text[..text.len() - 2].to_owned(), 3),
            (text.replace(vote, &zero), 3),
            (format!("{text}\n"), 4),
            (String::new(), 1),
        ] {
            std::fs::write(&path, damaged).unwrap();
            match ValidatorKeys::read(&path).unwrap_err() {
                KeyError::Line { wrong, .. } => assert_eq!(wrong.line, line),
                other => panic!("{other}"),
            }
        }
    }
}
