//! What no program of this project may ever ask of the kernel, and a summary of what it did ask.

use std::collections::BTreeSet;

use super::sockaddr::{Address, address_of, addresses};
use super::trace::{Call, file, string};

/// What of `/etc` may be read: where libraries are, and the time zone. Not there: everything that has to do with names
/// of machines.
const READ_IN_ETC: [&str; 4] = ["ld.so.cache", "ld.so.preload", "localtime", "timezone"];

/// What more of it a program may read that keeps files: who its user is, to see that nobody else can change them.
const WHO_IS_WHO: [&str; 3] = ["nsswitch.conf", "passwd", "group"];

/// Parts of names of files that only somebody reads who looks up a name.
const RESOLVERS: [&str; 5] = ["libnss_", "libresolv", "resolv.conf", "nsswitch", "nscd"];

/// What a program did, as far as it touches its promises.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Where it listens, in order.
    pub binds: Vec<Address>,
    /// What it tried to connect to.
    pub connects: BTreeSet<Address>,
    /// Who came, in order.
    pub visitors: Vec<Address>,
    /// What it made, changed or removed in the file system, in order; tried or done.
    pub changes: Vec<String>,
    /// What the kernel did not let it do, though it asked: what it gave up at its start, it should have no use for.
    pub denied: Vec<String>,
}

/// Looks at every call. What breaks a rule whatever the program was asked to do is an error. What happens to files in
/// its `own` directory is its own affair.
pub(crate) fn judge(calls: &[Call], own: Option<&str>) -> Result<Summary, Vec<String>> {
    let mut summary = Summary::default();
    let faults = calls.iter().filter_map(|call| {
        let fault = one(call, own, &mut summary).err()?;
        Some(format!("{fault}: {call:?}"))
    });
    let mut faults: Vec<String> = faults.collect();
    let programs = calls.iter().filter(|call| call.name.starts_with("exec"));
    let is_itself = match programs.collect::<Vec<_>>()[..] {
        [_] => true,
        [name, program] => is_name_of(name, program),
        _ => false,
    };
    if !is_itself {
        faults.push("it started another program, or its own start was not seen".to_owned());
    }
    if faults.is_empty() {
        Ok(summary)
    } else {
        Err(faults)
    }
}

/// Whether the first is `kkvc`, which is a name of the program `kkv` beside it (bin/kkvc.rs), and the second that one.
fn is_name_of(name: &Call, program: &Call) -> bool {
    let path = |call: &Call| {
        call.arguments
            .first()
            .map(|path| path.trim_matches('"').to_owned())
    };
    let (Some(name), Some(program)) = (path(name), path(program)) else {
        return false;
    };
    let directory = name.strip_suffix("/kkvc");
    directory.is_some_and(|directory| program == format!("{directory}/kkv"))
}

fn one(call: &Call, own: Option<&str>, summary: &mut Summary) -> Result<(), String> {
    let argument = |number: usize| call.arguments.get(number).map_or("", String::as_str);
    for argument in &call.arguments {
        addresses(argument)?.iter().try_for_each(stays_here)?;
    }
    let failed = call.result.starts_with(['-', '?']);
    if ["EACCES", "EPERM"]
        .iter()
        .any(|fault| call.result.contains(fault))
    {
        summary.denied.push(named(call));
    }
    if own.is_some_and(|own| touches_only(own, call)) {
        return Ok(());
    }
    match call.name.as_str() {
        "socket" | "socketpair" => socket(argument(0), argument(1))?,
        "bind" => summary.binds.push(address_of(argument(1))?),
        "connect" => drop(summary.connects.insert(address_of(argument(1))?)),
        "accept" | "accept4" if !failed => summary.visitors.push(address_of(argument(1))?),
        "recvfrom" | "sendto" if !failed && argument(4) != "NULL" => {
            address_of(argument(4))?;
        }
        "sendto" if argument(4) != "NULL" => drop(address_of(argument(4))?),
        "recvmsg" | "sendmsg" | "recvmmsg" | "sendmmsg" => message(&call.arguments)?,
        "accept" | "accept4" | "recvfrom" | "sendto" | "execve" | "execveat" | "listen"
        | "shutdown" | "getsockname" | "getpeername" | "getsockopt" | "setsockopt" => {}
        "open" => open(argument(0), argument(1), own.is_some())?,
        "openat" => open(&from(argument(0), argument(1)), argument(2), own.is_some())?,
        "creat" | "mkdir" | "mkdirat" | "rmdir" | "rename" | "renameat" | "renameat2"
        | "unlink" | "unlinkat" | "link" | "linkat" | "symlink" | "symlinkat" | "mknod"
        | "mknodat" | "truncate" | "ftruncate" => {
            summary.changes.push(named(call));
        }
        _ => return Err("not a call that these programs make".to_owned()),
    }
    Ok(())
}

/// A call and the names that are given to it.
fn named(call: &Call) -> String {
    let verb = match call.name.as_str() {
        "creat" => "creat", // all others that end so are the newer forms of calls without it
        name => name.strip_suffix("at").unwrap_or(name),
    };
    let names = call.arguments.iter().filter(|a| a.starts_with('"'));
    let names: Vec<&str> = names.map(String::as_str).collect();
    format!("{verb} {}", names.join(" "))
}

/// Whether it is about files, and about none outside the directory `own`.
fn touches_only(own: &str, call: &Call) -> bool {
    let inside = |directory: usize, name: usize| {
        let part = |number: usize| call.arguments.get(number).map(String::as_str);
        let path = file(part(directory), part(name)).unwrap_or_default();
        let below = path.strip_prefix(own);
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
            && !path.split('/').any(|step| step == "..")
    };
    let none = usize::MAX; // there is no such argument
    match call.name.as_str() {
        "open" | "creat" | "mkdir" | "rmdir" | "unlink" | "truncate" => inside(none, 0),
        "ftruncate" => inside(0, none),
        "openat" | "mkdirat" | "unlinkat" => inside(0, 1),
        "rename" | "link" => inside(none, 0) && inside(none, 1),
        "renameat" | "renameat2" | "linkat" => inside(0, 1) && inside(2, 3),
        _ => false,
    }
}

/// Nobody outside this machine, and no resolver on it.
fn stays_here(address: &Address) -> Result<(), String> {
    match address {
        Address::Inet(address) if !address.ip().is_loopback() => {
            Err(format!("{address} is outside this machine"))
        }
        Address::Inet(address) if address.port() == 53 => Err(format!("{address} is a resolver")),
        Address::Inet(_) | Address::Unix(_) | Address::Unnamed => Ok(()),
    }
}

fn socket(family: &str, kind: &str) -> Result<(), String> {
    let stream = kind.split('|').next() == Some("SOCK_STREAM");
    if stream && ["AF_UNIX", "AF_INET", "AF_INET6"].contains(&family) {
        Ok(())
    } else {
        Err("a kind of socket that is of no use here".to_owned())
    }
}

/// Each message header has its address written out, or none.
fn message(arguments: &[String]) -> Result<(), String> {
    let text = arguments.join(",");
    let said = |what: &str| text.matches(what).count();
    if said("msg_name=") == said("msg_name=NULL") + said("msg_name={sa_family=") {
        Ok(())
    } else {
        Err("an address that is not shown".to_owned())
    }
}

/// A name with the directory before it that was opened for it: `9</dev/shm>` and `"a"` are `"/dev/shm/a"`.
fn from(directory: &str, name: &str) -> String {
    let opened = directory
        .split_once('<')
        .filter(|(number, _)| *number != "AT_FDCWD");
    match (opened, name.strip_prefix('"')) {
        (Some((_, path)), Some(relative)) if !relative.starts_with('/') => {
            format!("\"{}/{relative}", path.trim_end_matches('>'))
        }
        _ => name.to_owned(),
    }
}

fn open(path: &str, flags: &str, keeps_files: bool) -> Result<(), String> {
    let mut flags = flags.split('|');
    if flags.next() != Some("O_RDONLY") {
        return Err("opened for writing".to_owned());
    }
    if flags.any(|flag| ["O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"].contains(&flag)) {
        return Err("made or changed by opening".to_owned());
    }
    let path = string(path).ok_or("a name that is not understood")?;
    let in_etc = path.strip_prefix("/etc/");
    if keeps_files && in_etc.is_some_and(|name| WHO_IS_WHO.contains(&name)) {
        return Ok(());
    }
    if !path.starts_with('/') {
        Err("read from who knows where".to_owned())
    } else if in_etc.is_some_and(|name| !READ_IN_ETC.contains(&name)) {
        Err("a setting of the system that is of no use here".to_owned())
    } else if RESOLVERS.iter().any(|part| path.contains(part)) {
        Err("names are looked up".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace;
    use super::*;

    fn judged(line: &str) -> Result<Summary, Vec<String>> {
        judged_with(line, None)
    }

    fn judged_with(line: &str, own: Option<&str>) -> Result<Summary, Vec<String>> {
        let start = "1 execve(\"/kkv\", [...], 0x7ff /* 9 vars */) = 0";
        let text = format!("{start}\n1 {line}\n1 +++ exited with 0 +++\n");
        judge(&trace::calls(&text).unwrap(), own)
    }

    #[test]
    fn what_the_programs_do_is_summed_up() {
        let seen = judged(
            r#"connect(9, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS (x)"#,
        );
        let address = Address::Inet(([127, 0, 0, 1], 1).into());
        assert_eq!(seen.unwrap().connects, BTreeSet::from([address.clone()]));
        let seen = judged(
            r#"bind(9, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("127.0.0.1")}, 16) = 0"#,
        );
        assert_eq!(seen.unwrap().binds, [address]);
        let seen = judged("accept4(9, {sa_family=AF_UNIX}, [110 => 2], SOCK_CLOEXEC) = 12");
        assert_eq!(seen.unwrap().visitors, [Address::Unnamed]);
        let seen = judged(r#"openat(AT_FDCWD, "/proc/1/maps", O_RDONLY) = -1 EACCES (x)"#);
        let denied = r#"open "/proc/1/maps""#;
        assert_eq!(seen.unwrap().denied, [denied]);
        let seen = judged(r#"mkdirat(AT_FDCWD, "/t/new", 0700) = 0"#);
        assert_eq!(seen.unwrap().changes, [r#"mkdir "/t/new""#]);
        for nothing in [
            r#"openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3"#,
            "accept4(11, 0x7ffd75bf5238, [128], SOCK_CLOEXEC) = -1 EAGAIN (x)",
            "sendto(7, \"\"..., 1, MSG_NOSIGNAL, NULL, 0) = 1",
            "recvfrom(8, 0x7f38, 128, 0, NULL, NULL) = -1 EAGAIN (x)",
            "socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [...]) = 0",
            "sendmsg(7, {msg_name=NULL, msg_namelen=0, msg_iovlen=0}, 0) = 1",
        ] {
            assert_eq!(judged(nothing), Ok(Summary::default()), "{nothing}");
        }
    }

    #[test]
    fn whatever_leaves_this_machine_or_asks_for_a_name_is_found() {
        for line in [
            r#"connect(9, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.1")}, 16) = 0"#,
            r#"connect(9, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = 0"#,
            r#"connect(9, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0"#,
            r#"connect(9, {sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = -1 EINPROGRESS (x)"#,
            r#"bind(9, {sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::", &sin6_addr), sin6_scope_id=0}, 28) = 0"#,
            r#"bind(9, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = 0"#,
            r#"bind(9, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0"#,
            "connect(9, 0x7ffd75bf5238, 16) = 0",
            "connect(9, NULL, 0) = 0",
            r#"accept4(9, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.1")}, [128 => 16], 0) = 12"#,
            "accept4(9, NULL, NULL, 0) = 12",
            "socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE) = 3",
            "socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 3",
            "socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) = 3",
            r#"sendto(3, ""..., 40, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.1")}, 16) = 40"#,
            r#"sendto(3, ""..., 40, 0, 0x7ffd, 16) = -1 EAGAIN (x)"#,
            r#"sendmsg(3, {msg_name={sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.1")}, msg_namelen=16}, 0) = 1"#,
            "sendmmsg(3, [{msg_hdr={msg_name=0x7ffd, msg_namelen=16}, msg_len=1}], 1, 0) = 1",
            r#"openat(AT_FDCWD, "/etc/resolv.conf", O_RDONLY|O_CLOEXEC) = 3"#,
            r#"openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC) = -1 ENOENT (x)"#,
            r#"open("/etc/nsswitch.conf", O_RDONLY) = 3"#,
            r#"openat(AT_FDCWD, "/run/systemd/resolve/stub-resolv.conf", O_RDONLY) = 3"#,
            r#"openat(AT_FDCWD, "/lib/libnss_dns.so.2", O_RDONLY) = 3"#,
        ] {
            assert!(judged(line).is_err(), "{line}");
        }
    }

    #[test]
    fn in_its_own_directory_a_program_does_what_it_likes() {
        let judged = |line: &str| judged_with(line, Some("/own"));
        for line in [
            r#"openat(AT_FDCWD</t>, "/own/a", O_WRONLY|O_CREAT, 0666) = 3</own/a>"#,
            r#"openat(4</own/a>, "b", O_RDWR) = 3</own/a/b>"#,
            r#"unlinkat(4</own>, "b", 0) = 0"#,
            r#"rename("/own/a", "/own/b") = 0"#,
            r#"mkdir("/own", 0700) = 0"#,
            "ftruncate(4</own/a>, 0) = 0",
            r#"openat(AT_FDCWD</t>, "/etc/passwd", O_RDONLY) = 3</etc/passwd>"#,
        ] {
            assert_eq!(judged(line), Ok(Summary::default()), "{line}");
        }
        for line in [
            r#"openat(AT_FDCWD</own>, "/t/a", O_WRONLY|O_CREAT, 0666) = 3</t/a>"#,
            r#"openat(AT_FDCWD</own>, "/own/../t/a", O_WRONLY|O_CREAT, 0666) = 3</t/a>"#,
            r#"openat(4</t>, "own", O_RDWR) = 3</t/own>"#,
            r#"openat(4, "own", O_RDWR) = 3"#,
            r#"openat(AT_FDCWD</t>, "/owner", O_RDWR) = 3</owner>"#,
            r#"openat(AT_FDCWD</t>, "/etc/hosts", O_RDONLY) = 3</etc/hosts>"#,
            r#"openat(AT_FDCWD</t>, "/etc/resolv.conf", O_RDONLY) = 3</etc/resolv.conf>"#,
        ] {
            assert!(judged(line).is_err(), "{line}");
        }
        for line in [
            r#"rename("/own/a", "/t/b") = 0"#,
            r#"unlinkat(4</t>, "/t/b", 0) = 0"#,
            "ftruncate(4</t/a>, 0) = 0",
        ] {
            assert_eq!(judged(line).unwrap().changes.len(), 1, "{line}");
        }
    }

    #[test]
    fn nothing_is_started_but_the_program_that_kkvc_is_a_name_of() {
        let started = |paths: &[&str]| {
            let calls = paths
                .iter()
                .map(|path| format!("1 execve({path:?}, [], 0x7ff) = 0\n"));
            let text = calls.collect::<String>() + "1 +++ exited with 0 +++\n";
            judge(&trace::calls(&text).unwrap(), None).is_ok()
        };
        assert!(started(&["/a/kkv"]) && started(&["/a/kkvc", "/a/kkv"]));
        for others in [
            &[][..],
            &["/a/kkvc", "/b/kkv"],
            &["/a/kkvc", "/a/kkvd"],
            &["/a/kkv", "/a/kkv"],
            &["/a/kkvc", "/a/kkv", "/a/kkv"],
        ] {
            assert!(!started(others), "{others:?}");
        }
    }

    #[test]
    fn whatever_writes_to_a_disk_or_escapes_the_trace_is_found() {
        for line in [
            r#"openat(AT_FDCWD, "/t/log", O_WRONLY|O_CREAT|O_APPEND, 0666) = 3"#,
            r#"openat(AT_FDCWD, "/t/log", O_RDWR) = -1 EACCES (x)"#,
            r#"openat(AT_FDCWD, "/t/log", O_RDONLY|O_CREAT, 0666) = 3"#,
            r#"openat(AT_FDCWD, "/t", O_WRONLY|O_TMPFILE, 0600) = 3"#,
            r#"openat(AT_FDCWD, "/dev/tty", O_RDWR) = 3"#,
            r#"openat(3, "log", O_RDONLY) = 4"#,
            r#"openat2(AT_FDCWD, "/t/log", {flags=O_RDONLY}, 24) = 3"#,
            r#"memfd_create("x", MFD_CLOEXEC) = 3"#,
            "io_uring_setup(8, {flags=0}) = 3",
            r#"execve("/bin/sh", [...], 0x7ff /* 9 vars */) = 0"#,
        ] {
            assert!(judged(line).is_err(), "{line}");
        }
        for (line, change) in [
            (r#"creat("/t/a", 0600) = 3"#, r#"creat "/t/a""#),
            (r#"rename("/t/a", "/t/b") = 0"#, r#"rename "/t/a" "/t/b""#),
            (r#"unlinkat(AT_FDCWD, "/t/a", 0) = 0"#, r#"unlink "/t/a""#),
            ("ftruncate(3, 0) = 0", "ftruncate "),
            (
                r#"symlinkat("/a", AT_FDCWD, "/b") = -1 EEXIST (x)"#,
                r#"symlink "/a" "/b""#,
            ),
        ] {
            assert_eq!(judged(line).unwrap().changes, [change]);
        }
    }
}
