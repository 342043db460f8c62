//! What `kkvc` takes for its owner's relay, whom the relay takes for its owner, and what is said when it is silent.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::programs::{Relay, kkvc, run_by};

/// Users that own nothing on this machine.
const SERVICE: u32 = 65_500;
const STRANGER: u32 = 65_501;

/// A file that is not ours: one given away, if we can, and else one of root's.
fn of_another_user(directory: &Path) -> PathBuf {
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

#[test]
fn root_reads_the_inbox_of_a_service_and_another_user_does_not() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test starts programs as three users, which only root can, if only of a namespace: see scripts/test"
    );
    // Where services have theirs: in /tmp, root would not believe it, nor anywhere in a namespace, where the directories above are nobody's.
    let map = fs::read_to_string("/proc/self/uid_map").unwrap();
    let believes = map.split_whitespace().eq(["0", "0", "4294967295"]);
    let place = if believes { "/run" } else { "/tmp" };
    let directory = tempfile::tempdir_in(place).unwrap();
    chown(directory.path(), Some(SERVICE), None).unwrap();
    let socket = directory.path().join("kkv.sock");
    let relay = Relay::start_with(&["--socket", socket.to_str().unwrap()], |command| {
        run_by(SERVICE, command)
    });
    relay.deliver(b"for the service");

    let by_root = || relay.owner(["list"]).finish();
    if believes {
        by_root().must_end_with(0);
        assert_eq!(relay.text(1), "for the service");
    } else {
        by_root()
            .must_end_with(3)
            .must_say("belongs to another user");
    }
    let list = relay.owner(["list"]).with(|c| run_by(SERVICE, c));
    list.finish().must_end_with(0);

    let by_stranger = |socket: &Path| {
        let list = kkvc(["list", "--socket"]).with(|c| run_by(STRANGER, c.arg(socket)));
        list.finish()
    };
    by_stranger(&socket)
        .must_end_with(3)
        .must_say("belongs to another user");
    // Even if every file let him in, and his own kkvc believed it, the relay wouldn't.
    for open in [directory.path(), &socket] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755 | 0o022)).unwrap();
    }
    let link = directory.path().join("link");
    symlink(&socket, &link).unwrap();
    lchown(&link, Some(STRANGER), None).unwrap();
    let refused = by_stranger(&link).must_end_with(1);
    assert!(refused.stdout.is_empty(), "{refused:?}");
    // In a directory that others can write to, somebody else's relay could be in its place.
    by_root()
        .must_end_with(3)
        .must_say("belongs to another user");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if believes {
        by_root().must_end_with(0);
    }
}
