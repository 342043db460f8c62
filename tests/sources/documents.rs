//! What the documents say of files and tests is so: whatever they name exists.

use std::fs;
use std::path::Path;

use super::{root, sources};

const DOCUMENTS: [&str; 8] = [
    "README.md",
    "ARCHITECTURE.md",
    "docs/JSON.md",
    "docs/PROTOCOL.md",
    "docs/THREATS.md",
    "benches/README.md",
    "fuzz/README.md",
    "CHANGELOG.md",
];

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// What stands between single backticks, outside blocks of code.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|part| part.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn every_file_that_is_named_exists() {
    for document in DOCUMENTS {
        let text = read(document);
        let named: Vec<&str> = quoted(&text)
            .into_iter()
            .filter(|name| {
                [
                    "tests/", "fuzz/", "crates/", "src/", "docs/", "scripts/", "dist/",
                ]
                .iter()
                .any(|room| name.starts_with(room))
            })
            .filter(|name| !name.contains(['<', '*', '{', ' ']) && !name.contains("TARGET"))
            .collect();
        for name in named {
            let there = [name.to_owned(), format!("{name}.rs")];
            let exists = there.iter().any(|name| root().join(name).exists());
            assert!(exists, "{document} names {name}, which is not there");
        }
    }
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    for document in DOCUMENTS {
        let text = read(document);
        let directory = Path::new(document)
            .parent()
            .expect("a file is in a directory");
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") {
                let path = root().join(directory).join(file);
                assert!(
                    path.exists(),
                    "{document} leads to {link}, which is not there"
                );
            }
        }
    }
}

#[test]
fn every_test_that_the_threats_name_exists() {
    let all = sources(&["crates", "src", "tests"]);
    let threats = read("docs/THREATS.md");
    let names = quoted(&threats).into_iter().filter(|name| {
        name.contains('_')
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    });
    let names: Vec<&str> = names.collect();
    assert!(!names.is_empty());
    for name in names {
        let function = format!("fn {name}(");
        assert!(
            all.iter().any(|(_, text)| text.contains(&function)),
            "there is no test {name}"
        );
    }
}

/// Screens in the README are those that the tests of the interactive client see. `scripts/screens` draws both anew.
#[test]
fn the_screens_in_the_readme_are_as_the_client_draws_them() {
    let readme = read("README.md");
    let mut blocks = readme.split("<!-- screen ").skip(1).peekable();
    assert!(blocks.peek().is_some(), "it has none");
    for block in blocks {
        let (name, rest) = block
            .split_once(" -->\n\n```text\n")
            .expect("a name, and then its screen");
        let (shown, _) = rest.split_once("```\n").expect("an end");
        let screen = read(&format!("tests/screen/looks/{name}.txt"));
        assert_eq!(shown, screen, "{name}: run scripts/screens");
    }
}
