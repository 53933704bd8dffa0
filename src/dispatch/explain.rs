//! A decision of the router in words.

use std::fmt;

use crate::dispatch::Nanos;
use crate::dispatch::router::Route;
use crate::engine::Explanation;

impl Explanation {
    /// Name of the device that the batch goes to; `None` where it goes to none now.
    pub fn device(&self) -> Option<&str> {
        let (Route::Inline(lane) | Route::Lane(lane)) = self.route else { return None };
        let mut choices = self.choices.iter();
        choices.find(|(_, choice)| choice.lane == lane).map(|(name, _)| name.as_str())
    }
}

impl fmt::Display for Explanation {
    /// A line for the route, and one for each way that there was.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = self.device().unwrap_or("a device");
        match self.route {
            Route::Inline(_) => write!(f, "on the caller's thread, with the kernels of {device}")?,
            Route::Lane(_) => write!(f, "into the queue of {device}")?,
            Route::Wait => write!(f, "waits: the device that would be first is full")?,
            Route::None => write!(f, "no device serves it: the portable CPU is the last resort")?,
        }
        for (name, choice) in &self.choices {
            write!(f, "\n  {name:12} queue:           ")?;
            way(f, choice.lane_finish, choice.seen)?;
            if !choice.room {
                write!(f, "; full now")?;
            }
            if let Some(finish) = choice.inline_finish {
                write!(f, "\n  {name:12} caller's thread: ")?;
                way(f, finish, choice.inline_seen)?;
            }
        }
        Ok(())
    }
}

fn way(f: &mut fmt::Formatter<'_>, finish: Nanos, seen: u32) -> fmt::Result {
    let (value, unit) = match finish {
        0..10_000 => (finish as f64, "ns"),
        10_000..10_000_000 => (finish as f64 / 1e3, "us"),
        _ => (finish as f64 / 1e6, "ms"),
    };
    write!(f, "{value:9.1} {unit}, ")?;
    match seen {
        0 => write!(f, "though no batch of about this size has shown it yet"),
        1 => write!(f, "as 1 batch of about this size has shown"),
        _ => write!(f, "as {seen} batches of about this size have shown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::router::Choice;

    fn told(route: Route) -> String {
        let cpu = Choice {
            lane: 0,
            lane_finish: 1_234_567,
            backlog: 0,
            room: true,
            capacity: 1 << 20,
            inline_finish: Some(9_000),
            seen: 1,
            inline_seen: 20,
            host: true,
        };
        let gpu = Choice { lane: 2, room: false, inline_finish: None, seen: 0, ..cpu };
        let choices = vec![("cpu".to_owned(), cpu), ("gpu".to_owned(), gpu)];
        Explanation { route, choices }.to_string()
    }

    #[test]
    fn the_route_comes_first_and_then_what_it_was_taken_from() {
        let text = told(Route::Inline(0));
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        let lines: Vec<String> = lines.iter().map(|words: &Vec<_>| words.join(" ")).collect();
        assert_eq!(
            lines,
            [
                "on the caller's thread, with the kernels of cpu",
                "cpu queue: 1234.6 us, as 1 batch of about this size has shown",
                "cpu caller's thread: 9000.0 ns, as 20 batches of about this size have shown",
                "gpu queue: 1234.6 us, though no batch of about this size has shown it yet; full now",
            ]
        );
        assert!(told(Route::Lane(2)).starts_with("into the queue of gpu\n"));
        assert!(told(Route::Wait).starts_with("waits: "));
        assert!(told(Route::None).starts_with("no device serves it: "));
    }
}
