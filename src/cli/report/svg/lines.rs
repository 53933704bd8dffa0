//! Lines with markers between two axes.

use super::scale::{Axis, Scale};
use super::{Anchor, Canvas, Chart, LINE, Look, SIZE, Sample, WIDTH, width};

/// One line.
#[derive(Clone, Debug, Default)]
pub(in crate::cli::report) struct Series {
    pub name: String,
    pub look: Look,
    /// Ascending by x. What an axis cannot show is left out.
    pub points: Vec<[f64; 2]>,
    /// A straight dashed line of no measurement: it has no markers.
    pub ideal: bool,
}

/// A point that is ringed.
#[derive(Clone, Debug)]
pub(in crate::cli::report) struct Mark {
    pub at: [f64; 2],
    pub tip: String,
}

/// A chart of them.
#[derive(Clone, Debug)]
pub(in crate::cli::report) struct Lines {
    pub label: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    pub marks: Vec<Mark>,
    /// What the ringed points are.
    pub ringed: &'static str,
}

/// Of the area between the axes.
const HEIGHT: f64 = 190.0;

impl Lines {
    /// Draws it; none if there is nothing that can be shown.
    pub fn draw(&self) -> Option<Chart> {
        let top = LINE + 8.0;
        let bottom = top + HEIGHT;
        let points = || self.series.iter().flat_map(|series| &series.points);
        let y = Scale::around(self.y.kind, points().map(|point| point[1]), [bottom, top])?;
        let y_ticks = y.ticks(&self.y, |_| 1.3 * SIZE);
        let widest = y_ticks.iter().map(|(_, label)| width(label)).fold(0.0, f64::max);
        // Half of a label of x sticks out at either end.
        let given = self.x.at.iter().map(|value| width(&(self.x.format)(*value)));
        let half = given.fold(40.0, f64::max).min(0.4 * WIDTH) / 2.0;
        let (left, right) = ((widest + 8.0).max(half), WIDTH - half - 4.0);
        let x = Scale::around(self.x.kind, points().map(|point| point[0]), [left, right])?;
        let x_ticks = x.ticks(&self.x, width);

        let mut canvas = Canvas::default();
        canvas.text_of_class("axis", 0.0, SIZE, Anchor::Start, &self.y.title);
        for (at, label) in &y_ticks {
            canvas.line("grid", [left, *at], [right, *at]);
            canvas.text(left - 6.0, at + 0.35 * SIZE, Anchor::End, label);
        }
        for (at, label) in &x_ticks {
            canvas.line("grid", [*at, top], [*at, bottom]);
            canvas.tick(*at, bottom + LINE + 2.0, label);
        }
        canvas.line("frame", [left, bottom], [right, bottom]);
        canvas.line("frame", [left, top], [left, bottom]);
        let title = bottom + 2.0 * LINE;
        canvas.text_of_class("axis", right, title, Anchor::End, &self.x.title);

        let place = |[a, b]: [f64; 2]| Some([x.place(a)?, y.place(b)?]);
        let mut legend = Vec::new();
        for series in &self.series {
            let Series { name, look, points, ideal } = series;
            let places: Vec<_> =
                points.iter().filter_map(|point| Some((place(*point)?, point))).collect();
            let line: Vec<_> = places.iter().map(|(at, _)| *at).collect();
            if *ideal {
                if let [first, .., last] = line[..] {
                    canvas.line("ideal", first, last);
                    legend.push((name.clone(), Sample::Rule("ideal")));
                }
                continue;
            }
            if line.is_empty() {
                continue;
            }
            canvas.stroke(*look, &line);
            for (at, [a, b]) in places {
                let tip = format!("{name}: {} at {}", (self.y.format)(*b), (self.x.format)(*a));
                canvas.marker(*look, at, &tip);
            }
            legend.push((name.clone(), Sample::Line(*look)));
        }
        let ringed = self.marks.iter().filter_map(|mark| Some((place(mark.at)?, &mark.tip)));
        let ringed: Vec<_> = ringed.collect();
        for (at, tip) in &ringed {
            canvas.line("mark", [at[0], at[1] + 8.0], [at[0], bottom]);
            canvas.ring(*at, tip);
        }
        if !ringed.is_empty() {
            legend.push((self.ringed.to_owned(), Sample::Ring));
        }
        let end = canvas.legend(title + 4.0, &legend);
        Some(canvas.finish(end, &self.label))
    }
}
