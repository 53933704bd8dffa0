//! The nearest known name of one that is not known.

/// Most characters of a name that are looked at: more cannot be near.
const LIMIT: usize = 64;

/// The candidate that the fewest insertions, deletions, changes and swaps of neighbours lead to, and how many they are;
/// `None` without candidates.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<(&'a str, usize)> {
    let name: String = name.chars().take(LIMIT).collect();
    let all = candidates.into_iter();
    all.map(|known| (known, strsim::damerau_levenshtein(&name, known))).min_by_key(|(_, d)| *d)
}

/// A name as a message shows it: quoted, without control characters, cut where it is long.
pub(super) fn quoted(name: &str) -> String {
    let mut shown: String = name.chars().take(LIMIT).flat_map(char::escape_debug).collect();
    if name.chars().nth(LIMIT).is_some() {
        shown.push_str("..");
    }
    format!("`{shown}`")
}

/// Part of a message that quotes what it is about: without control characters, cut where it is long.
pub(super) fn clipped(text: &str) -> String {
    const MOST: usize = 256;
    let shown = text.chars().take(MOST);
    let mut shown: String = shown.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        // The end of an error says where.
        let end: Vec<_> = text.chars().rev().take(64).collect();
        shown.push_str(" .. ");
        shown.extend(end.into_iter().rev().filter(|c| !c.is_control()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_found_however_long_the_name() {
        assert_eq!(nearest("treads", ["trust", "threads"]), Some(("threads", 1)));
        assert_eq!(nearest("htreads", ["trust", "threads"]), Some(("threads", 1)));
        assert_eq!(nearest("x", []), None);
        assert!(nearest(&"x".repeat(1 << 20), ["threads"]).is_some_and(|(_, d)| d >= 60));
        assert_eq!(quoted("a\nb"), "`a\\nb`");
        assert_eq!(quoted(&"x".repeat(100)).len(), LIMIT + 4);
        assert_eq!(clipped("\u{1b}[1m"), "\u{fffd}[1m");
        let long = clipped(&format!("{} at line 1", "x".repeat(1 << 20)));
        assert!(long.len() < 400 && long.ends_with("x at line 1"), "{long}");
    }
}
