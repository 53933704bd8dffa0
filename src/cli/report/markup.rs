//! HTML and SVG, escaped by construction.

use std::fmt::{Display, Write};

/// A value of an attribute or a text.
pub(super) type Value<'a> = &'a dyn Display;

/// Elements, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Markup(String);

impl Markup {
    pub fn new() -> Self {
        Markup::default()
    }

    /// An element, and what is in it.
    pub fn node(
        &mut self,
        tag: &str,
        attributes: &[(&str, Value<'_>)],
        inner: impl FnOnce(&mut Markup),
    ) {
        self.open(tag, attributes);
        self.0.push('>');
        inner(self);
        self.0.extend(["</", tag, ">"]);
    }

    /// An element that holds a text.
    pub fn leaf(&mut self, tag: &str, attributes: &[(&str, Value<'_>)], text: impl Display) {
        self.node(tag, attributes, |inner| inner.text(text));
    }

    /// An element that holds nothing.
    pub fn void(&mut self, tag: &str, attributes: &[(&str, Value<'_>)]) {
        self.open(tag, attributes);
        self.0.push_str("/>");
    }

    fn open(&mut self, tag: &str, attributes: &[(&str, Value<'_>)]) {
        self.0.extend(["<", tag]);
        for (name, value) in attributes {
            self.0.extend([" ", name, "=\""]);
            self.text(value);
            self.0.push('"');
        }
    }

    /// A text, which may come from anywhere.
    pub fn text(&mut self, text: impl Display) {
        write!(Escaped(&mut self.0), "{text}").expect("memory");
    }

    /// What is markup already.
    pub fn add(&mut self, other: &Markup) {
        self.0.push_str(&other.0);
    }

    /// Markup or style of this program's own.
    pub fn raw(&mut self, text: &'static str) {
        self.0.push_str(text);
    }

    /// A JSON document as an element that no browser runs or shows. JSON has `<` in strings alone, where it may be
    /// written so that it ends no element.
    pub fn data(&mut self, id: &str, json: &str) {
        self.open("script", &[("type", &"application/json"), ("id", &id)]);
        self.0.push('>');
        self.0.push_str(&json.replace('<', "\\u003c"));
        self.0.push_str("</script>");
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

/// Writes what means something to HTML as references, and what no page may hold as U+FFFD.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(letter),
                letter if letter.is_control() => self.0.push('\u{fffd}'),
                letter => self.0.push(letter),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_stays_text() {
        let mut page = Markup::new();
        page.leaf("p", &[("title", &"a\"b'c")], "<script>1 & 2</script>\u{0}");
        page.data("document", "{\"name\":\"</script><b>\"}");
        let expected = "<p title=\"a&quot;b&#39;c\">&lt;script&gt;1 &amp; 2&lt;/script&gt;\u{fffd}</p>\
                        <script type=\"application/json\" id=\"document\">\
                        {\"name\":\"\\u003c/script>\\u003cb>\"}</script>";
        assert_eq!(page.into_string(), expected);
    }
}
