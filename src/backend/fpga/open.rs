//! Opening a card: the way to it, who it says it is, a reset.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::algorithm::Algorithm;
use crate::backend::device::{Device, host_threads};
use crate::backend::fpga::Fpga;
use crate::backend::fpga::completion::Completed;
use crate::backend::fpga::flight::{Encoded, Jobs};
use crate::backend::fpga::manifest::Core;
use crate::backend::fpga::manifest::Manifest;
use crate::backend::fpga::registers::{self, Expected};
use crate::backend::fpga::ring::{Completions, Submission};
use crate::backend::fpga::transport::Transport;
use crate::backend::fpga::watch::{Limit, Watch};
use crate::backend::fpga::ways::{self, Card};
use crate::backend::{Backend, Capability};
use crate::batch::BATCH_ITEMS_LIMIT;
use crate::error::EngineError;
use crate::isa::Isa;

/// What a card is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which card.
    pub card: Card,
    /// What it has to be: what the manifest of its image says.
    pub expected: Expected,
    /// How long it may show no progress; `None`: a second, or two million cycles of a simulated one.
    pub limit: Option<Limit>,
    /// Cycles a second, where the manifest says so.
    pub clock_hz: Option<u64>,
}

impl Options {
    /// A real card, with an image of which this is known.
    pub fn new(card: Card, expected: Expected) -> Options {
        Options { card, expected, limit: None, clock_hz: None }
    }

    /// The card that the environment names: `SIGMILL_FPGA` as [`Card::at`] takes it, and in
    /// `SIGMILL_FPGA_MANIFEST` the manifest of its image.
    ///
    /// # Errors
    /// [`EngineError::Absent`] where it names none, [`EngineError::Device`] for a manifest that cannot be
    /// read.
    pub fn configured() -> Result<Options, EngineError> {
        let Some(path) = std::env::var_os("SIGMILL_FPGA").filter(|path| !path.is_empty()) else {
            let why = "SIGMILL_FPGA names no card, such as /dev/xdma0".to_owned();
            return Err(EngineError::Absent { device: "fpga".to_owned(), why });
        };
        let card = Card::at(path);
        find(&card)?;
        let failed = |why| EngineError::Device { device: card.name().to_owned(), why };
        let manifest = std::env::var_os("SIGMILL_FPGA_MANIFEST")
            .ok_or_else(|| failed("SIGMILL_FPGA_MANIFEST names no manifest".to_owned()))?;
        let manifest = Manifest::read(Path::new(&manifest));
        let manifest = manifest.map_err(|error| failed(error.to_string()))?;
        let clock_hz = manifest.clock_hz;
        Ok(Options { clock_hz, ..Options::new(card, Expected::from(&manifest)) })
    }

    /// The simulated card, of this build.
    ///
    /// # Errors
    /// [`EngineError::Absent`] where this build has none.
    pub fn simulated() -> Result<Options, EngineError> {
        let expected = ways::simulation::expected().map_err(|why| absent(&Card::Simulated, why))?;
        Ok(Options::new(Card::Simulated, expected))
    }
}

/// Opens a card and tests it.
///
/// # Errors
/// [`EngineError::Absent`] where there is none, [`EngineError::Device`] where it cannot be opened or is
/// another than expected, [`EngineError::SelfTest`] where it computes something else.
pub fn device(options: Options) -> Result<Device, EngineError> {
    Device::admit(move || Ok(Fpga::open(&options)?))
}

/// Opens a card, untested: for the process that serves it to another.
///
/// # Errors
/// As [`device`], without a self-test.
pub fn backend(options: &Options) -> Result<Box<dyn Backend>, EngineError> {
    Ok(Fpga::open(options)?)
}

/// A card that is opened and tested while the engine already serves: see [`Device::later`].
///
/// # Errors
/// [`EngineError::Absent`] where there is none.
pub fn device_later(options: Options) -> Result<Device, EngineError> {
    find(&options.card)?;
    Ok(Device::later(options.card.name(), move || Ok(Fpga::open(&options)?)))
}

/// Looks for a card without opening it, and describes it.
///
/// # Errors
/// [`EngineError::Absent`] where there is none, with what was looked for.
pub fn find(card: &Card) -> Result<String, EngineError> {
    let found = match card {
        Card::Simulated => ways::simulation::expected().map(|_| "simulated".to_owned()),
        Card::Xdma(_) | Card::Mapped(_) => ways::real::find(card),
    };
    found.map_err(|why| absent(card, why))
}

fn absent(card: &Card, why: String) -> EngineError {
    EngineError::Absent { device: card.name().to_owned(), why }
}

/// The core that serves an algorithm; that of runs serves beside another, as it takes messages of 64 bytes
/// alone.
fn core(algorithm: Algorithm) -> Option<Core> {
    match algorithm {
        Algorithm::EcdsaSecp256k1(_)
        | Algorithm::SchnorrBip340
        | Algorithm::RecoverSecp256k1(_) => Some(Core::Secp256k1),
        Algorithm::Sha256 | Algorithm::Sha256d => Some(Core::Sha256),
        Algorithm::Keccak256 => Some(Core::Keccak256),
        _ => None,
    }
}

impl Fpga {
    pub(super) fn open(options: &Options) -> Result<Box<Fpga>, EngineError> {
        let transport = match &options.card {
            Card::Simulated => {
                ways::simulation::connect().map_err(|why| absent(&options.card, why))?
            }
            card => {
                find(card)?;
                let failed = |why| EngineError::Device { device: card.name().to_owned(), why };
                ways::real::connect(card).map_err(failed)?
            }
        };
        Fpga::over(options.card.name(), transport, &options.expected, options.limit)
    }

    /// Opens what lies behind a transport.
    pub(super) fn over(
        name: &'static str,
        mut transport: Box<dyn Transport>,
        expected: &Expected,
        limit: Option<Limit>,
    ) -> Result<Box<Fpga>, EngineError> {
        let failed = |why| EngineError::Device { device: name.to_owned(), why };
        let isa = Isa::detect()?;
        let nonce = nonce();
        let identity = registers::identify(&mut *transport, expected)
            .and_then(|identity| registers::reset(&mut *transport, nonce).map(|()| identity))
            .map_err(|error| failed(error.to_string()))?;
        let pool = host_threads("prepare")?;
        let is_there = |core: Core| core.is_in(identity.caps);
        let capabilities = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| core(*algorithm).is_some_and(is_there))
            .map(|algorithm| Capability { algorithm, max_items: BATCH_ITEMS_LIMIT, judges: false })
            .collect();
        let limit = limit.unwrap_or(match transport.cycles() {
            Some(_) => Limit::Cycles(2_000_000),
            None => Limit::Time(Duration::from_secs(1)),
        });
        Ok(Box::new(Fpga {
            name,
            submission: Submission::new(&identity),
            completions: Completions::new(&identity, nonce),
            transport: RefCell::new(transport),
            identity,
            isa,
            pool,
            capabilities,
            batches: VecDeque::new(),
            jobs: Jobs::default(),
            encoded: Encoded::default(),
            pushed: 0,
            completed: Vec::<Completed>::new(),
            watch: Watch::new(limit),
            failed: None,
            done: VecDeque::new(),
            finished: Instant::now(),
            observer: None,
            sampled: None,
        }))
    }
}

/// A number that no completion of an earlier opening was made with, and not that of a card after its
/// reset: 0.
fn nonce() -> u32 {
    // The standard library's keys are random.
    RandomState::new().build_hasher().finish() as u32 | 1
}
