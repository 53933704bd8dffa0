//! Pages with charts, made by the command from results that were made up, and looked at with a browser.
//!
//! `rich` has two devices and all that a run can have, with names that would do harm where they are not escaped;
//! `poor` has one device and one figure.

mod browser;

use std::fs;
use std::path::{Path, PathBuf};

use browser::View;
use serde_json::Value;

use crate::{sigmill, support};

fn result(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/report").join(format!("{name}.json"))
}

fn json(name: &str) -> Value {
    let text = fs::read_to_string(result(name)).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

/// An empty folder for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The page of a result.
fn page(name: &str) -> String {
    let output = sigmill(&["report", result(name).to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn headings(page: &str) -> Vec<String> {
    let parts = page.split("<h2>").skip(1);
    parts.map(|part| part.split("</h2>").next().expect("its end").replace("&#39;", "'")).collect()
}

#[test]
fn results_are_what_the_schema_says() {
    let schema = serde_json::from_str(include_str!("../../docs/schema/bench.json")).expect("JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("a schema");
    for name in ["rich", "poor"] {
        let document = json(name);
        let errors: Vec<_> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn a_page_shows_what_there_is_and_names_what_is_not() {
    let (rich, poor) = (page("rich"), page("poor"));
    let all = [
        "Would an accelerator pay here?",
        "What speaks against trusting the figures",
        "Figures",
        "Bounds of --fail-below",
        "Jobs a second by batch size",
        "Latency by batch size",
        "Against other libraries",
        "Against the device's limit",
        "By threads of the CPU",
        "Latency at an offered rate",
        "Energy and cost",
        "Against an older run",
        "Runs of the whole table",
        "Machine and devices",
        "How to repeat it",
    ];
    assert_eq!(headings(&rich), all);
    let few =
        ["Figures", "Jobs a second by batch size", "Latency by batch size", "Machine and devices"];
    let first = "Would an accelerator pay here?";
    let last = ["How to repeat it", "What this run has not"];
    assert_eq!(headings(&poor), [&[first], &few[..], &last].concat());
    for option in
        ["--features baseline", "--rate", "--price-per-hour", "--compare", "--repeat", "--backend"]
    {
        assert!(poor.contains(option), "{option}");
    }
    assert!(poor.contains("Interrupted"));
    let steps = page("profile");
    assert_eq!(headings(&steps), ["Stages", "Steps of kernels", "Threads and device clocks"]);
    assert!(steps.contains("17 stages were not kept"));
}

/// Whether one document says all that the other does; it may have fields that were added since.
fn holds(all: &Value, some: &Value) -> bool {
    match (all, some) {
        (Value::Object(all), Value::Object(some)) => {
            some.iter().all(|(name, part)| all.get(name).is_some_and(|whole| holds(whole, part)))
        }
        (Value::Array(all), Value::Array(some)) => {
            all.len() == some.len() && all.iter().zip(some).all(|(all, some)| holds(all, some))
        }
        _ => all == some,
    }
}

#[test]
fn a_page_holds_its_result_and_nothing_of_others() {
    for name in ["rich", "poor", "profile"] {
        let page = page(name);
        let start = "<script type=\"application/json\" id=\"document\">";
        let (before, rest) = page.split_once(start).expect("the result");
        let (inside, after) = rest.split_once("</script>").expect("its end");
        let document: Value = serde_json::from_str(inside).expect("JSON");
        assert!(holds(&document, &json(name)), "{name}: the result differs");
        for text in [before, after] {
            for harm in ["<script", "<img", "<b>", "<run>", "<of>", "<link", "@import"] {
                assert!(!text.contains(harm), "{name}: {harm}");
            }
        }
        assert!(before.contains("default-src &#39;none&#39;"), "the policy");
    }
}

#[test]
fn what_is_no_result_is_refused() {
    let folder = folder("refused");
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let cases = [
        (folder.join("none.json").to_str().expect("UTF-8").to_owned(), "cannot be read"),
        (put("text.json", "text"), "no JSON"),
        (put("list.json", "[1]"), "kind"),
        (put("kind.json", r#"{"schema":1,"kind":"check"}"#), "check"),
        (put("schema.json", r#"{"schema":2,"kind":"bench"}"#), "schema"),
        (put("short.json", r#"{"schema":1,"kind":"bench"}"#), "command"),
        (put("profile.json", r#"{"schema":1,"kind":"profile"}"#), "workload"),
    ];
    for (path, word) in &cases {
        let output = sigmill(&["report", path]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{path}: {told}");
        assert!(told.contains(word) && output.stdout.is_empty(), "{path}: {told}");
    }
    let poor = result("poor");
    let output =
        sigmill(&["report", poor.to_str().expect("UTF-8"), "--html", "/nowhere/page.html"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(1) && told.contains("--html /nowhere/page.html"),
        "{told}"
    );
}

#[test]
fn bench_and_profile_write_pages() {
    let folder = folder("written");
    let path = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let bench = [
        "bench",
        "sha256d",
        "--backend",
        "cpu",
        "--seconds",
        "0.2",
        "--json",
        "--html",
        &path("bench.html"),
    ];
    let profile = [
        "profile",
        "--backend",
        "cpu",
        "--load",
        "sha256",
        "--seconds",
        "0.2",
        "--html",
        &path("profile.html"),
    ];
    for (arguments, title, file) in [
        (&bench[..], "<h1>Sigmill benchmark</h1>", "bench.html"),
        (&profile, "<h1>Sigmill profile</h1>", "profile.html"),
    ] {
        let output = sigmill(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let page = fs::read_to_string(path(file)).expect("the page");
        assert!(page.contains(title) && page.contains("<svg viewBox"), "{file}");
    }
}

const VIEWS: [View; 4] = [
    View { width: 360, height: 800, dark: false },
    View { width: 360, height: 800, dark: true },
    View { width: 1280, height: 1600, dark: false },
    View { width: 1280, height: 1600, dark: true },
];

/// Of frames: a window has a least width that is more than a phone's.
const WIDTHS: [u32; 5] = [320, 360, 768, 1280, 1600];

/// A page that shows another in frames, with a script that judges it, which its own policy would not run.
fn judged(page: &str) -> String {
    let (head, rest) = page.split_once("<meta http-equiv").expect("a policy");
    let (_, rest) = rest.split_once("/>").expect("its end");
    let script = format!("<script>{}</script></body>", include_str!("report/check.js"));
    let page = Value::from(format!("{head}{}", rest.replace("</body>", &script)));
    let page = page.to_string().replace('<', "\\u003c");
    format!(
        "<!DOCTYPE html><meta charset=utf-8><style>:root {{ color-scheme: light dark }} iframe {{ height: 800px; \
         border: 0 }}</style><body><script>for (const width of {WIDTHS:?}) {{ const frame = \
         document.createElement('iframe'); frame.style.width = width + 'px'; frame.srcdoc = {page}; \
         document.body.append(frame); }}</script>"
    )
}

#[test]
fn a_browser_shows_the_pages_well() {
    let Some(program) = browser::find() else {
        assert!(
            !support::is_required("browser"),
            "SIGMILL_REQUIRE lists browser, and chromium is absent"
        );
        eprintln!("skipped: no chromium; on Debian: apt-get install chromium");
        return;
    };
    let folder = folder("browser");
    // What finds nothing must be able to.
    let spoilt = page("poor")
        .replace("font-size: 12px", "font-size: 40px")
        .replace("max-width: 76rem", "width: 2000px");
    let framed = folder.join("spoilt.html");
    fs::write(&framed, judged(&spoilt)).expect("a file");
    let dumped =
        browser::open(program, &folder, &framed, VIEWS[2], &["--dump-dom".to_owned()]).output;
    let first = complaints(&dumped).remove(0).1.join(" ");
    assert!(first.contains("overlap") && first.contains("the page is"), "{first}");
    let looks = |name: &str| {
        let page = page(name);
        let folder = folder.join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let (plain, framed) = (folder.join("page.html"), folder.join("judged.html"));
        fs::write(&framed, judged(&page)).expect("a file");
        fs::write(&plain, page).expect("a file");
        for view in &VIEWS[2..] {
            let said = browser::open(program, &folder, &framed, *view, &["--dump-dom".to_owned()]);
            judge(name, view.dark, &said.output);
        }
        VIEWS.map(|view| {
            let View { width, height, dark } = view;
            let picture =
                folder.join(format!("{width}-{}.png", if dark { "dark" } else { "light" }));
            let shot = format!("--screenshot={}", picture.display());
            let said = browser::open(program, &folder, &plain, view, &[shot]);
            let complaints: Vec<_> =
                said.log.lines().filter(|line| line.contains("CONSOLE")).collect();
            assert!(complaints.is_empty(), "{name}, {view:?}: {complaints:#?}");
            let picture = fs::read(picture).expect("a picture");
            assert_eq!(browser::size(&picture), Some((width, height)), "{name}");
            picture
        })
    };
    std::thread::scope(|scope| {
        let looks = &looks;
        let threads = ["rich", "poor", "profile"].map(|name| scope.spawn(move || looks(name)));
        for thread in threads {
            let [light, dark, wide_light, wide_dark] = thread.join().expect("a page that is well");
            assert!(light != dark && wide_light != wide_dark, "light and dark look the same");
        }
    });
}

/// What the script has said of each frame: its width, charts and ground, and what is wrong.
fn complaints(dumped: &str) -> Vec<(String, Vec<String>)> {
    let readable = |line: &str| {
        line.replace("%20", " ").replace("%22", "\"").replace("%2C", ",").replace("%3A", ":")
    };
    let found = dumped.split("<pre class=\"check\">").skip(1);
    let found = found.map(|found| {
        let (found, _) = found.split_once("</pre>").expect("its end");
        let mut lines = found.lines().map(readable);
        (lines.next().expect("a line"), lines.collect())
    });
    found.collect()
}

fn judge(name: &str, dark: bool, dumped: &str) {
    let mut widths = Vec::new();
    for (first, wrong) in complaints(dumped) {
        let mut words = first.splitn(3, ' ');
        let mut word = || words.next().expect("a word");
        let (width, charts, ground) = (word(), word(), word());
        widths.push(width.parse::<u32>().expect("a number"));
        assert!(charts.parse::<usize>().expect("a number") > 1, "{name}: {charts} charts");
        assert_eq!(ground != "rgb(255, 255, 255)", dark, "{name}, {width}: {ground}");
        assert!(wrong.is_empty(), "{name}, {width} wide: {wrong:#?}");
    }
    widths.sort_unstable();
    assert_eq!(widths, WIDTHS, "{name}: the script ran to its end in each frame");
}
