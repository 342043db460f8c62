//! How fast the page's script searches, in browsers as they are found here and at Tor Browser's levels, beside `kkvc`
//! and the loop that the published client calls; what a check costs the relay, and what a look at the page does.
//!
//! `cargo bench --no-default-features --bench page`. Its table is in benches/README.md.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a benchmark stops where something is missing, measures real time and prints what it has measured"
)]

#[path = "../tests/siege/attack.rs"]
mod attack;
#[path = "page/browsers.rs"]
mod browsers;
#[path = "../tests/support/chromium.rs"]
mod chromium;
#[path = "../tests/siege/cost.rs"]
mod cost;
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
#[path = "support/searches.rs"]
mod searches;

use std::hint::black_box;
use std::time::{Duration, Instant};

use kkv_page::derived::{ITERATIONS, derive};
use kkv_pow::{InstructionSet, PuzzleKey};
use kkv_protocol::suite::Suite;

use browsers::{Browser, Rates};
use markdown::markdown;
use searches::Searcher;

/// How long each search is measured, and how often: the best counts.
const TIME: Duration = Duration::from_secs(2);
const TURNS: usize = 3;

/// Workers at once. Tor Browser says of every machine that it has four cores.
const WORKERS: [usize; 2] = [1, 4];

/// The default price.
const COST: i32 = 30;

/// Looks at the page.
const REQUESTS: u32 = 2000;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return; // it is only being tried whether it can be built
    }
    let mut rows = Vec::new();
    for browser in Browser::ALL {
        let [one, all] = WORKERS.map(|workers| best(|| browser.rates(workers, TIME)));
        rows.push(row(&browser.to_string(), one, Some(all)));
    }
    let node = best(|| browsers::node(TIME));
    rows.push(row("Node", node, None));
    for (name, searcher) in [
        ("`kkvc`, one thread", ours(1)),
        ("`kkvc`, two threads", ours(2)),
        ("the published loop, its one thread", Searcher::Published),
    ] {
        let hash = (0..TURNS).map(|_| searcher.rate(TIME)).fold(0.0, f64::max);
        rows.push(row(name, Rates { hash, pbkdf2: 0.0 }, None));
    }
    let head = [
        "what searches",
        "hashes a second, one worker",
        "four",
        "PBKDF2, iterations a second, one worker",
        "four",
        "a message at the default price by hashes",
        "by PBKDF2",
    ];
    println!("{}", markdown(head, &rows));

    let mut rows = vec![[
        "a check of a payment by PBKDF2, four nonces".to_owned(),
        time(check()),
    ]];
    for cost in cost::of_the_page(REQUESTS) {
        rows.push([cost.what, time(cost.all.as_secs_f64())]);
    }
    let head = ["what the relay does", "processor time"];
    println!("{}", markdown(head, &rows));
    println!("{}", machine::described());
}

fn ours(threads: usize) -> Searcher {
    Searcher::Ours {
        suite: Suite::V2,
        threads,
        instructions: InstructionSet::best(),
    }
}

fn best(measure: impl Fn() -> Rates) -> Rates {
    let turns = (0..TURNS).map(|_| measure());
    turns.fold(Rates::default(), |one, other| Rates {
        hash: one.hash.max(other.hash),
        pbkdf2: one.pbkdf2.max(other.pbkdf2),
    })
}

/// The times are those of what does most.
fn row(name: &str, one: Rates, all: Option<Rates>) -> [String; 7] {
    let most = all.unwrap_or(one);
    let of_all = |rate: fn(Rates) -> f64| all.map_or_else(|| "–".to_owned(), |all| many(rate(all)));
    [
        name.to_owned(),
        many(one.hash),
        of_all(|rates| rates.hash),
        many(one.pbkdf2 * f64::from(ITERATIONS)),
        of_all(|rates| rates.pbkdf2 * f64::from(ITERATIONS)),
        time(2_f64.powi(COST) / most.hash),
        time(2_f64.powi(COST - 12) / most.pbkdf2),
    ]
}

fn many(rate: f64) -> String {
    if rate == 0.0 {
        "–".to_owned()
    } else {
        format!("{:.2} M", rate / 1e6)
    }
}

fn time(seconds: f64) -> String {
    if !seconds.is_finite() {
        "–".to_owned()
    } else if seconds < 1e-3 {
        format!("{:.1} µs", seconds * 1e6)
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}

/// Seconds of the least of many.
fn check() -> f64 {
    let times = (0..1000_u64).map(|nonce| {
        let began = Instant::now();
        for nonce in 4 * nonce..4 * nonce + 4 {
            black_box(derive(&PuzzleKey([7; 32]), nonce));
        }
        began.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}
