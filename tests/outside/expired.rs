//! "RAM only": a session that ends without its message leaves nothing behind. Minutes are too long for a test to
//! wait, so this relay is another process of the test itself: the same rooms, with a clock that is moved.

use std::env;
use std::io::{self, Write};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_base::limits::SESSION_LIFETIME;
use kkv_net::http::ConnectionLimits;
use kkv_net::tor::LocalListener;
use kkv_pow::Cost;
use kkv_protocol::crypto::scrub;
use kkv_protocol::suite::SuitePolicy;
use kkv_relay::memory;
use kkv_relay::queue::Queue;
use kkv_relay::relay::{Pricing, Relay, RelayConfig, router};
use tokio::signal::unix::{SignalKind, signal};

use super::process_memory::{must_be_nowhere, scan};
use super::stage::{RUNS, all_threads_sleep};
use super::stranger::{Session, Stranger};
use crate::programs::{Process, Signal, until};

/// Tells the other process that it is the relay, and how many seconds SIGUSR1 lets pass.
const ROLE: &str = "KKV_TEST_IS_THE_RELAY";

/// Memory of such a relay for files.
pub(super) const SHARE_BYTES: usize = 1 << 20;

/// How much time passes at once in this process, if it is to [be the relay](be_the_relay).
pub(super) fn role() -> Option<Duration> {
    let seconds = env::var(ROLE).ok()?;
    Some(Duration::from_secs(seconds.parse().expect("seconds")))
}

/// A relay as `kkv` runs one, for ever. Each SIGUSR1 lets so much time pass.
pub(super) fn be_the_relay(step: Duration) -> io::Result<()> {
    memory::harden();
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: Cost::new(4).expect("it is little"),
            adaptive: false,
        },
        expected_seconds: 3600,
        suites: SuitePolicy::Any,
    };
    let clock = Arc::new(ManualClock::new(1_800_000_000));
    let queue = Queue::with_share(4, SHARE_BYTES, None)?;
    let relay = Arc::new(Relay::new(config, queue, clock.clone(), &mut rand::rng()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(scrub::wipe_deep_stack)
        .build()?;
    runtime.block_on(async {
        let mut passes = signal(SignalKind::user_defined1())?;
        let listen = "127.0.0.1:0".parse().map_err(io::Error::other)?;
        let listener = LocalListener::bind(&listen).await;
        let listener = listener.map_err(io::Error::other)?;
        writeln!(io::stderr(), "listens {}.", listener.listens())?;
        let time = async {
            while passes.recv().await.is_some() {
                clock.advance(step);
                relay.purge();
                writeln!(io::stderr(), "passed")?;
            }
            Ok(())
        };
        tokio::select! {
            kkv_net::http::AcceptStopped = listener.serve(router(relay.clone()).into(), ConnectionLimits::default()) => Err(io::Error::other("nobody is let in any more")),
            ended = time => ended,
        }
    })
}

/// Starts the other process, which runs the test `name` alone, and where it listens. That test has to have the process
/// be the relay.
pub(super) fn another(name: &str, step: Duration) -> (Process, String) {
    let mut command = Command::new(env::current_exe().expect("a test knows where it is"));
    command.args(["--exact", name, "--nocapture"]);
    command.env(ROLE, step.as_secs().to_string());
    let process = Process::spawn(command, None);
    process.wait_for_stderr(".\n");
    let said = process.stderr();
    let line = said.lines().find_map(|line| line.strip_prefix("listens "));
    let address = line.and_then(|line| line.strip_suffix('.'));
    let address = address.unwrap_or_else(|| panic!("no address in {said:?}"));
    (process, address.to_owned())
}

/// Lets the time pass, once in the life of this process, and has it come to rest.
pub(super) fn pass(process: &Process) {
    process.signal(Signal::USR1);
    process.wait_for_stderr("passed");
    let id = process.pid().as_raw_nonzero().get();
    until("the relay to have nothing to do", || all_threads_sleep(id));
}

#[test]
fn the_keys_of_a_session_that_expires_without_its_message_are_nowhere_in_memory() {
    if let Some(step) = role() {
        return be_the_relay(step).expect("it runs until it is killed");
    }
    const NAME: &str = "outside::expired::the_keys_of_a_session_that_expires_without_its_message_are_nowhere_in_memory";
    for _ in 0..RUNS {
        let (process, address) = another(NAME, SESSION_LIFETIME);
        let id = process.pid().as_raw_nonzero().get();
        let strangers = ["1", "2"].map(|suite| Stranger::new(&address, suite));
        let sessions: Vec<_> = strangers.iter().map(Stranger::open).collect();
        let keys: Vec<_> = sessions.iter().map(Session::key).collect();
        for key in scan(id, &keys) {
            assert!(
                key.copies() >= 1,
                "the relay can't open its message: {key:?}"
            );
        }
        pass(&process);
        let secrets = sessions.iter().flat_map(Session::secrets);
        let senders = strangers.iter().flat_map(Stranger::public);
        must_be_nowhere(&scan(id, &secrets.chain(senders).collect::<Vec<_>>()));
    }
}
