//! What one look found.

use serde::Serialize;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, and could work better.
    Advice,
    /// Not there; what needs it is left out.
    Missing,
    /// There, and broken, closed or misspelt.
    Wrong,
}

impl State {
    /// As a line begins with it.
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Advice => "advice",
            State::Missing => "missing",
            State::Wrong => "WRONG",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What was looked at.
    pub(super) name: &'static str,
    /// How it stands.
    pub(super) state: State,
    /// What was found, in words.
    pub(super) found: String,
    /// Paths that were looked at.
    pub(super) searched: Vec<String>,
    /// The one command that mends it, where there is one.
    pub(super) mend: Option<String>,
}

impl Check {
    fn new(name: &'static str, state: State, found: impl Into<String>) -> Check {
        Check { name, state, found: found.into(), searched: Vec::new(), mend: None }
    }

    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Check {
        Check::new(name, State::Ok, found)
    }

    pub(super) fn advice(name: &'static str, found: impl Into<String>) -> Check {
        Check::new(name, State::Advice, found)
    }

    pub(super) fn missing(name: &'static str, found: impl Into<String>) -> Check {
        Check::new(name, State::Missing, found)
    }

    pub(super) fn wrong(name: &'static str, found: impl Into<String>) -> Check {
        Check::new(name, State::Wrong, found)
    }

    /// With the paths that were looked at.
    pub(super) fn searched(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Check {
        self.searched = paths.into_iter().map(Into::into).collect();
        self
    }

    /// With the command that mends it.
    pub(super) fn mend(self, command: impl Into<String>) -> Check {
        Check { mend: Some(command.into()), ..self }
    }

    /// With the command that mends it, if there is one.
    pub(super) fn mend_if(self, command: Option<impl Into<String>>) -> Check {
        Check { mend: command.map(Into::into), ..self }
    }
}

/// A word of a command as a shell takes it.
pub(super) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
