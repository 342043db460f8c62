//! What is asked before something is done that can't be undone, and what a yes does.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::tor::Target;
use kkv_base::count::counted;
use kkv_client::contacts::{Contact, Name};
use kkv_relay::queue::MessageId;

/// Something that waits for y or n.
pub(in crate::tui) enum Question {
    /// Delete this message?
    Delete(MessageId),
    /// Delete these, which were picked out?
    DeleteSeveral(Vec<MessageId>),
    /// Delete all of these, which are all that there were, or that were found? It is asked twice: `sure` the second
    /// time.
    DeleteAll {
        ids: Vec<MessageId>,
        are_found: bool,
        sure: bool,
    },
    /// Forget what was written to nobody's use?
    Forget(u64),
    /// Forget one that has arrived by what its inbox says, which has not signed for it?
    ForgetUnsigned(u64),
    /// Forget a message, and with it the words that open its answers?
    ForgetWords(u64),
    /// Remove this contact?
    Remove(Name, Target),
    /// Put this contact's invitation in place of the one that is there?
    Replace(Box<Contact>),
    /// Are these the words on the card of this contact?
    Verify {
        name: Name,
        target: Target,
        words: String,
    },
    /// Leave, though a contact is being written down, messages were not delivered, or answers are awaited? Says how
    /// many messages those are, the one that is being written among them, how many of them are on their way, and how
    /// many conversations are open.
    Quit {
        undelivered: usize,
        under_way: usize,
        awaited: usize,
        /// Whether a contact is being written down.
        is_begun: bool,
        writing: Option<u64>,
    },
    /// Start a relay?
    Start,
    /// Pay what this machine can hardly pay in time? Who delivers waits for the answer.
    Pay {
        /// For which message.
        id: u64,
        words: String,
        answer: oneshot::Sender<bool>,
    },
}

/// What leaving means for answers that are awaited.
const WORDS_LOST: &str = "Their words go, if you didn't write them down (o, then w).";

/// Questions, asked one after the other: the first is on the screen.
///
/// The first takes an answer once the keys have rested while it was the first, and no sooner: what was pasted or typed
/// fast was not meant for it, nor was a key for a question that has just closed.
#[derive(Default)]
pub(in crate::tui) struct Questions {
    /// Each with a number of its own.
    asked: VecDeque<(u64, Question)>,
    last: u64,
    /// The number of the one that was first when the keys had rested.
    seen: Option<u64>,
}

impl Questions {
    /// Asks it after all others.
    pub(in crate::tui) fn ask(&mut self, question: Question) {
        self.last += 1;
        self.asked.push_back((self.last, question));
    }

    /// Asks it before all others.
    pub(in crate::tui) fn ask_first(&mut self, question: Question) {
        self.last += 1;
        self.asked.push_front((self.last, question));
    }

    pub(in crate::tui) fn first(&self) -> Option<&Question> {
        self.asked.front().map(|(_, question)| question)
    }

    /// Takes the first out, to be answered.
    pub(in crate::tui) fn take_first(&mut self) -> Option<Question> {
        self.asked.pop_front().map(|(_, question)| question)
    }

    pub(in crate::tui) fn take_all(&mut self) -> impl Iterator<Item = Question> {
        self.asked.drain(..).map(|(_, question)| question)
    }

    pub(in crate::tui) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    pub(in crate::tui) fn iter(&self) -> impl Iterator<Item = &Question> {
        self.asked.iter().map(|(_, question)| question)
    }

    pub(in crate::tui) fn retain(&mut self, mut stays: impl FnMut(&Question) -> bool) {
        self.asked.retain(|(_, question)| stays(question));
    }

    /// No key was pressed for a while.
    pub(in crate::tui) fn keys_rested(&mut self) {
        self.seen = self.asked.front().map(|(number, _)| *number);
    }

    /// Whether the first takes an answer.
    pub(in crate::tui) fn is_answerable(&self) -> bool {
        let first = self.asked.front().map(|(number, _)| *number);
        first.is_some() && first == self.seen
    }
}

impl Question {
    /// Whether anybody still waits for the answer.
    pub(in crate::tui) fn is_open(&self) -> bool {
        match self {
            Self::Pay { answer, .. } => !answer.is_closed(),
            _ => true,
        }
    }

    /// Whether a yes does something to messages of the relay.
    pub(in crate::tui) fn is_about_messages(&self) -> bool {
        matches!(
            self,
            Self::Delete(_) | Self::DeleteSeveral(_) | Self::DeleteAll { .. }
        )
    }

    /// In words: what is asked, and what a yes means.
    pub(in crate::tui) fn words(&self) -> (String, String) {
        let undone = "It can't be undone.".to_owned();
        match self {
            Self::Delete(id) => (format!("Delete message {id}?"), undone),
            Self::DeleteSeveral(ids) => {
                let several = counted(ids.len() as u64, "picked message");
                (format!("Delete {several}?"), undone)
            }
            Self::DeleteAll {
                ids,
                are_found,
                sure,
            } => {
                let all = match (ids.len(), are_found) {
                    (1, false) => "the only message".to_owned(),
                    (1, true) => "the only message that was found".to_owned(),
                    (several, false) => format!("all {several} messages"),
                    (several, true) => format!("all {several} messages that were found"),
                };
                if *sure {
                    (format!("Really delete {all}?"), undone)
                } else {
                    let again = "You will be asked once more.".to_owned();
                    (format!("Delete {all}?"), again)
                }
            }
            Self::Forget(_) => (
                "Forget this message? It was not delivered.".to_owned(),
                undone,
            ),
            Self::ForgetUnsigned(_) => (
                "Forget this message? Its inbox says that it is there, and has not signed for it."
                    .to_owned(),
                undone,
            ),
            Self::Remove(name, _) => (format!("Remove {name} from your contacts?"), undone),
            Self::Replace(contact) => (
                format!(
                    "{} has an invitation already. Put this one in its place?",
                    contact.name()
                ),
                "That one can't be shown again; only its inbox knows whether it is used up."
                    .to_owned(),
            ),
            Self::Verify { name, words, .. } => (
                format!("Does {name} have the same twelve words?\n{words}"),
                "Ask for those on their card, over a way on which nobody else can answer."
                    .to_owned(),
            ),
            Self::ForgetWords(_) => (
                "Forget this message, and the words that open its answers?".to_owned(),
                "No answer to it can be read then, unless you wrote them down.".to_owned(),
            ),
            Self::Quit {
                undelivered: 0,
                awaited,
                is_begun: false,
                ..
            } => (
                format!(
                    "Leave? Answers may come in {}.",
                    counted(*awaited as u64, "conversation")
                ),
                WORDS_LOST.to_owned(),
            ),
            // Four lines in the smallest window, which has no more.
            Self::Quit {
                undelivered,
                under_way,
                awaited: 1..,
                ..
            } => {
                let what = match undelivered {
                    0 => "The contact is not kept yet".to_owned(),
                    1 if *under_way == 1 => "1 message is on its way".to_owned(),
                    1 => "1 message was not delivered".to_owned(),
                    all if all == under_way => format!("{under_way} messages are on their way"),
                    _ => format!(
                        "{} were not delivered",
                        counted(*undelivered as u64, "message")
                    ),
                };
                (
                    format!("Leave? {what}; answers may come."),
                    "What you wrote is lost then, and the words for answers, unless noted."
                        .to_owned(),
                )
            }
            quit @ Self::Quit { .. } => quit.loss(),
            Self::Start => (
                "Start your relay?".to_owned(),
                "It runs on when you leave, until `pkill -x kkv`.".to_owned(),
            ),
            Self::Pay { words, .. } => (words.clone(), "Try all the same?".to_owned()),
        }
    }

    /// What is lost by leaving of what was written.
    fn loss(&self) -> (String, String) {
        match self {
            Self::Quit { undelivered: 0, .. } => (
                "Leave? The contact that you are writing down is not kept yet.".to_owned(),
                "What you have written is lost then.".to_owned(),
            ),
            Self::Quit {
                undelivered: 1,
                under_way: 1,
                ..
            } => (
                "Leave? A message is on its way.".to_owned(),
                "It is cancelled then, and lost.".to_owned(),
            ),
            Self::Quit {
                undelivered,
                under_way,
                ..
            } if under_way == undelivered => (
                format!("Leave? {under_way} messages are on their way."),
                "They are cancelled then, and lost.".to_owned(),
            ),
            Self::Quit { undelivered: 1, .. } => (
                "Leave? A message that you have written was not delivered.".to_owned(),
                "It is lost then.".to_owned(),
            ),
            Self::Quit {
                undelivered,
                under_way,
                ..
            } => {
                let moving = match under_way {
                    0 => String::new(),
                    1 => "; 1 of them is on its way".to_owned(),
                    several => format!("; {several} of them are on their way"),
                };
                (
                    format!(
                        "Leave? {undelivered} messages that you have written were not delivered{moving}."
                    ),
                    "They are lost then.".to_owned(),
                )
            }
            _ => Default::default(),
        }
    }
}
