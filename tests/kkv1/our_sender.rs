//! What our sender says to a published server, byte for byte, and what it tells its user when that server refuses.

use ed25519_dalek::SigningKey;
use kkv_client::sender::{Failure, Indeterminate};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::BadText;

use super::delivery::{deliver_as, deliver_to};
use super::published::{Challenge, Client, form, hex, parse_form, random, unhex};
use super::published_server::{PublishedServer, exchange_filler, pow_filler, unauthorized};
use super::raw_http::{FORM, Request, answer};

const ONLY_V1: SuitePolicy = SuitePolicy::Only(Suite::V1);
const STEPS: [&str; 4] = [
    "POST /pow",
    "GET /get_domain_pk",
    "POST /exchange_keys",
    "POST /msg",
];

/// The four requests of kkv/1, of which everything but the two one-use values is known beforehand.
fn assert_exact(requests: &[Request], server: &PublishedServer, client: &Client, text: &str) {
    let lines: Vec<String> = requests.iter().map(Request::line).collect();
    assert_eq!(lines, STEPS);
    for request in requests {
        let mut names: Vec<&str> = request.headers.iter().map(|(n, _)| n.as_str()).collect();
        names.sort_unstable();
        // No User-Agent, no Accept, nothing that tells this client from a published one by more than it must.
        if request.method == "GET" {
            assert_eq!(names, ["host"]);
        } else {
            assert_eq!(names, ["content-length", "content-type", "host"]);
            assert_eq!(request.header("content-type"), Some(FORM));
        }
        assert_eq!(request.header("host"), Some("127.0.0.1:45069"));
    }
    let [pow, key, exchange, message] = requests else {
        panic!("four requests");
    };
    assert_eq!(key.body, b"");
    assert_eq!(pow.text(), form(&client.pow()));

    let state = server.state();
    let (challenge, signature) = state.challenged.expect("it was asked for");
    let fields = parse_form(exchange.text());
    let value = |name: &str| {
        let found = fields.iter().find(|(n, _)| n == name);
        found.expect("the field is there").1.clone()
    };
    let nonce = unhex(&value("nonce"));
    assert!(Challenge::from_bytes(&challenge).is_solved_by(&nonce));
    let expected = client.exchange(
        &challenge,
        &signature,
        &nonce,
        &unhex(&value("diffie_hellman")),
    );
    assert_eq!(exchange.text(), form(&expected));

    // Ed25519 and ChaCha20-Poly1305 have one output for one input, so the whole body is known once the shared secret
    // is.
    let expected = client.message(&state.shared, text.as_bytes());
    assert_eq!(message.text(), form(&expected));
}

#[tokio::test]
async fn a_published_server_gets_exactly_the_published_bytes_and_the_message() {
    for text in ["hello", "Grüße, 世界 🦀", &"x".repeat(2920)] {
        let server = PublishedServer::new();
        let secret = random();
        let delivered = deliver_as(&server, ONLY_V1, secret, text).await;
        let accepted = delivered.result.unwrap();
        assert_eq!(accepted.suite, Suite::V1);
        assert!(accepted.receipt.is_none(), "kkv/1 has none");
        assert_eq!(u32::from(accepted.cost.bits()), server.cost);
        let key = server.key.verifying_key().to_bytes();
        assert_eq!(accepted.relay.as_bytes(), &key);
        let client = Client {
            key: SigningKey::from_bytes(&secret),
        };
        assert_eq!(accepted.sender.as_bytes(), &client.public());
        let requests = server.state().requests.clone();
        assert_exact(&requests, &server, &client, text);
        assert_eq!(server.texts(), [text]);
        assert_eq!(server.state().dialled, 1, "one connection for all steps");
        assert_eq!(
            delivered.events,
            ["dialling", "connected", "solving", "exchanging", "sending"]
        );
    }
}

#[tokio::test]
async fn a_sender_of_any_suite_asks_once_for_kkv_2_says_that_it_falls_back_and_delivers() {
    let server = PublishedServer::new();
    let secret = random();
    let delivered = deliver_as(&server, SuitePolicy::Any, secret, "hello").await;
    assert_eq!(delivered.result.unwrap().suite, Suite::V1);
    assert_eq!(
        delivered.events,
        [
            "dialling",
            "connected",
            "fell back",
            "solving",
            "exchanging",
            "sending"
        ]
    );
    let mut requests = server.state().requests.clone();
    let probe = requests.remove(0);
    assert_eq!(probe.line(), "POST /pow");
    assert_eq!(probe.header("content-type"), Some("application/json"));
    let client = Client {
        key: SigningKey::from_bytes(&secret),
    };
    let key = hex(client.public());
    assert_eq!(
        probe.json(),
        serde_json::json!({"suite": "kkv/2", "sender": key, "purpose": "0000"})
    );
    assert_exact(&requests, &server, &client, "hello");
    assert_eq!(server.texts(), ["hello"]);
}

#[tokio::test]
async fn a_sender_of_kkv_2_alone_never_falls_back() {
    let server = PublishedServer::new();
    let only = SuitePolicy::Only(Suite::V2);
    let failure = deliver_to(&server, only, "hello").await.failure();
    assert!(
        matches!(failure, Failure::NoCommonSuite(Suite::V2)),
        "{failure:?}"
    );
    assert_eq!(server.asked(), ["POST /pow"]);
}

#[tokio::test]
async fn the_filler_by_which_a_published_server_refuses_is_told_as_a_refusal() {
    for (path, filler, asked) in [
        ("/pow", pow_filler(), 1),
        ("/exchange_keys", exchange_filler(), 3),
    ] {
        let server = PublishedServer::saying(path, filler);
        let failure = deliver_to(&server, ONLY_V1, "hello").await.failure();
        assert!(
            matches!(failure, Failure::RefusedFilled),
            "{path}: {failure:?}"
        );
        assert_eq!(server.asked(), STEPS[..asked]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_published_refusal_of_the_message_is_told_as_what_it_is() {
    let server = PublishedServer::saying("/msg", unauthorized());
    let failure = deliver_to(&server, ONLY_V1, "hello").await.failure();
    assert!(
        matches!(failure, Failure::RefusedUnread(401)),
        "{failure:?}"
    );

    let server = PublishedServer::saying("/msg", answer(507, "text/plain", ""));
    let failure = deliver_to(&server, ONLY_V1, "hello").await.failure();
    assert!(
        matches!(failure, Failure::StillRefused(Refusal::Full, _)),
        "{failure:?}"
    );

    let text = "Failed to deserialize form body: chiphertext: too long";
    let server = PublishedServer::saying("/msg", answer(400, "text/plain", text));
    let failure = deliver_to(&server, ONLY_V1, "hello").await.failure();
    assert!(
        matches!(failure, Failure::RefusedUnread(400)),
        "{failure:?}"
    );
    // What a server wrote is never shown to a person: it could steer a terminal.
    assert!(!failure.to_string().contains("deserialize"));
}

#[tokio::test(start_paused = true)]
async fn a_status_other_than_200_ends_every_step_of_kkv_1() {
    for (asked, path) in [(1, "/pow"), (2, "/get_domain_pk"), (3, "/exchange_keys")] {
        for (status, full) in [(400, false), (401, false), (500, false), (507, true)] {
            let server = PublishedServer::saying(path, answer(status, "text/plain", "no"));
            let failure = deliver_to(&server, ONLY_V1, "hello").await.failure();
            let right = match failure {
                Failure::RefusedUnread(said) => said == status && !full,
                Failure::Refused(Refusal::Full) => full && path != "/exchange_keys",
                // What was paid for is asked for again.
                Failure::StillRefused(Refusal::Full, _) => full && path == "/exchange_keys",
                _ => false,
            };
            assert!(right, "{path} {status}: {failure:?}");
            let mut steps = server.asked();
            steps.dedup();
            assert_eq!(steps, STEPS[..asked]);
        }
    }
}

#[tokio::test]
async fn a_200_that_says_something_to_the_message_is_not_taken_for_a_yes() {
    // The published yes is an empty body; a server that says more is none that we know.
    let server = PublishedServer::saying("/msg", answer(200, "text/plain", "ok"));
    let failure = deliver_to(&server, ONLY_V1, "hello").await.failure();
    assert!(
        matches!(failure, Failure::Indeterminate(Indeterminate::Unclear)),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_text_that_a_published_server_would_lose_is_refused_before_anything_is_sent() {
    for (text, expected) in [
        ("x".repeat(2921), BadText::TooLongForV1(2921)),
        ("a\0b".to_owned(), BadText::NulInV1),
    ] {
        let server = PublishedServer::new();
        let failure = deliver_to(&server, ONLY_V1, &text).await.failure();
        let Failure::Text(fault) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(fault, expected);
        assert_eq!(server.state().dialled, 0);

        let failure = deliver_to(&server, SuitePolicy::Any, &text).await.failure();
        let Failure::Text(fault) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(fault, expected);
        assert_eq!(server.asked(), ["POST /pow"], "only the question for kkv/2");
    }
}
