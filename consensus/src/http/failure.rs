//! Answers that say what was wrong with a question, or with the validator.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::service::Silent;

/// Why there is no answer: a status and `{"error": {"code", "message", ..}}`.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    body: Body,
}

#[derive(Debug, Serialize)]
struct Body {
    code: &'static str,
    message: String,
    /// What of the request is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// Where the transaction that is no encoding begins in the body, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Failure { status, body: Body { code, message: message.into(), field: None, offset: None } }
    }

    /// A part of the request is not what it should be.
    pub fn field(field: &'static str, message: impl std::fmt::Display) -> Self {
        let mut failure =
            Failure::new(StatusCode::BAD_REQUEST, "Malformed", format!("`{field}`: {message}"));
        failure.body.field = Some(field);
        failure
    }

    /// A field of a transaction that begins at a byte of the body.
    pub fn encoding(field: &'static str, offset: usize, message: impl Into<String>) -> Self {
        let mut failure = Failure::new(StatusCode::BAD_REQUEST, "Malformed", message);
        (failure.body.field, failure.body.offset) = (Some(field), Some(offset));
        failure
    }

    pub fn too_large(message: impl Into<String>) -> Self {
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "TooLarge", message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Failure::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    pub fn method() -> Self {
        let message = "the route is there, but not with this method";
        Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Method", message)
    }

    pub fn busy(message: impl Into<String>) -> Self {
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", message)
    }

    pub fn timeout(message: impl Into<String>) -> Self {
        Failure::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Wrapped {
            error: Body,
        }
        let Failure { status, body } = self;
        let body = Json(Wrapped { error: body });
        match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                (status, [(header::RETRY_AFTER, "1")], body).into_response()
            }
            _ => (status, body).into_response(),
        }
    }
}

impl From<Silent> for Failure {
    fn from(silent: Silent) -> Self {
        let code = match silent {
            Silent::Busy => "Busy",
            Silent::Stopping => "Stopping",
        };
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, code, silent.to_string())
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        Failure::field("path", rejection.body_text())
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        Failure::field("query", rejection.body_text())
    }
}
