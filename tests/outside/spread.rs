//! The search for bytes that stand apart, each as far from the next: letters that were typed, one event beside the
//! other.

use std::collections::HashMap;

/// The largest distance that is looked at: four times the size of what tells of a key.
const LONGEST_STRIDE: usize = 128;

/// The shortest piece that counts. Every 15 letters have one in them that begins where one is looked for.
pub(crate) const PIECE_BYTES: usize = 8;

/// What most memory consists of.
const ZEROS: [u8; 4096] = [0; 4096];

/// A piece of what is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpreadPiece {
    /// Where its first letter is.
    pub offset: usize,
    /// From each of its letters to the next; below zero if they stand the other way round.
    pub stride: isize,
}

/// Pieces of `marker` in `memory`, forwards and backwards. Its letters must be random: eight of 64 come by chance once
/// in 2^48 places.
pub(crate) fn spread_pieces(memory: &[u8], marker: &[u8]) -> Vec<SpreadPiece> {
    let mut beginnings: HashMap<u8, Vec<&[u8]>> = HashMap::new();
    for piece in marker.chunks_exact(PIECE_BYTES) {
        beginnings.entry(piece[0]).or_default().push(piece);
    }
    let is_first: [bool; 256] =
        std::array::from_fn(|byte| byte != 0 && beginnings.contains_key(&(byte as u8)));
    let mut found = Vec::new();
    for (number, page) in memory.chunks(ZEROS.len()).enumerate() {
        if *page == ZEROS[..page.len()] {
            continue;
        }
        let first = page.iter().enumerate();
        for (at, byte) in first.filter(|(_, byte)| is_first[usize::from(**byte)]) {
            let offset = number * ZEROS.len() + at;
            for piece in &beginnings[byte] {
                let strides =
                    strides(memory, offset, piece).map(|stride| SpreadPiece { offset, stride });
                found.extend(strides);
            }
        }
    }
    found
}

/// How far the letters of `piece`, the first of which is at `offset`, are from each other, if they are there.
fn strides(memory: &[u8], offset: usize, piece: &[u8]) -> impl Iterator<Item = isize> {
    let longest = (memory.len() - 1 - offset).min(LONGEST_STRIDE);
    let forwards = memory[offset + 1..=offset + longest].iter().zip(1..);
    let longest = offset.min(LONGEST_STRIDE);
    let backwards = memory[offset - longest..offset].iter().rev().zip(1..);
    let backwards = backwards.map(|(byte, stride): (_, isize)| (byte, -stride));
    let second = forwards
        .chain(backwards)
        .filter(|(byte, _)| **byte == piece[1]);
    second.map(|(_, stride)| stride).filter(move |stride| {
        let mut letters = piece.iter().zip(0..);
        letters.all(|(letter, number)| {
            let at = offset.checked_add_signed(stride * number);
            at.and_then(|at| memory.get(at)) == Some(letter)
        })
    })
}

#[test]
fn letters_are_found_at_any_distance_in_either_direction() {
    let marker = super::marker::Marker::text(16);
    let letters = &marker.bytes()[..15];
    for stride in 1..=LONGEST_STRIDE {
        for begin in [0, 1] {
            let mut memory = vec![0; 15 * LONGEST_STRIDE];
            for (number, letter) in letters[begin..].iter().enumerate() {
                memory[3 + number * stride] = *letter;
            }
            let found = spread_pieces(&memory, letters);
            let is_it = |piece: &SpreadPiece| piece.stride == stride as isize;
            assert_eq!(found.iter().any(is_it), begin == 0, "{stride}: {found:?}");
            memory.reverse();
            let found = spread_pieces(&memory, letters);
            let is_it = |piece: &SpreadPiece| piece.stride == -(stride as isize);
            assert_eq!(found.iter().any(is_it), begin == 0, "{stride}: {found:?}");
        }
    }
    assert_eq!(spread_pieces(&[0; 4096], letters), []);
}
