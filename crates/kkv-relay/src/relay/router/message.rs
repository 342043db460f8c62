//! `POST /msg`: a message in one body, or a piece of one with files.

use std::sync::Arc;

use axum::extract::{Extension, FromRequest, Request, State};
use axum::response::Response;
use kkv_net::http::Progress;
use tokio::time::timeout;

use super::upload::piece;
use super::{MEDIA_TYPE, Posted, Refused, Relay, answer, is_of_type, json};
use kkv_base::limits::REQUEST_TIMEOUT;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::v1;

/// One or the other, by its `Content-Type`.
pub(super) async fn message(
    State(relay): State<Arc<Relay>>,
    Extension(progress): Extension<Progress>,
    request: Request,
) -> Result<Response, Refused> {
    if is_of_type(request.headers(), MEDIA_TYPE) {
        return Ok(piece(&relay, progress, request).await?);
    }
    let small = async {
        let posted = Posted::from_request(request, &relay).await?;
        small_message(&relay, posted).await
    };
    timeout(REQUEST_TIMEOUT, small)
        .await
        .unwrap_or(Err(Refused(Refusal::TimedOut)))
}

/// A message that fits into one body.
async fn small_message(relay: &Relay, posted: Posted) -> Result<Response, Refused> {
    match posted.suite {
        Suite::V1 => {
            let request = v1::wire::MessageRequest::from_form(&posted.body)?;
            Ok(answer("text/plain", relay.message_v1(&request)?))
        }
        Suite::V2 => Ok(json(relay.message_v2(&posted.json()?)?)),
    }
}
