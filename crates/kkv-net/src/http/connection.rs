//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutWriter;

use super::browsers::Site;
use super::error_response::{BAD_REQUEST, ErrorResponseStream};
use super::filter::{self, AllowedHosts};
use super::limits::Phase;
use crate::admission::{Admission, Permit};
use kkv_base::limits::{
    LINGER_TIMEOUT, MAX_HEAD_BYTES, MAX_HEADERS, MAX_LINGER_BYTES, REQUEST_TIMEOUT,
};

/// A connection that has been admitted, and its phase.
#[derive(Debug)]
pub(super) struct Connection {
    permit: Permit,
    hosts: AllowedHosts,
    /// Whether bytes have arrived since the last request was complete.
    received: AtomicBool,
}

/// By this a route tells that a long body is making progress; an extension of each request. The route bounds how long
/// it may take. The default is that of no connection: for a router that is called without one.
#[derive(Debug, Clone, Default)]
pub struct Progress(Option<Arc<Connection>>);

impl Progress {
    /// Starts the connection's idle timeout anew and makes it the most recently used one of its phase: to be called for
    /// bytes that have cost something only.
    pub fn made(&self) {
        if let Some(Connection { permit, .. }) = self.0.as_deref() {
            permit.touch(permit.class());
        }
    }
}

impl Connection {
    pub(super) fn admit(admission: &Admission, hosts: AllowedHosts) -> Arc<Self> {
        Arc::new(Self {
            permit: admission.admit(Phase::New as usize),
            hosts,
            received: AtomicBool::new(false),
        })
    }

    /// Serves `stream` until it ends or the connection is evicted.
    pub(super) async fn serve<S>(self: Arc<Self>, stream: S, site: Site)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        tokio::select! {
            biased; // what touches the permit is polled first
            () = Arc::clone(&self).wait_for_first_byte(stream, site) => {}
            () = self.permit.evicted() => {}
        }
    }

    /// A connection gets no buffers before its first byte, so that many can wait.
    async fn wait_for_first_byte<S>(self: Arc<Self>, mut stream: S, site: Site)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut first = [0];
        if !matches!(stream.read(&mut first).await, Ok(1)) {
            return;
        }
        self.on_bytes();
        // Boxed: within this future it would take its size from waiting connections, too.
        Box::pin(self.serve_http(first[0], stream, site)).await;
    }

    async fn serve_http<S>(self: Arc<Self>, first: u8, stream: S, site: Site)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        // Without a write timeout, a client that sends requests and reads no response would hold a connection.
        let mut stream = TimeoutWriter::new(ErrorResponseStream::new(stream));
        stream.set_timeout(Some(REQUEST_TIMEOUT));
        let stream = ActivityStream {
            first: Some(first),
            stream: Box::pin(stream),
            connection: Arc::clone(&self),
        };
        // A stranger may shut down its sending half and still wants the response. An owner's client that does so has
        // gone: its `/watch`, which may wait for a minute, must not hold the connection.
        let half_close = self.hosts != AllowedHosts::Owner;
        let router = TowerToHyperService::new(site.router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let pipelined = !self.on_request();
            request
                .extensions_mut()
                .insert(Progress(Some(Arc::clone(&self))));
            // Before any route.
            let response = match self.hosts.reject(&request, &site) {
                Some(status) => Err(filter::rejection(status)),
                None => Ok(router.call(request)),
            };
            let connection = Arc::clone(&self);
            Box::pin(async move {
                if pipelined {
                    // Fairness: hyper would answer all pipelined requests before it yields. Each connection gets one
                    // at a time.
                    tokio::task::yield_now().await;
                }
                let mut response: Response<Body> = match response {
                    Ok(response) => response.await?,
                    Err(rejection) => rejection,
                };
                filter::deny_browsers(&mut response);
                connection.on_response();
                Ok::<_, Infallible>(response)
            })
        });
        let mut connection = http1::Builder::new()
            .half_close(half_close)
            .auto_date_header(false) // a clock's error is a fingerprint
            .header_read_timeout(None) // it would run while a sender pays; the permit's timeouts do not
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        // Polled through its shutdown, which flushes the last response.
        let end = (&mut connection).await;
        let stream = connection.into_parts().io.into_inner().stream;
        match end {
            Ok(()) => lingering_close(stream, b"").await,
            Err(fault) if fault.is_parse_version_h2() => {
                lingering_close(stream, BAD_REQUEST).await;
            }
            Err(fault) if fault.is_parse() => lingering_close(stream, b"").await,
            Err(_) => {} // the stream is broken
        }
    }

    fn on_bytes(&self) {
        self.received.store(true, Ordering::Relaxed);
        self.begin_request();
    }

    /// Only the first bytes of a request touch the permit: a client that sends it byte by byte gains no time.
    fn begin_request(&self) {
        let phase = self.permit.class();
        if phase == Phase::New as usize {
            self.permit.touch(Phase::FirstRequest as usize);
        } else if phase == Phase::Idle as usize {
            self.permit.touch(Phase::NextRequest as usize);
        }
    }

    /// The head of a request is complete. Returns whether bytes have arrived since the last one was.
    fn on_request(&self) -> bool {
        self.begin_request();
        self.permit.touch(self.permit.class());
        self.received.swap(false, Ordering::Relaxed)
    }

    fn on_response(&self) {
        self.permit.touch(Phase::Idle as usize);
    }
}

/// Writes `last` and closes the connection in such a way that everything written arrives (RFC 9112 §9.6). Closing a
/// socket with unread bytes makes the kernel send RST, on which the peer discards responses that it has not read.
async fn lingering_close(mut stream: impl AsyncRead + AsyncWrite + Unpin, last: &[u8]) {
    let close = async {
        stream.write_all(last).await?;
        stream.shutdown().await?;
        let mut unread = (&mut stream).take(MAX_LINGER_BYTES);
        while unread.read(&mut [0; 512]).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    let _ = timeout(LINGER_TIMEOUT, close).await;
}

/// A stream whose first byte has been read, and that tells its connection when bytes arrive.
struct ActivityStream<S> {
    first: Option<u8>,
    stream: Pin<Box<S>>,
    connection: Arc<Connection>,
}

impl<S: AsyncRead> AsyncRead for ActivityStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(first) = self.first.take() {
            buffer.put_slice(&[first]);
            // What has arrived with it. An error shows again at the next read.
            let _ = self.stream.as_mut().poll_read(context, buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(self.stream.as_mut().poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.connection.on_bytes();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite> AsyncWrite for ActivityStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    /// Flushes only: [`lingering_close`] shuts down.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::super::ConnectionLimits;
    use super::*;
    use axum::Router;

    const STATUS: &[u8] = b"GET /status HTTP/1.1\r\nhost: kkv\r\n\r\n";

    /// That of strangers' connections, with so many file descriptors.
    fn admission(descriptors: u64) -> Admission {
        ConnectionLimits::for_strangers(descriptors).admission()
    }

    /// The client's end of a new connection.
    fn connect(admission: &Admission) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let router = Router::new()
            .route("/status", get(async || "well"))
            .route("/panic", get(async || -> () { panic!("as a bug would") }));
        tokio::spawn(Connection::admit(admission, AllowedHosts::Owner).serve(far, router.into()));
        near
    }

    async fn is_answered(stream: &mut DuplexStream) -> bool {
        let mut response = [0; 12];
        stream.write_all(STATUS).await.is_ok()
            && stream.read_exact(&mut response).await.is_ok()
            && response == *b"HTTP/1.1 200"
    }

    async fn is_closed(stream: &mut DuplexStream) -> bool {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_is_accepted_and_evicts_the_one_that_has_been_silent_longest() {
        let admission = admission(16); // 8 of them new
        let mut new: Vec<_> = (0..8).map(|_| connect(&admission)).collect();
        assert!(is_answered(&mut new[0]).await);
        new.push(connect(&admission));
        new.push(connect(&admission));
        assert!(is_closed(&mut new[1]).await);
        assert!(is_answered(&mut new[9]).await);
        assert!(is_answered(&mut new[2]).await);
    }

    #[tokio::test(start_paused = true)]
    async fn no_crowd_of_half_sent_requests_evicts_a_sender_that_has_been_answered() {
        let admission = admission(16); // one or two in each other phase
        let mut sender = connect(&admission);
        assert!(is_answered(&mut sender).await);
        for _ in 0..100 {
            let mut half = connect(&admission);
            half.write_all(&STATUS[..9]).await.unwrap();
            tokio::task::yield_now().await;
            sender.write_all(&STATUS[..9]).await.unwrap();
            tokio::task::yield_now().await;
            sender.write_all(&STATUS[9..]).await.unwrap();
            let mut response = [0; 4096];
            assert!(sender.read(&mut response).await.unwrap() > 0);
        }
    }

    #[tokio::test]
    async fn pipelined_requests_keep_other_connections_waiting_for_one_request_at_most() {
        let admission = admission(64);
        let order = Arc::new(Mutex::new(String::new()));
        let asked = |who: char| {
            let order = Arc::clone(&order);
            get(async move || crate::lock(&order).push(who))
        };
        let router = Router::new()
            .route("/many", asked('m'))
            .route("/one", asked('o'));
        let connect = || {
            let (near, far) = tokio::io::duplex(64 * 1024);
            let connection = Connection::admit(&admission, AllowedHosts::Owner);
            tokio::spawn(connection.serve(far, router.clone().into()));
            near
        };
        let (mut many, mut one) = (connect(), connect());
        let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: kkv\r\n\r\n").into_bytes();
        // Both have been answered before, like a sender that pays.
        for (stream, path) in [(&mut many, "/many"), (&mut one, "/one")] {
            stream.write_all(&ask(path)).await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        }
        crate::lock(&order).clear();
        many.write_all(&ask("/many").repeat(16)).await.unwrap();
        one.write_all(&ask("/one")).await.unwrap();
        assert!(one.read(&mut [0; 4096]).await.unwrap() > 0);
        let order = crate::lock(&order).clone();
        assert!(
            ["o", "mo"].iter().any(|fair| order.starts_with(fair)),
            "{order}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_connection_frees_its_permit_also_after_a_panic() {
        let admission = admission(16);
        let mut gone = connect(&admission);
        assert!(is_answered(&mut gone).await);
        let mut panicking = connect(&admission);
        let request = b"GET /panic HTTP/1.1\r\nhost: kkv\r\n\r\n";
        panicking.write_all(request).await.unwrap();
        assert!(is_closed(&mut panicking).await);
        assert!(!admission.is_empty());
        drop(gone);
        while !admission.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_owners_client_that_disconnects_while_it_waits_frees_its_permit() {
        let admission = admission(16);
        let (mut near, far) = tokio::io::duplex(64 * 1024);
        let router = Router::new().route("/watch", get(std::future::pending::<()>));
        tokio::spawn(Connection::admit(&admission, AllowedHosts::Owner).serve(far, router.into()));
        let request = b"GET /watch HTTP/1.1\r\nhost: kkv\r\n\r\n";
        near.write_all(request).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert!(!admission.is_empty());
        drop(near);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert!(admission.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_response_arrives_whole_also_through_a_small_buffer() {
        for last in [
            "GET /else HTTP/1.1\r\nhost: kkv\r\nconnection: close\r\n\r\n",
            "no HTTP at all\r\n\r\n",
        ] {
            let admission = admission(16);
            let (mut near, far) = tokio::io::duplex(64);
            let router = Router::new().route("/status", get(async || "well"));
            tokio::spawn(
                Connection::admit(&admission, AllowedHosts::Owner).serve(far, router.into()),
            );
            near.write_all(last.as_bytes()).await.unwrap();
            let mut received = String::new();
            near.read_to_string(&mut received).await.unwrap();
            assert!(received.ends_with("\r\n\r\n"), "{received}");
        }
    }
}
