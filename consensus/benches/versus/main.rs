//! Verification of messages from other chains against what people use today, in one run.
//!
//! ```text
//! cargo bench -p sigmill-consensus --bench versus -- [--json] [--quick] [FILTER]
//! ```
//! For each case ours and the baseline run in turn, round by round; a ratio above 1 means that we
//! are faster. Both go from decoded proofs to senders.

use sigmill::Engine;

#[path = "../../../benches/versus/measure.rs"]
mod measure;
mod messages;

use measure::{Case, Options, measure};

fn main() {
    let options = Options::from_arguments();
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let mut counts = vec![1, all];
    counts.dedup();
    let sources = messages::Sources::new();
    for threads in counts {
        let engine = Engine::builder().threads(threads).open().expect("an engine").into();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let mut run = |case: Case<'_>| measure(&options, threads, case);
        pool.install(|| messages::run(options.quick, &engine, &sources, &mut run));
    }
}
