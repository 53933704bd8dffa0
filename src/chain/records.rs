//! Record files: signature checks and recoveries, flattened, with the answer that is expected.

mod ethrcv;
mod header;
mod sigchk;

pub use ethrcv::EthrcvCheck;
pub use sigchk::SigchkCheck;

pub(super) use header::{ETHRCV_MAGIC, FILE_LIMIT, SIGCHK_MAGIC};

/// Records that one round takes, so that memory does not grow with the file.
const ROUND_RECORDS: usize = 1 << 16;
