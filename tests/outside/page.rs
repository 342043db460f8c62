//! "RAM only", of the page for browsers: of what its forms bring, the message is in the relay's memory, once, and
//! nothing else is; the words that are typed, and what is read with them, leave nothing.

use std::cell::RefCell;
use std::io::Write as _;

use data_encoding::HEXLOWER;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::v2::answers::sender::Replies;
use serde_json::Value;
use tokio::net::TcpStream;

use super::answers::Derived;
use super::marker::Marker;
use super::process_memory::{must_be_nowhere, scan};
use super::stage::{RUNS, Stage, way};
use crate::answerable::{blocking, fetch};
use crate::page_form::{FORM_TYPE, PageForm};
use crate::programs::until;
use crate::raw_http::{Wire, get, post};

const OCTETS: &str = "application/octet-stream";

/// Memory for files, all of which is searched.
const SHARE: [&str; 2] = ["--max-bytes", "1M"];

/// A visitor of the page, who hangs up after each page that it has opened. After a form it is the inbox that does: a
/// browser would keep the line, and with it what was read of the form.
struct Visitor<'s> {
    stage: &'s Stage,
    of_forms: RefCell<Vec<std::net::TcpStream>>,
}

impl<'s> Visitor<'s> {
    fn of(stage: &'s Stage) -> Self {
        Self {
            stage,
            of_forms: RefCell::default(),
        }
    }

    /// The status and the page that comes.
    fn ask(&self, request: &[u8]) -> (u16, String) {
        let (line, said) = blocking(async {
            let address = self.stage.relay.address();
            let stream = TcpStream::connect(address).await.expect("it listens");
            let mut wire = Wire::new(stream);
            let answer = wire.ask(request).await;
            let line = wire.stream.into_std().expect("it is there");
            (line, (answer.status, answer.text().to_owned()))
        });
        if request.starts_with(b"POST") {
            self.of_forms.borrow_mut().push(line);
        }
        said
    }

    fn form(&self) -> PageForm {
        let (status, page) = self.ask(&get("/"));
        assert_eq!(status, 200, "{page}");
        PageForm::of(&page).expect("there is room")
    }

    #[track_caller]
    fn sends(&self, body: &[u8], status: u16) -> String {
        let (said, page) = self.ask(&post("/", FORM_TYPE, body));
        assert_eq!(said, status, "{page}");
        page
    }

    fn looks(&self, form: &PageForm) -> String {
        let (status, page) = self.ask(&post("/words", FORM_TYPE, form.look()));
        assert_eq!(status, 200, "{page}");
        page
    }
}

/// A relay that gives two places away.
fn stage(run: usize) -> Stage {
    let page = ["--page", "--page-free", "2"];
    Stage::new(&[&way(run)[..], &SHARE, &page].concat())
}

fn entropy(form: &PageForm) -> [u8; 16] {
    let words = ReplyWords::parse(&form.words).expect("the page's own");
    *words.entropy()
}

/// The words in all their forms, and what opens every answer to them.
fn words(form: &PageForm) -> Vec<Marker> {
    let entropy = entropy(form);
    let root = Derived::new(&entropy, [0; 16]).answer_root;
    vec![
        Marker::new("the words", form.words.as_bytes()),
        Marker::new("the entropy", entropy),
        Marker::new("the answer root", root),
    ]
}

#[test]
fn a_message_of_the_page_is_in_memory_once_and_neither_its_words_nor_its_answer_are() {
    for run in 0..RUNS / 4 {
        let stage = stage(run);
        let visitor = Visitor::of(&stage);
        let (form, text) = (visitor.form(), Marker::text(3400));
        must_be_nowhere(&stage.scan(&words(&form)));
        let inside = Marker::text(70);
        let page = visitor.sends(
            &form.message(&format!("{} {}", inside.as_str(), form.words)),
            422,
        );
        assert!(page.contains(inside.as_str()), "what was typed comes back");
        must_be_nowhere(&stage.scan(&[words(&form), vec![inside]].concat()));

        visitor.sends(&form.message(text.as_str()), 200);
        // That the form has come is remembered, for a while, by a digest with which nobody can check a guess.
        let digest = *blake3::hash(text.bytes()).as_bytes();
        must_be_nowhere(&stage.scan(&[Marker::new("a hash of what it said", digest)]));
        stage.holds_each_once(std::slice::from_ref(&text));
        must_be_nowhere(&stage.scan(&words(&form)));
        visitor.looks(&form);
        must_be_nowhere(&stage.scan(&words(&form)));

        let answer = Marker::text(3000);
        stage.run(&["reply", "1", "-m", answer.as_str()]);
        let Replies::Box(status, _) = fetch(stage.relay.address(), &entropy(&form), &[]) else {
            panic!("there is a box");
        };
        let derived = Derived::new(&entropy(&form), status.entries[0].salt.0);
        for _ in 0..2 {
            assert!(visitor.looks(&form).contains(answer.as_str()));
            let gone = [words(&form), vec![answer.clone(), derived.key(0)]].concat();
            must_be_nowhere(&stage.scan(&gone));
        }

        stage.run(&["delete", "1", "--yes"]);
        must_be_nowhere(&stage.scan(&[text.clone(), answer]));

        visitor.sends(&form.message(text.as_str()), 200);
        assert!(stage.relay.list().is_empty(), "it had come");
        stage.run(&["wipe", "--yes"]);
        let secret = Marker::new("the box secret", derived.box_secret);
        must_be_nowhere(&stage.scan(&[&words(&form)[..], &[text, secret]].concat()));
    }
}

#[test]
fn a_file_of_the_page_is_in_memory_once_and_once_deleted_or_refused_nowhere() {
    for run in 0..2 {
        let stage = stage(run);
        let visitor = Visitor::of(&stage);
        let [kept, other, refused] = [60_000, 7_000, 300_000].map(Marker::text);
        for file in [&kept, &other] {
            let form = visitor.form();
            visitor.sends(&form.message_with("See.", "a file", file.bytes()), 200);
            must_be_nowhere(&stage.scan(&words(&form)));
        }
        stage.holds_each_once(&[kept.clone(), other.clone()]);
        // No place is left, so it isn't even read.
        let form = visitor.form();
        let page = visitor.sends(&form.message_with("See.", "a file", refused.bytes()), 403);
        assert!(page.contains("Choose the files once more"), "{page}");
        must_be_nowhere(&stage.scan(&[words(&form), vec![refused]].concat()));
        stage.run(&["delete", "1", "--yes"]);
        must_be_nowhere(&stage.scan(std::slice::from_ref(&kept)));
        stage.holds_each_once(std::slice::from_ref(&other));
        stage.run(&["wipe", "--yes"]);
        must_be_nowhere(&stage.scan(&[kept, other]));
    }
}

#[test]
fn a_form_on_its_way_is_nowhere_once_everything_was_wiped() {
    let stage = stage(0);
    let visitor = Visitor::of(&stage);
    let form = visitor.form();
    let [text, file] = [3000, 300_000].map(Marker::text);
    let body = form.message_with(text.as_str(), "a file", file.bytes());
    let request = post("/", FORM_TYPE, body);
    let mut line = std::net::TcpStream::connect(stage.relay.address()).expect("it listens");
    let (first, rest) = request.split_at(request.len() - 10);
    line.write_all(first).expect("it is read");
    let process = stage.relay.process().pid().as_raw_nonzero().get();
    until("the form to be read", || {
        scan(process, std::slice::from_ref(&text))[0].copies() > 0
    });
    stage.run(&["wipe", "--yes"]);
    // The rest makes no message of it. (That nothing of it is waited for, the page's own tests show.)
    _ = line.write_all(rest);
    must_be_nowhere(&stage.scan(&[words(&form), vec![text, file]].concat()));
    drop(line);
}

#[test]
fn a_file_that_came_in_pieces_is_in_memory_once_and_once_given_up_or_deleted_nowhere() {
    for run in 0..2 {
        let stage = stage(run);
        let visitor = Visitor::of(&stage);
        for is_given_up in [true, false] {
            let (form, file) = (visitor.form(), Marker::text(60_000));
            let begins = form.upload("a file", file.bytes().len(), "", "");
            let (status, begun) = visitor.ask(&post("/upload", "application/json", begins));
            assert_eq!(status, 200, "{begun}");
            let begun: Value = serde_json::from_str(&begun).expect("JSON");
            let name = begun["upload"].as_str().expect("a name");
            let sends = |index: &str, bytes: &[u8]| {
                let piece = [name.as_bytes(), index.as_bytes(), bytes].concat();
                let (status, said) = visitor.ask(&post("/piece", OCTETS, piece));
                assert_eq!(status, 200, "{said}");
            };
            sends("00", file.bytes());
            stage.holds_each_once(std::slice::from_ref(&file));
            if is_given_up {
                sends("ff", b"");
            } else {
                visitor.sends(&form.message_uploaded(name), 200);
                stage.holds_each_once(std::slice::from_ref(&file));
                stage.run(&["delete", "1", "--yes"]);
            }
            must_be_nowhere(&stage.scan(&[words(&form), vec![file]].concat()));
        }
    }
}

#[test]
fn words_that_script_has_made_are_never_in_memory_nor_is_what_opens_a_sealed_answer() {
    for run in 0..RUNS / 4 {
        let stage = stage(run);
        let visitor = Visitor::of(&stage);
        let (form, text) = (visitor.form(), Marker::text(300));
        let (entropy, salt): ([u8; 16], [u8; 16]) = (rand::random(), rand::random());
        let derived = Derived::new(&entropy, salt);
        let secret = HEXLOWER.encode(&derived.box_secret);
        let (salt_hex, key) = (
            HEXLOWER.encode(&salt),
            HEXLOWER.encode(derived.key(0).bytes()),
        );
        let told = [
            ("box", secret.as_str()),
            ("salt", salt_hex.as_str()),
            ("key", key.as_str()),
        ];
        let never = [
            Marker::new("the entropy", entropy),
            Marker::new("the answer root", derived.answer_root),
            Marker::new("the first key, as it came", key.as_bytes()),
            Marker::new("the box secret, as it came", secret.as_bytes()),
        ];
        visitor.sends(&form.message_by_script(&told, text.as_str()), 200);
        stage.holds_each_once(std::slice::from_ref(&text));
        must_be_nowhere(&stage.scan(&never));
        assert!(
            stage.scan(&[derived.key(0)])[0].copies() > 0,
            "it seals with it"
        );

        let answer = Marker::text(3000);
        stage.run(&["reply", "1", "-m", answer.as_str()]);
        let look = |seen: &[&str]| {
            let seen: Vec<_> = seen.iter().map(|seen| ("seen", *seen)).collect();
            let body = PageForm::look_by_script(&[&told[..1], &seen].concat());
            let (status, page) = visitor.ask(&post("/words", FORM_TYPE, &body));
            assert_eq!(status, 200, "{page}");
            page
        };
        let page = look(&[]);
        let (_, rest) = page.split_once("data-relay=\"").expect("it waits");
        let relay = rest.split('"').next().expect("a key");
        let relay = HEXLOWER.decode(relay.as_bytes()).expect("hex");
        let gone = [&never[..], &derived.of_answer(0, &relay), &[answer]].concat();
        must_be_nowhere(&stage.scan(&gone));

        let [_, _, acknowledgement] = derived.of_answer(0, &relay).try_into().expect("three");
        let acknowledged = look(&[&HEXLOWER.encode(acknowledgement.bytes())]);
        assert!(!acknowledged.contains("data-answer"), "{acknowledged}");
        must_be_nowhere(&stage.scan(&gone));
        stage.run(&["wipe", "--yes"]);
        let secret = Marker::new("the box secret", derived.box_secret);
        must_be_nowhere(&stage.scan(&[&gone[..], &[text, secret, derived.key(1)]].concat()));
    }
}
