//! Routing: which lane takes which entries, when, and how its evidence is examined.

use crate::algorithm::Algorithm;
use crate::batch::{Form, Shape};
use crate::dispatch::cost;
use crate::dispatch::lane::INLINE;
use crate::dispatch::router::{self, Choice, Route};
use crate::dispatch::{Action, Dispatcher, Nanos, Order, Piece, PieceId, Place};
use crate::error::ItemError;
use crate::trust::Trust;

/// Longest piece that the host takes at once: an urgent batch waits for two of them at most.
const QUANTUM: Nanos = 20_000_000;

/// Fewest entries of such a piece, and where they share an equation, which is the cheaper the longer it is.
const GRAIN: usize = 1_024;
const GRAIN_COMBINED: usize = 8_192;

/// Time that the higher classes get before a lower one has a turn: one piece.
const TURN: Nanos = 16 * QUANTUM;

/// Waiting pieces of a class that are looked at: the first may wait for a lane that the next has no need of.
const WINDOW: usize = 16;

/// Fewest entries that are worth sending to a device on probation.
const TRIAL: usize = 32;

/// What became of a waiting piece.
#[derive(PartialEq, Eq)]
enum Placed {
    All,
    /// A part of this predicted time was sent.
    Part(Nanos),
    Nowhere,
}

impl Dispatcher {
    /// The choices for a batch of this shape now.
    pub fn choices(&self, shape: Shape, trust: Trust) -> Vec<Choice> {
        let mut choices = Vec::with_capacity(self.lanes.len());
        self.collect_choices(shape, trust, &mut choices);
        choices
    }

    /// The route of a batch of this shape now.
    pub fn route(&self, shape: Shape, trust: Trust, most_inline: Nanos) -> Route {
        self.look_at_choices(shape, trust, |choices| router::route(choices, most_inline))
    }

    fn look_at_choices<T>(
        &self,
        shape: Shape,
        trust: Trust,
        look: impl FnOnce(&[Choice]) -> T,
    ) -> T {
        let mut choices = CHOICES.take();
        choices.clear();
        self.collect_choices(shape, trust, &mut choices);
        let routed = self.set_aside(&mut choices);
        let found = look(&choices[..routed]);
        CHOICES.set(choices);
        found
    }

    /// The route of a batch that is admitted now. Where a lane is chosen, nothing else would show that the caller's
    /// thread has become the faster, so that now and then is tried: then its predicted time comes, too.
    pub(super) fn admitted_route(
        &mut self,
        now: Nanos,
        shape: &Shape,
        order: &Order,
    ) -> (Route, Option<Nanos>) {
        let (route, loser) = self.look_at_choices(*shape, order.trust, |choices| {
            let route = router::route(choices, order.inline);
            let loser = match route {
                Route::Lane(_) | Route::Wait => self.inline_loser(shape, order, choices),
                _ => None,
            };
            (route, loser)
        });
        let Some((winner, host, predicted, seen)) = loser else { return (route, None) };
        // A size by itself: one that is rightly in a lane is not tried in the place of another.
        let losers = [(self.lanes.len() + cost::class(shape), predicted, seen)].into_iter();
        match self.probes.spend(now, shape, winner, losers) {
            Some(_) => (Route::Inline(host), Some(predicted)),
            None => (route, None),
        }
    }

    /// Predicted time in the lane that won, the host's lane, and for its kernel on the caller's thread the predicted
    /// time and what that rests on. What is predicted may be wrong, so that the queue's word that the
    /// batch does not keep the thread too long is as good.
    fn inline_loser(
        &self,
        shape: &Shape,
        order: &Order,
        choices: &[Choice],
    ) -> Option<(Nanos, usize, Nanos, u32)> {
        let winner = choices.iter().map(|choice| choice.lane_finish).min()?;
        let host = choices.iter().find(|choice| choice.host)?;
        let predicted = host.inline_finish?;
        let fits = predicted.min(self.lanes[host.lane].alone(shape)) <= order.inline;
        let seen = self.lanes[host.lane].cost.rests_on(shape, INLINE);
        fits.then_some((winner, host.lane, predicted, seen))
    }

    fn collect_choices(&self, shape: Shape, trust: Trust, choices: &mut Vec<Choice>) {
        choices.extend(self.lanes.iter().enumerate().filter_map(|(index, lane)| {
            let capacity = lane.capacity(shape.algorithm)?;
            if shape.items > capacity && !is_cheap_to_cut(shape.algorithm) {
                return None;
            }
            let inline = lane.config.inline.then(|| lane.cost.predict(&shape, INLINE));
            Some(Choice {
                lane: index,
                lane_finish: lane.backlog + lane.predict(&shape, trust),
                backlog: lane.backlog,
                room: lane.has_room(),
                inline_finish: inline,
                seen: lane.cost.seen(&shape, lane.queued()),
                inline_seen: lane.cost.seen(&shape, INLINE),
                host: lane.config.host,
                capacity,
            })
        }));
    }

    /// Predicted time of what waits, with the lane that is free first.
    pub(super) fn backlog(&self) -> Nanos {
        let serving = self.lanes.iter().filter(|lane| lane.health.serves());
        self.waiting_time + serving.map(|lane| lane.backlog).min().unwrap_or(0)
    }

    /// Predicted time of entries where they take least, once it is their turn.
    pub(super) fn least_time(&self, shape: &Shape, trust: Trust) -> Nanos {
        let serving = self.lanes.iter().filter(|lane| lane.capacity(shape.algorithm).is_some());
        serving.map(|lane| lane.predict(shape, trust)).min().unwrap_or(0)
    }

    /// Lets a piece wait: behind the others of its class, or before them.
    pub(super) fn enqueue(&mut self, id: PieceId, before: bool) {
        let Some(piece) = self.pieces.get(id.0) else { return };
        let Some(entry) = self.entries.get(piece.batch.0) else { return };
        let shape = self.shape_of(entry, piece.end - piece.start);
        let predicted = self.least_time(&shape, entry.order.trust);
        let (class, source) = (entry.order.class as usize, entry.order.source_or_unnamed());
        let line = &mut self.waiting[class];
        match self.sources.last_end(source, class) {
            Some(end) if !before => *end = line.join(id, *end, predicted),
            _ => line.rejoin(id),
        }
        let piece = self.pieces.get_mut(id.0).expect("looked up above");
        (piece.place, piece.predicted) = (Place::Waiting, predicted);
        self.waiting_time += predicted;
    }

    /// Takes a piece off the time that waits; its id in the queue is skipped later.
    pub(super) fn leave_queue(&mut self, id: PieceId) {
        if let Some(piece) = self.pieces.get_mut(id.0)
            && piece.place == Place::Waiting
        {
            self.waiting_time = self.waiting_time.saturating_sub(piece.predicted);
            piece.predicted = 0;
        }
    }

    /// Moves waiting pieces into lanes that have room, urgent classes first.
    pub(super) fn pump(&mut self, now: Nanos, actions: &mut Vec<Action>) {
        'placed: loop {
            let starved = (1..3).rev().find(|&class| self.passed[class] >= TURN);
            for class in starved.into_iter().chain(0..3) {
                while let Some(id) = self.waiting[class].get(0)
                    && !self.is_waiting(id)
                {
                    self.waiting[class].take(0);
                }
                for index in 0..self.waiting[class].len().min(WINDOW) {
                    let Some(id) = self.waiting[class].get(index) else { break };
                    if !self.is_waiting(id) {
                        continue;
                    }
                    match self.place(now, id, actions) {
                        Placed::Nowhere => continue,
                        Placed::Part(cost) => self.waiting[class].take_part(index, cost),
                        Placed::All => self.waiting[class].take(index),
                    }
                    continue 'placed;
                }
            }
            return;
        }
    }

    fn is_waiting(&self, id: PieceId) -> bool {
        self.piece(id).is_some_and(|piece| {
            piece.place == Place::Waiting && self.entries.get(piece.batch.0).is_some()
        })
    }

    /// Sends a waiting piece, or the first part of it, to the lane that will be first.
    fn place(&mut self, now: Nanos, id: PieceId, actions: &mut Vec<Action>) -> Placed {
        let Some(&piece) = self.piece(id) else { return Placed::Nowhere };
        let Some(&entry) = self.entry(piece.batch) else { return Placed::Nowhere };
        let shape = self.shape_of(&entry, piece.end - piece.start);
        let mut choices = CHOICES.take();
        choices.clear();
        self.collect_choices(shape, entry.order.trust, &mut choices);
        self.keep_eligible(now, &piece, &shape, &mut choices);
        let chosen = self.choose(&shape, &mut choices);
        let none = choices.is_empty();
        let on_host = match chosen {
            Some((choice, part)) if choice.host => {
                let all = u128::from(choice.lane_finish - choice.backlog);
                (all * part as u128 / shape.items.max(1) as u128) as Nanos
            }
            None if none => self.host_time(&shape, shape.items),
            _ => 0,
        };
        let waits = self.make_way(now, (id, on_host), actions);
        let probed = match chosen {
            Some((choice, part)) if part >= shape.items && !waits => {
                self.probed(now, &shape, choice, &choices)
            }
            _ => None,
        };
        CHOICES.set(choices);
        if waits {
            return Placed::Nowhere;
        }
        match chosen {
            Some((choice, part)) if part < shape.items => {
                Placed::Part(self.send_part(now, id, choice.lane, part, actions))
            }
            Some((choice, _)) => {
                self.leave_queue(id);
                self.send(now, id, choice.lane, actions);
                if let Some(loser) = probed {
                    self.shadow(now, id, loser, actions);
                }
                Placed::All
            }
            None if none => {
                self.leave_queue(id);
                self.last_resort(id, actions);
                Placed::All
            }
            None => Placed::Nowhere,
        }
    }

    /// Drops lanes that the piece may not go to, and bounds what a device on probation gets by what the host can
    /// compute again.
    fn keep_eligible(&self, now: Nanos, piece: &Piece, shape: &Shape, choices: &mut Vec<Choice>) {
        let has_host = choices.iter().any(|choice| choice.host);
        choices.retain_mut(|choice| {
            if choice.host {
                return true;
            }
            // One failure is enough: what fells a device may fell them all.
            if piece.failed.is_some() {
                return false;
            }
            if has_host && self.lanes[choice.lane].probation > 0 {
                let most = self.affordable(now, shape);
                choice.capacity = choice.capacity.min(most);
                return most >= TRIAL.min(shape.items)
                    && (most >= shape.items || is_cheap_to_cut(shape.algorithm));
            }
            true
        });
    }

    /// The lane that will be first, and how many entries it takes at once.
    fn choose(&self, shape: &Shape, choices: &mut [Choice]) -> Option<(Choice, usize)> {
        let items = shape.items;
        let routed = self.set_aside(choices);
        // Nor do shares on the same cores end earlier.
        let shared = |choice: &Choice| self.lanes[choice.lane].config.shared;
        let cuts = is_cheap_to_cut(shape.algorithm);
        let share = match cuts && !choices[..routed].iter().any(shared) {
            true => router::share(&choices[..routed], items),
            false => match router::route(&choices[..routed], 0) {
                Route::Lane(lane) => Some((lane, items)),
                _ => None,
            },
        };
        let (lane, part) = share?;
        let choice = *choices.iter().find(|choice| choice.lane == lane)?;
        let mut part = part.min(choice.capacity);
        if choice.host && cuts {
            let time = (choice.lane_finish - choice.backlog).max(1);
            let quantum = (items as u128 * QUANTUM as u128 / time as u128) as usize;
            let grain = if shape.form == Form::Combined { GRAIN_COMBINED } else { GRAIN };
            let quantum = quantum.max(grain);
            if part > quantum + quantum / 4 {
                part = quantum;
            }
        }
        // A batch that has yet to be opened must find a place; without one to spare, all goes or waits.
        if part < items && self.pieces.room() <= self.entries.len() {
            return (items <= choice.capacity).then_some((choice, items));
        }
        Some((choice, part))
    }

    /// A lane that computes the piece too, to see what that takes there.
    fn probed(
        &mut self,
        now: Nanos,
        shape: &Shape,
        chosen: Choice,
        choices: &[Choice],
    ) -> Option<usize> {
        let winner = chosen.lane_finish - chosen.backlog;
        let losers = choices.iter().filter(|loser| {
            loser.lane != chosen.lane && loser.room && loser.capacity >= shape.items
        });
        // It computes what another lane computes too: all of its time is the price.
        let lanes = &self.lanes;
        let losers = losers.map(|loser| {
            let lane = &lanes[loser.lane];
            let seen = lane.cost.rests_on(shape, lane.queued());
            (loser.lane, winner + loser.lane_finish - loser.backlog, seen)
        });
        self.probes.probe(now, shape, winner, losers)
    }

    /// Sends the first entries of a waiting piece; gives their predicted time.
    fn send_part(
        &mut self,
        now: Nanos,
        id: PieceId,
        lane: usize,
        part: usize,
        actions: &mut Vec<Action>,
    ) -> Nanos {
        let rest = self.pieces.get_mut(id.0).expect("it waits");
        let Piece { batch, start, failed, .. } = *rest;
        let items = rest.end - start;
        let cost = (rest.predicted as u128 * part as u128 / items as u128) as Nanos;
        rest.start += part;
        rest.predicted -= cost;
        self.waiting_time = self.waiting_time.saturating_sub(cost);
        let cut = self.new_piece(batch, start, start + part);
        self.pieces.get_mut(cut.0).expect("just made").failed = failed;
        self.send(now, cut, lane, actions);
        cost
    }

    /// Puts behind the others those choices that are not to be taken, and gives how many are left: a device on the
    /// host's cores waits for nothing but the same cores, so it is taken only where its own time is the shorter.
    fn set_aside(&self, choices: &mut [Choice]) -> usize {
        let own = |choice: &Choice| choice.lane_finish - choice.backlog;
        let host = choices.iter().filter(|choice| choice.host).map(own).min();
        let aside = |choice: &Choice| {
            self.lanes[choice.lane].config.shared && host.is_some_and(|host| own(choice) >= host)
        };
        choices.sort_by_key(aside);
        choices.iter().take_while(|choice| !aside(choice)).count()
    }

    pub(super) fn send(&mut self, now: Nanos, id: PieceId, lane: usize, actions: &mut Vec<Action>) {
        let Some(&piece) = self.piece(id) else { return };
        let Some(&entry) = self.entry(piece.batch) else { return };
        let shape = self.shape_of(&entry, piece.end - piece.start);
        let check = self.check(now, lane, piece.batch, &shape);
        let predicted = self.lanes[lane].predict(&shape, entry.order.trust);
        let mode = self.lanes[lane].queued();
        let new = self.lanes[lane].cost.seen(&shape, mode) == 0;
        let (late, due) = self.lanes[lane].due(now, predicted, new);
        let expected = self.lanes[lane].backlog + predicted;
        let woke = self.lanes[lane].depth == 0;
        self.lanes[lane].depth += 1;
        self.lanes[lane].backlog += predicted;
        let class = entry.order.class as usize;
        self.passed[class] = 0;
        for lower in class + 1..3 {
            if !self.waiting[lower].is_empty() {
                self.passed[lower] += predicted;
            }
        }
        let piece = self.pieces.get_mut(id.0).expect("looked up above");
        *piece = Piece {
            place: Place::Lane(lane),
            shape,
            woke,
            trust: check.trust,
            sent: now,
            expected,
            predicted,
            late,
            due,
            ..*piece
        };
        let (entries, failed) = ((piece.start, piece.end), piece.failed);
        if let Some(failed) = failed {
            self.books.fail_over(failed, Some(lane), shape.items);
        }
        let (id, piece) = (piece.batch, id);
        actions.push(Action::Send { id, piece, entries, lane, check });
    }

    pub(super) fn last_resort(&mut self, id: PieceId, actions: &mut Vec<Action>) {
        let Some(&Piece { batch, start, end, .. }) = self.piece(id) else { return };
        let Some(&entry) = self.entry(batch) else { return };
        if entry.shape.algorithm == Algorithm::Null {
            self.pieces.remove(id.0);
            return self.abandon(batch, ItemError::Unserved, actions);
        }
        let predicted = self.portable.predict(&self.shape_of(&entry, end - start), INLINE);
        self.last_resort_time += predicted;
        if let Some(failed) = self.piece(id).and_then(|piece| piece.failed) {
            self.books.fail_over(failed, None, end - start);
        }
        let piece = self.pieces.get_mut(id.0).expect("looked up above");
        (piece.place, piece.predicted) = (Place::LastResort, predicted);
        actions.push(Action::LastResort { id: batch, piece: id, entries: (start, end) });
    }
}

/// Whether a batch of the algorithm can be cut into ranges without copying more than operands: of messages the
/// bytes would have to move.
fn is_cheap_to_cut(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::EcdsaSecp256k1(_) | Algorithm::SchnorrBip340 | Algorithm::RecoverSecp256k1(_)
    )
}

thread_local! {
    /// Memory of the choices between two routes.
    static CHOICES: std::cell::Cell<Vec<Choice>> = const { std::cell::Cell::new(Vec::new()) };
}

#[cfg(test)]
mod tests;
