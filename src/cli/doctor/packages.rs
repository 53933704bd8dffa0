//! What distributions call what Sigmill can use.

/// Something to install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// The loader of Vulkan drivers.
    Loader,
    /// Mesa's Vulkan drivers: AMD, Intel, and the one in software.
    Mesa,
    /// NVIDIA's driver.
    Nvidia,
    /// The simulator of the FPGA's sources.
    #[cfg_attr(
        not(any(feature = "fpga-sim", test)),
        expect(dead_code, reason = "nothing is simulated")
    )]
    Verilator,
    /// The tool that sets frequencies.
    Cpupower,
}

/// Families by a word of `ID` or `ID_LIKE`: the command, and the packages in the order of [`Need`]; an empty one is in no
/// repository of theirs.
const FAMILIES: [(&str, &str, [&str; 5]); 7] = [
    (
        "ubuntu",
        "sudo apt-get install -y",
        [
            "libvulkan1",
            "mesa-vulkan-drivers",
            "",
            "verilator",
            "linux-tools-common linux-tools-generic",
        ],
    ),
    (
        "debian",
        "sudo apt-get install -y",
        ["libvulkan1", "mesa-vulkan-drivers", "nvidia-driver", "verilator", "linux-cpupower"],
    ),
    (
        "fedora",
        "sudo dnf install -y",
        ["vulkan-loader", "mesa-vulkan-drivers", "", "verilator", "kernel-tools"],
    ),
    (
        "rhel",
        "sudo dnf install -y",
        ["vulkan-loader", "mesa-vulkan-drivers", "", "", "kernel-tools"],
    ),
    (
        "arch",
        "sudo pacman -S --needed",
        [
            "vulkan-icd-loader",
            "vulkan-radeon vulkan-intel vulkan-swrast",
            "nvidia-open",
            "verilator",
            "cpupower",
        ],
    ),
    (
        "alpine",
        "sudo apk add",
        [
            "vulkan-loader",
            "mesa-vulkan-ati mesa-vulkan-intel mesa-vulkan-swrast",
            "",
            "verilator",
            "",
        ],
    ),
    (
        "suse",
        "sudo zypper install -y",
        [
            "libvulkan1",
            "libvulkan_radeon libvulkan_intel libvulkan_lvp",
            "",
            "verilator",
            "cpupower",
        ],
    ),
];

/// The command that installs it on the system whose `/etc/os-release` says this.
pub(super) fn command(release: &str, need: Need) -> Option<String> {
    let value = |key: &str| {
        let lines = release.lines().filter_map(|line| line.split_once('='));
        let mut values = lines.filter(|(name, _)| *name == key).map(|(_, value)| value);
        values.next().unwrap_or_default().trim_matches('"').to_owned()
    };
    // The own name first, then those of the systems that it derives from, the nearest first.
    let words = [value("ID"), value("ID_LIKE")].join(" ");
    let family = words
        .split_whitespace()
        .find_map(|word| FAMILIES.iter().find(|(name, ..)| word.contains(name)));
    let (name, install, packages) = family?;
    match (packages[need as usize], need) {
        ("", Need::Nvidia) if *name == "ubuntu" => Some("sudo ubuntu-drivers install".to_owned()),
        ("", _) => None,
        (packages, _) => Some(format!("{install} {packages}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_names_its_packages() {
        for (release, need, wanted) in [
            ("ID=debian\n", Need::Loader, Some("sudo apt-get install -y libvulkan1")),
            (
                "ID=linuxmint\nID_LIKE=\"ubuntu debian\"",
                Need::Nvidia,
                Some("sudo ubuntu-drivers install"),
            ),
            ("ID=\"opensuse-leap\"", Need::Verilator, Some("sudo zypper install -y verilator")),
            (
                "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"",
                Need::Loader,
                Some("sudo dnf install -y vulkan-loader"),
            ),
            ("ID=alpine", Need::Cpupower, None),
            ("ID=plan9", Need::Loader, None),
            ("", Need::Loader, None),
        ] {
            assert_eq!(command(release, need).as_deref(), wanted, "{release}");
        }
    }
}
