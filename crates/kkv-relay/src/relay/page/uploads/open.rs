//! An upload whose files are here or on their way: how they lie in its memory, and what is looked at before they go
//! into the queue.

use std::ops::Range;

use zeroize::Zeroize;

use super::super::{Entry, NotTaken};
use super::Upload;
use super::announced::{Announced, bytes};
use crate::relay::uploads::Room;
use kkv_protocol::files::Files;
use kkv_protocol::reply_words::{self, ReplyWords};
use kkv_protocol::v2::purpose::LargeSize;

/// What a content with files begins with: the length of its text (PROTOCOL.md §16).
pub(super) const TEXT_LENGTH_BYTES: usize = 2;

/// How often the form of an upload is refused before that is over. Each time all of it is looked through for the words,
/// for up to 23 ms a MiB, and a form that names it is short.
const MAX_REFUSED: u8 = 8;

/// What it has.
#[derive(Debug)]
pub(super) struct Open {
    /// The pieces end where the block ends, so that all else has its place before them.
    pub(super) room: Room,
    /// Where the files begin, once they are laid out with their heads.
    pub(super) files: Option<usize>,
    pub(super) entry: Entry,
    /// How often its form was refused.
    pub(super) refused: u8,
}

impl Open {
    /// Whether its form may be sent once more.
    pub(super) fn stays(&self) -> bool {
        self.refused < MAX_REFUSED
    }

    /// Moves each file to where it belongs, and writes its head before it. Returns where that begins.
    pub(super) fn lay_out(&mut self, files: &[Announced], end: usize) -> Option<usize> {
        let heads: Vec<_> = files
            .iter()
            .map(Announced::head)
            .collect::<Result<_, _>>()
            .ok()?;
        let count = u8::try_from(files.len()).ok()?;
        let own: usize = heads.iter().map(Vec::len).sum();
        let mut from = end - bytes(files);
        let start = from.checked_sub(own + 1)?;
        self.room.write(0..end, |block| {
            block[start] = count;
            let mut to = start + 1;
            for (file, head) in files.iter().zip(&heads) {
                // What moves, moves forward into what was left by others, or never used.
                block.copy_within(from..from + file.size, to + head.len());
                block[to..][..head.len()].copy_from_slice(head);
                to += head.len() + file.size;
                from += file.size;
            }
        });
        Some(start)
    }

    /// Puts the text before the files, and looks at all of it as at any content. What is refused loses its text again.
    pub(super) fn checked(
        &mut self,
        upload: &Upload,
        text: &str,
        words: Option<&ReplyWords>,
    ) -> Result<Range<usize>, NotTaken> {
        let files = self.files.ok_or(NotTaken::FilesGone)?;
        let end = upload.size.bytes();
        let before = TEXT_LENGTH_BYTES + text.len();
        // No more than was asked for at the beginning, or another size would have had to be paid.
        let size = LargeSize::for_content(before + end - files);
        let start = files.checked_sub(before);
        let start = start.filter(|_| size.is_some_and(|size| size <= upload.size));
        let start = start.ok_or(NotTaken::FilesGone)?;
        let length = u16::try_from(text.len()).map_err(|_| NotTaken::TooLong)?;
        self.room.write(start..end, |content| {
            content[..TEXT_LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
            content[TEXT_LENGTH_BYTES..before].copy_from_slice(text.as_bytes());
            let checked = must_be_good(content, words);
            if checked.is_err() {
                content[..before].zeroize();
            }
            checked
        })?;
        Ok(start..end)
    }
}

fn must_be_good(content: &[u8], words: Option<&ReplyWords>) -> Result<(), NotTaken> {
    let content = Files::decode(content).map_err(|_| NotTaken::FilesGone)?;
    let inside = |words: &ReplyWords| {
        let mut files = content.files().iter();
        words.are_in(content.text())
            || files.any(|file| words.are_in(file.name()) || words.are_in_file(file.bytes()))
    };
    if words.is_some_and(inside) {
        return Err(NotTaken::WordsInside);
    }
    if reply_words::stand_in(content.text()) {
        return Err(NotTaken::OtherWords);
    }
    Ok(())
}
