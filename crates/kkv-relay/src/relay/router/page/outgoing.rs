//! The page to write on, on its way to who has sent its form: a piece of it at a time, so that a connection on which no
//! answer is taken holds no more than what has come by it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use kkv_page::pieces::Pieces;

/// A body: a page.
pub(super) struct Outgoing {
    pieces: Pieces,
    left: u64,
}

impl Outgoing {
    pub(super) fn new(pieces: Pieces) -> Self {
        Self {
            left: pieces.bytes() as u64,
            pieces,
        }
    }
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(piece) = self.pieces.next() else {
            return Poll::Ready(None);
        };
        self.left = self.left.saturating_sub(piece.len() as u64);
        let piece = Bytes::copy_from_slice(piece.as_bytes());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
