//! Many senders at once on one small relay, over lines that are cut again and again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kkv_base::limits::SESSION_LIFETIME;
use kkv_client::sender::{Accepted, Failure};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use proptest::prelude::*;
use tokio::task::JoinSet;

use super::sweep::{assert_sessions_end, settle};
use crate::cut::{Cut, CutLine, End, Moment, Then, Way};
use crate::in_process::{InProcess, send};

const SENDERS: usize = 8;
const SLOTS: u32 = 5;

/// One sender: its suite, when it starts, and what its line does to it.
#[derive(Debug, Clone)]
struct Plan {
    suite: Suite,
    starts: Duration,
    cuts: Vec<Cut>,
    then: Then,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        3 => Just(End::Closed),
        3 => Just(End::Reset),
        1 => Just(End::Silent),
    ]
}

fn cut() -> impl Strategy<Value = Cut> {
    let way = prop_oneof![
        (Just(Way::ToRelay), 0..11_000_u64),
        (Just(Way::ToSender), 0..4_000_u64),
        (Just(Way::ToRelay), 0..600_u64),
        (Just(Way::ToSender), 0..600_u64),
    ];
    let moment = prop_oneof![Just(Moment::Passed), Just(Moment::Next)];
    (way, moment, end(), 0..4_u32).prop_map(|((way, after), moment, end, failed_dials)| Cut {
        way,
        after,
        moment,
        end,
        failed_dials,
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let suite = prop_oneof![Just(Suite::V1), Just(Suite::V2)];
    let then = prop_oneof![
        4 => Just(Then::Works),
        1 => Just(Then::NoDial),
        1 => end().prop_map(Then::Dead),
    ];
    let starts = (0..3_000_u64).prop_map(Duration::from_millis);
    let cuts = proptest::collection::vec(cut(), 0..6);
    (suite, starts, cuts, then).prop_map(|(suite, starts, cuts, then)| Plan {
        suite,
        starts,
        cuts,
        then,
    })
}

/// Runs all plans at once; each sender's text is its number.
async fn run(relay: &Arc<InProcess>, plans: &[Plan]) -> Vec<Result<Accepted, Failure>> {
    let mut senders = JoinSet::new();
    for (number, plan) in plans.iter().cloned().enumerate() {
        let relay = Arc::clone(relay);
        senders.spawn(async move {
            tokio::time::sleep(plan.starts).await;
            let line = CutLine::new(&relay, plan.cuts, plan.then);
            let policy = SuitePolicy::Only(plan.suite);
            (number, send(&line, policy, &number.to_string()).await)
        });
    }
    let mut results = senders.join_all().await;
    settle().await;
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

fn paused() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let built = builder.enable_all().start_paused(true).build();
    built.expect("a runtime can be had")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_to_their_lines_every_sender_is_told_the_truth(
        plans in proptest::collection::vec(plan(), SENDERS),
    ) {
        let relay = Arc::new(InProcess::new(SuitePolicy::Any, SLOTS, 0));
        let results = paused().block_on(run(&relay, &plans));
        let texts = relay.texts();
        prop_assert!(texts.len() <= SLOTS as usize, "{texts:?}");
        let once: BTreeSet<&String> = texts.iter().collect();
        prop_assert_eq!(once.len(), texts.len(), "stored twice: {:?}", texts);
        for (number, result) in results.iter().enumerate() {
            let there = once.contains(&number.to_string());
            match result {
                Ok(_) => prop_assert!(there, "{number} was accepted and is lost"),
                Err(Failure::Indeterminate(_)) => {
                    prop_assert!(!plans[number].cuts.is_empty(), "{number}: {result:?}");
                }
                Err(fault) => prop_assert!(!there, "{number} is there in spite of {fault:?}"),
            }
            let undisturbed = plans[number].cuts.is_empty();
            let full = matches!(
                result,
                Err(Failure::Refused(Refusal::Full) | Failure::StillRefused(Refusal::Full, _))
            );
            prop_assert!(!undisturbed || full || result.is_ok(), "{number}: {result:?}");
        }
        assert_sessions_end(&relay, &plans);
    }
}

#[test]
fn while_an_owner_deletes_and_many_send_each_accepted_message_is_seen_once() {
    const PEOPLE: usize = 96;
    /// Room is also made without news, by a session that ends.
    const PAUSE: Duration = Duration::from_millis(20);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let relay = Arc::new(InProcess::new(SuitePolicy::Any, 4, 0));
    let (accepted, mut seen) = runtime.block_on(async {
        // Before anything is sent, or the owner might wait for news of what was there already.
        let mut news = relay.relay.queue().watch();
        let mut senders = JoinSet::new();
        for number in 0..PEOPLE {
            let relay = Arc::clone(&relay);
            let suite = if number % 2 == 0 {
                Suite::V1
            } else {
                Suite::V2
            };
            senders.spawn(async move {
                let text = number.to_string();
                loop {
                    match send(&*relay, SuitePolicy::Only(suite), &text).await {
                        Ok(_) => return text,
                        // Not there, so it may be sent again as if nothing had been.
                        Err(
                            Failure::Refused(Refusal::Full)
                            | Failure::StillRefused(Refusal::Full, _),
                        ) => {
                            // Until the owner has made room, or a session that was on its way has become a message.
                            let mut news = relay.relay.queue().watch();
                            let _ = tokio::time::timeout(PAUSE, news.changed()).await;
                        }
                        Err(fault) => panic!("{number}: {fault:?}"),
                    }
                }
            });
        }
        let owner = {
            let relay = Arc::clone(&relay);
            tokio::spawn(async move {
                let queue = relay.relay.queue();
                let mut seen = Vec::new();
                while seen.len() < PEOPLE {
                    news.changed().await.expect("the queue lives");
                    let now = relay.relay.now().elapsed;
                    for (id, text) in queue.list(now, |m| (m.id, m.content.to_vec())) {
                        seen.push(String::from_utf8(text).expect("numbers"));
                        assert!(queue.delete(id, now), "nobody else deletes");
                    }
                }
                seen
            })
        };
        let accepted = senders.join_all().await;
        let limit = Duration::from_secs(60);
        let seen = tokio::time::timeout(limit, owner).await;
        (accepted, seen.expect("what was accepted is seen").unwrap())
    });
    seen.sort();
    let mut accepted: Vec<String> = accepted;
    accepted.sort();
    assert_eq!(seen, accepted);
    assert!(relay.texts().is_empty());
    relay.clock.advance(SESSION_LIFETIME);
    relay.relay.purge();
    let occupancy = relay.relay.queue().occupancy(relay.relay.now().elapsed);
    assert_eq!((occupancy.stored, occupancy.reserved), (0, 0));
}
