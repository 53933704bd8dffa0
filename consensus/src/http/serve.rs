//! Connections: a bounded number, none of which may idle for long.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Most connections at once, a part of the 1,024 files that a process may often have open; more wait to be accepted.
pub const CONNECTIONS: usize = 256;

/// How long the head of a request may take, the time before it included.
const HEAD: Duration = Duration::from_secs(30);
/// How long to wait after a connection could not be accepted, say for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until dropped; then all connections end.
pub async fn serve(listener: TcpListener, router: Router) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let held = free.clone().acquire_owned().await.expect("it is never closed");
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Without it answers are as good, but may wait for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD);
            // A failure ends the connection, and there is no one to tell.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
            drop(held);
        });
    }
}
