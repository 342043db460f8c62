//! The error responses that hyper writes itself, to requests it can't parse: they get the headers of all others.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

macro_rules! response {
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

/// As hyper writes it, and with our headers (`filter`).
macro_rules! pair {
    ($status:literal) => {
        (
            response!($status, ""),
            response!(
                $status,
                "x-content-type-options: nosniff\r\ncross-origin-resource-policy: same-origin\r\n"
            ),
        )
    };
}

const NOT_HTTP: (&[u8], &[u8]) = pair!("400 Bad Request");
const TOO_LARGE: (&[u8], &[u8]) = pair!("431 Request Header Fields Too Large");

/// The response to bytes that are not HTTP/1.1 where hyper sends none, as to the preface of HTTP/2.
pub(super) const BAD_REQUEST: &[u8] = NOT_HTTP.1;

/// A stream that replaces hyper's error responses. It can't mistake a route's response for one: those have our headers.
pub(super) struct ErrorResponseStream<S> {
    stream: S,
    /// What is still to be written of a replacement.
    rest: Option<&'static [u8]>,
}

impl<S> ErrorResponseStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, rest: None }
    }
}

fn replacement(bytes: &[u8]) -> Option<&'static [u8]> {
    let pairs = [NOT_HTTP, TOO_LARGE];
    let found = pairs.into_iter().find(|(hypers, _)| *hypers == bytes);
    found.map(|(_, ours)| ours)
}

impl<S: AsyncRead + Unpin> AsyncRead for ErrorResponseStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ErrorResponseStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(mut rest) = self.rest.or_else(|| replacement(bytes)) else {
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
    async fn a_response_of_hypers_is_replaced_whole_also_by_short_writes() {
        for (hypers, ours) in [NOT_HTTP, TOO_LARGE] {
            let (near, mut far) = tokio::io::duplex(7);
            let mut stream = ErrorResponseStream::new(near);
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
