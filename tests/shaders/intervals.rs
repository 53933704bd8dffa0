//! Numbers known as intervals, and what operators make of them.

use naga::{BinaryOperator, Scalar, ScalarKind};

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(Interval),
    /// A truth value, where it is certain.
    Bool(Option<bool>),
    /// An array or a struct.
    Parts(Vec<Value>),
}

/// An integer from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The least it may be.
    pub low: i128,
    /// The most it may be.
    pub high: i128,
    /// Its type.
    pub scalar: Scalar,
    /// It may have left its type. Its low bits are right then, and nothing else is.
    pub wrapped: bool,
}

impl Interval {
    /// What an operation leaves in its type, whose exact result lies between `low` and `high`.
    pub fn of(scalar: Scalar, low: i128, high: i128) -> Self {
        let (least, most) = limits(scalar);
        let wrapped = low < least || high > most;
        let (low, high) = match wrapped {
            false => (low, high),
            // A number known exactly stays so.
            true if low == high => {
                let word = (low - least).rem_euclid(most - least + 1) + least;
                (word, word)
            }
            true => (least, most),
        };
        Self { low, high, scalar, wrapped }
    }

    /// One number.
    pub fn exactly(scalar: Scalar, value: i128) -> Self {
        Self::of(scalar, value, value)
    }

    /// The value, where it is certain.
    pub fn known(self) -> Option<i128> {
        (self.low == self.high).then_some(self.low)
    }

    /// As another type of integer, low bits kept.
    pub fn cast(self, scalar: Scalar) -> Self {
        let cast = Self::of(scalar, self.low, self.high);
        Self { wrapped: cast.wrapped || self.wrapped, ..cast }
    }

    /// Either of two.
    pub fn join(self, other: Self) -> Self {
        assert_eq!(self.scalar, other.scalar);
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            scalar: self.scalar,
            wrapped: self.wrapped || other.wrapped,
        }
    }

    /// What a left shift by `bits` and a right shift back make of the number: its low bits, with the
    /// highest of them as the sign where the type has one.
    pub fn extend(self, bits: i128) -> Self {
        let (least, most) = limits(self.scalar);
        let fits = !self.wrapped && self.low >= least >> bits && self.high <= most >> bits;
        let (low, high) = match self.known() {
            Some(value) => {
                let shifted = Self::exactly(self.scalar, value << bits).low >> bits;
                (shifted, shifted)
            }
            None if fits => (self.low, self.high),
            None => (least >> bits, most >> bits),
        };
        Self { low, high, wrapped: false, ..self }
    }

    /// An operator whose result is a number.
    pub fn binary(self, op: BinaryOperator, b: Self) -> Self {
        let a = self;
        match op {
            BinaryOperator::Add => Self::of(a.scalar, a.low + b.low, a.high + b.high),
            BinaryOperator::Subtract => Self::of(a.scalar, a.low - b.high, a.high - b.low),
            BinaryOperator::Multiply => a.times([b.low, b.high]),
            BinaryOperator::ShiftLeft => {
                let factor = 1 << b.known().expect("a shift by a constant");
                let shifted = a.times([factor, factor]);
                Self { wrapped: shifted.wrapped || a.wrapped, ..shifted }
            }
            BinaryOperator::ShiftRight => {
                let bits = b.known().expect("a shift by a constant");
                Self::of(a.scalar, a.low >> bits, a.high >> bits)
            }
            BinaryOperator::And => a.and(b),
            BinaryOperator::InclusiveOr => a.or(b),
            _ => panic!("{op:?} is not used on numbers here"),
        }
    }

    fn times(self, factors: [i128; 2]) -> Self {
        let products = [self.low, self.high].map(|a| factors.map(|b| a.checked_mul(b)));
        let products: Option<Vec<_>> = products.into_iter().flatten().collect();
        let products = products.unwrap_or_else(|| vec![i128::MIN / 2, i128::MAX / 2]);
        let low = products.iter().min().expect("four products");
        let high = products.iter().max().expect("four products");
        Self::of(self.scalar, *low, *high)
    }

    /// A constant operand takes away whatever a wrap did to the bits above it.
    fn and(self, mask: Self) -> Self {
        let constant = mask.known().filter(|&mask| mask >= 0 && !self.wrapped);
        let whole = mask.high >= 0 && (mask.high & (mask.high + 1)) == 0;
        let (low, high) = match (self.known(), constant) {
            _ if self.known().is_some() && mask.known().is_some() => {
                (self.low & mask.low, self.low & mask.low)
            }
            (_, Some(mask)) if whole && self.low >= 0 && self.high <= mask => (self.low, self.high),
            _ if mask.low >= 0 => (0, mask.high),
            _ => limits(self.scalar),
        };
        Self { low, high, scalar: self.scalar, wrapped: self.wrapped && mask.known().is_none() }
    }

    fn or(self, other: Self) -> Self {
        let wrapped = self.wrapped || other.wrapped;
        let (low, high) = match (self.known(), other.known()) {
            (Some(a), Some(b)) => (a | b, a | b),
            _ if wrapped || self.low < 0 || other.low < 0 => limits(self.scalar),
            _ => {
                let most = (self.high | other.high) as u128;
                (self.low.max(other.low), ((most + 1).next_power_of_two() - 1) as i128)
            }
        };
        Self { low, high, scalar: self.scalar, wrapped }
    }

    /// Whether the two are equal, where that is certain.
    pub fn equals(self, other: Self) -> Option<bool> {
        if self.high < other.low || other.high < self.low {
            return Some(false);
        }
        Some(self.known()? == other.known()?)
    }
}

impl Value {
    /// The number.
    pub fn number(&self) -> Interval {
        match self {
            Self::Number(number) => *number,
            _ => panic!("{self:?} is no number"),
        }
    }

    /// An element or a member.
    pub fn part(&self, index: usize) -> &Self {
        match self {
            Self::Parts(parts) => &parts[index],
            _ => panic!("{self:?} has no parts"),
        }
    }

    /// The same, to write.
    pub fn part_mut(&mut self, index: usize) -> &mut Self {
        match self {
            Self::Parts(parts) => &mut parts[index],
            _ => panic!("{self:?} has no parts"),
        }
    }

    /// All elements, of an array of numbers.
    pub fn numbers(&self) -> Vec<Interval> {
        match self {
            Self::Parts(parts) => parts.iter().map(Self::number).collect(),
            _ => panic!("{self:?} is no array"),
        }
    }

    /// Either of two.
    pub fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Self::Number(a.join(*b)),
            (Self::Bool(a), Self::Bool(b)) => Self::Bool(a.filter(|_| a == b)),
            (Self::Parts(a), Self::Parts(b)) if a.len() == b.len() => {
                Self::Parts(a.iter().zip(b).map(|(a, b)| a.join(b)).collect())
            }
            _ => panic!("{self:?} and {other:?} differ in type"),
        }
    }
}

/// The least and the most of a type.
fn limits(scalar: Scalar) -> (i128, i128) {
    let bits = 8 * u32::from(scalar.width);
    match scalar.kind {
        ScalarKind::Uint => (0, (1 << bits) - 1),
        ScalarKind::Sint => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        kind => panic!("{kind:?} is no integer"),
    }
}
