//! JSON that a terminal can show without harm.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// JSON in ASCII: every other character is written as `\uXXXX`, so that no text of a stranger steers a terminal, while
/// whoever parses it gets exactly what was sent.
///
/// # Panics
/// `value` can't be JSON: none of our own types is like that.
pub fn ascii_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Ascii);
    value
        .serialize(&mut serializer)
        .expect("our own types are always JSON");
    String::from_utf8(bytes).expect("ASCII is UTF-8")
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            if c.is_ascii() && c != '\x7f' {
                writer.write_all(&[c as u8])?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_of_every_kind_are_escaped() {
        let json = ascii_json(&"\x1b\x7f\u{9b}\u{202e}é🙂\"");
        let want = "\"\\u001b\\u007f\\u009b\\u202e\\u00e9\\ud83d\\ude42\\\"\"";
        assert_eq!(json, want);
    }

    proptest! {
        #[test]
        fn it_is_printable_ascii_and_says_the_same(text: String) {
            let json = ascii_json(&text);
            prop_assert!(json.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
