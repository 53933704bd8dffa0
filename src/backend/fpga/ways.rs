//! The ways to a card that this build and this system have.

use std::path::PathBuf;

use crate::backend::fpga::registers::Expected;
use crate::backend::fpga::transport::Transport;

/// Which card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Card {
    /// The simulated one, of this build.
    Simulated,
    /// Behind the XDMA driver: what its device files begin with, such as `/dev/xdma0`.
    Xdma(PathBuf),
    /// With mapped BARs: its folder in `/sys/bus/pci/devices`.
    Mapped(PathBuf),
}

impl Card {
    /// A real card by its path.
    pub fn at(path: impl Into<PathBuf>) -> Card {
        let path = path.into();
        if path.starts_with("/sys") { Card::Mapped(path) } else { Card::Xdma(path) }
    }

    /// Its name, as `--backend` takes it.
    pub fn name(&self) -> &'static str {
        match self {
            Card::Simulated => "fpga=sim",
            _ => "fpga",
        }
    }
}

#[cfg(unix)]
pub(super) mod real {
    use std::path::Path;

    use super::*;
    use crate::backend::fpga::bar::{self, Bar};
    use crate::backend::fpga::xdma::{self, Xdma};

    fn node(card: &Card) -> PathBuf {
        match card {
            Card::Simulated => PathBuf::new(),
            Card::Xdma(base) => xdma::node(base),
            Card::Mapped(folder) => bar::node(folder),
        }
    }

    pub fn find(card: &Card) -> Result<String, String> {
        let node: &Path = &node(card);
        match node.try_exists() {
            Ok(true) => Ok(node.display().to_string()),
            Ok(false) => Err(format!("{}: no such device node", node.display())),
            Err(error) => Err(format!("{}: {error}", node.display())),
        }
    }

    pub fn connect(card: &Card) -> Result<Box<dyn Transport>, String> {
        Ok(match card {
            Card::Simulated => return simulation::connect(),
            Card::Xdma(base) => Box::new(Xdma::open(base)?),
            Card::Mapped(folder) => Box::new(Bar::open(folder)?),
        })
    }
}

#[cfg(not(unix))]
pub(super) mod real {
    use super::*;

    const WHY: &str = "cards are reached through Unix device files";

    pub fn find(_: &Card) -> Result<String, String> {
        Err(WHY.to_owned())
    }

    pub fn connect(_: &Card) -> Result<Box<dyn Transport>, String> {
        Err(WHY.to_owned())
    }
}

#[cfg(feature = "fpga-sim")]
pub(super) mod simulation {
    use super::*;
    use crate::backend::fpga::sim::{self, Simulated};

    pub fn expected() -> Result<Expected, String> {
        sim::expected()
    }

    pub fn connect() -> Result<Box<dyn Transport>, String> {
        Ok(Box::new(Simulated::open()?))
    }
}

#[cfg(not(feature = "fpga-sim"))]
pub(super) mod simulation {
    use super::*;

    const WHY: &str = "built without the feature `fpga-sim`";

    pub fn expected() -> Result<Expected, String> {
        Err(WHY.to_owned())
    }

    pub fn connect() -> Result<Box<dyn Transport>, String> {
        Err(WHY.to_owned())
    }
}
