//! How evidence is examined, and what that may take.

use crate::backend::BatchId;
use crate::batch::{Form, Shape};
use crate::dispatch::lane::INLINE;
use crate::dispatch::{Check, Class, Dispatcher, Nanos};
use crate::trust::Trust;

/// One accept in so many is computed again.
const SAMPLED: usize = 256;

impl Dispatcher {
    /// How the evidence of a piece is examined; its re-checks are charged now.
    pub(super) fn check(
        &mut self,
        now: Nanos,
        lane: usize,
        batch: BatchId,
        shape: &Shape,
    ) -> Check {
        let Some(&entry) = self.entry(batch) else { return Check::HOST };
        if self.lanes[lane].config.host {
            return Check::HOST;
        }
        let order = entry.order;
        let unit = self.host_time(shape, shape.items) / shape.items.max(1) as u64;
        let sample = match order.trust {
            _ if self.lanes[lane].probation > 0 => usize::MAX,
            Trust::Fast => 0,
            Trust::Checked => {
                let affordable = self.affordable(now, shape);
                shape.items.div_ceil(SAMPLED).min(affordable)
            }
            Trust::Audited if shape.algorithm.value_bytes() == 32 => {
                (shape.items / Trust::SAMPLE).max(Trust::LEAST_SAMPLE)
            }
            Trust::Audited => 0,
        };
        if self.lanes[lane].probation > 0 || order.trust == Trust::Checked {
            let charged = sample.min(shape.items) as u64;
            self.samples.spend(now, charged.saturating_mul(unit));
        }
        let believe = match (order.class, order.trust) {
            (Class::Consensus | Class::Sync, _) => false,
            (_, Trust::Fast) => true,
            (Class::Mempool, Trust::Checked) => {
                self.rejects.left(now) == 0 && self.sources.is_notorious(order.source_or_unnamed())
            }
            (Class::Mempool, Trust::Audited) => false,
        };
        Check { trust: order.trust, sample, believe }
    }

    /// Entries that the host can compute again now, within the share that re-checks have.
    pub(super) fn affordable(&self, now: Nanos, shape: &Shape) -> usize {
        let all = self.host_time(shape, shape.items).max(1);
        let left = self.samples.left(now);
        (shape.items as u128 * left as u128 / all as u128).min(usize::MAX as u128) as usize
    }

    /// Time that one core of the host needs for so many of a batch's entries.
    pub(super) fn host_time(&self, shape: &Shape, items: usize) -> Nanos {
        let bytes = match shape.items {
            0 => 0,
            all => (shape.bytes as u128 * items as u128 / all as u128) as usize,
        };
        // Single, whatever the batch's form: so they are computed again.
        let form = if shape.form == Form::Combined { Form::Single } else { shape.form };
        let shape = Shape { items, bytes, form, ..*shape };
        self.host().map_or(&self.portable, |host| &self.lanes[host].cost).predict(&shape, INLINE)
    }

    /// The lane of the host's CPU.
    pub(super) fn host(&self) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.config.host)
    }
}

impl Check {
    /// What the host computed itself.
    pub const HOST: Check = Check { trust: Trust::Audited, sample: 0, believe: false };
}
