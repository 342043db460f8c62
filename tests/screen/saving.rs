//! Files that came with a message are saved where one says, and nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::tmux::Tmux;
use crate::programs::Relay;

/// The names in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort_unstable();
    names
}

/// Says at the message where its files are to go.
fn save(terminal: &Tmux, directory: &Path) {
    terminal.press(&["s"]);
    terminal.wait_for("Save into");
    terminal.types(directory.to_str().expect("UTF-8"));
    terminal.press(&["Enter"]);
}

#[test]
fn files_of_a_message_are_saved_at_the_screen_over_none_and_outside_of_no_directory() {
    let relay = Relay::start(&[]);
    let elsewhere = tempfile::tempdir().expect("a directory for the test");
    let (here, inside) = (elsewhere.path(), elsewhere.path().join("in"));
    let mut arguments = Vec::new();
    for name in ["a.txt", ".hidden", "x\u{202e}gpj.exe"] {
        fs::write(relay.directory().join(name), name).expect("our directory");
        arguments.extend(["--file".to_owned(), format!("./{name}")]);
    }
    drop(relay.send(&arguments).finish().must_end_with(0));
    let terminal = Tmux::with_client(&relay, "", 120, 24);
    terminal.press(&["Enter"]);
    terminal.wait_for("s save");

    // Who goes back saves nothing.
    terminal.press(&["s"]);
    terminal.wait_for("Save into");
    terminal.types(inside.to_str().expect("UTF-8"));
    terminal.press(&["Escape"]);
    terminal.wait_for("s save");
    assert!(names(here).is_empty());

    save(&terminal, &inside);
    terminal.wait_for("saved 3 files in ");
    let first = ["_hidden", "a.txt", "x_gpj.exe"];
    assert_eq!(names(&inside), first);
    let mode = |path: &Path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&inside), 0o700);
    for (name, content) in first.iter().zip([".hidden", "a.txt", "x\u{202e}gpj.exe"]) {
        let path = inside.join(name);
        assert_eq!(fs::read_to_string(&path).expect("it is there"), content);
        assert_eq!(mode(&path), 0o600);
    }

    // What is there stays as it is.
    fs::write(inside.join("a.txt"), "mine").expect("our directory");
    save(&terminal, &inside.join("../in"));
    terminal.wait_until("three more", |screen| {
        screen.contains("saved 3 files in ")
            && screen.contains("/../in")
            && !screen.contains("Save into")
    });
    assert_eq!(names(&inside).len(), 6);
    assert_eq!(
        fs::read_to_string(inside.join("a.txt")).expect("it is there"),
        "mine"
    );
    assert_eq!(
        fs::read_to_string(inside.join("a (2).txt")).expect("it is there"),
        "a.txt"
    );

    // Where no directory can be, nothing goes, and that is said.
    save(&terminal, &inside.join("a.txt"));
    terminal.wait_for("is no directory, or a link to one");
    assert_eq!(names(&inside).len(), 6);
    assert_eq!(names(here), ["in"]);
}
