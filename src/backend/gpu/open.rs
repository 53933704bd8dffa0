//! Opening a device: adapter, kernels, memory, and a first run of everything.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytemuck::Zeroable;

use crate::algorithm::Algorithm;
use crate::backend::Capability;
use crate::backend::device::{Busy, host_threads};
use crate::backend::gpu::buffers::Buffers;
use crate::backend::gpu::context::{Adapter, Context};
use crate::backend::gpu::part::Params;
use crate::backend::gpu::pinned::Residents;
use crate::backend::gpu::program::{Kernel, Limbs, Program, WORKGROUP};
use crate::backend::gpu::{Gpu, Options};
use crate::batch::BATCH_ITEMS_LIMIT;
use crate::error::EngineError;

/// Whether a GPU serves it: all but proofs, of which each is a chain of few hashes.
fn serves(algorithm: &Algorithm) -> bool {
    *algorithm != Algorithm::MerkleProofSha256d
}

impl Gpu {
    /// Opens the device and compiles for it, on a thread that is left behind when it takes too long: a
    /// driver's compiler cannot be interrupted.
    pub(super) fn open(options: &Options) -> Result<Box<Gpu>, EngineError> {
        let name = options.adapter.name();
        let failed = |why| EngineError::Device { device: name.to_owned(), why };
        let (send, opened) = std::sync::mpsc::channel();
        let (own, busy) = (options.clone(), Busy::new());
        let spawned =
            std::thread::Builder::new().name("sigmill-compile".to_owned()).spawn(move || {
                let _busy = busy;
                // Whoever waited may have given up.
                drop(send.send(Gpu::compile(&own).map(Box::new)));
            });
        spawned.map_err(|error| EngineError::Threads(error.to_string()))?;
        let software = options.adapter == Adapter::Software;
        let patience =
            options.patience.unwrap_or(Duration::from_secs(if software { 300 } else { 60 }));
        opened.recv_timeout(patience).unwrap_or_else(|_| {
            Err(failed(format!("kernels were not compiled within {} s", patience.as_secs_f32())))
        })
    }

    fn compile(options: &Options) -> Result<Gpu, EngineError> {
        let started = Instant::now();
        let context = Context::open(options.adapter)?;
        let wide = context.features.contains(wgpu::Features::SHADER_INT64);
        let limbs = options.limbs.unwrap_or(if wide { Limbs::U64 } else { Limbs::U32 });
        let failed = |why| EngineError::Device { device: options.adapter.name().to_owned(), why };
        if limbs == Limbs::U64 && !wide {
            return Err(failed("it has no 64-bit integers".to_owned()));
        }
        let program = Program::new(&context, limbs).map_err(failed)?;
        let [bytes, pinned] =
            if context.is_software() { [128 << 20, 32 << 20] } else { [1 << 30, 256 << 20] };
        let bytes = options.bytes.unwrap_or(bytes);
        let pinned = options.pinned_bytes.unwrap_or(pinned);
        let buffers = Buffers::new(&context, &program, bytes, pinned)?;
        let readers = host_threads("read")?;
        let residents = Residents::new(buffers.pinned.size() as usize);
        let capabilities = Algorithm::ALL
            .into_iter()
            .filter(serves)
            .map(|algorithm| Capability { algorithm, max_items: BATCH_ITEMS_LIMIT, judges: false })
            .collect();
        let free = (0..buffers.slots.len()).collect();
        let mut gpu = Gpu {
            adapter: options.adapter,
            context,
            program,
            buffers,
            limbs,
            observer: None,
            residents,
            readers,
            capabilities,
            batches: VecDeque::new(),
            parts: VecDeque::new(),
            free,
            done: VecDeque::new(),
            nonce: 0,
            finished: started,
            #[cfg(test)]
            left_out: None,
            compiled: Duration::ZERO,
        };
        gpu.warm_up().map_err(failed)?;
        gpu.program.save();
        gpu.compiled = started.elapsed();
        Ok(gpu)
    }

    /// Runs every kernel over one item of zeros: many a driver compiles at the first dispatch.
    fn warm_up(&self) -> Result<(), String> {
        let params = Params { items: 1, stride: WORKGROUP as u32, share: 1, ..Params::zeroed() };
        let slot = &self.buffers.slots[0];
        self.context.queue.write_buffer(&slot.params, 0, bytemuck::bytes_of(&params));
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_bind_group(0, &slot.group, &[]);
            for kernel in Kernel::ALL {
                pass.set_pipeline(self.program.pipeline(kernel));
                pass.dispatch_workgroups(1, 1, 1);
            }
        }
        self.context.queue.submit([encoder.finish()]);
        let polled = self.context.device.poll(wgpu::PollType::wait_indefinitely());
        polled.map_err(|error| error.to_string())?;
        self.context.trouble().map_or(Ok(()), Err)
    }
}
