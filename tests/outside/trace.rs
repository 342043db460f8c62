//! What strace writes, line by line, made into calls. A line that is not understood is an error, so that none is passed
//! over.

use std::collections::{BTreeMap, BTreeSet};

/// What strace writes where a call is not over, because another thread has something to say.
const UNFINISHED: &str = "<unfinished ...>";

/// What it writes instead of a call whose thread is ended on the way into the kernel.
const NOT_BEGUN: &str = "???( ";

/// One system call from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// Its name.
    pub name: String,
    /// Its arguments as they were written.
    pub arguments: Vec<String>,
    /// What came of it: `0`, `-1 EAGAIN (…)`; something with `?` if its thread ended first.
    pub result: String,
}

/// Parses the whole file, which has to show every thread to its end.
pub(super) fn calls(text: &str) -> Result<Vec<Call>, String> {
    let mut calls = Vec::new();
    let mut begun = BTreeMap::new();
    let (mut seen, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').unwrap_or_default();
        let wrong = || format!("not understood: {line:?}");
        let thread: u32 = thread.parse().map_err(|_| wrong())?;
        let rest = rest.trim_start();
        seen.insert(thread);
        if ended.contains(&thread) {
            return Err(wrong());
        }
        if rest.starts_with("+++ exited with ") || rest.starts_with("+++ killed by ") {
            ended.insert(thread);
            // The whole process may end while a thread is in a call, or before the kernel has even begun with it.
            if let Some(start) = begun.remove(&thread).filter(|start| *start != NOT_BEGUN) {
                calls.push(call(&format!("{start}) = ?")).ok_or_else(wrong)?);
            }
        } else if rest.starts_with("--- SIG") && rest.ends_with(" ---") {
            // A signal is no call.
        } else if let Some(start) = rest.strip_suffix(UNFINISHED) {
            if begun.insert(thread, start).is_some() {
                return Err(wrong());
            }
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let (name, end) = resumed.split_once(" resumed>").ok_or_else(wrong)?;
            let start = begun.remove(&thread).ok_or_else(wrong)?;
            let whole = start.to_owned() + &interrupted(end);
            let call = call(&whole).filter(|call| call.name == name);
            calls.push(call.ok_or_else(wrong)?);
        } else {
            calls.push(call(&interrupted(rest)).ok_or_else(wrong)?);
        }
    }
    if seen.is_empty() || seen != ended {
        let last = text.lines().last();
        return Err(format!("{seen:?} began, {ended:?} ended, behind {last:?}"));
    }
    Ok(calls)
}

/// Without the mark of a call whose thread ended in it: `read(0,  <unfinished ...>) = ?`.
fn interrupted(call: &str) -> String {
    call.replace(&format!("{UNFINISHED}) = ?"), ") = ?")
}

/// `name(argument, …) = result`
fn call(text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let (arguments, rest) = parts(rest, b')')?;
    let result = rest.trim_start().strip_prefix("= ")?;
    let known = ["?", "? <unavailable>"].contains(&result)
        || result.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    known.then(|| Call {
        name: name.to_owned(),
        arguments,
        result: result.to_owned(),
    })
}

/// Splits at commas up to the bracket that closes; returns also what stands behind it. Brackets and strings inside stay
/// whole.
pub(super) fn parts(text: &str, closing: u8) -> Option<(Vec<String>, &str)> {
    let mut open = vec![closing];
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    loop {
        match *text.as_bytes().get(at)? {
            b'"' => at += 1 + string_end(&text.as_bytes()[at + 1..])?,
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            bracket @ (b')' | b']' | b'}') => {
                if open.pop() != Some(bracket) {
                    return None;
                }
                if open.is_empty() {
                    parts.push(text[start..at].trim().to_owned());
                    return Some((parts, &text[at + 1..]));
                }
            }
            b',' if open.len() == 1 => {
                parts.push(text[start..at].trim().to_owned());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Where the quotation mark is that ends a string.
pub(super) fn string_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The text of an argument that is one string, written out whole and without escapes.
pub(super) fn string(argument: &str) -> Option<&str> {
    let text = argument.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains(['"', '\\'])).then_some(text)
}

/// The path of a file that a call names: whole, from a directory on (`9</directory>`, the two written with `strace
/// -y`), or by its number alone.
pub(super) fn file(directory: Option<&str>, name: Option<&str>) -> Option<String> {
    let known = || {
        let (_, path) = directory?.split_once('<')?;
        path.strip_suffix('>')
    };
    match name {
        None => known().map(str::to_owned),
        Some(name) => match string(name)? {
            whole if whole.starts_with('/') => Some(whole.to_owned()),
            from => known().map(|path| format!("{path}/{from}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Call {
        let text = format!("7     {text}\n7     +++ exited with 0 +++\n");
        let mut calls = calls(&text).unwrap();
        assert_eq!(calls.len(), 1, "{text}");
        calls.remove(0)
    }

    #[test]
    fn a_call_is_split_at_its_own_commas_only() {
        let call = only(
            r#"bind(9, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16) = 0"#,
        );
        assert_eq!((call.name.as_str(), call.result.as_str()), ("bind", "0"));
        let address = r#"{sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}"#;
        assert_eq!(call.arguments, ["9", address, "16"]);
        let call =
            only(r#"openat(AT_FDCWD, "/a, (b\") = {", O_RDONLY) = -1 ENOENT (No such file)"#);
        assert_eq!(call.arguments[1..], [r#""/a, (b\") = {""#, "O_RDONLY"]);
        assert_eq!(call.result, "-1 ENOENT (No such file)");
        let call = only("mkdir(\"/d\", 0700)              = 0");
        assert_eq!(call.arguments, ["\"/d\"", "0700"]);
    }

    #[test]
    fn a_call_in_two_lines_becomes_one() {
        let text = "1 connect(9, {sa_family=AF_UNIX, sun_path=\"/s\"}, 10 <unfinished ...>\n\
                    2 accept4(9,  <unfinished ...>\n\
                    1 <... connect resumed>)            = 0\n\
                    2 <... accept4 resumed>{sa_family=AF_UNIX}, [110 => 2], SOCK_CLOEXEC) = 12\n\
                    1 recvfrom(3,  <unfinished ...>) = ?\n\
                    2 accept4(9,  <unfinished ...>\n\
                    2 <... accept4 resumed> <unfinished ...>) = ?\n\
                    1 accept4(9,  <unfinished ...>\n\
                    3 ???( <unfinished ...>\n\
                    4 shutdown(9, SHUT_WR)              = ? <unavailable>\n\
                    1 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER} ---\n\
                    1 +++ exited with 0 +++\n\
                    2 +++ killed by SIGKILL +++\n\
                    3 +++ exited with 0 +++\n\
                    4 +++ exited with 0 +++\n";
        let calls = calls(text).unwrap();
        let seen: Vec<_> = calls
            .iter()
            .map(|c| (c.name.as_str(), c.result.as_str()))
            .collect();
        let expected = [
            ("connect", "0"),
            ("accept4", "12"),
            ("recvfrom", "?"),
            ("accept4", "?"),
            ("shutdown", "? <unavailable>"),
            ("accept4", "?"),
        ];
        assert_eq!(seen, expected);
        assert_eq!(
            calls[0].arguments[1],
            r#"{sa_family=AF_UNIX, sun_path="/s"}"#
        );
        assert_eq!(calls[1].arguments[1], "{sa_family=AF_UNIX}");
    }

    #[test]
    fn what_is_not_understood_or_breaks_off_is_an_error() {
        let end = "1 +++ exited with 0 +++\n";
        for line in [
            "",
            "connect(9, 0, 0) = 0",
            "1 connect(9, {, 0) = 0",
            "1 connect(9, 0, 0",
            "1 connect(9, \"0, 0) = 0",
            "1 connect(9, 0, 0) = no",
            "1 Connect(9, 0, 0) = 0",
            "1 connect(9, 0], 0) = 0",
            "1 (9) = 0",
            "1 <... connect resumed>) = 0",
            "1 ???( <unfinished ...>\n1 <... ??? resumed>) = 0",
            "1 ???(9) = 0",
            "1 connect(9 <unfinished ...>\n1 <... accept resumed>) = 0",
            "1 connect(9 <unfinished ...>\n1 bind(9 <unfinished ...>",
            "1 connect({9 <unfinished ...>",
            "1 +++ superseded by execve in pid 2 +++",
            "1 strace: something",
            "1 +++ exited with 0 +++",
            "2 listen(9, 1) = 0",
        ] {
            let text = format!("{line}\n{end}");
            assert!(calls(&text).is_err(), "{text}");
        }
        assert!(calls("").is_err());
        assert!(calls("1 listen(9, 1) = 0\n").is_err());
    }

    #[test]
    fn only_whole_strings_are_taken_as_text() {
        assert_eq!(string(r#""/a b""#), Some("/a b"));
        for bad in [r#""/a"..."#, r#""/\303""#, "0x7f", "NULL", r#"@"a""#, ""] {
            assert_eq!(string(bad), None, "{bad}");
        }
    }
}
