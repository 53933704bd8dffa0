//! The software model: one thread of the core, executing encoded instructions.

use num_bigint::BigUint;

use crate::field;
use crate::instruction::{Addend, Instruction, Operand, PRODUCTS, SUMS, SumTo};
use crate::job::Job;
use crate::memory;

/// Runs a program on a job and gives X, Y, Z.
pub fn run(words: &[u128], job: &Job) -> [BigUint; 3] {
    let mut products = vec![BigUint::default(); PRODUCTS];
    let mut sums = vec![BigUint::default(); SUMS];
    let mut result = [const { BigUint::ZERO }; 3];
    for word in words {
        let Instruction { product, sum, digit } = Instruction::decode(*word);
        let (row, turn) = job.digit(digit);
        let read = |operand| match operand {
            Operand::Product(address) => &products[usize::from(address)],
            Operand::Sum(address) => &sums[usize::from(address)],
            Operand::Row(word) => &products[4 * row + usize::from(word)],
        };
        let zero = BigUint::ZERO;
        // All reads come before all writes.
        let product = product.map(|p| {
            let c = p.c.map_or(&zero, read);
            let negative = p.sign.negative ^ (p.sign.by_digit && turn);
            (p.to, field::product(read(p.a), read(p.b), c, p.factor.value(), negative))
        });
        let sum = sum.map(|s| {
            let b = match s.b {
                Addend::Register(operand) => read(operand),
                Addend::Generator(word) => memory::generator(row, word),
                Addend::Constant(number) => memory::constant(number),
                Addend::Key(word) => &job.key[usize::from(word)],
            };
            let negative = s.sign.negative ^ (s.sign.by_digit && turn);
            (s.to, field::sum(s.a.map_or(&zero, read), b, s.factor.value(), negative))
        });
        if let Some((to, value)) = product {
            products[usize::from(to)] = value;
        }
        match sum {
            Some((SumTo::Register(to), value)) => sums[usize::from(to)] = value,
            Some((SumTo::Result(number), value)) => result[usize::from(number)] = value,
            None => {}
        }
    }
    result
}
