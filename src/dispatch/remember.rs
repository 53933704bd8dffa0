//! Learned costs from one run to the next: a file for each machine, device and driver.
//!
//! A file is text: what it is about, the lines of [`CostModel::to_text`], and a digest. One that is not
//! whole, or about something else, is as good as none.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::algorithms::sha256;
use crate::cache;
use crate::dispatch::cost::CostModel;

/// First line of a file; a version for each meaning of the lines.
const VERSION: &str = "sigmill costs 1";

/// Most bytes of a file: some twice what all algorithms in all sizes need.
const LIMIT: u64 = 128 << 10;

/// What a device of this name and description showed on this machine before, every estimate resting on
/// one completion: to be tried again.
pub fn load(name: &str, description: &str) -> Option<CostModel> {
    load_from(&cache::folder()?, name, description)
}

/// Keeps what a device showed, for [`load`]; says whether that came about. The description has to name
/// whatever decides its speed: model, level, driver.
pub fn save(name: &str, description: &str, costs: &CostModel) -> bool {
    cache::folder().is_some_and(|folder| save_to(&folder, name, description, costs))
}

/// [`load`] from a folder.
pub fn load_from(folder: &Path, name: &str, description: &str) -> Option<CostModel> {
    let head = head(&machine(), name, description);
    let text = String::from_utf8(cache::read(&path(folder, &head), LIMIT)?).ok()?;
    open(&head, &text)
}

/// [`save`] to a folder.
pub fn save_to(folder: &Path, name: &str, description: &str, costs: &CostModel) -> bool {
    let head = head(&machine(), name, description);
    cache::write(&path(folder, &head), seal(&head, &costs.to_text()).as_bytes())
}

fn path(folder: &Path, head: &str) -> PathBuf {
    folder.join(format!("costs-{}", cache::hex(&sha256::hash(head.as_bytes())[..8])))
}

fn head(machine: &str, name: &str, description: &str) -> String {
    let line = |text: &str| text.replace(char::is_control, " ");
    let (name, description) = (line(name), line(description));
    format!("{VERSION}\nmachine {machine}\ndevice {name}\ndescription {description}\n")
}

fn seal(head: &str, costs: &str) -> String {
    let body = format!("{head}{costs}");
    let digest = digest(&body);
    body + &digest
}

fn open(head: &str, text: &str) -> Option<CostModel> {
    let body = text.split_at_checked(text.len().checked_sub(DIGEST)?)?.0;
    if text[body.len()..] != digest(body) {
        return None;
    }
    CostModel::from_text(body.strip_prefix(head)?)
}

/// The last line.
fn digest(body: &str) -> String {
    format!("sha256 {}\n", cache::hex(&sha256::hash(body.as_bytes())))
}

/// Bytes of it.
const DIGEST: usize = 7 + 64 + 1;

/// The machine's CPU and how many of its cores this process may use.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut told = Vec::new();
    if let Ok(file) = std::fs::File::open("/proc/cpuinfo") {
        let _ = file.take(8 << 10).read_to_end(&mut told);
    }
    let model = cpu(&String::from_utf8_lossy(&told));
    format!("{} {model}, {cores} cores", std::env::consts::ARCH).replace(char::is_control, " ")
}

/// The model as `/proc/cpuinfo` has it: a name, or on ARM the numbers of maker and part.
fn cpu(told: &str) -> String {
    let value = |key: &str| {
        let mut lines = told.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim() == key).map_or("", |(_, value)| value.trim())
    };
    match value("model name") {
        "" => format!("{} {}", value("CPU implementer"), value("CPU part")).trim().to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;
    use crate::batch::{Form, Shape};
    use crate::dispatch::cost::Mode;

    const QUEUE: Mode = Mode { setup: 20_000, own: 0, width: 2, inline: false };
    const INLINE: Mode = Mode { setup: 500, own: 0, width: 1, inline: true };

    fn shape(algorithm: Algorithm, items: usize) -> Shape {
        Shape { algorithm, form: Form::Single, items, bytes: 64 * items }
    }

    fn shapes() -> impl Iterator<Item = Shape> {
        let sizes = (0..14).map(|power| 3_usize.pow(power));
        sizes.flat_map(|items| {
            [Algorithm::SchnorrBip340, Algorithm::Sha256].map(|algorithm| shape(algorithm, items))
        })
    }

    fn learned() -> CostModel {
        let mut costs = CostModel::new();
        for (index, shape) in shapes().enumerate().filter(|(index, _)| index % 3 > 0) {
            for mode in [QUEUE, INLINE] {
                for _ in 0..3 {
                    costs.observe(&shape, 700 + 1_000 * index as u64 * shape.items as u64, mode);
                }
            }
        }
        costs
    }

    #[test]
    fn what_was_learned_comes_back_and_rests_on_one_completion() {
        let folder = std::env::temp_dir().join(format!("sigmill-costs-{}", std::process::id()));
        let costs = learned();
        assert!(load_from(&folder, "gpu", "some model\nsome driver").is_none());
        assert!(save_to(&folder, "gpu", "some model\nsome driver", &costs));
        let back = load_from(&folder, "gpu", "some model\nsome driver").expect("it was saved");
        for (shape, mode) in shapes().flat_map(|shape| [(shape, QUEUE), (shape, INLINE)]) {
            assert_eq!(back.predict(&shape, mode), costs.predict(&shape, mode));
            assert_eq!(back.seen(&shape, mode), costs.seen(&shape, mode).min(1));
        }
        assert!(costs.seen(&shape(Algorithm::Sha256, 1), QUEUE) > 1);
        // Another driver, and another device.
        assert!(load_from(&folder, "gpu", "some model another driver").is_none());
        assert!(load_from(&folder, "cpu", "some model some driver").is_none());
        std::fs::remove_dir_all(&folder).expect("it is ours");
    }

    #[test]
    fn a_file_that_was_touched_is_none() {
        let head = head("machine", "cpu", "x");
        let text = seal(&head, &learned().to_text());
        assert!(open(&head, &text).is_some());
        assert!(open(&head.replace("costs 1", "costs 2"), &text).is_none());
        for at in 0..text.len() {
            assert!(open(&head, &text[..at]).is_none());
            let mut touched = text.clone().into_bytes();
            touched[at] ^= 1;
            let touched = String::from_utf8(touched).expect("ASCII");
            assert!(open(&head, &touched).is_none(), "{at}");
        }
        assert!(open(&head, &format!("{text}\n")).is_none());
        assert!(open(&head, "").is_none() && open(&head, &"é".repeat(100)).is_none());
    }

    /// Lines that a digest covers and nobody wrote: refused, or at least of use.
    #[test]
    fn absurd_lines_are_refused_and_no_others_harm() {
        let text = learned().to_text();
        let refused = |line: &str| CostModel::from_text(&format!("{text}{line}\n")).is_none();
        assert!(CostModel::from_text(&format!("{text}point 25 1 5 1\n")).is_some());
        for line in [
            "point 26 1 5 1",
            "point 3 1 5 1",
            "point 25 0 5 1",
            "point 25 1e30 5 1",
            "point 25 NaN 5 1",
            "point 25 1 inf 1",
            "point 25 1 -1 1",
            "point 25 1 1e17 1",
            "point 25 1 5 0",
            "point 25 1 5 4294967296",
            "point 25 1 5",
            "point 25 1 5 1 1",
            "point 25 1 9 1\npoint 25 2 8 1",
            "point 25 1 9 1\npoint 25 1.5 9 1",
            "unit 8 5 1",
            "",
            "end",
        ] {
            assert!(refused(line), "{line}");
        }
        for text in ["unit 3 5 2", "unit 13 5 1", "unit 3 5 1\nunit 3 5 1", "unit 3 -5 1"] {
            assert!(CostModel::from_text(text).is_none(), "{text}");
        }
        let mut random = 1_u64;
        let mut below = |bound: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % bound
        };
        let mut taken = 0;
        for _ in 0..20_000 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=below(3) {
                let (at, with) = (below(bytes.len()), b"0123456789.e-+ \nuptNif"[below(22)]);
                match below(3) {
                    0 => bytes[at] = with,
                    1 => bytes.insert(at, with),
                    _ => drop(bytes.drain(at..(at + 1 + below(9)).min(bytes.len()))),
                }
            }
            let Some(mut costs) = CostModel::from_text(&String::from_utf8(bytes).expect("ASCII"))
            else {
                continue;
            };
            taken += 1;
            for mode in [QUEUE, INLINE] {
                let times = |costs: &CostModel| -> Vec<_> {
                    let sizes = (0..20).map(|power| shape(Algorithm::SchnorrBip340, 1 << power));
                    sizes.map(|shape| costs.predict(&shape, mode)).collect()
                };
                assert!(times(&costs).is_sorted());
                costs.observe(&shape(Algorithm::SchnorrBip340, 1 + below(4_096)), 1 << 20, mode);
                assert!(times(&costs).is_sorted());
            }
        }
        assert!((100..20_000).contains(&taken), "{taken}: both kinds are wanted");
    }

    #[test]
    fn a_machine_has_a_name() {
        assert!(machine().ends_with(" cores"));
        assert_eq!(cpu("processor\t: 0\nmodel name\t: Some CPU\nflags : a"), "Some CPU");
        assert_eq!(cpu("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"), "0x41 0xd0c");
        assert_eq!(cpu(""), "");
    }
}
