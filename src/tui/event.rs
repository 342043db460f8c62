//! What happens, and what is to be done about it: all that passes between the client's state and what is outside.

pub(super) mod channel;

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use tokio::sync::oneshot;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::state::awaited::{Received, Secret};
use super::state::contact_list::Change;
use super::state::conversation::AnswerTo;
use super::state::outbox::Progress;
use super::state::search::SearchRequest;
use crate::tor::Target;
use kkv_base::private::Private;
use kkv_client::contacts::{Book, Invitation, Name};
use kkv_owner::{Conversation, Delete, List, Message, Status};
use kkv_protocol::ids::RelayId;
use kkv_protocol::suite::Suite;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::status::BoxStatus;
use kkv_relay::queue::MessageId;
use kkv_ui::error::CliError;

/// Something happens.
pub(super) enum Event {
    /// What came from the terminal at once.
    Inputs(Vec<Input>),
    /// No key was pressed for a while.
    KeysRested,
    Relay(RelayEvent),
    Delivery(DeliveryEvent),
    Contacts(ContactsEvent),
    Answers(AnswersEvent),
}

/// Something that the terminal says.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(super) enum Input {
    Key(KeyEvent),
    Mouse(MouseEvent),
    /// Pasted text, or as much of it as came before a pause.
    Paste(Zeroizing<String>),
    /// More was pasted than is taken.
    PasteCut,
    /// A paste pauses, and perhaps has no end.
    PasteStalled,
    /// A paste that had stalled is over.
    PasteEnded,
}

/// The relay says something, or a request to it ends.
pub(super) enum RelayEvent {
    /// How it is, and its messages: all, or what has changed since the last that were told.
    Listed(Box<Status>, List),
    /// How it is; its messages are the same.
    Status(Box<Status>),
    /// It isn't there.
    Unreachable {
        what: String,
        hint: String,
        can_start: bool,
    },
    /// The message that was asked for.
    Message(Box<Message>),
    /// This answer of the outbox is sealed: in which conversation, and when in Unix time.
    Answered {
        id: u64,
        conversation: Conversation,
        at: u64,
    },
    /// It couldn't be sealed, or it can't be known.
    NotAnswered(u64, CliError),
    /// Which messages have what is looked for, and which don't, for the search of this number.
    SearchResults(u64, Vec<(MessageId, bool)>),
    /// Which messages couldn't be looked at for it, beginning with the one where it failed, and why.
    SearchFailed(u64, Vec<MessageId>, String),
    /// A relay is being started.
    Starting,
    /// The relay that was started here has ended, and why.
    Ended(String),
    /// Something was done, in words.
    Done(String),
    /// Something couldn't be done, and why.
    Failed(String),
}

/// A delivery goes on.
pub(super) enum DeliveryEvent {
    Started {
        id: u64,
        progress: Progress,
        /// In Unix time.
        at: u64,
    },
    /// Whether to pay what this machine can hardly pay in time.
    PaymentQuestion {
        id: u64,
        words: String,
        answer: oneshot::Sender<bool>,
    },
    Accepted {
        id: u64,
        words: String,
        target: Target,
        suite: Suite,
    },
    Failed(u64, CliError),
}

/// A conversation that was begun here is looked into.
pub(super) enum AnswersEvent {
    /// It will be, at this Unix time.
    Planned { id: u64, at: u64 },
    /// It is being.
    Looking(u64),
    /// This is there.
    Found {
        id: u64,
        /// When it began to be looked for: what came to the relay later may be missing.
        asked: Instant,
        /// When it was found, by our clock, in Unix time.
        at: u64,
        /// When the relay started, by its own.
        started: u64,
        /// What it says of the conversation, if there is one.
        inside: Option<BoxStatus>,
        answers: Vec<Received>,
    },
    /// It couldn't be looked into, and why.
    Failed(u64, String),
}

/// Something becomes of the contacts.
pub(super) enum ContactsEvent {
    /// A change was tried.
    Tried {
        change: Box<Change>,
        /// Why it isn't done, in words.
        result: Result<(), String>,
        /// All that there are now, whether it is done or not: another program may have changed the file.
        book: Book,
    },
    /// Another program has written the file, and these are in it now.
    Refreshed(Book),
    /// Another program has written the file, and it can't be read any more: why.
    Unreadable(String),
}

/// By what a message is answered.
#[derive(Debug)]
pub(super) struct SendReply {
    pub(super) secret: Arc<Secret>,
    /// Whether its conversation is there already.
    pub(super) follows_up: bool,
}

/// What is to be done outside.
#[derive(Debug)]
pub(super) enum Effect {
    /// Have this message read to us.
    Fetch(MessageId),
    /// See which of these messages have what is looked for.
    Search(SearchRequest),
    /// Nothing is looked for any more.
    StopSearch,
    Mark(Vec<MessageId>, bool),
    /// Save the files of this message of that run in a directory.
    SaveFiles {
        run: RelayId,
        id: MessageId,
        directory: PathBuf,
    },
    Delete(Delete),
    Send {
        id: u64,
        target: Target,
        /// By what it costs nothing.
        invitation: Option<Invitation>,
        /// The contact with whom nothing less than kkv/2 is spoken.
        better: Option<Name>,
        text: Text,
        /// By what it is answered, if that is wished.
        reply: Option<SendReply>,
    },
    /// Look for answers in this conversation from now on, which is with the inbox at `target`.
    Follow {
        id: u64,
        target: Target,
        secret: Arc<Secret>,
    },
    /// Look there no more.
    Unfollow(u64),
    /// Have this text of the outbox sealed as an answer.
    Answer {
        id: u64,
        to: AnswerTo,
        text: Text,
    },
    Cancel(u64),
    /// Change the file of contacts.
    ChangeContacts(Change),
    Copy(Private<Zeroizing<String>>),
    /// Messages have come: ring the bell, if that is wished.
    RingBell,
    StartRelay,
    Suspend,
    Redraw,
    Quit,
}
