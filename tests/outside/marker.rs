//! A random text that is nowhere else, and the search for pieces of it in other bytes.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use rand::Rng;

/// The shortest piece that counts. Random text repeats 16 characters by chance once in 2^96.
pub(super) const PIECE_BYTES: usize = 16;

/// Bytes that are looked up at once. Every piece of 16 bytes has one such word in it that begins at a multiple of 8, wherever it lies.
const WORD_BYTES: usize = 8;

/// What most memory consists of.
const ZEROS: [u8; 4096] = [0; 4096];

/// 64 characters that no encoding on the way of a message has to escape, so that it looks the same everywhere.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A message to look for.
pub(super) struct Marker {
    text: Vec<u8>,
    /// Where each word of the text begins in it; no two are equal.
    words: HashMap<[u8; WORD_BYTES], usize>,
    /// Whether a word may begin with these two bytes. Nearly all memory is passed over by this alone.
    beginnings: Vec<bool>,
}

/// A piece of a marker, as found in other bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where in those bytes it begins.
    pub offset: usize,
    /// Which part of the marker it is.
    pub part: Range<usize>,
}

impl Marker {
    /// A new one of so many bytes.
    pub(super) fn new(length: usize) -> Self {
        let mut rng = rand::rng();
        let mut letter = || LETTERS[usize::from(rng.next_u32() as u8 % 64)];
        Self::of((0..length).map(|_| letter()).collect())
    }

    fn of(text: Vec<u8>) -> Self {
        assert!(text.len() >= PIECE_BYTES, "too short to be found");
        let mut words = HashMap::new();
        let mut beginnings = vec![false; 1 << 16];
        for (at, word) in text.windows(WORD_BYTES).enumerate() {
            let word: [u8; WORD_BYTES] = word.try_into().expect("as long as a window");
            assert!(words.insert(word, at).is_none(), "it repeats itself");
            beginnings[beginning(&word)] = true;
        }
        Self {
            text,
            words,
            beginnings,
        }
    }

    /// Its bytes, which are ASCII.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// How many different pieces it has.
    pub(super) fn pieces(&self) -> usize {
        self.text.len() + 1 - PIECE_BYTES
    }

    /// Every piece of it in `memory`, each as long as it goes, in order.
    pub(super) fn search(&self, memory: &[u8]) -> Vec<Piece> {
        let mut found: Vec<Piece> = Vec::new();
        for (number, page) in memory.chunks(ZEROS.len()).enumerate() {
            if *page == ZEROS[..page.len()] {
                continue;
            }
            for at in (0..page.len().saturating_sub(WORD_BYTES - 1)).step_by(WORD_BYTES) {
                if !self.beginnings[beginning(&page[at..])] {
                    continue;
                }
                let offset = number * ZEROS.len() + at;
                let Some(position) = self.words.get(&page[at..at + WORD_BYTES]) else {
                    continue;
                };
                let piece = self.grown(memory, offset, *position);
                if piece.part.len() >= PIECE_BYTES && found.last() != Some(&piece) {
                    found.push(piece);
                }
            }
        }
        found
    }

    /// The whole piece around a word, which is at `offset` in memory and at `position` in the text.
    fn grown(&self, memory: &[u8], offset: usize, position: usize) -> Piece {
        let before = memory[..offset].iter().rev();
        let before = before.zip(self.text[..position].iter().rev());
        let before = before.take_while(|(a, b)| a == b).count();
        let behind = memory[offset..].iter().zip(&self.text[position..]);
        let behind = behind.take_while(|(a, b)| a == b).count();
        Piece {
            offset: offset - before,
            part: position - before..position + behind,
        }
    }
}

fn beginning(word: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([word[0], word[1]]))
}

/// The text itself is left out, so that a failing test doesn't fill the screen.
impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a marker of {} bytes", self.text.len())
    }
}

#[test]
fn the_search_finds_a_whole_copy_wherever_it_begins() {
    let marker = Marker::new(60);
    let mut memory = vec![0; 3 * 4096];
    for offset in [0, 1, 2, 3, 4, 5, 6, 7, 4090, 8191, 3 * 4096 - 60] {
        memory[offset..offset + 60].copy_from_slice(marker.text());
        let piece = Piece {
            offset,
            part: 0..60,
        };
        assert_eq!(marker.search(&memory), [piece], "at {offset}");
        memory.fill(0);
    }
}

#[test]
fn the_search_finds_every_piece_of_16_bytes_wherever_it_begins() {
    for length in [60, 2900] {
        let marker = Marker::new(length);
        assert_eq!(marker.pieces(), length - 15);
        for start in 0..marker.pieces() {
            for offset in 4080..4088 {
                let mut memory = [0xff; 4096 + 64];
                memory[offset..offset + 16].copy_from_slice(&marker.text()[start..start + 16]);
                let piece = Piece {
                    offset,
                    part: start..start + 16,
                };
                assert_eq!(marker.search(&memory), [piece], "{start} at {offset}");
            }
        }
    }
}

#[test]
fn the_search_tells_pieces_apart_and_ignores_what_is_shorter() {
    let marker = Marker::new(60);
    let mut memory = vec![b'A'; 4096];
    memory[100..120].copy_from_slice(&marker.text()[40..]);
    memory[120..137].copy_from_slice(&marker.text()[..17]);
    memory[200..215].copy_from_slice(&marker.text()[20..35]);
    memory[99] = marker.text()[39] ^ 1; // not one more by chance
    memory[137] = marker.text()[17] ^ 1;
    memory[199] = marker.text()[19] ^ 1;
    memory[215] = marker.text()[35] ^ 1;
    let parts: Vec<_> = marker.search(&memory).into_iter().map(|p| p.part).collect();
    assert_eq!(parts, [40..60, 0..17]);
    assert_eq!(Marker::new(60).search(&memory), []);
}
