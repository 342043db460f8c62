use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use proptest::collection::vec;
use proptest::num;
use proptest::prelude::*;

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
        (b"\x1bP", with(letter('P'), alt | shift)),
        (b"\x1b]", with(letter(']'), alt)),
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
        "\x1bP>|tmux 3.4\x1b\\q",
        "\x1b]l\x07q",
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
        b"\x1b[M",
        b"\x1b[M !",
        b"\x1bP",
        b"\x1b]11;rgb",
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
    assert_eq!(decoder.feed(b"["), []);
    assert_eq!(decoder.pause(), [key(KeyCode::Char('['))]);
}

#[test]
fn a_mark_that_is_cut_twice_is_no_key_either() {
    for at in 2..PASTE_BEGINNING.len() {
        let mut decoder = Decoder::default();
        decoder.feed(b"\x1b");
        assert_eq!(decoder.pause(), [key(KeyCode::Esc)]);
        assert_eq!(decoder.feed(&PASTE_BEGINNING[1..at]), [], "{at}");
        assert_eq!(decoder.patience(), Some(PASTE_PAUSE));
        let rest = [&PASTE_BEGINNING[at..], b"dq\x1b[201~"].concat();
        assert_eq!(decoder.feed(&rest), [paste("dq")], "{at}");
    }
    // Nothing of what was typed after all is lost.
    let typed = |text: &str| -> Vec<Input> {
        let letters = text.chars();
        letters.map(|c| key(KeyCode::Char(c))).collect()
    };
    let late = || {
        let mut decoder = Decoder::default();
        decoder.feed(b"\x1b");
        decoder.pause();
        decoder
    };
    let mut decoder = late();
    assert_eq!(decoder.feed(b"[2"), []);
    assert_eq!(decoder.pause(), typed("[2"));
    assert_eq!(decoder.patience(), None);
    let mut decoder = late();
    assert_eq!(decoder.feed(b"["), []);
    assert_eq!(decoder.feed(b"x[200~"), typed("[x[200~"));
    let mut decoder = late();
    decoder.feed(b"[20");
    let mut expected = typed("[20");
    expected.push(ctrl_c());
    assert_eq!(decoder.feed(b"\x03"), expected);
}

#[test]
fn half_a_click_takes_nothing_of_the_paste_behind_it() {
    for half in [&b"\x1b[M"[..], b"\x1b[M!", b"\x1b[M !"] {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.feed(half), []);
        let told = decoder.feed(b"\x1b[200~dq\x1b[201~q");
        assert_eq!(told, [paste("dq"), key(KeyCode::Char('q'))], "{half:?}");
    }
}

#[test]
fn what_a_terminal_answers_to_others_is_no_key() {
    for answer in [
        // Its version, a colour, its title, a setting, a picture; and what nothing says.
        &b"\x1bP>|tmux 3.4\x1b\\"[..],
        b"\x1b]11;rgb:dddd/uuuu/qqqq\x07",
        b"\x1b]11;rgb:dddd/uuuu/qqqq\x1b\\",
        b"\x1b]l\xd0\xb4 q\r\ndy\x1b\\",
        b"\x1bP1$r0 q\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
        b"\x1bXd\x1b\\",
        b"\x1b^d\x1b\\",
        b"\x1b]\x07",
    ] {
        assert_eq!(decoded(answer), [], "{answer:?}");
        let told = decoded(&[answer, b"q"].concat());
        assert_eq!(told, [key(KeyCode::Char('q'))], "{answer:?}");
    }
}

#[test]
fn half_an_answer_takes_neither_a_paste_nor_the_keys_after_a_pause() {
    for half in ["\x1bP>|tm", "\x1b]11;", "\x1bP1$\x1b"] {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.feed(half.as_bytes()), []);
        let told = decoder.feed(b"\x1b[200~dq\x1b[201~q");
        assert_eq!(told, [paste("dq"), key(KeyCode::Char('q'))], "{half:?}");
    }
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1bP>|tm");
    assert_eq!(decoder.patience(), Some(PASTE_PAUSE));
    assert_eq!(decoder.feed(b"ux"), []);
    assert_eq!(decoder.pause(), []);
    assert_eq!(decoder.patience(), None);
    assert_eq!(decoder.feed(b"q"), [key(KeyCode::Char('q'))]);
    // However much there is of it, it takes no room.
    decoder.feed(b"\x1b]52;c;");
    for _ in 0..100 {
        assert_eq!(decoder.feed(&[b'A'; 4096]), []);
        assert!(decoder.pending.capacity() <= MAX_SEQUENCE_BYTES);
    }
    assert_eq!(decoder.feed(b"\x1b\\q"), [key(KeyCode::Char('q'))]);
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

/// Bytes that mean something, alone or together, and any others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let meaning = proptest::sample::select(vec![
        &b"\x1b"[..],
        b"[",
        b"O",
        b"M",
        b"<",
        b"0;1;1",
        b"200~",
        b"201~",
        b"\x1b[200~",
        b"\x1b[201~",
        b"\x1b[M",
        b"\x1bP",
        b"\x1b]",
        b"\x1b\\",
        b"\x07",
        b";",
        b":",
        b"~",
        b"\xe2\x82",
        b"\xac",
        b"\x03",
        b"abc",
    ]);
    let meaning = meaning.prop_map(<[u8]>::to_vec);
    let any = vec(num::u8::ANY, 1..3);
    let pieces = vec(prop_oneof![4 => meaning, 1 => any], 0..24);
    pieces.prop_map(|pieces| pieces.concat())
}

/// Feeds `bytes` in pieces of these lengths.
fn fed(decoder: &mut Decoder, mut bytes: &[u8], lengths: &[usize], pauses: bool) -> Vec<Input> {
    let mut inputs = Vec::new();
    for length in lengths.iter().cycle() {
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        inputs.extend(decoder.feed(piece));
        if pauses && length % 3 == 0 && decoder.patience().is_some() {
            inputs.extend(decoder.pause());
        }
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    inputs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn no_bytes_are_too_much_for_it_and_ctrl_c_always_comes_through(
        bytes in bytes(), lengths in vec(1..7_usize, 1..8), begins_with_paste: bool,
    ) {
        let mut decoder = Decoder::default();
        if begins_with_paste {
            decoder.feed(b"\x1b[200~");
        }
        fed(&mut decoder, &bytes, &lengths, true);
        decoder.pause();
        // The first may end a paste.
        decoder.feed(b"\x03");
        let inputs = decoder.feed(b"\x03");
        prop_assert_eq!(inputs.last(), Some(&ctrl_c()));
    }

    #[test]
    fn it_does_not_matter_how_bytes_are_cut(bytes in bytes(), lengths in vec(1..7_usize, 1..8)) {
        let whole = Decoder::default().feed(&bytes);
        prop_assert_eq!(fed(&mut Decoder::default(), &bytes, &lengths, false), whole);
    }

    #[test]
    fn whatever_came_before_a_paste_is_no_key(bytes in bytes(), lengths in vec(1..7_usize, 1..8)) {
        let mut decoder = Decoder::default();
        fed(&mut decoder, &bytes, &lengths, true);
        if decoder.patience().is_some() {
            decoder.pause();
        }
        let inputs = decoder.feed(b"\x1b[200~qqq\x1b[201~");
        prop_assert!(!inputs.contains(&key(KeyCode::Char('q'))), "{:?}", inputs);
    }
}
