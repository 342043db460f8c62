//! What an attack does to `kkv`: how long an honest sender waits meanwhile, what memory the relay takes, and what each
//! thing that a stranger can ask for costs it at most (docs/THREATS.md, "What an attack does to it"). The attacks are
//! those of `tests/siege`.
//!
//! Everything is on this machine, so the attackers take as much of it as they can get, and none of the time that Tor
//! would take: what is measured is the relay at its worst. Cost 1, largest message of kkv/1.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark stops where something is missing, measures real time and prints what it has measured"
)]

#[path = "../tests/siege/attack.rs"]
mod attack;
#[path = "../tests/siege/cost.rs"]
mod cost;
#[path = "siege/figures.rs"]
mod figures;
#[path = "../tests/siege/flood.rs"]
mod flood;
#[path = "../tests/siege/hold.rs"]
mod hold;
#[path = "table/machine.rs"]
mod machine;
#[path = "support/markdown.rs"]
mod markdown;
#[path = "../tests/siege/memory.rs"]
mod memory;
#[path = "../tests/support/page_form.rs"]
mod page_form;
#[path = "../tests/siege/processor.rs"]
mod processor;
#[path = "../tests/support/programs.rs"]
mod programs;
#[path = "../tests/kkv1/raw_http.rs"]
mod raw_http;
#[path = "../tests/siege/requests.rs"]
mod requests;

use std::time::{Duration, Instant};

use kkv_base::limits::MAX_TEXT_BYTES_V1;

use attack::{Attack, UnderWay};
use cost::{Cost, HELD, MOST_KIB, MOST_TIME};
use figures::{kib, time};
use markdown::markdown;
use memory::Kib;
use programs::Relay;

/// Messages of one honest sender after the other, half of them in each suite.
const SENDS: usize = 100;

const ATTACKS: [Attack; 14] = [
    Attack::Idle(15_000),
    Attack::HalfHeads(1000),
    Attack::HalfBodies(500),
    Attack::SlowReaders(500),
    Attack::Answered(1000),
    Attack::Forged,
    Attack::Unsolved,
    Attack::Solved(5000),
    Attack::Asks,
    Attack::HalfAsks(100),
    Attack::Uploads,
    Attack::Pages,
    Attack::PageUploads,
    Attack::WrongPayments,
];

/// Requests of each kind.
const REQUESTS: u32 = 2000;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return; // it is only being tried whether it can be built
    }
    let mut rows = vec![besieged(None)];
    rows.extend(ATTACKS.map(|attack| besieged(Some(attack))));
    let head = [
        "attack",
        "rounds a second",
        "honest sender: median",
        "p90",
        "worst",
        "memory before",
        "peak",
        "after",
    ];
    println!("{}", markdown(head, &rows));

    let rows: Vec<_> = HELD.into_iter().map(held).collect();
    let head = ["a stranger's connection", "memory each"];
    println!("{}", markdown(head, &rows));

    let rows: Vec<_> = cost::of_each(REQUESTS).into_iter().map(asked).collect();
    let head = ["a stranger's request", "processor time", "memory it leaves"];
    println!("{}", markdown(head, &rows));
    println!("{}", machine::described());
}

/// Honest senders during an attack, or none.
fn besieged(attack: Option<Attack>) -> [String; 8] {
    let sessions = match attack {
        Some(Attack::Solved(sessions)) => sessions,
        _ => 0,
    };
    let relay = attack::relay(sessions + 500);
    for number in 0..4 {
        send(&relay, number); // what is done once is done
    }
    let before = memory::now(relay.process());
    let under_way = attack.map(|attack| attack.start(relay.address().parse().unwrap()));
    let rounds = || under_way.as_ref().map_or(0, UnderWay::rounds);
    let (began, first) = (Instant::now(), rounds());
    let mut times: Vec<Duration> = (0..SENDS).map(|number| send(&relay, number)).collect();
    let rate = (rounds() - first) as f64 / began.elapsed().as_secs_f64();
    let peak = memory::peak(relay.process());
    let kept = under_way.as_ref().map_or(0, UnderWay::kept);
    drop(under_way);
    let after = after(&relay, before, kept);
    times.sort();
    let at = |share: f64| time(times[((times.len() - 1) as f64 * share).round() as usize]);
    [
        attack.map_or_else(|| "none".to_owned(), |attack| attack.to_string()),
        attack.map_or_else(|| "–".to_owned(), |_| format!("{rate:.0}")),
        at(0.5),
        at(0.9),
        at(1.0),
        kib(before),
        kib(peak),
        kib(after),
    ]
}

/// One message from start to end of `kkvc`.
fn send(relay: &Relay, number: usize) -> Duration {
    let suite = ["1", "2"][number % 2];
    let run = relay.send(["--suite", suite, "-"]);
    let began = Instant::now();
    let process = run.stdin("x".repeat(MAX_TEXT_BYTES_V1)).start();
    let (_, ended) = process.ended();
    process.finish().must_end_with(0);
    ended - began
}

/// Memory three seconds after what was paid for is gone as well, and the relay has begun to give it back. It has to be
/// what it was, but for a tenth and what is `kept`.
fn after(relay: &Relay, before: Kib, kept: Kib) -> Kib {
    let wiped = relay.owner(["wipe", "--yes"]).finish();
    wiped.must_end_with(0);
    memory::returns_to(relay.process(), before, kept);
    #[expect(
        clippy::disallowed_methods,
        reason = "how much is given back in a while is what is measured"
    )]
    std::thread::sleep(Duration::from_secs(3));
    memory::now(relay.process())
}

/// What one connection of this kind makes the relay hold. It has to be less than a request may cost.
fn held(attack: Attack) -> [String; 2] {
    let each = cost::held(attack);
    assert!(each < MOST_KIB, "{each} KiB for each of {attack}");
    [attack.to_string(), format!("{each:.1} KiB")]
}

/// What one request of this kind costs. It has to be less than any may.
fn asked(cost: Cost) -> [String; 3] {
    assert!(cost.all < MOST_TIME && cost.kib < MOST_KIB, "{cost:?}");
    let memory = if cost.kib < 0.05 {
        "none".to_owned()
    } else {
        format!("{:.1} KiB", cost.kib)
    };
    [cost.what, time(cost.serving), memory]
}
