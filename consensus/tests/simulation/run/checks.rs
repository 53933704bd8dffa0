//! What must hold: all the time, after healing, and in the end.

use commonware_runtime::Clock as _;
use sigmill_consensus::service::{Request, Status};

use super::{PATIENCE, Run, Stage};
use crate::abroad;
use crate::books::COURIER;
use crate::plan::{Byzantine, ms};
use crate::world::{EPOCH_HEIGHTS, VALIDATORS, account};

impl Run<'_> {
    /// Asks every honest validator how it stands: what it says agrees with what all said before.
    pub(super) async fn look(&mut self, stage: &mut Stage) -> [Option<u64>; VALIDATORS] {
        let mut heights = [None; VALIDATORS];
        for (validator, alive) in stage.alive.iter_mut().enumerate() {
            let Some(alive) = alive.as_mut().filter(|_| self.plan.honest(validator)) else {
                continue;
            };
            let service = &alive.services[0];
            let Ok(status) = service.ask(Request::Status).await else { continue };
            let Status { height, block, state_root, .. } = status;
            assert!(height >= alive.height, "validator {validator} goes back to {height}");
            alive.height = height;
            alive.since.get_or_insert(height);
            heights[validator] = Some(height);
            if height > 0 {
                let same = self.chain.entry(height).or_insert(block);
                assert_eq!(*same, block, "validator {validator} has another block {height}");
            }
            let same = self.roots.entry(height).or_insert(state_root);
            assert_eq!(*same, state_root, "validator {validator} has another state {height}");
            while self.books.height < height {
                let next = self.books.height + 1;
                let found = match service.ask(|reply| Request::Block(next, reply)).await {
                    Ok(Some(found)) => found,
                    Err(_) if self.plan.full => break, // it has stopped
                    _ => panic!("validator {validator} has no block {next}"),
                };
                let hash = found.block.header.hash().0;
                let same = self.chain.entry(next).or_insert(hash);
                assert_eq!(*same, hash, "validator {validator} has another block {next}");
                if let Some(root) = self.roots.get(&(next - 1)) {
                    assert_eq!(*root, found.block.header.state_root, "state root of {next}");
                }
                let validators = self.plan.members(found.block.header.epoch).len();
                self.books.follow(&found.block, validators);
            }
        }
        heights
    }

    /// Looks until all honest validators have that height.
    async fn reach(&mut self, stage: &mut Stage, height: u64) {
        let begin = stage.context.current();
        loop {
            if self.plan.full {
                self.revive(stage).await; // what failed may be noticed later
            }
            let heights = self.look(stage).await;
            let honest = (0..VALIDATORS).filter(|&index| self.plan.honest(index));
            if honest.into_iter().all(|index| heights[index] >= Some(height)) {
                return;
            }
            let waited = stage.context.current().duration_since(begin).unwrap();
            assert!(waited < PATIENCE, "no {height} blocks after {PATIENCE:?}: {heights:?}");
            stage.context.sleep(ms(100)).await;
        }
    }

    /// The network is sound again: all goes on, and nothing is lost.
    pub(super) async fn finish(&mut self, stage: &mut Stage) {
        self.say(stage, "healed");
        self.link(stage, 0, |_, _| true).await;
        let highest = self.look(stage).await.into_iter().flatten().max().unwrap_or_default();
        self.reach(stage, highest + 10).await;
        self.say(stage, format!("{} blocks", highest + 10));
        for (validator, one) in self.books.promised(&self.lives) {
            let service = &stage.alive[validator].as_ref().expect("it lives").services[0];
            let answer = service.ask(|reply| Request::Submit(vec![one.clone()], reply)).await;
            let lost = answer.as_ref().is_ok_and(|answers| answers[0].is_ok());
            assert!(!lost, "validator {validator} has lost {one:?}");
        }
        let begin = stage.context.current();
        while !self.books.open().is_empty() {
            for validator in (0..VALIDATORS).filter(|&index| self.plan.honest(index)) {
                let open = self.books.open();
                self.hand_in(stage, validator, open).await;
            }
            stage.context.sleep(ms(500)).await;
            self.look(stage).await;
            let waited = stage.context.current().duration_since(begin).unwrap();
            let left = self.books.open().len();
            assert!(waited < PATIENCE, "{left} transactions are not final after {PATIENCE:?}");
        }
        let begin = stage.context.current();
        while self.plan.abroad && self.books.undelivered().is_some() {
            let brought: Vec<_> = self.courier().into_iter().collect();
            for validator in (0..VALIDATORS).filter(|&index| self.plan.honest(index)) {
                self.hand_in(stage, validator, brought.clone()).await;
            }
            stage.context.sleep(ms(300)).await;
            self.look(stage).await;
            let waited = stage.context.current().duration_since(begin).unwrap();
            assert!(waited < 10 * PATIENCE, "messages have not arrived after {waited:?}");
        }
        while self.books.height < self.plan.blocks {
            let next = (self.books.height + 10).min(self.plan.blocks);
            self.reach(stage, next).await;
        }
        self.reach(stage, self.books.height).await;
        self.check(stage).await;
    }

    /// Every honest validator has the same chain, and the state that follows from it.
    async fn check(&mut self, stage: &Stage) {
        for (validator, alive) in stage.alive.iter().enumerate() {
            let Some(alive) = alive.as_ref().filter(|_| self.plan.honest(validator)) else {
                continue;
            };
            let service = &alive.services[0];
            for (&height, hash) in &self.chain {
                let found = service.ask(|reply| Request::Block(height, reply)).await.unwrap();
                let found = found.map(|found| found.block.header.hash().0);
                assert_eq!(found, Some(*hash), "validator {validator}, block {height}");
            }
            let mut supply = 0;
            for (address, account) in &self.books.accounts {
                let found = service.ask(|reply| Request::Account(*address, reply)).await.unwrap();
                assert_eq!(found, Some(*account), "validator {validator}, account {address}");
                supply += account.balance;
            }
            for ((namespace, digest), record) in &self.books.records {
                let (namespace, digest) = (*namespace, *digest);
                let ask = service.ask(|reply| Request::Record(namespace, digest, reply));
                assert_eq!(ask.await.unwrap(), Some(*record), "validator {validator}: a record");
            }
            let lane = async |address| {
                let ask = service.ask(|reply| Request::Lane(abroad::id().0, address, reply));
                ask.await.unwrap().map(|one| one.next)
            };
            for sender in 0..abroad::SENDERS {
                let [_, received] = lane(abroad::address(sender)).await;
                let arrived = self.books.arrived.of(sender);
                assert_eq!(received, arrived, "validator {validator}: messages of {sender}");
            }
            let [posted, _] = lane(account(COURIER).address()).await;
            assert_eq!(posted, self.books.posted, "validator {validator}: messages of the courier");
            // What was final before it started, or long ago, it need not know.
            let first = alive.since.unwrap().max(self.books.height.saturating_sub(200));
            for (id, receipt) in self.books.receipts.iter().filter(|(_, one)| one.height > first) {
                let found = service.ask(|reply| Request::Receipt(*id, reply)).await.unwrap();
                assert_eq!(found, Some(*receipt), "validator {validator}: a receipt");
            }
            let genesis: u64 = self.world.genesis.accounts.iter().map(|(_, has)| has).sum();
            assert_eq!(supply, genesis, "validator {validator}: supply");
        }
        let index = |one| self.world.identities.iter().position(|other| *other == one).unwrap();
        for (by, who) in stage.oracle.blocked().await.unwrap() {
            let (by, who) = (index(by), index(who));
            let fair = !self.plan.honest(by) || !self.plan.honest(who);
            assert!(fair, "validator {by} has blocked {who}");
            self.count("validators blocked by others", 1);
        }
    }

    pub(super) fn tally(&mut self) {
        let plan = self.plan;
        self.count("runs", 1);
        self.count("final blocks", self.books.height);
        self.count("final transactions", self.books.receipts.len() as u64);
        self.count("runs with other sets of validators", u64::from(plan.sets.is_some()));
        self.count("epochs that ended", self.books.height / EPOCH_HEIGHTS);
        self.count("runs with another chain", u64::from(plan.abroad));
        self.count("decrees of validators", self.books.decreed.len() as u64);
        self.count("deliveries", self.books.arrived.deliveries);
        self.count("messages delivered", self.books.arrived.next.values().sum());
        self.count("messages sent", self.books.posted);
        for (what, times) in self.books.mischief.clone() {
            self.count(format!("brought by a crook: {what}"), times);
        }
        self.count("views voted in", self.ballots.len() as u64);
        self.count("runs with lost messages", u64::from(plan.loss > 0));
        let engine = plan.engine.map_or("of all kinds".into(), |mill| format!("{mill:?}"));
        self.count(format!("runs with engine {engine}"), 1);
        self.count("runs with torn writes", u64::from(plan.torn.is_some() && plan.acts.len() > 1));
        match plan.byzantine {
            None => self.count("runs of the honest", 1),
            Some((_, Byzantine::Spoils(_))) => self.count("runs with spoiled messages", 1),
            Some((_, Byzantine::Twins(..))) => self.count("runs with twins", 1),
            Some((_, Byzantine::Lies(_))) => self.count("runs with a liar", 1),
        }
        let spoiled = *self.spoiled.lock().unwrap();
        self.count("spoiled messages", spoiled);
        let lies = self.lies.lock().unwrap().clone();
        lies.into_iter().for_each(|(lie, times)| self.count(format!("lies: {lie}"), times));
    }
}
