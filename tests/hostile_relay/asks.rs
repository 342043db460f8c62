//! Answers to asks that are wrong: none is taken for one, and none makes the asker work without end.

use kkv_base::clock::ManualClock;
use kkv_client::sender::{Asker, Failure, Reply, deliver};
use kkv_net::tor::Dial;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_protocol::v2::ask::AskKind;
use kkv_protocol::v2::purpose::BodySize;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::between::{Between, Say};
use crate::in_process::{InProcess, START, Unobserved, delivery};
use crate::raw_http::{Answer, answer};

/// How an ask fails that is made in this size over such a way.
async fn failure(dialer: &impl Dial, suites: SuitePolicy, size: BodySize) -> Failure {
    let clock = ManualClock::new(START);
    let delivery = delivery(dialer, suites, &clock, &Unobserved);
    let nothing = AskKind::Nothing as u8;
    let mut asker = Asker::new(&delivery, size);
    let answered = asker
        .ask(
            |asking| asking.request(nothing, &[], BodySize::Kib4),
            &mut StdRng::from_rng(&mut StdRng::from_rng(&mut rand::rng())),
        )
        .await;
    answered.expect_err("nothing was answered")
}

async fn said(say: Say, size: BodySize) -> (Failure, Vec<String>) {
    let between = Between::new(InProcess::new(SuitePolicy::Any, 1, 0), "/ask", say);
    let failure = failure(&between, SuitePolicy::Any, size).await;
    assert!(!between.flooded(), "all of it was taken");
    (failure, between.asked())
}

const ONCE: [&str; 3] = ["POST /pow", "POST /exchange_keys", "POST /ask"];

#[tokio::test]
async fn an_answer_that_was_changed_anywhere_is_none_and_is_not_asked_for_again() {
    let changes: [fn(&mut Answer); 7] = [
        |answer| answer.body[0] ^= 1,
        |answer| answer.body[16] ^= 1,
        |answer| *answer.body.last_mut().expect("it is not empty") ^= 0x80,
        |answer| answer.body.truncate(16_383),
        |answer| answer.body.push(0),
        |answer| answer.body.clear(),
        |answer| answer.body.truncate(4096),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let say = Say::Changed(Box::new(move |mut answer| {
            change(&mut answer);
            answer
        }));
        let (failure, asked) = said(say, BodySize::Kib16).await;
        // What is longer than any answer of this session is not read to its end.
        let unopened = matches!(
            failure,
            Failure::Protocol(ProtocolError::BadSeal | ProtocolError::Malformed)
        );
        assert!(unopened, "{index}: {failure:?}");
        assert_eq!(asked, ONCE, "{index}");
    }
}

#[tokio::test]
async fn an_answer_is_one_with_status_200_alone() {
    for status in [201, 202, 206, 302, 418, 500] {
        let say = Say::Changed(Box::new(move |answer| Answer { status, ..answer }));
        let (failure, asked) = said(say, BodySize::Kib4).await;
        let unread = matches!(failure, Failure::RefusedUnread(of) if of == status);
        assert!(unread, "{status}: {failure:?}");
        assert_eq!(asked, ONCE, "{status}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_taken() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"1000\r\n", [0; 4096].as_slice(), b"\r\n"].concat();
    let (failure, asked) = said(Say::Flood(head, chunk), BodySize::Mib1).await;
    let malformed = matches!(failure, Failure::Protocol(ProtocolError::Malformed));
    assert!(malformed, "{failure:?}");
    assert_eq!(asked, ONCE);
}

#[tokio::test]
async fn a_relay_that_knows_no_session_is_paid_twice_and_no_more() {
    let body = Refusal::Unproven.body();
    let unproven = move || {
        Some(Answer {
            status: Refusal::Unproven.status(),
            headers: Vec::new(),
            body: body.clone().into_bytes(),
        })
    };
    let (failure, asked) = said(Say::Instead(Box::new(unproven)), BodySize::Kib4).await;
    assert!(
        matches!(failure, Failure::Refused(Refusal::Unproven)),
        "{failure:?}"
    );
    assert_eq!(asked, [ONCE, ONCE].concat());
}

#[tokio::test]
async fn every_other_refusal_is_final() {
    for refusal in [
        Refusal::Malformed,
        Refusal::UnsupportedSuite,
        Refusal::Stopping,
    ] {
        let say = Say::Bytes(answer(refusal.status(), "application/json", refusal.body()));
        let (failure, asked) = said(say, BodySize::Kib4).await;
        assert!(
            matches!(failure, Failure::Refused(said) if said == refusal),
            "{failure:?}"
        );
        assert_eq!(asked, ONCE, "{refusal}");
    }
}

#[tokio::test]
async fn in_kkv_1_nobody_is_asked_anything() {
    let only_v1 = SuitePolicy::Only(Suite::V1);
    for (of_relay, of_sender, asked) in [
        (only_v1, SuitePolicy::Any, &["POST /pow"][..]),
        (SuitePolicy::Any, only_v1, &[]),
    ] {
        let between = Between::new(
            InProcess::new(of_relay, 1, 0),
            "/none",
            Say::Bytes(Vec::new()),
        );
        let failure = failure(&between, of_sender, BodySize::Kib4).await;
        assert!(
            matches!(failure, Failure::NoCommonSuite(Suite::V2)),
            "{failure:?}"
        );
        assert_eq!(between.asked(), asked);
    }
}

#[tokio::test]
async fn what_is_to_be_answered_is_neither_paid_for_nor_sent_in_kkv_1() {
    let only_v1 = SuitePolicy::Only(Suite::V1);
    let secrets = ReplySecrets::new(&[7; 16]);
    for reply in [Reply::Opens(&secrets), Reply::FollowsUp(&secrets)] {
        for (of_relay, of_sender, asked) in [
            (only_v1, SuitePolicy::Any, &["POST /pow"][..]),
            (SuitePolicy::Any, only_v1, &[]),
        ] {
            let relay = InProcess::new(of_relay, 1, 0);
            let between = Between::new(relay, "/none", Say::Bytes(Vec::new()));
            let clock = ManualClock::new(START);
            let delivery = delivery(&between, of_sender, &clock, &Unobserved);
            let rng = &mut StdRng::from_rng(&mut rand::rng());
            let key = SenderKey::generate(rng);
            let text = Text::new("text".to_owned().into()).expect("it fits");
            let failure = deliver(&delivery, key, &text, reply, rng).await.err();
            let none = matches!(failure, Some(Failure::NoCommonSuite(Suite::V2)));
            assert!(none, "{failure:?}");
            assert_eq!(between.asked(), asked);
        }
    }
}
