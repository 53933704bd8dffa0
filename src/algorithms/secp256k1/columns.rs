//! First sums of many lists of affine points: a lane takes up to [`DEPTH`] points of one list and adds
//! one after the other, all lanes of a tile at a time, so that each point is gathered once and sums
//! stay where they are. Lanes stand in the order of their number of points: groups of lanes end
//! together, and what single lanes have beyond their group is left to [`Adder`].

use crate::algorithms::secp256k1::field::{FieldVec, LANES, MaskVec, Row, Stage};
use crate::algorithms::secp256k1::lists::{Adder, Entry, Rows};
use crate::algorithms::secp256k1::round::Round;

/// Most points of a lane.
const DEPTH: usize = 24;

/// Lanes that share inversions. Their points and sums take 480 bytes a lane, more than a second-level cache has:
/// half as many, which fit, take longer (Zen 5).
pub(crate) const TILE: usize = 4_096;

/// Fewest groups of lanes whose next sums are worth an inversion.
const FEWEST: usize = 16;

/// Points with the list that each goes to, and the memory to sort them.
#[derive(Default)]
pub(crate) struct Columns {
    /// The list of each point plus one; 0 is none.
    pub(crate) lists: Vec<u16>,
    pub(crate) points: Vec<Entry>,
    /// Where the next point of each list goes, and then.
    places: Vec<Place>,
    /// The point that a lane takes at a step: at `step * lanes + lane`.
    steps: Vec<Entry>,
    /// The list and the number of points of each lane; numbers fall.
    owners: Vec<u32>,
    sizes: Vec<u8>,
    /// Of the groups of a tile: points that were added.
    done: Vec<u8>,
}

#[derive(Clone, Copy, Default)]
struct Place {
    /// In `steps`. At first: the list's number of points.
    at: u32,
    /// The next lane once this one is full.
    next: u32,
    /// Full lanes that are left.
    full: u32,
    /// The lane of the points that fill none.
    last: u32,
}

impl Columns {
    /// Adds the points to lists of the adder, which are empty: from `first` on `lists` of them.
    pub(crate) fn add<V: FieldVec>(
        &mut self,
        adder: &mut Adder<V>,
        rows: &mut Rows,
        first: usize,
        lists: usize,
    ) {
        V::enter(Sort { columns: self, lists });
        let lanes = self.sizes.len();
        for start in (0..lanes).step_by(TILE) {
            let tile = start..lanes.min(start + TILE);
            let groups = tile.len() / V::LANES;
            let sums = rows.len();
            rows.set_len(sums + groups * V::LANES);
            let (old, new) = rows.split_at_mut(sums);
            V::enter(Tile::<V> {
                round: adder.round(),
                columns: self,
                start,
                groups,
                rows: old,
                sums: new,
            });
            for lane in tile.clone() {
                let list = first + self.owners[lane] as usize;
                let group = (lane - start) / V::LANES;
                let mut done = 0;
                if group < groups {
                    done = self.done[group];
                    adder.put_one(rows, list, Entry::new(sums + lane - start, false));
                }
                for step in done..self.sizes[lane] {
                    let entry = self.steps[usize::from(step) * lanes + lane];
                    adder.put_one(rows, list, entry);
                }
            }
        }
    }
}

/// Gives each point its lane and step.
struct Sort<'a> {
    columns: &'a mut Columns,
    lists: usize,
}

impl Stage for Sort<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Columns { lists, points, places, steps, owners, sizes, .. } = self.columns;
        places.clear();
        places.resize(self.lists + 1, Place::default());
        for &list in &*lists {
            places[list as usize].at += 1;
        }
        let mut of_size = [0u32; DEPTH + 1];
        for place in &places[1..] {
            of_size[DEPTH] += place.at / DEPTH as u32;
            of_size[place.at as usize % DEPTH] += 1;
        }
        // The first lane of each size.
        let mut next = [0u32; DEPTH + 1];
        for size in (1..DEPTH).rev() {
            next[size] = next[size + 1] + of_size[size + 1];
        }
        let lanes = (next[1] + of_size[1]) as usize;
        sizes.clear();
        for size in (1..=DEPTH).rev() {
            sizes.resize(sizes.len() + of_size[size] as usize, size as u8);
        }
        owners.clear();
        owners.resize(lanes + 1, 0);
        for (list, place) in places[1..].iter_mut().enumerate() {
            let (full, rest) = (place.at / DEPTH as u32, place.at as usize % DEPTH);
            let lane = next[DEPTH];
            next[DEPTH] += full;
            owners[lane as usize..next[DEPTH] as usize].fill(list as u32);
            // What has no points of this kind writes where nobody reads.
            let last = if rest > 0 { next[rest] } else { lanes as u32 };
            next[rest] += u32::from(rest > 0);
            owners[last as usize] = list as u32;
            let at = if full > 0 { lane } else { last };
            *place = Place { at, next: lane + 1, full, last };
        }
        steps.resize(DEPTH * lanes + LANES, Entry::new(0, false));
        for (&list, &point) in lists.iter().zip(&*points) {
            if list == 0 {
                continue;
            }
            let place = &mut places[list as usize];
            steps[place.at as usize] = point;
            place.at += lanes as u32;
            if place.at as usize >= DEPTH * lanes {
                place.full -= 1;
                place.at = if place.full > 0 { place.next } else { place.last };
                place.next += 1;
            }
        }
    }
}

/// Adds the points of a tile up.
struct Tile<'a, V: FieldVec> {
    round: &'a mut Round<V>,
    columns: &'a mut Columns,
    /// Its first lane.
    start: usize,
    groups: usize,
    rows: &'a [Row],
    /// A sum a lane.
    sums: &'a mut [Row],
}

/// The points of one entry a lane; y has magnitude 2 and is not fresh.
#[inline(always)]
fn gather<V: FieldVec>(rows: &[Row], entries: &[Entry]) -> [V; 2] {
    let mut signs = [0; LANES];
    for (sign, entry) in signs.iter_mut().zip(&entries[..V::LANES]) {
        *sign = entry.bits();
    }
    let [x, y] = V::gather(|lane| &rows[entries[lane].row()]);
    [x, V::select(V::Mask::from_signs(&signs), y.negate(1), y)]
}

impl<V: FieldVec> Stage for Tile<'_, V> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Tile { round, columns, start, groups, rows, sums } = self;
        let Columns { steps, sizes, done, .. } = columns;
        let lanes = sizes.len();
        round.clear(groups);
        for group in 0..groups {
            round.set(group, gather(rows, &steps[start + group * V::LANES..][..V::LANES]));
        }
        done.clear();
        done.resize(groups, 0);
        let mut active = groups;
        for step in 1..=DEPTH {
            while active > 0 && usize::from(sizes[start + active * V::LANES - 1]) <= step {
                active -= 1;
                done[active] = step as u8;
            }
            if active < FEWEST {
                done[..active].fill(step as u8);
                break;
            }
            let entries = &steps[step * lanes + start..][..active * V::LANES];
            round.follow();
            let later = &steps[step * lanes + start + V::LANES..];
            for (entries, later) in entries.chunks_exact(V::LANES).zip(later.chunks_exact(V::LANES))
            {
                // Past the last group stands anything.
                later.iter().filter_map(|entry| rows.get(entry.row())).for_each(V::prefetch);
                round.join(gather(rows, entries));
            }
            round.add();
        }
        for (group, sums) in sums.chunks_exact_mut(V::LANES).enumerate() {
            let [x, y] = round.get(group);
            V::scatter([x.normalize(), y.normalize()], |lane, row| sums[lane] = row);
        }
    }
}
