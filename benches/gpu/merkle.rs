//! One tree from the host's leaves to its root, in compressions a second: n leaves are n - 1 double hashes
//! of 64 bytes, of three compressions each.

use std::time::Duration;

use sigmill::{Algorithm, Batch, Job};

use crate::{Bench, ends, pair};

pub fn run(bench: &Bench, span: Duration) -> Result<(), String> {
    let engines = bench.engines()?;
    if !engines.serves(Algorithm::MerkleRootSha256d) {
        bench.report.skip("merkle", "merkle-root-sha256d", "the device does not serve it");
        return Ok(());
    }
    let sizes: &[u32] = match (bench.options.software, bench.options.quick) {
        (true, _) => &[10, 16],
        (false, true) => &[12, 16, 20],
        (false, false) => &[12, 16, 20, 24],
    };
    ends::head(bench, "compr.");
    for height in sizes {
        let leaves: Vec<[u8; 32]> = (0..1u64 << height).map(leaf).collect();
        let mut batch = Batch::open(Algorithm::MerkleRootSha256d);
        batch.push(Job::MerkleRoot { leaves: &leaves }).map_err(|error| error.to_string())?;
        let compressions = 3.0 * (leaves.len() - 1) as f64;
        let each = span.div_f64(sizes.len() as f64);
        let pair = pair::measure(engines, batch.seal(), compressions, each)
            .map_err(|why| format!("2^{height} leaves: {why}"))?;
        ends::row(bench, "merkle", "merkle-root", leaves.len(), &pair);
    }
    Ok(())
}

/// Distinct, and cheap to make.
fn leaf(index: u64) -> [u8; 32] {
    let mut leaf = [0; 32];
    for (i, chunk) in (1..).zip(leaf.as_chunks_mut::<8>().0) {
        *chunk = (index + i).wrapping_mul(0x9e37_79b9_7f4a_7c15 * i).to_le_bytes();
    }
    leaf
}
