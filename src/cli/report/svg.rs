//! Charts as SVG that scales with the page: axes with units, legends, marks that differ in more than colour.
//!
//! A chart is [`WIDTH`] units wide, and its text is [`SIZE`] units high: on a narrow screen a unit is a little less than
//! a pixel. What a label takes is bounded from above, so that charts can be laid out without a browser.

mod bars;
mod dots;
mod lines;
mod scale;
#[cfg(test)]
mod tests;

use std::fmt;

pub(super) use bars::{Bar, Bars, Part};
pub(super) use dots::{Dot, Dots, Row};
pub(super) use lines::{Lines, Mark, Series};
pub(super) use scale::{Axis, Kind};

use super::markup::{Markup, Value};

/// Of every chart.
pub(super) const WIDTH: f64 = 380.0;

/// Of every text in it.
const SIZE: f64 = 12.0;

/// Most that a letter of the usual sans-serif fonts takes on average, of its size.
const LETTER: f64 = 0.64;

/// From one line of text to the next.
const LINE: f64 = 18.0;

/// Colours, markers and dashes that the style knows.
const COLOURS: usize = 8;
const DASHES: [&str; 5] = ["none", "6 3", "2 3", "9 3 2 3", "12 4"];
const MARKERS: [&str; 6] = [
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "M-3.5-3.5h7v7h-7z",
    "M0-4.8L4.6 3.4H-4.6z",
    "M0-5.2L5.2 0L0 5.2L-5.2 0z",
    "M0 4.8L4.6-3.4H-4.6z",
    "M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
];

/// How a series looks. Any number is taken: they repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Look {
    pub colour: usize,
    pub marker: usize,
    pub dash: usize,
    /// Markers are outlines.
    pub hollow: bool,
}

/// Where a text's given point is in it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// The room that a text is given: what tests judge a layout by.
#[cfg(test)]
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "a failed test shows the text")]
struct Label {
    text: String,
    x: [f64; 2],
    y: [f64; 2],
}

#[cfg(test)]
impl Label {
    fn overlaps(&self, other: &Label) -> bool {
        let apart = |a: [f64; 2], b: [f64; 2]| a[1] <= b[0] || b[1] <= a[0];
        !apart(self.x, other.x) && !apart(self.y, other.y)
    }
}

/// A chart's elements, and where its texts are.
#[derive(Debug, Default)]
struct Canvas {
    body: Markup,
    #[cfg(test)]
    labels: Vec<Label>,
}

/// A coordinate, to a hundredth.
struct At(f64);

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is not finite would make the whole chart invalid.
        let rounded = if self.0.is_finite() { (self.0 * 100.0).round() / 100.0 } else { 0.0 };
        write!(out, "{rounded}")
    }
}

/// Most that a text takes.
fn width(text: &str) -> f64 {
    SIZE * text.chars().map(letter_width).sum::<f64>()
}

/// Most that a letter takes, of its size.
fn letter_width(letter: char) -> f64 {
    // From the scripts of East Asia on letters are as wide as high.
    if letter < '\u{2e80}' { LETTER } else { 1.1 }
}

/// As much of a text as there is room for.
fn fitted(text: &str, room: f64) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut taken = SIZE * LETTER;
    let fits = |letter: &char| {
        taken += SIZE * letter_width(*letter);
        taken <= room
    };
    let short: String = text.chars().take_while(fits).collect();
    short + "…"
}

impl Canvas {
    /// Writes a text on the line that has its baseline at `y`.
    fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.text_of_class("", x, y, anchor, text);
    }

    fn text_of_class(&mut self, class: &str, x: f64, y: f64, anchor: Anchor, text: &str) {
        let name = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        #[cfg(test)]
        {
            let before = [Anchor::Start, Anchor::Middle, Anchor::End]
                .iter()
                .position(|known| *known == anchor);
            let left = x - before.unwrap_or(0) as f64 / 2.0 * width(text);
            let (x, y) = ([left, left + width(text)], [y - SIZE, y + 0.3 * SIZE]);
            self.labels.push(Label { text: text.to_owned(), x, y });
        }
        let (x, y) = (At(x), At(y));
        let mut attributes: Vec<(&str, Value<'_>)> =
            vec![("x", &x), ("y", &y), ("text-anchor", &name)];
        if !class.is_empty() {
            attributes.push(("class", &class));
        }
        self.body.leaf("text", &attributes, text);
    }

    /// The label of a tick; one that would stick out of the chart is left out.
    fn tick(&mut self, x: f64, y: f64, label: &str) {
        let half = width(label) / 2.0;
        if half <= x && x + half <= WIDTH {
            self.text(x, y, Anchor::Middle, label);
        }
    }

    fn line(&mut self, class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(At);
        self.body
            .void("line", &[("class", &class), ("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2)]);
    }

    fn marker(&mut self, look: Look, [x, y]: [f64; 2], tip: &str) {
        let kind = if look.hollow { "hollow" } else { "full" };
        let class = format!("{kind} c{}", look.colour % COLOURS);
        let place = format!("translate({} {})", At(x), At(y));
        let path = MARKERS[look.marker % MARKERS.len()];
        let attributes: [(&str, Value<'_>); 3] =
            [("class", &class), ("d", &path), ("transform", &place)];
        self.body.node("path", &attributes, |inner| tooltip(inner, tip));
    }

    /// A filled part: colours repeat after eight, and neighbours differ in their hatching too.
    fn fill(&mut self, look: usize, waiting: bool, [x, y]: [f64; 2], [w, h]: [f64; 2], tip: &str) {
        let [x, y, w, h] = [x, y, w, h].map(At);
        let place: [(&str, Value<'_>); 4] = [("x", &x), ("y", &y), ("width", &w), ("height", &h)];
        let class =
            if waiting { "waiting".to_owned() } else { format!("part c{}", look % COLOURS) };
        // Hatching 0 is that of a wait; a part has none or another.
        let hatch = if waiting { 0 } else { (look % COLOURS + look / COLOURS) % 4 };
        self.body.node("g", &[("class", &class)], |inner| {
            tooltip(inner, tip);
            inner.void("rect", &[&place[..], &[("class", &"plain")]].concat());
            if waiting || hatch > 0 {
                let hatch = format!("url(#hatch{hatch})");
                let hatched: [(&str, Value<'_>); 2] = [("class", &"hatch"), ("fill", &hatch)];
                inner.void("rect", &[&place[..], &hatched].concat());
            }
        });
    }

    /// Entries side by side from the line below `y` on, as many a line as fit; returns where the last line ends.
    fn legend(&mut self, y: f64, entries: &[(String, Sample)]) -> f64 {
        const SWATCH: f64 = 28.0;
        const GAP: f64 = 14.0;
        let (mut x, mut y) = (0.0, y + LINE);
        for (name, sample) in entries {
            let name = fitted(name, WIDTH - SWATCH);
            let taken = SWATCH + width(&name);
            if x > 0.0 && x + taken > WIDTH {
                (x, y) = (0.0, y + LINE);
            }
            let middle = y - 0.35 * SIZE;
            match *sample {
                Sample::Line(look) => {
                    self.stroke(look, &[[x, middle], [x + 22.0, middle]]);
                    self.marker(look, [x + 11.0, middle], "");
                }
                Sample::Marker(look) => self.marker(look, [x + 11.0, middle], ""),
                Sample::Ring => self.ring([x + 11.0, middle], ""),
                Sample::Rule(class) => self.line(class, [x, middle], [x + 22.0, middle]),
                Sample::Part(look) => self.fill(look, false, [x, middle - 6.0], [22.0, 12.0], ""),
                Sample::Waiting => self.fill(0, true, [x, middle - 6.0], [22.0, 12.0], ""),
            }
            self.text(x + SWATCH, y, Anchor::Start, &name);
            x += taken + GAP;
        }
        y + 0.5 * SIZE
    }

    fn stroke(&mut self, look: Look, points: &[[f64; 2]]) {
        let class = format!("line c{}", look.colour % COLOURS);
        let dash = DASHES[look.dash % DASHES.len()];
        let points: Vec<_> = points.iter().map(|[x, y]| format!("{},{}", At(*x), At(*y))).collect();
        let points = points.join(" ");
        self.body.void(
            "polyline",
            &[("class", &class), ("stroke-dasharray", &dash), ("points", &points)],
        );
    }

    /// The circle that marks a point of interest.
    fn ring(&mut self, [x, y]: [f64; 2], tip: &str) {
        let [x, y] = [x, y].map(At);
        let attributes: [(&str, Value<'_>); 4] =
            [("class", &"ring"), ("cx", &x), ("cy", &y), ("r", &"8")];
        self.body.node("circle", &attributes, |inner| tooltip(inner, tip));
    }

    /// The chart, for readers that see it and those that do not.
    fn finish(self, height: f64, label: &str) -> Chart {
        // Some letters reach a little over their room.
        let (view, height) = (format!("-2 0 {} {}", WIDTH + 4.0, At(height)), At(height));
        let mut markup = Markup::new();
        let attributes: [(&str, Value<'_>); 5] = [
            ("viewBox", &view),
            ("width", &WIDTH),
            ("height", &height),
            ("role", &"img"),
            ("aria-label", &label),
        ];
        markup.node("svg", &attributes, |inner| inner.add(&self.body));
        Chart {
            markup,
            #[cfg(test)]
            labels: self.labels,
            #[cfg(test)]
            height: height.0,
        }
    }
}

fn tooltip(inner: &mut Markup, tip: &str) {
    if !tip.is_empty() {
        inner.leaf("title", &[], tip);
    }
}

/// What stands before a name in a legend.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sample {
    Line(Look),
    Marker(Look),
    Ring,
    /// A straight line of this class.
    Rule(&'static str),
    Part(usize),
    Waiting,
}

/// A finished chart.
#[derive(Debug)]
pub(super) struct Chart {
    pub markup: Markup,
    #[cfg(test)]
    labels: Vec<Label>,
    #[cfg(test)]
    height: f64,
}
