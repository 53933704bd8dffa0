//! An engine's counts as they travel.

use serde::{Deserialize, Serialize};

use crate::dispatch::books::{Books, Distribution};
use crate::dispatch::router;
use crate::engine::{Engine, Snapshot};
use crate::{Algorithm, Class, Form, batch::Shape};

/// An engine at one instant. Times are nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The format's version: 1.
    pub schema: u32,
    /// Version of the engine.
    pub version: String,
    /// The process that it runs in.
    pub process: u32,
    /// Since it opened.
    pub uptime_ns: u64,
    /// What the distributions cover.
    pub interval_ns: u64,
    /// Items by fate: submitted = valid + invalid + computed + errors + in flight.
    pub submitted: u64,
    /// Items found valid.
    pub valid: u64,
    /// Items found invalid.
    pub invalid: u64,
    /// Values computed.
    pub computed: u64,
    /// Items that got an error.
    pub errors: u64,
    /// Items without an answer yet.
    pub in_flight: u64,
    /// Batches without an answer yet.
    pub in_flight_batches: u64,
    /// Bytes of those.
    pub in_flight_bytes: u64,
    /// Items that wait for a lane.
    pub waiting_items: u64,
    /// Predicted time of those.
    pub waiting_ns: u64,
    /// Devices, in the order of their lanes.
    pub devices: Vec<DeviceStatus>,
    /// Times of the steps.
    pub phases: Vec<Phase>,
    /// From admission to answer.
    pub latency: Vec<Latency>,
    /// Items of batches.
    pub batches: Batches,
    /// Items admitted.
    pub admitted: Vec<Submitted>,
    /// Answers by device.
    pub answered: Vec<Answered>,
    /// Items that got an error, by its kind.
    pub errors_by_kind: Vec<Count>,
    /// Batches refused, by the limit that they met.
    pub refused: Vec<Count>,
    /// Items computed elsewhere after a fault.
    pub failovers: Vec<Failover>,
    /// What examinations of evidence found.
    pub checks: Checks,
    /// Where batches would go now.
    pub routes: Vec<Route>,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub description: String,
    /// Its health: `healthy`, `probation`, `suspect`, `quarantined`, `opening`, `lost`.
    pub health: String,
    /// Jobs that it answered.
    pub items: u64,
    /// Those that ran on their caller's thread.
    pub inline_items: u64,
    /// Batches that it answered.
    pub batches: u64,
    /// Faults by kind.
    pub faults: Vec<Count>,
    /// Wrong answers.
    pub mismatches: u64,
    /// Canaries that came back right.
    pub canaries: u64,
    /// Pieces that it holds.
    pub depth: u64,
    /// Predicted time of those.
    pub backlog_ns: u64,
    /// Time that it worked, batches on their caller's thread apart.
    pub busy_ns: u64,
}

/// A named count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Of what.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// A distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Half are at most this.
    pub p50: u64,
    /// Nine in ten are.
    pub p90: u64,
    /// 99 in 100 are.
    pub p99: u64,
    /// 999 in 1,000 are.
    pub p999: u64,
    /// The largest.
    pub max: u64,
}

impl From<&Distribution> for Summary {
    fn from(all: &Distribution) -> Self {
        let at = |quantile| all.value_at_quantile(quantile);
        let (p50, p90, p99, p999) = (at(0.5), at(0.9), at(0.99), at(0.999));
        Summary { count: all.len(), mean: all.mean(), p50, p90, p99, p999, max: all.max() }
    }
}

/// Times of one step, in ns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// `parse`, `queue`, `device` or `judge`.
    pub name: String,
    /// The times.
    pub times: Summary,
}

/// Times from admission to answer, in ns, a batch each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The algorithm, without its rule.
    pub algorithm: String,
    /// `consensus`, `mempool` or `sync`.
    pub class: String,
    /// The times.
    pub times: Summary,
}

/// Batches by size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batches {
    /// Items of a batch.
    pub items: Summary,
}

/// Items admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The algorithm, with its rule.
    pub algorithm: String,
    /// Their class.
    pub class: String,
    /// How many.
    pub items: u64,
}

/// Answers of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Its name; `host` for what was found while parsing, or computed by the portable CPU.
    pub device: String,
    /// The algorithm, with its rule.
    pub algorithm: String,
    /// Items found valid.
    pub valid: u64,
    /// Items found invalid.
    pub invalid: u64,
    /// Values computed.
    pub computed: u64,
}

/// Items computed elsewhere after a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failover {
    /// The device that had them.
    pub from: String,
    /// The one that got them; `host` for the portable CPU.
    pub to: String,
    /// The fault's kind.
    pub cause: String,
    /// How many.
    pub items: u64,
}

/// What examinations of accelerators' evidence found, in items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// Accepted ones that the host computed again.
    pub sampled: u64,
    /// Rejects that the host confirmed.
    pub confirmed: u64,
    /// Rejects that were believed.
    pub believed: u64,
    /// Those in which the host was wrong.
    pub host_wrong: u64,
    /// Time of one core that re-checks took, as predicted, in ns.
    pub rechecked_ns: u64,
}

/// Where a batch would go now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The algorithm, with its rule.
    pub algorithm: String,
    /// Items of the batch.
    pub items: u64,
    /// The device; none where all lanes are out.
    pub device: Option<String>,
    /// On its caller's thread.
    pub inline: bool,
}

/// Batches whose routes are told.
const SIZES: [usize; 4] = [1, 64, 1_024, 16_384];

impl Status {
    /// What an engine has counted. `before`: the books that the distributions begin after.
    pub fn of(engine: &Engine, before: Option<&(Books, u64)>) -> (Status, (Books, u64)) {
        let snapshot = engine.snapshot();
        let uptime_ns = snapshot.uptime.as_nanos() as u64;
        let mut books = snapshot.books.clone();
        if let Some((before, _)) = before {
            books.subtract(before);
        }
        let name = |lane: Option<usize>| {
            let device = lane.and_then(|lane| snapshot.devices.get(lane));
            device.map_or("host", |device| device.name.as_str()).to_owned()
        };
        let counts = |counts: &std::collections::BTreeMap<&'static str, u64>| {
            let named =
                |(name, count): (&&str, &u64)| Count { name: (*name).to_owned(), count: *count };
            counts.iter().map(named).collect()
        };
        let all = &snapshot.books;
        let tally = snapshot.counters.answered;
        let status = Status {
            schema: 1,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            uptime_ns,
            interval_ns: uptime_ns - before.map_or(0, |(_, until)| *until),
            submitted: snapshot.counters.submitted,
            valid: tally.valid,
            invalid: tally.invalid,
            computed: tally.computed,
            errors: tally.errors,
            in_flight: snapshot.counters.in_flight,
            in_flight_batches: snapshot.queue.batches,
            in_flight_bytes: snapshot.queue.bytes,
            waiting_items: snapshot.queue.waiting_items,
            waiting_ns: snapshot.queue.waiting,
            devices: devices(engine, &snapshot),
            phases: books.phases().map(|(name, times)| phase(name, times)).to_vec(),
            latency: books.latency.iter().map(latency).collect(),
            batches: Batches { items: Summary::from(&books.batch_items) },
            admitted: all
                .submitted
                .iter()
                .map(|((algorithm, class), items)| Submitted {
                    algorithm: algorithm.to_string(),
                    class: class.name().to_owned(),
                    items: *items,
                })
                .collect(),
            answered: all
                .answered
                .iter()
                .map(|((lane, algorithm), tally)| Answered {
                    device: name(*lane),
                    algorithm: algorithm.to_string(),
                    valid: tally.valid,
                    invalid: tally.invalid,
                    computed: tally.computed,
                })
                .collect(),
            errors_by_kind: counts(&all.errors),
            refused: counts(&all.refused),
            failovers: all
                .failovers
                .iter()
                .map(|((from, to, cause), items)| Failover {
                    from: name(Some(*from)),
                    to: name(*to),
                    cause: (*cause).to_owned(),
                    items: *items,
                })
                .collect(),
            checks: checks(&snapshot),
            routes: routes(engine, all),
        };
        (status, (snapshot.books, uptime_ns))
    }
}

fn phase(name: &str, times: &Distribution) -> Phase {
    Phase { name: name.to_owned(), times: Summary::from(times) }
}

fn latency(((algorithm, class), times): (&(&'static str, Class), &Distribution)) -> Latency {
    let (algorithm, class) = ((*algorithm).to_owned(), class.name().to_owned());
    Latency { algorithm, class, times: Summary::from(times) }
}

fn devices(engine: &Engine, snapshot: &Snapshot) -> Vec<DeviceStatus> {
    let infos = engine.devices();
    let devices = snapshot.devices.iter().enumerate();
    devices
        .map(|(lane, device)| {
            let faults = snapshot.books.faults.iter().filter(|((of, _), _)| *of == lane);
            let mismatches = snapshot.books.mismatches.iter().filter(|((of, _), _)| *of == lane);
            DeviceStatus {
                name: device.name.clone(),
                description: infos.get(lane).map_or(String::new(), |info| info.description.clone()),
                health: device.health.name().to_owned(),
                items: device.items,
                inline_items: device.inline_items,
                batches: device.batches,
                faults: faults
                    .map(|((_, kind), count)| Count { name: (*kind).to_owned(), count: *count })
                    .collect(),
                mismatches: mismatches.map(|(_, count)| count).sum(),
                canaries: device.canaries,
                depth: device.depth as u64,
                backlog_ns: device.backlog.as_nanos() as u64,
                busy_ns: device.busy.as_nanos() as u64,
            }
        })
        .collect()
}

fn checks(snapshot: &Snapshot) -> Checks {
    let report = &snapshot.checks;
    Checks {
        sampled: report.sampled,
        confirmed: report.confirmed,
        believed: report.believed,
        host_wrong: report.host_wrong,
        rechecked_ns: snapshot.rechecked.as_nanos() as u64,
    }
}

/// Of the algorithms that were seen, in batches of a few sizes whose jobs are as long as those before.
fn routes(engine: &Engine, books: &Books) -> Vec<Route> {
    let seen: std::collections::BTreeSet<Algorithm> =
        books.submitted.keys().map(|(algorithm, _)| *algorithm).collect();
    let shapes = seen.into_iter().flat_map(|algorithm| {
        SIZES.map(|items| Shape { algorithm, form: Form::Single, items, bytes: 128 * items })
    });
    shapes
        .map(|shape| {
            let explanation = engine.explain(shape);
            Route {
                algorithm: shape.algorithm.to_string(),
                items: shape.items as u64,
                device: explanation.device().map(str::to_owned),
                inline: matches!(explanation.route, router::Route::Inline(_)),
            }
        })
        .collect()
}
