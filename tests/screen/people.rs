//! Contacts at the screen.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::looks::must_become;
use super::tmux::Tmux;
use crate::programs::Relay;

const ONION: &str = "w5jytzspuem263phveilelcgpvrxczwjh62ltqjiljzyrlhm7xvymyad.onion";
const FILE: [&str; 4] = ["--contacts", "book", "--passphrase-file", "passphrase"];

#[test]
fn somebody_is_written_down_and_forgotten_with_the_client_unless_there_is_a_file() {
    let relay = Relay::start(&[]);
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.press(&["a"]);
    terminal.wait_for("They are forgotten when you end kkvc");
    terminal.press(&["a"]);
    terminal.wait_for("what you call them");
    terminal.types("Alice\n");
    terminal.pastes(ONION, ONION);
    terminal.types("\n\n");
    terminal.wait_for("Alice is a contact, until you end kkvc");
    terminal.press(&["v"]);
    terminal.wait_for("the same twelve words?");
    terminal.wait_for("y yes");
    must_become(&terminal, "compare");
    terminal.agrees();
    terminal.wait_for("Alice is verified");
    // The file that was not asked for is not there.
    let files = fs::read_dir(relay.directory()).expect("the test's directory");
    assert_eq!(files.count(), 1, "its socket");
}

#[test]
fn those_of_a_file_are_known_by_name_and_learnt_about() {
    let relay = Relay::start(&[]);
    let passphrase = relay.directory().join("passphrase");
    fs::write(&passphrase, "several words that nobody guesses\n").expect("the test's directory");
    fs::set_permissions(&passphrase, Permissions::from_mode(0o600)).expect("our file");
    let owner = |words: &[&str]| relay.owner([words, &FILE].concat()).finish();
    let made = relay.owner(["identity", "key", "--json"]).finish().json();
    let key = made["public_key"].as_str().expect("a key");
    let added = owner(&["contact", "add", "Myself", relay.address(), "--sender", key]);
    added.must_end_with(0);
    let sent = relay.send(["-m", "From myself.", "--identity", "key"]);
    sent.finish().must_end_with(0);

    let directory = relay.directory().display();
    let arguments = format!("--contacts {directory}/book --passphrase-file {directory}/passphrase");
    let terminal = Tmux::with_client(&relay, &arguments, 80, 24);
    terminal.wait_for("Myself");
    terminal.press(&["c"]);
    terminal.wait_for("a contact's name");
    terminal.types("mysel\n:");
    terminal.wait_for("1 of 3500");
    terminal.press(&["C-s"]);
    terminal.wait_for("Did you mean Myself?");
    terminal.types("f");
    terminal.press(&["C-s"]);
    terminal.wait_for("Accepted: the message");
    // It is written down beside the screen.
    let suite = || owner(&["contact", "list", "--json"]).json()["contacts"][0]["suite"].take();
    while suite() != "kkv/2" {
        terminal.wait_for("Accepted: the message");
    }
    terminal.press(&["Escape"]);
    terminal.wait_for("RECEIVED");
    terminal.press(&["a"]);
    terminal.wait_until("contacts, and two messages", |screen| {
        screen.contains("SIGNS AS") && screen.contains("2 of 50")
    });
    must_become(&terminal, "contacts");

    // Who is added by a command is there, too.
    owner(&["contact", "add", "Carol", "127.0.0.1:10"]).must_end_with(0);
    terminal.wait_for("Carol");
    owner(&["contact", "remove", "Carol", "--yes"]).must_end_with(0);
    terminal.wait_until("nobody else", |screen| !screen.contains("Carol"));

    // Who suspends it at once keeps nobody else from the file.
    terminal.press(&["a"]);
    terminal.types("Alice\n");
    terminal.pastes(ONION, ONION);
    terminal.types("\n");
    terminal.press(&["Enter", "C-z"]);
    terminal.wait_for_shell();
    owner(&["contact", "add", "Bob", "127.0.0.1:9"]).must_end_with(0);
    terminal.types("fg\n");
    terminal.wait_for("Alice is a contact");
    // Who leaves at once finds what was done in the file all the same.
    terminal.press(&["d"]);
    terminal.wait_for("Remove Alice");
    terminal.agrees();
    terminal.press(&["C-c"]);
    terminal.wait_for_shell();
    let listed = owner(&["contact", "list", "--json"]).json();
    let names = listed["contacts"].as_array().expect("a list").iter();
    let names: Vec<_> = names.map(|contact| &contact["name"]).collect();
    assert_eq!(names, ["Bob", "Myself"]);
}
