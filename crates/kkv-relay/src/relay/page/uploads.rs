//! Files that script sends before its form, in pieces (PROTOCOL.md §18), into memory as that for kkv/2's (§16), and
//! for as long.
//!
//! What lets the form in is shown with the beginning and held by it from then on: it serves no other message, until
//! the form has come or the upload has ended. So nobody holds more than by forms alone.

mod announced;
mod open;
mod table;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{Entry, Filled, NotTaken, Offers, Page, Payment, Seen, State, Wants};
use crate::queue::{MessageId, Now};
use crate::relay::Relay;
use crate::relay::uploads::{InRoom, Receiving, Room};
use announced::{Announced, bytes};
use kkv_page::form_id::{FormId, UploadName};
use kkv_protocol::MessageHeader;
use kkv_protocol::files::MAX_FILES;
use kkv_protocol::kind::Kind;
use kkv_protocol::limits::MAX_TEXT_BYTES;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::answers::keys::BoxSecret;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::upload::{PieceIndex, Pieces};
use open::{Open, TEXT_LENGTH_BYTES};
pub(super) use table::Uploads;

/// The beginning of an upload, as script asks for it.
#[derive(Deserialize)]
pub(in crate::relay) struct UploadRequest {
    /// The form's id.
    form: String,
    /// Tells this choice of files from another one in the same form: drawn by script.
    key: String,
    /// Bytes of the text that is to go with the files.
    text: usize,
    /// What is to come, one behind the other.
    files: Vec<Announced>,
    /// By what the form is let in, as it stands there.
    #[serde(default)]
    pub(in crate::relay) invitation: Zeroizing<String>,
    #[serde(default)]
    challenge: String,
    #[serde(default)]
    nonces: String,
    /// Secret of the box with whose conversation it goes on, in hex.
    #[serde(default, rename = "box")]
    pub(in crate::relay) follows: Zeroizing<String>,
}

impl UploadRequest {
    /// What it pays with.
    pub(in crate::relay) fn payment(&self) -> Payment {
        Payment {
            challenge: self.challenge.clone(),
            nonces: self.nonces.clone(),
        }
    }
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

/// What a form that comes back to its sender has uploaded.
pub(in crate::relay) struct Uploaded {
    /// The files' names.
    pub(in crate::relay) names: Vec<String>,
    /// Whether it is paid for.
    pub(in crate::relay) is_paid: bool,
}

impl InRoom for Upload {
    fn in_room<T>(&self, act: impl FnOnce(&mut Room) -> T) -> Option<T> {
        let mut stage = crate::lock(&self.stage);
        stage.as_mut().map(|open| act(&mut open.room))
    }
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

impl Relay {
    /// Begins an upload, or goes on with it if it is the same. Another one of this form ends.
    ///
    /// # Errors
    /// Why its form would not be taken.
    pub(in crate::relay) fn begin_upload(
        &self,
        page: &Page,
        asked: &UploadRequest,
        follows: Option<&BoxSecret>,
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
        if files.iter().any(|file| file.size == 0) {
            return Err(NotTaken::EmptyFile);
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
            payment: &asked.payment(),
            follows,
            wants: Wants::Files(size),
        };
        let entry = self.let_in(page, &mut state, form, &offers, now)?;
        let block = self.queue.reserve_large(size, now);
        let block = block.map_err(|_| NotTaken::NoRoom)?;
        let place = size.bytes() - bytes(&files)..size.bytes();
        let upload = Upload {
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
        };
        let begun = upload.begun().ok_or(NotTaken::Stopping)?;
        state.uploads.add(upload, now);
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
