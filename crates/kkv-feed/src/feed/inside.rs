//! What is in a letter, once it is opened; and the bounded, wiped memory of those that were opened last.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use kkv_letters::{Envelope, Fingerprint, Keyring, Letter, OpenedBy, Purpose};

use crate::bag::Place;

/// Opens what one person can open.
pub trait Opener {
    /// What is in this envelope. `None` if it isn't for this person, or is broken.
    fn open(&self, envelope: &[u8]) -> Option<Inside>;
}

impl Opener for Keyring {
    fn open(&self, envelope: &[u8]) -> Option<Inside> {
        let envelope = Envelope::parse(envelope.to_vec()).ok()?;
        let opened = Self::open(self, &envelope).ok()??;
        Some(Inside {
            author: opened.author,
            circle: match opened.by {
                OpenedBy::Circle(owner) => owner,
                OpenedBy::Person => None,
            },
            letter: opened.letter,
        })
    }
}

/// What is in an envelope. Overwritten on drop.
pub struct Inside {
    /// Who wrote it: of a direct letter not whose one-use key signed it.
    pub author: Fingerprint,
    /// Whose circle it was opened by, if by a circle.
    pub circle: Option<Fingerprint>,
    /// What he wrote.
    pub letter: Letter,
}

impl Inside {
    /// The content as text, if it is a text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self.letter.purpose {
            Purpose::ShareText => std::str::from_utf8(&self.letter.content).ok(),
            _ => None,
        }
    }

    /// What it takes of memory, about.
    fn bytes(&self) -> usize {
        let Letter {
            name,
            media_type,
            audience,
            content,
            ..
        } = &self.letter;
        let names = audience.iter().map(|name| name.len() + 64).sum::<usize>();
        size_of::<Self>() + content.len() + name.len() + media_type.len() + names + 128
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inside")
            .field("letter", &self.letter)
            .finish_non_exhaustive()
    }
}

/// The letters that were opened last, up to a number of bytes. What leaves it is overwritten, as soon as nobody reads
/// it any more.
pub(super) struct Cache {
    most: usize,
    bytes: usize,
    tick: u64,
    opened: BTreeMap<Place, (u64, Arc<Inside>)>,
    order: BTreeMap<u64, Place>,
}

impl Cache {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            bytes: 0,
            tick: 0,
            opened: BTreeMap::new(),
            order: BTreeMap::new(),
        }
    }

    pub(super) fn get(&mut self, place: Place) -> Option<Arc<Inside>> {
        let (tick, inside) = self.opened.get_mut(&place)?;
        self.tick += 1;
        self.order.remove(tick);
        self.order.insert(self.tick, place);
        *tick = self.tick;
        Some(Arc::clone(inside))
    }

    /// Puts it in, and forgets those that weren't read for the longest time. One larger than all the room isn't kept.
    pub(super) fn insert(&mut self, place: Place, inside: &Arc<Inside>) {
        self.remove(place);
        let bytes = inside.bytes();
        if bytes > self.most {
            return;
        }
        while self.bytes + bytes > self.most
            && let Some((_, oldest)) = self.order.first_key_value()
        {
            self.remove(*oldest);
        }
        self.tick += 1;
        self.bytes += bytes;
        self.order.insert(self.tick, place);
        self.opened.insert(place, (self.tick, Arc::clone(inside)));
    }

    pub(super) fn remove(&mut self, place: Place) {
        if let Some((tick, inside)) = self.opened.remove(&place) {
            self.order.remove(&tick);
            self.bytes -= inside.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(bytes: usize) -> Arc<Inside> {
        Arc::new(Inside {
            author: Fingerprint([0; 20]),
            circle: None,
            letter: Letter::new(Purpose::ShareText, vec![7; bytes]),
        })
    }

    #[test]
    fn what_was_read_last_stays_and_the_bytes_are_bounded() {
        let mut cache = Cache::new(10_000);
        for place in 0..100 {
            cache.insert(Place::at(place), &inside(1000));
            assert!(cache.bytes <= cache.most);
            assert!(
                cache.get(Place::at(0)).is_some(),
                "it is read again and again"
            );
        }
        assert!(cache.get(Place::at(98)).is_some() && cache.get(Place::at(50)).is_none());
        cache.insert(Place::at(7), &inside(20_000));
        assert!(cache.get(Place::at(7)).is_none(), "larger than all of it");
        cache.remove(Place::at(0));
        assert!(cache.get(Place::at(0)).is_none());
        assert_eq!(cache.order.len(), cache.opened.len());
    }

    #[test]
    fn a_stray_debug_shows_no_content() {
        let shown = format!("{:?}", inside(12));
        assert!(shown.contains("content: 12 bytes"), "{shown}");
    }
}
