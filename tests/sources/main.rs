//! What no source and no document here may do, as far as a look at its text can tell. What the compiler knows the names
//! of is in clippy.toml.

mod counts;
mod crates;
mod documents;
mod ignored;
mod map;
mod ports;
mod printed;
mod sessions;

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file of which the programs are made, with what is in it.
fn programs() -> Vec<(PathBuf, String)> {
    let mut all = sources(&["crates", "src"]);
    all.retain(|(path, _)| path.iter().all(|part| part != "tests"));
    all
}

/// Every Rust file below one of the directories, with what is in it.
fn sources(directories: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for directory in directories {
        gather(&root().join(directory), &mut found);
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn gather(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).expect("a directory of ours") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let source = fs::read_to_string(&path).expect("a file of ours");
            found.push((path, source));
        }
    }
}
