//! One file of a message, as it is, copied out of the queue bit by bit.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Json;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Query;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use zeroize::Zeroizing;

use super::{AppHost, Host, Parts};
use axum::extract::State;
use kkv_owner::{GetFile, MessageId, Problem};
use kkv_protocol::files::Files;

/// Bytes that are copied at once, under the lock of the queue.
const FRAME_BYTES: usize = 64 * 1024;

pub(super) async fn file(State(host): AppHost, Query(wanted): Query<GetFile>) -> Response {
    let length = with_file(&*host, wanted, <[u8]>::len);
    match length {
        Some(length) => {
            let body = Body::new(FileBody {
                host,
                wanted,
                sent: 0,
                length,
            });
            ([(CONTENT_TYPE, "application/octet-stream")], body).into_response()
        }
        None => {
            let GetFile { id, file } = wanted;
            let error = format!("there is no file {file} of a message {id}");
            (StatusCode::NOT_FOUND, Json(Problem { error })).into_response()
        }
    }
}

/// Calls `read` with the bytes of the file, if it is there.
fn with_file<T>(host: &dyn Host, wanted: GetFile, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let index = wanted.file.checked_sub(1)?;
    let now = host.now().elapsed;
    host.queue()
        .with(wanted.id, now, |waiting| {
            let parts = Parts::of(&waiting);
            let files = parts.files.as_ref().map_or(&[][..], Files::files);
            files.get(index).map(|file| read(file.bytes()))
        })
        .flatten()
}

/// A file on its way. It ends too early if its message is deleted meanwhile.
struct FileBody {
    host: Arc<dyn Host>,
    wanted: GetFile,
    sent: usize,
    length: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("message {0} was deleted")]
struct Deleted(MessageId);

/// A copy that is wiped when the socket has it.
struct Copied(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Copied {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = Deleted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Deleted>>> {
        let this = &mut *self;
        if this.is_end_stream() {
            return Poll::Ready(None);
        }
        let end = this.length.min(this.sent + FRAME_BYTES);
        let range = this.sent..end;
        let copied = with_file(&*this.host, this.wanted, |bytes| {
            bytes.get(range).map(|bytes| Zeroizing::new(bytes.to_vec()))
        });
        let frame = copied.flatten().ok_or(Deleted(this.wanted.id));
        this.sent = end;
        Poll::Ready(Some(
            frame.map(|bytes| Frame::data(Bytes::from_owner(Copied(bytes)))),
        ))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.length
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.length - self.sent) as u64)
    }
}
