//! A batch and its evidence as streams of bytes, the columns as they are, one after the other:
//!
//! | algorithm | stream |
//! |---|---|
//! | ECDSA | z, r, s, key's x, key's y: 32 bytes an item each; then the key's form, 1 |
//! | BIP 340 | x of R, s, e, key's x: 32 each |
//! | recovery | z, r, s: 32 each; then the parity, 1 |
//! | hashes, Merkle root | where each message ends, u32 each; then the messages |
//! | null | |
//!
//! Evidence: points 96 bytes an item, keys 64, digests 32; then roots, if any, 32. Live items alone travel. A pinned key travels
//! as a full one, and an item of a combined batch as a single one.

use bytemuck::{cast_slice, cast_slice_mut};

use crate::algorithm::Algorithm;
use crate::backend::isolated::SLOTS;
use crate::backend::isolated::wire::Kind;
use crate::batch::{Batch, Form, Job};
use crate::parsed::{
    EcdsaOperands, KeyForm, Keys, Operands, Parsed, RecoverOperands, SchnorrOperands, Words,
};
use crate::verdict::{Evidence, Point, Rooted};

/// Parts of a stream: at most five columns of words, the ends, the bytes.
const PARTS: usize = 7;

/// Columns of words, and whether there are ends.
fn layout(algorithm: Algorithm) -> Option<(usize, bool)> {
    match algorithm {
        Algorithm::EcdsaSecp256k1(_) => Some((5, false)),
        Algorithm::SchnorrBip340 => Some((4, false)),
        Algorithm::RecoverSecp256k1(_) => Some((3, false)),
        Algorithm::Sha256
        | Algorithm::Sha256d
        | Algorithm::Keccak256
        | Algorithm::MerkleRootSha256d => Some((0, true)),
        Algorithm::Null => Some((0, false)),
        // Verdicts are its evidence.
        Algorithm::MerkleProofSha256d => None,
    }
}

/// Whether batches of it can travel.
pub(crate) fn travels(algorithm: Algorithm) -> bool {
    layout(algorithm).is_some()
}

/// The stretch of a stream that begins at `at`, at most `room` bytes of it.
pub(crate) fn stretch<'a>(
    parts: impl IntoIterator<Item = &'a [u8]>,
    mut at: usize,
    mut room: usize,
) -> impl Iterator<Item = &'a [u8]> {
    parts.into_iter().map(move |part| {
        let from = at.min(part.len());
        let length = room.min(part.len() - from);
        (at, room) = (at - from, room - length);
        &part[from..from + length]
    })
}

/// [`stretch`] of a stream that is written to.
pub(crate) fn stretch_mut<'a>(
    parts: impl IntoIterator<Item = &'a mut [u8]>,
    mut at: usize,
    mut room: usize,
) -> impl Iterator<Item = &'a mut [u8]> {
    parts.into_iter().map(move |part| {
        let from = at.min(part.len());
        let length = room.min(part.len() - from);
        (at, room) = (at - from, room - length);
        &mut part[from..from + length]
    })
}

/// The stream of a batch. `forms` is memory for the key forms, filled by [`forms`].
pub(crate) fn parts<'a>(batch: &'a Parsed, forms: &'a [u8]) -> [&'a [u8]; PARTS] {
    let words = cast_slice::<Words, u8>;
    match batch.operands() {
        Operands::Ecdsa(o) => {
            [words(&o.z), words(&o.r), words(&o.s), words(&o.keys.x), words(&o.keys.y), &[], forms]
        }
        Operands::Schnorr(o) => {
            [words(&o.r), words(&o.s), words(&o.e), words(&o.key), &[], &[], &[]]
        }
        Operands::Recover(o) => [words(&o.z), words(&o.r), words(&o.s), &[], &[], &[], &o.parity],
        Operands::Columns => {
            let column = batch.batch().column(0);
            [&[], &[], &[], &[], &[], cast_slice(column.ends()), column.bytes()]
        }
    }
}

/// Writes the key forms of a batch as bytes.
pub(crate) fn forms(batch: &Parsed, out: &mut Vec<u8>) {
    out.clear();
    if let Operands::Ecdsa(operands) = batch.operands() {
        out.extend(operands.keys.form.iter().map(|form| *form as u8));
    }
}

/// Bytes of a stream.
pub(crate) fn length(parts: &[&[u8]]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

/// Memory that one batch leaves to the next: large columns are slow to get anew.
#[derive(Default)]
pub(crate) struct Spare {
    words: Vec<Vec<Words>>,
    bytes: Vec<u8>,
}

impl Spare {
    /// Takes the columns of a batch that is done.
    pub fn put(&mut self, batch: Parsed) {
        let columns = match batch.operands {
            Operands::Ecdsa(o) => [o.z, o.r, o.s, o.keys.x, o.keys.y],
            Operands::Schnorr(o) => [o.r, o.s, o.e, o.key, Vec::new()],
            Operands::Recover(o) => [o.z, o.r, o.s, Vec::new(), Vec::new()],
            Operands::Columns => return,
        };
        // No more than batches in flight have.
        let room = (5 * SLOTS).saturating_sub(self.words.len());
        self.words.extend(columns.into_iter().filter(|column| column.capacity() > 0).take(room));
    }
}

/// A batch that is still coming.
pub(crate) struct Incoming {
    algorithm: Algorithm,
    items: usize,
    words: [Vec<Words>; 5],
    ends: Vec<u32>,
    bytes: Vec<u8>,
    /// Whether roots are wanted.
    pub roots: bool,
}

impl Incoming {
    /// Room for a batch; `bytes`: of all its messages. `None` where such a batch does not travel.
    pub fn new(
        algorithm: Algorithm,
        items: usize,
        bytes: usize,
        spare: &mut Spare,
    ) -> Option<Incoming> {
        let (columns, ends) = layout(algorithm)?;
        let bytes = match algorithm {
            Algorithm::EcdsaSecp256k1(_) | Algorithm::RecoverSecp256k1(_) => items,
            _ if ends => bytes,
            _ => 0,
        };
        let mut column = |length| {
            let mut column = if length > 0 { spare.words.pop() } else { None }.unwrap_or_default();
            column.resize(length, [0; 4]);
            column
        };
        let words = std::array::from_fn(|i| column(if i < columns { items } else { 0 }));
        let mut text = std::mem::take(&mut spare.bytes);
        text.resize(bytes, 0);
        let ends = vec![0; if ends { items } else { 0 }];
        Some(Incoming { algorithm, items, words, ends, bytes: text, roots: false })
    }

    /// Bytes of the stream.
    pub fn length(&self) -> usize {
        let words: usize = self.words.iter().map(|column| 32 * column.len()).sum();
        words + 4 * self.ends.len() + self.bytes.len()
    }

    /// Where the stream goes.
    pub fn parts_mut(&mut self) -> [&mut [u8]; PARTS] {
        let [a, b, c, d, e] = self.words.each_mut().map(|column| cast_slice_mut(column));
        [a, b, c, d, e, cast_slice_mut(&mut self.ends), &mut self.bytes]
    }

    /// The batch; `None` where what came is none: ends that do not rise to the last byte, forms or
    /// parities that there are not, messages longer than a job may carry.
    pub fn finish(self, spare: &mut Spare) -> Option<Parsed> {
        let Incoming { algorithm, items, words, ends, bytes, roots } = self;
        let [a, b, c, d, e] = words;
        let operands = match algorithm {
            Algorithm::EcdsaSecp256k1(_) => {
                let form = bytes.into_iter().map(form).collect::<Option<_>>()?;
                let keys = Keys { x: d, y: e, form };
                let (hints, pinned) = (Vec::new(), Vec::new());
                Operands::Ecdsa(EcdsaOperands { z: a, r: b, s: c, keys, hints, pinned })
            }
            Algorithm::SchnorrBip340 => {
                let pinned = Vec::new();
                Operands::Schnorr(SchnorrOperands { r: a, s: b, e: c, key: d, pinned })
            }
            Algorithm::RecoverSecp256k1(_) => {
                if bytes.iter().any(|parity| *parity > 1) {
                    return None;
                }
                Operands::Recover(RecoverOperands { z: a, r: b, s: c, parity: bytes })
            }
            _ => {
                let batch = messages(algorithm, items, &ends, &bytes)?;
                spare.bytes = bytes;
                let (live, dead) = (Vec::new(), Vec::new());
                let (form, operands) = (Form::Single, Operands::Columns);
                return Some(Parsed { batch, form, operands, live, dead, roots: false });
            }
        };
        let batch = Batch::open(algorithm).seal();
        let live = (0..items as u32).collect();
        Some(Parsed { batch, form: Form::Single, operands, live, dead: Vec::new(), roots })
    }
}

fn form(code: u8) -> Option<KeyForm> {
    [KeyForm::Even, KeyForm::Odd, KeyForm::Full].into_iter().find(|form| *form as u8 == code)
}

fn messages(algorithm: Algorithm, items: usize, ends: &[u32], bytes: &[u8]) -> Option<Batch> {
    let mut batch = Batch::open(algorithm);
    if algorithm == Algorithm::Null {
        (0..items).try_for_each(|_| batch.push(Job::Null).map(drop)).ok()?;
    }
    let mut start = 0;
    for &end in ends {
        let message = bytes.get(start..end as usize)?;
        start = end as usize;
        let job = match (algorithm, message.as_chunks()) {
            (Algorithm::MerkleRootSha256d, (leaves, [])) => Job::MerkleRoot { leaves },
            (Algorithm::MerkleRootSha256d, _) => return None,
            _ => Job::Hash { message },
        };
        batch.push(job).ok()?;
    }
    (start == bytes.len()).then(|| batch.seal())
}

/// The kind of some evidence.
pub(crate) fn kind(evidence: &Evidence) -> Kind {
    match evidence {
        Evidence::Points(_) => Kind::Points,
        Evidence::Keys(_) => Kind::Keys,
        Evidence::Digests(_) => Kind::Digests,
        Evidence::Nothing => Kind::Nothing,
        Evidence::Verdicts(_) => Kind::Verdicts,
        Evidence::Rooted(rooted) => match rooted.evidence {
            Evidence::Points(_) => Kind::RootedPoints,
            Evidence::Keys(_) => Kind::RootedKeys,
            // Nothing that a correct backend sends.
            _ => Kind::Verdicts,
        },
    }
}

/// Evidence of a kind, not yet filled.
pub(crate) fn blank(kind: Kind, items: usize) -> Evidence {
    match kind {
        Kind::Points => Evidence::Points(vec![bytemuck::Zeroable::zeroed(); items]),
        Kind::Keys => Evidence::Keys(vec![[0; 64]; items]),
        Kind::Digests => Evidence::Digests(vec![[0; 32]; items]),
        Kind::Nothing => Evidence::Nothing,
        Kind::Verdicts => Evidence::Verdicts(Vec::new()),
        Kind::RootedPoints => rooted(blank(Kind::Points, items)),
        Kind::RootedKeys => rooted(blank(Kind::Keys, items)),
    }
}

fn rooted(evidence: Evidence) -> Evidence {
    let roots = vec![[0; 4]; evidence.len()];
    Evidence::Rooted(Box::new(Rooted { evidence, roots }))
}

/// Entries and stream of some evidence, in two parts.
pub(crate) fn entries(evidence: &Evidence) -> (usize, [&[u8]; 2]) {
    match evidence {
        Evidence::Points(points) => (points.len(), [cast_slice::<Point, u8>(points), &[]]),
        Evidence::Keys(keys) => (keys.len(), [keys.as_flattened(), &[]]),
        Evidence::Digests(digests) => (digests.len(), [digests.as_flattened(), &[]]),
        Evidence::Rooted(rooted) if rooted.roots.len() == rooted.evidence.len() => {
            let (items, [stream, _]) = entries(&rooted.evidence);
            (items, [stream, cast_slice::<Words, u8>(&rooted.roots)])
        }
        _ => (0, [&[], &[]]),
    }
}

/// Where the stream of some evidence goes.
pub(crate) fn entries_mut(evidence: &mut Evidence) -> [&mut [u8]; 2] {
    match evidence {
        Evidence::Points(points) => [cast_slice_mut::<Point, u8>(points), &mut []],
        Evidence::Keys(keys) => [keys.as_flattened_mut(), &mut []],
        Evidence::Digests(digests) => [digests.as_flattened_mut(), &mut []],
        Evidence::Rooted(rooted) => {
            let Rooted { evidence, roots } = &mut **rooted;
            let [stream, _] = entries_mut(evidence);
            [stream, cast_slice_mut::<Words, u8>(roots)]
        }
        Evidence::Verdicts(_) | Evidence::Nothing => [&mut [], &mut []],
    }
}
