//! GPUs on the bus, and the device files that lead to them.

use super::check::{Check, shell};
use super::host::{Host, Use};
use super::packages::Need;
use super::vulkan;

/// Who makes GPUs that compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    /// NVIDIA.
    Nvidia,
    /// AMD.
    Amd,
    /// Intel.
    Intel,
}

impl Vendor {
    fn of(number: &str) -> Option<Vendor> {
        match number {
            "0x10de" => Some(Vendor::Nvidia),
            "0x1002" => Some(Vendor::Amd),
            "0x8086" => Some(Vendor::Intel),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Vendor::Nvidia => "NVIDIA",
            Vendor::Amd => "AMD",
            Vendor::Intel => "Intel",
        }
    }

    /// The kernel's driver.
    fn module(self) -> &'static str {
        match self {
            Vendor::Nvidia => "nvidia",
            Vendor::Amd => "amdgpu",
            Vendor::Intel => "i915",
        }
    }
}

/// A GPU on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gpu {
    pub(super) vendor: Vendor,
    address: String,
}

const BUS: &str = "/sys/bus/pci/devices";

/// Display controllers of the three vendors, and AMD's accelerators.
pub(super) fn gpus(host: &Host) -> Vec<Gpu> {
    let read = |address: &str, name: &str| {
        Some(host.around.text(format!("{BUS}/{address}/{name}"))?.trim().to_owned())
    };
    let gpu = |address: String| {
        let class = read(&address, "class")?;
        let vendor = Vendor::of(&read(&address, "vendor")?)?;
        let computes =
            class.starts_with("0x03") || vendor == Vendor::Amd && class.starts_with("0x1200");
        computes.then_some(Gpu { vendor, address })
    };
    host.around.list(BUS).into_iter().filter_map(gpu).collect()
}

/// Which GPUs the bus shows.
pub(super) fn present(gpus: &[Gpu]) -> Check {
    const NAME: &str = "gpu";
    if gpus.is_empty() {
        let why = "no GPU of NVIDIA, AMD or Intel on the PCI bus";
        return Check::missing(NAME, why).searched([BUS]);
    }
    let names: Vec<_> =
        gpus.iter().map(|gpu| format!("{} at {}", gpu.vendor.name(), gpu.address)).collect();
    Check::ok(NAME, names.join(", "))
}

const NODES: &str = "/dev/dri";

/// Whether the user may open the nodes that Mesa's drivers compute through. `None` where nothing needs one.
pub(super) fn render_nodes(host: &Host, gpus: &[Gpu]) -> Option<Check> {
    const NAME: &str = "render-nodes";
    let nodes = host.around.list(NODES).into_iter().filter(|name| name.starts_with("renderD"));
    let nodes: Vec<_> = nodes.map(|name| format!("{NODES}/{name}")).collect();
    if let Some(closed) = nodes.iter().find(|node| !host.may(node, Use::Open)) {
        let why = format!("{closed} may not be opened; a new group counts from the next login on");
        return Some(Check::wrong(NAME, why).searched(nodes.clone()).mend(host.admit(closed)));
    }
    if !nodes.is_empty() {
        return Some(Check::ok(NAME, nodes.join(", ")));
    }
    let gpu = gpus.iter().find(|gpu| gpu.vendor != Vendor::Nvidia)?;
    let mend = match host.is_container() {
        true => "docker run --device /dev/dri ..".to_owned(),
        false => format!("sudo modprobe {}", gpu.vendor.module()),
    };
    let why = format!("the {} GPU at {} has no render node", gpu.vendor.name(), gpu.address);
    Some(Check::missing(NAME, why).searched([format!("{NODES}/renderD*")]).mend(mend))
}

/// What NVIDIA's kernel module says of itself.
const VERSION: &str = "/proc/driver/nvidia/version";

/// A version such as 550.54.15 in a text.
fn version(text: &str) -> Option<&str> {
    text.split_whitespace().find(|word| {
        let parts: Vec<_> = word.split('.').collect();
        parts.len() >= 2 && parts.iter().all(|part| part.parse::<u32>().is_ok())
    })
}

/// Whether NVIDIA's module, device files and libraries are there and of one version. `None` without a GPU of theirs.
pub(super) fn nvidia(host: &Host, gpus: &[Gpu]) -> Option<Check> {
    const NAME: &str = "nvidia";
    const CONTROL: &str = "/dev/nvidiactl";
    let on_bus = gpus.iter().any(|gpu| gpu.vendor == Vendor::Nvidia);
    if !on_bus && !host.has(CONTROL) && !host.has(VERSION) {
        return None;
    }
    let container = host.is_container();
    let give = "docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all ..".to_owned();
    let text = host.around.text(VERSION).unwrap_or_default();
    let Some(kernel) = version(&text) else {
        let why = "the kernel's driver is not loaded";
        let mend = match container {
            true => Some(give),
            false if libraries(host).is_empty() => host.install(Need::Nvidia),
            false => Some("sudo modprobe nvidia".to_owned()),
        };
        return Some(Check::missing(NAME, why).searched([VERSION]).mend_if(mend));
    };
    let is_card =
        |name: &String| name.strip_prefix("nvidia").is_some_and(|rest| rest.parse::<u32>().is_ok());
    let cards = host.around.list("/dev").into_iter().filter(is_card);
    let mut nodes: Vec<_> = cards.map(|name| format!("/dev/{name}")).collect();
    if nodes.is_empty() || !host.has(CONTROL) {
        let why = format!("driver {kernel} is loaded, and has no device files");
        let mend = if container { give } else { "sudo nvidia-modprobe -u -c=0".to_owned() };
        return Some(Check::missing(NAME, why).searched([CONTROL, "/dev/nvidia0"]).mend(mend));
    }
    nodes.push(CONTROL.to_owned());
    if let Some(closed) = nodes.iter().find(|node| !host.may(node, Use::Open)) {
        let why = format!("{closed} may not be opened");
        let mend = format!("sudo chmod a+rw {}", shell(closed));
        return Some(Check::wrong(NAME, why).searched(nodes.clone()).mend(mend));
    }
    let libraries = libraries(host);
    if libraries.is_empty() {
        let why =
            format!("driver {kernel} is loaded, and its Vulkan library {LIBRARY}* is not there");
        let folders = vulkan::library_folders(host);
        let folders = folders.into_iter().map(|folder| folder.display().to_string());
        let mend = if container { Some(give) } else { host.install(Need::Nvidia) };
        return Some(Check::missing(NAME, why).searched(folders).mend_if(mend));
    }
    if !libraries.iter().any(|version| version == kernel) {
        let why =
            format!("the kernel's driver is {kernel}, its libraries are {}", libraries.join(", "));
        return Some(Check::wrong(NAME, why).searched([VERSION]).mend("sudo reboot"));
    }
    Some(Check::ok(NAME, format!("driver {kernel}, {} device files", nodes.len())))
}

/// A library of the driver whose name ends in its version.
const LIBRARY: &str = "libnvidia-glcore.so.";

/// Versions of the libraries that are installed.
fn libraries(host: &Host) -> Vec<String> {
    let folders = vulkan::library_folders(host);
    let names = folders.iter().flat_map(|folder| host.around.list_prefixed(folder, LIBRARY));
    let mut versions: Vec<_> =
        names.filter_map(|name| Some(version(name.strip_prefix(LIBRARY)?)?.to_owned())).collect();
    versions.sort();
    versions.dedup();
    versions
}
