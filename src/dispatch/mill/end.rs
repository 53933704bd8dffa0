//! The way out: answers to tickets, and the passing of time.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::dispatch::mill::{Flight, Mill, Parts, TICK, lock};
use crate::dispatch::ticket::Answered;
use crate::dispatch::{Event, judge};
use crate::error::ItemError;
use crate::parsed::Parsed;
use crate::trust::Trust;
use crate::verdict::{Answers, State as Answer};

impl Mill {
    /// Answers of a whole batch by job, from those of its pieces.
    pub(super) fn assemble(&self, parsed: &Parsed, mut parts: Parts) -> Answers {
        let live = parsed.live();
        let mut answers = match parts.len() {
            1 => parts.swap_remove(0).1,
            _ => {
                let mut whole = self.spares.take_answers(parsed.algorithm());
                whole.begin(parsed.algorithm(), live, Answer::Computed);
                for ((start, end), part) in &parts {
                    whole.states[*start..*end].copy_from_slice(&part.states);
                    let width = parsed.algorithm().value_bytes();
                    whole.values[start * width..end * width].copy_from_slice(&part.values);
                }
                whole
            }
        };
        self.spares.put_parts(parts);
        judge::spread(parsed, &mut answers);
        answers
    }

    pub(super) fn give_up(&self, Flight { held, cell, parts, .. }: Flight, error: ItemError) {
        self.spares.put_parts(parts);
        let mut answers = self.spares.take_answers(held.parsed.algorithm());
        judge::abandon(&held.parsed, error, &mut answers);
        cell.resolve(Answered::new(held, answers, Trust::Audited, self.spares.clone()));
    }

    /// One round of the watch: a tick if time can bring about anything, else a sleep.
    pub(crate) fn watch(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if state.dispatcher.wants_ticks() {
            drop(state);
            std::thread::sleep(TICK);
            self.step(Event::Tick);
        } else {
            // Woken by the next batch that leaves its caller's thread, or by the end.
            state.watch_sleeps = true;
            let waited = self.wanted.wait_timeout(state, Duration::from_millis(500));
            waited.unwrap_or_else(PoisonError::into_inner).0.watch_sleeps = false;
        }
    }

    /// Waits until nothing is in flight, or until the patience ends; says which.
    pub(crate) fn drain(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = lock(&self.state);
        while !state.dispatcher.is_idle() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.drained.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Wakes the watch, so that it sees that it is to end.
    pub(crate) fn nudge(&self) {
        self.wanted.notify_all();
    }
}
