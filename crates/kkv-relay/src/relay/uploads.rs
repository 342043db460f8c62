//! Sessions for messages with files (PROTOCOL.md §16): each has a block of the large share, into which its pieces are
//! read and opened, until all of them are there and the block becomes a message.

mod room;
mod table;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::Relay;
use super::invitations::ReservedUse;
use super::sessions::{Moment, PaidRequest};
use kkv_base::limits::{UPLOAD_IDLE, UPLOAD_LIFETIME};
use kkv_protocol::Terms;
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::crypto::identity::Signature;
use kkv_protocol::crypto::seal::TAG_BYTES;
use kkv_protocol::ids::SessionId;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::upload::relay::{Acknowledger, LargeSession, PieceOpener};
use kkv_protocol::v2::upload::{ACKNOWLEDGEMENT_BYTES, PieceIndex, Pieces};
pub(super) use room::{InRoom, Receiving, Room};
use table::Table;

/// All of them.
#[derive(Debug)]
pub(super) struct Uploads {
    table: Mutex<Table>,
    opened: Notify,
}

/// One of them. The lock of its stage is never taken with that of the table held; the other way round it is.
#[derive(Debug)]
pub(super) struct Upload {
    session: Acknowledger,
    /// Acknowledgements so far.
    acknowledged: AtomicU64,
    opened: Duration,
    stage: Mutex<Stage>,
}

/// How far it is.
#[derive(Debug)]
enum Stage {
    /// Pieces are missing.
    Open {
        /// Has the key of the pieces, which ends with this stage.
        pieces: Box<PieceOpener>,
        room: Room,
        /// A use of the invitation that its challenge names.
        invitation: Option<ReservedUse>,
    },
    /// The message is in the queue.
    Done(Signature),
    /// It is over.
    Over,
}

impl Uploads {
    pub(super) fn new() -> Self {
        Self {
            table: Mutex::new(Table::new()),
            opened: Notify::new(),
        }
    }

    /// The upload of this session, if it isn't over.
    ///
    /// # Errors
    /// Unproven: there is none.
    pub(super) fn get(&self, id: &SessionId, now: Duration) -> Result<Arc<Upload>, Refusal> {
        let table = crate::lock(&self.table);
        let found = table.get(id, now).ok_or(Refusal::Unproven)?;
        Ok(Arc::clone(found))
    }

    /// Removes what has expired. Returns when something expires next, by the steady clock.
    pub(super) fn purge(&self, now: Moment) -> Option<Duration> {
        let mut table = crate::lock(&self.table);
        let expired = table.purge(now);
        let next = table.next_end(now);
        drop(table);
        end_all(expired);
        next
    }

    /// Ends every open session. Spent challenges stay spent, and what was answered before is answered the same, so that
    /// strangers can't tell.
    pub(super) fn wipe(&self) {
        let ended = crate::lock(&self.table).take_open();
        end_all(ended);
    }

    /// Ends every session, and opens none from now on.
    pub(super) fn close(&self) {
        let ended = crate::lock(&self.table).close();
        end_all(ended);
    }

    /// Waits until a session is opened.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }
}

fn end_all(ended: Vec<Arc<Upload>>) {
    for upload in ended {
        // A piece of it may be on its way still: its memory must not wait for that.
        *crate::lock(&upload.stage) = Stage::Over;
    }
}

impl Relay {
    /// On what terms a message with files of this size is taken.
    ///
    /// # Errors
    /// `unknown_purpose` if there is never room for one, `full` if there is none now.
    pub(super) fn large_terms(&self, size: LargeSize) -> Result<Terms, Refusal> {
        let now = self.moment(Suite::V2);
        self.check_room(size, now.elapsed)?;
        let room = self.queue.room(now.elapsed);
        let cost = self.config.pricing.large_cost(size, &room);
        let idle = UPLOAD_IDLE.as_secs();
        Ok(Terms {
            session_lifetime: u16::try_from(idle).expect("ten minutes are a few seconds"),
            ..self.terms_at(cost, now)
        })
    }

    /// Whether there is room of this size now.
    ///
    /// # Errors
    /// `full`; `unknown_purpose` if there never is.
    pub(super) fn check_room(&self, size: LargeSize, now: Duration) -> Result<(), Refusal> {
        match self.queue.has_room(size, now) {
            (_, false) => Err(Refusal::UnknownPurpose),
            (false, true) => Err(Refusal::Full),
            (true, true) => Ok(()),
        }
    }

    /// Whether there is room of this size, and what was paid still buys it, or the invitation can be used.
    fn check_large(
        &self,
        size: LargeSize,
        paid: &PaidRequest,
        now: Duration,
    ) -> Result<(), Refusal> {
        self.check_room(size, now)?;
        if let Some(number) = paid.invitation {
            return self.invitations.check(number, now);
        }
        let room = self.queue.room(now);
        if self.config.pricing.accepts_large(paid.cost, size, &room) {
            Ok(())
        } else {
            Err(Refusal::PriceRose)
        }
    }

    /// Opens a session for a paid request. It is checked before and after `exchange`, which holds no lock.
    pub(super) fn open_large(
        &self,
        paid: PaidRequest,
        size: LargeSize,
        exchange: impl FnOnce() -> Result<(LargeSession, String), Refusal>,
    ) -> Result<String, Refusal> {
        let now = self.moment(Suite::V2);
        let cached = || crate::lock(&self.uploads.table).cached_answer(&paid, now.elapsed);
        if let Some(answer) = cached()? {
            return Ok(answer);
        }
        if let Err(refusal) = self.check_large(size, &paid, now.elapsed) {
            // The last room, or use of an invitation, may have gone to a concurrent copy of this request.
            return cached()?.ok_or(refusal);
        }
        let (session, answer) = exchange()?;
        // Whatever comes of this request, what has expired takes no room and is not stored any more.
        self.uploads.purge(now);
        let mut table = crate::lock(&self.uploads.table);
        if let Some(first) = table.cached_answer(&paid, now.elapsed)? {
            return Ok(first);
        }
        self.check_large(size, &paid, now.elapsed)?;
        let invitation = paid
            .invitation
            .map(|number| self.invitations.reserve(number, now.elapsed))
            .transpose()?;
        let block = self.queue.reserve_large(size, now.elapsed);
        let block = block.map_err(|_| Refusal::Full)?;
        let LargeSession {
            pieces,
            acknowledgements,
        } = session;
        let upload = Upload {
            session: acknowledgements,
            acknowledged: AtomicU64::new(0),
            opened: now.elapsed,
            stage: Mutex::new(Stage::Open {
                pieces: Box::new(pieces),
                room: Room::new(block, size, 0..size.opened_bytes()),
                invitation,
            }),
        };
        table.open(&paid, Arc::new(upload), answer.clone(), now.elapsed);
        drop(table);
        self.uploads.opened.notify_one();
        Ok(answer)
    }

    /// The upload that a piece or query is for.
    ///
    /// # Errors
    /// Unproven: there is no such session.
    pub(super) fn upload(&self, id: &SessionId) -> Result<Arc<Upload>, Refusal> {
        self.uploads.get(id, self.clock.elapsed())
    }

    /// Begins to read a piece; `None` if it is here.
    ///
    /// # Errors
    /// Unproven: the session is over, with this body at the latest.
    pub(super) fn begin_piece(
        &self,
        upload: &Arc<Upload>,
        index: PieceIndex,
    ) -> Result<Option<Receiving<Upload>>, Refusal> {
        let now = self.clock.elapsed();
        let mut stage = crate::lock(&upload.stage);
        let room = match &mut *stage {
            Stage::Open { room, .. } => room,
            Stage::Done(_) => return Ok(None),
            Stage::Over => return Err(Refusal::Unproven),
        };
        let Ok(begun) = room.begin(index, now) else {
            *stage = Stage::Over;
            crate::lock(&self.uploads.table).end(&upload.session.id());
            return Err(Refusal::Unproven);
        };
        Ok(begun.map(|reader| Receiving::new(upload, reader)))
    }

    /// Puts bytes of a piece where they belong.
    ///
    /// # Errors
    /// `slow_down`: another body has taken this one's place. Unproven: the session is over.
    pub(super) fn receive<U: InRoom>(
        &self,
        receiving: &mut Receiving<U>,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        receiving.receive(bytes, self.clock.elapsed())
    }

    /// Opens a piece that has come whole. With the last one the message is checked and put into the queue.
    ///
    /// # Errors
    /// `slow_down` as for [`receive`](Self::receive). Unproven: its seal doesn't fit, or the session is over. What
    /// [`PieceOpener::accept`] refuses, with which the session is over. Stopping.
    pub(super) fn received(
        &self,
        receiving: &Receiving<Upload>,
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Refusal> {
        let (upload, reader) = (receiving.upload(), receiving.reader());
        let mut stage = crate::lock(&upload.stage);
        let Stage::Open { pieces, room, .. } = &mut *stage else {
            return Err(Refusal::Unproven);
        };
        let now = self.now();
        let (session, size) = (&upload.session, upload.session.size());
        room.finish(reader, now.elapsed, |part| {
            pieces.open(reader.index(), part, tag)
        })?;
        if !room.is_complete() {
            let end = upload.end(now.elapsed);
            crate::lock(&self.uploads.table).set_end(&session.id(), end);
            return Ok(());
        }
        let opened = 0..size.opened_bytes();
        let opened = room.write(opened, |opened| pieces.accept(&self.keys, opened));
        let Stage::Open {
            room, invitation, ..
        } = std::mem::replace(&mut *stage, Stage::Over)
        else {
            return Err(Refusal::Unproven);
        };
        let stored = opened.and_then(|opened| {
            let store = || {
                let stored = room.into_block().store(opened.content, opened.header, now);
                let id = stored.map_err(|_| Refusal::Stopping)?;
                if let Some(used) = invitation {
                    used.spend();
                }
                Ok(id)
            };
            let (box_part, queue) = (opened.box_part, &self.queue);
            self.boxes
                .accept(box_part, &session.id(), queue, now, store)?;
            Ok(opened.receipt)
        });
        let mut table = crate::lock(&self.uploads.table);
        match stored {
            Ok(receipt) => {
                *stage = Stage::Done(receipt);
                table.done(&session.id(), now.elapsed + UPLOAD_IDLE);
                Ok(())
            }
            Err(refusal) => {
                table.end(&session.id());
                Err(refusal)
            }
        }
    }

    /// Says what is here.
    ///
    /// # Errors
    /// Unproven: the session is over.
    pub(super) fn acknowledge(
        &self,
        upload: &Upload,
    ) -> Result<[u8; ACKNOWLEDGEMENT_BYTES], Refusal> {
        let (here, receipt) = match &*crate::lock(&upload.stage) {
            Stage::Open { room, .. } => (room.here(), None),
            Stage::Done(receipt) => (Pieces::all(upload.session.size()), Some(*receipt)),
            Stage::Over => return Err(Refusal::Unproven),
        };
        let number = upload.acknowledged.fetch_add(1, Ordering::Relaxed);
        let number = AskNumber::new(number).ok_or(Refusal::Unproven)?;
        let session = &upload.session;
        Ok(session.acknowledge(number, here, receipt.as_ref()))
    }
}

impl Upload {
    pub(super) fn session(&self) -> &Acknowledger {
        &self.session
    }

    /// When it ends, if nothing comes after this moment.
    fn end(&self, now: Duration) -> Duration {
        (now + UPLOAD_IDLE).min(self.opened + UPLOAD_LIFETIME)
    }
}

impl InRoom for Upload {
    fn in_room<T>(&self, act: impl FnOnce(&mut Room) -> T) -> Option<T> {
        match &mut *crate::lock(&self.stage) {
            Stage::Open { room, .. } => Some(act(room)),
            Stage::Done(_) | Stage::Over => None,
        }
    }
}
