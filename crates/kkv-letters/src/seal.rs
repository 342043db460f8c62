//! Making envelopes: a letter sealed for its readers and signed, or what only ends something (LETTERS-FORMAT.md §10).

use rand::CryptoRng;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::author::{Author, AuthorKey};
use crate::circle::{CircleKey, RegionKey};
use crate::clear::{Clear, Reach};
use crate::direct;
use crate::envelope::{
    BadEnvelope, CIRCLE_SLOT_BYTES, Envelope, KEM_BYTES, PERSON_SLOT_BYTES, SEAL_BYTES, TAG_BYTES,
};
use crate::identity::{ExchangeSecret, Identity, PublicIdentity};
use crate::ids::{ChainTag, MailboxTag, RegionTag};
use crate::letter::{Letter, TooLong};
use crate::limits::{MAILBOXES, MAX_LIFETIME, MAX_SLOTS};
use crate::minutes::Minutes;
use crate::padding::padded;
use crate::sealing::{Recipient, SealingSecret};
use crate::slot::{ClearDigest, ContentKey};

/// How often slots are made anew before it is no chance: of different readers that many fail once in 10^48.
const TRIES: usize = 32;

/// What an envelope says in the clear of a letter, as far as its author decides it.
#[derive(Debug, Clone, Copy)]
pub struct Outside {
    /// When it was written.
    pub created: Minutes,
    /// How long it lives. What has no content always has [`MAX_LIFETIME`].
    pub lifetime: Minutes,
    /// Its chain.
    pub chain: ChainTag,
    /// Where it stands there: see [`Clear::next_revision`].
    pub revision: u32,
}

/// For whom a letter is sealed: at most 64 in all, when those of each kind are filled up to a power of two.
#[derive(Default)]
pub struct Readers<'r> {
    /// The newest epoch of each circle.
    pub circles: Vec<&'r CircleKey>,
    /// Each person, once for each machine of theirs.
    pub persons: Vec<&'r Recipient>,
}

/// Whom a direct letter is for.
pub struct Addressee<'r> {
    /// The person.
    pub person: PublicIdentity,
    /// What they open it with: the circle of the pair, or sealing keys of their card.
    pub readers: Readers<'r>,
    /// A key for each of their machines, four at most, by which a carrier knows what is for them.
    pub mailboxes: &'r [Author],
}

/// Somebody whose secrets were forgotten as soon as they were made: a slot that fills up is sealed for them, and looks
/// like any other.
pub struct Nobody(Recipient);

/// What a person writes with.
#[derive(Clone, Copy)]
pub struct Pen<'p> {
    /// The author.
    pub identity: &'p Identity,
    /// The region that it is for.
    pub region: &'p RegionKey,
    /// For slots that fill up.
    pub nobody: &'p Nobody,
}

/// Why a letter can't be sealed. Nothing was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotSeal {
    /// One of its parts is too long.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// It has more readers than an envelope has slots.
    #[error("it has more readers than an envelope has room for")]
    Readers,
    /// A reader is named twice: no envelope has two slots with one tag.
    #[error("a reader is named twice")]
    Twice,
    /// The addressee's key is one that nothing can be proved to.
    #[error("the addressee's key can't be used")]
    Addressee,
    /// It would be no envelope: too large, for too long.
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
}

impl Nobody {
    /// Made once, when a program starts: keys are drawn as for a person.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let exchange = ExchangeSecret::generate(rng).public();
        let sealing = SealingSecret::generate(rng).public().clone();
        Self(Recipient::new(exchange, sealing).expect("a public key is of no small order"))
    }
}

impl Pen<'_> {
    /// Seals a letter that anybody of the region may carry.
    ///
    /// # Errors
    /// It is too large, for too many readers or for too long.
    pub fn seal(
        &self,
        letter: &Letter,
        outside: &Outside,
        readers: &Readers<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        self.seal_as(letter, outside, readers, letter.purpose.is_action(), rng)
    }

    pub(crate) fn seal_as(
        &self,
        letter: &Letter,
        outside: &Outside,
        readers: &Readers<'_>,
        action: bool,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        let text = letter.write(Zeroizing::default())?;
        let clear = self.clear(outside, action);
        let finish = |_: &mut [u8], _: &ClearDigest, _: &ContentKey| Some(());
        self.sealed(
            clear,
            &text,
            readers,
            (self.identity.signing(), &[]),
            finish,
            rng,
        )
    }

    /// Seals a letter to one person, signed by `key`, which is of this chain alone.
    ///
    /// # Errors
    /// It is too large or for too long, or the addressee has more machines than a card lists.
    pub fn seal_direct(
        &self,
        letter: &Letter,
        outside: &Outside,
        to: &Addressee<'_>,
        key: &AuthorKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        let text = letter.write(direct::head(self.identity))?;
        self.seal_text_direct(&text, outside, letter.purpose.is_action(), to, key, rng)
    }

    pub(crate) fn seal_text_direct(
        &self,
        text: &[u8],
        outside: &Outside,
        action: bool,
        to: &Addressee<'_>,
        key: &AuthorKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        let clear = Clear {
            reach: Reach::Direct,
            ..self.clear(outside, action)
        };
        let finish = |text: &mut [u8], clear: &ClearDigest, content: &ContentKey| {
            let bound = direct::Bound { clear, content };
            direct::prove(text, self.identity, &to.person, &bound)
        };
        self.sealed(clear, text, &to.readers, (key, to.mailboxes), finish, rng)
    }

    /// What ends a chain that is carried: a tombstone.
    ///
    /// # Errors
    /// Its revision is ahead of its time.
    pub fn tombstone(
        &self,
        outside: &Outside,
        action: bool,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        let clear = Clear {
            tombstone: true,
            ..self.clear(outside, action)
        };
        self.bare(clear, (self.identity.signing(), &[]), rng)
    }

    /// What ends a direct chain, for those that it was for.
    ///
    /// # Errors
    /// Its revision is ahead of its time, or the addressee has more machines than a card lists.
    pub fn tombstone_direct(
        &self,
        outside: &Outside,
        action: bool,
        mailboxes: &[Author],
        key: &AuthorKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        let clear = Clear {
            tombstone: true,
            reach: Reach::Direct,
            ..self.clear(outside, action)
        };
        self.bare(clear, (key, mailboxes), rng)
    }

    /// What ends all that the author created before a minute.
    ///
    /// # Errors
    /// That is later than it was created itself.
    pub fn erase(
        &self,
        outside: &Outside,
        before: Minutes,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        let clear = Clear {
            erase_before: Some(before),
            ..self.clear(outside, true)
        };
        self.bare(clear, (self.identity.signing(), &[]), rng)
    }

    pub(crate) fn clear(&self, outside: &Outside, action: bool) -> Clear {
        Clear {
            author: self.identity.signing().author(),
            created: outside.created,
            lifetime: outside.lifetime,
            region: RegionTag([0; 16]),
            action,
            reach: Reach::Carried,
            tombstone: false,
            erase_before: None,
            chain: outside.chain,
            revision: outside.revision,
            circle_slots: 0,
            person_slots: 0,
            content_bytes: 0,
            ephemeral: [0; 32],
            mailboxes: [MailboxTag([0; 16]); MAILBOXES],
        }
    }

    fn bare(
        &self,
        clear: Clear,
        (key, mailboxes): (&AuthorKey, &[Author]),
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        let clear = Clear {
            author: key.author(),
            lifetime: MAX_LIFETIME,
            ..clear
        };
        let (clear, _) = self.addressed(clear, mailboxes, rng)?;
        Ok(Envelope::bare(&clear, key)?)
    }

    /// With an ephemeral key, and what follows from it.
    fn addressed(
        &self,
        clear: Clear,
        mailboxes: &[Author],
        rng: &mut impl CryptoRng,
    ) -> Result<(Clear, StaticSecret), CannotSeal> {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        let ephemeral = StaticSecret::from(*bytes);
        let mut clear = Clear {
            ephemeral: PublicKey::from(&ephemeral).to_bytes(),
            ..clear
        };
        if mailboxes.len() > MAILBOXES {
            return Err(CannotSeal::Readers);
        }
        if clear.reach == Reach::Direct {
            for tag in &mut clear.mailboxes {
                rng.fill_bytes(&mut tag.0);
            }
            for (tag, mailbox) in clear.mailboxes.iter_mut().zip(mailboxes) {
                *tag = MailboxTag::of(mailbox, &clear.ephemeral);
            }
            // Which are random and which aren't, the place doesn't tell.
            clear.mailboxes.sort_unstable();
        }
        clear.region = self.region.tag(&clear);
        Ok((clear, ephemeral))
    }

    /// Seals `text`, padded, when `finish` has written into it what it needs the content key for.
    pub(crate) fn sealed(
        &self,
        clear: Clear,
        text: &[u8],
        readers: &Readers<'_>,
        (key, mailboxes): (&AuthorKey, &[Author]),
        finish: impl Fn(&mut [u8], &ClearDigest, &ContentKey) -> Option<()>,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        let [circle_slots, person_slots] = readers.counts()?;
        let content_bytes = padded(text.len());
        let clear = Clear {
            author: key.author(),
            circle_slots,
            person_slots,
            content_bytes: u32::try_from(content_bytes).map_err(|_| BadEnvelope::TooLarge)?,
            ..clear
        };
        let mut content_key = Zeroizing::new([0; 32]);
        rng.fill_bytes(content_key.as_mut_slice());
        let content_key = ContentKey::new(content_key);
        // Of 64 slots two have the same tag once in 33 times; then all are made anew, under another ephemeral key.
        for _ in 0..TRIES {
            let (clear, ephemeral) = self.addressed(clear, mailboxes, rng)?;
            let digest = ClearDigest::of(&clear);
            let Some(slots) = self.slots(readers, &clear, &digest, &ephemeral, &content_key, rng)
            else {
                continue;
            };
            let start = slots.len();
            // It holds the text until that is sealed, and never moves.
            let length = start + content_bytes + SEAL_BYTES;
            let mut rest = Zeroizing::new(Vec::with_capacity(length));
            rest.extend_from_slice(&slots);
            rest.extend_from_slice(text);
            rest.resize(start + content_bytes, 0);
            let content = &mut rest[start..];
            finish(content, &digest, &content_key).ok_or(CannotSeal::Addressee)?;
            let tag = content_key.seal(&digest, content);
            rest.extend_from_slice(&tag);
            let commitment = content_key.commitment(&digest);
            return Ok(Envelope::assemble(&clear, &commitment, &rest, key)?);
        }
        Err(CannotSeal::Twice)
    }

    /// All slots, those that fill up among them, each kind in the order of its tags, so that places tell nothing. None
    /// if two have the same tag.
    fn slots(
        &self,
        readers: &Readers<'_>,
        clear: &Clear,
        digest: &ClearDigest,
        ephemeral: &StaticSecret,
        content_key: &ContentKey,
        rng: &mut impl CryptoRng,
    ) -> Option<Vec<u8>> {
        let mut circles: Vec<[u8; CIRCLE_SLOT_BYTES]> = Vec::new();
        for circle in &readers.circles {
            let mut slot = [0; CIRCLE_SLOT_BYTES];
            slot[..TAG_BYTES].copy_from_slice(&circle.tag(digest));
            slot[TAG_BYTES..].copy_from_slice(&circle.slot(digest).seal(content_key));
            circles.push(slot);
        }
        circles.resize_with(clear.circle_slots.into(), || {
            let mut slot = [0; CIRCLE_SLOT_BYTES];
            rng.fill_bytes(&mut slot);
            slot
        });
        let mut persons: Vec<[u8; PERSON_SLOT_BYTES]> = Vec::new();
        for reader in &readers.persons {
            let (tag, ciphertext, key) = reader.slot(ephemeral, digest, rng);
            persons.push(person_slot(tag, &ciphertext, &key.seal(content_key)));
        }
        persons.resize_with(clear.person_slots.into(), || {
            let (_, ciphertext, _) = self.nobody.0.slot(ephemeral, digest, rng);
            let (mut tag, mut sealed) = ([0; TAG_BYTES], [0; 48]);
            rng.fill_bytes(&mut tag);
            rng.fill_bytes(&mut sealed);
            person_slot(tag, &ciphertext, &sealed)
        });
        circles.sort_unstable();
        persons.sort_unstable();
        let circle_tags = circles.iter().map(|slot| [slot[0], slot[1]]);
        let person_tags = persons.iter().map(|slot| [slot[0], slot[1]]);
        let mut tags: Vec<_> = circle_tags.chain(person_tags).collect();
        tags.sort_unstable();
        let distinct = tags.windows(2).all(|pair| pair[0] != pair[1]);
        distinct.then(|| [circles.concat(), persons.concat()].concat())
    }
}

impl Readers<'_> {
    /// Slots for circles, at least one, and for persons, each filled up to a power of two.
    fn counts(&self) -> Result<[u8; 2], CannotSeal> {
        let circles = self.circles.len().max(1).next_power_of_two();
        let persons = match self.persons.len() {
            0 => 0,
            count => count.next_power_of_two(),
        };
        if circles + persons > MAX_SLOTS {
            return Err(CannotSeal::Readers);
        }
        let count = |count: usize| u8::try_from(count).map_err(|_| CannotSeal::Readers);
        Ok([count(circles)?, count(persons)?])
    }
}

fn person_slot(
    tag: [u8; TAG_BYTES],
    ciphertext: &[u8; KEM_BYTES],
    sealed: &[u8],
) -> [u8; PERSON_SLOT_BYTES] {
    let mut slot = [0; PERSON_SLOT_BYTES];
    slot[..TAG_BYTES].copy_from_slice(&tag);
    slot[TAG_BYTES..TAG_BYTES + KEM_BYTES].copy_from_slice(ciphertext);
    slot[TAG_BYTES + KEM_BYTES..].copy_from_slice(sealed);
    slot
}

opaque_debug!(Nobody, Readers<'_>, Addressee<'_>, Pen<'_>);
