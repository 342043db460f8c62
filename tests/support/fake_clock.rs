//! A program's clock, by `faketime`'s library.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
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
        let mut said = String::new();
        for _ in 0..1_000 {
            let asked = Command::new("faketime")
                .args(["-m", "-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""])
                .output()
                .expect("faketime is installed: see scripts/need");
            let library = String::from_utf8(asked.stdout).expect("a path");
            if library.contains("faketime") {
                return library;
            }
            said = String::from_utf8_lossy(&asked.stderr).into_owned();
        }
        panic!("faketime doesn't tell where its library is: {said}");
    })
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

/// Names in memory, deleted at the end.
struct Taken(Vec<PathBuf>);

impl Drop for Taken {
    fn drop(&mut self) {
        for path in &self.0 {
            std::fs::remove_file(path).expect("it is ours");
        }
    }
}

#[test]
fn the_library_is_found_though_process_numbers_are_taken() {
    // Those that the next processes have, so that the first askings fail.
    let next = std::process::id();
    let taken = (next..next + 60)
        .map(|pid| Path::new("/dev/shm").join(format!("sem.faketime_sem_{pid}")))
        .filter(|path| File::create_new(path).is_ok());
    let _taken = Taken(taken.collect());
    assert!(library().contains("libfaketime"), "{:?}", library());
}
