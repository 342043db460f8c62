//! `kkvc contact`: names for addresses, in a file that says nothing to anybody else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use unicode_bidi::BidiInfo;

use crate::programs::{Outcome, Run, kkvc};

pub(super) const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
const WORDS: &str =
    "local december blouse pattern fatal rhythm harbor supply response biology draft poet";
pub(super) const PASSPHRASE: &str = "correct horse battery staple";

/// A directory with a passphrase in a file, and room for contacts.
pub(super) struct Desk {
    directory: TempDir,
}

impl Desk {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let desk = Self { directory };
        desk.put("passphrase", format!("{PASSPHRASE}\n").as_bytes());
        desk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file of mode 0600.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("our own directory");
        self.set_mode(name, 0o600);
    }

    pub(super) fn set_mode(&self, name: &str, mode: u32) {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.path(name), mode).expect("our own file");
    }

    pub(super) fn contacts(&self) -> Vec<u8> {
        fs::read(self.path("contacts")).expect("contacts are there")
    }

    /// Names the contacts, and asks for the passphrase.
    pub(super) fn asking(&self, run: Run) -> Run {
        run.with(|c| c.arg("--contacts").arg(self.path("contacts")))
    }

    /// Names the contacts, and the passphrase.
    pub(super) fn with(&self, run: Run) -> Run {
        self.asking(run)
            .with(|c| c.arg("--passphrase-file").arg(self.path("passphrase")))
    }

    /// Runs `kkvc contact` with `args`.
    pub(super) fn contact(&self, args: &[&str]) -> Outcome {
        self.with(kkvc(["contact"]).with(|c| c.args(args))).finish()
    }

    pub(super) fn add(&self, name: &str, address: &str) {
        self.contact(&["add", name, address]).must_end_with(0);
    }

    pub(super) fn list(&self) -> Vec<Value> {
        let list = self.contact(&["list", "--json"]).must_end_with(0).json();
        list["contacts"].as_array().expect("a list").clone()
    }
}

#[test]
fn contacts_are_kept_in_order_and_changed_by_name() {
    let desk = Desk::new();
    let added = desk.contact(&["add", "Bob", ONION]).must_end_with(0);
    assert!(added.stderr.contains(&format!("\nAdded Bob: {ONION}\n")));
    added.must_say(WORDS).must_say("kkvc contact verify");
    desk.add("alice", "127.0.0.1:8080");
    let dave = desk.contact(&["add", "dave", &format!("{ONION}:80"), "--json"]);
    let dave = dave.must_end_with(0).json();
    assert_eq!(
        (&dave["name"], &dave["verified"]),
        (&"dave".into(), &false.into())
    );
    let names = |list: &[Value]| list.iter().map(|c| c["name"].clone()).collect::<Vec<_>>();
    let list = desk.list();
    assert_eq!(names(&list), ["alice", "Bob", "dave"]);
    assert_eq!(
        (&list[0]["address"], &list[0]["words"]),
        (&"127.0.0.1:8080".into(), &Value::Null)
    );
    assert_eq!(
        (&list[1]["address"], &list[1]["words"]),
        (&ONION.into(), &WORDS.into())
    );
    assert_eq!(
        (&list[1]["suite"], &list[1]["sender"]),
        (&Value::Null, &Value::Null)
    );

    let renamed = desk.contact(&["rename", "BOB", "Zoë"]).must_end_with(0);
    assert_eq!(renamed.stderr, format!("BOB is now Zoë: {ONION}\n"));
    let removed = desk.contact(&["remove", "alice", "-y"]).must_end_with(0);
    assert_eq!(removed.stderr, "Removed alice: 127.0.0.1:8080\n");
    let table = desk.contact(&["list"]).must_end_with(0).stdout_text();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "NAME  VERIFIED  INVITED  SUITE  SIGNS AS   ADDRESS"
    );
    assert_eq!(
        lines[1],
        format!("dave  no        –        –      –          {ONION}:80")
    );
    assert_eq!(
        lines[2],
        format!("Zoë   no        –        –      –          {ONION}")
    );
    // What isn't there needs no yes.
    let nobody = desk.contact(&["remove", "nobody"]).must_end_with(2);
    nobody.must_say("there is no contact 'nobody'");
    for name in ["dave", "zoË"] {
        desk.contact(&["remove", name, "--yes", "--json"])
            .must_end_with(0)
            .json();
    }
    assert_eq!(desk.contact(&["list"]).stderr, "No contacts.\n");
}

#[test]
fn nothing_is_kept_unless_a_file_is_named() {
    for args in [
        &["list"][..],
        &["add", "bob", ONION],
        &["verify", "bob", "--yes"],
    ] {
        let outcome = kkvc(["contact"])
            .with(|c| c.args(args))
            .finish()
            .must_end_with(2);
        outcome
            .must_say("--contacts FILE")
            .must_say("`kkvc contact add` makes it");
    }
    let outcome = kkvc(["send", "bob", "-m", "x"]).finish().must_end_with(2);
    let outcome = outcome
        .must_say("'bob' is no address")
        .must_say("nothing is ever sent outside Tor");
    outcome.must_say("--contacts FILE");
}

#[test]
fn the_file_is_private_and_tells_neither_who_is_in_it_nor_how_many() {
    let desk = Desk::new();
    desk.add("a name to look for", ONION);
    let one = desk.contacts();
    desk.add("another", &format!("{ONION}:80"));
    desk.add("and another", &format!("{ONION}:81"));
    let three = desk.contacts();
    assert_eq!(one.len(), three.len());
    assert_ne!(one, three);
    assert!(three.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    let there: Vec<_> = fs::read_dir(desk.directory.path()).unwrap().collect();
    assert_eq!(
        there.len(),
        2,
        "contacts and passphrase, and nothing beside them: {there:?}"
    );
    for bytes in [&one, &three] {
        let text = String::from_utf8_lossy(bytes);
        for clear in [
            "a name",
            "look for",
            "another",
            "onion",
            &ONION[..8],
            "contacts",
        ] {
            assert!(!text.contains(clear), "{clear}");
        }
    }
    let mode = fs::metadata(desk.path("contacts"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn a_file_that_cannot_be_used_is_told_with_the_reason_and_left_as_it_is() {
    let desk = Desk::new();
    desk.add("bob", ONION);
    let whole = desk.contacts();
    let refused = |reason: &str, hint: &str| {
        for args in [
            &["list"][..],
            &["add", "eve", "127.0.0.1:1"],
            &["remove", "bob", "--yes"],
        ] {
            let outcome = desk.contact(args).must_end_with(2);
            assert!(outcome.stdout.is_empty());
            outcome.must_say(reason).must_say(hint);
        }
    };
    desk.put("contacts", &whole[..whole.len() - 1]);
    refused("it has been cut off or altered", "an older copy");
    desk.put("contacts", &whole[..30]);
    refused("it has been cut off or altered", "an older copy");
    desk.put("contacts", b"something else");
    refused("it is no file of contacts", "contact add");
    assert_eq!(desk.contacts(), b"something else");
    desk.put("contacts", &whole);
    for mode in [0o644, 0o640, 0o604] {
        desk.set_mode("contacts", mode);
        refused("other users may get at it", "chmod 600");
    }
    desk.set_mode("contacts", 0o600);
    desk.put("passphrase", b"correct horse battery stable\n");
    refused("the passphrase is wrong", "Try again");
    assert_eq!(desk.contacts(), whole);
    fs::remove_file(desk.path("contacts")).unwrap();
    let missing = desk.contact(&["list"]).must_end_with(2);
    missing
        .must_say("there is no such file")
        .must_say("The first `kkvc contact add` makes it");
    fs::create_dir(desk.path("contacts")).unwrap();
    refused("it is no file", "contact add");
}

#[test]
fn names_that_mislead_or_are_taken_are_refused_and_near_ones_are_offered() {
    let desk = Desk::new();
    desk.add("bob", ONION);
    let before = desk.contacts();
    for (args, reason) in [
        (&["add", "", ONION][..], "1 to 32 characters"),
        (&["add", &"x".repeat(33), ONION], "1 to 32 characters"),
        (&["add", "a\u{202e}b", ONION], "visible characters only"),
        (&["add", "a\x1b[2Jb", ONION], "visible characters only"),
        (&["add", "localhost", ONION], "look like an address"),
        (&["add", "--", "-x", ONION], "doesn't begin with '-'"),
        (
            &["add", "BOB", "127.0.0.1:1"],
            "there is a contact 'bob' already",
        ),
        (&["add", "eve", ONION], "'bob' has this address already"),
        (
            &["add", "eve", "example.com"],
            "nothing is ever sent outside Tor",
        ),
        (
            &["add", "eve", "127.0.0.1:1", "--sender", "00"],
            "kkvc identity",
        ),
        (&["rename", "bbo", "eve"], "Did you mean bob?"),
        (&["remove", "bo", "-y"], "Did you mean bob?"),
        (
            &["verify", "mallory", "-y"],
            "This shows whom there is: kkvc contact list --contacts",
        ),
    ] {
        // The options come first: whatever follows `--` is no option any more.
        let run = desk
            .with(kkvc::<&str>([]))
            .with(|c| c.arg("contact").args(args));
        let outcome = run.finish().must_end_with(2).must_say(reason);
        let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!outcome.stderr.contains(steers), "{:?}", outcome.stderr);
    }
    assert_eq!(desk.contacts(), before);
}

#[test]
fn nobody_is_removed_without_a_yes() {
    let desk = Desk::new();
    desk.add("bob b", ONION);
    let asked = desk.contact(&["remove", "bob b"]).must_end_with(2);
    asked.must_say("say --yes to remove 'bob b'");
    let remove = |name| desk.with(kkvc(["contact", "remove", name]));
    let (code, screen) = remove("eve").start_on(80, 24).finish();
    assert!(code == Some(2) && !screen.contains("[y/N]"), "{screen}");
    for (answer, code) in [("n\n", 130), ("y\n", 0)] {
        assert_eq!(desk.list().len(), 1);
        let mut terminal = remove("BOB  B").start_on(80, 24);
        terminal.wait_for("Remove bob b from your contacts? It can't be undone. [y/N] ");
        terminal.press(answer);
        let (ended, screen) = terminal.finish();
        assert_eq!(ended, Some(code), "{screen}");
    }
    assert!(desk.list().is_empty());
}

#[test]
fn only_the_one_who_was_asked_about_is_removed_and_nobody_waits_for_the_answer() {
    let desk = Desk::new();
    desk.add("bob", ONION);
    let mut terminal = desk
        .with(kkvc(["contact", "remove", "bob"]))
        .start_on(80, 24);
    terminal.wait_for("Remove bob from your contacts? It can't be undone. [y/N] ");
    desk.contact(&["rename", "bob", "robert"]).must_end_with(0);
    desk.add("bob", "127.0.0.1:1");
    terminal.press("y\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(2), "{screen}");
    let said = "'bob' has another address by now; nothing was changed";
    assert!(screen.contains(said), "{screen}");
    let names: Vec<_> = desk.list().iter().map(|c| c["name"].clone()).collect();
    assert_eq!(names, ["bob", "robert"]);
}

#[test]
fn a_contact_is_verified_when_the_words_are_said_to_be_the_same() {
    let desk = Desk::new();
    desk.add("bob", ONION);
    desk.add("here", "127.0.0.1:1");
    let verified = || desk.list()[0]["verified"].clone();
    // Who says later that the words differ is taken at their word, who says nothing is not.
    for (answer, code, said, is_verified) in [
        ("n\n", 130, "bob was not marked as verified", false),
        ("\n", 130, "bob was not marked as verified", false),
        ("y\n", 0, "Verified bob", true),
        ("\n", 130, "bob stays verified as before", true),
        ("n\n", 1, "bob is not verified any more", false),
    ] {
        let mut terminal = desk
            .with(kkvc(["contact", "verify", "bob"]))
            .start_on(80, 24);
        terminal.wait_for("Does bob have the same twelve words? [y/N] ");
        terminal.press(answer);
        let (ended, screen) = terminal.finish();
        assert_eq!(ended, Some(code), "{screen}");
        assert!(screen.contains(said), "{screen}");
        for word in WORDS.split(' ').chain([ONION]) {
            assert!(screen.contains(word), "no {word} in {screen}");
        }
        assert_eq!(
            screen.contains("kkvc contact remove bob"),
            code != 0,
            "{screen}"
        );
        assert_eq!(verified(), is_verified);
    }
    let unasked = desk.contact(&["verify", "bob"]).must_end_with(2);
    unasked.must_say("--yes");
    let yes = desk
        .contact(&["verify", "bob", "--yes", "--json"])
        .must_end_with(0);
    assert_eq!(yes.json()["verified"], true);
    let here = desk
        .with(kkvc(["contact", "verify", "here"]))
        .start_on(80, 24);
    let (code, screen) = here.finish();
    assert!(
        code == Some(2) && screen.contains("has no words"),
        "{screen}"
    );
    let here = desk.contact(&["verify", "here"]).must_end_with(2);
    here.must_say("has no words");
}

#[test]
fn a_file_that_another_program_holds_is_not_waited_for_without_end() {
    let desk = Desk::new();
    desk.add("bob", ONION);
    let before = desk.contacts();
    let other = fs::File::open(desk.path("contacts")).unwrap();
    other.lock().unwrap();
    let refused = desk.contact(&["add", "eve", "127.0.0.1:1"]);
    refused
        .must_end_with(2)
        .must_say("another program has held it for 5 s")
        .must_say("Nothing was changed.");
    assert_eq!(desk.contacts(), before);
    drop(other);
    desk.add("eve", "127.0.0.1:1");
}

#[test]
fn a_list_on_a_terminal_that_turns_words_round_begins_with_the_names() {
    let desk = Desk::new();
    for (name, port) in [("BOB", 1), ("שלום", 2), ("مرحبا 12", 3), ("34 שלום", 4)] {
        desk.add(name, &format!("{ONION}:{port}"));
    }
    let list = || desk.with(kkvc(["contact", "list"]));
    let (code, output) = list().start_on(200, 24).finish();
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = output.lines().filter(|line| line.contains(ONION)).collect();
    assert_eq!(lines.len(), 4, "{output}");
    for line in lines {
        let info = BidiInfo::new(line, None);
        let paragraph = &info.paragraphs[0];
        let turned = info.reorder_line(paragraph, paragraph.range.clone());
        let (_, behind) = turned.split_once(ONION).expect("it has no other direction");
        assert_eq!(behind.len(), 2, "{line:?}: {turned:?}");
        let turned = turned.replace('\u{200e}', "");
        let verified = turned.char_indices().find(|(_, c)| c.is_ascii_lowercase());
        assert_eq!(
            verified.map(|(at, _)| turned[..at].chars().count()),
            Some(10),
            "{turned:?}"
        );
    }
    let piped = list().finish().must_end_with(0).stdout_text();
    assert!(!piped.contains('\u{200e}'), "{piped:?}");
}

#[test]
fn a_command_that_is_advised_names_the_file_if_the_command_line_did() {
    let desk = Desk::new();
    #[track_caller]
    fn advises(outcome: &Outcome, command: &str) {
        let mut lines = outcome.stderr.lines();
        assert!(
            lines.any(|line| line.trim_start() == command),
            "{}",
            outcome.stderr
        );
    }
    let place = format!(" --contacts {}", desk.path("contacts").display());
    let added = desk.contact(&["add", "bob", ONION]).must_end_with(0);
    advises(&added, &format!("kkvc contact verify bob{place}"));
    let again = desk.contact(&["add", "carl", ONION]).must_end_with(2);
    advises(&again, &format!("kkvc contact rename bob NEW{place}"));
    let nobody = desk.contact(&["remove", "zoe", "-y"]).must_end_with(2);
    advises(&nobody, &format!("kkvc contact list{place}"));

    let from_environment = |args: &[&str]| {
        let run = kkvc(["contact"]).with(|c| c.args(args));
        let (book, passphrase) = (desk.path("contacts"), desk.path("passphrase"));
        run.with(|c| {
            c.env("KKVC_CONTACTS", book)
                .env("KKVC_PASSPHRASE_FILE", passphrase)
        })
        .finish()
    };
    let other = format!("{ONION}:80");
    let added = from_environment(&["add", "dan", &other]).must_end_with(0);
    advises(&added, "kkvc contact verify dan");
    let nobody = from_environment(&["remove", "zoe", "-y"]).must_end_with(2);
    advises(&nobody, "kkvc contact list");
}

#[test]
fn a_command_that_is_advised_stays_one_line_on_a_narrow_terminal() {
    let desk = Desk::new();
    let add = |name| desk.with(kkvc(["contact", "add", name, ONION]));
    let mut terminal = add("bob").start_on(40, 40);
    // The terminal itself breaks it, at its edge: no space or line feed is put into it.
    let place = desk.path("contacts");
    let command = format!("  kkvc contact verify bob --contacts {}", place.display());
    terminal.wait_for(&command);
    assert_eq!(terminal.finish().0, Some(0));
}

#[test]
fn an_address_without_words_is_not_marked_as_compared() {
    let desk = Desk::new();
    desk.add("here", "127.0.0.1:8080");
    let verified = desk.contact(&["verify", "here", "--yes"]).must_end_with(2);
    verified.must_say("has no words to compare");
    assert_eq!(desk.list()[0]["verified"], false);
}
