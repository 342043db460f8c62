//! Nothing takes a free port and lets go of it before its number is used.

use regex::Regex;

use super::sources;

/// Where there is code that asks for ports.
const DIRECTORIES: [&str; 6] = ["crates", "src", "tests", "benches", "examples", "fuzz/src"];

/// Code in which a port is asked for, and let go of before its number is used.
fn lets_go(source: &str) -> Option<&str> {
    let at_once = Regex::new(r"\bbind\([^;{}]*\)[^;{}]*\.local_addr\(\)").expect("a pattern");
    let at_the_end = Regex::new(
        r"let (?<made>\w+) = [^;]*\bbind\([^;]*;\s*(?<asked>\w+)\s*\.local_addr\(\)[^;{}]*\}",
    );
    let at_the_end = at_the_end.expect("a pattern");
    let found = at_once.find(source).map(|found| found.as_str());
    found.or_else(|| {
        let mut all = at_the_end.captures_iter(source);
        let found = all.find(|found| found["made"] == found["asked"])?;
        Some(found.get(0)?.as_str())
    })
}

#[test]
fn no_port_is_let_go_of_before_its_number_is_used() {
    for at_fault in [
        r#"let dead = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr();"#,
        r#"{
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            listener.local_addr().expect("it is bound").to_string()
        }"#,
        r#"UdpSocket::bind(any).await?.local_addr()"#,
    ] {
        assert!(lets_go(at_fault).is_some(), "{at_fault}");
    }
    let good = r#"let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        thread::spawn(move || listener.incoming().for_each(drop));"#;
    assert_eq!(lets_go(good), None);

    let files = sources(&DIRECTORIES);
    assert!(files.len() > 300, "these are not all: {}", files.len());
    for (path, source) in files {
        if path.ends_with(file!()) {
            continue;
        }
        if let Some(found) = lets_go(&source) {
            let told =
                "anybody may get this port meanwhile; in tests, programs::HeldPort holds one";
            panic!("{}: {told}:\n{found}", path.display());
        }
    }
}
