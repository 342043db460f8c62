//! Files that script sends before its form (PROTOCOL.md §18): `/upload` begins, and each piece comes to `/piece`,
//! where it is read straight into the memory that is reserved for it.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{Extension, Request, State};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER_PERMISSIVE;
use kkv_net::http::Progress;
use serde::Serialize;

use super::super::incoming::Incoming;
use super::super::{MEDIA_TYPE, Posted, Refused, Relay, is_of_type, json};
use super::form::{self, Cut};
use super::{page, views, with_headers};
use crate::relay::page::{NotTaken, Offers, UploadBegun, UploadRequest, Wants};
use kkv_page::form_id::UploadName;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::upload::MAX_PIECE_BYTES;

/// The upload's name, and two hex digits: the piece's index.
const HEAD_BYTES: usize = 34;
/// In the place of an index: the upload is given up.
const GIVES_UP: u8 = 0xff;

/// Begins an upload, or says how far it is.
pub(super) async fn begin(
    State(relay): State<Arc<Relay>>,
    posted: Result<Posted, Refused>,
) -> Response {
    let asked = posted.and_then(|posted| Ok(posted.json::<UploadRequest>()?));
    let begun = match asked {
        Ok(asked) => match confirmed(&relay, &asked).await {
            Ok(begun) => json(crate::relay::json(&begun)),
            Err(why) => refused(why),
        },
        Err(refused) => refused.into_response(),
    };
    with_headers(begun)
}

/// The beginning of one, once what pays for it was checked.
async fn confirmed(relay: &Arc<Relay>, asked: &UploadRequest) -> Result<UploadBegun, Cut> {
    let follows = Some(asked.follows.as_str()).filter(|secret| !secret.is_empty());
    let follows = follows.map(form::box_secret).transpose()?;
    let offers = Offers {
        invitation: &asked.invitation,
        payment: &asked.payment(),
        follows: follows.as_ref(),
        wants: Wants::Either,
    };
    relay.confirm(&offers).await?;
    Ok(relay.begin_upload(page(relay), asked, follows.as_ref())?)
}

/// Takes a piece, and says which are here.
pub(super) async fn piece(
    State(relay): State<Arc<Relay>>,
    Extension(progress): Extension<Progress>,
    request: Request,
) -> Response {
    let taken = read(&relay, progress, request).await.map_err(Refused);
    with_headers(taken.into_response())
}

async fn read(relay: &Relay, progress: Progress, request: Request) -> Result<Response, Refusal> {
    if !is_of_type(request.headers(), MEDIA_TYPE) {
        return Err(Refusal::UnsupportedMediaType);
    }
    let body = request.into_body();
    if body.size_hint().lower() > MAX_PIECE_BYTES as u64 {
        return Err(Refusal::TooLarge);
    }
    let length = body.size_hint().exact().ok_or(Refusal::Malformed)?;
    let length = usize::try_from(length).map_err(|_| Refusal::TooLarge)?;
    let mut left = length.checked_sub(HEAD_BYTES).ok_or(Refusal::Malformed)?;
    let page = page(relay);
    let mut incoming = Incoming::new(body, progress);
    // Nothing is taken for a body before it has shown whose it is.
    let mut head = [0; HEAD_BYTES];
    incoming.fill(&mut head).await?;
    let (name, index) = parsed(&head).ok_or(Refusal::Malformed)?;
    if index == GIVES_UP && left == 0 {
        return Ok(json(crate::relay::json(&relay.give_up_upload(page, name))));
    }
    let upload = relay.page_upload(page, name)?;
    let (index, bytes) = upload.part(index)?;
    if left != bytes {
        return Err(Refusal::Unproven);
    }
    if let Some(mut receiving) = relay.begin_page_piece(page, &upload, index)? {
        incoming.keep_connection();
        while left > 0 {
            let bytes = incoming.next(left).await?;
            relay.receive(&mut receiving, &bytes)?;
            left -= bytes.len();
        }
        relay.page_piece_received(page, &receiving)?;
    } else {
        // It is here. What comes is dropped, so that the connection can be used again.
        while left > 0 {
            left -= incoming.next(left).await?.len();
        }
    }
    let taken = relay.acknowledge_page_piece(&upload)?;
    Ok(json(crate::relay::json(&taken)))
}

fn parsed(head: &[u8; HEAD_BYTES]) -> Option<(UploadName, u8)> {
    let (name, index) = str::from_utf8(head)
        .ok()?
        .split_at_checked(HEAD_BYTES - 2)?;
    let [index] = HEXLOWER_PERMISSIVE
        .decode(index.as_bytes())
        .ok()?
        .try_into()
        .ok()?;
    Some((UploadName::parse(name)?, index))
}

/// Why an upload doesn't begin, as script is told.
#[derive(Serialize)]
struct NotBegun {
    error: &'static str,
    /// What people are told.
    words: &'static str,
}

fn refused(cut: Cut) -> Response {
    let Cut::NotTaken(why) = cut else {
        return Refused(Refusal::Malformed).into_response();
    };
    let refusal = match why {
        NotTaken::Form(_) | NotTaken::CameBefore => Refusal::Expired,
        NotTaken::Uninvited | NotTaken::BadInvitation => Refusal::Uninvited,
        NotTaken::BadPayment => Refusal::Spent,
        NotTaken::PriceRose => Refusal::PriceRose,
        NotTaken::TooLarge => Refusal::TooLarge,
        NotTaken::Stopping => Refusal::Stopping,
        NotTaken::Full | NotTaken::NoRoom | NotTaken::Busy => Refusal::Full,
        NotTaken::TooLong
        | NotTaken::Empty
        | NotTaken::EmptyFile
        | NotTaken::WordsInside
        | NotTaken::OtherWords
        | NotTaken::FilesGone
        | NotTaken::Wiped => Refusal::BadContent,
        NotTaken::Over => Refusal::NoBox,
    };
    let (_, words) = views::why(cut);
    let error = refusal.code();
    let mut response = json(crate::relay::json(&NotBegun { error, words }));
    *response.status_mut() = Refused(refusal).into_response().status();
    response
}
