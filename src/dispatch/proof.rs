//! That a device lied: the job, what the device sent, what it should have sent. Kept on disk.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::algorithm::Algorithm;
use crate::batch::Batch;
use crate::verdict::Evidence;

/// One wrong answer, with all that is needed to check it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    algorithm: Algorithm,
    job: usize,
    jobs: usize,
    /// The job's columns, in hexadecimal.
    columns: [String; 3],
    /// 04 || x || y of the key, if the job names a pinned one.
    pinned: Option<String>,
    evidence: String,
    answer: Option<String>,
    found: String,
}

/// Bytes of a column that are kept: the job of a forged signature whole, of a long message the beginning.
const KEPT: usize = 4_096;

/// Files that one process writes at most.
const FILES: usize = 64;

impl Proof {
    /// `entry`: of the evidence, which the job's answer came from. `answer`: what the judge made of it. `found`:
    /// what the host and the referee say.
    pub(crate) fn new(
        batch: &Batch,
        job: usize,
        evidence: &Evidence,
        entry: usize,
        answer: Option<String>,
        found: &str,
    ) -> Proof {
        let column = |index| {
            let bytes = batch.column(index).get(job);
            let cut = if bytes.len() > KEPT { ".." } else { "" };
            format!("{}{cut}", hex(&bytes[..bytes.len().min(KEPT)]))
        };
        let pinned = batch.pinned().and_then(|keys| {
            let index = u32::from_le_bytes(batch.column(2).get(job).try_into().ok()?);
            keys.encoded(index as usize).map(|key| hex(&key))
        });
        let evidence = match evidence {
            Evidence::Points(points) => hex(bytemuck::bytes_of(&points[entry])),
            Evidence::Keys(keys) => hex(&keys[entry]),
            Evidence::Digests(digests) => hex(&digests[entry]),
            _ => String::new(),
        };
        Proof {
            algorithm: batch.algorithm(),
            job,
            jobs: batch.len(),
            columns: [0, 1, 2].map(column),
            pinned,
            evidence,
            answer,
            found: found.to_owned(),
        }
    }

    /// In a line.
    pub fn summary(&self) -> String {
        let Proof { algorithm, job, jobs, answer, found, .. } = self;
        let answer = answer.as_deref().unwrap_or("a wrong point");
        format!("{algorithm}, job {job} of {jobs}: device {answer}, {found}")
    }

    /// Writes it into a file of its own, and gives the path; `None` once a process wrote its share.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, folder: &Path, device: &str) -> std::io::Result<Option<PathBuf>> {
        static WRITTEN: AtomicUsize = AtomicUsize::new(0);
        let count = WRITTEN.fetch_add(1, Ordering::Relaxed);
        if count >= FILES {
            return Ok(None);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        std::fs::create_dir_all(folder)?;
        let name: String =
            device.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let path =
            folder.join(format!("{name}-{}-{}-{count}.txt", now.as_secs(), std::process::id()));
        let mut file = std::fs::File::create_new(&path)?;
        file.write_all(self.text(device, now.as_secs()).as_bytes())?;
        file.sync_all()?;
        Ok(Some(path))
    }

    fn text(&self, device: &str, seconds: u64) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "{name} {value}");
        };
        line("device", device);
        line("time", &seconds.to_string());
        line("algorithm", &self.algorithm.to_string());
        line("job", &format!("{} of {}", self.job, self.jobs));
        for (index, column) in self.columns.iter().enumerate() {
            line(&format!("column-{index}"), column);
        }
        if let Some(key) = &self.pinned {
            line("pinned-key", key);
        }
        line("evidence", &self.evidence);
        line("device-answer", self.answer.as_deref().unwrap_or("a wrong point"));
        line("found", &self.found);
        text
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Where proofs are kept unless the builder says otherwise: the user's folder for state, or for want of one the
/// system's for temporary files.
pub fn default_folder() -> PathBuf {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = variable("XDG_STATE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir);
    state.join("sigmill").join("proofs")
}
