//! Attacks on a relay, each from a thread of its own, over loopback, until told to stop.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to the tests and the benchmark, each of which uses a part of it"
)]

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use kkv_protocol::suite::Suite;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{flood, hold};
use crate::programs::{Relay, until};

/// Connections of an attack that asks without end.
const FLOODING: usize = 48;

/// The relay's answer to an exchange, as it is kept, in KiB: of kkv/2 mostly an ML-KEM-768 ciphertext in hexadecimal.
const ANSWER_KIB: u64 = 2;

/// What is kept of a spent challenge, in bytes.
const SPENT_BYTES: u64 = 64;

/// What a stranger may do to a relay.
#[derive(Debug, Clone, Copy)]
pub enum Attack {
    /// So many connections that say nothing. Here and below: whichever is ended comes again at once.
    Idle(usize),
    /// So many that send almost all of a head.
    HalfHeads(usize),
    /// So many that send almost all of a body of 16 KiB, the last thousand bytes one by one, each in a packet of its
    /// own.
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
    /// Sessions for asks, paid for, each with all the asks that it has, without end; every other one asks for replies,
    /// with words that no box or one box has.
    Asks,
    /// Messages with files, paid for, without end: every other one is opened and never sent.
    Uploads,
    /// The page for browsers, without end: looked at, sent without an invitation, and asked for answers to its words.
    Pages,
    /// Files of the page, paid for, without end: every other upload is begun and never sent, and no form comes.
    PageUploads,
    /// Payments on the page that take long to check and are wrong, without end.
    WrongPayments,
    /// So many at once who open a session for asks of 64 KiB, send half a body, hang up, and begin anew.
    HalfAsks(usize),
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
            Self::Asks => write!(f, "flood of asks"),
            Self::Uploads => write!(f, "flood of files"),
            Self::Pages => write!(f, "flood of pages"),
            Self::PageUploads => write!(f, "flood of the page's files"),
            Self::WrongPayments => write!(f, "flood of wrong payments"),
            Self::HalfAsks(n) => write!(f, "{n} half-sent large asks"),
        }
    }
}

/// A relay behind a system Tor that has so many slots, at a price that takes no time and stays, and a page for who
/// has an invitation.
pub fn relay(slots: u64) -> Relay {
    let slots = slots.to_string();
    let options = [
        "--tor",
        "external",
        "-c",
        "1",
        "--adaptive",
        "off",
        "--page",
        "-m",
    ];
    Relay::start(&[&options[..], &[&slots]].concat())
}

/// An attack under way. It ends when dropped.
#[derive(Debug)]
pub struct UnderWay {
    attack: Attack,
    opened: Arc<AtomicU64>,
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
                Err(fault) if Errno::from_io_error(&fault) == Some(Errno::MFILE) => panic!(
                    "all these connections need more file descriptors than the hard limit of {:?}: raise it with ulimit -Hn",
                    getrlimit(Resource::Nofile).maximum
                ),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    pub(crate) fn count(&self) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }
}

impl Attack {
    /// Starts it on the relay at `address`; returns when every connection has come in at least once, and said what it
    /// has to say.
    pub fn start(self, address: SocketAddr) -> UnderWay {
        let (stop, stopped) = watch::channel(false);
        let rounds = Arc::new(AtomicU64::new(0));
        let opened = Arc::new(AtomicU64::new(0));
        let orders = Orders {
            address,
            rounds: Arc::clone(&rounds),
            opened: Arc::clone(&opened),
        };
        let (ready, is_ready) = std::sync::mpsc::channel();
        raise_descriptors();
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
            attack: self,
            opened,
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
            | Self::Answered(n)
            | Self::HalfAsks(n) => Some(n),
            Self::Forged
            | Self::Unsolved
            | Self::Solved(_)
            | Self::Asks
            | Self::Uploads
            | Self::Pages
            | Self::PageUploads
            | Self::WrongPayments => None,
        }
    }

    async fn run(self, orders: Orders, ready: std::sync::mpsc::Sender<()>) {
        let mut all = JoinSet::new();
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let connections = self.held().unwrap_or(FLOODING);
        for number in 0..connections {
            let (orders, begun) = (orders.clone(), begun.clone());
            all.spawn_local(async move {
                let begun = Cell::new(Some(begun));
                let begin = || {
                    // Once: later it comes again.
                    if let Some(begun) = begun.take() {
                        begun
                            .send(())
                            .expect("they are counted until all have begun");
                    }
                };
                match self {
                    Self::Idle(_) => hold::idle(orders, begin).await,
                    Self::HalfHeads(_) => hold::half_head(orders, begin).await,
                    Self::HalfBodies(_) => hold::half_body(orders, begin).await,
                    Self::SlowReaders(_) => hold::takes_no_answer(orders, begin).await,
                    Self::Answered(_) => hold::answered(orders, begin).await,
                    Self::Forged => flood::forged(orders, suite(number), begin).await,
                    Self::Unsolved => flood::unsolved(orders, suite(number), begin).await,
                    Self::Solved(most) => flood::solved(orders, suite(number), most, begin).await,
                    Self::Asks => flood::asks(orders, words(number), begin).await,
                    Self::Uploads => flood::uploads(orders, begin).await,
                    Self::Pages => flood::pages(orders, begin).await,
                    Self::PageUploads => flood::page_uploads(orders, begin).await,
                    Self::WrongPayments => flood::wrong_payments(orders, begin).await,
                    Self::HalfAsks(_) => flood::half_asks(orders, begin).await,
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

/// Nobody's, those that boxes were opened with, and none, in turns.
fn words(number: usize) -> Option<[u8; 16]> {
    [None, Some(WORDS), None, Some([0; 16])][number % 4]
}

/// Words with which boxes are opened before the attack begins.
pub const WORDS: [u8; 16] = [9; 16];

/// Both in turns.
fn suite(number: usize) -> Suite {
    [Suite::V1, Suite::V2][number % 2]
}

impl UnderWay {
    /// Connections that were opened so far, or requests that were answered.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// What a relay keeps of it after a wipe, in KiB: for two minutes the answer to each exchange that was paid for, so
    /// that who repeats it learns nothing of the wipe, and for ten where it was for files; and of asks which challenges
    /// were spent.
    pub fn kept(&self) -> u64 {
        match self.attack {
            Attack::Solved(sessions) => sessions * ANSWER_KIB,
            // Those that were never sent.
            Attack::Uploads => self.opened.load(Ordering::Relaxed) * ANSWER_KIB,
            Attack::Asks => self.opened.load(Ordering::Relaxed) * SPENT_BYTES / 1024,
            _ => 0,
        }
    }

    /// Waits until there are more rounds than `before`; fails the test if none come, since nothing is withstood then.
    #[track_caller]
    pub fn must_go_on(&self, before: u64) {
        until("the attack to go on", || {
            let thread = self.thread.as_ref();
            assert!(
                thread.is_some_and(|thread| !thread.is_finished()),
                "the attack is over after {before} rounds, so nothing was withstood"
            );
            self.rounds() > before
        });
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

/// Lets this process have as many file descriptors as it may. Whether they are enough shows when they are asked for.
fn raise_descriptors() {
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limits.maximum,
        ..limits
    };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit anyone may");
}
