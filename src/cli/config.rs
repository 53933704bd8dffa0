//! `sigmill config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value as Json, json};

use super::settings::{self, Flags, Origin, Settings};
use super::{Failure, Status};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Prints the settings in force, as TOML
    #[command(after_help = settings::help())]
    Show(Show),
    /// Prints a file to begin with: every key, explained, commented out
    Sample,
    /// Checks a file of settings; fails with 3 if it says something wrong, with 1 if it cannot be read
    Check(Check),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Say of each value who set it: a line of a file, a variable, a flag
    #[arg(long)]
    origin: bool,
    /// Print one JSON object, with origins
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Command) -> Result<Status, Failure> {
    match command {
        Command::Show(arguments) => show(arguments),
        Command::Sample => {
            say!("{}", settings::sample().trim_end());
            Ok(Status::Well)
        }
        Command::Check(arguments) => Ok(check(arguments)),
    }
}

fn show(arguments: &Show) -> Result<Status, Failure> {
    let settings = Settings::load(&arguments.settings)?;
    if arguments.json {
        say!("{}", as_json(&settings));
    } else {
        say!("{}", as_toml(&settings, arguments.origin).trim_end());
    }
    Ok(Status::Well)
}

/// As a file that would say the same.
fn as_toml(settings: &Settings, origin: bool) -> String {
    let mut text = String::new();
    if origin {
        for (file, there) in &settings.files {
            let state = if *there { "read" } else { "not there" };
            text += &format!("# {}: {state}\n", file.display());
        }
    }
    let mut table = None;
    for (key, sourced) in settings.iter() {
        let (inside, name) = key.parts();
        if inside != table {
            table = inside;
            text += &format!("\n[{}]\n", inside.unwrap_or_default());
        }
        let value = sourced.value.as_ref().map_or("\"none\"".to_owned(), |value| value.toml());
        text += &match origin {
            true => format!("{:40} # {}\n", format!("{name} = {value}"), sourced.origin),
            false => format!("{name} = {value}\n"),
        };
    }
    text
}

fn as_json(settings: &Settings) -> Json {
    let one = |sourced: &settings::Sourced| {
        let origin = match &sourced.origin {
            Origin::Default => json!({ "kind": "default" }),
            Origin::File(path, line) => json!({ "kind": "file", "path": path, "line": line }),
            Origin::Variable(name) => json!({ "kind": "variable", "name": name }),
            Origin::Flag(name) => json!({ "kind": "flag", "name": name }),
        };
        json!({ "value": sourced.value.as_ref().map(|value| value.json()), "origin": origin })
    };
    let values: Map<_, _> =
        settings.iter().map(|(key, sourced)| (key.name.to_owned(), one(sourced))).collect();
    let files = settings.files.iter();
    let files: Vec<_> = files.map(|(path, there)| json!({ "path": path, "read": there })).collect();
    json!({ "schema": 1, "files": files, "settings": values })
}

fn check(arguments: &Check) -> Status {
    let checked = settings::check_file(&arguments.file);
    let status = match &checked {
        Ok(_) => Status::Well,
        Err(trouble) if trouble.unreadable => Status::Error,
        Err(_) => Status::Invalid,
    };
    if arguments.json {
        let wrong = checked.as_ref().err().map_or(&[][..], |trouble| &trouble.wrong);
        let file = arguments.file.to_string_lossy();
        say!("{}", json!({ "schema": 1, "file": file, "ok": wrong.is_empty(), "wrong": wrong }));
    }
    match checked {
        Ok(count) if !arguments.json => say!("{}: ok, {count} settings", arguments.file.display()),
        Ok(_) => {}
        Err(trouble) => trouble.wrong.iter().for_each(|line| eprintln!("sigmill: {line}")),
    }
    status
}
