//! The list of messages, and one that is being read.

use super::looks::must_become;
use super::tmux::Tmux;
use crate::programs::Relay;

/// How many messages the list shows as unread.
fn unread(screen: &str) -> usize {
    let lines = screen.lines();
    lines.filter(|line| line.starts_with(" * ")).count()
}

#[test]
fn messages_appear_by_themselves_and_are_read_marked_and_deleted_at_the_keys() {
    let relay = Relay::start(&[]);
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.wait_for("No messages.");
    must_become(&terminal, "empty");

    relay.deliver("Grüße aus 日本! \x1b[31mred\x1b[0m \u{202e}drah\n".as_bytes());
    terminal.wait_until("a message", |screen| unread(screen) == 1);
    relay.deliver(b"The second one.\nIt has two lines.\n");
    terminal.wait_until("another", |screen| unread(screen) == 2);
    must_become(&terminal, "inbox");

    // The first stays chosen when another comes.
    terminal.press(&["Enter"]);
    terminal.wait_for("Message 1, 41 bytes");
    must_become(&terminal, "message");
    terminal.press(&["p"]);
    terminal.wait_for("It has two lines.");
    terminal.press(&["u"]);
    terminal.wait_for("marked as unread");
    terminal.press(&["Escape"]);
    terminal.wait_until("one unread", |screen| unread(screen) == 1);

    terminal.press(&["d"]);
    terminal.wait_for("Delete message 2?");
    terminal.wait_for("y yes");
    must_become(&terminal, "delete");
    terminal.agrees();
    terminal.wait_for("deleted and wiped: 2");
    terminal.wait_for("1 of 50");
    let left: Vec<u64> = relay
        .list()
        .iter()
        .filter_map(|m| m["id"].as_u64())
        .collect();
    assert_eq!(left, [1]);

    terminal.press(&["D"]);
    terminal.wait_for("Delete the only message?");
    terminal.agrees();
    terminal.wait_for("Really delete");
    terminal.agrees();
    terminal.wait_for("No messages.");
    assert!(relay.list().is_empty());
}

#[test]
fn what_the_commands_do_meanwhile_is_on_the_screen_as_well() {
    let relay = Relay::start(&[]);
    relay.deliver(b"A text that is read from elsewhere.\n");
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.wait_until("it", |screen| unread(screen) == 1);
    relay.owner(["read", "1"]).finish().must_end_with(0);
    terminal.wait_until("it as read", |screen| unread(screen) == 0);
    terminal.press(&["Enter"]);
    terminal.wait_for("A text that is read from elsewhere.");
    relay.owner(["delete", "1", "-y"]).finish().must_end_with(0);
    let screen = terminal.wait_for("message 1 is gone");
    assert!(!screen.contains("A text"), "{screen}");
}

#[test]
fn it_fits_into_whatever_room_there_is() {
    let relay = Relay::start(&[]);
    relay.deliver(&b"Many words, and then more of them. ".repeat(20));
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.press(&["Enter"]);
    terminal.wait_for("Message 1");
    terminal.resize(140, 30);
    terminal.wait_until("both side by side", |screen| {
        let beside = screen.contains("RECEIVED") && screen.contains("Message 1");
        beside && unread(screen) == 0
    });
    must_become(&terminal, "wide");
    terminal.resize(30, 5);
    terminal.wait_for("needs more room");
    terminal.resize(80, 24);
    terminal.wait_until("only the message", |screen| {
        !screen.contains("RECEIVED") && screen.contains("Many words")
    });
    terminal.press(&["?"]);
    terminal.wait_for("this page");
    must_become(&terminal, "keys");
}

#[test]
fn no_colour_is_used_where_none_is_wanted_and_none_is_needed() {
    let relay = Relay::start(&[]);
    relay.deliver(b"text\n");
    for (setting, coloured) in [("", true), ("1", false)] {
        let terminal = Tmux::new(&relay, 80, 24);
        terminal.types(&format!(
            "NO_COLOR={setting} \"$KKVC\" --socket \"$SOCKET\"\n"
        ));
        terminal.wait_until("the message", |screen| unread(screen) == 1);
        // Of SGR, 30 to 49 and from 90 on are colours.
        let raw = terminal.raw_screen();
        let mut codes = raw
            .split("\x1b[")
            .filter_map(|part| part.split_once('m'))
            .flat_map(|(codes, _)| codes.split(';'))
            .filter_map(|code| code.parse::<u8>().ok());
        let found = codes.any(|code| matches!(code, 30..=38 | 40..=48 | 90..));
        assert_eq!(found, coloured, "{raw:?}");
    }
}

#[test]
fn what_terminals_draw_otherwise_stays_in_its_frame_and_goes_with_its_message() {
    let relay = Relay::start(&[]);
    let strange = [
        "\u{9be}".repeat(90),
        "\u{3248}\u{324f}".repeat(25),
        "น้ำ กำ ".repeat(12),
        "कि নমস্কার 🏕\u{fe0f} 🇩🇪 👩🏽 ".repeat(5),
        "do\u{3164}\u{3164} not 🙂 pay".to_owned(),
    ];
    relay.deliver(format!("{}\nthe end", strange.join("\n")).as_bytes());
    let terminal = Tmux::with_client(&relay, "", 80, 30);
    terminal.wait_until("it", |screen| unread(screen) == 1);
    terminal.press(&["Enter"]);
    let is_framed = |screen: &str| {
        let mut body = screen
            .lines()
            .skip_while(|line| !line.starts_with('┌'))
            .skip(1);
        let body: Vec<&str> = body
            .by_ref()
            .take_while(|line| !line.starts_with('└'))
            .collect();
        body.len() > 10
            && body
                .iter()
                .all(|line| line.starts_with('│') && line.ends_with('│'))
    };
    // At a glance it may be half drawn.
    let screen = terminal.wait_until("the end in its frame", |screen| {
        screen.contains("the end") && is_framed(screen)
    });
    assert!(screen.contains("do<U+3164><U+3164> not 🙂 pay"), "{screen}");
    terminal.press(&["C-l"]);
    terminal.wait_until("the same", |again| again == screen);
    terminal.press(&["d"]);
    terminal.wait_for("Delete message 1?");
    terminal.agrees();
    let screen = terminal.wait_for("No messages.");
    let strange = strange.concat();
    let left = screen
        .chars()
        .find(|c| !c.is_ascii() && strange.contains(*c));
    assert_eq!(left, None, "{screen}");
}

#[test]
fn the_list_is_searched_also_what_comes_meanwhile_and_what_is_hidden_stays() {
    let relay = Relay::start(&[]);
    for text in ["Caf\u{e9} at noon?", "The invoice.", "cafe\u{301} again"] {
        relay.deliver(text.as_bytes());
    }
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.wait_until("all", |screen| unread(screen) == 3);
    terminal.press(&["/"]);
    terminal.wait_for("words in the text");
    terminal.types("CAF\u{c9}\n");
    terminal.wait_for("/CAF\u{c9}  2 of 3 messages; Esc shows all");
    must_become(&terminal, "found");
    relay.deliver(b"nothing of the kind");
    terminal.wait_for("2 of 4 messages, 1 new not shown");
    relay.deliver("another caf\u{e9}".as_bytes());
    terminal.wait_for("3 of 5 messages, 1 new not shown");
    terminal.press(&["D"]);
    terminal.wait_for("Delete all 3 messages that were found?");
    terminal.agrees();
    terminal.wait_for("Really delete");
    terminal.agrees();
    terminal.wait_for("No message has these words.");
    terminal.press(&["Escape"]);
    terminal.wait_until("the others", |screen| unread(screen) == 2);
    let left = relay.list();
    let left: Vec<u64> = left.iter().filter_map(|m| m["id"].as_u64()).collect();
    assert_eq!(left, [2, 4]);
    assert!(relay.list().iter().all(|message| message["read"] == false));
}

#[test]
fn first_words_are_in_the_list_unless_they_are_not_wished_and_mark_nothing_as_read() {
    let relay = Relay::start(&[]);
    relay.deliver(b"Dear Bob,\r\nsoon.");
    relay.deliver(b"-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n");
    for (arguments, last) in [
        (
            "",
            ["  FIRST WORDS", "  OpenPGP message", "  │ Dear Bob, soon."],
        ),
        ("tui --no-preview", ["  OPENPGP", "  message", ""]),
    ] {
        // With nothing beside it the list has all of a wide screen.
        for columns in [80, 140] {
            let terminal = Tmux::with_client(&relay, arguments, columns, 24);
            let screen = terminal.wait_until("both", |screen| unread(screen) == 2);
            let lines = screen.lines().skip(1).map(|line| {
                let head = line.find(" ID").map(|at| at + 3);
                let number = || line.find("kkv/2").map(|at| at + 12);
                head.or_else(number).map_or("", |at| line[at..].trim_end())
            });
            let shown: Vec<&str> = lines.take(3).collect();
            assert_eq!(shown, last, "{screen}");
        }
    }
}
