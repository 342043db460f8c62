//! One table of what the benches have measured, each next to what it is fairly compared to, with the bounds that it has
//! to keep.
//!
//! `scripts/bench` runs the benches and then this, which reads what criterion has saved, measures what criterion can't,
//! and fails if a bound is missed. How to read it: benches/README.md.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table is for reading"
)]

#[path = "support/alone.rs"]
mod alone;
#[path = "support/awake.rs"]
mod awake;
#[path = "table/bodies.rs"]
mod bodies;
#[path = "table/letters.rs"]
mod letters;
#[path = "table/looks.rs"]
mod looks;
#[path = "support/loopback.rs"]
mod loopback;
#[path = "table/machine.rs"]
mod machine;
#[path = "support/markdown.rs"]
mod markdown;
#[path = "table/measured.rs"]
mod measured;
#[path = "support/plain.rs"]
mod plain;
#[path = "../tests/siege/processor.rs"]
mod processor;
#[path = "../tests/support/programs.rs"]
mod programs;
#[path = "../tests/kkv1/raw_http.rs"]
mod raw_http;
#[path = "support/relay.rs"]
mod relay;
#[path = "../tests/siege/requests.rs"]
mod requests;
#[path = "table/row.rs"]
mod row;
#[path = "table/saved.rs"]
mod saved;
#[path = "support/searches.rs"]
mod searches;
#[path = "table/strangers.rs"]
mod strangers;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use kkv_base::limits::{DEFAULT_MESSAGES, MAX_BOXES, MAX_MESSAGES};
use kkv_pow::SUBPUZZLES;
use kkv_protocol::suite::Suite;

use measured::{CANCELS, COST, SOLVES, cancelling, rates, solving};
use row::Quantity::{Hashes, Rate, Time};
use row::Row;
use saved::Saved;
use searches::Searcher;

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS; // it is only being tried whether it can be built
    }
    let rows = match rows() {
        Ok(rows) => rows,
        Err(fault) => {
            eprintln!("No table: {fault:#}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}\n{}", row::table(&rows), looks::table());
    println!("{}", machine::described());
    let missed: Vec<String> = rows.iter().filter_map(Row::missed).collect();
    for row in &missed {
        eprintln!("MISSED: {row}");
    }
    if missed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn rows() -> Result<Vec<Row>> {
    // What is saved first, so that nobody waits for measurements to learn that the rest is missing.
    let saved = Saved::find()?;
    let (checks, queue, boxes) = (checks(&saved)?, queue(&saved)?, boxes(&saved)?);
    let parts = [
        searches(),
        solves(),
        checks,
        strangers::steps(),
        strangers::http(),
        bodies::rows(),
        queue,
        vec![boxes],
        letters::rows(),
    ];
    Ok(parts.concat())
}

/// The search on each instruction set, over the published loop, both on one thread; and on two threads over one.
fn searches() -> Vec<Row> {
    let rates = rates();
    // The published one comes first, and the widest of kkv/2 third.
    let (published, widest) = (Rate(rates[0].1), Rate(rates[2].1));
    let row = |(searcher, rate): &(Searcher, f64)| {
        let row = Row::new(searcher.to_string(), Rate(*rate));
        match searcher {
            Searcher::Published => None,
            Searcher::Ours { threads: 2, .. } => {
                Some(row.beside(widest, "one thread").ratio_at_least(1.9))
            }
            Searcher::Ours {
                suite,
                instructions,
                ..
            } => {
                let row = row.beside(published, "the published loop");
                // The bound is what these registers can do. A machine without them is no fault of the code.
                Some(match (instructions.to_string().as_str(), suite) {
                    ("AVX-512", Suite::V1) => row.ratio_at_least(10.0),
                    ("AVX-512", Suite::V2) => row.ratio_at_least(12.0),
                    _ => row,
                })
            }
        }
    };
    rates.iter().filter_map(row).collect()
}

/// What a sender waits for, beside the rate of its search: luck, and the end.
fn solves() -> Vec<Row> {
    let solved = solving();
    let p99 = |unit| format!("p99 of {SOLVES} kkv/2 solves at cost {COST}: {unit}");
    let cancelled = format!("cancelled search, slowest of {CANCELS}");
    vec![
        Row::new(p99("time"), Time(solved.time.p99))
            .beside(Time(solved.time.mean), "their mean")
            .ratio_at_most(1.8),
        Row::new(p99("hashes"), Hashes(solved.hashes.p99))
            .beside(Hashes(solved.hashes.mean), "their mean")
            .ratio_at_most(1.8),
        Row::new(cancelled, Time(cancelling())).at_most(Duration::from_millis(10)),
    ]
}

/// What it takes a relay to check a solution.
fn checks(saved: &Saved) -> Result<Vec<Row>> {
    let published = saved.time("verify/published check")?;
    let one_hash = saved.time("primitives/BLAKE3 keyed, 64 bytes (one nonce)")?;
    let bare = Time(one_hash * SUBPUZZLES as f64);
    let v1 = Row::new(
        "kkv/1 check of a solution",
        Time(saved.time("verify/kkv1")?),
    );
    let v2 = Row::new(
        "kkv/2 check of a solution",
        Time(saved.time("verify/kkv2")?),
    );
    Ok(vec![
        v1.beside(Time(published), "the published check"),
        v2.beside(bare, &format!("{SUBPUZZLES} bare hashes")),
    ])
}

/// A look for answers without HTTP and cryptography of its session, with as many boxes as there may be.
fn boxes(saved: &Saved) -> Result<Row> {
    let time = |words: &str| saved.time(&format!("replies/{words}/{MAX_BOXES}"));
    let what = format!("a look for answers in {MAX_BOXES} boxes, with words of a full one");
    Ok(Row::new(what, Time(time("its words")?))
        .beside(Time(time("other words")?), "with other words"))
}

/// The largest queue over the default one.
fn queue(saved: &Saved) -> Result<Vec<Row>> {
    let few = format!("with {DEFAULT_MESSAGES}");
    let mut rows = Vec::new();
    for (name, what) in [
        ("in and out", "one message in and out"),
        ("counts", "counts"),
        ("look", "a look at one message"),
    ] {
        let time = |messages: u32| saved.time(&format!("queue/{name}/{messages}"));
        let row = Row::new(
            format!("queue with {MAX_MESSAGES} messages: {what}"),
            Time(time(MAX_MESSAGES)?),
        );
        rows.push(row.beside(Time(time(DEFAULT_MESSAGES)?), &few));
    }
    let listed = |messages: u32| saved.rate(&format!("queue/list/{messages}"));
    let row = Row::new(
        format!("queue with {MAX_MESSAGES} messages: each that is listed"),
        Time(1.0 / listed(MAX_MESSAGES)?),
    );
    rows.push(row.beside(Time(1.0 / listed(DEFAULT_MESSAGES)?), &few));
    let taken = saved.time(&format!("queue/new/{MAX_MESSAGES}"))?;
    let what = format!("queue for {MAX_MESSAGES} messages: its memory taken");
    rows.push(Row::new(what, Time(taken)));
    Ok(rows)
}
