//! Loading with a sysfs and programs of the test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::super::bitstream::writer;
use super::super::manifest::Hex;
use super::*;

/// A folder of one test, removed at its end. One test has one at a time: a program that is being
/// written while another test's thread forks could not be started.
struct Folder(PathBuf, #[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Folder {
    fn new(name: &str) -> Self {
        static ONE: Mutex<()> = Mutex::new(());
        let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let path = std::env::temp_dir().join(format!("sigmill-load-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        for folder in ["sys/class/fpga_manager", "firmware", "bin", "scratch"] {
            fs::create_dir_all(path.join(folder)).expect("a folder");
        }
        Folder(path, guard)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        path
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("a text")
    }

    /// A program in the folder of programs; the shell's `$here` is the test's folder.
    fn program(&self, name: &str, script: &str) {
        let text = format!("#!/bin/sh\nhere='{}'\n{script}\n", self.0.display());
        let path = self.write(&format!("bin/{name}"), text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it may run");
    }

    fn loader(&self, limit: Duration) -> Loader {
        Loader {
            sysfs: self.0.join("sys"),
            firmware: self.0.join("firmware"),
            path: self.0.join("bin").into(),
            scratch: self.0.join("scratch"),
            board: None,
            limit,
        }
    }

    /// An image with its manifest beside it.
    fn image(&self, bytes: &[u8], format: &str, device: &str) -> CheckedImage {
        let path = self.write("image.bin", bytes);
        let text = format!(
            "image_sha256 = \"{}\"\nformat = \"{format}\"\ndevice = \"{device}\"\n\
             abi_version = 1\ncores = [\"sha256\"]\nsource_hash = \"{}\"\n",
            Hex(&Sha256::digest(bytes)),
            "0".repeat(64)
        );
        self.write("image.toml", text);
        CheckedImage::open(&path, None).expect("it matches")
    }

    fn ice40(&self) -> (CheckedImage, Vec<u8>) {
        let bytes = writer::ice40(writer::LP384, 1).bytes;
        (self.image(&bytes, "ice40", "ice40-lp384"), bytes)
    }

    /// No copy of an image stays behind.
    fn is_clean(&self) -> bool {
        let empty = |name| fs::read_dir(self.0.join(name)).expect("a folder").next().is_none();
        empty("scratch") && empty("firmware")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

#[test]
fn nothing_to_load_with_is_named() {
    let folder = Folder::new("nothing");
    let (image, _) = folder.ice40();
    let error =
        folder.loader(LONG).load(Image::File(&image)).expect_err("there is nothing").to_string();
    for name in ["fpga_manager: no FPGA manager", "iceprog: not on", "openFPGALoader: not on"] {
        assert!(error.contains(name), "{error}");
    }
    // A manager of another kind, and one that only shows its state.
    folder.write("sys/class/fpga_manager/fpga0/name", "Xilinx Zynq FPGA Manager\n");
    folder.write("sys/class/fpga_manager/fpga1/name", "Lattice iCE40 FPGA Manager\n");
    // A text is no program.
    folder.write("bin/iceprog", "");
    let error =
        folder.loader(LONG).load(Image::File(&image)).expect_err("nothing of use").to_string();
    for name in ["Zynq", "attribute `firmware`", "iceprog: not on"] {
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn a_program_gets_the_checked_bytes() {
    let folder = Folder::new("program");
    let record =
        "printf '%s\\n' \"$@\" > \"$here/arguments\"; for f; do :; done; cp \"$f\" \"$here/got\"";
    let record = format!("PATH=/usr/bin:/bin\n{record}");
    folder.program("iceprog", &record);
    let (image, bytes) = folder.ice40();
    // What is in the file by now does not matter.
    folder.write("image.bin", "something else");
    let way = folder.loader(LONG).load(Image::File(&image)).expect("it loads");
    assert!(way.ends_with("bin/iceprog"), "{way}");
    assert!(folder.text("arguments").starts_with("-S\n"));
    assert_eq!(fs::read(folder.0.join("got")).expect("a copy"), bytes);
    assert!(folder.is_clean());

    folder.program("openFPGALoader", &record);
    let bytes = writer::xilinx(0x0362_c093, "7a50tfgg484", 4, 2).bytes;
    let image = folder.image(&bytes, "xilinx", "xc7a50t");
    let loader = Loader { board: Some("arty".to_owned()), ..folder.loader(LONG) };
    loader.load(Image::File(&image)).expect("it loads");
    let arguments = folder.text("arguments");
    assert!(
        arguments.starts_with("--board\narty\n") && arguments.ends_with(".bit\n"),
        "{arguments}"
    );
    assert_eq!(fs::read(folder.0.join("got")).expect("a copy"), bytes);
}

#[test]
fn a_program_that_fails_or_hangs_is_an_error() {
    let folder = Folder::new("failing");
    let (image, _) = folder.ice40();
    folder.program("iceprog", "echo loading; echo 'no device found' >&2; exit 3");
    let error = folder.loader(LONG).load(Image::File(&image)).expect_err("it fails").to_string();
    for part in ["iceprog", "3", "no device found", "loading"] {
        assert!(error.contains(part), "{error}");
    }
    folder.program("iceprog", "exec /bin/sleep 60");
    let error = folder.loader(SHORT).load(Image::File(&image)).expect_err("it hangs");
    assert!(matches!(error, LoadError::Timeout { .. }), "{error}");
    assert!(folder.is_clean());
    // More output than a pipe holds.
    folder.program("iceprog", "PATH=/usr/bin:/bin; head -c 300000 /dev/zero; exit 0");
    folder.loader(LONG).load(Image::File(&image)).expect("it is read to the end");
}

#[test]
fn a_manager_is_told_the_name_of_a_file() {
    let folder = Folder::new("manager");
    let place = "sys/class/fpga_manager/fpga0";
    folder.write(&format!("{place}/name"), "Lattice iCE40 FPGA Manager\n");
    folder.write(&format!("{place}/state"), "operating\n");
    folder.write(&format!("{place}/flags"), "");
    folder.write(&format!("{place}/firmware"), "");
    let (image, _) = folder.ice40();
    let way = folder.loader(LONG).load(Image::File(&image)).expect("it loads");
    assert!(way.contains("fpga0"), "{way}");
    assert_eq!(folder.text(&format!("{place}/flags")), "0");
    let name = folder.text(&format!("{place}/firmware"));
    assert!(name.starts_with("sigmill-") && name.ends_with(".bin"), "{name}");
    assert!(folder.is_clean());
    for (state, part) in [("write error", "`write error`"), ("write init", "did not end")] {
        folder.write(&format!("{place}/state"), state);
        let error = folder
            .loader(SHORT)
            .load(Image::File(&image))
            .expect_err("it does not load")
            .to_string();
        assert!(error.contains(part), "{error}");
    }
    let nowhere = Loader { firmware: folder.0.join("absent"), ..folder.loader(LONG) };
    assert!(matches!(nowhere.load(Image::File(&image)), Err(LoadError::Place { .. })));
}

#[test]
fn an_image_of_aws_is_an_id() {
    let folder = Folder::new("aws");
    let id = AfiId::new("agfi-0123456789abcdef0").expect("an id");
    let image = Image::Afi { id: &id, slot: 2 };
    let error = folder.loader(LONG).load(image).expect_err("no program").to_string();
    assert!(error.contains("fpga-load-local-image: not on PATH"), "{error}");
    folder.program("fpga-load-local-image", "echo \"$@\" > \"$here/arguments\"");
    folder.loader(LONG).load(image).expect("it loads");
    assert_eq!(folder.text("arguments"), "-S 2 -I agfi-0123456789abcdef0\n");
    for wrong in ["", "afi-0123456789abcdef0", "agfi-0123", "agfi-0123456789ABCDEF0", "agfi--;rm"] {
        assert!(matches!(AfiId::new(wrong), Err(LoadError::AfiId { .. })), "{wrong}");
    }
}

#[test]
fn an_image_that_does_not_match_is_not_opened() {
    let folder = Folder::new("mismatch");
    let (_, mut bytes) = folder.ice40();
    bytes[200] ^= 1;
    let path = folder.write("image.bin", &bytes);
    let error = CheckedImage::open(&path, None).expect_err("it is damaged");
    assert!(matches!(error, LoadError::Manifest(ManifestError::Mismatch { .. })), "{error}");
    let absent = CheckedImage::open(&folder.0.join("none.bin"), Some(&folder.0.join("image.toml")));
    assert!(matches!(absent, Err(LoadError::Read { .. })));
    let bare = CheckedImage::open(&path, Some(&folder.0.join("none.toml")));
    assert!(matches!(bare, Err(LoadError::Manifest(ManifestError::Read { .. }))));
}
