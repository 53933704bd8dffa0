//! Messages of mixed lengths: a lane whose message ends takes the next one, so lanes stay full.

use std::array::from_fn;
use std::ops::Range;

use super::lanes::{State, WordVec, permute};
use super::uniform::absorb;
use super::{RATE, Work, padding};
use crate::batch::Column;

/// Hashes messages of any lengths.
pub(super) struct Mixed<'a> {
    /// The messages.
    pub messages: &'a Column,
    /// Which of them.
    pub range: Range<usize>,
    /// One digest a message.
    pub out: &'a mut [[u8; 32]],
}

/// A message on its way through a lane.
#[derive(Clone, Copy)]
struct Lane<'a> {
    /// Its position in `out`; `None`: the lane is idle.
    item: Option<usize>,
    /// Whole blocks to come.
    whole: &'a [[u8; RATE]],
    /// The last block.
    padded: [u8; RATE],
    /// Whether all blocks went into the state.
    done: bool,
}

impl<'a> Lane<'a> {
    const IDLE: Lane<'static> = Lane { item: None, whole: &[], padded: [0; RATE], done: true };

    fn new(item: usize, message: &'a [u8]) -> Self {
        let (whole, tail) = message.as_chunks();
        Lane { item: Some(item), whole, padded: padding(tail), done: false }
    }

    fn block(&self) -> &[u8; RATE] {
        self.whole.first().unwrap_or(&self.padded)
    }

    fn advance(&mut self) {
        match self.whole.split_first() {
            Some((_, rest)) => self.whole = rest,
            None => self.done = true,
        }
    }
}

impl Work for Mixed<'_> {
    #[inline(always)]
    fn run<V: WordVec<N>, const N: usize>(self, token: V::Token) {
        let Mixed { messages, range, out } = self;
        let mut queue = range.map(|index| messages.get(index)).enumerate();
        let mut lanes = [Lane::IDLE; N];
        let mut words = [[0; N]; 25];
        loop {
            let state = from_words(token, &words);
            let digests = V::store([state[0], state[1], state[2], state[3]]);
            for (n, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| lane.done) {
                if let Some(item) = lane.item {
                    out[item] = digests[n];
                }
                *lane = queue.next().map_or(Lane::IDLE, |(item, message)| Lane::new(item, message));
                words.iter_mut().for_each(|words| words[n] = 0);
            }
            if lanes.iter().all(|lane| lane.item.is_none()) {
                return;
            }
            let mut state = from_words(token, &words);
            absorb(&mut state, V::load(token, from_fn(|n| lanes[n].block())));
            permute(&mut state);
            for (words, vector) in words.iter_mut().zip(state) {
                *words = vector.to_array();
            }
            lanes.iter_mut().for_each(Lane::advance);
        }
    }
}

#[inline(always)]
fn from_words<V: WordVec<N>, const N: usize>(token: V::Token, words: &[[u64; N]; 25]) -> State<V> {
    let mut state = [V::from_array(token, &words[0]); 25];
    for (vector, words) in state.iter_mut().zip(words) {
        *vector = V::from_array(token, words);
    }
    state
}
