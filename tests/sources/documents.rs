//! What the documents say of files, tests and crates is so: whatever they name exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{root, sources};

/// Where documents are.
const DIRECTORIES: [&str; 5] = ["", "docs", "docs/guide", "benches", "fuzz"];

/// Every document: its path from the root, and what is in it.
pub(super) fn documents() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for directory in DIRECTORIES {
        let entries = fs::read_dir(root().join(directory)).expect("a directory of ours");
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|end| end == "md") {
                let name = path.strip_prefix(root()).expect("it is below");
                let name = name.to_str().expect("a plain name").to_owned();
                let text = read(&name);
                found.push((name, text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 15, "these are not all: {}", found.len());
    found
}

pub(super) fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// What stands between single backticks, outside blocks of code.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|part| part.split('`').skip(1).step_by(2))
        .collect()
}

/// Where the links and pictures of a document lead: a file, from the root, and a heading in it; of either one may be
/// empty.
fn links(name: &str, text: &str) -> Vec<(String, String)> {
    let directory = Path::new(name).parent().expect("a file is in a directory");
    let prose: String = text.split("```").step_by(2).collect();
    let links = prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let links = links.filter(|link| !link.contains("://"));
    let whole = |link: &str| {
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        let file = match file {
            "" => name.to_owned(),
            file => plain(&directory.join(file)),
        };
        (file, heading.to_owned())
    };
    links.map(whole).collect()
}

/// A path without `..`.
fn plain(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path {
        match part.to_str().expect("a plain name") {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The names that GitHub gives to the headings of a document.
fn headings(text: &str) -> BTreeSet<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let name = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        words
            .chars()
            .filter(kept)
            .collect::<String>()
            .replace(' ', "-")
    };
    headings.map(name).collect()
}

#[test]
fn every_file_that_is_named_exists() {
    for (document, text) in documents() {
        let named: Vec<&str> = quoted(&text)
            .into_iter()
            .filter(|name| {
                [
                    "tests/", "fuzz/", "crates/", "src/", "docs/", "scripts/", "dist/", "xtask/",
                    "benches/", ".cargo/",
                ]
                .iter()
                .any(|room| name.starts_with(room))
            })
            .filter(|name| {
                !name.contains(['<', '*', '{', ' '])
                    && !["TARGET", "NAME"].iter().any(|any| name.contains(any))
            })
            .collect();
        for name in named {
            let there = [name.to_owned(), format!("{name}.rs")];
            let exists = there.iter().any(|name| root().join(name).exists());
            assert!(exists, "{document} names {name}, which is not there");
        }
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut checked = 0;
    for (document, text) in documents() {
        for (file, heading) in links(&document, &text) {
            let path = root().join(&file);
            assert!(
                path.exists(),
                "{document} leads to {file}, which is not there"
            );
            let there = heading.is_empty() || headings(&read(&file)).contains(&heading);
            assert!(
                there,
                "{document} leads to {file}#{heading}, which is not there"
            );
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} links were found");
    assert_eq!(plain(Path::new("docs/guide/../JSON.md")), "docs/JSON.md");
    let names = headings("# A `b`, c\n```\n# not\n```\n## What it is, and why\n");
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        ["a-b-c", "what-it-is-and-why"]
    );
}

#[test]
fn the_readme_is_short_and_leads_to_every_page_of_the_guide() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 150);
    let leads: BTreeSet<String> = links("README.md", &readme)
        .into_iter()
        .map(|(file, _)| file)
        .collect();
    let index = links("docs/guide/README.md", &read("docs/guide/README.md"));
    let index: BTreeSet<String> = index.into_iter().map(|(file, _)| file).collect();
    for (page, _) in documents() {
        let is_page = page.starts_with("docs/guide/") && page != "docs/guide/README.md";
        if is_page {
            assert!(leads.contains(&page), "the README doesn't lead to {page}");
            assert!(
                index.contains(&page),
                "the guide's index doesn't lead to {page}"
            );
        }
    }
}

#[test]
fn every_picture_is_shown() {
    let all = documents();
    let shown: BTreeSet<String> = all
        .iter()
        .flat_map(|(name, text)| links(name, text))
        .map(|(file, _)| file)
        .collect();
    for entry in fs::read_dir(root().join("docs/pictures")).expect("pictures") {
        let name = entry.expect("an entry").file_name();
        let name = format!("docs/pictures/{}", name.to_str().expect("a plain name"));
        assert!(shown.contains(&name), "no document shows {name}");
    }
}

/// The documents and pictures that the package ships, each in the place that it has here, so that links hold.
fn shipped() -> BTreeSet<String> {
    let cargo = read("Cargo.toml");
    let assets = cargo.lines().filter_map(|line| {
        let (source, rest) = line.trim().strip_prefix("[\"")?.split_once("\", \"")?;
        let below = rest.strip_prefix("usr/share/doc/kkv/")?;
        Some((source, below.strip_suffix("\", \"644\"],")?))
    });
    let mut files = BTreeSet::new();
    for (source, to) in assets {
        let (directory, name) = source.rsplit_once('/').unwrap_or(("", source));
        // One with another name or in another place is none that a link finds.
        if to.trim_end_matches('/') != directory || !(to.is_empty() || to.ends_with('/')) {
            continue;
        }
        match name.strip_prefix('*') {
            Some(end) => files.extend(named(directory, end)),
            None => drop(files.insert(source.to_owned())),
        }
    }
    files
}

/// The files of a directory whose names have this end.
fn named(directory: &str, end: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(directory)).expect("a directory of ours");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.into_string().expect("a plain name"))
        .filter(|name| name.ends_with(end))
        .map(|name| format!("{directory}/{name}"))
        .collect()
}

#[test]
fn what_the_package_ships_leads_to_nothing_but_what_is_in_it() {
    let shipped = shipped();
    let has = |file: &str| shipped.contains(file);
    assert!(has("docs/JSON.md") && has("docs/pictures/inbox.svg") && has("torrc.example"));
    assert!(!has("ARCHITECTURE.md") && !has("CHANGELOG.md"));
    for (name, text) in documents() {
        assert!(
            has(&name) || !name.starts_with("docs/guide/"),
            "{name} is not in the package"
        );
        for (file, _) in links(&name, &text) {
            assert!(
                has(&file) || !has(&name),
                "{name} leads to {file}, which is not in the package"
            );
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
