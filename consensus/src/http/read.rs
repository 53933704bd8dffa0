//! Questions about the last final state and final blocks.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::failure::Failure;
use super::{Shared, WAIT_LIMIT_MS, json};
use crate::address::{self, Address};
use crate::proof::Subject;
use crate::service::{Final, Request};
use crate::text;

type One = Result<Path<String>, PathRejection>;
type Two = Result<Path<(String, String)>, PathRejection>;

fn height(path: One) -> Result<u64, Failure> {
    let Path(text) = path?;
    text.parse().map_err(|_| Failure::field("height", "a number from 0 to 2^64 - 1 is expected"))
}

fn of_account(path: One) -> Result<Address, Failure> {
    let Path(text) = path?;
    // What is longer is wrong as well, and the answer does not repeat all of it.
    let start: String = text.chars().take(64).collect();
    address::parse(&start).map_err(|error| Failure::field("address", error))
}

fn of_record(path: Two) -> Result<([u8; 32], [u8; 32]), Failure> {
    let Path((namespace, digest)) = path?;
    let namespace =
        text::namespace(&namespace).map_err(|error| Failure::field("namespace", error))?;
    let digest = text::hash(&digest).map_err(|error| Failure::field("digest", error))?;
    Ok((namespace, digest))
}

pub(super) async fn account(
    State(shared): State<Shared>,
    path: One,
) -> Result<Json<json::Account>, Failure> {
    let address = of_account(path)?;
    let account = shared.ask(|back| Request::Account(address, back)).await?;
    let account = account.ok_or_else(|| Failure::not_found("there is no such account"))?;
    Ok(Json(account.into()))
}

pub(super) async fn record(
    State(shared): State<Shared>,
    path: Two,
) -> Result<Json<json::Record>, Failure> {
    let (namespace, digest) = of_record(path)?;
    let record = shared.ask(|back| Request::Record(namespace, digest, back)).await?;
    let record = record.ok_or_else(|| Failure::not_found("nothing is recorded of this digest"))?;
    Ok(Json(record.into()))
}

pub(super) async fn receipt(
    State(shared): State<Shared>,
    path: One,
) -> Result<Json<json::Receipt>, Failure> {
    let Path(text) = path?;
    let hash = text::hash(&text).map_err(|error| Failure::field("hash", error))?;
    let receipt = shared.ask(|back| Request::Receipt(hash, back)).await?;
    let missing = || Failure::not_found("no recent block has this transaction");
    Ok(Json(receipt.ok_or_else(missing)?.into()))
}

pub(super) async fn block(
    State(shared): State<Shared>,
    path: One,
) -> Result<Json<json::Block>, Failure> {
    let height = height(path)?;
    let found = shared.ask(|back| Request::Block(height, back)).await?;
    let found = found.ok_or_else(|| Failure::not_found("no final block has this height yet"))?;
    Ok(Json(json::Block::from(&found)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct At {
    height: Option<u64>,
}

/// The bytes of [`Proof::encode`](crate::proof::Proof::encode).
pub(super) async fn proof(
    State(shared): State<Shared>,
    path: One,
    query: Result<Query<At>, QueryRejection>,
) -> Result<Response, Failure> {
    let (Path(text), Query(At { height })) = (path?, query?);
    let hash = text::hash(&text).map_err(|error| Failure::field("hash", error))?;
    let proof = shared.ask(|back| Request::Proof(hash, height, back)).await?;
    let missing = || match height {
        Some(_) => Failure::not_found("the block of this height has no such transaction"),
        None => Failure::not_found("no recent block has this transaction: name its `height`"),
    };
    Ok(binary(proof.ok_or_else(missing)?.encode()))
}

/// The bytes of [`StateProof::encode`](crate::proof::StateProof::encode).
pub(super) async fn account_proof(
    State(shared): State<Shared>,
    path: One,
) -> Result<Response, Failure> {
    let subject = Subject::Account(of_account(path)?);
    let proof = shared.ask(|back| Request::State(subject, back)).await?;
    let missing = || Failure::not_found("there is no such account");
    Ok(binary(proof.ok_or_else(missing)?.encode()))
}

/// The same of a record.
pub(super) async fn record_proof(
    State(shared): State<Shared>,
    path: Two,
) -> Result<Response, Failure> {
    let (namespace, digest) = of_record(path)?;
    let proof = shared.ask(|back| Request::State(Subject::Record { namespace, digest }, back));
    let missing = || Failure::not_found("nothing is recorded of this digest");
    Ok(binary(proof.await?.ok_or_else(missing)?.encode()))
}

fn binary(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
}

pub(super) async fn status(State(shared): State<Shared>) -> Result<Json<json::Status>, Failure> {
    Ok(Json(shared.ask(Request::Status).await?.into()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    /// Milliseconds.
    #[serde(default)]
    wait: u64,
}

pub(super) async fn hashes(
    State(shared): State<Shared>,
    path: One,
    query: Result<Query<Wait>, QueryRejection>,
) -> Result<Response, Failure> {
    let (height, Query(Wait { wait })) = (height(path)?, query?);
    let Some(Final { block, hashes, final_ms }) = final_block(&shared, height, wait).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let mut bytes = Vec::with_capacity(48 + 32 * hashes.len());
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&final_ms.to_be_bytes());
    bytes.extend_from_slice(&block.header.hash().0);
    bytes.extend_from_slice(hashes.as_flattened());
    Ok(binary(bytes))
}

/// The final block of a height, within so many milliseconds.
async fn final_block(shared: &Shared, height: u64, wait: u64) -> Result<Option<Final>, Failure> {
    if wait > WAIT_LIMIT_MS {
        return Err(Failure::field("wait", format!("at most {WAIT_LIMIT_MS} ms are allowed")));
    }
    if wait == 0 {
        return shared.ask(|back| Request::Block(height, back)).await;
    }
    let asked = shared.service.ask(|back| Request::Await(height, back));
    let limit = Duration::from_millis(wait);
    Ok(tokio::time::timeout(limit, asked).await.ok().transpose()?)
}

pub(super) async fn bytes(
    State(shared): State<Shared>,
    path: One,
    query: Result<Query<Wait>, QueryRejection>,
) -> Result<Response, Failure> {
    let (height, Query(Wait { wait })) = (height(path)?, query?);
    let Some(Final { block, final_ms, .. }) = final_block(&shared, height, wait).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let bytes = [&final_ms.to_be_bytes()[..], &block.encode()].concat();
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

pub(super) async fn messages(
    State(shared): State<Shared>,
    path: Two,
    query: Result<Query<Wait>, QueryRejection>,
) -> Result<Response, Failure> {
    let (Path((at, chain)), Query(Wait { wait })) = (path?, query?);
    let height = height(Ok(Path(at)))?;
    let chain = text::hash(&chain).map_err(|error| Failure::field("chain", error))?;
    if final_block(&shared, height, wait).await?.is_none() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let proofs = shared.ask(|back| Request::Messages(height, chain, back)).await?;
    let Some(proofs) = proofs else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let mut bytes = Vec::new();
    for proof in proofs {
        bytes.extend_from_slice(&(proof.encoded_bytes() as u32).to_be_bytes());
        proof.encode_into(&mut bytes);
    }
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

pub(super) async fn lane(
    State(shared): State<Shared>,
    path: Two,
) -> Result<Json<json::Lane>, Failure> {
    let Path((chain, address)) = path?;
    let chain = text::hash(&chain).map_err(|error| Failure::field("chain", error))?;
    let start: String = address.chars().take(64).collect();
    let address = address::parse(&start).map_err(|error| Failure::field("address", error))?;
    Ok(Json(shared.ask(|back| Request::Lane(chain, address, back)).await?.into()))
}

pub(super) async fn own_validators(
    State(shared): State<Shared>,
) -> Result<Json<json::Validators>, Failure> {
    let set = shared.ask(|back| Request::Validators(None, back)).await?;
    let missing = || Failure::not_found("no decree has named validators: they are the genesis's");
    Ok(Json(set.ok_or_else(missing)?.into()))
}

pub(super) async fn validators(
    State(shared): State<Shared>,
    path: One,
) -> Result<Json<json::Validators>, Failure> {
    let Path(chain) = path?;
    let chain = text::hash(&chain).map_err(|error| Failure::field("chain", error))?;
    let set = shared.ask(|back| Request::Validators(Some(chain), back)).await?;
    Ok(Json(set.ok_or_else(|| Failure::not_found("this chain is not linked"))?.into()))
}
