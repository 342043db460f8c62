//! How fast large bodies travel over HTTP on loopback, beside those of a bare server of the same library.

use std::time::{Duration, Instant};

use kkv_protocol::v2::ask::MAX_ANSWERS;
use kkv_protocol::v2::purpose::BodySize;
use tokio::net::TcpStream;

use crate::plain::{LARGE, Plain};
use crate::programs::Relay;
use crate::raw_http::{Wire, post};
use crate::requests::{AskHello, Request};
use crate::row::Quantity::Time;
use crate::row::Row;

/// Sessions, of which each brings sixteen bodies. The shortest time of one body counts, as everything else on the
/// machine can only make it longer.
const SESSIONS: usize = 8;

/// At least 60 % of a plain body's rate.
const MOST_OVER_PLAIN: f64 = 1.0 / 0.6;

/// A mebibyte that a relay answers, to who reads it and doesn't open it.
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
        vec![row.ratio_at_most(MOST_OVER_PLAIN)]
    })
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
