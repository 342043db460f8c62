//! One visit to a router, or a site with pages, over one connection, byte for byte, in time that costs nothing; and a
//! row of them.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use kkv_base::limits::{HEAD_TIMEOUT, REQUEST_TIMEOUT};
use kkv_net::http::{AllowedHosts, ConnectionLimits, Site, serve_connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::in_process::PIPE_BYTES;

/// Connections in one run, at most.
const MAX_CONNECTIONS: usize = 12;

/// A relay that is visited.
pub(crate) trait Visited {
    /// Somebody comes, and does what the bytes say.
    async fn connection(&mut self, u: &mut Unstructured<'_>) -> Result<()>;

    /// Looks at what has come of it.
    fn check(&self);

    /// After all that, whoever comes with what is right is served.
    async fn still_takes_a_message(&mut self);
}

/// Some bytes, and how long nothing is said before them.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    pub(crate) pause: Duration,
}

/// How a visitor behaves.
#[derive(Debug)]
pub(crate) struct Manner {
    /// Reads nothing of what it is told.
    deaf: bool,
    /// Ends its side when it has said everything, instead of waiting.
    ends: bool,
    /// What the line holds on its way.
    pipe: usize,
}

/// The first answer of a relay.
#[derive(Debug)]
pub(crate) struct Answer<'s> {
    pub(crate) status: u16,
    pub(crate) body: &'s [u8],
}

/// Visits after visits, until the bytes are at their end, each of which is looked at.
pub(crate) async fn visits(mut line: impl Visited, u: &mut Unstructured<'_>) -> Result<()> {
    // A whole message takes as long as all that came before it.
    let thorough = u.ratio(1, 4)?;
    for _ in 0..MAX_CONNECTIONS {
        if u.is_empty() {
            break;
        }
        let done = line.connection(u).await;
        line.check();
        done?;
    }
    if thorough {
        line.still_takes_a_message().await;
    }
    Ok(())
}

impl Piece {
    pub(crate) fn now(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            pause: Duration::ZERO,
        }
    }
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            deaf: false,
            ends: false,
            pipe: PIPE_BYTES,
        }
    }
}

impl Manner {
    pub(crate) fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        let bits: u8 = u.arbitrary()?;
        Ok(Self {
            deaf: bits & 1 != 0,
            ends: bits & 2 != 0,
            pipe: if bits & 4 == 0 { PIPE_BYTES } else { 64 },
        })
    }
}

impl<'s> Answer<'s> {
    /// Reads it; `None` if there is none.
    pub(crate) fn first(said: &'s [u8]) -> Option<Self> {
        let head = said.windows(4).position(|end| end == b"\r\n\r\n")?;
        // In the version that it was asked in.
        let versions: [&[u8]; 2] = [b"HTTP/1.1 ", b"HTTP/1.0 "];
        let line = versions
            .iter()
            .find_map(|version| said.strip_prefix(*version))?;
        let status = line.get(..3)?;
        Some(Self {
            status: str::from_utf8(status).ok()?.parse().ok()?,
            body: &said[head + 4..],
        })
    }
}

/// How long such a visit may last: each thing that a relay waits for has its time.
fn longest(script: &[Piece]) -> Duration {
    let each = HEAD_TIMEOUT + 2 * REQUEST_TIMEOUT;
    let pauses: Duration = script.iter().map(|piece| piece.pause).sum();
    pauses + each * u32::try_from(script.len() + 2).expect("a script is short")
}

/// Says what is in the script, and returns what the relay has said when it has hung up.
///
/// # Panics
/// It doesn't hang up, or its task has panicked.
pub(crate) async fn visit(site: impl Into<Site>, script: &[Piece], manner: &Manner) -> Vec<u8> {
    let (near, far) = tokio::io::duplex(manner.pipe);
    let serving = tokio::spawn(serve_connection(
        far,
        site.into(),
        ConnectionLimits::default(),
        AllowedHosts::Onion,
    ));
    let (mut reading, mut writing) = tokio::io::split(near);
    let mut said = Vec::new();
    let say = async {
        for piece in script {
            sleep(piece.pause).await;
            // A relay may hang up before it has read everything.
            if writing.write_all(&piece.bytes).await.is_err() {
                return;
            }
        }
        if manner.ends {
            let _ = writing.shutdown().await;
        }
    };
    let hear = async {
        if !manner.deaf {
            let _ = reading.read_to_end(&mut said).await;
        }
    };
    let over = async {
        tokio::join!(say, hear);
        serving.await.expect("no request makes the relay panic");
    };
    let over = timeout(longest(script), over).await;
    over.expect("a relay lets go of everybody in time");
    said
}
