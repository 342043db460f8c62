//! Starts the owner's relay, in the background and for longer than this program.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tokio::sync::mpsc::UnboundedSender;

use super::app::Event;
use super::link::News;

/// Starts `kkv`, with its socket at `socket` if it is to be another than usual. If it ends again, that is told, and
/// why.
pub(super) fn start(socket: Option<&Path>, events: &UnboundedSender<Event>) {
    let mut command = Command::new(program());
    if let Some(socket) = socket {
        command.arg("--socket").arg(socket);
    }
    // In a group of its own, so that no Ctrl-C in this terminal is meant for it.
    command.process_group(0);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let events = events.clone();
    let told = move |news| _ = events.send(Event::News(news));
    match command.spawn() {
        Ok(child) => {
            told(News::Starting);
            thread::spawn(move || told(News::Ended(end_of(child))));
        }
        Err(fault) => told(News::Failed(format!("kkv can't be started: {fault}"))),
    }
}

/// The one that came with this program, or else the one that a shell would find.
fn program() -> PathBuf {
    let beside = std::env::current_exe().map(|path| path.with_file_name("kkv"));
    beside
        .ok()
        .filter(|path| path.is_file())
        .unwrap_or_else(|| "kkv".into())
}

/// Waits until it ends; what it has said of why.
fn end_of(mut child: Child) -> String {
    let mut said = String::new();
    let read = child
        .stderr
        .take()
        .map_or(Ok(0), |mut stderr| stderr.read_to_string(&mut said));
    let ended = read.and_then(|_| child.wait());
    // Warnings may come before it.
    let why = |line: &&str| line.starts_with("kkv: ") || line.starts_with("error: ");
    let line = said.lines().rfind(why).or(said.lines().next());
    match (line, ended) {
        (Some(line), _) => line.to_owned(),
        (None, Ok(status)) => format!("your relay has ended ({status})"),
        (None, Err(fault)) => format!("your relay has ended ({fault})"),
    }
}
