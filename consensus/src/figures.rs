//! A validator in numbers, as Prometheus reads them: the engine's and the chain's.

use std::fmt::Write as _;

use sigmill::Engine;

/// Counts that are not commonware's. Seconds are of cores.
#[derive(Debug, Default)]
pub struct Figures {
    text: String,
}

impl Figures {
    /// Adds a family of samples: name, what it is, `counter` or `gauge`, and by label the values.
    pub fn family<'a>(
        &mut self,
        name: &str,
        help: &str,
        kind: &str,
        label: &str,
        samples: impl IntoIterator<Item = (&'a str, f64)>,
    ) {
        let text = &mut self.text;
        let mut line = |part: std::fmt::Arguments<'_>| text.write_fmt(part).expect(TAKES_ALL);
        line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        for (value_of, value) in samples {
            match label.is_empty() {
                true => line(format_args!("{name} {value}\n")),
                false => {
                    line(format_args!("{name}{{{label}=\"{}\"}} {value}\n", escaped(value_of)))
                }
            }
        }
    }

    /// A family of one sample without a label.
    pub fn one(&mut self, name: &str, help: &str, kind: &str, value: f64) {
        self.family(name, help, kind, "", [("", value)]);
    }

    /// The engine's counts.
    pub fn engine(&mut self, engine: &Engine) {
        let snapshot = engine.snapshot();
        let answered = snapshot.counters.answered;
        let fates = [
            ("valid", answered.valid),
            ("invalid", answered.invalid),
            ("computed", answered.computed),
            ("error", answered.errors),
        ];
        let fates = fates.map(|(fate, count)| (fate, count as f64));
        self.family(
            "sigmill_jobs_total",
            "Jobs that the engine answered.",
            "counter",
            "fate",
            fates,
        );
        let in_flight = snapshot.counters.in_flight as f64;
        self.one("sigmill_jobs_in_flight", "Jobs without an answer yet.", "gauge", in_flight);
        let devices = &snapshot.devices;
        let by = |of: fn(&sigmill::engine::DeviceSnapshot) -> f64| {
            devices.iter().map(move |device| (&*device.name, of(device)))
        };
        let counter = "counter";
        self.family(
            "sigmill_device_jobs_total",
            "Jobs that a device answered.",
            counter,
            "device",
            by(|d| d.items as f64),
        );
        self.family(
            "sigmill_device_batches_total",
            "Batches that a device answered.",
            counter,
            "device",
            by(|d| d.batches as f64),
        );
        self.family(
            "sigmill_device_faults_total",
            "Faults of a device.",
            counter,
            "device",
            by(|d| d.faults as f64),
        );
        self.family(
            "sigmill_device_serves",
            "Whether a device gets work.",
            "gauge",
            "device",
            by(|d| f64::from(u8::from(d.serves()))),
        );
    }

    /// Core seconds of this process by kind of thread, where the system tells.
    pub fn threads(&mut self) {
        let threads = threads();
        let samples = threads.iter().map(|(kind, seconds)| (kind.as_str(), *seconds));
        self.family(
            "sigmill_thread_core_seconds_total",
            "Core time by kind of thread.",
            "counter",
            "threads",
            samples,
        );
    }

    /// The text, before that of others.
    pub fn and(mut self, others: &str) -> String {
        self.text.push_str(others);
        self.text
    }
}

const TAKES_ALL: &str = "a string takes all";

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Core seconds by kind of thread: names without their numbers.
#[cfg(target_os = "linux")]
fn threads() -> std::collections::BTreeMap<String, f64> {
    let mut kinds = std::collections::BTreeMap::new();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        // pid (name) state ..: user and system time are the fields 14 and 15.
        let Some((head, tail)) = stat.rsplit_once(')') else { continue };
        let name = head.split_once('(').map_or("", |(_, name)| name);
        let kind = name.trim_end_matches(|one: char| one.is_ascii_digit() || one == '-');
        let times = tail.split_ascii_whitespace().skip(11).take(2);
        let spent: f64 = times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        *kinds.entry(kind.to_owned()).or_default() += spent / ticks;
    }
    kinds
}

#[cfg(not(target_os = "linux"))]
fn threads() -> std::collections::BTreeMap<String, f64> {
    std::collections::BTreeMap::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_prometheus_reads() {
        let mut figures = Figures::default();
        figures.one("a", "One.", "gauge", 2.0);
        figures.family("b", "Two.", "counter", "of", [("x\"y", 1.5), ("z", 0.0)]);
        let text = "# HELP a One.\n# TYPE a gauge\na 2\n# HELP b Two.\n# TYPE b counter\n\
                    b{of=\"x\\\"y\"} 1.5\nb{of=\"z\"} 0\nrest";
        assert_eq!(figures.and("rest"), text);
    }

    #[test]
    fn an_engine_has_its_device() {
        let engine = Engine::builder().threads(1).open().unwrap();
        let mut figures = Figures::default();
        figures.engine(&engine);
        figures.threads();
        let text = figures.and("");
        assert!(text.contains("sigmill_device_serves{device=\"cpu\"} 1"), "{text}");
        assert!(text.contains("sigmill_jobs_total{fate=\"valid\"} "), "{text}");
    }
}
