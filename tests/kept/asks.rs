//! Asks: the line is cut at any byte, a session is over before its time, a relay wants to be asked later. What is asked
//! is answered all the same, under a number that was not used.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_client::sender::{Answered, Asker, Event, Failure};
use kkv_net::tor::Dial;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::v2::ask::{AskKind, AskOutcome, MAX_ANSWERS};
use kkv_protocol::v2::purpose::BodySize;
use kkv_protocol::v2::upload::MAX_PIECE_BYTES;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::sweep::{AtEvent, that_matter};
use crate::between::{Between, Say};
use crate::cut::{Cut, CutLine, End, Moment, Then, Way};
use crate::in_process::{InProcess, START, Unobserved, delivery};
use crate::raw_http::Answer;

/// Cuts in one session: an ask that is cut takes two of its numbers.
const CUTS: u64 = MAX_ANSWERS as u64 / 2 - 1;

/// Asks whether the relay is there.
pub(crate) async fn ask<D: Dial>(asker: &mut Asker<'_, D>) -> Result<Answered, Failure> {
    let nothing = AskKind::Nothing as u8;
    asker
        .ask(
            |asking| asking.request(nothing, &[], BodySize::Kib4),
            &mut StdRng::from_rng(&mut StdRng::from_rng(&mut rand::rng())),
        )
        .await
}

fn assert_answered(answered: Result<Answered, Failure>, what: &dyn std::fmt::Debug) {
    let answer = answered
        .unwrap_or_else(|failure| panic!("{what:?}: {failure:?}"))
        .answer;
    assert_eq!(
        (answer.outcome, answer.started),
        (AskOutcome::Done, START),
        "{what:?}"
    );
    assert!(answer.content.is_empty());
}

fn relay() -> InProcess {
    InProcess::new(SuitePolicy::Any, 1, 0)
}

/// Bytes of both ways until a session is open, and of an ask in it.
async fn lengths(size: BodySize) -> ([u64; 2], [u64; 2]) {
    let relay = relay();
    let line = CutLine::new(&relay, [], Then::Works);
    let opened = Mutex::new([0; 2]);
    let observer = AtEvent(|event| {
        if matches!(event, Event::Asking) {
            *opened.lock().expect("no holder panics") = line.taken();
        }
    });
    let clock = ManualClock::new(START);
    let delivery = delivery(&line, SuitePolicy::Any, &clock, &observer);
    assert_answered(ask(&mut Asker::new(&delivery, size)).await, &"undisturbed");
    let (opened, whole) = (*opened.lock().expect("no holder panics"), line.taken());
    (opened, [whole[0] - opened[0], whole[1] - opened[1]])
}

/// A cut at this byte of an ask, which is never its last.
fn cut(way: Way, at: u64, end: End) -> Cut {
    let moment = if at % 2 == 1 {
        Moment::Passed
    } else {
        Moment::Next
    };
    Cut {
        way,
        after: at,
        moment,
        end,
        failed_dials: 0,
    }
}

/// Asks as often as there are positions in an ask at which a cut matters, or one of so many of them, each time cut at
/// the next of them.
async fn cut_everywhere(way: Way, end: End, one_of: usize) {
    let size = BodySize::Kib4; // of a request, and here of an answer, too
    let (_, ask_bytes) = lengths(size).await;
    let body = size.bytes() as u64;
    let positions = that_matter(ask_bytes[way as usize] - body, body);
    let positions: Vec<u64> = positions.step_by(one_of).collect();
    cut_at(size, way, end, &positions).await;
}

/// The same in sessions of this size at these positions.
async fn cut_at(size: BodySize, way: Way, end: End, positions: &[u64]) {
    let (opened, ask_bytes) = lengths(size).await;
    let (opened, length) = (opened[way as usize], ask_bytes[way as usize]);
    for cuts in positions.chunks(usize::try_from(CUTS).expect("small")) {
        // From the second on, the repetition of the ask before comes first.
        let before = |index| if index == 0 { opened } else { length };
        let cuts: Vec<Cut> = cuts
            .iter()
            .enumerate()
            .map(|(index, at)| {
                let cut = cut(way, *at, end);
                Cut {
                    after: before(index) + at,
                    ..cut
                }
            })
            .collect();
        let relay = relay();
        let line = CutLine::new(&relay, cuts.clone(), Then::Works);
        let clock = ManualClock::new(START);
        let sessions = AtomicUsize::new(0);
        let observer = AtEvent(|event| {
            if matches!(event, Event::Solving { .. }) {
                sessions.fetch_add(1, Ordering::Relaxed);
            }
        });
        let delivery = delivery(&line, SuitePolicy::Any, &clock, &observer);
        let mut asker = Asker::new(&delivery, size);
        for _ in 0..cuts.len() {
            assert_answered(ask(&mut asker).await, &cuts);
        }
        assert_eq!(line.struck() as usize, cuts.len(), "{cuts:?}");
        assert_eq!(sessions.load(Ordering::Relaxed), 1, "{cuts:?}: paid once");
    }
}

#[tokio::test(start_paused = true)]
async fn an_ask_is_answered_wherever_the_line_to_the_relay_is_cut() {
    cut_everywhere(Way::ToRelay, End::Closed, 1).await;
}

#[tokio::test(start_paused = true)]
async fn an_ask_is_answered_wherever_the_line_to_the_sender_is_cut() {
    cut_everywhere(Way::ToSender, End::Reset, 1).await;
}

/// A download of four chunks, each of which is opened when it is whole. So what can differ beside what a small answer
/// shows is how many of them have come: cut before, at and behind the end of each.
#[tokio::test(start_paused = true)]
async fn a_large_answer_comes_whole_though_the_line_is_cut_between_its_chunks() {
    let size = BodySize::Kib256;
    let (_, [_, length]) = lengths(size).await;
    let ends = (0..4).map(|chunk| length - chunk * MAX_PIECE_BYTES as u64);
    let positions = ends.flat_map(|end| [end - 1, end, end + 1]);
    let inside: Vec<u64> = positions.filter(|at| *at < length).collect();
    for end in [End::Closed, End::Reset] {
        cut_at(size, Way::ToSender, end, &inside).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_ask_is_answered_though_the_line_falls_silent() {
    for way in [Way::ToRelay, Way::ToSender] {
        cut_everywhere(way, End::Silent, 7).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_for_asks_comes_about_though_the_line_is_cut_while_it_is_opened() {
    let (opened, _) = lengths(BodySize::Kib4).await;
    for (way, step) in [(Way::ToRelay, 19), (Way::ToSender, 13)] {
        for at in (0..opened[way as usize]).step_by(step) {
            let cut = cut(way, at, End::Closed);
            let relay = relay();
            let line = CutLine::new(&relay, [cut], Then::Works);
            let clock = ManualClock::new(START);
            let delivery = delivery(&line, SuitePolicy::Any, &clock, &Unobserved);
            assert_answered(ask(&mut Asker::new(&delivery, BodySize::Kib4)).await, &cut);
            assert_eq!(line.struck(), 1, "{cut:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_line_stays_dead_the_asker_says_so() {
    let relay = relay();
    let (opened, _) = lengths(BodySize::Kib4).await;
    let dead = cut(Way::ToSender, opened[1] + 10, End::Closed);
    let line = CutLine::new(&relay, [dead], Then::Dead(End::Closed));
    let clock = ManualClock::new(START);
    let delivery = delivery(&line, SuitePolicy::Any, &clock, &Unobserved);
    let failure = ask(&mut Asker::new(&delivery, BodySize::Kib4)).await.err();
    assert!(matches!(failure, Some(Failure::Broken)), "{failure:?}");
}

/// Asks, with what is done to the relay before each ask but the first; how often it was paid.
async fn paid_for(asks: usize, before: impl Fn(&InProcess)) -> usize {
    let relay = relay();
    let clock = ManualClock::new(START);
    let payments = AtomicUsize::new(0);
    let observer = AtEvent(|event| {
        if matches!(event, Event::Solving { .. }) {
            payments.fetch_add(1, Ordering::Relaxed);
        }
    });
    let delivery = delivery(&relay, SuitePolicy::Any, &clock, &observer);
    let mut asker = Asker::new(&delivery, BodySize::Kib4);
    assert_answered(ask(&mut asker).await, &0);
    for number in 1..asks {
        before(&relay);
        assert_answered(ask(&mut asker).await, &number);
    }
    payments.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_used_up_or_over_is_followed_by_another() {
    let answers = usize::from(MAX_ANSWERS);
    assert_eq!(paid_for(answers, |_| ()).await, 1);
    assert_eq!(paid_for(answers + 1, |_| ()).await, 2);
    assert_eq!(paid_for(3, |relay| drop(relay.relay.wipe())).await, 3);
}

/// The relay's clock stands still: it would answer in the old session.
#[tokio::test(start_paused = true)]
async fn a_session_is_not_asked_in_once_its_time_is_over() {
    let relay = relay();
    let clock = ManualClock::new(START);
    let payments = AtomicUsize::new(0);
    let observer = AtEvent(|event| {
        if matches!(event, Event::Solving { .. }) {
            payments.fetch_add(1, Ordering::Relaxed);
        }
    });
    let delivery = delivery(&relay, SuitePolicy::Any, &clock, &observer);
    let mut asker = Asker::new(&delivery, BodySize::Kib4);
    for (seconds, paid) in [(0, 1), (119, 1), (119, 1), (120, 2)] {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        assert_answered(ask(&mut asker).await, &seconds);
        assert_eq!(payments.load(Ordering::Relaxed), paid, "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_wants_to_be_asked_later_is_asked_later() {
    for refusal in [Refusal::SlowDown, Refusal::TimedOut] {
        let refused = AtomicUsize::new(0);
        let instead = move || {
            let first = refused.fetch_add(1, Ordering::Relaxed) == 0;
            first.then(|| Answer {
                status: refusal.status(),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: refusal.body().into_bytes(),
            })
        };
        let between = Between::new(relay(), "/ask", Say::Instead(Box::new(instead)));
        let clock = ManualClock::new(START);
        let delivery = delivery(&between, SuitePolicy::Any, &clock, &Unobserved);
        let mut asker = Asker::new(&delivery, BodySize::Kib4);
        assert_answered(ask(&mut asker).await, &refusal);
        let asks = between
            .asked()
            .iter()
            .filter(|line| *line == "POST /ask")
            .count();
        assert_eq!(asks, 2, "{refusal}");
    }
}
