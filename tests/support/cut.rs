//! A line to a relay in one process that is cut after so many bytes of one direction, counted over all connections of a
//! delivery.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use kkv_net::tor::{Dial, DialError};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::in_process::{InProcess, PIPE_BYTES};

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToRelay,
    ToSender,
}

/// How a connection ends at a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Each side reads an end, as if the other had closed.
    Closed,
    /// Each side reads an error.
    Reset,
    /// Nothing comes any more, and nobody is told.
    Silent,
    /// The connection goes on: only the hook of [`CutLine::at_strike`] is called.
    Unhurt,
}

/// When, at the count of bytes, a cut strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// As soon as the last byte has passed.
    Passed,
    /// When the byte after it is to pass.
    Next,
}

/// One cut.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    pub way: Way,
    /// Bytes of that way that pass after the cut before, or from the start.
    pub after: u64,
    pub moment: Moment,
    pub end: End,
    /// Attempts to dial that fail after it.
    pub failed_dials: u32,
}

/// What becomes of the line after its last cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It works again.
    Works,
    /// Nothing can be dialled any more.
    NoDial,
    /// Every new connection ends at once.
    Dead(End),
}

/// A way to a relay that is cut as planned.
pub struct CutLine<'r> {
    relay: &'r InProcess,
    state: Arc<Mutex<State>>,
}

struct State {
    cuts: VecDeque<Cut>,
    then: Then,
    /// Bytes that have passed since the last cut, to the relay and to the sender.
    passed: [u64; 2],
    /// Bytes that the sender's streams have taken, passed on or not, and bytes that the sender has read.
    taken: [u64; 2],
    struck: u32,
    failing_dials: u32,
    hook: Option<Box<dyn FnMut() + Send>>,
}

impl<'r> CutLine<'r> {
    pub fn new(relay: &'r InProcess, cuts: impl IntoIterator<Item = Cut>, then: Then) -> Self {
        let state = State {
            cuts: cuts.into_iter().collect(),
            then,
            passed: [0; 2],
            taken: [0; 2],
            struck: 0,
            failing_dials: 0,
            hook: None,
        };
        Self {
            relay,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Has `hook` called at each cut.
    pub fn at_strike(self, hook: impl FnMut() + Send + 'static) -> Self {
        lock(&self.state).hook = Some(Box::new(hook));
        self
    }

    /// Bytes that the sender's streams have taken, and bytes that the sender has read.
    pub fn taken(&self) -> [u64; 2] {
        lock(&self.state).taken
    }

    /// How many cuts have struck.
    pub fn struck(&self) -> u32 {
        lock(&self.state).struck
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for CutLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CutLine({} cuts so far)", self.struck())
    }
}

fn no_relay() -> DialError {
    DialError::NoRelay {
        address: ([127, 0, 0, 1], 1).into(),
        fault: io::ErrorKind::ConnectionRefused.into(),
    }
}

impl Dial for CutLine<'_> {
    type Stream = NearEnd;

    async fn dial(&self) -> Result<NearEnd, DialError> {
        let mut state = lock(&self.state);
        let ended = match state.then {
            _ if state.failing_dials > 0 => {
                state.failing_dials -= 1;
                return Err(no_relay());
            }
            Then::NoDial if state.over() => {
                return Err(no_relay());
            }
            Then::Dead(end) if state.over() => Some(end),
            _ => None,
        };
        drop(state);
        let reset = Arc::new(AtomicBool::new(false));
        let inner = ended.is_none().then(|| {
            let (near, far) = tokio::io::duplex(PIPE_BYTES);
            self.relay.serve(FarEnd {
                inner: far,
                reset: Arc::clone(&reset),
            });
            near
        });
        Ok(NearEnd {
            state: Arc::clone(&self.state),
            inner,
            ended,
            reset,
            reader: None,
        })
    }
}

impl State {
    /// Whether every planned cut has struck.
    fn over(&self) -> bool {
        self.cuts.is_empty() && self.struck > 0
    }

    /// Bytes that may pass before the next cut, if it is on this way.
    fn left(&self, way: Way) -> Option<u64> {
        let next = self.cuts.front().filter(|cut| cut.way == way)?;
        Some(next.after.saturating_sub(self.passed[way as usize]))
    }

    /// Counts bytes that have passed; whether the next cut strikes now.
    fn pass(&mut self, way: Way, bytes: u64) -> bool {
        self.passed[way as usize] += bytes;
        self.taken[way as usize] += bytes;
        let next = self.cuts.front();
        self.left(way) == Some(0) && next.is_some_and(|cut| cut.moment == Moment::Passed)
    }

    fn strike(&mut self) -> End {
        let cut = self.cuts.pop_front().expect("the caller has seen it");
        self.passed = [0; 2];
        self.struck += 1;
        self.failing_dials = cut.failed_dials;
        if let Some(hook) = &mut self.hook {
            hook();
        }
        cut.end
    }
}

/// The sender's end of a connection that can be cut.
pub struct NearEnd {
    state: Arc<Mutex<State>>,
    inner: Option<DuplexStream>,
    ended: Option<End>,
    reset: Arc<AtomicBool>,
    /// Who waits for something to read, and must hear of a cut that strikes in a write.
    reader: Option<Waker>,
}

impl NearEnd {
    fn strike(&mut self) {
        let end = lock(&self.state).strike();
        if end == End::Unhurt {
            return;
        }
        self.ended = Some(end);
        self.reset.store(end == End::Reset, Ordering::Release);
        if end != End::Silent {
            self.inner = None; // what was written can still be read at the other end
        }
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl AsyncWrite for NearEnd {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            match this.ended {
                None | Some(End::Unhurt) => {}
                Some(End::Closed) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                Some(End::Reset) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                Some(End::Silent) => {
                    lock(&this.state).taken[0] += buf.len() as u64;
                    return Poll::Ready(Ok(buf.len()));
                }
            }
            let left = lock(&this.state).left(Way::ToRelay);
            if left == Some(0) {
                this.strike();
                continue;
            }
            let some = left.map_or(buf.len(), |left| {
                buf.len().min(usize::try_from(left).unwrap_or(usize::MAX))
            });
            let inner = this.inner.as_mut().expect("gone only once it has ended");
            let written = ready!(Pin::new(inner).poll_write(cx, &buf[..some]))?;
            let strikes = lock(&this.state).pass(Way::ToRelay, written as u64);
            if strikes {
                this.strike();
            }
            return Poll::Ready(Ok(written));
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Some(inner) => Pin::new(inner).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Some(inner) => Pin::new(inner).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncRead for NearEnd {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match this.ended {
                None | Some(End::Unhurt) => {}
                Some(End::Closed) => return Poll::Ready(Ok(())),
                Some(End::Reset) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                Some(End::Silent) => return Poll::Pending,
            }
            this.reader = Some(cx.waker().clone());
            let left = lock(&this.state).left(Way::ToSender);
            let inner = this.inner.as_mut().expect("gone only once it has ended");
            // One byte more than may pass, to see that there is one.
            let room = left.map_or(buf.remaining(), |left| {
                buf.remaining()
                    .min(usize::try_from(left).map_or(usize::MAX, |left| left.max(1)))
            });
            let mut bytes = vec![0; room];
            let mut some = ReadBuf::new(&mut bytes);
            ready!(Pin::new(inner).poll_read(cx, &mut some))?;
            let read = some.filled();
            if left == Some(0) && !read.is_empty() {
                this.strike();
                if this.ended.is_none() {
                    buf.put_slice(read); // unhurt
                    lock(&this.state).pass(Way::ToSender, read.len() as u64);
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            buf.put_slice(read);
            let strikes =
                !read.is_empty() && lock(&this.state).pass(Way::ToSender, read.len() as u64);
            if strikes {
                this.strike();
            }
            return Poll::Ready(Ok(()));
        }
    }
}

/// The relay's end, which reads an error where the cut was a reset.
struct FarEnd {
    inner: DuplexStream,
    reset: Arc<AtomicBool>,
}

impl AsyncRead for FarEnd {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        if buf.filled().len() == before && this.reset.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for FarEnd {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
