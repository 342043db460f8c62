//! A test that is left out of the ordinary run says what runs it, and that does.

use std::fs;

use super::{root, sources};

/// The tests that are left out: the reason, and the function's name.
fn ignored(source: &str) -> impl Iterator<Item = (&str, &str)> {
    source.split("#[ignore").skip(1).filter_map(|rest| {
        let (reason, rest) = rest.split_once(']')?;
        let (_, function) = rest.split_once("fn ")?;
        Some((reason, function.split_once('(')?.0))
    })
}

#[test]
fn a_test_that_is_left_out_is_run_by_a_script() {
    let mut left_out = 0;
    for (path, source) in sources(&["crates", "src", "tests", "xtask"]) {
        if path.ends_with(file!()) {
            continue;
        }
        for (reason, name) in ignored(&source) {
            let script = reason.split(|c: char| c.is_whitespace() || "\",;:".contains(c));
            let script = script.into_iter().find(|word| word.starts_with("scripts/"));
            let xtask = reason
                .contains("cargo xtask ")
                .then_some("xtask/src/generated.rs");
            let script = script.or(xtask);
            let script = script.unwrap_or_else(|| panic!("what runs {name}?"));
            let module = path.file_stem().and_then(|stem| stem.to_str());
            let full = format!("{}::{name}", module.expect("a plain name"));
            let said = fs::read_to_string(root().join(script)).expect("a script of ours");
            assert!(said.contains(&full), "{script} doesn't run {full}");
            left_out += usize::from(xtask.is_none());
        }
    }
    // As many as the scripts name: cargo test is content with a name that no test has.
    let mut named = 0;
    for entry in fs::read_dir(root().join("scripts")).expect("our scripts") {
        let path = entry.expect("an entry").path();
        let script = fs::read_to_string(path).expect("a script");
        if let Some((_, names)) = script.split_once(" --ignored --exact") {
            named += names
                .split_whitespace()
                .filter(|word| word.contains("::"))
                .count();
        }
    }
    assert_eq!(
        named, left_out,
        "tests that scripts name, and that are left out"
    );
}
