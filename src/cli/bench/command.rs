//! What repeats a run: its command line, moment and versions.

use super::document::Versions;

/// What the run was started with, as a shell takes it: with the variables that change what is measured.
pub(super) fn line() -> String {
    let variables = ["SIGMILL_ISA", "SIGMILL_FPGA", "SIGMILL_FPGA_MANIFEST"];
    let set = variables.iter().filter_map(|name| {
        let value = std::env::var(name).ok()?;
        Some(format!("{name}={}", quoted(&value)))
    });
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| quoted(&argument.to_string_lossy()));
    let words: Vec<_> = set.chain(std::iter::once("sigmill".to_owned())).chain(arguments).collect();
    words.join(" ")
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The moment, UTC, as RFC 3339 has it.
pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

/// Of the program, its sources and its compiler.
pub(super) fn versions() -> Versions {
    Versions {
        sigmill: env!("CARGO_PKG_VERSION").to_owned(),
        git: COMMIT.map(|digits| String::from_utf8_lossy(&digits).into_owned()),
        rustc: option_env!("SIGMILL_RUSTC").map(str::to_owned),
    }
}

/// Digits of the commit that was checked out when this was compiled; no more of the log gets into the program.
#[cfg(git_log)]
const COMMIT: Option<[u8; 12]> = commit(include_bytes!(env!("SIGMILL_GIT_LOG")));
#[cfg(not(git_log))]
const COMMIT: Option<[u8; 12]> = None;

/// The first digits of the second word of a log's last line: each line is `OLD NEW WHO WHEN`.
#[cfg(any(git_log, test))]
const fn commit(log: &[u8]) -> Option<[u8; 12]> {
    let mut start = log.len().saturating_sub(1);
    while start > 0 && log[start - 1] != b'\n' {
        start -= 1;
    }
    while start < log.len() && log[start] != b' ' {
        start += 1;
    }
    let mut digits = [0; 12];
    let mut at = 0;
    while at < digits.len() {
        if start + 1 + at >= log.len() || !log[start + 1 + at].is_ascii_hexdigit() {
            return None;
        }
        digits[at] = log[start + 1 + at];
        at += 1;
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_log_names_the_commit() {
        let log = b"00000 1234567890abcdef A <a> 1 +0\tone\n1234567890abcdef fedcba0987654321 A <a> 2 +0\ttwo\n";
        assert_eq!(commit(log), Some(*b"fedcba098765"));
        for broken in [&b""[..], b"\n", b"0123", b"0 12", b"0 nothexnothexno\n"] {
            assert_eq!(commit(broken), None);
        }
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        let all = ["--seconds", "0.5", "", "a b", "it's", "sha256@cpu:1=2/s"].map(quoted);
        assert_eq!(all, ["--seconds", "0.5", "''", "'a b'", r"'it'\''s'", "sha256@cpu:1=2/s"]);
    }

    #[test]
    fn dates_have_the_schema_s_form() {
        let now = now();
        assert_eq!((now.len(), now.ends_with('Z'), &now[10..11]), (20, true, "T"));
    }
}
