//! The pages: what each needs to know, and its HTML. Everything that comes from outside is escaped by the templates.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use askama::Template;
use humantime::format_rfc3339_seconds;
use zeroize::Zeroizing;

use crate::strings::Strings;

/// What whoever writes has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs<'a> {
    /// Nothing: one of the places is free that the owner gives away.
    Nothing,
    /// Nothing: the conversation was answered.
    Answered,
    /// An invitation.
    Invitation {
        /// Whether a browser with script may pay instead.
        pays: bool,
    },
    /// Nothing more: it is paid for.
    Paid(Paid<'a>),
    /// Nothing more: the files that are here hold what lets it in.
    Held,
    /// Room, which there is not.
    Room {
        /// Whether a message was typed before that, which comes back in its form.
        typed: bool,
    },
}

/// What a message has been paid for with, and that is not spent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paid<'a> {
    /// The challenge, as it stands in the form.
    pub challenge: &'a str,
    /// What was found for it.
    pub nonces: &'a str,
}

/// A form to write in.
pub struct Form<'a> {
    /// Its id.
    pub id: &'a str,
    /// The twelve words that go with it, in a line; empty where script has them.
    pub words: &'a Zeroizing<String>,
    /// Whether it goes on with their conversation.
    pub follows: bool,
    /// Acknowledgements of the answers that are shown beside it, in hex.
    pub seen: &'a [Zeroizing<String>],
    /// What has to be had.
    pub needs: Needs<'a>,
    /// What was typed as an invitation.
    pub invitation: &'a str,
    /// What was typed as a message.
    pub text: &'a str,
    /// Whether an answer is wanted.
    pub answer: bool,
    /// Whether this inbox takes files at all.
    pub takes_files: bool,
    /// Whether there is room for files, and none for a text alone.
    pub only_files: bool,
    /// The files that it has already.
    pub uploaded: Option<Uploaded<'a>>,
}

/// Files that came before their form.
#[derive(Clone, Copy)]
pub struct Uploaded<'a> {
    /// By what the form names them.
    pub name: &'a str,
    /// Their own names.
    pub files: &'a [String],
}

/// The page to write on, empty or with what was typed before it went wrong.
#[derive(Template)]
#[template(path = "write.html")]
pub struct Write<'a> {
    /// What it says.
    pub s: &'a Strings,
    /// Its form.
    pub f: &'a Form<'a>,
    /// What went wrong, if something did.
    pub error: Option<&'a str>,
    /// Whether files were chosen then.
    pub had_files: bool,
}

/// The page that says that a message has arrived.
#[derive(Template)]
#[template(path = "sent.html")]
pub struct Sent<'a> {
    /// What it says.
    pub s: &'a Strings,
    /// The words, if an answer is wanted; empty where script has them.
    pub words: Option<&'a Zeroizing<String>>,
    /// Whether the form had come before, and nobody knows any more what was in it.
    pub again: bool,
    /// What has come, if that is known.
    pub came: Option<Came<'a>>,
}

/// What a message brought.
#[derive(Clone, Copy)]
pub struct Came<'a> {
    /// Bytes of its text.
    pub text: usize,
    /// Names of its files, and how many bytes each has.
    pub files: &'a [(String, usize)],
}

/// The page that asks for the words.
#[derive(Template)]
#[template(path = "words.html")]
pub struct Words<'a> {
    /// What it says.
    pub s: &'a Strings,
    /// What is wrong with what was typed, if something is.
    pub error: Option<&'a str>,
    /// What was typed.
    pub typed: &'a str,
}

/// The page that shows answers, and what is known of the messages.
#[derive(Template)]
#[template(path = "answers.html")]
pub struct Answers<'a> {
    /// What it says.
    pub s: &'a Strings,
    /// The answers that wait, oldest first.
    pub answers: &'a [Answer],
    /// The last messages, newest first.
    pub messages: &'a [Message<'a>],
    /// Until when the words are good.
    pub until: String,
    /// Whether answers were deleted just now.
    pub deleted: bool,
    /// Whether files had been chosen by then.
    pub had_files: bool,
    /// The form to write back.
    pub f: &'a Form<'a>,
}

/// An answer.
pub enum Answer {
    /// One that the relay has opened.
    Opened {
        /// When it was sealed.
        time: String,
        /// What its author wrote.
        text: Zeroizing<String>,
    },
    /// One that script opens, as it is in its box.
    Sealed {
        /// The relay's key, in hex.
        relay: String,
        /// Salt ‖ index ‖ sealed answer (PROTOCOL.md §17), in hex.
        answer: String,
    },
    /// One that doesn't open with the words: whoever wrote the message may have given its box any key.
    Unopened,
}

/// What is known of a message.
pub struct Message<'a> {
    /// When it was accepted.
    pub time: String,
    /// What has become of it.
    pub state: &'a str,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "notice.html")]
pub struct Notice<'a> {
    /// What it says.
    pub s: &'a Strings,
    /// Its heading.
    pub heading: &'a str,
    /// What stands below.
    pub text: &'a str,
}

/// What is in them is nobody's business but the reader's.
macro_rules! opaque_debug {
    ($($name:ident $(<$lifetime:lifetime>)?),+) => {$(
        impl fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}
opaque_debug!(
    Form<'_>,
    Uploaded<'_>,
    Write<'_>,
    Sent<'_>,
    Came<'_>,
    Words<'_>,
    Answers<'_>,
    Answer,
    Message<'_>,
    Notice<'_>
);

impl Needs<'_> {
    fn says<'s>(&self, s: &'s Strings) -> &'s str {
        match self {
            Self::Nothing => s.free,
            Self::Answered => s.answered,
            Self::Invitation { pays: true } => s.invited_or_paying,
            Self::Invitation { pays: false } => s.invited_only,
            Self::Paid(_) => s.paid,
            Self::Held => s.held,
            Self::Room { typed: false } => s.full,
            Self::Room { typed: true } => s.full_typed,
        }
    }

    /// Whether there is something to fill in.
    fn takes(&self) -> bool {
        *self != Self::Room { typed: false }
    }

    fn asks_for_invitation(&self) -> bool {
        matches!(self, Self::Invitation { .. })
    }

    fn paid(&self) -> Option<&Paid<'_>> {
        match self {
            Self::Paid(paid) => Some(paid),
            _ => None,
        }
    }
}

impl Form<'_> {
    /// What a seized inbox can read.
    fn seized<'s>(&self, s: &'s Strings) -> &'s str {
        if self.words.is_empty() {
            s.seized_of_script
        } else {
            s.seized
        }
    }

    /// Whether it has script, for who may pay.
    fn pays(&self) -> bool {
        self.needs == Needs::Invitation { pays: true }
    }
}

impl Answers<'_> {
    /// Whether there is something to delete: what doesn't open is never acknowledged.
    fn shows_some(&self) -> bool {
        let mut answers = self.answers.iter();
        answers.any(|answer| !matches!(answer, Answer::Unopened))
    }

    fn heading(&self) -> &str {
        match (self.answers, self.deleted) {
            ([], true) => self.s.deleted,
            ([], false) => self.s.none_yet,
            _ => self.s.answer,
        }
    }
}

impl Sent<'_> {
    /// A length for people: `1,030,000 bytes`.
    fn bytes(&self, count: &usize) -> String {
        if *count == 1 {
            return self.s.one_byte.to_owned();
        }
        let digits = count.to_string();
        let mut grouped = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        format!("{grouped} {}", self.s.bytes)
    }
}

/// A time in unix seconds for people: `2026-11-28 00:50 UTC`. Tor Browser's clock says UTC, too.
#[must_use]
pub fn time(unix: u64) -> String {
    // Seconds of a year above 9999 can't be written.
    let unix = unix.min(253_402_300_799);
    let written = format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(unix)).to_string();
    format!("{} {} UTC", &written[..10], &written[11..16])
}

/// The page's HTML. Wiped on drop.
///
/// # Panics
/// Never: templates fail only where a value's `Display` does.
#[must_use]
pub fn html(page: &impl Template) -> Zeroizing<String> {
    Zeroizing::new(page.render().expect("no value fails to be displayed"))
}

#[cfg(test)]
mod tests;
