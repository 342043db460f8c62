//! Names that senders give to files, made harmless for whoever writes a file by one.

use kkv_protocol::blank::is_ignorable;

/// Longest name that is made, in bytes: with a number behind it, it stays below what file systems take.
const MAX_BYTES: usize = 200;
/// Longest extension that is kept of a name that is cut, in bytes.
const MAX_EXTENSION_BYTES: usize = 16;
/// What stands for a character that is left out.
const BLANK: char = '_';
/// Names that mean devices on some systems, with any extension: a saved file may be carried there.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A name for a file in a directory, by what its sender calls it, whatever that is: never empty, never another
/// directory's, never hidden, never an option of a command, and nothing in it steers a terminal or turns its letters
/// around.
///
/// ```
/// use kkv_ui::file_name::safe;
///
/// assert_eq!(safe("holiday.jpg"), "holiday.jpg");
/// assert_eq!(safe("../../.bashrc"), "_._.._.bashrc");
/// assert_eq!(safe("gpj.\u{202e}exe"), "gpj._exe");
/// ```
#[must_use]
pub fn safe(name: &str) -> String {
    let mut safe: String = name
        .chars()
        .map(|c| if is_harmless(c) { c } else { BLANK })
        .collect();
    if safe.starts_with(['.', '-', '~', ' ']) {
        safe.replace_range(..1, "_");
    }
    // Some systems leave these out at the end, so that a name becomes another one.
    while safe.ends_with(['.', ' ']) {
        safe.pop();
        safe.push(BLANK);
    }
    if safe.is_empty() {
        safe.push_str("file");
    }
    let stem = safe
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if RESERVED.contains(&stem.trim_end()) {
        safe.insert(0, BLANK);
    }
    cut(safe)
}

/// The same with a number before its extension, for another file of that name.
///
/// ```
/// use kkv_ui::file_name::numbered;
///
/// assert_eq!(numbered("holiday.jpg", 2), "holiday (2).jpg");
/// assert_eq!(numbered("README", 3), "README (3)");
/// ```
#[must_use]
pub fn numbered(safe: &str, number: u32) -> String {
    let (stem, extension) = split(safe);
    format!("{stem} ({number}){extension}")
}

fn is_harmless(c: char) -> bool {
    let is_part_of_paths = matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let is_blank = c.is_whitespace() && c != ' ';
    !(is_part_of_paths || is_blank || c.is_control() || is_ignorable(c) || is_turning(c))
}

/// What sets the direction of what follows (UAX #9), which `is_ignorable` has in part.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What stands before the extension, and that with its dot; all of it if it has none.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= MAX_EXTENSION_BYTES => name.split_at(at),
        _ => (name, ""),
    }
}

fn cut(name: String) -> String {
    if name.len() <= MAX_BYTES {
        return name;
    }
    let (stem, extension) = split(&name);
    let mut end = MAX_BYTES - extension.len();
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", stem[..end].trim_end_matches([' ', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_become_names_of_files_in_one_directory() {
        for (name, made) in [
            ("", "file"),
            (".", "_"),
            ("..", "__"),
            ("/", "_"),
            ("/etc/passwd", "_etc_passwd"),
            ("..\\..\\boot.ini", "_._.._boot.ini"),
            (".bashrc", "_bashrc"),
            ("-rf", "_rf"),
            ("~root", "_root"),
            ("a\nb\u{1b}[2Jc\0d\u{7f}\u{9b}", "a_b_[2Jc_d__"),
            ("photo\u{202e}gpj.exe", "photo_gpj.exe"),
            ("a\u{200f}b\u{2066}c\u{feff}d", "a_b_c_d"),
            ("con", "_con"),
            ("NUL.txt", "_NUL.txt"),
            ("com1 .txt", "_com1 .txt"),
            ("console.log", "console.log"),
            ("dots...", "dots.._"),
            ("  ", "__"),
            ("C:\\x", "C__x"),
            ("Übung (1).tar.gz", "Übung (1).tar.gz"),
        ] {
            assert_eq!(safe(name), made, "{name:?}");
        }
    }

    #[test]
    fn long_names_are_cut_and_keep_their_extension() {
        let long = safe(&format!("{}.jpeg", "é".repeat(125)));
        assert!(
            long.len() <= MAX_BYTES && long.ends_with("é.jpeg"),
            "{long}"
        );
        let long = safe(&"x.".repeat(127));
        assert!(long.len() <= MAX_BYTES && !long.ends_with('.'), "{long}");
        assert_eq!(safe(&"a".repeat(255)).len(), MAX_BYTES);
    }
}

#[cfg(test)]
mod properties {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_name_says_it_is_one_component_and_shows_as_it_is(name in any::<String>(), number in 2..100_u32) {
            for made in [safe(&name), numbered(&safe(&name), number)] {
                let components: Vec<_> = Path::new(&made).components().collect();
                prop_assert!(matches!(components[..], [Component::Normal(only)] if only == made.as_str()));
                prop_assert!(made.len() < 255 && !made.starts_with(['.', '-']));
                prop_assert!(made.chars().all(is_harmless));
            }
        }
    }
}
