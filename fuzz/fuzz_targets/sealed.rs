//! Any bytes as a sealed message, and any bytes sealed with the session's own key: a relay takes only what is laid out
//! and signed as a message is, and of all else keeps not a byte.
#![no_main]

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use kkv_base::limits::{MAX_CIPHERTEXT_BYTES_V1, MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1, SLOT_BYTES};
use kkv_fuzz::change::changes;
use kkv_fuzz::stranger::{self, sender_key};
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::seal::TAG_BYTES;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::v2::message::{HEAD_BYTES, PLAIN_BYTES, SEALED_BYTES};
use kkv_protocol::v2::purpose::Purpose;
use kkv_protocol::wire::Hex;
use kkv_protocol::{Terms, v1, v2};
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// One session of each suite, open for ever: what a relay refuses changes nothing, and what it takes is not stored
/// here.
struct Open {
    relay: RelayKeys,
    sender: SenderKey,
    v1: (v1::relay::Session, stranger::v1::Session),
    v2: (v2::relay::Session, stranger::v2::Session),
}

static OPEN: LazyLock<Open> = LazyLock::new(|| {
    let rng = &mut StdRng::seed_from_u64(0);
    let (relay, sender) = (RelayKeys::generate(rng), sender_key(1));
    let terms = Terms {
        cost: Cost::new(0).expect("nothing can be asked for"),
        lifetime: 60,
        expiry: 60,
        session_lifetime: 120,
    };
    let public = sender.public().id();

    let request = v1::wire::PowRequest { bytes: public };
    let answer = v1::relay::issue(&relay, &request, &terms, rng);
    let paid = stranger::v1::Paid::new(&sender, &answer, 1);
    let request = paid.request();
    let admitted = v1::relay::admit(&relay, &request, 0).expect("it is paid for");
    let (session, answer) = admitted.open(&relay, rng).expect("it is right");
    let answer = serde_json::to_string(&answer).expect("hex is JSON");
    let answer = serde_json::from_str(&answer).expect("both keys are in it");
    let v1 = (session, paid.open(relay.public(), &answer));

    let request = v2::wire::PowRequest {
        suite: "kkv/2".to_owned(),
        sender: public,
        purpose: Hex(Purpose::Message.to_bytes()),
        invitation: None,
    };
    let answer = v2::relay::issue(&relay, &request, Purpose::Message, &terms, rng);
    let paid = stranger::v2::Paid::new(&sender, &answer, 1);
    let request = paid.request();
    let admitted = v2::relay::admit(&relay, &request, 0).expect("it is paid for");
    let (session, answer) = admitted.open(&relay, rng).expect("it is right");
    let v2 = (session, paid.open(relay.public(), &answer));
    Open {
        relay,
        sender,
        v1,
        v2,
    }
});

/// A slot is used again and again; it never holds more than it should.
fn slot_holds(slot: &[u8; SLOT_BYTES], text: &[u8]) {
    let (held, rest) = slot.split_at(text.len());
    assert_eq!(held, text);
    assert!(
        rest.iter().all(|byte| *byte == 0),
        "something was left in the slot"
    );
}

fn is_text(text: &[u8]) -> bool {
    !text.is_empty() && str::from_utf8(text).is_ok()
}

/// Sends a message of kkv/1, which is right if `right` says so.
fn send_v1(message: &v1::wire::MessageRequest, right: Option<&[u8]>) {
    let mut slot = [0; SLOT_BYTES];
    let signed = v1::relay::signed(message);
    let opened = signed.and_then(|message| OPEN.v1.0.open(&message, &mut slot));
    assert_eq!(opened.is_ok(), right.is_some());
    match opened {
        Ok((length, header)) => {
            assert_eq!(right.map(<[u8]>::len), Some(length));
            assert_eq!(header.sender, OPEN.sender.public().id());
        }
        Err(refusal) => assert!(matches!(refusal, Refusal::Unproven | Refusal::BadContent)),
    }
    slot_holds(&slot, right.unwrap_or_default());
}

fn v1(u: &mut Unstructured<'_>) -> Result<()> {
    let (session, key) = (&OPEN.v1.1, &OPEN.sender);
    let plain = stranger::v1::Session::plain;
    match u.int_in_range(0..=3)? {
        // Never sealed.
        0 => {
            let right = stranger::v1::Session::signed(key, take(u, MAX_CIPHERTEXT_BYTES_V1));
            send_v1(&right, None);
        }
        // Sealed, and no message.
        1 => send_v1(
            &session.seal(key, &take(u, MAX_CIPHERTEXT_BYTES_V1 - TAG_BYTES)),
            None,
        ),
        // Signed and sealed, whatever it says.
        2 => {
            let text = take(u, MAX_TEXT_BYTES_V1);
            let right = is_text(&text) && !text.contains(&0);
            send_v1(
                &session.seal(key, &plain(key, &text)),
                right.then_some(&text),
            );
        }
        // Changed after it was sealed.
        _ => {
            let right = session.seal(key, &plain(key, b"text"));
            let changed = changes(right.chiphertext.as_bytes(), u)?;
            let same = changed == right.chiphertext.as_bytes();
            let message = stranger::v1::Session::signed(key, changed);
            send_v1(&message, same.then_some(b"text"));
        }
    }
    Ok(())
}

/// Sends a message of kkv/2, which is right if `right` says so.
fn send_v2(message: &v2::wire::MessageRequest, right: Option<&[u8]>) {
    let mut slot = [0; SLOT_BYTES];
    let opened = OPEN.v2.0.open(&OPEN.relay, message, &mut slot);
    assert_eq!(opened.is_ok(), right.is_some(), "{opened:?}");
    match opened {
        Ok(opened) => {
            let text = &slot[..opened.length];
            assert_eq!(opened.header.sender, OPEN.sender.public().id());
            OPEN.v2
                .1
                .accepted(OPEN.relay.public(), &OPEN.sender, text, &opened.answer);
        }
        Err(refusal) => assert!(matches!(
            refusal,
            Refusal::Unproven | Refusal::BadContent | Refusal::UnknownKind
        )),
    }
    slot_holds(&slot, right.unwrap_or_default());
}

fn v2(u: &mut Unstructured<'_>) -> Result<()> {
    let (session, key) = (&OPEN.v2.1, &OPEN.sender);
    match u.int_in_range(0..=3)? {
        // Never sealed.
        0 => {
            let mut sealed = [0; SEALED_BYTES];
            fill(&mut sealed, u);
            send_v2(&session.named(sealed), None);
        }
        // Sealed, and no message: not even the length need fit.
        1 => {
            let mut plain = [0; PLAIN_BYTES];
            fill(&mut plain, u);
            send_v2(&session.seal(&plain), None);
        }
        // Signed and sealed, whatever it says and whatever is behind it.
        2 => {
            let kind = u.int_in_range(0..=3)?;
            let (zero, longer) = (u.int_in_range(0..=1)?, u.int_in_range(-1..=1)?);
            let text = take(u, MAX_TEXT_BYTES);
            let mut plain = session.plain(key, kind, &text);
            plain[66] = zero;
            let said = u32::try_from(text.len()).expect("it is short");
            let length = said.wrapping_add_signed(longer);
            plain[HEAD_BYTES - 4..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
            let right = kind == 0 && zero == 0 && longer == 0 && is_text(&text);
            send_v2(&session.seal(&plain), right.then_some(&text));
        }
        // Changed before it was sealed.
        _ => {
            let right = session.plain(key, 0, b"text");
            let mut plain = right;
            let at = u.choose_index(plain.len())?;
            fill(&mut plain[at..], u);
            send_v2(&session.seal(&plain), (plain == right).then_some(b"text"));
        }
    }
    Ok(())
}

/// The rest of the bytes, or as many of them as fit.
fn take(u: &mut Unstructured<'_>, most: usize) -> Vec<u8> {
    let length = u.len().min(most);
    u.bytes(length).expect("there are as many").to_vec()
}

/// The same over the start of a buffer.
fn fill(buffer: &mut [u8], u: &mut Unstructured<'_>) {
    let bytes = take(u, buffer.len());
    buffer[..bytes.len()].copy_from_slice(&bytes);
}

fuzz_target!(|bytes: &[u8]| {
    if let Some((suite, rest)) = bytes.split_first() {
        let u = &mut Unstructured::new(rest);
        let _ = if suite % 2 == 0 { v1(u) } else { v2(u) };
    }
});
