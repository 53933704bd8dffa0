//! The FPGA's card.
#![cfg(feature = "fpga")]

use super::*;

const MANIFEST: &str = "image_sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n\
format = \"ice40\"\ndevice = \"ice40-hx8k\"\nabi_version = 1\ncores = [\"sha256\"]\n\
source_hash = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n";

#[test]
fn a_card_needs_files_rights_and_a_manifest() {
    let machine = Machine::new("card");
    judge(&machine.check("fpga"), State::Missing, "names no card", None);
    let named = Machine::new("card-lost").set("SIGMILL_FPGA", "/dev/xdma0");
    let check = named.check("fpga");
    judge(&check, State::Wrong, "there is no /dev/xdma0_user", Some("sudo modprobe xdma"));
    assert_eq!(check.searched, ["/dev/xdma0_user", "/dev/xdma0_h2c_0", "/dev/xdma0_c2h_0"]);
    let machine = machine.file("dev/xdma0_user", "").mode("dev/xdma0_user", 0o600);
    let mend = Some("export SIGMILL_FPGA=/dev/xdma0");
    judge(&machine.check("fpga"), State::Advice, "/dev/xdma0 is there", mend);
    let machine = machine.set("SIGMILL_FPGA", "/dev/xdma0");
    judge(&machine.check("fpga"), State::Wrong, "no /dev/xdma0_h2c_0", Some("sudo modprobe xdma"));
    let machine = machine.file("dev/xdma0_h2c_0", "").file("dev/xdma0_c2h_0", "");
    let machine = machine.mode("dev/xdma0_h2c_0", 0o622).mode("dev/xdma0_c2h_0", 0o644);
    let mend = Some("sudo chown $USER /dev/xdma0_user");
    judge(&machine.check("fpga"), State::Wrong, "/dev/xdma0_user may not be opened", mend);
    // One way is written, the other read.
    let machine = machine.mode("dev/xdma0_user", 0o666);
    let mend = Some("export SIGMILL_FPGA_MANIFEST=/path/of/image.toml");
    judge(&machine.check("fpga"), State::Wrong, "SIGMILL_FPGA_MANIFEST names no manifest", mend);
    let machine = machine.set("SIGMILL_FPGA_MANIFEST", "/a.toml");
    let mend = Some("${EDITOR:-vi} /a.toml");
    judge(&machine.check("fpga"), State::Wrong, "a.toml", mend);
    let machine = machine.file("a.toml", MANIFEST);
    judge(&machine.check("fpga"), State::Ok, "ice40-hx8k with sha256", None);
    let machine = machine.file("a.toml", &MANIFEST.replace("ice40\"", "clay\""));
    judge(&machine.check("fpga"), State::Wrong, "format", mend);
}

#[test]
fn a_mapped_card_is_a_folder_of_the_bus() {
    let machine = Machine::new("mapped").set("SIGMILL_FPGA", "/sys/bus/pci/devices/0000:02:00.0");
    let mend = Some("echo 1 | sudo tee /sys/bus/pci/rescan");
    judge(&machine.check("fpga"), State::Wrong, "0000:02:00.0/resource0", mend);
}
