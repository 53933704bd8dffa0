//! What comes from a peer, for the fuzzer.

use crate::backend::isolated::columns::{Incoming, Spare, stretch_mut};
use crate::backend::isolated::wire::{Greeting, MESSAGE, Message};

/// Most bytes of a batch that is filled.
const LARGE: usize = 1 << 20;

/// Reads a message, and the rest as what it speaks of: a greeting, or the stream of a batch, repeated.
pub fn read(bytes: &[u8]) {
    let Some((message, rest)) = bytes.split_first_chunk::<MESSAGE>() else { return };
    let Some(message) = Message::read(message) else { return };
    assert_eq!(Message::read(&message.write()), Some(message));
    match message {
        Message::Opened { .. } => {
            if let Some(greeting) = Greeting::read(rest) {
                assert!(Greeting::read(&greeting.write()).is_some());
            }
        }
        Message::Submit { algorithm, items, bytes, .. } if items.max(bytes) < LARGE / 256 => {
            let Some(mut incoming) = Incoming::new(algorithm, items, bytes, &mut Spare::default())
            else {
                return;
            };
            for at in (0..incoming.length()).step_by(rest.len().max(1)) {
                let mut from = rest;
                for to in stretch_mut(incoming.parts_mut(), at, rest.len()) {
                    let (now, later) = from.split_at(to.len());
                    to.copy_from_slice(now);
                    from = later;
                }
            }
            if let Some(batch) = incoming.finish(&mut Spare::default()) {
                assert_eq!((batch.algorithm(), batch.live()), (algorithm, items));
            }
        }
        _ => {}
    }
}
