//! Messages to be hashed: padded on the host, and cut into lines.

use std::ops::Range;

use crate::algorithm::Algorithm;
use crate::algorithms::keccak256::{self, RATE};
use crate::algorithms::sha256;
use crate::backend::fpga::completion::crc;
use crate::backend::fpga::descriptor::{Line, TWICE, header};
use crate::backend::fpga::flight::{Encoded, Job};
use crate::backend::fpga::manifest::Core;
use crate::batch::Column;
use crate::parsed::Parsed;

/// Most items of a part, and most lines if it is more than one item.
const PART: usize = 4_096;

/// Lines that a message of so many bytes takes at most: three a block of Keccak, and a header.
fn lines(bytes: usize) -> usize {
    3 * (bytes / RATE + 1) + 2
}

/// The items of the next part.
pub(crate) fn cut(batch: &Parsed, first: usize) -> Range<usize> {
    let column = batch.batch().column(0);
    let (mut end, mut sum) = (first, 0);
    while end < batch.live() && end - first < PART {
        sum += lines(column.get(end).len());
        if sum > PART && end > first {
            break;
        }
        end += 1;
    }
    first..end
}

/// Encodes the messages of a part. `caps`: what the card has cores for.
pub(crate) fn encode(caps: u32, batch: &Parsed, items: Range<usize>, tag: u32, out: &mut Encoded) {
    let column = batch.batch().column(0);
    let runs = batch.algorithm() == Algorithm::Sha256d && Core::Sha256d.is_in(caps);
    let mut item = items.start;
    while item < items.end {
        let tag = tag.wrapping_add((item - items.start) as u32);
        let run = if runs { run(column, item..items.end) } else { 0 };
        if run > 0 {
            encode_run(column, item..item + run, tag, out);
            item += run;
            continue;
        }
        let message = column.get(item);
        let from = out.lines.len();
        let core = match batch.algorithm() {
            Algorithm::Keccak256 => {
                keccak(tag, message, &mut out.lines);
                Core::Keccak256
            }
            other => {
                let flags = if other == Algorithm::Sha256d { TWICE } else { 0 };
                sha(tag, flags, message, &mut out.lines);
                Core::Sha256
            }
        };
        let check = crc(0, out.lines[from..].as_flattened());
        out.jobs.push(Some(Job { core, check, end: out.lines.len() as u32 }));
        item += 1;
    }
}

/// How many items from the first on have the length of a run's.
fn run(column: &Column, items: Range<usize>) -> usize {
    items.take_while(|item| column.get(*item).len() == size_of::<Line>()).count()
}

/// A run: a header, and a line each.
fn encode_run(column: &Column, items: Range<usize>, tag: u32, out: &mut Encoded) {
    out.lines.push(header(Core::Sha256d, 0, tag, items.len() as u32));
    for item in items {
        let line = column.array(item);
        out.lines.push(*line);
        let (check, end) = (crc(0, line), out.lines.len() as u32);
        out.jobs.push(Some(Job { core: Core::Sha256d, check, end }));
    }
}

fn sha(tag: u32, flags: u8, message: &[u8], out: &mut Vec<Line>) {
    let (whole, tail) = message.as_chunks::<64>();
    let (padded, blocks) = sha256::padding(tail, message.len() as u64);
    out.push(header(Core::Sha256, flags, tag, (whole.len() + blocks) as u32));
    out.extend_from_slice(whole);
    out.extend_from_slice(&padded.as_chunks().0[..blocks]);
}

fn keccak(tag: u32, message: &[u8], out: &mut Vec<Line>) {
    let (whole, tail) = message.as_chunks::<RATE>();
    out.push(header(Core::Keccak256, 0, tag, 3 * (whole.len() as u32 + 1)));
    for block in whole.iter().chain([&keccak256::padding(tail)]) {
        let mut lines = [0; 192];
        lines[..RATE].copy_from_slice(block);
        out.extend_from_slice(lines.as_chunks().0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::fpga::soft_cores::jobs;
    use crate::backend::fpga::testing::{digest, hashes};

    /// What the card's cores make of the lines is the digest, by the referee's word; and the jobs say
    /// where their lines are.
    #[test]
    fn padded_lines_hash_to_the_digest() {
        let all = Core::ALL.iter().fold(0, |caps, core| caps | core.bit());
        for algorithm in [Algorithm::Sha256, Algorithm::Sha256d, Algorithm::Keccak256] {
            for caps in [all, all & !Core::Sha256d.bit()] {
                let parsed = Parsed::parse(hashes(algorithm, 300));
                let column = parsed.batch().column(0);
                let mut out = Encoded::default();
                encode(caps, &parsed, 0..300, 40, &mut out);
                assert_eq!(out.jobs.len(), 300);
                let mut from_lines = jobs(&out.lines).into_iter();
                for (item, job) in out.jobs.iter().enumerate() {
                    let job = job.expect("every message is a job");
                    let (tag, lines, core, payload) = from_lines.next().expect("as many jobs");
                    assert_eq!((tag, core), (40 + item as u32, job.core));
                    assert_eq!(job.check, crc(0, lines.as_flattened()));
                    assert_eq!(payload[..32], digest(algorithm, column.get(item)), "{item}");
                    let last = &out.lines[job.end as usize - 1];
                    assert_eq!(Some(last), lines.last());
                    let is_run = job.core == Core::Sha256d;
                    let due = algorithm == Algorithm::Sha256d && column.get(item).len() == 64;
                    assert_eq!(is_run, due && caps == all);
                }
            }
        }
    }

    #[test]
    fn parts_are_bounded_and_long_messages_stand_alone() {
        let mut batch = crate::batch::Batch::open(Algorithm::Sha256);
        for length in [0, 100, 1 << 20, 1 << 20, 3] {
            let message = vec![5; length];
            batch.push(crate::batch::Job::Hash { message: &message }).expect("room");
        }
        let parsed = Parsed::parse(batch.seal());
        let mut parts = Vec::new();
        while parts.last().is_none_or(|part: &Range<usize>| part.end < parsed.live()) {
            parts.push(cut(&parsed, parts.last().map_or(0, |part| part.end)));
        }
        assert_eq!(parts, [0..2, 2..3, 3..4, 4..5]);
    }
}
