//! Advice that can be pasted as it is: a command is given only where it does what is meant, and harms nothing else.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::CliError;
use kkv_net::process::{ROOT, own_uid};
use kkv_terminal::visible::quoted;

/// A directory for everyone, such as /tmp.
const STICKY: u32 = 0o1000;

/// Where the files of the machine are, which it needs as they are.
const OF_THE_MACHINE: [&str; 14] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/opt", "/proc", "/run", "/sbin",
    "/sys", "/usr", "/var",
];

/// Adds how a file is kept to oneself. What is a device, somebody else's or the machine's is not to be changed for
/// this.
pub fn close_file(failed: CliError, path: &Path, metadata: &Metadata) -> CliError {
    let ours = metadata.is_file() && metadata.uid() == own_uid();
    if !ours || (own_uid() == ROOT && is_of_the_machine(path)) {
        return failed.hint("Name a file of your own that nobody else can read.");
    }
    let file = quoted(path);
    if file.starts_with('\'') {
        // Its name may be a stranger's, whose words never begin at the edge of the screen.
        failed.hint(format!("Run: chmod 600 {file}"))
    } else {
        failed.command("Run: ", &format!("chmod 600 {file}"))
    }
}

fn is_of_the_machine(path: &Path) -> bool {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    OF_THE_MACHINE.iter().any(|of| path.starts_with(of))
}

/// Adds how a directory is kept to oneself, or which `other` may be named instead.
pub fn close_directory(failed: CliError, path: &Path, other: &str) -> CliError {
    if may_be_changed(path, own_uid()) {
        let command = format!("chmod 700 {}", quoted(path));
        failed
            .command("Run: ", &command)
            .more(&format!("Or name {other}"))
    } else {
        failed.hint(format!("Name {other}"))
    }
}

/// The command after which nobody else writes in a directory, where user `me` may well change it.
pub fn keep_from_writing(path: &Path, me: u32) -> Option<String> {
    may_be_changed(path, me).then(|| format!("chmod go-w {}", quoted(path)))
}

/// Whether a directory is user `me`'s own. Root is given no command: many directories are root's, and the machine needs
/// them as they are.
fn may_be_changed(path: &Path, me: u32) -> bool {
    me != ROOT
        && fs::symlink_metadata(path)
            .is_ok_and(|found| found.is_dir() && found.uid() == me && found.mode() & STICKY == 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    #[test]
    fn only_a_file_of_ones_own_is_to_be_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a key");
        fs::write(&path, "").unwrap();
        let advice = |path: &Path| {
            let failed = close_file(CliError::usage("no"), path, &fs::metadata(path).unwrap());
            failed.hint.unwrap()
        };
        assert_eq!(
            advice(&path),
            format!("Run: chmod 600 '{}'", path.display())
        );
        for other in [
            "/dev/null",
            "/proc/self",
            "/",
            "/etc/passwd",
            "/proc/self/root/etc/passwd",
        ] {
            let advice = advice(Path::new(other));
            assert!(!advice.contains("chmod"), "{other}: {advice}");
        }
    }

    #[test]
    fn only_a_directory_of_ones_own_is_to_be_changed_and_never_by_root() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink(directory.path(), &link).unwrap();
        let advice = |path: &Path| {
            close_directory(CliError::usage("no"), path, "another.")
                .hint
                .unwrap()
        };
        for other in [Path::new("/tmp"), Path::new("/"), &link] {
            assert_eq!(advice(other), "Name another.");
            assert_eq!(keep_from_writing(other, own_uid()), None);
        }
        let own = advice(directory.path());
        assert_eq!(own.contains("chmod 700"), own_uid() != ROOT, "{own}");
        let owner = fs::metadata(directory.path()).unwrap().uid();
        let given = |me| keep_from_writing(directory.path(), me).is_some();
        assert_eq!(given(owner), owner != ROOT);
        chown(directory.path(), Some(7), None).expect("run by root, or as scripts/test runs it");
        assert!(
            given(7) && !given(8) && !given(ROOT),
            "only who has it, and never root"
        );
    }
}
