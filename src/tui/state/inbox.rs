//! The list of messages: which there are, which is selected, which part of them is on the screen.

use std::collections::BTreeSet;
use std::iter::Rev;
use std::mem::take;
use std::slice;

use kkv_owner::{List, Summary};
use kkv_relay::queue::MessageId;

/// Messages, newest first, and the one that keys act on.
#[derive(Debug, Default)]
pub(in crate::tui) struct Inbox {
    /// Those in the list, oldest first, as the relay lists them.
    messages: Vec<Summary>,
    /// Those that a search leaves out of it, in the same order: no key reaches them.
    hidden: Vec<Summary>,
    /// While there is a search: which have been found so far.
    found: Option<BTreeSet<MessageId>>,
    selected: Option<MessageId>,
    /// Those picked out, which keys act on together while there are any.
    picked: BTreeSet<MessageId>,
    /// First line on the screen.
    top: usize,
    /// Lines on the screen.
    height: usize,
}

impl Inbox {
    /// These are there now, or have changed. What was selected stays so; if it is gone, its place in the list does.
    pub(in crate::tui) fn follow(&mut self, list: List) {
        let position = self.position().unwrap_or(0);
        let mut all = self.take_all();
        list.onto(&mut all);
        if let Some(found) = &mut self.found {
            let is_there = |id: &MessageId| all.binary_search_by_key(id, |one| one.id).is_ok();
            found.retain(is_there);
        }
        self.arrange(all, position);
    }

    /// Takes all out, oldest first.
    fn take_all(&mut self) -> Vec<Summary> {
        let mut all = take(&mut self.messages);
        if !self.hidden.is_empty() {
            all.append(&mut self.hidden);
            all.sort_by_key(|message| message.id);
        }
        all
    }

    /// Puts into the list what belongs there, where the one in this `position` was selected.
    fn arrange(&mut self, all: Vec<Summary>, position: usize) {
        (self.messages, self.hidden) = match &self.found {
            None => (all, Vec::new()),
            Some(found) => all.into_iter().partition(|one| found.contains(&one.id)),
        };
        let messages = &self.messages;
        let is_there = |id: &MessageId| messages.binary_search_by_key(id, |one| one.id).is_ok();
        self.picked.retain(is_there);
        // Even at the top: a key that is being pressed must not meet another message than the one that is seen.
        self.selected = self.selected.filter(is_there);
        if self.selected.is_none() {
            self.selected = self.id_at(position);
        }
        self.show_selected();
    }

    fn arrange_anew(&mut self) {
        let position = self.position().unwrap_or(0);
        let all = self.take_all();
        self.arrange(all, position);
    }

    /// From now on only what is found is in the list; so far, nothing is.
    pub(in crate::tui) fn search(&mut self) {
        self.found = Some(BTreeSet::new());
        self.arrange_anew();
    }

    /// Which of these were found, and which were not.
    pub(in crate::tui) fn found(&mut self, results: &[(MessageId, bool)]) {
        let Some(found) = &mut self.found else { return };
        for (id, is_found) in results {
            if *is_found {
                found.insert(*id);
            } else {
                found.remove(id);
            }
        }
        self.arrange_anew();
    }

    /// Everything is in the list again. If none was selected in it, `before` is.
    pub(in crate::tui) fn show_all(&mut self, before: Option<MessageId>) {
        self.found = None;
        self.selected = self.selected.or(before);
        self.arrange_anew();
    }

    /// Those in the list, newest first.
    pub(in crate::tui) fn messages(&self) -> Rev<slice::Iter<'_, Summary>> {
        self.messages.iter().rev()
    }

    /// Those that a search leaves out of it.
    pub(in crate::tui) fn hidden(&self) -> &[Summary] {
        &self.hidden
    }

    /// All that there are, in no order.
    pub(in crate::tui) fn all(&self) -> impl Iterator<Item = &Summary> {
        self.messages.iter().chain(&self.hidden)
    }

    /// The one of this number, also where a search hides it.
    pub(in crate::tui) fn get(&self, id: MessageId) -> Option<&Summary> {
        self.all().find(|message| message.id == id)
    }

    /// Whether there is none in the list.
    pub(in crate::tui) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(in crate::tui) fn selected(&self) -> Option<&Summary> {
        self.messages().nth(self.position()?)
    }

    /// What is in this place, or else in the last.
    fn id_at(&self, position: usize) -> Option<MessageId> {
        let position = position.min(self.messages.len().saturating_sub(1));
        self.messages().nth(position).map(|message| message.id)
    }

    /// Picks the selected one out, or puts it back, and goes on to the next.
    pub(in crate::tui) fn toggle_picked(&mut self) {
        let Some(id) = self.selected else { return };
        if !self.picked.remove(&id) {
            self.picked.insert(id);
        }
        self.move_by(1);
    }

    /// Puts all back; whether there were any.
    pub(in crate::tui) fn clear_picked(&mut self) -> bool {
        !take(&mut self.picked).is_empty()
    }

    /// Those picked out, as they stand in the list.
    pub(in crate::tui) fn picked(&self) -> impl Iterator<Item = &Summary> {
        let is_picked = |message: &&Summary| self.picked.contains(&message.id);
        self.messages().filter(is_picked)
    }

    pub(in crate::tui) fn is_picked(&self, id: MessageId) -> bool {
        self.picked.contains(&id)
    }

    /// Where in the list the selected one is.
    pub(in crate::tui) fn position(&self) -> Option<usize> {
        let selected = self.selected?;
        self.messages().position(|message| message.id == selected)
    }

    /// The first line that is on the screen.
    pub(in crate::tui) fn top(&self) -> usize {
        self.top
    }

    /// The screen has so many lines for it.
    pub(in crate::tui) fn set_height(&mut self, height: usize) {
        self.height = height;
        self.show_selected();
    }

    pub(in crate::tui) fn height(&self) -> usize {
        self.height
    }

    /// Selects another: so many lines further, or back. At the ends it stays.
    pub(in crate::tui) fn move_by(&mut self, lines: isize) {
        let last = self.messages.len().saturating_sub(1);
        let position = self
            .position()
            .unwrap_or(0)
            .saturating_add_signed(lines)
            .min(last);
        self.select(position);
    }

    /// Selects the one in this place, or the last.
    pub(in crate::tui) fn select(&mut self, position: usize) {
        self.selected = self.id_at(position);
        self.show_selected();
    }

    /// The line of the screen `row`, as a place in the list, if there is a message.
    pub(in crate::tui) fn at(&self, row: usize) -> Option<usize> {
        let position = self.top + row;
        (row < self.height && position < self.messages.len()).then_some(position)
    }

    fn show_selected(&mut self) {
        let position = self.position().unwrap_or(0);
        let last_top = self.messages.len().saturating_sub(self.height);
        let least = (position + 1).saturating_sub(self.height);
        self.top = self
            .top
            .clamp(least.min(position), position)
            .min(last_top.max(least));
    }
}

#[cfg(test)]
pub(in crate::tui) mod tests {
    use super::*;
    use kkv_protocol::Via;
    use kkv_protocol::ids::SenderId;
    use kkv_protocol::kind::Kind;

    pub(in crate::tui) fn summary(id: u64) -> Summary {
        Summary {
            id: MessageId(id),
            received: 1_800_000_000 + 60 * id,
            read: false,
            via: Via::V2,
            kind: Kind::Text,
            cost: 30,
            invitation: None,
            bytes: 100,
            sender: Some(SenderId([7; 32])),
            openpgp: None,
            openpgp_inside: Vec::new(),
            files: Vec::new(),
            first: None,
            conversation: None,
        }
    }

    /// It belongs to the conversation of this number, which has so many answers, of which so many wait and so many came
    /// after this message.
    pub(in crate::tui) fn in_conversation(
        id: u64,
        number: u64,
        (answers, waiting, answered): (u16, u8, u16),
    ) -> Summary {
        let conversation = Some(kkv_owner::Conversation {
            number,
            answers,
            waiting,
            answered,
        });
        Summary {
            conversation,
            ..summary(id)
        }
    }

    /// All there are.
    pub(in crate::tui) fn listed(ids: impl IntoIterator<Item = u64>) -> List {
        let messages: Vec<_> = ids.into_iter().map(summary).collect();
        messages.into()
    }

    fn inbox(ids: impl Iterator<Item = u64>, height: usize) -> Inbox {
        let mut inbox = Inbox::default();
        inbox.set_height(height);
        inbox.follow(listed(ids));
        inbox
    }

    fn selected(inbox: &Inbox) -> Option<u64> {
        inbox.selected().map(|message| message.id.0)
    }

    #[test]
    fn the_newest_is_at_the_top_and_is_selected_first() {
        let mut inbox = inbox(1..=3, 10);
        assert_eq!(selected(&inbox), Some(3));
        assert_eq!(inbox.messages().next().unwrap().id, MessageId(3));
        inbox.follow(listed(1..=4));
        assert_eq!(
            (selected(&inbox), inbox.top()),
            (Some(3), 0),
            "it stays, and the new one is seen above"
        );
    }

    #[test]
    fn what_is_selected_stays_selected_while_others_come_and_go() {
        let mut inbox = inbox(1..=5, 3);
        inbox.move_by(2);
        assert_eq!(selected(&inbox), Some(3));
        inbox.follow(listed([1, 3, 5, 6, 7]));
        assert_eq!(selected(&inbox), Some(3));
        inbox.follow(listed([1, 5, 6, 7]));
        assert_eq!(selected(&inbox), Some(1), "the one in its place");
        inbox.follow(listed([]));
        assert_eq!(selected(&inbox), None);
        inbox.move_by(1);
        inbox.select(7);
        assert_eq!(selected(&inbox), None);
    }

    #[test]
    fn the_selected_one_is_on_the_screen_wherever_one_goes() {
        let mut inbox = inbox(1..=100, 10);
        for step in [1, 5, 50, -3, 1000, -20, -1000, 99, isize::MIN, isize::MAX] {
            inbox.move_by(step);
            let position = inbox.position().unwrap();
            assert!(
                (inbox.top()..inbox.top() + 10).contains(&position),
                "{step}"
            );
            assert_eq!(inbox.at(position - inbox.top()), Some(position));
        }
        for height in [1, 3, 200, 0, 7] {
            inbox.set_height(height);
            let position = inbox.position().unwrap();
            assert!(position >= inbox.top());
            assert!(height == 0 || position < inbox.top() + height, "{height}");
        }
        inbox.set_height(200);
        assert_eq!(inbox.top(), 0, "no empty lines while there is more above");
        assert_eq!(inbox.at(100), None);
    }
}
