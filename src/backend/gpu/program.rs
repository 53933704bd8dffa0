//! The shader texts, joined by name, and the pipelines made of them.

use crate::backend::gpu::cache::Cache;
use crate::backend::gpu::context::Context;

/// How the device holds a number of 256 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limbs {
    /// 10 limbs of 26 bits, summed in 64-bit integers.
    U64,
    /// 20 limbs of 13 bits, summed in 32-bit integers: for every device.
    U32,
}

impl Limbs {
    /// The format as reports print it.
    pub fn name(self) -> &'static str {
        match self {
            Limbs::U64 => "10x26 limbs, 64-bit integers",
            Limbs::U32 => "20x13 limbs, 32-bit integers",
        }
    }

    /// The shader of its field operations.
    pub fn text(self) -> &'static str {
        match self {
            Limbs::U64 => include_str!("../../../shaders/field_u64.wgsl"),
            Limbs::U32 => include_str!("../../../shaders/field_u32.wgsl"),
        }
    }
}

const PARAMS: &str = include_str!("../../../shaders/params.wgsl");
const FIELD: &str = include_str!("../../../shaders/field.wgsl");
const BINDINGS: &str = include_str!("../../../shaders/bindings.wgsl");
const SCALAR: &str = include_str!("../../../shaders/scalar.wgsl");
const POINT: &str = include_str!("../../../shaders/point.wgsl");
const ROWS: &str = include_str!("../../../shaders/rows.wgsl");
const MESSAGES: &str = include_str!("../../../shaders/messages.wgsl");
const SHA256: &str = include_str!("../../../shaders/sha256_rounds.wgsl");

/// One kernel: those of signatures in the order in which a part runs through them, then hashes and trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The key's point.
    Decode,
    /// 1/s or 1/r mod n.
    InvertScalars,
    /// Scalars in halves.
    Prepare,
    /// Odd multiples of the key.
    Table,
    /// Inverses of Z.
    InvertZ,
    /// The odd multiples, affine.
    TableAffine,
    /// u1 G + u2 Q.
    Multiply,
    /// The same over tables of pinned keys.
    MultiplyPinned,
    /// The record of an item.
    Evidence,
    /// SHA-256 and double SHA-256 of messages.
    Sha256,
    /// Keccak-256 of messages.
    Keccak256,
    /// The trees' level to the leaves.
    MerkleStart,
    /// A level of trees from the one below.
    MerkleRise,
    /// The trees' level one up.
    MerkleNext,
}

impl Kernel {
    /// All of them.
    pub const ALL: [Kernel; 14] = [
        Kernel::Decode,
        Kernel::InvertScalars,
        Kernel::Prepare,
        Kernel::Table,
        Kernel::InvertZ,
        Kernel::TableAffine,
        Kernel::Multiply,
        Kernel::MultiplyPinned,
        Kernel::Evidence,
        Kernel::Sha256,
        Kernel::Keccak256,
        Kernel::MerkleStart,
        Kernel::MerkleRise,
        Kernel::MerkleNext,
    ];

    /// Its entry point.
    pub fn entry(self) -> &'static str {
        match self {
            Kernel::Decode => "decode",
            Kernel::InvertScalars => "invert_scalars",
            Kernel::Prepare => "prepare",
            Kernel::Table => "table",
            Kernel::InvertZ => "invert_z",
            Kernel::TableAffine => "table_affine",
            Kernel::Multiply => "multiply",
            Kernel::MultiplyPinned => "multiply_pinned",
            Kernel::Evidence => "evidence",
            Kernel::Sha256 => "sha256",
            Kernel::Keccak256 => "keccak256",
            Kernel::MerkleStart => "merkle_start",
            Kernel::MerkleRise => "merkle_rise",
            Kernel::MerkleNext => "merkle_next",
        }
    }

    /// The files that it is made of, joined.
    pub fn text(self, limbs: Limbs) -> String {
        let stage: &[&str] = match self {
            Kernel::Decode => &[include_str!("../../../shaders/decode.wgsl")],
            Kernel::InvertScalars | Kernel::InvertZ => {
                &[include_str!("../../../shaders/inversion.wgsl")]
            }
            Kernel::Prepare => &[SCALAR, include_str!("../../../shaders/prepare.wgsl")],
            Kernel::Table | Kernel::TableAffine => {
                &[POINT, include_str!("../../../shaders/table.wgsl")]
            }
            Kernel::Multiply => {
                &[SCALAR, POINT, ROWS, include_str!("../../../shaders/multiply.wgsl")]
            }
            Kernel::MultiplyPinned => {
                &[SCALAR, POINT, ROWS, include_str!("../../../shaders/pinned.wgsl")]
            }
            Kernel::Evidence => &[include_str!("../../../shaders/evidence.wgsl")],
            // Hashes have words of 32 bits on every device, and bindings of their own.
            Kernel::Sha256 => {
                return [PARAMS, MESSAGES, SHA256, include_str!("../../../shaders/sha256.wgsl")]
                    .join("\n");
            }
            Kernel::Keccak256 => {
                let rounds = include_str!("../../../shaders/keccak256_rounds.wgsl");
                let stage = include_str!("../../../shaders/keccak256.wgsl");
                return [PARAMS, MESSAGES, rounds, stage].join("\n");
            }
            Kernel::MerkleRise => {
                return [PARAMS, SHA256, include_str!("../../../shaders/merkle.wgsl")].join("\n");
            }
            Kernel::MerkleStart | Kernel::MerkleNext => {
                return include_str!("../../../shaders/merkle_level.wgsl").to_owned();
            }
        };
        [&[limbs.text(), FIELD, PARAMS, BINDINGS], stage].concat().join("\n")
    }
}

/// Invocations of a workgroup, as the texts have it.
pub const WORKGROUP: usize = 64;

/// The compiled kernels.
#[derive(Debug)]
pub(crate) struct Program {
    pub layout: wgpu::BindGroupLayout,
    pipelines: Vec<wgpu::ComputePipeline>,
    cache: Option<Cache>,
}

impl Program {
    /// Compiles all kernels.
    pub fn new(context: &Context, limbs: Limbs) -> Result<Program, String> {
        let device = &context.device;
        let layout = bind_group_layout(device);
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("sigmill"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let texts: String = Kernel::ALL.map(|kernel| kernel.text(limbs)).concat();
        let cache = Cache::open(device, &context.info, &texts);
        let mut pipelines = Vec::new();
        for kernel in Kernel::ALL {
            let entry = kernel.entry();
            let cache = cache.as_ref().map(|cache| &cache.inner);
            let text = kernel.text(limbs);
            let pipeline = pipeline(device, &text, entry, Some(&pipeline_layout), cache)
                .map_err(|error| format!("kernel {entry}: {error}"))?;
            pipelines.push(pipeline);
        }
        Ok(Program { layout, pipelines, cache })
    }

    /// Keeps what the driver compiled for the next time.
    pub fn save(&self) {
        if let Some(cache) = &self.cache {
            cache.save();
        }
    }

    pub fn pipeline(&self, kernel: Kernel) -> &wgpu::ComputePipeline {
        &self.pipelines[kernel as usize]
    }
}

/// Compiles one entry point of a text.
pub(crate) fn pipeline(
    device: &wgpu::Device,
    text: &str,
    entry: &str,
    layout: Option<&wgpu::PipelineLayout>,
    cache: Option<&wgpu::PipelineCache>,
) -> Result<wgpu::ComputePipeline, String> {
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(entry),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(entry),
        layout,
        module: &module,
        entry_point: Some(entry),
        compilation_options: Default::default(),
        cache,
    });
    pollster::block_on(scope.pop()).map_or(Ok(pipeline), |error| Err(error.to_string()))
}

/// Binding 0 is the parameters, 1 and 2 are read, the rest is written too.
fn bind_group_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let entry = |binding: u32| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: match binding {
                0 => wgpu::BufferBindingType::Uniform,
                _ => wgpu::BufferBindingType::Storage { read_only: binding < 3 },
            },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let entries: Vec<_> = (0..8).map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("sigmill"),
        entries: &entries,
    })
}
