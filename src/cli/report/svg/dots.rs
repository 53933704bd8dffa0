//! Values with their spread, one a line, on one axis.

use super::scale::{Axis, Scale};
use super::{Anchor, Canvas, Chart, LINE, Look, SIZE, Sample, WIDTH, fitted, width};

/// One value.
#[derive(Clone, Debug)]
pub(in crate::cli::report) struct Dot {
    pub value: f64,
    pub look: Look,
    pub tip: String,
}

/// One line; without dots it is a heading.
#[derive(Clone, Debug, Default)]
pub(in crate::cli::report) struct Row {
    pub name: String,
    pub dots: Vec<Dot>,
    /// From where to where.
    pub spread: Option<[f64; 2]>,
    /// What stands at its end.
    pub value: String,
}

/// A chart of them.
#[derive(Clone, Debug)]
pub(in crate::cli::report) struct Dots {
    pub label: String,
    pub axis: Axis,
    /// A value to compare with, and what it is.
    pub reference: Option<(f64, &'static str)>,
    pub rows: Vec<Row>,
    /// What the markers are, where that is not said by the axis.
    pub legend: Vec<(String, Look)>,
}

impl Dots {
    /// Draws it; none if there is nothing that can be shown.
    pub fn draw(&self) -> Option<Chart> {
        let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(width).fold(0.0, f64::max);
        let named = || self.rows.iter().filter(|row| !row.dots.is_empty());
        let left = widest(&mut named().map(|row| row.name.as_str())).min(0.4 * WIDTH) + 10.0;
        let right = WIDTH - widest(&mut named().map(|row| row.value.as_str())).max(16.0) - 10.0;
        let values = named().flat_map(|row| {
            let ends = row.spread.into_iter().flatten();
            row.dots.iter().map(|dot| dot.value).chain(ends)
        });
        let values = values.chain(self.reference.map(|(value, _)| value));
        named().next()?;
        let scale = Scale::around(self.axis.kind, values, [left, right])?;

        let mut canvas = Canvas::default();
        let top = 4.0;
        let bottom = top + LINE * self.rows.len() as f64 + 4.0;
        let ticks = scale.ticks(&self.axis, width);
        for (at, label) in &ticks {
            canvas.line("grid", [*at, top], [*at, bottom]);
            canvas.tick(*at, bottom + LINE, label);
        }
        canvas.line("frame", [left, bottom], [right, bottom]);
        if let Some(at) = self.reference.and_then(|(value, _)| scale.place(value)) {
            canvas.line("ideal", [at, top], [at, bottom]);
        }
        for (index, row) in self.rows.iter().enumerate() {
            let base = top + LINE * (index as f64 + 0.75);
            let middle = base - 0.35 * SIZE;
            if row.dots.is_empty() {
                // Its own line, and no grid behind it.
                let name = fitted(&row.name, WIDTH);
                canvas.text_of_class("head", 0.0, base, Anchor::Start, &name);
                continue;
            }
            canvas.text(0.0, base, Anchor::Start, &fitted(&row.name, left - 10.0));
            canvas.text(WIDTH, base, Anchor::End, &row.value);
            if let Some([low, high]) = row.spread
                && let (Some(low), Some(high)) = (scale.place(low), scale.place(high))
            {
                canvas.line("spread", [low, middle], [high, middle]);
                for end in [low, high] {
                    canvas.line("spread", [end, middle - 4.0], [end, middle + 4.0]);
                }
            }
            for dot in &row.dots {
                if let Some(at) = scale.place(dot.value) {
                    canvas.marker(dot.look, [at, middle], &dot.tip);
                }
            }
        }
        let title = bottom + 2.0 * LINE;
        canvas.text_of_class("axis", WIDTH, title, Anchor::End, &self.axis.title);
        let mut legend: Vec<_> =
            self.legend.iter().map(|(name, look)| (name.clone(), Sample::Marker(*look))).collect();
        legend.extend(self.reference.map(|(_, name)| (name.to_owned(), Sample::Rule("ideal"))));
        let end = match legend.is_empty() {
            true => title + 0.5 * SIZE,
            false => canvas.legend(title + 4.0, &legend),
        };
        Some(canvas.finish(end, &self.label))
    }
}
