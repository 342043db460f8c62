//! What `kkvc` takes for its owner's relay, whom the relay takes for its owner, and what is said when it is silent.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

use kkv_base::limits::{MAX_LISTED_FILES_BYTES, MAX_OWNER_ANSWER_BYTES, MAX_OWNER_LIST_BYTES};

use crate::programs::{Outcome, Relay, kkvc, run_by};

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

/// Runs `command` against a relay that reads its request, says `said`, and then hangs up, or keeps the line for as long
/// as it is wanted.
fn asked_of(said: &'static str, hangs_up: bool, command: &[&str]) -> Outcome {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("kkv.sock");
    let listener = UnixListener::bind(&path).expect("the directory is ours");
    let relay = thread::spawn(move || {
        let (mut line, _) = listener.accept().expect("it comes");
        let mut request = vec![0; 64 * 1024];
        let length = line.read(&mut request).expect("it asks");
        assert!(length > 0);
        line.write_all(said.as_bytes()).expect("it listens");
        if !hangs_up {
            let _ = line.read(&mut request); // until it goes away
        }
    });
    let outcome = kkvc(command)
        .with(|c| c.arg("--socket").arg(&path))
        .finish();
    relay.join().expect("the relay of the test ends");
    outcome
}

/// An answer that is not complete.
const BEGUN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"done\":";

#[test]
fn a_relay_that_hangs_up_leaves_open_what_was_done() {
    for said in ["", "HTTP/1.1 200 OK\r\ncontent-le", BEGUN] {
        for command in [&["wipe", "--yes"][..], &["delete", "1", "--yes"]] {
            asked_of(said, true, command)
                .must_end_with(3)
                .must_say("kkv hung up; what was asked for may have been done or not");
        }
    }
}

#[test]
fn a_relay_that_falls_silent_in_the_middle_of_its_answer_leaves_open_what_was_done() {
    asked_of(BEGUN, false, &["wipe", "--yes"])
        .must_end_with(3)
        .must_say("kkv doesn't answer; what was asked for may have been done or not");
}

#[test]
fn what_is_no_answer_of_kkv_is_told_from_a_line_that_broke_and_not_repeated() {
    for said in [
        "this is no HTTP\r\n\r\n",
        "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n\"a secret\"",
    ] {
        let told = asked_of(said, true, &["wipe", "--yes"]);
        assert!(!told.stderr.contains("secret"), "{told:?}");
        assert!(
            !told.stderr.contains("http://"),
            "an address that is none: {told:?}"
        );
        told.must_end_with(1)
            .must_say("kkv answered with something unexpected");
    }
}

/// Far more than any answer of a relay, and too little to hurt the machine of a client that takes it all.
const FLOOD_BYTES: usize = 320 * 1024 * 1024;

/// How much `command` takes of an answer that has no end, and what it says then.
fn flooded(head: &'static str, piece: &'static [u8], command: &[&str]) -> (usize, Outcome) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("kkv.sock");
    let listener = UnixListener::bind(&path).expect("the directory is ours");
    let relay = thread::spawn(move || {
        let (mut line, _) = listener.accept().expect("it comes");
        let length = line.read(&mut vec![0; 64 * 1024]).expect("it asks");
        assert!(length > 0);
        line.write_all(head.as_bytes()).expect("it listens");
        let mut taken = 0;
        while taken < FLOOD_BYTES && line.write_all(piece).is_ok() {
            taken += piece.len();
        }
        taken
    });
    let outcome = kkvc(command)
        .with(|c| c.arg("--socket").arg(&path))
        .finish();
    (relay.join().expect("the relay of the test ends"), outcome)
}

#[test]
fn an_answer_that_has_no_end_is_not_read_to_it() {
    const LONG: &str = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    const HEAD: &str = "HTTP/1.1 200 OK\r\n";
    let blanks: &[u8] = &[b' '; 4096];
    let chunk = [b"1000\r\n", blanks, b"\r\n"].concat().leak();
    let header: &[u8] = b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n";
    for (command, most) in [
        (&["status"][..], MAX_OWNER_ANSWER_BYTES),
        (&["read", "1"], MAX_OWNER_ANSWER_BYTES),
        (&["export", "1"], MAX_OWNER_ANSWER_BYTES),
        (
            &["list", "--no-preview"],
            MAX_OWNER_LIST_BYTES + MAX_LISTED_FILES_BYTES,
        ),
        (&["delete", "1", "--yes"], MAX_OWNER_LIST_BYTES),
        (&["wipe", "--yes"], MAX_OWNER_LIST_BYTES),
    ] {
        for (head, piece) in [(LONG, blanks), (CHUNKED, chunk), (HEAD, header)] {
            let (taken, outcome) = flooded(head, piece, command);
            // A machine that is busy may be too slow to see the end of the longest within the client's patience.
            if outcome.code != Some(3) {
                outcome
                    .must_end_with(1)
                    .must_say("kkv answered with something unexpected");
            }
            // What the kernel and the client's own buffer hold comes on top.
            let most = 2 * most + 4 * 1024 * 1024;
            assert!(taken < most, "{command:?} took {taken} bytes");
        }
    }
}

#[test]
fn root_reads_the_inbox_of_a_service_and_another_user_does_not() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test starts programs as three users, which only root can, if only of a namespace: see scripts/test"
    );
    // Where services have theirs: in /tmp, root would not believe it, nor anywhere in a namespace, where the
    // directories above are nobody's.
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
    let refused = by_stranger(&link).must_end_with(3).must_say("kkv hung up");
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

#[test]
fn a_file_that_is_no_socket_is_called_so() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let file = directory.path().join("letter.txt");
    fs::write(&file, "x").expect("our own directory");
    let list = kkvc(["list", "--socket"]).with(|c| c.arg(&file)).finish();
    let list = list.must_end_with(3).must_say("letter.txt is no socket");
    assert!(
        !list.stderr.contains("no kkv is running"),
        "{}",
        list.stderr
    );
}
