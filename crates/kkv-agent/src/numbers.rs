//! Numbers of posts: short names that a person types, in place of the 36 bytes by which letters name a post.

use std::collections::BTreeMap;
use std::fmt;

use kkv_feed::feed::ChainRef;

/// A post's number: counted from 1, the same as long as the identity is here, and never another post's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub u64);

/// Which post has which number. `Debug` prints how many.
#[derive(Default)]
pub(crate) struct Numbers {
    given: u64,
    numbers: BTreeMap<ChainRef, Number>,
    chains: BTreeMap<Number, ChainRef>,
}

impl Numbers {
    /// The number of this post: the next one if it has none yet.
    pub(crate) fn of(&mut self, chain: ChainRef) -> Number {
        if let Some(number) = self.numbers.get(&chain) {
            return *number;
        }
        self.given += 1;
        let number = Number(self.given);
        self.numbers.insert(chain, number);
        self.chains.insert(number, chain);
        number
    }

    /// Which post has this number.
    pub(crate) fn chain(&self, number: Number) -> Option<ChainRef> {
        self.chains.get(&number).copied()
    }

    /// Forgets those of posts that are not there any more.
    pub(crate) fn keep(&mut self, mut is_there: impl FnMut(&ChainRef) -> bool) {
        self.numbers.retain(|chain, _| is_there(chain));
        let numbers = &self.numbers;
        self.chains.retain(|_, chain| numbers.contains_key(chain));
    }

    /// How many posts have one.
    pub(crate) fn len(&self) -> usize {
        self.chains.len()
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Numbers({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_letters::{ChainTag, Fingerprint};

    fn chain(tag: u8) -> ChainRef {
        ChainRef {
            author: Fingerprint([1; 20]),
            chain: ChainTag([tag; 16]),
        }
    }

    #[test]
    fn a_post_keeps_its_number_and_nothing_gets_that_of_one_that_is_gone() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.of(chain(7)), Number(1));
        assert_eq!(numbers.of(chain(8)), Number(2));
        assert_eq!(numbers.of(chain(7)), Number(1));
        numbers.keep(|there| *there == chain(7));
        assert_eq!(numbers.len(), 1);
        assert_eq!(numbers.chain(Number(2)), None);
        assert_eq!(numbers.chain(Number(1)), Some(chain(7)));
        assert_eq!(numbers.of(chain(8)), Number(3));
    }
}
