//! How fast large bodies travel over HTTP on loopback, beside those of a bare server of the same library.

use std::cell::Cell;
use std::ops::Range;
use std::time::{Duration, Instant};

use kkv_protocol::v2::ask::MAX_ANSWERS;
use kkv_protocol::v2::purpose::{BodySize, LargeSize};
use tokio::net::TcpStream;

use crate::plain::{LARGE, Plain, TAKES};
use crate::programs::Relay;
use crate::raw_http::{Wire, post};
use crate::requests::{AskHello, LargeHello, Request};
use crate::row::Quantity::Time;
use crate::row::Row;

/// Sessions, of which each brings sixteen bodies. The shortest time of one body counts, as everything else on the
/// machine can only make it longer.
const SESSIONS: usize = 8;

/// At least 60 % of a plain body's rate.
const MOST_OVER_PLAIN: f64 = 1.0 / 0.6;

/// Messages with a file of which the time is taken.
const UPLOADS: usize = 48;

/// A mebibyte that a relay answers, to who reads it and doesn't open it; and one that it takes, from who has sealed it
/// before.
pub(crate) fn rows() -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let relay = Relay::start(&["-c", "0"]);
        let plain = Plain::start();
        let plain = plain.address.to_string();
        let [mut sealed, mut bare] = [Duration::MAX; 2];
        for _ in 0..SESSIONS {
            sealed = sealed.min(answers(relay.address()).await);
            let request = post(LARGE, "application/octet-stream", [0; 4096]);
            let requests = vec![request; MAX_ANSWERS.into()];
            bare = bare.min(shortest(&mut connect(&plain).await, requests).await);
        }
        let row = Row::new(
            "1 MiB answered over HTTP on loopback",
            Time(sealed.as_secs_f64()),
        );
        let row = row.beside(Time(bare.as_secs_f64()), "a bare server's body");
        vec![
            row.ratio_at_most(MOST_OVER_PLAIN),
            uploads(&plain).await.ratio_at_most(MOST_OVER_PLAIN),
        ]
    })
}

/// All pieces of a message, three at a time as `kkvc` sends them, beside one body of as many bytes; in turns.
async fn uploads(plain: &str) -> Row {
    let relay = Relay::start(&["-c", "0", "--adaptive", "off", "--max-bytes", "64M"]);
    // As many as `kkvc` has.
    let mut lines = [
        connect(relay.address()).await,
        connect(relay.address()).await,
        connect(relay.address()).await,
    ];
    let mut bare_line = connect(plain).await;
    let [mut sealed, mut bare] = [Duration::MAX; 2];
    for _ in 0..UPLOADS {
        let pieces: Vec<_> = pieces(&mut lines[0]).await;
        let pieces: Vec<_> = pieces.iter().map(Request::bytes).collect();
        let left = Cell::new(0..pieces.len());
        let start = now();
        let [one, two, three] = &mut lines;
        tokio::join!(
            all_taken(one, &pieces, &left),
            all_taken(two, &pieces, &left),
            all_taken(three, &pieces, &left),
        );
        sealed = sealed.min(start.elapsed());
        let request = post(TAKES, "application/octet-stream", vec![0; 1 << 20]);
        let start = now();
        assert_eq!(bare_line.ask(&request).await.status, 200);
        bare = bare.min(start.elapsed());
    }
    Row::new(
        "1 MiB of files taken over HTTP on loopback",
        Time(sealed.as_secs_f64()),
    )
    .beside(Time(bare.as_secs_f64()), "a body told to a bare server")
}

/// A session for a message of a mebibyte, and all of its pieces.
async fn pieces(line: &mut Wire<TcpStream>) -> Vec<Request> {
    let hello = LargeHello::new(LargeSize::Mib1);
    let challenge = line.ask(&hello.pow().bytes()).await;
    let exchanging = hello.pays(&challenge.body);
    let keys = line.ask(&exchanging.request().bytes()).await;
    let file = vec![7; LargeSize::Mib1.content_room() - 1000];
    exchanging.pieces(&keys.body, &file)
}

/// Sends one after the other of what is left.
async fn all_taken(line: &mut Wire<TcpStream>, pieces: &[Vec<u8>], left: &Cell<Range<usize>>) {
    loop {
        let mut range = left.take();
        let next = range.next();
        left.set(range);
        let Some(next) = next else { return };
        let answer = line.ask(&pieces[next]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// All answers of a session.
async fn answers(address: &str) -> Duration {
    let mut wire = connect(address).await;
    let hello = AskHello::new(BodySize::Mib1);
    let challenge = wire.ask(&hello.pow().bytes()).await;
    let exchanging = hello.pays(&challenge.body);
    let keys = wire.ask(&exchanging.request().bytes()).await;
    let mut asking = exchanging.answered(&keys.body);
    let requests = (0..MAX_ANSWERS).map(|_| {
        let asked = asking.request(0, b"", BodySize::Kib4).expect("it fits");
        Request::ask(&asked).bytes()
    });
    let requests = requests.collect();
    shortest(&mut wire, requests).await
}

/// The shortest time from a request to the end of its answer.
async fn shortest(wire: &mut Wire<TcpStream>, requests: Vec<Vec<u8>>) -> Duration {
    let mut shortest = Duration::MAX;
    for request in requests {
        let start = now();
        let answer = wire.ask(&request).await;
        shortest = shortest.min(start.elapsed());
        assert_eq!((answer.status, answer.body.len()), (200, 1 << 20));
    }
    shortest
}

async fn connect(address: &str) -> Wire<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("a TCP stream");
    Wire::new(stream)
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
fn now() -> Instant {
    Instant::now()
}
