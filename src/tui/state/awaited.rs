//! Conversations that were begun here: their words, which are in memory alone, and what their inboxes have told.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::tor::Target;
use kkv_base::lock;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::v2::answers::keys::Salt;
use kkv_protocol::v2::answers::status::BoxStatus;

/// All of them, in the order in which they were begun.
#[derive(Default)]
pub(in crate::tui) struct Awaited {
    conversations: Vec<Begun>,
    last: u64,
}

/// One of them.
pub(in crate::tui) struct Begun {
    pub(in crate::tui) id: u64,
    pub(in crate::tui) target: Target,
    pub(in crate::tui) secret: Arc<Secret>,
    /// Whether a message of it was accepted, or may have been.
    pub(in crate::tui) is_open: bool,
    /// Whether it is known that one was.
    pub(in crate::tui) is_certain: bool,
    pub(in crate::tui) known: Known,
    /// Those that have come, oldest first.
    pub(in crate::tui) answers: Vec<Received>,
    /// When it is looked for the next, in Unix time.
    pub(in crate::tui) next: Option<u64>,
    /// Why the last look has failed, if it has.
    pub(in crate::tui) failed: Option<String>,
}

/// What it takes to look for answers, beside the screen and on it.
pub(in crate::tui) struct Secret {
    pub(in crate::tui) words: ReplyWords,
    /// Answers that were on the screen: those are deleted where they wait.
    seen: Mutex<HashSet<Place>>,
    /// Ends the pause before the next look: a key asked for one, or a message found no conversation.
    pub(in crate::tui) look: Notify,
    /// One was seen.
    pub(in crate::tui) saw: Notify,
}

/// Which answer it is.
pub(in crate::tui) type Place = (Salt, u16);

/// What is known of a conversation in its inbox.
#[derive(Debug)]
pub(in crate::tui) enum Known {
    /// Nothing yet.
    Nothing,
    /// It is there: as it was at this time.
    There(BoxStatus, u64),
    /// It isn't, and a message that begins it may still come.
    NotYet,
    /// It isn't, in a relay that was started then, by that one's clock.
    Gone { started: u64 },
}

/// An answer that has come.
pub(in crate::tui) struct Received {
    pub(in crate::tui) place: Place,
    /// When it was sealed, by its relay's clock, in Unix time.
    pub(in crate::tui) time: u64,
    /// As it came.
    pub(in crate::tui) text: Zeroizing<String>,
    /// Whether all of it was on the screen.
    pub(in crate::tui) is_seen: bool,
}

impl Awaited {
    /// A new one, with the inbox at `target`; its number.
    pub(in crate::tui) fn begin(&mut self, target: Target, words: ReplyWords) -> u64 {
        self.last += 1;
        self.conversations.push(Begun {
            id: self.last,
            target,
            secret: Arc::new(Secret {
                words,
                seen: Mutex::default(),
                look: Notify::new(),
                saw: Notify::new(),
            }),
            is_open: false,
            is_certain: false,
            known: Known::Nothing,
            answers: Vec::new(),
            next: None,
            failed: None,
        });
        self.last
    }

    pub(in crate::tui) fn get(&self, id: u64) -> Option<&Begun> {
        self.conversations.iter().find(|one| one.id == id)
    }

    pub(in crate::tui) fn get_mut(&mut self, id: u64) -> Option<&mut Begun> {
        self.conversations.iter_mut().find(|one| one.id == id)
    }

    /// Forgets it, and its words.
    pub(in crate::tui) fn forget(&mut self, id: u64) {
        self.conversations.retain(|one| one.id != id);
    }

    /// How many may have answers to come.
    pub(in crate::tui) fn alive(&self) -> usize {
        self.conversations
            .iter()
            .filter(|one| one.is_alive())
            .count()
    }
}

impl Begun {
    /// A message of it was accepted, or may have been. What was there before and is gone doesn't matter then.
    pub(in crate::tui) fn open(&mut self, is_certain: bool) {
        self.is_open = true;
        self.is_certain |= is_certain;
        if matches!(self.known, Known::Gone { .. }) {
            self.known = Known::Nothing;
        }
    }

    /// Whether answers may come still.
    pub(in crate::tui) fn is_alive(&self) -> bool {
        self.is_open && !matches!(self.known, Known::Gone { .. })
    }

    /// Takes in what has come; how many of it are new.
    pub(in crate::tui) fn take_in(&mut self, come: Vec<Received>) -> usize {
        let before = self.answers.len();
        for answer in come {
            if !self.answers.iter().any(|known| known.place == answer.place) {
                self.answers.push(answer);
            }
        }
        self.answers.len() - before
    }

    /// Those that were not on the screen yet.
    pub(in crate::tui) fn unseen(&self) -> usize {
        self.answers.iter().filter(|answer| !answer.is_seen).count()
    }

    /// The end of this one is on the screen.
    pub(in crate::tui) fn saw(&mut self, position: usize) {
        let Some(answer) = self.answers.get_mut(position) else {
            return;
        };
        if !answer.is_seen {
            answer.is_seen = true;
            lock(&self.secret.seen).insert(answer.place);
            self.secret.saw.notify_one();
        }
    }
}

impl Secret {
    /// Whether all of these were on the screen.
    pub(in crate::tui) fn has_seen(&self, mut places: impl Iterator<Item = Place>) -> bool {
        let seen = lock(&self.seen);
        places.all(|place| seen.contains(&place))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
