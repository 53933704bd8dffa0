//! Learned costs as lines of text.
//!
//! `unit SLOT NANOSECONDS SURE`, then `point CURVE UNITS NANOSECONDS SEEN` in the order of curves and
//! sizes; numbers are written so that they are read as the same.

use std::str::FromStr;

use super::curve::{Point, class};
use super::doubt::Doubt;
use super::{CostModel, LONGEST};

/// What is known from an earlier run counts as one completion: enough to predict with, little enough to
/// be tried again and corrected at once.
const RECALLED: Doubt = Doubt { odd: None, held: 1 };

impl CostModel {
    /// Everything learned; empty where that is nothing.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut put = |line: String| text.extend([&*line, "\n"]);
        for (slot, unit) in self.units.iter().enumerate().filter(|(_, unit)| unit.doubt.held > 0) {
            put(format!("unit {slot} {} {}", unit.nanos, u8::from(unit.sure)));
        }
        for (curve, points) in self.curves.iter().map(|curve| &curve.points).enumerate() {
            for Point { units, time, seen, .. } in points.iter().filter(|point| point.seen > 0) {
                put(format!("point {curve} {units} {time} {seen}"));
            }
        }
        text
    }

    /// The model of such a text, every estimate resting on one completion; `None` where a line is not as
    /// it was written, or says what no device can have shown.
    pub fn from_text(text: &str) -> Option<CostModel> {
        let mut model = CostModel::new();
        // Keys ascend, so that none comes twice.
        let (mut unit, mut point) = (None, None);
        let mut slowest = 0.0;
        for line in text.lines() {
            let mut words = line.split(' ');
            match words.next()? {
                "unit" if point.is_none() => {
                    let slot: usize = number(words.next()?)?;
                    let nanos = time(words.next()?)?;
                    let sure = number::<u8>(words.next()?).filter(|sure| *sure < 2)? == 1;
                    let place = model.units.get_mut(slot)?;
                    (place.nanos, place.sure, place.doubt) = (nanos, sure, RECALLED);
                    if unit.replace(slot) >= Some(slot) {
                        return None;
                    }
                }
                "point" => {
                    let curve: usize = number(words.next()?)?;
                    let units: f64 = number(words.next()?)?;
                    let time = time(words.next()?)?;
                    number::<u32>(words.next()?).filter(|seen| *seen > 0)?;
                    let most = u64::MAX as f64;
                    let class = (1.0..=most).contains(&units).then(|| class(units))?;
                    let place = model.curves.get_mut(curve)?.points.get_mut(class)?;
                    *place = Point { units, time, seen: 1, doubt: RECALLED };
                    let last: Option<(usize, usize)> = point.replace((curve, class));
                    if last >= Some((curve, class)) {
                        return None;
                    }
                    // Nor does a curve fall.
                    if last.is_some_and(|last| last.0 == curve) && time < slowest {
                        return None;
                    }
                    slowest = time;
                }
                _ => return None,
            }
            if words.next().is_some() {
                return None;
            }
        }
        Some(model)
    }
}

fn number<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

/// Nanoseconds that can be believed.
fn time(word: &str) -> Option<f64> {
    number(word).filter(|time| (0.0..=LONGEST).contains(time))
}
