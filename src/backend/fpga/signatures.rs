//! Signatures: a part of a batch prepared and encoded, on the threads of the current rayon pool.

use std::ops::Range;

use rayon::prelude::*;

use crate::algorithms::secp256k1::piece::PIECE;
use crate::algorithms::secp256k1::prepare::{Prepared, prepare};
use crate::backend::fpga::completion::crc;
use crate::backend::fpga::descriptor;
use crate::backend::fpga::flight::{Encoded, Job};
use crate::backend::fpga::manifest::Core;
use crate::isa::Isa;
use crate::parsed::Parsed;

/// Items of a part: a few pieces for each thread.
const PART: usize = 16 * PIECE;

/// The items of the next part.
pub(crate) fn cut(batch: &Parsed, first: usize) -> Range<usize> {
    first..batch.live().min(first + PART)
}

/// Encodes the items of a part. Those whose key does not exist are no jobs.
pub(crate) fn encode(isa: Isa, batch: &Parsed, items: Range<usize>, tag: u32, out: &mut Encoded) {
    let pieces = |start: usize| {
        let range = start..items.end.min(start + PIECE);
        let mut prepared = Vec::new();
        prepare(isa, batch.operands(), range, &mut prepared);
        let first = tag.wrapping_add((start - items.start) as u32);
        let encode = |(index, prepared): (usize, &Prepared)| {
            let lines = descriptor::secp256k1(first.wrapping_add(index as u32), prepared);
            let job = lines.map(|lines| (lines, crc(0, lines.as_flattened())));
            (job, prepared.key.map_or([0; 4], |[_, y]| y))
        };
        prepared.iter().enumerate().map(encode).collect::<Vec<_>>()
    };
    let starts: Vec<_> = items.clone().step_by(PIECE).collect();
    let encoded: Vec<_> = starts.into_par_iter().map(pieces).collect();
    for (job, root) in encoded.iter().flatten() {
        if batch.wants_roots() {
            out.roots.push(*root);
        }
        out.jobs.push(job.map(|(lines, check)| {
            out.lines.extend(lines);
            Job { core: Core::Secp256k1, check, end: out.lines.len() as u32 }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::fpga::descriptor::tests::{decode, referee};
    use crate::backend::fpga::testing::ecdsa;
    use crate::parsed::{KeyForm, Operands};

    #[test]
    fn parts_cover_the_batch_and_say_which_items_have_no_key() {
        let parsed = Parsed::parse(ecdsa(3, 2 * PART + 5));
        let Operands::Ecdsa(operands) = parsed.operands() else { panic!("ECDSA") };
        let mut next = 0;
        while next < parsed.live() {
            let items = cut(&parsed, next);
            assert_eq!(items.start, next);
            next = items.end;
            let (tag, mut out) = (u32::MAX - 7, Encoded::default());
            encode(Isa::PORTABLE, &parsed, items.clone(), tag, &mut out);
            assert_eq!(out.jobs.len(), items.len());
            let mut end = 0;
            for (item, job) in items.clone().zip(&out.jobs) {
                let Some(job) = job else {
                    assert_ne!(operands.keys.form[item], KeyForm::Full);
                    continue;
                };
                end += 3;
                assert_eq!((job.core, job.end), (Core::Secp256k1, end));
                let lines = out.lines[end as usize - 3..end as usize].as_flattened();
                assert_eq!(job.check, crc(0, lines));
                let expected = tag.wrapping_add((item - items.start) as u32);
                assert_eq!(lines[4..8], expected.to_le_bytes());
                if item % 97 == 0 {
                    let ([u1, u2], [x, _]) =
                        decode(lines.try_into().expect("192 bytes")).expect("digits");
                    assert_eq!(x, operands.keys.x[item]);
                    let [z, r, s] = [&operands.z, &operands.r, &operands.s].map(|o| &o[item]);
                    assert_eq!((u1 * referee(s), u2 * referee(s)), (referee(z), referee(r)));
                }
            }
            assert_eq!(end as usize, out.lines.len());
            assert!(end as usize > items.len(), "a third at least has a key");
        }
    }
}
