//! This process's user and resource limits.

use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};

use kkv_base::limits::MAX_DESCRIPTORS;

/// The user id of root, whom the kernel lets read every file.
pub const ROOT: u32 = 0;

/// The effective user id of this process.
#[must_use]
pub fn own_uid() -> u32 {
    geteuid().as_raw()
}

/// Raises the soft limit on file descriptors, up to [`MAX_DESCRIPTORS`]. Returns the limit.
#[must_use]
pub fn raise_descriptors() -> u64 {
    raise(Resource::Nofile, Some(MAX_DESCRIPTORS)).unwrap_or(MAX_DESCRIPTORS)
}

/// Raises a soft limit up to its hard limit, and to `enough` at most. Never lowers it. Returns the limit; `None` if
/// there is none.
pub fn raise(resource: Resource, enough: Option<u64>) -> Option<u64> {
    let limit = getrlimit(resource);
    let now = limit.current?;
    let wanted = match (limit.maximum, enough) {
        (Some(most), Some(enough)) => Some(most.min(enough)),
        (most, enough) => most.or(enough),
    };
    if wanted.is_some_and(|wanted| wanted <= now) {
        return Some(now);
    }
    let raised = Rlimit {
        current: wanted,
        ..limit
    };
    // Allowed by POSIX up to the hard limit. If a security module forbids it, the limit stays.
    match setrlimit(resource, raised) {
        Ok(()) => wanted,
        Err(_) => Some(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_as_far_as_useful_and_never_lowered() {
        let before = getrlimit(Resource::Nofile);
        let raised = raise_descriptors();
        let after = getrlimit(Resource::Nofile);
        let unlimited = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
        assert!(unlimited(after.current) >= unlimited(before.current));
        let useful = unlimited(before.maximum).min(MAX_DESCRIPTORS);
        assert!(unlimited(after.current) >= useful);
        assert_eq!(after.maximum, before.maximum);
        assert_eq!(raised, after.current.unwrap_or(MAX_DESCRIPTORS));
        assert_eq!(raise(Resource::Nofile, Some(1)), after.current);
        assert_eq!(getrlimit(Resource::Nofile), after);
    }
}
