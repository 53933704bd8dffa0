//! The HTTP interface of a validator.
//!
//! | route | answer |
//! |---|---|
//! | `POST /v1/transactions` | takes signed transactions; see below |
//! | `GET /v1/accounts/{address}` | balance (decimal text), nonce |
//! | `GET /v1/records/{namespace}/{digest}` | author, height; the namespace as a name or `0x` and 64 digits |
//! | `GET /v1/receipts/{hash}` | height, index |
//! | `GET /v1/proofs/{hash}?height=HEIGHT` | binary: a proof (SPEC.md, 16); without `height` of the last blocks' transactions |
//! | `GET /v1/proofs/accounts/{address}` | binary: a proof of the account in the last final state; it comes with the next block |
//! | `GET /v1/proofs/records/{namespace}/{digest}` | binary: a proof of the record, likewise |
//! | `GET /v1/blocks/{height}` | header, hashes of its transactions |
//! | `GET /v1/blocks/{height}/hashes?wait=MS` | binary: height (8), final_ms (8), block hash (32), then 32 bytes a transaction; 204 if it is not final within `wait` (0 to 30,000, default 0) |
//! | `GET /v1/blocks/{height}/bytes?wait=MS` | binary: final_ms (8), then the block (SPEC.md, 8); 204 as above |
//! | `GET /v1/blocks/{height}/messages/{chain}?wait=MS` | binary: proofs (SPEC.md, 16) of what the block says to that chain, each with its length (4) before it; 204 as above |
//! | `GET /v1/lanes/{chain}/{address}` | messages that an account has sent to that chain, and that have arrived from that account of it |
//! | `GET /v1/validators`, `/v1/validators/{chain}` | the latest decreed validators of this chain, or of one that is linked |
//! | `GET /v1/status` | where the validator stands |
//! | `GET /health` | the same, or 503 |
//! | `GET /metrics` | Prometheus text |
//!
//! **Transactions** come one after the other in their encoding (each tells its own length), or, with
//! `content-type: application/json`, as `{"transactions": ["0x..", ..]}`: a body of at most
//! [`BODY_LIMIT`] bytes and [`TRANSACTIONS_LIMIT`] transactions. The answer is a list in their order of
//! `{"hash": ".."}` or `{"error": {"code", "message", "offence"?}}`, or with
//! `accept: application/octet-stream` one byte a transaction: [`TAKEN`], [`KNOWN`], [`FULL`],
//! [`REFUSED`]. One that is no encoding refuses all: nothing of the body is taken.
//!
//! Integers of binary answers are big-endian. Other errors are `{"error": {"code", "message"}}` with a
//! status of 400 to 504; one of 503 has `retry-after`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{Semaphore, oneshot};

use crate::service::{self, Service};

mod failure;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod json;
mod read;
mod serve;
mod submit;

use failure::Failure;
pub use serve::{CONNECTIONS, serve};

/// Most bytes of a body.
pub const BODY_LIMIT: usize = 4 << 20;
/// Most transactions of a body.
pub const TRANSACTIONS_LIMIT: usize = 16_384;
/// Longest `wait`, in milliseconds.
pub const WAIT_LIMIT_MS: u64 = 30_000;

/// A transaction was taken.
pub const TAKEN: u8 = 0;
/// The pool or a recent block has the transaction.
pub const KNOWN: u8 = 1;
/// The pool is full.
pub const FULL: u8 = 2;
/// The transaction was refused for another reason.
pub const REFUSED: u8 = 3;

/// Bodies that are read and answered at once: 256 MiB of them at most.
const BODIES: usize = 64;
/// Requests that wait for a block at once.
const WAITS: usize = 128;
/// Other requests at once.
const READS: usize = 128;
/// How long a validator may think, and a client may take to send a body.
const PATIENCE: Duration = Duration::from_secs(10);

/// What gives the text of `/metrics`.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

#[derive(Clone)]
struct Shared {
    service: Service,
    metrics: Metrics,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Shared {
    /// Asks the validator, and waits within [`PATIENCE`].
    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> service::Request,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(PATIENCE, self.service.ask(request)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Failure::timeout("the validator did not answer in time: ask again")),
        }
    }
}

/// The interface of a validator that answers `service`. It needs a tokio runtime with timers.
///
/// Requests beyond a bounded number in flight are refused with 503; submissions, waits for blocks,
/// other questions and `/health` with `/metrics` are counted apart, so that none keeps out another.
pub fn router(service: Service, metrics: Metrics) -> Router {
    let bodies = Router::new()
        .route("/v1/transactions", post(submit::transactions))
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    let waits = Router::new()
        .route("/v1/blocks/{height}/hashes", get(read::hashes))
        .route("/v1/blocks/{height}/bytes", get(read::bytes))
        .route("/v1/blocks/{height}/messages/{chain}", get(read::messages));
    let reads = Router::new()
        .route("/v1/accounts/{address}", get(read::account))
        .route("/v1/records/{namespace}/{digest}", get(read::record))
        .route("/v1/receipts/{hash}", get(read::receipt))
        .route("/v1/proofs/{hash}", get(read::proof))
        .route("/v1/proofs/accounts/{address}", get(read::account_proof))
        .route("/v1/proofs/records/{namespace}/{digest}", get(read::record_proof))
        .route("/v1/blocks/{height}", get(read::block))
        .route("/v1/lanes/{chain}/{address}", get(read::lane))
        .route("/v1/validators", get(read::own_validators))
        .route("/v1/validators/{chain}", get(read::validators))
        .route("/v1/status", get(read::status));
    let watch =
        Router::new().route("/health", get(read::status)).route("/metrics", get(metrics_text));
    limited(bodies, BODIES)
        .merge(limited(waits, WAITS))
        .merge(limited(reads, READS))
        .merge(limited(watch, READS))
        .fallback(async || Failure::not_found("there is no such route"))
        .method_not_allowed_fallback(async || Failure::method())
        .with_state(Shared { service, metrics })
}

/// Refuses what comes while so many requests of these routes are being answered.
fn limited(routes: Router<Shared>, most: usize) -> Router<Shared> {
    let free = Arc::new(Semaphore::new(most));
    routes.route_layer(middleware::from_fn_with_state(free, one_of))
}

async fn one_of(State(free): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    match free.try_acquire() {
        Ok(_held) => next.run(request).await,
        Err(_) => Failure::busy("too many requests at once: ask again later").into_response(),
    }
}

async fn metrics_text(State(shared): State<Shared>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], (shared.metrics)())
}

#[cfg(test)]
mod tests;
