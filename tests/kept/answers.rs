//! Answers: left by the owner, fetched with the words alone, and by nobody without them.

use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_client::sender::Asker;
use kkv_owner::CantReply;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::answers::keys::Acknowledgement;
use kkv_protocol::v2::answers::sender::{Answer, Replies, ReplySecrets};
use kkv_protocol::v2::answers::status::{BoxStatus, EntryState};
use kkv_protocol::v2::ask::{AskKind, AskOutcome};
use kkv_protocol::v2::purpose::BodySize;
use kkv_protocol::v2::sender::Open;
use kkv_relay::queue::{MessageId, Queue};
use kkv_relay::relay::RelayConfig;
use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use super::talk::Speaker;
use crate::in_process::{InProcess, START, Unobserved, delivery};

const WORDS: [u8; 16] = [5; 16];
const OTHER_WORDS: [u8; 16] = [6; 16];
/// So many that the price doesn't rise.
const SLOTS: u32 = 40;

fn rng() -> StdRng {
    StdRng::from_rng(&mut rand::rng())
}

fn text(text: &str) -> Text {
    Text::new(Zeroizing::new(text.to_owned())).expect("it is short")
}

/// Leaves a message with this box part.
fn leave(
    relay: &InProcess,
    number: u64,
    box_part: impl FnOnce(&Open) -> BoxPart,
) -> Result<String, Refusal> {
    let who = Speaker {
        key: number,
        exchange: number,
    };
    let challenge = who.challenge_v2(&relay.relay);
    let exchanging = who.exchanging_v2(&challenge);
    let answer = relay
        .relay
        .exchange_v2(exchanging.request(), &mut rand::rng())?;
    let answer = serde_json::from_str(&answer).expect("an answer is JSON");
    let open = exchanging.answered(&answer).expect("the relay signed it");
    let box_part = box_part(&open);
    let sent = open.seal(&text(&format!("message {number}")), &box_part);
    relay.relay.message_v2(sent.request())
}

/// The owner answers.
fn answer(relay: &InProcess, id: u64, said: &str) -> Result<(), CantReply> {
    let (of, key) = (&relay.relay, relay.relay.keys().public().id());
    let answered = of
        .boxes()
        .answer(MessageId(id), &text(said), &key, of.queue(), of.now());
    answered.map(drop)
}

/// Whoever has these words, and nothing else, asks over the line and acknowledges this.
async fn fetch(relay: &InProcess, words: [u8; 16], told: &[&Acknowledgement]) -> Replies {
    let clock = ManualClock::new(START);
    let delivery = delivery(relay, SuitePolicy::Any, &clock, &Unobserved);
    let words = ReplySecrets::new(&words);
    let mut asker = Asker::new(&delivery, BodySize::Kib16);
    let answered = asker
        .ask(|asking| words.ask(asking, told), &mut rng())
        .await
        .expect("a relay answers");
    let key = answered.relay.id();
    words
        .read(&key, &answered.request, &answered.answer)
        .expect("an honest relay")
}

fn there(replies: Replies) -> (BoxStatus, Vec<Answer>) {
    match replies {
        Replies::Box(status, answers) => (status, answers),
        Replies::NoBox => panic!("there is a box"),
    }
}

fn opens(_: &Open) -> BoxPart {
    ReplySecrets::new(&WORDS).opens(&mut rand::rng())
}

fn follows_up(open: &Open) -> BoxPart {
    ReplySecrets::new(&WORDS).follows_up(&open.session(), &mut rand::rng())
}

#[tokio::test]
async fn three_rounds_are_carried_on_with_the_words_alone() {
    let relay = InProcess::new(SuitePolicy::Any, SLOTS, 0);
    leave(&relay, 1, opens).expect("it opens a box");
    for round in 1..=3_u64 {
        if round > 1 {
            leave(&relay, round, follows_up).expect("it follows up");
        }
        let (before, none) = there(fetch(&relay, WORDS, &[]).await);
        assert_eq!((before.waiting, none.len()), (0, 0));
        let said = format!("answer {round}");
        answer(&relay, round, &said).expect("it can be answered");
        let (status, answers) = there(fetch(&relay, WORDS, &[]).await);
        assert_eq!(
            (status.messages, status.answers),
            (round as u16, round as u16)
        );
        assert_eq!(status.entries.len(), round as usize);
        assert_eq!(
            status.entries[0].state,
            EntryState::Accepted,
            "no receipts are given"
        );
        assert_eq!(
            (answers.len(), answers[0].text.as_str()),
            (1, said.as_str())
        );
        assert_eq!(answers[0].salt, status.entries[0].salt);
        assert_eq!((answers[0].index, answers[0].time), (0, START));
        let (_, left) = there(fetch(&relay, WORDS, &[&answers[0].acknowledgement]).await);
        assert!(left.is_empty(), "it was acknowledged");
    }
    assert!(matches!(
        fetch(&relay, OTHER_WORDS, &[]).await,
        Replies::NoBox
    ));
    relay.relay.wipe();
    assert!(matches!(fetch(&relay, WORDS, &[]).await, Replies::NoBox));
}

#[tokio::test]
async fn what_follows_up_no_box_is_refused_and_leaves_nothing() {
    let relay = InProcess::new(SuitePolicy::Any, SLOTS, 0);
    assert_eq!(leave(&relay, 1, follows_up), Err(Refusal::NoBox));
    leave(&relay, 2, opens).expect("it opens a box");
    let another =
        |open: &Open| ReplySecrets::new(&OTHER_WORDS).follows_up(&open.session(), &mut rand::rng());
    assert_eq!(leave(&relay, 3, another), Err(Refusal::NoBox));
    assert_eq!(relay.texts(), ["message 2"]);
    // Of what was sent and perhaps not taken, the second with the same words.
    leave(&relay, 4, opens).expect("it is taken for a follow-up");
    let (status, _) = there(fetch(&relay, WORDS, &[]).await);
    assert_eq!(status.messages, 2);
    assert_eq!(relay.relay.boxes().counts(), (1, 0));
}

#[tokio::test]
async fn a_box_ends_a_week_after_its_last_change_and_the_message_stays() {
    let relay = InProcess::new(SuitePolicy::Any, SLOTS, 0);
    leave(&relay, 1, opens).expect("it opens a box");
    relay.clock.advance(Duration::from_secs(6 * 86_400));
    answer(&relay, 1, "in time").expect("it can be answered");
    relay.clock.advance(Duration::from_secs(6 * 86_400));
    let (status, answers) = there(fetch(&relay, WORDS, &[]).await);
    assert_eq!(answers.len(), 1);
    assert_eq!(status.ends, START + 13 * 86_400);
    relay.clock.advance(Duration::from_secs(86_400));
    relay.relay.purge();
    assert_eq!(relay.relay.boxes().counts(), (0, 0));
    assert_eq!(answer(&relay, 1, "too late"), Err(CantReply::BoxGone));
    assert_eq!(relay.texts(), ["message 1"]);
}

#[tokio::test]
async fn replies_are_asked_for_in_sessions_of_16_kib_alone() {
    let relay = InProcess::new(SuitePolicy::Any, 1, 0);
    let clock = ManualClock::new(START);
    let delivery = delivery(&relay, SuitePolicy::Any, &clock, &Unobserved);
    for (size, outcome) in [
        (BodySize::Kib4, AskOutcome::Malformed),
        (BodySize::Kib16, AskOutcome::Done),
        (BodySize::Kib64, AskOutcome::Malformed),
    ] {
        let kind = AskKind::Replies as u8;
        let mut asker = Asker::new(&delivery, size);
        let answered = asker
            .ask(
                |asking| asking.request(kind, &[7; 32], BodySize::Kib4),
                &mut rng(),
            )
            .await
            .expect("a relay answers");
        assert_eq!(answered.answer.outcome, outcome, "{size:?}");
        assert!(answered.answer.content.iter().all(|byte| *byte == 0));
    }
}

#[tokio::test]
async fn with_read_receipts_a_sender_learns_what_has_become_of_each_message() {
    let config = RelayConfig {
        read_receipts: true,
        ..*InProcess::new(SuitePolicy::Any, 1, 0).relay.config()
    };
    let queue = Queue::new(SLOTS, None).expect("so much memory");
    let relay = InProcess::with(config, queue, &mut rand::rng());
    leave(&relay, 1, opens).expect("it opens a box");
    leave(&relay, 2, follows_up).expect("it follows up");
    leave(&relay, 3, follows_up).expect("it follows up");
    let (queue, now) = (relay.relay.queue(), relay.relay.now().elapsed);
    assert!(queue.delete(MessageId(1), now) && queue.mark(MessageId(2), true, now));
    let (status, _) = there(fetch(&relay, WORDS, &[]).await);
    assert!(status.receipts);
    let states: Vec<_> = status.entries.iter().map(|entry| entry.state).collect();
    let newest_first = [EntryState::Waiting, EntryState::Read, EntryState::Gone];
    assert_eq!(states, newest_first);
}
