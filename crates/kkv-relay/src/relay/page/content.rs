//! What somebody has sent by a form, and what of it goes into the queue.

use zeroize::Zeroizing;

use super::{NotTaken, Payment, Wants};
use kkv_protocol::files::{BadFiles, File, Files, MAX_FILE_NAME_BYTES, MAX_MEDIA_TYPE_BYTES};
use kkv_protocol::kind::Kind;
use kkv_protocol::limits::MAX_TEXT_BYTES;
use kkv_protocol::reply_words::{self, ReplyWords};
use kkv_protocol::text::{BadText, Text};
use kkv_protocol::v2::answers::keys::{Acknowledgement, BoxSecret};
use kkv_protocol::v2::answers::sender::NewChain;
use kkv_protocol::v2::purpose::LargeSize;

/// What somebody has sent by a form.
pub(in crate::relay) struct Filled {
    /// The form's id.
    pub(in crate::relay) form: String,
    /// The words that the form had, if they are to open an answer. Script keeps its own to itself.
    pub(in crate::relay) words: Option<ReplyWords>,
    /// Where an answer is to be left, if one is wanted.
    pub(in crate::relay) chain: Option<NewChain>,
    /// Whether it goes on with a conversation.
    pub(in crate::relay) follows: bool,
    /// Of the answers that were shown beside the form.
    pub(in crate::relay) seen: Vec<Acknowledgement>,
    /// What was typed as an invitation; empty if nothing was.
    pub(in crate::relay) invitation: Zeroizing<String>,
    /// What script has paid with.
    pub(in crate::relay) payment: Payment,
    /// What was typed, with the line ends of a text.
    pub(in crate::relay) text: Zeroizing<String>,
    /// The files that were chosen.
    pub(in crate::relay) files: Vec<Chosen>,
    /// The upload that it names, as it stands there.
    pub(in crate::relay) upload: Option<String>,
}

impl Filled {
    /// Of the box with whose conversation it goes on.
    pub(in crate::relay) fn goes_on_with(&self) -> Option<&BoxSecret> {
        let chain = self.chain.as_ref().filter(|_| self.follows);
        chain.map(NewChain::secret)
    }

    /// Its own words are not in what is sent, nor those of another conversation in its text: who comes back for an
    /// answer may take that field for theirs. It takes longest of all that is looked at.
    pub(super) fn must_give_no_words_away(&self) -> Result<(), NotTaken> {
        let inside = |words: &ReplyWords| {
            let mut files = self.files.iter();
            words.are_in(&self.text)
                || files.any(|file| words.are_in(&file.name) || words.are_in_file(&file.bytes))
        };
        if self.words.as_ref().is_some_and(inside) {
            return Err(NotTaken::WordsInside);
        }
        if reply_words::stand_in(&self.text) {
            return Err(NotTaken::OtherWords);
        }
        Ok(())
    }
}

/// A file that was chosen.
pub(in crate::relay) struct Chosen {
    pub(in crate::relay) name: String,
    pub(in crate::relay) media_type: String,
    pub(in crate::relay) bytes: Zeroizing<Vec<u8>>,
}

/// A file's name as it is kept: without what doesn't fit, which is its end, so that one like `.pdf` may be lost; `file`
/// if there is none.
pub(in crate::relay) fn kept_name(mut name: String) -> String {
    if name.is_empty() {
        return "file".to_owned();
    }
    name.truncate(name.floor_char_boundary(MAX_FILE_NAME_BYTES));
    name
}

/// A file's media type as it is kept: none if it is not what a message can have.
pub(in crate::relay) fn kept_type(media_type: String) -> String {
    let is_ascii = media_type.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_ascii && media_type.len() <= MAX_MEDIA_TYPE_BYTES {
        media_type
    } else {
        String::new()
    }
}

/// What of a form goes into the queue.
pub(super) enum Content {
    Text(Text),
    /// Laid out as files are, for a block of this size.
    Files(Zeroizing<Vec<u8>>, LargeSize),
    /// Files that were uploaded before. What tells this message from another of the same form: the text, and by what
    /// the files are named.
    Uploaded(Zeroizing<Vec<u8>>),
}

impl Content {
    pub(super) fn of(filled: &Filled) -> Result<Self, NotTaken> {
        if let Some(upload) = filled.upload.as_ref().filter(|_| filled.files.is_empty()) {
            if filled.text.len() > MAX_TEXT_BYTES {
                return Err(NotTaken::TooLong);
            }
            let bytes = [upload.as_bytes(), b"\0", filled.text.as_bytes()].concat();
            return Ok(Self::Uploaded(Zeroizing::new(bytes)));
        }
        if filled.files.is_empty() {
            let text = Zeroizing::new((*filled.text).clone());
            return Text::new(text).map(Self::Text).map_err(|bad| match bad {
                BadText::Empty | BadText::Blank => NotTaken::Empty,
                _ => NotTaken::TooLong,
            });
        }
        if filled.files.iter().any(|file| file.bytes.is_empty()) {
            return Err(NotTaken::EmptyFile);
        }
        let files = filled
            .files
            .iter()
            .map(|file| File::new(&file.name, &file.media_type, &file.bytes))
            .collect::<Result<Vec<_>, _>>()
            .and_then(|files| Files::new(&filled.text, files))
            .map_err(|bad| match bad {
                BadFiles::TextTooLong(_) => NotTaken::TooLong,
                _ => NotTaken::TooLarge,
            })?;
        let size = LargeSize::for_content(files.content_bytes()).ok_or(NotTaken::TooLarge)?;
        Ok(Self::Files(files.encode(), size))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Files(bytes, _) | Self::Uploaded(bytes) => bytes,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Files(..) | Self::Uploaded(_) => Kind::Files,
        }
    }

    /// What it takes, if that isn't reserved for it.
    pub(super) fn wants(&self) -> Wants {
        match self {
            Self::Text(_) => Wants::Slot,
            Self::Files(_, size) => Wants::Files(*size),
            Self::Uploaded(_) => Wants::Either,
        }
    }
}
