//! The table of keys as text: for help, and as a file to begin with.

use std::fmt::Write;

use super::keys::{KEYS, Key};

/// Every key with its variable, flag, default and meaning.
pub(in crate::cli) fn help() -> String {
    let mut text = "Keys:\n".to_owned();
    for key in &KEYS {
        let flag = key.flag.map_or(String::new(), |flag| format!(", {flag}"));
        let default = key.default.unwrap_or("not set");
        let Key { name, about, .. } = key;
        let _ = writeln!(text, "  {name} ({}{flag}): {about} [default: {default}]", key.variable());
    }
    text.push_str(
        "\nLater wins: defaults < /etc/sigmill/config.toml < $XDG_CONFIG_HOME/sigmill/config.toml or\n\
         ~/.config/sigmill/config.toml < variables < flags. --config FILE or SIGMILL_CONFIG stands for both files.\n\
         \"none\" unsets a key that is not set by default.",
    );
    text
}

/// A file that says nothing and explains every key.
pub(in crate::cli) fn sample() -> String {
    let mut text = "# Settings of Sigmill: /etc/sigmill/config.toml, or sigmill/config.toml in a user's folder for\n\
                    # configuration, which wins. What is commented out shows defaults, or examples where nothing is\n\
                    # set by default. `sigmill config check FILE` checks a file, `sigmill config show --origin` says\n\
                    # what is in force and who set it.\n"
        .to_owned();
    let mut table = None;
    for key in &KEYS {
        let (inside, name) = key.parts();
        if inside != table {
            table = inside;
            let _ = writeln!(text, "\n[{}]", inside.unwrap_or_default());
        }
        let value = key.read_text(key.sample).ok().flatten();
        let value = value.map_or_else(String::new, |value| value.toml());
        let takes = key.takes();
        let flag = key.flag.map_or(String::new(), |flag| format!(", {flag}"));
        let _ = writeln!(text, "\n# {}\n# {takes}; {}{flag}", sentence(key.about), key.variable());
        let _ = writeln!(text, "#{name} = {value}");
    }
    text
}

/// With a capital letter in front.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
