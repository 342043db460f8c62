//! A systemd unit as far as these tests look at it: its settings, the command that it starts, and the system calls that
//! it allows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::Process;

/// The units, by their place below `dist/systemd`.
pub(super) const OF_SYSTEM: &str = "system/kkv.service";
pub(super) const OF_SYSTEM_EXTERNAL: &str = "system/kkv-external.service";
pub(super) const OF_USER: &str = "user/kkv.service";
pub(super) const UNITS: [&str; 3] = [OF_SYSTEM, OF_SYSTEM_EXTERNAL, OF_USER];

/// Where the package puts the relay.
const PROGRAM: &str = "/usr/bin/kkv";

pub(super) struct Unit {
    text: String,
}

impl Unit {
    pub(super) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/systemd");
        let text = fs::read_to_string(path.join(name)).expect("the unit is there");
        Self { text }
    }

    /// Its settings, in order, as `Name=value`.
    pub(super) fn settings(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines();
        lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '[']))
    }

    /// The words of all values of a setting, in order.
    pub(super) fn words<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self
            .settings()
            .filter_map(move |setting| setting.strip_prefix(name)?.strip_prefix('='));
        values.flat_map(str::split_whitespace)
    }

    /// A copy of it in `directory` that starts the program under test, for `systemd-analyze` to look at.
    pub(super) fn copy_to(&self, directory: &Path, name: &str) -> PathBuf {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("the directory is ours");
        let text = self.text.replace(PROGRAM, env!("CARGO_BIN_EXE_kkv"));
        fs::write(&path, text).expect("the directory is ours");
        path
    }

    /// What it starts, with `options` for KKV_OPTIONS, and with `runtime` and `state` where systemd has the directories
    /// for all.
    pub(super) fn command(&self, options: &[&str], runtime: &Path, state: &Path) -> Command {
        let mut words = self.words("ExecStart");
        assert_eq!(words.next(), Some(PROGRAM));
        let mut command = Command::new(env!("CARGO_BIN_EXE_kkv"));
        for word in words {
            match word {
                "$KKV_OPTIONS" => command.args(options),
                _ => command.arg(word),
            };
        }
        let [runtime, state] = [runtime, state].map(|path| path.to_str().expect("a plain name"));
        for variable in self.words("Environment") {
            let (name, value) = variable.split_once('=').expect("a name and a value");
            command.env(name, value.replace("%t", runtime).replace("%S", state));
        }
        command
    }

    /// The system calls that its filter lets through.
    pub(super) fn calls(&self) -> BTreeSet<String> {
        let sets = Sets::ask();
        let mut calls = BTreeSet::new();
        for setting in self.settings() {
            let Some(filter) = setting.strip_prefix("SystemCallFilter=") else {
                continue;
            };
            let denied = filter.strip_prefix('~');
            let named = sets.expand(denied.unwrap_or(filter).split_whitespace());
            if denied.is_some() {
                calls.retain(|call| !named.contains(call));
            } else {
                calls.extend(named);
            }
        }
        calls
    }
}

/// systemd's names for sets of system calls, each with its members, which may be sets too.
struct Sets(BTreeMap<String, Vec<String>>);

impl Sets {
    fn ask() -> Self {
        let listed = analyze(&["syscall-filter"]).finish().must_end_with(0);
        let mut sets = BTreeMap::new();
        let mut members: &mut Vec<String> = &mut Vec::new();
        for line in listed.stdout_text().lines() {
            match line.strip_prefix("    ") {
                Some(member) if !member.starts_with('#') => members.push(member.to_owned()),
                Some(_) => {}
                None => members = sets.entry(line.to_owned()).or_default(),
            }
        }
        Self(sets)
    }

    fn expand<'a>(&'a self, names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
        let mut calls = BTreeSet::new();
        let mut names: Vec<&str> = names.collect();
        while let Some(name) = names.pop() {
            if name.starts_with('@') {
                let members = self.0.get(name);
                let members = members.unwrap_or_else(|| panic!("systemd knows no {name}"));
                names.extend(members.iter().map(String::as_str));
            } else {
                calls.insert(name.to_owned());
            }
        }
        calls
    }
}

/// Starts `systemd-analyze`.
pub(super) fn analyze(arguments: &[&str]) -> Process {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).env("SYSTEMD_PAGER", "cat");
    Process::spawn(command, None)
}
