//! People for tests: each with keys, and letters between them.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::identity::{Identity, Seed};
use crate::ids::ChainTag;
use crate::letter::{Letter, Purpose};
use crate::{
    Addressee, CircleKey, Clear, Envelope, Keyring, Membership, Minutes, Nobody, Outside, Pen,
    Readers, Recipient, RegionKey, SealingSecret,
};

pub(crate) const NOW: Minutes = Minutes(3_600_000);

/// One person.
pub(crate) struct Person {
    pub(crate) ring: Keyring,
    pub(crate) friends: CircleKey,
    pub(crate) nobody: Nobody,
    pub(crate) region: RegionKey,
    pub(crate) rng: StdRng,
}

impl Person {
    /// Always the same for the same number.
    pub(crate) fn new(number: u8) -> Self {
        let mut rng = StdRng::from_seed([number; 32]);
        let mut ring = Keyring::new(Identity::new(Seed::new(&[number; 16])));
        ring.add_pair(SealingSecret::generate(&mut rng));
        let mut person = Self {
            friends: CircleKey::generate(&mut rng),
            nobody: Nobody::generate(&mut rng),
            region: RegionKey::open(),
            ring,
            rng,
        };
        let own = person.membership();
        person.ring.add_circle(own);
        person
    }

    /// In this person's friends circle.
    pub(crate) fn membership(&self) -> Membership {
        Membership {
            key: CircleKey::new(self.friends.bytes()),
            owner: Some(self.ring.identity().public().author.fingerprint()),
        }
    }

    /// Whom others seal for.
    pub(crate) fn recipient(&self) -> Recipient {
        let exchange = self.ring.identity().public().exchange;
        Recipient::new(exchange, self.ring.pairs()[0].public().clone()).unwrap()
    }

    pub(crate) fn outside(&mut self) -> Outside {
        Outside {
            created: NOW,
            lifetime: Minutes(1000),
            chain: ChainTag(self.rng.random()),
            revision: Clear::next_revision(None, NOW).unwrap(),
        }
    }

    /// What this person writes with, and randomness.
    pub(crate) fn pen(&mut self) -> (Pen<'_>, &mut StdRng) {
        let pen = Pen {
            identity: self.ring.identity(),
            region: &self.region,
            nobody: &self.nobody,
        };
        (pen, &mut self.rng)
    }

    pub(crate) fn seal(&mut self, letter: &Letter, readers: &Readers<'_>) -> Envelope {
        let outside = self.outside();
        let (pen, rng) = self.pen();
        let envelope = pen.seal(letter, &outside, readers, rng).unwrap();
        assert_eq!(envelope.verify(), Ok(()));
        envelope
    }

    /// For friends.
    pub(crate) fn post(&mut self, letter: &Letter) -> Envelope {
        let friends = CircleKey::new(self.friends.bytes());
        self.seal(letter, &circle(&friends))
    }

    /// To one person.
    pub(crate) fn write_to(&mut self, to: &Self, letter: &Letter) -> Envelope {
        let recipient = to.recipient();
        let key = crate::AuthorKey::generate(&mut self.rng);
        let to = Addressee {
            person: to.ring.identity().public(),
            readers: Readers {
                persons: vec![&recipient],
                ..Readers::default()
            },
            mailboxes: &[],
        };
        let outside = self.outside();
        let (pen, rng) = self.pen();
        pen.seal_direct(letter, &outside, &to, &key, rng).unwrap()
    }
}

pub(crate) fn circle(key: &CircleKey) -> Readers<'_> {
    Readers {
        circles: vec![key],
        ..Readers::default()
    }
}

pub(crate) fn text(text: &str) -> Letter {
    Letter::new(Purpose::ShareText, text.into())
}
