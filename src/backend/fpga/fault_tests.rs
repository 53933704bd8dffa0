//! Cards that fail, and what the driver makes of it.

use std::sync::atomic::Ordering;

use super::faulty::{Faulty, Plan, Trick};
use super::soft_card::{self, SoftCard};
use super::testing::{batches, ecdsa, hashes};
use super::*;
use crate::algorithm::Algorithm;
use crate::backend::cpu::{self, Kernels};
use crate::backend::device::Device;
use crate::batch::{Batch, Job};
use crate::dispatch::examine::Host;
use crate::dispatch::judge;
use crate::engine::{Engine, Terms};
use crate::error::EngineError;
use crate::parsed::Operands;
use crate::verdict::{Answers, Evidence};

/// The way to a card of its own, what it has to be, how long it may be silent; and a batch of more lines
/// than its rings have.
struct Bench {
    connect: fn() -> Box<dyn Transport>,
    expected: Expected,
    limit: Limit,
    long: Batch,
}

/// A card in software.
fn software() -> Bench {
    Bench {
        connect: || Box::new(SoftCard::new(1)),
        expected: soft_card::expected(),
        limit: soft_card::LIMIT,
        long: hashes(Algorithm::Sha256, 40),
    }
}

/// The simulated card.
#[cfg(feature = "fpga-sim")]
fn simulated() -> Bench {
    Bench {
        connect: || Box::new(sim::Simulated::open().expect("the model was built")),
        expected: sim::expected().expect("the model was built"),
        // Three passes of the core of signatures.
        limit: Limit::Cycles(200_000),
        long: testing::runs(9_000),
    }
}

impl Bench {
    fn open(&self, plan: &Arc<Plan>) -> Result<Box<Fpga>, EngineError> {
        let transport = Box::new(Faulty::new((self.connect)(), plan.clone()));
        Fpga::over("fpga=test", transport, &self.expected, Some(self.limit))
    }
}

/// What the CPU answers.
fn right(batch: &Batch) -> Answers {
    let parsed = Parsed::parse(batch.clone());
    let mut evidence = Evidence::for_cpu(parsed.algorithm());
    cpu::compute(Kernels::PORTABLE, &parsed, &mut evidence);
    let mut answers = Answers::new(parsed.algorithm());
    judge::judge_all(&parsed, true, None, &evidence, &mut answers).expect("our own");
    answers
}

/// Submits all, arms the plan when `armed_at` batches were answered, and waits for every answer. Each
/// batch gets one, right or a fault.
fn run(card: &mut Fpga, batches: &[Batch], armed_at: usize, plan: &Plan) -> Vec<Result<(), Fault>> {
    let parsed: Vec<_> =
        batches.iter().map(|batch| Arc::new(Parsed::parse(batch.clone()))).collect();
    let mut results = vec![None; batches.len()];
    let (mut next, mut answered, mut armed) = (0, 0, false);
    let until = Instant::now() + Duration::from_secs(120);
    while answered < batches.len() {
        assert!(Instant::now() < until, "every batch is answered");
        while next < batches.len() {
            match card.submit(BatchId(next as u64), parsed[next].clone()) {
                Ok(()) => next += 1,
                Err(Rejected) => break,
            }
        }
        if !armed && answered >= armed_at {
            plan.armed.store(true, Ordering::Relaxed);
            armed = true;
        }
        let Some(Completion { id, result, .. }) = card.poll() else {
            card.wait(Instant::now() + Duration::from_millis(1));
            continue;
        };
        answered += 1;
        let index = id.0 as usize;
        let result = result.map(|evidence| {
            let mut answers = Answers::new(parsed[index].algorithm());
            let host: Option<&dyn Host> = Some(&Kernels::PORTABLE);
            let judged = judge::judge_all(&parsed[index], false, host, &evidence, &mut answers);
            judged.expect("no fault");
            assert_eq!(answers, right(&batches[index]), "batch {index}");
        });
        assert!(results[index].replace(result).is_none(), "batch {index} is answered once");
    }
    assert!(card.poll().is_none());
    results.into_iter().map(|result| result.expect("each is answered")).collect()
}

/// Algorithms mixed in flight, over rings that wrap and fill.
fn batches_of_all_kinds_are_answered_right(bench: &Bench) {
    let plan = Plan::new(Trick::NoEvent, false);
    let mut card = bench.open(&plan).expect("it is right");
    let mut all: Vec<_> = (0..2).flat_map(batches).collect();
    all.push(ecdsa(1, 0));
    all.push(hashes(Algorithm::Sha256, 0));
    all.push(bench.long.clone());
    let results = run(&mut card, &all, usize::MAX, &plan);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let laps = card.completions.head() >> card.identity.completion_log2;
    assert!(laps > 0 && card.submission.tail() >> card.identity.submission_log2 > 0);
    assert!(card.jobs.is_empty() && card.batches.is_empty());
    let details = card.details();
    let is_core = |name| Core::ALL.iter().any(|core| core.name() == name);
    let cores = details.iter().filter(|(name, _)| is_core(*name)).count();
    assert_eq!(cores, 4, "{details:?}");
}

fn a_message_longer_than_the_ring_streams(bench: &Bench) {
    let plan = Plan::new(Trick::NoEvent, false);
    let mut card = bench.open(&plan).expect("it is right");
    let bytes = 100 << card.identity.submission_log2;
    for algorithm in [Algorithm::Sha256, Algorithm::Sha256d, Algorithm::Keccak256] {
        let mut batch = Batch::open(algorithm);
        for length in [3, bytes, 64, bytes / 3] {
            batch.push(Job::Hash { message: &vec![7; length] }).expect("room");
        }
        let results = run(&mut card, &[batch.seal()], usize::MAX, &plan);
        assert_eq!(results, [Ok(())]);
    }
}

fn more_batches_than_it_takes_are_rejected(bench: &Bench) {
    let plan = Plan::new(Trick::NoEvent, false);
    let mut card = bench.open(&plan).expect("it is right");
    let parsed = Arc::new(Parsed::parse(hashes(Algorithm::Sha256, 50)));
    for id in 0..BATCHES as u64 {
        card.submit(BatchId(id), parsed.clone()).expect("room");
    }
    assert_eq!(card.submit(BatchId(99), parsed), Err(Rejected));
}

fn every_trick_is_a_fault_of_all_batches(bench: &Bench) {
    for trick in Trick::WORK {
        let plan = Plan::new(trick, false);
        let mut card = bench.open(&plan).expect("it is right until then");
        let mut all: Vec<_> = (0..2).flat_map(batches).collect();
        all.push(bench.long.clone());
        let results = run(&mut card, &all, 3, &plan);
        let faults: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        if trick == Trick::NoEvent {
            assert!(faults.is_empty(), "an event that is lost costs time: {faults:?}");
            continue;
        }
        assert!(!faults.is_empty() && faults.len() < all.len(), "{trick:?}: {results:?}");
        for fault in &faults {
            let is_due = match trick {
                Trick::Stuck | Trick::NotReady => **fault == Fault::Timeout,
                Trick::Lap | Trick::Duplicate => **fault == Fault::Stale,
                Trick::Reset | Trick::DescriptorBit => true,
                _ => matches!(fault, Fault::Device(_)),
            };
            assert!(is_due, "{trick:?}: {fault:?}");
        }
        // And whatever is asked of it afterwards.
        let after = run(&mut card, &[hashes(Algorithm::Sha256, 3)], usize::MAX, &plan);
        assert_eq!(after, [Err(faults[0].clone())]);
    }
}

/// Whichever bit of what goes up or comes down changes: no answer becomes another.
#[test]
fn any_bit_that_changes_is_a_fault() {
    let bench = software();
    for trick in [Trick::DescriptorBit, Trick::ResultBit] {
        for (round, bit) in (0..16 * 512).step_by(61).enumerate() {
            let plan = Arc::new(Plan { trick, armed: false.into(), bit });
            let mut card = bench.open(&plan).expect("it is right until then");
            // Each kind of batch in its turn, first and alone when the bit changes.
            let mut all = batches(round as u64);
            all.rotate_left(round % 6);
            let results = run(&mut card, &all[..3], 0, &plan);
            assert!(results.iter().any(Result::is_err), "{trick:?}, bit {bit}");
        }
    }
}

fn a_card_that_is_another_one_is_not_admitted(bench: &Bench) {
    for trick in Trick::IDENTITY {
        let refused = bench.open(&Plan::new(trick, true)).err().expect("it is another card");
        assert!(matches!(refused, EngineError::Device { .. }), "{trick:?}: {refused}");
        println!("{refused}");
    }
}

/// What is wrong from the beginning, and shows at work alone, does not get past the known answers.
fn a_card_that_fails_its_known_answers_is_not_admitted(open: fn() -> Bench) {
    for trick in [Trick::Stuck, Trick::ResultBit, Trick::DescriptorBit, Trick::Zeros, Trick::Gone] {
        let plan = Plan::new(trick, true);
        let refused = Device::admit(move || Ok(open().open(&plan)?)).err();
        assert!(refused.is_some(), "{trick:?}");
    }
}

/// Through an engine, with and without a lane of the CPU: every item gets the CPU's answer, once.
fn an_engine_gives_the_cpus_answers_whatever_the_card_does(open: fn() -> Bench, tricks: &[Trick]) {
    let all: Vec<_> = (0..2).flat_map(batches).chain([open().long]).collect();
    let expected: Vec<_> = all.iter().map(right).collect();
    for &trick in tricks {
        for cpu in [false, true] {
            let plan = Plan::new(trick, false);
            let own = plan.clone();
            let device = Device::admit(move || Ok(open().open(&own)?)).expect("it is right");
            let engine = Engine::builder().threads(1).cpu(cpu).device(device).open();
            let engine = engine.expect("an engine");
            plan.armed.store(true, Ordering::Relaxed);
            let submit =
                |batch: &Batch| engine.submit(batch.clone(), Terms::default()).expect("room");
            let tickets: Vec<_> = all.iter().map(submit).collect();
            for (index, (ticket, expected)) in tickets.into_iter().zip(&expected).enumerate() {
                assert_eq!(ticket.wait().answers(), expected, "{trick:?}: batch {index}");
            }
            let snapshot = engine.snapshot();
            assert!(snapshot.counters.balance());
            if !cpu {
                let faults = snapshot.devices[0].faults;
                assert_eq!(faults > 0, trick != Trick::NoEvent, "{trick:?}: {faults} faults");
            }
        }
    }
}

/// A card that failed is reset, given another nonce and tested, and takes work again.
fn a_card_comes_back_after_a_fault(open: fn() -> Bench) {
    let plan = Plan::new(Trick::Reset, false);
    let own = plan.clone();
    let device = Device::admit(move || Ok(open().open(&own)?)).expect("it is right");
    let engine = Engine::builder().threads(1).cpu(false).device(device).open();
    let engine = engine.expect("an engine");
    let batch = hashes(Algorithm::Keccak256, 20);
    let expected = right(&batch);
    let submit = || {
        let ticket = engine.submit(batch.clone(), Terms::default()).expect("room");
        assert_eq!(ticket.wait().answers(), &expected);
        engine.snapshot().devices[0].items
    };
    assert_eq!(submit(), 20);
    plan.armed.store(true, Ordering::Relaxed);
    assert_eq!(submit(), 20, "the last resort's");
    assert_eq!(engine.snapshot().devices[0].faults, 1);
    let until = Instant::now() + Duration::from_secs(120);
    while !engine.snapshot().devices[0].serves() {
        assert!(Instant::now() < until, "it is opened anew");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(submit(), 40);
}

/// Every test on a card in software, and on the simulated one.
macro_rules! on_cards {
    ($($test:ident($bench:ident $(, $soft:expr, $sim:expr)?);)*) => {
        mod software {
            use super::*;
            $(#[test]
            fn $test() {
                super::$test(on_cards!($bench software) $(, $soft)?);
            })*
        }

        #[cfg(feature = "fpga-sim")]
        mod simulated {
            use super::*;
            $(#[test]
            #[cfg_attr(
                not(rtl_sim),
                ignore = "verilator not found when this crate was built; install it or set VERILATOR"
            )]
            fn $test() {
                super::$test(on_cards!($bench simulated) $(, $sim)?);
            })*
        }
    };
    (bench $card:ident) => { &$card() };
    (open $card:ident) => { $card };
}

on_cards! {
    batches_of_all_kinds_are_answered_right(bench);
    a_message_longer_than_the_ring_streams(bench);
    more_batches_than_it_takes_are_rejected(bench);
    every_trick_is_a_fault_of_all_batches(bench);
    a_card_that_is_another_one_is_not_admitted(bench);
    a_card_that_fails_its_known_answers_is_not_admitted(open);
    an_engine_gives_the_cpus_answers_whatever_the_card_does(
        open, &Trick::WORK, &[Trick::Stuck, Trick::Reset, Trick::DescriptorBit]
    );
    a_card_comes_back_after_a_fault(open);
}

/// y of the keys, which the host computed for the card.
#[test]
fn roots_come_back_where_they_are_wanted() {
    use crate::algorithms::secp256k1::{integer::to_be, key};
    let plan = Plan::new(Trick::NoEvent, false);
    let mut card = software().open(&plan).expect("it is right");
    let mut parsed = Parsed::parse(ecdsa(3, 90));
    for wanted in [true, false] {
        parsed.roots = wanted;
        card.submit(BatchId(1), Arc::new(parsed.clone())).expect("room");
        let mut evidence = loop {
            match card.poll() {
                Some(completion) => break completion.result.expect("no fault"),
                None => card.wait(Instant::now() + Duration::from_millis(1)),
            }
        };
        let roots = evidence.take_roots();
        assert!(matches!(&evidence, Evidence::Points(points) if points.len() == parsed.live()));
        assert_eq!(roots.is_some(), wanted);
        let Operands::Ecdsa(operands) = parsed.operands() else { panic!("ECDSA") };
        for (item, root) in roots.iter().flatten().enumerate() {
            let prefix = operands.keys.form[item] as u8;
            if prefix < 4 {
                let encoded = [&[prefix][..], &to_be(&operands.keys.x[item])].concat();
                assert_eq!(*root, key::point(&encoded).map_or([0; 4], |[_, y]| y), "item {item}");
            }
        }
    }
}
