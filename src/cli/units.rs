//! Numbers with their units, for tables and pages.

/// Three significant digits, without zeros at the end.
pub(in crate::cli) fn digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    // Below a thousandth zeros would be all that is seen.
    if value.abs() < 1e-3
        && let Some((digits, power)) = format!("{value:.2e}").split_once('e')
    {
        return format!("{}e{power}", trimmed(digits));
    }
    let whole = value.abs().log10().floor() as i32 + 1;
    let places = (3 - whole).clamp(0, 6) as usize;
    trimmed(&format!("{value:.places$}"))
}

/// The value in the largest of the units, ascending with what each is of the first, that it reaches.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    // What three digits round up to the next unit is written in that one.
    let fits = |(of, _): &&(f64, &str)| value.abs() >= of * 0.9995;
    let (of, unit) = units.iter().rfind(fits).or(units.first()).expect("some units");
    format!("{}{unit}", digits(value / of))
}

/// A count or a rate: 999, 1.5k, 20M.
pub(in crate::cli) fn count(value: f64) -> String {
    scaled(value, &[(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")])
}

/// A time in nanoseconds.
pub(in crate::cli) fn time(ns: f64) -> String {
    scaled(ns, &[(1.0, " ns"), (1e3, " us"), (1e6, " ms"), (1e9, " s")])
}

/// Memory, in powers of 1,024.
pub(in crate::cli) fn bytes(value: f64) -> String {
    let step = 1_024.0_f64;
    scaled(value, &[(1.0, " B"), (step, " KiB"), (step.powi(2), " MiB"), (step.powi(3), " GiB")])
}

/// A share of one, to a tenth of a percent.
pub(in crate::cli) fn percent(share: f64) -> String {
    match 100.0 * share {
        percent if percent > 0.0 && percent < 0.1 => "< 0.1 %".to_owned(),
        percent if percent < 1.0 => format!("{} %", digits((10.0 * percent).round() / 10.0)),
        percent => format!("{} %", digits(percent)),
    }
}

/// A count with separators.
pub(in crate::cli) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digit.is_ascii_digit() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_the_unit_that_fits() {
        let all = [0.0, 0.25, 1.0, 12.345, 999.4, 1_234.0, f64::NAN].map(digits);
        assert_eq!(all, ["0", "0.25", "1", "12.3", "999", "1234", "0"]);
        assert_eq!(
            [0.00125, 0.000125, 0.0001, 3.45e-6].map(digits),
            ["0.00125", "1.25e-4", "1e-4", "3.45e-6"]
        );
        let all = [0.5, 999.0, 999.9, 1_000.0, 128_000.0, 2e6].map(count);
        assert_eq!(all, ["0.5", "999", "1k", "1k", "128k", "2M"]);
        let all = [17.0, 1_500.0, 12.8e6, 3e9, 90e9].map(time);
        assert_eq!(all, ["17 ns", "1.5 us", "12.8 ms", "3 s", "90 s"]);
        assert_eq!([1_536.0, 8.0 * 1024.0 * 1024.0 * 1024.0].map(bytes), ["1.5 KiB", "8 GiB"]);
        let all = [0.0, 999.0, 1_000.0, 1_234_567.0].map(grouped);
        assert_eq!(all, ["0", "999", "1,000", "1,234,567"]);
        let all = [0.0, 0.0004, 0.0064, 0.125, 1.5].map(percent);
        assert_eq!(all, ["0 %", "< 0.1 %", "0.6 %", "12.5 %", "150 %"]);
    }
}
