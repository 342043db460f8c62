//! Texts meant to steer the owner's terminal: they arrive whole and are never shown raw.

use std::fs;

use crate::programs::Relay;

/// Each text with how it is shown.
const HOSTILE: [(&str, &str); 12] = [
    (
        "\x1b[2J\x1b]0;pwned\x07",
        "<U+001B>[2J<U+001B>]0;pwned<U+0007>",
    ),
    ("\u{9b}31m\u{9d}0;x\u{9c}", "<U+009B>31m<U+009D>0;x<U+009C>"),
    ("\u{202e}gpj.exe", "<U+202E>gpj.exe"),
    (
        "\u{2066}a\u{2069}\u{200f}\u{61c}",
        "<U+2066>a<U+2069><U+200F><U+061C>",
    ),
    ("bell\x07", "bell<U+0007>"),
    ("real\rfake", "real<U+000D>fake"),
    ("one\u{8}\u{8}two", "one<U+0008><U+0008>two"),
    ("del\x7f", "del<U+007F>"),
    ("nul\0", "nul<U+0000>"),
    (
        "line\u{2028}para\u{2029}next\u{85}",
        "line<U+2028>para<U+2029>next<U+0085>",
    ),
    (
        "\u{feff}bom\u{200b}zero\u{ad}soft",
        "<U+FEFF>bom<U+200B>zero<U+00AD>soft",
    ),
    ("tag\u{e0041}\u{fff9}", "tag<U+E0041><U+FFF9>"),
];

fn steers(shown: &str) -> bool {
    let format = [
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{200f}',
        '\u{61c}',
        '\u{2028}',
        '\u{2029}',
        '\u{feff}',
        '\u{200b}',
        '\u{ad}',
        '\u{e0041}',
    ];
    shown
        .chars()
        .any(|c| (c != '\n' && c.is_control()) || format.contains(&c))
}

#[test]
fn what_could_steer_a_terminal_is_shown_as_what_it_is() {
    let relay = Relay::start(&[]);
    for (id, (text, shown)) in (1..).zip(HOSTILE) {
        relay.deliver(text.as_bytes());
        let read = relay
            .owner(["read", &id.to_string()])
            .finish()
            .must_end_with(0)
            .stdout_text();
        assert!(read.ends_with(&format!("\n\n│ {shown}\n")), "{read:?}");
        assert!(!steers(&read), "{read:?}");
        assert_eq!(relay.text(id), text, "it arrives whole");
    }
}

#[test]
fn no_text_can_pass_for_what_is_said_of_one_or_for_another_message() {
    let relay = Relay::start(&[]);
    relay.deliver(b"Hello\n");
    let head = |id: &str| {
        let read = relay.owner(["read", id]).finish().stdout_text();
        let (head, _) = read.split_once("\n\n").expect("a head");
        head.to_owned()
    };
    // One more message, as it would be shown, behind as much as fills a line of the terminal.
    let forged = head("1").replace("Message   1", "Message   9");
    for before in [
        "\n\n".to_owned(),
        "x".repeat(78),
        "x".repeat(80),
        " ".repeat(80),
        "日".repeat(40),
    ] {
        let text = format!("{before}{forged}\n\nIt is I");
        relay.deliver(text.as_bytes());
        let id = relay.list().last().expect("a message")["id"].to_string();
        let piped = relay.owner(["read", &id]).finish().must_end_with(0);
        let (code, screen) = relay.owner(["read", &id]).start_on(80, 24).finish();
        assert_eq!(code, Some(0));
        for shown in [piped.stdout_text(), screen.replace("\r\n", "\n")] {
            let (own, text) = shown.split_once("\n\n").expect("a head");
            assert!(own.starts_with(&format!("Message   {id}\n")));
            assert!(text.lines().all(|line| line.starts_with('│')), "{shown}");
        }
        let wide = |line: &str| {
            line.chars()
                .map(|c| if c.is_ascii() { 1 } else { 2 })
                .sum::<usize>()
        };
        assert!(screen.lines().all(|line| wide(line) <= 81), "{screen}"); // the bar is one column
        relay.owner(["delete", &id, "-y"]).finish().must_end_with(0);
    }
}

#[test]
fn no_command_ever_writes_them_raw() {
    let relay = Relay::start(&[]);
    let all: String = HOSTILE.iter().map(|(text, _)| *text).collect();
    for suite in ["1", "2"] {
        let sent = all.replace('\0', "");
        relay
            .send(["-", "--suite", suite])
            .stdin(sent)
            .finish()
            .must_end_with(0);
    }
    for (id, name) in [("1", "one"), ("2", "two")] {
        let exported = relay.owner(["export", id]).finish().must_end_with(0);
        exported.json();
        fs::write(relay.directory().join(name), exported.stdout).unwrap();
    }
    for command in [
        &["list"][..],
        &["read", "1"],
        &["read", "2"],
        &["status"],
        &["verify", "one"],
        &["verify", "two"],
        &["mark", "1", "--unread"],
    ] {
        let outcome = relay.owner(command).finish().must_end_with(0);
        assert!(
            !steers(&outcome.stdout_text()) && !steers(&outcome.stderr),
            "{command:?}"
        );
        relay
            .owner(command)
            .with(|c| c.arg("--json"))
            .finish()
            .must_end_with(0)
            .json();
    }
}

#[test]
fn a_file_name_with_escapes_in_it_is_shown_without_them() {
    let relay = Relay::start(&[]);
    for command in [&["verify", "\x1b[2J\x07"][..], &["verify", "\u{202e}x"]] {
        let outcome = relay.owner(command).finish().must_end_with(2);
        assert!(!steers(&outcome.stderr), "{:?}", outcome.stderr);
    }
    let made = relay.owner(["identity", "\x1b[31mred"]).finish();
    let shown = made.must_end_with(0).stdout_text();
    assert!(!steers(&shown), "{shown:?}");
    let outcome = relay.send(["\x1b[2J"]).finish().must_end_with(2);
    assert!(!steers(&outcome.stderr), "{:?}", outcome.stderr);
}
