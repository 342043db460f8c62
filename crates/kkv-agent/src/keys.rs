//! What an identity signs, seals and opens with.
//!
//! Its own circle comes from its words; the epochs of its friends' circle are random, each for a week from its first
//! use on, and wiped a month after the next has begun: words that are found later open nothing that was for friends.

use kkv_feed::feed::{Inside, Letter, Opener};
use kkv_letters::limits::MAX_LIFETIME;
use kkv_letters::{
    Author, CircleKey, Count, Envelope, Identity, Keyring, Membership, Minutes, Nobody, Pen,
    Readers, RegionKey,
};
use rand::CryptoRng;

use crate::Audience;

pub(crate) use kkv_letters::{CannotSeal, Outside};

/// How long an epoch is written under, from its first use on: a week.
const EPOCH: Minutes = Minutes(7 * 24 * 60);
/// How long an epoch is kept once the next has begun: as long as what was sealed under it can live.
const KEPT: Minutes = MAX_LIFETIME;

/// All keys of one identity. Wiped on drop.
pub(crate) struct Keys {
    keyring: Keyring,
    region: RegionKey,
    open: CircleKey,
    own: CircleKey,
    nobody: Nobody,
    friends: Epochs,
    /// Which machine this is: four random bytes.
    device: [u8; 4],
    /// Letters so far, to each audience.
    written: [u32; Audience::ALL.len()],
}

/// The epochs of one circle. The keyring has those that are over as well.
struct Epochs {
    newest: CircleKey,
    /// When the newest was used first.
    used: Option<Minutes>,
    /// Those before, each with when it goes.
    over: Vec<(CircleKey, Minutes)>,
}

impl Keys {
    pub(crate) fn new(identity: Identity, rng: &mut impl CryptoRng) -> Self {
        let own = CircleKey::new(identity.self_circle().bytes());
        let mut device = [0; 4];
        rng.fill_bytes(&mut device);
        let mut keys = Self {
            keyring: Keyring::new(identity),
            region: RegionKey::open(),
            open: CircleKey::open_region(),
            own,
            nobody: Nobody::generate(rng),
            friends: Epochs {
                newest: CircleKey::generate(rng),
                used: None,
                over: Vec::new(),
            },
            device,
            written: [0; Audience::ALL.len()],
        };
        keys.take_newest();
        keys
    }

    pub(crate) fn author(&self) -> Author {
        self.keyring.identity().public().author
    }

    /// Seals a letter for those who are to read it. Friends get a new epoch, if the last was used a week ago first.
    pub(crate) fn seal(
        &mut self,
        letter: &Letter,
        outside: &Outside,
        to: Audience,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        if to == Audience::Friends {
            self.use_friends(outside.created, rng);
        }
        let circle = match to {
            Audience::Myself => &self.own,
            Audience::Friends => &self.friends.newest,
            Audience::Everyone => &self.open,
        };
        let readers = Readers {
            circles: vec![circle],
            persons: Vec::new(),
        };
        self.pen().seal(letter, outside, &readers, rng)
    }

    /// Counts a letter to this audience, from 1 on.
    pub(crate) fn count(&mut self, to: Audience) -> Count {
        let written = &mut self.written[to as usize];
        *written = written.saturating_add(1);
        Count {
            device: self.device,
            number: *written,
        }
    }

    /// Ends a chain of posts.
    pub(crate) fn tombstone(
        &self,
        outside: &Outside,
        rng: &mut impl CryptoRng,
    ) -> Result<Envelope, CannotSeal> {
        self.pen().tombstone(outside, false, rng)
    }

    /// Wipes epochs that are over for long enough. Returns when the next is.
    pub(crate) fn expire(&mut self, now: Minutes) -> Option<Minutes> {
        let over = &mut self.friends.over;
        for (gone, _) in over.extract_if(.., |(_, goes)| *goes <= now) {
            self.keyring
                .retain_circles(|circle| circle.key.bytes() != gone.bytes());
        }
        over.iter().map(|(_, goes)| *goes).min()
    }

    fn use_friends(&mut self, now: Minutes, rng: &mut impl CryptoRng) {
        let friends = &mut self.friends;
        let is_over = |used: Minutes| now >= used.after(EPOCH);
        if friends.used.is_some_and(is_over) {
            let before = std::mem::replace(&mut friends.newest, CircleKey::generate(rng));
            friends.over.push((before, now.after(KEPT)));
            friends.used = None;
            self.take_newest();
        }
        self.friends.used.get_or_insert(now);
    }

    /// Opens by the newest epoch, too.
    fn take_newest(&mut self) {
        self.keyring.add_circle(Membership {
            key: CircleKey::new(self.friends.newest.bytes()),
            owner: Some(self.author().fingerprint()),
        });
    }

    fn pen(&self) -> Pen<'_> {
        Pen {
            identity: self.keyring.identity(),
            region: &self.region,
            nobody: &self.nobody,
        }
    }
}

impl Opener for Keys {
    fn open(&self, envelope: &[u8]) -> Option<Inside> {
        Opener::open(&self.keyring, envelope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_feed::feed::Purpose;
    use kkv_letters::{ChainTag, Seed};

    const DAY: u32 = 24 * 60;

    fn written(keys: &mut Keys, to: Audience, day: u32) -> Envelope {
        let letter = Letter::new(Purpose::ShareText, b"the lake".to_vec());
        let created = Minutes(3_000_000 + day * DAY);
        let outside = Outside {
            created,
            lifetime: MAX_LIFETIME,
            chain: ChainTag([1; 16]),
            revision: created.0 * 64,
        };
        keys.seal(&letter, &outside, to, &mut rand::rng()).unwrap()
    }

    fn opens(keys: &Keys, envelope: &Envelope) -> bool {
        keys.open(envelope.bytes()).is_some()
    }

    #[test]
    fn epochs_are_for_a_week_and_leave_a_month_after_and_words_do_not_bring_them_back() {
        let seed = [7; 16];
        let mut keys = Keys::new(Identity::new(Seed::new(&seed)), &mut rand::rng());
        let at = |day: u32| Minutes(3_000_000 + day * DAY);
        let first = written(&mut keys, Audience::Friends, 0);
        let second = written(&mut keys, Audience::Friends, 6);
        assert_eq!(keys.expire(at(6)), None, "it is the same epoch");
        let third = written(&mut keys, Audience::Friends, 7);
        assert_eq!(keys.expire(at(36)), Some(at(37)));
        assert!([&first, &second, &third].map(|letter| opens(&keys, letter)) == [true; 3]);
        assert_eq!(keys.expire(at(37)), None);
        assert!([&first, &second].map(|letter| opens(&keys, letter)) == [false; 2]);
        assert!(opens(&keys, &third));

        let mine = written(&mut keys, Audience::Myself, 8);
        let open = written(&mut keys, Audience::Everyone, 8);
        let restored = Keys::new(Identity::new(Seed::new(&seed)), &mut rand::rng());
        assert!(opens(&restored, &mine) && opens(&restored, &open));
        assert!(!opens(&restored, &third), "its epoch was random");
        let other = Keys::new(Identity::new(Seed::new(&[8; 16])), &mut rand::rng());
        assert!(!opens(&other, &mine) && !opens(&other, &third));
        assert!(opens(&other, &open));
    }
}
