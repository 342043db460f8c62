//! Secret words, between a person and the program: on the terminal alone, or in a file. Never in an argument, the
//! environment or standard output, which others can see or keep.

mod recovery;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::cancel::unless_stopped;
use super::common::Common;
use kkv_base::clock::{Clock, SystemClock};
use kkv_base::limits::{SESSION_LIFETIME, UPLOAD_IDLE};
use kkv_client::contacts::Recipient;
use kkv_protocol::crypto::{random, scrub};
use kkv_protocol::reply_words::{BadWords, ReplyWords, WORDS};
use kkv_terminal::bar::{columns_of, hanging};
use kkv_terminal::input::{is_of_no_terminal, stdin};
use kkv_terminal::visible::quoted;
use kkv_terminal::writer::{self, Sink};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::estimate::about;
use kkv_ui::fields::{address, time};
use kkv_ui::new_file::NewFile;
use kkv_ui::replies::in_rows;
use kkv_ui::secret_file;

pub(super) use recovery::{NewRecoveryWords, recovery_words};

/// How often words are asked for that may have been mistyped.
const TRIES: u32 = 3;
/// More than twelve words in twelve numbered lines.
const MAX_TYPED_BYTES: usize = 1024;

/// The words that a message is sent with, and where its sender has them. A file that was made for them is taken away
/// again if they turn out to open nothing.
pub(super) struct ReplyWordsPlace {
    words: ReplyWords,
    place: Place,
}

enum Place {
    /// They are shown.
    Terminal(Terminal),
    /// They are in a new file, which goes with this value unless it is kept.
    New(NewFile),
    /// They were there before: the conversation goes on.
    Known,
}

impl ReplyWordsPlace {
    /// Those in `file`, if it has some; else new ones, which are written there, or will be shown on the terminal, if
    /// `may_begin` a conversation.
    ///
    /// # Errors
    /// There is no terminal; or the file is not there and must be, can't be made, or has something else in it.
    pub(super) async fn of(file: Option<&Path>, may_begin: bool) -> Result<Self, CliError> {
        let with = |words, place| Self { words, place };
        let Some(path) = file else {
            let terminal = Terminal::of_its_own("nothing was sent")?;
            let words = ReplyWords::generate(&mut random::kernel());
            return Ok(with(words, Place::Terminal(terminal)));
        };
        if let Some(words) = secret_file::read_words(path).await? {
            return Ok(with(words, Place::Known));
        }
        // A name that was mistyped must not begin another conversation unnoticed.
        if !may_begin {
            let what = format!("{} is not there; nothing was sent", quoted(path));
            return Err(CliError::usage(what)
                .hint("To begin a conversation, with its words in this new file, add --replies."));
        }
        let words = ReplyWords::generate(&mut random::kernel());
        let mut line = Zeroizing::new(String::with_capacity(MAX_TYPED_BYTES));
        line.push_str(&words.line());
        line.push('\n');
        let unmade = |fault: io::Error| {
            let what = format!("can't make {} for the words: {fault}", quoted(path));
            CliError::new(Exit::of_io(&fault), format!("{what}; nothing was sent"))
        };
        let file = secret_file::written(path, line.as_bytes()).map_err(unmade)?;
        Ok(with(words, Place::New(file)))
    }

    pub(super) fn words(&self) -> &ReplyWords {
        &self.words
    }

    /// Whether they go on with a conversation.
    pub(super) fn go_on(&self) -> bool {
        matches!(self.place, Place::Known)
    }

    /// Shows them where they have to be written down, behind these words.
    pub(super) fn show(&self, before: &str) {
        if let Place::Terminal(terminal) = &self.place {
            terminal.show(&Zeroizing::new(format!(
                "{before}\n{}",
                *in_rows(&self.words)
            )));
        }
    }

    /// Whether they are shown, and are nowhere else.
    pub(super) fn are_on_the_terminal(&self) -> bool {
        matches!(self.place, Place::Terminal(_))
    }

    /// They open a conversation, or may.
    pub(super) fn keep(&mut self) {
        if let Place::New(file) = &mut self.place {
            file.keep();
        }
    }
}

/// A command about a conversation with `whom`, as it can be pasted.
pub(super) fn command(
    common: &Common,
    verb: &str,
    whom: &Recipient,
    file: Option<&Path>,
) -> String {
    let whom = match whom {
        Recipient::Address(link) => address(link.target),
        Recipient::Name(name) => quoted(name.as_str()),
    };
    let file = file.map_or_else(String::new, |path| {
        format!(" --words-file {}", quoted(path))
    });
    let words = format!("{verb} {whom}{file}");
    match common.contacts() {
        Some(contacts) => contacts.command(&words),
        None => format!("kkvc {words}"),
    }
}

/// A message of which it isn't known whether it arrived, and that asks for an answer.
pub(super) struct InDoubt {
    /// Whether its words are shown, and are nowhere else.
    pub(super) on_the_terminal: bool,
    /// Whether its conversation was there before.
    pub(super) follows_up: bool,
    pub(super) has_files: bool,
}

impl InDoubt {
    /// Says how its sender finds out what can't be known now: by this `command`, for sure once its session is over.
    pub(super) fn explained(&self, failed: CliError, command: &str) -> CliError {
        let kept = match self.on_the_terminal {
            true => "your words",
            false => "the file with the words",
        };
        let hint = match self.follows_up {
            true => format!(
                "Keep {kept}: if it arrived, it is the last of your messages there, of about {}.",
                time(SystemClock::default().wall())
            ),
            false => format!("Keep {kept}: if it arrived, they open its conversation."),
        };
        let life = match self.has_files {
            true => UPLOAD_IDLE,
            false => SESSION_LIFETIME,
        };
        let failed = CliError {
            hint: None,
            ..failed
        };
        let for_sure = format!(
            "Whether it arrived, this tells, for sure once {} have passed: ",
            about(life)
        );
        failed.hint(hint).command(&for_sure, command)
    }
}

/// The words of a conversation: from `file`, or asked for.
pub(super) async fn of_conversation(file: Option<&Path>) -> Result<ReplyWords, CliError> {
    if let Some(path) = file {
        let words = secret_file::read_words(path).await?;
        return words.ok_or_else(|| {
            CliError::usage(format!("{} is not there", quoted(path)))
                .hint("It is the file that `kkvc send --replies --words-file` has made.")
        });
    }
    let terminal = Terminal::for_questions()?;
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let typed = unless_stopped(terminal.typed("")).await?;
        match ReplyWords::parse(&typed) {
            Ok(words) => return Ok(words),
            Err(bad) if tries == 0 => return Err(unread(bad)),
            Err(bad) => terminal.show(&format!("{}; try again.\n", capital(&bad))),
        }
    }
}

fn unread(bad: BadWords) -> CliError {
    CliError::usage(format!("{bad}; nothing was asked for"))
        .hint("They are the words that `kkvc send --replies` has shown, in their order.")
}

fn capital(bad: &impl ToString) -> String {
    let mut text = bad.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// A terminal for a secret that may be seen by who sits there.
struct Terminal {
    input: File,
    output: Sink,
}

impl Terminal {
    /// The one that the program was started from, wherever its input and output lead; or else the one that is standard
    /// error.
    fn of_its_own(undone: &str) -> Result<Self, CliError> {
        let opened = Self::open().or_else(|fault| {
            if !io::stderr().is_terminal() {
                return Err(fault);
            }
            stdin().map(|input| Self {
                input,
                output: Sink::Err,
            })
        });
        opened.map_err(|_| {
            let what = format!("there is no terminal to show the words on; {undone}");
            CliError::usage(what).hint("Name a new file for them with --words-file.")
        })
    }

    /// The same for questions: on standard input and error, if they are one.
    fn for_questions() -> Result<Self, CliError> {
        let opened = if io::stdin().is_terminal() && io::stderr().is_terminal() {
            stdin().map(|input| Self {
                input,
                output: Sink::Err,
            })
        } else {
            Self::open()
        };
        opened.map_err(|_| {
            CliError::usage("there is no terminal to ask for the words on")
                .hint("Name a file that has them with --words-file.")
        })
    }

    fn open() -> io::Result<Self> {
        let input = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let output = Sink::Terminal(Arc::new(input.try_clone()?));
        Ok(Self { input, output })
    }

    /// Asks for the words of a kind (which ends with a blank, or is empty), in one line or several.
    async fn typed(&self, kind: &str) -> Result<Zeroizing<String>, CliError> {
        let columns = match &self.output {
            Sink::Terminal(file) => columns_of(file),
            Sink::Out | Sink::Err => columns_of(io::stderr()),
        };
        let question = format!("Your {WORDS} {kind}words:");
        self.show(&format!("{} ", *hanging(&question, columns)));
        let unread = |fault: io::Error| CliError::usage(format!("can't read the words: {fault}"));
        let input = self.input.try_clone().map_err(unread)?;
        // On a thread of its own, since a signal can't interrupt somebody who types.
        let typed = spawn_blocking(|| scrub::run_then_wipe_stack(|| read_words(input)));
        let typed = typed
            .await
            .expect("reading does not panic")
            .map_err(unread)?;
        typed.ok_or_else(|| {
            let what = "no words were given; nothing was asked for";
            CliError::new(Exit::Cancelled, what)
        })
    }

    /// Writes it, and waits until it is there: other words come after it, by another way.
    fn show(&self, text: &str) {
        let bytes = Zeroizing::new(text.as_bytes().to_vec());
        let _ = writer::written(self.output.clone(), bytes);
    }
}

/// Reads lines until they have twelve words, or one is empty; none if there is only the end. The rest of what is too
/// long is dropped.
fn read_words(mut input: File) -> io::Result<Option<Zeroizing<String>>> {
    let mut typed = Zeroizing::new(Vec::with_capacity(MAX_TYPED_BYTES));
    let mut byte = Zeroizing::new([0; 1]);
    let mut line_begins = 0;
    loop {
        let read = match input.read(&mut *byte) {
            Err(fault) if is_of_no_terminal(&fault) => return Ok(None),
            read => read?,
        };
        match (read, byte[0]) {
            (0, _) if typed.is_empty() => return Ok(None),
            (0, _) => break,
            (_, b'\n') => {
                let text = std::str::from_utf8(&typed).unwrap_or("?");
                let count = ReplyWords::parse(text).map_or_else(count_of, |_| WORDS);
                if typed.len() == line_begins || count >= WORDS {
                    break;
                }
                if typed.len() < MAX_TYPED_BYTES {
                    typed.push(b'\n');
                }
                line_begins = typed.len();
            }
            (_, byte) if typed.len() < MAX_TYPED_BYTES => typed.push(byte),
            _ => {}
        }
    }
    match String::from_utf8(std::mem::take(&mut *typed)) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(fault) => {
            drop(Zeroizing::new(fault.into_bytes()));
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "they aren't UTF-8",
            ))
        }
    }
}

/// How many words there are, if more are to come: what is wrong with them otherwise is said at once.
fn count_of(bad: BadWords) -> usize {
    match bad {
        BadWords::Count(_, count) => count,
        _ => WORDS,
    }
}
