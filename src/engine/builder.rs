//! Devices, limits and policy, and how an engine opens over them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::backend::cpu;
use crate::backend::device::Device;
use crate::dispatch::lane::LANE_DEPTH;
use crate::dispatch::mill::{Mill, Post, Settings};
use crate::dispatch::worker;
use crate::dispatch::{Dispatcher, Event, Policy, proof};
use crate::engine::{Engine, Limits};
use crate::error::EngineError;
use crate::isa::Isa;
use crate::pinned::Budget;
use crate::trust::Trust;

/// Collects devices and limits, then opens the engine.
#[derive(Debug)]
pub struct EngineBuilder {
    threads: usize,
    cpu: bool,
    isa: Option<Isa>,
    limits: Limits,
    policy: Policy,
    proofs: Option<PathBuf>,
    remember: bool,
    pinned_bytes: usize,
    devices: Vec<Device>,
}

/// Bytes that the tables of pinned keys may take, unless the builder says otherwise: 256 MiB.
const PINNED_BYTES: usize = 256 << 20;

impl EngineBuilder {
    pub(super) fn new() -> Self {
        EngineBuilder {
            threads: 0,
            cpu: true,
            isa: None,
            limits: Limits::default(),
            policy: Policy::default(),
            proofs: None,
            remember: false,
            pinned_bytes: PINNED_BYTES,
            devices: Vec::new(),
        }
    }

    /// Threads of the CPU backend; 0, the default, takes every core.
    pub fn threads(self, threads: usize) -> Self {
        EngineBuilder { threads, ..self }
    }

    /// Whether the CPU is a device that batches are routed to (it is by default). Without it the
    /// portable CPU remains the last resort.
    pub fn cpu(self, cpu: bool) -> Self {
        EngineBuilder { cpu, ..self }
    }

    /// Level of the CPU's kernels, one of [`Isa::all`]; else the best, or what `SIGMILL_ISA` says.
    pub fn isa(self, isa: Isa) -> Self {
        EngineBuilder { isa: Some(isa), ..self }
    }

    /// Bounds of what is in flight.
    pub fn limits(self, limits: Limits) -> Self {
        EngineBuilder { limits, ..self }
    }

    /// Least trust of the verdicts of batches that name none; [`Trust::Checked`] by default. Batches of
    /// recovery in class `Consensus` are audited unless their [`Terms`](crate::Terms) say otherwise.
    pub fn trust(self, trust: Trust) -> Self {
        let policy = Policy { trust, ..self.policy };
        EngineBuilder { policy, ..self }
    }

    /// Share of one core, in thousandths, that re-checks of accelerators' accepted answers may take; 100 by
    /// default.
    pub fn recheck(self, thousandths: u64) -> Self {
        let policy = Policy { recheck: thousandths.min(1_000), ..self.policy };
        EngineBuilder { policy, ..self }
    }

    /// Host time that re-checks of an accelerator take before it gets all the work that it is good for: while it
    /// is new, or was out of service, every answer of it is computed again. One second by default, in which a CPU
    /// with AVX-512 verifies about 200,000 signatures; within the share of [`EngineBuilder::recheck`] it
    /// takes ten.
    pub fn probation(self, time: Duration) -> Self {
        let probation = time.as_nanos().min(u64::MAX.into()) as u64;
        EngineBuilder { policy: Policy { probation, ..self.policy }, ..self }
    }

    /// Where it is kept on disk if a device gives a wrong answer: the job, what the device sent, what the host and
    /// the referee say. By default `sigmill/proofs` in the user's folder for state (`XDG_STATE_HOME`, else
    /// `~/.local/state`).
    pub fn proofs(self, folder: impl Into<PathBuf>) -> Self {
        EngineBuilder { proofs: Some(folder.into()), ..self }
    }

    /// Whether what batches cost on each device is kept from run to run, in the user's folder for caches: a file for
    /// each machine, device and driver. Not by default; the command does.
    pub fn remember(self, remember: bool) -> Self {
        EngineBuilder { remember, ..self }
    }

    /// Leaves devices in service that were found to lie, for tests that count what is found.
    #[doc(hidden)]
    pub fn keep_liars(self) -> Self {
        EngineBuilder { policy: Policy { keep_liars: true, ..self.policy }, ..self }
    }

    /// Bytes that the tables of all pinned keys may take together; 256 MiB by default. A key takes
    /// [`PinnedKeys::KEY_BYTES`](crate::PinnedKeys::KEY_BYTES).
    pub fn pinned_bytes(self, limit: usize) -> Self {
        EngineBuilder { pinned_bytes: limit, ..self }
    }

    /// Adds a device.
    pub fn device(mut self, device: Device) -> Self {
        self.devices.push(device);
        self
    }

    /// Admits the CPU, starts one thread a device, and opens for submissions.
    ///
    /// # Errors
    /// [`EngineError`]: threads that cannot be started, an unknown `SIGMILL_ISA`, or a CPU that
    /// fails its known-answer tests.
    pub fn open(self) -> Result<Engine, EngineError> {
        let isa = self.isa.map_or_else(Isa::detect, Ok)?;
        let kernels = cpu::Kernels::measure(isa);
        let pool = cpu::pool(self.threads)?;
        let mut devices = self.devices;
        if self.cpu {
            devices.insert(0, cpu::device_in(pool.clone(), kernels)?);
        }
        let configs = devices.iter().map(Device::config).collect();
        let dispatcher = Dispatcher::new(self.limits, self.policy, configs);
        let mut posts = Vec::new();
        let mut threads = Vec::new();
        for (lane, device) in devices.into_iter().enumerate() {
            // The dispatcher never has more batches in a lane than its depth; twice that holds the
            // stale ones of a lane that was taken out of service, and a few commands.
            let (commands, inbox) = crossbeam_channel::bounded(4 * LANE_DEPTH);
            let (name, inline) = (Arc::from(device.name()), device.inline_kernel());
            let info = Mutex::new(device.info());
            posts.push(Post { name, info, commands, inline });
            threads.push((lane, device, inbox));
        }
        let settings = Settings {
            policy: self.policy,
            proofs: self.proofs.unwrap_or_else(proof::default_folder),
            remembers: self.remember,
        };
        let slots = self.limits.batches.max(1);
        let mill = Arc::new(Mill::new(dispatcher, slots, posts, pool, kernels, settings));
        let stopped = Arc::new(AtomicBool::new(false));
        let budget = Budget::new(self.pinned_bytes);
        let mut engine = Engine { mill, stopped, budget, lanes: Vec::new() };
        for (lane, device, inbox) in threads {
            let mill = Arc::downgrade(&engine.mill);
            let info = device.info();
            let (name, open) = (format!("sigmill-{}", device.name()), device.is_open());
            engine.lanes.push(spawn(name, move || worker::run(lane, device, inbox, mill))?);
            if open {
                engine.mill.describe(lane, info);
            } else {
                engine.mill.step(Event::Opening { lane });
            }
        }
        let (mill, stopped) = (Arc::downgrade(&engine.mill), engine.stopped.clone());
        spawn("sigmill-watch".to_owned(), move || {
            while let Some(mill) = mill.upgrade() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                mill.watch();
            }
        })?;
        Ok(engine)
    }
}

fn spawn(
    name: String,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, EngineError> {
    let spawned = std::thread::Builder::new().name(name).spawn(body);
    spawned.map_err(|error| EngineError::Threads(error.to_string()))
}
