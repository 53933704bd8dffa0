//! `sigmill check`, `devices`, `fpga`, and the command as a whole.

#[cfg(feature = "fpga")]
#[path = "../../src/backend/fpga/bitstream/writer.rs"]
#[expect(dead_code, reason = "one format of three is enough here")]
mod writer;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::{code, json, support, text};

fn sigmill(arguments: &[&str]) -> Output {
    run(arguments, &mut std::iter::empty())
}

/// Runs the command with these chunks on its standard input, as long as it reads them.
fn run(arguments: &[&str], input: &mut dyn Iterator<Item = Vec<u8>>) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sigmill"))
        .args(arguments)
        .env_remove("SIGMILL_REQUIRE")
        .env("SIGMILL_CONFIG", "/dev/null")
        // Nor what devices cost under another load.
        .env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    for chunk in input {
        if stdin.write_all(&chunk).is_err() {
            break;
        }
    }
    drop(stdin);
    child.wait_with_output().expect("the command ends")
}

#[test]
fn the_built_in_block_is_well() {
    let output = sigmill(&["check"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("\nok"), "{}", text(&output.stdout));
    let output = sigmill(&["check", "--json", "--threads", "1", "--referee"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let line = json(&output);
    let keys: Vec<_> = line.as_object().expect("an object").keys().map(String::as_str).collect();
    for key in ["schema", "file", "kind", "hash", "ok", "complete", "commitments", "signatures"] {
        assert!(keys.contains(&key), "{key}");
    }
    assert_eq!(line["schema"], 1);
    assert_eq!(line["kind"], "bitcoin-block");
    assert_eq!(line["ok"], true);
    let ecdsa = &line["by_algorithm"]["ecdsa-secp256k1"];
    assert_eq!(ecdsa["valid"], 3_438);
    assert!(ecdsa["checked"].as_u64().expect("a number") >= 3_510);
    assert_eq!(line["inputs"]["total"], 6_517);
    assert_eq!(line["inputs"]["failed"], 0);
    assert_eq!(line["commitments"]["merkle_root"], true);
    assert_eq!(line["commitments"]["witness"], true);
    let items = line["devices"]["cpu"].as_u64().expect("the CPU did it");
    assert!(items >= 3_510, "{items}");
    let output = sigmill(&["check", "--quiet"]);
    assert_eq!((code(&output), output.stdout.len()), (0, 0));
}

#[test]
fn usage_errors_end_with_2() {
    for arguments in [
        &["chekc"][..],
        &["check", "--network", "moon"],
        &["check", "--backend", "abacus"],
        &["check", "--backend", "null"],
        &["check", "--prevouts", "a", "--prevouts", "b", "c"],
        &["check", "-", "-"],
        &["check", "--json", "--quiet"],
        &["check", "--threads", "100000"],
        &["bench", "nothing-like-it"],
        &["bench", "--seconds", "0"],
        &["bench", "--backend", "abacus"],
        &["devices", "--explain", "sha257"],
        &["devices", "--explain", "ecdsa-secp256k1:bitcoin-loose:4"],
        &["devices", "--explain", "sha256:0"],
        &["devices", "--explain", "sha256:1:18446744073709551616"],
        &["devices", "--explain", "sha256:1:2:3"],
    ] {
        let output = sigmill(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stderr.is_empty());
    }
}

/// Runs the command where no Vulkan driver is found.
fn without_drivers(arguments: &[&str], required: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill"));
    command.args(arguments).env("SIGMILL_REQUIRE", required);
    // The loader's older and newer name of the same.
    command.env("VK_ICD_FILENAMES", "/nowhere").env("VK_DRIVER_FILES", "/nowhere");
    command.env_remove("SIGMILL_FPGA");
    command.output().expect("it runs")
}

#[test]
fn absent_devices_end_with_4_and_say_why() {
    let simulated = (!cfg!(rtl_sim)).then_some("fpga=sim");
    for backend in ["gpu", "gpu=software", "fpga"].into_iter().chain(simulated) {
        for command in ["check", "bench"] {
            let output = without_drivers(&[command, "--backend", backend], "");
            assert_eq!(code(&output), 4, "{command} {backend}");
            assert!(text(&output.stderr).contains("absent"), "{}", text(&output.stderr));
        }
    }
    let output = without_drivers(&["devices"], "data,gpu");
    assert_eq!(code(&output), 4);
    let output = without_drivers(&["devices"], "data");
    assert_eq!(code(&output), 0);
    assert!(text(&output.stdout).contains("gpu=software absent: no Vulkan adapter"));
}

#[cfg(feature = "fpga")]
#[test]
fn an_fpga_card_is_looked_for_where_the_environment_says() {
    let card = |path: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill"));
        command.args(["check", "--backend", "fpga"]).env("SIGMILL_REQUIRE", "");
        command.env("SIGMILL_FPGA", path).env_remove("SIGMILL_FPGA_MANIFEST");
        command.output().expect("it runs")
    };
    let output = card("/nowhere/xdma0");
    assert_eq!(code(&output), 4);
    let told = text(&output.stderr);
    assert!(told.contains("/nowhere/xdma0_user: no such device node"), "{told}");
    // A card that is there, of whose image nothing is known, is not opened.
    let folder = std::env::temp_dir().join(format!("sigmill-cli-card-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("xdma0_user"), [0; 64]).expect("a file");
    let output = card(folder.join("xdma0").to_str().expect("UTF-8"));
    std::fs::remove_dir_all(&folder).expect("it is ours");
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("SIGMILL_FPGA_MANIFEST"), "{}", text(&output.stderr));
}

#[cfg(feature = "fpga-sim")]
#[test]
#[cfg_attr(
    not(rtl_sim),
    ignore = "verilator not found when this crate was built; install it or set VERILATOR"
)]
fn the_simulated_card_is_listed_and_checks() {
    let output = sigmill(&["devices", "--backend", "fpga=sim"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let listed = text(&output.stdout);
    for word in ["fpga=sim", "source hash: ", "secp256k1: ", " jobs, busy for ", "keccak256"] {
        assert!(listed.contains(word), "{word}: {listed}");
    }
}

#[test]
fn devices_are_listed() {
    let output = sigmill(&["devices"]);
    assert_eq!(code(&output), 0);
    let listed = text(&output.stdout);
    for word in
        ["cpu", "kernels", "sha256: ", "self-test", "absent", "ecdsa-secp256k1:bitcoin-strict"]
    {
        assert!(listed.contains(word), "{word}: {listed}");
    }
    let line = json(&sigmill(&["devices", "--json"]));
    assert_eq!(line["devices"][0]["name"], "cpu");
    assert_eq!(line["devices"][0]["self_test"]["passed"], true);
}

#[test]
fn routes_are_explained() {
    let asked = ["sha256", "ecdsa-secp256k1:bitcoin-strict:16777216", "schnorr-bip340:5:0"];
    let explain = asked.iter().flat_map(|asked| ["--explain", asked]);
    let arguments: Vec<_> = ["devices", "--threads", "2"].into_iter().chain(explain).collect();
    let output = sigmill(&arguments);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for words in [
        "sha256, 1 job, 64 bytes: on the caller's thread, with the kernels of cpu\n",
        "ecdsa-secp256k1:bitcoin-strict, 16777216 jobs, 2281701376 bytes: into the queue of ",
        "schnorr-bip340, 5 jobs, 0 bytes: ",
        "caller's thread: ",
        "no batch of about this size has shown it yet",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let line = json(&sigmill(&[&arguments[..], &["--json"]].concat()));
    let explained = line["explanations"].as_array().expect("an array");
    assert_eq!(explained.len(), asked.len());
    let [small, large, _] = &explained[..] else { unreachable!("counted above") };
    assert_eq!((&small["route"], &small["device"]), (&"inline".into(), &"cpu".into()));
    assert_eq!((&large["route"], &large["rule"]), (&"queue".into(), &"bitcoin-strict".into()));
    let cpu = &large["choices"][0];
    let nanos = |way: &str| cpu[way].as_u64().expect("a number");
    assert!(nanos("queue_ns") < nanos("inline_ns"), "{cpu}");
    assert_eq!((&cpu["device"], nanos("queue_seen"), nanos("inline_seen")), (&"cpu".into(), 0, 0));
}

#[test]
fn a_closed_output_ends_with_1_and_no_panic() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sigmill"))
        .arg("devices")
        .env_remove("SIGMILL_REQUIRE")
        // Mesa says so where there is none.
        .env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!((code(&output), text(&output.stderr).as_str()), (1, ""));
}

#[test]
fn help_teaches() {
    for (arguments, words) in [
        (&["--help"][..], &["check", "devices", "bench", "Exit codes"][..]),
        (&["check", "--help"], &["--prevouts", "Examples", "--json"]),
        (&["devices", "--help"], &["--backend", "Examples", "--explain schnorr-bip340:4096"]),
    ] {
        let output = sigmill(arguments);
        assert_eq!(code(&output), 0);
        for word in words {
            assert!(text(&output.stdout).contains(word), "{word}");
        }
    }
}

#[test]
fn wrong_files_end_with_1_and_a_reason() {
    let folder = std::env::temp_dir().join(format!("sigmill-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let block = bitcoin_test_data::blocks::mainnet_702861();
    let random: Vec<u8> =
        (0..5_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let truncated = write("truncated.raw", &block[..block.len() / 2]);
    let files = [
        (write("empty", b""), "empty"),
        (write("random", &random), "block"),
        (truncated.clone(), "block"),
        (write("trailing.raw", &[block, &[0]].concat()), "block"),
        (write("broken.json", b"{\"number\": 12"), "JSON"),
        (write("short.sigchk", b"SIGCHK01\x05\0\0\0\xb0\0\0\0"), "record"),
        (folder.to_str().expect("UTF-8").to_owned(), "directory"),
        (folder.join("nowhere").to_str().expect("UTF-8").to_owned(), "opened"),
    ];
    for (file, reason) in &files {
        let output = sigmill(&["check", file]);
        assert_eq!(code(&output), 1, "{file}: {}", text(&output.stderr));
        let error = text(&output.stderr);
        assert!(error.contains(reason) && error.contains(file.as_str()), "{reason}: {error}");
        let output = sigmill(&["check", "--json", file]);
        assert!(json(&output)["error"].is_string());
    }
    // The files beside a wrong one are checked all the same.
    let good = write("good.raw", block);
    let output = sigmill(&["check", "--json", &truncated, &good]);
    assert_eq!((code(&output), text(&output.stdout).lines().count()), (1, 2));
    // Hex, with line breaks, through a pipe.
    let hex: String = block.iter().map(|byte| format!("{byte:02x}")).collect();
    let output =
        run(&["check", "-", "--json"], &mut [hex.into_bytes(), b"\n".to_vec()].into_iter());
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn a_pipe_without_end_is_cut_off() {
    let mut zeros = std::iter::repeat_with(|| vec![0; 1 << 20]).take(1 << 10);
    let output = run(&["check", "-"], &mut zeros);
    assert_eq!(code(&output), 1);
    let mut zeros = std::iter::repeat_with(|| vec![0; 1 << 20]).take(1 << 10);
    let output = run(&["check", "-", "--kind", "bitcoin-block"], &mut zeros);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("bytes"), "{}", text(&output.stderr));
    assert!(zeros.count() > 900, "it read on without need");
}

#[test]
fn one_bit_in_a_record_or_a_block_ends_with_3() {
    let Some(folder) = support::data("record files and blocks") else { return };
    let mut records = std::fs::read(folder.join("bitcoin/block1087400.sigchk")).expect("a file");
    let valid = (0..331).find(|i| records[16 + 176 * i + 1] == 1).expect("a valid record");
    let prevouts = folder.join("bitcoin/block1087400.prevouts.bin");
    for at in [69, 101 + 31, 133 + 31, 4 + 20] {
        let at = 16 + 176 * valid + at;
        records[at] ^= 1;
        let output = run(&["check", "-", "--json"], &mut std::iter::once(records.clone()));
        assert_eq!(code(&output), 3, "{}", text(&output.stderr));
        assert_eq!(json(&output)["records"]["disagree"], 1);
        let finding = json(&output)["findings"][0].to_string();
        assert!(finding.contains(&format!("record {valid}")), "{finding}");
        records[at] ^= 1;
    }
    let block = std::fs::read(folder.join("bitcoin/block1087400.raw")).expect("a file");
    let arguments = ["check", "-", "--json", "--network", "test", "--prevouts"];
    let arguments = [&arguments[..], &[prevouts.to_str().expect("UTF-8")]].concat();
    let output = run(&arguments, &mut std::iter::once(block.clone()));
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    // A bit of a transaction, of the Merkle root, of the nonce.
    for (at, name) in [(20_000, "merkle_root"), (40, "merkle_root"), (77, "proof_of_work")] {
        let mut spoiled = block.clone();
        spoiled[at] ^= 4;
        let output = run(&arguments, &mut std::iter::once(spoiled));
        assert_eq!(code(&output), 3, "byte {at}: {}", text(&output.stderr));
        assert_eq!(json(&output)["commitments"][name], false, "byte {at}");
    }
}

#[cfg(feature = "fpga")]
#[test]
fn an_fpga_image_is_inspected() {
    use sha2::{Digest, Sha256};
    let folder = std::env::temp_dir().join(format!("sigmill-cli-fpga-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let (image, manifest) = (path("image.bin"), path("image.toml"));
    let mut bytes = writer::ice40(writer::HX8K, 1).bytes;
    std::fs::write(&image, &bytes).expect("written");
    let output = sigmill(&["fpga", "inspect", &image]);
    assert_eq!(code(&output), 0, "{}", text(&output.stdout));
    for part in ["ice40-hx8k", "1 CRC right", "comment    test", "none beside it", "\nok"] {
        assert!(text(&output.stdout).contains(part), "{part}: {}", text(&output.stdout));
    }

    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let describe = |device: &str| {
        let zeros = "0".repeat(64);
        let text = format!(
            "image_sha256 = '{sha256}'\nformat = 'ice40'\ndevice = '{device}'\n\
             abi_version = 1\ncores = ['sha256']\nsource_hash = '{zeros}'\n"
        );
        std::fs::write(&manifest, text).expect("written");
    };
    describe("ice40-hx8k");
    let output = sigmill(&["fpga", "inspect", &image, "--json"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stdout));
    let line = json(&output);
    assert_eq!((line["schema"].as_i64(), line["crcs"].as_i64()), (Some(1), Some(1)));
    assert_eq!(line["ok"], true);
    assert_eq!(line["sha256"], sha256.as_str());
    assert_eq!(line["manifest"]["matches"], true);
    describe("ice40-up5k");
    let output = sigmill(&["fpga", "inspect", &image, "--manifest", &manifest, "--json"]);
    assert_eq!(code(&output), 3);
    assert!(json(&output)["manifest"]["error"].as_str().expect("why").contains("`device`"));

    bytes[70_000] ^= 1;
    std::fs::write(&image, &bytes).expect("written");
    let output = sigmill(&["fpga", "inspect", &image]);
    assert_eq!(code(&output), 3);
    for part in ["the CRC is", "`image_sha256`", "\nFAILED"] {
        assert!(text(&output.stdout).contains(part), "{part}: {}", text(&output.stdout));
    }
    assert_eq!(code(&sigmill(&["fpga", "inspect", &path("none.bin")])), 1);
    let none = path("none.txt");
    std::fs::write(&none, "no bitstream").expect("written");
    assert_eq!(code(&sigmill(&["fpga", "inspect", &none])), 1);
    assert_eq!(code(&sigmill(&["fpga", "inspect"])), 2);
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// The golden image, by a program that stands in for iceprog.
#[cfg(all(feature = "fpga", unix))]
#[test]
fn an_fpga_image_is_loaded_if_it_is_its_manifests() {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::env::temp_dir().join(format!("sigmill-cli-load-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/fpga/images/hx8k");
    let load = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigmill"));
        command.args(["fpga", "load"]).args(args).env("PATH", &folder).env_remove("SIGMILL_FPGA");
        command.output().expect("it runs")
    };
    let image = format!("{golden}.bin");
    assert_eq!(code(&sigmill(&["fpga", "inspect", &image])), 0);
    if std::path::Path::new("/sys/class/fpga_manager").exists() {
        println!("skipped: this machine has an FPGA that could be loaded");
        return;
    }
    let output = load(&[&image]);
    assert_eq!(code(&output), 4);
    for way in ["/sys/class/fpga_manager", "iceprog: not on PATH", "openFPGALoader"] {
        assert!(text(&output.stderr).contains(way), "{way}: {}", text(&output.stderr));
    }
    let program = folder.join("iceprog");
    std::fs::write(&program, "#!/bin/sh\nexit 0\n").expect("written");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("ours");
    let output = load(&[&image]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let told = text(&output.stdout);
    assert!(told.contains("iceprog") && told.contains("SIGMILL_FPGA names no card"), "{told}");
    // Another ABI, another file.
    let manifest = folder.join("other.toml");
    let right = std::fs::read_to_string(format!("{golden}.toml")).expect("a manifest");
    std::fs::write(&manifest, right.replace("abi_version = 1", "abi_version = 9"))
        .expect("written");
    let manifest = manifest.to_str().expect("UTF-8");
    let output = load(&[&image, "--manifest", manifest]);
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).contains("`abi_version`"), "{}", text(&output.stderr));
    std::fs::write(manifest, right.replace("image_sha256 = \"", "image_sha256 = \"00"))
        .expect("it");
    assert_eq!(code(&load(&[&image, "--manifest", manifest])), 3);
    assert_eq!(code(&load(&["agfi-12"])), 2);
    assert_eq!(code(&load(&["agfi-0123456789abcdef0"])), 2);
    std::fs::remove_dir_all(&folder).expect("removed");
}
