//! The kernel, on every instruction set that this machine has, against the `blake3` crate.

use kkv_pow::kernel::{Block, GROUP, InstructionSet, find, key_of};
use kkv_pow::{Nonce, PuzzleKey, Seed};
use proptest::prelude::*;

/// What is hashed: the kernel's block, and the same for `blake3`.
#[derive(Clone, Copy)]
struct Case {
    key: Option<PuzzleKey>,
    bytes: [u8; 64],
}

impl Case {
    fn v1(bytes: [u8; 64]) -> Self {
        Self { key: None, bytes }
    }

    fn v2(key: PuzzleKey, nonce: u64) -> Self {
        let mut bytes = [0; 64];
        bytes[56..].copy_from_slice(&nonce.to_le_bytes());
        Self {
            key: Some(key),
            bytes,
        }
    }

    fn block(&self) -> Block {
        let (head, tail) = self.bytes.split_first_chunk::<32>().expect("64 bytes");
        let nonce = u64::from_le_bytes(*self.bytes.last_chunk().expect("64 bytes"));
        match &self.key {
            None => Block::v1(&Nonce(*head), &Seed(tail.try_into().expect("the other 32"))),
            Some(key) => Block::v2(key, nonce),
        }
    }

    /// Zero bits that the hash with this word begins with.
    fn zeros(mut self, counted: u32) -> u32 {
        let at = if self.key.is_some() { 60 } else { 28 };
        self.bytes[at..at + 4].copy_from_slice(&counted.to_le_bytes());
        let hash = match &self.key {
            None => blake3::hash(&self.bytes),
            Some(key) => blake3::keyed_hash(&key.0, &self.bytes),
        };
        u128::from_be_bytes(*hash.as_bytes().first_chunk().expect("32 bytes")).leading_zeros()
    }
}

/// Every group that the kernel finds holds a hit, and every hit is in one that it finds.
fn agree(case: Case, bits: u8, first: u32, count: u32) {
    let block = case.block();
    let hits: Vec<u32> = (0..count)
        .map(|i| first + i)
        .filter(|counted| case.zeros(*counted) >= u32::from(bits.min(32)))
        .collect();
    for instructions in InstructionSet::all() {
        let mut left = hits.iter().peekable();
        let mut done = 0;
        while done < count {
            let found = find(instructions, &block, bits, first + done, count - done);
            let Some(group) = found else {
                break;
            };
            let next = **left
                .peek()
                .expect("it finds nothing where there is nothing");
            assert!(
                group <= next && next - group < GROUP,
                "{instructions}: {group}, {next}"
            );
            while left.next_if(|hit| **hit - group < GROUP).is_some() {}
            done = group - first + GROUP;
        }
        assert_eq!(
            left.next(),
            None,
            "{instructions} has missed one of {bits} bits"
        );
    }
}

fn both(key: PuzzleKey, bytes: [u8; 64], bits: u8, first: u32, count: u32) {
    let nonce = u64::from_le_bytes(*bytes.last_chunk().expect("64 bytes"));
    for case in [Case::v1(bytes), Case::v2(key, nonce)] {
        agree(case, bits, first, count);
    }
}

#[test]
fn at_the_edges_of_what_is_counted_and_of_what_is_hashed() {
    for byte in [0x00, 0x80, 0xff] {
        for first in [0, 1, 31, 0x7fff_ffe0, u32::MAX - 2047] {
            for bits in [0, 1, 7, 8, 9] {
                both(PuzzleKey([byte; 32]), [byte; 64], bits, first, 2048);
            }
        }
    }
    both(PuzzleKey([1; 32]), [2; 64], 5, 0, 0);
}

/// Of 2^19 hashes, eight begin with sixteen zero bits on average: a second and a third byte are compared.
#[test]
fn rare_hits_are_found_and_only_they() {
    both(PuzzleKey([3; 32]), [4; 64], 16, 1 << 20, 1 << 19);
}

/// More than 32 bits are more than it looks at: it points to every hit of 32, and who has asked looks closer.
#[test]
fn beyond_its_word_it_finds_what_has_a_whole_word_of_zeros() {
    for bits in [32, 33, 56, 60, 255] {
        both(PuzzleKey([5; 32]), [6; 64], bits, 0, 1 << 12);
    }
    // Each group has a hash of which a whole word is zero: the result of a search through half a billion.
    has_zero_word(Case::v1([0; 64]), 457_930_496);
    has_zero_word(Case::v2(PuzzleKey([0; 32]), 0), 441_200_352);
}

fn has_zero_word(case: Case, group: u32) {
    let mut counted = group..group + GROUP;
    assert!(counted.any(|counted| case.zeros(counted) >= 32));
    agree(case, 33, group - GROUP, 3 * GROUP);
}

#[test]
#[should_panic(expected = "31 from 0 on")]
fn what_is_no_whole_number_of_groups_is_refused() {
    let _ = find(
        InstructionSet::plain(),
        &Block::v2(&PuzzleKey([0; 32]), 0),
        1,
        0,
        31,
    );
}

#[test]
#[should_panic(expected = "64 from 4294967263 on")]
fn what_leaves_the_counted_word_is_refused() {
    let first = u32::MAX - 32;
    let _ = find(
        InstructionSet::plain(),
        &Block::v2(&PuzzleKey([0; 32]), 0),
        1,
        first,
        64,
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn on_random_input(
        key in any::<[u8; 32]>(),
        (head, tail) in any::<([u8; 32], [u8; 32])>(),
        bits in 0u8..12,
        first in 0..=u32::MAX - 1023,
    ) {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&head);
        bytes[32..].copy_from_slice(&tail);
        both(PuzzleKey(key), bytes, bits, first, 1024);
    }
}

proptest! {
    #[test]
    fn a_key_is_found_wherever_it_is_and_no_other_and_nowhere_else(
        keys in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
        input: [u8; 32],
        which: proptest::sample::Index,
        at in 0..32_usize,
        bit in 0..8,
    ) {
        let refs: Vec<_> = keys.iter().collect();
        for instructions in InstructionSet::all() {
            let found = |hash: &[u8; 32]| key_of(instructions, &refs, &input, hash);
            // One that is beside the others in a register and is no key of theirs.
            prop_assert_eq!(found(blake3::keyed_hash(&[0; 32], &input).as_bytes()), None);
            if keys.is_empty() {
                continue;
            }
            let which = which.index(keys.len());
            let mut hash = *blake3::keyed_hash(&keys[which], &input).as_bytes();
            prop_assert_eq!(found(&hash), Some(which), "{}", instructions);
            hash[at] ^= 1_u8 << bit;
            prop_assert_eq!(found(&hash), None, "{}", instructions);
        }
    }
}
