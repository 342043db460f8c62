//! What the kernel holds a relay to: a thread of the test gives everything up as a relay does, and then tries.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use kkv::sandbox::{Confined, Needs, enter};
use tempfile::TempDir;

/// Runs `attempt` in a thread that has confined itself, since there is no way back.
fn confined<T: Send + 'static>(needs: Needs, attempt: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(move || {
        let writes = needs.writes.clone();
        let sandbox = enter(needs);
        assert_eq!(
            (sandbox.files, sandbox.calls, &sandbox.writes),
            (Confined::Fully, Confined::Fully, &writes),
            "this kernel can't hold a program to all its rules (Landlock from Linux 6.12 on, seccomp), so nothing can be said"
        );
        attempt()
    });
    thread
        .join()
        .unwrap_or_else(|why| std::panic::resume_unwind(why))
}

fn denied<T>(what: &str, attempt: io::Result<T>) {
    let fault = attempt.err().unwrap_or_else(|| panic!("{what}: done"));
    let denied = fault.kind() == io::ErrorKind::PermissionDenied;
    assert!(denied, "{what}: {fault}");
}

/// Every way to change what is in `directory`, which has a file `old` and a directory `below` in it.
fn writing_is_denied(directory: &Path) {
    let (old, new) = (directory.join("old"), directory.join("new"));
    denied("make", File::create_new(&new));
    denied("write", OpenOptions::new().write(true).open(&old));
    denied("append", OpenOptions::new().append(true).open(&old));
    denied(
        "truncate",
        OpenOptions::new().write(true).truncate(true).open(&old),
    );
    denied("remove", fs::remove_file(&old));
    denied("rename", fs::rename(&old, &new));
    denied("link", fs::hard_link(&old, &new));
    denied("link by name", std::os::unix::fs::symlink(&old, &new));
    denied("make a directory", fs::create_dir(&new));
    denied(
        "remove a directory",
        fs::remove_dir(directory.join("below")),
    );
    denied("make a socket", UnixListener::bind(&new));
    denied("read", File::open(&old));
    denied("list", fs::read_dir(directory));
}

fn prepared() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory for the test");
    fs::write(directory.path().join("old"), "old").expect("it is ours");
    fs::create_dir(directory.path().join("below")).expect("it is ours");
    let path = directory.path().to_owned();
    (directory, path)
}

#[test]
fn who_needs_no_file_writes_none_and_reads_nobodys() {
    let (directory, path) = prepared();
    confined(Needs::default(), move || {
        writing_is_denied(&path);
        for place in ["/tmp", "/var/tmp", "/dev/shm", "."] {
            denied(place, File::create_new(Path::new(place).join("kkv-test")));
        }
        // What libraries read of the system they still can.
        fs::read("/proc/self/status").expect("its own state");
        fs::read("/etc/passwd").expect("who is who");
    });
    assert_eq!(fs::read(directory.path().join("old")).unwrap(), b"old");
}

#[test]
fn who_has_a_directory_writes_there_and_nowhere_else() {
    let (_outside, elsewhere) = prepared();
    let (_directory, own) = prepared();
    let needs = Needs {
        writes: Some(own.clone()),
        ..Needs::default()
    };
    confined(needs, move || {
        writing_is_denied(&elsewhere);
        fs::write(own.join("new"), "new").expect("it is its own");
        fs::rename(own.join("new"), own.join("below/new")).expect("within its own");
        fs::remove_file(own.join("below/new")).expect("it is its own");
        fs::remove_dir(own.join("below")).expect("it is its own");
        let out = fs::rename(own.join("old"), elsewhere.join("old"));
        assert!(out.is_err(), "moved out");
        denied(
            "link out",
            fs::hard_link(own.join("old"), elsewhere.join("new")),
        );
        let link = own.join("link");
        std::os::unix::fs::symlink(elsewhere.join("old"), &link).expect("a name is no file");
        denied("write through a link", fs::write(link, "new"));
    });
}

#[test]
fn who_leaves_something_behind_removes_it_and_does_nothing_else_there() {
    let (_directory, path) = prepared();
    let needs = Needs {
        removes: vec![path.clone()],
        ..Needs::default()
    };
    confined(needs, move || {
        let old = path.join("old");
        denied("make", File::create_new(path.join("new")));
        denied("write", OpenOptions::new().write(true).open(&old));
        denied("read", File::open(&old));
        denied("rename", fs::rename(&old, path.join("new")));
        fs::remove_file(old).expect("that is what it may");
    });
}

#[test]
fn nobody_starts_a_program() {
    let (_directory, own) = prepared();
    let needs = Needs {
        writes: Some(own.clone()),
        connects: true,
        ..Needs::default()
    };
    confined(needs, move || {
        denied(
            "a shell",
            Command::new("/bin/sh").arg("-c").arg("true").status(),
        );
        fs::copy("/proc/self/exe", own.join("program")).expect_err("not even its own is read");
    });
}

#[test]
fn nobody_listens_and_who_needs_no_network_connects_nowhere() {
    let before = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = before.local_addr().unwrap();
    for connects in [false, true] {
        let needs = Needs {
            connects,
            ..Needs::default()
        };
        confined(needs, move || {
            denied("listen", TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
            match TcpStream::connect(address) {
                Ok(_) => assert!(connects, "connected"),
                fault => {
                    assert!(!connects, "{fault:?}");
                    denied("connect", fault);
                }
            }
        });
    }
    assert!(before.accept().is_ok(), "who needs to connect does");
}

#[test]
fn nobody_sends_a_datagram_or_has_a_socket_of_another_kind() {
    let needs = Needs {
        connects: true,
        ..Needs::default()
    };
    confined(needs, || {
        denied("UDP", UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)));
        let open = |family, kind| rustix::net::socket(family, kind, None).map_err(io::Error::from);
        use rustix::net::{AddressFamily as Family, SocketType as Kind};
        for (family, kind) in [
            (Family::INET6, Kind::DGRAM),
            (Family::INET, Kind::RAW),
            (Family::UNIX, Kind::DGRAM),
            (Family::UNIX, Kind::SEQPACKET),
            (Family::NETLINK, Kind::STREAM),
            (Family::PACKET, Kind::STREAM),
        ] {
            denied(&format!("{family:?} {kind:?}"), open(family, kind));
        }
        for family in [Family::UNIX, Family::INET, Family::INET6] {
            open(family, Kind::STREAM).expect("a stream");
        }
    });
}
