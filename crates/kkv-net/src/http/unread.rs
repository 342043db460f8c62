//! The answers of hyper itself, to what it can't read: they get the headers that every other answer has.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

macro_rules! answer {
    ($status:literal, $more:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\nconnection: close\r\ncontent-length: 0\r\n",
            $more,
            "\r\n"
        )
        .as_bytes()
    };
}

/// As hyper writes it, and with our headers (`gate`).
macro_rules! both {
    ($status:literal) => {
        (
            answer!($status, ""),
            answer!(
                $status,
                "x-content-type-options: nosniff\r\ncross-origin-resource-policy: same-origin\r\n"
            ),
        )
    };
}

const NO_HTTP: (&[u8], &[u8]) = both!("400 Bad Request");
const TOO_LARGE: (&[u8], &[u8]) = both!("431 Request Header Fields Too Large");

/// The answer to what is no HTTP/1.1 and that hyper leaves without one.
pub(super) const BAD_REQUEST: &[u8] = NO_HTTP.1;

/// A stream that says our answers in the place of hyper's. No answer of a route is the same: each has our headers.
pub(super) struct Unread<S> {
    stream: S,
    /// What is still to be written of an answer that takes another's place.
    rest: Option<&'static [u8]>,
}

impl<S> Unread<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, rest: None }
    }
}

fn ours(bytes: &[u8]) -> Option<&'static [u8]> {
    let both = [NO_HTTP, TOO_LARGE];
    let found = both.into_iter().find(|(hypers, _)| *hypers == bytes);
    found.map(|(_, ours)| ours)
}

impl<S: AsyncRead + Unpin> AsyncRead for Unread<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unread<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(mut rest) = self.rest.or_else(|| ours(bytes)) else {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        };
        while !rest.is_empty() {
            self.rest = Some(rest);
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Ok(0));
            }
            rest = &rest[written..];
        }
        self.rest = None;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = slices.iter().filter(|slice| !slice.is_empty());
        match (filled.next(), filled.next()) {
            (Some(only), None) => self.poll_write(context, only),
            _ => Pin::new(&mut self.stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn an_answer_of_hypers_is_replaced_whole_also_where_little_is_taken_at_once() {
        for (hypers, ours) in [NO_HTTP, TOO_LARGE] {
            let (near, mut far) = tokio::io::duplex(7);
            let mut stream = Unread::new(near);
            let write = async move {
                stream.write_all(b"before").await.unwrap();
                stream.write_all(hypers).await.unwrap();
                stream.shutdown().await.unwrap();
            };
            let mut read = Vec::new();
            let (_, bytes) = tokio::join!(write, far.read_to_end(&mut read));
            assert_eq!(bytes.unwrap(), 6 + ours.len());
            assert_eq!(read[6..], *ours);
        }
    }
}
