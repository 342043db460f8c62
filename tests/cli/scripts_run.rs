//! `scripts/run` starts what cargo has built, wherever cargo's settings have it put that. A project of a few lines
//! stands for this one, which takes minutes.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::programs::{Outcome, Process};

const MANIFEST: &str = r#"
[package]
name = "kkv"
version = "0.0.0"
edition = "2024"

[[bin]]
name = "kkv"
path = "kkv.rs"

[[bin]]
name = "kkvc"
path = "kkv.rs"

[workspace]
"#;

const LOCK: &str = r#"
version = 4

[[package]]
name = "kkv"
version = "0.0.0"
"#;

const PROGRAM: &str = r#"
fn main() {
    println!("{:?}", std::env::args().collect::<Vec<_>>());
}
"#;

/// Its directory has a blank in its name.
fn project(settings: &str) -> TempDir {
    let project = tempfile::Builder::new().prefix("in box").tempdir();
    let project = project.expect("a directory");
    let write = |name: &str, text: &str| {
        let path = project.path().join(name);
        fs::create_dir_all(path.parent().expect("it is below")).expect("a directory");
        fs::write(path, text).expect("room for it");
    };
    write("Cargo.toml", MANIFEST);
    write("Cargo.lock", LOCK);
    write("kkv.rs", PROGRAM);
    write(".cargo/config.toml", settings);
    fs::create_dir(project.path().join("scripts")).expect("a directory");
    for script in ["run", "need"] {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        let copy = project.path().join("scripts").join(script);
        fs::copy(ours.join(script), copy).expect("room for it");
    }
    project
}

/// A variable of the environment, and its value.
type Variable<'v> = (&'v str, &'v str);

fn run(project: &TempDir, variables: &[Variable<'_>]) -> Outcome {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(project.path().join("scripts/run"));
    command.args(["--ttl", "7d"]).current_dir(elsewhere.path());
    for name in [
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_TARGET_DIR",
        "RUSTFLAGS",
    ] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    Process::spawn(command, None).finish()
}

/// What rustc builds for if nothing else is said.
fn host() -> String {
    let said = Command::new("rustc").arg("-vV").output().expect("it runs");
    let said = String::from_utf8(said.stdout).expect("text");
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("it says so").to_owned()
}

#[test]
fn what_was_built_is_found_whatever_cargos_settings_say_of_its_place() {
    let host = host();
    let cases: [(&str, String, &[Variable<'_>]); 5] = [
        ("none", String::new(), &[]),
        ("target", format!("[build]\ntarget = \"{host}\"\n"), &[]),
        (
            "target by variable",
            String::new(),
            &[("CARGO_BUILD_TARGET", &host)],
        ),
        (
            "directory",
            "[build]\ntarget-dir = \"some where\"\n".to_owned(),
            &[],
        ),
        (
            "directory by variable",
            String::new(),
            &[("CARGO_TARGET_DIR", "other")],
        ),
    ];
    for (what, settings, variables) in cases {
        let project = project(&settings);
        let outcome = run(&project, variables);
        assert_eq!(outcome.code, Some(0), "{what}: {outcome:?}");
        let called = outcome.stdout_text();
        let right = r#"/release/kkv", "--ttl", "7d"]"#;
        assert!(called.trim_end().ends_with(right), "{what}: {called}");
        // Nothing is built anew, and it is found all the same.
        let again = run(&project, variables);
        assert_eq!(again.stdout_text(), called, "{what}: {again:?}");
        outcome.must_say("The programs are in ");
    }
}

#[test]
fn what_cant_be_built_isnt_started() {
    let project = project("");
    run(&project, &[]).must_end_with(0);
    fs::write(project.path().join("kkv.rs"), "fn main() { none() }").unwrap();
    let outcome = run(&project, &[]).must_end_with(101);
    assert!(outcome.stdout.is_empty(), "an old one ran: {outcome:?}");
    outcome.must_say("cannot find function");
}
