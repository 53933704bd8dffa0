use alloy_primitives::hex;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::fake::{NO_ROOM, USED};
use super::*;
use crate::SignedTransaction;
use crate::transaction::Action;
use crate::transaction::tests::{record, transfer};

fn fake() -> Router {
    router(fake::validator(), Arc::new(|| "sigmill_height 1\n".to_owned()))
}

type Headers<'a> = &'a [(&'a str, &'a str)];

async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: Headers<'_>,
    body: impl Into<Body>,
) -> (StatusCode, Bytes) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = response.status();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        assert_eq!(response.headers()["retry-after"], "1");
    }
    (status, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap())
}

async fn get_json(router: &Router, path: &str) -> (u16, Value) {
    let (status, body) = send(router, "GET", path, &[], Body::empty()).await;
    (status.as_u16(), serde_json::from_slice(&body).unwrap())
}

async fn post(router: &Router, headers: Headers<'_>, body: impl Into<Body>) -> (u16, Value) {
    let (status, body) = send(router, "POST", "/v1/transactions", headers, body).await;
    (status.as_u16(), serde_json::from_slice(&body).unwrap())
}

const JSON: (&str, &str) = ("content-type", "application/json");
const BINARY: (&str, &str) = ("accept", "application/octet-stream");

/// One of each answer: taken, taken, full, used, nothing moved.
fn mixed() -> Vec<SignedTransaction> {
    let mut none = transfer(5, 0);
    let Action::Transfer { amount, .. } = &mut none.transaction.action else { unreachable!() };
    *amount = 0;
    vec![transfer(1, 0), record(2, 0), transfer(3, NO_ROOM), transfer(4, USED), none]
}

fn encoded(list: &[SignedTransaction]) -> Vec<u8> {
    list.iter().flat_map(SignedTransaction::encode).collect()
}

#[tokio::test]
async fn every_transaction_has_its_answer_in_order() {
    let (router, list) = (fake(), mixed());
    let (status, answers) = post(&router, &[], encoded(&list)).await;
    assert_eq!(status, 200);
    let hash = |one: &SignedTransaction| json!({ "hash": hex::encode_prefixed(one.hash().0) });
    assert_eq!(answers[0], hash(&list[0]));
    assert_eq!(answers[1], hash(&list[1]));
    assert_eq!(answers[2]["error"]["code"], "Full");
    let message = "`nonce` is 1001; the account's next is 2";
    assert_eq!(answers[3], json!({ "error": { "code": "NonceUsed", "message": message } }));
    assert_eq!(answers[4]["error"]["code"], "ZeroAmount");
    assert_eq!(answers[4]["error"]["offence"], true);
    assert_eq!(answers.as_array().unwrap().len(), 5);
    let path = "/v1/transactions";
    let (status, bytes) = send(&router, "POST", path, &[BINARY], encoded(&list)).await;
    assert_eq!((status, &bytes[..]), (StatusCode::OK, &[KNOWN, KNOWN, FULL, REFUSED, REFUSED][..]));
    assert_eq!(post(&router, &[], "").await, (200, json!([])));
}

#[tokio::test]
async fn json_takes_the_same_transactions() {
    let list = mixed();
    let texts: Vec<_> = list.iter().map(|one| hex::encode_prefixed(one.encode())).collect();
    let body = json!({ "transactions": texts }).to_string();
    let (status, answers) = post(&fake(), &[JSON], body).await;
    assert_eq!((status, &answers), (200, &post(&fake(), &[], encoded(&list)).await.1));
    for (body, field) in [
        (json!({ "transactions": ["12"] }), "transactions"),
        (json!({ "transactions": ["0x1"] }), "transactions"),
        (json!({ "transactions": [format!("0x{}", "00".repeat(65_653))] }), "transactions"),
        (json!({ "transactions": ["0x"] }), "version"),
        (json!({ "transactions": [texts[0], format!("{}00", texts[1])] }), "end"),
        (json!({ "transactions": [format!("{}00", texts[0])] }), "end"),
        (json!({ "transaction": [] }), "body"),
        (json!([]), "body"),
    ] {
        let (status, answer) = post(&fake(), &[JSON], body.to_string()).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{body}");
    }
    assert_eq!(post(&fake(), &[JSON], "{").await.0, 400);
}

#[tokio::test]
async fn what_is_no_encoding_is_named_and_nothing_is_taken() {
    let router = fake();
    let mut bytes = encoded(&[transfer(1, 0), record(2, 0), transfer(3, 0)]);
    bytes[145 + 49] = 7;
    let (status, answer) = post(&router, &[], bytes.clone()).await;
    let error = &answer["error"];
    assert_eq!((status, &error["code"]), (400, &json!("Malformed")));
    assert_eq!((&error["field"], &error["offset"]), (&json!("kind"), &json!(145)));
    bytes[145 + 49] = 1;
    let (status, answer) = post(&router, &[], bytes[..bytes.len() - 1].to_vec()).await;
    let error = &answer["error"];
    assert_eq!((status, &error["field"]), (400, &json!("signature")));
    assert_eq!(error["offset"], 145 + 181);
    assert_eq!(get_json(&router, "/v1/status").await.1["height"], 0);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let router = fake();
    let (status, answer) = post(&router, &[], vec![1; BODY_LIMIT + 1]).await;
    assert_eq!((status, &answer["error"]["code"]), (413, &json!("TooLarge")));
    let many = transfer(1, 0).encode().repeat(TRANSACTIONS_LIMIT + 1);
    assert!(many.len() <= BODY_LIMIT);
    assert_eq!(post(&router, &[], many.clone()).await.0, 413);
    let (status, answer) = post(&router, &[], many[145..].to_vec()).await;
    assert_eq!((status, answer.as_array().unwrap().len()), (200, TRANSACTIONS_LIMIT));
    let listed = json!({ "transactions": vec![""; TRANSACTIONS_LIMIT + 1] }).to_string();
    assert_eq!(post(&router, &[JSON], listed).await.0, 413);
}

#[tokio::test]
async fn state_is_answered_or_not_found() {
    let router = fake();
    let account = format!("/v1/accounts/{}", fake::ADDRESS);
    let max = u64::MAX.to_string();
    assert_eq!(get_json(&router, &account).await, (200, json!({ "balance": max, "nonce": 3 })));
    let (two, named) = ("02".repeat(32), hex::encode_prefixed(fake::RECORD.0));
    let author = fake::ADDRESS.to_checksum(None);
    for namespace in ["notary", &named] {
        let answer = get_json(&router, &format!("/v1/records/{namespace}/0x{two}")).await;
        assert_eq!(answer, (200, json!({ "author": author, "height": 5 })));
    }
    for (path, status, field) in [
        (format!("/v1/accounts/0x{}", "12".repeat(20)), 404, None),
        ("/v1/accounts/0x12".into(), 400, Some("address")),
        (format!("/v1/accounts/{}", "a".repeat(9_000)), 400, Some("address")),
        (format!("/v1/records/origin/{two}"), 404, None),
        (format!("/v1/records/{}/{two}", "n".repeat(33)), 400, Some("namespace")),
        ("/v1/records/notary/02".into(), 400, Some("digest")),
        (format!("/v1/receipts/{two}"), 404, None),
        ("/v1/receipts/0x".into(), 400, Some("hash")),
        (format!("/v1/proofs/{two}"), 404, None),
        (format!("/v1/proofs/{two}?height=1"), 404, None),
        (format!("/v1/proofs/{two}?height=-1"), 400, Some("query")),
        ("/v1/proofs/0x".into(), 400, Some("hash")),
        (format!("/v1/proofs/accounts/{}", fake::ADDRESS), 404, None),
        ("/v1/proofs/accounts/0x".into(), 400, Some("address")),
        (format!("/v1/proofs/records/notary/{two}"), 404, None),
        ("/v1/proofs/records/notary/02".into(), 400, Some("digest")),
        ("/v1/proofs/records/0x/02".into(), 400, Some("namespace")),
        ("/v1/blocks/1".into(), 404, None),
        ("/v1/blocks/-1".into(), 400, Some("height")),
        ("/v1/blocks/18446744073709551616".into(), 400, Some("height")),
        ("/v1/blocks/0/hashes?wait=30001".into(), 400, Some("wait")),
        ("/v1/blocks/0/hashes?wait=soon".into(), 400, Some("query")),
        ("/v1/blocks/0/hashes?weight=1".into(), 400, Some("query")),
        ("/v1/accounts/%ff".into(), 400, Some("path")),
        ("/v2".into(), 404, None),
        ("/v1/transactions".into(), 405, None),
    ] {
        let (found, answer) = get_json(&router, &path).await;
        let error = &answer["error"];
        assert_eq!((found, error["field"].as_str()), (status, field), "{path:.60}: {answer}");
        assert!(error["code"].is_string() && error["message"].is_string(), "{path:.60}");
        assert!(answer.to_string().len() < 1_000, "{path:.60}");
    }
}

#[tokio::test]
async fn blocks_and_receipts_agree() {
    let (router, list) = (fake(), [transfer(1, 0), record(2, 0)]);
    assert_eq!(post(&router, &[], encoded(&list)).await.0, 200);
    let (_, block) = get_json(&router, "/v1/blocks/1").await;
    let names = list.each_ref().map(|one| hex::encode_prefixed(one.hash().0));
    assert_eq!(block["transactions"], json!(names));
    for (index, name) in names.iter().enumerate() {
        let answer = get_json(&router, &format!("/v1/receipts/{name}")).await;
        assert_eq!(answer, (200, json!({ "height": 1, "index": index })));
    }
    let (status, bytes) = send(&router, "GET", "/v1/blocks/1/hashes", &[], Body::empty()).await;
    assert_eq!((status, bytes.len()), (StatusCode::OK, 48 + 64));
    assert_eq!(bytes[..16], [1_u64.to_be_bytes(), 2_001_u64.to_be_bytes()].concat());
    assert_eq!(hex::encode_prefixed(&bytes[16..48]), block["hash"]);
    assert_eq!(bytes[80..], list[1].hash().0);
    let (_, status) = get_json(&router, "/v1/status").await;
    assert_eq!((&status["height"], &status["block"]), (&json!(1), &block["hash"]));
}

#[tokio::test]
async fn a_wait_ends_with_the_block_or_with_nothing() {
    let router = fake();
    for path in ["/v1/blocks/1/hashes", "/v1/blocks/1/hashes?wait=1"] {
        let (status, bytes) = send(&router, "GET", path, &[], Body::empty()).await;
        assert_eq!((status, bytes.len()), (StatusCode::NO_CONTENT, 0), "{path}");
    }
    let path = "/v1/blocks/1/hashes?wait=30000";
    let waiting = send(&router, "GET", path, &[], Body::empty());
    let body = encoded(&[transfer(1, 0)]);
    let (waited, _) = tokio::join!(waiting, post(&router, &[], body));
    assert_eq!((waited.0, waited.1.len()), (StatusCode::OK, 48 + 32));
}

#[tokio::test]
async fn health_and_metrics_are_told() {
    let router = fake();
    let (status, health) = get_json(&router, "/health").await;
    assert_eq!((status, health), get_json(&router, "/v1/status").await);
    let (status, text) = send(&router, "GET", "/metrics", &[], Body::empty()).await;
    assert_eq!((status, &text[..]), (StatusCode::OK, &b"sigmill_height 1\n"[..]));
}

#[tokio::test]
async fn a_validator_that_is_busy_or_stops_is_503() {
    let (service, queue) = Service::new(1);
    let router = router(service, Arc::new(String::new));
    // Nobody takes the first question from the queue; the second finds no room.
    let first = tokio::spawn({
        let router = router.clone();
        async move { get_json(&router, "/v1/status").await }
    });
    tokio::task::yield_now().await;
    let body = encoded(&[transfer(1, 0)]);
    let (status, answer) = post(&router, &[], body.clone()).await;
    assert_eq!((status, &answer["error"]["code"]), (503, &json!("Busy")));
    drop(queue);
    let (status, answer) = post(&router, &[], body).await;
    assert_eq!((status, &answer["error"]["code"]), (503, &json!("Stopping")));
    assert_eq!(first.await.unwrap().0, 503);
    assert_eq!(get_json(&router, "/health").await.0, 503);
}

#[tokio::test]
async fn requests_in_flight_are_bounded_and_waits_keep_out_nothing_else() {
    let (service, mut queue) = Service::new(WAITS + 8);
    let router = router(service, Arc::new(String::new));
    let path = "/v1/blocks/9/hashes?wait=30000";
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..WAITS {
        let router = router.clone();
        waiting.spawn(async move { send(&router, "GET", path, &[], Body::empty()).await.0 });
    }
    let mut held = Vec::new();
    while held.len() < WAITS {
        held.push(queue.recv().await.unwrap());
    }
    let (status, answer) = get_json(&router, path).await;
    assert_eq!((status, &answer["error"]["code"]), (503, &json!("Busy")));
    let other = tokio::spawn({
        let router = router.clone();
        async move { get_json(&router, "/v1/blocks/9").await.0 }
    });
    match queue.recv().await.unwrap() {
        service::Request::Block(9, back) => drop(back.send(None)),
        other => panic!("{other:?}"),
    }
    assert_eq!(other.await.unwrap(), 404);
    drop(held);
    while let Some(status) = waiting.join_next().await {
        assert_eq!(status.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    }
    drop(queue);
}

#[tokio::test]
async fn connections_are_bounded_and_end_with_the_server() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(listener, fake()));
    let ask = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /v1/status HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        stream
    };
    let mut first = [0; 12];
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = ask().await;
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        open.push(stream);
    }
    let mut waiting = ask().await;
    let early = tokio::time::timeout(Duration::from_millis(50), waiting.read_u8()).await;
    assert!(early.is_err(), "{early:?}");
    open.pop();
    waiting.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    server.abort();
    let mut rest = Vec::new();
    let _ = waiting.read_to_end(&mut rest).await; // Or it is reset.
    let _ = open[0].read_to_end(&mut rest).await;
}
