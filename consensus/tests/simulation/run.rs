//! A run: validators, what goes wrong, clients, and what must hold all the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use commonware_macros::select;
use commonware_runtime::{Clock as _, Handle, Supervisor as _, deterministic};
use fastrand::Rng;
use sigmill_consensus::SignedTransaction;
use sigmill_consensus::genesis::Validator;
use sigmill_consensus::keys::VoteKey;
use sigmill_consensus::service::{Request, Service};

use crate::books::{Books, Hope, Life};
use crate::faults::Ballots;
use crate::liar::Lies;
use crate::panics;
use crate::plan::{Act, Event, Plan, ms};
use crate::world::{Context, ENDED, EPOCH_HEIGHTS, Net, VALIDATORS, World};

mod checks;
mod lives;

/// What validators need at most after healing, for blocks and for transactions.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often what happened.
pub type Counts = BTreeMap<String, u64>;

/// What a run leaves behind.
pub struct Outcome {
    /// A hash over everything that happened.
    pub trace: String,
    pub counts: Counts,
}

/// What outlives a power loss.
struct Run<'a> {
    world: &'a Arc<World>,
    plan: &'a Plan,
    loud: bool,
    rng: Rng,
    books: Books,
    ballots: Ballots,
    lives: [u32; VALIDATORS],
    /// Hash of the final block of each height, as the first honest validator said.
    chain: BTreeMap<u64, [u8; 32]>,
    /// Root of the state after it.
    roots: BTreeMap<u64, [u8; 32]>,
    spoiled: Arc<Mutex<u64>>,
    lies: Lies,
    counts: Counts,
}

/// A validator that runs.
struct Alive {
    services: Vec<Service>,
    handles: Vec<Handle<()>>,
    height: u64,
    /// Its height when it was first asked.
    since: Option<u64>,
}

/// From one start of all validators to the next.
struct Stage {
    context: Context,
    oracle: Net,
    alive: [Option<Alive>; VALIDATORS],
}

/// Runs a plan to its end. Panics if something does not hold.
pub fn run(world: &Arc<World>, plan: &Plan, loud: bool) -> Outcome {
    let config = deterministic::Config::default()
        .with_seed(plan.seed)
        .with_timeout(Some(Duration::from_secs(1_200)))
        .with_catch_panics(plan.full)
        .with_storage_fault_config(plan.disk(0));
    panics::keep(plan.full);
    let mut run = Run {
        world,
        plan,
        loud,
        rng: Rng::with_seed(!plan.seed),
        books: Books::new(&world.genesis),
        ballots: Ballots::default(),
        lives: [0; VALIDATORS],
        chain: BTreeMap::new(),
        roots: BTreeMap::new(),
        spoiled: Arc::default(),
        lies: Lies::default(),
        counts: Counts::new(),
    };
    let mut runner = deterministic::Runner::new(config);
    let mut trace = String::new();
    for (index, act) in plan.acts.iter().enumerate() {
        let last = index + 1 == plan.acts.len();
        let ((), checkpoint) = runner.start_and_recover(async |context| {
            if last {
                let mut stage = run.raise(context).await;
                run.play(&mut stage, act).await;
                run.finish(&mut stage).await;
            } else {
                let power = context.child("power");
                select! {
                    () = run.endless(context, act) => (),
                    () = power.sleep(ms(act.lasts)) => (),
                }
                run.count("power losses", 1);
                run.lives.iter_mut().for_each(|life| *life += 1);
            }
        });
        trace = checkpoint.auditor().state();
        runner = deterministic::Runner::from(checkpoint);
    }
    for panic in panics::kept() {
        let of_disk = panic.contains("injected storage fault") || panic.contains(ENDED);
        assert!(of_disk, "{panic}");
    }
    run.tally();
    Outcome { trace, counts: run.counts }
}

impl Run<'_> {
    fn count(&mut self, what: impl Into<String>, times: u64) {
        *self.counts.entry(what.into()).or_default() += times;
    }

    fn say(&self, stage: &Stage, what: impl std::fmt::Display) {
        if self.loud {
            let time = stage.context.current().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            println!("{:>8} ms  {what}", time.as_millis());
        }
    }

    async fn endless(&mut self, context: Context, act: &Act) {
        let mut stage = self.raise(context).await;
        self.play(&mut stage, act).await;
        std::future::pending().await
    }

    /// Events, clients and checks, as long as the act lasts.
    async fn play(&mut self, stage: &mut Stage, act: &Act) {
        let begin = stage.context.current();
        let mut events = act.events.iter().peekable();
        loop {
            let since = stage.context.current().duration_since(begin).unwrap();
            while let Some((_, event)) = events.next_if(|(at, _)| ms(*at) <= since) {
                self.say(stage, format!("{event:?}"));
                self.happen(stage, *event).await;
            }
            if since >= ms(act.lasts) && events.peek().is_none() {
                return;
            }
            self.submit(stage).await;
            self.look(stage).await;
            stage.context.sleep(ms(self.rng.u64(20..150))).await;
        }
    }

    async fn happen(&mut self, stage: &mut Stage, event: Event) {
        match event {
            Event::Split(sides) => {
                self.count("partitions", 1);
                let open = |from, to| (sides >> from) & 1 == (sides >> to) & 1;
                self.link(stage, self.plan.loss, open).await;
            }
            Event::Heal => self.link(stage, self.plan.loss, |_, _| true).await,
            Event::Crash(validator) => {
                self.count("crashes", 1);
                self.lives[validator] += 1;
                if let Some(alive) = stage.alive[validator].take() {
                    alive.handles.iter().for_each(Handle::abort);
                }
            }
            Event::Restart(validator, dies) => {
                if let Some(after) = dies {
                    self.count("crashes while starting", 1);
                    let spawned = self.spawn(stage, validator).await;
                    stage.context.sleep(ms(after)).await;
                    spawned.iter().for_each(|(_, handle)| handle.abort());
                    stage.context.sleep(ms(10)).await;
                }
                self.start(stage, validator).await;
            }
            Event::Full(fail) => {
                self.count("full disks", 1);
                *stage.context.storage_fault_config().write() = self.plan.disk(fail);
            }
            Event::Room => {
                *stage.context.storage_fault_config().write() = self.plan.disk(0);
                self.revive(stage).await;
            }
        }
    }

    /// Clients hand some transactions in to some validator.
    async fn submit(&mut self, stage: &Stage) {
        let validator = self.rng.usize(..VALIDATORS);
        let many = self.rng.usize(..=self.plan.load);
        let mut drawn: Vec<_> = (0..many).map(|_| self.books.draw(&mut self.rng)).collect();
        if self.plan.abroad {
            if self.rng.bool() {
                self.books.abroad.grow(&mut self.rng);
            }
            if self.rng.bool() {
                let signers = self.signers();
                drawn.push(self.books.crook(&mut self.rng, &signers));
            }
            drawn.extend(self.courier());
        }
        if self.plan.decreed {
            drawn.extend(self.decree());
        }
        self.hand_in(stage, validator, drawn).await;
    }

    /// The decree of the set that begins with the next epoch, if one does.
    fn decree(&mut self) -> Option<(SignedTransaction, Hope)> {
        let epoch = (self.books.height + 1) / EPOCH_HEIGHTS;
        let (from, _) = self.plan.sets?.into_iter().find(|(from, _)| *from == epoch + 1)?;
        if self.books.decreed.contains(&from) {
            return None;
        }
        let signers = self.signers();
        Some(self.books.decree(self.world.set(self.plan, from), &signers))
    }

    /// What the courier hands in next.
    fn courier(&mut self) -> Option<(SignedTransaction, Hope)> {
        let signers = self.signers();
        self.books.courier(&mut self.rng, &signers)
    }

    /// The validators of the next block's epoch, with their keys.
    fn signers(&self) -> Vec<(Validator, VoteKey)> {
        let members = self.plan.members((self.books.height + 1) / EPOCH_HEIGHTS);
        members.into_iter().map(|index| self.world.signer(index)).collect()
    }

    async fn hand_in(
        &mut self,
        stage: &Stage,
        validator: usize,
        drawn: Vec<(SignedTransaction, Hope)>,
    ) {
        let Some(alive) = &stage.alive[validator] else { return };
        let life: Life = (validator, self.lives[validator]);
        let (all, hopes): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
        let Ok(answers) = alive.services[0].ask(|reply| Request::Submit(all, reply)).await else {
            return;
        };
        if self.plan.honest(validator) {
            for (hope, answer) in hopes.into_iter().zip(&answers) {
                self.books.answered(hope, life, answer);
            }
        }
    }
}
