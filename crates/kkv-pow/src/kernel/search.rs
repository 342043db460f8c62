//! BLAKE3 of one block, on as many nonces at once as a register has lanes (BLAKE3 paper §2.2 and §2.3).
//!
//! Both layouts count in one word of the block and leave the other fifteen as they are. What does not depend on that
//! word is the same in every turn of the loop, and the compiler computes it once; what only leads to words of the
//! output that nobody looks at, it leaves out.
//!
//! It is generic over the instruction set, so every function must be inlined into the one that [`dispatch!`] compiles
//! for each. All indices are constants after that, and the state stays in registers.
//!
//! A fault in here can lose a solution but never make one up: whoever calls this hashes what it points at once more.

use fearless_simd::{Level, Simd, SimdBase, SimdMask, dispatch};

use super::instructions::InstructionSet;
use crate::bytes::{Nonce, PuzzleKey, Seed};

/// Where a search's hits are looked for again: no register holds more lanes than half of this, and two are worked on
/// side by side.
pub const GROUP: u32 = 32;

/// BLAKE3's initial values (those of SHA-256).
pub(super) const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Which word of the block each step of each round adds: the identity, then BLAKE3's permutation of the round before.
pub(super) const SCHEDULE: [[usize; 16]; 7] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8],
    [3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1],
    [10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6],
    [12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4],
    [9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7],
    [11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13],
];

pub(super) const CHUNK_START: u32 = 1;
pub(super) const CHUNK_END: u32 = 1 << 1;
pub(super) const ROOT: u32 = 1 << 3;
pub(super) const KEYED_HASH: u32 = 1 << 4;

/// Where in a block the nonce is. Known when the kernel is compiled, so that zero words are never added.
pub(super) trait Layout {
    /// The word that is counted: the later a round adds it for the first time, the more of that round is always the
    /// same.
    const COUNTED: usize;
    /// Bit i: word i is always zero.
    const ZEROS: u16;
    /// Domain of the hash.
    const FLAGS: u32;
}

struct V1;

impl Layout for V1 {
    const COUNTED: usize = 7;
    const ZEROS: u16 = 0;
    const FLAGS: u32 = CHUNK_START | CHUNK_END | ROOT;
}

struct V2;

impl Layout for V2 {
    const COUNTED: usize = 15;
    const ZEROS: u16 = 0x3fff;
    const FLAGS: u32 = CHUNK_START | CHUNK_END | ROOT | KEYED_HASH;
}

/// One block of 64 bytes to be hashed, as a puzzle lays it out: all of it but the word that is counted.
#[derive(Debug, Clone)]
pub enum Block {
    /// BLAKE3(nonce ‖ seed), counted in bytes 28 to 32, the nonce's last four: kkv/1.
    V1(Words),
    /// BLAKE3 keyed_hash(key, 56 zero bytes ‖ nonce), counted in bytes 60 to 64, the nonce's last four: kkv/2.
    V2(Words),
}

/// What is hashed, and from where.
#[derive(Debug, Clone)]
pub struct Words {
    chaining: [u32; 8],
    words: [u32; 16],
}

impl Block {
    /// The block of a kkv/1 nonce.
    #[must_use]
    pub fn v1(nonce: &Nonce, seed: &Seed) -> Self {
        let [nonce, seed]: [[u32; 8]; 2] = [words(&nonce.0), words(&seed.0)];
        let both = |i: usize| if i < 8 { nonce[i] } else { seed[i - 8] };
        Self::V1(Words {
            chaining: IV,
            words: std::array::from_fn(both),
        })
    }

    /// The block of a kkv/2 nonce.
    #[must_use]
    pub fn v2(key: &PuzzleKey, nonce: u64) -> Self {
        let mut block = [0; 16];
        (block[14], block[15]) = (nonce as u32, (nonce >> 32) as u32);
        Self::V2(Words {
            chaining: words(&key.0),
            words: block,
        })
    }
}

pub(super) fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u32; WORDS] {
    let (words, _) = bytes.as_chunks();
    std::array::from_fn(|i| u32::from_le_bytes(words[i]))
}

/// The start of the first group with a hash that begins with `bits` zero bits, among `count` ones of `block` with
/// `first` and what follows in the counted word. Looks at 32 bits at most. The hit is among the [`GROUP`] from there
/// on.
///
/// ```
/// use kkv_pow::kernel::{Block, GROUP, InstructionSet, find};
/// use kkv_pow::PuzzleKey;
///
/// let block = Block::v2(&PuzzleKey([7; 32]), 0);
/// // Every hash begins with no zero bits at least, so the first group is found at once.
/// assert_eq!(find(InstructionSet::best(), &block, 0, 0, GROUP), Some(0));
/// ```
///
/// # Panics
/// `count` is no multiple of [`GROUP`], or `first` + `count` − 1 does not fit in a word.
#[must_use]
pub fn find(
    instructions: InstructionSet,
    block: &Block,
    bits: u8,
    first: u32,
    count: u32,
) -> Option<u32> {
    assert!(
        count.is_multiple_of(GROUP) && first.checked_add(count.saturating_sub(1)).is_some(),
        "{count} from {first} on"
    );
    match block {
        Block::V1(words) => dispatched::<V1>(instructions, words, bits, first, count),
        Block::V2(words) => dispatched::<V2>(instructions, words, bits, first, count),
    }
}

fn dispatched<L: Layout>(
    instructions: InstructionSet,
    block: &Words,
    bits: u8,
    first: u32,
    count: u32,
) -> Option<u32> {
    // The first byte of the hash is the lowest of its first word.
    let mask = u32::MAX
        .unbounded_shl(32 - u32::from(bits.min(32)))
        .swap_bytes();
    match instructions.0 {
        // One at a time: arithmetic on single words finds enough to do in one, and room for no more.
        Level::Fallback(plain) => scan::<_, L, 1>(plain, block, mask, first, count),
        vectors => dispatch!(vectors, simd => scan::<_, L, 2>(simd, block, mask, first, count)),
    }
}

/// N registers' worth of each word of the state, worked on side by side, since each step waits for the one before.
pub(super) type State<S, const N: usize> = [[<S as Simd>::u32s; N]; 16];

#[inline(always)]
fn scan<S: Simd, L: Layout, const N: usize>(
    simd: S,
    block: &Words,
    mask: u32,
    first: u32,
    count: u32,
) -> Option<u32> {
    let splat = |word| S::u32s::splat(simd, word);
    let lanes = u32::try_from(S::u32s::LEN).expect("a register has a few lanes");
    let step = lanes * N as u32;
    let offsets: [S::u32s; N] = std::array::from_fn(|register| {
        S::u32s::from_fn(simd, |lane| register as u32 * lanes + lane as u32)
    });
    let tail = [IV[0], IV[1], IV[2], IV[3], 0, 0, 64, L::FLAGS]; // counter 0, length 64
    let start: State<S, N> = std::array::from_fn(|i| {
        [splat(if i < 8 {
            block.chaining[i]
        } else {
            tail[i - 8]
        }); N]
    });
    let mut words: State<S, N> = std::array::from_fn(|i| [splat(block.words[i]); N]);
    let (mask, none) = (splat(mask), splat(0));
    for turn in 0..count / step {
        let at = first + turn * step;
        words[L::COUNTED] = offsets.map(|offset| offset + splat(at));
        let mut state = start;
        round::<S, L, N>(&mut state, &words, SCHEDULE[0]);
        round::<S, L, N>(&mut state, &words, SCHEDULE[1]);
        round::<S, L, N>(&mut state, &words, SCHEDULE[2]);
        round::<S, L, N>(&mut state, &words, SCHEDULE[3]);
        round::<S, L, N>(&mut state, &words, SCHEDULE[4]);
        round::<S, L, N>(&mut state, &words, SCHEDULE[5]);
        round::<S, L, N>(&mut state, &words, SCHEDULE[6]);
        let hits = |register: usize| {
            let output = state[0][register] ^ state[8][register];
            (output & mask).simd_eq(none)
        };
        if (1..N)
            .fold(hits(0), |all, register| all | hits(register))
            .any_true()
        {
            return Some(first + turn * step / GROUP * GROUP);
        }
    }
    None
}

/// Columns, then diagonals.
#[inline(always)]
pub(super) fn round<S: Simd, L: Layout, const N: usize>(
    state: &mut State<S, N>,
    words: &State<S, N>,
    order: [usize; 16],
) {
    mix::<S, L, N>(state, words, [0, 4, 8, 12], [order[0], order[1]]);
    mix::<S, L, N>(state, words, [1, 5, 9, 13], [order[2], order[3]]);
    mix::<S, L, N>(state, words, [2, 6, 10, 14], [order[4], order[5]]);
    mix::<S, L, N>(state, words, [3, 7, 11, 15], [order[6], order[7]]);
    mix::<S, L, N>(state, words, [0, 5, 10, 15], [order[8], order[9]]);
    mix::<S, L, N>(state, words, [1, 6, 11, 12], [order[10], order[11]]);
    mix::<S, L, N>(state, words, [2, 7, 8, 13], [order[12], order[13]]);
    mix::<S, L, N>(state, words, [3, 4, 9, 14], [order[14], order[15]]);
}

/// BLAKE3's G on four words of the state, with two of the block.
#[inline(always)]
#[expect(
    clippy::needless_range_loop,
    reason = "one register's words are in four rows"
)]
fn mix<S: Simd, L: Layout, const N: usize>(
    state: &mut State<S, N>,
    words: &State<S, N>,
    [a, b, c, d]: [usize; 4],
    added: [usize; 2],
) {
    for (word, [first, second]) in added.into_iter().zip([[16, 12], [8, 7]]) {
        for i in 0..N {
            // The word first: it may be the same in every turn, and so the sum.
            if L::ZEROS >> word & 1 == 0 {
                state[a][i] += words[word][i];
            }
            state[a][i] += state[b][i];
        }
        for i in 0..N {
            state[d][i] = rotated::<S>(state[d][i] ^ state[a][i], first);
            state[c][i] += state[d][i];
        }
        for i in 0..N {
            state[b][i] = rotated::<S>(state[b][i] ^ state[c][i], second);
        }
    }
}

/// Rotated right; the compiler knows the pattern.
#[inline(always)]
fn rotated<S: Simd>(word: S::u32s, bits: u32) -> S::u32s {
    (word >> bits) | (word << (32 - bits))
}
