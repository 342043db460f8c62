//! The source of this workspace, for tests that look for whole kinds of faults in it.

use std::fs;
use std::path::Path;

/// Every file under src/ and in the crates beside it, with its path.
pub(crate) fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for directory in ["src", "crates"] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        gather(&directory, &mut found);
    }
    found
}

fn gather(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), text));
        }
    }
}
