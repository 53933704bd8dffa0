//! Runs functions of a WGSL text on intervals, and reports whatever may leave its type.
//!
//! A sum or difference that leaves its type is a report at once. A product, a left shift or a conversion
//! may do so: the limb code drops high bits in places, by a mask. What comes of it is marked as wrapped,
//! and only three things may take a wrapped value: `& constant`, which ends the mark; `|`, `<<` and a
//! conversion to no more bits, which keep it; and the right shift of `(x << k) >> k`, which is a sign
//! extension and ends it too. Any other use is a report.

use std::collections::HashMap;

use naga::{
    ArraySize, BinaryOperator, Expression, Function, Handle, Literal, LocalVariable, Module,
    Scalar, ScalarKind, Span, Statement, Type, TypeInner,
};

use super::intervals::{Interval, Value};

/// A text, and what was found in it.
pub struct Interpreter {
    text: String,
    module: Module,
    /// What may leave its type, and where.
    pub reports: Vec<String>,
}

/// One call.
struct Frame<'a> {
    function: &'a Function,
    arguments: Vec<Value>,
    values: HashMap<Handle<Expression>, Value>,
    locals: HashMap<Handle<LocalVariable>, Value>,
}

impl Interpreter {
    /// Parses the text.
    pub fn new(text: String) -> Self {
        let module = naga::front::wgsl::parse_str(&text)
            .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&text)));
        Self { text, module, reports: Vec::new() }
    }

    /// What a function returns.
    pub fn call(&mut self, name: &str, arguments: &[&Value]) -> Value {
        // The module is lent to the calls, and comes back.
        let module = std::mem::take(&mut self.module);
        let function = module.functions.iter().map(|(_, function)| function);
        let function = function.into_iter().find(|function| function.name.as_deref() == Some(name));
        let function = function.unwrap_or_else(|| panic!("no function {name}"));
        let arguments = arguments.iter().map(|&value| value.clone()).collect();
        let result = self.enter(&module, function, arguments);
        self.module = module;
        result
    }

    /// A constant of the text.
    pub fn constant(&self, name: &str) -> Value {
        let mut constants = self.module.constants.iter();
        let found = constants.find(|(_, constant)| constant.name.as_deref() == Some(name));
        constant(&self.module, found.unwrap_or_else(|| panic!("no constant {name}")).1.init)
    }

    fn enter(&mut self, module: &Module, function: &Function, arguments: Vec<Value>) -> Value {
        assert_eq!(arguments.len(), function.arguments.len());
        let mut frame =
            Frame { function, arguments, values: HashMap::new(), locals: HashMap::new() };
        for (handle, local) in function.local_variables.iter() {
            let start = match local.init {
                Some(init) => self.value(module, &mut frame, init),
                None => zero(module, local.ty),
            };
            frame.locals.insert(handle, start);
        }
        self.block(module, &mut frame, &function.body).expect("the function returns")
    }

    fn block(&mut self, module: &Module, frame: &mut Frame, block: &naga::Block) -> Option<Value> {
        for statement in block.iter() {
            match statement {
                Statement::Emit(range) => {
                    let places = |handle: &_| is_place(frame.function, *handle);
                    let values: Vec<_> = range.clone().filter(|handle| !places(handle)).collect();
                    for handle in values {
                        self.value(module, frame, handle);
                    }
                }
                Statement::Block(inner) => {
                    if let Some(result) = self.block(module, frame, inner) {
                        return Some(result);
                    }
                }
                Statement::Store { pointer, value } => {
                    let value = self.settled(module, frame, *value);
                    *place(frame, *pointer) = value;
                }
                Statement::Call { function, arguments, result } => {
                    let arguments =
                        arguments.iter().map(|&argument| self.settled(module, frame, argument));
                    let arguments = arguments.collect();
                    let value = self.enter(module, &module.functions[*function], arguments);
                    frame.values.insert(result.expect("functions have results"), value);
                }
                Statement::Return { value } => {
                    return Some(self.settled(module, frame, value.expect("a result")));
                }
                _ => panic!("not among the statements of limb code: {statement:?}"),
            }
        }
        None
    }

    /// An expression's value; of one that was evaluated before, the value then.
    fn value(&mut self, module: &Module, frame: &mut Frame, handle: Handle<Expression>) -> Value {
        if let Some(value) = frame.values.get(&handle) {
            return value.clone();
        }
        let function = frame.function;
        let value = match &function.expressions[handle] {
            Expression::FunctionArgument(index) => frame.arguments[*index as usize].clone(),
            Expression::Compose { components, .. } => Value::Parts(
                components.iter().map(|&part| self.settled(module, frame, part)).collect(),
            ),
            Expression::AccessIndex { base, index } if !is_place(function, *base) => {
                self.value(module, frame, *base).part(*index as usize).clone()
            }
            Expression::Load { pointer } => place(frame, *pointer).clone(),
            Expression::Select { condition, accept, reject } => {
                let condition = self.value(module, frame, *condition);
                let accept = self.settled(module, frame, *accept);
                let reject = self.settled(module, frame, *reject);
                match condition {
                    Value::Bool(Some(true)) => accept,
                    Value::Bool(Some(false)) => reject,
                    _ => accept.join(&reject),
                }
            }
            Expression::As { expr, kind, convert } => {
                let width = convert.expect("no bitcasts");
                let from = self.value(module, frame, *expr).number();
                // A wider type wants more bits than those that are right.
                let from =
                    if width > from.scalar.width { self.sure(frame, *expr, from) } else { from };
                Value::Number(from.cast(Scalar { kind: *kind, width }))
            }
            Expression::Binary { op, left, right } => {
                self.binary(module, frame, handle, (*op, *left, *right))
            }
            other => leaf(module, other)
                .unwrap_or_else(|| panic!("not among the expressions of limb code: {other:?}")),
        };
        frame.values.insert(handle, value.clone());
        value
    }

    fn binary(
        &mut self,
        module: &Module,
        frame: &mut Frame,
        handle: Handle<Expression>,
        (op, left, right): (BinaryOperator, Handle<Expression>, Handle<Expression>),
    ) -> Value {
        let mut a = self.value(module, frame, left).number();
        let mut b = self.value(module, frame, right).number();
        if op == BinaryOperator::ShiftRight
            && let Expression::Binary { op: BinaryOperator::ShiftLeft, left: inner, right: by } =
                frame.function.expressions[left]
            && self.value(module, frame, by).number().known() == b.known()
            && let Some(bits) = b.known()
        {
            let inner = self.value(module, frame, inner).number();
            return Value::Number(inner.extend(bits));
        }
        let keeps = match op {
            BinaryOperator::And => b.known().is_some(),
            BinaryOperator::InclusiveOr | BinaryOperator::ShiftLeft => true,
            _ => false,
        };
        if !keeps {
            a = self.sure(frame, left, a);
        }
        if op != BinaryOperator::InclusiveOr {
            b = self.sure(frame, right, b);
        }
        match op {
            BinaryOperator::Equal => return Value::Bool(a.equals(b)),
            BinaryOperator::NotEqual => return Value::Bool(a.equals(b).map(|equal| !equal)),
            _ => {}
        }
        let result = a.binary(op, b);
        Value::Number(match op {
            BinaryOperator::Add | BinaryOperator::Subtract => self.sure(frame, handle, result),
            _ => result,
        })
    }

    /// A value that goes where a wrapped number must not.
    fn settled(&mut self, module: &Module, frame: &mut Frame, handle: Handle<Expression>) -> Value {
        match self.value(module, frame, handle) {
            Value::Number(number) => Value::Number(self.sure(frame, handle, number)),
            other => other,
        }
    }

    /// Reports a wrapped number, and goes on as if it were not.
    fn sure(&mut self, frame: &Frame, handle: Handle<Expression>, number: Interval) -> Interval {
        if number.wrapped {
            let span = frame.function.expressions.get_span(handle);
            self.report(frame.function, span, number.scalar);
        }
        Interval { wrapped: false, ..number }
    }

    fn report(&mut self, function: &Function, span: Span, scalar: Scalar) {
        let name = function.name.as_deref().unwrap_or_default();
        let line = span.location(&self.text).line_number;
        let code: String =
            self.text[span.to_range().unwrap_or_default()].chars().take(80).collect();
        let (kind, bits) = (scalar.kind, 8 * scalar.width);
        self.reports.push(format!("{name}, line {line}: {code} leaves {kind:?} of {bits} bits"));
    }
}

/// Whether an expression is a pointer to a local variable or into it.
fn is_place(function: &Function, handle: Handle<Expression>) -> bool {
    match function.expressions[handle] {
        Expression::LocalVariable(_) => true,
        Expression::AccessIndex { base, .. } => is_place(function, base),
        _ => false,
    }
}

fn place<'f>(frame: &'f mut Frame, handle: Handle<Expression>) -> &'f mut Value {
    match frame.function.expressions[handle] {
        Expression::LocalVariable(local) => frame.locals.get_mut(&local).expect("declared"),
        Expression::AccessIndex { base, index } => place(frame, base).part_mut(index as usize),
        ref other => panic!("not among the pointers of limb code: {other:?}"),
    }
}

/// A constant expression outside functions.
fn constant(module: &Module, handle: Handle<Expression>) -> Value {
    match &module.global_expressions[handle] {
        Expression::Compose { components, .. } => {
            Value::Parts(components.iter().map(|&part| constant(module, part)).collect())
        }
        other => leaf(module, other).unwrap_or_else(|| panic!("not a constant: {other:?}")),
    }
}

/// An expression without operands.
fn leaf(module: &Module, expression: &Expression) -> Option<Value> {
    let (scalar, value) = match expression {
        Expression::Literal(Literal::U32(value)) => (Scalar::U32, i128::from(*value)),
        Expression::Literal(Literal::I32(value)) => (Scalar::I32, i128::from(*value)),
        Expression::Literal(Literal::U64(value)) => (Scalar::U64, i128::from(*value)),
        Expression::Literal(Literal::I64(value)) => (Scalar::I64, i128::from(*value)),
        Expression::Constant(handle) => {
            return Some(constant(module, module.constants[*handle].init));
        }
        Expression::ZeroValue(ty) => return Some(zero(module, *ty)),
        _ => return None,
    };
    Some(Value::Number(Interval::exactly(scalar, value)))
}

fn zero(module: &Module, ty: Handle<Type>) -> Value {
    match &module.types[ty].inner {
        TypeInner::Scalar(scalar) if scalar.kind == ScalarKind::Bool => Value::Bool(Some(false)),
        TypeInner::Scalar(scalar) => Value::Number(Interval::exactly(*scalar, 0)),
        TypeInner::Array { base, size: ArraySize::Constant(count), .. } => {
            Value::Parts(vec![zero(module, *base); count.get() as usize])
        }
        TypeInner::Struct { members, .. } => {
            Value::Parts(members.iter().map(|member| zero(module, member.ty)).collect())
        }
        other => panic!("not among the types of limb code: {other:?}"),
    }
}
