//! What shells complete: a script that each of them loads once, and the answers that the programs give it from then on,
//! numbers of messages included.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, ValueEnum};
use clap_complete::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Shells};
use tokio::time::timeout;

use super::build;
use super::environment::variable;
use super::output::print;
use super::runtime;
use kkv_client::owner::Client;
use kkv_relay::queue::MessageId;
use kkv_ui::error::CliError;

/// How long the relay has to say which messages there are: somebody waits at the keys.
const PATIENCE: Duration = Duration::from_millis(500);

/// A shell with completions.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// A program that is completed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Program {
    Kkv,
    Kkvc,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Kkv => "kkv",
            Self::Kkvc => "kkvc",
        }
    }

    /// The variable in which a shell says that it asks, and which one it is.
    fn asked_in(self) -> &'static str {
        match self {
            Self::Kkv => "_KKV_COMPLETE",
            Self::Kkvc => "_KKVC_COMPLETE",
        }
    }
}

/// Prints the script for `shell`. It names the program without a path, so it goes on to fit after an update.
pub(super) fn print_script(shell: Shell, program: Program) -> Result<(), CliError> {
    print(&script(shell, program))
}

fn script(shell: Shell, program: Program) -> String {
    let mut script = Vec::new();
    let name = program.name();
    Shells::builtins()
        .completer(shell.name())
        .expect("each of the three is among them")
        .write_registration(program.asked_in(), name, name, name, &mut script)
        .expect("memory can be written to");
    let mut script = String::from_utf8(script).expect("scripts are text");
    if matches!(shell, Shell::Zsh) {
        // As a file among zsh's own it is run when something is completed for the first time, and has to complete that,
        // too.
        script += &format!(
            "if [[ \"${{funcstack[1]}}\" == _{name} ]]; then\n    _clap_dynamic_completer_{name} \"$@\"\nfi\n"
        );
    }
    script
}

/// Answers a shell, if it is one that has started this program.
///
/// # Errors
/// The code to end with, as it has been answered.
pub(super) fn answer<T: CommandFactory>(words: &[OsString]) -> Result<(), ExitCode> {
    let program = match T::command().get_name() {
        "kkv" => Program::Kkv,
        _ => Program::Kkvc,
    };
    let answered = CompleteEnv::with_factory(|| build::offered(T::command()))
        .var(program.asked_in())
        .try_complete(words.iter().cloned(), env::current_dir().ok().as_deref());
    match answered {
        Ok(false) => Ok(()),
        Ok(true) => Err(ExitCode::SUCCESS),
        Err(_) => Err(ExitCode::FAILURE), // whatever is said would end up in somebody's typing
    }
}

/// The numbers that begin with `begun` of the messages that are there; none if no relay says so at once.
pub(super) fn ids(begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(begun) = begun.to_str() else {
        return Vec::new();
    };
    // Of a range, its end.
    let (start, begun) = match begun.split_once('-') {
        Some((first, last)) => (format!("{first}-"), last),
        None => (String::new(), begun),
    };
    let there = there().unwrap_or_default();
    let numbers = there.iter().map(MessageId::to_string);
    numbers
        .filter(|number| number.starts_with(begun))
        .map(|number| CompletionCandidate::new(format!("{start}{number}")))
        .collect()
}

fn there() -> Option<Vec<MessageId>> {
    // To complete is no sign that the owner is there: some shells do so by themselves.
    let client = match socket() {
        Some(socket) => Client::new(&socket),
        None => Client::by_default(),
    };
    let client = client.ok()?.unattended();
    let mut current_thread = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime::start(current_thread.enable_all()).ok()?;
    let list = runtime.block_on(async { timeout(PATIENCE, client.list()).await });
    let messages = list.ok()?.ok()?.messages;
    Some(messages.iter().map(|message| message.id).collect())
}

/// The socket that the command line being completed names, or the environment.
fn socket() -> Option<PathBuf> {
    let named = named(env::args_os());
    let named = named.or_else(|| env::var_os(variable("kkvc", "socket")));
    named.filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// What follows `--socket`: in a word of its own, or behind a `=`, which bash takes for a word, too.
fn named(words: impl Iterator<Item = OsString>) -> Option<OsString> {
    const OPTION: &[u8] = b"--socket";
    let mut words = words.skip_while(|word| !word.as_bytes().starts_with(OPTION));
    match words.next()?.as_bytes().strip_prefix(OPTION)? {
        [] => words.find(|word| word != "="),
        [b'=', path @ ..] => Some(OsStr::from_bytes(path).to_owned()),
        _ => None, // an option whose name only begins like that
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use snapbox::data::DataFormat;
    use snapbox::{Assert, Data};

    use super::*;

    #[test]
    fn a_socket_is_found_however_it_is_named() {
        for (words, want) in [
            (&["kkvc", "--socket", "/x", "read"][..], Some("/x")),
            (&["kkvc", "read", "--socket=/x"], Some("/x")),
            (&["kkvc", "read", "--socket", "=", "/x", "1"], Some("/x")),
            (&["kkvc", "read", "--socket"], None),
            (&["kkvc", "read", "--sockets", "/x"], None),
            (&["kkvc", "read", "1"], None),
        ] {
            let words = words.iter().map(OsString::from);
            assert_eq!(named(words), want.map(OsString::from));
        }
    }

    #[test]
    fn the_scripts_of_the_package_are_those_that_are_printed() {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/completions");
        for program in [Program::Kkv, Program::Kkvc] {
            let name = program.name();
            for (shell, file) in [
                (Shell::Bash, format!("bash/{name}")),
                (Shell::Zsh, format!("zsh/_{name}")),
                (Shell::Fish, format!("fish/{name}.fish")),
            ] {
                let kept = Data::read_from(&scripts.join(file), Some(DataFormat::Text));
                Assert::new()
                    .action_env("SNAPSHOTS")
                    .eq(script(shell, program), kept.raw());
            }
        }
    }
}
