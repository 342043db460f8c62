//! How fast large bodies travel over HTTP on loopback, beside those of a bare server of the same library.

use std::cell::Cell;
use std::ops::Range;
use std::time::{Duration, Instant};

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
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

/// At least 60 % of the rate of a plain body whose cryptography is done beside it. Of the plain body's own rate nothing
/// sealed comes near: the seal alone takes several times as long.
const MOST_OVER_BARE: f64 = 1.0 / 0.6;

/// Bytes that are sealed at once.
const PIECE_BYTES: usize = 64 << 10;

/// How often the cryptography alone is done.
const TURNS: usize = 64;

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
        let mut rows = beside_bare(
            "1 MiB answered over HTTP on loopback",
            sealed,
            (bare, "a bare server's body"),
            (seals(), "that and its seals alone"),
        );
        rows.extend(uploads(&plain).await);
        rows
    })
}

/// What was measured beside a plain body, and beside that with its cryptography, which is bounded.
fn beside_bare(
    what: &str,
    measured: Duration,
    (bare, plain): (Duration, &str),
    (cryptography, both): (Duration, &str),
) -> Vec<Row> {
    let row = || Row::new(what, Time(measured.as_secs_f64()));
    let sum = bare + cryptography;
    vec![
        row().beside(Time(bare.as_secs_f64()), plain),
        row()
            .beside(Time(sum.as_secs_f64()), both)
            .ratio_at_most(MOST_OVER_BARE),
    ]
}

/// The shortest time in which the bare crate seals a mebibyte in pieces. To open it takes as long.
fn seals() -> Duration {
    let cipher = ChaCha20Poly1305::new(&[7; 32].into());
    let mut pieces = vec![7; 1 << 20];
    shortest_of(TURNS, || {
        for (number, piece) in (0_u8..).zip(pieces.chunks_mut(PIECE_BYTES)) {
            let nonce = [number; 12].into();
            let tag = cipher.encrypt_inout_detached(&nonce, b"", piece.into());
            std::hint::black_box(tag.expect("it fits"));
        }
    })
}

/// The shortest time in which a mebibyte is hashed.
fn hash() -> Duration {
    let file = vec![7; 1 << 20];
    shortest_of(TURNS, || {
        std::hint::black_box(blake3::hash(std::hint::black_box(&file)));
    })
}

/// The shortest time of so many turns.
pub(crate) fn shortest_of(turns: usize, mut run: impl FnMut()) -> Duration {
    let turn = || {
        let start = now();
        run();
        start.elapsed()
    };
    std::iter::repeat_with(turn)
        .take(turns)
        .min()
        .unwrap_or(Duration::MAX)
}

/// All pieces of a message, three at a time, as many as a relay reads at once, beside one body of as many bytes; in
/// turns.
async fn uploads(plain: &str) -> Vec<Row> {
    let relay = Relay::start(&["-c", "0", "--adaptive", "off", "--max-bytes", "64M"]);
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
    beside_bare(
        "1 MiB of files taken over HTTP on loopback",
        sealed,
        (bare, "a body told to a bare server"),
        (seals() + hash(), "that, its seals and its hash alone"),
    )
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
pub(crate) fn now() -> Instant {
    Instant::now()
}
