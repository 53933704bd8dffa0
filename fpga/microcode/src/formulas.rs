//! u1 G + u2 Q in operations, before registers and time.
//!
//! Complete formulas of Renes, Costello and Batina, "Complete addition formulas for prime order elliptic
//! curves" (2016), algorithms 7, 8, 9 for a = 0, b3 = 21, with small factors moved into the units: no
//! input, hostile ones included, leads outside them. Halves by the endomorphism, windows of five bits
//! over Q (digits -16..=16, rows 0..=16) and of ten over G (odd digits, so that mixed additions never
//! meet the neutral element).
//!
//! Products: 125 doublings of 8, 51 additions of 12, 26 mixed of 11; rows of Q: 8 doublings, 7 mixed
//! additions, 16 times beta, 7 copies; 3 for Jacobian coordinates: 2,065.

use crate::instruction::{Digit, Factor, ROWS, Sign};
use crate::job::{GENERATOR_WINDOWS, KEY_WINDOWS};
use Factor::{Eight, One, SixtyThree, Three, TwentyOne, Two};

/// An operand of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// What the operation of this number gives.
    Of(usize),
    /// Of the row of Q that the operation's digit picks: 0 X, 1 Y, 2 Z, 3 beta X.
    Row(u8),
}

/// What a sum adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as instruction::Addend")]
pub enum Source {
    Value(Value),
    Generator(u8),
    Constant(u8),
    Key(u8),
}

/// d = c +- k a b or d = a +- k b.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the letters of the formula")]
pub enum Unit {
    Product { a: Value, b: Value, c: Option<Value> },
    Sum { a: Option<Value>, b: Source },
}

/// An operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// What is computed.
    pub unit: Unit,
    /// k.
    pub factor: Factor,
    /// Its sign.
    pub sign: Sign,
    /// The digit that it uses.
    pub digit: Option<Digit>,
    /// A register of the table of Q, where it stays.
    pub home: Option<u8>,
    /// The word of the result.
    pub result: Option<u8>,
}

/// A point (X : Y : Z), x = X/Z, y = Y/Z.
type Point = [Value; 3];

/// How an operation differs from a plain one.
#[derive(Clone, Copy, Default)]
struct With {
    factor: Option<Factor>,
    negative: bool,
    /// The digit whose row is read.
    digit: Option<Digit>,
    /// Its sign counts.
    signed: bool,
    home: Option<u8>,
}

fn times(factor: Factor) -> With {
    With { factor: Some(factor), ..With::default() }
}

fn minus(factor: Factor) -> With {
    With { negative: true, ..times(factor) }
}

#[derive(Default)]
struct Assembly {
    operations: Vec<Operation>,
}

impl Assembly {
    fn push(&mut self, unit: Unit, with: With, result: Option<u8>) -> Value {
        self.operations.push(Operation {
            unit,
            factor: with.factor.unwrap_or(One),
            sign: Sign { negative: with.negative, by_digit: with.signed },
            digit: with.digit,
            home: with.home,
            result,
        });
        Value::Of(self.operations.len() - 1)
    }

    fn mul(&mut self, a: Value, b: Value, with: With) -> Value {
        self.push(Unit::Product { a, b, c: None }, with, None)
    }

    /// c + k a b.
    fn mul_add(&mut self, a: Value, b: Value, c: Value, with: With) -> Value {
        self.push(Unit::Product { a, b, c: Some(c) }, with, None)
    }

    fn add(&mut self, a: Value, b: Value, with: With) -> Value {
        self.push(Unit::Sum { a: Some(a), b: Source::Value(b) }, with, None)
    }

    fn take(&mut self, b: Source, with: With) -> Value {
        self.push(Unit::Sum { a: None, b }, with, None)
    }

    /// 2 P, algorithm 9: w = 21 Z^2, X3 = 2 XY (Y^2 - 3w), Y3 = (Y^2 - 3w)(Y^2 + w) + 8 Y^2 w,
    /// Z3 = 8 Y^2 YZ. `home`: first register of a row for the result.
    fn double(&mut self, [x, y, z]: Point, home: Option<u8>) -> Point {
        let at = |word| With { home: home.map(|home| home + word), ..With::default() };
        let w = self.mul(z, z, times(TwentyOne));
        let t0 = self.mul(y, y, times(One));
        let low = self.add(t0, w, minus(Three));
        let high = self.add(t0, w, times(One));
        let t3 = self.mul(y, z, times(Eight));
        let t1 = self.mul(x, y, times(One));
        let z3 = self.mul(t0, t3, at(2));
        let t2 = self.mul(t0, w, times(Eight));
        let y3 = self.mul_add(low, high, t2, at(1));
        let x3 = self.mul(low, t1, With { factor: Some(Two), ..at(0) });
        [x3, y3, z3]
    }

    /// The second half of both additions, from t0 = X1 X2, t1 = Y1 Y2, t2 = Z1 Z2,
    /// m3 = -(X1 Y2 + X2 Y1), t4 = Y1 Z2 + Y2 Z1, t5 = X1 Z2 + X2 Z1: with l = t1 - 21 t2 and
    /// h = t1 + 21 t2, X3 = -m3 l - 21 t4 t5, Y3 = h l + 63 t0 t5, Z3 = h t4 - 3 t0 m3.
    /// `turned`: t4 and t5 come with the opposite sign.
    fn finish(&mut self, t: [Value; 6], turned: bool, home: Option<u8>) -> Point {
        let [t0, t1, t2, m3, t4, t5] = t;
        let at = |word, with: With| With { home: home.map(|home| home + word), ..with };
        let turn = |with: With| With { negative: with.negative ^ turned, ..with };
        let l = self.add(t1, t2, minus(TwentyOne));
        let h = self.add(t1, t2, times(TwentyOne));
        let q = self.mul(h, t4, turn(times(One)));
        let z3 = self.mul_add(t0, m3, q, at(2, minus(Three)));
        let g = self.mul(h, l, times(One));
        let y3 = self.mul_add(t0, t5, g, at(1, turn(times(SixtyThree))));
        let f = self.mul(t4, t5, minus(TwentyOne));
        let x3 = self.mul_add(m3, l, f, at(0, minus(One)));
        [x3, y3, z3]
    }

    /// P + (x2, y2), algorithm 8, for any P.
    fn add_affine(&mut self, [x1, y1, z1]: Point, x2: Value, y2: Value, home: Option<u8>) -> Point {
        let v = self.add(x2, y2, times(One));
        let t4 = self.mul_add(y2, z1, y1, times(One));
        let t1 = self.mul(y1, y2, times(One));
        let t5 = self.mul_add(x2, z1, x1, times(One));
        let t0 = self.mul(x1, x2, times(One));
        let u = self.add(x1, y1, times(One));
        let w = self.add(t0, t1, times(One));
        let m3 = self.mul_add(u, v, w, minus(One));
        self.finish([t0, t1, z1, m3, t4, t5], false, home)
    }

    /// P plus the row of Q that the digit picks, algorithm 7. `x`: the row's word for X, 0 or, for
    /// lambda Q, 3.
    fn add_row(&mut self, [x1, y1, z1]: Point, digit: Digit, x: u8) -> Point {
        let [x2, y2, z2] = [x, 1, 2].map(Value::Row);
        let row = With { digit: Some(digit), ..With::default() };
        let signed = With { signed: true, ..row };
        let v3 = self.add(x2, y2, signed);
        let v4 = self.add(z2, y2, signed);
        let v5 = self.add(x2, z2, row);
        let t2 = self.mul(z1, z2, row);
        let t1 = self.mul(y1, y2, signed);
        let u4 = self.add(y1, z1, times(One));
        let w4 = self.add(t1, t2, times(One));
        let m4 = self.mul_add(u4, v4, w4, minus(One));
        let t0 = self.mul(x1, x2, row);
        let u5 = self.add(x1, z1, times(One));
        let w5 = self.add(t0, t2, times(One));
        let m5 = self.mul_add(u5, v5, w5, minus(One));
        let u3 = self.add(x1, y1, times(One));
        let w3 = self.add(t0, t1, times(One));
        let m3 = self.mul_add(u3, v3, w3, minus(One));
        self.finish([t0, t1, t2, m3, m4, m5], true, None)
    }

    /// The rows of Q.
    fn table(&mut self) {
        let home = |register| With { home: Some(register), ..With::default() };
        let [zero, one, beta] =
            [0, 1, 2].map(|number| self.take(Source::Constant(number), times(One)));
        let [x, y] = [0, 1].map(|word| self.take(Source::Key(word), times(One)));
        for (register, value) in [(0, zero), (1, one), (2, zero), (3, zero)] {
            self.mul(value, one, home(register));
        }
        let first = [(4, x), (5, y), (6, one)].map(|(at, value)| self.mul(value, one, home(at)));
        let mut rows = vec![[one; 3], first];
        for row in 2..ROWS {
            let at = Some(4 * row as u8);
            rows.push(match row % 2 {
                0 => self.double(rows[row / 2], at),
                _ => self.add_affine(rows[row - 1], x, y, at),
            });
        }
        for (row, [x, ..]) in rows.iter().enumerate().skip(1) {
            self.mul(*x, beta, home(4 * row as u8 + 3));
        }
    }
}

/// The operations of u1 G + u2 Q.
pub fn double_mul() -> Vec<Operation> {
    let mut assembly = Assembly::default();
    assembly.table();
    let key = |window: usize, high| Digit { lane: window as u8, high };
    let top = KEY_WINDOWS - 1;
    let mut sum = [0, 1, 2].map(|word| {
        let digit = Some(key(top, false));
        let with = With { digit, signed: word == 1, ..With::default() };
        assembly.take(Source::Value(Value::Row(word)), with)
    });
    for window in (0..=top).rev() {
        if window < top {
            for _ in 0..5 {
                sum = assembly.double(sum, None);
            }
            sum = assembly.add_row(sum, key(window, false), 0);
        }
        sum = assembly.add_row(sum, key(window, true), 3);
        // The generator's windows are twice as wide.
        if window % 2 == 0 && window / 2 < GENERATOR_WINDOWS {
            for half in 0..2 {
                let digit = Digit { lane: (KEY_WINDOWS + window + half) as u8, high: false };
                let with = With { digit: Some(digit), ..With::default() };
                let x = assembly.take(Source::Generator(half as u8), with);
                let y = assembly.take(Source::Generator(2), With { signed: true, ..with });
                sum = assembly.add_affine(sum, x, y, None);
            }
        }
    }
    let [x, y, z] = sum;
    let zz = assembly.mul(z, z, times(One));
    let x = assembly.mul(x, z, times(One));
    let y = assembly.mul(y, zz, times(One));
    for (word, value) in [x, y, z].into_iter().enumerate() {
        let unit = Unit::Sum { a: None, b: Source::Value(value) };
        assembly.push(unit, times(One), Some(word as u8));
    }
    assembly.operations
}
