//! For whom a post is written.

use zeroize::Zeroizing;

/// Who can read a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Its author alone.
    Myself,
    /// Those whom the author follows and who follow the author.
    Friends,
    /// Whoever has the secret of the region, which for the default one is published.
    Everyone,
}

impl Audience {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Myself, Self::Friends, Self::Everyone];

    /// As it stands inside a letter, for its readers; the author alone needs no word.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Myself => None,
            Self::Friends => Some("friends"),
            Self::Everyone => Some("everyone"),
        }
    }

    pub(crate) fn words(self) -> Vec<Zeroizing<String>> {
        let word = self.word().map(|word| Zeroizing::new(word.to_owned()));
        word.into_iter().collect()
    }

    /// What the words inside a letter say, if they say one of these.
    pub(crate) fn of(words: &[Zeroizing<String>]) -> Option<Self> {
        let said = match words {
            [] => None,
            [word] => Some(word.as_str()),
            _ => return None,
        };
        Self::ALL
            .into_iter()
            .find(|audience| audience.word() == said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_letter_says_of_its_readers_reads_back() {
        for audience in Audience::ALL {
            assert_eq!(Audience::of(&audience.words()), Some(audience));
        }
        let others = ["lake", "Friends", ""].map(|word| vec![Zeroizing::new(word.to_owned())]);
        assert!(others.iter().all(|words| Audience::of(words).is_none()));
    }
}
