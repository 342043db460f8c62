//! `kkvc card`: an address that can be read aloud, and by a camera.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::thread;

use rqrr::PreparedImage;

use super::contacts::Desk;
use crate::programs::{Outcome, Relay, kkvc};

const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
const HEAD: &str = "\
Address  2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion
Words    local december blouse pattern fatal rhythm
         harbor supply response biology draft poet
";
const BLOCKS: [char; 3] = ['▀', '▄', '█'];
/// How many dots of an image are one module, for a decoder that expects a picture.
const SCALE: usize = 4;

fn card(args: &[&str]) -> Outcome {
    kkvc(["card"]).with(|c| c.args(args)).finish()
}

/// What a camera reads from a code of half blocks, whose printed parts are dark.
fn scanned(picture: &str) -> String {
    let lines: Vec<Vec<char>> = picture.lines().map(|line| line.chars().collect()).collect();
    let width = lines[0].len();
    assert!(lines.iter().all(|line| line.len() == width), "{picture}");
    let dark = |x: usize, y: usize| match lines[y / 2][x] {
        '█' => true,
        '▀' => y.is_multiple_of(2),
        '▄' => !y.is_multiple_of(2),
        _ => false,
    };
    let mut image =
        PreparedImage::prepare_from_bitmap(width * SCALE, lines.len() * 2 * SCALE, |x, y| {
            dark(x / SCALE, y / SCALE)
        });
    let codes = image.detect_grids();
    assert_eq!(codes.len(), 1, "{picture}");
    codes[0].decode().expect("it can be read").1
}

#[test]
fn a_card_has_the_address_its_words_and_a_code_that_a_camera_reads() {
    for (address, read) in [
        (ONION.to_owned(), ONION.to_uppercase()),
        (format!("{ONION}:45069"), ONION.to_uppercase()),
        (ONION.to_uppercase(), ONION.to_uppercase()),
    ] {
        let card = card(&[&address]).must_end_with(0).stdout_text();
        let picture = card.strip_prefix(HEAD).unwrap_or_else(|| panic!("{card}"));
        assert_eq!(scanned(picture), read);
        // What a camera has read can be written to.
        let sent = kkvc(["card", &read]).finish().must_end_with(0);
        assert_eq!(sent.stdout_text(), card);
    }
    let other_port = card(&[&format!("{ONION}:80")])
        .must_end_with(0)
        .stdout_text();
    assert!(
        other_port.starts_with(&format!("Address  {ONION}:80\n")),
        "{other_port}"
    );
    let picture = other_port.splitn(4, '\n').nth(3).unwrap();
    assert_eq!(scanned(picture), format!("{ONION}:80").to_uppercase());
}

#[test]
fn a_card_can_do_without_the_picture_and_be_json() {
    let plain = card(&[ONION, "--no-qr"]).must_end_with(0).stdout_text();
    assert_eq!(plain, HEAD);
    let json = card(&[ONION, "--json"]).must_end_with(0).json();
    assert_eq!(json["address"], ONION);
    assert_eq!(json["link"], ONION.to_uppercase());
    let words =
        "local december blouse pattern fatal rhythm harbor supply response biology draft poet";
    assert_eq!(json["words"], words);
}

#[test]
fn on_a_terminal_of_any_colour_the_code_is_black_on_white_and_the_whole_card_is_seen() {
    let show = |variable: (&str, &str)| {
        let run =
            kkvc(["card", ONION]).with(|c| c.env_remove("NO_COLOR").env(variable.0, variable.1));
        let (code, screen) = run.start_on(80, 24).finish();
        assert_eq!(code, Some(0), "{screen}");
        screen.replace("\r\n", "\n")
    };
    let (white, before) = ("\x1b[38;5;16;48;5;231m", "\x1b[0m");
    let screen = show(("A", "B"));
    assert_eq!(
        screen.matches(white).count(),
        screen.matches(before).count()
    );
    let plain = screen.replace(white, "").replace(before, "");
    let picture: Vec<&str> = plain.lines().skip(3).collect();
    assert_eq!(
        screen.matches(white).count(),
        picture.len(),
        "every line of it"
    );
    assert_eq!(scanned(&picture.join("\n")), ONION.to_uppercase());
    // Four modules around it are white, above and below two lines.
    for line in [0, 1].into_iter().chain([picture.len() - 2 + 1]) {
        assert!(!picture[line].contains(BLOCKS), "{plain}");
    }
    assert!(
        picture
            .iter()
            .all(|line| line.starts_with("    ") && line.ends_with("    "))
    );
    assert!(
        plain.lines().count() + 2 <= 24,
        "with the command and the next prompt"
    );
    assert!(plain.lines().all(|line| line.chars().count() <= 80));

    let uncoloured = show(("NO_COLOR", "1"));
    assert_eq!(uncoloured, plain);
}

/// An owner's socket that answers one request, about a relay in whose status something else stands.
fn changed(relay: &Relay, from: &str, to: &str) -> Outcome {
    let status = relay.owner(["status", "--json"]).finish().stdout_text();
    let status = status.trim_end().replace(from, to);
    assert!(status.contains(to), "{status}");
    let path = relay.directory().join("other.sock");
    let _ = std::fs::remove_file(&path); // of the call before
    let listener = UnixListener::bind(&path).expect("the directory is ours");
    let answering = thread::spawn(move || {
        let (mut line, _) = listener.accept().expect("it comes");
        let mut request = [0; 4096];
        let length = line.read(&mut request).expect("it asks");
        assert!(request[..length].starts_with(b"GET /status "));
        let length = status.len();
        write!(
            line,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{status}"
        )
        .expect("it listens");
    });
    let outcome = kkvc(["card", "--socket"]).with(|c| c.arg(&path)).finish();
    answering.join().expect("it was asked");
    outcome
}

#[test]
fn without_an_address_it_is_the_card_of_the_relay_that_runs() {
    let relay = Relay::start(&[]);
    let own = changed(&relay, "\"onion\":null", &format!("\"onion\":\"{ONION}\""));
    let own = own.must_end_with(0).stdout_text();
    assert_eq!(own, card(&[ONION]).stdout_text());
    let unknown = relay.owner(["card"]).finish().must_end_with(1);
    unknown
        .must_say("for this machine alone")
        .must_say("without --tor off");
    let unknown = changed(&relay, "\"tor\":\"off\"", "\"tor\":\"external\"");
    unknown
        .must_end_with(1)
        .must_say("doesn't know its onion address")
        .must_say("kkvc card ADDRESS");
    let none = kkvc(["card", "--socket", "/nonexistent/kkv.sock"]).finish();
    none.must_end_with(3).must_say("kkv &");
}

#[test]
fn a_contact_has_a_card_and_this_machine_has_none() {
    let desk = Desk::new();
    desk.contact(&["add", "bob", ONION]).must_end_with(0);
    let bob = desk.with(kkvc(["card", "bob", "--no-qr"])).finish();
    assert_eq!(bob.must_end_with(0).stdout_text(), HEAD);
    let eve = desk.with(kkvc(["card", "eve"])).finish();
    eve.must_end_with(2).must_say("there is no contact 'eve'");
    card(&["bob"]).must_end_with(2).must_say("--contacts FILE");
    card(&["127.0.0.1:1"])
        .must_end_with(2)
        .must_say("has no card");
    card(&["short.onion"])
        .must_end_with(2)
        .must_say("and this has 5");
}
