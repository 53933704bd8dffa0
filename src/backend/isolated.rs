//! A device in a process of its own.
//!
//! A GPU's driver can take its process down, or hang where nothing can end it. Here it does that to a
//! child, which runs the real backend; what lives in this process is a [`Backend`] that hands batches
//! over. When the child dies, stops or talks nonsense, that is a [`Fault`](crate::error::Fault) of the
//! batches in flight, which are routed again; opening the device anew starts a new child.
//!
//! ```text
//! engine's process                          child
//!  Isolated.submit -- columns --> slot ---> serve --> Backend.submit
//!  Isolated.poll  <-- evidence -- slot <--- serve <-- Backend.poll
//!        \____________ socket: whose turn ____/
//! ```
//!
//! Shared memory of a fixed size holds [`SLOTS`] slots; a batch in flight has one. A batch or evidence
//! longer than a slot goes through it in pieces, so that none is too long. The child is believed as
//! little as any device: what it says is checked, and its evidence is copied out before it is judged.
//! Keys pinned ahead travel as plain ones: their tables stay here.
//!
//! # The child
//! It is a program that calls [`serve`] first of all. The command `sigmill` is one, as
//! `sigmill device-child`, and the default of a program that is this command. Any program can be its own:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use sigmill::backend::isolated::{self, Options};
//!
//! fn main() -> ExitCode {
//!     if std::env::args().nth(1).as_deref() == Some("device-child") {
//!         return isolated::serve(isolated::named);
//!     }
//!     let own = std::env::current_exe().expect("it has a path");
//!     let options = Options::new("gpu").program(own, ["device-child"]);
//!     let device = isolated::device(options).expect("a GPU");
//!     let engine = sigmill::Engine::builder().device(device).open().expect("an engine");
//!     drop(engine);
//!     ExitCode::SUCCESS
//! }
//! ```
//!
//! A backend opened in another way, with fewer bytes say, takes a closure instead of [`named`], to which
//! the device's name is what [`Options::new`] was given.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::backend::Backend;
use crate::backend::device::Device;
use crate::error::EngineError;

mod child;
mod columns;
mod line;
mod memory;
mod open;
mod parent;
mod process;
mod wire;

#[cfg(fuzzing)]
pub mod fuzz;
#[cfg(test)]
mod hostile_tests;

pub use child::serve;

/// Batches in flight: what a lane of the dispatcher holds at most.
pub const SLOTS: usize = crate::dispatch::lane::LANE_DEPTH;

/// Fewest bytes of a slot, and what its size is a multiple of: a page.
pub const LEAST_SLOT: usize = 4_096;

/// What a device in a process of its own is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The device that the child opens: `gpu`, `gpu=software`, `fpga`, `fpga=sim` for [`named`].
    pub device: String,
    /// The child's program; `None`: this one, if it is the command `sigmill`.
    pub program: Option<PathBuf>,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Bytes of shared memory, taken at once: [`SLOTS`] slots of a multiple of [`LEAST_SLOT`] bytes.
    pub bytes: usize,
    /// Longest that opening may take.
    pub patience: Duration,
}

impl Options {
    /// The command as the child, 64 MiB of shared memory, and six minutes: longer than the slowest
    /// driver's compiler is given.
    pub fn new(device: impl Into<String>) -> Options {
        Options {
            device: device.into(),
            program: None,
            arguments: vec![CHILD.into()],
            bytes: 64 << 20,
            patience: Duration::from_secs(360),
        }
    }

    /// Another program as the child.
    pub fn program(
        self,
        program: impl AsRef<Path>,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Options {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Options { program: Some(program.as_ref().to_owned()), arguments, ..self }
    }
}

/// The argument by which the command `sigmill` knows that it is a child.
pub const CHILD: &str = "device-child";

/// Opens a device in a process of its own and tests it.
///
/// # Errors
/// As opening it in this process, and [`EngineError::Device`] for a child that cannot be started, ends, or
/// does not open it in time.
pub fn device(options: Options) -> Result<Device, EngineError> {
    Device::admit(move || backend(&options))
}

/// Opens a device in a process of its own, untested: for [`Device::admit`] or [`Device::later`].
///
/// # Errors
/// As [`device`].
pub fn backend(options: &Options) -> Result<Box<dyn Backend>, EngineError> {
    Ok(Box::new(parent::Isolated::open(options)?))
}

/// Opens a device in this process by the name that `--backend` takes, for [`serve`].
///
/// # Errors
/// As opening it otherwise; [`EngineError::Absent`] for a name that this build does not know.
pub fn named(name: &str) -> Result<Box<dyn Backend>, EngineError> {
    match name {
        #[cfg(feature = "gpu")]
        "gpu" | "gpu=software" => {
            use crate::backend::gpu::{self, Adapter};
            let adapter = if name == "gpu" { Adapter::Hardware } else { Adapter::Software };
            gpu::backend(&gpu::Options::new(adapter))
        }
        #[cfg(feature = "fpga")]
        "fpga" => crate::backend::fpga::backend(&crate::backend::fpga::Options::configured()?),
        #[cfg(feature = "fpga")]
        "fpga=sim" => crate::backend::fpga::backend(&crate::backend::fpga::Options::simulated()?),
        _ => {
            let why = "this build knows no such device".to_owned();
            Err(EngineError::Absent { device: name.to_owned(), why })
        }
    }
}
