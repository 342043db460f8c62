//! `POST /ask` (PROTOCOL.md §14): bodies of up to 1 MiB, of which no more than a piece of 64 KiB is in memory, and
//! that may take as long as they are on their way.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Extension, Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use kkv_net::http::Progress;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::incoming::Incoming;
use super::{MEDIA_TYPE, Refused, Relay, is_of_type};
use kkv_base::limits::{MAX_BODY_BYTES, MAX_LARGE_BODIES, MIN_DOWNLOAD_RATE, REQUEST_TIMEOUT};
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::v2::ask::relay::{AskSession, OpeningRequest, SealingAnswer};
use kkv_protocol::v2::ask::{AskOutcome, Asked, REQUEST_HEAD_BYTES, request_head, request_pieces};
use kkv_protocol::v2::purpose::BodySize;
use zeroize::Zeroize;

/// Bytes of an answer that hyper gets at once. With the last of them it lets go of the body, before they are written,
/// and so of the answer's place and rate: what is left then is no more than any other response.
const FRAME_BYTES: usize = 8 * 1024;

/// Places for bodies that are larger than any other of this relay's: few, so that memory stays bounded. Requests and
/// answers have their own: a request holds its place while its answer waits for one, and of a single pool all could be
/// held by such requests.
#[derive(Debug)]
pub(in crate::relay) struct LargeBodies {
    requests: Arc<Semaphore>,
    answers: Arc<Semaphore>,
}

impl LargeBodies {
    pub(in crate::relay) fn new() -> Self {
        Self {
            requests: Arc::new(Semaphore::new(MAX_LARGE_BODIES)),
            answers: Arc::new(Semaphore::new(MAX_LARGE_BODIES)),
        }
    }
}

/// A place for a body of this size, if it needs one.
async fn place(
    large: &Arc<Semaphore>,
    size: BodySize,
) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
    if size.bytes() <= MAX_BODY_BYTES {
        return Ok(None);
    }
    match timeout(REQUEST_TIMEOUT, Arc::clone(large).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(Some(permit)),
        _ => Err(Refusal::SlowDown),
    }
}

pub(super) async fn ask(
    State(relay): State<Arc<Relay>>,
    Extension(progress): Extension<Progress>,
    request: Request,
) -> Result<Response, Refused> {
    if !is_of_type(request.headers(), MEDIA_TYPE) {
        return Err(Refusal::UnsupportedMediaType.into());
    }
    let body = request.into_body();
    let size = size(&body)?;
    relay.speaks(Suite::V2)?;
    let mut incoming = Incoming::new(body, progress.clone());
    let (session, number, asked) = incoming.request(&relay, size).await?;
    let place = place(&relay.large_bodies.answers, session.size()).await?;
    let sealing = relay.ask(&session, number, asked)?;
    let mut response = Response::new(Body::new(Answer {
        relay,
        left: session.size().bytes() as u64,
        session,
        sealing,
        piece: Bytes::new(),
        progress,
        began: Instant::now(),
        _place: place,
    }));
    let value = HeaderValue::from_static(MEDIA_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, value);
    Ok(response)
}

/// The size of a body, which its `Content-Length` says.
fn size(body: &Body) -> Result<BodySize, Refusal> {
    let length = body.size_hint();
    if length.lower() > BodySize::Mib1.bytes() as u64 {
        return Err(Refusal::TooLarge);
    }
    let bytes = length.exact().ok_or(Refusal::Malformed)?;
    usize::try_from(bytes)
        .ok()
        .and_then(BodySize::of)
        .ok_or(Refusal::Malformed)
}

impl Incoming {
    /// Reads a whole request and opens it, piece by piece.
    async fn request(
        &mut self,
        relay: &Relay,
        size: BodySize,
    ) -> Result<(Arc<AskSession>, AskNumber, Result<Asked, AskOutcome>), Refusal> {
        // Nothing is taken for a body before it has shown whose it is.
        let mut head = [0; REQUEST_HEAD_BYTES];
        self.fill(&mut head).await?;
        let (id, number) = request_head(&head)?;
        let session = relay.ask_session(&id, size, number)?;
        let is_large = size.bytes() > MAX_BODY_BYTES;
        let _reading = is_large
            .then(|| relay.begin_large_ask(&session))
            .transpose()?;
        let waiting = Instant::now();
        let place = place(&relay.large_bodies.requests, size).await?;
        self.extend(waiting.elapsed()); // others may be slow
        if place.is_some() {
            self.keep_connection();
        }
        let _place = place;
        let mut opening = OpeningRequest::new(size);
        let mut piece_bytes = Vec::new();
        for piece in request_pieces(number, size) {
            piece_bytes.resize(piece.bytes, 0);
            self.fill(&mut piece_bytes[piece.head..]).await?;
            let plain = session.open(&piece, &mut piece_bytes)?;
            relay.ask_progress(&session);
            opening.take(plain);
            plain.zeroize();
        }
        Ok((session, number, opening.end()))
    }
}

/// The body of an answer: each piece is sealed when there is room for it.
struct Answer {
    relay: Arc<Relay>,
    session: Arc<AskSession>,
    sealing: SealingAnswer,
    /// What of the last piece was not handed over.
    piece: Bytes,
    /// Bytes that were not handed over.
    left: u64,
    began: Instant,
    progress: Progress,
    _place: Option<OwnedSemaphorePermit>,
}

/// Who takes an answer takes less than [`MIN_DOWNLOAD_RATE`].
#[derive(Debug, thiserror::Error)]
#[error("the answer is taken too slowly")]
struct TooSlow;

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = TooSlow;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooSlow>>> {
        let this = &mut *self;
        let taken = this.session.size().bytes() as u64 - this.left;
        let earned = Duration::from_secs(taken / u64::from(MIN_DOWNLOAD_RATE));
        if this.began.elapsed() > REQUEST_TIMEOUT + earned {
            return Poll::Ready(Some(Err(TooSlow)));
        }
        if this.piece.is_empty() {
            let Some(piece) = this.sealing.next(&this.session) else {
                return Poll::Ready(None);
            };
            this.piece = piece.into();
            this.relay.ask_progress(&this.session);
        }
        let bytes = this.piece.len().min(FRAME_BYTES);
        // Copied: a part of the piece would keep all of it.
        let frame = Bytes::copy_from_slice(&this.piece.split_to(bytes));
        this.left -= bytes as u64;
        this.progress.made();
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
pub(super) mod tests;
