//! The pictures of the README and of the guide, `docs/pictures`: screens of this client, drawn into memory.
//!
//! `cargo xtask screens` draws them anew; without it this is a test that they are what the client shows.

mod svg;

use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use tokio::time::Instant;
use zeroize::Zeroizing;

use super::tests::{ADDRESS, arrives, press, sent, status};
use super::*;
use crate::tui::event::{AnswersEvent, DeliveryEvent, RelayEvent};
use crate::tui::state::awaited::Received;
use crate::tui::state::inbox::tests::summary;
use crate::tui::view::draw;
use kkv_client::contacts::{Book, Contact};
use kkv_owner::{Conversation, Summary};
use kkv_protocol::crypto::identity::{KeySeed, Relay, Sender, SigningKey};
use kkv_protocol::ids::{RelayId, SenderId};
use kkv_protocol::openpgp::Block;
use kkv_protocol::suite::Suite;
use kkv_protocol::v2::answers::keys::Salt;
use kkv_protocol::v2::answers::status::{BoxStatus, Entry, EntryState};
use kkv_ui::fields::fingerprint;

/// When each message came, and when one was sent: by the clock on the wall, wherever on Earth the pictures are drawn.
const DATES: [&str; 8] = [
    "2026-11-20T08:02",
    "2026-11-20T08:15",
    "2026-11-20T19:31",
    "2026-11-21T06:12",
    "2026-11-21T07:47",
    "2026-11-21T07:58",
    "2026-11-21T08:05",
    "2026-11-21T08:20",
];

/// A sender, by the secret key of zeros but for this number.
const ANN: u8 = 1;
const BOB: u8 = 2;
const TEXTS: [(u8, &str); 7] = [
    (9, "hello, I hope that this reaches you"),
    (ANN, "Grüße aus 日本! The parcel has left today, by ship."),
    (8, "-----BEGIN PGP MESSAGE-----\n"),
    (
        7,
        "Your site has a link that leads nowhere: http://example.com/old",
    ),
    (
        6,
        "Is the flat on Mill Road still free?\n\nI could come and see it on Saturday, at any time after ten. \
         I have no pets and no piano, and I can pay three months at once.\n\nWrite to me at the address below.\n",
    ),
    (BOB, "Photos from Sunday are on the shelf.\n"),
    (5, "Click \u{1b}[8mhere\u{1b}[0m \u{202e}gpj.exe\n"),
];

fn key(of: u8) -> SenderId {
    let mut secret = [0; 32];
    secret[0] = of;
    let key = SigningKey::<Sender>::from_seed(&KeySeed::new(secret.into()));
    key.public().id()
}

/// In Unix time.
fn date(position: usize) -> u64 {
    let date: DateTime = DATES[position].parse().expect("a date");
    let date = date.to_zoned(TimeZone::system()).expect("it is at hand");
    date.timestamp()
        .as_second()
        .try_into()
        .expect("it is after 1970")
}

fn message(id: u64) -> (Summary, &'static str) {
    let position = usize::try_from(id).expect("few") - 1;
    let (sender, text) = TEXTS[position];
    let openpgp = text.starts_with("-----").then_some(Block::Message);
    let first: String = text.chars().take(200).collect();
    let summary = Summary {
        received: date(position),
        read: matches!(id, 1..=3 | 5),
        bytes: if openpgp.is_some() { 1_734 } else { text.len() },
        sender: Some(key(sender)),
        openpgp,
        conversation: conversation(id),
        first: openpgp.is_none().then(|| Zeroizing::new(first).into()),
        ..summary(id)
    };
    (summary, text)
}

/// Two can be answered, and one of them was.
fn conversation(id: u64) -> Option<Conversation> {
    let (number, answers) = match id {
        4 => (1, 0),
        5 => (2, 1),
        _ => return None,
    };
    Some(Conversation {
        number,
        answers,
        waiting: 0,
        answered: answers,
    })
}

/// A client in which all of them are.
fn client() -> App {
    let mut book = Book::default();
    for (name, number) in [("Ann", ANN), ("Bob", BOB)] {
        let mut secret = [0; 32];
        secret[0] = number;
        let sender = SigningKey::from_seed(&KeySeed::new(secret.into())).public();
        let target = format!("127.0.0.{number}:45069")
            .parse()
            .expect("an address");
        let name = name.parse().expect("a name");
        book.add(Contact::new(name, target, Some(sender)))
            .expect("two of them");
    }
    let mut app = App::new(Theme::new(true), ContactList::new(Some(book)));
    let mut status = status();
    status.cost = status.base_cost;
    status.onion = Some(ADDRESS.trim_end_matches(":45069").to_owned());
    (status.queue.stored, status.queue.reserved) = (7, 0);
    let all: Vec<Summary> = (1..=7).map(|id| message(id).0).collect();
    app.update(Event::Relay(RelayEvent::Listed(status, all.into())));
    app
}

fn reads(app: &mut App, id: u64) {
    let (summary, text) = message(id);
    arrives(app, summary, text);
}

fn writes() -> App {
    let mut app = client();
    press(&mut app, "c");
    app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
    press(
        &mut app,
        "\tDear you,\nthe flat is free. Come on Saturday at eleven.\n",
    );
    app
}

/// One more in its list of what was written: accepted.
fn has_sent() -> App {
    let mut app = client();
    let id = sent(&mut app, "The flat is free. Come on Saturday at eleven.");
    let progress = std::sync::Arc::new(std::sync::Mutex::new(kkv_ui::steps::Steps::new(None)));
    app.update(Event::Delivery(DeliveryEvent::Started {
        id,
        progress,
        at: date(7),
    }));
    let relay = fingerprint::<Relay>(&RelayId(key(3).0));
    let sender = fingerprint::<Sender>(&key(4));
    app.update(Event::Delivery(DeliveryEvent::Accepted {
        id,
        words: format!(
            "  relay   {relay} and has signed for it\n  sender  {sender}, a key for this message only\n  \
             paid    2^30 hashes, kkv/2\n"
        ),
        target: ADDRESS.parse().expect("an address"),
        suite: Suite::V2,
    }));
    press(&mut app, "o");
    app
}

/// One that asked for an answer, and has got it.
fn is_answered() -> App {
    let mut app = client();
    press(&mut app, "c");
    app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
    let effects = press(&mut app, "\tIs the flat on Mill Road still free?\x14\x13");
    let [Effect::Send { id, .. }] = effects[..] else {
        panic!("{effects:?}");
    };
    let progress = std::sync::Arc::new(std::sync::Mutex::new(kkv_ui::steps::Steps::new(None)));
    app.update(Event::Delivery(DeliveryEvent::Started {
        id,
        progress,
        at: date(3),
    }));
    let followed = app.update(Event::Delivery(DeliveryEvent::Accepted {
        id,
        words: String::new(),
        target: ADDRESS.parse().expect("an address"),
        suite: Suite::V2,
    }));
    let [Effect::Follow { id, .. }] = followed[..] else {
        panic!("{followed:?}");
    };
    let salt = Salt([1; 16]);
    let inside = BoxStatus {
        ends: date(7) + 7 * 86_400,
        messages: 1,
        answers: 1,
        waiting: 1,
        receipts: true,
        entries: vec![Entry {
            salt,
            accepted: date(3),
            state: EntryState::Read,
            answers: 1,
        }],
    };
    let answer = Received {
        place: (salt, 0),
        time: date(6),
        text: Zeroizing::new("Yes. Come at six.".to_owned()),
        is_seen: false,
    };
    app.update(Event::Answers(AnswersEvent::Found {
        id,
        asked: Instant::now(),
        at: date(7),
        started: date(0),
        inside: Some(inside),
        answers: vec![answer],
    }));
    app.note = None;
    app
}

/// Each picture: its name, its size, what those hear who can't see it, and its screen.
type Picture = (&'static str, (u16, u16), &'static str, fn() -> App);

const PICTURES: [Picture; 9] = [
    ("inbox", (100, 16), "kkvc: the list of messages", client),
    ("message", (88, 16), "kkvc: a message", || {
        let mut app = client();
        reads(&mut app, 7);
        app
    }),
    (
        "wide",
        (140, 20),
        "kkvc: the list of messages, and one of them beside it",
        || {
            let mut app = client();
            press(&mut app, "jj");
            reads(&mut app, 5);
            app
        },
    ),
    ("compose", (88, 18), "kkvc: a message is written", writes),
    (
        "sent",
        (88, 14),
        "kkvc: what has become of a message",
        has_sent,
    ),
    (
        "answered",
        (88, 16),
        "kkvc: a message that was answered",
        is_answered,
    ),
    ("contacts", (88, 10), "kkvc: contacts", || {
        let mut app = client();
        press(&mut app, "a");
        app
    }),
    (
        "delete",
        (88, 16),
        "kkvc: a question before a message is deleted",
        || {
            let mut app = client();
            press(&mut app, "d");
            app.update(Event::KeysRested);
            app
        },
    ),
    ("keys", (88, 34), "kkvc: all keys", || {
        let mut app = client();
        press(&mut app, "?");
        app
    }),
];

fn screen(app: &mut App, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory");
    terminal.draw(|frame| draw(frame, app)).expect("memory");
    terminal.backend().buffer().clone()
}

#[test]
fn the_pictures_of_the_documents_are_as_the_client_draws_them() {
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    for (name, size, title, made) in PICTURES {
        let picture = svg::svg(&screen(&mut made(), size), title);
        let file = pictures.join(format!("{name}.svg"));
        let kept = Data::read_from(&file, Some(DataFormat::Text));
        Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .normalize_paths(false)
            .eq(picture, kept.raw());
    }
}
