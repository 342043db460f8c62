//! Tests that look at their whole process, or change it: `cargo test` runs many tests in one process at once.

use std::any::type_name;
use std::env;
use std::process::Command;

/// In the process that runs this one test alone.
const ALONE: &str = "KKV_TEST_ALONE";

/// Does `work`, which is all that the test that calls it does, in a process of its own: this program, started again for
/// that one test.
///
/// # Panics
/// Where it fails, or can't be started.
pub fn alone<W: FnOnce()>(work: W) {
    if env::var_os(ALONE).is_some() {
        return work();
    }
    // A closure is named after the function that it stands in, and a test after its path in the crate.
    let name = type_name::<W>();
    let name = name.split_once("::").map_or(name, |(_crate, path)| path);
    let name = name.trim_end_matches("::{{closure}}");
    let run = Command::new(env::current_exe().expect("it runs"))
        .args([name, "--exact"])
        .env(ALONE, "1")
        .output()
        .expect("it has been started before");
    let said = String::from_utf8_lossy(&run.stdout);
    // None of this name would be a success, too.
    let has_passed = run.status.success() && said.contains("test result: ok. 1 passed");
    assert!(has_passed, "{name} alone: {}\n{said}", run.status);
}

#[cfg(test)]
mod tests {
    use std::process;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    static WAS_HERE: AtomicBool = AtomicBool::new(false);

    #[test]
    fn the_work_is_done_in_another_process() {
        alone(|| WAS_HERE.store(true, Ordering::Relaxed));
        let is_child = env::var_os(ALONE).is_some();
        assert_eq!(WAS_HERE.load(Ordering::Relaxed), is_child);
    }

    #[test]
    fn what_fails_there_fails_here() {
        if env::var_os(ALONE).is_some() {
            alone(|| process::exit(7));
        }
        let failed = std::panic::catch_unwind(|| alone(|| process::exit(7)));
        assert!(failed.is_err());
    }
}
