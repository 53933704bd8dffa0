use super::*;
use crate::cli::machine::tests::Made;

#[test]
fn a_machine_that_changes_is_warned_of() {
    let files = Made::new("watch");
    let core = "sys/devices/system/cpu/cpu0";
    let set = |clock: &str, throttles: &str, stat: &str| {
        files.write(&format!("{core}/cpufreq/scaling_cur_freq"), clock);
        files.write(&format!("{core}/thermal_throttle/core_throttle_count"), throttles);
        files.write("proc/stat", stat);
    };
    set("2000000", "5", "cpu 0 0 0 0 0 0 0 0");
    let mut watch = Watch::begin(files.root(), true);
    watch.times = vec![Duration::from_secs(3_600); 2];
    set("3000000", "7", "cpu 90 0 0 0 0 0 0 10");
    let machine = Machine {
        cores: Some(2),
        load_average: Some(2.5),
        quota_cores: Some(1.0),
        ..Machine::default()
    };
    let seen = watch.end(&machine, 2);
    let kinds: Vec<_> = seen
        .iter()
        .map(|warning| warning.kind)
        .filter(|kind| *kind != WarningKind::DebugBuild)
        .collect();
    use WarningKind::*;
    assert_eq!(kinds, [Frequency, Throttled, Steal, Load, Quota, Unsteady]);
    let text: Vec<_> = seen.into_iter().map(|warning| warning.text).collect();
    let text = text.join("\n");
    for words in ["2000 to 3000 MHz", "heat 2 times", "gave 10 %", "average was 2.5 on 2"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_machine_that_says_nothing_is_not_warned_of() {
    let files = Made::new("silent");
    let mut watch = Watch::begin(files.root(), true);
    watch.times = Vec::new();
    let seen = watch.end(&Machine::default(), 64);
    assert!(seen.iter().all(|warning| warning.kind == WarningKind::DebugBuild), "{seen:?}");
}

#[test]
fn what_others_take_is_neither_own_nor_idle() {
    let then = Ticks { all: 1_000, idle: 500, steal: 10, own: Some(7) };
    let now = Ticks { all: 2_000, idle: 700, steal: 20, own: Some(607) };
    assert_eq!(others(&then, &now), Some(0.19));
    assert_eq!(others(&then, &Ticks { own: None, ..now }), None);
    assert_eq!(others(&then, &then), Some(0.0));
    // Counters are read one after the other, and may be a tick apart.
    assert_eq!(others(&then, &Ticks { own: Some(2_000), ..now }), Some(0.0));
}

#[test]
fn lists_are_cut() {
    let names: Vec<_> = (0..6).map(|i| i.to_string()).collect();
    assert_eq!(listed(&names), "0, 1, 2, 3 and 2 more");
    assert_eq!(listed(&names[..4]), "0, 1, 2, 3");
}
