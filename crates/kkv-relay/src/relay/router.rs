//! The onion-facing routes: which suite a body speaks, and how answers and refusals look in HTTP.

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
use kkv_base::limits::{MAX_BODY_BYTES, REQUEST_TIMEOUT};
use kkv_protocol::crypto::random;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::v1;
use kkv_protocol::wire::{Hex, form, object};

/// The routes that strangers see. The owner's are on another listener.
pub fn router(relay: Arc<Relay>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/get_domain_pk", get(domain_key))
        .route("/pow", post(pow))
        .route("/exchange_keys", post(exchange_keys))
        .route("/msg", post(message))
        .fallback(async || Refused(Refusal::NotFound))
        .method_not_allowed_fallback(async || Refused(Refusal::MethodNotAllowed))
        .layer(middleware::from_fn(in_time))
        .with_state(relay)
}

/// A body that was read whole, and the suite that its type says.
struct Posted {
    suite: Suite,
    body: Vec<u8>,
}

impl axum::extract::FromRequest<Arc<Relay>> for Posted {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &Arc<Relay>) -> Result<Self, Refused> {
        let suite = suite(request.headers())?;
        let body = whole(request.into_body()).await?;
        Ok(Self { suite, body })
    }
}

/// The bytes of a body, of [`MAX_BODY_BYTES`] at most. One that says that it is longer is refused before it comes.
///
/// Copied out of every piece as it comes: hyper reads each, be it one byte, into a buffer of 8 KiB, which a piece that
/// is kept would keep.
async fn whole(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let said = body.size_hint();
    if said.lower() > MAX_BODY_BYTES as u64 {
        return Err(Refusal::TooLarge);
    }
    let most = said.upper().and_then(|most| usize::try_from(most).ok());
    let mut whole = Vec::with_capacity(most.unwrap_or(0).min(MAX_BODY_BYTES));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed)?;
        if let Some(piece) = frame.data_ref() {
            if whole.len() + piece.len() > MAX_BODY_BYTES {
                return Err(Refusal::TooLarge);
            }
            whole.extend_from_slice(piece);
        }
    }
    Ok(whole)
}

/// A form speaks kkv/1, JSON kkv/2.
fn suite(headers: &HeaderMap) -> Result<Suite, Refusal> {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = value.and_then(|v| v.split(';').next()).unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(Suite::V2)
    } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(Suite::V1)
    } else {
        Err(Refusal::UnsupportedMediaType)
    }
}

impl Posted {
    fn form<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        form(&self.body).ok_or(Refusal::Malformed)
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        object(&self.body).ok_or(Refusal::Malformed)
    }
}

async fn status(State(relay): State<Arc<Relay>>) -> Response {
    json(super::json(&relay.public_status()))
}

/// The key that only kkv/1 asks for apart; in kkv/2 it is in the challenge.
async fn domain_key(State(relay): State<Arc<Relay>>) -> Result<Response, Refused> {
    if !relay.config().suites.allows(Suite::V1) {
        return Err(Refusal::UnsupportedSuite.into());
    }
    let key = Hex(*relay.keys().public().as_bytes());
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

async fn message(State(relay): State<Arc<Relay>>, posted: Posted) -> Result<Response, Refused> {
    match posted.suite {
        Suite::V1 => {
            let request = v1::wire::MessageRequest::from_form(&posted.body)?;
            Ok(answer("text/plain", relay.message_v1(&request)?))
        }
        Suite::V2 => Ok(json(relay.message_v2(&posted.json()?)?)),
    }
}

/// Ends a request that takes too long to arrive.
async fn in_time(request: Request, next: Next) -> Response {
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

/// A refusal as HTTP says it.
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
