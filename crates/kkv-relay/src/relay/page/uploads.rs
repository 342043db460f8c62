//! Files that script sends before its form, in pieces (PROTOCOL.md §18), into memory as that for kkv/2's (§16), and for
//! as long.
//!
//! What lets the form in is shown with the beginning and held by it from then on: it serves no other message, until
//! the form has come or the upload has ended. So nobody holds more than by forms alone.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{
    Entry, Filled, NotTaken, Offers, Page, Payment, Seen, State, Wants, kept_name, kept_type,
};
use crate::queue::{MessageId, Now};
use crate::relay::Relay;
use crate::relay::uploads::{InRoom, Receiving, Room};
use kkv_base::limits::{UPLOAD_IDLE, UPLOAD_LIFETIME};
use kkv_page::challenge::Challenge;
use kkv_page::form_id::{FormId, UploadName};
use kkv_protocol::MessageHeader;
use kkv_protocol::files::{Files, MAX_FILES, file_head};
use kkv_protocol::kind::Kind;
use kkv_protocol::limits::MAX_TEXT_BYTES;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::upload::{PieceIndex, Pieces};

/// What a content with files begins with: the length of its text (PROTOCOL.md §16).
const TEXT_LENGTH_BYTES: usize = 2;

/// How often the form of an upload is refused before that is over. Each time all of it is looked through for the words,
/// for up to 23 ms a MiB, and a form that names it is short.
const MAX_REFUSED: u8 = 8;

/// What browsers call a file whose type they don't know.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// The beginning of an upload, as script asks for it.
#[derive(Deserialize)]
pub(in crate::relay) struct UploadRequest {
    /// The form's id.
    form: String,
    /// Tells this choice of files from another one in the same form: 16 bytes in hex.
    key: String,
    /// Bytes of the text that is to go with the files.
    text: usize,
    /// What is to come, one behind the other.
    files: Vec<Announced>,
    /// By what the form is let in, as it stands there.
    #[serde(default)]
    invitation: Zeroizing<String>,
    #[serde(default)]
    challenge: String,
    #[serde(default)]
    nonces: String,
}

/// A file that is to come.
#[derive(Clone, PartialEq, Eq, Deserialize)]
struct Announced {
    name: String,
    #[serde(rename = "type")]
    media_type: String,
    size: usize,
}

/// What script is told of its upload.
#[derive(Debug, Serialize)]
pub(in crate::relay) struct UploadBegun {
    /// By what pieces and the form name it.
    upload: String,
    /// Bytes of each piece but the last.
    piece: usize,
    /// The pieces that are not here.
    missing: Vec<usize>,
    /// Bytes of those that are.
    bytes: usize,
}

/// The answer to a piece, which is here then.
#[derive(Debug, Serialize)]
pub(in crate::relay) struct PieceTaken {
    /// Bytes of all pieces that are here.
    bytes: usize,
}

/// All of them: no more than the memory for files has blocks.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    open: Vec<Entered>,
}

#[derive(Debug)]
struct Entered {
    upload: Arc<Upload>,
    end: Duration,
}

/// One of them. The lock of its stage is taken with that of the page's state held, never the other way round.
#[derive(Debug)]
pub(in crate::relay) struct Upload {
    name: UploadName,
    form: FormId,
    size: LargeSize,
    files: Vec<Announced>,
    opened: Duration,
    /// None once it is over, or its message in the queue.
    stage: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    /// The pieces end where the block ends, so that all else has its place before them.
    room: Room,
    /// Where the files begin, once they are laid out with their heads.
    files: Option<usize>,
    entry: Entry,
    /// How often its form was refused.
    refused: u8,
}

/// What a form that comes back to its sender has uploaded.
pub(in crate::relay) struct Uploaded {
    /// The files' names.
    pub(in crate::relay) names: Vec<String>,
    /// Whether it is paid for.
    pub(in crate::relay) is_paid: bool,
}

impl Uploads {
    /// Ends what has expired. Returns when something is next.
    pub(super) fn purge(&mut self, now: Duration) -> Option<Duration> {
        self.retain(|entered| now < entered.end);
        self.open.iter().map(|entered| entered.end).min()
    }

    /// Ends all of them.
    pub(super) fn wipe(&mut self) {
        self.retain(|_| false);
    }

    /// Ends the one of a form.
    pub(super) fn end_of(&mut self, form: FormId) {
        self.retain(|entered| entered.upload.form != form);
    }

    /// How many, but for this form's, hold a place that is given away.
    pub(super) fn free(&self, form: Option<FormId>) -> usize {
        self.entries(form, |entry| matches!(entry, Entry::Free))
    }

    /// Whether one, but for this form's, holds this challenge.
    pub(super) fn holds(&self, challenge: &Challenge, form: FormId) -> bool {
        self.entries(Some(form), |entry| entry.paid() == Some(challenge)) > 0
    }

    fn entries(&self, form: Option<FormId>, counts: impl Fn(&Entry) -> bool) -> usize {
        let others = self.open.iter().map(|entered| &entered.upload);
        let others = others.filter(|upload| Some(upload.form) != form);
        let counted = others.filter(|upload| {
            let stage = crate::lock(&upload.stage);
            stage.as_ref().is_some_and(|open| counts(&open.entry))
        });
        counted.count()
    }

    fn get(&self, name: UploadName, now: Duration) -> Option<&Arc<Upload>> {
        let mut open = self.open.iter();
        let found = open.find(|entered| entered.upload.name == name && now < entered.end);
        found.map(|entered| &entered.upload)
    }

    /// Its end is as far away again as it may be.
    fn extend(&mut self, name: UploadName, now: Duration) {
        for entered in &mut self.open {
            if entered.upload.name == name {
                entered.end = (now + UPLOAD_IDLE).min(entered.upload.opened + UPLOAD_LIFETIME);
            }
        }
    }

    /// Removes those that are over.
    fn end_closed(&mut self) {
        self.open
            .retain(|entered| crate::lock(&entered.upload.stage).is_some());
    }

    fn end(&mut self, name: UploadName) {
        self.retain(|entered| entered.upload.name != name);
    }

    fn retain(&mut self, stays: impl Fn(&Entered) -> bool) {
        self.open.retain(|entered| {
            let stays = stays(entered);
            if !stays {
                // A piece of it may be on its way still: its memory must not wait for that.
                *crate::lock(&entered.upload.stage) = None;
            }
            stays
        });
    }
}

impl InRoom for Upload {
    fn in_room<T>(&self, act: impl FnOnce(&mut Room) -> T) -> Option<T> {
        let mut stage = crate::lock(&self.stage);
        stage.as_mut().map(|open| act(&mut open.room))
    }
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Announced(..)")
    }
}

impl Announced {
    /// As it is kept: see a form's own files.
    fn kept(mut self) -> Self {
        self.name = kept_name(self.name);
        self.media_type = if self.media_type.is_empty() {
            UNKNOWN_TYPE.to_owned()
        } else {
            kept_type(self.media_type)
        };
        self
    }

    fn head(&self) -> Result<Vec<u8>, NotTaken> {
        file_head(&self.name, &self.media_type, self.size).map_err(|_| NotTaken::TooLarge)
    }
}

/// Bytes of the files themselves.
fn bytes(files: &[Announced]) -> usize {
    let sizes = files.iter().map(|file| file.size);
    sizes.fold(0, usize::saturating_add)
}

impl Upload {
    /// Where a piece goes, and so how long it is.
    ///
    /// # Errors
    /// Unproven: there is no such piece, or the upload is over.
    pub(in crate::relay) fn part(&self, index: u8) -> Result<(PieceIndex, usize), Refusal> {
        let index = PieceIndex::of(self.size, index.into()).ok_or(Refusal::Unproven)?;
        let part = self.in_room(|room| room.part(index).len());
        let bytes = part.filter(|bytes| *bytes > 0).ok_or(Refusal::Unproven)?;
        Ok((index, bytes))
    }

    /// How many bytes are here; none once it is over.
    fn bytes(&self) -> Option<usize> {
        self.in_room(|room| {
            let here = room.here();
            here.iter().map(|index| room.part(index).len()).sum()
        })
    }

    fn begun(&self) -> Option<UploadBegun> {
        let missing = self.in_room(|room| {
            let missing = Pieces::all(self.size).without(room.here());
            let missing = missing.iter().filter(|index| !room.part(*index).is_empty());
            missing.map(PieceIndex::get).collect()
        });
        Some(UploadBegun {
            upload: self.name.to_text(),
            piece: self.size.part_bytes(),
            missing: missing?,
            bytes: self.bytes()?,
        })
    }

    /// Lays the files out if all of them are here.
    fn lay_out(&self) {
        if let Some(open) = &mut *crate::lock(&self.stage)
            && open.room.is_complete()
            && open.files.is_none()
        {
            open.files = open.lay_out(&self.files, self.size.bytes());
        }
    }
}

impl Open {
    fn stays(&self) -> bool {
        self.refused < MAX_REFUSED
    }

    /// Moves each file to where it belongs, and writes its head before it. Returns where that begins.
    fn lay_out(&mut self, files: &[Announced], end: usize) -> Option<usize> {
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
    fn checked(
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
    Ok(())
}

impl Relay {
    /// Begins an upload, or goes on with it if it is the same. Another one of this form ends.
    ///
    /// # Errors
    /// Why its form would not be taken.
    pub(in crate::relay) fn begin_upload(
        &self,
        page: &Page,
        asked: &UploadRequest,
    ) -> Result<UploadBegun, NotTaken> {
        let now = self.clock.elapsed();
        let (form, _) = page.key.check(&asked.form, now.as_secs())?;
        let name = page.key.upload_name(form, &asked.key);
        if asked.text > MAX_TEXT_BYTES {
            return Err(NotTaken::TooLong);
        }
        let files: Vec<Announced> = asked.files.iter().cloned().map(Announced::kept).collect();
        if !(1..=MAX_FILES).contains(&files.len()) {
            return Err(NotTaken::TooLarge);
        }
        let heads = files.iter().map(|file| file.head().map(|head| head.len()));
        let heads: usize = heads.sum::<Result<_, _>>()?;
        let around = TEXT_LENGTH_BYTES + asked.text + 1 + heads;
        let content = bytes(&files).saturating_add(around);
        let size = LargeSize::for_content(content).ok_or(NotTaken::TooLarge)?;
        let mut state = page.state();
        state.uploads.purge(now);
        state.forms.purge(now);
        if state.is_closed {
            return Err(NotTaken::Stopping);
        }
        if state.forms.seen(form, None) == Seen::Unknown {
            return Err(NotTaken::CameBefore); // whatever it would bring
        }
        let same = state.uploads.get(name, now);
        let same = same.filter(|same| same.size == size && same.files == files);
        if let Some(begun) = same.and_then(|same| same.begun()) {
            return Ok(begun);
        }
        state.uploads.end_of(form);
        let offers = Offers {
            invitation: &asked.invitation,
            payment: &Payment {
                challenge: asked.challenge.clone(),
                nonces: asked.nonces.clone(),
            },
            wants: Wants::Files(size),
        };
        let entry = self.let_in(page, &mut state, form, &offers, now)?;
        let block = self.queue.reserve_large(size, now);
        let block = block.map_err(|_| NotTaken::NoRoom)?;
        let place = size.bytes() - bytes(&files)..size.bytes();
        let upload = Arc::new(Upload {
            name,
            form,
            size,
            files,
            opened: now,
            stage: Mutex::new(Some(Open {
                room: Room::new(block, size, place),
                files: None,
                entry,
                refused: 0,
            })),
        });
        upload.lay_out(); // nothing is to come of empty ones
        let begun = upload.begun().ok_or(NotTaken::Stopping)?;
        let end = now + UPLOAD_IDLE;
        state.uploads.open.push(Entered { upload, end });
        page.arrived.notify_one();
        Ok(begun)
    }

    /// The upload that a piece is for.
    ///
    /// # Errors
    /// Unproven: there is none of this name.
    pub(in crate::relay) fn page_upload(
        &self,
        page: &Page,
        name: UploadName,
    ) -> Result<Arc<Upload>, Refusal> {
        let state = page.state();
        let upload = state.uploads.get(name, self.clock.elapsed());
        upload.cloned().ok_or(Refusal::Unproven)
    }

    /// Begins to read a piece; `None` if it is here.
    ///
    /// # Errors
    /// Unproven: the upload is over, with this body at the latest.
    pub(in crate::relay) fn begin_page_piece(
        &self,
        page: &Page,
        upload: &Arc<Upload>,
        index: PieceIndex,
    ) -> Result<Option<Receiving<Upload>>, Refusal> {
        let now = self.clock.elapsed();
        let begun = upload.in_room(|room| room.begin(index, now));
        match begun.ok_or(Refusal::Unproven)? {
            Ok(reader) => Ok(reader.map(|reader| Receiving::new(upload, reader))),
            Err(_) => {
                page.state().uploads.end(upload.name);
                Err(Refusal::Unproven)
            }
        }
    }

    /// A piece has come whole.
    ///
    /// # Errors
    /// `slow_down`: another body has taken its place. Unproven: the upload is over.
    pub(in crate::relay) fn page_piece_received(
        &self,
        page: &Page,
        receiving: &Receiving<Upload>,
    ) -> Result<(), Refusal> {
        let now = self.clock.elapsed();
        let (upload, reader) = (receiving.upload(), receiving.reader());
        let here = upload.in_room(|room| room.finish(reader, now, |_| Ok(())));
        here.unwrap_or(Err(Refusal::Unproven))?;
        upload.lay_out();
        page.state().uploads.extend(upload.name, now);
        Ok(())
    }

    /// Says what is here.
    ///
    /// # Errors
    /// Unproven: the upload is over.
    pub(in crate::relay) fn acknowledge_page_piece(
        &self,
        upload: &Upload,
    ) -> Result<PieceTaken, Refusal> {
        let bytes = upload.bytes().ok_or(Refusal::Unproven)?;
        Ok(PieceTaken { bytes })
    }

    /// Ends an upload, whose sender has given it up.
    pub(in crate::relay) fn give_up_upload(&self, page: &Page, name: UploadName) -> PieceTaken {
        page.state().uploads.end(name);
        PieceTaken { bytes: 0 }
    }

    /// What a form that goes back to its sender has uploaded, if that is here still.
    pub(in crate::relay) fn page_uploaded(
        &self,
        page: &Page,
        form: &str,
        upload: Option<&str>,
    ) -> Option<Uploaded> {
        let name = UploadName::parse(upload?)?;
        let now = self.clock.elapsed();
        let (form, _) = page.key.check(form, now.as_secs()).ok()?;
        let mut state = page.state();
        let upload = Arc::clone(state.uploads.get(name, now)?);
        if upload.form != form {
            return None;
        }
        let uploaded = {
            let stage = crate::lock(&upload.stage);
            let open = stage.as_ref().filter(|open| open.files.is_some())?;
            Uploaded {
                names: upload.files.iter().map(|file| file.name.clone()).collect(),
                is_paid: open.entry.paid().is_some(),
            }
        };
        // Somebody has to read what was wrong, and mend it.
        state.uploads.extend(name, now);
        Some(uploaded)
    }

    /// Puts the message of a form whose files were uploaded into the queue. What is refused stays where it is.
    pub(super) fn take_uploaded(
        &self,
        state: &mut State,
        form: FormId,
        name: Option<UploadName>,
        filled: &mut Filled,
        now: Now,
        rng: &mut impl CryptoRng,
    ) -> Result<(MessageId, Entry), NotTaken> {
        let name = name.ok_or(NotTaken::FilesGone)?;
        let upload = state.uploads.get(name, now.elapsed);
        let upload = upload.filter(|upload| upload.form == form);
        let upload = Arc::clone(upload.ok_or(NotTaken::FilesGone)?);
        let mut stage = crate::lock(&upload.stage);
        let mut open = stage.take().ok_or(NotTaken::FilesGone)?;
        let content = match open.checked(&upload, &filled.text, filled.words.as_ref()) {
            Ok(content) => content,
            Err(why) => {
                open.refused += 1;
                *stage = Some(open).filter(Open::stays);
                drop(stage);
                state.uploads.end_closed();
                return Err(why);
            }
        };
        let Open {
            room,
            files,
            entry,
            refused,
        } = open;
        let mut room = Some(room);
        let put = |header: MessageHeader| {
            let room = room.take().ok_or(Refusal::Stopping)?;
            let stored = room.into_block().store(content.clone(), header, now);
            stored.map_err(|_| Refusal::Stopping)
        };
        let stored = self.store_form(filled, Kind::Files, &entry, now, rng, put);
        match (stored, room) {
            (Ok(id), _) => {
                drop(stage);
                state.uploads.end(name);
                Ok((id, entry))
            }
            (Err(why), Some(mut room)) => {
                let text = content.start..files.unwrap_or(content.start);
                room.write(text, Zeroize::zeroize);
                let refused = refused + 1;
                let open = Open {
                    room,
                    files,
                    entry,
                    refused,
                };
                *stage = Some(open).filter(Open::stays);
                drop(stage);
                state.uploads.end_closed();
                Err(why)
            }
            (Err(why), None) => Err(why),
        }
    }
}
