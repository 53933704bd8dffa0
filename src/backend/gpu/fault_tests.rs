//! Devices that are lost, hang, or bring back something else than what was asked for.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::testing::{COMPACT, batch, open};
use super::*;
use crate::algorithms::secp256k1::ecdsa;
use crate::backend::device;
use crate::engine::{Engine, Terms};
use crate::isa::Isa;
use crate::verdict::Answers;

/// Submits a batch, lets `meddle` loose on what is in flight, and gives what comes back.
fn run(gpu: &mut Gpu, items: usize, meddle: impl FnOnce(&mut Gpu)) -> Result<Evidence, Fault> {
    let parsed = Arc::new(Parsed::parse(batch(1, items)));
    gpu.submit(BatchId(7), parsed).expect("room");
    meddle(gpu);
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(completion) = gpu.poll() {
            assert_eq!(completion.id, BatchId(7));
            return completion.result;
        }
        assert!(Instant::now() < until, "a batch is answered, whatever happens");
        gpu.wait(Instant::now() + Duration::from_millis(5));
    }
}

/// x, y and z of the host's points, affine.
fn expected(parsed: &Parsed) -> Vec<Option<[crate::parsed::Words; 2]>> {
    let Operands::Ecdsa(operands) = parsed.operands() else { panic!("ECDSA") };
    let none = crate::verdict::Point { x: [0; 4], y: [0; 4], z: [0; 4] };
    let mut points = vec![none; parsed.live()];
    ecdsa::points(Isa::PORTABLE, operands, 0..parsed.live(), &mut points);
    let affine = |point| crate::algorithms::secp256k1::point::OneLane::load(point).to_affine();
    points.iter().map(affine).collect()
}

#[test]
fn parts_of_every_size_come_back_in_order() {
    let Some(mut gpu) = open(Limbs::U64) else { return };
    let most = gpu.buffers.sizes.items;
    assert!(most < 10_000, "few items, so that batches are cut");
    for items in [0, 1, 2, 63, 64, 65, 127, 129, most - 1, most, most + 1, 4 * most + 3] {
        let evidence = run(&mut gpu, items, |_| {}).expect("no fault");
        let Evidence::Points(points) = evidence else { panic!("points") };
        let parsed = Parsed::parse(batch(1, items));
        assert_eq!(points.len(), parsed.live());
        // Of long batches the edges of the parts.
        let near = |item: usize| items < 200 || item % most < 3 || item % most > most - 3;
        let expected = expected(&parsed);
        for item in (0..points.len()).filter(|item| near(*item)) {
            let point = &points[item];
            let affine = (point.z != [0; 4]).then_some([point.x, point.y]);
            assert_eq!(affine, expected[item], "item {item} of {items}");
        }
    }
}

#[test]
fn several_batches_are_in_flight() {
    let Some(mut gpu) = open(Limbs::U64) else { return };
    let most = gpu.buffers.sizes.items;
    let sizes = [5, most + 9, 0, 70, 2 * most, 1];
    let batches = (1..).zip(sizes).map(|(seed, items)| batch(seed, items));
    let parsed: Vec<_> = batches.map(|batch| Arc::new(Parsed::parse(batch))).collect();
    for (id, parsed) in parsed.iter().enumerate() {
        gpu.submit(BatchId(id as u64), parsed.clone()).expect("room");
    }
    assert!(gpu.parts.len() > 1 && gpu.parts.len() <= SLOTS);
    let mut done = 0;
    while done < sizes.len() {
        let Some(completion) = gpu.poll() else {
            gpu.wait(Instant::now() + Duration::from_millis(5));
            continue;
        };
        let Ok(Evidence::Points(points)) = completion.result else { panic!("points") };
        let parsed = &parsed[completion.id.0 as usize];
        assert_eq!(points.len(), parsed.live());
        for (item, expected) in expected(parsed).iter().enumerate().step_by(97) {
            let point = &points[item];
            assert_eq!((point.z != [0; 4]).then_some([point.x, point.y]), *expected);
        }
        done += 1;
    }
    for id in 0..BATCHES as u64 {
        gpu.submit(BatchId(id), parsed[0].clone()).expect("room");
    }
    assert_eq!(gpu.submit(BatchId(99), parsed[0].clone()), Err(Rejected));
}

#[test]
fn a_lost_device_is_a_fault() {
    let Some(mut gpu) = open(Limbs::U64) else { return };
    let lost = run(&mut gpu, 100, |gpu| gpu.context.device.destroy());
    assert!(matches!(lost, Err(Fault::Device(_))), "{lost:?}");
    // And whatever is asked of it afterwards.
    let lost = run(&mut gpu, 100, |_| {});
    assert!(matches!(lost, Err(Fault::Device(_))), "{lost:?}");
}

#[test]
fn silence_is_a_fault() {
    let Some(mut gpu) = open(Limbs::U64) else { return };
    let late = run(&mut gpu, 100, |gpu| {
        gpu.parts[0].until = Instant::now();
        gpu.collect();
    });
    assert_eq!(late, Err(Fault::Timeout));
}

#[test]
fn evidence_that_was_not_written_is_a_fault() {
    let Some(mut gpu) = open(Limbs::U64) else { return };
    gpu.left_out = Some(program::Kernel::Evidence);
    let short = run(&mut gpu, 100, |_| {});
    assert!(matches!(short, Err(Fault::Short { got: 0, .. })), "{short:?}");
}

#[test]
fn evidence_of_another_dispatch_or_item_is_a_fault() {
    let Some(mut gpu) = open(Limbs::U64) else { return };
    let stale = run(&mut gpu, 100, |gpu| gpu.parts[0].part.nonce += 1);
    assert_eq!(stale, Err(Fault::Stale));
    let Some(mut gpu) = open(Limbs::U64) else { return };
    let shifted = run(&mut gpu, 100, |gpu| {
        let items = gpu.parts[0].part.items.clone();
        gpu.parts[0].part.items = items.start + 1..items.end;
    });
    assert_eq!(shifted, Err(Fault::Stale));
}

#[test]
fn operands_that_arrived_changed_are_a_fault() {
    let Some(mut gpu) = open(Limbs::U64) else { return };
    for bit in [0, 31, 32, 255] {
        let changed = run(&mut gpu, 100, |gpu| {
            let mut other = Parsed::clone(&gpu.batches[0].batch);
            let Operands::Ecdsa(operands) = &mut other.operands else { panic!("ECDSA") };
            operands.r[57][bit / 64] ^= 1 << (bit % 64);
            gpu.batches[0].batch = Arc::new(other);
        });
        assert!(matches!(&changed, Err(Fault::Device(why)) if why.contains("changed")));
    }
}

/// A GPU that loses its device at one of its submissions.
struct Unlucky {
    gpu: Box<Gpu>,
    left: Arc<AtomicUsize>,
}

impl Backend for Unlucky {
    fn name(&self) -> &str {
        self.gpu.name()
    }

    fn capabilities(&self) -> &[Capability] {
        self.gpu.capabilities()
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        let taken = self.gpu.submit(id, batch);
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.gpu.context.device.destroy();
        }
        taken
    }

    fn poll(&mut self) -> Option<Completion> {
        self.gpu.poll()
    }

    fn wait(&mut self, until: Instant) {
        self.gpu.wait(until);
    }

    fn patience(&self) -> Duration {
        Backend::patience(&*self.gpu)
    }
}

#[test]
fn an_engine_answers_without_a_lost_device_and_has_it_back_later() {
    if open(Limbs::U64).is_none() {
        return;
    }
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let counter = left.clone();
    let device = Device::admit(move || {
        let gpu = open(Limbs::U64).expect("it was there before");
        Ok(Box::new(Unlucky { gpu, left: counter.clone() }))
    });
    let engine = Engine::builder().threads(1).cpu(false).device(device.expect("it is correct"));
    let engine = engine.open().expect("an engine");
    let answers = |seed: u64| -> Answers {
        let ticket = engine.submit(batch(seed, 300), Terms::default()).expect("room");
        ticket.wait().into_answers()
    };
    let host = Engine::builder().threads(1).open().expect("an engine");
    let right = |seed: u64| {
        let ticket = host.submit(batch(seed, 300), Terms::default()).expect("room");
        ticket.wait().into_answers()
    };
    assert_eq!(answers(1), right(1));
    left.store(1, Ordering::Relaxed);
    assert_eq!(answers(2), right(2), "the batch that the device took with it");
    let snapshot = engine.snapshot();
    assert_eq!((snapshot.devices[0].faults, snapshot.devices[0].serves()), (1, false));
    assert_eq!(answers(3), right(3), "meanwhile");
    let until = Instant::now() + Duration::from_secs(120);
    while !engine.snapshot().devices[0].serves() {
        assert!(Instant::now() < until, "it is opened anew");
        std::thread::sleep(Duration::from_millis(20));
    }
    let before = engine.snapshot().devices[0].items;
    assert_eq!(answers(4), right(4), "and again");
    assert_eq!(engine.snapshot().devices[0].items, before + 300);
    assert!(engine.snapshot().counters.balance());
    drop(engine);
    assert!(device::settle(Duration::from_secs(60)), "the lost device is let go");
}

#[test]
fn an_engine_serves_while_a_device_is_being_opened() {
    if open(Limbs::U64).is_none() {
        return;
    }
    let options = Options { bytes: Some(super::testing::BYTES), ..Options::new(Adapter::Software) };
    let device = device_later(options).expect("it was there before");
    let engine = Engine::builder().threads(1).device(device).open().expect("an engine");
    let submit = || engine.submit(batch(1, 200), Terms::default()).expect("room").wait();
    assert_eq!(submit().answers().len(), 200);
    let until = Instant::now() + Duration::from_secs(120);
    let opened = || {
        let shape = crate::batch::Shape { bytes: 0, ..batch(1, 1).shape() };
        engine.explain(shape).choices.iter().any(|(name, _)| name == "gpu=software")
    };
    while !opened() {
        assert!(Instant::now() < until, "it is opened");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(engine.snapshot().devices[1].faults, 0);
    assert_eq!(submit().answers().algorithm(), COMPACT);
    drop(engine);
    assert!(device::settle(Duration::from_secs(60)));
}

#[test]
fn a_compiler_that_takes_too_long_is_left_behind() {
    if open(Limbs::U64).is_none() {
        return;
    }
    let patience = Some(Duration::ZERO);
    let late = Gpu::open(&Options { patience, ..Options::new(Adapter::Software) });
    let why = late.err().expect("no time at all").to_string();
    assert!(why.contains("not compiled within"), "{why}");
    assert!(device::settle(Duration::from_secs(300)), "it ends after all");
}

/// y of the keys, over parts; nothing for keys that are none, and nothing where nobody asked.
#[test]
fn roots_come_back_where_they_are_wanted() {
    use crate::algorithms::secp256k1::{integer::to_be, key};
    for limbs in [Limbs::U64, Limbs::U32] {
        let Some(mut gpu) = open(limbs) else { return };
        let items = gpu.buffers.sizes.items + 70;
        let mut parsed = Parsed::parse(batch(3, items));
        for roots in [true, false] {
            parsed.roots = roots;
            gpu.submit(BatchId(1), Arc::new(parsed.clone())).expect("room");
            let mut evidence = loop {
                match gpu.poll() {
                    Some(completion) => break completion.result.expect("no fault"),
                    None => gpu.wait(Instant::now() + Duration::from_millis(5)),
                }
            };
            let found = evidence.take_roots();
            let Evidence::Points(points) = evidence else { panic!("points") };
            let near = |item: &usize| *item < 300 || item + 300 > items;
            for (item, expected) in expected(&parsed).into_iter().enumerate() {
                let point = &points[item];
                assert_eq!((point.z != [0; 4]).then_some([point.x, point.y]), expected);
            }
            assert_eq!(found.is_some(), roots);
            let Some(found) = found else { continue };
            assert_eq!(found.len(), parsed.live());
            let Operands::Ecdsa(operands) = parsed.operands() else { panic!("ECDSA") };
            for item in (0..parsed.live()).filter(near) {
                let prefix = operands.keys.form[item] as u8;
                let encoded = [&[prefix][..], &to_be(&operands.keys.x[item])].concat();
                let expected = key::point(&encoded).map_or([0; 4], |[_, y]| y);
                assert_eq!(found[item], expected, "item {item}");
            }
        }
    }
}
