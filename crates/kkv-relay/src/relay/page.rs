//! What comes of the forms of the page for browsers (kkv-page), over the same queue, boxes and invitations as what
//! comes by the protocol. Nobody signs here: a message is let in by an invitation, by what script has paid for it, or
//! by an answer of the owner's, or takes one of the places that are given away.

mod answers;
mod checks;
mod content;
mod entry;
mod forms;
mod payments;
mod uploads;
mod wiped;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rand::CryptoRng;
use tokio::sync::{Notify, Semaphore};

use super::Relay;
use super::spent::Spent;
use crate::queue::{MessageId, Now, Queue};
use checks::{Checks, Verdicts};
use content::Content;
pub(super) use content::{Chosen, Filled, kept_name, kept_type};
use entry::Entry;
pub(super) use entry::{Offers, Wants};
use forms::{Forms, Seen};
use kkv_base::limits::{FORM_LIFETIME, MAX_LARGE_BODIES, MAX_SPENT};
use kkv_owner::PageStatus;
use kkv_page::challenge::Challenge;
use kkv_page::form_id::{self, BadFormId, PageKey, UploadName};
use kkv_page::html::Needs;
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::Signature;
use kkv_protocol::ids::{SenderId, SessionId};
use kkv_protocol::kind::Kind;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::answers::keys::BoxSecret;
use kkv_protocol::{MessageHeader, Via};
pub(super) use payments::{Payment, PriceRequest};
use uploads::Uploads;
pub(super) use uploads::{UploadBegun, UploadRequest, Uploaded};
pub(super) use wiped::Reading;
use wiped::Wipes;

/// What the owner decides about the page.
#[derive(Debug, Clone, Copy)]
pub struct PageConfig {
    /// How many messages without an invitation may be there at a time.
    pub free: u32,
}

/// The page of a relay.
#[derive(Debug)]
pub(super) struct Page {
    config: PageConfig,
    key: PageKey,
    /// Places for large bodies.
    pub(super) bodies: Arc<Semaphore>,
    checks: Checks,
    /// One form at a time: what one finds is so until it is done.
    state: Mutex<State>,
    arrived: Notify,
    wipes: Wipes,
}

#[derive(Debug)]
struct State {
    forms: Forms,
    /// Challenges that have paid for a message.
    spent: Spent,
    /// Of solutions that take long to check.
    verdicts: Verdicts,
    /// Messages that took a place that is given away; some may be gone.
    free: Vec<MessageId>,
    /// What has begun to come before its form.
    uploads: Uploads,
    /// Whether nothing is taken any more.
    is_closed: bool,
}

impl State {
    fn new() -> Self {
        Self {
            forms: Forms::default(),
            spent: Spent::new(MAX_SPENT),
            verdicts: Verdicts::default(),
            free: Vec::new(),
            uploads: Uploads::default(),
            is_closed: false,
        }
    }

    fn forget_gone(&mut self, queue: &Queue<MessageHeader>, now: Duration) {
        self.free.retain(|id| queue.holds(*id, now));
    }
}

/// What became of a form whose message is in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    /// Its message came with it, or with the same form before.
    Now,
    /// The same form had a message before, and it is not known any more whether it was the same.
    Before,
}

/// Why a form's message is not in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTaken {
    #[error(transparent)]
    Form(#[from] BadFormId),
    #[error("it had come before, and nobody knows any more what was in it")]
    CameBefore,
    #[error("there is nothing in it")]
    Empty,
    #[error("a file in it has no byte")]
    EmptyFile,
    #[error("the text is too long")]
    TooLong,
    #[error("text and files are too large")]
    TooLarge,
    #[error("the words are in it")]
    WordsInside,
    #[error("the words of some conversation are in its text")]
    OtherWords,
    #[error("it needs an invitation")]
    Uninvited,
    #[error("the invitation is no good")]
    BadInvitation,
    #[error("what was paid with is unknown, too old, spent or unsolved")]
    BadPayment,
    #[error("the price is higher now")]
    PriceRose,
    #[error("no slot is free")]
    Full,
    #[error("there is no room for the files")]
    NoRoom,
    #[error("the files that were uploaded are not here")]
    FilesGone,
    #[error("the conversation is over")]
    Over,
    #[error("the owner wiped everything while it came")]
    Wiped,
    #[error("the relay is about to stop")]
    Stopping,
    #[error("too many large bodies are on their way")]
    Busy,
}

impl Page {
    pub(super) fn new(config: PageConfig, rng: &mut impl CryptoRng) -> Self {
        Self {
            config,
            key: PageKey::generate(rng),
            bodies: Arc::new(Semaphore::new(MAX_LARGE_BODIES)),
            checks: Checks::default(),
            state: Mutex::new(State::new()),
            arrived: Notify::new(),
            wipes: Wipes::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        crate::lock(&self.state)
    }

    /// Forgets what is old. Returns when something is next.
    pub(super) fn purge(&self, now: Duration) -> Option<Duration> {
        let mut state = self.state();
        state.spent.forget(now.as_secs());
        let next = [
            state.forms.purge(now),
            state.spent.next_expiry().map(Duration::from_secs),
            state.uploads.purge(now),
            state
                .verdicts
                .forget(now.as_secs())
                .map(Duration::from_secs),
        ];
        next.into_iter().flatten().min()
    }

    /// Waits until a form has come, or an upload has begun.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// A form of which nothing has been read yet.
    pub(super) fn reading(&self) -> Reading {
        self.wipes.reading()
    }

    /// Ends all uploads, and all forms on their way. That forms have come, and what was spent, is not forgotten; which
    /// messages have places that are given away, only with these: some may come while the queue is wiped.
    pub(super) fn wipe(&self) {
        let mut state = self.state();
        state.uploads.wipe();
        // Under the lock under which messages are taken: each is in the queue now, or never.
        self.wipes.wipe();
    }

    /// The same, and takes nothing from now on.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.wipe();
    }
}

impl Relay {
    /// What its owner is told of its page, if there is one.
    #[must_use]
    pub fn page_status(&self) -> Option<PageStatus> {
        let page = self.page.as_ref()?;
        let mut state = page.state();
        let now = self.clock.elapsed();
        state.uploads.purge(now);
        state.forget_gone(&self.queue, now);
        let many = |places: usize| u32::try_from(places).unwrap_or(u32::MAX);
        Some(PageStatus {
            free: page.config.free,
            taken: many(state.free.len()),
            reserved: many(state.uploads.free(None)),
        })
    }

    /// A new id for a form. Nothing is kept of it.
    pub(super) fn form_id(&self, page: &Page, rng: &mut impl CryptoRng) -> String {
        let expiry = self.clock.elapsed() + FORM_LIFETIME;
        page.key.issue(expiry.as_secs(), rng)
    }

    /// What has to be had to write a message now, which goes on with the conversation of this box if there is one.
    pub(super) fn page_needs(&self, page: &Page, follows: Option<&BoxSecret>) -> Needs<'static> {
        let now = self.clock.elapsed();
        let lets_in = |secret| self.boxes.lets_in(secret, &self.queue, self.now());
        let is_answered = follows.and_then(lets_in) == Some(true);
        let mut state = page.state();
        if self.must_have_room(Wants::Either, now).is_err() || state.forms.are_full(now) {
            Needs::Room { typed: false }
        } else if is_answered {
            Needs::Answered
        } else if self.has_free_place(page, &mut state, None, now) {
            Needs::Nothing
        } else {
            Needs::Invitation {
                pays: self.page_takes_payments(),
            }
        }
    }

    /// Whether files are all that there is room for.
    pub(super) fn page_takes_only_files(&self) -> bool {
        let now = self.clock.elapsed();
        self.must_have_room(Wants::Slot, now).is_err()
            && self.must_have_room(Wants::Either, now).is_ok()
    }

    /// Whether a form is worth reading on: it is this relay's, and its message would be let in.
    ///
    /// # Errors
    /// What [`take_form`](Self::take_form) would say of it.
    pub(super) fn check_form(
        &self,
        page: &Page,
        form: &str,
        offers: &Offers<'_>,
    ) -> Result<(), NotTaken> {
        let now = self.clock.elapsed();
        let (form, _) = page.key.check(form, now.as_secs())?;
        let mut state = page.state();
        state.forms.purge(now);
        match state.forms.seen(form, None) {
            Seen::Never => {
                self.must_go_on(offers)?;
                self.let_in(page, &mut state, form, offers, now).map(drop)
            }
            Seen::Same | Seen::Other => Ok(()),
            // Whatever is in it, the answer is the same: it isn't let in once more by what it was let in by before.
            Seen::Unknown => Err(NotTaken::CameBefore),
        }
    }

    /// Puts the message of a form into the queue, if it isn't there.
    ///
    /// # Errors
    /// Why it isn't.
    pub(super) fn take_form(
        &self,
        page: &Page,
        mut filled: Filled,
        reading: &Reading,
        rng: &mut impl CryptoRng,
    ) -> Result<Arrived, NotTaken> {
        let now = self.now();
        let (form, expiry) = page.key.check(&filled.form, now.elapsed.as_secs())?;
        let content = Content::of(&filled)?;
        let mut state = page.state();
        if reading.is_over() {
            return Err(NotTaken::Wiped);
        }
        let is_full = state.forms.are_full(now.elapsed);
        let digest = form_id::digest(&filled.form, filled.chain.is_some(), content.bytes());
        match state.forms.seen(form, Some(digest)) {
            Seen::Same => return Ok(Arrived::Now),
            Seen::Unknown => return Ok(Arrived::Before),
            Seen::Never | Seen::Other => {}
        }
        if is_full {
            return Err(NotTaken::Full);
        }
        let (id, entry) = match &content {
            Content::Uploaded(_) => {
                let name = filled.upload.as_deref().and_then(UploadName::parse);
                self.take_uploaded(&mut state, form, name, &mut filled, now, rng)?
            }
            Content::Text(_) | Content::Files(..) => {
                // What it holds lets in this message as well.
                state.uploads.end_of(form);
                let offers = Offers {
                    invitation: &filled.invitation,
                    payment: &filled.payment,
                    follows: filled.goes_on_with(),
                    wants: content.wants(),
                };
                self.must_go_on(&offers)?;
                let entry = self.let_in(page, &mut state, form, &offers, now.elapsed)?;
                filled.must_give_no_words_away()?;
                let put = |header| self.store_content(&content, header, now);
                let id = self.store_form(&mut filled, content.kind(), &entry, now, rng, put)?;
                (id, entry)
            }
        };
        // Under the lock under which it was found unspent.
        entry.spend(&mut state, id);
        let expiry = Duration::from_secs(expiry);
        state.forms.arrived(form, digest, now.elapsed, expiry);
        page.arrived.notify_one();
        Ok(Arrived::Now)
    }

    /// Stores what was let in, in its box.
    fn store_form(
        &self,
        filled: &mut Filled,
        kind: Kind,
        entry: &Entry,
        now: Now,
        rng: &mut impl CryptoRng,
        put: impl FnOnce(MessageHeader) -> Result<MessageId, Refusal>,
    ) -> Result<MessageId, NotTaken> {
        let session = random_session(rng);
        let chain = filled.chain.take();
        let secret = chain.as_ref().map(|chain| chain.secret().copy());
        let box_part = match chain {
            None => BoxPart::None,
            Some(chain) if filled.follows => chain.follows_up(&session),
            Some(chain) => chain.opens(),
        };
        let header = MessageHeader {
            via: Via::Web,
            kind,
            cost: entry.paid().map_or(Cost::FREE, Challenge::cost),
            invitation: match entry {
                Entry::Invited(reserved) => Some(reserved.number()),
                Entry::Paid(_) | Entry::Answered(_) | Entry::Free => None,
            },
            sender: NOBODY,
            session,
            box_digest: box_part.digest(),
            signature: Signature([0; 64]),
        };
        let mut stored = None;
        let store = || {
            let id = put(header)?;
            stored = Some(id);
            Ok(id)
        };
        let accepted = self
            .boxes
            .accept(box_part, &session, &self.queue, now, store);
        match (accepted, stored) {
            (Ok(()), Some(id)) => {
                if let Some(secret) = secret.filter(|_| !filled.seen.is_empty()) {
                    drop(self.page_replies(&secret, &filled.seen, rng));
                }
                Ok(id)
            }
            (Err(Refusal::NoBox), _) => Err(NotTaken::Over),
            (Err(Refusal::Full), _) if kind == Kind::Files => Err(NotTaken::NoRoom),
            (Err(Refusal::Full), _) => Err(NotTaken::Full),
            _ => Err(NotTaken::Stopping),
        }
    }

    fn store_content(
        &self,
        content: &Content,
        header: MessageHeader,
        now: Now,
    ) -> Result<MessageId, Refusal> {
        let bytes = content.bytes();
        let stored = match content {
            Content::Text(_) => {
                let slot = self.queue.reserve(now.elapsed);
                let mut slot = slot.map_err(|_| Refusal::Full)?;
                slot.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
                slot.store(bytes.len(), header, now)
            }
            Content::Files(_, size) => {
                let block = self.queue.reserve_large(*size, now.elapsed);
                let mut block = block.map_err(|_| Refusal::Full)?;
                let range = 0..bytes.len();
                block
                    .block_mut()
                    .write(range.clone(), |place| place.copy_from_slice(bytes));
                block.store(range, header, now)
            }
            Content::Uploaded(_) => return Err(Refusal::Stopping),
        };
        stored.map_err(|_| Refusal::Stopping)
    }
}

/// Stands for the sender of what nobody has signed.
const NOBODY: SenderId = SenderId([0; 32]);

fn random_session(rng: &mut impl CryptoRng) -> SessionId {
    let mut session = SessionId([0; 32]);
    rng.fill_bytes(&mut session.0);
    session
}

#[cfg(test)]
mod tests;
