//! Messages as the command line names them: by their numbers, and by ranges of these.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use super::exit::{Exit, Failed};
use crate::owner::{Client, ClientError};
use crate::queue::MessageId;

/// One number, or all from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    first: MessageId,
    last: MessageId,
}

impl Numbers {
    /// One that is named by itself: if it isn't there, that is a fault. A range takes what it finds.
    pub(super) fn single(self) -> Option<MessageId> {
        (self.first == self.last).then_some(self.first)
    }

    fn contains(self, id: MessageId) -> bool {
        (self.first..=self.last).contains(&id)
    }
}

impl FromStr for Numbers {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let number = text.parse().ok().filter(|_| is_number);
            number.map(MessageId)
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            (Some(_), Some(_)) => Err("a range goes from the lower number to the higher, like 2-5"),
            _ => {
                Err("messages have numbers, as `kkvc list` shows them: like 3, or 2-5 for a range")
            }
        }
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(id) => id.fmt(f),
            None => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// Which messages are meant, each once, in the order in which they were named.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) ids: Vec<MessageId>,
    /// Those that were named one by one.
    single: HashSet<MessageId>,
    /// Ranges with no message in them.
    empty: Vec<Numbers>,
}

impl Chosen {
    /// Looks up what is in the ranges, if there are any.
    pub(super) async fn of(numbers: &[Numbers], client: &Client) -> Result<Self, ClientError> {
        let there = if numbers.iter().all(|numbers| numbers.single().is_some()) {
            Vec::new()
        } else {
            let list = client.list().await?;
            list.messages.iter().map(|message| message.id).collect()
        };
        Ok(Self::among(numbers, &there))
    }

    /// The same without what is not there, which comes second.
    pub(super) async fn there(
        numbers: &[Numbers],
        client: &Client,
    ) -> Result<(Self, Vec<MessageId>), ClientError> {
        let list = client.list().await?;
        let there: Vec<_> = list.messages.iter().map(|message| message.id).collect();
        let mut chosen = Self::among(numbers, &there);
        let gone = |id: &mut MessageId| there.binary_search(id).is_err();
        let gone = chosen.ids.extract_if(.., gone).collect();
        Ok((chosen, gone))
    }

    /// The same with what is `there`, in ascending order. It takes no longer for long ranges than for what they
    /// contain.
    fn among(numbers: &[Numbers], there: &[MessageId]) -> Self {
        let mut chosen = Self {
            ids: Vec::new(),
            single: numbers.iter().filter_map(|n| n.single()).collect(),
            empty: Vec::new(),
        };
        let mut seen = HashSet::new();
        for numbers in numbers {
            let single = numbers.single();
            let start = there.partition_point(|id| *id < numbers.first);
            let found = there[start..].iter().copied();
            let mut found = found.take_while(|id| numbers.contains(*id)).peekable();
            if single.is_none() && found.peek().is_none() {
                chosen.empty.push(*numbers);
            }
            let named = single.into_iter().chain(found);
            chosen.ids.extend(named.filter(|id| seen.insert(*id)));
        }
        chosen
    }

    /// Whether there is no message in any of the ranges, and nothing else was named.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Of those that are not there (any more), the ones that were named one by one: what has gone from a range since is
    /// no fault.
    pub(super) fn named(&self, missing: &[MessageId]) -> Vec<MessageId> {
        let named = missing.iter().filter(|id| self.single.contains(id));
        named.copied().collect()
    }

    /// Says what was named and is not there.
    pub(super) fn without(&self, missing: &[MessageId]) -> Result<(), Failed> {
        let missing = self.named(missing);
        let missing = missing.iter().map(ToString::to_string);
        let all: Vec<String> = missing
            .chain(self.empty.iter().map(ToString::to_string))
            .collect();
        if all.is_empty() {
            return Ok(());
        }
        let what = format!("there is no message {}", all.join(", "));
        Err(Failed::new(Exit::Refused, what)
            .hint("It may have been deleted or have expired; `kkvc list` shows what is there."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(words: &[&str]) -> Vec<Numbers> {
        words.iter().map(|word| word.parse().unwrap()).collect()
    }

    fn chosen(words: &[&str], there: &[u64]) -> (Vec<u64>, Vec<String>) {
        let there: Vec<_> = there.iter().copied().map(MessageId).collect();
        let chosen = Chosen::among(&numbers(words), &there);
        let empty = chosen.empty.iter().map(ToString::to_string).collect();
        (chosen.ids.iter().map(|id| id.0).collect(), empty)
    }

    #[test]
    fn numbers_and_ranges_of_them_are_taken_and_nothing_else() {
        for good in ["3", "1-3", "007", "1-18446744073709551615"] {
            assert!(good.parse::<Numbers>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-",
            "-3",
            "3-",
            "3-1",
            "1-2-3",
            "1 - 2",
            "1,2",
            "+1",
            "1-+2",
            "--1",
            "x",
            "١",
            "18446744073709551616",
            "1-18446744073709551616",
            "1–3",
        ] {
            assert!(bad.parse::<Numbers>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_take_what_is_there_and_each_message_has_one_turn() {
        let there = [2, 3, 5, 9];
        assert_eq!(chosen(&["1-4"], &there).0, [2, 3]);
        assert_eq!(chosen(&["9", "3-9", "2"], &there).0, [9, 3, 5, 2]);
        assert_eq!(chosen(&["7"], &there), (vec![7], vec![]));
        let all = "1-18446744073709551615";
        assert_eq!(
            chosen(&[all, "0-1", all], &there),
            (there.into(), vec!["0-1".to_owned()])
        );
        assert_eq!(
            chosen(&["4-4", "6-8"], &there),
            (vec![4], vec!["6-8".to_owned()])
        );
    }

    #[test]
    fn only_what_was_named_by_itself_can_be_missing() {
        let there = [1, 2, 3].map(MessageId);
        let chosen = Chosen::among(&numbers(&["1-3", "2", "8"]), &there);
        assert_eq!(
            chosen.named(&[1, 2, 3, 8].map(MessageId)),
            [2, 8].map(MessageId)
        );
        assert!(chosen.without(&[MessageId(1)]).is_ok());
        let failed = chosen.without(&[MessageId(1), MessageId(8)]).unwrap_err();
        assert_eq!(failed.what, "there is no message 8");
    }

    proptest! {
        #[test]
        fn any_word_is_refused_or_shown_again_as_what_it_means(text in "[0-9]{0,21}-?[0-9]{0,21}|\\PC{0,6}") {
            if let Ok(numbers) = text.parse::<Numbers>() {
                prop_assert_eq!(numbers.to_string().parse(), Ok(numbers));
            }
        }
    }
}
