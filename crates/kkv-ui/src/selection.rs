//! Messages as the command line names them: by their numbers, and by ranges of these.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use crate::error::{CliError, Exit};
use kkv_client::owner::{Client, ClientError};
use kkv_owner::MessageId;

/// One number, or all from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdRange {
    first: MessageId,
    last: MessageId,
}

impl IdRange {
    /// One that is named by itself: if it isn't there, that is a fault. A range takes what it finds.
    pub fn single(self) -> Option<MessageId> {
        (self.first == self.last).then_some(self.first)
    }

    fn contains(self, id: MessageId) -> bool {
        (self.first..=self.last).contains(&id)
    }
}

impl From<MessageId> for IdRange {
    fn from(id: MessageId) -> Self {
        Self {
            first: id,
            last: id,
        }
    }
}

impl FromStr for IdRange {
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

impl fmt::Display for IdRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(id) => id.fmt(f),
            None => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// Which messages are meant, each once, in the order in which they were named.
#[derive(Debug, PartialEq, Eq)]
pub struct Selection {
    /// Their numbers.
    pub ids: Vec<MessageId>,
    /// What can be missing, each once and in the same order: what was named one by one, and ranges with no message in
    /// them.
    can_miss: Vec<IdRange>,
}

/// Says of what was named that it is not there; nothing if there is nothing to be said.
pub fn no_such_message(named: &[IdRange]) -> Option<String> {
    match named {
        [] => None,
        [one] if one.single().is_some() => Some(format!("there is no message {one}")),
        all => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            Some(format!("there are no messages {}", all.join(", ")))
        }
    }
}

impl Selection {
    /// Looks up what is in the ranges, if there are any.
    pub async fn resolve(numbers: &[IdRange], client: &Client) -> Result<Self, ClientError> {
        let there = if numbers.iter().all(|numbers| numbers.single().is_some()) {
            Vec::new()
        } else {
            let list = client.list().await?;
            list.messages.iter().map(|message| message.id).collect()
        };
        Ok(Self::among(numbers, &there))
    }

    /// The same without what is not there, which comes second.
    pub async fn resolve_existing(
        numbers: &[IdRange],
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
    fn among(numbers: &[IdRange], there: &[MessageId]) -> Self {
        let mut chosen = Self {
            ids: Vec::new(),
            can_miss: Vec::new(),
        };
        let (mut seen, mut seen_missing) = (HashSet::new(), HashSet::new());
        for numbers in numbers {
            let single = numbers.single();
            let start = there.partition_point(|id| *id < numbers.first);
            let found = there[start..].iter().copied();
            let mut found = found.take_while(|id| numbers.contains(*id)).peekable();
            let can_miss = single.is_some() || found.peek().is_none();
            if can_miss && seen_missing.insert(*numbers) {
                chosen.can_miss.push(*numbers);
            }
            let named = single.into_iter().chain(found);
            chosen.ids.extend(named.filter(|id| seen.insert(*id)));
        }
        chosen
    }

    /// Whether there is no message in any of the ranges, and nothing else was named.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Of those that are not there (any more), the ones that were named one by one: what has gone from a range since is
    /// no fault.
    pub fn explicit(&self, missing: &[MessageId]) -> Vec<MessageId> {
        let all = self.not_there(missing);
        all.into_iter().filter_map(IdRange::single).collect()
    }

    /// Says what was named and is not there, if anything.
    pub fn missing_words(&self, missing: &[MessageId]) -> Option<String> {
        no_such_message(&self.not_there(missing))
    }

    /// The same, as what the command ends with.
    pub fn require_all(&self, missing: &[MessageId]) -> Result<(), CliError> {
        let is_one = matches!(self.not_there(missing)[..], [one] if one.single().is_some());
        self.missing_words(missing).map_or(Ok(()), |what| {
            let subject = if is_one { "It" } else { "They" };
            Err(CliError::new(Exit::Refused, what).hint(format!(
                "{subject} may have been deleted or have expired; `kkvc list` shows what is there."
            )))
        })
    }

    fn not_there(&self, missing: &[MessageId]) -> Vec<IdRange> {
        let missing: HashSet<_> = missing.iter().copied().collect();
        let is_missing = |named: &IdRange| named.single().is_none_or(|id| missing.contains(&id));
        self.can_miss.iter().copied().filter(is_missing).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(words: &[&str]) -> Vec<IdRange> {
        words.iter().map(|word| word.parse().unwrap()).collect()
    }

    fn chosen(words: &[&str], there: &[u64]) -> (Vec<u64>, Vec<String>) {
        let there: Vec<_> = there.iter().copied().map(MessageId).collect();
        let chosen = Selection::among(&numbers(words), &there);
        let empty = chosen.can_miss.iter().filter(|n| n.single().is_none());
        let empty = empty.map(ToString::to_string).collect();
        (chosen.ids.iter().map(|id| id.0).collect(), empty)
    }

    #[test]
    fn numbers_and_ranges_of_them_are_taken_and_nothing_else() {
        for good in ["3", "1-3", "007", "1-18446744073709551615"] {
            assert!(good.parse::<IdRange>().is_ok(), "{good}");
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
            assert!(bad.parse::<IdRange>().is_err(), "{bad}");
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
        let chosen = Selection::among(&numbers(&["1-3", "2", "8"]), &there);
        assert_eq!(
            chosen.explicit(&[1, 2, 3, 8].map(MessageId)),
            [2, 8].map(MessageId)
        );
        assert!(chosen.require_all(&[MessageId(1)]).is_ok());
        let failed = chosen
            .require_all(&[MessageId(1), MessageId(8)])
            .unwrap_err();
        assert_eq!(failed.what, "there is no message 8");
    }

    #[test]
    fn what_is_missing_is_said_once_in_the_order_in_which_it_was_named() {
        let missing = [2, 9].map(MessageId);
        for (words, said) in [
            (&["2"][..], "there is no message 2"),
            (&["9", "2", "9"], "there are no messages 9, 2"),
            (&["5-7"], "there are no messages 5-7"),
            (&["9", "5-7", "2", "5-7"], "there are no messages 9, 5-7, 2"),
        ] {
            let chosen = Selection::among(&numbers(words), &[]);
            assert_eq!(chosen.missing_words(&missing).as_deref(), Some(said));
        }
        assert_eq!(
            Selection::among(&numbers(&["1"]), &[]).missing_words(&missing),
            None
        );
    }

    proptest! {
        #[test]
        fn any_word_is_refused_or_shown_again_as_what_it_means(text in "[0-9]{0,21}-?[0-9]{0,21}|\\PC{0,6}") {
            if let Ok(numbers) = text.parse::<IdRange>() {
                prop_assert_eq!(numbers.to_string().parse(), Ok(numbers));
            }
        }
    }
}
