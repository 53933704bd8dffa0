//! `sigmill completions` and `sigmill man`: what is known of the flags, for shells and for readers.

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man as Page;

use super::nearest::quoted;
use super::{Failure, Status};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sigmill completions bash > ~/.local/share/bash-completion/completions/sigmill
  sigmill completions zsh > ~/.zfunc/_sigmill
  sigmill completions fish > ~/.config/fish/completions/sigmill.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sigmill man | man -l -
  sigmill man fpga load | man -l -
  sigmill man --dir ~/.local/share/man/man1")]
pub(super) struct Man {
    /// The command whose page is printed [default: sigmill itself]
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    command: Vec<String>,
    /// Write the pages of all commands into this folder, which is made
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// All commands as users see them, names of pages set.
fn commands() -> clap::Command {
    let all = super::Arguments::command();
    // A shell would offer what help hides.
    let shown = all.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let mut command = clap::Command::new("sigmill")
        .version(env!("CARGO_PKG_VERSION"))
        .about(all.get_about().cloned().unwrap_or_default())
        .after_help(super::EXIT_CODES)
        .subcommands(shown)
        .disable_help_subcommand(true);
    command.build();
    command
}

pub(super) fn completions(arguments: &Completions) -> Result<Status, Failure> {
    say!("{}", script(arguments.shell).trim_end());
    Ok(Status::Well)
}

/// What a shell reads.
fn script(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut commands(), "sigmill", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

pub(super) fn man(arguments: &Man) -> Result<Status, Failure> {
    let all = commands();
    if let Some(folder) = &arguments.dir {
        let written = std::fs::create_dir_all(folder).and_then(|()| write(&all, folder));
        let why = |error| format!("--dir {}: {error}", folder.display());
        return match written {
            Ok(()) => Ok(Status::Well),
            Err(error) => Err(Failure::new(Status::Error, why(error))),
        };
    }
    let mut command = &all;
    for name in &arguments.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            let why = format!("no such command: {}", quoted(&arguments.command.join(" ")));
            Failure::new(Status::Usage, why)
        })?;
    }
    say!("{}", page(command).trim_end());
    Ok(Status::Well)
}

/// Writes the pages of a command and of those below it.
fn write(command: &clap::Command, folder: &Path) -> std::io::Result<()> {
    std::fs::write(folder.join(format!("{}.1", name(command))), page(command))?;
    command.get_subcommands().try_for_each(|command| write(command, folder))
}

/// A page's name, such as `sigmill-fpga-load`.
fn name(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// A command's page, as roff.
fn page(command: &clap::Command) -> String {
    let mut text = Vec::new();
    let source = concat!("sigmill ", env!("CARGO_PKG_VERSION"));
    let page = Page::new(command.clone()).source(source);
    page.render(&mut text).expect("memory takes what is written");
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(command: &clap::Command, judge: &mut dyn FnMut(&clap::Command)) {
        judge(command);
        command.get_subcommands().for_each(|command| each(command, judge));
    }

    #[test]
    fn every_page_names_every_flag() {
        let mut pages = 0;
        each(&commands(), &mut |command| {
            let text = page(command).replace('\\', "");
            let name = name(command);
            assert!(text.contains(&format!(".TH {name} 1")), "{name}");
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                if let Some(flag) = argument.get_long() {
                    assert!(text.contains(&format!("--{flag}")), "{name} --{flag}");
                }
            }
            pages += 1;
        });
        assert!(pages >= 9, "{pages}");
    }

    #[test]
    fn every_shell_completes_every_command() {
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let text = script(shell);
            assert!(!text.contains("device-child"), "{shell}: what is hidden is offered");
            each(&commands(), &mut |command| {
                assert!(text.contains(command.get_name()), "{shell}: {}", command.get_name());
                for flag in command.get_arguments().filter_map(|argument| argument.get_long()) {
                    assert!(text.contains(flag), "{shell}: --{flag}");
                }
            });
        }
    }
}
