//! What the two processes say to each other, as bytes. Neither believes the other: whatever is read here
//! is within its bounds, or is not read.
//!
//! A message is [`MESSAGE`] bytes: code u32, slot u32, id u64, kind u64, items u64, bytes u64, in the
//! byte order of the machine that both run on. What a message speaks of lies in its slot.

use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::backend::isolated::{LEAST_SLOT, SLOTS};
use crate::backend::{BatchId, Capability};
use crate::batch::{BATCH_BYTES_LIMIT, BATCH_ITEMS_LIMIT};

/// Bytes of a message.
pub const MESSAGE: usize = 40;

/// Changes with whatever is said here.
const VERSION: u64 = 2;

/// Most bytes of a text.
pub const TEXT: usize = LEAST_SLOT / 4;

/// Which evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Points.
    Points,
    /// Keys.
    Keys,
    /// Digests.
    Digests,
    /// Nothing, of the algorithm that computes nothing.
    Nothing,
    /// Verdicts, which none may send: they do not travel, only that there were some.
    Verdicts,
    /// Points with roots.
    RootedPoints,
    /// Keys with roots.
    RootedKeys,
}

/// A message. Those of a batch carry its slot; the stream of a batch or its evidence goes through the
/// slot in pieces of the slot's size, the last one shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Down, first: open the device whose name, of so many bytes, lies in slot 0.
    Open { bytes: usize },
    /// Up: it is open; a [`Greeting`] of so many bytes lies in slot 0.
    Opened { bytes: usize },
    /// Up: it is not, and slot 0 says why. `absent`: because it is not there.
    Refused { absent: bool, bytes: usize },
    /// Down: the first piece of a batch is there. `bytes`: of all messages together. `roots`: they are
    /// wanted with the evidence.
    Submit {
        slot: usize,
        id: BatchId,
        algorithm: Algorithm,
        roots: bool,
        items: usize,
        bytes: usize,
    },
    /// Up: the first piece of a batch's evidence is there.
    Evidence { slot: usize, id: BatchId, kind: Kind, items: usize },
    /// Up: the batch failed, and the slot says why.
    Failed { slot: usize, id: BatchId, bytes: usize },
    /// Either way: a piece was copied out; the next, please.
    Copied { slot: usize },
    /// Either way: the next piece is there.
    More { slot: usize },
}

impl Message {
    /// As bytes.
    pub fn write(self) -> [u8; MESSAGE] {
        let [code, slot, id, kind, items, bytes] = match self {
            Message::Open { bytes } => [1, 0, 0, VERSION, 0, bytes as u64],
            Message::Opened { bytes } => [2, 0, 0, VERSION, 0, bytes as u64],
            Message::Refused { absent, bytes } => [3, 0, 0, absent.into(), 0, bytes as u64],
            Message::Submit { slot, id, algorithm, roots, items, bytes } => {
                let kind = code(algorithm) << 1 | u64::from(roots);
                [4, slot as u64, id.0, kind, items as u64, bytes as u64]
            }
            Message::Evidence { slot, id, kind, items } => {
                [5, slot as u64, id.0, kind as u64, items as u64, 0]
            }
            Message::Failed { slot, id, bytes } => [6, slot as u64, id.0, 0, 0, bytes as u64],
            Message::Copied { slot } => [7, slot as u64, 0, 0, 0, 0],
            Message::More { slot } => [8, slot as u64, 0, 0, 0, 0],
        };
        let mut out = [0; MESSAGE];
        bytemuck::cast_slice_mut(&mut out[..8])
            .copy_from_slice(&[code as u32, slot as u32].map(u32::to_ne_bytes));
        bytemuck::cast_slice_mut(&mut out[8..])
            .copy_from_slice(&[id, kind, items, bytes].map(u64::to_ne_bytes));
        out
    }

    /// Reads one; `None` for what [`Message::write`] does not write.
    pub fn read(whole: &[u8; MESSAGE]) -> Option<Message> {
        let [code, slot]: [u32; 2] = bytemuck::pod_read_unaligned(&whole[..8]);
        let [id, kind, items, bytes]: [u64; 4] = bytemuck::pod_read_unaligned(&whole[8..]);
        let below =
            |value: u64, limit: usize| usize::try_from(value).ok().filter(|value| *value <= limit);
        let slot = below(slot.into(), SLOTS - 1)?;
        let items = below(items, BATCH_ITEMS_LIMIT)?;
        let id = BatchId(id);
        let message = match code {
            1 => Message::Open { bytes: below(bytes, TEXT)? },
            2 => Message::Opened { bytes: below(bytes, LEAST_SLOT)? },
            3 => Message::Refused { absent: kind != 0, bytes: below(bytes, TEXT)? },
            4 => {
                let bytes = below(bytes, BATCH_BYTES_LIMIT)?;
                let (algorithm, roots) = (algorithm(kind >> 1)?, kind & 1 == 1);
                Message::Submit { slot, id, algorithm, roots, items, bytes }
            }
            5 => {
                let kind = *KINDS.get(usize::try_from(kind).ok()?)?;
                Message::Evidence { slot, id, kind, items }
            }
            6 => Message::Failed { slot, id, bytes: below(bytes, TEXT)? },
            7 => Message::Copied { slot },
            8 => Message::More { slot },
            _ => return None,
        };
        // One way to say a thing, and the same version on both sides.
        (message.write() == *whole).then_some(message)
    }
}

/// All kinds, by number.
pub const KINDS: [Kind; 7] = [
    Kind::Points,
    Kind::Keys,
    Kind::Digests,
    Kind::Nothing,
    Kind::Verdicts,
    Kind::RootedPoints,
    Kind::RootedKeys,
];

/// An algorithm as a number.
fn code(algorithm: Algorithm) -> u64 {
    let place = Algorithm::ALL.iter().position(|known| *known == algorithm);
    place.unwrap_or(Algorithm::ALL.len()) as u64
}

fn algorithm(code: u64) -> Option<Algorithm> {
    let all = Algorithm::ALL.into_iter().chain([Algorithm::Null]);
    all.enumerate().find_map(|(place, known)| (place as u64 == code).then_some(known))
}

/// What a child says of the device that it opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub description: String,
    /// Items that it computes at once.
    pub width: usize,
    /// Time that any batch takes on it.
    pub setup: Duration,
    /// Shortest silence that counts as a hang.
    pub patience: Duration,
    /// It computes on the host's cores.
    pub shared: bool,
    /// What it serves with evidence.
    pub capabilities: Vec<Capability>,
}

/// Longest times that a device is believed to need.
const LONGEST: Duration = Duration::from_secs(60);

impl Greeting {
    /// Words of 8 bytes (width, setup and patience in ns, 1 for a device on the host's cores; lengths of the texts and of the list), then for
    /// each capability its algorithm and most items, then both texts.
    pub fn write(&self) -> Vec<u8> {
        let texts = [&self.name, &self.description].map(|text| clipped(text, TEXT));
        let nanos = |time: Duration| time.min(LONGEST).as_nanos() as u64;
        let (list, lengths) = (self.capabilities.len() as u64, texts.map(|text| text.len() as u64));
        let fixed =
            [self.width as u64, nanos(self.setup), nanos(self.patience), self.shared.into()];
        let mut words = [&fixed[..], &lengths, &[list]].concat();
        for capability in &self.capabilities {
            words.extend([code(capability.algorithm), capability.max_items as u64]);
        }
        let mut out: Vec<u8> = words.into_iter().flat_map(u64::to_ne_bytes).collect();
        texts.into_iter().for_each(|text| out.extend(text.as_bytes()));
        out
    }

    /// Reads one; `None` for bytes that end too early or late, and for unknown algorithms. Numbers out of
    /// range become the next one in it.
    pub fn read(bytes: &[u8]) -> Option<Greeting> {
        let mut rest = bytes;
        let mut word = || {
            let (word, after) = rest.split_first_chunk()?;
            rest = after;
            Some(u64::from_ne_bytes(*word))
        };
        let mut words = [0; 7];
        for out in &mut words {
            *out = word()?;
        }
        let [width, setup, patience, shared, name, description, list] = words;
        let mut capabilities = Vec::new();
        for _ in 0..list.min(LEAST_SLOT as u64) {
            let (algorithm, most) = (algorithm(word()?)?, word()?);
            let max_items =
                usize::try_from(most).map_or(BATCH_ITEMS_LIMIT, |most| most.min(BATCH_ITEMS_LIMIT));
            capabilities.push(Capability { algorithm, max_items, judges: false });
        }
        let name = usize::try_from(name).ok()?;
        let (name, text) = rest.split_at_checked(name)?;
        let nanos = |time: u64| Duration::from_nanos(time).min(LONGEST);
        (text.len() as u64 == description).then(|| Greeting {
            name: plain(name),
            description: plain(text),
            width: usize::try_from(width).unwrap_or(usize::MAX).clamp(1, BATCH_ITEMS_LIMIT),
            setup: nanos(setup),
            patience: nanos(patience),
            shared: shared != 0,
            capabilities,
        })
    }
}

/// As much of a text as so many bytes hold.
pub fn clipped(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// A text from elsewhere, fit to be printed.
pub fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn messages() -> Vec<Message> {
        let (slot, id) = (SLOTS - 1, BatchId(u64::MAX));
        let mut all = vec![
            Message::Open { bytes: 3 },
            Message::Opened { bytes: LEAST_SLOT },
            Message::Refused { absent: false, bytes: 0 },
            Message::Refused { absent: true, bytes: TEXT },
            Message::Failed { slot, id, bytes: 17 },
            Message::Copied { slot },
            Message::More { slot },
        ];
        for algorithm in Algorithm::ALL.into_iter().chain([Algorithm::Null]) {
            let (items, bytes) = (BATCH_ITEMS_LIMIT, BATCH_BYTES_LIMIT);
            let roots = all.len() % 2 == 0;
            all.push(Message::Submit { slot, id, algorithm, roots, items, bytes });
        }
        let evidence = |kind| Message::Evidence { slot, id, kind, items: 5 };
        all.extend(KINDS.map(evidence));
        all
    }

    fn greeting() -> Greeting {
        let capability =
            |algorithm| Capability { algorithm, max_items: BATCH_ITEMS_LIMIT, judges: false };
        Greeting {
            name: "gpu".to_owned(),
            description: "a GPU ü".to_owned(),
            width: 16_384,
            setup: Duration::from_micros(200),
            patience: Duration::from_secs(2),
            shared: true,
            capabilities: Algorithm::ALL.map(capability).to_vec(),
        }
    }

    #[test]
    fn what_is_said_is_heard() {
        for message in messages() {
            assert_eq!(Message::read(&message.write()), Some(message));
        }
        let greeting = greeting();
        assert_eq!(Greeting::read(&greeting.write()), Some(greeting.clone()));
        let long = "ü".repeat(TEXT);
        let most = Greeting { name: long.clone(), description: long, ..greeting };
        assert!(most.write().len() <= LEAST_SLOT);
        let read = Greeting::read(&most.write()).expect("a greeting");
        assert!(most.name.starts_with(&read.name) && read.name.len() == TEXT);
    }

    #[test]
    fn another_version_is_not_understood() {
        for message in [Message::Open { bytes: 3 }, Message::Opened { bytes: 3 }] {
            let mut bytes = message.write();
            bytes[16] ^= 3;
            assert_eq!(Message::read(&bytes), None);
        }
    }

    /// Whatever comes: nothing panics, and what is understood is within its bounds and said in one way.
    #[test]
    fn noise_is_not_understood() {
        let mut random = StdRng::seed_from_u64(1);
        let (messages, greeting) = (messages(), greeting().write());
        let mut understood = 0;
        for round in 0..200_000 {
            let mut bytes: [u8; MESSAGE] = match round % 2 {
                0 => messages[random.random_range(0..messages.len())].write(),
                _ => random.random(),
            };
            for _ in 0..random.random_range(0..3) {
                bytes[random.random_range(0..MESSAGE)] = random.random();
            }
            if let Some(message) = Message::read(&bytes) {
                understood += 1;
                assert_eq!(message.write(), bytes);
                match message {
                    Message::Submit { slot, items, bytes, .. } => {
                        assert!(slot < SLOTS && items <= BATCH_ITEMS_LIMIT);
                        assert!(bytes <= BATCH_BYTES_LIMIT);
                    }
                    Message::Evidence { slot, items, .. } => {
                        assert!(slot < SLOTS && items <= BATCH_ITEMS_LIMIT);
                    }
                    Message::Copied { slot } | Message::More { slot } => assert!(slot < SLOTS),
                    Message::Failed { slot, bytes, .. } => assert!(slot < SLOTS && bytes <= TEXT),
                    Message::Open { bytes } | Message::Refused { bytes, .. } => {
                        assert!(bytes <= TEXT);
                    }
                    Message::Opened { bytes } => assert!(bytes <= LEAST_SLOT),
                }
            }
            let mut bytes = greeting.clone();
            bytes.truncate(random.random_range(0..=bytes.len()));
            for _ in 0..random.random_range(0..4) {
                if let Some(at) = bytes.len().checked_sub(1) {
                    bytes[random.random_range(0..=at)] = random.random();
                }
            }
            if let Some(Greeting { name, width, setup, patience, capabilities, .. }) =
                Greeting::read(&bytes)
            {
                assert!(width >= 1 && setup <= LONGEST && patience <= LONGEST);
                assert!(capabilities.iter().all(|c| c.max_items <= BATCH_ITEMS_LIMIT && !c.judges));
                assert!(!name.chars().any(char::is_control));
            }
        }
        assert!(understood > 10_000);
    }
}
