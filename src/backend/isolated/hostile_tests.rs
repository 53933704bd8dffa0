//! Either end against a peer that says and writes whatever it likes.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::algorithm::{Algorithm, EcdsaRule};
use crate::backend::isolated::child::Server;
use crate::backend::isolated::columns::{
    Incoming, Spare, blank, entries, forms, length, parts, stretch,
};
use crate::backend::isolated::line::Line;
use crate::backend::isolated::memory::Memory;
use crate::backend::isolated::open::Opened;
use crate::backend::isolated::parent::Isolated;
use crate::backend::isolated::process::Process;
use crate::backend::isolated::wire::{Greeting, KINDS, Kind, Message};
use crate::backend::isolated::{LEAST_SLOT, SLOTS};
use crate::backend::{Backend, BatchId, Capability, Completion};
use crate::batch::{BATCH_BYTES_LIMIT, BATCH_ITEMS_LIMIT, Batch, Job};
use crate::error::{Fault, Rejected};
use crate::parsed::Parsed;
use crate::verdict::Evidence;

const ECDSA: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::Compact);

/// A batch whose stream takes two pieces of the smallest slot.
fn batch(algorithm: Algorithm, items: usize) -> Arc<Parsed> {
    let mut batch = Batch::open(algorithm);
    let mut key = [0; 33];
    key[0] = 2;
    for item in 0..items {
        key[32] = item as u8;
        let message = [item as u8; 32];
        let job = match algorithm {
            ECDSA => Job::Ecdsa { message: &message, signature: &[1; 64], key: &key },
            Algorithm::Null => Job::Null,
            _ => Job::Hash { message: &message[..item % 32] },
        };
        batch.push(job).expect("room");
    }
    Arc::new(Parsed::parse(batch.seal()))
}

fn pair() -> (Line, Line) {
    let (one, other) = UnixStream::pair().expect("a socket");
    (Line::new(one).expect("a line"), Line::new(other).expect("a line"))
}

/// A parent whose child is this test.
fn parent() -> (Isolated, Line, Memory) {
    let (line, other) = pair();
    let (memory, file) = Memory::create(SLOTS * LEAST_SLOT).expect("memory");
    let same = Memory::attach(&file.into()).expect("the same memory");
    let (_, socket) = UnixStream::pair().expect("a socket");
    let process = Process::start(Path::new("sleep"), &["1000".into()], socket.into());
    let process = process.expect("it starts");
    let capability =
        |algorithm| Capability { algorithm, max_items: BATCH_ITEMS_LIMIT, judges: false };
    let greeting = Greeting {
        name: "test".to_owned(),
        description: String::new(),
        width: 1,
        setup: Duration::ZERO,
        patience: Duration::ZERO,
        shared: false,
        capabilities: Algorithm::ALL.map(capability).to_vec(),
    };
    (Isolated::over(Opened { process, line, memory, greeting }), other, same)
}

/// The next completion. A line's end may take a moment to show: what is forked meanwhile holds it.
fn next(parent: &mut Isolated) -> Completion {
    loop {
        match parent.poll() {
            Some(completion) => return completion,
            None => parent.wait(Instant::now() + Duration::from_millis(10)),
        }
    }
}

fn any(random: &mut StdRng) -> Message {
    let slot = random.random_range(0..3);
    let id = BatchId(random.random_range(1..5));
    let items = [0, 1, 29, 30, 31, BATCH_ITEMS_LIMIT][random.random_range(0..6)];
    match random.random_range(0..12) {
        0 => Message::Opened { bytes: LEAST_SLOT },
        1 => Message::Failed { slot, id, bytes: 40 },
        2 => Message::Submit { slot, id, algorithm: ECDSA, roots: false, items, bytes: 0 },
        3..7 => Message::Copied { slot },
        7..9 => Message::More { slot },
        _ => {
            Message::Evidence { slot, id, kind: KINDS[random.random_range(0..KINDS.len())], items }
        }
    }
}

/// Whatever a child says, in whatever order: every batch is answered once at most, with evidence of the
/// right length or a fault; when the child is gone all are.
#[test]
fn a_parent_outlives_any_child() {
    let mut random = StdRng::seed_from_u64(2);
    let (mut right, mut faults) = (0, 0);
    for _ in 0..150 {
        let (mut parent, line, memory) = parent();
        let mut open = [false; 4];
        for id in 1..4 {
            let batch = batch(if id < 3 { ECDSA } else { Algorithm::Sha256 }, 30);
            parent.submit(BatchId(id), batch).expect("room");
            open[id as usize] = true;
        }
        let mut noise = vec![0; LEAST_SLOT];
        // Streams of signatures take two pieces, that of hashes one.
        let mut steps = [0, 0, 1];
        for _ in 0..random.random_range(1..30) {
            random.fill(&mut noise[..]);
            memory.write(random.random_range(0..SLOTS), [&noise[..]]);
            let slot = random.random_range(0..3);
            let message = match steps[slot] {
                _ if random.random_range(0..10) == 0 => any(&mut random),
                0 => Message::Copied { slot },
                1 => {
                    let kind = KINDS[random.random_range(0..5)];
                    let items = if matches!(kind, Kind::Nothing | Kind::Verdicts) { 0 } else { 30 };
                    Message::Evidence { slot, id: BatchId(slot as u64 + 1), kind, items }
                }
                _ => continue,
            };
            steps[slot] += 1;
            // A line may be full, or closed by now.
            let _ = line.send(message);
            while let Some(completion) = parent.poll() {
                let was = std::mem::take(&mut open[completion.id.0 as usize]);
                assert!(was, "batch {} came back twice", completion.id.0);
                match completion.result {
                    Ok(Evidence::Nothing) => right += 1,
                    Ok(Evidence::Verdicts(none)) => assert!(none.is_empty()),
                    Ok(evidence) => {
                        assert_eq!(entries(&evidence).0, 30);
                        right += 1;
                    }
                    Err(_) => faults += 1,
                }
            }
        }
        drop(line);
        while open.contains(&true) {
            let completion = next(&mut parent);
            assert!(std::mem::take(&mut open[completion.id.0 as usize]));
            assert!(completion.result.is_err());
        }
        assert!(parent.poll().is_none());
    }
    assert!(right > 10 && faults > 100, "{right} right, {faults} faults");
}

/// A parent that speaks well is answered with the evidence that the child wrote.
#[test]
fn a_parent_takes_what_a_correct_child_writes() {
    let (mut parent, mut line, memory) = parent();
    let mut batch = batch(ECDSA, 60);
    Arc::get_mut(&mut batch).expect("nobody else has it").roots = true;
    parent.submit(BatchId(7), batch.clone()).expect("room");
    let mut incoming = Incoming::new(ECDSA, 60, 0, &mut Spare::default()).expect("it travels");
    let mut at = 0;
    while at < incoming.length() {
        let said = line.receive().expect("a message").expect("it is there");
        let (slot, id, algorithm, items) = (0, BatchId(7), ECDSA, 60);
        let first = Message::Submit { slot, id, algorithm, roots: true, items, bytes: 0 };
        assert_eq!(said, if at == 0 { first } else { Message::More { slot: 0 } });
        memory.read(0, super::columns::stretch_mut(incoming.parts_mut(), at, LEAST_SLOT));
        at += LEAST_SLOT;
        if at < incoming.length() {
            line.send(Message::Copied { slot: 0 }).expect("it is heard");
            assert!(parent.poll().is_none());
        }
    }
    let came = incoming.finish(&mut Spare::default()).expect("a batch");
    assert_eq!((came.operands(), came.live()), (batch.operands(), 60));
    let mut evidence = blank(Kind::RootedPoints, 60);
    let Evidence::Rooted(rooted) = &mut evidence else { panic!("roots") };
    (0..60).for_each(|item| rooted.roots[item][1] = item as u64);
    let Evidence::Points(points) = &mut rooted.evidence else { panic!("points") };
    (0..60).for_each(|item| points[item].x[3] = item as u64);
    let stream = entries(&evidence).1;
    memory.write(0, stretch(stream, 0, LEAST_SLOT));
    let (slot, id, kind, items) = (0, BatchId(7), Kind::RootedPoints, 60);
    line.send(Message::Evidence { slot, id, kind, items }).expect("it is heard");
    assert!(parent.poll().is_none());
    assert_eq!(line.receive().expect("a message"), Some(Message::Copied { slot }));
    memory.write(0, stretch(stream, LEAST_SLOT, LEAST_SLOT));
    line.send(Message::More { slot }).expect("it is heard");
    let completion = parent.poll().expect("it is whole");
    // What is written now is nobody's evidence.
    memory.write(0, [&[0xff; LEAST_SLOT][..]]);
    assert_eq!((completion.id, completion.result), (BatchId(7), Ok(evidence)));
    drop(line);
    parent.submit(BatchId(8), batch).expect("room");
    assert!(matches!(next(&mut parent).result, Err(Fault::Device(_))));
}

/// Answers everything with zeros, in the order opposite to that of its coming.
#[derive(Default)]
struct Blank(Vec<(BatchId, Arc<Parsed>)>);

impl Backend for Blank {
    fn name(&self) -> &str {
        "blank"
    }

    fn capabilities(&self) -> &[Capability] {
        &[]
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        self.0.push((id, batch));
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        let (id, batch) = self.0.pop()?;
        let result = Ok(blank(Kind::Points, batch.live()));
        Some(Completion { id, result, busy: Duration::ZERO })
    }

    fn wait(&mut self, _: Instant) {}
}

/// Whatever a parent says: the child ends with an error, or serves.
#[test]
fn a_child_outlives_any_parent() {
    let mut random = StdRng::seed_from_u64(3);
    let mut served = 0;
    for round in 0..300 {
        let (line, other) = pair();
        let (memory, file) = Memory::create(SLOTS * LEAST_SLOT).expect("memory");
        let same = Memory::attach(&file.into()).expect("the same memory");
        for at in 0..random.random_range(1..12) {
            let slot = random.random_range(0..SLOTS);
            let mut noise = vec![0; LEAST_SLOT];
            if round % 3 == 0 {
                random.fill(&mut noise[..]);
            }
            same.write(slot, [&noise[..]]);
            let algorithm = Algorithm::ALL.into_iter().chain([Algorithm::Null]);
            let algorithm = algorithm.cycle().nth(random.random_range(0..30)).expect("endless");
            let items = random.random_range(0..40);
            let _ = other.send(match random.random_range(0..8) {
                0 => any(&mut random),
                1 => Message::More { slot },
                2 => Message::Copied { slot },
                _ => {
                    let (id, bytes) = (BatchId(at), random.random_range(0..3) * 2_000);
                    Message::Submit { slot, id, algorithm, roots: round % 2 == 0, items, bytes }
                }
            });
        }
        drop(other);
        let mut child = Server::new(Box::<Blank>::default(), line, memory);
        // It ends with the line's end at the latest.
        let ended = child.turns().expect_err("the line ended");
        served += usize::from(ended.kind() != std::io::ErrorKind::InvalidData);
    }
    assert!(served > 10 && served < 290, "{served}");
}

/// A batch cut anywhere is the same batch; what is none is refused.
#[test]
fn streams_are_cut_anywhere() {
    for (algorithm, items) in
        [(ECDSA, 0), (ECDSA, 3), (Algorithm::Sha256, 40), (Algorithm::Null, 5)]
    {
        let batch = batch(algorithm, items);
        let mut form = Vec::new();
        forms(&batch, &mut form);
        let bytes = match algorithm {
            Algorithm::Sha256 => batch.batch().column(0).bytes().len(),
            _ => 0,
        };
        let parts = parts(&batch, &form);
        for room in [1, 7, 32, 33, 1_000] {
            let mut incoming =
                Incoming::new(algorithm, items, bytes, &mut Spare::default()).expect("it travels");
            assert_eq!(incoming.length(), length(&parts));
            for at in (0..length(&parts)).step_by(room) {
                let piece: Vec<u8> = stretch(parts, at, room).flatten().copied().collect();
                let mut rest = &piece[..];
                for to in super::columns::stretch_mut(incoming.parts_mut(), at, room) {
                    let (now, later) = rest.split_at(to.len());
                    to.copy_from_slice(now);
                    rest = later;
                }
                assert!(rest.is_empty());
            }
            let came = incoming.finish(&mut Spare::default()).expect("a batch");
            assert_eq!((came.operands(), came.live()), (batch.operands(), batch.live()));
            if algorithm == Algorithm::Sha256 {
                assert_eq!(came.batch(), batch.batch());
            }
        }
    }
    assert!(Incoming::new(Algorithm::MerkleProofSha256d, 1, 0, &mut Spare::default()).is_none());
}

#[test]
fn what_is_no_batch_is_refused() {
    let noise = |algorithm, items, bytes, seed| {
        let mut random = StdRng::seed_from_u64(seed);
        let mut incoming =
            Incoming::new(algorithm, items, bytes, &mut Spare::default()).expect("it travels");
        for part in incoming.parts_mut() {
            random.fill(part);
        }
        incoming.finish(&mut Spare::default()).is_none()
    };
    for seed in 0..200 {
        assert!(noise(Algorithm::Sha256, 8, 500, seed));
        assert!(noise(Algorithm::MerkleRootSha256d, 8, 512, seed));
        assert!(noise(ECDSA, 8, 0, seed));
    }
    // Messages that no end speaks of, ends past the last byte, half a leaf.
    let ends = |algorithm, ends: &[u32], bytes| {
        let mut incoming =
            Incoming::new(algorithm, ends.len(), bytes, &mut Spare::default()).expect("it travels");
        incoming.parts_mut()[5].copy_from_slice(bytemuck::cast_slice(ends));
        incoming.finish(&mut Spare::default()).is_some()
    };
    assert!(ends(Algorithm::Sha256, &[3, 3, 10], 10));
    assert!(!ends(Algorithm::Sha256, &[3, 2, 10], 10));
    assert!(!ends(Algorithm::Sha256, &[3, 3, 9], 10));
    assert!(!ends(Algorithm::Sha256, &[3, 3, 11], 10));
    assert!(!ends(Algorithm::Sha256, &[], 10));
    assert!(ends(Algorithm::MerkleRootSha256d, &[32, 96], 96));
    assert!(!ends(Algorithm::MerkleRootSha256d, &[32, 95], 95));
    assert!(BATCH_BYTES_LIMIT <= u32::MAX as usize, "ends hold every batch's");
}

/// The parent waits no longer than it is told to.
#[test]
fn waiting_ends() {
    let (mut parent, _line, _memory) = parent();
    parent.submit(BatchId(1), batch(ECDSA, 1)).expect("room");
    parent.wait(Instant::now() + Duration::from_millis(5));
    parent.wait(Instant::now() - Duration::from_millis(5));
    assert!(parent.poll().is_none());
}
