//! The watchdog: a card that has work and does nothing for too long has failed.

use std::time::{Duration, Instant};

use crate::backend::fpga::transport::Transport;

/// How long a card may show no progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Of a real card.
    Time(Duration),
    /// Clock cycles of a simulated one, which tell nothing of time.
    Cycles(u64),
}

/// What counts as progress: lines fetched and lines completed.
type Mark = (u32, u32);

#[derive(Debug)]
pub(crate) struct Watch {
    limit: Limit,
    mark: Mark,
    time: Instant,
    cycles: u64,
}

impl Watch {
    pub fn new(limit: Limit) -> Self {
        Watch { limit, mark: (0, 0), time: Instant::now(), cycles: 0 }
    }

    /// The wait begins anew.
    pub fn restart(&mut self, transport: &dyn Transport) {
        self.time = Instant::now();
        self.cycles = transport.cycles().unwrap_or(0);
    }

    /// Whether the card has shown no progress for too long.
    pub fn is_late(&mut self, mark: Mark, transport: &dyn Transport) -> bool {
        if mark != self.mark {
            self.mark = mark;
            self.restart(transport);
            return false;
        }
        match self.limit {
            Limit::Time(limit) => self.time.elapsed() >= limit,
            Limit::Cycles(limit) => {
                transport.cycles().unwrap_or(0).saturating_sub(self.cycles) >= limit
            }
        }
    }
}
