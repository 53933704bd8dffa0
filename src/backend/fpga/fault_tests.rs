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
use crate::dispatch::judge;
use crate::engine::{Engine, Terms};
use crate::error::EngineError;
use crate::verdict::{Answers, Evidence};

/// The way to a card of its own, what it has to be, and how long it may be silent.
struct Bench {
    connect: fn() -> Box<dyn Transport>,
    expected: Expected,
    limit: Option<Limit>,
}

/// A card in software.
fn software() -> Bench {
    Bench {
        connect: || Box::new(SoftCard::new(1)),
        expected: soft_card::expected(),
        limit: Some(soft_card::LIMIT),
    }
}

impl Bench {
    fn open(&self, plan: &Arc<Plan>) -> Result<Box<Fpga>, EngineError> {
        let transport = Box::new(Faulty::new((self.connect)(), plan.clone()));
        Fpga::over("fpga=test", transport, &self.expected, self.limit)
    }
}

/// What the CPU answers.
fn right(batch: &Batch) -> Answers {
    let parsed = Parsed::parse(batch.clone());
    let mut evidence = Evidence::for_cpu(parsed.algorithm());
    cpu::compute(Kernels::PORTABLE, &parsed, &mut evidence);
    let mut answers = Answers::new(parsed.algorithm());
    judge::judge(&parsed, true, None, &evidence, &mut answers).expect("our own");
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
            let host = Some(Kernels::PORTABLE);
            judge::judge(&parsed[index], false, host, &evidence, &mut answers).expect("no fault");
            assert_eq!(answers, right(&batches[index]), "batch {index}");
        });
        assert!(results[index].replace(result).is_none(), "batch {index} is answered once");
    }
    assert!(card.poll().is_none());
    results.into_iter().map(|result| result.expect("each is answered")).collect()
}

/// Algorithms mixed in flight, over rings that wrap and fill at every batch.
#[test]
fn batches_of_all_kinds_are_answered_right() {
    let plan = Plan::new(Trick::NoEvent, false);
    let mut card = software().open(&plan).expect("it is right");
    let mut all: Vec<_> = (0..3).flat_map(batches).collect();
    all.push(ecdsa(1, 0));
    all.push(hashes(Algorithm::Sha256, 0));
    let results = run(&mut card, &all, usize::MAX, &plan);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(card.submission.tail() > 500 && card.completions.head() > 100, "laps of both rings");
    assert!(card.jobs.is_empty() && card.batches.is_empty());
    let details = card.details();
    let cores = details.iter().filter(|(name, _)| *name == "core").count();
    assert_eq!(cores, 4, "{details:?}");
}

#[test]
fn a_message_longer_than_the_ring_streams() {
    let plan = Plan::new(Trick::NoEvent, false);
    let mut card = software().open(&plan).expect("it is right");
    for algorithm in [Algorithm::Sha256, Algorithm::Sha256d, Algorithm::Keccak256] {
        let mut batch = Batch::open(algorithm);
        for length in [3, 20_000, 64, 5_000] {
            batch.push(Job::Hash { message: &vec![7; length] }).expect("room");
        }
        let results = run(&mut card, &[batch.seal()], usize::MAX, &plan);
        assert_eq!(results, [Ok(())]);
    }
}

#[test]
fn more_batches_than_it_takes_are_rejected() {
    let plan = Plan::new(Trick::NoEvent, false);
    let mut card = software().open(&plan).expect("it is right");
    let parsed = Arc::new(Parsed::parse(hashes(Algorithm::Sha256, 50)));
    for id in 0..BATCHES as u64 {
        card.submit(BatchId(id), parsed.clone()).expect("room");
    }
    assert_eq!(card.submit(BatchId(99), parsed), Err(Rejected));
}

#[test]
fn every_trick_is_a_fault_of_all_batches() {
    for trick in Trick::WORK {
        let plan = Plan::new(trick, false);
        let mut card = software().open(&plan).expect("it is right until then");
        let all: Vec<_> = (0..2).flat_map(batches).collect();
        let results = run(&mut card, &all, 3, &plan);
        let faults: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        if trick == Trick::NoEvent {
            assert!(faults.is_empty(), "an event that is lost costs time: {faults:?}");
            continue;
        }
        assert!(!faults.is_empty() && faults.len() < all.len(), "{trick:?}: {results:?}");
        for fault in &faults {
            let device = matches!(fault, Fault::Device(_));
            let is_due = match trick {
                Trick::Stuck | Trick::NotReady => **fault == Fault::Timeout,
                Trick::Lap => **fault == Fault::Stale,
                Trick::Duplicate => **fault == Fault::Stale,
                Trick::Reset | Trick::DescriptorBit => true,
                _ => device,
            };
            assert!(is_due, "{trick:?}: {fault:?}");
        }
        // And whatever is asked of it afterwards.
        let after = run(&mut card, &[hashes(Algorithm::Sha256, 3)], usize::MAX, &plan);
        assert_eq!(after, [Err(faults[0].clone())]);
    }
}

#[test]
fn a_card_that_is_another_one_is_not_admitted() {
    for trick in Trick::IDENTITY {
        let bench = software();
        let plan = Plan::new(trick, true);
        let refused = bench.open(&plan).err().expect("it is another card");
        assert!(matches!(refused, EngineError::Device { .. }), "{trick:?}: {refused}");
        println!("{refused}");
    }
}

/// What is wrong from the beginning, and shows at work alone, does not get past the known answers.
#[test]
fn a_card_that_fails_its_known_answers_is_not_admitted() {
    for trick in [Trick::Stuck, Trick::ResultBit, Trick::DescriptorBit, Trick::Zeros, Trick::Gone] {
        let plan = Plan::new(trick, true);
        let bench = software();
        let refused = Device::admit(move || Ok(bench.open(&plan)?)).err();
        assert!(refused.is_some(), "{trick:?}");
    }
}

/// Through an engine, with and without a lane of the CPU: every item gets the CPU's answer, once, and
/// the card is back in service afterwards.
#[test]
fn an_engine_gives_the_cpus_answers_whatever_the_card_does() {
    let all: Vec<_> = (0..2).flat_map(batches).collect();
    let expected: Vec<_> = all.iter().map(right).collect();
    for trick in Trick::WORK {
        for cpu in [false, true] {
            let plan = Plan::new(trick, false);
            let (bench, own) = (software(), plan.clone());
            let device = Device::admit(move || Ok(bench.open(&own)?)).expect("it is right");
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
