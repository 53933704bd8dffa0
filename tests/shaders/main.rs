//! The shader texts: generated files are what the generator writes, no word overflows, and a browser takes
//! them.

mod bounds;
mod exact;
mod generate;
mod interpreter;
mod intervals;
mod web;

#[test]
fn field_files_are_generated() {
    for format in [&generate::U64, &generate::U32] {
        let path = format!("{}/shaders/{}.wgsl", env!("CARGO_MANIFEST_DIR"), format.name);
        let text = generate::file(format);
        if std::env::var_os("SIGMILL_WRITE").is_some() {
            std::fs::write(&path, &text).expect("the folder is there");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == text,
            "{path} is not what tests/shaders/generate.rs writes: SIGMILL_WRITE=1 renews it"
        );
    }
}
