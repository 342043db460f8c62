//! Stands between a sender and a real relay: passes everything on, but for one step, at which it says something else.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kkv_net::tor::{Dial, DialError};
use kkv_protocol::suite::Suite;
use tokio::io::{AsyncWriteExt, DuplexStream};

use crate::in_process::{InProcess, PIPE_BYTES};
use crate::raw_http::{Answer, Request, Wire};

/// What to say at the chosen step.
pub enum Say {
    /// These bytes; then the connection ends.
    Bytes(Vec<u8>),
    /// These bytes; then nothing more, on a connection that stays.
    Silence(Vec<u8>),
    /// The first bytes, then the second again and again, as fast as they are taken, until [`FLOOD_BYTES`] have gone.
    Flood(Vec<u8>, Vec<u8>),
    /// The first bytes, then the second for ever with a pause before each.
    Drip(Vec<u8>, Vec<u8>, Duration),
    /// This instead of the relay's answer, which isn't asked then; `None`: the relay's own.
    Instead(Box<dyn Fn() -> Option<Answer> + Send + Sync>),
    /// The relay's own answer, changed.
    Changed(Box<dyn Fn(Answer) -> Answer + Send + Sync>),
    /// The relay's own answer, and in the same breath these bytes, which nobody asked for.
    Followed(Vec<u8>),
}

/// Where a flood ends that should have been endless: far above what a sender takes, and too little to hurt a machine if
/// it takes all.
const FLOOD_BYTES: usize = 4 * 1024 * 1024;

/// A relay, and what stands before it.
#[derive(Clone)]
pub struct Between(Arc<Inner>);

struct Inner {
    relay: InProcess,
    path: &'static str,
    say: Say,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    dialled: usize,
    asked: Vec<String>,
    flooded: bool,
}

impl Between {
    pub fn new(relay: InProcess, path: &'static str, say: Say) -> Self {
        Self(Arc::new(Inner {
            relay,
            path,
            say,
            seen: Mutex::default(),
        }))
    }

    pub fn relay(&self) -> &InProcess {
        &self.0.relay
    }

    /// "POST /pow" and so on, in the order they came.
    pub fn asked(&self) -> Vec<String> {
        self.seen(|seen| seen.asked.clone())
    }

    /// Connections made.
    pub fn dialled(&self) -> usize {
        self.seen(|seen| seen.dialled)
    }

    /// Whether a sender has swallowed a whole flood.
    pub fn flooded(&self) -> bool {
        self.seen(|seen| seen.flooded)
    }

    fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.0.seen.lock().expect("nobody panics while looking"))
    }

    async fn serve(self, stream: DuplexStream) {
        let mut sender = Wire::new(stream);
        let mut relay = Wire::new(self.relay().connect());
        while let Some(request) = sender.request().await {
            self.seen(|seen| seen.asked.push(request.line()));
            let twisted = request.path == self.0.path;
            let own = matches!(
                self.0.say,
                Say::Changed(_) | Say::Followed(_) | Say::Instead(_)
            );
            if !twisted || own {
                let instead = match &self.0.say {
                    Say::Instead(instead) if twisted => instead(),
                    _ => None,
                };
                let answer = match instead {
                    Some(answer) => answer,
                    None => relay.ask(&request.to_bytes()).await,
                };
                let bytes = match &self.0.say {
                    Say::Changed(change) if twisted => change(answer).to_bytes(),
                    Say::Followed(more) if twisted => [answer.to_bytes(), more.clone()].concat(),
                    _ => answer.to_bytes(),
                };
                if sender.stream.write_all(&bytes).await.is_err() {
                    return;
                }
            } else {
                // An error says that the sender has heard enough.
                let said = say(&self.0.say, &mut sender).await;
                if said.is_ok() && matches!(self.0.say, Say::Flood(..)) {
                    self.seen(|seen| seen.flooded = true);
                }
                return;
            }
        }
    }
}

async fn say(what: &Say, sender: &mut Wire<DuplexStream>) -> std::io::Result<()> {
    match what {
        Say::Bytes(bytes) => sender.stream.write_all(bytes).await,
        Say::Silence(bytes) => {
            sender.stream.write_all(bytes).await?;
            // Until the sender hangs up.
            let nothing: Option<Request> = sender.request().await;
            assert!(nothing.is_none(), "a sender waits for one answer at a time");
            Ok(())
        }
        Say::Flood(first, again) => {
            sender.stream.write_all(first).await?;
            for _ in 0..FLOOD_BYTES / again.len() {
                sender.stream.write_all(again).await?;
            }
            Ok(())
        }
        Say::Drip(first, again, pause) => {
            sender.stream.write_all(first).await?;
            loop {
                tokio::time::sleep(*pause).await;
                sender.stream.write_all(again).await?;
            }
        }
        Say::Changed(_) | Say::Followed(_) | Say::Instead(_) => {
            unreachable!("these need the relay's answer")
        }
    }
}

impl Dial for Between {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        self.seen(|seen| seen.dialled += 1);
        tokio::spawn(self.clone().serve(far));
        Ok(near)
    }
}

/// The paths that a delivery in `suite` asks for, in their order.
pub fn steps(suite: Suite) -> &'static [&'static str] {
    match suite {
        Suite::V1 => &["/pow", "/get_domain_pk", "/exchange_keys", "/msg"],
        Suite::V2 => &["/pow", "/exchange_keys", "/msg"],
    }
}
