//! Whether a browser takes the kernels: WebGPU's language without extensions, within its default limits.

use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module};

/// WebGPU's default limits.
const STORAGE_BUFFERS: usize = 8;
const WORKGROUP_BYTES: u32 = 16 << 10;
const WORKGROUP_THREADS: u32 = 256;

/// What a kernel calls its stage, and its files after the field's.
const KERNELS: [(&str, &[&str]); 8] = [
    ("decode", &["decode"]),
    ("invert_scalars", &["inversion"]),
    ("invert_z", &["inversion"]),
    ("prepare", &["scalar", "prepare"]),
    ("table", &["point", "table"]),
    ("table_affine", &["point", "table"]),
    ("multiply", &["scalar", "point", "multiply"]),
    ("evidence", &["evidence"]),
];

/// Every kernel in a format: its entry point and its text.
fn kernels(field: &str) -> Vec<(&'static str, String)> {
    KERNELS.iter().map(|&(entry, files)| (entry, text(field, files))).collect()
}

fn text(field: &str, files: &[&str]) -> String {
    let files = [field, "field", "bindings"].into_iter().chain(files.iter().copied());
    let path = |name| format!("{}/shaders/{name}.wgsl", env!("CARGO_MANIFEST_DIR"));
    files.map(|name| std::fs::read_to_string(path(name)).expect("the file is there")).collect()
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
    let formats = [("field_u32", Capabilities::empty()), ("field_u64", Capabilities::SHADER_INT64)];
    for (field, capabilities) in formats {
        for (entry, text) in kernels(field) {
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
    for (_, text) in kernels("field_u64") {
        assert!(parse(&text, Capabilities::empty()).is_err());
    }
}
