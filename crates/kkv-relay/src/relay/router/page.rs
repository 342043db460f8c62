//! The routes of the page for browsers: `/` and `/words`; `/price`, `/upload` and `/piece` for script; and files. They
//! are there only if the owner asked for them.

mod form;
mod outgoing;
mod upload;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
};
use axum::middleware::{self, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kkv_net::http::Progress;

use super::{Posted, Refused, Relay, with_timeout};
use crate::relay::page::{Arrived, NotTaken, Offers, Page, Payment, PriceRequest, Reading, Wants};
use form::{Cut, Fields};
use kkv_page::assets::{FILES, File};
use kkv_protocol::crypto::random;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::v2::answers::sender::SealedReplies;
use outgoing::Outgoing;

/// Paths that browsers may ask for, at a relay with a page.
pub const PAGE_PATHS: &[&str] = &[
    "/",
    "/words",
    "/price",
    "/upload",
    "/piece",
    "/page.css",
    "/page.js",
    "/classes.js",
    "/worker.js",
    "/upload.js",
    "/spoken.js",
    "/conversation.js",
    "/words.js",
    "/sealed.js",
    "/blake3.js",
    "/words.txt",
];

/// Nothing but what comes from here, and no script but our files.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; \
                      img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

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
        .route(
            "/upload",
            post(upload::begin)
                .layer(middleware::from_fn(with_timeout))
                .layer(map_response(hangs_up)),
        )
        // With times of its own.
        .route("/piece", post(upload::piece).layer(map_response(hangs_up)))
        .merge(files())
}

fn files() -> Router<Arc<Relay>> {
    FILES.iter().fold(Router::new(), |router, file| {
        router.route(
            file.path,
            get(async |headers: HeaderMap| served(file, &headers)),
        )
    })
}

/// A file, deflated for who takes that.
fn served(file: &'static File, headers: &HeaderMap) -> Response {
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let mut codings = accepted.unwrap_or("").split(',');
    if !codings.any(|coding| coding.trim().eq_ignore_ascii_case("deflate")) {
        return answer(file.media_type, file.bytes);
    }
    let mut response = answer(file.media_type, file.deflated.as_slice());
    let deflate = HeaderValue::from_static("deflate");
    response.headers_mut().insert(CONTENT_ENCODING, deflate);
    response
}

/// The page of a relay that has these routes.
fn page(relay: &Relay) -> &Page {
    relay.page().expect("there are no such routes without it")
}

async fn write(State(relay): State<Arc<Relay>>) -> Response {
    let fields = Fields::empty(&ReplyWords::generate(&mut random::kernel()));
    let page = Outgoing::new(views::write(&relay, &fields, None));
    html(StatusCode::OK, Body::new(page))
}

async fn written(
    State(relay): State<Arc<Relay>>,
    Extension(progress): Extension<Progress>,
    request: Request,
) -> Response {
    let mut fields = Fields::default();
    let reading = page(&relay).reading();
    let read = form::read(&relay, request, progress, &reading, &mut fields).await;
    let files = fields.chosen();
    let taken = match read {
        Ok(()) => take(&relay, &reading, &mut fields).await,
        Err(why) => Err(why),
    };
    match taken {
        Ok(arrived) => shown(StatusCode::OK, &views::sent(&fields, arrived, &files)),
        Err(Cut::NotTaken(NotTaken::CameBefore)) => {
            shown(StatusCode::OK, &views::sent(&fields, Arrived::Before, &[]))
        }
        Err(why) => {
            if why == Cut::NotTaken(NotTaken::Over) {
                fields.begin_anew();
            }
            if why == Cut::NotTaken(NotTaken::PriceRose) {
                fields.payment = Payment::default();
            }
            if !fields.keeps_words() && ReplyWords::parse(&fields.words).is_err() {
                fields.words = ReplyWords::generate(&mut random::kernel()).line();
            }
            let (status, said) = views::why(why);
            let page = views::write(&relay, &fields, Some(said));
            html(status, Body::new(Outgoing::new(page)))
        }
    }
}

/// Takes what a form is filled in with.
async fn take(relay: &Arc<Relay>, reading: &Reading, fields: &mut Fields) -> Result<Arrived, Cut> {
    let filled = fields.filled(&mut random::kernel())?;
    let offers = Offers {
        invitation: &filled.invitation,
        payment: &filled.payment,
        follows: filled.goes_on_with(),
        wants: Wants::Either,
    };
    let taken = tokio::select! {
        biased;
        () = reading.over() => Err(NotTaken::Wiped),
        confirmed = relay.confirm(&offers) => confirmed,
    };
    let taken =
        taken.and_then(|()| relay.take_form(page(relay), filled, reading, &mut random::kernel()));
    if taken == Err(NotTaken::Wiped) {
        *fields = Fields::default();
    }
    Ok(taken?)
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

/// A form has a message or words in it as they were typed, a piece has a part of a file. What was read of it goes with
/// the connection, which a browser would keep for two minutes, whatever the owner deletes meanwhile.
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
    let mut fields = Fields::without_files();
    let reading = page(&relay).reading();
    let read = form::read(&relay, request, progress, &reading, &mut fields).await;
    let read = read.and_then(|()| Ok((fields.secret()?, fields.acknowledgements()?)));
    let (secret, seen) = match read {
        Ok(read) => read,
        Err(why) => {
            let (status, said) = views::why(why);
            return shown(status, &views::words(&fields.words, Some(said)));
        }
    };
    let rng = &mut random::kernel();
    if let Some(secret) = secret {
        let replies = relay.page_replies(&secret, &seen, rng);
        if is_lost(&replies, &fields) {
            return over(&relay, fields);
        }
        let page = views::sealed(&relay, &secret, replies, &fields);
        return html(StatusCode::OK, Body::new(Outgoing::new(page)));
    }
    let words = match ReplyWords::parse(&fields.words) {
        Ok(words) => words,
        Err(why) => {
            let said = views::bad_words(&fields.words, why);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return shown(status, &views::words(&fields.words, Some(&said)));
        }
    };
    let replies = relay.page_replies(words.secrets().secret(), &seen, rng);
    if is_lost(&replies, &fields) {
        return over(&relay, fields);
    }
    let page = views::opened(&relay, &words, replies, &fields);
    html(StatusCode::OK, Body::new(Outgoing::new(page)))
}

/// Whether something was typed below answers whose conversation is over when they are to be deleted.
fn is_lost(replies: &SealedReplies, fields: &Fields) -> bool {
    !matches!(replies, SealedReplies::Box(..)) && !fields.text.is_empty()
}

/// The page to write on with what was typed, of a conversation that is over.
fn over(relay: &Relay, mut fields: Fields) -> Response {
    fields.begin_anew();
    let (status, said) = views::why(NotTaken::Over.into());
    let page = views::write(relay, &fields, Some(said));
    html(status, Body::new(Outgoing::new(page)))
}

fn shown(status: StatusCode, page: &str) -> Response {
    html(status, page.as_bytes().to_vec())
}

fn html(status: StatusCode, page: impl Into<Body>) -> Response {
    let mut response = answer("text/html; charset=utf-8", page);
    *response.status_mut() = status;
    response
}

fn answer(media_type: &'static str, bytes: impl Into<Body>) -> Response {
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
