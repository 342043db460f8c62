//! What somebody can do who has taken a relay over: calls that Landlock doesn't see, made by the relay itself. Each is
//! made by another program first, to show that nothing else refuses it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use libc::*;
use rustix::process::{Pid, Signal, kill_process};

use super::injected::Argument::{Bytes, Number};
use super::injected::Held;
use crate::programs::{kkv_at, kkvc};

/// A user who is nobody here.
const SOMEBODY: u32 = 65_500;

/// A program of the same user, and what the owner has.
struct Victims {
    process: i64,
    /// A file of mode 0600 in a directory, both with an end that C understands.
    file: Vec<u8>,
    directory: Vec<u8>,
}

/// A program that waits, and is ended with the value.
struct Waiting(Child);

impl Waiting {
    fn start() -> Self {
        let mut cat = Command::new("cat");
        cat.stdin(Stdio::piped()).stdout(Stdio::null());
        Self(cat.spawn().expect("cat is everywhere"))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn terminated(path: &Path) -> Vec<u8> {
    [path.as_os_str().as_encoded_bytes(), b"\0"].concat()
}

/// An access list that lets somebody read: `struct posix_acl_xattr_header` and its entries.
fn access_list() -> Vec<u8> {
    let nobody = u32::MAX;
    let (user_object, user, group_object, mask, other) = (0x01, 0x02, 0x04, 0x10, 0x20);
    let entries: [(u16, u16, u32); 5] = [
        (user_object, 6, nobody),
        (user, 4, SOMEBODY),
        (group_object, 0, nobody),
        (mask, 4, nobody),
        (other, 0, nobody),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, whom) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(rights.to_le_bytes());
        list.extend(whom.to_le_bytes());
    }
    list
}

/// Makes every attempt: what each was called, and what came of it.
fn attempts(held: &Held, victims: &Victims) -> Vec<(&'static str, i64)> {
    let (other, here) = (Number(victims.process), Number(AT_FDCWD.into()));
    let (file, directory) = (Bytes(&victims.file), Bytes(&victims.directory));
    let (list, none) = (access_list(), Number(0));
    let (endless, long) = ([u64::MAX; 2].map(u64::to_le_bytes).concat(), Number(8));
    let mut done = Vec::new();
    let mut attempt = |what, number, arguments: &[_]| {
        let result = held.call(number, arguments);
        done.push((what, result));
        Number(result.max(0))
    };

    let acl = Bytes(b"system.posix_acl_access\0");
    let length = Number(list.len().try_into().expect("it is short"));
    attempt(
        "file opened",
        SYS_setxattr,
        &[file, acl, Bytes(&list), length, none],
    );
    let kept = [file, Bytes(b"user.kkv\0"), Bytes(b"x"), Number(1), none];
    attempt("attribute kept", SYS_setxattr, &kept);
    attempt("attributes listed", SYS_listxattr, &[file, none, none]);
    attempt("time set", SYS_utimensat, &[here, file, none, none]);
    attempt("mode set", SYS_fchmodat, &[here, file, Number(0o604)]);
    attempt(
        "file given away",
        SYS_fchownat,
        &[here, file, Number(SOMEBODY.into()), none, none],
    );

    attempt(
        "limit set",
        SYS_prlimit64,
        &[other, Number(RLIMIT_CPU.into()), Bytes(&endless), none],
    );
    attempt(
        "limit seen",
        SYS_prlimit64,
        &[other, Number(RLIMIT_CPU.into()), none, Bytes(&endless)],
    );
    attempt("priority set", SYS_setpriority, &[none, other, Number(1)]);
    attempt(
        "disk priority set",
        SYS_ioprio_set,
        &[Number(1), other, Number(2 << 13 | 7)],
    );
    attempt(
        "processor chosen",
        SYS_sched_setaffinity,
        &[other, long, Bytes(&[255; 8])],
    );
    attempt("signal", SYS_kill, &[other, none]);
    attempt("signal to a thread", SYS_tgkill, &[other, other, none]);
    attempt(
        "signal by way of a file",
        SYS_fcntl,
        &[none, Number(F_SETOWN.into()), other],
    );
    attempt("process watched", SYS_pidfd_open, &[other, none]);

    let watch = attempt("watch", SYS_inotify_init1, &[none]);
    attempt(
        "names of files seen",
        SYS_inotify_add_watch,
        &[watch, directory, Number(0xfff)],
    );
    attempt("file system watched", SYS_fanotify_init, &[none, none]);

    let private = [none, Number(1), Number((IPC_CREAT | 0o666).into())];
    let id = attempt("semaphore", SYS_semget, &private);
    held.call(SYS_semctl, &[id, none, Number(IPC_RMID.into())]);
    let id = attempt("shared memory", SYS_shmget, &private);
    held.call(SYS_shmctl, &[id, Number(IPC_RMID.into())]);
    let id = attempt("queue", SYS_msgget, &[private[0], private[2]]);
    held.call(SYS_msgctl, &[id, Number(IPC_RMID.into())]);
    let name = format!("kkv-{}\0", victims.process);
    let name = Bytes(name.as_bytes());
    let open = Number((O_CREAT | O_RDWR).into());
    attempt(
        "queue with a name",
        SYS_mq_open,
        &[name, open, Number(0o666), none],
    );
    held.call(SYS_mq_unlink, &[name]);

    attempt(
        "open to debuggers",
        SYS_prctl,
        &[Number(PR_SET_DUMPABLE.into()), Number(1)],
    );
    attempt(
        "executed as data",
        SYS_personality,
        &[Number(u32::MAX.into())],
    );
    let alone = [Number(SIGCHLD.into()), none, none, none, none];
    let Number(child) = attempt("a child that lives on", SYS_clone, &alone) else {
        unreachable!("it is one");
    };
    let child = i32::try_from(child).ok().and_then(Pid::from_raw);
    if let Some(child) = child {
        let _ = kill_process(child, Signal::KILL); // it may have ended by itself
    }
    done
}

#[test]
fn what_landlock_does_not_see_is_refused_to_who_has_taken_a_relay_over() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("diary");
    fs::write(&file, "dear diary").unwrap();
    let prepare =
        || fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (other, control) = (Waiting::start(), Waiting::start());
    let victims = Victims {
        process: other.0.id().into(),
        file: terminated(&file),
        directory: terminated(directory.path()),
    };
    prepare();
    let process = |child: &Child| i32::try_from(child.id()).expect("it is positive");
    let held = Held::take(process(&control.0));
    for (what, result) in attempts(&held, &victims) {
        assert!(result >= 0, "{what}: refused by something else, {result}");
    }
    assert_eq!(
        fs::metadata(&file).unwrap().uid(),
        SOMEBODY,
        "the calls are made"
    );
    drop(held);

    std::os::unix::fs::chown(&file, Some(0), Some(0)).unwrap();
    prepare();
    let before = fs::metadata(&file).unwrap();
    let socket = tempfile::tempdir().unwrap();
    let socket = socket.path().join("kkv.sock");
    // Nothing else waits for it, as things do that tests usually start it with.
    let mut relay = kkv_at(&socket);
    let mut relay = Waiting(relay.stdout(Stdio::piped()).spawn().expect("it is built"));
    let mut out = BufReader::new(relay.0.stdout.take().expect("it is piped"));
    out.read_line(&mut String::new()).unwrap(); // it has confined itself
    let held = Held::take(process(&relay.0));
    for (what, result) in attempts(&held, &victims) {
        assert_eq!(result, i64::from(-EPERM), "{what}");
    }
    // Where its flags are, no filter looks; so that libraries don't take it for refused, it isn't there.
    let absent = held.call(SYS_clone3, &[Bytes(&[0; 88]), Number(88)]);
    assert_eq!(absent, i64::from(-ENOSYS));
    drop(held);
    let after = fs::metadata(&file).unwrap();
    let seen = |file: &fs::Metadata| (file.ctime(), file.ctime_nsec(), file.mode(), file.uid());
    assert_eq!(seen(&after), seen(&before));
    let socket = socket.to_str().expect("made of ASCII");
    kkvc(["status", "--socket", socket])
        .finish()
        .must_end_with(0);
}
