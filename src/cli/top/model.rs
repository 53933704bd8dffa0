//! What two looks at an engine show: rates, shares, and their history.

use std::collections::VecDeque;

use sigmill::monitor::Status;

/// Looks that the history keeps.
const HISTORY: usize = 240;

/// What is shown.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub status: Option<Status>,
    /// Of the last interval, a second each.
    pub rates: Rates,
    /// By device, in the order of the status.
    pub devices: Vec<DeviceRates>,
    /// Items answered a second, oldest first.
    pub history: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub submitted: f64,
    pub valid: f64,
    pub invalid: f64,
    pub computed: f64,
    pub errors: f64,
    /// Batches.
    pub refused: f64,
}

impl Rates {
    pub fn answered(&self) -> f64 {
        self.valid + self.invalid + self.computed + self.errors
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct DeviceRates {
    pub items: f64,
    pub inline: f64,
    /// Share of the interval, 0 to 1.
    pub busy: f64,
}

impl Model {
    /// Takes the next look in.
    pub fn take(&mut self, status: Status) {
        if let Some(before) = &self.status
            && status.uptime_ns > before.uptime_ns
            && status.process == before.process
        {
            let seconds = (status.uptime_ns - before.uptime_ns) as f64 / 1e9;
            let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
            let refused = |status: &Status| status.refused.iter().map(|kind| kind.count).sum();
            self.rates = Rates {
                submitted: rate(status.submitted, before.submitted),
                valid: rate(status.valid, before.valid),
                invalid: rate(status.invalid, before.invalid),
                computed: rate(status.computed, before.computed),
                errors: rate(status.errors, before.errors),
                refused: rate(refused(&status), refused(before)),
            };
            let devices = status.devices.iter().map(|device| {
                let before = before.devices.iter().find(|before| before.name == device.name);
                before.map_or(DeviceRates::default(), |before| DeviceRates {
                    items: rate(device.items, before.items),
                    inline: rate(device.inline_items, before.inline_items),
                    busy: (rate(device.busy_ns, before.busy_ns) / 1e9).min(1.0),
                })
            });
            self.devices = devices.collect();
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(self.rates.answered() as u64);
        } else {
            self.devices = vec![DeviceRates::default(); status.devices.len()];
        }
        self.status = Some(status);
    }
}
