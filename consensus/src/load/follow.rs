//! Sees blocks become final.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client::{Client, FinalHashes};

/// How long one validator is asked for the next block before another is.
const WAIT: Duration = Duration::from_secs(3);
/// How long after a failure the next validator is asked.
const PAUSE: Duration = Duration::from_millis(50);

/// A final block, and when it was seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub found: FinalHashes,
    pub at: Instant,
}

/// Reports every final block from `height` on, beginning with the validator `first` and going on to
/// the next where one is down or stands still, until nobody listens.
pub(super) async fn follow(
    clients: Arc<[Client]>,
    first: usize,
    mut height: u64,
    seen: mpsc::Sender<Seen>,
) {
    let mut asked = first;
    while !seen.is_closed() {
        // A validator that hangs answers nothing, not even that there is nothing.
        let answer = tokio::time::timeout(2 * WAIT, clients[asked].hashes(height, WAIT)).await;
        match answer {
            Ok(Ok(Some(found))) => {
                height += 1;
                if seen.send(Seen { found, at: Instant::now() }).await.is_err() {
                    return;
                }
            }
            Ok(Ok(None)) | Err(_) => asked = (asked + 1) % clients.len(),
            Ok(Err(_)) => {
                asked = (asked + 1) % clients.len();
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
