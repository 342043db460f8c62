//! What no source here may do, as far as a look at its text can tell. What the compiler knows the names of is in clippy.toml.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Where there is code that asks for ports.
const DIRECTORIES: [&str; 6] = ["crates", "src", "tests", "benches", "examples", "fuzz/src"];

/// Every Rust file below a directory, but for this one.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory of ours") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with(file!()) {
            found.push(path);
        }
    }
}

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

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for directory in DIRECTORIES {
        sources(&root.join(directory), &mut files);
    }
    assert!(files.len() > 300, "these are not all: {}", files.len());
    for file in files {
        let source = fs::read_to_string(&file).expect("a file of ours");
        if let Some(found) = lets_go(&source) {
            let told =
                "anybody may get this port meanwhile; in tests, programs::HeldPort holds one";
            panic!("{}: {told}:\n{found}", file.display());
        }
    }
}
