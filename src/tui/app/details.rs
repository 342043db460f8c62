//! All that is known of a message, in rows.

use zeroize::Zeroizing;

use super::App;
use crate::tui::state::conversation::{Turn, turns};
use crate::tui::state::overlay_page::{OverlayPage, Subject};
use kkv_base::count::counted;
use kkv_owner::{Conversation, FileInfo, MessageId, Summary};
use kkv_protocol::Via;
use kkv_protocol::crypto::identity::Sender;
use kkv_terminal::bar::BAR;
use kkv_terminal::measured::measured;
use kkv_terminal::visible::first_words;
use kkv_ui::fields::{fingerprint, time};
use kkv_ui::preview::{file_in_a_line, openpgp_in_short};

/// Columns of the first words of a message in a line about it.
const FIRST_WORDS: usize = 60;

/// A label, and what stands behind it, made safe.
pub(in crate::tui) type Row = (&'static str, Zeroizing<String>);

impl App {
    /// Of the message that one reads, or has selected.
    pub(super) fn show_details(&mut self) {
        let id = self.message_in_front().map(|message| message.id);
        self.overlay = id.map(|id| OverlayPage::of(Subject::Message(id)));
    }

    /// All that is known of the message, if it is there.
    pub(in crate::tui) fn details(&self, id: MessageId) -> Vec<Row> {
        let Some(message) = self.inbox.get(id) else {
            return Vec::new();
        };
        let read = if message.read { "read" } else { "unread" };
        let name = self.contacts.who_signs(message.sender.as_ref());
        let name = match (name, message.sender) {
            (Some(name), _) => name.to_string(),
            (None, Some(_)) => "nobody you know".to_owned(),
            (None, None) => "nobody: it came by the page".to_owned(),
        };
        let paid = match (message.invitation, message.via) {
            (Some(number), _) => format!("nothing, by invitation {}", number.0),
            (None, Via::Web) if message.cost == 0 => "nothing".to_owned(),
            (None, _) => format!("2^{} hashes", message.cost),
        };
        let mut rows = vec![
            ("received", format!("{}, {read}", time(message.received))),
            ("length", counted(message.bytes as u64, "byte")),
            ("signed by", name),
            ("paid", format!("{paid}, {}", message.via)),
        ];
        if let Some(key) = &message.sender {
            let key = [("", fingerprint::<Sender>(key)), ("key", key.to_string())];
            rows.splice(3..3, key);
        }
        rows.extend(openpgp_in_short(message).map(|block| ("OpenPGP", block)));
        let answers = match &message.conversation {
            Some(conversation) => in_words(conversation),
            None => "it can't be answered, or not any more".to_owned(),
        };
        rows.push(("answers", answers));
        let mut rows: Vec<Row> = rows
            .into_iter()
            .map(|(label, text)| (label, Zeroizing::new(text)))
            .collect();
        for (place, file) in self.files(message).iter().enumerate() {
            let label = if place == 0 { "files" } else { "" };
            rows.push((label, file_in_a_line(place + 1, file)));
        }
        let turns = self.turns(message);
        if turns.len() > 1 {
            for (place, turn) in turns.into_iter().enumerate() {
                let label = if place == 0 { "all of it" } else { "" };
                rows.push((label, turn_in_words(turn, Some(id), FIRST_WORDS)));
            }
        }
        rows
    }

    /// Its files, with their whole names if it is read: a list has their beginnings.
    pub(in crate::tui) fn files<'m>(&'m self, message: &'m Summary) -> &'m [FileInfo] {
        match &self.reading {
            Some(reading) if reading.summary().id == message.id => &reading.summary().files,
            _ => &message.files,
        }
    }

    /// The conversation of this message, as it went; empty if it has none.
    pub(in crate::tui) fn turns(&self, message: &Summary) -> Vec<Turn<'_>> {
        let number = message.conversation.map(|conversation| conversation.number);
        number.map_or_else(Vec::new, |number| {
            turns(number, self.inbox.all(), &self.sealing_times)
        })
    }
}

fn in_words(conversation: &Conversation) -> String {
    let number = conversation.number;
    match (conversation.answers, conversation.waiting) {
        (0, _) => format!("it can be answered (conversation {number})"),
        (answers, waiting) => format!(
            "{} in conversation {number}, {} not fetched yet",
            counted(answers, "answer"),
            if waiting == 0 {
                "none".to_owned()
            } else {
                waiting.to_string()
            }
        ),
    }
}

/// A part of a conversation in one line, made safe; words of its text have so many columns at most. `here` is the
/// message that is being read.
pub(in crate::tui) fn turn_in_words(
    turn: Turn<'_>,
    here: Option<MessageId>,
    room: usize,
) -> Zeroizing<String> {
    match turn {
        Turn::Message(message) if here == Some(message.id) => {
            Zeroizing::new(format!("message {}, this one", message.id))
        }
        Turn::Message(message) => {
            let before = format!("message {}, {}", message.id, time(message.received));
            let left = room.saturating_sub(before.len() + 3);
            match &message.first {
                Some(first) if left >= 10 => {
                    let words = first_words(first, left);
                    measured(|out| write!(out, "{before} {BAR} {}", *words))
                }
                _ => Zeroizing::new(before),
            }
        }
        Turn::Answers {
            count,
            at,
            is_fetched,
        } => {
            let when = match (at, count) {
                (Some(at), _) => format!(" {}", time(at)),
                (None, 1) => String::new(),
                (None, count) => format!(" {}", counted(count, "time")),
            };
            let fetched = if is_fetched {
                "fetched"
            } else {
                "waiting to be fetched"
            };
            Zeroizing::new(format!("you answered{when} ({fetched})"))
        }
    }
}
