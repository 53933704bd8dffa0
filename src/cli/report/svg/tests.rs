use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::scale::Scale;
use super::*;
use crate::cli::units::{count, digits, time};

/// No text lies on another, and none outside the chart.
fn check(chart: &Chart) {
    assert!(chart.labels.len() > 2, "{chart:?}");
    for (index, label) in chart.labels.iter().enumerate() {
        let inside = label.x[0] >= -0.01 && label.x[1] <= WIDTH + 0.01 && label.y[0] >= -0.01;
        assert!(inside && label.y[1] <= chart.height + 0.01, "{label:?} in {}", chart.height);
        for other in &chart.labels[..index] {
            assert!(!label.overlaps(other), "{label:?} and {other:?}");
        }
    }
    let text = chart.markup.clone().into_string();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

fn axis(kind: Kind, format: fn(f64) -> String) -> Axis {
    Axis { title: "of a kind (s)".to_owned(), kind, format, at: Vec::new() }
}

/// Values from many decades, or all alike.
fn values(random: &mut StdRng, count: usize) -> Vec<f64> {
    let (middle, width) = (random.random_range(-6.0..13.0), random.random_range(0.0..6.0));
    (0..count).map(|_| 10f64.powf(middle + width * random.random_range(-0.5..0.5))).collect()
}

fn ticks_of(scale: &Scale, axis: &Axis) -> Vec<String> {
    scale.ticks(axis, width).into_iter().map(|(_, label)| label).collect()
}

#[test]
fn ticks_are_round_and_few() {
    let linear = axis(Kind::Linear, count);
    let scale = |kind, values: &[f64]| {
        Scale::around(kind, values.iter().copied(), [0.0, 300.0]).expect("values that can be shown")
    };
    assert_eq!(
        ticks_of(&scale(Kind::Linear, &[3.0, 97.0]), &linear),
        ["0", "20", "40", "60", "80", "100"]
    );
    assert_eq!(ticks_of(&scale(Kind::Linear, &[0.0]), &linear)[0], "0");
    let log = axis(Kind::Log, count);
    assert_eq!(
        ticks_of(&scale(Kind::Log, &[1e3, 1e6]), &log),
        ["1k", "3k", "10k", "30k", "100k", "300k", "1M"]
    );
    assert_eq!(
        ticks_of(&scale(Kind::Log, &[1.0, 1e9]), &log).first().map(String::as_str),
        Some("1")
    );
    // Less than a decade has ticks too.
    assert!(ticks_of(&scale(Kind::Log, &[41.0, 44.0]), &log).len() > 1);
    // Given ticks are thinned, and the ends stay.
    let at = (0..13).map(|power| f64::from(1 << power)).collect();
    let sizes = Axis { at, ..log };
    let shown = ticks_of(&scale(Kind::Log, &[1.0, 4_096.0]), &sizes);
    assert_eq!((shown[0].as_str(), shown[shown.len() - 1].as_str()), ("1", "4.1k"));
}

#[test]
fn what_an_axis_cannot_show_is_left_out() {
    let none =
        Scale::around(Kind::Log, [0.0, -1.0, f64::NAN, f64::INFINITY].into_iter(), [0.0, 1.0]);
    assert_eq!(none, None);
    let scale = Scale::around(Kind::Log, [1.0, 100.0].into_iter(), [0.0, 1.0]).expect("two values");
    assert_eq!((scale.place(0.0), scale.place(f64::NAN)), (None, None));
    // Nor what has no step, or no ratio to another.
    for kind in [Kind::Linear, Kind::Log] {
        for [low, high] in [[0.0, 5e-324], [1e-320, 1e-310], [1e-299, 1e299], [1e-150, 1e150]] {
            let scale = Scale::around(kind, [low, high].into_iter(), [0.0, 300.0]);
            let ticks = scale.map_or(0, |scale| ticks_of(&scale, &axis(kind, digits)).len());
            assert!(ticks < 10, "{ticks} from {low} to {high}");
        }
    }
    assert!(ticks_of(&Scale::up_to(5e-324, [0.0, 300.0]), &axis(Kind::Linear, digits)).len() > 1);
}

#[test]
fn labels_of_lines_do_not_collide() {
    let mut random = StdRng::seed_from_u64(1);
    for _ in 0..400 {
        let kind = if random.random() { Kind::Log } else { Kind::Linear };
        let mut x = axis(kind, if random.random() { count } else { digits });
        if random.random() {
            x.at = (0..random.random_range(1..17)).map(|power| 2f64.powi(power)).collect();
        }
        let lines = random.random_range(1..9);
        let series: Vec<_> = (0..lines)
            .map(|index| {
                let points = random.random_range(1..12);
                let mut x = values(&mut random, points);
                x.sort_by(f64::total_cmp);
                let points = x.into_iter().zip(values(&mut random, points)).map(|(x, y)| [x, y]);
                Series {
                    name: "series of a name ".repeat(index % 4 + 1),
                    look: Look {
                        colour: index,
                        marker: index,
                        dash: index,
                        hollow: index % 2 == 1,
                    },
                    points: points.collect(),
                    ideal: index == 3,
                }
            })
            .collect();
        let chart = Lines {
            label: "lines".to_owned(),
            series,
            x,
            y: axis(kind, if random.random() { time } else { count }),
            marks: vec![Mark { at: [1.0, 1.0], tip: "here".to_owned() }],
            ringed: "a point of interest",
        };
        check(&chart.draw().expect("something to show"));
    }
}

#[test]
fn labels_of_dots_do_not_collide() {
    let mut random = StdRng::seed_from_u64(2);
    for round in 0..400 {
        let rows: Vec<_> = (0..random.random_range(1..20))
            .map(|index| {
                let found = values(&mut random, 3);
                let dot =
                    |value: &f64| Dot { value: *value, look: Look::default(), tip: String::new() };
                Row {
                    name: "a name of some length ".repeat(if index % 5 == 0 {
                        3
                    } else {
                        index % 3
                    }),
                    dots: if index % 5 == 1 { Vec::new() } else { found.iter().map(dot).collect() },
                    spread: Some([found[0], found[1]]),
                    value: time(found[2]),
                }
            })
            .collect();
        let kind = if round % 2 == 0 { Kind::Log } else { Kind::Linear };
        let chart = Dots {
            label: "dots".to_owned(),
            axis: axis(kind, if random.random() { time } else { digits }),
            reference: (round % 3 == 0).then_some((1.0, "the same")),
            rows,
            legend: vec![("one".to_owned(), Look::default())],
        };
        check(&chart.draw().expect("something to show"));
    }
}

#[test]
fn labels_of_bars_do_not_collide() {
    let mut random = StdRng::seed_from_u64(3);
    for round in 0..400 {
        let bars: Vec<_> = (0..random.random_range(1..12))
            .map(|index| {
                let count = random.random_range(0..12);
                let parts = (0..count).map(|part| Part {
                    name: format!("part{part}"),
                    value: random.random_range(0.0..60.0),
                    look: part,
                    waiting: part == 7,
                    tip: String::new(),
                });
                let name = "a long name ".repeat(if round % 2 == 0 { 1 } else { index + 1 });
                Bar { name, parts: parts.collect(), value: format!("{index} % busy") }
            })
            .collect();
        let chart = Bars {
            label: "bars".to_owned(),
            axis: axis(Kind::Linear, digits),
            most: (round % 3 > 0).then_some(100.0),
            bars,
            legend: true,
        };
        check(&chart.draw().expect("something to show"));
    }
}

/// Relative luminance and contrast as WCAG 2 defines them.
fn luminance(colour: &str) -> f64 {
    let full: String = match colour.len() {
        3 => colour.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => colour.to_owned(),
    };
    let part = |at: usize| {
        let value = u8::from_str_radix(&full[at..at + 2], 16).expect("two digits");
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
}

#[test]
fn colours_can_be_read_in_light_and_dark() {
    let style = include_str!("../style.css");
    for scheme in [":root {", "prefers-color-scheme: dark"] {
        let (_, scheme) = style.split_once(scheme).expect("the scheme");
        let colour = |name: &str| {
            let (_, rest) = scheme.split_once(&format!("--{name}: #")).expect("a colour");
            luminance(rest.split(';').next().expect("its digits"))
        };
        let contrast = |a: &str, b: &str| {
            let (a, b) = (colour(a), colour(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        for ground in ["paper", "card"] {
            for text in ["ink", "faint", "link", "alarm"] {
                assert!(contrast(text, ground) >= 4.5, "{text} on {ground}");
            }
        }
        for index in 0..COLOURS {
            let colour = format!("c{index}");
            assert!(contrast(&colour, "card") >= 4.5, "{colour} on card");
            assert!(contrast("on", &colour) >= 4.5, "on {colour}");
        }
    }
}
