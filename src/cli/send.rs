//! `kkvc send`: takes the text, has it delivered, and says what has become of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::num::NonZeroUsize;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use zeroize::Zeroizing;

use super::exit::{Exit, Failed};
use super::identity;
use super::kkvc::{Common, Send};
use super::output::{ascii_json, print, print_json, say};
use super::progress::Progress;
use super::proof::Proof;
use super::signals;
use crate::clock::SystemClock;
use crate::crypto::identity::SenderKey;
use crate::crypto::random;
use crate::limits::MAX_TEXT_BYTES;
use crate::protocol::fault::Fault;
use crate::protocol::refusal::Refusal;
use crate::protocol::suite::{Suite, SuitePolicy};
use crate::protocol::text::{BadText, Text};
use crate::protocol::wire::Hex;
use crate::sender::{Accepted, Delivery, Failure, deliver};
use crate::tor::{DialError, Dialer, SocksProxy, Target};

#[derive(Serialize)]
struct Told {
    accepted: bool,
    suite: Suite,
    relay: Hex<32>,
    sender: Hex<32>,
    cost: u8,
    receipt: Option<Proof>,
}

/// Leaves a message.
pub(super) async fn send(common: &Common, args: Send) -> Result<(), Failed> {
    let mut stopped = std::pin::pin!(signals::stopped()?);
    // Whatever can be wrong on this side is found before anything is dialled.
    let suites = suites(args.suite, args.receipt.is_some())?;
    let key = match &args.identity {
        Some(path) => identity::load(path)?,
        None => SenderKey::generate(&mut random::kernel()),
    };
    let mut receipt = args.receipt.map(ReceiptFile::create).transpose()?;
    if let Target::Loopback(_) = args.address {
        say("This address is on this machine: the message does not go through Tor.");
    }
    // On a thread of its own, since a signal can't interrupt somebody who types, or a pipe that nothing comes through.
    let text = tokio::task::spawn_blocking(move || text(args.message, args.file.as_deref()));
    let text = tokio::select! {
        text = text => text.expect("reading does not panic")?,
        () = &mut stopped => {
            if io::stdin().is_terminal() {
                say("");
            }
            return Err(Failed::new(Exit::Cancelled, "cancelled; nothing was delivered"));
        }
    };

    let progress = Progress::start();
    let delivery = Delivery {
        dialer: &Dialer::new(common.tor, &mut random::kernel()),
        target: args.address,
        suites,
        threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        clock: &SystemClock::default(),
        observer: &progress,
    };
    let mut rng = random::kernel();
    let result = tokio::select! {
        result = deliver(&delivery, key, &text, &mut rng) => result.map_err(|failure| explained(&failure, common.tor)),
        () = stopped => Err(cancelled(&progress)),
    };
    progress.finish();
    let accepted = result?;
    let proof = accepted.receipt.as_ref().map(Proof::from);
    let written = match (&mut receipt, &proof) {
        (Some(file), Some(proof)) => file.fill(proof),
        _ => Ok(()),
    };
    tell(&accepted, proof, args.identity.is_some(), common.json).map_err(|failed| {
        let what = format!("the message was accepted, but {}", failed.what);
        Failed::new(Exit::AcceptedUntold, what)
    })?;
    written
}

fn suites(asked: SuitePolicy, receipt: bool) -> Result<SuitePolicy, Failed> {
    match asked {
        SuitePolicy::Only(Suite::V1) if receipt => Err(Failed::usage(
            "kkv/1 has no receipts; leave out --receipt or --suite 1",
        )),
        _ if receipt => Ok(SuitePolicy::Only(Suite::V2)),
        _ => Ok(asked),
    }
}

fn text(message: Option<String>, file: Option<&Path>) -> Result<Text, Failed> {
    let text = match (message, file) {
        (Some(message), _) => Zeroizing::new(message),
        (None, Some(path)) if path.as_os_str() != "-" => {
            let file = File::open(path).map_err(|fault| unreadable(path, &fault))?;
            read(file).map_err(|fault| unreadable(path, &fault))?
        }
        _ => {
            let stdin = io::stdin();
            let typed = stdin.is_terminal();
            if typed {
                say("Write your message; Ctrl-D on an empty line sends it, Ctrl-C cancels.");
            }
            let text = read(stdin.lock());
            if typed {
                after_typing(&text);
            }
            text.map_err(|fault| unreadable(Path::new("standard input"), &fault))?
        }
    };
    Text::new(text).map_err(|fault| Failed::usage(format!("{fault}; nothing was sent")))
}

/// Leaves the terminal as the shell expects it.
fn after_typing(text: &io::Result<Zeroizing<String>>) {
    match text {
        Ok(text) if !text.ends_with('\n') => say(""), // the cursor is still behind what was typed
        // The rest of what was pasted is taken away up to Ctrl-D: the shell would run it, line by line.
        Err(fault) if fault.kind() == io::ErrorKind::FileTooLarge => {
            let mut rest = Zeroizing::new([0; 4096]);
            let mut stdin = io::stdin().lock();
            while matches!(stdin.read(&mut *rest), Ok(1..)) {}
        }
        _ => {}
    }
}

/// Reads at most one byte more than fits, into one buffer that is wiped.
fn read(source: impl Read) -> io::Result<Zeroizing<String>> {
    let limit = MAX_TEXT_BYTES + 1;
    // More room than is ever read, so that it never moves and leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 32));
    source.take(limit as u64).read_to_end(&mut bytes)?;
    if bytes.len() == limit {
        let what = format!("the message is longer than {MAX_TEXT_BYTES} bytes, the most that fit");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(fault) => {
            drop(Zeroizing::new(fault.into_bytes()));
            let what = "it isn't UTF-8 text, and only text can be sent";
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
    }
}

fn unreadable(path: &Path, fault: &io::Error) -> Failed {
    Failed::usage(format!("{}: {fault}; nothing was sent", path.display()))
}

fn tell(accepted: &Accepted, receipt: Option<Proof>, kept: bool, json: bool) -> Result<(), Failed> {
    if json {
        return print_json(&Told {
            accepted: true,
            suite: accepted.suite,
            relay: Hex(*accepted.relay.as_bytes()),
            sender: Hex(*accepted.sender.as_bytes()),
            cost: accepted.cost.bits(),
            receipt,
        });
    }
    let key = if kept {
        "your identity"
    } else {
        "a key for this message only"
    };
    let word = match accepted.suite {
        Suite::V2 => "and has signed for it",
        Suite::V1 => "(kkv/1 has no signed receipts)",
    };
    print(&format!(
        "Accepted: the message is in the inbox.\n  \
         relay   {} {word}\n  \
         sender  {}, {key}\n  \
         paid    2^{} hashes, {}\n",
        accepted.relay.fingerprint(),
        accepted.sender.fingerprint(),
        accepted.cost,
        accepted.suite,
    ))
}

fn cancelled(progress: &Progress) -> Failed {
    if progress.was_sending() {
        Failed::new(
            Exit::Cancelled,
            "cancelled while the message was on its way: whether it arrived can't be known",
        )
        .hint("Sending it again may leave it there twice.")
    } else {
        Failed::new(Exit::Cancelled, "cancelled; nothing was delivered")
    }
}

/// What a failed delivery means for a person.
fn explained(failure: &Failure, proxy: SocksProxy) -> Failed {
    let (exit, hint) = match failure {
        Failure::Unreachable(fault) => (Exit::Unreachable, unreachable_hint(fault, proxy)),
        Failure::Broken | Failure::Silent => (
            Exit::Unreachable,
            "Try again later; the relay or the way to it is in trouble.".to_owned(),
        ),
        Failure::Refused(refusal) => return refused(*refusal),
        Failure::RefusedUnread(_) => (
            Exit::Refused,
            "It may be no kkv relay, or one of another version.".to_owned(),
        ),
        Failure::RefusedFilled => (
            Exit::Refused,
            "Relays of the older kkv/1 don't say more. The proof of work may have come too late; try again.".to_owned(),
        ),
        Failure::NoCommonSuite(_) => (
            Exit::Refused,
            "Leave out --suite 2 and --receipt to speak kkv/1 with it.".to_owned(),
        ),
        Failure::NotInTime(_) => (
            Exit::NotPaid,
            "Trying again may need less luck; a faster machine, or one with nothing else to do, helps.".to_owned(),
        ),
        Failure::Fault(Fault::Text(BadText::NulInV1)) => (Exit::Usage, "Take it out.".to_owned()),
        Failure::Fault(Fault::Text(_)) => (Exit::Usage, "Shorten it, or split it.".to_owned()),
        Failure::Fault(_) => (
            Exit::BadSignature,
            "Check the address. If it is right, that relay is broken or not what it says.".to_owned(),
        ),
        Failure::InDoubt(_) => {
            return Failed::new(Exit::InDoubt, format!("{failure}: whether the message arrived can't be known"))
                .hint("Ask the owner if you can. Sending it again may leave it there twice.");
        }
    };
    Failed::new(exit, format!("{failure}; nothing was delivered")).hint(hint)
}

fn refused(refusal: Refusal) -> Failed {
    let (exit, hint) = match refusal {
        Refusal::Full => (
            Exit::Full,
            "Its owner has to delete something first; try again later.",
        ),
        Refusal::Expired => (
            Exit::NotPaid,
            "The proof of work came too late; try again, or on a faster machine.",
        ),
        Refusal::SlowDown | Refusal::Stopping | Refusal::TimedOut => {
            (Exit::Refused, "Try again in a minute.")
        }
        Refusal::UnsupportedSuite => (
            Exit::Refused,
            "It refuses the older kkv/1; leave out --suite 1.",
        ),
        _ => (
            Exit::Refused,
            "Try again; if it stays so, the two programs don't fit each other.",
        ),
    };
    Failed::new(
        exit,
        format!("the relay refused: {refusal}; nothing was delivered"),
    )
    .hint(hint)
}

fn unreachable_hint(fault: &DialError, proxy: SocksProxy) -> String {
    match fault {
        DialError::NoTor { .. } => format!(
            "Start Tor (on Debian: apt install tor), or name its SOCKS port with --tor instead of {proxy}."
        ),
        DialError::NotTor { .. } => "Name Tor's own SOCKS port with --tor.".to_owned(),
        DialError::NoService(_) => {
            "The inbox may be offline, or the address wrong; its owner knows.".to_owned()
        }
        DialError::NoRelay { .. } => "Start the relay, or check the port.".to_owned(),
        DialError::TimedOut => "Try again; Tor finds another way each time.".to_owned(),
    }
}

/// The file a receipt will be written to: made first, so that a wrong name costs no proof of work, and taken away if there is none.
struct ReceiptFile {
    path: PathBuf,
    file: File,
    filled: bool,
}

impl ReceiptFile {
    fn create(path: PathBuf) -> Result<Self, Failed> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|fault| {
                let what = format!("can't make {} for the receipt: {fault}", path.display());
                Failed::usage(format!("{what}; nothing was sent"))
            })?;
        Ok(Self {
            path,
            file,
            filled: false,
        })
    }

    fn fill(&mut self, proof: &Proof) -> Result<(), Failed> {
        let line = format!("{}\n", ascii_json(proof));
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_all())
            .map_err(|fault| {
                let path = self.path.display();
                let what = format!("the message was accepted, but can't write {path}: {fault}");
                Failed::new(Exit::AcceptedUntold, what).hint(format!(
                    "This is the receipt that should be in it: {}",
                    line.trim_end()
                ))
            })?;
        self.filled = true;
        Ok(())
    }
}

impl Drop for ReceiptFile {
    fn drop(&mut self) {
        if !self.filled {
            let _ = fs::remove_file(&self.path);
        }
    }
}
