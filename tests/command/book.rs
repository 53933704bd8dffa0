//! Every command of the book and the README's examples is run, in order, a page at a time.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The blocks of a page that a shell is meant to run.
fn commands(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line == "```sh" {
            let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

/// A `sigmill` that is this build's, with less time for benches; a `cargo` that has built already.
fn path(folder: &Path) -> String {
    let tool = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let file = folder.join("bin").join(name);
        std::fs::write(&file, text).expect("a temporary file");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    };
    std::fs::create_dir_all(folder.join("bin")).expect("a temporary folder");
    let sigmill = env!("CARGO_BIN_EXE_sigmill");
    tool(
        "sigmill",
        &format!(
            "#!/bin/sh\nif [ \"$1\" = bench ]; then\n  case \" $* \" in *' --seconds '*) ;; \
             *) exec '{sigmill}' \"$@\" --seconds 1 ;; esac\nfi\nexec '{sigmill}' \"$@\"\n"
        ),
    );
    tool("cargo", "#!/bin/sh\n[ \"$*\" = 'build --release' ]\n");
    let old = std::env::var("PATH").unwrap_or_default();
    format!("{}:{old}", folder.join("bin").display())
}

fn run(page: &str, text: &str) {
    let folder: PathBuf =
        std::env::temp_dir().join(format!("sigmill-book-{}-{page}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let path = path(&folder);
    let blocks = commands(text);
    assert!(!blocks.is_empty() || page == "backend", "{page} has no commands");
    for block in blocks {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &block])
            .current_dir(&folder)
            .env("PATH", &path)
            .env("XDG_CONFIG_HOME", &folder)
            .env("XDG_CACHE_HOME", folder.join("cache"))
            .env_remove("SIGMILL_REQUIRE")
            .output()
            .expect("bash");
        let say = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{page}: {block}\n{}\n{}{}",
            output.status,
            say(&output.stdout),
            say(&output.stderr)
        );
    }
    let _ = std::fs::remove_dir_all(&folder);
}

macro_rules! pages {
    ($($page:ident)*) => {
        $(#[test]
        fn $page() {
            let name = stringify!($page);
            run(name, include_str!(concat!("../../docs/book/", stringify!($page), ".md")));
        })*

        /// The pages are those of the book's summary, and their links lead somewhere.
        #[test]
        fn the_summary_names_every_page() {
            let summary = include_str!("../../docs/book/SUMMARY.md");
            let pages = [$(stringify!($page)),*];
            let named = summary.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(".md)"));
            assert_eq!(named.collect::<Vec<_>>(), pages);
            for text in [$(include_str!(concat!("../../docs/book/", stringify!($page), ".md"))),*] {
                for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
                    let page = link.0.strip_suffix(".md");
                    assert!(link.0.starts_with("http") || page.is_some_and(|p| pages.contains(&p)), "{}", link.0);
                }
            }
        }
    };
}

pages! { start concepts benchmarks profiles operating backend algorithm }

#[test]
fn the_book_is_built_away_from_its_pages() {
    let settings = include_str!("../../docs/book.toml");
    // mdBook empties the folder that it builds in: `book`, unless it is told otherwise.
    assert!(settings.contains("src = \"book\"\n"));
    assert!(
        settings.contains("\n[build]\n") && settings.contains("build-dir = \"../target/book\"\n")
    );
}
