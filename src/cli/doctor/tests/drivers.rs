//! GPUs, their device files, Vulkan.

use std::os::unix::fs::chown;

use super::*;
use crate::cli::hostile::{Hostile, check_error};

#[test]
fn manifests_lead_to_drivers_that_are_there() {
    const ICD: &str = "usr/share/vulkan/icd.d";
    let machine = with_gpu("manifests", "0x1002")
        .file("opt/lib/libvulkan.so.1", "")
        .file("etc/ld.so.conf.d/local.conf", "# ours\n/opt/lib\n")
        .file(&format!("{ICD}/lvp_icd.json"), &manifest("libvulkan_lvp.so"))
        .file("opt/lib/libvulkan_lvp.so", "");
    judge(&machine.check("vulkan-loader"), State::Ok, "/opt/lib/libvulkan.so.1", None);
    let mend = Some("sudo apt-get install -y mesa-vulkan-drivers");
    judge(&machine.check("vulkan-drivers"), State::Advice, "only a driver in software", mend);
    let machine = machine.file(&format!("{ICD}/radeon.json"), &manifest("/opt/lib/radeon.so"));
    judge(
        &machine.check("vulkan-drivers"),
        State::Wrong,
        "`/opt/lib/radeon.so` is not there",
        mend,
    );
    let machine = machine.file("opt/lib/radeon.so", "");
    judge(&machine.check("vulkan-drivers"), State::Ok, "lvp_icd, radeon", None);
    // One that is broken beside one that serves is nobody's trouble.
    let machine = machine.file(&format!("{ICD}/a.json"), "{").file(&format!("{ICD}/b.txt"), "");
    judge(&machine.check("vulkan-drivers"), State::Ok, "radeon", None);
}

#[test]
fn broken_manifests_and_variables_are_named() {
    for (number, (text, words)) in [
        ("{", "no JSON"),
        ("[]", "names no ICD.library_path"),
        ("{\"ICD\": {\"library_path\": 3}}", "names no ICD.library_path"),
        (&manifest("../lib.so"), "`../lib.so` is not there"),
        (&"[".repeat(60_000), "no JSON"),
    ]
    .into_iter()
    .enumerate()
    {
        let machine = Machine::new(&format!("broken{number}"));
        let machine = machine.file("etc/vulkan/icd.d/x.json", text);
        let check = machine.check("vulkan-drivers");
        assert_eq!(check.state, State::Wrong, "{check:?}");
        assert!(
            check.found.contains("/etc/vulkan/icd.d/x.json: ") && check.found.contains(words),
            "{check:?}"
        );
    }
    let machine = Machine::new("variable").set("VK_ICD_FILENAMES", "/nowhere.json");
    let mend = Some("unset VK_ICD_FILENAMES");
    judge(&machine.check("vulkan-drivers"), State::Wrong, "names /nowhere.json", mend);
    let machine = machine
        .file("my/radeon.json", &manifest("radeon.so"))
        .file("my/radeon.so", "")
        .set("VK_DRIVER_FILES", "/my/radeon.json");
    // A bare name is looked for as the linker does.
    assert_eq!(machine.check("vulkan-drivers").state, State::Wrong);
    let machine = machine.set("LD_LIBRARY_PATH", "/my");
    judge(&machine.check("vulkan-drivers"), State::Ok, "radeon", None);
    let machine = machine.set("VK_DRIVER_FILES", "/my");
    judge(&machine.check("vulkan-drivers"), State::Ok, "radeon", None);
}

#[test]
fn closed_render_nodes_name_the_group_to_join() {
    let machine = with_gpu("closed", "0x8086");
    let mend = Some("sudo modprobe i915");
    judge(&machine.check("render-nodes"), State::Missing, "Intel GPU at 0000:01:00.0", mend);
    let machine = machine.file(".dockerenv", "");
    let mend = Some("docker run --device /dev/dri ..");
    judge(&machine.check("render-nodes"), State::Missing, "no render node", mend);
    let mut machine = machine.file("dev/dri/renderD128", "").mode("dev/dri/renderD128", 0o660);
    let node = machine.root.join("dev/dri/renderD128");
    // Where the tests run as root, a group beside root's.
    let _ = chown(&node, None, Some(NOBODY + 1));
    let group = node.metadata().expect("it is there").gid();
    machine = machine
        .file("etc/group", &format!("root:x:999999:\nrender:x:{group}:somebody\n"))
        .set("USER", "me");
    let joins = group != 0;
    let mend = if joins {
        "sudo usermod -aG render $USER"
    } else {
        "sudo chown $USER /dev/dri/renderD128"
    };
    judge(&machine.check("render-nodes"), State::Wrong, "/dev/dri/renderD128 may not", Some(mend));
    if joins {
        machine = machine.file("etc/group", &format!("render:x:{group}:a,me\n"));
        judge(&machine.check("render-nodes"), State::Wrong, "may not", Some("newgrp render"));
    }
    machine.user.groups.push(group);
    judge(&machine.check("render-nodes"), State::Ok, "/dev/dri/renderD128", None);
}

#[test]
fn nvidia_wants_module_files_and_libraries_of_one_version() {
    const LIB: &str = "usr/lib/libnvidia-glcore.so";
    let machine = with_gpu("nvidia", "0x10de");
    judge(&machine.check("gpu"), State::Ok, "NVIDIA at 0000:01:00.0", None);
    let mend = Some("sudo apt-get install -y nvidia-driver");
    judge(&machine.check("nvidia"), State::Missing, "not loaded", mend);
    assert_eq!(machine.find("render-nodes"), None);
    let machine = machine.file(&format!("{LIB}.550.54.15"), "");
    judge(&machine.check("nvidia"), State::Missing, "not loaded", Some("sudo modprobe nvidia"));
    let version =
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build\n";
    let machine = machine.file("proc/driver/nvidia/version", version);
    let mend = Some("sudo nvidia-modprobe -u -c=0");
    judge(&machine.check("nvidia"), State::Missing, "550.54.15 is loaded, and has no device", mend);
    let machine =
        machine.file("dev/nvidia0", "").file("dev/nvidiactl", "").file("dev/nvidia-uvm", "");
    let machine = machine.mode("dev/nvidia0", 0o600).mode("dev/nvidiactl", 0o666);
    let mend = Some("sudo chmod a+rw /dev/nvidia0");
    judge(&machine.check("nvidia"), State::Wrong, "/dev/nvidia0 may not be opened", mend);
    let machine = machine.mode("dev/nvidia0", 0o666);
    judge(&machine.check("nvidia"), State::Ok, "driver 550.54.15, 2 device files", None);
    let machine = machine.file("proc/driver/nvidia/version", &version.replace("550.54", "570.1"));
    judge(
        &machine.check("nvidia"),
        State::Wrong,
        "570.1.15, its libraries are 550.54.15",
        Some("sudo reboot"),
    );
    // In a container, half of the driver was left outside.
    fs::remove_file(machine.root.join(format!("{LIB}.550.54.15"))).expect("it is ours");
    let machine = machine.file("run/.containerenv", "");
    let mend = Some("docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all ..");
    judge(&machine.check("nvidia"), State::Missing, "Vulkan library", mend);
    judge(&machine.check("vulkan-drivers"), State::Missing, "no manifest", mend);
}

#[test]
fn hostile_manifests_name_a_driver_or_say_why_not() {
    let mut hostile = Hostile::new(7);
    let seeds = [manifest("libvulkan_lvp.so"), manifest("/opt/lib/radeon.so")];
    let mut machine = Machine::new("hostile").file("opt/lib/radeon.so", "");
    for _ in 0..300 {
        let seed = hostile.one_of(&seeds).clone();
        machine = machine.file("etc/vulkan/icd.d/x.json", &hostile.text(&seed));
        let check = vulkan::drivers(&machine.host(), &[]);
        check_error(&check.found);
    }
}
