//! A box: what is in it, and what is told of it; and a dummy of one, for who has none.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::queue::MessageId;
use kkv_protocol::v2::answers::keys::{Acknowledged, AnswerKey, BoxSecret, SALT_BYTES, Salt};
use kkv_protocol::v2::answers::sealed::{self, Chain, SealedAnswer};
use kkv_protocol::v2::answers::status::{self, BoxStatus, EntryState};
use kkv_protocol::v2::answers::{MAX_ENTRIES, MAX_WAITING};
use zeroize::Zeroizing;

/// Why there are [`MAX_WAITING`] answers, real ones and those of the dummy.
pub(super) const FULL: &str = "the dummy has as many as there may be";

pub(super) struct AnswerBox {
    pub(super) secret: BoxSecret,
    /// The newest.
    pub(super) chain: Chain,
    /// Newest first.
    pub(super) entries: VecDeque<Entry>,
    /// Its messages in the queue, of which some may be gone.
    pub(super) held: BTreeSet<MessageId>,
    /// Oldest first.
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) messages: u16,
    pub(super) answers: u16,
    /// Messages that its answers let in on the page, and that have not come: those on their way included.
    pub(super) let_in: u16,
    /// How many of these are on their way.
    pub(super) on_their_way: u16,
    pub(super) changed: (Duration, u64),
    /// When it ends if nothing changes any more, in seconds since 1970. Computed once: from two clocks it would go back
    /// and forth by a second.
    pub(super) ends: u64,
}

pub(super) struct Entry {
    pub(super) salt: Salt,
    pub(super) message: MessageId,
    pub(super) accepted: u64,
    pub(super) answers: u16,
}

pub(super) struct Waiting {
    pub(super) sealed: SealedAnswer,
    pub(super) acknowledged: Acknowledged,
    /// How many were sealed before it, in all boxes.
    pub(super) order: u64,
    /// When it was sealed, in seconds since 1970.
    pub(super) since: u64,
}

/// What is told of a box, or of nobody.
pub(super) struct Told<'t> {
    pub(super) secret: &'t BoxSecret,
    pub(super) status: BoxStatus,
    /// The answers that wait, and zeros for those that don't.
    pub(super) waiting: [&'t SealedAnswer; MAX_WAITING],
}

impl AnswerBox {
    pub(super) fn new(secret: BoxSecret, chain: Chain, now: Duration) -> Self {
        Self {
            secret,
            chain,
            entries: VecDeque::new(),
            held: BTreeSet::new(),
            waiting: VecDeque::new(),
            messages: 0,
            answers: 0,
            let_in: 0,
            on_their_way: 0,
            changed: (now, 0),
            ends: 0,
        }
    }

    /// A dummy: no proof is tried on it, and what is sealed with its secret nobody gets.
    pub(super) fn nobody() -> Self {
        let zeros = || Zeroizing::new([0; 32]);
        let salt = Salt([0; SALT_BYTES]);
        let chain = Chain::new(salt, AnswerKey::new(zeros()));
        let mut nobody = Self::new(BoxSecret::new(zeros()), chain, Duration::ZERO);
        nobody.entries.extend((0..MAX_ENTRIES).map(|_| Entry {
            salt,
            message: MessageId(0),
            accepted: 0,
            answers: 0,
        }));
        nobody.waiting.extend((0..MAX_WAITING).map(|_| Waiting {
            sealed: SealedAnswer {
                salt,
                index: 0,
                sealed: Box::new([0; sealed::SEALED_BYTES]),
            },
            acknowledged: Acknowledged([0; 32]),
            order: 0,
            since: 0,
        }));
        nobody
    }

    /// What is known of it, with its secret and its waiting answers, oldest first. `read` says of a message in the
    /// queue whether it is marked as read.
    ///
    /// All is done as often, whatever there is: [`MAX_ENTRIES`] messages are looked up, and [`MAX_WAITING`] answers are
    /// there to be copied. Else the time would tell whether words have a box, to who watches between Tor and the relay.
    pub(super) fn tell<'t>(
        &'t self,
        nobody: &'t Self,
        receipts: bool,
        read: impl Fn(MessageId) -> Option<bool>,
    ) -> Told<'t> {
        let all = self.entries.iter().chain(&nobody.entries);
        let mut entries = Vec::with_capacity(MAX_ENTRIES);
        entries.extend(all.take(MAX_ENTRIES).map(|entry| {
            // Looked at in any case, also where it isn't told.
            let state = match read(entry.message) {
                _ if !receipts => EntryState::Accepted,
                Some(false) => EntryState::Waiting,
                Some(true) => EntryState::Read,
                None => EntryState::Gone,
            };
            status::Entry {
                salt: entry.salt,
                accepted: entry.accepted,
                state,
                answers: entry.answers,
            }
        }));
        entries.truncate(self.entries.len());
        let status = BoxStatus {
            ends: self.ends,
            messages: self.messages,
            answers: self.answers,
            waiting: u8::try_from(self.waiting.len()).unwrap_or(u8::MAX),
            receipts,
            entries,
        };
        let mut waiting = self.waiting.iter().chain(&nobody.waiting);
        Told {
            secret: &self.secret,
            status,
            waiting: std::array::from_fn(|_| &waiting.next().expect(FULL).sealed),
        }
    }
}
