//! The routes of the page for browsers: `/`, `/words`, `/price` for script, and four files. They are there only if
//! the owner asked for them.

mod form;
mod outgoing;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY,
};
use axum::middleware::{self, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kkv_net::http::Progress;

use super::{Posted, Refused, Relay, with_timeout};
use crate::relay::page::{Arrived, NotTaken, Page, Payment, PriceRequest};
use form::{Cut, Fields};
use kkv_base::limits::MAX_BODY_BYTES;
use kkv_page::assets::{ICON, SCRIPT, STYLE, WORKER};
use kkv_protocol::crypto::random;
use kkv_protocol::reply_words::ReplyWords;
use outgoing::Outgoing;

/// Paths that browsers may ask for, at a relay with a page.
pub const PAGE_PATHS: &[&str] = &[
    "/",
    "/words",
    "/price",
    "/page.css",
    "/page.png",
    "/page.js",
    "/worker.js",
];

/// Nothing but what comes from here, and no script but our files.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; \
                      img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What is said of every page and file.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (CACHE_CONTROL, "no-store"),
    // Under `no-referrer` browsers would send `Origin: null` with our own forms, as with those of a page in a
    // sandbox. To others this policy tells as little.
    (REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

pub(super) fn routes() -> Router<Arc<Relay>> {
    Router::new()
        .route(
            "/",
            get(write).merge(post(written).layer(map_response(hangs_up))),
        )
        .route(
            "/words",
            get(words).merge(post(looked).layer(map_response(hangs_up))),
        )
        .route(
            "/price",
            post(price).layer(middleware::from_fn(with_timeout)),
        )
        .route("/page.css", get(async || file("text/css", STYLE)))
        .route("/page.js", get(async || file("text/javascript", SCRIPT)))
        .route("/worker.js", get(async || file("text/javascript", WORKER)))
        .route("/page.png", get(async || file("image/png", ICON)))
}

/// The page of a relay that has these routes.
fn page(relay: &Relay) -> &Page {
    relay.page().expect("there are no such routes without it")
}

async fn write(State(relay): State<Arc<Relay>>) -> Response {
    let fields = Fields::empty(&ReplyWords::generate(&mut random::kernel()));
    let page = Outgoing::new(views::write(&relay, &fields, None), None);
    html(StatusCode::OK, Body::new(page))
}

async fn written(
    State(relay): State<Arc<Relay>>,
    Extension(progress): Extension<Progress>,
    request: Request,
) -> Response {
    let page = page(&relay);
    let mut fields = Fields::default();
    let read = form::read(&relay, request, progress, &mut fields).await;
    let taken = read.and_then(|()| {
        let filled = fields.filled()?;
        let taken = relay.take_form(page, &filled, &mut random::kernel());
        taken.map_err(Cut::NotTaken)
    });
    match taken {
        Ok(arrived) => shown(StatusCode::OK, &views::sent(&fields, arrived)),
        Err(Cut::NotTaken(NotTaken::CameBefore)) => {
            shown(StatusCode::OK, &views::sent(&fields, Arrived::Before))
        }
        Err(why) => {
            if why == Cut::NotTaken(NotTaken::Over) {
                fields.begin_anew();
            }
            if why == Cut::NotTaken(NotTaken::PriceRose) {
                fields.payment = Payment::default();
            }
            if ReplyWords::parse(&fields.words).is_err() {
                fields.words = ReplyWords::generate(&mut random::kernel()).line();
            }
            let (status, said) = views::why(why);
            let page = views::write(&relay, &fields, Some(said));
            // More than any other connection may hold goes back from where it has come: from one of a few places.
            let place = fields.place.filter(|_| fields.text.len() > MAX_BODY_BYTES);
            html(status, Body::new(Outgoing::new(page, place)))
        }
    }
}

/// What a message costs, for script.
async fn price(State(relay): State<Arc<Relay>>, posted: Result<Posted, Refused>) -> Response {
    let priced = posted.and_then(|posted| {
        let asked: PriceRequest = posted.json()?;
        let rng = &mut random::kernel();
        let price = relay.page_price(page(&relay), &asked, rng)?;
        Ok(super::json(crate::relay::json(&price)))
    });
    with_headers(priced.into_response())
}

/// A form has a message or words in it as they were typed. What was read of it goes with the connection, which a
/// browser would keep for two minutes, whatever the owner deletes meanwhile.
async fn hangs_up(mut response: Response) -> Response {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

async fn words() -> Response {
    shown(StatusCode::OK, &views::words("", None))
}

async fn looked(
    State(relay): State<Arc<Relay>>,
    Extension(progress): Extension<Progress>,
    request: Request,
) -> Response {
    let mut fields = Fields::default();
    if let Err(why) = form::read(&relay, request, progress, &mut fields).await {
        let (status, said) = views::why(why);
        return shown(status, &views::words(&fields.words, Some(said)));
    }
    let Ok(words) = ReplyWords::parse(&fields.words) else {
        let said = views::bad_words();
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return shown(status, &views::words(&fields.words, Some(said)));
    };
    let Ok(seen) = fields.acknowledgements() else {
        let (status, said) = views::why(Cut::Malformed);
        return shown(status, &views::words(&fields.words, Some(said)));
    };
    let replies = relay.page_replies(&words, &seen, &mut random::kernel());
    let page = views::replies(&relay, &words, replies, !seen.is_empty());
    shown(StatusCode::OK, &page)
}

fn shown(status: StatusCode, page: &str) -> Response {
    html(status, page.as_bytes().to_vec())
}

fn html(status: StatusCode, page: impl Into<Body>) -> Response {
    let mut response = file("text/html; charset=utf-8", page);
    *response.status_mut() = status;
    response
}

fn file(media_type: &'static str, bytes: impl Into<Body>) -> Response {
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    with_headers(response)
}

fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
