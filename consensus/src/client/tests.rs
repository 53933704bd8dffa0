use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use tokio::net::TcpListener;

use super::*;
use crate::http::fake::{self, NO_ROOM, USED};
use crate::http::router;
use crate::service::Service;
use crate::transaction::tests::{record, transfer};

async fn serve(router: Router) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { crate::http::serve(listener, router).await });
    Client::new(&url).unwrap()
}

/// A client of a validator that answers from a service.
pub(crate) async fn client(service: Service) -> Client {
    serve(router(service, Arc::new(String::new))).await
}

/// A client of nobody: the port was free a moment ago.
pub(crate) async fn nobody() -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap()
}

#[tokio::test]
async fn the_client_reads_what_the_interface_writes() {
    let client = client(fake::validator()).await;
    let list = [transfer(1, 0), record(2, 0), transfer(3, NO_ROOM), transfer(4, USED)];
    let bytes: Vec<u8> = list.iter().flat_map(|one| one.encode()).collect();
    let said = client.submit(bytes.clone()).await.unwrap();
    assert_eq!(said, [Taken::Taken, Taken::Taken, Taken::Full, Taken::Refused]);
    assert_eq!(client.submit(bytes).await.unwrap()[..2], [Taken::Known; 2]);
    let found = client.hashes(1, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!((found.height, found.final_ms), (1, 2_001));
    assert_eq!(found.hashes, [list[0].hash().0, list[1].hash().0]);
    assert_eq!(client.hashes(9, Duration::from_millis(1)).await.unwrap(), None);
    let receipt = client.receipt(&found.hashes[1]).await.unwrap();
    assert_eq!(receipt, Some(Receipt { height: 1, index: 1 }));
    assert_eq!(client.receipt(&[0; 32]).await.unwrap(), None);
    let account = Account { balance: u64::MAX, nonce: 3 };
    assert_eq!(client.account(&fake::ADDRESS).await.unwrap(), Some(account));
    assert_eq!(client.account(&fake::NOBODY).await.unwrap(), None);
    let (namespace, digest) = fake::RECORD;
    let written = Record { author: fake::ADDRESS, height: 5 };
    assert_eq!(client.record(&namespace, &digest).await.unwrap(), Some(written));
    assert_eq!(client.record(&digest, &digest).await.unwrap(), None);
    let hash = client.submit_one(&transfer(5, 0)).await.unwrap();
    assert_eq!(hash, transfer(5, 0).hash().0);
    match client.submit_one(&transfer(4, USED)).await.unwrap_err() {
        ClientError::Refused { status: 200, code, .. } => assert_eq!(code, "NonceUsed"),
        other => panic!("{other}"),
    }
    let status = client.status().await.unwrap();
    assert_eq!((status.chain, status.height), (fake::CHAIN, 4));
}

#[tokio::test]
async fn failures_are_told_apart() {
    for url in ["", "host:1", "https://host:1", "http://host/v1", "http://host/?a", "ftp://host"] {
        assert!(matches!(Client::new(url), Err(ClientError::Url { .. })), "{url}");
    }
    assert!(Client::new("http://host:1/").is_ok());
    let error = nobody().await.status().await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    let (service, queue) = Service::new(1);
    drop(queue);
    let error = client(service).await.status().await.unwrap_err();
    assert!(matches!(error, ClientError::Busy { .. }), "{error}");
    let error = client(fake::validator()).await.submit(vec![2]).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused { status: 400, .. }), "{error}");
}

#[tokio::test]
async fn other_servers_are_no_validators() {
    let endless = || async { axum::body::Body::from(vec![0; ANSWER_LIMIT + 1]) };
    let teapot = || async { (axum::http::StatusCode::IM_A_TEAPOT, "short and stout") };
    for router in [
        Router::new().fallback(any(endless)),
        Router::new().fallback(any(teapot)),
        Router::new().fallback(any(async || [9_u8; 49])),
        Router::new(),
    ] {
        let client = serve(router).await;
        let errors = [
            client.status().await.unwrap_err(),
            client.hashes(1, Duration::ZERO).await.unwrap_err(),
            client.submit(vec![]).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, ClientError::Answer { .. }), "{error}");
        }
    }
}
