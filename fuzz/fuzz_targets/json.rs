//! Any bytes as the JSON of kkv/2, of a kkv/1 relay's answers and of the owner's side: read or refused, and what is
//! read writes and reads the same.
#![no_main]

use std::fmt::Debug;

use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::wire::object;
use kkv_protocol::{v1, v2};
use kkv_relay::relay::PublicStatus;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads what comes over Tor, which is an object or nothing.
fn on_the_wire<T: Serialize + DeserializeOwned + Debug>(json: &[u8]) {
    let Ok(read) = object::<T>(json) else {
        return;
    };
    assert!(json.trim_ascii_start().starts_with(b"{"));
    again(&read);
}

/// Reads what comes over the owner's socket.
fn at_the_owners<T: Serialize + DeserializeOwned + Debug>(json: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<T>(json) {
        again(&read);
    }
}

fn again<T: Serialize + DeserializeOwned + Debug>(value: &T) {
    let written = serde_json::to_string(value).expect("what is read can be written");
    let read: T = serde_json::from_str(&written).expect("what is written can be read");
    assert_eq!(serde_json::to_string(&read).ok(), Some(written));
}

fuzz_target!(|json: &[u8]| {
    on_the_wire::<v2::wire::PowRequest>(json);
    on_the_wire::<v2::wire::PowAnswer>(json);
    on_the_wire::<v2::wire::ExchangeRequest>(json);
    on_the_wire::<v2::wire::ExchangeAnswer>(json);
    on_the_wire::<v2::wire::MessageRequest>(json);
    on_the_wire::<v2::wire::MessageAnswer>(json);
    on_the_wire::<v1::wire::PowAnswer>(json);
    on_the_wire::<PublicStatus>(json);
    let _ = object::<v1::wire::ExchangeAnswerKeys>(json);

    at_the_owners::<kkv_owner::Status>(json);
    at_the_owners::<kkv_owner::List>(json);
    at_the_owners::<kkv_owner::Get>(json);
    at_the_owners::<kkv_owner::Message>(json);
    at_the_owners::<kkv_owner::Mark>(json);
    at_the_owners::<kkv_owner::Delete>(json);
    at_the_owners::<kkv_owner::Done>(json);
    at_the_owners::<kkv_owner::Watch>(json);
    at_the_owners::<kkv_owner::Version>(json);
    at_the_owners::<kkv_owner::Problem>(json);

    // A refusal is one of the list, and no word of the relay's own; a published relay's is only zeros and nothings.
    for known in Refusal::ALL {
        let status = known.status();
        if let Refused::Known(refusal) = Refused::read(status, json) {
            assert!(!v1::wire::is_refusal(json));
            let again = Refused::read(status, refusal.body().as_bytes());
            assert_eq!(again, Refused::Known(refusal));
        }
    }
});
