//! Takes transactions.

use alloy_primitives::hex;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::{BODY_LIMIT, FULL, KNOWN, PATIENCE, REFUSED, Shared, TAKEN, TRANSACTIONS_LIMIT, json};
use crate::fields::{DecodeError, Fields};
use crate::pool::Refusal;
use crate::service;
use crate::transaction::{Kinds, LONGEST, SignedTransaction};

/// What a transaction was answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Hash(String),
    Error {
        code: &'static str,
        message: String,
        /// Whether whoever sent it knew that no honest validator takes it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        offence: bool,
    },
}

impl From<Result<[u8; 32], Refusal>> for Answer {
    fn from(answer: Result<[u8; 32], Refusal>) -> Self {
        match answer {
            Ok(hash) => Answer::Hash(json::hash(&hash)),
            Err(refusal) => Answer::Error {
                code: code(&refusal),
                message: refusal.to_string(),
                offence: refusal.is_offence(),
            },
        }
    }
}

/// The refusal's name in SPEC.md, 11.
fn code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Malformed(_) => "Malformed",
        Refusal::WrongChain => "WrongChain",
        Refusal::Expired { .. } => "Expired",
        Refusal::ExpiryTooFar { .. } => "ExpiryTooFar",
        Refusal::ZeroAmount => "ZeroAmount",
        Refusal::Known => "Known",
        Refusal::Full => "Full",
        Refusal::BadSignature => "BadSignature",
        Refusal::Unfunded => "Unfunded",
        Refusal::NonceUsed { .. } => "NonceUsed",
        Refusal::NonceTooFar { .. } => "NonceTooFar",
        Refusal::NonceTaken => "NonceTaken",
        Refusal::Reserve => "Reserve",
        Refusal::BelowMinimum => "BelowMinimum",
        Refusal::RecordExists => "RecordExists",
        Refusal::Effect(fault) => fault.name(),
    }
}

fn byte(answer: &Result<[u8; 32], Refusal>) -> u8 {
    match answer {
        Ok(_) => TAKEN,
        Err(Refusal::Known) => KNOWN,
        Err(Refusal::Full) => FULL,
        Err(_) => REFUSED,
    }
}

pub(super) async fn transactions(
    State(shared): State<Shared>,
    request: Request,
) -> Result<Response, Failure> {
    let is_json = says(request.headers(), header::CONTENT_TYPE, "application/json");
    let binary = says(request.headers(), header::ACCEPT, "application/octet-stream");
    let body = body(request).await?;
    let list = if is_json { from_json(&body)? } else { from_bytes(&body)? };
    let answers = match list.len() {
        0 => vec![],
        _ => shared.ask(|back| service::Request::Submit(list, back)).await?,
    };
    Ok(if binary {
        let bytes: Vec<u8> = answers.iter().map(byte).collect();
        ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
    } else {
        Json(answers.into_iter().map(Answer::from).collect::<Vec<_>>()).into_response()
    })
}

/// Whether a header names a media type, whatever parameters follow.
fn says(headers: &HeaderMap, name: header::HeaderName, media: &str) -> bool {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|first| first.trim().eq_ignore_ascii_case(media))
}

/// The whole body, which may not come arbitrarily slowly.
async fn body(request: Request) -> Result<Bytes, Failure> {
    match tokio::time::timeout(PATIENCE, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the body has more than {BODY_LIMIT} bytes: send several");
            Err(Failure::too_large(message))
        }
        Ok(Err(rejection)) => Err(Failure::field("body", rejection.body_text())),
        Err(_) => Err(Failure::timeout("the body did not come in time: send it faster")),
    }
}

fn too_many() -> Failure {
    let limit = TRANSACTIONS_LIMIT;
    Failure::too_large(format!("the body has more than {limit} transactions: send several"))
}

fn malformed(index: usize, offset: usize, error: &DecodeError) -> Failure {
    let field = match error {
        DecodeError::Short { field, .. }
        | DecodeError::Value { field, .. }
        | DecodeError::Limit { field, .. } => field,
        DecodeError::Trailing { .. } => "end",
    };
    Failure::encoding(field, offset, format!("transaction {index} at byte {offset}: {error}"))
}

/// Transactions one after the other.
fn from_bytes(body: &[u8]) -> Result<Vec<SignedTransaction>, Failure> {
    let mut fields = Fields::new(body);
    let mut list = Vec::new();
    while fields.left() > 0 {
        if list.len() == TRANSACTIONS_LIMIT {
            return Err(too_many());
        }
        let offset = body.len() - fields.left();
        let one = SignedTransaction::read(&mut fields, Kinds::All);
        list.push(one.map_err(|error| malformed(list.len(), offset, &error))?);
    }
    Ok(list)
}

/// `{"transactions": ["0x..", ..]}`. The offset of one that is no encoding is 0: that of its own bytes.
fn from_json(body: &[u8]) -> Result<Vec<SignedTransaction>, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Listed<'a> {
        #[serde(borrow)]
        transactions: Vec<&'a str>,
    }
    let Listed { transactions } =
        serde_json::from_slice(body).map_err(|error| Failure::field("body", error))?;
    if transactions.len() > TRANSACTIONS_LIMIT {
        return Err(too_many());
    }
    let one = |(index, text): (usize, &&str)| {
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() <= 2 * LONGEST);
        let bytes = digits.and_then(|digits| hex::decode(digits).ok());
        let bytes = bytes.ok_or_else(|| {
            let message = format!(
                "transactions[{index}] is not `0x` and at most {} hexadecimal digits",
                2 * LONGEST
            );
            Failure::encoding("transactions", 0, message)
        })?;
        SignedTransaction::decode(&bytes).map_err(|error| malformed(index, 0, &error))
    };
    transactions.iter().enumerate().map(one).collect()
}
