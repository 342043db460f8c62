//! Which pieces of a message are here, which are being read, and which of several bodies gives way (PROTOCOL.md §16).

use std::time::Duration;

use super::super::{MAX_AT_ONCE, PieceIndex, Pieces};
use crate::v2::purpose::LargeSize;

/// The pieces of one session. It keeps no bytes and no clock: times come in.
#[derive(Debug)]
pub struct Assembly {
    size: LargeSize,
    here: Pieces,
    reading: Vec<Reading>,
    /// Bodies that were begun.
    begun: u32,
}

/// A body that is being read into the place of its piece.
#[derive(Debug, PartialEq, Eq)]
pub struct Reader {
    index: PieceIndex,
    number: u32,
}

#[derive(Debug)]
struct Reading {
    index: PieceIndex,
    number: u32,
    /// When a byte of it came last.
    last: Duration,
}

/// Another body has taken the place of this one, or the session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

impl Reader {
    /// Which piece it is.
    #[must_use]
    pub fn index(&self) -> PieceIndex {
        self.index
    }
}

impl Assembly {
    /// Nothing is here.
    #[must_use]
    pub fn new(size: LargeSize) -> Self {
        Self {
            size,
            here: Pieces::NONE,
            reading: Vec::with_capacity(MAX_AT_ONCE),
            begun: 0,
        }
    }

    /// What is here.
    #[must_use]
    pub fn here(&self) -> Pieces {
        self.here
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.here == Pieces::all(self.size)
    }

    /// How many bodies were begun.
    #[must_use]
    pub fn begun(&self) -> u32 {
        self.begun
    }

    /// Begins to read a piece; `None` if it is here. Of earlier bodies, one for the same piece gives way, or of three
    /// the one that has had no byte for longest.
    pub fn begin(&mut self, index: PieceIndex, now: Duration) -> Option<Reader> {
        if self.here.contains(index) {
            return None;
        }
        self.begun += 1;
        self.reading.retain(|other| other.index != index);
        if self.reading.len() == MAX_AT_ONCE {
            let times = self.reading.iter().enumerate();
            let oldest = times.min_by_key(|(_, other)| (other.last, other.number));
            if let Some((oldest, _)) = oldest {
                self.reading.remove(oldest);
            }
        }
        let number = self.begun;
        self.reading.push(Reading {
            index,
            number,
            last: now,
        });
        Some(Reader { index, number })
    }

    /// Bytes of this body have come, which may be put into the piece's place.
    ///
    /// # Errors
    /// Another body has taken its place.
    pub fn progress(&mut self, reader: &Reader, now: Duration) -> Result<(), Ended> {
        let reading = self.reading.iter_mut();
        let mut own = reading.filter(|other| other.number == reader.number);
        own.next().ok_or(Ended)?.last = now;
        Ok(())
    }

    /// All of this body has come and opened: its piece is here.
    ///
    /// # Errors
    /// Another body has taken its place.
    pub fn finish(&mut self, reader: &Reader, now: Duration) -> Result<(), Ended> {
        self.progress(reader, now)?;
        self.end(reader);
        self.here.insert(reader.index);
        Ok(())
    }

    /// Nothing more comes of this body: its piece is absent again. Does nothing if it has finished or given way.
    /// Returns whether its place has to be wiped.
    pub fn end(&mut self, reader: &Reader) -> bool {
        let before = self.reading.len();
        self.reading.retain(|other| other.number != reader.number);
        self.reading.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn pieces(size: LargeSize) -> Vec<PieceIndex> {
        Pieces::all(size).iter().collect()
    }

    #[test]
    fn a_piece_is_here_once_its_body_has_come_and_not_before() {
        let all = pieces(LargeSize::Kib256);
        let mut assembly = Assembly::new(LargeSize::Kib256);
        for (n, index) in all.iter().enumerate() {
            let reader = assembly.begin(*index, seconds(0)).unwrap();
            assert_eq!(assembly.here().count(), n as u32);
            assert!(!assembly.is_complete());
            assembly.progress(&reader, seconds(1)).unwrap();
            assembly.finish(&reader, seconds(1)).unwrap();
            assert!(!assembly.end(&reader), "it is over");
            assert_eq!(assembly.begin(*index, seconds(2)), None);
        }
        assert!(assembly.is_complete());
        assert_eq!(assembly.begun(), 4);
    }

    #[test]
    fn a_body_gives_way_to_a_later_one_of_the_same_piece() {
        let index = pieces(LargeSize::Kib16)[0];
        let mut assembly = Assembly::new(LargeSize::Kib16);
        let first = assembly.begin(index, seconds(0)).unwrap();
        let second = assembly.begin(index, seconds(0)).unwrap();
        assert_eq!(assembly.progress(&first, seconds(1)), Err(Ended));
        assert_eq!(assembly.finish(&first, seconds(1)), Err(Ended));
        assert!(!assembly.end(&first), "the place is the second's");
        assert_eq!(assembly.finish(&second, seconds(1)), Ok(()));
        assert!(assembly.is_complete());
    }

    #[test]
    fn of_four_bodies_the_one_that_has_stood_still_longest_gives_way() {
        let all = pieces(LargeSize::Mib1);
        let mut assembly = Assembly::new(LargeSize::Mib1);
        let [a, b, c] = [0, 1, 2].map(|n| assembly.begin(all[n], seconds(0)).unwrap());
        assembly.progress(&a, seconds(2)).unwrap();
        assembly.progress(&c, seconds(1)).unwrap();
        let d = assembly.begin(all[3], seconds(3)).unwrap();
        assert_eq!(assembly.progress(&b, seconds(3)), Err(Ended));
        let e = assembly.begin(all[4], seconds(4)).unwrap();
        assert_eq!(assembly.progress(&c, seconds(4)), Err(Ended));
        for reader in [a, d, e] {
            assert_eq!(assembly.finish(&reader, seconds(5)), Ok(()));
        }
        assert_eq!(assembly.here().count(), 3);
    }

    #[test]
    fn an_unfinished_body_leaves_its_piece_absent() {
        let all = pieces(LargeSize::Mib1);
        let mut assembly = Assembly::new(LargeSize::Mib1);
        for index in &all[..10] {
            let reader = assembly.begin(*index, seconds(0)).unwrap();
            assert!(assembly.end(&reader), "its place is to be wiped");
            assert_eq!(assembly.here(), Pieces::NONE);
        }
        assert_eq!(assembly.begun(), 10);
    }
}
