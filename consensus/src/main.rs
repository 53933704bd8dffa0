//! The command `sigmill-consensus`: makes keys and chains, runs validators, asks and loads them.

mod cli;

fn main() -> std::process::ExitCode {
    // `RUST_LOG=info`, or as the filters of `tracing` go; warnings by default.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    cli::run()
}
