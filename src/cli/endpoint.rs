//! Metrics for Prometheus, over HTTP, on request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use sigmill::Engine;
use sigmill::metrics::Publisher;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Failure, Status};

/// Upper bounds of the buckets of times, in seconds: three a decade.
const SECONDS: [f64; 21] = [
    2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2,
    0.5, 1.0, 2.0, 5.0, 10.0,
];

/// Upper bounds of the buckets of batches, in items.
const ITEMS: [f64; 17] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0,
    16384.0, 32768.0, 65536.0,
];

/// A served endpoint; dropping it ends it.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Reads `[ADDRESS:]PORT`; the address is this machine's own unless it is given.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    port.ok()
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "not a port, nor an IP address with a port, as 127.0.0.1:9464".to_owned())
}

/// Serves `/metrics` of an engine, for as long as the result lives.
pub(super) fn serve(address: SocketAddr, engine: Weak<Engine>) -> Result<Endpoint, Failure> {
    let failed = |why: String| Failure::new(Status::Error, format!("--metrics {address}: {why}"));
    let exporter = exporter().map_err(|error| failed(error.to_string()))?;
    if !address.ip().is_loopback() {
        eprintln!("sigmill: --metrics {address}: whoever reaches this address reads the metrics");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let runtime = runtime.map_err(|error| failed(error.to_string()))?;
    let listener = runtime.block_on(TcpListener::bind(address));
    let listener = listener.map_err(|error| failed(error.to_string()))?;
    let bound = listener.local_addr().map_err(|error| failed(error.to_string()))?;
    let (stop, stopped) = oneshot::channel();
    let publisher = std::sync::Arc::new(Mutex::new(Publisher::new()));
    let scrape = move || {
        let (exporter, publisher, engine) = (exporter.clone(), publisher.clone(), engine.clone());
        async move {
            if let Some(engine) = engine.upgrade() {
                publisher.lock().unwrap_or_else(PoisonError::into_inner).publish(&engine);
            }
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], exporter.render())
        }
    };
    let router = Router::new().route("/metrics", get(scrape));
    let serve = move || {
        let served = axum::serve(listener, router);
        // An error of the listener ends the endpoint, not the work that it tells of.
        let _ = runtime.block_on(async { served.with_graceful_shutdown(ended(stopped)).await });
    };
    let thread = std::thread::Builder::new().name("sigmill-metrics".to_owned()).spawn(serve);
    let thread = Some(thread.map_err(|error| failed(error.to_string()))?);
    Ok(Endpoint { address: bound, stop: Some(stop), thread })
}

/// Ends when the other end is dropped.
async fn ended(stopped: oneshot::Receiver<()>) {
    let _ = stopped.await;
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A scraper that keeps its connection open is not waited for: the process ends.
        drop(self.thread.take());
    }
}

/// Installs the exporter of this process, once.
fn exporter() -> Result<PrometheusHandle, BuildError> {
    static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut handle = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*handle {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full("sigmill_batch_size".to_owned()), &ITEMS)?
        .build_recorder();
    let made = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    *handle = Some(made.clone());
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_this_machines_own_unless_it_is_given() {
        let read = |text| address(text).map(|address| address.to_string());
        assert_eq!(read("9464"), Ok("127.0.0.1:9464".to_owned()));
        assert_eq!(read("0.0.0.0:1"), Ok("0.0.0.0:1".to_owned()));
        assert_eq!(read("[::1]:0"), Ok("[::1]:0".to_owned()));
        for wrong in ["", "localhost:1", "70000", "1.2.3.4", ":80"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
