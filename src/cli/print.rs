//! A report for people.

use std::fmt;
use std::io::{ErrorKind, Write};

use super::Status;
use super::check::Line;
use super::input::print_kind;

/// Prints a line to standard output, or ends the run: quietly where nobody reads on.
pub(super) fn line(text: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}") {
        if error.kind() != ErrorKind::BrokenPipe {
            eprintln!("sigmill: standard output: {error}");
        }
        std::process::exit(Status::Error as i32);
    }
}

/// Prints one file's report to standard output.
pub(super) fn report(line: &Line<'_>) {
    let report = &line.report;
    let hash = report.hash.as_deref().unwrap_or("");
    say!("{}  {}  {hash}", line.file, print_kind(report.kind));
    say!(
        "  {:20} {:>10} {:>10} {:>10} {:>10} {:>8}",
        "algorithm",
        "checked",
        "valid",
        "invalid",
        "computed",
        "errors"
    );
    let cell = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
    for (name, tally) in &report.by_algorithm {
        say!(
            "  {name:20} {:>10} {:>10} {:>10} {:>10} {:>8}",
            tally.checked,
            cell(tally.valid),
            cell(tally.invalid),
            cell(tally.computed),
            tally.errors
        );
    }
    if let Some(inputs) = &report.inputs {
        say!(
            "  inputs        {} in all: {} verified, {} assumed, {} failed",
            inputs.total,
            inputs.verified,
            inputs.assumed,
            inputs.failed
        );
        for (reason, count) in &inputs.unresolved {
            say!("                {count} unresolved: {reason}");
        }
    }
    if let Some(senders) = &report.senders {
        say!("  senders       {} recovered, {} matched", senders.checked, senders.matched);
    }
    if let Some(records) = &report.records {
        let (total, agree, disagree) = (records.total, records.agree, records.disagree);
        say!("  records       {total} in all: {agree} agree, {disagree} disagree");
    }
    if !report.commitments.is_empty() {
        let state = |holds: &Option<bool>| match holds {
            Some(true) => "holds",
            Some(false) => "DOES NOT HOLD",
            None => "none",
        };
        let list: Vec<_> = report
            .commitments
            .iter()
            .map(|(name, holds)| format!("{name} {}", state(holds)))
            .collect();
        say!("  commitments   {}", list.join(", "));
    }
    let devices: Vec<_> =
        line.devices.iter().map(|(name, items)| format!("{name} {items} items")).collect();
    say!("  devices       {}", devices.join(", "));
    let signatures = report.signatures.checked;
    say!(
        "  elapsed       {:.3} s, {:.0} signatures a second",
        line.seconds,
        signatures as f64 / line.seconds.max(1e-9)
    );
    for finding in &report.findings {
        say!("  ! {finding}");
    }
    say!("{}", conclusion(line));
}

fn conclusion(line: &Line<'_>) -> String {
    let unresolved = |inputs: &sigmill::chain::Inputs| inputs.unresolved.values().sum::<u64>();
    if !line.report.ok {
        "FAILED".to_owned()
    } else if line.interrupted {
        "interrupted: what is shown was found so far".to_owned()
    } else if line.report.by_algorithm.values().any(|tally| tally.errors > 0) {
        "unfinished: some items have no answer".to_owned()
    } else if let Some(inputs) = line.report.inputs.as_ref().filter(|_| !line.report.complete) {
        format!("ok, incomplete: {} inputs unresolved (see above)", unresolved(inputs))
    } else if line.report.complete {
        "ok".to_owned()
    } else {
        "ok, incomplete".to_owned()
    }
}
