//! The package: made from the programs under test, installed in a directory instead of this machine, run from there,
//! and removed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::{Outcome, Process, Relay, Run, Signal, through_shell};

const SOURCES: &str = env!("CARGO_MANIFEST_DIR");

/// Every file of the package. The units are those of `dist/`, to the byte.
const FILES: [&str; 54] = [
    "usr/bin/kkv",
    "usr/bin/kkvc",
    "usr/lib/systemd/system/kkv-external.service",
    "usr/lib/systemd/system/kkv.service",
    "usr/lib/systemd/user/kkv.service",
    "usr/share/bash-completion/completions/kkv",
    "usr/share/bash-completion/completions/kkvc",
    "usr/share/doc/kkv/changelog.gz",
    "usr/share/doc/kkv/copyright",
    "usr/share/doc/kkv/docs/JSON.md",
    "usr/share/doc/kkv/docs/LETTERS-FORMAT.md",
    "usr/share/doc/kkv/docs/PROTOCOL.md",
    "usr/share/doc/kkv/docs/THREATS.md",
    "usr/share/doc/kkv/docs/guide/README.md",
    "usr/share/doc/kkv/docs/guide/address.md",
    "usr/share/doc/kkv/docs/guide/answers.md",
    "usr/share/doc/kkv/docs/guide/closed-inboxes.md",
    "usr/share/doc/kkv/docs/guide/contacts.md",
    "usr/share/doc/kkv/docs/guide/invitations.md",
    "usr/share/doc/kkv/docs/guide/page.md",
    "usr/share/doc/kkv/docs/guide/posts.md",
    "usr/share/doc/kkv/docs/guide/reading.md",
    "usr/share/doc/kkv/docs/guide/running.md",
    "usr/share/doc/kkv/docs/guide/screen.md",
    "usr/share/doc/kkv/docs/guide/scripts.md",
    "usr/share/doc/kkv/docs/guide/sending.md",
    "usr/share/doc/kkv/docs/guide/service.md",
    "usr/share/doc/kkv/docs/guide/system-tor.md",
    "usr/share/doc/kkv/docs/guide/troubles.md",
    "usr/share/doc/kkv/docs/guide/wiping.md",
    "usr/share/doc/kkv/docs/pictures/answered.svg",
    "usr/share/doc/kkv/docs/pictures/compose.svg",
    "usr/share/doc/kkv/docs/pictures/contacts.svg",
    "usr/share/doc/kkv/docs/pictures/delete.svg",
    "usr/share/doc/kkv/docs/pictures/inbox.svg",
    "usr/share/doc/kkv/docs/pictures/keys.svg",
    "usr/share/doc/kkv/docs/pictures/message.svg",
    "usr/share/doc/kkv/docs/pictures/page-answer-1280.png",
    "usr/share/doc/kkv/docs/pictures/page-answer-320.png",
    "usr/share/doc/kkv/docs/pictures/page-pay-1280.png",
    "usr/share/doc/kkv/docs/pictures/page-pay-320.png",
    "usr/share/doc/kkv/docs/pictures/page-sent-1280.png",
    "usr/share/doc/kkv/docs/pictures/page-sent-320.png",
    "usr/share/doc/kkv/docs/pictures/page-words-1280.png",
    "usr/share/doc/kkv/docs/pictures/page-words-320.png",
    "usr/share/doc/kkv/docs/pictures/sent.svg",
    "usr/share/doc/kkv/docs/pictures/wide.svg",
    "usr/share/doc/kkv/torrc.example",
    "usr/share/fish/vendor_completions.d/kkv.fish",
    "usr/share/fish/vendor_completions.d/kkvc.fish",
    "usr/share/man/man1/kkv.1.gz",
    "usr/share/man/man1/kkvc.1.gz",
    "usr/share/zsh/vendor-completions/_kkv",
    "usr/share/zsh/vendor-completions/_kkvc",
];

/// What dpkg keeps of a package that has no scripts and no settings.
const KEPT_BY_DPKG: [&str; 3] = ["format", "kkv.list", "kkv.md5sums"];

/// Packs the programs that cargo has built for this test, with nothing built anew.
fn build(package: &Path) {
    let built = Path::new(env!("CARGO_BIN_EXE_kkv"));
    let built = built.parent().expect("cargo names a whole path");
    let target = built.parent().expect("it is in a directory of cargo's");
    let profile = match built.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        name => name.expect("profiles have plain names"),
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["deb", "--locked", "--offline", "--no-build", "--quiet"]);
    cargo.args(["--strip", "--fast", "--profile", profile, "--output"]);
    cargo.arg(package).current_dir(SOURCES);
    cargo.env("CARGO_TARGET_DIR", target);
    Process::spawn(cargo, None).finish().must_end_with(0);
}

/// A directory that dpkg takes for a machine without any package.
struct Machine {
    root: PathBuf,
}

impl Machine {
    fn new(root: PathBuf) -> Self {
        fs::create_dir_all(root.join("var/lib/dpkg")).expect("the directory is ours");
        fs::write(root.join("var/lib/dpkg/status"), "").expect("the directory is ours");
        Self { root }
    }

    /// Runs dpkg there. It needs nothing of root's, and no other package has to be there, since none has scripts.
    fn dpkg(&self, action: &str, package: impl AsRef<Path>) -> Outcome {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg(format!("--root={}", self.root.display()));
        dpkg.args(["--force-not-root", "--force-bad-path", "--force-depends"]);
        dpkg.args(["--log=/dev/null", action]).arg(package.as_ref());
        Process::spawn(dpkg, None).finish().must_end_with(0)
    }

    /// Every file, without what is dpkg's own.
    fn files(&self) -> BTreeSet<String> {
        let mut files = BTreeSet::new();
        let mut directories = vec![self.root.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).expect("it can be read") {
                let path = entry.expect("it can be read").path();
                let name = path.strip_prefix(&self.root).expect("it is below");
                if name == Path::new("var/lib/dpkg") {
                } else if path.is_dir() {
                    directories.push(path);
                } else {
                    files.insert(name.to_str().expect("names are plain").to_owned());
                }
            }
        }
        files
    }

    /// Has the command run the program of the same name that is installed here.
    fn installed<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let script = r#"exec "$PROGRAMS/${0##*/}" "$@""#;
        *command = through_shell(command, script);
        command.env("PROGRAMS", self.root.join("usr/bin"))
    }

    fn run(&self, run: Run) -> Outcome {
        run.with(|command| self.installed(command))
            .finish()
            .must_end_with(0)
    }
}

fn names_in(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).expect("it can be read");
    let names = entries.map(|entry| entry.expect("it can be read").file_name());
    names
        .map(|name| name.into_string().expect("names are plain"))
        .collect()
}

#[test]
fn the_package_installs_runs_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let package = directory.path().join("kkv.deb");
    build(&package);
    let machine = Machine::new(directory.path().join("machine"));
    machine.dpkg("--install", &package);
    assert_eq!(machine.files(), FILES.map(str::to_owned).into());
    let kept = names_in(&machine.root.join("var/lib/dpkg/info"));
    assert_eq!(kept, KEPT_BY_DPKG.map(str::to_owned).into(), "no scripts");
    for unit in FILES.iter().filter(|name| name.ends_with(".service")) {
        let source = unit.replace("usr/lib/", "dist/");
        let source = fs::read(Path::new(SOURCES).join(source)).unwrap();
        assert_eq!(fs::read(machine.root.join(unit)).unwrap(), source, "{unit}");
    }

    let relay = Relay::start_with(&[], |command| machine.installed(command));
    let running = format!("/proc/{}/exe", relay.process().pid());
    let program = machine.root.join("usr/bin/kkv").canonicalize().unwrap();
    assert_eq!(fs::read_link(running).unwrap(), program);
    machine.run(relay.send(["-"]).stdin("from the package"));
    let list = machine.run(relay.owner(["list", "--json"])).json();
    assert_eq!(list["messages"][0]["id"], 1);
    let message = machine.run(relay.owner(["read", "1", "--json"])).json();
    assert_eq!(message["text"], "from the package");
    machine.run(relay.owner(["delete", "1", "-y"]));
    relay.process().signal(Signal::TERM);
    relay.process().finish().must_end_with(0);

    machine.dpkg("--purge", "kkv");
    assert_eq!(machine.files(), BTreeSet::new());
    assert_eq!(names_in(&machine.root), BTreeSet::from(["var".to_owned()]));
}
