//! Posts: written for an audience, and deleted.

use kkv_feed::bag::{Offer, Refusal};
use kkv_feed::feed::{ChainRef, Letter, Purpose};
use kkv_letters::limits::{DEFAULT_LIFETIME, MAX_LIFETIME};
use kkv_letters::{ChainTag, Clear, Envelope, Minutes};
use rand::CryptoRng;

use crate::keys::{CannotSeal, Outside};
use crate::{Agent, Audience, Number};

/// The longest post, in bytes of UTF-8: 200,000, so that with slots and padding it fits into an envelope.
pub const MAX_POST_BYTES: usize = 200_000;

/// Why there is no post. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPosted {
    /// There is nothing in it but blanks.
    #[error("there is no text in it")]
    Empty,
    /// It is longer than [`MAX_POST_BYTES`].
    #[error("it has {0} bytes, and {MAX_POST_BYTES} fit into a post")]
    TooLong(usize),
    /// It was changed so often within a few minutes that another version would be ahead of its time.
    #[error("it was changed too often within a few minutes")]
    TooOften,
    /// There is no such post, or it is another's.
    #[error("there is no such post of one's own")]
    NotOwn,
    /// It can't be sealed.
    #[error(transparent)]
    CannotSeal(#[from] CannotSeal),
    /// The bag doesn't take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Agent {
    /// Writes a post, which lives for a week.
    ///
    /// # Errors
    /// It is empty, too long, or there is no room for it.
    pub fn post(
        &mut self,
        text: &str,
        to: Audience,
        now: Minutes,
        rng: &mut impl CryptoRng,
    ) -> Result<Number, NotPosted> {
        let letter = self.letter(text, to)?;
        let mut tag = [0; 16];
        rng.fill_bytes(&mut tag);
        let outside = Outside {
            created: now,
            lifetime: DEFAULT_LIFETIME,
            chain: ChainTag(tag),
            revision: revision_after(None, now),
        };
        let envelope = self.keys.seal(&letter, &outside, to, rng)?;
        self.admit(&envelope, now)?;
        Ok(self.numbers.of(ChainRef {
            author: self.me(),
            chain: outside.chain,
        }))
    }

    /// Puts this text in the place of a post's, for the same readers. It lives for a week from now; its earlier
    /// versions stay as long as they do.
    ///
    /// # Errors
    /// It is no post of one's own; as for [`post`](Self::post); it was changed too often.
    pub fn edit(
        &mut self,
        number: Number,
        text: &str,
        now: Minutes,
        rng: &mut impl CryptoRng,
    ) -> Result<(), NotPosted> {
        let before = self.read(number, now).filter(|post| post.is_mine);
        let (before, chain) = before
            .zip(self.numbers.chain(number))
            .ok_or(NotPosted::NotOwn)?;
        let to = before.to.ok_or(NotPosted::NotOwn)?;
        let letter = self.letter(text, to)?;
        let revision = Clear::next_revision(Some(before.revision), now);
        let outside = Outside {
            created: now,
            lifetime: DEFAULT_LIFETIME,
            chain: chain.chain,
            revision: revision.ok_or(NotPosted::TooOften)?,
        };
        let envelope = self.keys.seal(&letter, &outside, to, rng)?;
        self.admit(&envelope, now)?;
        Ok(())
    }

    fn letter(&mut self, text: &str, to: Audience) -> Result<Letter, NotPosted> {
        if text.trim().is_empty() {
            return Err(NotPosted::Empty);
        }
        if text.len() > MAX_POST_BYTES {
            return Err(NotPosted::TooLong(text.len()));
        }
        let mut letter = Letter::new(Purpose::ShareText, text.as_bytes().to_vec());
        letter.audience = to.words();
        letter.count = self.keys.count(to);
        Ok(letter)
    }

    /// Deletes a post: it is overwritten, with all its versions. Of the identity's own a tombstone stays for 30 days,
    /// which has nothing of it inside, so that no copy brings it back. Returns false if there is no such post.
    ///
    /// # Errors
    /// There is no room for the tombstone; the post is there still.
    pub fn delete(
        &mut self,
        number: Number,
        now: Minutes,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, NotPosted> {
        self.expire(now);
        let Some(chain) = self.numbers.chain(number) else {
            return Ok(false);
        };
        let versions = self.bag.versions(&chain.author, &chain.chain);
        let Some(newest) = versions.first() else {
            return Ok(false);
        };
        let (id, revision) = (newest.id, newest.revision);
        if chain.author == self.me() {
            let outside = Outside {
                created: now,
                lifetime: MAX_LIFETIME,
                chain: chain.chain,
                revision: revision_after(Some(revision), now),
            };
            let tombstone = self.keys.tombstone(&outside, rng)?;
            self.admit(&tombstone, now)?;
        } else {
            self.bag.delete(&id, &mut self.feed);
        }
        self.numbers.keep(|post| *post != chain);
        Ok(true)
    }

    /// Puts what was written here into the bag.
    fn admit(&mut self, envelope: &Envelope, now: Minutes) -> Result<(), Refusal> {
        let offer = Offer {
            now,
            in_region: &|_| true, // it was made for it here
            paid: 0,
            sender: None,
        };
        // Whose share it counts for, the bag knows once it was told who the owner is.
        self.settle(now);
        self.bag.admit(envelope, &offer, &mut self.feed)?;
        self.settle(now);
        Ok(())
    }
}

/// The revision after `last`; the highest that may be now, where that is too far ahead: a tombstone ends its chain
/// whatever its own is.
fn revision_after(last: Option<u32>, now: Minutes) -> u32 {
    Clear::next_revision(last, now).unwrap_or_else(|| Clear::max_revision(now))
}
