//! The name `kkvc`: becomes the program `kkv` beside it, which is a client when it is called so.
//!
//! Most of both is Tor. Linked once, it takes half of the time to build and half of the space.

use std::convert::Infallible;
use std::env;
use std::ffi::{CString, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nix::errno::Errno;
use nix::unistd::execv;
use rustix::process::geteuid;

const ROOT: u32 = 0;

/// The mode bits by which all others may write, and by which a group may.
const OTHERS_WRITE: u32 = 0o002;
const GROUP_WRITES: u32 = 0o020;
/// That of a directory in which nobody removes what is another's, such as /tmp.
const STICKY: u32 = 0o1000;

/// Bytes of the longer one of both forms of an ELF header.
const HEADER_BYTES: usize = 64;

const KEEP_BOTH: &str = "Keep both in one directory.";
const AGAIN: &str = "Install both again.";
const ELSEWHERE: &str = "Install both where no other user may write.";

fn main() -> ExitCode {
    let (what, Fault { why, advice }) = match env::current_exe() {
        Ok(own) => {
            // Never looked for elsewhere: another one may be another's.
            let kkv = own.with_file_name("kkv");
            let Err(fault) = become_client(&own, &kkv);
            let what = format!("can't start {kkv:?}, the program that it is a name of");
            (what, fault)
        }
        Err(fault) => {
            let what = "can't find out where it is".to_owned();
            (what, Fault::new(fault.to_string(), KEEP_BOTH))
        }
    };
    // A closed standard error changes nothing of how this ends.
    _ = writeln!(
        io::stderr(),
        "kkvc: {what}: {why}\n  Nothing was done. {advice}"
    );
    ExitCode::FAILURE
}

/// Why there is no client, and what to do then.
struct Fault {
    why: String,
    advice: &'static str,
}

impl Fault {
    fn new(why: impl Into<String>, advice: &'static str) -> Self {
        Self {
            why: why.into(),
            advice,
        }
    }

    /// Of a file that can't be looked at.
    #[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives it")]
    fn unseen(fault: io::Error) -> Self {
        match fault.kind() {
            io::ErrorKind::NotFound => Self::new("it isn't there", KEEP_BOTH),
            _ => Self::new(fault.to_string(), AGAIN),
        }
    }
}

fn become_client(own: &Path, kkv: &Path) -> Result<Infallible, Fault> {
    let program = trusted(own, kkv)?;
    must_be_whole(&program)?;
    execute(program)
}

/// The program that `kkv` is or leads to, if nobody can have put it there who couldn't have changed `kkvc` itself.
///
/// In a directory for everybody, say, anyone can put a `kkv` beside somebody's copy of `kkvc`, for root to run.
fn trusted(own: &Path, kkv: &Path) -> Result<PathBuf, Fault> {
    // By what runs: its path may have another file by now.
    let kkvc = fs::metadata("/proc/self/exe").map_err(Fault::unseen)?;
    let owners = Owners::of(&kkvc, own);
    owners.must_have(kkv)?;
    let program = fs::canonicalize(kkv).map_err(Fault::unseen)?;
    if program == own {
        return Err(Fault::new("it is kkvc itself", AGAIN));
    }
    owners.must_have(&program)?;
    match fs::metadata(&program).map_err(Fault::unseen)?.is_file() {
        true => Ok(program),
        false => Err(Fault::new("it is no file", AGAIN)),
    }
}

/// Who may change `kkvc` itself, and so need not be kept from changing `kkv`.
struct Owners {
    users: [u32; 3],
    /// With a umask of 002 each user's own group may write.
    group: Option<u32>,
}

impl Owners {
    fn of(kkvc: &Metadata, own: &Path) -> Self {
        // Who may write to its directory can put another kkvc there.
        let directory = own
            .parent()
            .and_then(|directory| fs::metadata(directory).ok());
        let directory = directory.filter(|directory| directory.mode() & STICKY == 0);
        let writable = |file: &&Metadata| file.mode() & GROUP_WRITES != 0;
        let group = [Some(kkvc), directory.as_ref()]
            .into_iter()
            .flatten()
            .find(writable);
        Self {
            users: [ROOT, geteuid().as_raw(), kkvc.uid()],
            group: group.map(MetadataExt::gid),
        }
    }

    /// Fails if anyone else may change what is at `path`, or put something else there.
    fn must_have(&self, path: &Path) -> Result<(), Fault> {
        let file = fs::symlink_metadata(path).map_err(Fault::unseen)?;
        self.must_own(&file, "it")?;
        if !file.is_symlink() {
            self.must_alone_write(&file, "it")?;
        }
        let directory = path.parent().unwrap_or(Path::new("/"));
        let directory = fs::metadata(directory).map_err(Fault::unseen)?;
        self.must_own(&directory, "its directory")?;
        if directory.mode() & STICKY == 0 {
            self.must_alone_write(&directory, "its directory")?;
        }
        Ok(())
    }

    fn must_own(&self, file: &Metadata, what: &str) -> Result<(), Fault> {
        let user = file.uid();
        match self.users.contains(&user) {
            true => Ok(()),
            false => Err(Fault::new(format!("user {user} owns {what}"), ELSEWHERE)),
        }
    }

    fn must_alone_write(&self, file: &Metadata, what: &str) -> Result<(), Fault> {
        let closed = match self.group {
            Some(group) if group == file.gid() => OTHERS_WRITE,
            _ => OTHERS_WRITE | GROUP_WRITES,
        };
        match file.mode() & closed {
            0 => Ok(()),
            _ => Err(Fault::new(format!("others may write to {what}"), ELSEWHERE)),
        }
    }
}

/// Fails if the program is empty, not one, or cut off: half of one would start, and end by a signal.
fn must_be_whole(program: &Path) -> Result<(), Fault> {
    // Where it may be run but not read, the kernel alone looks at it.
    let Ok(mut file) = File::open(program) else {
        return Ok(());
    };
    let length = file.metadata().map_or(0, |file| file.len());
    let mut header = [0; HEADER_BYTES];
    let read = file.read_exact(&mut header);
    if read.is_err() || !header.starts_with(b"\x7fELF") {
        return Err(Fault::new("it is no program", AGAIN));
    }
    match sections_end(&header) <= length {
        true => Ok(()),
        false => Err(Fault::new("it is cut off", AGAIN)),
    }
}

/// Where the table of sections ends: linkers write it last. See elf(5), `e_shoff`, `e_shentsize` and `e_shnum`.
fn sections_end(header: &[u8; HEADER_BYTES]) -> u64 {
    let number = |at: usize, bytes: usize| {
        let field = header[at..at + bytes].iter();
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match header[5] {
            1 => field.rev().fold(0, join), // ELFDATA2LSB
            _ => field.fold(0, join),
        }
    };
    let (offset, size, count) = match header[4] {
        1 => (number(0x20, 4), number(0x2e, 2), number(0x30, 2)), // ELFCLASS32
        _ => (number(0x28, 8), number(0x3a, 2), number(0x3c, 2)),
    };
    offset.saturating_add(size * count)
}

/// By execve(2) itself: execvp(3), by which std does it, gives a file that the kernel doesn't know to a shell, which
/// takes an empty one for a script that has done all it should.
fn execute(program: PathBuf) -> Result<Infallible, Fault> {
    let failed = |fault: Errno| match fault {
        Errno::ENOEXEC => Fault::new("it is no program of this machine", AGAIN),
        Errno::ENOENT => Fault::new("the loader that it asks for isn't there", AGAIN),
        fault => Fault::new(io::Error::from(fault).to_string(), AGAIN),
    };
    let text = |text: OsString| CString::new(text.into_vec()).map_err(|_| failed(Errno::EINVAL));
    let words = env::args_os().skip(1).map(text);
    let words: Vec<CString> = [Ok(c"kkvc".to_owned())]
        .into_iter()
        .chain(words)
        .collect::<Result<_, _>>()?;
    let program = text(program.into_os_string())?;
    execv(&program, &words).map_err(failed)
}
