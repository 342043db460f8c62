//! The two programs as processes, for tests: starts a relay and waits until it listens, runs the client and collects
//! what comes out.
//!
//! No relay started here can meet another one: each has its own directory, its own socket and a port that the kernel
//! chose. Whatever is started is ended, by its own id, when its value is dropped.
//!
//! Include it with `#[path = "support/programs.rs"] mod programs;`: rustfmt does not find its parts inside an inline
//! module.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "a library to tests, each of which uses a part of it"
)]

#[path = "programs/held_port.rs"]
mod held_port;
#[path = "programs/process.rs"]
mod process;
#[path = "programs/terminal.rs"]
mod terminal;
#[path = "programs/until.rs"]
mod until;

use std::env;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub use held_port::HeldPort;
pub use process::{LIMIT, Outcome, Process};
pub use rustix::process::Signal;
pub use terminal::Terminal;
pub use until::{comes_to, until};

/// What a relay is started with unless the test says otherwise.
const DEFAULTS: [(&str, &str); 3] = [("--tor", "off"), ("--listen", "127.0.0.1:0"), ("-c", "4")];

/// The program `kkv`, in an environment that points nowhere.
pub fn kkv() -> Command {
    program(env!("CARGO_BIN_EXE_kkv"))
}

/// A `kkv` that is reached from this machine only, on a port that the kernel chooses.
pub fn kkv_at(socket: &Path) -> Command {
    let mut command = kkv();
    command
        .args(["--tor", "off", "--listen", "127.0.0.1:0", "--socket"])
        .arg(socket);
    command
}

fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["KKV_", "KKVC_", "NO_COLOR", "CLICOLOR"]
            .iter()
            .any(|ours| text.starts_with(ours))
        {
            command.env_remove(name); // what a developer has set for real use
        }
    }
    command
        .env_remove("TMPDIR")
        .env("XDG_RUNTIME_DIR", "/nonexistent") // so that no default leads to somebody's real relay
        .env("TZ", "UTC")
        .stdin(Stdio::null());
    command
}

/// The same command through a shell: `"$0" "$@"` stands for it in `script`.
pub fn through_shell(command: &Command, script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script);
    let mut shell = through(shell, command);
    shell.stdin(Stdio::null());
    shell
}

/// Has another user run the program, which may be where that one may not look: it is opened before. So is `kkv` for
/// `kkvc`, which is a name of it, and the directory of a link of that name.
pub fn run_by(user: u32, command: &mut Command) -> &mut Command {
    let change = format!("setpriv --reuid {user} --regid {user} --clear-groups");
    let name = Path::new(command.get_program()).file_name();
    let script = if name == Some("kkvc".as_ref()) {
        let names = names();
        format!(
            r#"exec {change} /proc/self/fd/8/kkvc "$@" 8<'{names}' 9<"${{0%/*}}/kkv""#,
            names = names.display()
        )
    } else {
        format!(r#"exec {change} /proc/self/fd/9 "$@" 9<"$0""#)
    };
    *command = through_shell(command, &script);
    command
}

/// A directory that all may look into, with `kkvc` as a name of whatever file is open as descriptor 9.
fn names() -> PathBuf {
    let names = Path::new(env!("CARGO_TARGET_TMPDIR")).join("names");
    fs::create_dir_all(&names).expect("a directory");
    fs::set_permissions(&names, Permissions::from_mode(0o755)).expect("our own directory");
    let made = symlink("/proc/self/fd/9", names.join("kkvc"));
    let is_there = |fault: &io::Error| fault.kind() == io::ErrorKind::AlreadyExists;
    assert!(made.as_ref().err().is_none_or(is_there), "{made:?}");
    names
}

/// The same command through another `program`, which takes it as its last arguments and starts it, or becomes it.
pub fn through(mut program: Command, command: &Command) -> Command {
    program.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => program.env(name, value),
            None => program.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        program.current_dir(directory);
    }
    program
}

/// Runs `kkvc` with `args`.
pub fn kkvc<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Run {
    let mut command = program(env!("CARGO_BIN_EXE_kkvc"));
    command.args(args);
    Run {
        command,
        input: None,
    }
}

/// Waits until a relay has printed the whole block with which it begins.
pub fn wait_for_block(relay: &Process) {
    relay.wait_for_stdout("the whole block", |out| {
        out.contains("\n  key ") && out.ends_with('\n')
    });
}

/// The word after `label` in that block.
pub fn said(relay: &Process, label: &str) -> String {
    let block = relay.stdout();
    let rest = block.split_once(label).map(|(_, rest)| rest.trim_start());
    let word = rest.and_then(|rest| rest.split([',', '\n']).next());
    word.unwrap_or_else(|| panic!("no {label} in {block:?}"))
        .to_owned()
}

/// A relay at work.
#[derive(Debug)]
pub struct Relay {
    process: Process,
    address: String,
    socket: PathBuf,
    directory: TempDir,
}

impl Relay {
    /// Starts one, with a socket in a new directory, on a port that the kernel chooses, reached from this machine only
    /// and at cost 4, except where `args` say otherwise.
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, |command| command)
    }

    /// The same, with the command changed in whatever other way.
    pub fn start_with(args: &[&str], change: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let mut command = kkv();
        for (name, value) in DEFAULTS {
            if !args.contains(&name) {
                command.args([name, value]);
            }
        }
        let named = args.iter().position(|arg| *arg == "--socket");
        let socket = match named.and_then(|at| args.get(at + 1)) {
            Some(path) => PathBuf::from(path),
            None => directory.path().join("kkv.sock"),
        };
        if named.is_none() {
            command.arg("--socket").arg(&socket);
        }
        command.args(args);
        change(&mut command);
        let process = Process::spawn(command, None);
        wait_for_block(&process);
        Self {
            address: said(&process, "listens"),
            process,
            socket,
            directory,
        }
    }

    /// Where strangers reach it: a loopback address with its port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The owner's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A directory of the test's own, which goes with the relay.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// `kkvc` with `args`, for this relay's owner.
    pub fn owner<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        let mut run = kkvc(args);
        run.command.arg("--socket").arg(&self.socket);
        run.command.current_dir(self.directory.path());
        run
    }

    /// `kkvc send` to this relay with further `args`.
    pub fn send<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        let mut run = kkvc(["send", &self.address]);
        run.command.args(args).current_dir(self.directory.path());
        run
    }

    /// Has `text` delivered, and fails the test if it is not.
    pub fn deliver(&self, text: &[u8]) {
        self.send(["-"]).stdin(text).finish().must_end_with(0);
    }

    /// The same where everything may be wiped meanwhile: a delivery that this hits is refused, and made again. It has
    /// further `args`.
    pub fn deliver_between_wipes(&self, args: &[&str], text: &[u8]) {
        until("a delivery between two wipes", || {
            let outcome = self.send([&["-"][..], args].concat()).stdin(text).finish();
            assert!(self.process.is_running(), "{}", outcome.stderr);
            outcome.code == Some(0)
        });
    }

    /// What `kkvc list --json` says of each message, oldest first.
    pub fn list(&self) -> Vec<Value> {
        let list = self.owner(["list", "--json"]).finish().json();
        list["messages"].as_array().expect("a list").clone()
    }

    /// What the kernel says of `field` in the state of each of its threads: see proc_pid_status(5).
    pub fn in_every_thread(&self, field: &str) -> Vec<String> {
        let process = self.process.pid().as_raw_nonzero();
        let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it has threads");
        let of_thread = |thread: io::Result<DirEntry>| {
            let path = thread.expect("an entry").path().join("status");
            let status = fs::read_to_string(path).ok()?; // it may have ended since
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            let value = line.and_then(|line| line.strip_prefix(':'));
            let value = value.unwrap_or_else(|| panic!("no {field} in {status}"));
            Some(value.trim().to_owned())
        };
        threads.filter_map(of_thread).collect()
    }

    /// The text of the message `id`, through `kkvc read --json`.
    pub fn text(&self, id: u64) -> String {
        let message = self.owner(["read", &id.to_string(), "--json"]).finish();
        let message = message.must_end_with(0).json();
        message["text"].as_str().expect("a text").to_owned()
    }
}

/// A run of `kkvc` that is still being put together. Its standard input is empty unless it is given one.
#[derive(Debug)]
pub struct Run {
    command: Command,
    input: Option<Vec<u8>>,
}

impl Run {
    /// Gives it `bytes` to read, and then the end.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Changes the command in whatever other way.
    pub fn with(mut self, change: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        change(&mut self.command);
        self
    }

    /// Runs it through a shell: see [`through_shell`].
    pub fn through_shell(mut self, script: &str) -> Self {
        self.command = through_shell(&self.command, script);
        self
    }

    /// Starts it.
    pub fn start(self) -> Process {
        Process::spawn(self.command, self.input)
    }

    /// Starts it in front of a terminal of that size, with which it has standard input, output and error.
    pub fn start_on(self, columns: u16, rows: u16) -> Terminal {
        Terminal::start(self.command, columns, rows)
    }

    /// Runs it to its end.
    pub fn finish(self) -> Outcome {
        self.start().finish()
    }

    /// The command, to be run in a way that this library does not know.
    pub fn into_command(self) -> Command {
        self.command
    }
}
