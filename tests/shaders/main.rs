//! The shader texts: generated files are what the generator writes, no word overflows, and a browser takes
//! them.

mod bounds;
mod exact;
mod generate;
mod hashes;
mod interpreter;
mod intervals;
mod web;

/// Compares a generated file with what is there, and writes it under `SIGMILL_WRITE`.
fn check(name: &str, generator: &str, text: &str) {
    let path = format!("{}/shaders/{name}.wgsl", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SIGMILL_WRITE").is_some() {
        std::fs::write(&path, text).expect("the folder is there");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{path} is not what {generator} writes: SIGMILL_WRITE=1 renews it");
}

#[test]
fn field_files_are_generated() {
    for format in [&generate::U64, &generate::U32] {
        check(format.name, "tests/shaders/generate.rs", &generate::file(format));
    }
}

#[test]
fn sha256_rounds_are_generated() {
    check("sha256_rounds", "tests/shaders/hashes.rs", &hashes::sha256_rounds());
}
