//! What a user waits for, over a private network of real `tor` daemons on this machine: until an inbox is reachable,
//! and until a message is accepted; what memory the relay takes; and our delivery next to the published client's
//! sequence in the same run.
//!
//! The network has no distance, so times are what the programs and their handshakes take; over the public network each
//! round trip adds its own. Cost 1, largest message of each suite.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark stops where something is missing, measures real time and prints what it has measured"
)]

#[path = "over_tor/large.rs"]
mod large;
#[path = "support/plain.rs"]
#[allow(dead_code, reason = "a library to the benchmarks")]
mod plain;
#[path = "../tests/support/programs.rs"]
mod programs;
#[path = "../tests/kkv1/published.rs"]
mod published;
#[path = "over_tor/published_client.rs"]
mod published_client;
#[path = "../tests/kkv1/raw_http.rs"]
mod raw_http;
#[path = "../tests/embedded/stage.rs"]
#[allow(dead_code, reason = "a library to the tests")]
mod stage;
#[path = "../tests/support/tor_network.rs"]
mod tor_network;

use std::path::Path;
use std::time::{Duration, Instant};

use kkv_base::clock::SystemClock;
use kkv_base::limits::{DEFAULT_PORT, DIAL_TIMEOUT, MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};
use kkv_client::sender::{Delivery, DeliveryOptions, Event, Observer, Reply, deliver};
use kkv_net::tor::{SocksDialer, SocksProxy, Target};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::random;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use plain::Plain;
use programs::{Relay, Run, Signal};
use published_client::Circuits;
use stage::{EmbeddedRelay, path};
use tor_network::{TorNetwork, service_lines};

const TORRC_EXAMPLE: &str = include_str!("../torrc.example");
/// Runs of each thing that takes a second or less, and of each that takes more.
const MANY: usize = 41;
const FEW: usize = 9;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return; // it is only being tried whether it can be built
    }
    let network = TorNetwork::start().unwrap_or_else(|fault| panic!("{fault:#}"));
    let config = network.dir().join("arti.toml");
    std::fs::write(&config, network.arti_config()).unwrap();

    println!("Tor inside");
    let embedded = embedded_relay(&network, &config);
    memory("", &embedded.relay);
    embedded_sender(&network, &config, &embedded.onion);
    fill(&embedded.relay);
    memory(" with 50 messages", &embedded.relay);

    println!("System Tor");
    let external = Relay::start(&["--tor", "external", "-c", "1", "--max-bytes", "64M"]);
    memory("", &external);
    let behind = external.address();
    let lines = service_lines(TORRC_EXAMPLE, behind).unwrap();
    let bare = Plain::start();
    let bare_port = format!("HiddenServicePort {} {}", large::PORT, bare.address);
    let lines = format!("{lines}\n{bare_port}\n");
    let began = Instant::now();
    let onion = network.onion_service("host", &lines);
    let onion = onion.unwrap_or_else(|fault| panic!("{fault:#}"));
    told("its tor published after", &mut [began.elapsed()]);
    let began = Instant::now();
    let socks = network.socks_client("sender");
    let socks = socks.unwrap_or_else(|fault| panic!("{fault:#}"));
    told("the sender's tor connected after", &mut [began.elapsed()]);
    let proxy = format!("socks5://{socks}");
    let by_socks = |_: usize| {
        let run = programs::kkvc(["--tor", &proxy, "send", &onion]);
        timed(run.stdin("x".repeat(MAX_TEXT_BYTES)))
    };
    told("kkvc send", &mut times(MANY, by_socks));
    fill(&external);
    memory(" with 50 messages", &external);

    println!(
        "1 MiB through the same tor to the same inbox, beside curl and a bare server of the same library"
    );
    large::beside_curl(&external, socks, &onion);

    println!("kkv/1, one message through the same tor to the same inbox");
    let runtime = Runtime::new().unwrap();
    let text = "x".repeat(MAX_TEXT_BYTES_V1);
    let (mut ours, mut apart, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..MANY {
        empty(&external);
        // In turns, so that whatever else happens on the machine happens to all.
        ours.push(runtime.block_on(our_delivery(&proxy, &onion, &text)));
        for (circuits, times) in [
            (Circuits::OfItsOwn, &mut apart),
            (Circuits::Shared, &mut shared),
        ] {
            let began = Instant::now();
            runtime.block_on(published_client::send(
                socks,
                &onion,
                text.as_bytes(),
                circuits,
            ));
            times.push(began.elapsed());
        }
    }
    let ours = told("this sender, circuits of its own", &mut ours);
    let apart = told("published sequence, circuits of its own", &mut apart);
    let shared = told(
        "published sequence, circuits of the message before",
        &mut shared,
    );
    println!(
        "  ratio of medians, published over ours: {:.2} on circuits of its own, {:.2} on those of the message before",
        apart / ours,
        shared / ours
    );
}

/// Starts relays with embedded Tor; returns the last.
fn embedded_relay(network: &TorNetwork, config: &Path) -> EmbeddedRelay {
    let start = |state: &str| {
        let state = network.dir().join(state);
        let began = Instant::now();
        let options = ["--state-dir", path(&state), "-c", "1"];
        let relay = stage::start(config, &options);
        relay.must_become("reachable");
        (began.elapsed(), relay)
    };
    let stop = |(time, relay): (Duration, EmbeddedRelay)| {
        relay.relay.process().signal(Signal::TERM);
        relay.relay.process().finish().must_end_with(0);
        time
    };
    let first = |i| stop(start(&format!("relay{i}")));
    told("reachable after the first start", &mut times(FEW, first));
    told(
        "reachable after a start again",
        &mut times(FEW, |_| stop(start("relay0"))),
    );
    start("relay0").1
}

fn embedded_sender(network: &TorNetwork, config: &Path, onion: &str) {
    let send = |state: &str| {
        let state = network.dir().join(state);
        timed(stage::send(
            config,
            &state,
            onion,
            &[],
            &"x".repeat(MAX_TEXT_BYTES),
        ))
    };
    let cold = |i| send(&format!("sender{i}"));
    told("kkvc send, the first ever", &mut times(FEW, cold));
    told("kkvc send, later", &mut times(MANY, |_| send("sender0")));
}

/// How long a run takes that has to succeed.
fn timed(run: Run) -> Duration {
    let began = Instant::now();
    let process = run.start();
    let (_, ended) = process.ended();
    process.finish().must_end_with(0);
    ended - began
}

fn times(runs: usize, mut run: impl FnMut(usize) -> Duration) -> Vec<Duration> {
    (0..runs).map(&mut run).collect()
}

/// Prints median, least and most; returns the median in seconds.
fn told(what: &str, times: &mut [Duration]) -> f64 {
    times.sort();
    let (median, least, most) = (times[times.len() / 2], times[0], times[times.len() - 1]);
    let runs = times.len();
    println!(
        "  {what}: {:.2} s ({:.2} to {:.2}, {runs} runs)",
        median.as_secs_f64(),
        least.as_secs_f64(),
        most.as_secs_f64()
    );
    median.as_secs_f64()
}

fn empty(relay: &Relay) {
    let deleted = relay.owner(["delete", "--all", "--yes"]).finish();
    deleted.must_end_with(0);
}

/// Leaves fifty messages, in place of whatever is there.
fn fill(relay: &Relay) {
    empty(relay);
    for _ in 0..50 {
        relay.deliver("x".repeat(MAX_TEXT_BYTES).as_bytes());
    }
}

fn memory(when: &str, relay: &Relay) {
    let pid = relay.process().pid().as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    println!("  memory of kkv{when}: {}", line.unwrap().trim());
}

#[derive(Debug)]
struct Nobody;

impl Observer for Nobody {
    fn event(&self, _: Event) {}
}

/// A way to the inbox on circuits of its own, and its target.
fn way(proxy: &str, onion: &str) -> (SocksDialer, Target) {
    let proxy: SocksProxy = proxy.parse().unwrap();
    let address = onion.parse().unwrap();
    let port = DEFAULT_PORT;
    let rng = &mut random::kernel();
    let dialer = SocksDialer::new(proxy, address, port, DIAL_TIMEOUT, rng);
    (dialer, Target::Onion { address, port })
}

async fn our_delivery(proxy: &str, onion: &str, text: &str) -> Duration {
    let rng = &mut random::kernel();
    let (dialer, target) = way(proxy, onion);
    let delivery = Delivery {
        dialer: &dialer,
        options: DeliveryOptions {
            suites: SuitePolicy::Only(Suite::V1),
            ..DeliveryOptions::new(target)
        },
        clock: &SystemClock::default(),
        observer: &Nobody,
    };
    let text = Text::new(Zeroizing::new(text.to_owned())).unwrap();
    let began = Instant::now();
    deliver(&delivery, SenderKey::generate(rng), &text, Reply::No, rng)
        .await
        .unwrap();
    began.elapsed()
}
