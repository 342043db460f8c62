//! What the kernel does for a relay: holds it to its rules, and lets it have enough files open.

use rustix::process::{Resource, getrlimit};

use super::Finding;
use super::relay::Seen;
use kkv_base::limits::MAX_DESCRIPTORS;
use kkv_relay::sandbox::{self, Confined, Sandbox};

/// How far the relay is confined, or could be here.
pub(super) fn sandbox(seen: &Seen) -> Finding {
    match seen.running() {
        Some(status) => confined(&status.sandbox, "kkv is confined by Landlock and seccomp"),
        None => confined(&sandbox::possible(), "this kernel has Landlock and seccomp"),
    }
}

/// `well`: what is said where nothing is missing.
fn confined(sandbox: &Sandbox, well: &str) -> Finding {
    const CHECK: &str = "sandbox";
    const LANDLOCK: &str = "a newer kernel helps (Linux 6.12, with landlock among its lsm=), and where kkv runs in a container, its rules";
    match (sandbox.files, sandbox.calls) {
        (_, Confined::Not) => Finding::warning(
            CHECK,
            "no seccomp: a kkv that was taken over could start programs",
            "see that the kernel, or the container, allows seccomp filters",
        ),
        (Confined::Not, _) => Finding::warning(
            CHECK,
            "no Landlock: a kkv that was taken over could read and write your files",
            LANDLOCK,
        ),
        (Confined::Partly, _) => Finding::warning(
            CHECK,
            "an older Landlock, which sees to part of it",
            LANDLOCK,
        ),
        (Confined::Fully, _) => Finding::ok(CHECK, well),
    }
}

/// Whether the relay may have as many files open as its connections need.
pub(super) fn files(seen: &Seen) -> Finding {
    let relay = seen
        .limits
        .as_ref()
        .and_then(|limits| limits.now("Max open files"));
    // A relay raises it as far as it may.
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    enough(relay.unwrap_or(most))
}

fn enough(files: u64) -> Finding {
    const CHECK: &str = "files";
    if files >= MAX_DESCRIPTORS {
        return Finding::ok(CHECK, format!("kkv may have {MAX_DESCRIPTORS} open"));
    }
    Finding::warning(
        CHECK,
        format!("kkv may have only {files} open, so fewer can write to you at once"),
        format!(
            "raise nofile to {MAX_DESCRIPTORS} (in /etc/security/limits.conf, or LimitNOFILE= in a unit), and start kkv again"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::State::{Ok as Well, Warning};
    use super::super::relay::Limits;
    use super::super::relay::tests::{LIMITS, seen, well};
    use super::*;

    #[test]
    fn what_the_kernel_does_not_see_to_is_told() {
        let of = |files, calls| {
            let sandbox = Sandbox {
                files,
                calls,
                writes: None,
            };
            confined(&sandbox, "so it is").state
        };
        assert_eq!(of(Confined::Fully, Confined::Fully), Well);
        for (files, calls) in [
            (Confined::Partly, Confined::Fully),
            (Confined::Not, Confined::Fully),
            (Confined::Fully, Confined::Not),
            (Confined::Not, Confined::Not),
        ] {
            assert_eq!(of(files, calls), Warning, "{files:?} {calls:?}");
        }
        assert_eq!(sandbox(&seen(Ok(well()))).state, Well);
    }

    #[test]
    fn too_few_files_are_told_with_how_many_would_do() {
        assert_eq!(enough(MAX_DESCRIPTORS).state, Well);
        assert_eq!(enough(u64::MAX).state, Well);
        let few = enough(1023);
        assert_eq!(few.state, Warning);
        assert!(few.line().contains("only 1023 open"), "{few:?}");
        assert!(few.line().contains("nofile to 4096"), "{few:?}");
        let mut relay = seen(Ok(well()));
        relay.limits = Some(Limits::new(LIMITS));
        assert!(files(&relay).line().contains("only 1024 open"));
    }
}
