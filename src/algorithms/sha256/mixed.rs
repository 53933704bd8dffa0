//! Messages of mixed lengths: a lane whose message ends takes the next one, so lanes stay full.

use std::array::from_fn;
use std::ops::Range;

use super::Midstate;
use super::plan::Kernel;
use super::portable::{INITIAL, State, padding, to_bytes};
use super::streams::{Streams, Work};
use crate::batch::Column;

/// Hashes messages of any lengths.
pub(super) struct Mixed<'a> {
    /// What all messages begin with.
    pub start: &'a Midstate,
    /// The messages, or the rest of them.
    pub messages: &'a Column,
    /// Which of them.
    pub range: Range<usize>,
    /// Whether the digest is hashed again.
    pub twice: bool,
    /// One digest a message.
    pub out: &'a mut [[u8; 32]],
    /// Below so many busy lanes, with no message left, the rest is done by `alone`.
    pub few: usize,
    /// The kernel for single messages.
    pub alone: Kernel,
}

/// A message on its way through a lane.
#[derive(Clone, Copy)]
struct Lane<'a> {
    /// Its position in `out`; `None`: the lane is idle.
    item: Option<usize>,
    /// Whole blocks to come.
    whole: &'a [[u8; 64]],
    /// The padded end: bytes from `at` to `end` are to come.
    padded: [u8; 128],
    at: usize,
    end: usize,
    /// Whether this is the hash of the digest already.
    again: bool,
}

impl<'a> Lane<'a> {
    const IDLE: Lane<'static> =
        Lane { item: None, whole: &[], padded: [0; 128], at: 0, end: 0, again: false };

    fn new(item: usize, message: &'a [u8], before: u64) -> Self {
        let (whole, tail) = message.as_chunks();
        let (padded, blocks) = padding(tail, before + message.len() as u64);
        Lane { item: Some(item), whole, padded, at: 0, end: 64 * blocks, again: false }
    }

    fn block(&self) -> &[u8; 64] {
        match self.whole.first() {
            Some(block) => block,
            // An idle lane has no end; its first bytes do.
            None => self.padded[self.at & 64..].first_chunk().expect("a whole block"),
        }
    }

    fn advance(&mut self) {
        match self.whole.split_first() {
            Some((_, rest)) => self.whole = rest,
            None => self.at += 64,
        }
    }

    fn is_done(&self) -> bool {
        self.whole.is_empty() && self.at >= self.end
    }
}

impl Work for Mixed<'_> {
    #[inline(always)]
    fn run<S: Streams<N>, const N: usize>(self, token: S::Token) {
        let Mixed { start, messages, range, twice, out, few, alone } = self;
        let mut queue = range.map(|index| messages.get(index)).enumerate();
        let mut lanes = [Lane::IDLE; N];
        let mut words = [[0; N]; 8];
        loop {
            let mut busy = 0;
            for (n, lane) in lanes.iter_mut().enumerate() {
                if lane.is_done() {
                    let state = words.each_ref().map(|word| word[n]);
                    let begin = match lane.finish(&state, twice, out) {
                        true => INITIAL,
                        false => {
                            let next = queue.next();
                            *lane = next.map_or(Lane::IDLE, |(i, m)| Lane::new(i, m, start.bytes));
                            start.state
                        }
                    };
                    for (word, begin) in words.iter_mut().zip(begin) {
                        word[n] = begin;
                    }
                }
                busy += usize::from(lane.item.is_some());
            }
            if busy == 0 {
                return;
            }
            if busy < few && queue.len() == 0 {
                break;
            }
            let streams = S::from_words(token, &words);
            words = streams.compress(from_fn(|n| lanes[n].block())).words();
            lanes.iter_mut().for_each(Lane::advance);
        }
        for (n, lane) in lanes.iter_mut().enumerate() {
            if lane.item.is_some() {
                let mut state = words.each_ref().map(|word| word[n]);
                loop {
                    alone.run(Rest { state: &mut state, lane });
                    if !lane.finish(&state, twice, out) {
                        break;
                    }
                    state = INITIAL;
                }
            }
        }
    }
}

impl Lane<'_> {
    /// Takes the state of a message that is done: writes its digest and gives false, or makes the
    /// digest the lane's next message and gives true.
    fn finish(&mut self, state: &State, twice: bool, out: &mut [[u8; 32]]) -> bool {
        let Some(item) = self.item else { return false };
        let digest = to_bytes(state);
        if twice && !self.again {
            let (padded, blocks) = padding(&digest, 32);
            *self = Lane { padded, at: 0, end: 64 * blocks, again: true, ..*self };
            return true;
        }
        out[item] = digest;
        false
    }
}

/// What is left of one message, on a kernel for single ones.
struct Rest<'a, 'b> {
    state: &'a mut State,
    lane: &'a mut Lane<'b>,
}

impl Work for Rest<'_, '_> {
    #[inline(always)]
    fn run<S: Streams<N>, const N: usize>(self, token: S::Token) {
        let mut streams = S::start(token, self.state);
        while !self.lane.is_done() {
            streams = streams.compress([self.lane.block(); N]);
            self.lane.advance();
        }
        *self.state = streams.words().map(|word| word[0]);
    }
}
