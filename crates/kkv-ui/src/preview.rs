//! The last columns of lists of messages: whether they can be answered, and what a text begins with, or what it is as
//! OpenPGP.

use zeroize::Zeroizing;

use crate::fields::size;
use kkv_base::count::counted;
use kkv_owner::{FileInfo, Summary};
use kkv_terminal::bar::{BAR, BAR_COLUMNS};
use kkv_terminal::measured::measured;
use kkv_terminal::visible::{OneLine, first_words};

/// Stands at messages that can be answered, with the number of their conversation behind it.
const ANSWERABLE: char = '↩';
/// And this behind it at those that were.
const ANSWERED: char = '✓';
/// Columns between it and the one before.
const GAP: usize = 2;
/// With less room than that there are no first words.
const LEAST_WORDS: usize = 10;

/// Columns that first words have in so many columns, if there is room for any.
#[must_use]
pub fn room_for_words(columns: usize) -> Option<usize> {
    let room = columns.checked_sub(GAP + BAR_COLUMNS)?;
    (room >= LEAST_WORDS).then_some(room)
}

/// What stands above it, where first words have that `room`.
#[must_use]
pub fn title<'m>(
    mut messages: impl Iterator<Item = &'m Summary>,
    room: Option<usize>,
) -> &'static str {
    let mut any_openpgp = || messages.any(|m| openpgp_in_short(m).is_some());
    match room {
        Some(_) => "  FIRST WORDS",
        None if any_openpgp() => "  OPENPGP",
        None => "",
    }
}

/// What stands in it: made safe, and a text behind a bar.
#[must_use]
pub fn last_column(message: &Summary, room: Option<usize>) -> Zeroizing<String> {
    let mut inside = files_in_short(message).map_or_else(String::new, |files| format!("  {files}"));
    if !message.openpgp_inside.is_empty() {
        inside += "  OpenPGP in part";
    }
    let left = room.map(|room| room.saturating_sub(inside.len()));
    Zeroizing::new(match (openpgp_in_short(message), &message.first, left) {
        (Some(block), _, None) => format!("  {block}"),
        (Some(block), None, Some(_)) => format!("  OpenPGP {block}"),
        (_, Some(first), Some(left)) if left >= LEAST_WORDS && !first.is_empty() => {
            format!("{inside}  {BAR} {}", *first_words(first, left))
        }
        _ => inside,
    })
}

/// Whether a message can be answered, in which conversation, and whether it was: messages of one are marked alike.
#[must_use]
pub fn answerable(message: &Summary) -> String {
    let Some(conversation) = &message.conversation else {
        return String::new();
    };
    let mut shown = format!("{ANSWERABLE}{}", conversation.number);
    if conversation.answered > 0 {
        shown.push(ANSWERED);
    }
    shown
}

/// How many files are in a message, if any are.
#[must_use]
pub fn files_in_short(summary: &Summary) -> Option<String> {
    let count = summary.files.len();
    (count > 0).then(|| counted(count as u64, "file"))
}

/// One of them, the `number`th: its size, and behind a bar what its sender calls it and says that it is, made safe.
#[must_use]
pub fn file_in_a_line(number: usize, file: &FileInfo) -> Zeroizing<String> {
    measured(|out| {
        write!(
            out,
            "{number}, {} {BAR} {}",
            size(file.bytes),
            OneLine(&file.name)
        )?;
        match file.media_type.is_empty() {
            true => Ok(()),
            false => write!(out, "  ({})", OneLine(&file.media_type)),
        }
    })
}

/// What a message is as OpenPGP, or which parts of it are, in a word or two.
#[must_use]
pub fn openpgp_in_short(summary: &Summary) -> Option<String> {
    match (summary.openpgp, &summary.openpgp_inside[..]) {
        (Some(block), _) => Some(block.to_string()),
        (None, []) => None,
        (None, [block]) => Some(format!("part: {block}")),
        (None, _) => Some("several parts".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sender_says_of_a_file_stands_behind_a_bar_and_is_harmless() {
        let file = |name: &str, media_type: &str| FileInfo {
            name: Zeroizing::new(name.to_owned()).into(),
            bytes: 40_000,
            media_type: Zeroizing::new(media_type.to_owned()).into(),
        };
        for (name, media_type, line) in [
            ("a.jpg", "image/jpeg", "2, 40 KiB │ a.jpg  (image/jpeg)"),
            (
                "gpj.\u{202e}exe\n\x1b[2J",
                "",
                "2, 40 KiB │ gpj.<U+202E>exe<U+000A><U+001B>[2J",
            ),
        ] {
            assert_eq!(*file_in_a_line(2, &file(name, media_type)), line);
        }
    }
}
