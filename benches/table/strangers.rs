//! What a stranger costs the relay: in turns with the cryptography that the protocol asks for, and as the program `kkv`
//! over HTTP on loopback.

use std::time::Duration;

use kkv_base::clock::{Clock, SystemClock};
use kkv_protocol::suite::Suite;

use crate::alone::Operations;
use crate::loopback::{self, Connections};
use crate::relay::{Bench, By};
use crate::row::Quantity::Time;
use crate::row::Row;

/// Turns of each; of its averages over a batch the best is taken, as everything else on the machine can only make it
/// slower.
const TURNS: usize = 60;
/// How often the cryptography is done in a turn.
const REPEATED: u32 = 32;

/// To refuse who has not paid may take this share of what a message takes that is paid for.
const MOST_UNPAID: f64 = 0.03;
/// A message over HTTP on one connection may take so many times what its cryptography takes.
const MOST_OVER_HTTP: f64 = 2.2;

/// A message in each suite, and what is refused before anything is paid.
pub(crate) fn steps() -> Vec<Row> {
    let operations = Operations::new();
    let [v1, v2] = [Bench::new(By::Steps), Bench::new(By::Steps)];
    let [mut one, mut two] = [Best::default(), Best::default()];
    for _ in 0..TURNS {
        one.takes(v1.messages(Suite::V1).sum(), timed(|| operations.v1()));
        two.takes(v2.messages(Suite::V2).sum(), timed(|| operations.v2()));
    }
    let alone = "its cryptography alone";
    let mut rows = vec![
        Row::new(
            "kkv/1 message through the relay, without HTTP",
            Time(one.relay),
        )
        .beside(Time(one.cryptography), alone)
        .ratio_at_most(1.2),
        Row::new(
            "kkv/2 message through the relay, without HTTP",
            Time(two.relay),
        )
        .beside(Time(two.cryptography), alone),
    ];
    rows.extend(asks(&v2, &operations));
    let asked = [
        (Suite::V1, &v1, one.cryptography),
        (Suite::V2, &v2, two.cryptography),
    ];
    for (suite, bench, cryptography) in asked {
        for (what, forged) in [("forged challenge", true), ("last nonce wrong", false)] {
            let times = (0..TURNS).map(|_| bench.unpaid(suite, forged).as_secs_f64());
            let row = Row::new(
                format!("{suite} exchange refused, {what}"),
                Time(times.fold(f64::INFINITY, f64::min)),
            );
            let row = row.beside(Time(cryptography), "the cryptography of a message");
            rows.push(row.ratio_at_most(MOST_UNPAID));
        }
    }
    rows.push(uninvited(&v2));
    rows
}

/// A forged invitation beside a forged exchange, in turns.
fn uninvited(relay: &Bench) -> Row {
    let [mut invitation, mut exchange] = [f64::INFINITY; 2];
    for _ in 0..TURNS {
        invitation = invitation.min(relay.uninvited().as_secs_f64());
        exchange = exchange.min(relay.unpaid(Suite::V2, true).as_secs_f64());
    }
    Row::new(
        "kkv/2 challenge refused, forged invitation, of 64",
        Time(invitation),
    )
    .beside(Time(exchange), "an exchange refused, forged challenge")
    .ratio_at_most(1.0)
}

/// A session for one empty ask, and one more in it.
fn asks(relay: &Bench, operations: &Operations) -> [Row; 2] {
    let [mut session, mut another] = [Best::default(), Best::default()];
    for _ in 0..TURNS {
        let spent = relay.asks();
        session.takes(spent.sum(), timed(|| operations.v2_ask()));
        another.takes(spent.msg, timed(|| operations.empty_ask()));
    }
    let row = |what: &str, best: &Best| {
        Row::new(what, Time(best.relay)).beside(Time(best.cryptography), "its cryptography alone")
    };
    [
        row("empty ask with its session, without HTTP", &session).ratio_at_most(1.2),
        row("one more empty ask in a session, without HTTP", &another),
    ]
}

/// The program's processor time, and how long strangers wait while its owner lists many messages.
pub(crate) fn http() -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let operations = Operations::new();
    runtime.block_on(async {
        let mut rows = Vec::new();
        for (connections, name) in [
            (Connections::One, "one connection"),
            (Connections::Four, "four connections"),
        ] {
            let spent = loopback::four_requests(connections).await;
            let cryptography = (0..TURNS).map(|_| timed(|| operations.v1())).min();
            let cryptography = cryptography.unwrap_or_default().as_secs_f64();
            let what = format!("kkv/1 message over HTTP on loopback, {name}: processor time");
            let row = Row::new(what, Time(spent.relay.as_secs_f64()));
            let row = row.beside(Time(cryptography), "its cryptography alone");
            rows.push(match connections {
                Connections::One => row.ratio_at_most(MOST_OVER_HTTP),
                Connections::Four => row,
            });
            let what = format!("the same requests to a bare server, {name}: processor time");
            rows.push(Row::new(what, Time(spent.plain.as_secs_f64())));
        }
        let (asked, other) = (loopback::full_relay().await, loopback::full_relay().await);
        let listed = loopback::strangers_wait(&asked, &asked).await;
        let elsewhere = loopback::strangers_wait(&asked, &other).await;
        for (share, name) in [(0.5, "median"), (0.99, "p99")] {
            let at = |waits: &[Duration]| {
                Time(waits[(waits.len() as f64 * share) as usize].as_secs_f64())
            };
            let what = format!(
                "a stranger's wait while {} messages are listed without pause: {name}",
                loopback::LISTED
            );
            rows.push(Row::new(what, at(&listed)).beside(at(&elsewhere), "those of another relay"));
        }
        let (asked, other) = (loopback::relay_for_files(), loopback::relay_for_files());
        let here = loopback::texts_wait(&asked, &asked).await;
        let elsewhere = loopback::texts_wait(&asked, &other).await;
        for (share, name) in [(0.5, "median"), (0.99, "p99")] {
            let at = |waits: &[Duration]| {
                Time(waits[(waits.len() as f64 * share) as usize].as_secs_f64())
            };
            let what =
                format!("a text's three requests while files of 1 MiB come without pause: {name}");
            rows.push(Row::new(what, at(&here)).beside(at(&elsewhere), "those to another relay"));
        }
        rows
    })
}

/// The shortest of each, in seconds.
struct Best {
    relay: f64,
    cryptography: f64,
}

impl Default for Best {
    fn default() -> Self {
        let (relay, cryptography) = (f64::INFINITY, f64::INFINITY);
        Self {
            relay,
            cryptography,
        }
    }
}

impl Best {
    fn takes(&mut self, relay: Duration, cryptography: Duration) {
        self.relay = self.relay.min(relay.as_secs_f64());
        self.cryptography = self.cryptography.min(cryptography.as_secs_f64());
    }
}

/// How long `work` takes on average.
fn timed(work: impl Fn()) -> Duration {
    let clock = SystemClock::default();
    let start = clock.elapsed();
    for _ in 0..REPEATED {
        work();
    }
    clock.elapsed().saturating_sub(start) / REPEATED
}
