//! A published relay takes Ed25519 keys of small order, for which a signature can be made that fits any text. Here they
//! are refused, as the sender's key and as the relay's, in both suites.

use ed25519_dalek::{Verifier, VerifyingKey};
use kkv_client::sender::Failure;
use kkv_protocol::crypto::exchange::HybridOffer;
use kkv_protocol::crypto::identity::{PublicKey, Sender, Signature};
use kkv_protocol::crypto::labels;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::ids::{SenderId, Statement};
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::challenge::Challenge;
use kkv_protocol::v2::transcript;

use super::by_hand::{ByHand, exchange_body, secret};
use super::weak_keys::{all, forge};
use crate::delivery::deliver_to;
use crate::in_process::InProcess;
use crate::known_relay::{KnownRelay, Lies};
use crate::published::{Fields, hex, random, unhex};
use crate::published_server::PublishedServer;
use crate::raw_http::{Answer, answer};
use crate::visit::Visit;

/// Challenges that cost nothing, so that any nonce solves them.
fn relay() -> InProcess {
    InProcess::new(SuitePolicy::Any, 4, 0)
}

fn assert_unproven(answer: &Answer, weak: &[u8; 32], relay: &InProcess) {
    let case = hex(weak);
    assert_eq!(answer.status, 401, "{case}: {}", answer.text());
    assert_eq!(answer.json()["error"], "unproven", "{case}");
    let occupancy = relay.relay.queue().occupancy(relay.relay.now().elapsed);
    assert_eq!(occupancy.reserved, 0, "{case} has a slot");
}

/// The bytes that a kkv/2 signature is over.
fn signed_bytes(statement: &Statement) -> Vec<u8> {
    [&labels::STATEMENT_PREFIX[..], &statement.0].concat()
}

/// Tries until a forged signature fits; where no decoder takes the key at all, anything will do.
fn forged<T>(weak: &[u8; 32], mut attempt: impl FnMut() -> (T, Vec<u8>)) -> (T, [u8; 64]) {
    for _ in 0..10_000 {
        let (made, signed) = attempt();
        if let Some(signature) = forge(weak, &signed) {
            return (made, signature);
        }
        if VerifyingKey::from_bytes(weak).is_err() {
            return (made, [0; 64]);
        }
    }
    panic!("one message in eight should fit");
}

#[tokio::test]
async fn small_order_ed25519_keys_of_a_sender_are_refused_in_kkv_1() {
    let relay = relay();
    for weak in all() {
        let mut visit = Visit::new(&relay).await;
        // The challenge says nothing about the key: it costs less to make than the key would cost to check.
        let answer = visit.post("/pow", &vec![("bytes", hex(weak))]).await;
        assert_eq!(answer.status, 200);
        let json = answer.json();
        let nonce = random();
        let (x25519, proof) = forged(&weak, || {
            let x25519 = crate::published::OneUse::new().public();
            (x25519, [x25519, nonce].concat())
        });
        let fields: Fields = vec![
            ("ed25519_pubkey", hex(weak)),
            ("nonce", hex(nonce)),
            ("pow", json["bytes"].as_str().unwrap().to_owned()),
            ("pow_sig", json["signature"].as_str().unwrap().to_owned()),
            ("diffie_hellman", hex(x25519)),
            ("diffie_hellman_sig", hex(proof)),
        ];
        let answer = visit.post("/exchange_keys", &fields).await;
        assert_unproven(&answer, &weak, &relay);
    }
}

#[tokio::test]
async fn small_order_ed25519_keys_of_a_sender_are_refused_in_kkv_2() {
    let relay = relay();
    for weak in all() {
        let mut client = ByHand::new(&relay);
        let challenge = client.challenge_for(&weak).await;
        let solution = 0u64.to_le_bytes();
        let (offer, signature) = forged(&weak, || {
            let offer: HybridOffer = secret().offer();
            let statement = transcript::request(&challenge, &solution, &offer);
            (offer, signed_bytes(&statement))
        });
        let body = exchange_body(&challenge, &solution, &offer, &signature);
        let answer = client.post("/exchange_keys", &body).await;
        assert_unproven(&answer, &weak, &relay);
    }
}

#[tokio::test]
async fn small_order_ed25519_keys_of_a_relay_are_refused_in_kkv_1_before_anything_is_paid() {
    for weak in all() {
        let key = answer(200, "text/plain", hex(weak));
        let server = PublishedServer::saying("/get_domain_pk", key);
        let only = SuitePolicy::Only(Suite::V1);
        let failure = deliver_to(&server, only, "text").await.failure();
        assert!(
            matches!(failure, Failure::Protocol(ProtocolError::BadSignature)),
            "{}: {failure:?}",
            hex(weak)
        );
        assert_eq!(server.asked(), ["POST /pow", "GET /get_domain_pk"]);
    }
}

#[tokio::test]
async fn small_order_ed25519_keys_of_a_relay_are_refused_in_kkv_2_though_their_signature_fits() {
    for weak in all() {
        let sign = move |bytes: &mut [u8; 128]| {
            let mut challenge = *bytes;
            challenge[96..].copy_from_slice(&weak);
            let (fitting, signature) = forged(&weak, || {
                challenge[32..64].copy_from_slice(&random());
                (
                    challenge,
                    signed_bytes(&labels::CHALLENGE.digest(&[&challenge])),
                )
            });
            assert!(Challenge::from_bytes(&fitting).is_ok());
            *bytes = fitting;
            signature
        };
        let relay = KnownRelay::new(Lies {
            challenge_signature: Some(Box::new(sign)),
            ..Lies::default()
        });
        let only = SuitePolicy::Only(Suite::V2);
        let failure = deliver_to(&relay, only, "text").await.failure();
        assert!(
            matches!(failure, Failure::Protocol(ProtocolError::BadSignature)),
            "{}: {failure:?}",
            hex(weak)
        );
        assert_eq!(relay.asked(), ["POST /pow"]);
    }
}

/// Key, message and signature of case 2 of ed25519-speccheck, the vectors of "Taming the many EdDSAs": R is of small
/// order, the key is not.
const SMALL_R: [&str; 3] = [
    "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
    "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
];

#[test]
fn a_signature_with_a_small_order_r_is_refused_though_its_key_is_not_of_small_order() {
    let (key, message, signature) = (
        unhex::<32>(SMALL_R[0]),
        unhex::<32>(SMALL_R[1]),
        unhex::<64>(SMALL_R[2]),
    );
    let lax = VerifyingKey::from_bytes(&key).unwrap();
    let fits = lax.verify(&message, &ed25519_dalek::Signature::from_bytes(&signature));
    assert!(fits.is_ok(), "a verifier that is not strict takes it");
    let strict = PublicKey::<Sender>::from_id(&SenderId(key)).unwrap();
    assert!(strict.verify(&message, &Signature(signature)).is_err());
}
