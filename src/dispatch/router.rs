//! Where a batch goes: a pure function of its shape and the lanes.

use crate::dispatch::Nanos;

/// One lane as a choice of the router, for one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Index of the lane.
    pub lane: usize,
    /// Predicted finish, queue included; `None` where the lane cannot take the batch now.
    pub lane_finish: Option<Nanos>,
    /// Predicted finish on the caller's own thread, where the lane's backend can run there.
    pub inline_finish: Option<Nanos>,
    /// Completions of such batches that the lane's finish rests on.
    pub seen: u32,
    /// The same of the finish on the caller's own thread.
    pub inline_seen: u32,
    /// The host's CPU: wins ties.
    pub host: bool,
}

/// The decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// On the caller's thread, with the kernel of this lane's backend.
    Inline(usize),
    /// Into this lane's queue.
    Lane(usize),
    /// Some lane serves the algorithm, but all that do are full: wait for room.
    Wait,
    /// No lane serves the algorithm.
    None,
}

/// The earliest predicted finish decides; a tie goes to the host's CPU, then to the caller's
/// thread, then to the lower index. `serving`: whether any healthy lane serves the shape.
pub fn route(options: impl Iterator<Item = Choice>, may_inline: bool, serving: bool) -> Route {
    let mut best: Option<(Nanos, bool, bool, Route)> = None;
    for option in options {
        let inline = option.inline_finish.filter(|_| may_inline);
        let candidates = [
            inline.map(|finish| (finish, !option.host, false, Route::Inline(option.lane))),
            option.lane_finish.map(|finish| (finish, !option.host, true, Route::Lane(option.lane))),
        ];
        for candidate in candidates.into_iter().flatten() {
            let key = |c: &(Nanos, bool, bool, Route)| (c.0, c.1, c.2);
            if best.as_ref().is_none_or(|best| key(&candidate) < key(best)) {
                best = Some(candidate);
            }
        }
    }
    match best {
        Some((.., route)) => route,
        None if serving => Route::Wait,
        None => Route::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(lane: usize, finish: Nanos, inline: Option<Nanos>, host: bool) -> Choice {
        let lane_finish = Some(finish);
        Choice { lane, lane_finish, inline_finish: inline, seen: 0, inline_seen: 0, host }
    }

    #[test]
    fn the_earliest_finish_wins() {
        let options = [option(0, 100, Some(90), true), option(1, 50, None, false)];
        assert_eq!(route(options.into_iter(), true, true), Route::Lane(1));
        let options = [option(0, 100, Some(40), true), option(1, 50, None, false)];
        assert_eq!(route(options.into_iter(), true, true), Route::Inline(0));
        assert_eq!(route(options.into_iter(), false, true), Route::Lane(1));
    }

    #[test]
    fn ties_go_to_the_host() {
        let options = [option(0, 50, None, false), option(1, 50, None, true)];
        assert_eq!(route(options.into_iter(), true, true), Route::Lane(1));
        let options = [option(0, 50, Some(50), true)];
        assert_eq!(route(options.into_iter(), true, true), Route::Inline(0));
    }

    #[test]
    fn full_lanes_wait_and_absent_ones_do_not() {
        let full = Choice { lane_finish: None, ..option(0, 0, None, true) };
        assert_eq!(route([full].into_iter(), true, true), Route::Wait);
        assert_eq!(route([].into_iter(), true, false), Route::None);
    }
}
