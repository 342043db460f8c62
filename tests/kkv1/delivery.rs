//! Our sender with a key that the test knows, and what it has told its observer.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use std::sync::Mutex;

use kkv_client::sender::{Accepted, Event, Failure, Observer};
use kkv_net::tor::Dial;
use kkv_protocol::crypto::identity::{KeySeed, SenderKey};
use kkv_protocol::suite::SuitePolicy;

use crate::in_process::send_as;

/// What a delivery came to.
#[derive(Debug)]
pub struct Delivered {
    pub result: Result<Accepted, Failure>,
    /// Names of the events in their order.
    pub events: Vec<&'static str>,
}

impl Delivered {
    /// How it failed.
    ///
    /// # Panics
    /// It says that the message was accepted.
    pub fn failure(self) -> Failure {
        self.result.expect_err("nothing was accepted")
    }
}

#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<&'static str>>);

impl Observer for Recorder {
    fn event(&self, event: Event) {
        let name = match event {
            Event::Dialling => "dialling",
            Event::Connected => "connected",
            Event::FellBack => "fell back",
            Event::Invited => "invited",
            Event::Solving { .. } => "solving",
            Event::Exchanging => "exchanging",
            Event::PriceRose => "price rose",
            Event::Uploaded { .. } => "uploaded",
            Event::Answerable(_) => "answerable",
            Event::Sending => "sending",
            Event::Asking => "asking",
            Event::Retrying => "retrying",
            Event::Refused { .. } => "refused",
        };
        self.0.lock().expect("nobody panics here").push(name);
    }
}

/// Delivers `text` with the key of this secret.
pub async fn deliver_as<D: Dial>(
    dialer: &D,
    suites: SuitePolicy,
    secret: [u8; 32],
    text: &str,
) -> Delivered {
    let recorder = Recorder::default();
    let key = SenderKey::from_seed(&KeySeed::new(secret.into()));
    let result = send_as(dialer, suites, key, text, &recorder).await;
    let events = recorder.0.into_inner().expect("nobody panics there");
    Delivered { result, events }
}

/// The same with a new key.
pub async fn deliver_to<D: Dial>(dialer: &D, suites: SuitePolicy, text: &str) -> Delivered {
    deliver_as(dialer, suites, super::published::random(), text).await
}
