//! BLAKE3 keyed hashes of one input of 32 bytes, under as many keys at once as a register has lanes.

use fearless_simd::{Level, Simd, SimdBase, dispatch};

use super::instructions::InstructionSet;
use super::search::{
    CHUNK_END, CHUNK_START, IV, KEYED_HASH, Layout, ROOT, SCHEDULE, State, round, words,
};

/// A block that is half full.
struct Half;

impl Layout for Half {
    const COUNTED: usize = 0; // nothing is
    const ZEROS: u16 = 0xff00;
    const FLAGS: u32 = CHUNK_START | CHUNK_END | ROOT | KEYED_HASH;
}

/// Which of `keys` it is under which BLAKE3 keyed_hash(key, input) is `hash`: the last one, if there are several.
///
/// All of them are tried, whichever fits, and nothing that is done depends on how much of a hash fits.
///
/// ```
/// use kkv_pow::kernel::{InstructionSet, key_of};
///
/// let keys = [&[1; 32], &[2; 32]];
/// let hash = *blake3::keyed_hash(keys[1], &[7; 32]).as_bytes();
/// let which = |input| key_of(InstructionSet::best(), &keys, input, &hash);
/// assert_eq!(which(&[7; 32]), Some(1));
/// assert_eq!(which(&[8; 32]), None);
/// ```
#[must_use]
pub fn key_of(
    instructions: InstructionSet,
    keys: &[&[u8; 32]],
    input: &[u8; 32],
    hash: &[u8; 32],
) -> Option<usize> {
    match instructions.0 {
        Level::Fallback(_) => one_by_one(keys, input, hash),
        vectors => dispatch!(vectors, simd => tried::<_, 2>(simd, keys, input, hash)),
    }
}

/// Where there are no vectors.
fn one_by_one(keys: &[&[u8; 32]], input: &[u8; 32], hash: &[u8; 32]) -> Option<usize> {
    let mut found = None;
    for (place, key) in keys.iter().enumerate() {
        // Hashes are compared in constant time.
        if blake3::keyed_hash(key, input) == *hash {
            found = Some(place);
        }
    }
    found
}

#[inline(always)]
fn tried<S: Simd, const N: usize>(
    simd: S,
    keys: &[&[u8; 32]],
    input: &[u8; 32],
    hash: &[u8; 32],
) -> Option<usize> {
    let splat = |word| [S::u32s::splat(simd, word); N];
    let [input, hash]: [[u32; 8]; 2] = [words(input), words(hash)];
    let block: State<S, N> = std::array::from_fn(|i| splat(if i < 8 { input[i] } else { 0 }));
    let tail = [IV[0], IV[1], IV[2], IV[3], 0, 0, 32, Half::FLAGS]; // counter 0, length 32
    let mut found = None;
    let lanes = S::u32s::LEN;
    for (turn, some) in keys.chunks(lanes * N).enumerate() {
        let word_of = |place: usize, word: usize| {
            // In a lane without a key anything may stand: it isn't looked at below.
            let key = some.get(place).map_or(&[0; 32], |key| *key);
            let (words, _) = key.as_chunks();
            u32::from_le_bytes(words[word])
        };
        let mut state: State<S, N> = std::array::from_fn(|i| {
            if i < 8 {
                std::array::from_fn(|register| {
                    S::u32s::from_fn(simd, |lane| word_of(register * lanes + lane, i))
                })
            } else {
                splat(tail[i - 8])
            }
        });
        round::<S, Half, N>(&mut state, &block, SCHEDULE[0]);
        round::<S, Half, N>(&mut state, &block, SCHEDULE[1]);
        round::<S, Half, N>(&mut state, &block, SCHEDULE[2]);
        round::<S, Half, N>(&mut state, &block, SCHEDULE[3]);
        round::<S, Half, N>(&mut state, &block, SCHEDULE[4]);
        round::<S, Half, N>(&mut state, &block, SCHEDULE[5]);
        round::<S, Half, N>(&mut state, &block, SCHEDULE[6]);
        for (register, some) in some.chunks(lanes).enumerate() {
            let differs = (0..8).fold(splat(0)[0], |all, i| {
                all | (state[i][register] ^ state[i + 8][register] ^ splat(hash[i])[0])
            });
            for (lane, (_, differs)) in some.iter().zip(differs.as_slice()).enumerate() {
                if *differs == 0 {
                    found = Some((turn * N + register) * lanes + lane);
                }
            }
        }
    }
    found
}
