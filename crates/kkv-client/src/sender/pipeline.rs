//! Requests that go one behind the other over one connection, each without waiting for the answer to the one before
//! (RFC 9112 §9.3.2): a round trip over Tor is long, and the line would stand idle meanwhile. hyper's client sends
//! none before it has the answer to the last.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

use super::request::{Request, Response, TransportError};
use kkv_base::limits::{MAX_HEAD_BYTES, MAX_HEADERS};

/// Read at once.
const READ_BYTES: usize = 4096;

/// A connection on which nothing was under way when it was handed over.
pub(super) struct Pipeline<S> {
    stream: S,
    host: String,
    timeout: Duration,
    /// What the stream has not taken yet of the last request.
    unsent: Bytes,
    flushed: bool,
    /// Whether the stream takes nothing any more. What has come before may be read still: why it doesn't.
    broken: bool,
    /// Requests without an answer, the first first.
    waiting: VecDeque<Waiting>,
    /// When the first of them began to be waited for.
    since: Instant,
    /// What has come and is no whole response yet.
    come: Vec<u8>,
}

struct Waiting {
    requested_at: Instant,
    timeout: Duration,
    answer_bytes: usize,
}

/// What happened.
pub(super) enum Step {
    /// The stream has taken all of the last request.
    Sent,
    /// The first request that was waiting has its answer.
    Answered(Response),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Pipeline<S> {
    /// A short answer is waited for as long as `timeout`.
    pub(super) fn new(stream: S, host: String, timeout: Duration) -> Self {
        Self {
            stream,
            host,
            timeout,
            unsent: Bytes::new(),
            flushed: true,
            broken: false,
            waiting: VecDeque::new(),
            since: Instant::now(),
            come: Vec::new(),
        }
    }

    /// Whether another request may be sent now.
    pub(super) fn is_ready(&self) -> bool {
        self.unsent.is_empty() && !self.broken
    }

    /// Sends this one next, once it [is ready](Self::is_ready) for that.
    pub(super) fn send(&mut self, request: &Request) {
        let now = Instant::now();
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.waiting.push_back(Waiting {
            requested_at: now,
            timeout: request.timeout(self.timeout),
            answer_bytes: request.answer_bytes(),
        });
        self.unsent = request.to_bytes(&self.host).into();
        self.flushed = false;
    }

    /// How many of the requests that wait for an answer the stream has taken to the last byte; from the first on.
    pub(super) fn wholly_sent(&self) -> usize {
        // One that was answered early waits no more.
        let is_sending = usize::from(!self.unsent.is_empty());
        self.waiting.len().saturating_sub(is_sending)
    }

    /// Waits until something happens. Each answer is waited for as long as its request says, from when the one before
    /// has come: the relay takes one after the other.
    ///
    /// # Errors
    /// No answer comes any more.
    pub(super) async fn step(&mut self) -> Result<Step, TransportError> {
        // What was answered early may have to be sent to its end still.
        let first = self.waiting.front();
        let time = first.map_or(self.timeout, |first| first.timeout);
        timeout_at(self.since + time, poll_fn(|context| self.poll(context)))
            .await
            .unwrap_or(Err(TransportError::TimedOut(time)))
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Step, TransportError>> {
        // Answers first: a refusal ends what is still to be sent.
        if let Poll::Ready(answered) = self.poll_answer(context) {
            return Poll::Ready(answered.map(Step::Answered));
        }
        if self.broken {
            return match self.waiting.is_empty() {
                true => Poll::Ready(Err(TransportError::Closed)),
                false => Poll::Pending,
            };
        }
        let was_sending = !self.unsent.is_empty();
        if ready!(self.poll_send(context)).is_err() {
            self.broken = true;
            return self.poll(context);
        }
        match was_sending {
            true => Poll::Ready(Ok(Step::Sent)),
            false => Poll::Pending, // all is flushed, and only an answer can come
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let broken = |_| TransportError::Closed;
        while !self.unsent.is_empty() {
            let taken = Pin::new(&mut self.stream).poll_write(context, &self.unsent);
            match ready!(taken).map_err(broken)? {
                0 => return Poll::Ready(Err(TransportError::Closed)),
                bytes => self.unsent.advance(bytes),
            }
            if self.unsent.is_empty() {
                return Poll::Ready(Ok(())); // what comes next is flushed with it
            }
        }
        if !self.flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(context)).map_err(broken)?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// The answer to the first request that waits.
    fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<Response, TransportError>> {
        let Some(first) = self.waiting.front() else {
            return Poll::Pending;
        };
        loop {
            let response = parse(&mut self.come, first.answer_bytes, first.requested_at)?;
            if let Some(response) = response {
                self.waiting.pop_front();
                self.since = Instant::now();
                return Poll::Ready(Ok(response));
            }
            let mut bytes = [0; READ_BYTES];
            let mut bytes = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut self.stream).poll_read(context, &mut bytes);
            ready!(read).map_err(|_| TransportError::Closed)?;
            if bytes.filled().is_empty() {
                return Poll::Ready(Err(TransportError::Closed));
            }
            self.come.extend_from_slice(bytes.filled());
        }
    }
}

/// Takes a response from the front of what has come, if it is whole.
fn parse(
    come: &mut Vec<u8>,
    limit: usize,
    requested_at: Instant,
) -> Result<Option<Response>, TransportError> {
    let Some(Head {
        status,
        bytes,
        length,
    }) = head(come, limit).ok_or(TransportError::Malformed)?
    else {
        return Ok(None);
    };
    let end = bytes + length;
    if come.len() < end {
        return Ok(None);
    }
    let body = Bytes::copy_from_slice(&come[bytes..end]);
    come.drain(..end);
    Ok(Some(Response {
        status,
        body,
        requested_at,
        refused_for: None,
    }))
}

/// The head of a response.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Its own length.
    bytes: usize,
    /// That of the body.
    length: usize,
}

/// Reads the head of a response, `Some(None)` if it is not whole yet. It has to say how long its body is, as a relay's
/// does, and at most `limit`: there is no other way to tell where the next response begins that all agree on (RFC 9112
/// §6.3).
fn head(come: &[u8], limit: usize) -> Option<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let within = &come[..come.len().min(MAX_HEAD_BYTES)];
    let bytes = match response.parse(within).ok()? {
        httparse::Status::Complete(bytes) => bytes,
        httparse::Status::Partial if come.len() < MAX_HEAD_BYTES => return Some(None),
        httparse::Status::Partial => return None,
    };
    let status = response.code.filter(|status| *status >= 200)?;
    let has = |name: &'static str| {
        let headers = response.headers.iter();
        headers.filter(move |header| header.name.eq_ignore_ascii_case(name))
    };
    let mut lengths = has("content-length");
    let (Some(length), None, None) = (
        lengths.next(),
        lengths.next(),
        has("transfer-encoding").next(),
    ) else {
        return None;
    };
    let digits = str::from_utf8(length.value).ok()?;
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    let length = digits
        .parse()
        .ok()
        .filter(|length| is_number && *length <= limit)?;
    let is_known = response.version == Some(1);
    is_known.then_some(Some(Head {
        status,
        bytes,
        length,
    }))
}

#[cfg(test)]
mod tests;
