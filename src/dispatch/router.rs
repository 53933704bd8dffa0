//! Where a batch goes, and how much of it: pure functions of its shape and the lanes.

use crate::dispatch::Nanos;

/// One lane as a choice of the router, for one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Index of the lane.
    pub lane: usize,
    /// Predicted finish in the lane, after what it holds already.
    pub lane_finish: Nanos,
    /// The part of that which stands before the batch.
    pub backlog: Nanos,
    /// Whether the lane takes a piece now.
    pub room: bool,
    /// Predicted finish on the caller's own thread, where the lane's backend can run there.
    pub inline_finish: Option<Nanos>,
    /// Completions of such batches that the lane's finish rests on.
    pub seen: u32,
    /// The same of the finish on the caller's own thread.
    pub inline_seen: u32,
    /// The host's CPU: wins ties.
    pub host: bool,
    /// Most entries that the lane takes at once.
    pub capacity: usize,
}

/// The decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// On the caller's thread, with the kernel of this lane's backend.
    Inline(usize),
    /// Into this lane's queue.
    Lane(usize),
    /// The lane that would be first is full: wait for room.
    Wait,
    /// No lane serves the algorithm.
    None,
}

/// The earliest predicted finish decides; a tie goes to the host's CPU, then to the caller's
/// thread, then to the lower index. The caller's thread is kept `most_inline` at most.
pub fn route(choices: &[Choice], most_inline: Nanos) -> Route {
    let mut best: Option<((Nanos, bool, bool), Route)> = None;
    for choice in choices {
        let lane = if choice.room { Route::Lane(choice.lane) } else { Route::Wait };
        let inline = choice.inline_finish.filter(|&time| time <= most_inline);
        let candidates = [
            inline.map(|finish| ((finish, !choice.host, false), Route::Inline(choice.lane))),
            Some(((choice.lane_finish, !choice.host, true), lane)),
        ];
        for candidate in candidates.into_iter().flatten() {
            if best.is_none_or(|best| candidate.0 < best.0) {
                best = Some(candidate);
            }
        }
    }
    best.map_or(Route::None, |(_, route)| route)
}

/// A cut is worth its copy if everything ends this much earlier, in percent.
const GAIN: f64 = 10.0;

/// How many of `items` entries the lane that comes first takes, and which that is, so that all lanes end
/// together; the next call, with that in its backlog, tells the next lane's part. `None`: wait, or, if there are
/// no choices, no lane serves.
///
/// Lane i does items at the rate r_i after b_i; all end at T = (items + sum r_i b_i) / sum r_i, over the lanes
/// with b_i < T, and lane i gets r_i (T - b_i).
pub fn share(choices: &[Choice], items: usize) -> Option<(usize, usize)> {
    let lane = match route(choices, 0) {
        Route::Lane(lane) => Some(lane),
        _ => None,
    };
    let whole = lane.map(|lane| (lane, items));
    let first = choices.iter().map(|choice| choice.lane_finish).min()?;
    let rate = |choice: &Choice| items as f64 / (choice.lane_finish - choice.backlog).max(1) as f64;
    // Lanes that begin after the end of the others drop out, the latest first.
    let mut end = f64::INFINITY;
    loop {
        let inside = choices.iter().filter(|choice| (choice.backlog as f64) < end);
        let (mut rates, mut before) = (0.0, 0.0);
        for choice in inside {
            rates += rate(choice);
            before += rate(choice) * choice.backlog as f64;
        }
        let next = (items as f64 + before) / rates;
        if next >= end * (1.0 - 1e-9) || rates == 0.0 {
            break;
        }
        end = next;
    }
    if choices.len() < 2 || items < 2 * LEAST || end > first as f64 * (1.0 - GAIN / 100.0) {
        return whole;
    }
    let part = |choice: &Choice| (rate(choice) * (end - choice.backlog as f64)).ceil() as usize;
    let mut parts = choices.iter().filter(|choice| (choice.backlog as f64) < end && choice.room);
    let (lane, part) = parts
        .find_map(|choice| Some((choice.lane, part(choice))).filter(|(_, part)| *part >= LEAST))?;
    // What is left over is worth a piece of its own.
    Some((lane, if items.saturating_sub(part) < LEAST { items } else { part }))
}

/// Fewest entries that are worth a piece.
const LEAST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(lane: usize, finish: Nanos, inline: Option<Nanos>, host: bool) -> Choice {
        Choice {
            lane,
            lane_finish: finish,
            backlog: 0,
            room: true,
            inline_finish: inline,
            seen: 0,
            inline_seen: 0,
            host,
            capacity: usize::MAX,
        }
    }

    #[test]
    fn the_earliest_finish_wins() {
        let choices = [choice(0, 100, Some(90), true), choice(1, 50, None, false)];
        assert_eq!(route(&choices, 1_000), Route::Lane(1));
        let choices = [choice(0, 100, Some(40), true), choice(1, 50, None, false)];
        assert_eq!(route(&choices, 1_000), Route::Inline(0));
        assert_eq!(route(&choices, 39), Route::Lane(1));
    }

    #[test]
    fn ties_go_to_the_host() {
        let choices = [choice(0, 50, None, false), choice(1, 50, None, true)];
        assert_eq!(route(&choices, 1_000), Route::Lane(1));
        let choices = [choice(0, 50, Some(50), true)];
        assert_eq!(route(&choices, 1_000), Route::Inline(0));
    }

    #[test]
    fn the_first_is_waited_for_and_absence_is_not() {
        let full = Choice { room: false, ..choice(0, 50, None, true) };
        let slow = choice(1, 5_000, None, false);
        assert_eq!(route(&[full, slow], 1_000), Route::Wait);
        assert_eq!(route(&[Choice { lane_finish: 6_000, ..full }, slow], 1_000), Route::Lane(1));
        assert_eq!(route(&[], 1_000), Route::None);
    }

    #[test]
    fn shares_end_together() {
        // 3 to 1, after 0 and 40.
        let fast = choice(0, 1_000, None, true);
        let slow = Choice { backlog: 40, ..choice(1, 3_040, None, false) };
        let (lane, part) = share(&[fast, slow], 100_000).expect("both have room");
        let end: f64 = (100_000.0 + 40.0 * 100_000.0 / 3_000.0) / (100.0 + 100.0 / 3.0);
        assert_eq!((lane, part), (0, (100.0 * end).ceil() as usize));
        // The fast one holds its part now: the rest is the slow one's.
        let rest = 100_000 - part;
        let time = |all: Nanos| all * rest as u64 / 100_000;
        let fast = Choice { backlog: end as u64, lane_finish: end as u64 + time(1_000), ..fast };
        let slow = Choice { lane_finish: 40 + time(3_000), ..slow };
        assert_eq!(share(&[fast, slow], rest), Some((1, rest)));
    }

    #[test]
    fn a_hopeless_lane_gets_no_share() {
        let choices = [choice(0, 1_000, None, true), choice(1, 100_000, None, false)];
        assert_eq!(share(&choices, 10_000), Some((0, 10_000)));
        // Nor does it while the other is full.
        let full = Choice { room: false, ..choices[0] };
        assert_eq!(share(&[full, choices[1]], 10_000), None);
        let late = Choice { backlog: 90_000, ..choices[1] };
        assert_eq!(share(&[choices[0], late], 10_000), Some((0, 10_000)));
    }

    #[test]
    fn few_entries_stay_together() {
        let choices = [choice(0, 1_000, None, true), choice(1, 1_000, None, false)];
        assert_eq!(share(&choices, 100), Some((0, 100)));
        assert_eq!(share(&choices, 1_000), Some((0, 500)));
        assert_eq!(share(&choices, 0), Some((0, 0)));
    }
}
