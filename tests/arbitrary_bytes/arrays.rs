//! An object written as the array of its values, which serde's derived readers take for the object, is refused wherever
//! one is read.

use std::sync::Arc;

use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::ids::{InvitationProof, SenderId, SessionId, X25519PublicKey};
use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::wire::{Hex, HexUpTo, object};
use kkv_protocol::{v1, v2};
use kkv_relay::relay::router;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::visit::{ask, cases, inbox, paused, reserved};

const JSON: &str = "application/json";

/// `{"a":"x","b":"y"}` as `["x","y"]`. The values are strings of hex, so no comma is in any of them.
fn as_array(object: &str) -> String {
    let fields = object.trim_matches(['{', '}']).split(',');
    let values: Vec<&str> = fields
        .map(|field| field.split_once(':').expect("a name and a value").1)
        .collect();
    format!("[{}]", values.join(","))
}

/// As an object it is read, as an array it is not, with blanks before it or without.
fn only_as_an_object<T: Serialize + DeserializeOwned>(value: &T) -> Result<(), TestCaseError> {
    let written = serde_json::to_string(value).expect("it can be written");
    let array = as_array(&written);
    let loose: Result<T, _> = serde_json::from_str(&array);
    prop_assert!(loose.is_ok(), "it is the reader that refuses {}", array);
    for blank in ["", " ", "\r\n\t "] {
        let read: Option<T> = object(format!("{blank}{written}{blank}").as_bytes()).ok();
        prop_assert!(read.is_some(), "{}", written);
        let read: Option<T> = object(format!("{blank}{array}{blank}").as_bytes()).ok();
        prop_assert!(read.is_none(), "{}", array);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(50))]

    #[test]
    fn the_array_form_of_any_object_on_the_wire_is_refused(byte: u8, nonces in 0..=128_usize) {
        let signature = Hex([byte; 64]);
        let (sender, session) = (SenderId([byte; 32]), SessionId([byte; 32]));
        let solution = HexUpTo::new(vec![byte; nonces]);
        let (x25519, suite) = (X25519PublicKey([byte; 32]), "kkv/2".to_owned());
        only_as_an_object(&v2::wire::PowRequest { suite, sender, purpose: Hex([byte; 2]), invitation: Some(InvitationProof([byte; 32])) })?;
        only_as_an_object(&v2::wire::PowAnswer { challenge: Hex([byte; 128]), signature })?;
        only_as_an_object(&v2::wire::ExchangeRequest {
            challenge: Hex([byte; 128]),
            solution,
            x25519,
            mlkem768: Hex([byte; 1184]),
            signature,
        })?;
        only_as_an_object(&v2::wire::ExchangeAnswer { x25519, mlkem768: Hex([byte; 1088]), signature })?;
        only_as_an_object(&v2::wire::MessageRequest { session, sealed: Hex([byte; 3668]) })?;
        only_as_an_object(&v2::wire::MessageAnswer { receipt: signature })?;
        only_as_an_object(&v1::wire::PowAnswer { bytes: Hex([byte; 76]), signature })?;
    }

    #[test]
    fn the_array_form_of_any_refusal_is_none(number in 0..Refusal::ALL.len()) {
        let refusal = Refusal::ALL[number];
        let array = format!("[\"{}\",\"{refusal}\"]", refusal.code());
        let read = |body: &[u8]| Refused::read(refusal.status(), body);
        prop_assert_eq!(read(array.as_bytes()), Refused::No);
        prop_assert_eq!(read(refusal.body().as_bytes()), Refused::Known(refusal));
    }
}

#[test]
fn a_relay_takes_each_request_of_kkv2_as_an_object_and_not_as_an_array() {
    paused().block_on(async {
        let inbox = inbox();
        let router = router(Arc::clone(&inbox.relay));
        let step = async |path: &str, request: &str| {
            let array = as_array(request);
            let refused = ask(router.clone(), path, JSON, array.as_bytes()).await;
            assert_eq!(refused.refusal(), Some(Refusal::Malformed), "{path}");
            let answer = ask(router.clone(), path, JSON, request.as_bytes()).await;
            assert_eq!(answer.status, 200, "{path}");
            answer.body
        };
        let rng = &mut rand::rng();
        let hello = v2::sender::Hello::new(SenderKey::generate(rng));
        let request = serde_json::to_string(&hello.request()).unwrap();
        let answer = serde_json::from_slice(&step("/pow", &request).await).unwrap();
        let exchanging = hello.challenged(&answer).unwrap().solved(&[3], rng);
        assert_eq!(reserved(&inbox), 0);
        let request = serde_json::to_string(exchanging.request()).unwrap();
        let answer = serde_json::from_slice(&step("/exchange_keys", &request).await).unwrap();
        let text = Text::new("an object".to_owned().into()).unwrap();
        let sent = exchanging
            .answered(&answer)
            .unwrap()
            .seal(&text, &BoxPart::None);
        let request = serde_json::to_string(sent.request()).unwrap();
        let answer = serde_json::from_slice(&step("/msg", &request).await).unwrap();
        assert!(sent.accepted(&answer).is_ok());
        assert_eq!(inbox.texts(), ["an object"]);
    });
}
