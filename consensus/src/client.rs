//! Asks a validator over its HTTP interface ([`crate::http`]).

use std::time::Duration;

use alloy_primitives::hex;
use bytes::Bytes;
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::Hash;
use crate::address::Address;
use crate::http::{FULL, KNOWN, REFUSED, TAKEN, json};
use crate::proof::{Proof, StateProof, Subject};
use crate::service::{Receipt, Status};
use crate::state::{Account, Record};
use crate::transaction::SignedTransaction;

mod blocks;

pub use blocks::FinalHashes;

/// Most bytes of an answer: the hashes of a block of 65,536 transactions take half of it.
const ANSWER_LIMIT: usize = 4 << 20;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a connection is kept without a question: less than a validator keeps it.
const IDLE: Duration = Duration::from_secs(10);
/// How long an answer may take beyond what the question allows.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The text is no address of a validator.
    #[error("`{url}` is no `http://host:port`")]
    Url {
        /// The text.
        url: String,
    },
    /// The validator cannot be reached, or went away.
    #[error("{url}: {why}")]
    Unreachable {
        /// The validator.
        url: String,
        /// What the system says.
        why: String,
    },
    /// The validator is busy or stopping (503, 504): the same may be asked again.
    #[error("{url}: {message}")]
    Busy {
        /// The validator.
        url: String,
        /// What it says.
        message: String,
    },
    /// The validator refuses the question.
    #[error("{url}: {code}: {message}")]
    Refused {
        /// The validator.
        url: String,
        /// HTTP's status.
        status: u16,
        /// The name of the error.
        code: String,
        /// What it says.
        message: String,
    },
    /// The answer is none that a validator gives.
    #[error("{url}: {what} is no answer of a validator")]
    Answer {
        /// The validator.
        url: String,
        /// What is wrong.
        what: &'static str,
    },
}

/// What a validator answered to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the pool.
    Taken,
    /// The pool or a recent block has it.
    Known,
    /// The pool is full.
    Full,
    /// It was refused for another reason.
    Refused,
}

/// What a validator answered to a transaction, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is in the pool: its hash.
    Hash([u8; 32]),
    /// It was refused.
    Error {
        /// The refusal's name (SPEC.md, 11).
        code: String,
        /// What it says.
        message: String,
    },
}

impl From<json::Answer> for Answer {
    fn from(answer: json::Answer) -> Self {
        match answer {
            json::Answer::Hash(hash) => Answer::Hash(hash.0),
            json::Answer::Error(error) => {
                let (code, message) = (printable(&error.code), printable(&error.message));
                Answer::Error { code, message }
            }
        }
    }
}

/// Asks one validator. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    url: String,
    http: reqwest::Client,
}

impl Client {
    /// A client of the validator at `http://host:port`; nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn new(base_url: &str) -> Result<Self, ClientError> {
        let wrong = || ClientError::Url { url: base_url.to_owned() };
        let url = base_url.trim_end_matches('/');
        let parsed = reqwest::Url::parse(url).map_err(|_| wrong())?;
        if parsed.scheme() != "http" || parsed.path() != "/" || parsed.query().is_some() {
            return Err(wrong());
        }
        // A proxy of the environment is no way to a validator.
        let http = reqwest::Client::builder().no_proxy().connect_timeout(CONNECT);
        let http = http
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| wrong())?;
        Ok(Client { url: url.to_owned(), http })
    }

    /// The validator's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        // The innermost cause says what happened; the others say where.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        ClientError::Unreachable { url: self.url.clone(), why: cause.to_string() }
    }

    fn answer<T>(&self, what: &'static str, read: Option<T>) -> Result<T, ClientError> {
        read.ok_or_else(|| ClientError::Answer { url: self.url.clone(), what })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).timeout(PATIENCE)
    }

    /// The body of an answer that is no error; `None` for 404.
    async fn send(&self, request: RequestBuilder) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(self.send_within(request, ANSWER_LIMIT).await?.map(|(_, body)| body))
    }

    /// The status and the body of an answer that is no error; `None` for 404.
    async fn send_within(
        &self,
        request: RequestBuilder,
        limit: usize,
    ) -> Result<Option<(StatusCode, Vec<u8>)>, ClientError> {
        let failed = |error: reqwest::Error| self.unreachable(&error);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            let fits = body.len() + chunk.len() <= limit;
            self.answer(
                "a longer body than expected",
                fits.then(|| body.extend_from_slice(&chunk)),
            )?;
        }
        if status.is_success() {
            return Ok(Some((status, body)));
        }
        let error: Option<json::Error> = serde_json::from_slice(&body).ok();
        let json::Error { error } = self.answer("an error without a code", error)?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                Err(ClientError::Busy { url: self.url.clone(), message: printable(&error.message) })
            }
            _ => Err(self.refused(status, &error)),
        }
    }

    fn refused(&self, status: StatusCode, error: &json::ErrorBody) -> ClientError {
        ClientError::Refused {
            url: self.url.clone(),
            status: status.as_u16(),
            code: printable(&error.code),
            message: printable(&error.message),
        }
    }

    /// The JSON answer of a route of the interface; `None` for 404.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ClientError> {
        let Some(body) = self.send(self.request(Method::GET, path)).await? else {
            return Ok(None);
        };
        self.answer("the JSON", serde_json::from_slice(&body).ok()).map(Some)
    }

    /// Hands in transactions, in their encoding, one after the other: an answer each, in order.
    ///
    /// # Errors
    /// [`ClientError`]. Whether any of them was taken is unknown then; to send all again is safe.
    pub async fn submit(&self, transactions: impl Into<Bytes>) -> Result<Vec<Taken>, ClientError> {
        let request = self.request(Method::POST, "/v1/transactions");
        let request = request.header(header::ACCEPT, "application/octet-stream");
        let body = self.send(request.body(transactions.into())).await?;
        let read = |byte: u8| match byte {
            TAKEN => Some(Taken::Taken),
            KNOWN => Some(Taken::Known),
            FULL => Some(Taken::Full),
            REFUSED => Some(Taken::Refused),
            _ => None,
        };
        let answers = body.and_then(|body| body.into_iter().map(read).collect());
        self.answer("what was said to the transactions", answers)
    }

    /// Hands in one transaction: its hash, once it is taken.
    ///
    /// # Errors
    /// [`ClientError`]: `Refused` with status 200 and the reason's name where it is not taken.
    pub async fn submit_one(&self, signed: &SignedTransaction) -> Result<[u8; 32], ClientError> {
        let answers = self.submit_each(std::slice::from_ref(signed)).await?;
        match answers.into_iter().next().expect("an answer each") {
            Answer::Hash(hash) => Ok(hash),
            Answer::Error { code, message } => {
                let (url, status) = (self.url.clone(), StatusCode::OK.as_u16());
                Err(ClientError::Refused { url, status, code, message })
            }
        }
    }

    /// Hands in transactions: an answer each, in order.
    ///
    /// # Errors
    /// [`ClientError`], as [`Client::submit`].
    pub async fn submit_each(
        &self,
        signed: &[SignedTransaction],
    ) -> Result<Vec<Answer>, ClientError> {
        let mut body = Vec::new();
        signed.iter().for_each(|one| one.encode_into(&mut body));
        let request = self.request(Method::POST, "/v1/transactions").body(body);
        let body = self.send(request).await?.unwrap_or_default();
        let answers: Option<Vec<json::Answer>> = serde_json::from_slice(&body).ok();
        let answers = answers.filter(|answers| answers.len() == signed.len());
        let answers = self.answer("what was said to the transactions", answers)?;
        Ok(answers.into_iter().map(Answer::from).collect())
    }

    /// That a transaction is final, by its hash: in the block of a height, or in one of the last. `None`
    /// if it is not there. The proof is not verified.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn proof(
        &self,
        hash: [u8; 32],
        height: Option<u64>,
    ) -> Result<Option<Proof>, ClientError> {
        let height = height.map(|height| format!("?height={height}")).unwrap_or_default();
        let path = format!("/v1/proofs/{}{height}", hex::encode_prefixed(hash));
        let Some(body) = self.send(self.request(Method::GET, &path)).await? else {
            return Ok(None);
        };
        self.answer("the proof", Proof::decode(&body).ok()).map(Some)
    }

    /// The sequences of an account's next messages: of this chain to the other, and of the other to
    /// this.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn lane(&self, other: &Hash, account: &Address) -> Result<(u64, u64), ClientError> {
        let (other, account) = (hex::encode_prefixed(other), account.to_checksum(None));
        let lane: Option<json::Lane> = self.get(&format!("/v1/lanes/{other}/{account}")).await?;
        self.answer("404 for the lane", lane).map(json::Lane::read)
    }

    /// What the last final state has of a subject, with the next block; `None` if nothing. The proof is
    /// not verified.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn state_proof(&self, subject: &Subject) -> Result<Option<StateProof>, ClientError> {
        let path = match subject {
            Subject::Account(address) => format!("/v1/proofs/accounts/{address}"),
            Subject::Record { namespace, digest } => {
                let [namespace, digest] = [namespace, digest].map(hex::encode_prefixed);
                format!("/v1/proofs/records/{namespace}/{digest}")
            }
        };
        let Some(body) = self.send(self.request(Method::GET, &path)).await? else {
            return Ok(None);
        };
        let proof = StateProof::decode(&body).ok().filter(|proof| proof.subject == *subject);
        self.answer("the proof", proof).map(Some)
    }

    /// The validator's figures, as Prometheus reads them.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let body = self.send(self.request(Method::GET, "/metrics")).await?;
        self.answer("text", body.and_then(|body| String::from_utf8(body).ok()))
    }

    /// How the validator stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn status(&self) -> Result<Status, ClientError> {
        let status: Option<json::Status> = self.get("/v1/status").await?;
        self.answer("404 for the status", status).map(Status::from)
    }

    /// What an account has in the last final state.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn account(&self, address: &Address) -> Result<Option<Account>, ClientError> {
        let path = format!("/v1/accounts/{}", address.to_checksum(None));
        let account: Option<json::Account> = self.get(&path).await?;
        account.map(|account| self.answer("the balance", account.read())).transpose()
    }

    /// What was written down of a digest.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn record(
        &self,
        namespace: &[u8; 32],
        digest: &[u8; 32],
    ) -> Result<Option<Record>, ClientError> {
        let [namespace, digest] = [namespace, digest].map(hex::encode_prefixed);
        let record: Option<json::Record> =
            self.get(&format!("/v1/records/{namespace}/{digest}")).await?;
        record.map(|record| self.answer("the author", record.read())).transpose()
    }

    /// Where a transaction of the last blocks took effect.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn receipt(&self, hash: &[u8; 32]) -> Result<Option<Receipt>, ClientError> {
        let path = format!("/v1/receipts/{}", hex::encode_prefixed(hash));
        Ok(self.get::<json::Receipt>(&path).await?.map(Receipt::from))
    }
}

/// A text of someone else, fit for a terminal: no control characters, and not too long.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(500).collect()
}

#[cfg(test)]
pub(crate) mod tests;
