//! What all reports share: one page without script, and with nothing that lies elsewhere.

use std::fmt::Display;

use super::markup::{Markup, Value};
use super::svg::Chart;

const STYLE: &str = include_str!("style.css");

/// No browser loads anything for the page or runs anything in it, whatever a document holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The hatchings of bars, for all charts of the page.
const HATCHES: &str = concat!(
    r#"<svg class="hatches" aria-hidden="true"><defs>"#,
    r#"<pattern id="hatch0" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">"#,
    r#"<path class="wait" d="M0 0V6"/></pattern>"#,
    r#"<pattern id="hatch1" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">"#,
    r#"<path d="M0 0V6"/></pattern>"#,
    r#"<pattern id="hatch2" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">"#,
    r#"<path d="M0 0V6"/></pattern>"#,
    r#"<pattern id="hatch3" width="5" height="5" patternUnits="userSpaceOnUse"><path d="M0 0V5"/></pattern>"#,
    "</defs></svg>"
);

/// A page with this title around its content.
pub(super) fn page(title: &str, content: impl FnOnce(&mut Markup)) -> String {
    let mut page = Markup::new();
    page.raw("<!DOCTYPE html>\n");
    page.node("html", &[("lang", &"en")], |html| {
        html.node("head", &[], |head| {
            head.void("meta", &[("charset", &"utf-8")]);
            let policy: [(&str, Value<'_>); 2] =
                [("http-equiv", &"Content-Security-Policy"), ("content", &POLICY)];
            head.void("meta", &policy);
            let scale = "width=device-width, initial-scale=1";
            head.void("meta", &[("name", &"viewport"), ("content", &scale)]);
            head.leaf("title", &[], title);
            head.node("style", &[], |style| style.raw(STYLE));
        });
        html.node("body", &[], |body| {
            body.raw(HATCHES);
            body.node("main", &[], content);
        });
    });
    page.raw("\n");
    page.into_string()
}

/// A part of the page under a heading.
pub(super) fn section(page: &mut Markup, title: &str, inner: impl FnOnce(&mut Markup)) {
    page.node("section", &[], |section| {
        section.leaf("h2", &[], title);
        inner(section);
    });
}

pub(super) fn paragraph(page: &mut Markup, text: impl Display) {
    page.leaf("p", &[], text);
}

/// A list of sentences; nothing if there are none.
pub(super) fn list<T: Display>(page: &mut Markup, items: &[T]) {
    if !items.is_empty() {
        page.node("ul", &[], |list| items.iter().for_each(|item| list.leaf("li", &[], item)));
    }
}

/// A chart under a heading, with what there is to say of it.
pub(super) fn figure(page: &mut Markup, title: &str, chart: &Chart, caption: &str) {
    page.node("figure", &[], |figure| {
        figure.leaf("h3", &[], title);
        figure.add(&chart.markup);
        if !caption.is_empty() {
            figure.leaf("figcaption", &[], caption);
        }
    });
}

/// A box that scrolls by itself where its content is wider than the page.
pub(super) fn scroll(page: &mut Markup, label: &str, inner: impl FnOnce(&mut Markup)) {
    // One that scrolls must be reached by the keyboard.
    let attributes: [(&str, Value<'_>); 4] =
        [("class", &"scroll"), ("tabindex", &"0"), ("role", &"region"), ("aria-label", &label)];
    page.node("div", &attributes, inner);
}

/// A table with one line of headings. The first column names the rows.
pub(super) fn table(page: &mut Markup, label: &str, heads: &[&str], rows: &[Vec<String>]) {
    scroll(page, label, |page| {
        page.node("table", &[], |table| {
            table.node("thead", &[], |head| {
                head.node("tr", &[], |line| {
                    for (index, name) in heads.iter().enumerate() {
                        let class = if index == 0 { "name" } else { "" };
                        line.leaf("th", &[("scope", &"col"), ("class", &class)], name);
                    }
                });
            });
            table.node("tbody", &[], |body| {
                for row in rows {
                    body.node("tr", &[], |line| {
                        for (index, cell) in row.iter().enumerate() {
                            match index {
                                0 => line.leaf("th", &[("scope", &"row")], cell),
                                _ => line.leaf("td", &[], cell),
                            }
                        }
                    });
                }
            });
        });
    });
}

/// Names with what they stand for.
pub(super) fn facts<N: Display, V: Display>(page: &mut Markup, facts: &[(N, V)]) {
    page.node("dl", &[], |list| {
        for (name, value) in facts {
            list.leaf("dt", &[], name);
            list.leaf("dd", &[], value);
        }
    });
}
