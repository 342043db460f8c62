//! How long content looks: at least 1 KiB, then by Padmé (Nikitin and others, "Reducing Metadata Leakage from
//! Encrypted Files and Communication with PURBs", PETS 2019, §4).

use crate::limits::MIN_CONTENT_BYTES;

/// The padded length of so many bytes: at least [`MIN_CONTENT_BYTES`], and at most 12 % more than there are.
///
/// With E = ⌊log₂ L⌋ and S = ⌊log₂ E⌋ + 1 the last E − S bits of the length are zero, so it tells O(log
/// log L) bits.
#[must_use]
pub(crate) fn padded(length: usize) -> usize {
    let length = length.max(MIN_CONTENT_BYTES);
    let exponent = length.ilog2();
    let significant = exponent.ilog2() + 1;
    let mask = (1_usize << (exponent - significant)) - 1;
    (length + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_those_of_the_paper() {
        // By the formula, computed apart: E = 10, S = 4, six bits are zero; and so on.
        for (length, wanted) in [
            (0, 1024),
            (1024, 1024),
            (1025, 1088),
            (1088, 1088),
            (2047, 2048),
            (2049, 2176),
            (65_537, 67_584),
            (100_000, 100_352),
        ] {
            assert_eq!(padded(length), wanted, "{length}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_vectors() {
        let vectors = include_str!("../vectors/letters.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let cases = vectors["padded"].as_array().unwrap();
        assert_eq!(cases.len(), 10);
        for case in cases {
            let length = |place: usize| case[place].as_u64().unwrap() as usize;
            assert_eq!(padded(length(0)), length(1), "{case}");
        }
    }

    proptest! {
        #[test]
        fn a_padded_length_is_one_already_and_little_more(length in 0_usize..1 << 20) {
            let long = padded(length);
            prop_assert!(long >= length && padded(long) == long);
            prop_assert!(length < MIN_CONTENT_BYTES || long * 100 <= length * 112);
        }
    }
}
