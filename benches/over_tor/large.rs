//! A mebibyte each way: a message with a file, and a large answer, beside `curl` through the same `tor` to a bare
//! server behind the same onion service. Connections are open before the time begins, so what counts is the line.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use kkv_base::clock::SystemClock;
use kkv_client::sender::{Asker, Delivery, DeliveryOptions, Reply, Uploader};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::random;
use kkv_protocol::files::{File, Files};
use kkv_protocol::v2::purpose::{BodySize, LargeSize};
use tokio::runtime::Runtime;

use crate::plain::{LARGE, TAKES};
use crate::programs::Relay;
use crate::{Nobody, told, way};

/// Where the bare server is behind the onion service.
pub(crate) const PORT: u16 = 80;

/// Mebibytes each way. Before each of `curl`'s, and of the answers, another warms the connection up; an upload has the
/// circuit to itself on which its message was paid for.
const RUNS: usize = 15;
/// In which answers and `curl` take turns: a session has so many asks.
const TURNS: usize = 3;

/// Prints the times of both in turns, and the ratios of their rates.
pub(crate) fn beside_curl(relay: &Relay, socks: SocketAddr, onion: &str) {
    let host = onion.rsplit_once(':').map_or(onion, |(host, _)| host);
    let bare = format!("http://{host}:{PORT}");
    let runtime = Runtime::new().unwrap();
    let (mut down, mut up) = (Vec::new(), Vec::new());
    let (mut bare_down, mut bare_up) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        down.extend(runtime.block_on(answers(socks, onion, RUNS / TURNS)));
        bare_down.extend(curl(socks, &format!("{bare}{LARGE}"), None, RUNS / TURNS));
    }
    crate::empty(relay);
    // One by one: what else the machine does changes within a few seconds.
    for _ in 0..RUNS {
        up.push(runtime.block_on(upload(socks, onion)));
        let told = Some(1 << 20);
        bare_up.extend(curl(socks, &format!("{bare}{TAKES}"), told, 1));
    }
    let ours = told("1 MiB answered", &mut down);
    let theirs = told("1 MiB by curl", &mut bare_down);
    println!(
        "  rate over that of curl: {:.2} (has to be 0.8)",
        theirs / ours
    );
    let ours = told("1 MiB of files taken", &mut up);
    let theirs = told("1 MiB told by curl", &mut bare_up);
    println!(
        "  rate over that of curl: {:.2} (has to be 0.8)",
        theirs / ours
    );
}

async fn answers(socks: SocketAddr, onion: &str, runs: usize) -> Vec<Duration> {
    let (dialer, target) = way(&format!("socks5://{socks}"), onion);
    let clock = SystemClock::default();
    let delivery = Delivery {
        dialer: &dialer,
        options: DeliveryOptions::new(target),
        clock: &clock,
        observer: &Nobody,
    };
    let mut asker = Asker::new(&delivery, BodySize::Mib1);
    let mut times = Vec::new();
    for _ in 0..=runs {
        let rng = &mut random::kernel();
        let began = Instant::now();
        let asked = asker.ask(|asking| asking.request(0, b"", BodySize::Kib4), rng);
        asked.await.unwrap();
        times.push(began.elapsed());
    }
    times.split_off(1)
}

/// From the first byte of the first piece to the receipt: the message is paid for and sealed before.
async fn upload(socks: SocketAddr, onion: &str) -> Duration {
    let (dialer, target) = way(&format!("socks5://{socks}"), onion);
    let clock = SystemClock::default();
    let delivery = Delivery {
        dialer: &dialer,
        options: DeliveryOptions::new(target),
        clock: &clock,
        observer: &Nobody,
    };
    let bytes = vec![7; LargeSize::Mib1.content_room() - 1000];
    let rng = &mut random::kernel();
    let files = vec![File::new("file", "", &bytes).unwrap()];
    let files = Files::new("", files).unwrap();
    let mut uploader = Uploader::new(&delivery);
    let key = SenderKey::generate(rng);
    let (upload, _) = uploader.begin(key, &files, Reply::No, rng).await.unwrap();
    let began = Instant::now();
    uploader.send(upload).await.unwrap();
    began.elapsed()
}

/// How long `curl` takes for each of `runs` mebibytes on one connection, after a first one there; it tells `body`
/// bytes, or nothing.
fn curl(socks: SocketAddr, url: &str, body: Option<usize>, runs: usize) -> Vec<Duration> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("body");
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--socks5-hostname"]);
    curl.arg(socks.to_string());
    curl.args(["--write-out", "%{time_total}\n"]);
    if let Some(bytes) = body {
        std::fs::write(&file, vec![7; bytes]).unwrap();
        curl.args(["--header", "Expect:", "--data-binary"]);
        curl.arg(format!("@{}", file.display()));
    }
    for _ in 0..=runs {
        curl.args(["--output", "/dev/null", url]);
    }
    let output = curl.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let times = String::from_utf8(output.stdout).unwrap();
    let times = times
        .lines()
        .map(|line| Duration::from_secs_f64(line.parse().unwrap()));
    times.skip(1).collect()
}
