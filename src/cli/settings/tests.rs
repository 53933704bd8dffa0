use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches, Parser};

use super::file::entries;
use super::*;
use crate::cli::hostile::{Hostile, check_error};

/// A folder that stands for a machine's files.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Tree {
        let root = std::env::temp_dir().join(format!("sigmill-set-{name}-{}", std::process::id()));
        for (path, bytes) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        fs::create_dir_all(&root).expect("a folder");
        Tree(root)
    }

    fn around(&self, variables: &[(&str, &str)]) -> Surroundings {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Surroundings::new(Some(self.0.clone()), variables)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[derive(Parser)]
struct Only {
    #[command(flatten)]
    flags: Flags,
}

fn flags(arguments: &[&str]) -> Flags {
    Only::parse_from(std::iter::once(&"x").chain(arguments)).flags
}

fn wrong(text: &str) -> Vec<(usize, String)> {
    entries(text).1
}

#[test]
fn later_layers_win_and_origins_are_kept() {
    let tree = Tree::new(
        "layers",
        &[
            ("etc/sigmill/config.toml", b"# one\nthreads = 1\nbackend = 'cpu'\ntrust = 'fast'\n"),
            ("home/u/.config/sigmill/config.toml", b"threads = 0x2\n[limits]\nitems = 3\n"),
            ("other.toml", b"threads = 9\n"),
        ],
    );
    let home = ("HOME", "/home/u");
    let read = |given: &[&str], variables: &[(&str, &str)]| {
        Settings::read(&flags(given), &tree.around(variables)).expect("well-formed")
    };
    let settings = read(&["--trust", "audited"], &[home, ("SIGMILL_LIMITS_ITEMS", "4")]);
    let user = PathBuf::from("/home/u/.config/sigmill/config.toml");
    assert_eq!(
        (settings.threads(), settings.origin("threads")),
        (2, &Origin::File(user.clone(), 1))
    );
    assert_eq!(settings.backend(), "cpu");
    assert_eq!(settings.origin("backend"), &Origin::File(SYSTEM.into(), 3));
    assert_eq!(settings.trust(), Trust::Audited);
    assert_eq!(settings.origin("trust"), &Origin::Flag("--trust"));
    assert_eq!(settings.limits().items, 4);
    assert_eq!(settings.origin("limits.items").to_string(), "SIGMILL_LIMITS_ITEMS");
    assert_eq!(settings.origin("color"), &Origin::Default);
    assert_eq!(settings.files, [(SYSTEM.into(), true), (user, true)]);
    // A file that is named stands for both; an empty variable says nothing.
    let settings = read(&[], &[home, ("SIGMILL_CONFIG", "/other.toml"), ("SIGMILL_THREADS", "")]);
    assert_eq!((settings.threads(), settings.backend()), (9, "auto"));
    let settings = read(&["--config", "/other.toml"], &[home, ("SIGMILL_CONFIG", "/nowhere")]);
    assert_eq!(settings.threads(), 9);
    // Another folder for configuration; a relative one is none.
    for (folder, threads) in [("/home/u/.config", 2), ("home/u/.config", 1)] {
        assert_eq!(read(&[], &[("XDG_CONFIG_HOME", folder)]).threads(), threads);
    }
    assert_eq!(read(&[], &[]).threads(), 1);
}

#[test]
fn defaults_are_those_of_the_engine_and_every_value_can_be_had() {
    let settings = Settings::default();
    assert_eq!(settings.limits(), Limits::default());
    assert_eq!((settings.threads(), settings.trust()), (0, Trust::default()));
    assert_eq!((settings.backend(), settings.isolate()), ("auto", false));
    assert_eq!((settings.metrics(), settings.monitor(), settings.proofs()), (None, None, None));
    assert_eq!((settings.price_per_hour(), settings.pinned_bytes()), (None, 256 << 20));
    let text = "metrics = '[::1]:9000'\nmonitor = '/run/a'\nproofs = '/p'\nprice_per_hour = 2\n\
                color = 'always'\n";
    let tree = Tree::new("all", &[("etc/sigmill/config.toml", text.as_bytes())]);
    let settings = Settings::read(&Flags::default(), &tree.around(&[])).expect("well-formed");
    assert_eq!(settings.metrics().map(|address| address.port()), Some(9000));
    assert_eq!(
        (settings.monitor(), settings.proofs()),
        (Some(Path::new("/run/a")), Some(Path::new("/p")))
    );
    assert_eq!(settings.price_per_hour(), Some(2.0));
    assert!(settings.color(false));
    // What a file sets, a later layer unsets.
    let around = tree.around(&[("SIGMILL_METRICS", "none"), ("SIGMILL_COLOR", "never")]);
    let settings = Settings::read(&Flags::default(), &around).expect("well-formed");
    assert_eq!(settings.metrics(), None);
    assert!(!settings.color(true));
}

#[test]
fn isolation_can_be_taken_back_and_spares_the_cpu() {
    let tree = Tree::new("isolate", &[("etc/sigmill/config.toml", b"isolate = true")]);
    for (given, isolate) in [
        (&[][..], true),
        (&["--no-isolate"], false),
        (&["--no-isolate", "--isolate"], true),
        (&["--isolate", "--no-isolate"], false),
        (&["--backend", "cpu"], false),
        (&["--backend", "cpu", "--isolate"], true),
    ] {
        let settings = Settings::read(&flags(given), &tree.around(&[])).expect("well-formed");
        assert_eq!(settings.isolate(), isolate, "{given:?}");
    }
}

#[test]
fn mistakes_name_line_key_and_fix() {
    for (text, line, words) in [
        ("\ntreads = 1", 2, "unknown key `treads`; the nearest is `threads`"),
        ("[limits]\nitmes = 1", 2, "unknown key `limits.itmes`; the nearest is `limits.items`"),
        ("items = 1", 1, "unknown key `items`; the nearest is `limits.items`"),
        ("[limit]\nitems = 1", 1, "unknown key `limit`; the nearest is `limits`"),
        ("limits = 3", 1, "limits: it is a table"),
        (
            "threads = 'four'",
            1,
            "threads: found the text `four`; it takes a whole number from 0 to 1024",
        ),
        ("threads = 1025", 1, "found the number `1025`; it takes"),
        ("threads = -1", 1, "found the number `-1`; it takes"),
        ("threads = 1.0", 1, "found the number `1.0`"),
        ("threads = 99999999999999999999", 1, "99999999999999999999"),
        ("[threads]\na = 1", 1, "threads: found a table"),
        ("backend = 'abacus'", 1, "it takes one of \"auto\", \"cpu\", \"gpu\""),
        ("backend = ['cpu']", 1, "backend: found a list"),
        ("isolate = 1", 1, "isolate: found the number `1`; it takes true or false"),
        (
            "metrics = '9464'",
            1,
            "it takes an IP address and a port, such as \"127.0.0.1:9464\", or \"none\"",
        ),
        ("metrics = 2024-01-01", 1, "found a date or time"),
        ("monitor = 'here'", 1, "it takes an absolute path of at most 107 bytes, or \"none\""),
        ("proofs = '/a\\u0007'", 1, ""),
        ("proofs = \"/a\\u0007\"", 1, "found the text `/a\\u{7}`"),
        ("price_per_hour = nan", 1, "found the number `nan`; it takes a number from 0 to"),
        ("price_per_hour = -0.5", 1, "found the number `-0.5`"),
        ("threads = 1\nthreads = 2", 2, "no TOML: duplicate key"),
        ("threads = ", 1, "no TOML: "),
    ] {
        let found = wrong(text);
        let [(at, why)] = &found[..] else {
            assert!(words.is_empty() && found.is_empty(), "{text}: {found:?}");
            continue;
        };
        assert!(*at == line && why.contains(words), "{text}: {at}: {why}");
    }
    // All mistakes at once, in the order of their lines.
    let lines: Vec<_> = wrong("trust = 1\nbackend = 2\n[limits]\nx = 3").into_iter().collect();
    assert_eq!(lines.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn hostile_files_are_refused_within_bounds() {
    let deep = format!("threads = {}1{}", "[".repeat(30_000), "]".repeat(30_000));
    let tables = format!("[{}a]", "a.".repeat(30_000));
    let inline = "x = {".to_owned() + &"a = {".repeat(10_000) + &"}".repeat(10_001);
    let many: String = (0..5_000).map(|number| format!("k{number} = 1\n")).collect();
    let long = format!("{} = 1", "k".repeat(60_000));
    let tree = Tree::new(
        "hostile",
        &[
            ("deep", deep.as_bytes()),
            ("tables", tables.as_bytes()),
            ("inline", inline.as_bytes()),
            ("many", many.as_bytes()),
            ("long", long.as_bytes()),
            ("bytes", b"threads = 1\n# \xff"),
            ("zeros", &[0; 100]),
            ("large", &vec![b'#'; 10 << 20]),
            ("limit", &vec![b'#'; file::LIMIT as usize]),
            ("directory/inner", b""),
        ],
    );
    let check = |name: &str| check_file(&tree.0.join(name));
    for (name, words, unreadable) in [
        ("deep", "deep:1: ", false),
        ("tables", "tables:1: ", false),
        ("inline", "inline:1: ", false),
        ("many", ".. and 4980 more", false),
        ("long", "kkk..`; the nearest is", false),
        ("bytes", "bytes:2: is no UTF-8 text", false),
        ("zeros", "zeros:1: no TOML", false),
        ("large", "has more than 65536 bytes", true),
        ("directory", "is a directory", true),
        ("nowhere", "no such file", true),
    ] {
        let trouble = check(name).expect_err(name);
        let text = trouble.wrong.join("\n");
        assert!(text.contains(words) && trouble.unreadable == unreadable, "{name}: {text}");
        assert!(text.len() < 8_192, "{name}: {} bytes", text.len());
    }
    assert_eq!(check("limit"), Ok(0));
    assert_eq!(check_file(Path::new("/dev/null")), Ok(0));
    assert!(
        check_file(Path::new("/dev/zero")).expect_err("no end").wrong[0].contains("no plain file")
    );
}

#[test]
fn variables_are_judged_and_slips_are_named() {
    let tree = Tree::new("variables", &[]);
    let around = tree.around(&[("SIGMILL_THREADS", "4 "), ("SIGMILL_TRUST", "blind")]);
    let trouble = Settings::read(&Flags::default(), &around).expect_err("two mistakes");
    assert_eq!(trouble.wrong.len(), 2);
    let text = trouble.wrong.join("\n");
    for words in [
        "SIGMILL_THREADS: threads: found `4 `; it takes a whole",
        "SIGMILL_TRUST: trust: found `blind`",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let bytes = [("SIGMILL_PROOFS".into(), OsString::from_vec(vec![b'/', 0xff]))];
    let around = Surroundings::new(Some(tree.0.clone()), bytes);
    let trouble = Settings::read(&Flags::default(), &around).expect_err("no text");
    assert!(trouble.wrong[0].contains("no UTF-8"), "{trouble:?}");
    let names =
        ["SIGMILL_THREAD", "SIGMIL_TRUST", "SIGMILL_DATA", "SIGMILL_SOAK", "SIGMILL_FPGA_MANIFSET"];
    let around = tree.around(&names.map(|name| (name, "1")));
    let warnings = Settings::read(&Flags::default(), &around).expect("well-formed").warnings;
    let warnings = warnings.join("\n");
    for (name, meant) in [
        ("SIGMILL_THREAD ", "SIGMILL_THREADS would"),
        ("SIGMILL_FPGA_MANIFSET ", "SIGMILL_FPGA_MANIFEST would"),
        ("SIGMIL_TRUST ", "SIGMILL_TRUST would"),
    ] {
        assert!(warnings.contains(name) && warnings.contains(meant), "{warnings}");
    }
    assert_eq!(warnings.lines().count(), 3, "{warnings}");
}

#[test]
fn the_table_is_whole() {
    let mut command = Only::command();
    command.build();
    let mut tables = Vec::new();
    for key in KEYS.iter() {
        let flag = key.flag.map(|flag| flag.trim_start_matches("--"));
        let known =
            |flag| command.get_arguments().any(|argument| argument.get_long() == Some(flag));
        assert!(flag.is_none_or(known), "{}", key.name);
        assert!(matches!(key.read_text(key.sample), Ok(Some(_))), "{}: its sample", key.name);
        tables.push(key.parts().0);
    }
    tables.dedup();
    assert_eq!(tables, [None, Some("limits")], "tables stand together, at the end");
    // Every flag comes from the table but those that are no settings.
    let flags = command.get_arguments().filter_map(|argument| argument.get_long());
    let flags: Vec<_> =
        flags.filter(|flag| !["help", "no-isolate", "config"].contains(flag)).collect();
    let of_table: Vec<_> = KEYS.iter().filter_map(|key| key.flag).collect();
    assert_eq!(flags.iter().map(|flag| format!("--{flag}")).collect::<Vec<_>>(), of_table);
    assert!(Flags::from_arg_matches(&command.get_matches_from(["x"])).is_ok());
}

#[test]
fn the_sample_says_nothing_until_its_comments_go() {
    let text = sample();
    let (found, wrong) = entries(&text);
    assert!(found.is_empty() && wrong.is_empty(), "{wrong:?}");
    let open: String = text
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let (found, wrong) = entries(&open);
    assert!(wrong.is_empty(), "{wrong:?}\n{open}");
    assert_eq!(found.len(), KEYS.len());
    for key in &KEYS {
        assert!(help().contains(&key.variable()) && text.contains(&key.variable()), "{}", key.name);
    }
}

#[test]
fn hostile_files_and_variables_are_settings_or_errors() {
    let plain: String =
        sample().lines().map(|line| line.trim_start_matches("# ").to_owned() + "\n").collect();
    let seeds = [sample(), plain, "threads = 0x2\n[limits]\nitems = 3\n".to_owned()];
    let mut hostile = Hostile::new(6);
    for _ in 0..5_000 {
        let text = hostile.one_of(&seeds).clone();
        let (_, wrong) = entries(&hostile.text(&text));
        if !wrong.is_empty() {
            let wrong = wrong.into_iter().map(|(line, why)| format!("x:{line}: {why}"));
            check_error(&Failure::from(Trouble::invalid(wrong.collect())).message);
        }
    }
    for key in &KEYS {
        for _ in 0..1_000 {
            if let Err(why) = key.read_text(&hostile.text(key.sample)) {
                check_error(&why);
            }
        }
    }
}

#[test]
fn files_that_nest_or_repeat_are_refused_within_bounds() {
    let long = |part: &str| part.repeat(file::LIMIT as usize / part.len());
    let lines = |line: fn(usize) -> String| (0..4_000).map(line).collect::<String>();
    for text in [
        long("a.") + "a = 1",
        format!("[{}a]", long("a.")),
        format!("[[{}a]]", long("a.")),
        format!("a = {}", long("[")),
        format!("a = {}", long("{a=")),
        format!("a = {}", long("{a.")),
        lines(|index| format!("k{index} = 1\n")),
        lines(|index| format!("[k{index}]\n")),
        lines(|index| format!("limits.k{index} = 1\n")),
        lines(|_| "threads = 1\n".to_owned()),
        format!("threads = {}", long("9")),
        format!("backend = \"{}\"", long("\\n")),
    ] {
        let (_, wrong) = entries(&text);
        let wrong: Vec<_> =
            wrong.into_iter().map(|(line, why)| format!("x:{line}: {why}")).collect();
        check_error(&Failure::from(Trouble::invalid(wrong)).message);
    }
}
