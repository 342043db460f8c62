//! Attacks on a relay, each from a thread of its own, over loopback, until told to stop.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to the tests and the benchmark, each of which uses a part of it"
)]

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use kkv::protocol::suite::Suite;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{flood, hold};

/// Connections of an attack that asks without end.
const FLOODING: usize = 48;

/// What a stranger may do to a relay.
#[derive(Debug, Clone, Copy)]
pub enum Attack {
    /// So many connections that say nothing. Here and below: whichever is ended comes again at once.
    Idle(usize),
    /// So many that send almost all of a head.
    HalfHeads(usize),
    /// So many that send almost all of a body of 16 KiB, the last thousand bytes one by one, each in a packet of its own.
    HalfBodies(usize),
    /// So many that ask and ask, and take no answer.
    SlowReaders(usize),
    /// So many that are answered once, and then say nothing.
    Answered(usize),
    /// Exchanges on challenges that are not the relay's, without end.
    Forged,
    /// Challenges asked for and never paid, without end.
    Unsolved,
    /// So many challenges asked for and paid; and when all are, the same exchanges again, without end.
    Solved(u64),
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle(n) => write!(f, "{n} idle connections"),
            Self::HalfHeads(n) => write!(f, "{n} half-sent heads"),
            Self::HalfBodies(n) => write!(f, "{n} half-sent bodies"),
            Self::SlowReaders(n) => write!(f, "{n} that take no answer"),
            Self::Answered(n) => write!(f, "{n} answered once, then idle"),
            Self::Forged => write!(f, "flood of forged exchanges"),
            Self::Unsolved => write!(f, "flood of unsolved challenges"),
            Self::Solved(n) => write!(f, "flood of solved challenges ({n})"),
        }
    }
}

/// An attack under way. It ends when dropped.
#[derive(Debug)]
pub struct UnderWay {
    stop: Option<watch::Sender<bool>>,
    rounds: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// What each of its connections needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    pub(crate) address: SocketAddr,
    /// Connections opened so far, or requests that were answered.
    pub(crate) rounds: Arc<AtomicU64>,
    /// Sessions opened so far.
    pub(crate) opened: Arc<AtomicU64>,
}

impl Orders {
    /// A connection to the relay, however long it takes: it may be too busy, or this machine out of ports for a moment.
    pub(crate) async fn connect(&self) -> TcpStream {
        loop {
            match TcpStream::connect(self.address).await {
                Ok(stream) => {
                    stream.set_nodelay(true).expect("a TCP stream");
                    return stream;
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    pub(crate) fn count(&self) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }
}

impl Attack {
    /// Starts it on the relay at `address`; returns when every connection has come in at least once, and said what it has to say.
    pub fn start(self, address: SocketAddr) -> UnderWay {
        let (stop, stopped) = watch::channel(false);
        let rounds = Arc::new(AtomicU64::new(0));
        let orders = Orders {
            address,
            rounds: Arc::clone(&rounds),
            opened: Arc::default(),
        };
        let (ready, is_ready) = std::sync::mpsc::channel();
        if let Some(connections) = self.held() {
            enough_descriptors(connections + 200);
        }
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let mut stopped = stopped;
            let connections = tokio::task::LocalSet::new();
            connections.block_on(&runtime, async move {
                tokio::select! {
                    () = self.run(orders, ready) => {}
                    _ = stopped.changed() => {}
                }
            });
        });
        is_ready.recv().expect("the attack begins");
        UnderWay {
            stop: Some(stop),
            rounds,
            thread: Some(thread),
        }
    }

    /// Connections that it holds at once, if that is what it does.
    fn held(self) -> Option<usize> {
        match self {
            Self::Idle(n)
            | Self::HalfHeads(n)
            | Self::HalfBodies(n)
            | Self::SlowReaders(n)
            | Self::Answered(n) => Some(n),
            Self::Forged | Self::Unsolved | Self::Solved(_) => None,
        }
    }

    async fn run(self, orders: Orders, ready: std::sync::mpsc::Sender<()>) {
        let mut all = JoinSet::new();
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let connections = self.held().unwrap_or(FLOODING);
        for number in 0..connections {
            let (orders, begun) = (orders.clone(), begun.clone());
            all.spawn_local(async move {
                let begin = || begun.send(()).unwrap_or(()); // nobody counts any more
                match self {
                    Self::Idle(_) => hold::idle(orders, begin).await,
                    Self::HalfHeads(_) => hold::half_head(orders, begin).await,
                    Self::HalfBodies(_) => hold::half_body(orders, begin).await,
                    Self::SlowReaders(_) => hold::takes_no_answer(orders, begin).await,
                    Self::Answered(_) => hold::answered(orders, begin).await,
                    Self::Forged => flood::forged(orders, suite(number), begin).await,
                    Self::Unsolved => flood::unsolved(orders, suite(number), begin).await,
                    Self::Solved(most) => flood::solved(orders, suite(number), most, begin).await,
                }
            });
        }
        for _ in 0..connections {
            tokio::select! {
                _ = begins.recv() => {}
                ended = all.join_next() => panic!("an attacker gave up: {ended:?}"),
            }
        }
        ready.send(()).expect("somebody waits for it");
        let ended = all.join_next().await;
        panic!("an attacker gave up: {ended:?}");
    }
}

/// Both in turns.
fn suite(number: usize) -> Suite {
    [Suite::V1, Suite::V2][number % 2]
}

impl UnderWay {
    /// Connections that were opened so far, or requests that were answered.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Fails the test if it has ended by itself.
    #[track_caller]
    pub fn must_go_on(&self) {
        let thread = self.thread.as_ref();
        assert!(
            thread.is_some_and(|thread| !thread.is_finished()),
            "the attack is over, so nothing was withstood"
        );
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the attack itself failed");
        }
    }
}

/// Runs `visit` again and again. An attacker's visit ends when the relay has had enough of it.
pub(crate) async fn again_and_again<F: Future<Output = ()>>(mut visit: impl FnMut() -> F) {
    loop {
        visit().await;
    }
}

/// Raises this process's limit to what it needs, and fails if it may not.
fn enough_descriptors(needed: usize) {
    let needed = needed as u64;
    let limits = getrlimit(Resource::Nofile);
    if limits.current.is_none_or(|current| current >= needed) {
        return;
    }
    let raised = Rlimit {
        current: limits.maximum,
        ..limits
    };
    assert!(
        limits.maximum.is_none_or(|maximum| maximum >= needed)
            && setrlimit(Resource::Nofile, raised).is_ok(),
        "this needs {needed} file descriptors, and the hard limit is {:?}: raise it with ulimit -Hn",
        limits.maximum
    );
}
