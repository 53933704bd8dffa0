//! The way in.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::BatchId;
use crate::batch::{Batch, Form};
use crate::dispatch::cell::Cell;
use crate::dispatch::mill::{Flight, Held, Input, Mill, lock};
use crate::dispatch::ticket::{Answered, Ticket};
use crate::dispatch::{Action, Dispatcher, Event, Nanos, Order};
use crate::engine::Terms;
use crate::error::{BusyReason, ItemError};
use crate::observe::{Stage, Subject};

impl Mill {
    #[expect(clippy::result_large_err, reason = "a refused batch comes back as it went in")]
    pub(crate) fn submit(
        self: &Arc<Self>,
        input: Input,
        terms: &Terms,
    ) -> Result<Ticket, (Input, BusyReason)> {
        let now = self.now();
        let (shape, live) = (input.shape(), input.live());
        let items = shape.items as u32;
        let mut submit = self.recorder.time(Stage::Submit, || Subject {
            algorithm: shape.algorithm,
            batch: 0,
            piece: 0,
            items,
            bytes: 0,
        });
        let nanos = |time: Duration| time.as_nanos().min(u64::MAX.into()) as Nanos;
        let order = Order {
            class: terms.class,
            source: terms.source,
            deadline: now.saturating_add(nanos(terms.deadline)),
            trust: terms
                .trust
                .unwrap_or_else(|| self.settings.policy.trust_in(shape.algorithm, terms.class)),
            inline: nanos(terms.inline),
        };
        let mut state = lock(&self.state);
        let mut actions = std::mem::take(&mut state.actions);
        state.dispatcher.step(now, Event::Submit { shape, order, live }, &mut actions);
        let id = match actions.remove(0) {
            Action::Admit(id) => id,
            Action::Refuse(why) => {
                state.actions = actions;
                return Err((input, why));
            }
            other => unreachable!("a submission is admitted or refused, not {other:?}"),
        };
        submit.name_batch(id);
        if let Some(&Action::Inline { lane, form, .. }) = actions.first() {
            actions.clear();
            state.actions = actions;
            drop(state);
            return Ok(self.run_inline(id, lane, form, input, now));
        }
        if state.watch_sleeps {
            self.wanted.notify_all();
        }
        let cell = self.spares.take_cell();
        let ticket = Ticket::pending(cell.clone(), Arc::downgrade(self), id);
        match input {
            // Parsing is the only action: until then the flight has no data but the closure's.
            Input::Raw(batch) => {
                let Some(&Action::Parse { form, .. }) = actions.first() else {
                    unreachable!("a batch is parsed before it is routed")
                };
                actions.clear();
                state.actions = actions;
                drop(state);
                let mill = self.clone();
                self.pool.spawn(move || mill.parse_in_flight(id, form, batch, cell));
            }
            // Pieces are sent at once, of this batch and perhaps of others.
            Input::Parsed(parsed) => {
                let flight = self.flight(Held::given(parsed), cell);
                state.flights[Dispatcher::slot(id)] = Some(flight);
                self.perform(state, actions, None);
            }
        }
        drop(submit);
        Ok(ticket)
    }

    /// The caller wants no answer any more.
    pub(crate) fn cancel(self: &Arc<Self>, id: BatchId) {
        self.step(Event::Cancel { id });
    }

    pub(super) fn flight(&self, held: Held, cell: Arc<Cell<Answered>>) -> Flight {
        Flight { held, cell, parsed: self.recorder.start(), parts: self.spares.take_parts() }
    }

    pub(super) fn parse_in_flight(
        self: &Arc<Self>,
        id: BatchId,
        form: Form,
        batch: Batch,
        cell: Arc<Cell<Answered>>,
    ) {
        let parsing = self.recorder.time(Stage::Parse, || Subject {
            algorithm: batch.algorithm(),
            batch: id.0,
            piece: 0,
            items: batch.len() as u32,
            bytes: 0,
        });
        let parsed = self.spares.parse_shared(self.kernels.sha256, batch, form);
        drop(parsing);
        let live = parsed.live();
        let flight = self.flight(Held::own(parsed), cell);
        let mut state = lock(&self.state);
        if state.dispatcher.is_open(id) {
            state.flights[Dispatcher::slot(id)] = Some(flight);
            drop(state);
            self.step(Event::Parsed { id, live });
        } else {
            let found = state.given_up.iter().position(|(given_up, _)| *given_up == id);
            let error = found.map_or(ItemError::Fault, |at| state.given_up.swap_remove(at).1);
            drop(state);
            self.give_up(flight, error);
        }
    }
}
