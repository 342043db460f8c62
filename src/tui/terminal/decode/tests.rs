use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;

fn key(code: KeyCode) -> Input {
    Input::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn with(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(KeyEvent::new(code, modifiers))
}

fn ctrl_c() -> Input {
    with(KeyCode::Char('c'), KeyModifiers::CONTROL)
}

fn paste(text: &str) -> Input {
    Input::Paste(Zeroizing::new(text.to_owned()))
}

fn decoded(bytes: &[u8]) -> Vec<Input> {
    let mut decoder = Decoder::default();
    let mut inputs = decoder.feed(bytes);
    if decoder.patience() == Some(ESC_PAUSE) {
        inputs.extend(decoder.pause());
    }
    inputs
}

#[test]
fn keys_are_decoded_as_terminals_send_them() {
    let (shift, alt, control) = (
        KeyModifiers::SHIFT,
        KeyModifiers::ALT,
        KeyModifiers::CONTROL,
    );
    let letter = KeyCode::Char;
    for (bytes, input) in [
        (&b"a"[..], key(letter('a'))),
        (b"A", with(letter('A'), shift)),
        ("д".as_bytes(), key(letter('д'))),
        ("👩".as_bytes(), key(letter('👩'))),
        (b"\r", key(KeyCode::Enter)),
        (b"\n", with(letter('j'), control)),
        (b"\t", key(KeyCode::Tab)),
        (b"\x7f", key(KeyCode::Backspace)),
        (b"\x08", with(letter('h'), control)),
        (b"\x03", with(letter('c'), control)),
        (b"\x1f", with(letter('7'), control)),
        (b"\0", with(letter(' '), control)),
        (b"\x1b", key(KeyCode::Esc)),
        (b"\x1bd", with(letter('d'), alt)),
        (b"\x1b\x7f", with(KeyCode::Backspace, alt)),
        ("\x1bд".as_bytes(), with(letter('д'), alt)),
        (b"\x1b[A", key(KeyCode::Up)),
        (b"\x1bOB", key(KeyCode::Down)),
        (b"\x1b[1;5C", with(KeyCode::Right, control)),
        (b"\x1b[1;4D", with(KeyCode::Left, shift | alt)),
        (b"\x1b[H", key(KeyCode::Home)),
        (b"\x1b[4~", key(KeyCode::End)),
        (b"\x1b[3;2~", with(KeyCode::Delete, shift)),
        (b"\x1b[5~", key(KeyCode::PageUp)),
        (b"\x1b[6~", key(KeyCode::PageDown)),
        (b"\x1b[Z", with(KeyCode::BackTab, shift)),
        (b"\x1bOP", key(KeyCode::F(1))),
        (b"\x1b[11~", key(KeyCode::F(1))),
        (b"\x1b[24~", key(KeyCode::F(12))),
        (b"\x1b[[A", key(KeyCode::F(1))),
        (b"\x1b[115;5u", with(letter('s'), control)),
        (b"\x1b[100;2u", with(letter('D'), shift)),
        (b"\x1b[27u", key(KeyCode::Esc)),
        // Whoever holds another modifier means another key.
        (b"\x1b[100;9u", with(letter('d'), KeyModifiers::SUPER)),
        (b"\x1b[3;33~", with(KeyCode::Delete, KeyModifiers::META)),
    ] {
        assert_eq!(decoded(bytes), [input], "{bytes:?}");
    }
    for nothing in [
        &b"\x1b[I"[..],
        b"\x1b[?1;2c",
        b"\x1b[97;1:3u",
        b"\x1b[999~",
        b"\xff",
        b"\x1bOx",
    ] {
        assert_eq!(decoded(nothing), [], "{nothing:?}");
    }
}

#[test]
fn clicks_and_the_wheel_are_decoded_and_nothing_else_of_a_mouse() {
    let mouse = |kind, column, row| {
        let modifiers = KeyModifiers::NONE;
        Input::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers,
        })
    };
    let down = MouseEventKind::Down(MouseButton::Left);
    for (bytes, input) in [
        (&b"\x1b[<0;5;7M"[..], mouse(down, 4, 6)),
        (
            b"\x1b[<0;300;7m",
            mouse(MouseEventKind::Up(MouseButton::Left), 299, 6),
        ),
        (b"\x1b[<64;1;1M", mouse(MouseEventKind::ScrollUp, 0, 0)),
        (b"\x1b[<65;1;1M", mouse(MouseEventKind::ScrollDown, 0, 0)),
        (b"\x1b[M !\"", mouse(down, 0, 1)),
    ] {
        assert_eq!(decoded(bytes), [input], "{bytes:?}");
    }
    for nothing in [
        &b"\x1b[<35;5;7M"[..],
        b"\x1b[<0;0;7M",
        b"\x1b[<0;5M",
        b"\x1b[<2;5;7M",
    ] {
        assert_eq!(decoded(nothing), [], "{nothing:?}");
    }
}

#[test]
fn what_is_cut_in_two_is_whole_again_and_what_never_ends_is_given_up() {
    for bytes in [
        "\x1b[1;5C",
        "\x1b[<0;5;7M",
        "\x1bOP",
        "👩",
        "\x1b[200~a\r\nд\x1b[201~",
    ] {
        let bytes = bytes.as_bytes();
        for at in 1..bytes.len() {
            let mut decoder = Decoder::default();
            let mut inputs = decoder.feed(&bytes[..at]);
            inputs.extend(decoder.feed(&bytes[at..]));
            assert_eq!(inputs, decoded(bytes), "{bytes:?} at {at}");
        }
    }
    // Ctrl-C counts whatever was begun.
    for begun in [
        &b"\x1b["[..],
        b"\x1b[1;",
        b"\x1bO",
        b"\xf0\x9f",
        b"\x1b\xd0",
    ] {
        assert_eq!(decoded(&[begun, b"\x03"].concat()), [ctrl_c()], "{begun:?}");
    }
    assert_eq!(decoded(b"\x1b\x03"), [key(KeyCode::Esc), ctrl_c()]);
    assert_eq!(decoded(b"\xd0\xd0\xb4"), [key(KeyCode::Char('д'))]);
    let long = format!("\x1b[{}~q", "1;".repeat(1000));
    assert_eq!(decoded(long.as_bytes()), [key(KeyCode::Char('q'))]);
    assert_eq!(
        decoded(b"\x1b\x1b[A"),
        [key(KeyCode::Esc), key(KeyCode::Up)]
    );
}

#[test]
fn a_paste_is_one_whatever_is_in_it() {
    for (sent, text) in [
        ("two\r\nlines", "two\r\nlines"),
        ("", ""),
        ("\x1b[A\x03\x1b[200~", "\x1b[A\x03\x1b[200~"),
        ("\x1b\x1b[20\x1b[201", "\x1b\x1b[20\x1b[201"),
    ] {
        let inputs = decoded(format!("\x1b[200~{sent}\x1b[201~q").as_bytes());
        assert_eq!(inputs, [paste(text), key(KeyCode::Char('q'))], "{sent:?}");
    }
    assert_eq!(decoded(b"\x1b[200~a\xffb\x1b[201~"), [paste("a\u{fffd}b")]);
}

#[test]
fn a_paste_whose_mark_comes_in_two_packets_is_no_key() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.feed(b"\x1b"), []);
    assert_eq!(decoder.patience(), Some(ESC_PAUSE));
    assert_eq!(decoder.feed(b"[200~dq\x1b[201~"), [paste("dq")]);
    // Also on a line so slow that the first was taken for a key.
    assert_eq!(decoder.feed(b"\x1b"), []);
    assert_eq!(decoder.pause(), [key(KeyCode::Esc)]);
    assert_eq!(decoder.patience(), None);
    assert_eq!(decoder.feed(b"[200~dq\x1b[201~"), [paste("dq")]);
    // Otherwise a bracket is what was typed.
    decoder.feed(b"\x1b");
    decoder.pause();
    assert_eq!(decoder.feed(b"["), [key(KeyCode::Char('['))]);
}

#[test]
fn half_a_paste_is_handed_over_and_ctrl_c_alone_ends_it() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.feed(b"\x1b[200~half\xd0"), []);
    assert_eq!(decoder.patience(), Some(PASTE_PAUSE));
    assert_eq!(decoder.pause(), [paste("half"), Input::PasteStalled]);
    assert_eq!(decoder.patience(), None, "it is told once");
    // What goes on is still no key, also a Ctrl-C among it.
    for goes_on in [&b"\xb4\x03dy"[..], b"\x03", b"\r"] {
        assert_eq!(decoder.feed(goes_on), []);
    }
    assert_eq!(decoder.pause(), [paste("д\x03dy\x03"), Input::PasteStalled]);
    assert_eq!(decoder.feed(b"\x03"), [paste("\r"), Input::PasteEnded]);
    assert_eq!(decoder.feed(b"\x03"), [ctrl_c()]);
    // One that pauses and ends is whole.
    decoder.feed(b"\x1b[200~one ");
    decoder.pause();
    let rest = decoder.feed(b"two\x1b[201~");
    assert_eq!(rest, [paste("two"), Input::PasteEnded]);
}

#[test]
fn a_paste_without_end_takes_a_bounded_room() {
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b[200~");
    let mut kept = 0;
    for round in 0..100 {
        decoder.feed(&[b'x'; 4096]);
        if round % 7 == 0 {
            kept += decoder.pause().iter().map(length).sum::<usize>();
        }
        let held = decoder.paste.as_ref().map_or(0, |paste| paste.bytes.len());
        assert!(kept + held <= MAX_PASTE_BYTES);
    }
    let end = decoder.feed(b"\x1b[201~");
    assert!(end.contains(&Input::PasteCut));
    assert_eq!(
        kept + end.iter().map(length).sum::<usize>(),
        MAX_PASTE_BYTES
    );
}

fn length(input: &Input) -> usize {
    match input {
        Input::Paste(text) => text.len(),
        _ => 0,
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_are_too_much_for_it_and_ctrl_c_always_comes_through(
        pieces in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..40), 0..10),
        begins_with_paste: bool,
    ) {
        let mut decoder = Decoder::default();
        if begins_with_paste {
            decoder.feed(b"\x1b[200~");
        }
        for piece in pieces {
            decoder.feed(&piece);
        }
        decoder.pause();
        decoder.feed(b"\x03");
        // The first may have ended a paste; three bytes at most are a click of the oldest kind.
        let last: Vec<Input> = (0..4).flat_map(|_| decoder.feed(b"\x03")).collect();
        proptest::prop_assert_eq!(last.last(), Some(&ctrl_c()));
    }
}
