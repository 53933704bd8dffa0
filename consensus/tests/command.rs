//! The command, as its users see it: files, output, exit codes.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;
use sigmill_consensus::{Address, Block, Hash, Header, http, pool, service, state, transaction};
use tempfile::TempDir;

#[path = "../src/http/fake.rs"]
#[allow(dead_code, reason = "unit tests use the rest")]
mod fake;

fn command(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill-consensus"));
    command.current_dir(folder).args(arguments).output().unwrap()
}

/// What a run that ends well prints.
fn good(folder: &Path, arguments: &[&str]) -> String {
    let output = command(folder, arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a run that ends with a code says of it.
fn bad(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let output = command(folder, arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert!(errors.contains("error: ") && !errors.contains("panicked"), "{errors}");
    errors
}

/// Arguments, then more of them.
fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// New keys, as `--validator` takes them.
fn validator(folder: &Path, file: &str) -> String {
    let printed = good(folder, &["keygen", "--out", file]);
    let table: toml::Table = toml::from_str(&printed).unwrap();
    let keys = &table["validators"][0];
    format!("{}:{}", keys["identity"].as_str().unwrap(), keys["vote"].as_str().unwrap())
}

#[test]
fn help_is_there_for_every_command() {
    let folder = folder();
    for name in [
        "keygen",
        "genesis",
        "accounts",
        "submit",
        "query",
        "load",
        "prove",
        "verify-proof",
        "decree",
        "relay",
        "bridge",
    ] {
        let help = good(folder.path(), &[name, "--help"]);
        assert!(help.contains("Example"), "{name}");
        assert!(good(folder.path(), &["--help"]).contains(name));
    }
    bad(folder.path(), 2, &["keygen"]);
    bad(folder.path(), 2, &["keygen", "--out", "k", "--size", "9"]);
}

#[test]
fn keys_are_private_and_never_overwritten() {
    let folder = folder();
    for (file, account) in [("validator.key", false), ("account.key", true)] {
        let mut arguments = vec!["keygen", "--out", file];
        arguments.extend(account.then_some("--account"));
        good(folder.path(), &arguments);
        let path = folder.path().join(file);
        let before = std::fs::read(&path).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let error = bad(folder.path(), 2, &arguments);
        assert!(error.contains(file) && error.contains("never overwritten"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_genesis_file_is_read_as_it_was_meant() {
    let folder = folder();
    let at = folder.path();
    let keys = [validator(at, "a.key"), validator(at, "b.key")];
    let account = good(at, &["keygen", "--account", "--out", "my.key"]);
    let account = format!("{}=1000", account.trim());
    let two = ["--validator", &keys[0], "--validator", &keys[1]];
    let fixed = ["--name", "try", "--time-ms", "7", "--block-transactions", "64"];
    let start = [&["genesis"][..], &two, &fixed].concat();
    let chain = good(at, &with(&start, &["--account", &account, "--out", "one.toml"]));
    let shown = good(at, &["genesis", "show", "one.toml"]);
    for text in [chain.trim(), "try", "1000", &keys[0], &keys[1]] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    // The same accounts from a file make the same chain, whichever folder it lies in.
    std::fs::create_dir(at.join("sub")).unwrap();
    std::fs::write(at.join("sub/accounts.txt"), account.replace('=', " ")).unwrap();
    for out in ["two.toml", "sub/two.toml"] {
        let more = ["--accounts", "sub/accounts.txt", "--out", out];
        assert_eq!(good(at, &with(&start, &more)), chain);
        assert!(good(at, &["genesis", "show", out]).contains(chain.trim()));
    }
    // In the same folder it may move with the genesis file.
    assert!(std::fs::read_to_string(at.join("sub/two.toml")).unwrap().contains("\"accounts.txt\""));
    let error = bad(at, 2, &with(&start, &["--account", &account, "--out", "one.toml"]));
    assert!(error.contains("one.toml: exists already"), "{error}");
    assert!(good(at, &["genesis", "show", "one.toml"]).contains(chain.trim()));
}

#[test]
fn genesis_errors_name_the_field_and_leave_no_file() {
    let folder = folder();
    let at = folder.path();
    let keys = validator(at, "a.key");
    let account = format!("0x{}=1000", "11".repeat(20));
    let cut = &keys[1..];
    std::fs::write(at.join("wrong.txt"), "0x12 5\n").unwrap();
    let good = ["--name", "try", "--validator", &keys, "--account", &account];
    for (flag, value, field) in [
        ("--name", "A chain", "`name`"),
        ("--name", "a\"\nb = \"", "`name`"),
        ("--validator", cut, "identity"),
        ("--validator", "x", "--validator"),
        ("--account", "0x12=5", "--account"),
        ("--account", &account.replace("1000", "-1"), "--account"),
        ("--account", &account.replace("1000", "0"), "minimum_balance"),
    ] {
        let mut arguments = good;
        let index = good.iter().position(|other| *other == flag).unwrap();
        arguments[index + 1] = value;
        let error = bad(at, 2, &[&["genesis"][..], &arguments].concat());
        assert!(error.contains(field), "{flag} {value}: {error}");
    }
    for (more, field) in [
        (["--block-bytes", "5"], "limits.block_bytes"),
        (["--minimum-balance", "0"], "limits.minimum_balance"),
        (["--validator", &keys], "validators"),
        (["--time-ms", "0"], "time_ms"),
    ] {
        let error = bad(at, 2, &[&["genesis"][..], &good, &more].concat());
        assert!(error.contains(field), "{more:?}: {error}");
    }
    let listed = |file| bad(at, 2, &[&["genesis"][..], &good[..4], &["--accounts", file]].concat());
    assert!(listed("wrong.txt").contains("accounts_file line 1"));
    assert!(listed("none.txt").contains("none.txt"));
    bad(at, 2, &[&["genesis"][..], &good[..4]].concat());
    assert!(!at.join("genesis.toml").exists());
    assert!(bad(at, 2, &["genesis", "show", "none.toml"]).contains("none.toml"));
}

#[test]
fn accounts_of_a_seed_make_a_genesis() {
    let folder = folder();
    let at = folder.path();
    let accounts = ["accounts", "--seed", "s", "--count", "30", "--balance", "9", "--out", "a.txt"];
    good(at, &accounts);
    let text = std::fs::read_to_string(at.join("a.txt")).unwrap();
    assert_eq!(text.lines().filter(|line| line.ends_with(" 9")).count(), 30);
    assert!(bad(at, 2, &accounts).contains("a.txt"));
    let keys = validator(at, "v.key");
    good(at, &["genesis", "--name", "s", "--validator", &keys, "--accounts", "a.txt"]);
    assert!(good(at, &["genesis", "show", "genesis.toml"]).contains("270"));
    let max = u64::MAX.to_string();
    let much = ["accounts", "--seed", "s", "--count", "2", "--balance", &max, "--out", "b.txt"];
    assert!(bad(at, 2, &much).contains("--balance"));
    let none = ["accounts", "--seed", "s", "--count", "0", "--balance", "1", "--out", "b.txt"];
    assert!(bad(at, 2, &none).contains("accounts"));
}

/// A validator of tests, and where it answers.
async fn serve() -> String {
    let router = http::router(fake::validator(), Arc::new(String::new));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { http::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_handed_in_and_asked_for() {
    let (folder, url) = (folder(), serve().await);
    let at = folder.path();
    good(at, &["keygen", "--account", "--out", "my.key"]);
    let address = fake::ADDRESS.to_checksum(None);
    let submit = ["submit", "--url", &url, "--key", "my.key", "--json"];
    let transfer = ["transfer", "--to", &address, "--amount", "5"];
    let done: Value = serde_json::from_str(&good(at, &[&submit[..], &transfer].concat())).unwrap();
    assert_eq!((&done["height"], &done["index"]), (&1.into(), &0.into()));
    let digest = "22".repeat(32);
    let record = ["record", "--namespace", "notary", "--digest", &digest];
    good(at, &[&submit[..], &record].concat());
    let zero = ["transfer", "--to", &address, "--amount", "0"];
    let error = bad(at, 1, &[&submit[..], &zero].concat());
    assert!(error.contains("ZeroAmount"), "{error}");
    let other = ["--chain", &digest];
    assert!(bad(at, 1, &[&submit[..], &other, &transfer].concat()).contains("--chain"));

    let start = ["query", "--url", &url];
    let receipt = good(at, &with(&start, &["--json", "receipt", done["hash"].as_str().unwrap()]));
    assert_eq!(receipt.trim(), r#"{"height":1,"index":0}"#);
    assert!(good(at, &with(&start, &["account", &address])).contains("nonce              3"));
    assert!(good(at, &with(&start, &["status"])).contains(&"09".repeat(32)));
    assert!(good(at, &with(&start, &["block", "1"])).contains(done["hash"].as_str().unwrap()));
    good(at, &with(&start, &["record", "notary", &"02".repeat(32)]));
    bad(at, 1, &with(&start, &["record", "notary", &digest]));
    bad(at, 1, &with(&start, &["block", "99"]));
    assert!(bad(at, 2, &with(&start, &["account", "0x12"])).contains("0x12"));
    assert!(bad(at, 2, &["query", "--url", "ftp://x", "status"]).contains("ftp://x"));
    bad(at, 1, &["query", "--url", "http://127.0.0.1:1", "status"]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, url) = (folder(), serve().await);
    let at = folder.path();
    let to = fake::ADDRESS.to_checksum(None);
    let path = at.join("my.key");
    let submit = || {
        let send = ["submit", "--url", &url, "--key", "my.key", "transfer", "--to", &to];
        bad(at, 2, &[&send[..], &["--amount", "1"]].concat())
    };
    assert!(submit().contains("my.key"));
    good(at, &["keygen", "--account", "--out", "my.key"]);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(submit().contains("chmod 600"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for text in ["", &"00".repeat(32), &"zz".repeat(32), &"11".repeat(33), &"11".repeat(900)] {
        std::fs::write(&path, text).unwrap();
        let error = submit();
        assert!(error.contains("line 1") && !error.contains("1111"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_is_reported_and_judged() {
    let (folder, url) = (folder(), serve().await);
    let at = folder.path();
    let flags =
        |rate| ["load", "--accounts", "100", "--seed", "s", "--rate", rate, "--seconds", "1"];
    let named = ["--url", &url, "--json", "--cache", "accounts.bin"];
    let load: Value =
        serde_json::from_str(&good(at, &[&flags("80")[..], &named].concat())).unwrap();
    for (field, value) in [("planned", 80), ("sent", 80), ("committed", 80), ("lost", 0)] {
        assert_eq!(load[field], value, "{field}: {load}");
    }
    assert_eq!(load["validators"][0]["found"], 80);
    assert!(load["finality_ms"]["p99"].is_number());
    assert!(at.join("accounts.bin").exists());
    let text = good(at, &[&flags("10")[..], &["--url", &url, "--first", "80"]].concat());
    assert!(text.contains("receipts   10 found, 0 missing"), "{text}");
    let none = [&flags("10")[..], &["--url", &url, "--first", "80", "--in-flight", "0"]].concat();
    assert!(bad(at, 1, &none).contains("0 of 10"));
    let down = [&flags("4")[..], &["--first", "90", "--url"]].concat();
    let both = format!("{url},http://127.0.0.1:1");
    assert!(bad(at, 1, &[&down[..], &[&both]].concat()).contains("127.0.0.1:1"));
    let first = ["--first", "95", "--may-be-down", "1", "--url", &both];
    good(at, &[&flags("4")[..], &first].concat());
    assert!(bad(at, 2, &[&flags("101")[..], &named].concat()).contains("take 101 accounts"));
    assert!(bad(at, 2, &[&flags("1")[..], &named, &["--nonce", "1"]].concat()).contains("--nonce"));
    let file = at.join("accounts.bin");
    std::fs::write(&file, "mine").unwrap();
    assert!(bad(at, 2, &[&flags("1")[..], &named].concat()).contains("accounts.bin"));
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

#[test]
fn a_decree_takes_a_quorum_of_signatures() {
    let folder = folder();
    let folder = folder.path();
    let new = |name: &str, keys: &[String], out: &str| {
        let account = format!("{}=5", Address::repeat_byte(1));
        let mut arguments = vec!["genesis", "--name", name, "--account", &account, "--out", out];
        keys.iter().for_each(|one| arguments.extend(["--validator", one]));
        good(folder, &arguments);
    };
    let files = ["0.key", "1.key", "2.key", "3.key"];
    let ours = files.map(|file| validator(folder, file));
    new("ours", &ours, "ours.toml");
    new("other", &[validator(folder, "other.key")], "other.toml");

    let link =
        ["decree", "link", "--genesis", "ours.toml", "--other", "other.toml", "--out", "link"];
    assert!(good(folder, &link).contains("signed by   0 of 4"));
    assert!(bad(folder, 2, &link).contains("exists already"));
    good(folder, &["keygen", "--account", "--out", "mine"]);
    let submit = ["submit", "--url", "http://127.0.0.1:1", "--key", "mine", "decree", "link"];
    bad(folder, 1, &submit); // nobody is there
    let sign = |key| ["decree", "sign", "--key", key, "link"];
    assert!(bad(folder, 2, &sign("other.key")).contains("none of the validators"));
    for (signed, key) in files.iter().take(3).enumerate() {
        assert!(good(folder, &sign(key)).contains(&format!("{} of 4", signed + 1)));
    }
    assert!(good(folder, &["decree", "show", "link"]).contains("signed by   3 of 4"));

    let next = ["decree", "validators", "--genesis", "ours.toml", "--from", "1", "--out", "next"];
    let one = ["--validator", &ours[2], "--validator"];
    let twice = with(&with(&next, &one), &[&ours[2]]);
    assert!(bad(folder, 2, &twice).contains("validators: "));
    let two = with(&with(&next, &one), &[&ours[0]]);
    assert!(good(folder, &two).contains("from epoch  1"));
    std::fs::write(folder.join("broken"), "format = 1\n").unwrap();
    assert!(bad(folder, 2, &["decree", "show", "broken"]).contains("missing field"));
}
