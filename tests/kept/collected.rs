//! Answers, fetched and acknowledged over a line that is cut: none is lost, none is shown twice by one run, and none is
//! acknowledged before it was shown.

use std::convert::Infallible;
use std::sync::Mutex;

use kkv_base::clock::ManualClock;
use kkv_base::lock;
use kkv_client::replies::{CollectError, Collected, Found, Mailbox};
use kkv_client::sender::{Event, Failure, Reply, deliver};
use kkv_net::tor::Dial;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_relay::queue::MessageId;
use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use super::sweep::{AtEvent, that_matter};
use crate::cut::{Cut, CutLine, End, Moment, Then, Way};
use crate::in_process::{InProcess, START, Unobserved, delivery};

/// Collections in one session: each is two asks, and one more for its cut; a session has sixteen.
const COLLECTIONS: usize = 5;
const ANSWERS: [&str; 2] = ["Yes.", "Come at six."];

fn rng() -> StdRng {
    StdRng::from_rng(&mut rand::rng())
}

fn text(text: &str) -> Text {
    Text::new(Zeroizing::new(text.to_owned())).expect("it is short")
}

/// A relay that has a message which can be answered.
async fn relay(secrets: &ReplySecrets) -> InProcess {
    let relay = InProcess::new(SuitePolicy::Any, 2, 0);
    let clock = ManualClock::new(START);
    let way = delivery(&relay, SuitePolicy::Any, &clock, &Unobserved);
    let key = SenderKey::generate(&mut rng());
    let sent = deliver(
        &way,
        key,
        &text("Hello!"),
        Reply::Opens(secrets),
        &mut rng(),
    )
    .await;
    assert!(sent.is_ok(), "{sent:?}");
    relay
}

fn answer(relay: &InProcess, said: &str) {
    let (of, key) = (&relay.relay, relay.relay.keys().public().id());
    of.boxes()
        .answer(MessageId(1), &text(said), &key, of.queue(), of.now())
        .expect("there is room");
}

/// Answers that wait at the relay.
fn waiting(relay: &InProcess) -> usize {
    relay.relay.boxes().counts().1
}

/// What one run of a client has shown, and what came of it.
async fn collect<D: Dial>(
    mailbox: &mut Mailbox<'_, D>,
    relay: &InProcess,
) -> (Vec<String>, Result<Collected, CollectError<Infallible>>) {
    let mut shown = Vec::new();
    let show = |found: &Found| {
        let there = waiting(relay);
        assert!(
            there >= found.answers.len(),
            "acknowledged before it was shown"
        );
        shown.extend(found.answers.iter().map(|answer| answer.text.to_string()));
        Ok(true)
    };
    let result = mailbox.collect(false, show, &mut rng()).await;
    (shown, result)
}

/// Bytes of both ways until a session is open, and of each of the two asks that take answers out.
async fn lengths(secrets: &ReplySecrets) -> ([u64; 2], [u64; 2]) {
    let relay = relay(secrets).await;
    let line = CutLine::new(&relay, [], Then::Works);
    let clock = ManualClock::new(START);
    let way = delivery(&line, SuitePolicy::Any, &clock, &Unobserved);
    let mut mailbox = Mailbox::new(&way, secrets);
    let look = mailbox.look(&[], &mut rng()).await;
    assert!(look.is_ok_and(|found| found.answers.is_empty()));
    let first = line.taken();
    assert!(mailbox.look(&[], &mut rng()).await.is_ok());
    let both = line.taken();
    let ask = [both[0] - first[0], both[1] - first[1]];
    ([first[0] - ask[0], first[1] - ask[1]], ask)
}

fn cut(way: Way, at: u64, ask: u64, end: End) -> Cut {
    // Behind the last byte of an answer there is nothing to be asked for again.
    let passed = at % 2 == 1 && !at.is_multiple_of(ask);
    Cut {
        way,
        after: at,
        moment: if passed { Moment::Passed } else { Moment::Next },
        end,
        failed_dials: 0,
    }
}

/// Bytes of the body of an ask, and of its answer.
const BODIES: [u64; 2] = [4096, 16_384];

/// Where the two asks of a collection are cut: the one that fetches, and the one that acknowledges.
fn positions(way: Way, ask: u64) -> Vec<u64> {
    let body = BODIES[way as usize];
    let of_one: Vec<u64> = that_matter(ask - body, body).collect();
    let second = of_one.iter().map(|at| at + ask);
    of_one.iter().copied().chain(second).collect()
}

/// Collects two answers as often as there are such positions in that, or one of so many of them, each time cut at the
/// next of them.
async fn cut_everywhere(way: Way, end: End, one_of: usize) {
    let secrets = ReplySecrets::new(&[7; 16]);
    let (opened, ask) = lengths(&secrets).await;
    let (opened, ask) = (opened[way as usize], ask[way as usize]);
    let positions = positions(way, ask).into_iter().step_by(one_of);
    for row in positions.collect::<Vec<_>>().chunks(COLLECTIONS) {
        let mut before = opened;
        let cuts: Vec<Cut> = row
            .iter()
            .map(|at| {
                let cut = cut(way, *at, ask, end);
                let after = before + at;
                // What is left of a collection when it was cut: the ask that is made once more, and the one behind it.
                before = if *at < ask { 2 * ask } else { ask };
                Cut { after, ..cut }
            })
            .collect();
        let relay = relay(&secrets).await;
        let line = CutLine::new(&relay, cuts.clone(), Then::Works);
        let clock = ManualClock::new(START);
        let delivery = delivery(&line, SuitePolicy::Any, &clock, &Unobserved);
        let mut mailbox = Mailbox::new(&delivery, &secrets);
        for _ in row {
            ANSWERS.iter().for_each(|said| answer(&relay, said));
            let (shown, result) = collect(&mut mailbox, &relay).await;
            assert_eq!(shown, ANSWERS, "{cuts:?}");
            let collected = result.unwrap_or_else(|failed| panic!("{cuts:?}: {failed:?}"));
            assert!(collected.acknowledged && collected.shown == ANSWERS.len());
            assert_eq!(waiting(&relay), 0, "{cuts:?}");
        }
        assert_eq!(line.struck() as usize, row.len(), "{cuts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_come_once_wherever_the_line_to_the_relay_is_cut() {
    cut_everywhere(Way::ToRelay, End::Closed, 1).await;
}

#[tokio::test(start_paused = true)]
async fn answers_come_once_wherever_the_line_to_the_sender_is_cut() {
    cut_everywhere(Way::ToSender, End::Reset, 1).await;
}

#[tokio::test(start_paused = true)]
async fn answers_come_once_though_the_line_falls_silent() {
    for way in [Way::ToRelay, Way::ToSender] {
        cut_everywhere(way, End::Silent, 7).await;
    }
}

/// The line is cut for good. What was not shown is there for the next run, and what was shown may be.
#[tokio::test(start_paused = true)]
async fn no_answer_is_lost_though_the_line_is_dead_from_any_byte_on() {
    let secrets = ReplySecrets::new(&[7; 16]);
    let (opened, ask) = lengths(&secrets).await;
    let (mut unseen, mut unacknowledged) = (0, 0);
    for way in [Way::ToRelay, Way::ToSender] {
        for at in positions(way, ask[way as usize]).into_iter().step_by(6) {
            let cut = cut(
                way,
                opened[way as usize] + at,
                ask[way as usize],
                End::Closed,
            );
            let relay = relay(&secrets).await;
            ANSWERS.iter().for_each(|said| answer(&relay, said));
            let line = CutLine::new(&relay, [cut], Then::NoDial);
            let clock = ManualClock::new(START);
            let cut_off = delivery(&line, SuitePolicy::Any, &clock, &Unobserved);
            let (shown, result) = collect(&mut Mailbox::new(&cut_off, &secrets), &relay).await;
            match result {
                Err(CollectError::Unseen(Failure::Unreachable(_))) => {
                    assert_eq!(
                        (shown.len(), waiting(&relay)),
                        (0, ANSWERS.len()),
                        "{cut:?}"
                    );
                    unseen += 1;
                }
                Err(CollectError::Unacknowledged(Failure::Unreachable(_))) => {
                    assert_eq!(shown, ANSWERS, "{cut:?}");
                    unacknowledged += 1;
                }
                other => panic!("{cut:?}: {other:?}"),
            }
            let left = waiting(&relay);
            let whole = delivery(&relay, SuitePolicy::Any, &clock, &Unobserved);
            let (again, result) = collect(&mut Mailbox::new(&whole, &secrets), &relay).await;
            assert!(result.is_ok(), "{cut:?}: {result:?}");
            assert_eq!(again, ANSWERS[ANSWERS.len() - left..], "{cut:?}");
            assert_eq!(waiting(&relay), 0, "{cut:?}");
        }
    }
    assert!(
        unseen > 50 && unacknowledged > 50,
        "{unseen} {unacknowledged}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_comes_meanwhile_is_shown_and_what_is_not_taken_stays() {
    let secrets = ReplySecrets::new(&[7; 16]);
    let relay = relay(&secrets).await;
    answer(&relay, "one");
    let clock = ManualClock::new(START);
    let delivery = delivery(&relay, SuitePolicy::Any, &clock, &Unobserved);
    let mut mailbox = Mailbox::new(&delivery, &secrets);
    for (keep, takes) in [(false, Ok(false)), (false, Err("full")), (true, Ok(true))] {
        let result = mailbox.collect(keep, |_| takes, &mut rng()).await;
        match takes {
            Ok(_) => assert!(result.is_ok_and(|collected| !collected.acknowledged)),
            Err(said) => assert!(matches!(result, Err(CollectError::Unshown(why)) if why == said)),
        }
        assert_eq!(
            waiting(&relay),
            1,
            "nobody has seen it, or it was to be kept"
        );
    }
    let mut shown = Vec::new();
    let show = |found: &Found| {
        if shown.len() < 3 {
            answer(&relay, "another");
        }
        shown.extend(found.answers.iter().map(|answer| answer.text.to_string()));
        Ok::<_, Infallible>(true)
    };
    let collected = mailbox.collect(false, show, &mut rng()).await;
    let collected = collected.expect("a whole line");
    assert_eq!(shown, ["one", "another", "another", "another"]);
    assert_eq!((collected.shown, waiting(&relay)), (4, 0));
}

/// So who lost a receipt can tell which of several tries has arrived.
#[tokio::test(start_paused = true)]
async fn by_the_salt_that_its_sender_was_told_each_message_is_known_in_its_conversation() {
    let secrets = ReplySecrets::new(&[7; 16]);
    let relay = InProcess::new(SuitePolicy::Any, 2, 0);
    let clock = ManualClock::new(START);
    let told = Mutex::new(Vec::new());
    let observer = AtEvent(|event| {
        let of_it = match event {
            Event::Answerable(salt) => Some(salt),
            Event::Sending => None,
            _ => return,
        };
        lock(&told).push(of_it);
    });
    let way = delivery(&relay, SuitePolicy::Any, &clock, &observer);
    for reply in [Reply::Opens(&secrets), Reply::FollowsUp(&secrets)] {
        let key = SenderKey::generate(&mut rng());
        let sent = deliver(&way, key, &text("Hello!"), reply, &mut rng()).await;
        assert!(sent.is_ok(), "{sent:?}");
    }
    let told = lock(&told).clone();
    let [Some(first), None, Some(second), None] = told[..] else {
        panic!("{told:?}: each salt before its message is on its way");
    };
    let mut mailbox = Mailbox::new(&way, &secrets);
    let found = mailbox.look(&[], &mut rng()).await.expect("it answers");
    let entries = found.inside.expect("it is there").entries;
    let there: Vec<_> = entries.iter().map(|entry| entry.salt).collect();
    assert_eq!(there, [second, first], "newest first");
}
