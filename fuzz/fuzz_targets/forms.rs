//! Any bytes as the form bodies of kkv/1: read or refused, as `serde_urlencoded` reads them, and what is read writes
//! and reads the same.
#![no_main]

use std::fmt::Debug;

use kkv_base::limits::MAX_CIPHERTEXT_BYTES_V1;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v1::wire::{Exchange, MessageRequest, PowRequest};
use kkv_protocol::wire::form;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a body both ways, and what comes of it again.
fn read<T: Serialize + DeserializeOwned + Debug>(body: &[u8]) -> Option<T> {
    let written =
        |value: &T| serde_urlencoded::to_string(value).expect("what is read can be written");
    let ours: Option<T> = form(body).ok();
    let theirs: Option<T> = serde_urlencoded::from_bytes(body).ok();
    let text = ours.as_ref().map(written);
    assert_eq!(text, theirs.as_ref().map(written), "both readers agree");
    if let Some(text) = text {
        let again: Option<T> = form(text.as_bytes()).ok();
        assert_eq!(again.as_ref().map(written), Some(text));
    }
    ours
}

fuzz_target!(|body: &[u8]| {
    let _ = read::<PowRequest>(body);
    let _ = read::<Exchange>(body);
    let message: Option<MessageRequest> = read(body);
    match MessageRequest::from_form(body) {
        Ok(read) => {
            assert!(message.is_some());
            assert!(read.chiphertext.as_bytes().len() <= MAX_CIPHERTEXT_BYTES_V1);
        }
        Err(Refusal::Malformed) => assert!(message.is_none()),
        Err(Refusal::TooLarge) => {
            assert!(message.is_none() && body.len() > 2 * MAX_CIPHERTEXT_BYTES_V1);
        }
        Err(other) => panic!("{other:?} is no way to refuse a form"),
    }
});
