//! HTTP/1.1 as this project serves it: bounded, patient for so long and no longer, and saying nothing about its clock or its maker.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutWriter;

use crate::limits::{HEAD_TIMEOUT, MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_HEADERS, REQUEST_TIMEOUT};

/// Where connections come from: a loopback port, the owner's socket, and whatever else can be spoken HTTP over.
pub trait Accept: Send {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Waits for the next connection. Faults of one connection stay inside; this goes on.
    fn accept(&mut self) -> impl Future<Output = Self::Stream> + Send;
}

/// Serves `router` to everyone who comes through `listener`, [`MAX_CONNECTIONS`] at a time, until dropped.
pub async fn serve(mut listener: impl Accept, router: Router) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = Arc::clone(&places)
            .acquire_owned()
            .await
            .expect("nothing closes this semaphore");
        let stream = listener.accept().await;
        let connection = serve_connection(stream, router.clone());
        tokio::spawn(async move {
            connection.await;
            drop(place);
        });
    }
}

/// Serves one connection to its end. How it ends is the visitor's affair: nothing is logged because of one visitor.
pub async fn serve_connection<S>(stream: S, router: Router)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // Who asks and asks and takes no answer would otherwise keep a connection for ever.
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(REQUEST_TIMEOUT));
    let _ = http1::Builder::new()
        .auto_date_header(false) // a clock's error is a fingerprint
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            TowerToHyperService::new(router),
        )
        .await;
}
