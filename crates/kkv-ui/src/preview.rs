//! The last column of lists of messages: what a text begins with, or what it is as OpenPGP.

use zeroize::Zeroizing;

use kkv_owner::Summary;
use kkv_terminal::bar::{BAR, BAR_COLUMNS};
use kkv_terminal::visible::first_words;

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
    let inside = if message.openpgp_inside.is_empty() {
        ""
    } else {
        "  OpenPGP in part"
    };
    let left = room.map(|room| room.saturating_sub(inside.len()));
    Zeroizing::new(match (openpgp_in_short(message), &message.first, left) {
        (Some(block), _, None) => format!("  {block}"),
        (Some(block), None, Some(_)) => format!("  OpenPGP {block}"),
        (_, Some(first), Some(left)) if left >= LEAST_WORDS => {
            format!("{inside}  {BAR} {}", *first_words(first, left))
        }
        _ => inside.to_owned(),
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
