//! What paying means: told before it begins, asked about where it is out of reach, and higher as the inbox fills up.

use crate::programs::{Relay, Signal, kkvc};

/// A price that nobody pays.
const OUT_OF_REACH: [&str; 4] = ["-c", "60", "-e", "86400"];

#[test]
fn a_price_out_of_reach_is_told_and_nothing_is_begun_without_a_terminal() {
    let relay = Relay::start(&OUT_OF_REACH);
    for suite in ["1", "2"] {
        let outcome = relay
            .send(["-m", "x", "--suite", suite])
            .finish()
            .must_end_with(5)
            .must_say("The relay asks for 2^60 hashes.")
            .must_say("there is 24 h for it")
            .must_say("nothing was delivered")
            .must_say("--anyway tries all the same");
        assert!(!outcome.stderr.contains("Paying"), "{}", outcome.stderr);
    }
    assert!(relay.list().is_empty());
}

#[test]
fn on_a_terminal_it_is_asked_about_and_only_a_yes_begins() {
    let relay = Relay::start(&OUT_OF_REACH);
    for answer in ["n\n", "\n", "\x04"] {
        let mut terminal = relay.send(["-m", "x"]).start_on(80, 24);
        terminal.wait_for("Try all the same? [y/N] ");
        terminal.press(answer);
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(5), "{answer:?} {screen}");
        let words: Vec<&str> = screen.split_whitespace().collect();
        assert!(
            words.join(" ").contains("nothing was delivered"),
            "{screen}"
        );
        assert!(!screen.contains("Paying"), "{screen}");
    }
    let mut terminal = relay.send(["-m", "x"]).start_on(80, 24);
    terminal.wait_for("Try all the same? [y/N] ");
    terminal.press("y\n");
    terminal.wait_for("0 of 16 found");
    terminal.process().signal(Signal::INT);
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(130), "{screen}");
}

#[test]
fn a_question_about_the_price_can_be_interrupted() {
    let relay = Relay::start(&OUT_OF_REACH);
    let mut terminal = relay.send(["-m", "x"]).start_on(80, 24);
    terminal.wait_for("Try all the same? [y/N] ");
    terminal.process().signal(Signal::INT);
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(130), "{screen}");
    assert!(
        screen.contains("cancelled; nothing was delivered"),
        "{screen}"
    );
}

#[test]
fn what_the_sender_gives_for_paying_is_enough_or_the_end() {
    let relay = Relay::start(&OUT_OF_REACH);
    for suite in ["1", "2"] {
        let send = ["-m", "x", "--suite", suite, "--max-time", "1s"];
        let outcome = relay.send(send).finish().must_end_with(5);
        outcome.must_say("there is 1 s for it");
        let send = ["-m", "x", "--suite", suite, "--max-time", "1s", "--anyway"];
        let outcome = relay.send(send).finish().must_end_with(5);
        outcome
            .must_say("no solution was found within 1 second")
            .must_say("nothing was delivered");
    }
    let cheap = Relay::start(&[]);
    for suite in ["1", "2"] {
        let send = [
            "-m",
            "x",
            "--suite",
            suite,
            "--max-time",
            "1m",
            "--threads",
            "1",
        ];
        cheap.send(send).finish().must_end_with(0);
    }
}

#[test]
fn where_max_time_alone_is_too_short_a_longer_one_is_advised() {
    // Any machine does it in a day, and none in a second.
    let relay = Relay::start(&["-c", "34", "-e", "86400"]);
    for suite in ["1", "2"] {
        let send = ["-m", "x", "--suite", suite, "--max-time", "1s"];
        let outcome = relay.send(send).finish().must_end_with(5);
        outcome.must_say("longer --max-time");
        let send = ["-m", "x", "--suite", suite, "--max-time", "1s", "--anyway"];
        let outcome = relay.send(send).finish().must_end_with(5);
        outcome.must_say("longer --max-time");
    }
}

#[test]
fn the_price_rises_as_the_inbox_fills_up_and_falls_again() {
    let relay = Relay::start(&["-m", "4", "-c", "2"]);
    let cost = || relay.owner(["status", "--json"]).finish().json()["cost"].clone();
    // 2 · log2 of 4/4, 4/3, 4/2, 4/1.
    for expected in [2, 2, 4, 6] {
        assert_eq!(cost(), expected);
        relay.deliver(b"x");
    }
    relay.send(["-m", "x"]).finish().must_end_with(4);
    let paid: Vec<_> = relay.list().iter().map(|m| m["cost"].clone()).collect();
    assert_eq!(paid, [2, 2, 4, 6]);
    relay
        .owner(["delete", "1", "2", "-y"])
        .finish()
        .must_end_with(0);
    assert_eq!(cost(), 4);
    let pinned = Relay::start(&["-m", "2", "-c", "2", "--adaptive", "off"]);
    pinned.deliver(b"x");
    pinned.deliver(b"x");
    assert_eq!(pinned.list()[1]["cost"], 2);
    let status = pinned.owner(["status"]).finish().stdout_text();
    assert!(
        status.contains("cost      2, however many slots are free"),
        "{status}"
    );
    let block = pinned.process().stdout();
    assert!(!block.contains("fills up"), "{block}");
}

#[test]
fn bench_says_what_each_cost_means_here() {
    let table = kkvc(["bench"]).finish().must_end_with(0).stdout_text();
    assert!(table.contains(" hashes a second for kkv/2"), "{table}");
    // All of it is to be seen on a terminal of 24 lines, with the command and the next prompt.
    assert!(table.lines().count() + 2 <= 24, "{table}");
    let first = table.lines().nth(5).expect("a first row");
    let first: u32 = first[..4].trim().parse().expect("a cost");
    assert!((20..=30).contains(&first), "{table}");
    for cost in first..=40.min(first + 16) {
        let row = format!("\n  {cost}  ");
        assert_eq!(table.matches(&row).count(), 1, "{cost} in {table}");
    }
    assert_eq!(table.matches("(the default)").count(), 1, "{table}");
    assert!(table.lines().all(|line| line.len() <= 80), "{table}");

    let json = kkvc(["bench", "--threads", "1", "--json"]);
    let json = json.finish().must_end_with(0).json();
    assert_eq!(json["threads"], 1);
    let mean = |row: usize| json["costs"][row]["times"][0]["mean_seconds"].as_f64();
    let (cheap, dear) = (mean(0).unwrap(), mean(20).unwrap());
    assert!((dear / cheap / 2f64.powi(20) - 1.0).abs() < 1e-6, "{json}");
    let rate = json["hashes_per_second"][0]["rate"].as_f64().unwrap();
    assert!((rate * cheap / 2f64.powi(20) - 1.0).abs() < 1e-6, "{json}");
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for (name, value, reason) in [
        ("--threads", "0", "from 1 to 1024"),
        ("--threads", "-1", "from 1 to 1024"),
        ("--threads", "many", "from 1 to 1024"),
        ("--max-time", "0s", "from 1s to 24h"),
        ("--max-time", "25h", "from 1s to 24h"),
        ("--max-time", "soon", "from 1s to 24h"),
    ] {
        let outcome = kkvc(["send", "127.0.0.1:1", "-m", "x", name, value]).finish();
        outcome.must_end_with(2).must_say(reason);
    }
}
