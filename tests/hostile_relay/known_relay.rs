//! A relay at the other end of a pipe, whose key and lies are a test's.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use std::sync::{Arc, Mutex, MutexGuard};

use kkv_net::tor::{Dial, DialError};
use kkv_protocol::ids::X25519PublicKey;
use kkv_protocol::v2::receipt::Receipt;
use tokio::io::{AsyncWriteExt, DuplexStream};

use crate::in_process::PIPE_BYTES;
use crate::lying_relay::{LyingRelay, Twist};
use crate::raw_http::Wire;

/// What is wrong with it: see [`Twist`].
#[derive(Default)]
pub struct Lies {
    pub challenge: Option<fn(&mut [u8; 128])>,
    pub challenge_signature: Option<SignChallenge>,
    /// Takes the place of the exchange's X25519 key.
    pub x25519: Option<X25519PublicKey>,
    pub mlkem768: Option<fn(&mut [u8; 1088])>,
    pub receipt: Option<fn(&mut Receipt)>,
    /// Where another key signs.
    pub imposter: Option<&'static str>,
    pub signs_unopened: bool,
}

/// See [`Twist::challenge_signature`].
pub type SignChallenge = Box<dyn FnMut(&mut [u8; 128]) -> [u8; 64] + Send>;

impl Twist for Lies {
    fn challenge_v2(&mut self, bytes: &mut [u8; 128]) {
        if let Some(change) = self.challenge {
            change(bytes);
        }
    }

    fn challenge_signature(&mut self, bytes: &mut [u8; 128]) -> Option<[u8; 64]> {
        self.challenge_signature.as_mut().map(|sign| sign(bytes))
    }

    fn x25519(&mut self, key: &mut X25519PublicKey) {
        *key = self.x25519.unwrap_or(*key);
    }

    fn mlkem768(&mut self, ciphertext: &mut [u8; 1088]) {
        if let Some(change) = self.mlkem768 {
            change(ciphertext);
        }
    }

    fn receipt(&mut self, receipt: &mut Receipt) {
        if let Some(change) = self.receipt {
            change(receipt);
        }
    }

    fn imposter(&mut self, path: &str) -> bool {
        self.imposter == Some(path)
    }

    fn signs_unopened(&mut self) -> bool {
        self.signs_unopened
    }
}

/// The relay.
#[derive(Clone)]
pub struct KnownRelay(Arc<Mutex<Inner>>);

struct Inner {
    relay: LyingRelay,
    lies: Lies,
    asked: Vec<String>,
}

impl KnownRelay {
    pub fn new(lies: Lies) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            relay: LyingRelay::new(&mut rand::rng()),
            lies,
            asked: Vec::new(),
        })))
    }

    /// "POST /pow" and so on, in the order they came.
    pub fn asked(&self) -> Vec<String> {
        self.inner().asked.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("nobody panics there")
    }

    async fn serve(self, stream: DuplexStream) {
        let mut wire = Wire::new(stream);
        while let Some(request) = wire.request().await {
            let answer = {
                let Inner { relay, lies, asked } = &mut *self.inner();
                asked.push(request.line());
                relay.answer(&request, lies)
            };
            if wire.stream.write_all(&answer.to_bytes()).await.is_err() {
                return;
            }
        }
    }
}

impl Dial for KnownRelay {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(self.clone().serve(far));
        Ok(near)
    }
}
