//! A stream in memory that never waits: it gives what it was made with and keeps what it is given.

use std::io::{self, Cursor};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Such a stream.
#[derive(Debug)]
pub struct Pipe<'b> {
    answer: Cursor<&'b [u8]>,
    written: Vec<u8>,
}

impl<'b> Pipe<'b> {
    /// One that says `answer` and then hangs up.
    #[must_use]
    pub fn new(answer: &'b [u8]) -> Self {
        Self {
            answer: Cursor::new(answer),
            written: Vec::new(),
        }
    }

    /// What was said to it.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.written
    }
}

impl AsyncRead for Pipe<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.answer).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipe<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
