//! What the kernel holds a relay to: a thread of the test gives everything up as a relay does, and then tries. What no
//! safe library asks for is tried in `taken_over`.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{self as unix, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use kkv_relay::sandbox::{Confined, Needs, enter};
use rustix::io::Errno;
use rustix::net::{
    self, AddressFamily as Family, Protocol, SendFlags, SocketType as Kind, ipproto,
};
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

/// Seccomp says no with another number than Landlock.
fn refused<T>(what: &str, attempt: rustix::io::Result<T>) {
    assert_eq!(attempt.map(drop), Err(Errno::PERM), "{what}");
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
    // Neither is anything there opened to others, or locked to its owner.
    let open = Permissions::from_mode(0o777);
    denied("open to others", fs::set_permissions(&old, open));
    let me = Some(rustix::process::geteuid().as_raw());
    denied("give away", std::os::unix::fs::chown(&old, me, None));
    denied(
        "give a link away",
        std::os::unix::fs::lchown(&old, me, None),
    );
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
        File::open("/dev/urandom").expect("random bytes");
    });
    assert_eq!(fs::read(directory.path().join("old")).unwrap(), b"old");
}

#[test]
fn nobody_looks_into_the_memory_that_programs_share() {
    let shared = tempfile::tempdir_in("/dev/shm").unwrap();
    let old = shared.path().join("old");
    fs::write(&old, "old").unwrap();
    confined(Needs::default(), move || {
        denied("read", File::open(old));
        denied("list", fs::read_dir("/dev/shm"));
        denied("look for devices", fs::read_dir("/dev"));
    });
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
fn who_has_sockets_in_a_directory_removes_them_and_does_nothing_else_there() {
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
        denied("remove a directory", fs::remove_dir(path.join("below")));
        fs::remove_file(old).expect("that is what it may");
    });
}

#[test]
fn who_has_a_directory_for_one_run_removes_it_and_no_file_beside_it() {
    let (_directory, path) = prepared();
    let own = path.join("own");
    fs::create_dir(&own).unwrap();
    fs::create_dir(path.join("below/full")).unwrap();
    let needs = Needs {
        writes: Some(own.clone()),
        removed_from: Some(path.clone()),
        ..Needs::default()
    };
    confined(needs, move || {
        denied("make", File::create_new(path.join("new")));
        denied("make a directory", fs::create_dir(path.join("new")));
        denied("remove", fs::remove_file(path.join("old")));
        denied("rename", fs::rename(path.join("below"), path.join("new")));
        fs::remove_dir(path.join("below")).expect_err("it is not empty");
        fs::write(own.join("new"), "new").expect("it is its own");
        fs::remove_dir_all(own).expect("that is what it may");
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
fn nobody_reaches_into_other_processes_or_what_the_system_is() {
    /// Each fails for another reason where nothing refuses it, whatever rights the test has, except the first two.
    fn attempts(me: &OwnedFd) -> [(&'static str, rustix::io::Result<()>); 7] {
        use rustix::{fs, mount, process, thread, time};
        let null = File::open("/proc/self/status").expect("there is one");
        let nowhere = "/nonexistent";
        let nobodys = time::Timespec {
            tv_sec: 0,
            tv_nsec: -1,
        };
        [
            (
                "a file without a name",
                fs::memfd_create("kkv", fs::MemfdFlags::CLOEXEC).map(drop),
            ),
            (
                "a file of another process",
                process::pidfd_getfd(me, 0, process::PidfdGetfdFlags::empty()).map(drop),
            ),
            (
                "other namespaces",
                thread::move_into_link_name_space(null.as_fd(), None),
            ),
            ("another root", process::chroot(nowhere)),
            (
                "a mount",
                mount::mount("none", nowhere, "tmpfs", mount::MountFlags::empty(), None),
            ),
            (
                "a tree of files",
                mount::open_tree(fs::CWD, nowhere, mount::OpenTreeFlags::empty()).map(drop),
            ),
            (
                "another time",
                time::clock_settime(time::ClockId::Realtime, nobodys),
            ),
        ]
    }
    let pid = rustix::process::getpid();
    let me = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
    for (what, attempt) in attempts(&me) {
        assert_ne!(attempt, Err(Errno::PERM), "{what}: refused by another");
    }
    let needs = Needs {
        connects: true,
        ..Needs::default()
    };
    confined(needs, move || {
        for (what, attempt) in attempts(&me) {
            refused(what, attempt);
        }
    });
}

#[test]
fn nobody_signals_another_process() {
    let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&other);
    rustix::process::test_kill_process(pid).unwrap();
    confined(Needs::default(), move || {
        refused("a signal", rustix::process::test_kill_process(pid));
    });
    drop(other.stdin.take());
    other.wait().unwrap();
}

const EITHER_WAY: [bool; 2] = [false, true];

fn who_connects(connects: bool) -> Needs {
    Needs {
        connects,
        ..Needs::default()
    }
}

fn open(family: Family, kind: Kind, protocol: Option<Protocol>) -> rustix::io::Result<OwnedFd> {
    net::socket(family, kind, protocol)
}

#[test]
fn who_needs_no_network_connects_nowhere() {
    let before = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = before.local_addr().unwrap();
    for connects in EITHER_WAY {
        confined(who_connects(connects), move || {
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
    let left = open(Family::INET, Kind::STREAM, None).unwrap();
    confined(who_connects(false), move || {
        refused("a socket from before", net::connect(left, &address));
    });
}

#[test]
fn nobody_connects_by_sending() {
    let before = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = before.local_addr().unwrap();
    for connects in EITHER_WAY {
        // A listener that is shut down is a socket like any other again, and those a relay has.
        let own = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        confined(who_connects(connects), move || {
            net::shutdown(&own, net::Shutdown::Both).expect("it is its own");
            let fast_open = SendFlags::from_bits_retain(0x2000_0000);
            refused("sendto", net::sendto(&own, b"x", fast_open, &address));
            let (text, mut nothing) = ([IoSlice::new(b"x")], net::SendAncillaryBuffer::default());
            let sent = net::sendmsg_addr(&own, &address, &text, &mut nothing, fast_open);
            refused("sendmsg", sent);
            let address = address.into();
            let message = net::MMsgHdr::new_with_addr(&address, &text, &mut nothing);
            refused("sendmmsg", net::sendmmsg(&own, &mut [message], fast_open));
        });
    }
    before.set_nonblocking(true).unwrap();
    before.accept().expect_err("somebody came");
}

#[test]
fn nobody_listens_on_anything_more() {
    for connects in EITHER_WAY {
        let left = [(); 2].map(|()| open(Family::INET, Kind::STREAM, None).unwrap());
        confined(who_connects(connects), move || {
            let [one, other] = left;
            refused("on a port of the kernel's choice", net::listen(one, 1));
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            refused("a name", net::bind(other, &any));
            if connects {
                let new = open(Family::INET, Kind::STREAM, None).expect("for a connection");
                refused("a new one", net::listen(new, 1));
            }
        });
    }
}

#[test]
fn nobody_sends_a_datagram_or_has_a_socket_of_another_kind() {
    for connects in EITHER_WAY {
        confined(who_connects(connects), move || {
            denied("UDP", UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)));
            for (family, kind, protocol) in [
                (Family::INET6, Kind::DGRAM, None),
                (Family::INET, Kind::RAW, None),
                (Family::INET, Kind::STREAM, Some(ipproto::MPTCP)),
                (Family::INET6, Kind::STREAM, Some(ipproto::MPTCP)),
                (Family::INET, Kind::STREAM, Some(ipproto::SCTP)),
                (Family::UNIX, Kind::STREAM, None),
                (Family::UNIX, Kind::DGRAM, None),
                (Family::UNIX, Kind::SEQPACKET, None),
                (Family::NETLINK, Kind::STREAM, None),
                (Family::PACKET, Kind::STREAM, None),
            ] {
                let what = format!("{family:?} {kind:?} {protocol:?}");
                refused(&what, open(family, kind, protocol));
            }
            for kind in [Kind::STREAM, Kind::DGRAM] {
                let pair = net::socketpair(Family::UNIX, kind, net::SocketFlags::empty(), None);
                refused(&format!("a pair, {kind:?}"), pair);
            }
            for family in [Family::INET, Family::INET6] {
                for protocol in [None, Some(ipproto::TCP)] {
                    let stream = open(family, Kind::STREAM, protocol);
                    if connects {
                        stream.expect("TCP");
                    } else {
                        refused("TCP", stream);
                    }
                }
            }
        });
    }
}

#[test]
fn nobody_has_another_service_of_this_machine_act_for_it() {
    let (_directory, path) = prepared();
    let named = path.join("bus");
    let _bus = UnixListener::bind(&named).unwrap();
    let name = path.to_str().unwrap().to_owned(); // nobody else's
    let address = move || unix::SocketAddr::from_abstract_name(&name).expect("it is short");
    let _abstract = UnixListener::bind_addr(&address()).unwrap();
    for connects in EITHER_WAY {
        let (named, address) = (named.clone(), address.clone());
        confined(who_connects(connects), move || {
            denied("by its name", UnixStream::connect(named));
            denied("without a file", UnixStream::connect_addr(&address()));
        });
    }
}
