//! Bars from left to right, of one part or of several.

use std::collections::BTreeSet;

use super::scale::{Axis, Scale};
use super::{Anchor, COLOURS, Canvas, Chart, LINE, SIZE, Sample, WIDTH, fitted, width};

/// A part of a bar.
#[derive(Clone, Debug)]
pub(in crate::cli::report) struct Part {
    pub name: String,
    pub value: f64,
    /// Its colour and hatching; the same for the same name throughout a chart.
    pub look: usize,
    /// No work: hatched alone.
    pub waiting: bool,
    pub tip: String,
}

/// One bar.
#[derive(Clone, Debug)]
pub(in crate::cli::report) struct Bar {
    pub name: String,
    pub parts: Vec<Part>,
    /// What stands at its end.
    pub value: String,
}

/// A chart of them.
#[derive(Clone, Debug)]
pub(in crate::cli::report) struct Bars {
    pub label: String,
    pub axis: Axis,
    /// Where the axis ends: a bar that is longer is cut there. None for the longest that is no wait.
    pub most: Option<f64>,
    pub bars: Vec<Bar>,
    /// Whether the parts are named below.
    pub legend: bool,
}

const THICK: f64 = 16.0;

impl Bars {
    /// Draws it; none if there is nothing that can be shown.
    pub fn draw(&self) -> Option<Chart> {
        let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(width).fold(0.0, f64::max);
        let names = widest(&mut self.bars.iter().map(|bar| bar.name.as_str()));
        // Long names have lines of their own.
        let above = names > 0.4 * WIDTH;
        let left = if above { 5.0 } else { names + 8.0 };
        let right =
            WIDTH - widest(&mut self.bars.iter().map(|bar| bar.value.as_str())).max(16.0) - 8.0;
        let works = |bar: &Bar| -> f64 {
            bar.parts.iter().filter(|part| !part.waiting).map(|part| part.value).sum()
        };
        let longest = || self.bars.iter().map(works).fold(0.0, f64::max);
        self.bars.first()?;
        let most = self.most.unwrap_or_else(longest);
        let scale = Scale::up_to(most, [left, right]);

        let mut canvas = Canvas::default();
        let step = LINE + 4.0 + if above { LINE } else { 0.0 };
        let (top, bottom) = (2.0, 2.0 + step * self.bars.len() as f64);
        for (at, label) in scale.ticks(&self.axis, width) {
            canvas.line("grid", [at, top], [at, bottom]);
            canvas.tick(at, bottom + LINE, &label);
        }
        // It would run through names above.
        if !above {
            canvas.line("frame", [left, top], [left, bottom]);
        }
        canvas.line("frame", [left, bottom], [right, bottom]);
        for (index, bar) in self.bars.iter().enumerate() {
            let end = top + step * (index as f64 + 1.0);
            let base = end - 0.4 * LINE;
            let (name_at, upper) =
                if above { (base - LINE, base - 13.0) } else { (base, base - 13.0) };
            let room = if above { WIDTH } else { left - 8.0 };
            canvas.text(0.0, name_at, Anchor::Start, &fitted(&bar.name, room));
            canvas.text(WIDTH, base, Anchor::End, &bar.value);
            let mut sum = 0.0;
            for part in &bar.parts {
                let from = scale.place(sum).unwrap_or(left).min(right);
                sum += part.value.max(0.0);
                let to = scale.place(sum).unwrap_or(from).min(right);
                canvas.fill(part.look, part.waiting, [from, upper], [to - from, THICK], &part.tip);
                if bar.parts.len() > 1 && width(&part.name) + 8.0 < to - from {
                    let class = match part.waiting {
                        true => String::new(),
                        false => format!("inside c{}", part.look % COLOURS),
                    };
                    canvas.text_of_class(
                        &class,
                        (from + to) / 2.0,
                        base,
                        Anchor::Middle,
                        &part.name,
                    );
                }
            }
        }
        let title = bottom + 2.0 * LINE;
        canvas.text_of_class("axis", WIDTH, title, Anchor::End, &self.axis.title);
        let end = match self.legend {
            true => canvas.legend(title + 4.0, &self.samples()),
            false => title + 0.5 * SIZE,
        };
        Some(canvas.finish(end, &self.label))
    }

    /// Each name once, in the order in which they come.
    fn samples(&self) -> Vec<(String, Sample)> {
        let (mut samples, mut known) = (Vec::new(), BTreeSet::new());
        for part in self.bars.iter().flat_map(|bar| &bar.parts) {
            let sample = if part.waiting { Sample::Waiting } else { Sample::Part(part.look) };
            if known.insert(&part.name) {
                samples.push((part.name.clone(), sample));
            }
        }
        samples
    }
}
