//! The command `sigmill`: checks files through the engine, lists devices, measures.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
