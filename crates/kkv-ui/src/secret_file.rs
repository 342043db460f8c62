//! A file with a secret, a key, a passphrase or reply words: made for its owner alone, and read only if nobody else
//! can.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::advice::close_file;
use crate::error::{CliError, Exit};
use crate::new_file::NewFile;
use kkv_base::limits::MAX_SECRET_FILE_BYTES;
use kkv_net::process::{ROOT, own_uid};
use kkv_protocol::crypto::scrub;
use kkv_protocol::reply_words::ReplyWords;
use kkv_terminal::input;
use kkv_terminal::visible::quoted;
use kkv_words::{Kind, Words};

/// What is in a file with reply words.
const REPLY_WORDS: &str = "reply words";
/// What is in one with recovery words.
const RECOVERY_WORDS: &str = "recovery words";

/// Makes a new file of mode 0600.
///
/// # Errors
/// It exists, or can't be written; then it is not there.
pub fn make(path: &Path, text: &str) -> io::Result<()> {
    make_bytes(path, text.as_bytes())
}

/// The same of bytes.
///
/// # Errors
/// As there.
pub fn make_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written(path, bytes)?.keep();
    Ok(())
}

/// The same of bytes that may turn out to be of no use: it goes again unless it is kept.
///
/// # Errors
/// As there.
pub fn written(path: &Path, bytes: &[u8]) -> io::Result<NewFile> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes)?; // half a key helps nobody
    file.sync()?;
    Ok(file)
}

/// Reads a file with a key, or what it has instead, by `is_key`. `maker` is the command that makes such files.
pub async fn read(
    path: &Path,
    maker: &str,
    is_key: fn(&str) -> bool,
) -> Result<Zeroizing<String>, CliError> {
    let is_key = move |text: &str| is_key(text.trim_matches(is_around));
    let read = read_private(path, "key", is_key).await.map(only_the_key);
    read.map_err(|fault| match fault {
        Unread::Directory(failed) => {
            failed.hint(format!("Name a file in it; `{maker}` makes one."))
        }
        Unread::Exposed(failed) => failed,
        Unread::Io(fault) => unusable(path, &fault, maker),
    })
}

/// Reads a file with a passphrase, which somebody has made by hand.
pub async fn read_passphrase(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let read = read_private(path, "passphrase", |_| true).await;
    read.map_err(|fault| match fault {
        Unread::Directory(failed) => failed.hint("Name a file in it, with one line."),
        Unread::Exposed(failed) => failed,
        Unread::Io(fault) => {
            let path = quoted(path);
            let what = format!("can't use the passphrase in {path}: {fault}");
            CliError::new(Exit::of_io(&fault), what)
                .hint("It is a text file of yours with one line.")
        }
    })
}

/// Reads a file with reply words, if it is there.
///
/// # Errors
/// It can't be read, others can read it, or it has no such words: then it is left as it is.
pub async fn read_words(path: &Path) -> Result<Option<ReplyWords>, CliError> {
    let is_one = |text: &str| ReplyWords::parse(text).is_ok();
    let Some(text) = read_text(path, REPLY_WORDS, is_one).await? else {
        return Ok(None);
    };
    match ReplyWords::parse(&text) {
        Ok(words) => Ok(Some(words)),
        Err(bad) => Err(CliError::usage(format!("{}: {bad}", quoted(path)))
            .hint("The file is left as it is. For new words name one that isn't there yet.")),
    }
}

/// Reads a file with recovery words.
///
/// # Errors
/// It isn't there, can't be read, others can read it, or it has no such words.
pub async fn read_recovery_words(path: &Path) -> Result<Words, CliError> {
    let is_one = |text: &str| Words::parse(Kind::Recovery, text).is_ok();
    let text = read_text(path, RECOVERY_WORDS, is_one).await?;
    let text = text.ok_or_else(|| {
        CliError::usage(format!("{} is not there", quoted(path)))
            .hint("It is the file that `kkvc me new --words-file` has made.")
    })?;
    Words::parse(Kind::Recovery, &text)
        .map_err(|bad| CliError::usage(format!("{}: {bad}", quoted(path))))
}

/// What is in a file with words, if it is there.
async fn read_text(
    path: &Path,
    words: &'static str,
    is_one: fn(&str) -> bool,
) -> Result<Option<Zeroizing<String>>, CliError> {
    match read_private(path, words, is_one).await {
        Err(Unread::Io(fault)) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|fault| match fault {
            Unread::Directory(failed) => failed.hint("Name a file in it."),
            Unread::Exposed(failed) => failed,
            Unread::Io(fault) => {
                let what = format!("can't read {}: {fault}", quoted(path));
                CliError::new(Exit::of_io(&fault), what)
            }
        }),
    }
}

/// A key without what an editor may have put around it: blank lines, and the mark of UTF-8 at the beginning.
fn only_the_key(mut text: Zeroizing<String>) -> Zeroizing<String> {
    let end = text.trim_end_matches(is_around).len();
    text.truncate(end);
    let start = end - text.trim_start_matches(is_around).len();
    text.drain(..start); // within the buffer, which is wiped
    text
}

fn is_around(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

enum Unread {
    Directory(CliError),
    Exposed(CliError),
    Io(io::Error),
}

/// It may be a pipe: a shell's `<(…)`. A signal can't interrupt who waits for what comes through that, so a thread of
/// its own does.
async fn read_private(
    path: &Path,
    secret: &'static str,
    is_one: impl Fn(&str) -> bool + Send + 'static,
) -> Result<Zeroizing<String>, Unread> {
    let path = path.to_owned();
    let read =
        spawn_blocking(move || scrub::run_then_wipe_stack(|| read_now(&path, secret, &is_one)));
    read.await.expect("reading does not panic")
}

/// What is looked at is what was opened. A file that others can read is given back only if there is no secret in it:
/// then that is what is wrong with it.
fn read_now(
    path: &Path,
    secret: &str,
    is_one: &dyn Fn(&str) -> bool,
) -> Result<Zeroizing<String>, Unread> {
    let file = File::open(path).map_err(Unread::Io)?;
    let metadata = file.metadata().map_err(Unread::Io)?;
    let shown = quoted(path);
    if metadata.is_dir() {
        let article = if secret.ends_with("words") { "" } else { "a " };
        let what = format!("{shown} is a directory, not a file with {article}{secret}");
        return Err(Unread::Directory(CliError::usage(what)));
    }
    // A key may be mounted where root is another one than its owner. But words that another user has put there begin
    // nothing: they write into his conversation, and he reads the answers.
    let is_anothers = metadata.is_file() && ![ROOT, own_uid()].contains(&metadata.uid());
    if metadata.mode() & 0o077 != 0 || secret == REPLY_WORDS && is_anothers {
        if metadata.is_file() {
            // What is no text is as little a key as an empty file is.
            let text = input::text(file, MAX_SECRET_FILE_BYTES);
            if !is_one(text.as_ref().map_or("", |text| text.as_str())) {
                return text.map_err(Unread::Io);
            }
        }
        let what = format!("other users may get at the {secret} in {shown}");
        let failed = close_file(CliError::usage(what), path, &metadata);
        return Err(Unread::Exposed(failed));
    }
    input::text(file, MAX_SECRET_FILE_BYTES).map_err(Unread::Io)
}

/// What is said of a file that can't be made or read.
pub fn unusable(path: &Path, fault: &io::Error, maker: &str) -> CliError {
    let what = format!("can't use the key in {}: {fault}", quoted(path));
    let failed = CliError::new(Exit::of_io(fault), what);
    if fault.kind() == io::ErrorKind::NotFound {
        failed.hint(format!("`{maker}` makes one, in a directory that exists."))
    } else {
        failed
    }
}
