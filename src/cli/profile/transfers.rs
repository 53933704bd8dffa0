//! How fast bytes moved, against the rates at which the devices copy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sigmill::monitor::{Slice, Timeline};

use super::limits::of_place;
use super::summary::{HOST, place, union};
use crate::cli::ceilings::{Ceiling, CopyRates};

/// What went up to a device, came back from it, or was read by the host's kernels of a hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Transfer {
    /// `host`, or the device.
    pub place: String,
    /// `upload`, `readback`, or the kernel.
    pub stage: String,
    pub bytes: u64,
    /// Time of such stages. Threads that were at it together count once.
    pub time_ns: u64,
    /// Bytes over that time.
    pub bytes_per_second: f64,
    /// What the device copies up or down, or the host in its memory; where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_bytes_per_second: Option<f64>,
    /// The one rate over the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_limit: Option<f64>,
}

/// The stages that have bytes, without those that began before the recording.
pub(super) fn transfers(timeline: &Timeline) -> Vec<Transfer> {
    let mut found = BTreeMap::<(&str, &str), Vec<&Slice>>::new();
    let whole = |slice: &&Slice| slice.start >= timeline.from && slice.end <= timeline.until;
    for slice in timeline.slices.iter().filter(whole).filter(|slice| slice.bytes > 0) {
        found.entry((place(timeline, slice), timeline.stage(slice))).or_default().push(slice);
    }
    let transfer = |((place, stage), slices): ((&str, &str), Vec<&Slice>)| {
        let bytes = slices.iter().fold(0, |sum: u64, slice| sum.saturating_add(slice.bytes));
        let time_ns = match place {
            HOST => union(timeline, slices.into_iter()),
            // Where on the host's time a device's stage lies is known roughly, its length well.
            _ => slices.iter().map(|slice| slice.end - slice.start).sum(),
        };
        Transfer {
            place: place.to_owned(),
            stage: stage.to_owned(),
            bytes,
            time_ns,
            bytes_per_second: bytes as f64 / time_ns.max(1) as f64 * 1e9,
            copy_bytes_per_second: None,
            share_of_limit: None,
        }
    };
    let mut all: Vec<_> = found.into_iter().map(transfer).collect();
    // On the way there, then back.
    let order = |transfer: &Transfer| (transfer.place.clone(), transfer.stage == "readback");
    all.sort_by_cached_key(order);
    all
}

/// Adds the shares of what the devices copy at most.
pub(super) fn judge(transfers: &mut [Transfer], ceilings: &[Ceiling]) {
    for transfer in transfers {
        let Some(ceiling) = of_place(ceilings, &transfer.place) else { continue };
        let CopyRates { memory, to_device, from_device } = ceiling.copy_bytes_per_second;
        transfer.copy_bytes_per_second = match transfer.stage.as_str() {
            "upload" => to_device,
            "readback" => from_device,
            _ => memory,
        };
        let share = |rate| transfer.bytes_per_second / rate;
        transfer.share_of_limit = transfer.copy_bytes_per_second.map(share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 100 to 1,100 ns: a thread, another, and a device's clock.
    fn timeline(slices: &[(u32, u32, u64, (u64, u64))]) -> Timeline {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let slice = |&(stage, track, bytes, (start, end)): &(u32, u32, u64, (u64, u64))| Slice {
            stage,
            is_kernel: stage == 0,
            track,
            is_device: track == 2,
            algorithm: 0,
            batch: 0,
            piece: 0,
            items: 1,
            bytes,
            start,
            end,
        };
        Timeline {
            schema: 1,
            from: 100,
            until: 1_100,
            lost: 0,
            tracks: names(&["one #0", "two #1", "gpu clock"]),
            stages: names(&["sha256", "upload", "readback", "device"]),
            algorithms: names(&["sha256"]),
            slices: slices.iter().map(slice).collect(),
            counters: Vec::new(),
            samples: Vec::new(),
        }
    }

    #[test]
    fn bytes_are_set_against_the_time_and_the_way_that_they_took() {
        let mut found = transfers(&timeline(&[
            // Two threads at once, of which the time is one.
            (0, 0, 300, (200, 300)),
            (0, 1, 500, (200, 400)),
            // A device's stages follow each other, wherever they seem to lie.
            (2, 2, 10, (520, 530)),
            (1, 2, 100, (500, 550)),
            (1, 2, 200, (510, 560)),
            // Begun before the recording, and without bytes.
            (1, 2, 9_999, (90, 600)),
            (3, 0, 0, (200, 900)),
        ]));
        let sums: Vec<_> = found
            .iter()
            .map(|t| (t.place.as_str(), t.stage.as_str(), t.bytes, t.time_ns))
            .collect();
        let expected = [
            ("gpu", "upload", 300, 100),
            ("gpu", "readback", 10, 10),
            ("host", "sha256", 800, 200),
        ];
        assert_eq!(sums, expected);
        let ceiling = |device: &str, copy_bytes_per_second| Ceiling {
            device: device.to_owned(),
            copy_bytes_per_second,
            ..Ceiling::default()
        };
        let memory = CopyRates { memory: Some(8e9), ..CopyRates::default() };
        let ways =
            CopyRates { to_device: Some(6e9), from_device: Some(10e9), ..CopyRates::default() };
        judge(&mut found, &[ceiling("cpu", memory), ceiling("gpu", ways)]);
        let shares: Vec<_> = found.iter().map(|t| t.share_of_limit.expect("measured")).collect();
        for (share, expected) in shares.into_iter().zip([0.5, 0.1, 0.5]) {
            assert!((share - expected).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn no_rate_of_copies_no_share() {
        let mut found = transfers(&timeline(&[(1, 2, 100, (200, 300))]));
        let other = Ceiling { device: "cpu".to_owned(), ..Ceiling::default() };
        judge(&mut found, &[other]);
        let clock = Ceiling { device: "gpu".to_owned(), ..Ceiling::default() };
        judge(&mut found, &[clock]);
        assert_eq!((found[0].copy_bytes_per_second, found[0].share_of_limit), (None, None));
        assert!((found[0].bytes_per_second - 1e9).abs() < 1.0);
    }
}
