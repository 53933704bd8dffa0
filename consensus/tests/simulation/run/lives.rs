//! Validators begin and end; the links between them.

use std::sync::{Arc, Mutex};

use commonware_p2p::simulated::Link;
use commonware_runtime::Handle;
use commonware_utils::Probability;
use commonware_utils::channel::oneshot;
use fastrand::Rng;
use sigmill_consensus::service::{Request, Service};

use super::{Alive, Run, Stage};
use crate::faults::{Tapped, honest, spoil};
use crate::liar::Liar;
use crate::plan::{Byzantine, Mill, ms};
use crate::twins;
use crate::world::{Context, VALIDATORS};

/// A validator that starts: it says when it is up, and can be killed.
type Spawned = (oneshot::Receiver<Service>, Handle<()>);

impl Run<'_> {
    /// Starts the network and all validators.
    pub(super) async fn raise(&mut self, context: Context) -> Stage {
        *context.storage_fault_config().write() = self.plan.disk(0);
        let oracle = self.world.network(&context, self.plan.hears_blocked).await;
        let mut stage = Stage { context, oracle, alive: Default::default() };
        self.link(&stage, self.plan.loss, |_, _| true).await;
        for validator in 0..VALIDATORS {
            self.start(&mut stage, validator).await;
        }
        self.say(&stage, "all started");
        stage
    }

    /// Makes the links anew.
    pub(super) async fn link(&self, stage: &Stage, loss: u64, open: impl Fn(usize, usize) -> bool) {
        let all = &self.world.identities;
        for (from, sender) in all.iter().enumerate() {
            for (to, receiver) in all.iter().enumerate().filter(|&(to, _)| to != from) {
                let _ = stage.oracle.remove_link(sender.clone(), receiver.clone()).await;
                if !open(from, to) {
                    continue;
                }
                let link = Link {
                    latency: ms(self.plan.latency[from][to]),
                    jitter: ms(self.plan.jitter),
                    success_rate: Probability::new(100 - loss, 100).unwrap(),
                };
                stage.oracle.add_link(sender.clone(), receiver.clone(), link).await.unwrap();
            }
        }
    }

    pub(super) async fn start(&mut self, stage: &mut Stage, validator: usize) {
        let mut services = Vec::new();
        let (started, handles): (Vec<_>, Vec<_>) =
            self.spawn(stage, validator).await.into_iter().unzip();
        for started in started {
            services.push(started.await.unwrap());
        }
        stage.alive[validator] = Some(Alive { services, handles, height: 0, since: None });
    }

    /// Starts whoever was stopped by a full disk.
    pub(super) async fn revive(&mut self, stage: &mut Stage) {
        for validator in 0..VALIDATORS {
            let alive = stage.alive[validator].take().expect("nobody crashes besides");
            if alive.services[0].ask(Request::Status).await.is_ok() {
                stage.alive[validator] = Some(alive);
                continue;
            }
            self.count("validators stopped by a full disk", 1);
            self.lives[validator] += 1;
            alive.handles.iter().for_each(Handle::abort);
            self.start(stage, validator).await;
        }
    }

    /// Starts a validator, or both of the twins.
    pub(super) async fn spawn(&mut self, stage: &Stage, validator: usize) -> Vec<Spawned> {
        let Stage { context, oracle, .. } = stage;
        let channels = self.world.channels(oracle, validator).await;
        let byzantine = self.plan.byzantine.filter(|(index, _)| *index == validator);
        let seed = self.rng.u64(..);
        let kind = byzantine.map(|(_, kind)| kind);
        let percent = if let Some(Byzantine::Lies(percent)) = kind { percent } else { 0 };
        let liar = || {
            let (rng, told) = (Arc::new(Mutex::new(Rng::with_seed(seed))), self.lies.clone());
            move |chain| Liar { chain, percent, rng, told }
        };
        let mill = self.plan.engine.unwrap_or(Mill::ALL[(seed >> 60) as usize % 4]);
        let me = (validator, "", mill);
        let sets = self.world.sets(self.plan);
        if let Some(Byzantine::Twins(first, second)) = kind {
            let sides = [first, second].map(|side| self.world.side(validator, side));
            let (one, other) = twins::split(context, channels, sides);
            let twin = (validator, "b", mill);
            return vec![
                self.world.start(context, oracle, me, sets.clone(), one, liar()),
                self.world.start(context, oracle, twin, sets, other, liar()),
            ];
        }
        let mut channel = 0;
        let channels = channels.map(|inner| {
            let tap = match kind {
                None if channel == 0 => self.ballots.watch(validator, self.plan),
                // Each life is another mischief: some channels are left alone.
                Some(Byzantine::Spoils(percent)) if (seed >> channel) & 1 == 1 => {
                    spoil(percent, seed ^ channel, self.spoiled.clone())
                }
                _ => honest(),
            };
            channel += 1;
            Tapped { inner, tap, side: self.world.side(validator, u8::MAX) }
        });
        vec![self.world.start(context, oracle, me, sets, channels, liar())]
    }
}
