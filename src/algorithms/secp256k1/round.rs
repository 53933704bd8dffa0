//! Affine additions that share an inversion.

use crate::algorithms::secp256k1::field::{FieldVec, MaskVec};
use crate::algorithms::secp256k1::inversion::{invert, products, unwind};

/// A group with lanes in which the plain formula does not hold.
struct Exception<V: FieldVec> {
    group: usize,
    /// A = -B.
    opposite: V::Mask,
    /// A is infinity.
    no_a: V::Mask,
    /// B is infinity.
    no_b: V::Mask,
    a: [V; 2],
    b: [V; 2],
}

impl<V: FieldVec> Exception<V> {
    /// The sum where the formula gave it, and what else it is where not.
    fn select(&self, sum: [V; 2]) -> [V; 2] {
        let select =
            |mask, a: [V; 2], b: [V; 2]| [V::select(mask, a[0], b[0]), V::select(mask, a[1], b[1])];
        let sum = select(self.opposite, [V::splat(&[0; 4]); 2], sum);
        let sum = select(self.no_b, self.a, sum);
        select(self.no_a, self.b, sum).map(V::normalize)
    }
}

/// Groups that take their steps together: their points stay in the first-level cache.
const STEP: usize = 8;

/// Sums A + B of groups of lanes; infinity has x = y = 0. Keeps its memory.
pub(crate) struct Round<V: FieldVec> {
    /// A and B of each group, x and y. Sums take the place of A.
    points: Vec<[V; 2]>,
    groups: usize,
    /// Places from A to B; A of the next group is as far from there.
    stride: usize,
    /// x2 - x1, its inverse, the slope.
    slopes: Vec<V>,
    /// The product of all x2 - x1 before.
    prefixes: Vec<V>,
    total: V,
    /// Whether any sum came to infinity so far.
    infinite: bool,
    exceptions: Vec<Exception<V>>,
}

impl<V: FieldVec> Default for Round<V> {
    fn default() -> Self {
        Round {
            points: Vec::new(),
            groups: 0,
            stride: 1,
            slopes: Vec::new(),
            prefixes: Vec::new(),
            total: V::splat(&[1, 0, 0, 0]),
            infinite: false,
            exceptions: Vec::new(),
        }
    }
}

impl<V: FieldVec> Round<V> {
    /// No point is infinity so far.
    pub(crate) fn begin(&mut self) {
        self.infinite = false;
    }

    /// Forgets all points, and makes room for so many groups.
    #[inline(always)]
    pub(crate) fn clear(&mut self, groups: usize) {
        let zero = V::splat(&[0; 4]);
        if self.slopes.len() < groups {
            self.points.resize(2 * groups, [zero; 2]);
            self.slopes.resize(groups, zero);
            self.prefixes.resize(groups, zero);
        }
        self.groups = 0;
        self.stride = 1;
        self.total = V::splat(&[1, 0, 0, 0]);
    }

    /// Takes A and B of a group: x of magnitude 1, y of at most 2.
    #[inline(always)]
    pub(crate) fn push(&mut self, a: [V; 2], b: [V; 2]) {
        let points = &mut self.points[2 * self.groups..][..2];
        // Element by element: arrays of this size would be put together elsewhere and copied.
        points[0][0] = a[0];
        points[0][1] = a[1];
        points[1][0] = b[0];
        points[1][1] = b[1];
        self.chain(a[0], b[0]);
    }

    /// Gives a group its A: x of magnitude 1, y of at most 2. [`join`](Self::join) is to follow.
    #[inline(always)]
    pub(crate) fn set(&mut self, group: usize, a: [V; 2]) {
        let point = &mut self.points[2 * group];
        point[0] = a[0];
        point[1] = a[1];
    }

    /// Makes the sums A of the groups that [`join`](Self::join) names.
    #[inline(always)]
    pub(crate) fn follow(&mut self) {
        self.groups = 0;
        self.total = V::splat(&[1, 0, 0, 0]);
    }

    /// Takes B of the next group whose A is there.
    #[inline(always)]
    pub(crate) fn join(&mut self, b: [V; 2]) {
        let [a, point] = &mut self.points[2 * self.groups..][..2] else { unreachable!() };
        point[0] = b[0];
        point[1] = b[1];
        let x = a[0];
        self.chain(x, b[0]);
    }

    /// A of a group, or its sum once it was added.
    #[inline(always)]
    pub(crate) fn get(&self, group: usize) -> [V; 2] {
        self.points[2 * group]
    }

    /// Makes each two sums, whose number is even, A and B of a group.
    #[inline(always)]
    pub(crate) fn pair(&mut self) {
        let groups = self.groups / 2;
        self.groups = 0;
        self.stride *= 2;
        self.total = V::splat(&[1, 0, 0, 0]);
        for group in 0..groups {
            let at = 2 * self.stride * group;
            self.chain(self.points[at][0], self.points[at + self.stride][0]);
        }
    }

    #[inline(always)]
    fn chain(&mut self, x1: V, x2: V) {
        let difference = x2.add(x1.negate(1)).carry();
        self.slopes[self.groups] = difference;
        // The chain of products waits for itself; the next points are read meanwhile.
        self.prefixes[self.groups] = self.total;
        self.total = self.total.mul(difference);
        self.groups += 1;
    }

    /// The sums, fresh and of magnitude 1.
    #[inline(always)]
    pub(crate) fn sums(&self) -> impl Iterator<Item = &[V; 2]> {
        self.points.iter().step_by(2 * self.stride).take(self.groups)
    }

    /// Adds.
    #[inline(always)]
    pub(crate) fn add(&mut self) {
        self.exceptions.clear();
        if self.infinite || self.total.is_zero().any() {
            self.find_exceptions();
        }
        let mut inverse = invert(self.total);
        for start in (0..self.groups).step_by(STEP).rev() {
            let groups = start..self.groups.min(start + STEP);
            let (slopes, prefixes) =
                (&mut self.slopes[groups.clone()], &mut self.prefixes[groups.clone()]);
            let points = &mut self.points[2 * self.stride * start..];
            inverse = unwind(slopes, prefixes, inverse);
            // Step by step over some groups: the products of one step wait for nothing, those of one
            // sum for each other.
            for (points, slope) in points.chunks(2 * self.stride).zip(&mut *slopes) {
                let (y1, y2) = (points[0][1], points[self.stride][1]);
                *slope = y2.add(y1.negate(2)).carry().mul(*slope);
            }
            let xs = prefixes;
            for ((points, slope), x) in points.chunks(2 * self.stride).zip(&*slopes).zip(&mut *xs) {
                let (x1, x2) = (points[0][0], points[self.stride][0]);
                *x = slope.square_add(x1.add(x2).negate(2)).settle();
            }
            let points = points.chunks_mut(2 * self.stride);
            for ((points, slope), x) in points.zip(&*slopes).zip(&*xs) {
                let (x1, y1) = (points[0][0], points[0][1]);
                let y = slope.mul_add(x1.add(x.negate(1)).carry(), y1.negate(2)).settle();
                points[0][0] = *x;
                points[0][1] = y;
            }
        }
        if !self.exceptions.is_empty() {
            self.put_exceptions();
        }
    }

    /// Corrects the sums of the exceptions.
    #[cold]
    fn put_exceptions(&mut self) {
        for exception in &self.exceptions {
            self.infinite |= exception.opposite.any();
            let sum = &mut self.points[2 * self.stride * exception.group];
            *sum = exception.select(*sum);
        }
    }

    /// Finds the exceptions, and gives them denominators that are not zero; equal points get a y2 with
    /// which the rise over 2 y1 is a tangent's.
    #[cold]
    fn find_exceptions(&mut self) {
        let Round { points, slopes, prefixes, groups, stride, .. } = self;
        let (one, slopes) = (V::splat(&[1, 0, 0, 0]), &mut slopes[..*groups]);
        for (group, (points, slope)) in points.chunks_mut(2 * *stride).zip(&mut *slopes).enumerate()
        {
            let ([x1, y1], [x2, y2]) = (points[0], points[*stride]);
            let (no_a, no_b) = (x1.is_zero(), x2.is_zero());
            let (none, same) = (no_a.or(no_b), slope.is_zero());
            if !same.or(none).any() {
                continue;
            }
            let same = same.and(none.not());
            let opposite = same.and(y1.add(y2).is_zero());
            let equal = same.and(opposite.not());
            let doubling = V::select(equal, y1.times(2).carry(), *slope);
            *slope = V::select(opposite.or(none), one, doubling);
            let tangent = x1.square().times(3).add(y1).normalize();
            points[*stride][1] = V::select(equal, tangent, y2);
            let (a, b) = ([x1, y1.carry()], [x2, y2.carry()]);
            self.exceptions.push(Exception { group, opposite, no_a, no_b, a, b });
        }
        self.total = products(slopes, prefixes);
    }
}
