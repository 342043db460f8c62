//! Any text as it is printed: nothing that steers a terminal comes out, and JSON says exactly what went in.
#![no_main]

use kkv_terminal::json::ascii_json;
use kkv_terminal::visible::Visible;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Characters that move a cursor, turn the order of letters, or are not to be seen, as ranges of Unicode: a list of its
/// own, beside the tables that the program goes by.
const STEERING: [(char, char); 21] = [
    ('\0', '\x09'),
    ('\x0b', '\x1f'),
    ('\x7f', '\u{a0}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{2000}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202f}'),
    ('\u{205f}', '\u{206f}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0001}', '\u{e007f}'),
];

fn steers(c: char) -> bool {
    STEERING
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&c))
}

/// Whether every joiner stands between two characters of scripts from Arabic on.
fn joins_letters(shown: &str) -> bool {
    let is_joiner = |c: &char| ('\u{200c}'..='\u{200d}').contains(c);
    let is_letter = |c: Option<&char>| c.is_some_and(|c| ('\u{600}'..'\u{1900}').contains(c));
    let shown: Vec<char> = shown.chars().collect();
    let mut places = (0..shown.len()).filter(|place| is_joiner(&shown[*place]));
    places.all(|place| {
        place > 0 && is_letter(shown.get(place - 1)) && is_letter(shown.get(place + 1))
    })
}

/// The longest that one character becomes: `<U+10FFFF>`.
const LONGEST: usize = 10;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let shown = Visible(&text).to_string();
    assert!(!shown.contains(steers), "{shown:?}");
    assert!(joins_letters(&shown), "{shown:?}");
    assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
    assert!(shown.len() <= LONGEST * text.chars().count());
    assert_eq!(
        Visible(&shown).to_string(),
        shown,
        "what is shown is shown as it is"
    );

    let json = ascii_json(&text);
    assert!(json.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    assert_eq!(
        serde_json::from_str::<String>(&json).ok().as_deref(),
        Some(&*text)
    );

    // A value with names and texts of a stranger's in it. (Floats lose a digit now and then when they are read; there
    // are none in what we print.)
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        let (plain, ascii) = (value.to_string(), ascii_json(&value));
        assert!(ascii.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        let [plain, ascii] = [plain, ascii].map(|json| serde_json::from_str::<Value>(&json).ok());
        assert!(plain.is_some() && plain == ascii);
    }
});
