//! Files that are generated and kept: each is written by the test that holds it to what it is made of.

use std::process::Stdio;

use super::cargo;

/// In its environment a test keeps what it sees, rather than compare it.
const OVERWRITE: (&str, &str) = ("SNAPSHOTS", "overwrite");

/// Tests that write files.
#[derive(Debug)]
pub(crate) struct Generator {
    /// Which of the package's targets they are in: arguments of `cargo test`.
    target: &'static [&'static str],
    /// The module that they are in, or the whole name of one.
    tests: &'static str,
    /// The file in which that is.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a test looks whether it is there")
    )]
    source: &'static str,
    /// What is written.
    writes: &'static str,
}

pub(crate) const MANUAL: [Generator; 1] = [Generator {
    target: &["--lib"],
    tests: "cli::man::tests::the_pages_of_the_package_are_those_of_the_definitions",
    source: "src/cli/man.rs",
    writes: "dist/man",
}];

pub(crate) const COMPLETIONS: [Generator; 1] = [Generator {
    target: &["--lib"],
    tests: "cli::completions::tests::the_scripts_of_the_package_are_those_that_are_printed",
    source: "src/cli/completions.rs",
    writes: "dist/completions",
}];

pub(crate) const MAP: [Generator; 1] = [Generator {
    target: &["--test", "sources"],
    tests: "map::the_map_is_made_of_what_the_files_say",
    source: "tests/sources/map.rs",
    writes: "ARCHITECTURE.md",
}];

pub(crate) const SCREENS: [Generator; 2] = [
    Generator {
        target: &["--lib"],
        tests: "tui::app::pictures::the_pictures_of_the_documents_are_as_the_client_draws_them",
        source: "src/tui/app/pictures.rs",
        writes: "docs/pictures",
    },
    Generator {
        target: &["--test", "all"],
        tests: "screen::",
        source: "tests/all.rs",
        writes: "tests/screen/looks",
    },
];

pub(crate) const PAGES: [Generator; 1] = [Generator {
    target: &["--test", "all"],
    tests: "page::pictures::the_pictures_of_the_guide_are_taken",
    source: "tests/page/pictures.rs",
    writes: "docs/pictures",
}];

/// Runs the tests that write, those among them that are left out otherwise.
///
/// # Errors
/// In words, if one fails or none is found.
pub(crate) fn write(generators: &[Generator]) -> Result<(), String> {
    for generator in generators {
        let mut cargo = cargo();
        cargo.args(["test", "--quiet", "--locked", "--no-default-features"]);
        cargo.args(generator.target);
        cargo.args(["--", "--include-ignored", generator.tests]);
        cargo.env(OVERWRITE.0, OVERWRITE.1).stderr(Stdio::inherit());
        let output = cargo.output().map_err(|why| format!("cargo: {why}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("{} failed:\n{said}", generator.tests));
        }
        if passed(&said) == 0 {
            return Err(format!("there is no test {}", generator.tests));
        }
        println!(
            "{} is as it should be; `git diff` shows what has changed",
            generator.writes
        );
    }
    Ok(())
}

/// How many tests have passed, by what `cargo test` prints.
fn passed(said: &str) -> u32 {
    let counts = said.lines().filter_map(|line| {
        let (_, rest) = line.split_once("test result: ok. ")?;
        rest.split_once(" passed")?.0.parse::<u32>().ok()
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_test_that_writes_is_where_it_is_looked_for() {
        for generator in MANUAL
            .iter()
            .chain(&COMPLETIONS)
            .chain(&MAP)
            .chain(&SCREENS)
            .chain(&PAGES)
        {
            let source = super::super::root().join(generator.source);
            let source = fs::read_to_string(&source).expect("a file of the project");
            let (module, test) = generator.tests.rsplit_once("::").expect("a path");
            let name = match test {
                "" => format!("mod {module};"),
                test => format!("fn {test}("),
            };
            assert!(source.contains(&name), "{}: {name}", generator.source);
            let written = super::super::root().join(generator.writes);
            assert!(written.exists(), "{}", generator.writes);
        }
    }

    #[test]
    fn tests_that_have_passed_are_counted() {
        let said = "\nrunning 2 tests\n..\ntest result: ok. 2 passed; 0 failed; 0 ignored; finished in 0.05s\n";
        assert_eq!(passed(said), 2);
        assert_eq!(passed("test result: ok. 0 passed; 0 failed"), 0);
        assert_eq!(passed("test result: FAILED. 1 passed; 1 failed"), 0);
    }
}
