//! A device that lies, behind a real engine that keeps it in service: how many lies are found, at which level.
//!
//! `SIGMILL_LIES=N` sets how many are told. One batch, one lie: about one entry of it or about all.

#[path = "simulation/items.rs"]
#[expect(dead_code, reason = "the simulation's stock is in there too")]
mod items;
#[path = "simulation/lies.rs"]
#[expect(dead_code, reason = "the simulation has more ways to be wrong")]
mod lies;
#[path = "simulation/truth.rs"]
#[expect(dead_code, reason = "the simulation's host is in there too")]
mod truth;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sigmill::backend::{Backend, BatchId, Capability, Completion};
use sigmill::dispatch::random::Random;
use sigmill::error::Rejected;
use sigmill::parsed::{Operands, Parsed};
use sigmill::verdict::{Evidence, Point};
use sigmill::{Algorithm, Batch, Class, Device, Engine, Outcome, Terms, Trust, Verdict};

use items::{ALL, Job, Ware, agree, has_evidence};
use truth::{NONE, Truth};

/// Lies of a run that names no number.
const LIES: u64 = 20_000;

/// Batches of an algorithm: no divisor of these is one of the plans' number, so that each meets each.
const WARES: usize = 23;

/// What the device does to the evidence of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Plan {
    OneItem,
    AllValid,
    AllInvalid,
    Shifted,
    Stale,
    /// Exactly one wrong answer that nothing shows: a forged signature is accepted, a key or digest is another's.
    Targeted,
}

const PLANS: [Plan; 6] =
    [Plan::OneItem, Plan::AllValid, Plan::AllInvalid, Plan::Shifted, Plan::Stale, Plan::Targeted];

/// What the test tells the device, and what the device did.
#[derive(Default)]
struct Script {
    plan: Option<Plan>,
    /// The evidence was not the truth.
    lied: bool,
    /// It said something wrong, not only that there is no point or key: that the host answers, and blames no one.
    said: bool,
}

/// Whether an entry that names a point or key is not the truth; evidence of other lengths is wrong throughout.
fn says_wrong(evidence: &Evidence, truth: &Evidence) -> bool {
    match (evidence, truth) {
        (Evidence::Points(a), Evidence::Points(b)) if a.len() == b.len() => {
            a.iter().zip(b).any(|(a, b)| a != b && a.z != [0; 4])
        }
        (Evidence::Keys(a), Evidence::Keys(b)) if a.len() == b.len() => {
            a.iter().zip(b).any(|(a, b)| a != b && *a != [0; 64])
        }
        (a, b) => a != b,
    }
}

struct Liar {
    truth: Arc<Truth>,
    script: Arc<Mutex<Script>>,
    capabilities: Vec<Capability>,
    random: Random,
    last: BTreeMap<&'static str, Evidence>,
    done: VecDeque<Completion>,
}

impl Liar {
    fn new(truth: Arc<Truth>, script: Arc<Mutex<Script>>) -> Self {
        let capability = |algorithm| Capability { algorithm, max_items: 100_000, judges: false };
        Liar {
            truth,
            script,
            capabilities: ALL.map(capability).to_vec(),
            random: Random::seeded(31),
            last: BTreeMap::new(),
            done: VecDeque::new(),
        }
    }

    fn lie(&mut self, plan: Plan, batch: &Parsed, evidence: &mut Evidence) {
        let items = evidence.len();
        let at = self.random.below(items);
        match plan {
            Plan::OneItem => lies::one(evidence, at, &mut self.random),
            Plan::AllValid => lies::all_valid(&self.truth, batch, evidence),
            Plan::AllInvalid => lies::all_invalid(evidence),
            Plan::Shifted => lies::rotate(evidence),
            Plan::Stale => {
                if let Some(mut old) = self.last.get(batch.algorithm().name()).cloned() {
                    lies::resize(&mut old, items);
                    *evidence = old;
                }
            }
            Plan::Targeted => self.forge(batch, evidence, at),
        }
    }

    /// Turns the first wrong signature from a place on into a right one.
    fn forge(&self, batch: &Parsed, evidence: &mut Evidence, from: usize) {
        let items = evidence.len();
        match evidence {
            Evidence::Points(points) => {
                let forged = |at: usize| {
                    let echo = lies::echo(&self.truth, batch.operands(), at)?;
                    let wrong = points[at] != NONE && !wants(batch.operands(), at, &points[at]);
                    Some((at, echo)).filter(|_| wrong)
                };
                if let Some((at, echo)) = (0..items).find_map(|i| forged((from + i) % items)) {
                    points[at] = echo;
                }
            }
            Evidence::Keys(keys) => {
                let other = keys.iter().copied().find(|key| *key != keys[from] && *key != [0; 64]);
                keys[from] = other.unwrap_or([7; 64]);
            }
            Evidence::Digests(digests) => digests[from][9] ^= 0x10,
            _ => {}
        }
    }
}

/// Whether the signature of an entry wants to see this point.
fn wants(operands: &Operands, at: usize, point: &Point) -> bool {
    use sigmill::algorithms::secp256k1::{ecdsa, schnorr};
    let verdict = match operands {
        Operands::Ecdsa(operands) => ecdsa::judge(operands, at, point),
        Operands::Schnorr(operands) => schnorr::judge(operands, at, point),
        _ => return false,
    };
    verdict.is_ok_and(Verdict::is_valid)
}

impl Backend for Liar {
    fn name(&self) -> &str {
        "liar"
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        let started = Instant::now();
        let truth = self.truth.evidence(&batch, 0..batch.live());
        let mut evidence = truth.clone();
        let plan = self.script.lock().expect("no panic with it").plan;
        if let Some(plan) = plan.filter(|_| !evidence.is_empty()) {
            self.lie(plan, &batch, &mut evidence);
            let mut script = self.script.lock().expect("no panic with it");
            script.lied = evidence != truth;
            script.said = says_wrong(&evidence, &truth);
        }
        self.last.insert(batch.algorithm().name(), truth);
        self.done.push_back(Completion { id, result: Ok(evidence), busy: started.elapsed() });
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        self.done.pop_front()
    }

    fn wait(&mut self, _until: Instant) {}

    fn patience(&self) -> Duration {
        // A batch that the host computes as well since this thread got no time is compared when the next one runs.
        Duration::from_secs(3_600)
    }
}

/// What became of the lies of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    lies: u64,
    found: u64,
    /// Wrong answers given: invalid as valid, valid as invalid, another key or digest.
    accepted: u64,
    rejected: u64,
    values: u64,
}

type Table = BTreeMap<(&'static str, Trust, Plan), Tally>;

/// Batches of a few to a few dozen jobs, each with a wrong one among them.
fn wares(algorithm: Algorithm) -> Vec<Ware> {
    let mut random = Random::seeded(97);
    let pool = items::pool(611, algorithm, 96);
    let well: Vec<_> = pool.iter().map(is_well).collect();
    let batch = |number: usize| {
        let mut batch = Batch::open(algorithm);
        let items = 12 + 4 * (number % 12);
        let bad = if has_evidence(algorithm) { random.below(items) } else { items };
        while batch.len() < items {
            let at = random.below(pool.len());
            // All well but for one, and a few as they come.
            if well[at] != (batch.len() == bad) || random.below(8) == 0 {
                pool[at].push(&mut batch);
            }
        }
        Ware::new(batch.seal())
    };
    (0..WARES).map(batch).collect()
}

fn is_well(job: &Job) -> bool {
    sigmill::referee::answer(&job.batch()).all_well()
}

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("sigmill-lies-{}", std::process::id()))
}

/// One engine, one liar, one batch after the other.
fn tell(next: &AtomicU64, lies: u64, wares: &[Vec<Ware>], table: &Mutex<Table>) {
    let (truth, script) = (Arc::new(Truth::new()), Arc::new(Mutex::new(Script::default())));
    let (knows, reads) = (truth, script.clone());
    let device = Device::admit(move || Ok(Box::new(Liar::new(knows.clone(), reads.clone()))));
    let engine = Engine::builder()
        .threads(1)
        .cpu(false)
        .device(device.expect("it is honest at first"))
        .keep_liars()
        .probation(Duration::ZERO)
        .recheck(1_000)
        .proofs(folder())
        .open()
        .expect("an engine");
    let mut faults = 0;
    loop {
        let number = next.fetch_add(1, Relaxed) as usize;
        if number as u64 >= lies {
            return;
        }
        let (which, rest) = (number % ALL.len(), number / ALL.len());
        let plan = PLANS[rest % PLANS.len()];
        let trust = [Trust::Checked, Trust::Audited][rest / PLANS.len() % 2];
        let ware = &wares[which][number / ALL.len() % WARES];
        *script.lock().expect("no panic with it") =
            Script { plan: Some(plan), lied: false, said: false };
        let terms = Terms::default().class(Class::Consensus).trust(trust);
        let batch = ware.parsed.batch().clone();
        let answers = engine.submit(batch, terms).expect("room").wait().into_answers();
        let Script { lied, said, .. } = *script.lock().expect("no panic with it");
        let after = engine.snapshot().devices[0].faults;
        let found = std::mem::replace(&mut faults, after) != after;
        assert!(lied || !found, "{plan:?}: blamed without a lie");
        let mut table = table.lock().expect("no panic with it");
        let tally = table.entry((ALL[which].name(), trust, plan)).or_default();
        tally.lies += u64::from(said || found);
        tally.found += u64::from(found);
        for (got, want) in answers.iter().zip(ware.truth.iter()).filter(|(a, b)| !agree(*a, *b)) {
            match (got, want) {
                (Outcome::Verdict(Verdict::Valid), _) => tally.accepted += 1,
                (Outcome::Verdict(Verdict::Invalid(_)), _) => tally.rejected += 1,
                (Outcome::Key(_) | Outcome::Digest(_), _) => tally.values += 1,
                (other, _) => panic!("{other:?}: no answer"),
            }
        }
    }
}

#[test]
fn no_lie_becomes_a_verdict() {
    let lies = std::env::var("SIGMILL_LIES").map_or(LIES, |text| text.parse().expect("a number"));
    let wares = ALL.map(wares);
    let (next, table) = (AtomicU64::new(0), Mutex::new(Table::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| tell(&next, lies, &wares, &table));
        }
    });
    let _ = std::fs::remove_dir_all(folder());
    let table = table.into_inner().expect("no panic with it");
    let of = |name: &str| ALL.into_iter().find(|algorithm| algorithm.name() == name);
    println!(
        "algorithm            level    lie           lies    found accepted rejected   values"
    );
    for (&(name, trust, plan), tally) in &table {
        let Tally { lies, found, accepted, rejected, values } = tally;
        let share = 100.0 * *found as f64 / (*lies).max(1) as f64;
        println!(
            "{name:20} {trust:8} {:10} {lies:7} {share:7.2}% {accepted:8} {rejected:8} {values:8}",
            format!("{plan:?}")
        );
    }
    for (&(name, trust, plan), tally) in &table {
        let what = format!("{name} {trust} {plan:?}: {tally:?}");
        let algorithm = of(name).expect("a name of one of them");
        let recovers = matches!(algorithm, Algorithm::RecoverSecp256k1(_));
        assert_eq!(tally.rejected, 0, "a valid job was rejected: {what}");
        if has_evidence(algorithm) && (trust == Trust::Audited || plan != Plan::Targeted) {
            assert_eq!(tally.accepted, 0, "an invalid job was accepted: {what}");
        }
        if recovers && trust == Trust::Audited {
            assert_eq!((tally.values, tally.accepted), (0, 0), "a wrong key: {what}");
        }
        if trust == Trust::Audited && algorithm.value_bytes() != 32 {
            assert_eq!(tally.found, tally.lies, "a lie was not found: {what}");
        }
        assert!(tally.lies > 0 || lies < LIES, "no such lie was told: {what}");
    }
}
