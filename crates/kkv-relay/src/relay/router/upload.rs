//! A piece of a message with files (PROTOCOL.md §16): it is read straight into the memory that is reserved for it, and
//! may take as long as it is on its way.

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use kkv_net::http::Progress;

use super::incoming::Incoming;
use super::{MEDIA_TYPE, Relay};
use kkv_protocol::crypto::seal::TAG_BYTES;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::upload::{
    ACKNOWLEDGEMENT_BYTES, HEAD_BYTES, MAX_PIECE_BYTES, Part, QUERY_BYTES, head,
};

/// Takes a piece or a query, and says what is here.
pub(super) async fn piece(
    relay: &Relay,
    progress: Progress,
    request: Request,
) -> Result<Response, Refusal> {
    let body = request.into_body();
    let length = length(&body)?;
    relay.speaks(Suite::V2)?;
    let mut incoming = Incoming::new(body, progress);
    // Nothing is taken for a body before it has shown whose it is.
    let mut first = [0; HEAD_BYTES];
    incoming.fill(&mut first).await?;
    let (id, index) = head(&first);
    let upload = relay.upload(&id)?;
    let mut tag = [0; TAG_BYTES];
    match Part::of(upload.session().size(), index, length)? {
        Part::Query => {
            incoming.fill(&mut tag).await?;
            upload.session().check_query(&tag)?;
        }
        Part::Piece(index) => {
            let mut left = upload.session().size().part_bytes();
            let receiving = relay.begin_piece(&upload, index)?;
            if let Some(mut receiving) = receiving {
                incoming.keep_connection();
                while left > 0 {
                    let bytes = incoming.next(left).await?;
                    relay.receive(&mut receiving, &bytes)?;
                    left -= bytes.len();
                }
                incoming.fill(&mut tag).await?;
                relay.received(&receiving, &tag)?;
            } else {
                // It is here. What comes is dropped, so that the connection can be used again.
                left += TAG_BYTES;
                while left > 0 {
                    left -= incoming.next(left).await?.len();
                }
            }
        }
    }
    Ok(bytes(relay.acknowledge(&upload)?))
}

/// The length of a body, which its `Content-Length` says.
fn length(body: &Body) -> Result<usize, Refusal> {
    let length = body.size_hint();
    if length.lower() > MAX_PIECE_BYTES as u64 {
        return Err(Refusal::TooLarge);
    }
    let bytes = length.exact().ok_or(Refusal::Malformed)?;
    let bytes = usize::try_from(bytes).map_err(|_| Refusal::TooLarge)?;
    let is_piece = LargeSize::ALL
        .iter()
        .any(|size| size.piece_bytes() == bytes);
    if is_piece || bytes == QUERY_BYTES {
        Ok(bytes)
    } else {
        Err(Refusal::Malformed)
    }
}

fn bytes(body: [u8; ACKNOWLEDGEMENT_BYTES]) -> Response {
    let mut response = Response::new(Body::from(body.to_vec()));
    let value = HeaderValue::from_static(MEDIA_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

#[cfg(test)]
mod tests;
