//! What is printed: lines of a table, or one JSON object a line.

use std::fmt;

use serde_json::Value;

pub struct Report {
    pub json: bool,
}

impl Report {
    /// A line for people alone: a heading, or the names of columns.
    pub fn note(&self, text: fmt::Arguments<'_>) {
        if !self.json {
            println!("{text}");
        }
    }

    /// One figure or several, in both forms.
    pub fn row(&self, step: &str, text: fmt::Arguments<'_>, mut value: Value) {
        if self.json {
            value["schema"] = 1.into();
            value["step"] = step.into();
            println!("{value}");
        } else {
            println!("{text}");
        }
    }

    /// Something that is not measured, and why.
    pub fn skip(&self, step: &str, what: &str, why: &str) {
        let value = serde_json::json!({ "skipped": what, "why": why });
        self.row(step, format_args!("{what}: left out: {why}"), value);
    }
}
