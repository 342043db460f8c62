//! Tests of the tests: cargo-mutants changes the code in small ways, and a test must fail for each.
//!
//! In which files, and which changes no test can tell from the code, is in `.cargo/mutants.toml`, each with its reason.

use std::process::Stdio;

use super::cargo;

/// Built from the registry in this version; one that is there already is used as it is.
const VERSION: &str = "27.1.0";

/// The packages that have the files of `.cargo/mutants.toml`.
const PACKAGES: [&str; 4] = ["kkv-pow", "kkv-protocol", "kkv-relay", "kkv-client"];

/// Runs it for all of them, or for those that `arguments` name. What it finds is in `target/mutants.out`.
///
/// # Errors
/// In words, if it can't be installed, or a change was not noticed.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let mut version = cargo();
    version.args(["mutants", "--version"]);
    let there = version.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        // Without optimisation, which takes a fraction of the time: all that it does is start cargo.
        let mut install = cargo();
        install.args([
            "install",
            "--debug",
            "--locked",
            "cargo-mutants",
            "--version",
            VERSION,
        ]);
        super::run(&mut install)?;
    }
    let mut mutants = cargo();
    mutants.args(["mutants", "--output", "target"]);
    if !arguments
        .iter()
        .any(|word| matches!(*word, "-p" | "--package") || word.starts_with("--package="))
    {
        mutants.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    }
    super::run(mutants.args(arguments))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::PACKAGES;
    use crate::root;

    #[test]
    fn every_file_that_is_changed_is_there_and_in_one_of_the_packages() {
        let settings =
            fs::read_to_string(root().join(".cargo/mutants.toml")).expect("a file of the project");
        let globs: Vec<&str> = settings
            .split('"')
            .filter(|part| part.starts_with("crates/"))
            .collect();
        assert!(globs.len() > PACKAGES.len());
        for glob in &globs {
            let path = glob.split("/*").next().expect("it has a beginning");
            assert!(root().join(path).exists(), "{glob}");
        }
        for package in PACKAGES {
            assert!(
                globs
                    .iter()
                    .any(|glob| glob.starts_with(&format!("crates/{package}/"))),
                "{package}"
            );
        }
    }
}
