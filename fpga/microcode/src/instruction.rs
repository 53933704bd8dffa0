//! Instructions, and the bits that stand for them.
//!
//! An instruction has two units: a product `d = c + k a b` or `c - k a b`, and a sum `d = a + k b` or
//! `a - k b`. Each writes a bank of registers of its own, so that a bank has one writer. An operand may
//! be a row of the thread's table of multiples of Q, which the instruction's digit picks.

/// Registers that products write. The first hold the table of Q.
pub const PRODUCTS: usize = 128;
/// Registers that sums write.
pub const SUMS: usize = 32;
/// Rows of the table of Q: 0 to 16 times Q, four registers each: X, Y, Z, beta X.
pub const ROWS: usize = 17;

/// k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the values")]
pub enum Factor {
    One = 0,
    Two = 1,
    Three = 2,
    Eight = 3,
    TwentyOne = 4,
    SixtyThree = 5,
}

impl Factor {
    /// Its value.
    pub fn value(self) -> u32 {
        [1, 2, 3, 8, 21, 63][self as usize]
    }

    fn from_bits(bits: u32) -> Factor {
        use Factor::*;
        [One, Two, Three, Eight, TwentyOne, SixtyThree][bits as usize]
    }
}

/// A register, or a register of the row that the digit picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Written by a product.
    Product(u8),
    /// Written by a sum.
    Sum(u8),
    /// Of the picked row: 0 X, 1 Y, 2 Z, 3 beta X.
    Row(u8),
}

/// What a sum adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addend {
    /// A register.
    Register(Operand),
    /// Of the generator's multiple that the digit picks: 0 x, 1 beta x, 2 y.
    Generator(u8),
    /// 0, 1 or, as 2, beta.
    Constant(u8),
    /// Of Q: 0 x, 1 y.
    Key(u8),
}

/// A sign: fixed, and turned by that of the digit if `by_digit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sign {
    /// Subtract.
    pub negative: bool,
    /// A negative digit turns it.
    pub by_digit: bool,
}

/// d = c + k a b, or c - k a b; without c it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the letters of the formula")]
pub struct Product {
    pub a: Operand,
    pub b: Operand,
    pub c: Option<Operand>,
    pub factor: Factor,
    pub sign: Sign,
    pub to: u8,
}

/// d = a + k b, or a - k b; without a it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the letters of the formula")]
pub struct Sum {
    pub a: Option<Operand>,
    pub b: Addend,
    pub factor: Factor,
    pub sign: Sign,
    pub to: SumTo,
}

/// Where a sum goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumTo {
    /// A register.
    Register(u8),
    /// The job's result: 0 X, 1 Y, 2 Z.
    Result(u8),
}

/// Which digit an instruction uses: a lane of the job, and for the key which byte of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digit {
    /// 0..=25 of the key, 26..=51 of the generator.
    pub lane: u8,
    /// The key's second half.
    pub high: bool,
}

/// What a thread does in one of its turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the units")]
pub struct Instruction {
    pub product: Option<Product>,
    pub sum: Option<Sum>,
    pub digit: Digit,
}

/// Bits of an instruction.
pub const BITS: usize = 82;

/// Takes fields off the low end, or puts them on.
struct Bits {
    word: u128,
    at: u32,
}

impl Bits {
    fn put(&mut self, value: u32, width: u32) {
        assert!(value < 1 << width, "{value} in {width} bits");
        self.word |= u128::from(value) << self.at;
        self.at += width;
    }

    fn take(&mut self, width: u32) -> u32 {
        let value = (self.word >> self.at) as u32 & ((1 << width) - 1);
        self.at += width;
        value
    }

    /// 9 bits: address, bank, row.
    fn put_operand(&mut self, operand: Operand) {
        let (address, bank, row) = match operand {
            Operand::Product(address) => (address, 0, 0),
            Operand::Sum(address) => (address, 1, 0),
            Operand::Row(word) => (word, 0, 1),
        };
        self.put(address.into(), 7);
        self.put(bank, 1);
        self.put(row, 1);
    }

    fn take_operand(&mut self) -> Operand {
        let address = self.take(7) as u8;
        match (self.take(1), self.take(1)) {
            (_, 1) => Operand::Row(address),
            (0, _) => Operand::Product(address),
            _ => Operand::Sum(address),
        }
    }

    fn put_scale(&mut self, factor: Factor, sign: Sign) {
        self.put(factor as u32, 3);
        self.put(sign.negative.into(), 1);
        self.put(sign.by_digit.into(), 1);
    }

    fn take_scale(&mut self) -> (Factor, Sign) {
        let factor = Factor::from_bits(self.take(3));
        (factor, Sign { negative: self.take(1) == 1, by_digit: self.take(1) == 1 })
    }
}

const IDLE: Operand = Operand::Product(0);

impl Instruction {
    /// The word, from bit 0 up: product: write 1, to 7, a 9, b 9, has c 1, c 9, k 3, negative 1, by
    /// digit 1; sum: write 1, to 5, result 2 (0: none, else its number plus one), has a 1, a 9, b 9,
    /// source of b 2 (register, generator and constants, key), k 3, negative 1, by digit 1; digit:
    /// lane 6, high 1. An address of b that is no register: generator 0..=2, constant 3 + 4 c, key 0..=1.
    pub fn encode(&self) -> u128 {
        let mut bits = Bits { word: 0, at: 0 };
        let nothing = Product {
            a: IDLE,
            b: IDLE,
            c: None,
            factor: Factor::One,
            sign: Sign::default(),
            to: 0,
        };
        let product = self.product.unwrap_or(nothing);
        bits.put(self.product.is_some().into(), 1);
        bits.put(product.to.into(), 7);
        bits.put_operand(product.a);
        bits.put_operand(product.b);
        bits.put(product.c.is_some().into(), 1);
        bits.put_operand(product.c.unwrap_or(IDLE));
        bits.put_scale(product.factor, product.sign);
        let nothing = Sum {
            a: None,
            b: Addend::Register(IDLE),
            factor: Factor::One,
            sign: Sign::default(),
            to: SumTo::Register(0),
        };
        let sum = self.sum.unwrap_or(nothing);
        let (write, to, result) = match sum.to {
            SumTo::Register(to) => (u32::from(self.sum.is_some()), to, 0),
            SumTo::Result(number) => (0, 0, u32::from(number) + 1),
        };
        bits.put(write, 1);
        bits.put(to.into(), 5);
        bits.put(result, 2);
        bits.put(sum.a.is_some().into(), 1);
        bits.put_operand(sum.a.unwrap_or(IDLE));
        let (b, source) = match sum.b {
            Addend::Register(operand) => (operand, 0),
            Addend::Generator(word) => (Operand::Product(word), 1),
            Addend::Constant(number) => (Operand::Product(3 + 4 * number), 1),
            Addend::Key(word) => (Operand::Product(word), 2),
        };
        bits.put_operand(b);
        bits.put(source, 2);
        bits.put_scale(sum.factor, sum.sign);
        bits.put(self.digit.lane.into(), 6);
        bits.put(self.digit.high.into(), 1);
        assert_eq!(bits.at as usize, BITS);
        bits.word
    }

    /// The instruction that a word stands for.
    pub fn decode(word: u128) -> Instruction {
        let mut bits = Bits { word, at: 0 };
        let write = bits.take(1) == 1;
        let to = bits.take(7) as u8;
        let [a, b] = [(); 2].map(|()| bits.take_operand());
        let has_c = bits.take(1) == 1;
        let c = Some(bits.take_operand()).filter(|_| has_c);
        let (factor, sign) = bits.take_scale();
        let product = Some(Product { a, b, c, factor, sign, to }).filter(|_| write);
        let write = bits.take(1) == 1;
        let to = bits.take(5) as u8;
        let result = bits.take(2) as u8;
        let to = if result > 0 { SumTo::Result(result - 1) } else { SumTo::Register(to) };
        let has_a = bits.take(1) == 1;
        let a = Some(bits.take_operand()).filter(|_| has_a);
        let b = bits.take_operand();
        let b = match (bits.take(2), b) {
            (0, operand) => Addend::Register(operand),
            (1, Operand::Product(word)) if word & 3 == 3 => Addend::Constant(word >> 2),
            (1, Operand::Product(word)) => Addend::Generator(word),
            (_, Operand::Product(word)) => Addend::Key(word),
            (_, operand) => Addend::Register(operand),
        };
        let (factor, sign) = bits.take_scale();
        let sum = Some(Sum { a, b, factor, sign, to }).filter(|_| write || result > 0);
        let digit = Digit { lane: bits.take(6) as u8, high: bits.take(1) == 1 };
        Instruction { product, sum, digit }
    }
}
