//! A request of a delivery, and what comes back.

use std::time::Duration;

use http_body_util::Full;
use hyper::Method;
use hyper::body::{Body, Bytes};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use tokio::time::Instant;

use kkv_base::limits::{MAX_BODY_BYTES, MIN_DOWNLOAD_RATE, MIN_UPLOAD_RATE};
use kkv_net::tor::DialError;

/// A request as it goes out. A repetition is the same to the byte.
#[derive(Clone)]
pub(super) struct Request {
    method: Method,
    path: &'static str,
    content_type: Option<&'static str>,
    body: Bytes,
    /// The most that is taken for an answer.
    answer_bytes: usize,
}

/// The relay's response to a request.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Bytes,
    /// When the request that it answers began to leave. The relay made the response later than that, however long
    /// dialling took.
    pub(super) requested_at: Instant,
    /// For how long the relay has given the same refusal to this request; `None` the first time.
    pub(super) refused_for: Option<Duration>,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum TransportError {
    /// No connection.
    Dial(DialError),
    /// The connection ended before an answer was complete.
    Closed,
    /// No answer in this time.
    TimedOut(Duration),
    /// What came is no HTTP, or has no end.
    Malformed,
    /// There is no other request to repeat it with.
    NoneLeft,
}

/// What came of a request after all attempts.
pub(super) struct Outcome {
    pub(super) result: Result<Response, TransportError>,
    /// Whether an attempt may have reached the relay though its response did not come back.
    pub(super) answer_lost: bool,
}

impl Request {
    pub(super) fn get(path: &'static str) -> Self {
        Self {
            method: Method::GET,
            path,
            content_type: None,
            body: Bytes::new(),
            answer_bytes: MAX_BODY_BYTES,
        }
    }

    pub(super) fn form(path: &'static str, form: &impl serde::Serialize) -> Self {
        let body = serde_urlencoded::to_string(form).expect("hex strings are always a form");
        Self {
            method: Method::POST,
            path,
            content_type: Some("application/x-www-form-urlencoded"),
            body: body.into(),
            answer_bytes: MAX_BODY_BYTES,
        }
    }

    pub(super) fn json(path: &'static str, json: &impl serde::Serialize) -> Self {
        let body = serde_json::to_vec(json).expect("hex strings are always JSON");
        Self {
            method: Method::POST,
            path,
            content_type: Some("application/json"),
            body: body.into(),
            answer_bytes: MAX_BODY_BYTES,
        }
    }

    /// Bytes, answered by at most so many.
    pub(super) fn bytes(path: &'static str, body: &[u8], answer_bytes: usize) -> Self {
        Self {
            method: Method::POST,
            path,
            content_type: Some("application/octet-stream"),
            body: Bytes::copy_from_slice(body),
            answer_bytes: answer_bytes.max(MAX_BODY_BYTES), // a refusal may be longer
        }
    }

    /// The most that is taken for an answer.
    pub(super) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// How long an answer is waited for, if a short one is for `timeout`: bodies above the usual size may take longer, a
    /// relay takes and gives them at these rates.
    pub(super) fn timeout(&self, timeout: Duration) -> Duration {
        let seconds = |bytes: usize, rate: u32| {
            let more = bytes.saturating_sub(MAX_BODY_BYTES);
            Duration::from_secs(more as u64 / u64::from(rate))
        };
        timeout
            + seconds(self.body.len(), MIN_UPLOAD_RATE)
            + seconds(self.answer_bytes, MIN_DOWNLOAD_RATE)
    }

    /// The same as bytes.
    pub(super) fn to_bytes(&self, host: &str) -> Vec<u8> {
        let mut bytes = head_of(&self.to_http(host));
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The same for hyper.
    pub(super) fn to_http(&self, host: &str) -> hyper::Request<Full<Bytes>> {
        let mut request = hyper::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = hyper::Uri::from_static(self.path);
        let host = host.parse().expect("an address is ASCII");
        request.headers_mut().insert(HOST, host);
        if let Some(content_type) = self.content_type {
            let value = hyper::header::HeaderValue::from_static(content_type);
            request.headers_mut().insert(CONTENT_TYPE, value);
            // hyper would add the same; being there already, it is counted by `bytes_of`.
            let length = self.body.len().into();
            request.headers_mut().insert(CONTENT_LENGTH, length);
        }
        request
    }
}

/// The head of a request as hyper writes it.
fn head_of(request: &hyper::Request<Full<Bytes>>) -> Vec<u8> {
    let (method, path) = (request.method().as_str(), request.uri().path());
    let mut head = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    for (name, value) in request.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Bytes of a request on the wire, or fewer if hyper should ever write more than it does: what is shorter can't have
/// arrived.
pub(super) fn bytes_of(request: &hyper::Request<Full<Bytes>>) -> u64 {
    let body = request.body().size_hint().exact().unwrap_or(0);
    head_of(request).len() as u64 + body
}
