//! A table for other programs, as a link to download.

use std::fmt::Write;

/// Rows of comma-separated values (RFC 4180).
#[derive(Debug, Default)]
pub(super) struct Csv(String);

impl Csv {
    /// A table whose columns have these names.
    pub fn new(names: &[&str]) -> Self {
        let mut csv = Csv::default();
        csv.row(names.iter().map(|name| (*name).to_owned()));
        csv
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<_> = cells.into_iter().map(cell).collect();
        self.0.push_str(&cells.join(","));
        self.0.push_str("\r\n");
    }

    /// All of it as the address of a link.
    pub fn link(&self) -> String {
        let mut link = "data:text/csv;charset=utf-8,".to_owned();
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b',' => {
                    link.push(byte.into())
                }
                _ => write!(link, "%{byte:02X}").expect("memory"),
            }
        }
        link
    }
}

/// One cell. A name that a spreadsheet would take for a formula is made a text.
fn cell(mut text: String) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula && text.parse::<f64>().is_err() {
        text.insert(0, '\'');
    }
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        let all = ["plain", "a,b", "say \"x\"", "=1+1", "-1.5"].map(|text| cell(text.to_owned()));
        assert_eq!(all, ["plain", "\"a,b\"", "\"say \"\"x\"\"\"", "'=1+1", "-1.5"]);
        let mut csv = Csv::new(&["a b"]);
        csv.row(["1".to_owned()]);
        assert_eq!(csv.link(), "data:text/csv;charset=utf-8,a%20b%0D%0A1%0D%0A");
    }
}
