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

/// Mebibytes each way. Before those of answers another goes through the same circuit; files, and what `curl` tells,
/// have one to themselves that has carried nothing large.
const RUNS: usize = 36;
/// In which answers and `curl` take turns, each on a circuit of its own: a slow one counts for so little.
const TURNS: usize = 12;
/// What an ask tells, in bytes: whatever is asked, it is as long. `curl` is timed with nothing to tell, and with this.
const ASKED: usize = BodySize::Kib4.bytes();

/// Prints the times of both in turns, and the ratios of their rates.
pub(crate) fn beside_curl(relay: &Relay, socks: SocketAddr, onion: &str) {
    let host = onion.rsplit_once(':').map_or(onion, |(host, _)| host);
    let bare = format!("http://{host}:{PORT}");
    let runtime = Runtime::new().unwrap();
    let (mut down, mut up) = (Vec::new(), Vec::new());
    let (mut bare_down, mut bare_up) = (Vec::new(), Vec::new());
    let mut bare_asked = Vec::new();
    let url = format!("{bare}{LARGE}");
    for turn in 0..TURNS {
        down.extend(runtime.block_on(answers(socks, onion, RUNS / TURNS)));
        let proxy = format!("nothing{turn}:x@{socks}");
        bare_down.extend(curl_is_answered(&proxy, &url, 0));
        let proxy = format!("asked{turn}:x@{socks}");
        bare_asked.extend(curl_is_answered(&proxy, &url, ASKED));
    }
    crate::empty(relay);
    // One by one: what else the machine does changes within a few seconds.
    for run in 0..RUNS {
        up.push(runtime.block_on(upload(socks, onion)));
        bare_up.push(curl_tells(socks, &format!("{bare}{TAKES}"), run));
    }
    let ours = told("1 MiB answered", &mut down);
    let theirs = told("1 MiB by curl", &mut bare_down);
    let alike = told("1 MiB by curl that tells as much", &mut bare_asked);
    println!(
        "  rate over that of curl: {:.2}, {:.2} where it tells as much (has to be 0.8)",
        theirs / ours,
        alike / ours
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

/// How long `curl` takes for each of the mebibytes that it is answered on one connection, after a first one there, if it
/// tells `asked` bytes each time.
fn curl_is_answered(proxy: &str, url: &str, asked: usize) -> Vec<Duration> {
    let directory = tempfile::tempdir().unwrap();
    let mut curl = curl(proxy);
    if asked > 0 {
        let file = directory.path().join("body");
        std::fs::write(&file, vec![7; asked]).unwrap();
        curl.arg("--data-binary")
            .arg(format!("@{}", file.display()));
    }
    for _ in 0..=RUNS / TURNS {
        curl.args(["--output", "/dev/null", url]);
    }
    times(curl).split_off(1)
}

/// How long `curl` takes for a mebibyte that it tells, as an upload does: on a circuit of its own, over a connection
/// that has carried one small request.
fn curl_tells(socks: SocketAddr, url: &str, run: usize) -> Duration {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("body");
    std::fs::write(&file, vec![7; 1 << 20]).unwrap();
    // Of each name at its SOCKS port `tor` makes other circuits.
    let mut curl = curl(&format!("run{run}:x@{socks}"));
    curl.args(["--data", "small", "--output", "/dev/null", url, "--next"]);
    with_options(&mut curl, &format!("run{run}:x@{socks}"));
    curl.args(["--header", "Expect:", "--data-binary"]);
    curl.arg(format!("@{}", file.display()));
    curl.args(["--output", "/dev/null", url]);
    times(curl)[1]
}

fn curl(proxy: &str) -> Command {
    let mut curl = Command::new("curl");
    with_options(&mut curl, proxy);
    curl
}

fn with_options(curl: &mut Command, proxy: &str) {
    curl.args(["--silent", "--show-error", "--fail"]);
    curl.args(["--socks5-hostname", proxy]);
    curl.args(["--write-out", "%{time_total} %{num_connects}\n"]);
}

/// Of each request but the first no connection must have been made.
fn times(mut curl: Command) -> Vec<Duration> {
    let output = curl.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let told = String::from_utf8(output.stdout).unwrap();
    let times = told.lines().enumerate().map(|(place, line)| {
        let (time, connections) = line.split_once(' ').unwrap();
        assert_eq!(connections == "0", place > 0, "{told}");
        Duration::from_secs_f64(time.parse().unwrap())
    });
    times.collect()
}
