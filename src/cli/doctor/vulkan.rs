//! Vulkan: the loader, and the manifests that lead it to drivers.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::check::Check;
use super::gpu::{Gpu, Vendor};
use super::host::Host;
use super::packages::Need;
use crate::cli::nearest::quoted;

/// Folders in which the dynamic linker looks for libraries, in its order.
pub(super) fn library_folders(host: &Host) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(path) = host.around.variable("LD_LIBRARY_PATH") {
        folders.extend(std::env::split_paths(path).filter(|folder| folder.is_absolute()));
    }
    let parts = host.around.list("/etc/ld.so.conf.d");
    let parts = parts.iter().filter(|name| name.ends_with(".conf"));
    let parts = parts.map(|name| format!("/etc/ld.so.conf.d/{name}"));
    for file in parts.chain(["/etc/ld.so.conf".to_owned()]) {
        let text = host.around.text(&file).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with('/'));
        folders.extend(lines.map(PathBuf::from));
    }
    let arch = std::env::consts::ARCH;
    for folder in [
        format!("/lib/{arch}-linux-gnu"),
        format!("/usr/lib/{arch}-linux-gnu"),
        "/lib64".to_owned(),
        "/usr/lib64".to_owned(),
        "/lib".to_owned(),
        "/usr/lib".to_owned(),
    ] {
        folders.push(folder.into());
    }
    let mut seen = std::collections::BTreeSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

/// Where a library lies that a program names so.
fn library(host: &Host, name: &str) -> Option<PathBuf> {
    let paths = library_folders(host).into_iter().map(|folder| folder.join(name));
    paths.into_iter().find(|path| host.has(path))
}

/// The loader's file.
const LOADER: &str = "libvulkan.so.1";

/// Whether the loader is there.
pub(super) fn loader(host: &Host) -> Check {
    const NAME: &str = "vulkan-loader";
    if let Some(path) = library(host, LOADER) {
        return Check::ok(NAME, path.display().to_string());
    }
    let searched = library_folders(host).into_iter().map(|folder| folder.display().to_string());
    Check::missing(NAME, format!("{LOADER} is not installed; no GPU can be used without it"))
        .searched(searched)
        .mend_if(host.install(Need::Loader))
}

/// Variables that name manifests in place of the folders; the first that is set counts.
const NAMED: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// A driver that a manifest names, or what is wrong with it.
struct Driver {
    path: PathBuf,
    library: Result<String, String>,
}

impl Driver {
    fn read(host: &Host, path: PathBuf) -> Driver {
        let library = library_of(host, &path);
        Driver { path, library }
    }

    /// Whether it computes on the CPU.
    fn is_software(&self) -> bool {
        let names = [self.library.as_deref().unwrap_or(""), &self.path.to_string_lossy()].join(" ");
        ["lvp", "lavapipe", "swiftshader"].iter().any(|name| names.contains(name))
    }
}

/// The driver's library, which has to be there.
fn library_of(host: &Host, path: &Path) -> Result<String, String> {
    let text = host.around.text(path).ok_or("it cannot be read")?;
    let manifest: Value =
        serde_json::from_str(&text).map_err(|error| format!("no JSON: {error}"))?;
    let named = manifest["ICD"]["library_path"].as_str().ok_or("it names no ICD.library_path")?;
    let found = if !named.contains('/') {
        library(host, named).is_some()
    } else {
        host.has(path.parent().unwrap_or(Path::new("/")).join(named))
    };
    let named_so = named.to_owned();
    if found { Ok(named_so) } else { Err(format!("its driver {} is not there", quoted(named))) }
}

/// Folders with manifests, in the loader's order.
fn folders(host: &Host) -> Vec<PathBuf> {
    let list = |variable: &str, default: &str| -> Vec<PathBuf> {
        let list = host.around.variable(variable).map(|value| value.to_os_string());
        std::env::split_paths(&list.unwrap_or_else(|| default.into())).collect()
    };
    let mut folders: Vec<PathBuf> = Vec::new();
    folders.extend(host.around.user_folder("XDG_CONFIG_HOME", ".config"));
    folders.extend(list("XDG_CONFIG_DIRS", "/etc/xdg"));
    folders.push("/etc".into());
    folders.extend(host.around.user_folder("XDG_DATA_HOME", ".local/share"));
    folders.extend(list("XDG_DATA_DIRS", "/usr/local/share:/usr/share"));
    folders.into_iter().map(|folder| folder.join("vulkan/icd.d")).collect()
}

fn manifests(host: &Host, folder: &Path) -> Vec<PathBuf> {
    let names = host.around.list(folder).into_iter().filter(|name| name.ends_with(".json"));
    names.map(|name| folder.join(name)).collect()
}

/// Whether manifests name drivers that are there.
pub(super) fn drivers(host: &Host, gpus: &[Gpu]) -> Check {
    const NAME: &str = "vulkan-drivers";
    let named = NAMED.into_iter().find_map(|name| Some((name, host.around.variable(name)?)));
    let (places, paths) = match named {
        Some((variable, list)) => {
            let places: Vec<_> = std::env::split_paths(list).collect();
            if let Some(lost) = places.iter().find(|path| !host.has(path)) {
                let why = format!("{variable} names {}, which is not there", lost.display());
                return Check::wrong(NAME, why).mend(format!("unset {variable}"));
            }
            let each = |place: &PathBuf| match host.around.at(place).is_dir() {
                true => manifests(host, place),
                false => vec![place.clone()],
            };
            let paths: Vec<_> = places.iter().flat_map(each).collect();
            (places, paths)
        }
        None => {
            let places = folders(host);
            let paths = places.iter().flat_map(|folder| manifests(host, folder)).collect();
            (places, paths)
        }
    };
    let searched: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
    let drivers: Vec<_> = paths.into_iter().map(|path| Driver::read(host, path)).collect();
    let sound: Vec<_> = drivers.iter().filter(|driver| driver.library.is_ok()).collect();
    let mend = driver_for(host, gpus);
    let broken = drivers.iter().find_map(|driver| Some((driver, driver.library.as_ref().err()?)));
    let check = match broken {
        // One that is sound may do.
        Some((driver, why)) if sound.iter().all(|driver| driver.is_software()) => {
            Check::wrong(NAME, format!("{}: {why}", driver.path.display())).mend_if(mend)
        }
        _ if sound.is_empty() => Check::missing(NAME, "no manifest names a driver").mend_if(mend),
        _ if sound.iter().all(|driver| driver.is_software()) => {
            let why = "only a driver in software, which `--backend gpu=software` takes for tests";
            let check = Check::advice(NAME, why);
            if gpus.is_empty() { check } else { check.mend_if(mend) }
        }
        _ => {
            let names: Vec<_> =
                sound.iter().filter_map(|driver| driver.path.file_stem()?.to_str()).collect();
            Check::ok(NAME, names.join(", "))
        }
    };
    check.searched(searched)
}

/// The command that brings a driver for what is there.
fn driver_for(host: &Host, gpus: &[Gpu]) -> Option<String> {
    if gpus.iter().all(|gpu| gpu.vendor != Vendor::Nvidia) {
        return host.install(Need::Mesa);
    }
    // A container gets the driver from outside, by halves unless it asks for graphics.
    if host.is_container() || host.around.variable("NVIDIA_VISIBLE_DEVICES").is_some() {
        return Some("docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all ..".to_owned());
    }
    host.install(Need::Nvidia)
}
