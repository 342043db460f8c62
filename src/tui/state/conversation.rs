//! Conversations in the owner's inbox: the messages of one sender's words, and the answers to them, which nobody can
//! read here once they are sealed.

use std::collections::BTreeMap;

use kkv_owner::{Conversation, MessageId, Summary};
use kkv_protocol::ids::RelayId;

/// Which message an answer is for. Another run of the relay has others of the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) struct AnswerTo {
    pub(in crate::tui) run: RelayId,
    pub(in crate::tui) message: MessageId,
}

/// When this client has sealed answers, in Unix time; of one run of the relay.
#[derive(Debug, Default)]
pub(in crate::tui) struct SealingTimes(BTreeMap<(u64, u16), u64>);

/// A part of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Turn<'m> {
    Message(&'m Summary),
    /// So many answers, one after the other; of a single one it may be known when that was.
    Answers {
        count: u16,
        at: Option<u64>,
        is_fetched: bool,
    },
}

impl SealingTimes {
    /// The newest answer of this conversation was sealed.
    pub(in crate::tui) fn note(&mut self, conversation: &Conversation, at: u64) {
        let place = (conversation.number, conversation.answers);
        self.0.insert(place, at);
    }

    pub(in crate::tui) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Whether the answer of this place, counted from 1, was fetched. They are in order, those that wait last.
pub(in crate::tui) fn is_fetched(conversation: &Conversation, place: u16) -> bool {
    place
        <= conversation
            .answers
            .saturating_sub(conversation.waiting.into())
}

/// All of the conversation of this number, as it went: of each message it is known how many answers came after it.
pub(in crate::tui) fn turns<'m>(
    number: u64,
    all: impl Iterator<Item = &'m Summary>,
    times: &SealingTimes,
) -> Vec<Turn<'m>> {
    let own = all.filter_map(|message| {
        let conversation = message.conversation.filter(|one| one.number == number)?;
        Some((message, conversation))
    });
    let mut own: Vec<_> = own.collect();
    own.sort_by_key(|(message, _)| message.id);
    let Some((_, now)) = own.last().copied() else {
        return Vec::new();
    };
    let mut turns = Vec::new();
    let mut told = 0;
    for (message, conversation) in own {
        let before = now.answers.saturating_sub(conversation.answered);
        add_answers(&mut turns, &now, (told, before), times);
        told = told.max(before);
        turns.push(Turn::Message(message));
    }
    add_answers(&mut turns, &now, (told, now.answers), times);
    turns
}

/// Those behind the first place, up to the second: such as look alike together.
fn add_answers(
    turns: &mut Vec<Turn<'_>>,
    now: &Conversation,
    (told, last): (u16, u16),
    times: &SealingTimes,
) {
    for place in (told..last).map(|before| before + 1) {
        let at = times.0.get(&(now.number, place)).copied();
        let fetched = is_fetched(now, place);
        match turns.last_mut() {
            Some(Turn::Answers {
                count,
                at: None,
                is_fetched,
            }) if at.is_none() && *is_fetched == fetched => *count += 1,
            _ => turns.push(Turn::Answers {
                count: 1,
                at,
                is_fetched: fetched,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::state::inbox::tests::{in_conversation, summary};

    fn shown(all: &[Summary], times: &SealingTimes) -> Vec<String> {
        let turns = turns(2, all.iter(), times);
        let shown = turns.into_iter().map(|turn| match turn {
            Turn::Message(message) => format!("message {}", message.id),
            Turn::Answers {
                count,
                at,
                is_fetched,
            } => format!("{count} at {at:?}, fetched: {is_fetched}"),
        });
        shown.collect()
    }

    #[test]
    fn messages_and_answers_stand_in_the_order_in_which_they_came() {
        // Answers 1 and 2 after message 3, answers 3 to 5 after message 7; the last two wait.
        let all = [
            in_conversation(3, 2, (5, 2, 5)),
            summary(4),
            in_conversation(5, 1, (9, 0, 9)),
            in_conversation(7, 2, (5, 2, 3)),
        ];
        let mut times = SealingTimes::default();
        let first = [
            "message 3",
            "2 at None, fetched: true",
            "message 7",
            "1 at None, fetched: true",
            "2 at None, fetched: false",
        ];
        assert_eq!(shown(&all, &times), first);
        let told = Conversation {
            number: 2,
            answers: 4,
            waiting: 1,
            answered: 2,
        };
        times.note(&told, 1_800_000_000);
        let known = [
            "message 3",
            "2 at None, fetched: true",
            "message 7",
            "1 at None, fetched: true",
            "1 at Some(1800000000), fetched: false",
            "1 at None, fetched: false",
        ];
        assert_eq!(shown(&all, &times), known);
        times.clear();
        assert_eq!(shown(&all, &times), first);
        assert!(turns(4, all.iter(), &times).is_empty());
    }

    #[test]
    fn numbers_that_no_relay_tells_are_no_trouble() {
        let all = [
            in_conversation(1, 2, (2, 255, 7)),
            in_conversation(2, 2, (u16::MAX, 0, 0)),
        ];
        let shown = shown(&all, &SealingTimes::default());
        let want = [
            "65528 at None, fetched: true",
            "message 1",
            "7 at None, fetched: true",
            "message 2",
        ];
        assert_eq!(shown, want);
    }
}
