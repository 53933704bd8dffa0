//! Whether a browser takes the kernels: WebGPU's language without extensions, within its default limits.

use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module};
use sigmill::backend::gpu::Limbs;
use sigmill::backend::gpu::program::Kernel;

/// WebGPU's default limits.
const STORAGE_BUFFERS: usize = 8;
const WORKGROUP_BYTES: u32 = 16 << 10;
const WORKGROUP_THREADS: u32 = 256;

/// Every kernel in a format: its entry point and its text.
fn kernels(limbs: Limbs) -> Vec<(&'static str, String)> {
    Kernel::ALL.map(|kernel| (kernel.entry(), kernel.text(limbs))).to_vec()
}

/// The text as a module, if a device of these capabilities takes it.
fn parse(text: &str, capabilities: Capabilities) -> Result<Module, String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|error| error.emit_to_string(text))?;
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    validator.validate(&module).map_err(|error| error.emit_to_string(text))?;
    Ok(module)
}

#[test]
fn kernels_are_valid_within_limits() {
    let formats = [(Limbs::U32, Capabilities::empty()), (Limbs::U64, Capabilities::SHADER_INT64)];
    for (limbs, capabilities) in formats {
        for (entry, text) in kernels(limbs) {
            let module = parse(&text, capabilities).unwrap_or_else(|error| panic!("{error}"));
            assert!(module.entry_points.iter().any(|point| point.name == entry), "{entry}");
            check_limits(&module);
        }
    }
}

/// Of what the text declares, whether or not a stage of it uses it.
fn check_limits(module: &Module) {
    let variables = || module.global_variables.iter().map(|(_, variable)| variable);
    let is_storage = |space| matches!(space, AddressSpace::Storage { .. });
    let buffers = variables().filter(|variable| is_storage(variable.space)).count();
    assert!(buffers <= STORAGE_BUFFERS, "{buffers} storage buffers");
    let shared = variables().filter(|variable| variable.space == AddressSpace::WorkGroup);
    let bytes = shared.map(|variable| module.types[variable.ty].inner.size(module.to_ctx()));
    let bytes: u32 = bytes.sum();
    assert!(bytes <= WORKGROUP_BYTES, "{bytes} bytes of a workgroup");
    for point in &module.entry_points {
        let threads = point.workgroup_size.iter().product::<u32>();
        assert!(threads <= WORKGROUP_THREADS, "{}: {threads} threads", point.name);
    }
}

#[test]
fn wide_integers_are_an_extension() {
    let mut wide = 0;
    for (entry, text) in kernels(Limbs::U64) {
        assert_eq!(parse(&text, Capabilities::empty()).is_err(), text.contains("u64"), "{entry}");
        wide += usize::from(text.contains("u64"));
    }
    assert!(wide > 8, "every kernel over a field");
}
