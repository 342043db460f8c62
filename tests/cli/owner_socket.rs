//! What `kkvc` takes for its owner's relay, and what it says when that is silent.

use std::os::unix::fs::chown;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use crate::programs::kkvc;

/// A file that is not ours: one given away, if we can, and else one of root's.
fn of_another_user(directory: &std::path::Path) -> PathBuf {
    let path = directory.join("theirs");
    drop(UnixListener::bind(&path).expect("the directory is ours"));
    match chown(&path, Some(65534), None) {
        Ok(()) => path,
        Err(_) => "/".into(),
    }
}

#[test]
fn a_socket_that_another_user_made_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let theirs = of_another_user(directory.path());
    for command in ["list", "status"] {
        kkvc([command, "--socket"])
            .with(|c| c.arg(&theirs))
            .finish()
            .must_end_with(3)
            .must_say("belongs to another user");
    }
}

#[test]
fn a_relay_that_stays_silent_leaves_open_what_was_done() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kkv.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    kkvc(["delete", "1", "--yes", "--socket"])
        .with(|c| c.arg(&path))
        .finish()
        .must_end_with(3)
        .must_say("may have been done or not");
}
