//! The strangers' routes: a body's suite, and answers and refusals as HTTP responses.

mod ask;
mod incoming;
mod message;
mod page;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Relay;
pub(super) use ask::LargeBodies;
use kkv_base::limits::{MAX_BODY_BYTES, REQUEST_TIMEOUT};
use kkv_protocol::crypto::random;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::wire::{form, object};
pub use page::PAGE_PATHS;

/// Bodies that are neither JSON nor a form.
const MEDIA_TYPE: &str = "application/octet-stream";

/// The strangers' routes. The owner's are on a listener of their own.
pub fn router(relay: Arc<Relay>) -> Router {
    let pages = match relay.page() {
        Some(_) => page::routes(),
        None => Router::new(),
    };
    Router::new()
        .route("/status", get(status))
        .route("/get_domain_pk", get(domain_key))
        .route("/pow", post(pow))
        .route("/exchange_keys", post(exchange_keys))
        .fallback(async || Refused(Refusal::NotFound))
        .layer(middleware::from_fn(with_timeout))
        // These have times of their own.
        .route("/msg", post(message::message))
        .route("/ask", post(ask::ask))
        .merge(pages)
        // Last: it is for the routes that are there.
        .method_not_allowed_fallback(async || Refused(Refusal::MethodNotAllowed))
        .with_state(relay)
}

/// The whole body of a request, and the suite that its `Content-Type` says.
struct Posted {
    suite: Suite,
    body: Vec<u8>,
}

impl axum::extract::FromRequest<Arc<Relay>> for Posted {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &Arc<Relay>) -> Result<Self, Refused> {
        let suite = suite(request.headers())?;
        let body = read(request.into_body()).await?;
        Ok(Self { suite, body })
    }
}

/// Reads a body of at most [`MAX_BODY_BYTES`]. One with a larger `Content-Length` is refused before it is read.
///
/// Copies each chunk instead of keeping it: hyper reads a chunk, even of one byte, into a buffer of 8 KiB, which a kept
/// chunk would keep alive.
async fn read(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let length = body.size_hint();
    if length.lower() > MAX_BODY_BYTES as u64 {
        return Err(Refusal::TooLarge);
    }
    let most = length.upper().and_then(|most| usize::try_from(most).ok());
    let mut bytes = Vec::with_capacity(most.unwrap_or(0).min(MAX_BODY_BYTES));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed)?;
        if let Some(chunk) = frame.data_ref() {
            if bytes.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(Refusal::TooLarge);
            }
            bytes.extend_from_slice(chunk);
        }
    }
    Ok(bytes)
}

/// A form speaks kkv/1, JSON kkv/2.
fn suite(headers: &HeaderMap) -> Result<Suite, Refusal> {
    if is_of_type(headers, "application/json") {
        Ok(Suite::V2)
    } else if is_of_type(headers, "application/x-www-form-urlencoded") {
        Ok(Suite::V1)
    } else {
        Err(Refusal::UnsupportedMediaType)
    }
}

/// Whether the body is of this media type, whatever its parameters.
fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = value.and_then(|v| v.split(';').next()).unwrap_or("").trim();
    essence.eq_ignore_ascii_case(media_type)
}

impl Posted {
    fn form<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        form(&self.body).map_err(|_| Refusal::Malformed)
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        object(&self.body).map_err(|_| Refusal::Malformed)
    }
}

async fn status(State(relay): State<Arc<Relay>>) -> Response {
    json(super::json(&relay.public_status()))
}

/// The relay's public key, for kkv/1. In kkv/2 it is part of the challenge.
async fn domain_key(State(relay): State<Arc<Relay>>) -> Result<Response, Refused> {
    if !relay.config().suites.allows(Suite::V1) {
        return Err(Refusal::UnsupportedSuite.into());
    }
    let key = relay.keys().public().id();
    Ok(answer("text/plain", key.to_string()))
}

async fn pow(State(relay): State<Arc<Relay>>, posted: Posted) -> Result<Response, Refused> {
    let rng = &mut random::kernel();
    fn body(answer: &impl Serialize) -> Response {
        json(super::json(answer))
    }
    match posted.suite {
        Suite::V1 => Ok(body(&relay.pow_v1(&posted.form()?, rng)?)),
        Suite::V2 => Ok(body(&relay.pow_v2(&posted.json()?, rng)?)),
    }
}

async fn exchange_keys(
    State(relay): State<Arc<Relay>>,
    posted: Posted,
) -> Result<Response, Refused> {
    let rng = &mut random::kernel();
    match posted.suite {
        Suite::V1 => Ok(json(relay.exchange_v1(&posted.form()?, rng)?)),
        Suite::V2 => Ok(json(relay.exchange_v2(&posted.json()?, rng)?)),
    }
}

/// Refuses a request that takes too long to arrive.
async fn with_timeout(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refused(Refusal::TimedOut).into_response(),
    }
}

fn json(body: String) -> Response {
    answer("application/json", body)
}

fn answer(content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    let value = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

/// A refusal as an HTTP response.
struct Refused(Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = json(self.0.body());
        *response.status_mut() =
            StatusCode::from_u16(self.0.status()).expect("each is a status of HTTP");
        response
    }
}
