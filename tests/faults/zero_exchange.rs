//! A published relay takes X25519 keys of small order, with which the shared secret is 32 zero bytes for anybody. Here
//! the exchange is refused, in both directions and both suites.

use kkv_client::sender::Failure;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::ids::X25519PublicKey;
use kkv_protocol::suite::{Suite, SuitePolicy};
use x25519_dalek::x25519;

use super::by_hand::{ByHand, secret, solution};
use crate::delivery::deliver_to;
use crate::in_process::InProcess;
use crate::known_relay::{KnownRelay, Lies};
use crate::published::{hex, random, unhex};
use crate::published_server::PublishedServer;
use crate::raw_http::Answer;
use crate::visit::Visit;

/// Every point of small order on Curve25519 and its twist, in every encoding that 32 bytes have room for: the list of
/// https://cr.yp.to/ecdh.html#validate, each with and without the top bit, which X25519 ignores.
const POINTS: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000", // 0
    "0100000000000000000000000000000000000000000000000000000000000000", // 1
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", // order 8
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", // order 8
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p − 1
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p + 1
];

fn points() -> Vec<[u8; 32]> {
    let plain = POINTS.map(unhex::<32>);
    let with_top_bit = plain.map(|mut point| {
        point[31] |= 0x80;
        point
    });
    let all = [plain, with_top_bit].concat();
    // Otherwise the tests below would show nothing.
    assert!(all.iter().all(|point| x25519(random(), *point) == [0; 32]));
    all
}

fn relay() -> InProcess {
    InProcess::new(SuitePolicy::Any, 4, 0)
}

fn assert_unproven(answer: &Answer, point: &[u8; 32]) {
    assert_eq!(answer.status, 401, "{}: {}", hex(point), answer.text());
    assert_eq!(answer.json()["error"], "unproven");
}

#[tokio::test]
async fn all_zero_x25519_secrets_are_refused_by_the_relay_in_kkv_1() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    for point in points() {
        let challenged = visit.challenge().await;
        let (bytes, signature) = (&challenged.bytes, &challenged.signature);
        // Signed as it should be: only the point is wrong.
        let fields = visit.client.exchange(bytes, signature, &random(), &point);
        let answer = visit.post("/exchange_keys", &fields).await;
        assert_unproven(&answer, &point);
    }
}

#[tokio::test]
async fn all_zero_x25519_secrets_are_refused_by_the_relay_in_kkv_2() {
    let relay = relay();
    let mut client = ByHand::new(&relay);
    for point in points() {
        let challenge = client.challenge().await;
        let nonces = solution(&challenge);
        let secret = secret();
        let mut keys = secret.offer();
        keys.x25519 = X25519PublicKey(point);
        let offer = client.offer_of(&challenge, &nonces, secret, &keys);
        let answer = client.post("/exchange_keys", &offer.body).await;
        assert_unproven(&answer, &point);
    }
}

#[tokio::test]
async fn all_zero_x25519_secrets_are_refused_by_the_sender_in_kkv_1() {
    for point in points() {
        let mut server = PublishedServer::new();
        server.exchange_key = Some(point);
        let only = SuitePolicy::Only(Suite::V1);
        let failure = deliver_to(&server, only, "text").await.failure();
        assert!(
            matches!(failure, Failure::Protocol(ProtocolError::BadExchangeKey)),
            "{}: {failure:?}",
            hex(point)
        );
        let asked = server.asked();
        assert!(!asked.contains(&"POST /msg".to_owned()), "{asked:?}");
    }
}

#[tokio::test]
async fn all_zero_x25519_secrets_are_refused_by_the_sender_in_kkv_2() {
    for point in points() {
        let relay = KnownRelay::new(Lies {
            x25519: Some(X25519PublicKey(point)),
            ..Lies::default()
        });
        let only = SuitePolicy::Only(Suite::V2);
        let failure = deliver_to(&relay, only, "text").await.failure();
        assert!(
            matches!(failure, Failure::Protocol(ProtocolError::BadExchangeKey)),
            "{}: {failure:?}",
            hex(point)
        );
        assert_eq!(relay.asked(), ["POST /pow", "POST /exchange_keys"]);
    }
}
