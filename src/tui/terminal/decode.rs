//! Bytes from the terminal, decoded into keys, mouse events and pastes (ECMA-48 §5.4, xterm's `ctlseqs`).
//!
//! A paste stands between `ESC [200~` and `ESC [201~`. crossterm's own parser waits for the second mark without end, so
//! half a paste made the client deaf to every key. Here a paste that pauses is handed over in parts, takes no more than
//! [`MAX_PASTE_BYTES`], and ends by a Ctrl-C that comes alone after a pause.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use zeroize::Zeroizing;

use super::super::event::Input;

/// More of one paste is dropped: eighteen times what a message holds.
pub(in crate::tui) const MAX_PASTE_BYTES: usize = 64 * 1024;

/// A sequence that is longer is none that is known here: the longest, a click far to the right and below, has 18 bytes.
const MAX_SEQUENCE_BYTES: usize = 64;

/// A paste that says nothing for so long has stalled. Within a burst of input, pauses are shorter, but for slow lines.
const PASTE_PAUSE: Duration = Duration::from_millis(400);

/// An ESC that nothing follows for so long is the key: what it begins may come in a packet of its own.
const ESC_PAUSE: Duration = Duration::from_millis(50);

const ESC: u8 = 0x1b;
const CTRL_C: u8 = 0x03;
const PASTE_BEGINNING: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Takes bytes in pieces of any size, and gives what they say.
#[derive(Default)]
pub(in crate::tui) struct Decoder {
    /// The beginning of a sequence or of a character.
    pending: Vec<u8>,
    paste: Option<Paste>,
    /// Whether an ESC was just taken for the key.
    was_escape: bool,
    inputs: Vec<Input>,
}

/// A paste whose end has not come.
#[derive(Default)]
struct Paste {
    /// What has come and was not handed over.
    bytes: Vec<u8>,
    /// Bytes of it that were handed over.
    handed: usize,
    /// Bytes of [`PASTE_END`] that have come.
    matched: usize,
    is_cut: bool,
    /// Whether it has stalled before.
    has_stalled: bool,
    /// Whether nothing has come since it stalled.
    is_stalled: bool,
}

impl Decoder {
    /// Decodes the bytes that have come.
    pub(in crate::tui) fn feed(&mut self, bytes: &[u8]) -> Vec<Input> {
        if self.paste.as_ref().is_some_and(|paste| paste.is_stalled) && bytes == [CTRL_C] {
            self.end_paste();
            return std::mem::take(&mut self.inputs);
        }
        // On a line so slow that the first byte was taken for a key, what follows must be a paste none the less, and no
        // keys. Nobody types it.
        let was_escape = std::mem::take(&mut self.was_escape);
        if was_escape && bytes.starts_with(&PASTE_BEGINNING[1..]) {
            self.pending = vec![ESC];
        }
        for byte in bytes {
            match &mut self.paste {
                Some(paste) => {
                    if paste.push(*byte) {
                        self.end_paste();
                    }
                }
                None => self.push(*byte),
            }
        }
        std::mem::take(&mut self.inputs)
    }

    /// After how long a pause [`Self::pause`] is to be called, if it matters that nothing comes for a while.
    pub(in crate::tui) fn patience(&self) -> Option<Duration> {
        match &self.paste {
            Some(paste) => (!paste.is_stalled).then_some(PASTE_PAUSE),
            None => (self.pending == [ESC]).then_some(ESC_PAUSE),
        }
    }

    /// Nothing has come for a while: hands over what there is of a paste, and an ESC as the key.
    pub(in crate::tui) fn pause(&mut self) -> Vec<Input> {
        if let Some(paste) = &mut self.paste {
            (paste.is_stalled, paste.has_stalled) = (true, true);
            let text = paste.take_whole_characters();
            if !text.is_empty() {
                self.inputs.push(Input::Paste(text));
            }
            self.inputs.push(Input::PasteStalled);
        } else if self.pending == [ESC] {
            self.escape();
            self.was_escape = true;
        }
        std::mem::take(&mut self.inputs)
    }

    /// The ESC that has come is the key.
    fn escape(&mut self) {
        self.pending.clear();
        self.key(KeyCode::Esc, KeyModifiers::NONE);
    }

    fn end_paste(&mut self) {
        let Some(paste) = self.paste.take() else {
            return;
        };
        let text = Zeroizing::new(String::from_utf8_lossy(&paste.bytes).into_owned());
        // That something was pasted is told even if it was nothing.
        if !text.is_empty() || !paste.has_stalled {
            self.inputs.push(Input::Paste(text));
        }
        if paste.is_cut {
            self.inputs.push(Input::PasteCut);
        }
        if paste.has_stalled {
            self.inputs.push(Input::PasteEnded);
        }
    }

    fn key(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.inputs.push(Input::Key(KeyEvent::new(code, modifiers)));
    }

    /// A byte outside of a paste.
    fn push(&mut self, byte: u8) {
        if self.is_cut_short_by(byte) {
            self.pending.clear();
        }
        if self.pending == [ESC] && matches!(byte, ESC | CTRL_C) {
            self.escape();
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.push(byte);
        let is_whole = match pending.as_slice() {
            [ESC] | [ESC, b'O'] => false,
            [ESC, b'O', last] => {
                if let Some(code) = cursor_or_function(*last) {
                    self.key(code, KeyModifiers::NONE);
                }
                true
            }
            [ESC, b'[', sequence @ ..] => match whole_sequence(sequence) {
                None => false,
                Some(_) if pending == PASTE_BEGINNING => {
                    self.paste = Some(Paste::default());
                    true
                }
                Some(_) if pending.len() > MAX_SEQUENCE_BYTES => true,
                Some(sequence) => {
                    self.inputs.extend(control_sequence(sequence));
                    true
                }
            },
            [ESC, bytes @ ..] => self.is_character(bytes, KeyModifiers::ALT),
            bytes => self.is_character(bytes, KeyModifiers::NONE),
        };
        if !is_whole {
            // Of a sequence that is too long only the end is waited for.
            pending.truncate(MAX_SEQUENCE_BYTES);
            self.pending = pending;
        }
    }

    /// Whether what was begun can't go on with this byte: a control character ends a sequence, and so does what is no
    /// part of a character that has begun. Such a byte counts, above all Ctrl-C.
    fn is_cut_short_by(&self, byte: u8) -> bool {
        match self.pending.as_slice() {
            [] | [ESC] | [ESC, b'[', b'M', ..] => false,
            [ESC, b'[' | b'O', ..] => byte < b' ',
            _ => !matches!(byte, 0x80..0xc0), // in the middle of a character (RFC 3629 §3)
        }
    }

    /// Whether these bytes are a whole character, which is a key then, or can't become one.
    fn is_character(&mut self, bytes: &[u8], modifiers: KeyModifiers) -> bool {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                for (code, own) in text.chars().map(character) {
                    self.key(code, modifiers | own);
                }
                true
            }
            Err(fault) => fault.error_len().is_some(),
        }
    }
}

impl Paste {
    /// Takes a byte; whether it was the last of the mark at the end.
    fn push(&mut self, byte: u8) -> bool {
        self.is_stalled = false;
        if byte == PASTE_END[self.matched] {
            self.matched += 1;
            return self.matched == PASTE_END.len();
        }
        // No mark after all. Its first byte stands nowhere else in it, so only that can begin another.
        let matched = std::mem::take(&mut self.matched);
        self.keep(&PASTE_END[..matched]);
        if byte == PASTE_END[0] {
            self.matched = 1;
        } else {
            self.keep(&[byte]);
        }
        false
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_PASTE_BYTES.saturating_sub(self.handed + self.bytes.len());
        self.is_cut |= bytes.len() > room;
        self.bytes.extend(bytes.iter().take(room));
    }

    /// Takes what there is, but for the beginning of a character or of a line feed at its end.
    fn take_whole_characters(&mut self) -> Zeroizing<String> {
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.strip_suffix('\r').unwrap_or(text).len(),
            Err(fault) if fault.error_len().is_none() => fault.valid_up_to(),
            Err(_) => self.bytes.len(),
        };
        let rest = self.bytes.split_off(whole);
        let taken = Zeroizing::new(std::mem::replace(&mut self.bytes, rest));
        self.handed += taken.len();
        Zeroizing::new(String::from_utf8_lossy(&taken).into_owned())
    }
}

/// What stands behind `ESC [`, if its last byte has come.
fn whole_sequence(sequence: &[u8]) -> Option<&[u8]> {
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
fn control_sequence(sequence: &[u8]) -> Option<Input> {
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
fn character(c: char) -> (KeyCode, KeyModifiers) {
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

fn cursor_or_function(last: u8) -> Option<KeyCode> {
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

#[cfg(test)]
mod tests;
