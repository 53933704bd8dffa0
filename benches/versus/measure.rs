//! Two ways of doing the same work, in turn.

use std::time::{Duration, Instant};

/// What the command line asks for: `[--json] [--quick] [FILTER]`.
pub struct Options {
    /// A line of JSON a case.
    pub json: bool,
    /// Fewer and shorter rounds.
    pub quick: bool,
    /// A part of the names of the cases that are run.
    pub filter: Option<String>,
}

impl Options {
    /// Reads the command line; ends the process if it is wrong.
    pub fn from_arguments() -> Self {
        let mut options = Options { json: false, quick: false, filter: None };
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--json" => options.json = true,
                "--quick" => options.quick = true,
                // Cargo passes this to every bench.
                "--bench" => {}
                other if !other.starts_with('-') => options.filter = Some(other.to_owned()),
                other => {
                    eprintln!(
                        "versus: unknown option {other}; it takes [--json] [--quick] [FILTER]"
                    );
                    std::process::exit(2);
                }
            }
        }
        options
    }
}

/// One comparison: `ours` and `theirs` do the same `items` pieces of work.
pub struct Case<'a> {
    /// What is done, and how much at once.
    pub name: String,
    /// What `theirs` uses.
    pub baseline: &'static str,
    /// Pieces of work.
    pub items: usize,
    /// Does them all.
    pub ours: Box<dyn FnMut() + 'a>,
    /// Does them all.
    pub theirs: Box<dyn FnMut() + 'a>,
}

/// Times a case round by round, and prints nanoseconds an item and the ratio.
pub fn measure(options: &Options, threads: usize, mut case: Case<'_>) {
    if options.filter.as_ref().is_some_and(|filter| !case.name.contains(filter.as_str())) {
        return;
    }
    let (rounds, span) = if options.quick { (5, 20) } else { (15, 40) };
    let span = Duration::from_millis(span);
    let repeats = repeats(&mut case.ours, span).max(repeats(&mut case.theirs, span));
    let time = |work: &mut dyn FnMut()| {
        let started = Instant::now();
        for _ in 0..repeats {
            work();
        }
        started.elapsed().as_secs_f64() * 1e9 / (repeats * case.items) as f64
    };
    let mut pairs = Vec::new();
    for round in 0..rounds {
        // The order alternates, so that a drift of the clock favours neither.
        pairs.push(if round % 2 == 0 {
            let ours = time(&mut case.ours);
            (ours, time(&mut case.theirs))
        } else {
            let theirs = time(&mut case.theirs);
            (time(&mut case.ours), theirs)
        });
    }
    let sorted = |value: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = pairs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let ratio = sorted(|(ours, theirs)| theirs / ours);
    let median = |values: &[f64]| values[values.len() / 2];
    let ours = median(&sorted(|pair| pair.0));
    let theirs = median(&sorted(|pair| pair.1));
    let (least, middle, most) = (ratio[0], median(&ratio), ratio[ratio.len() - 1]);
    let (name, baseline) = (&case.name, case.baseline);
    if options.json {
        println!(
            "{{\"case\":\"{name}\",\"ours\":{{\"ns\":{ours:.1}}},\
             \"baseline\":{{\"name\":\"{baseline}\",\"ns\":{theirs:.1}}},\"threads\":{threads},\
             \"ratio\":{{\"min\":{least:.3},\"median\":{middle:.3},\"max\":{most:.3}}}}}"
        );
    } else {
        println!(
            "{name:24} {threads:3} threads  ours {ours:9.1} ns  {baseline:12} {theirs:9.1} ns  \
             ratio {middle:5.2} ({least:.2} to {most:.2})"
        );
    }
}

/// How often a piece of work fits into a span.
fn repeats(work: &mut dyn FnMut(), span: Duration) -> usize {
    work();
    let started = Instant::now();
    work();
    (span.as_nanos() / started.elapsed().as_nanos().max(1)).clamp(1, 100_000) as usize
}
