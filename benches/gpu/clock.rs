//! Time: of the wall, and of the cores that this process kept busy.

use std::time::Duration;

/// Ticks a second of `/proc/self/stat`, on every Linux that is in use.
const TICKS: u64 = 100;

/// Core time of all threads so far; zero where the system does not tell.
pub fn core_time() -> Duration {
    scheduled().or_else(ticked).unwrap_or_default()
}

/// Sum over the threads that live, in nanoseconds.
fn scheduled() -> Option<Duration> {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        // A thread that ends meanwhile has no file any more.
        let Ok(text) = std::fs::read_to_string(task.path().join("schedstat")) else { continue };
        sum += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    (sum > 0).then(|| Duration::from_nanos(sum))
}

/// User and system time, in steps of 10 ms.
fn ticked() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in brackets, may hold blanks; after it the 12th and 13th field count.
    let fields: Vec<_> = text.rsplit(')').next()?.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// Least, median and most of several runs.
#[derive(Clone, Copy)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    /// Of values, at least one.
    pub fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let [least, median, most] = [0.0, 0.5, 1.0].map(|share| quantile(&values, share));
        Spread { least, median, most }
    }

    pub fn json(self) -> serde_json::Value {
        serde_json::json!({ "min": self.least, "median": self.median, "max": self.most })
    }
}

/// The value that `share` of the sorted values do not exceed.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len() - 1;
    sorted[((share * last as f64).round() as usize).min(last)]
}
