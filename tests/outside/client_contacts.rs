//! "RAM only": when `kkvc` has read contacts, their names and the passphrase are not in its memory any more.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::marker::Marker;
use super::process_memory::must_be_nowhere;
use super::standing::{At, Hold, must_forget};
use super::traced::must_be_possible;
use crate::programs::{Run, kkvc};

/// What is looked for: a passphrase, and a name, which begins like no option.
fn markers() -> [Marker; 2] {
    let name = format!("n{}", Marker::text(31).as_str());
    [Marker::text(60), Marker::new("a name", name)]
}

/// Contacts with that name in them, in a file with that passphrase, which is in another one.
fn prepare(directory: &Path, [passphrase, name]: &[Marker; 2]) {
    let file = directory.join("passphrase");
    fs::write(&file, passphrase.bytes()).expect("our own directory");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our own file");
    let add = ["contact", "add", name.as_str(), "127.0.0.1:1"];
    with_file(kkvc(add), directory).finish().must_end_with(0);
}

fn with_file(run: Run, directory: &Path) -> Run {
    asking(run, directory).with(|c| c.arg("--passphrase-file").arg(directory.join("passphrase")))
}

fn asking(run: Run, directory: &Path) -> Run {
    run.with(|c| c.arg("--contacts").arg(directory.join("contacts")))
}

#[test]
fn contacts_and_a_passphrase_from_a_file_are_nowhere_when_they_were_listed() {
    let directory = tempfile::tempdir().unwrap();
    must_be_possible(directory.path());
    let markers = markers();
    prepare(directory.path(), &markers);
    for args in [&["contact", "list"][..], &["contact", "list", "--json"]] {
        must_forget(with_file(kkvc(args), directory.path()), &markers);
    }
}

#[test]
fn contacts_and_a_passphrase_that_was_typed_are_nowhere_when_they_were_changed() {
    let directory = tempfile::tempdir().unwrap();
    must_be_possible(directory.path());
    let markers = markers();
    prepare(directory.path(), &markers);
    let hold = Hold::new(At::Exit);
    let run = asking(
        kkvc(["contact", "add", "other", "127.0.0.1:2"]),
        directory.path(),
    );
    let mut terminal = run.with(|c| hold.prepare(c)).start_on(80, 24);
    terminal.wait_for("Passphrase of ");
    terminal.press(&format!("{}\n", markers[0].as_str()));
    terminal.wait_for("Added other");
    must_be_nowhere(&hold.wait(terminal.process()).scan(&markers));
}
