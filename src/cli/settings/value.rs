//! Values: read from text and from TOML, judged, printed.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value as Json, json};
use toml::de::DeValue;

use super::keys::{Key, NONE};
use crate::cli::nearest::quoted;

/// What a key takes.
#[derive(Debug)]
pub(super) enum Kind {
    /// True or false.
    Switch,
    /// A whole number in a range.
    Number { least: u64, most: u64 },
    /// A number from 0 on.
    Decimal { most: f64 },
    /// One of these words.
    Word(&'static [&'static str]),
    /// IP address and port.
    Address,
    /// An absolute path of so many bytes.
    Path { limit: usize },
}

/// A value that its key takes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) enum Value {
    /// Of [`Kind::Switch`].
    Switch(bool),
    /// Of [`Kind::Number`].
    Number(u64),
    /// Of [`Kind::Decimal`].
    Decimal(f64),
    /// Of the others.
    Text(String),
}

impl Kind {
    /// What it takes, in words.
    pub(super) fn takes(&self) -> String {
        match self {
            Kind::Switch => "true or false".to_owned(),
            Kind::Number { least, most } => format!("a whole number from {least} to {most}"),
            Kind::Decimal { most } => format!("a number from 0 to {most}"),
            Kind::Word(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", words.join(", "))
            }
            Kind::Address => "an IP address and a port, such as \"127.0.0.1:9464\"".to_owned(),
            Kind::Path { limit } => format!("an absolute path of at most {limit} bytes"),
        }
    }

    fn takes_value(&self, value: &Value) -> bool {
        match (self, value) {
            (Kind::Switch, Value::Switch(_)) => true,
            (Kind::Number { least, most }, Value::Number(number)) => {
                (least..=most).contains(&number)
            }
            (Kind::Decimal { most }, Value::Decimal(number)) => (0.0..=*most).contains(number),
            (Kind::Word(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Kind::Address, Value::Text(text)) => text.parse::<SocketAddr>().is_ok(),
            (Kind::Path { limit }, Value::Text(text)) => {
                let plain = !text.chars().any(char::is_control);
                plain && text.len() <= *limit && Path::new(text).is_absolute()
            }
            _ => false,
        }
    }
}

impl Key {
    /// Reads what a variable holds; `None` unsets the key.
    pub(super) fn read_text(&self, text: &str) -> Result<Option<Value>, String> {
        let value = match self.kind {
            Kind::Switch => text.parse().ok().map(Value::Switch),
            Kind::Number { .. } => text.parse().ok().map(Value::Number),
            Kind::Decimal { .. } => text.parse().ok().map(Value::Decimal),
            _ => Some(Value::Text(text.to_owned())),
        };
        self.judge(value, text == NONE, || quoted(text))
    }

    /// Reads what a file says; `None` unsets the key.
    pub(super) fn read_toml(&self, found: &DeValue<'_>) -> Result<Option<Value>, String> {
        let value = match (&self.kind, found) {
            (Kind::Switch, DeValue::Boolean(value)) => Some(Value::Switch(*value)),
            (Kind::Number { .. }, DeValue::Integer(number)) => {
                u64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::Number)
            }
            (Kind::Decimal { .. }, DeValue::Integer(number)) if number.radix() == 10 => {
                number.as_str().parse().ok().map(Value::Decimal)
            }
            (Kind::Decimal { .. }, DeValue::Float(number)) => {
                number.as_str().parse().ok().map(Value::Decimal)
            }
            (_, DeValue::String(text)) => Some(Value::Text(text.to_string())),
            _ => None,
        };
        self.judge(value, found.as_str() == Some(NONE), || describe(found))
    }

    fn judge(
        &self,
        value: Option<Value>,
        none: bool,
        found: impl FnOnce() -> String,
    ) -> Result<Option<Value>, String> {
        if none && self.default.is_none() {
            return Ok(None);
        }
        let value = value.filter(|value| self.kind.takes_value(value));
        value
            .map(Some)
            .ok_or_else(|| format!("{}: found {}; it takes {}", self.name, found(), self.takes()))
    }
}

/// What was found, for a message.
fn describe(found: &DeValue<'_>) -> String {
    match found {
        DeValue::String(text) => format!("the text {}", quoted(text)),
        DeValue::Integer(number) => format!("the number {}", quoted(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", quoted(&number.to_string())),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(_) => "a date or time".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

impl Value {
    /// As TOML.
    pub(in crate::cli) fn toml(&self) -> String {
        match self {
            Value::Switch(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
            // With its point, or it would be a whole number.
            Value::Decimal(number) => format!("{number:?}"),
            // JSON's escapes are TOML's.
            Value::Text(text) => json!(text).to_string(),
        }
    }

    /// As JSON.
    pub(in crate::cli) fn json(&self) -> Json {
        match self {
            Value::Switch(value) => json!(value),
            Value::Number(number) => json!(number),
            Value::Decimal(number) => json!(number),
            Value::Text(text) => json!(text),
        }
    }
}
