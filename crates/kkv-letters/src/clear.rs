//! The clear part of an envelope: what carriers need, signed (LETTERS-FORMAT.md §4).

use crate::author::Author;
use crate::ids::{ChainTag, MailboxTag, RegionTag};
use crate::limits::{MAILBOXES, MAX_LIFETIME, MAX_SLOTS, MIN_CONTENT_BYTES, REVISION_AHEAD};
use crate::limits::{MAX_AHEAD, REVISIONS_A_MINUTE};
use crate::minutes::Minutes;
use crate::padding;

/// The only version.
const VERSION: u8 = 1;
/// Bytes of a carried envelope's clear part.
const CARRIED_BYTES: usize = 120;
/// Bytes of a direct one's.
const DIRECT_BYTES: usize = CARRIED_BYTES + MAILBOXES * 16;

const ACTION: u8 = 1;
const DIRECT: u8 = 1 << 1;
const TOMBSTONE: u8 = 1 << 2;
const ERASE: u8 = 1 << 3;

/// How an envelope travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anybody of its region may keep it and give it on.
    Carried,
    /// It is given to its addressee alone.
    Direct,
}

/// What stands in an envelope for everybody to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clear {
    /// Who has signed it: a person, or the one-use key of a direct chain.
    pub author: Author,
    /// By the author's clock; for display alone.
    pub created: Minutes,
    /// How long it lives from then on: one minute to [`MAX_LIFETIME`].
    pub lifetime: Minutes,
    /// See [`RegionTag`].
    pub region: RegionTag,
    /// Whether it says something of a person or letter (a follow, a like) rather than shares something.
    pub action: bool,
    /// How it travels.
    pub reach: Reach,
    /// Whether it ends its chain. It has no slots and no content then.
    pub tombstone: bool,
    /// All that the author created before this is erased. It has no slots and no content then.
    pub erase_before: Option<Minutes>,
    /// Names the chain among those of the author.
    pub chain: ChainTag,
    /// The newest of a chain is shown: the highest.
    pub revision: u32,
    /// Slots for circles, dummies included.
    pub circle_slots: u8,
    /// Slots for persons, dummies included.
    pub person_slots: u8,
    /// Bytes of the content, padded, before it was sealed.
    pub content_bytes: u32,
    /// One-use X25519 public key, for all slots of persons. It is there if there are none, too.
    pub ephemeral: [u8; 32],
    /// Of a direct one: a tag for each machine of its addressee, and random ones. Of a carried one: zeros.
    pub mailboxes: [MailboxTag; MAILBOXES],
}

/// Why bytes are no clear part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadClear {
    /// It ends too early.
    #[error("it is too short")]
    Short,
    /// A version that is not known, or flags that have no meaning.
    #[error("it is of another version")]
    Version,
    /// Fields contradict each other.
    #[error("its fields contradict each other")]
    Contradiction,
    /// A lifetime of nothing, of more than 30 days, or another one than 30 days for a tombstone or erase.
    #[error("its lifetime is out of bounds")]
    Lifetime,
    /// A revision before its own time, or further ahead than that allows.
    #[error("its revision is not of its time")]
    Revision,
    /// It would erase what is not yet written.
    #[error("it erases what comes after it")]
    Erase,
    /// A number of slots that no envelope has.
    #[error("it has a wrong number of slots")]
    Slots,
    /// A length of content that none has when padded.
    #[error("its content has a wrong length")]
    Content,
}

/// Why an envelope isn't taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untimely {
    /// It was created more than 10 minutes from now, by this clock. It may be asked for again.
    #[error("it was written later than now, by this clock")]
    TooEarly,
    /// Its lifetime is over.
    #[error("its lifetime is over")]
    Expired,
}

impl Clear {
    /// The highest revision that an envelope of this time may have: 64 × (created + 11 minutes).
    #[must_use]
    pub fn max_revision(created: Minutes) -> u32 {
        created
            .after(REVISION_AHEAD)
            .0
            .saturating_mul(REVISIONS_A_MINUTE)
    }

    /// The revision after `last` at this time: max(last + 1, 64 × created), or `None` where that is too far ahead: the
    /// chain was edited more than 64 times a minute, or its last revision was written by a clock that is ahead.
    #[must_use]
    pub fn next_revision(last: Option<u32>, created: Minutes) -> Option<u32> {
        let by_time = created.0.saturating_mul(REVISIONS_A_MINUTE);
        let next = match last {
            Some(last) => last.checked_add(1)?.max(by_time),
            None => by_time,
        };
        (next <= Self::max_revision(created)).then_some(next)
    }

    /// Whether it has neither slots nor content: a tombstone or an erase.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.tombstone || self.erase_before.is_some()
    }

    /// When its lifetime is over.
    #[must_use]
    pub fn expires(&self) -> Minutes {
        self.created.after(self.lifetime)
    }

    /// Whether it is to be taken at this time.
    ///
    /// # Errors
    /// It is too early or too late.
    pub fn check(&self, now: Minutes) -> Result<(), Untimely> {
        if self.created > now.after(MAX_AHEAD) {
            Err(Untimely::TooEarly)
        } else if self.expires() <= now {
            Err(Untimely::Expired)
        } else {
            Ok(())
        }
    }

    /// Bytes that it takes.
    pub(crate) fn length(&self) -> usize {
        match self.reach {
            Reach::Carried => CARRIED_BYTES,
            Reach::Direct => DIRECT_BYTES,
        }
    }

    /// Reads the start of an envelope. Only what can be checked without a key and a clock is.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, BadClear> {
        let (fixed, rest) = bytes
            .split_first_chunk::<CARRIED_BYTES>()
            .ok_or(BadClear::Short)?;
        let flags = fixed[1];
        if fixed[0] != VERSION || flags & !(ACTION | DIRECT | TOMBSTONE | ERASE) != 0 {
            return Err(BadClear::Version);
        }
        let number = |at: usize| u32::from_le_bytes(array(fixed, at));
        let mut mailboxes = [MailboxTag([0; 16]); MAILBOXES];
        let reach = if flags & DIRECT == 0 {
            Reach::Carried
        } else {
            let tags = rest
                .get(..MAILBOXES * 16)
                .ok_or(BadClear::Short)?
                .chunks_exact(16);
            for (mailbox, tag) in mailboxes.iter_mut().zip(tags) {
                mailbox.0.copy_from_slice(tag);
            }
            Reach::Direct
        };
        let erases = flags & ERASE != 0;
        let erase_before = Minutes(number(80));
        if !erases && erase_before.0 != 0 {
            return Err(BadClear::Contradiction);
        }
        let clear = Self {
            author: Author(array(fixed, 4)),
            created: Minutes(number(36)),
            lifetime: Minutes(number(40)),
            region: RegionTag(array(fixed, 44)),
            action: flags & ACTION != 0,
            reach,
            tombstone: flags & TOMBSTONE != 0,
            erase_before: erases.then_some(erase_before),
            chain: ChainTag(array(fixed, 60)),
            revision: number(76),
            circle_slots: fixed[2],
            person_slots: fixed[3],
            content_bytes: number(84),
            ephemeral: array(fixed, 88),
            mailboxes,
        };
        clear.hold().map(|()| clear)
    }

    /// What every clear part keeps to.
    pub(crate) fn hold(&self) -> Result<(), BadClear> {
        let bare = self.is_bare();
        let erase_is_alone = self.erase_before.is_none() || (self.action && !self.tombstone);
        if !erase_is_alone || (self.erase_before.is_some() && self.reach == Reach::Direct) {
            return Err(BadClear::Contradiction);
        }
        if self.lifetime.0 == 0
            || self.lifetime > MAX_LIFETIME
            || (bare && self.lifetime != MAX_LIFETIME)
        {
            return Err(BadClear::Lifetime);
        }
        let least = self.created.0.saturating_mul(REVISIONS_A_MINUTE);
        if !(least..=Self::max_revision(self.created)).contains(&self.revision) {
            return Err(BadClear::Revision);
        }
        if self
            .erase_before
            .is_some_and(|before| before > self.created)
        {
            return Err(BadClear::Erase);
        }
        let (circles, persons) = (self.circle_slots, self.person_slots);
        let fits = |count: u8| count == 0 || count.is_power_of_two();
        let all = usize::from(circles) + usize::from(persons);
        if bare && all != 0 || !bare && circles == 0 {
            return Err(BadClear::Slots);
        }
        if !fits(circles) || !fits(persons) || all > MAX_SLOTS {
            return Err(BadClear::Slots);
        }
        let content = self.content_bytes as usize;
        let is_padded = content >= MIN_CONTENT_BYTES && padding::padded(content) == content;
        if bare != (content == 0) || !bare && !is_padded {
            return Err(BadClear::Content);
        }
        Ok(())
    }

    /// As it stands in an envelope.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(self.action, ACTION)
            | flag(self.reach == Reach::Direct, DIRECT)
            | flag(self.tombstone, TOMBSTONE)
            | flag(self.erase_before.is_some(), ERASE);
        out.extend_from_slice(&[VERSION, flags, self.circle_slots, self.person_slots]);
        out.extend_from_slice(&self.author.0);
        out.extend_from_slice(&self.created.0.to_le_bytes());
        out.extend_from_slice(&self.lifetime.0.to_le_bytes());
        out.extend_from_slice(&self.region.0);
        out.extend_from_slice(&self.chain.0);
        out.extend_from_slice(&self.revision.to_le_bytes());
        let erase_before = self.erase_before.map_or(0, |before| before.0);
        out.extend_from_slice(&erase_before.to_le_bytes());
        out.extend_from_slice(&self.content_bytes.to_le_bytes());
        out.extend_from_slice(&self.ephemeral);
        if self.reach == Reach::Direct {
            for mailbox in &self.mailboxes {
                out.extend_from_slice(&mailbox.0);
            }
        }
    }
}

/// The bytes from there on, which are there.
fn array<const N: usize>(bytes: &[u8; CARRIED_BYTES], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}
