//! A message travelling through Tor, with no Internet: a private network of real `tor` daemons on loopback, and the
//! real programs.
//!
//! `scripts/demo` builds the programs and runs this.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "showing things is what this is for"
)]

#[path = "../tests/support/tor_network.rs"]
mod tor_network;

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

use tor_network::{Options, TorNetwork, service_lines};

/// The argument with which the demo starts itself as [`show`].
const SHOW: &str = "--show";

/// About a second of work, so that there is something to see; the default, 30, takes a minute.
const COST: &str = "24";

/// What the sender writes.
const MESSAGE: &str = "Hello through Tor!";

/// After this long, what does not end when it is asked to is killed.
const END_WITHIN: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let result = if env::args().nth(1).as_deref() == Some(SHOW) {
        show().map(|()| ExitCode::SUCCESS)
    } else {
        supervise()
    };
    result.unwrap_or_else(|fault| {
        eprintln!("The demo failed: {fault:#}");
        ExitCode::FAILURE
    })
}

/// Runs [`show`] in a process group and a directory of its own. However that ends, by Ctrl-C too, nothing is left of
/// either.
#[tokio::main(flavor = "current_thread")]
async fn supervise() -> Result<ExitCode> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let dir = tempfile::tempdir()?;
    let mut shown = Command::new(env::current_exe()?)
        .arg(SHOW)
        .env("TMPDIR", dir.path())
        // Both programs meet here, and not where the person's own inbox may be running.
        .env("XDG_RUNTIME_DIR", dir.path())
        .process_group(0)
        .spawn()?;
    let group = Pid::from_child(&shown);
    let ended = tokio::task::spawn_blocking(move || shown.wait());
    let code = tokio::select! {
        ended = ended => ExitCode::from(u8::from(!ended??.success())),
        _ = interrupted.recv() => ExitCode::from(130),
        _ = terminated.recv() => ExitCode::from(143),
    };
    end(group).await;
    Ok(code)
}

/// Ends every process of the group, and waits until they are gone.
async fn end(group: Pid) {
    let mut signal = Signal::TERM;
    let deadline = tokio::time::Instant::now() + END_WITHIN;
    while kill_process_group(group, signal) != Err(Errno::SRCH) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if tokio::time::Instant::now() > deadline {
            signal = Signal::KILL;
        }
    }
}

fn show() -> Result<()> {
    let programs = Programs::beside_this()?;
    println!("\nThis starts a private Tor network on this machine: five tor daemons on loopback.");
    let network = TorNetwork::start_with(&Options {
        key_cache: programs.dir.join("demo-tor-keys"), // made once, which takes some seconds
        ..Options::default()
    })?;
    println!(
        "It is ready after {:.1} s.",
        network.timings().ready.as_secs_f64()
    );

    println!("\nThe owner starts an inbox, at a low price, so that the demo is short:\n");
    let (mut kkv, listens) = programs.relay(&["--cost-pow", COST, "--listen", "127.0.0.1:0"])?;
    println!(
        "\nand a tor with the lines of torrc.example makes it an onion service. At the same time the sender's tor starts."
    );
    let lines = service_lines(include_str!("../torrc.example"), &listens)?;
    let (onion, socks) = thread::scope(|scope| {
        let socks = scope.spawn(|| network.socks_client("sender"));
        let onion = network.onion_service("owner", &lines);
        (onion, socks.join().expect("it returns its fault"))
    });
    let (onion, tor) = (onion?, format!("socks5://{}", socks?));
    println!("Tor has published the address that the owner gives out:\n\n  {onion}");

    println!("\nThe sender, who has nothing but this address, leaves a message:\n");
    let send = ["--tor", &tor, "send", &onion];
    programs.kkvc(&send, Some(MESSAGE))?;

    println!("The owner looks at the inbox, reads the message and deletes it:\n");
    for owners in [
        &["list"][..],
        &["read", "1"],
        &["delete", "1", "--yes"],
        &["status"],
    ] {
        programs.kkvc(owners, None)?;
    }

    println!("The end of the relay is the end of all that it knew:\n\n$ kill %1");
    rustix::process::kill_process(Pid::from_child(&kkv), Signal::TERM)?;
    ensure!(kkv.wait()?.success(), "kkv did not end as it should");
    println!("\nThat was all of it, and nothing is left running.");
    Ok(())
}

/// The two programs, built in the same way as this one.
struct Programs {
    dir: PathBuf,
}

impl Programs {
    fn beside_this() -> Result<Self> {
        let this = env::current_exe()?;
        let dir = this
            .parent()
            .and_then(Path::parent)
            .unwrap_or(Path::new("."));
        for program in ["kkv", "kkvc"] {
            ensure!(
                fs::exists(dir.join(program))?,
                "{} is not there; scripts/demo builds it first",
                dir.join(program).display()
            );
        }
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// Starts `kkv`, shows the block that it prints, and returns it with the address that it listens on.
    fn relay(&self, arguments: &[&str]) -> Result<(Child, String)> {
        println!("$ kkv {} &", arguments.join(" "));
        let mut kkv = Command::new(self.dir.join("kkv"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = kkv.stdout.take().context("its output is piped")?;
        let mut listens = None;
        for line in BufReader::new(out).lines() {
            let line = line?;
            println!("{line}");
            if let Some(rest) = line.strip_prefix("  listens ") {
                listens = rest.trim().split(',').next().map(str::to_owned);
            }
            if line.starts_with("  key ") {
                break;
            }
        }
        let listens = listens.context("kkv did not say where it listens")?;
        Ok((kkv, listens))
    }

    /// Runs `kkvc` to its end, before everybody's eyes.
    fn kkvc(&self, arguments: &[&str], input: Option<&str>) -> Result<()> {
        let typed = format!("kkvc {}", arguments.join(" "));
        match input {
            Some(text) => println!("$ echo \"{text}\" | {typed}"),
            None => println!("$ {typed}"),
        }
        let mut kkvc = Command::new(self.dir.join("kkvc"))
            .args(arguments)
            .stdin(if input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .spawn()?;
        if let (Some(text), Some(mut stdin)) = (input, kkvc.stdin.take()) {
            writeln!(stdin, "{text}")?;
        }
        ensure!(kkvc.wait()?.success(), "{typed} failed");
        println!();
        Ok(())
    }
}
