//! The HX8K image: the golden file is what its sources give, and its bits, simulated, hash.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::icarus::{compile, folder, fpga, has, is_required, tool, verdict};

const BLOCK: u8 = 0x40;
const START: u8 = 0x41;
const DIGEST: u8 = 0x60;

/// Bits of a start: from the initial state; the digest once more.
const FIRST: u8 = 1;
const AGAIN: u8 = 2;

#[test]
fn the_manifest_names_the_image_and_its_sources() {
    let manifest = fs::read_to_string(fpga("images/hx8k.toml")).expect("a manifest");
    let image = fs::read(fpga("images/hx8k.bin")).expect("an image");
    assert_eq!(entry(&manifest, "image_sha256"), hex(&Sha256::digest(image)));
    assert_eq!(entry(&manifest, "source_hash"), hex(&source_hash()));
    assert_eq!(entry(&manifest, "abi_version"), "1");
    assert_eq!(entry(&manifest, "cores"), r#"["sha256"]"#);
}

#[test]
fn the_image_is_built_again_byte_for_byte() {
    if !has(&["yosys", "nextpnr-ice40", "icepack"]) {
        return;
    }
    let folder = folder("the_image_is_built_again");
    let script = fpga("build/hx8k.sh");
    let said = tool(&folder, "bash", &[script, folder.clone()]);
    println!("{}", said.unwrap_or_else(|said| panic!("{said}")));

    let golden = fs::read_to_string(fpga("images/hx8k.toml")).expect("a manifest");
    let built = fs::read_to_string(folder.join("hx8k.toml")).expect("a manifest");
    let tools = |manifest: &str| manifest.split("[tools]").nth(1).map(str::to_owned);
    if tools(&golden) != tools(&built) && !is_required() {
        println!("skipped: the golden image is of other tools than\n{built}");
        return;
    }
    assert_eq!(golden, built);
    let golden = fs::read(fpga("images/hx8k.bin")).expect("an image");
    assert!(golden == fs::read(folder.join("hx8k.bin")).expect("an image"), "the bits differ");
}

#[test]
fn the_rtl_of_the_image_hashes() {
    if !has(&["iverilog", "vvp"]) {
        return;
    }
    let folder = folder("the_rtl_of_the_image");
    let mut number = source_hash();
    number.reverse();
    let program = compile(&folder, "byte_bus", &[], &[format!("BUILD_HASH=256'h{}", hex(&number))]);
    plays(&folder, &program, &cycles()).unwrap_or_else(|said| panic!("{said}"));
}

#[test]
fn the_bits_of_the_image_hash() {
    if !has(&["iceunpack", "icebox_vlog", "iverilog", "vvp"]) {
        return;
    }
    let folder = folder("the_bits_of_the_image");
    let program = simulated(&folder, &fs::read(fpga("images/hx8k.bin")).expect("an image"));
    let right = cycles();
    plays(&folder, &program, &right).unwrap_or_else(|said| panic!("{said}"));

    // The last byte of the last digest, otherwise.
    let (before, last) = right.trim_end().rsplit_once(' ').expect("cycles");
    let wrong = u8::from_str_radix(last, 16).expect("a byte") ^ 0x80;
    let said = plays(&folder, &program, &format!("{before} {wrong:02x}\n")).expect_err("it fails");
    assert!(said.starts_with("FAIL read"), "{said}");
}

/// A testbench around what the bits of an image configure.
fn simulated(folder: &Path, image: &[u8]) -> PathBuf {
    fs::write(folder.join("image.bin"), image).expect("a file");
    let run =
        |name, args: &[&str]| tool(folder, name, args).unwrap_or_else(|said| panic!("{said}"));
    run("iceunpack", &["image.bin", "image.asc"]);
    let pins = fpga("build/hx8k.pcf").display().to_string();
    let text = run("icebox_vlog", &["-l", "-p", &pins, "image.asc"]);
    let chip = folder.join("chip.v");
    fs::write(&chip, text).expect("a file");
    compile(folder, "byte_bus", &[chip], &["BITSTREAM".to_owned()])
}

fn plays(folder: &Path, program: &Path, cycles: &str) -> Result<(), String> {
    fs::write(folder.join("cycles"), cycles).expect("a file");
    let numbers = verdict(program, &["+cycles=cycles".to_owned()])?;
    let reads = cycles.lines().filter(|line| line.starts_with('1')).count() as u64;
    assert_eq!(numbers, [reads]);
    Ok(())
}

/// Reads the identity, hashes "abc", a message of two blocks and a block header twice.
fn cycles() -> String {
    let mut cycles = String::new();
    let identity = identity();
    for (address, byte) in identity.iter().enumerate() {
        writeln!(cycles, "1 {address:02x} {byte:02x}").unwrap();
    }
    hash(&mut cycles, b"abc", false);
    hash(&mut cycles, &[0x61; 100], false);
    hash(&mut cycles, &header(), true);
    cycles
}

/// The bytes of the registers up to BUILD_HASH.
fn identity() -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..4].copy_from_slice(b"SGML");
    bytes[4] = 1;
    bytes[8] = 1;
    bytes[32..].copy_from_slice(&source_hash());
    bytes
}

fn hash(cycles: &mut String, message: &[u8], again: bool) {
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((message.len() + 9).next_multiple_of(64) - 8, 0);
    padded.extend((8 * message.len() as u64).to_be_bytes());
    let start = |cycles: &mut String, how: u8| {
        writeln!(cycles, "0 {START:02x} {how:02x}\n2 00 00").unwrap();
    };
    for (index, block) in padded.chunks(64).enumerate() {
        for byte in block {
            writeln!(cycles, "0 {BLOCK:02x} {byte:02x}").unwrap();
        }
        start(cycles, if index == 0 { FIRST } else { 0 });
    }
    let mut digest = Sha256::digest(message);
    if again {
        start(cycles, AGAIN);
        digest = Sha256::digest(digest);
    }
    for (index, byte) in digest.iter().enumerate() {
        writeln!(cycles, "1 {:02x} {byte:02x}", DIGEST + index as u8).unwrap();
    }
}

/// A real header: Bitcoin's last in the data, or its first.
fn header() -> [u8; 80] {
    if let Some(folder) = std::env::var_os("SIGMILL_DATA") {
        let file = PathBuf::from(folder).join("bitcoin/headers_0_10236.bin");
        let headers = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        return *headers.as_chunks().0.last().expect("headers");
    }
    println!("skipped: later headers: SIGMILL_DATA is not set");
    let mut header = [0; 80];
    header[0] = 1;
    for (place, text) in [
        (36, "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"),
        (68, "29ab5f49ffff001d1dac2b7c"),
    ] {
        for (index, byte) in header[place..place + text.len() / 2].iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).expect("hex");
        }
    }
    header
}

/// SHA-256 over the sources that `hx8k.f` lists.
fn source_hash() -> [u8; 32] {
    let list = fs::read_to_string(fpga("rtl/hx8k.f")).expect("a list");
    let mut hash = Sha256::new();
    for file in list.lines() {
        hash.update(fs::read(fpga("rtl").join(file)).expect("a source"));
    }
    hash.finalize().into()
}

fn entry<'a>(manifest: &'a str, key: &str) -> &'a str {
    let value = |line: &'a str| line.strip_prefix(key)?.strip_prefix(" = ");
    manifest.lines().find_map(value).unwrap_or_else(|| panic!("no {key}")).trim_matches('"')
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
