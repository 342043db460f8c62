//! What the programs that `kkvc` starts for its owner inherit of it: the three streams, and the lock of the directory
//! that is made for them, by which nobody clears it up before they have ended.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::programs::{Relay, Signal};

/// Writes into `$OUT` what each descriptor of a program leads to, but for those of `ls` itself.
const LOOK: &str = "ls -l /proc/self/fd > \"$OUT\"";

/// What the descriptors beyond the three streams lead to, but for those that this test itself has from whoever runs it.
fn beyond_the_streams(out: &Path) -> Vec<String> {
    let ours = out.with_extension("ours");
    let looked = Command::new("sh")
        .args(["-c", LOOK])
        .env("OUT", &ours)
        .status();
    assert!(looked.expect("sh is there").success());
    let ours = listed(&ours);
    let mut all = listed(out);
    all.retain(|leads_to| !ours.contains(leads_to));
    all
}

/// As `ls -l` has told of them.
fn listed(out: &Path) -> Vec<String> {
    let listed = fs::read_to_string(out).expect("it has run");
    let entries = listed.lines().filter_map(|line| {
        let (before, leads_to) = line.split_once(" -> ")?;
        let number: u32 = before.rsplit(' ').next()?.parse().ok()?;
        // The directory that ls is reading.
        let is_own = leads_to.starts_with("/proc/");
        (number > 2 && !is_own).then(|| leads_to.to_owned())
    });
    entries.collect()
}

#[track_caller]
fn must_be_the_lock_alone(inherited: &[String]) {
    let [lock] = inherited else {
        panic!("{inherited:?}");
    };
    assert!(lock.starts_with("/dev/shm/kkvc-"), "{lock}");
}

#[test]
fn an_editor_inherits_the_streams_and_the_lock_of_its_directory() {
    let relay = Relay::start(&[]);
    let args = ["--replies", "--words-file", "words", "-"];
    relay.send(args).stdin("hello").finish().must_end_with(0);
    let out = relay.directory().join("descriptors");
    let run = relay.owner(["reply", "1", "--edit"]);
    let editor = format!("{LOOK}; echo Yes. >");
    let run = run.with(|c| {
        c.env_remove("VISUAL")
            .env("EDITOR", editor)
            .env("OUT", &out)
    });
    run.finish().must_end_with(0);
    must_be_the_lock_alone(&beyond_the_streams(&out));
}

#[test]
fn a_command_of_watch_inherits_the_streams_and_the_lock_of_its_files() {
    let relay = Relay::start(&["--max-bytes", "1M"]);
    let out = relay.directory().join("descriptors");
    let run = relay.owner(["watch", "--exec", &format!("{LOOK}; echo done")]);
    let watching = run.with(|c| c.env("OUT", &out)).start();
    watching.wait_for_stderr("Watching for messages");
    let done = |times: usize| {
        watching.wait_for_stdout("done", |said| said.matches("done\n").count() == times);
    };
    relay.deliver(b"no files");
    done(1);
    assert_eq!(beyond_the_streams(&out), [""; 0]);
    let file = relay.directory().join("a file");
    fs::write(&file, "1").expect("our directory");
    let send = relay.send(["--file"]).with(|c| c.arg(&file));
    send.finish().must_end_with(0);
    done(2);
    must_be_the_lock_alone(&beyond_the_streams(&out));
    // The lock of the files before is none of its business.
    relay.deliver(b"no files");
    done(3);
    assert_eq!(beyond_the_streams(&out), [""; 0]);
    watching.signal(Signal::INT);
    watching.finish().must_end_with(0);
}
