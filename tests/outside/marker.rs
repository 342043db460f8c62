//! Bytes that are nowhere else, such as a random text or a key, and the search for pieces of them in other bytes.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use rand::Rng;

/// The shortest piece that counts. Random text repeats 16 characters by chance once in 2^96.
pub(crate) const PIECE_BYTES: usize = 16;

/// Bytes that are looked up at once. Every piece of 16 bytes has one such word in it that begins at a multiple of 8,
/// wherever it lies.
const WORD_BYTES: usize = 8;

/// What most memory consists of.
const ZEROS: [u8; 4096] = [0; 4096];

/// 64 characters that no encoding on the way of a message has to escape, so that it looks the same everywhere.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Something to look for.
#[derive(Clone)]
pub(crate) struct Marker {
    name: String,
    bytes: Vec<u8>,
}

/// A piece of a marker, as found in other bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Which of the markers it is of.
    pub marker: usize,
    /// Where in those bytes it begins.
    pub offset: usize,
    /// Which part of the marker it is.
    pub part: Range<usize>,
}

impl Piece {
    /// Whether it has the word that is at `offset` in those bytes and at `position` in this marker.
    fn has(&self, offset: usize, marker: usize, position: usize) -> bool {
        self.marker == marker
            && self.part.contains(&position)
            && self.offset + position == offset + self.part.start
    }
}

impl Marker {
    /// A new random text of so many characters.
    pub(crate) fn text(length: usize) -> Self {
        let mut rng = rand::rng();
        let mut letter = || LETTERS[usize::from(rng.next_u32() as u8 % 64)];
        let text: Vec<u8> = (0..length).map(|_| letter()).collect();
        Self::new(format!("a text of {length}"), text)
    }

    /// Bytes that are known to be random, and what they are called.
    pub(crate) fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        assert!(bytes.len() >= PIECE_BYTES, "{name} is too short");
        Self { name, bytes }
    }

    /// The same bytes in three ways: as they are, and in hex of both cases.
    pub(crate) fn with_hex(name: &str, bytes: &[u8]) -> [Self; 3] {
        let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let upper = lower.to_uppercase();
        [
            Self::new(name, bytes),
            Self::new(format!("{name}, in hex"), lower),
            Self::new(format!("{name}, in upper hex"), upper),
        ]
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes, if it is a text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("a text is ASCII")
    }

    /// How many different pieces it has.
    pub(crate) fn pieces(&self) -> usize {
        self.bytes.len() + 1 - PIECE_BYTES
    }
}

/// The bytes themselves are left out, so that a failing test doesn't fill the screen.
impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.bytes.len())
    }
}

/// Looks for several markers at once.
pub(crate) struct Search<'m> {
    markers: &'m [Marker],
    /// Where each word begins: in which marker, and where in it.
    words: HashMap<u64, Vec<(usize, usize)>>,
    /// Whether there is a word with this [`mix`]. Nearly all memory is passed over by this alone.
    mixed: Vec<bool>,
}

impl<'m> Search<'m> {
    pub(crate) fn new(markers: &'m [Marker]) -> Self {
        let mut words: HashMap<u64, Vec<(usize, usize)>> = HashMap::new();
        let mut mixed = vec![false; 1 << MIXED_BITS];
        for (number, marker) in markers.iter().enumerate() {
            for (at, word) in marker.bytes.windows(WORD_BYTES).enumerate() {
                let word = word_of(word);
                words.entry(word).or_default().push((number, at));
                mixed[mix(word)] = true;
            }
        }
        Self {
            markers,
            words,
            mixed,
        }
    }

    /// Every piece of them in `memory`, each as long as it goes, in order.
    pub(crate) fn pieces(&self, memory: &[u8]) -> Vec<Piece> {
        let mut found: Vec<Piece> = Vec::new();
        for (number, page) in memory.chunks(ZEROS.len()).enumerate() {
            if *page == ZEROS[..page.len()] {
                continue;
            }
            let (words, _) = page.as_chunks::<WORD_BYTES>();
            for (at, bytes) in words.iter().enumerate() {
                let word = u64::from_le_bytes(*bytes);
                if !self.mixed[mix(word)] {
                    continue;
                }
                let offset = number * ZEROS.len() + at * WORD_BYTES;
                for (marker, position) in self.words.get(&word).into_iter().flatten() {
                    // Not every word of a long piece has it grown anew.
                    let mut known = found.iter().rev().take(8);
                    if known.any(|known| known.has(offset, *marker, *position)) {
                        continue;
                    }
                    let piece = self.grown(memory, offset, *marker, *position);
                    if piece.part.len() >= PIECE_BYTES {
                        found.push(piece);
                    }
                }
            }
        }
        found
    }

    /// The whole piece around a word, which is at `offset` in memory and at `position` in the marker.
    fn grown(&self, memory: &[u8], offset: usize, marker: usize, position: usize) -> Piece {
        let bytes = &self.markers[marker].bytes;
        let before = memory[..offset].iter().rev();
        let before = before.zip(bytes[..position].iter().rev());
        let before = before.take_while(|(a, b)| a == b).count();
        let behind = memory[offset..].iter().zip(&bytes[position..]);
        let behind = behind.take_while(|(a, b)| a == b).count();
        Piece {
            marker,
            offset: offset - before,
            part: position - before..position + behind,
        }
    }
}

const MIXED_BITS: u32 = 20;

fn word_of(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("as long as a word"))
}

/// Spreads words evenly (Fibonacci hashing: by the golden ratio of 2^64).
fn mix(word: u64) -> usize {
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - MIXED_BITS)) as usize
}

#[test]
fn the_search_finds_a_whole_copy_wherever_it_begins() {
    let markers = [Marker::text(60), Marker::text(60)];
    let search = Search::new(&markers);
    let mut memory = vec![0; 3 * 4096];
    for offset in [0, 1, 2, 3, 4, 5, 6, 7, 4090, 8191, 3 * 4096 - 60] {
        for (marker, wanted) in markers.iter().enumerate() {
            memory[offset..offset + 60].copy_from_slice(wanted.bytes());
            let piece = Piece {
                marker,
                offset,
                part: 0..60,
            };
            assert_eq!(search.pieces(&memory), [piece], "at {offset}");
            memory.fill(0);
        }
    }
}

#[test]
fn the_search_finds_every_piece_of_16_bytes_wherever_it_begins() {
    for length in [32, 60, 2900] {
        let marker = [Marker::text(length)];
        let search = Search::new(&marker);
        assert_eq!(marker[0].pieces(), length - 15);
        for start in 0..marker[0].pieces() {
            for offset in 4080..4088 {
                let mut memory = [0xff; 4096 + 64];
                let part = start..start + 16;
                memory[offset..offset + 16].copy_from_slice(&marker[0].bytes()[part.clone()]);
                let piece = Piece {
                    marker: 0,
                    offset,
                    part,
                };
                assert_eq!(search.pieces(&memory), [piece], "{start} at {offset}");
            }
        }
    }
}

#[test]
fn the_search_tells_pieces_apart_and_ignores_what_is_shorter() {
    let markers = [Marker::text(60), Marker::text(60)];
    let text = markers[0].bytes();
    let mut memory = vec![b'A'; 4096];
    memory[100..120].copy_from_slice(&text[40..]);
    memory[120..137].copy_from_slice(&text[..17]);
    memory[200..215].copy_from_slice(&text[20..35]);
    memory[99] = text[39] ^ 1; // not one more by chance
    memory[137] = text[17] ^ 1;
    memory[199] = text[19] ^ 1;
    memory[215] = text[35] ^ 1;
    let found = Search::new(&markers).pieces(&memory);
    let parts: Vec<_> = found.into_iter().map(|p| (p.marker, p.part)).collect();
    assert_eq!(parts, [(0, 40..60), (0, 0..17)]);
}

#[test]
fn bytes_are_looked_for_in_hex_as_well() {
    let forms = Marker::with_hex("a key", &(0xf0..=0xff).collect::<Vec<u8>>());
    assert_eq!(forms[0].bytes()[15], 0xff);
    assert_eq!(forms[1].as_str(), "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    assert_eq!(forms[2].as_str(), "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF");
}
