//! One thing that a hostile relay says.

use std::io;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use kkv_protocol::refusal::Refusal;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use crate::change::changes;
use crate::lying_relay::{Honest, LyingRelay};
use crate::raw_http::{Answer, Request, answer};

const JSON: &str = "application/json";

/// A flood that should have been endless: far above what a sender takes of one answer.
const FLOOD_BYTES: usize = 256 * 1024;

/// Pieces of answers.
const FRAGMENTS: [&str; 20] = [
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n",
    "HTTP/1.1 415 Unsupported Media Type\r\n",
    "HTTP/1.1 507 Insufficient Storage\r\n",
    "HTTP/1.1 ",
    "content-length: 0\r\n",
    "content-length: 3\r\n",
    "content-length: 18446744073709551615\r\n",
    "transfer-encoding: chunked\r\n",
    "connection: close\r\n",
    "connection: upgrade\r\nupgrade: x\r\n",
    "\r\n",
    "3\r\nabc\r\n",
    "3;x=y\r\nabc\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "{\"error\":\"unsupported_suite\",\"reason\":\"\"}",
];

/// What is said, how, and what comes after it.
#[derive(Debug)]
pub(super) struct Say {
    pub(super) bytes: Vec<u8>,
    /// Bytes at once, and the pause after them.
    drip: Option<(usize, Duration)>,
    /// What comes then, over and over.
    flood: Vec<u8>,
    pub(super) then: Then,
}

/// What a relay does when it has spoken.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    /// Waits for the next request.
    Listen,
    /// Hangs up.
    HangUp,
    /// Says nothing more, and keeps the line.
    Wait,
}

impl Say {
    pub(super) fn all(bytes: Vec<u8>, then: Then) -> Self {
        Self {
            bytes,
            drip: None,
            flood: Vec::new(),
            then,
        }
    }

    /// Nothing, not even goodbye.
    pub(super) fn nothing() -> Self {
        Self::all(Vec::new(), Then::HangUp)
    }

    /// What an honest relay says.
    pub(super) fn right(relay: &mut LyingRelay, request: &Request) -> Self {
        let right = relay.answer(request, &mut Honest);
        Self::all(right.to_bytes(), Then::Listen)
    }

    /// What these bytes want it to say.
    pub(super) fn decide(
        u: &mut Unstructured<'_>,
        relay: &mut LyingRelay,
        request: &Request,
    ) -> Result<Self> {
        let number = u.int_in_range(0..=19)?;
        if number < 5 {
            return Ok(Self::right(relay, request));
        }
        if number < 8 {
            let lie = relay.answer(request, u);
            return Ok(Self::all(lie.to_bytes(), Then::Listen));
        }
        let honest = relay.answer(request, &mut Honest);
        Self::else_than(honest, JSON, number, u)
    }

    /// What these bytes want it to say where `right` would be an honest answer of this type.
    pub(super) fn of(u: &mut Unstructured<'_>, right: Answer, content_type: &str) -> Result<Self> {
        match u.int_in_range(0..=19)? {
            0..8 => Ok(Self::all(right.to_bytes(), Then::Listen)),
            number => Self::else_than(right, content_type, number, u),
        }
    }

    fn else_than(
        honest: Answer,
        content_type: &str,
        number: u8,
        u: &mut Unstructured<'_>,
    ) -> Result<Self> {
        let right = honest.to_bytes();
        Ok(match number {
            8 => {
                let body = changes(&honest.body, u)?;
                Self::all(answer(200, content_type, body), Then::Listen)
            }
            9 => Self::all(changes(&right, u)?, then(u)?),
            10 => {
                let status = u.int_in_range(100..=999)?;
                let body = if u.arbitrary()? { honest.body } else { vec![] };
                Self::all(answer(status, content_type, body), Then::Listen)
            }
            11 | 12 => {
                let refusal = *u.choose(&Refusal::ALL)?;
                Self::all(answer(refusal.status(), JSON, refusal.body()), Then::Listen)
            }
            13 => {
                let length = usize::from(u.arbitrary::<u8>()?).min(u.len());
                Self::all(u.bytes(length)?.to_vec(), then(u)?)
            }
            14 => Self::all(fragments(u)?, then(u)?),
            15 => {
                let end = u.int_in_range(0..=right.len())?;
                Self::all(right[..end].to_vec(), then(u)?)
            }
            16 => Self {
                drip: Some((
                    u.int_in_range(1..=u8::MAX)?.into(),
                    Duration::from_millis(500) * u.arbitrary::<u8>()?.into(),
                )),
                ..Self::all(right, then(u)?)
            },
            17 => Self {
                flood: fragments(u)?,
                ..Self::all(fragments(u)?, then(u)?)
            },
            18 => Self::all([right, fragments(u)?].concat(), then(u)?),
            _ => {
                // How published relays say no.
                let zeros = |bytes: usize| "00".repeat(bytes);
                let body = match u.int_in_range(0..=2)? {
                    0 => format!(
                        "{{\"bytes\":\"{}\",\"signature\":\"{}\"}}",
                        zeros(80),
                        zeros(64)
                    ),
                    1 => "{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":\"\"}"
                        .to_owned(),
                    _ => "Unauthorized".to_owned(),
                };
                let status = *u.choose(&[200, 401, 415, 507])?;
                Self::all(answer(status, "text/plain", body), Then::Listen)
            }
        })
    }

    /// Says it.
    ///
    /// # Errors
    /// Nobody listens any more.
    pub(super) async fn to(&self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let (at_once, pause) = self
            .drip
            .unwrap_or((self.bytes.len().max(1), Duration::ZERO));
        for piece in self.bytes.chunks(at_once) {
            stream.write_all(piece).await?;
            sleep(pause).await;
        }
        if self.flood.is_empty() {
            return Ok(());
        }
        for _ in 0..FLOOD_BYTES / self.flood.len() {
            stream.write_all(&self.flood).await?;
        }
        // A provisional answer is no answer yet; of anything else no sender takes as much.
        let provisional = self.flood.windows(4).any(|word| word == b"HTTP");
        assert!(provisional, "all of it was taken");
        Ok(())
    }
}

fn then(u: &mut Unstructured<'_>) -> Result<Then> {
    Ok(*u.choose(&[Then::Listen, Then::HangUp, Then::Wait])?)
}

/// Up to eight pieces of answers in any order.
pub(super) fn fragments(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for _ in 0..u.int_in_range(0..=8)? {
        all.extend_from_slice(u.choose(&FRAGMENTS)?.as_bytes());
    }
    Ok(all)
}
