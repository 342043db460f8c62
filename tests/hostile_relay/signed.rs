//! Answers that are absurd and correctly signed.

use std::sync::Arc;
use std::time::Duration;

use kkv_client::sender::{Failure, Indeterminate};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::ids::{SessionId, X25519PublicKey};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};

use super::known_relay::{KnownRelay, Lies};
use crate::delivery::deliver_to;
use crate::in_process::START;
use crate::published::{Challenge, Client, hex, random};
use crate::published_server::PublishedServer;
use crate::raw_http::answer;

const ONLY_V1: SuitePolicy = SuitePolicy::Only(Suite::V1);
const ONLY_V2: SuitePolicy = SuitePolicy::Only(Suite::V2);

/// Its failure is one of these.
macro_rules! must_be {
    ($failure:ident, $pattern:pat) => {
        assert!(matches!($failure, $pattern), "{:?}", $failure)
    };
}

async fn failure_v2(lies: Lies) -> (Failure, Vec<String>) {
    let relay = KnownRelay::new(lies);
    let failure = deliver_to(&relay, ONLY_V2, "text").await.failure();
    (failure, relay.asked())
}

/// The same with a challenge changed so, correctly signed.
async fn challenged_with(challenge: fn(&mut [u8; 128])) -> (Failure, Vec<String>) {
    failure_v2(Lies {
        challenge: Some(challenge),
        ..Lies::default()
    })
    .await
}

async fn failure_v1(
    challenge: impl Fn(&mut Challenge) + Send + Sync + 'static,
) -> (Failure, Vec<String>) {
    let mut server = PublishedServer::new();
    server.challenge = Arc::new(challenge);
    let failure = deliver_to(&server, ONLY_V1, "text").await.failure();
    assert!(server.texts().is_empty());
    (failure, server.asked())
}

#[tokio::test]
async fn a_challenge_that_nobody_can_pay_is_refused_and_not_worked_on() {
    let costs: [fn(&mut [u8; 128]); 3] = [|c| c[1] = 61, |c| c[1] = 128, |c| c[1] = 255];
    for challenge in costs {
        let (failure, asked) = challenged_with(challenge).await;
        must_be!(failure, Failure::Protocol(ProtocolError::WrongChallenge));
        assert_eq!(asked, ["POST /pow"]);
    }
    for cost in [61, 255, 256, 512, u32::MAX] {
        let (failure, asked) = failure_v1(move |challenge| challenge.cost = cost).await;
        assert!(
            matches!(failure, Failure::Protocol(ProtocolError::WrongChallenge)),
            "{cost}: {failure:?}"
        );
        assert_eq!(asked, ["POST /pow"]);
    }
}

#[tokio::test]
async fn a_challenge_with_an_absurd_lifetime_is_refused_in_kkv_2() {
    let lifetimes: [fn(&mut [u8; 128]); 3] = [
        |c| c[4..8].copy_from_slice(&u32::MAX.to_le_bytes()),
        |c| c[4..8].copy_from_slice(&86_401u32.to_le_bytes()),
        |c| c[4..8].copy_from_slice(&0u32.to_le_bytes()),
    ];
    for challenge in lifetimes {
        let (failure, asked) = challenged_with(challenge).await;
        must_be!(failure, Failure::Protocol(ProtocolError::WrongChallenge));
        assert_eq!(asked, ["POST /pow"]);
    }
}

#[tokio::test]
async fn a_challenge_with_an_absurd_deadline_does_no_harm_in_kkv_1() {
    // A time of day says nothing where one of two clocks may be wrong, so the relay has the last word; it says yes
    // here.
    for expiry in [0, 1, START - 1, START, START + 86_401, u64::MAX] {
        let mut server = PublishedServer::new();
        server.challenge = Arc::new(move |challenge: &mut Challenge| challenge.expiry = expiry);
        let delivered = deliver_to(&server, ONLY_V1, "text").await;
        assert!(delivered.result.is_ok(), "{:?}", delivered.result);
        assert_eq!(server.texts(), ["text"]);
    }
}

#[tokio::test]
async fn work_that_can_not_be_done_in_its_time_ends_with_its_time() {
    // The highest cost that can be asked for, in the shortest time. That the search stops too is shown by the test's
    // end, which waits for it.
    let (failure, asked) = challenged_with(|bytes| {
        bytes[1] = 60;
        bytes[4..8].copy_from_slice(&1u32.to_le_bytes());
    })
    .await;
    let Failure::NotInTime(time) = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(time, Duration::from_secs(1));
    assert_eq!(asked, ["POST /pow"]);

    let (failure, asked) = failure_v1(|challenge| {
        challenge.cost = 60;
        challenge.expiry = START + 1;
    })
    .await;
    let Failure::NotInTime(time) = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(time, Duration::from_secs(1));
    assert_eq!(asked, ["POST /pow", "GET /get_domain_pk"]);
}

#[tokio::test]
async fn a_challenge_for_another_sender_is_refused() {
    let (failure, _) = challenged_with(|bytes| {
        let other = SenderKey::generate(&mut rand::rng()).public();
        bytes[64..96].copy_from_slice(other.as_bytes());
    })
    .await;
    must_be!(failure, Failure::Protocol(ProtocolError::WrongChallenge));
    let (failure, _) = failure_v1(|challenge| challenge.client = random()).await;
    must_be!(failure, Failure::Protocol(ProtocolError::WrongChallenge));
}

#[tokio::test]
async fn a_challenge_of_another_suite_is_refused() {
    let suites: [fn(&mut [u8; 128]); 4] =
        [|c| c[0] = 0, |c| c[0] = 1, |c| c[0] = 3, |c| c[0] = 0xff];
    for challenge in suites {
        let (failure, _) = challenged_with(challenge).await;
        must_be!(failure, Failure::Protocol(ProtocolError::WrongChallenge));
    }
}

#[tokio::test]
async fn a_challenge_for_another_purpose_or_with_more_in_it_is_refused() {
    let others: [fn(&mut [u8; 128]); 5] = [
        |c| c[2] = 1,
        |c| c[2] = 2,
        |c| c[3] = 1,
        |c| c[18] = 1,
        |c| c[31] = 1,
    ];
    for challenge in others {
        let (failure, asked) = challenged_with(challenge).await;
        must_be!(failure, Failure::Protocol(ProtocolError::WrongChallenge));
        assert_eq!(asked, ["POST /pow"]);
    }
}

#[tokio::test]
async fn a_valid_signature_by_another_key_is_refused_at_every_step_of_kkv_2() {
    for (path, steps) in [("/pow", 1), ("/exchange_keys", 2), ("/msg", 3)] {
        let (failure, asked) = failure_v2(Lies {
            imposter: Some(path),
            ..Lies::default()
        })
        .await;
        let right = match failure {
            Failure::Protocol(ProtocolError::BadSignature) => path != "/msg",
            Failure::Indeterminate(Indeterminate::Unclear) => path == "/msg",
            _ => false,
        };
        assert!(right, "{path}: {failure:?}");
        assert_eq!(asked.len(), steps);
    }
    // A challenge that names another relay than the one that signs it.
    let (failure, _) = challenged_with(|bytes| {
        let other = SenderKey::generate(&mut rand::rng()).public();
        bytes[96..].copy_from_slice(other.as_bytes());
    })
    .await;
    must_be!(failure, Failure::Protocol(ProtocolError::BadSignature));
}

#[tokio::test]
async fn a_valid_signature_by_another_key_is_refused_at_every_step_of_kkv_1() {
    let other = Client::new();
    let said = answer(200, "text/plain", hex(other.public()));
    let server = PublishedServer::saying("/get_domain_pk", said);
    let failure = deliver_to(&server, ONLY_V1, "text").await.failure();
    must_be!(failure, Failure::Protocol(ProtocolError::BadSignature));
    assert_eq!(server.asked(), ["POST /pow", "GET /get_domain_pk"]);

    let key = random();
    let body = format!(
        "{{\"diffie_hellman\":\"{}\",\"diffie_hellman_sig\":\"{}\"}}",
        hex(key),
        hex(other.sign(&key))
    );
    let said = answer(200, "application/json", body);
    let server = PublishedServer::saying("/exchange_keys", said);
    let failure = deliver_to(&server, ONLY_V1, "text").await.failure();
    must_be!(failure, Failure::Protocol(ProtocolError::BadSignature));
    assert_eq!(server.asked().last().unwrap(), "POST /exchange_keys");
}

#[tokio::test]
async fn a_zero_x25519_key_correctly_signed_is_refused_before_anything_is_sealed_with_it() {
    let (failure, asked) = failure_v2(Lies {
        x25519: Some(X25519PublicKey([0; 32])),
        ..Lies::default()
    })
    .await;
    must_be!(failure, Failure::Protocol(ProtocolError::BadExchangeKey));
    assert_eq!(asked, ["POST /pow", "POST /exchange_keys"]);

    let mut server = PublishedServer::new();
    server.exchange_key = Some([0; 32]);
    let failure = deliver_to(&server, ONLY_V1, "text").await.failure();
    must_be!(failure, Failure::Protocol(ProtocolError::BadExchangeKey));
    assert_eq!(server.asked().last().unwrap(), "POST /exchange_keys");
}

#[tokio::test]
async fn a_garbled_ml_kem_ciphertext_correctly_signed_leads_to_a_message_that_nobody_can_open() {
    let ways: [fn(&mut [u8; 1088]); 4] = [
        |ciphertext| ciphertext[0] ^= 1,
        |ciphertext| ciphertext[1087] ^= 0x80,
        |ciphertext| ciphertext.fill(0),
        |ciphertext| ciphertext.fill(0xff),
    ];
    for mlkem768 in ways {
        // FIPS 203 makes another secret of it and no error. The relay can't open the message, and if it is honest says
        // so…
        let (failure, asked) = failure_v2(Lies {
            mlkem768: Some(mlkem768),
            ..Lies::default()
        })
        .await;
        must_be!(failure, Failure::Refused(Refusal::Unproven));
        assert_eq!(asked.len(), 3);
        // …and if it is not, it can't make the receipt, which is over a signature that only an opened message shows.
        let (failure, _) = failure_v2(Lies {
            mlkem768: Some(mlkem768),
            signs_unopened: true,
            ..Lies::default()
        })
        .await;
        must_be!(failure, Failure::Indeterminate(Indeterminate::Unclear));
    }
}

#[tokio::test]
async fn a_receipt_for_another_message_session_or_sender_is_no_receipt() {
    let ways: [fn(&mut kkv_protocol::v2::receipt::Receipt); 3] = [
        |receipt| receipt.digest.0[31] ^= 1,
        |receipt| receipt.session = SessionId([0; 32]),
        |receipt| receipt.sender = SenderKey::generate(&mut rand::rng()).public(),
    ];
    for receipt in ways {
        let (failure, asked) = failure_v2(Lies {
            receipt: Some(receipt),
            ..Lies::default()
        })
        .await;
        must_be!(failure, Failure::Indeterminate(Indeterminate::Unclear));
        assert_eq!(asked.len(), 3);
    }
}
