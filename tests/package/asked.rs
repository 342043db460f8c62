//! What a traced program asked of the kernel, and what of that its unit would have refused.

use std::collections::BTreeSet;

use super::unit::Unit;

/// Everything in `trace` that `unit` does not allow, each kind once.
pub(super) fn refused(trace: &str, unit: &Unit) -> BTreeSet<String> {
    let calls = unit.calls();
    let families: BTreeSet<&str> = unit.words("RestrictAddressFamilies").collect();
    let asked = trace.lines().filter_map(asked);
    asked
        .filter(|(call, arguments)| {
            let family = arguments.split(',').next().unwrap_or_default();
            let says = |word: &str| arguments.contains(word);
            !calls.contains(*call)
                // RestrictAddressFamilies
                || *call == "socket" && !families.contains(family)
                // MemoryDenyWriteExecute
                || *call == "mmap" && says("PROT_WRITE") && says("PROT_EXEC")
                || call.ends_with("mprotect") && says("PROT_EXEC")
                || *call == "shmat" && says("SHM_EXEC")
                // RestrictNamespaces
                || says("CLONE_NEW")
                // RestrictSUIDSGID
                || says("S_ISUID") || says("S_ISGID")
        })
        .map(|(call, arguments)| format!("{call}({arguments}"))
        .collect()
}

/// The call that a line of a trace begins with, and the rest of the line; none where another one goes on, or where it
/// tells of a signal or an end.
fn asked(line: &str) -> Option<(&str, &str)> {
    let (_, asked) = line.split_once(' ').expect("a thread comes first");
    let asked = asked.trim_start();
    if asked.starts_with(['<', '+', '-', '?']) {
        return None;
    }
    Some(asked.split_once('(').expect("a name and arguments"))
}

#[cfg(test)]
mod tests {
    use super::super::unit::UNITS;
    use super::*;

    #[test]
    fn what_a_unit_forbids_is_found_and_what_it_allows_is_not() {
        for unit in UNITS.map(Unit::read) {
            let found = |call: &str| refused(&format!("7 {call}\n"), &unit).len();
            for call in [
                r#"execve("/usr/bin/kkv", ["kkv"], 0x7ffc /* 9 vars */) = 0"#,
                "<... futex resumed>) = 0",
                "+++ exited with 0 +++",
                "--- SIGTERM {si_signo=SIGTERM} ---",
                "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
                "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f",
                "mmap(0x7f, 8192, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_FIXED, 3, 0) = 0x7f",
                "mlockall(MCL_CURRENT|MCL_FUTURE) = 0",
            ] {
                assert_eq!(found(call), 0, "{call}");
            }
            for call in [
                "socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE) = 3",
                "socket(AF_PACKET, SOCK_RAW, 0 <unfinished ...>",
                "mmap(NULL, 8192, PROT_READ|PROT_WRITE|PROT_EXEC, MAP_PRIVATE, -1, 0) = 0x7f",
                "mprotect(0x7f, 8192, PROT_READ|PROT_EXEC) = 0",
                "clone(child_stack=NULL, flags=CLONE_NEWUSER|SIGCHLD) = 8",
                "ptrace(PTRACE_TRACEME) = 0",
                "keyctl(KEYCTL_GET_KEYRING_ID, 0, 0) = 1",
            ] {
                assert_eq!(found(call), 1, "{call}");
            }
        }
    }
}
