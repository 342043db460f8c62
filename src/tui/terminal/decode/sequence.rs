//! What a control sequence says, and which key a character is (ECMA-48 §5.4, xterm's `ctlseqs`).

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::tui::event::Input;

/// What stands behind `ESC [`, if its last byte has come.
pub(super) fn whole_sequence(sequence: &[u8]) -> Option<&[u8]> {
    match sequence {
        // The Linux console has function keys with a second bracket, and xterm's first mouse mode has three bytes of
        // any value behind its letter.
        [b'['] => None,
        [b'[', _] => Some(sequence),
        [b'M', rest @ ..] => (rest.len() == 3).then_some(sequence),
        [.., 0x40..=0x7e] => Some(sequence),
        _ => None,
    }
}

/// What a control sequence says, without its `ESC [`. Unknown ones say nothing.
pub(super) fn control_sequence(sequence: &[u8]) -> Option<Input> {
    let (last, parameters) = sequence.split_last()?;
    let key = |code, modifiers| Some(Input::Key(KeyEvent::new(code, modifiers)));
    match (sequence, last) {
        ([b'[', letter @ b'A'..=b'E'], _) => key(KeyCode::F(1 + letter - b'A'), KeyModifiers::NONE),
        ([b'M', button, column, row], _) => {
            let one_based = |byte: &u8| u16::from(byte.saturating_sub(32));
            let button = button.checked_sub(32)?;
            mouse(button, one_based(column), one_based(row), false)
        }
        ([b'<', ..], b'M' | b'm') => {
            let numbers = std::str::from_utf8(&parameters[1..]).ok()?;
            let mut numbers = numbers.split(';').map(|number| number.parse::<u16>().ok());
            let mut next = || numbers.next().flatten();
            let (button, column, row) = (u8::try_from(next()?).ok()?, next()?, next()?);
            mouse(button, column, row, *last == b'm')
        }
        (_, b'Z') => key(KeyCode::BackTab, KeyModifiers::SHIFT),
        (_, b'~' | b'u') => {
            let (number, modifiers) = numbered(parameters)?;
            if *last == b'~' {
                return key(editing_or_function(number)?, modifiers);
            }
            let (code, own) = unicode(number, modifiers)?;
            key(code, modifiers | own)
        }
        _ => {
            let code = cursor_or_function(*last)?;
            let modifiers = if parameters.is_empty() {
                KeyModifiers::NONE
            } else {
                numbered(parameters)?.1
            };
            key(code, modifiers)
        }
    }
}

/// A key's number and its modifiers: `number`, or `number;1 + bits` with bits for Shift, Alt, Control, Super, Hyper and
/// Meta. Nothing for a key that is let go (`:3`, as kitty says it).
fn numbered(parameters: &[u8]) -> Option<(u32, KeyModifiers)> {
    let mut parameters = std::str::from_utf8(parameters).ok()?.split(';');
    let number = match parameters.next()?.split(':').next()? {
        "" => 1,
        number => number.parse().ok()?,
    };
    let mut modifiers = KeyModifiers::NONE;
    if let Some(parameter) = parameters.next() {
        let mut parts = parameter.split(':');
        let bits = parts.next()?.parse::<u8>().ok()?.saturating_sub(1);
        for (bit, modifier) in [
            (1, KeyModifiers::SHIFT),
            (2, KeyModifiers::ALT),
            (4, KeyModifiers::CONTROL),
            (8, KeyModifiers::SUPER),
            (16, KeyModifiers::HYPER),
            (32, KeyModifiers::META),
        ] {
            if bits & bit != 0 {
                modifiers |= modifier;
            }
        }
        if parts.next() == Some("3") {
            return None;
        }
    }
    Some((number, modifiers))
}

/// The key that writes this character, or is called by this control character.
pub(super) fn character(c: char) -> (KeyCode, KeyModifiers) {
    let control = |from: u8, at: u8| (KeyCode::Char(char::from(from + at)), KeyModifiers::CONTROL);
    match u8::try_from(c) {
        Ok(b'\r') => (KeyCode::Enter, KeyModifiers::NONE),
        Ok(b'\t') => (KeyCode::Tab, KeyModifiers::NONE),
        Ok(0x7f) => (KeyCode::Backspace, KeyModifiers::NONE),
        Ok(0) => control(b' ', 0),
        Ok(byte @ 0x01..=0x1a) => control(b'a', byte - 1),
        Ok(byte @ 0x1c..=0x1f) => control(b'4', byte - 0x1c),
        _ if c.is_uppercase() => (KeyCode::Char(c), KeyModifiers::SHIFT),
        _ => (KeyCode::Char(c), KeyModifiers::NONE),
    }
}

/// The key of a character that is told by its number (`CSI number;modifiers u`).
fn unicode(number: u32, modifiers: KeyModifiers) -> Option<(KeyCode, KeyModifiers)> {
    let c = char::from_u32(number)?;
    Some(match c {
        '\x1b' => (KeyCode::Esc, KeyModifiers::NONE),
        '\t' if modifiers.contains(KeyModifiers::SHIFT) => (KeyCode::BackTab, KeyModifiers::NONE),
        c if c.is_ascii_lowercase() && modifiers == KeyModifiers::SHIFT => {
            (KeyCode::Char(c.to_ascii_uppercase()), KeyModifiers::NONE)
        }
        c => character(c),
    })
}

pub(super) fn cursor_or_function(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(1 + last - b'P'),
        _ => return None,
    })
}

fn editing_or_function(number: u32) -> Option<KeyCode> {
    let number = u8::try_from(number).ok()?;
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        // VT220's rows of function keys have gaps between them.
        11..=15 => KeyCode::F(number - 10),
        17..=21 => KeyCode::F(number - 11),
        23..=26 => KeyCode::F(number - 12),
        _ => return None,
    })
}

/// A mouse event: two low and two high bits of `button` are its number, the others modifiers and whether it moves.
/// Columns and rows count from one.
fn mouse(button: u8, column: u16, row: u16, is_up: bool) -> Option<Input> {
    let kind = match (
        button & 0b11 | (button & 0b1100_0000) >> 4,
        button & 0b10_0000 != 0,
    ) {
        (0, false) if is_up => MouseEventKind::Up(MouseButton::Left),
        (0, false) => MouseEventKind::Down(MouseButton::Left),
        (4, false) => MouseEventKind::ScrollUp,
        (5, false) => MouseEventKind::ScrollDown,
        _ => return None, // no other does anything here
    };
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [
        (4, KeyModifiers::SHIFT),
        (8, KeyModifiers::ALT),
        (16, KeyModifiers::CONTROL),
    ] {
        if button & bit != 0 {
            modifiers |= modifier;
        }
    }
    Some(Input::Mouse(MouseEvent {
        kind,
        column: column.checked_sub(1)?,
        row: row.checked_sub(1)?,
        modifiers,
    }))
}
