//! Which directories are in memory, and so leave nothing on a disk but what is swapped.

use std::path::{Path, PathBuf};

use rustix::fs::statfs;

/// File systems in memory: tmpfs and ramfs (`linux/magic.h`).
const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];

/// The directories that may be in memory and that this user may write to, the better one first: `$XDG_RUNTIME_DIR`, for
/// this user alone, and `/dev/shm`, for all.
#[must_use]
pub fn candidates() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    // "If an implementation encounters a relative path […] it should consider the path invalid and ignore it" (XDG
    // Base Directory Specification).
    let runtime = runtime.filter(|path| path.is_absolute());
    runtime.into_iter().chain(["/dev/shm".into()]).collect()
}

/// Whether a directory is in memory.
#[must_use]
pub fn is_in_memory(path: &Path) -> bool {
    // Of 32 bits, in a field that is as wide as the architecture has it, with a sign or without.
    statfs(path).is_ok_and(|found| IN_MEMORY.contains(&(found.f_type as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_from_what_is_none() {
        assert!(is_in_memory(Path::new("/dev/shm")), "Linux has it");
        for other in ["/proc", "/sys", "/nonexistent"] {
            assert!(!is_in_memory(Path::new(other)), "{other}");
        }
    }
}
