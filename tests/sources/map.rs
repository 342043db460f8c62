//! The map of files in ARCHITECTURE.md: each with what it says of itself in its first line.

use std::collections::BTreeMap;
use std::{env, fs};

use snapbox::Assert;
use snapbox::assert::DEFAULT_ACTION_ENV;

use super::documents::read;
use super::{root, sources};

/// Between these lines of ARCHITECTURE.md stands the map.
const MARKS: [&str; 2] = [
    "<!-- made by cargo xtask map, of the first line of each file -->\n",
    "<!-- end of the map -->\n",
];

/// The first sentence of the first lines of a file; none if it doesn't begin with such lines.
fn purpose(source: &str) -> Option<String> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let words: Vec<&str> = lines
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let words = words
        .join(" ")
        .replace("[`", "`")
        .replace("`]", "`")
        .replace('|', "\\|");
    let end = words.find(". ").map_or(words.len(), |end| end + 1);
    (!words.is_empty()).then(|| words[..end].trim_end_matches('.').to_owned())
}

#[test]
fn the_map_is_made_of_what_the_files_say() {
    let mut rooms: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (path, source) in sources(&["crates", "src", "bin", "xtask"]) {
        let path = path.strip_prefix(root()).expect("it is below");
        let name = path.to_str().expect("a plain name");
        // The tests of a crate are what ARCHITECTURE.md has a table of; those beside a file need no line.
        let is_test = path.iter().any(|part| part == "tests") || path.ends_with("tests.rs");
        if is_test {
            continue;
        }
        let says = purpose(&source).unwrap_or_else(|| panic!("{name} doesn't say what it is for"));
        let (room, file) = match name.split_once("/src/") {
            Some((room, file)) => (format!("{room}/src"), file),
            None => name
                .split_once('/')
                .map(|(room, file)| (room.to_owned(), file))
                .expect("it is in a directory"),
        };
        rooms
            .entry(room)
            .or_default()
            .insert(file.trim_end_matches(".rs").to_owned(), says);
    }
    let mut map = String::new();
    for (room, files) in &rooms {
        map += &format!("\n### {room}\n\n| file | what it is for |\n|---|---|\n");
        map.extend(
            files
                .iter()
                .map(|(file, says)| format!("| `{file}` | {says} |\n")),
        );
    }
    let kept = read("ARCHITECTURE.md");
    let [begin, end] = MARKS.map(|mark| kept.find(mark).expect("the marks of the map"));
    let begin = begin + MARKS[0].len();
    let new = format!("{}{map}\n{}", &kept[..begin], &kept[end..]);
    if env::var_os(DEFAULT_ACTION_ENV).is_some() {
        fs::write(root().join("ARCHITECTURE.md"), new).expect("it can be written");
    } else {
        Assert::new().eq(kept, new);
    }
}

#[test]
fn what_a_file_is_for_is_its_first_sentence() {
    let says = |source| purpose(source);
    let source = "//! Reads [`Wire`] or\n//! not. And more.\n//!\n//! Even more.\n\nuse a;\n";
    assert_eq!(says(source).as_deref(), Some("Reads `Wire` or not"));
    assert_eq!(says("use a;\n//! late\n"), None);
}
