//! Operations to instructions: one product and one sum a turn, as early as what they read allows.

use crate::formulas::{Operation, Source, Unit, Value};
use crate::instruction::{Addend, Instruction, Operand, PRODUCTS, Product, ROWS, SUMS, Sum, SumTo};

/// Operations that are looked at beyond the oldest that waits: more would keep registers longer.
const WINDOW: usize = 48;

/// Schedules operations and gives them registers.
pub fn schedule(operations: &[Operation]) -> Vec<Instruction> {
    let needs = needs(operations);
    let turns = turns(operations, &needs);
    allocate(operations, &turns)
}

fn values(operation: &Operation) -> Vec<Value> {
    match operation.unit {
        Unit::Product { a, b, c } => [Some(a), Some(b), c].into_iter().flatten().collect(),
        Unit::Sum { a, b: Source::Value(b) } => a.into_iter().chain([b]).collect(),
        Unit::Sum { a, .. } => a.into_iter().collect(),
    }
}

/// The operations that each has to follow.
fn needs(operations: &[Operation]) -> Vec<Vec<usize>> {
    let mut table = Vec::new();
    let mut result = None;
    let mut all = Vec::new();
    for (at, operation) in operations.iter().enumerate() {
        let mut needs = Vec::new();
        for value in values(operation) {
            match value {
                Value::Of(other) => needs.push(other),
                Value::Row(_) => needs.extend(&table),
            }
        }
        if operation.home.is_some() {
            table.push(at);
        }
        // Z goes last: it tells the core that the result is whole.
        if operation.result.is_some() {
            needs.extend(result.replace(at));
        }
        all.push(needs);
    }
    all
}

/// The turn of each operation.
fn turns(operations: &[Operation], needs: &[Vec<usize>]) -> Vec<usize> {
    // The longest chain that waits for an operation decides which goes first.
    let mut chain = vec![0; operations.len()];
    for at in (0..operations.len()).rev() {
        for &need in &needs[at] {
            chain[need] = chain[need].max(chain[at] + 1);
        }
    }
    let mut turns: Vec<Option<usize>> = vec![None; operations.len()];
    let mut oldest = 0;
    for turn in 0.. {
        while turns.get(oldest).is_some_and(Option::is_some) {
            oldest += 1;
        }
        if oldest == operations.len() {
            break;
        }
        let window = oldest..operations.len().min(oldest + WINDOW);
        let done = |&need: &usize| turns[need].is_some_and(|done| done < turn);
        let mut ready: Vec<usize> =
            window.filter(|&at| turns[at].is_none() && needs[at].iter().all(done)).collect();
        ready.sort_by_key(|&at| (std::cmp::Reverse(chain[at]), at));
        let mut taken: [Option<usize>; 2] = [None; 2];
        let mut digit = None;
        for at in ready {
            let unit = usize::from(matches!(operations[at].unit, Unit::Sum { .. }));
            let fits = match (digit, operations[at].digit) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            };
            if taken[unit].is_none() && fits {
                taken[unit] = Some(at);
                digit = digit.or(operations[at].digit);
            }
        }
        for at in taken.into_iter().flatten() {
            turns[at] = Some(turn);
        }
    }
    turns.into_iter().map(|turn| turn.expect("all were scheduled")).collect()
}

fn allocate(operations: &[Operation], turns: &[usize]) -> Vec<Instruction> {
    let mut last_read = vec![0; operations.len()];
    for (at, operation) in operations.iter().enumerate() {
        for value in values(operation) {
            if let Value::Of(other) = value {
                last_read[other] = last_read[other].max(turns[at]);
            }
        }
    }
    let mut order: Vec<usize> = (0..operations.len()).collect();
    order.sort_by_key(|&at| turns[at]);
    let length = turns.iter().max().map_or(0, |last| last + 1);
    let mut program = vec![Instruction::default(); length];
    let mut free: [Vec<u8>; 2] =
        [(4 * ROWS as u8..PRODUCTS as u8).rev().collect(), (0..SUMS as u8).rev().collect()];
    let mut held: Vec<(usize, usize, u8)> = Vec::new();
    let mut registers = vec![0; operations.len()];
    for at in order {
        let (operation, turn) = (&operations[at], turns[at]);
        // What is read for the last time in a turn may be written in it: reads come first.
        held.retain(|&(until, unit, register)| {
            let over = until <= turn;
            if over {
                free[unit].push(register);
            }
            !over
        });
        let unit = usize::from(matches!(operation.unit, Unit::Sum { .. }));
        registers[at] = match (operation.home, operation.result) {
            (Some(home), _) => home,
            (_, Some(_)) => 0,
            _ => {
                let register = free[unit].pop().expect("registers suffice");
                held.push((last_read[at], unit, register));
                register
            }
        };
        let operand = |value| match value {
            Value::Row(word) => Operand::Row(word),
            Value::Of(other) => match operations[other].unit {
                Unit::Product { .. } => Operand::Product(registers[other]),
                Unit::Sum { .. } => Operand::Sum(registers[other]),
            },
        };
        let (factor, sign) = (operation.factor, operation.sign);
        let instruction = &mut program[turn];
        match operation.unit {
            Unit::Product { a, b, c } => {
                let [a, b] = [a, b].map(operand);
                let (c, to) = (c.map(operand), registers[at]);
                instruction.product = Some(Product { a, b, c, factor, sign, to });
            }
            Unit::Sum { a, b } => {
                let b = match b {
                    Source::Value(value) => Addend::Register(operand(value)),
                    Source::Generator(word) => Addend::Generator(word),
                    Source::Constant(number) => Addend::Constant(number),
                    Source::Key(word) => Addend::Key(word),
                };
                let to = match operation.result {
                    Some(word) => SumTo::Result(word),
                    None => SumTo::Register(registers[at]),
                };
                instruction.sum = Some(Sum { a: a.map(operand), b, factor, sign, to });
            }
        }
        if let Some(digit) = operation.digit {
            instruction.digit = digit;
        }
    }
    program
}
