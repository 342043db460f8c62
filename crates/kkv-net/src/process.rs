//! What this process is to the kernel: whose it is, and how much it may have.

use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};

use kkv_base::limits::MAX_DESCRIPTORS;

/// The number of the user who may do everything.
pub const ROOT: u32 = 0;

/// The number of the user that this process runs as.
#[must_use]
pub fn own_uid() -> u32 {
    geteuid().as_raw()
}

/// Raises this process's soft limit on file descriptors as far as it is of use. Returns how many there may be.
#[must_use]
pub fn raise_descriptors() -> u64 {
    raise(Resource::Nofile, Some(MAX_DESCRIPTORS)).unwrap_or(MAX_DESCRIPTORS)
}

/// Raises a soft limit as far as this process may, to `enough` at most, and lowers none. Returns what it is then; none
/// if there is no limit.
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
    // A process may raise it as far as that; where something else forbids it, it stays.
    match setrlimit(resource, raised) {
        Ok(()) => wanted,
        Err(_) => Some(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_as_far_as_it_is_of_use_and_never_lowered() {
        let before = getrlimit(Resource::Nofile);
        let raised = raise_descriptors();
        let after = getrlimit(Resource::Nofile);
        let unlimited = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
        assert!(unlimited(after.current) >= unlimited(before.current));
        let of_use = unlimited(before.maximum).min(MAX_DESCRIPTORS);
        assert!(unlimited(after.current) >= of_use);
        assert_eq!(after.maximum, before.maximum);
        assert_eq!(raised, after.current.unwrap_or(MAX_DESCRIPTORS));
        assert_eq!(raise(Resource::Nofile, Some(1)), after.current);
        assert_eq!(getrlimit(Resource::Nofile), after);
    }
}
