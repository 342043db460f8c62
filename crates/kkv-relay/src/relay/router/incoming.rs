//! A body of bytes on its way: read as it comes, with a time limit that follows what has arrived.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use kkv_net::http::Progress;
use tokio::time::{Instant, timeout_at};

use kkv_base::limits::{MIN_UPLOAD_RATE, REQUEST_TIMEOUT};
use kkv_protocol::refusal::Refusal;

/// A body in its place touches its connection each time so many bytes of it have come: at [`MIN_UPLOAD_RATE`] within
/// the time for a head.
const PROGRESS_BYTES: u32 = 16 * 1024;

/// The body of a request on its way.
pub(super) struct Incoming {
    body: Body,
    /// What came with the last piece and belongs to the next.
    rest: Bytes,
    began: Instant,
    received: u32,
    /// What had come when it touched its connection last, once it [keeps](Self::keep_connection) it.
    touches: Option<u32>,
    progress: Progress,
}

impl Incoming {
    pub(super) fn new(body: Body, progress: Progress) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            began: Instant::now(),
            received: 0,
            touches: None,
            progress,
        }
    }

    /// Moves its time limit by the time for which the relay has let it wait: that is not the sender's.
    pub(super) fn extend(&mut self, time: Duration) {
        self.began += time;
    }

    /// From now on its connection counts as in use whenever more of the body has come. For bodies that cost something:
    /// a connection that has cost nothing is the first to be ended.
    pub(super) fn keep_connection(&mut self) {
        self.progress.made();
        self.touches = Some(self.received);
    }

    /// Fills `buffer` with what comes next.
    ///
    /// # Errors
    /// `timed_out`, or malformed: it ends before.
    pub(super) async fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Refusal> {
        let mut filled = 0;
        while filled < buffer.len() {
            let bytes = self.next(buffer.len() - filled).await?;
            buffer[filled..][..bytes.len()].copy_from_slice(&bytes);
            filled += bytes.len();
        }
        Ok(())
    }

    /// What comes next, `most` bytes of it; none only if a frame is empty.
    ///
    /// # Errors
    /// As for [`fill`](Self::fill).
    pub(super) async fn next(&mut self, most: usize) -> Result<Bytes, Refusal> {
        if self.rest.is_empty() {
            self.rest = self.frame().await?;
        }
        let bytes = self.rest.len().min(most);
        Ok(self.rest.split_to(bytes))
    }

    async fn frame(&mut self) -> Result<Bytes, Refusal> {
        let earned = Duration::from_secs(u64::from(self.received / MIN_UPLOAD_RATE));
        let deadline = self.began + REQUEST_TIMEOUT + earned;
        let frame = timeout_at(deadline, self.body.frame())
            .await
            .map_err(|_| Refusal::TimedOut)?;
        let frame = frame.ok_or(Refusal::Malformed)?;
        let bytes = frame
            .map_err(|_| Refusal::Malformed)?
            .into_data()
            .unwrap_or_default();
        self.received += u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if let Some(last) = &mut self.touches
            && self.received - *last >= PROGRESS_BYTES
        {
            *last = self.received;
            self.progress.made();
        }
        Ok(bytes)
    }
}
