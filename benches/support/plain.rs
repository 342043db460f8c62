//! A bare HTTP server on the library that `kkv` is built on: what any relay's connections and requests cost at least.

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Collected, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Where it answers with a mebibyte.
pub(crate) const LARGE: &str = "/large";

/// Where it takes a body, and answers with nothing.
pub(crate) const TAKES: &str = "/takes";

/// It has a thread of its own, as a relay's strangers have, for as long as the benchmark runs.
pub(crate) struct Plain {
    pub(crate) address: SocketAddr,
    thread: i32,
}

impl Plain {
    pub(crate) fn start() -> Self {
        let (tell, told) = channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().expect("a runtime starts");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let address = listener.local_addr().expect("it is bound");
                let thread = rustix::thread::gettid().as_raw_nonzero().get();
                tell.send(Self { address, thread }).expect("it is awaited");
                // As in the relay: a task among others.
                tokio::spawn(serve(listener)).await.expect("it never ends");
            });
        });
        told.recv().expect("it starts")
    }

    /// Processor time of its thread so far.
    pub(crate) fn spent(&self) -> Duration {
        let path = format!("/proc/self/task/{}/schedstat", self.thread);
        let told = fs::read_to_string(path).expect("it runs");
        let nanos = told.split_whitespace().next().expect("a number");
        Duration::from_nanos(nanos.parse().expect("a number"))
    }
}

async fn serve(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let _ = stream.set_nodelay(true);
        tokio::spawn(
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(echo)),
        );
    }
}

/// Says what it was told, or at [`LARGE`] a mebibyte, or at [`TAKES`] nothing.
async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await;
    let body = match path.as_str() {
        LARGE => Bytes::from(vec![0; 1 << 20]),
        TAKES => Bytes::new(),
        _ => body.map(Collected::to_bytes).unwrap_or_default(),
    };
    Ok(Response::new(Full::new(body)))
}
