//! How long a look for answers takes over HTTP on loopback: of who has words of a box with answers, of one without, and
//! of who has other words. What they are told must not show by it (PROTOCOL.md §17).

use std::time::{Duration, Instant};

use kkv_protocol::suite::Suite;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_protocol::v2::ask::sender::Asking;
use kkv_protocol::v2::purpose::BodySize;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use tokio::net::TcpStream;

use crate::markdown::markdown;
use crate::programs::Relay;
use crate::raw_http::{Wire, get};
use crate::requests::{AskHello, Hello, Request};

/// Looks of each kind: a whole number of sessions, in each of which all kinds are asked for as often.
const LOOKS: usize = 4000;

/// Boxes beside, on each of which all words are tried.
const OTHERS: u8 = 100;

/// Answers that wait in the first box: as many as may.
const ANSWERS: usize = 4;

/// Samples that are drawn anew from those measured, to know how far the difference of two medians is luck.
const DRAWN: usize = 400;

const KINDS: [&str; 4] = [
    "a box with four answers",
    "a box without",
    "no box",
    "no box, once more",
];

/// Words of each kind.
const WORDS: [[u8; 16]; 4] = [[201; 16], [202; 16], [203; 16], [204; 16]];

/// A table of all of them.
pub(crate) fn table() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let times = runtime.block_on(measured());
    let nobody = &times[2];
    let rows = KINDS.iter().zip(&times).map(|(kind, times)| {
        let (least, most) = difference(times, nobody);
        let median = micros(quantile(times, 0.5)) - micros(quantile(nobody, 0.5));
        [
            (*kind).to_owned(),
            told(times, 0.1),
            told(times, 0.5),
            told(times, 0.9),
            format!("{median:+.1} µs ({least:+.1} to {most:+.1})"),
        ]
    });
    let head = [
        "a look for answers, told of",
        "p10",
        "median",
        "p90",
        "median less that of no box (19 of 20 lie in)",
    ];
    markdown(head, &rows.collect::<Vec<_>>())
}

/// The times of each kind, in order of length.
async fn measured() -> [Vec<Duration>; 4] {
    let relay = Relay::start(&["-c", "0", "-m", "200", "--adaptive", "off"]);
    let mut line = connect(&relay).await;
    for number in 0..OTHERS {
        leave(&mut line, &[number; 16]).await;
    }
    for (words, answers) in [(&WORDS[0], ANSWERS), (&WORDS[1], 0)] {
        leave(&mut line, words).await;
        let id = relay.list().len().to_string();
        for _ in 0..answers {
            let replied = relay.owner(["reply", &id, "-m", "an answer"]).finish();
            replied.must_end_with(0);
        }
    }
    let mut times: [Vec<Duration>; 4] = Default::default();
    let rng = &mut StdRng::seed_from_u64(1);
    while times[0].len() < LOOKS {
        let mut asking = session(&mut line).await;
        let mut kinds: Vec<usize> = (0..16).map(|number| number % 4).collect();
        kinds.shuffle(rng);
        for kind in kinds {
            let asked = ReplySecrets::new(&WORDS[kind]).ask(&mut asking, &[]);
            let request = Request::ask(&asked.expect("it fits")).bytes();
            let start = now();
            let answer = line.ask(&request).await;
            times[kind].push(start.elapsed());
            assert_eq!((answer.status, answer.body.len()), (200, 16_384));
        }
    }
    times.each_mut().map(|times| {
        times.sort_unstable();
        std::mem::take(times)
    })
}

/// Leaves a message that opens a box.
async fn leave(line: &mut Wire<TcpStream>, words: &[u8; 16]) {
    let hello = Hello::new(Suite::V2);
    let challenge = line.ask(&hello.pow().bytes()).await;
    let exchanging = hello.pays(&challenge.body, &[]);
    let keys = line.ask(&exchanging.request().bytes()).await;
    let part = ReplySecrets::new(words).opens(&mut rand::rng());
    let message = exchanging.message_with(&keys.body, &part);
    assert_eq!(line.ask(&message.bytes()).await.status, 200);
}

async fn session(line: &mut Wire<TcpStream>) -> Asking {
    let hello = AskHello::new(BodySize::Kib16);
    let challenge = line.ask(&hello.pow().bytes()).await;
    let exchanging = hello.pays(&challenge.body);
    let keys = line.ask(&exchanging.request().bytes()).await;
    exchanging.answered(&keys.body)
}

async fn connect(relay: &Relay) -> Wire<TcpStream> {
    let stream = TcpStream::connect(relay.address()).await;
    let stream = stream.expect("it listens");
    stream.set_nodelay(true).expect("a TCP stream");
    let mut line = Wire::new(stream);
    line.ask(&get("/status")).await;
    line
}

/// Between what two values, in µs, nineteen in twenty differences of medians lie (bootstrap).
fn difference(times: &[Duration], others: &[Duration]) -> (f64, f64) {
    let rng = &mut StdRng::seed_from_u64(2);
    let mut median = |of: &[Duration]| {
        let mut drawn: Vec<Duration> = (0..of.len())
            .map(|_| of[rng.random_range(0..of.len())])
            .collect();
        let middle = drawn.len() / 2;
        micros(*drawn.select_nth_unstable(middle).1)
    };
    let mut differences: Vec<f64> = (0..DRAWN).map(|_| median(times) - median(others)).collect();
    differences.sort_by(f64::total_cmp);
    (differences[DRAWN / 40], differences[DRAWN - 1 - DRAWN / 40])
}

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    sorted[(sorted.len() as f64 * share) as usize]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn told(sorted: &[Duration], share: f64) -> String {
    format!("{:.1} µs", micros(quantile(sorted, share)))
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
fn now() -> Instant {
    Instant::now()
}
