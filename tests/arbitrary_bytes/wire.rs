//! The bodies of both suites and the owner's: decode reverses encode, and any bytes decode or are refused without a
//! panic.

use std::fmt::Debug;

use kkv_protocol::refusal::Refusal;
use kkv_protocol::wire::{Hex, HexUpTo};
use kkv_protocol::{v1, v2};
use kkv_relay::queue::MessageId;
use kkv_relay::relay::PublicStatus;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::visit::cases;

/// `N` bytes for a hex field.
fn hex<const N: usize>() -> impl Strategy<Value = Hex<N>> {
    vec(any::<u8>(), N).prop_map(|bytes| {
        let mut hex = Hex([0; N]);
        hex.0.copy_from_slice(&bytes);
        hex
    })
}

fn up_to<const MAX: usize>() -> impl Strategy<Value = HexUpTo<MAX>> {
    vec(any::<u8>(), 0..=MAX).prop_map(HexUpTo::new)
}

/// Writes and reads as JSON; equal if it writes the same again.
fn by_json<T: Serialize + DeserializeOwned + Debug>(value: &T) -> Result<T, TestCaseError> {
    let written = serde_json::to_string(value).expect("it can be written");
    let read: Result<T, _> = serde_json::from_str(&written);
    prop_assert!(read.is_ok(), "{:?} of {}", read, written);
    let read = read.expect("just seen");
    prop_assert_eq!(serde_json::to_string(&read).ok(), Some(written));
    Ok(read)
}

/// The same as a form, in which keys may be in upper case as well.
fn by_form<T: Serialize + DeserializeOwned + Debug>(value: &T) -> Result<T, TestCaseError> {
    let written = serde_urlencoded::to_string(value).expect("it can be written");
    let read: Result<T, _> = serde_urlencoded::from_str(&written);
    prop_assert!(read.is_ok(), "{:?} of {}", read, written);
    let read = read.expect("just seen");
    prop_assert_eq!(serde_urlencoded::to_string(&read).ok(), Some(written));
    Ok(read)
}

/// Bytes that may or may not be `T`: if they are, what is read can be written and read again.
fn any_bytes<T: Serialize + DeserializeOwned + Debug>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(value) = serde_json::from_slice::<T>(bytes) {
        by_json(&value)?;
    }
    if let Ok(value) = serde_urlencoded::from_bytes::<T>(bytes) {
        by_form(&value)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn bodies_of_kkv1_read_as_they_were_written(
        key in hex::<32>(), nonce in hex::<32>(), challenge in hex::<76>(), signature in hex::<64>(),
        other in hex::<64>(), x25519 in hex::<32>(), ciphertext in up_to::<3000>(),
    ) {
        by_form(&v1::wire::PowRequest { bytes: key.0.into() })?;
        let answer = by_json(&v1::wire::PowAnswer { bytes: challenge, signature })?;
        prop_assert!(answer.bytes == challenge && answer.signature == signature);
        let exchange = by_form(&v1::wire::Exchange {
            ed25519_pubkey: key.0.into(),
            nonce,
            pow: challenge,
            pow_sig: signature,
            diffie_hellman: x25519.0.into(),
            diffie_hellman_sig: other,
        })?;
        prop_assert!(exchange.pow == challenge && exchange.diffie_hellman_sig == other);
        let answer = v1::wire::ExchangeAnswer::new(x25519.0.into(), signature.0);
        let answer = serde_json::to_string(&answer).unwrap();
        let keys: v1::wire::ExchangeAnswerKeys = serde_json::from_str(&answer).unwrap();
        prop_assert!(keys.diffie_hellman == x25519.0.into() && keys.diffie_hellman_sig == signature);
        let message = by_form(&v1::wire::MessageRequest {
            pubkey: key.0.into(),
            chiphertext: ciphertext.clone(),
            signature,
        })?;
        prop_assert_eq!(message.chiphertext, ciphertext);
    }

    #[test]
    fn bodies_of_kkv2_read_as_they_were_written(
        key in hex::<32>(), challenge in hex::<128>(), signature in hex::<64>(), solution in up_to::<128>(),
        offer in hex::<1184>(), kem in hex::<1088>(), sealed in hex::<3668>(), suite in ".{0,20}",
    ) {
        let invitation = (key.0[2] % 2 == 0).then_some(key.0.into());
        let purpose = Hex([key.0[0], key.0[1]]);
        let request = by_json(&v2::wire::PowRequest { suite: suite.clone(), sender: key.0.into(), purpose, invitation })?;
        prop_assert!(request.suite == suite && request.invitation == invitation);
        by_json(&v2::wire::PowAnswer { challenge, signature })?;
        let request = by_json(&v2::wire::ExchangeRequest {
            challenge,
            solution: solution.clone(),
            x25519: key.0.into(),
            mlkem768: offer,
            signature,
        })?;
        prop_assert!(request.solution == solution && request.mlkem768 == offer);
        let answer = by_json(&v2::wire::ExchangeAnswer { x25519: key.0.into(), mlkem768: kem, signature })?;
        prop_assert_eq!(answer.mlkem768, kem);
        let message = by_json(&v2::wire::MessageRequest { session: key.0.into(), sealed })?;
        prop_assert!(message.session == key.0.into() && message.sealed == sealed);
        by_json(&v2::wire::MessageAnswer { receipt: signature })?;
    }

    #[test]
    fn a_hex_value_of_another_length_or_alphabet_is_refused(text in "[0-9a-zA-Z+%é]{0,80}") {
        let value = serde_json::json!({ "bytes": text });
        let read: Result<v1::wire::PowRequest, _> = serde_json::from_value(value);
        let good = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        prop_assert_eq!(read.is_ok(), good);
    }

    #[test]
    fn any_bytes_read_as_a_body_or_are_refused(
        bytes in prop_oneof![
            vec(any::<u8>(), 0..200),
            "[{}\\[\\]\",:a-z0-9&=%+ ]{0,120}".prop_map(String::into_bytes),
        ],
    ) {
        any_bytes::<v1::wire::PowRequest>(&bytes)?;
        any_bytes::<v1::wire::PowAnswer>(&bytes)?;
        any_bytes::<v1::wire::Exchange>(&bytes)?;
        any_bytes::<v1::wire::MessageRequest>(&bytes)?;
        any_bytes::<v2::wire::PowRequest>(&bytes)?;
        any_bytes::<v2::wire::ExchangeRequest>(&bytes)?;
        any_bytes::<v2::wire::ExchangeAnswer>(&bytes)?;
        any_bytes::<v2::wire::MessageRequest>(&bytes)?;
        any_bytes::<v2::wire::MessageAnswer>(&bytes)?;
        any_bytes::<PublicStatus>(&bytes)?;
        any_bytes::<kkv_owner::Get>(&bytes)?;
        any_bytes::<kkv_owner::Watch>(&bytes)?;
        let read: Result<v1::wire::ExchangeAnswerKeys, _> = serde_json::from_slice(&bytes);
        prop_assert!(read.is_err(), "too short to be one");
        let read = v1::wire::MessageRequest::from_form(&bytes);
        prop_assert!(read.is_err_and(|fault| fault == Refusal::Malformed));
    }

    #[test]
    fn bodies_of_the_owners_side_read_as_they_were_written(ids in vec(any::<u64>(), 0..20), read: bool) {
        let ids: Vec<MessageId> = ids.into_iter().map(MessageId).collect();
        let done = kkv_owner::Done { done: ids.clone(), missing: ids.clone() };
        prop_assert_eq!(by_json(&done)?, done);
        let mark = by_json(&kkv_owner::Mark { ids: ids.clone(), read })?;
        prop_assert!(mark.ids == ids && mark.read == read);
        let delete = by_json(&kkv_owner::Delete::Ids(ids.clone()))?;
        prop_assert!(matches!(delete, kkv_owner::Delete::Ids(read) if read == ids));
        by_json(&kkv_owner::Delete::All)?;
    }
}
