//! How others look at a command's engine while it runs: metrics and the monitor's socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use sigmill::Engine;
use sigmill::monitor::{self, Monitor};

use super::endpoint::{self, Endpoint};
use super::settings::Settings;
use super::{Failure, Status};

/// Flags of commands whose engine may be watched.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct WatchFlags {
    /// Serve Prometheus metrics at this port of this machine, or at this address [default: nothing is served]
    #[arg(long, value_name = "[ADDRESS:]PORT", value_parser = endpoint::address)]
    metrics: Option<SocketAddr>,
    /// Open this Unix socket for `sigmill top` and `sigmill profile --attach` [default: none is opened]
    #[arg(long, value_name = "SOCKET")]
    monitor: Option<PathBuf>,
}

/// What is open; dropping it closes it.
#[derive(Debug)]
pub(super) struct Watched {
    _endpoint: Option<Endpoint>,
    _monitor: Option<Monitor>,
}

/// Opens what flags, or else the settings, ask for. What the settings ask for may be open already for another
/// command's engine: that is said, and the command goes on.
pub(super) fn open(
    engine: &Arc<Engine>,
    settings: &Settings,
    flags: &WatchFlags,
) -> Result<Watched, Failure> {
    let tolerate = |flagged: bool, failure: Failure| {
        if flagged {
            return Err(failure);
        }
        eprintln!("sigmill: warning: {}", failure.message);
        Ok(())
    };
    let mut endpoint = None;
    if let Some(address) = flags.metrics.or(settings.metrics()) {
        match endpoint::serve(address, Arc::downgrade(engine)) {
            Ok(served) => {
                eprintln!("sigmill: metrics at http://{}/metrics", served.address);
                endpoint = Some(served);
            }
            Err(failure) => tolerate(flags.metrics.is_some(), failure)?,
        }
    }
    let mut opened = None;
    if let Some(path) = flags.monitor.as_deref().or(settings.monitor()) {
        match serve(engine, path) {
            Ok(monitor) => opened = Some(monitor),
            Err(failure) => tolerate(flags.monitor.is_some(), failure)?,
        }
    }
    Ok(Watched { _endpoint: endpoint, _monitor: opened })
}

fn serve(engine: &Arc<Engine>, path: &Path) -> Result<Monitor, Failure> {
    monitor::serve(engine, path).map_err(|error| {
        Failure::new(Status::Error, format!("--monitor {}: {error}", path.display()))
    })
}
