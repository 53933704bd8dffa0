//! From values to places on an axis, and the ticks that are shown.

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli::report) enum Kind {
    /// From 0 on.
    Linear,
    /// Values above 0 alone.
    Log,
}

/// What an axis shows.
#[derive(Clone, Debug)]
pub(in crate::cli::report) struct Axis {
    /// What is measured, with its unit.
    pub title: String,
    pub kind: Kind,
    /// Writes a tick.
    pub format: fn(f64) -> String,
    /// Where ticks are wanted; empty for round numbers.
    pub at: Vec<f64>,
}

/// A stretch of values on a stretch of the chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Takes in all values that can be shown; none if there are none.
    pub fn around(
        kind: Kind,
        values: impl Iterator<Item = f64>,
        [from, to]: [f64; 2],
    ) -> Option<Scale> {
        let shown = values.filter(|value| is_shown(kind, *value));
        let (low, high) = shown
            .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        let (low, high) = match kind {
            Kind::Linear => (0.0, if high > 0.0 { 1.05 * high } else { 1.0 }),
            // A little room at both ends, and more where all values are about the same.
            Kind::Log => {
                let room = (high / low).powf(0.05).max(1.25);
                (low / room, high * room)
            }
        };
        Some(Scale { kind, low, high, from, to })
    }

    /// The same from 0 to exactly this.
    pub fn up_to(high: f64, [from, to]: [f64; 2]) -> Scale {
        let high = if is_shown(Kind::Log, high) { high } else { 1.0 };
        Scale { kind: Kind::Linear, low: 0.0, high, from, to }
    }

    /// Where a value is; none if it cannot be shown.
    pub fn place(&self, value: f64) -> Option<f64> {
        let part = match self.kind {
            _ if !is_shown(self.kind, value) => return None,
            Kind::Linear => (value - self.low) / (self.high - self.low),
            Kind::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        Some(self.from + part * (self.to - self.from))
    }

    /// The ticks to show, with their labels: as many as leave a gap between what their labels take along the axis.
    pub fn ticks(&self, axis: &Axis, taken: impl Fn(&str) -> f64) -> Vec<(f64, String)> {
        let labelled = |values: Vec<f64>| -> Vec<(f64, String)> {
            let places = values
                .into_iter()
                .filter(|value| self.has(*value))
                .filter_map(|value| Some((self.place(value)?, (axis.format)(value))));
            places.collect()
        };
        let apart = |(a, first): &(f64, String), (b, second): &(f64, String)| {
            (a - b).abs() >= (taken(first) + taken(second)) / 2.0 + GAP
        };
        if !axis.at.is_empty() {
            return thinned(labelled(axis.at.clone()), apart);
        }
        let choices = (1..=MOST).rev().map(|most| labelled(self.round(most)));
        let fits = |ticks: &Vec<(f64, String)>| {
            ticks.windows(2).all(|pair| apart(&pair[0], &pair[1]) && pair[0].1 != pair[1].1)
        };
        let mut fitting = choices.filter(fits);
        fitting.next().unwrap_or_default()
    }

    /// At most so many round numbers within the scale; fewer where the next finer step gives too many.
    fn round(&self, most: usize) -> Vec<f64> {
        match self.kind {
            Kind::Linear => self.steps(most),
            Kind::Log => {
                let decades = |every: i32, of: &'static [f64]| -> Vec<f64> {
                    let first = (self.low.log10().floor() as i32).div_euclid(every) * every;
                    let last = self.high.log10().ceil() as i32;
                    let powers =
                        (first..=last).step_by(every as usize).map(|power| 10f64.powi(power));
                    let values = powers.flat_map(|power| of.iter().map(move |step| step * power));
                    values.filter(|value| self.has(*value)).collect()
                };
                let mut choices = vec![decades(1, &[1.0, 2.0, 5.0]), decades(1, &[1.0, 3.0])];
                choices.extend((1..=20).map(|every| decades(every, &[1.0])));
                // Within less than a decade there may be no power of ten, and few of the others.
                if choices[0].len() < 3 {
                    choices.insert(0, self.steps(most.min(4)));
                }
                choices
                    .into_iter()
                    .find(|values| (1..=most).contains(&values.len()))
                    .unwrap_or_default()
            }
        }
    }

    /// Multiples of 1, 2, 2.5 or 5 times a power of ten.
    fn steps(&self, most: usize) -> Vec<f64> {
        let span = self.high - self.low;
        let power = 10f64.powf((span / most as f64).log10().floor());
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0, 20.0].map(|of| of * power);
        let multiples = |step: f64| -> Vec<f64> {
            let (first, last) =
                ((self.low / step).ceil() as i64, (self.high / step * (1.0 + EDGE)).floor() as i64);
            (first..=last).map(|count| count as f64 * step).collect()
        };
        steps.into_iter().map(multiples).find(|values| values.len() <= most).unwrap_or_default()
    }

    fn has(&self, value: f64) -> bool {
        (self.low * (1.0 - EDGE)..=self.high * (1.0 + EDGE)).contains(&value)
    }
}

/// Most ticks of an axis.
const MOST: usize = 9;
/// Between two labels.
const GAP: f64 = 6.0;
/// What rounding may cost a value at an end.
const EDGE: f64 = 1e-9;

/// Whether an axis can have a value: ticks need the ratio of any two, and a step far below the smallest.
fn is_shown(kind: Kind, value: f64) -> bool {
    (1e-150..=1e150).contains(&value) || kind == Kind::Linear && value == 0.0
}

/// The first, the last, and of those between whichever have room.
fn thinned<T>(ticks: Vec<T>, apart: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut kept = Vec::<T>::new();
    let mut ticks = ticks.into_iter();
    kept.extend(ticks.next());
    let last = ticks.next_back();
    for tick in ticks {
        let after = last.as_ref().is_none_or(|last| apart(&tick, last));
        if after && kept.last().is_none_or(|before| apart(before, &tick)) {
            kept.push(tick);
        }
    }
    let fits = |last: &T| kept.last().is_none_or(|before| apart(before, last));
    let last = last.filter(fits);
    kept.extend(last);
    kept
}
