//! A published relay takes NUL bytes out of a text, stores empty ones, and loses 2,921 to 3,500 bytes in silence. Here
//! a text arrives as it was signed, or its sender is told that it did not.

use kkv_base::limits::{MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};
use kkv_client::sender::Failure;
use kkv_protocol::crypto::identity::PublicKey;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::{BadText, Text};
use kkv_protocol::v2::message::statement;
use zeroize::Zeroizing;

use super::by_hand::ByHand;
use super::owners::Desk;
use crate::delivery::deliver_to;
use crate::in_process::{EACH_SUITE, InProcess, send};
use crate::published::verifies;
use crate::published_server::PublishedServer;
use crate::visit::Visit;

const ONLY_V1: SuitePolicy = SuitePolicy::Only(Suite::V1);
const ONLY_V2: SuitePolicy = SuitePolicy::Only(Suite::V2);

fn relay() -> InProcess {
    InProcess::new(SuitePolicy::Any, 8, 0)
}

/// What the owner's API says of the only message.
async fn only_message(relay: &InProcess) -> kkv_owner::Message {
    let mut desk = Desk::new(relay);
    let list = desk.list().await.messages;
    assert_eq!(list.len(), 1);
    desk.message(list[0].id).await
}

#[tokio::test]
async fn nul_in_a_kkv_1_text_is_refused_and_what_is_kept_instead_has_a_verifiable_signature() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let shared = visit.session().await;
    // Taken out, as a published relay does, it would leave a text that nobody signed.
    for text in ["\0", "a\0b", "\0\0end", "start\0"] {
        let answer = visit.message(&shared, text.as_bytes()).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert_eq!(answer.json()["error"], "bad_content");
        assert!(relay.texts().is_empty());
    }
    assert_eq!(visit.message(&shared, b"ab").await.status, 200);
    let message = only_message(&relay).await;
    let (sender, signature) = (message.summary.sender.unwrap().0, message.signature.0);
    assert_eq!(sender, visit.client.public());
    assert_eq!(message.text.as_str(), "ab");
    assert!(verifies(&sender, message.text.as_bytes(), &signature));
}

#[tokio::test]
async fn nul_in_a_kkv_2_text_is_kept_where_it_stands_and_its_signature_stays_verifiable() {
    for text in ["\0", "a\0b", "\0\0end", "start\0"] {
        let relay = relay();
        let accepted = send(&relay, ONLY_V2, text).await.unwrap();
        let message = only_message(&relay).await;
        assert_eq!(message.text.as_str(), text);
        assert_eq!(
            &message.summary.sender.unwrap().0,
            accepted.sender.as_bytes()
        );
        let place = &message.box_digest;
        let text = message.text.as_bytes();
        let signed = statement(&message.relay, &message.session, 0, place, text);
        let sender = PublicKey::<kkv_protocol::crypto::identity::Sender>::from_id(
            &message.summary.sender.unwrap(),
        );
        let signature = kkv_protocol::crypto::identity::Signature(message.signature.0);
        assert!(
            sender
                .unwrap()
                .verify_statement(&signed, &signature)
                .is_ok()
        );
    }
}

#[tokio::test]
async fn nul_is_never_sent_to_a_relay_that_would_take_it_out() {
    let server = PublishedServer::new();
    let failure = deliver_to(&server, ONLY_V1, "a\0b").await.failure();
    assert!(
        matches!(failure, Failure::Text(BadText::NulInV1)),
        "{failure:?}"
    );
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn empty_messages_are_refused_by_the_relay_in_both_suites_and_the_session_still_takes_the_right_one()
 {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let shared = visit.session().await;
    let answer = visit.message(&shared, b"").await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(answer.json()["error"], "bad_content");
    assert_eq!(visit.message(&shared, b"1").await.status, 200);

    let mut client = ByHand::new(&relay);
    for (kind, content, error) in [
        (0, &b""[..], "bad_content"),
        (0, b"\xff\xfe", "bad_content"),
        (1, b"text", "unknown_kind"),
        (255, b"", "unknown_kind"),
    ] {
        let message = client.session().await.message(&client.key, kind, content);
        let answer = client.post("/msg", &message).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert_eq!(answer.json()["error"], error);
    }
    assert_eq!(relay.texts(), ["1"]);
}

#[test]
fn an_empty_message_can_not_even_be_asked_to_be_sent() {
    let text = Text::new(Zeroizing::new(String::new()));
    assert_eq!(text.unwrap_err(), BadText::Empty);
}

#[tokio::test]
async fn every_length_up_to_3500_bytes_arrives_whole_in_kkv_2() {
    let lengths = [1, 2, 2919, 2920, 2921, 3000, 3499, 3500];
    let relay = relay();
    let texts = lengths.map(|length| "é".repeat(length / 2) + &"x".repeat(length % 2));
    for text in &texts {
        send(&relay, ONLY_V2, text).await.unwrap();
    }
    assert_eq!(relay.texts(), texts);
    let longer = Text::new(Zeroizing::new("x".repeat(MAX_TEXT_BYTES + 1)));
    assert_eq!(longer.unwrap_err(), BadText::TooLong(3501));
}

#[tokio::test]
async fn a_relay_of_both_suites_gets_3500_bytes_from_a_sender_of_both() {
    let relay = relay();
    let text = "x".repeat(3500);
    let accepted = send(&relay, SuitePolicy::Any, &text).await.unwrap();
    assert_eq!(accepted.suite, Suite::V2);
    assert_eq!(relay.texts(), [text]);
}

#[tokio::test]
async fn a_text_of_2920_bytes_arrives_whole_in_kkv_1_at_our_relay_and_at_a_published_one() {
    let text = "é".repeat(MAX_TEXT_BYTES_V1 / 2);
    assert_eq!(text.len(), 2920);
    let relay = relay();
    send(&relay, ONLY_V1, &text).await.unwrap();
    assert_eq!(relay.texts(), [text.as_str()]);
    let server = PublishedServer::new();
    let delivered = deliver_to(&server, ONLY_V1, &text).await;
    assert!(delivered.result.is_ok());
    assert_eq!(server.texts(), [text]);
}

#[tokio::test]
async fn a_text_of_2921_to_3500_bytes_fails_clearly_towards_kkv_1_before_it_is_paid_for_or_sent() {
    for length in [2921, 3499, 3500] {
        let text = "x".repeat(length);
        let server = PublishedServer::new();
        let delivered = deliver_to(&server, ONLY_V1, &text).await;
        let events = delivered.events.clone();
        let failure = delivered.failure();
        let Failure::Text(BadText::TooLongForV1(said)) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(said, length);
        assert!(events.is_empty() && server.asked().is_empty());

        // Whether the relay has kkv/2 must be asked first; nothing is paid and nothing of the text has left.
        let delivered = deliver_to(&server, SuitePolicy::Any, &text).await;
        assert_eq!(delivered.events, ["dialling", "connected", "fell back"]);
        let failure = delivered.failure();
        assert!(failure.to_string().contains("2920"), "{failure}");
        assert_eq!(server.asked(), ["POST /pow"]);
        assert!(server.texts().is_empty());
    }
}

#[tokio::test]
async fn a_kkv_1_client_that_sends_more_than_2920_bytes_is_told_so() {
    let relay = relay();
    let mut visit = Visit::new(&relay).await;
    let shared = visit.session().await;
    for length in [2921, 3500] {
        let answer = visit.message(&shared, &vec![b'x'; length]).await;
        assert_eq!(answer.status, 413, "{}", answer.text());
        assert_eq!(answer.json()["error"], "too_large");
    }
    assert!(relay.texts().is_empty());
}

#[tokio::test]
async fn what_is_accepted_is_in_the_queue_byte_for_byte_in_each_suite() {
    for suites in EACH_SUITE {
        let relay = relay();
        for text in [
            "x",
            " \t.\r\n ",
            "\u{feff}bom",
            "🦀",
            "\u{202e}right to left",
            "a\u{0}",
        ] {
            // The one thing that kkv/1 can't carry.
            if suites == ONLY_V1 && text.contains('\0') {
                assert!(send(&relay, suites, text).await.is_err());
                continue;
            }
            send(&relay, suites, text).await.unwrap();
            assert_eq!(relay.texts().last().map(String::as_str), Some(text));
        }
    }
}
