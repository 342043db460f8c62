//! Advice that can be pasted as it is: a command is given only where it does what is meant, and harms nothing else.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::visible::quoted;
use crate::process::own_uid;

const ROOT: u32 = 0;
/// A directory for everyone, such as /tmp.
const STICKY: u32 = 0o1000;

/// How a file is kept to oneself. What is a device, or somebody else's, is not to be changed for this.
pub(super) fn close_file(path: &Path, metadata: &Metadata) -> String {
    if metadata.is_file() && metadata.uid() == own_uid() {
        format!("Run: chmod 600 {}", quoted(path))
    } else {
        "Name a file of your own that nobody else can read.".to_owned()
    }
}

/// How a directory is kept to oneself, or which `other` may be named instead. Root is given no command: many directories are root's, and the
/// machine needs them as they are.
pub(super) fn close_directory(path: &Path, other: &str) -> String {
    let ours = fs::symlink_metadata(path).is_ok_and(|metadata| {
        let sticky = metadata.mode() & STICKY != 0;
        metadata.is_dir() && metadata.uid() == own_uid() && !sticky && own_uid() != ROOT
    });
    if ours {
        format!("Run: chmod 700 {}; or name {other}", quoted(path))
    } else {
        format!("Name {other}")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_a_file_of_ones_own_is_to_be_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a key");
        fs::write(&path, "").unwrap();
        let advice = |path: &Path| close_file(path, &fs::metadata(path).unwrap());
        assert_eq!(
            advice(&path),
            format!("Run: chmod 600 '{}'", path.display())
        );
        for other in ["/dev/null", "/proc/self", "/"] {
            let advice = advice(Path::new(other));
            assert!(!advice.contains("chmod"), "{other}: {advice}");
        }
    }

    #[test]
    fn only_a_directory_of_ones_own_is_to_be_changed_and_never_by_root() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink(directory.path(), &link).unwrap();
        for other in [Path::new("/tmp"), Path::new("/"), &link] {
            assert_eq!(close_directory(other, "another."), "Name another.");
        }
        let own = close_directory(directory.path(), "another.");
        assert_eq!(own.contains("chmod 700"), own_uid() != ROOT, "{own}");
    }
}
