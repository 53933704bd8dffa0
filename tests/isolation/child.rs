//! The child of these tests, which is this binary, and its devices.

use std::collections::VecDeque;
use std::io::Write;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};
use sigmill::backend::isolated;
use sigmill::backend::{Backend, BatchId, Capability, Completion};
use sigmill::error::{EngineError, Fault, Rejected};
use sigmill::parsed::Parsed;
use sigmill::verdict::{Evidence, Point};

use crate::jobs::ECDSA;
use crate::support::EvidenceBackend;

/// A batch of so many jobs makes a [`Turning`] device turn.
pub const TURN: usize = 777;

/// Fewest of them that are live; known answers are fewer.
const LIVE: usize = 500;

/// No test, but what the others start. The device's name says what to open, and where to leave a note of
/// the process's number.
#[test]
#[ignore = "the child of the other tests"]
fn child() {
    let own = std::io::stdin().as_fd().try_clone_to_owned().expect("a socket");
    let mut line = UnixStream::from(own);
    let code = isolated::serve(|name| {
        let (how, path) = name.split_once('@').unwrap_or((name, ""));
        if !path.is_empty() {
            std::fs::write(path, format!("{}.", std::process::id())).expect("a place for a note");
        }
        let device = || "x".to_owned();
        match how {
            "gpu=software" => isolated::named(how),
            "absent" => {
                Err(EngineError::Absent { device: device(), why: "it is\nelsewhere".to_owned() })
            }
            "broken" => Err(EngineError::Device { device: device(), why: "it is bent".to_owned() }),
            "exit" => std::process::exit(3),
            "panic" => panic!("the device cannot be opened (this is the test's panic)"),
            "blank" => Ok(Box::new(Blank::new(false))),
            "judge" => Ok(Box::new(Blank::new(true))),
            "hang" => forever(),
            "mute" => {
                line.shutdown(Shutdown::Write).expect("a socket");
                forever()
            }
            "noise" => {
                line.write_all(&[0xa5; 400]).expect("a socket");
                forever()
            }
            _ => {
                let inner = EvidenceBackend::default();
                Ok(Box::new(Turning { inner, how: how.to_owned(), line, offers: 0 }))
            }
        }
    });
    // What the harness would say of this test is nobody's business.
    std::process::exit(if format!("{code:?}").contains("(0)") { 0 } else { 1 });
}

fn forever() -> ! {
    loop {
        std::thread::park();
    }
}

/// Answers signatures with zeros, at once: what it takes is the way there and back.
pub struct Blank {
    capabilities: [Capability; 1],
    done: VecDeque<Completion>,
}

impl Blank {
    pub fn new(judges: bool) -> Blank {
        let capabilities = [Capability { algorithm: ECDSA, max_items: 1 << 20, judges }];
        Blank { capabilities, done: VecDeque::new() }
    }
}

impl Backend for Blank {
    fn name(&self) -> &str {
        "blank"
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        let none = Point { x: [0; 4], y: [0; 4], z: [0; 4] };
        let evidence = Evidence::Points(vec![none; batch.live()]);
        self.done.push_back(Completion { id, result: Ok(evidence), busy: Duration::ZERO });
        Ok(())
    }

    fn poll(&mut self) -> Option<Completion> {
        self.done.pop_front()
    }

    fn wait(&mut self, _: Instant) {}
}

/// A correct device, until it is given [`TURN`] items.
struct Turning {
    inner: EvidenceBackend,
    how: String,
    line: UnixStream,
    offers: usize,
}

impl Turning {
    fn spoil(&self, id: BatchId, mut evidence: Evidence) -> Completion {
        let fault = Fault::Device("it smokes".to_owned());
        match (self.how.as_str(), &mut evidence) {
            ("fault", _) => return Completion { id, result: Err(fault), busy: Duration::ZERO },
            ("short", Evidence::Points(points)) => drop(points.pop()),
            ("long", Evidence::Points(points)) => points.push(points[0]),
            ("off the curve", Evidence::Points(points)) => {
                points.iter_mut().for_each(|point| point.y[1] ^= 4);
            }
            ("above the prime", Evidence::Points(points)) => points[3].x = [u64::MAX; 4],
            ("nothing", _) => evidence = Evidence::Nothing,
            ("verdicts", Evidence::Points(points)) => {
                evidence = Evidence::Verdicts(vec![sigmill::Verdict::Valid; points.len()])
            }
            ("keys", Evidence::Points(points)) => {
                evidence = Evidence::Keys(vec![[7; 64]; points.len()])
            }
            _ => {}
        }
        let id = BatchId(id.0 + if self.how == "other" { 1_000_000 } else { 0 });
        Completion { id, result: Ok(evidence), busy: Duration::ZERO }
    }
}

impl Backend for Turning {
    fn name(&self) -> &str {
        "evidence"
    }

    fn description(&self) -> String {
        "a correct device".to_owned()
    }

    fn capabilities(&self) -> &[Capability] {
        self.inner.capabilities()
    }

    /// More than it is worth, so that a host's CPU leaves it its first batches.
    fn width(&self) -> usize {
        64
    }

    fn patience(&self) -> Duration {
        // Tests run side by side: only where the device is to hang, silence means something.
        let hangs = ["stops", "hangs", "loses", "mumbles"].contains(&self.how.as_str());
        Duration::from_secs(if hangs { 1 } else { 60 })
    }

    fn submit(&mut self, id: BatchId, batch: Arc<Parsed>) -> Result<(), Rejected> {
        self.offers += 1;
        if self.how == "busy" && !self.offers.is_multiple_of(3) {
            return Err(Rejected);
        }
        if batch.live() >= LIVE {
            match self.how.as_str() {
                "dies" => std::process::abort(),
                "panics" => panic!("the device dies (this is the test's panic)"),
                "stops" => {
                    kill_process(getpid(), Signal::STOP).expect("it may");
                    // Another thread may be the one to heed it, a while later.
                    forever()
                }
                "hangs" => forever(),
                "loses" => return Ok(()),
                "hangs up" => {
                    self.line.shutdown(Shutdown::Both).expect("a socket");
                    forever()
                }
                "talks" => self.line.write_all(&[0xa5; 4_000]).expect("a socket"),
                // Half a message, and no more.
                "mumbles" => {
                    self.line.write_all(&[0, 0, 0]).expect("a socket");
                    forever()
                }
                _ => {}
            }
        }
        self.inner.submit(id, batch)
    }

    fn poll(&mut self) -> Option<Completion> {
        let completion = self.inner.poll()?;
        match completion.result {
            Ok(Evidence::Points(points)) if points.len() >= LIVE => {
                Some(self.spoil(completion.id, Evidence::Points(points)))
            }
            result => Some(Completion { result, ..completion }),
        }
    }

    fn wait(&mut self, until: Instant) {
        self.inner.wait(until);
    }
}
