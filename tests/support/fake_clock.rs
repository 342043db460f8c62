//! A program's clock, by `faketime`'s library.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Output};
use std::sync::OnceLock;

use rustix::process::Pid;

/// What `LD_PRELOAD` has to name for a program whose clock is another.
///
/// The program `faketime` tells where its library is, and refuses if something in memory is named after its process
/// number. Programs that had the library and were killed, or may delete nothing, leave such names, and on a machine
/// where numbers come round soon it meets one. So it is asked again: as another process it has another number.
pub(crate) fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        told(|| {
            Command::new("faketime")
                .args(["-m", "-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""])
                .output()
                .expect("faketime is installed: see scripts/need")
        })
    })
}

/// What it tells once it does, asked a thousand times at most.
fn told(mut ask: impl FnMut() -> Output) -> String {
    let mut said = String::new();
    for _ in 0..1_000 {
        let asked = ask();
        let library = String::from_utf8(asked.stdout).expect("a path");
        if library.contains("faketime") {
            return library;
        }
        said = String::from_utf8_lossy(&asked.stderr).into_owned();
    }
    panic!("faketime doesn't tell where its library is: {said}");
}

/// Deletes what the library has left in memory for the process `pid`, which has ended and could not do it itself.
#[cfg_attr(
    not(feature = "embedded-tor"),
    expect(
        dead_code,
        reason = "a clock is wrong for long only where Tor is inside"
    )
)]
pub(crate) fn forget(pid: Pid) {
    for name in ["faketime_shm_", "sem.faketime_sem_"] {
        let left = Path::new("/dev/shm").join(format!("{name}{}", pid.as_raw_pid()));
        if left.exists() {
            std::fs::remove_file(&left).expect("it is ours");
        }
    }
}

/// Whether numbers are taken depends on the machine, so the refusals are made up.
#[test]
fn the_library_is_asked_for_again_where_a_process_number_is_taken() {
    assert!(library().contains("libfaketime"), "{:?}", library());
    let answer = |status, stdout: &str, stderr: &str| Output {
        status: ExitStatus::from_raw(status),
        stdout: stdout.into(),
        stderr: stderr.into(),
    };
    let mut asked = 0;
    let library = told(|| {
        asked += 1;
        match asked {
            1..=3 => answer(1 << 8, "", "sem_open: File exists"),
            _ => answer(0, "/lib/libfaketime.so.1", ""),
        }
    });
    assert_eq!((library.as_str(), asked), ("/lib/libfaketime.so.1", 4));
}
