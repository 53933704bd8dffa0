//! The FPGA's card: device files, their rights, the manifest.

use std::path::Path;

use sigmill::backend::fpga::manifest::Manifest;

use super::check::{Check, shell};
use super::host::{Host, Use};
use crate::cli::nearest::quoted;

const CARD: &str = "SIGMILL_FPGA";
const MANIFEST: &str = "SIGMILL_FPGA_MANIFEST";

/// Whether the card that is named is there, may be opened, and has a manifest.
pub(super) fn card(host: &Host) -> Check {
    const NAME: &str = "fpga";
    let Some(card) = host.around.variable(CARD) else {
        let nodes = host.around.list("/dev");
        let card = nodes.iter().find_map(|name| name.strip_suffix("_user"));
        return match card.filter(|name| name.starts_with("xdma")) {
            Some(name) => {
                Check::advice(NAME, format!("/dev/{name} is there, and {CARD} names no card"))
                    .mend(format!("export {CARD}={}", shell(&format!("/dev/{name}"))))
            }
            None => Check::missing(NAME, format!("{CARD} names no card, and /dev shows none"))
                .searched(["/dev/xdma*_user"]),
        };
    };
    let Some(card) = card.to_str() else {
        return Check::wrong(NAME, format!("{CARD} is no UTF-8 text"))
            .mend(format!("unset {CARD}"));
    };
    let mapped = card.starts_with("/sys");
    let files = match mapped {
        true => vec![format!("{card}/resource0")],
        false => ["_user", "_h2c_0", "_c2h_0"].map(|end| format!("{card}{end}")).to_vec(),
    };
    if let Some(lost) = files.iter().find(|file| !host.has(file)) {
        let why = format!("{CARD} is {}, and there is no {lost}", quoted(card));
        let mend = match mapped {
            true => "echo 1 | sudo tee /sys/bus/pci/rescan",
            false => "sudo modprobe xdma",
        };
        return Check::wrong(NAME, why).searched(files.clone()).mend(mend);
    }
    if let Some(closed) = files.iter().find(|file| !can(host, file)) {
        let why = format!("{closed} may not be opened");
        return Check::wrong(NAME, why).searched(files.clone()).mend(host.admit(closed));
    }
    let Some(manifest) = host.around.variable(MANIFEST) else {
        let why = format!("{MANIFEST} names no manifest of the image that the card runs");
        return Check::wrong(NAME, why).mend(format!("export {MANIFEST}=/path/of/image.toml"));
    };
    match Manifest::read(&host.around.at(Path::new(manifest))) {
        Ok(manifest) => {
            let cores: Vec<_> = manifest.cores.iter().map(|core| core.name()).collect();
            Check::ok(NAME, format!("{card}: {} with {}", manifest.device, cores.join(", ")))
        }
        Err(error) => {
            let file = shell(&manifest.to_string_lossy());
            let check =
                Check::wrong(NAME, error.to_string()).searched([manifest.to_string_lossy()]);
            check.mend(format!("${{EDITOR:-vi}} {file}"))
        }
    }
}

/// Whether a file of the card can be opened as it is: to write what goes down, to read what comes up.
fn can(host: &Host, file: &str) -> bool {
    let how = match file {
        _ if file.ends_with("_h2c_0") => Use::Write,
        _ if file.ends_with("_c2h_0") => Use::Read,
        _ => Use::Open,
    };
    host.may(file, how)
}

/// Whether the simulated card was built.
#[cfg(feature = "fpga-sim")]
pub(super) fn simulated(host: &Host) -> Check {
    const NAME: &str = "fpga-sim";
    match sigmill::backend::fpga::Options::simulated() {
        Ok(_) => Check::ok(NAME, "the simulated card is built in: `--backend fpga=sim`"),
        Err(error) => {
            let build = "touch build.rs && cargo build --release --features fpga-sim";
            let mend = host.install(super::packages::Need::Verilator);
            let mend = mend.map_or(build.to_owned(), |install| format!("{install} && {build}"));
            Check::missing(NAME, error.to_string()).mend(mend)
        }
    }
}
