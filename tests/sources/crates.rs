//! The diagrams in ARCHITECTURE.md are true: that of crates is what Cargo says, and a message goes by routes that
//! exist.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use super::documents::read;
use super::{root, sources};

/// Of each crate, those that it uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// What `[dependencies]` name of this workspace.
fn by_cargo() -> Uses {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--locked",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs this");
    assert!(
        metadata.status.success(),
        "{}",
        String::from_utf8_lossy(&metadata.stderr)
    );
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("it is JSON");
    let list = |value: &Value| value.as_array().expect("an array").clone();
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let packages = list(&metadata["packages"]);
    let names: BTreeSet<String> = packages.iter().map(name).collect();
    let uses = packages.iter().map(|package| {
        let all = list(&package["dependencies"]).into_iter();
        let used = all
            .filter(|one| one["kind"].is_null())
            .map(|one| name(&one));
        (
            name(package),
            used.filter(|one| names.contains(one)).collect(),
        )
    });
    uses.collect()
}

/// What the arrows say: `a & b --> c & d`.
fn by_diagram() -> Uses {
    let text = read("ARCHITECTURE.md");
    let (_, diagram) = text
        .split_once("```mermaid\nflowchart ")
        .expect("there is one");
    let (diagram, _) = diagram.split_once("```").expect("it ends");
    let mut uses = Uses::new();
    for arrow in diagram.lines().filter_map(|line| line.split_once("-->")) {
        let (users, used) = arrow;
        for user in users.split('&') {
            let used = used.split('&').map(|one| one.trim().to_owned());
            uses.entry(user.trim().to_owned()).or_default().extend(used);
        }
    }
    uses
}

/// What each uses directly or through others.
fn whole(uses: &Uses) -> Uses {
    let mut all = uses.clone();
    loop {
        let before = all.clone();
        for used in all.values_mut() {
            let further: Vec<String> = used
                .iter()
                .filter_map(|one| before.get(one))
                .flatten()
                .cloned()
                .collect();
            used.extend(further);
        }
        if all == before {
            return all;
        }
    }
}

#[test]
fn the_diagram_of_crates_is_true() {
    let mut cargo = by_cargo();
    // What tests and developers use stands beside the house.
    cargo.retain(|name, _| !matches!(name.as_str(), "kkv-testing" | "xtask"));
    let mut cargo = whole(&cargo);
    cargo.retain(|_, used| !used.is_empty());
    assert_eq!(whole(&by_diagram()), cargo);
}

#[test]
fn every_crate_is_in_the_table() {
    let text = read("ARCHITECTURE.md");
    for name in by_cargo().into_keys() {
        let row = match name.as_str() {
            "kkv" => "| `kkv` (".to_owned(),
            "xtask" => "| `xtask` |".to_owned(),
            name => format!("| `crates/{name}` |"),
        };
        assert!(text.contains(&row), "{name} has no row");
    }
}

#[test]
fn a_message_goes_by_routes_that_exist() {
    let text = read("ARCHITECTURE.md");
    let (_, diagram) = text
        .split_once("```mermaid\nsequenceDiagram\n")
        .expect("there is one");
    let (diagram, _) = diagram.split_once("```").expect("it ends");
    let programs: String = sources(&["crates", "src"])
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let words = diagram.split([' ', ':', '\n']);
    let routes: Vec<&str> = words.filter(|word| word.starts_with('/')).collect();
    assert!(routes.len() > 3, "{routes:?}");
    for route in routes {
        assert!(
            programs.contains(&format!(".route(\"{route}\", ")),
            "there is no {route}"
        );
    }
}
