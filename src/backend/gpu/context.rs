//! The adapter, the device opened on it, and what became of it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::EngineError;

/// Which adapter is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adapter {
    /// The first real GPU: discrete ones before others.
    #[default]
    Hardware,
    /// A driver in software, such as lavapipe: slow, and good for tests alone.
    Software,
}

impl Adapter {
    /// The name under which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Adapter::Hardware => "gpu",
            Adapter::Software => "gpu=software",
        }
    }
}

/// An open device.
#[derive(Debug)]
pub(crate) struct Context {
    pub info: wgpu::AdapterInfo,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub features: wgpu::Features,
    pub limits: wgpu::Limits,
    trouble: Arc<Mutex<Option<String>>>,
}

/// Features that decide how kernels run; taken where they are offered.
pub(crate) const WANTED: wgpu::Features = wgpu::Features::SHADER_INT64
    .union(wgpu::Features::TIMESTAMP_QUERY)
    .union(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS)
    .union(wgpu::Features::PIPELINE_CACHE);

impl Context {
    /// Opens the adapter that is wanted.
    pub fn open(wanted: Adapter) -> Result<Context, EngineError> {
        let adapter = find(wanted)?;
        let failed = |why: String| EngineError::Device { device: wanted.name().to_owned(), why };
        let features = adapter.features() & WANTED;
        let limits = adapter.limits();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("sigmill"),
            required_features: features,
            required_limits: limits.clone(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| failed(error.to_string()))?;
        let trouble = Arc::new(Mutex::new(None));
        let note = |trouble: &Mutex<Option<String>>, why: String| {
            // The first trouble is the one that explains the rest.
            trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        };
        let lost = trouble.clone();
        device.set_device_lost_callback(move |reason, message| {
            note(&lost, format!("device lost ({reason:?}): {message}"));
        });
        let uncaptured = trouble.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            note(&uncaptured, error.to_string());
        }));
        Ok(Context { info: adapter.get_info(), device, queue, features, limits, trouble })
    }

    /// What went wrong on the device, if anything did.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is a driver in software.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }
}

/// All adapters of this machine.
pub(crate) fn adapters() -> Vec<wgpu::Adapter> {
    let descriptor = wgpu::InstanceDescriptor {
        backends: wgpu::Backends::VULKAN,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    };
    let instance = wgpu::Instance::new(descriptor);
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN))
}

/// The best adapter of the kind wanted.
pub(crate) fn find(wanted: Adapter) -> Result<wgpu::Adapter, EngineError> {
    let all = adapters();
    let rank = |adapter: &wgpu::Adapter| match (wanted, adapter.get_info().device_type) {
        (Adapter::Software, wgpu::DeviceType::Cpu) => Some(0),
        (Adapter::Software, _) | (_, wgpu::DeviceType::Cpu) => None,
        (_, wgpu::DeviceType::DiscreteGpu) => Some(0),
        (_, wgpu::DeviceType::IntegratedGpu) => Some(1),
        _ => Some(2),
    };
    let found: Vec<_> = all.iter().map(|adapter| adapter.get_info().name).collect();
    let best = all.into_iter().filter(|adapter| rank(adapter).is_some()).min_by_key(rank);
    best.ok_or_else(|| {
        let why = match (wanted, &found[..]) {
            (_, []) => "no Vulkan adapter: is a driver installed, and the loader libvulkan.so.1?"
                .to_owned(),
            (Adapter::Hardware, _) => format!(
                "only a software adapter ({}), which `--backend gpu=software` takes",
                found.join(", ")
            ),
            (Adapter::Software, _) => format!(
                "no software adapter among: {}; on Debian: apt-get install mesa-vulkan-drivers",
                found.join(", ")
            ),
        };
        EngineError::Absent { device: wanted.name().to_owned(), why }
    })
}
