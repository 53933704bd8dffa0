//! A profile for people.

use super::cores::CoreTime;
use super::limits::Limit;
use super::summary::{StageTime, StepTime, Summary, TrackTime};
use super::transfers::Transfer;
use crate::cli::units::{count, percent, time};

/// Width of the longest bar.
const BAR: usize = 30;

pub(super) fn print(summary: &Summary) {
    let limits = summary.limits.as_deref().unwrap_or_default();
    let workload = &summary.workload;
    say!("{workload}: {}", time(summary.wall_ns as f64));
    say!("");
    let wall = summary.wall_ns as f64;
    say!("stages, by a batch's way (share of the wall time; threads add up)");
    say!(
        "  {:10} {:>8} {:>10} {:>9} {:>9} {:>9}  share",
        "stage",
        "times",
        "in all",
        "p50",
        "p99",
        "max"
    );
    for StageTime { stage, count, total_ns, own_ns, p50_ns, p99_ns, max_ns, .. } in &summary.stages
    {
        let share = *own_ns as f64 / wall;
        let [total, p50, p99, max] = [total_ns, p50_ns, p99_ns, max_ns].map(|ns| time(*ns as f64));
        let bar = bar(share);
        // A wait is no work of anyone.
        let share = if stage == "queue" {
            "  wait".to_owned()
        } else {
            format!("{:5.1} % {bar}", 100.0 * share)
        };
        say!("  {stage:10} {count:>8} {total:>10} {p50:>9} {p99:>9} {max:>9} {share}");
    }
    let mut of = None;
    for StepTime { place, algorithm, step, ns_per_item, share, total_ns, .. } in &summary.steps {
        if of != Some((place, algorithm)) {
            of = Some((place, algorithm));
            say!("");
            say!("steps of {algorithm} on {place}");
        }
        let (per_item, total) = (time(*ns_per_item), time(*total_ns as f64));
        say!(
            "  {step:16} {per_item:>10} an item {total:>10} in all {:5.1} % {}",
            100.0 * share,
            bar(*share)
        );
    }
    if !limits.is_empty() {
        say!("");
        say!(
            "kernels against the integer multiplications that they cannot do without (of one thread, or a whole device)"
        );
    }
    for Limit { place, algorithm, ideal_ns_per_item, share_of_limit, .. } in limits {
        say!(
            "  {algorithm} on {place}: {:.0} % of the limit, which is {} an item",
            100.0 * share_of_limit,
            time(*ideal_ns_per_item)
        );
    }
    transfers(summary);
    say!("");
    say!("threads and device clocks (busy, and what with)");
    for TrackTime { track, busy_ns, own } in &summary.tracks {
        let share = *busy_ns as f64 / wall;
        let most = own.iter().filter(|(_, ns)| *ns as f64 >= wall / 100.0).take(4);
        let most: Vec<_> =
            most.map(|(name, ns)| format!("{name} {:.0} %", 100.0 * *ns as f64 / wall)).collect();
        say!("  {track:20} {:5.1} % {:BAR$} {}", 100.0 * share, bar(share), most.join(", "));
    }
    let mut of = None;
    for core in &summary.cores {
        if of != Some(&core.place) {
            of = Some(&core.place);
            say!("");
            say!(
                "cores of {} (cycles between the first and the last reading of its counters)",
                core.place
            );
            let [busy, starved, blocked, latency] = core.parts().map(|(cause, _)| cause);
            say!("  {:10} {busy:>22} {starved:>22} {blocked:>22} {latency:>22}", "core");
        }
        say!("  {:10} {}", core.core, parts(core));
    }
    say!("");
    say!("stages cover {:.1} % of the wall time", 100.0 * summary.covered);
    if summary.lost > 0 {
        say!("{} stages or samples were not kept: there was no room", summary.lost);
    }
}

/// What moved or read bytes, against the rate of copies.
fn transfers(summary: &Summary) {
    if summary.transfers.is_empty() {
        return;
    }
    say!("");
    say!(
        "transfers against copy bandwidth (of the host: messages that it hashed, against copies in memory)"
    );
    for transfer in &summary.transfers {
        let Transfer { place, stage, bytes, bytes_per_second, .. } = transfer;
        let limit = transfer.copy_bytes_per_second.zip(transfer.share_of_limit);
        let limit = limit.map(|(rate, share)| {
            format!(", {} of the limit, which is {}B/s", percent(share), count(rate))
        });
        let (bytes, rate) = (count(*bytes as f64), count(*bytes_per_second));
        say!("  {stage} on {place}: {bytes}B at {rate}B/s{}", limit.unwrap_or_default());
    }
}

fn parts(core: &CoreTime) -> String {
    let parts =
        core.parts().map(|(_, part)| format!("{:>14} {:5.1} %", part.cycles, 100.0 * part.share));
    parts.join(" ")
}

fn bar(share: f64) -> String {
    "#".repeat(((share * BAR as f64).round() as usize).min(BAR))
}
