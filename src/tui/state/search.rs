//! A search in the list: what is typed, and how far it is. Which messages it has found, the list knows.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crossterm::event::KeyEvent;
use ratatui_textarea::{CursorMove, TextArea};
use zeroize::Zeroizing;

use super::field;
use kkv_client::contacts::Name;
use kkv_client::find::Wanted;
use kkv_relay::queue::MessageId;

/// What is looked for, if anything is.
#[derive(Default)]
pub(in crate::tui) struct Search {
    /// What is being typed, while it is.
    pub(in crate::tui) line: Option<TextArea<'static>>,
    /// What the list is searched for.
    pub(in crate::tui) active: Option<ActiveSearch>,
    /// It changes with all that makes earlier answers worthless.
    number: u64,
}

/// A search that the list shows.
pub(in crate::tui) struct ActiveSearch {
    /// The words, as they were typed.
    pub(in crate::tui) words: Zeroizing<String>,
    wanted: Wanted,
    /// Messages that were asked about.
    asked: BTreeSet<MessageId>,
    /// How many of these were answered.
    answered: usize,
    /// How many are to be asked about again, as the relay has failed.
    left: usize,
    /// Those where it has failed. They come last.
    failed: BTreeSet<MessageId>,
    /// The newest message when it began.
    newest: Option<MessageId>,
    /// The message that was selected before.
    before: Option<MessageId>,
}

/// Messages to be looked at, and who has signed them.
#[derive(Debug)]
pub(in crate::tui) struct SearchRequest {
    /// What belongs to another number is no answer any more.
    pub(in crate::tui) number: u64,
    pub(in crate::tui) wanted: Wanted,
    pub(in crate::tui) messages: Vec<(MessageId, Option<Name>)>,
}

impl Search {
    /// Opens a line to type in. It begins with the words that are looked for already.
    pub(in crate::tui) fn edit(&mut self) {
        let words = self.active.as_ref().map(|search| search.words.to_string());
        let hint = "words in the text, or in the sender's name";
        let mut line = field::line(words.unwrap_or_default(), hint);
        line.move_cursor(CursorMove::End);
        self.line = Some(line);
    }

    /// A key that is no command. The character that it would have written, and that nobody would see.
    pub(in crate::tui) fn input(&mut self, key: KeyEvent) -> Option<char> {
        let line = self.line.as_mut()?;
        let hidden = field::hidden(line, key);
        if hidden.is_none() {
            field::input(line, key);
        }
        hidden
    }

    /// Text that was pasted. Which characters of it nobody would see, and were left out.
    pub(in crate::tui) fn paste(&mut self, pasted: &str) -> Vec<char> {
        let line = self.line.as_mut();
        line.map(|line| field::paste(line, pasted))
            .unwrap_or_default()
    }

    /// Begins with what was typed, where these are the newest and the selected message. Whether there is anything to
    /// look for.
    pub(in crate::tui) fn begin(
        &mut self,
        newest: Option<MessageId>,
        selected: Option<MessageId>,
    ) -> bool {
        let line = self.line.take();
        let words = line.map_or_else(String::new, |line| line.lines().concat());
        let wanted = Wanted::new(&words);
        if wanted.is_empty() {
            return false;
        }
        let before = self.active.take().map(|search| search.before);
        self.active = Some(ActiveSearch {
            words: Zeroizing::new(words.trim().to_owned()),
            wanted,
            asked: BTreeSet::new(),
            answered: 0,
            left: 0,
            failed: BTreeSet::new(),
            newest,
            before: before.unwrap_or(selected),
        });
        self.number += 1;
        true
    }

    /// Ends it. The message that was selected before, if there was a search.
    pub(in crate::tui) fn end(&mut self) -> Option<Option<MessageId>> {
        self.number += 1;
        self.active.take().map(|search| search.before)
    }

    /// What has been found is worth nothing any more; neither are numbers of messages, if they are `another` relay's.
    pub(in crate::tui) fn restart(&mut self, another: bool) {
        self.number += 1;
        if let Some(search) = &mut self.active {
            search.asked.clear();
            search.failed.clear();
            (search.answered, search.left) = (0, 0);
            if another {
                (search.newest, search.before) = (None, None);
            }
        }
    }

    /// What is to be looked at of these messages, newest first: those that were not asked about, or couldn't be looked
    /// at.
    pub(in crate::tui) fn request(
        &mut self,
        messages: impl Iterator<Item = (MessageId, Option<Name>)>,
    ) -> Option<SearchRequest> {
        let search = self.active.as_mut()?;
        let is_asked = |(id, _): &(MessageId, _)| search.asked.insert(*id);
        let mut messages: Vec<_> = messages.filter(is_asked).collect();
        search.left = 0;
        messages.sort_by_key(|(id, _)| (search.failed.contains(id), Reverse(*id)));
        (!messages.is_empty()).then(|| SearchRequest {
            number: self.number,
            wanted: search.wanted.clone(),
            messages,
        })
    }

    /// Whether an answer to this number counts, by which these messages were looked at.
    pub(in crate::tui) fn on_results(
        &mut self,
        number: u64,
        results: &[(MessageId, bool)],
    ) -> bool {
        let search = self.active.as_mut().filter(|_| number == self.number);
        let Some(search) = search else { return false };
        search.answered += results.len();
        for (id, _) in results {
            search.failed.remove(id);
        }
        true
    }

    /// These couldn't be looked at, beginning with the one where the relay has failed: they are to be asked about
    /// again. Whether that is to be told: it counts, and doesn't only repeat itself.
    pub(in crate::tui) fn on_failed(&mut self, number: u64, left: &[MessageId]) -> bool {
        let search = self.active.as_mut().filter(|_| number == self.number);
        let Some(search) = search else { return false };
        for id in left {
            search.asked.remove(id);
        }
        search.left += left.len();
        let is_first = search.failed.is_empty();
        search.failed.extend(left.first());
        is_first
    }

    /// Whether any are to be asked about again.
    pub(in crate::tui) fn is_to_go_on(&self) -> bool {
        self.active.as_ref().is_some_and(|search| search.left > 0)
    }
}

impl ActiveSearch {
    /// How many messages were looked at, of how many; none if it is done.
    pub(in crate::tui) fn progress(&self) -> Option<(usize, usize)> {
        let (answered, asked) = (self.answered, self.asked.len() + self.left);
        (answered < asked).then_some((answered, asked))
    }

    /// Whether this message has come since it began.
    pub(in crate::tui) fn is_new(&self, id: MessageId) -> bool {
        Some(id) > self.newest
    }
}
