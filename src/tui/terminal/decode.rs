//! Bytes from the terminal, decoded into keys, mouse events and pastes (ECMA-48 §5.4, xterm's `ctlseqs`).
//!
//! A paste stands between `ESC [200~` and `ESC [201~`. crossterm's own parser waits for the second mark without end, so
//! half a paste made the client deaf to every key. Here a paste that pauses is handed over in parts, takes no more than
//! [`MAX_PASTE_BYTES`], and ends by a Ctrl-C that comes alone after a pause.
//!
//! What the terminal answers to a program that was here before (its name, a colour, its title) comes among the keys,
//! too. Control strings (ECMA-48 §5.6: DCS, SOS, OSC, PM and APC) say nothing here.

mod sequence;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use zeroize::Zeroizing;

use self::sequence::{character, control_sequence, cursor_or_function, whole_sequence};
use super::super::event::Input;

/// More of one paste is dropped: eighteen times what a message holds.
pub(in crate::tui) const MAX_PASTE_BYTES: usize = 64 * 1024;

/// A sequence that is longer is none that is known here: the longest, a click far to the right and below, has 18 bytes.
const MAX_SEQUENCE_BYTES: usize = 64;

/// A paste that says nothing for so long has stalled, and a control string, or what may become the mark of a paste, is
/// given up. Within a burst of input, pauses are shorter, but for slow lines.
const PASTE_PAUSE: Duration = Duration::from_millis(400);

/// An ESC that nothing follows for so long is the key: what it begins may come in a packet of its own.
const ESC_PAUSE: Duration = Duration::from_millis(50);

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CTRL_C: u8 = 0x03;
const PASTE_BEGINNING: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Takes bytes in pieces of any size, and gives what they say.
#[derive(Default)]
pub(in crate::tui) struct Decoder {
    /// The beginning of a sequence or of a character.
    pending: Vec<u8>,
    paste: Option<Paste>,
    /// Whether a control string has begun, of which nothing is kept.
    is_in_string: bool,
    /// Whether an ESC was just taken for the key.
    was_escape: bool,
    /// Whether what is pending begins with that ESC: it is the mark of a paste, or was typed.
    is_late_mark: bool,
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
        if was_escape && bytes.first() == Some(&PASTE_BEGINNING[1]) {
            self.pending = vec![ESC];
            self.is_late_mark = true;
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
            None if self.is_in_string || self.is_late_mark => Some(PASTE_PAUSE),
            None => match self.pending.as_slice() {
                [ESC] => Some(ESC_PAUSE),
                [ESC, letter] if begins_string(*letter) => Some(ESC_PAUSE),
                _ => None,
            },
        }
    }

    /// Nothing has come for a while: hands over what there is of a paste, and an ESC as the key, or as Alt.
    pub(in crate::tui) fn pause(&mut self) -> Vec<Input> {
        if let Some(paste) = &mut self.paste {
            (paste.is_stalled, paste.has_stalled) = (true, true);
            let text = paste.take_whole_characters();
            if !text.is_empty() {
                self.inputs.push(Input::Paste(text));
            }
            self.inputs.push(Input::PasteStalled);
            return std::mem::take(&mut self.inputs);
        }
        if std::mem::take(&mut self.is_in_string) {
            self.pending.clear();
        }
        if self.is_late_mark {
            self.release_late_mark();
        }
        match self.pending.as_slice() {
            [ESC] => {
                self.escape();
                self.was_escape = true;
            }
            &[ESC, letter] if begins_string(letter) => {
                self.pending.clear();
                self.is_character(&[letter], KeyModifiers::ALT);
            }
            _ => {}
        }
        std::mem::take(&mut self.inputs)
    }

    /// The ESC that has come is the key.
    fn escape(&mut self) {
        self.pending.clear();
        self.key(KeyCode::Esc, KeyModifiers::NONE);
    }

    /// What could have become the mark of a paste was typed: the ESC is told already.
    fn release_late_mark(&mut self) {
        self.is_late_mark = false;
        for byte in std::mem::take(&mut self.pending).into_iter().skip(1) {
            self.push(byte);
        }
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
        if self.is_late_mark && PASTE_BEGINNING[self.pending.len()] != byte {
            self.release_late_mark();
        }
        if self.is_in_string && self.takes_into_string(byte) {
            return;
        }
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
            [ESC, letter] if begins_string(*letter) => false,
            [ESC, letter, _] if begins_string(*letter) => {
                self.is_in_string = true;
                return self.push(byte);
            }
            [ESC, b'O', last] => {
                if let Some(code) = cursor_or_function(*last) {
                    self.key(code, KeyModifiers::NONE);
                }
                true
            }
            [ESC, b'[', sequence @ ..] => match whole_sequence(sequence) {
                None => false,
                Some(_) if pending == PASTE_BEGINNING => {
                    self.is_late_mark = false;
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

    /// Whether this byte belongs to the control string that has begun. ST (`ESC \`) or BEL ends it; so do Ctrl-C, and
    /// an ESC with which something else begins, and these count.
    fn takes_into_string(&mut self, byte: u8) -> bool {
        let is_after_escape = self.pending == [ESC];
        match byte {
            ESC if !is_after_escape => self.pending.push(ESC),
            ESC => self.is_in_string = false, // this one begins something
            BEL | CTRL_C => {
                self.pending.clear();
                self.is_in_string = false;
                return byte == BEL;
            }
            b'\\' if is_after_escape => {
                self.pending.clear();
                self.is_in_string = false;
            }
            _ if is_after_escape => {
                self.is_in_string = false;
                return false;
            }
            _ => {}
        }
        true
    }

    /// Whether what was begun can't go on with this byte: a control character ends a sequence (a click has none in it
    /// either: xterm adds 32 to its numbers), and so does what is no part of a character that has begun. Such a byte
    /// counts, above all Ctrl-C.
    fn is_cut_short_by(&self, byte: u8) -> bool {
        match self.pending.as_slice() {
            [] | [ESC] => false,
            [ESC, letter] if begins_string(*letter) => false,
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

/// Whether this letter begins a control string behind an ESC: DCS, SOS, OSC, PM, APC.
fn begins_string(letter: u8) -> bool {
    matches!(letter, b'P' | b'X' | b']' | b'^' | b'_')
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

#[cfg(test)]
mod tests;
