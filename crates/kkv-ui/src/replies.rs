//! Answers and reply words, as both faces show them.

use zeroize::Zeroizing;

use crate::error::{CliError, Exit};
use crate::estimate::about;
use crate::fields::time;
use kkv_base::count::counted;
use kkv_base::limits::{SESSION_LIFETIME, UPLOAD_IDLE};
use kkv_protocol::reply_words::{self, ReplyWords, WORDS};
use kkv_protocol::v2::answers::sender::Answer;
use kkv_protocol::v2::answers::status::{BoxStatus, Entry, EntryState};

/// Words in a row, and columns of each: the longest has eight letters.
const ROW: usize = 4;
const COLUMN: usize = 10;
/// Columns of a word with its number.
const CELL: usize = "12 ".len() + COLUMN;

/// The words in three numbered rows, each of which ends a line.
#[must_use]
pub fn in_rows(words: &ReplyWords) -> Zeroizing<String> {
    in_rows_of(words.iter(), ROW)
}

/// The same of twelve words of another kind.
#[must_use]
pub fn words_in_rows(words: impl Iterator<Item = &'static str>) -> Zeroizing<String> {
    in_rows_of(words, ROW)
}

/// The same in six rows where three have no room in so many columns: a number stands beside its word.
#[must_use]
pub fn in_rows_within(words: &ReplyWords, columns: usize) -> Zeroizing<String> {
    let has_room = "  ".len() + ROW * CELL <= columns;
    in_rows_of(words.iter(), if has_room { ROW } else { ROW / 2 })
}

fn in_rows_of(words: impl Iterator<Item = &'static str>, row: usize) -> Zeroizing<String> {
    let around = (WORDS / row) * ("  ".len() + 1);
    let mut rows = Zeroizing::new(String::with_capacity(WORDS * CELL + around));
    for (place, word) in words.enumerate() {
        let number = place + 1;
        if place % row == 0 {
            rows.push_str("  ");
        }
        if number < 10 {
            rows.push(' ');
        }
        rows.push_str(&number.to_string());
        rows.push(' ');
        rows.push_str(word);
        if number % row == 0 {
            rows.push('\n');
        } else {
            (word.len()..COLUMN).for_each(|_| rows.push(' '));
        }
    }
    rows
}

/// Refuses a message that gives its own words away: its reader could read every answer, and write on in its sender's
/// place.
///
/// # Errors
/// They stand in it.
pub fn require_own_words_out_of(text: &str, words: &ReplyWords) -> Result<(), CliError> {
    match words.are_in(text) {
        true => Err(given_away()),
        false => Ok(()),
    }
}

/// The same of the bytes of a file that goes with it.
///
/// # Errors
/// As there.
pub fn require_own_words_out_of_file(bytes: &[u8], words: &ReplyWords) -> Result<(), CliError> {
    match words.are_in_file(bytes) {
        true => Err(given_away()),
        false => Ok(()),
    }
}

/// Refuses a message with the words of any conversation in it: who looks for an answer may have mistaken the command or
/// the field.
///
/// # Errors
/// Twelve such words stand in it, one after the other.
pub fn require_reply_words_out_of(text: &str) -> Result<(), CliError> {
    if !reply_words::stand_in(text) {
        return Ok(());
    }
    Err(
        CliError::usage("the message has twelve reply words in it; nothing was sent").hint(
            "Whoever has them reads the answers that wait for them. To read one, run `kkvc replies ADDRESS`. If they are \
             something else, send them in a file, with --file.",
        ),
    )
}

fn given_away() -> CliError {
    CliError::usage("the message has its own reply words in it; nothing was sent")
        .hint("Take them out: nobody but you needs them.")
}

/// What has become of a message, in a word or two.
///
/// `since`: how many answers were written after it.
fn state(entry: &Entry, since: u16) -> String {
    let state = match entry.state {
        EntryState::Accepted => "accepted",
        EntryState::Waiting => "not read yet",
        EntryState::Read => "read",
        EntryState::Gone => "not there any more",
    };
    match since {
        0 => state.to_owned(),
        _ => format!("{state}, {} since", counted(since, "answer")),
    }
}

/// What has become of each message, the oldest first: when it was accepted, and the rest in a few words.
///
/// An answer is to the conversation: its owner may have had any message of it in mind, and a relay says only after
/// which it was written (PROTOCOL.md §17).
#[must_use]
pub fn states(inside: &BoxStatus) -> Vec<(u64, String)> {
    let mut since = 0;
    let newest_first = inside.entries.iter().map(|entry| {
        since = entry.answers.saturating_add(since);
        (entry.accepted, state(entry, since))
    });
    let mut states: Vec<_> = newest_first.collect();
    states.reverse();
    states
}

/// After which message an answer was written: the newest that the owner had then.
#[must_use]
pub fn written_after<'e>(answer: &Answer, inside: &'e BoxStatus) -> Option<&'e Entry> {
    inside
        .entries
        .iter()
        .find(|entry| entry.salt == answer.salt)
}

/// There is no answer yet. `again` is the command that looks once more.
#[must_use]
pub fn nothing_yet(inside: &BoxStatus, again: &str) -> CliError {
    let what = match inside.answers {
        0 => "no answer yet",
        _ => "no new answer yet",
    };
    let ends = time(inside.ends);
    CliError::new(Exit::NothingYet, what)
        .hint(format!(
            "Your words stay good until {ends}, and longer with each message."
        ))
        .command("Look again: ", again)
}

/// There is no conversation of these words at a relay that `started` then. `undone`: what doesn't come of it, if
/// anything. `anew` is the command that begins another.
#[must_use]
pub fn no_conversation(started: u64, undone: Option<&str>, anew: &str) -> CliError {
    let started = time(started);
    let undone = undone.map_or_else(String::new, |undone| format!("; {undone}"));
    let what = format!("there is no conversation of these words in this inbox{undone}");
    CliError::new(Exit::NoConversation, what)
        .hint(format!(
            "It was started at {started}. If you wrote before that, your message is gone, and so are its answers."
        ))
        .more("If you wrote later, its owner has wiped the inbox, the time of the conversation is over, or the words are another inbox's.")
        .more(&format!(
            "What was cut off on its way may still arrive within {}, and with files within {}.",
            about(SESSION_LIFETIME),
            about(UPLOAD_IDLE)
        ))
        .command("To write with new words: ", anew)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_protocol::crypto::random;

    #[test]
    fn rows_are_read_back_and_have_room_from_the_start() {
        for _ in 0..100 {
            let words = ReplyWords::generate(&mut random::kernel());
            let rows = in_rows(&words);
            let read = ReplyWords::parse(&rows).unwrap();
            assert_eq!(read.entropy(), words.entropy());
            assert_eq!(rows.lines().count(), WORDS / ROW);
            assert!(rows.lines().all(|line| line.len() <= 60), "{}", *rows);
            let room = WORDS * ("12 ".len() + COLUMN) + 3 * (1 + "  ".len());
            assert_eq!(
                rows.capacity(),
                room,
                "it has not grown, and left no copy behind"
            );
            for (columns, many) in [(54, 3), (53, 6), (36, 6)] {
                let rows = in_rows_within(&words, columns);
                let read = ReplyWords::parse(&rows).unwrap();
                assert_eq!(read.entropy(), words.entropy());
                assert_eq!(rows.lines().count(), many);
                assert!(rows.lines().all(|line| line.len() <= columns));
            }
        }
    }

    #[test]
    fn a_message_must_not_have_its_own_words_in_it() {
        let words = ReplyWords::generate(&mut random::kernel());
        let given_away = format!("PS: {}", words.line().to_uppercase());
        let failed = require_own_words_out_of(&given_away, &words).unwrap_err();
        assert_eq!(failed.exit, Exit::Usage);
        assert!(require_own_words_out_of("Hello!", &words).is_ok());
    }
}
