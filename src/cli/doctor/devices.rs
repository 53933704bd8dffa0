//! Devices, opened and tested as `sigmill devices` does; and what would run where.

use sigmill::engine::DeviceInfo;

use super::check::Check;
use super::system::correct_origin;
use crate::cli::settings::Settings;
use crate::cli::{Failure, Status, check_required, device, not_there};

/// Devices that are opened, what was found, and how the command ends by it.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) devices: Vec<DeviceInfo>,
    pub(super) checks: Vec<Check>,
    pub(super) status: Status,
}

impl Opened {
    fn fail(&mut self, check: Check, failure: &Failure) {
        self.status = self.status.max(failure.status);
        self.checks.push(check);
    }
}

/// Whether the devices are there that `SIGMILL_REQUIRE` names. `None` where it names none.
pub(super) fn required(required: &str) -> Option<(Check, Status)> {
    const NAME: &str = "required";
    if required.is_empty() {
        return None;
    }
    Some(match check_required() {
        Ok(()) => (Check::ok(NAME, format!("SIGMILL_REQUIRE={required} is met")), Status::Well),
        Err(failure) => {
            let check = match failure.status {
                Status::Missing => Check::missing(NAME, failure.message),
                _ => Check::wrong(NAME, failure.message).mend("unset SIGMILL_REQUIRE"),
            };
            (check, failure.status)
        }
    })
}

/// Opens the CPU, a GPU and a card if there are any, and the device that the settings name.
pub(super) fn open(settings: &Settings) -> Opened {
    let mut opened = Opened::default();
    let mut builder = settings.builder();
    let named = settings.backend();
    let mut names = vec!["gpu", "fpga"];
    if !["auto", "cpu", "gpu", "fpga"].contains(&named) {
        names.push(named);
    }
    for name in names {
        match device(name, settings.isolate()) {
            Ok(device) => builder = builder.device(device),
            Err(failure) if name == named && failure.status != Status::Disagreement => {
                let failure = settings.blame(if failure.status == Status::Missing {
                    not_there(name)
                } else {
                    failure
                });
                let check = Check::wrong("backend", failure.message.clone());
                opened.fail(check.mend_if(correct_origin(settings.origin("backend"))), &failure);
            }
            Err(failure) if failure.status == Status::Missing => {
                // Of a card the files tell as much.
                if name == "gpu" {
                    opened.checks.push(Check::missing(kind(name), failure.message));
                }
            }
            Err(failure) => {
                opened.fail(Check::wrong(kind(name), failure.message.clone()), &failure)
            }
        }
    }
    match builder.open() {
        Ok(engine) => opened.devices = engine.devices(),
        Err(error) => {
            let failure = Failure::from(error);
            opened.fail(Check::wrong("device-cpu", failure.message.clone()), &failure);
        }
    }
    let tested = opened.devices.iter().map(|device| {
        let right = format!("{} known answers right: {}", device.known_answers, device.description);
        Check::ok(kind(&device.name), right)
    });
    let tested: Vec<_> = tested.collect();
    opened.checks.splice(0..0, tested);
    opened
}

/// The check's name of a device.
fn kind(name: &str) -> &'static str {
    match name.split('=').next() {
        Some("cpu") => "device-cpu",
        Some("gpu") => "device-gpu",
        _ => "device-fpga",
    }
}

/// What would run where, in words.
pub(super) fn sentence(devices: &[DeviceInfo]) -> String {
    let names: Vec<_> =
        devices.iter().map(|device| device.name.as_str()).filter(|name| *name != "cpu").collect();
    match &names[..] {
        [] => "Everything runs on the CPU.".to_owned(),
        names => format!(
            "Batches run on {} where it ends them first, and on the CPU otherwise; `sigmill devices --explain ecdsa 4096` \
             says which of them.",
            names.join(" or ")
        ),
    }
}
