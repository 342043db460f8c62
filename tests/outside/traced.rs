//! A program that runs under strace, and what it asked of the kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::rules::{Summary, judge};
use super::trace::calls;
use crate::programs::{Process, through};

/// Everything that reaches another process or machine, or changes what is on a disk; at the end of each line also the
/// ways around those calls. A question mark stands before calls that not every machine has.
const CALLS: &str = "trace=%network,?socketcall,?io_uring_setup,\
    ?open,openat,?openat2,?open_by_handle_at,?creat,?memfd_create,\
    ?mkdir,mkdirat,?rmdir,?rename,?renameat,renameat2,?unlink,unlinkat,?link,linkat,?symlink,symlinkat,?mknod,mknodat,\
    truncate,ftruncate,execve,execveat";

/// A program under strace. Killed when dropped.
pub(crate) struct Traced {
    process: Process,
    file: PathBuf,
}

/// How strace stands to what it traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tracer {
    /// It is the parent, and ends with the program's exit code.
    Parent,
    /// It is out of the way, so that signals reach the program itself.
    Aside,
}

impl Traced {
    /// Starts `command`, with `input` to read if there is one. The trace is kept in `file`.
    pub(crate) fn start(
        command: &Command,
        input: Option<Vec<u8>>,
        tracer: Tracer,
        file: &Path,
    ) -> Self {
        let mut strace = Command::new("strace");
        if tracer == Tracer::Aside {
            strace.arg("-D");
        }
        // No byte of what is sent is written down (-s 0), and the ends of threads are (-q, not -qq): they show that the
        // trace is whole. What open files are called is (-y).
        strace.args(["-f", "-q", "-y", "-s", "0", "-e", CALLS, "-o"]);
        strace.arg(file).arg("--");
        Self {
            process: Process::spawn(through(strace, command), input),
            file: file.to_owned(),
        }
    }

    /// The program; its number is the program's own only if the tracer is [`Tracer::Aside`].
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Waits for its end, which has this `code`, and looks at everything that it asked of the kernel; see [`judge`].
    #[track_caller]
    pub(crate) fn finish(self, code: i32, own: Option<&str>) -> Result<Summary, Vec<String>> {
        self.process.finish().must_end_with(code);
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let calls = calls(&text).unwrap_or_else(|why| panic!("the trace is no use: {why}"));
        judge(&calls, own)
    }
}

/// Fails the test, saying why, if programs can't be traced here.
pub(crate) fn must_be_possible(directory: &Path) {
    let file = directory.join("possible");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-q", "-e", "trace=execve", "-o"]);
    strace.arg(&file).args(["--", "true"]);
    let output = strace
        .output()
        .unwrap_or_else(|fault| panic!("strace is needed for this test: {fault}"));
    let seen = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        output.status.success() && seen.contains("execve("),
        "strace can't trace here, so nothing can be said; is ptrace allowed? {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
