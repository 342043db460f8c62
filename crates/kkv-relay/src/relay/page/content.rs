//! What somebody has sent by a form, and what of it goes into the queue.

use zeroize::Zeroizing;

use super::{NotTaken, Payment};
use kkv_protocol::files::{BadFiles, File, Files};
use kkv_protocol::kind::Kind;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::text::{BadText, Text};
use kkv_protocol::v2::answers::keys::Acknowledgement;
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
}

impl Filled {
    /// Whether the words are in what is sent. It takes longest of all that is looked at.
    pub(super) fn gives_words_away(&self) -> bool {
        self.words.as_ref().is_some_and(|words| {
            let mut files = self.files.iter();
            words.are_in(&self.text)
                || files.any(|file| words.are_in(&file.name) || words.are_in_file(&file.bytes))
        })
    }
}

/// A file that was chosen.
pub(in crate::relay) struct Chosen {
    pub(in crate::relay) name: String,
    pub(in crate::relay) media_type: String,
    pub(in crate::relay) bytes: Zeroizing<Vec<u8>>,
}

/// What of a form goes into the queue.
pub(super) enum Content {
    Text(Text),
    /// Laid out as files are, for a block of this size.
    Files(Zeroizing<Vec<u8>>, LargeSize),
}

impl Content {
    pub(super) fn of(filled: &Filled) -> Result<Self, NotTaken> {
        if filled.files.is_empty() {
            let text = Zeroizing::new((*filled.text).clone());
            return Text::new(text).map(Self::Text).map_err(|bad| match bad {
                BadText::Empty | BadText::Blank => NotTaken::Empty,
                _ => NotTaken::TooLong,
            });
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
            Self::Files(bytes, _) => bytes,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Files(..) => Kind::Files,
        }
    }

    pub(super) fn is_large(&self) -> bool {
        self.size().is_some()
    }

    pub(super) fn size(&self) -> Option<LargeSize> {
        match self {
            Self::Text(_) => None,
            Self::Files(_, size) => Some(*size),
        }
    }
}
