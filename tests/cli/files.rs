//! `kkvc send --file` and `kkvc save`: what goes in is what comes out, wherever the line breaks, and nothing that a
//! name says is done.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cli::meddler::{Meddler, Verdict};
use crate::programs::{Process, Relay, Run, Signal, kkvc, until};

/// A file of so many bytes, no two of which are alike for long.
pub(super) fn make(directory: &Path, name: &str, bytes: usize) -> Vec<u8> {
    let content: Vec<u8> = (0..bytes).map(|n| (n * 7 + n / 251) as u8).collect();
    fs::write(directory.join(name), &content).expect("our directory");
    content
}

#[test]
fn files_of_every_size_arrive_with_a_text_or_without_and_are_saved_as_they_were() {
    let relay = Relay::start(&[]);
    let directory = relay.directory();
    for (id, bytes) in (1..).zip([0, 16_000, 60_000, 200_000, 1_000_000]) {
        let content = make(directory, "photo.jpg", bytes);
        let sent = relay.send(["--file", "photo.jpg", "-m", "see"]).finish();
        drop(sent.must_end_with(0));
        let saved = format!("saved {id}");
        let save = relay
            .owner(["save", &id.to_string(), "-o", &saved])
            .finish();
        let said = save.must_end_with(0).stdout_text();
        assert!(said.starts_with(&format!("Saved '{saved}' (")), "{said}");
        assert!(fs::read(directory.join(&saved)).unwrap() == content);
        let mode = fs::metadata(directory.join(saved))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(relay.text(id), "see");
    }
    let read = relay
        .owner(["read", "2"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    assert!(
        read.contains("File      1, 16 KiB │ photo.jpg  (image/jpeg)\n"),
        "{read}"
    );
    assert!(read.contains("kkvc save 2\n"), "{read}");

    make(directory, "a.txt", 10);
    make(directory, "b", 20);
    let both = relay.send(["--file", "a.txt", "--file", "b"]).finish();
    drop(both.must_end_with(0));
    let listed = &relay.list()[5];
    assert_eq!(listed["kind"], "files");
    assert_eq!(listed["files"][0]["name"], "a.txt");
    assert_eq!(listed["files"][1]["bytes"], 20);
    assert_eq!(listed["files"][1]["media_type"], "application/octet-stream");
    let table = relay
        .owner(["list"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    assert!(table.contains("  2 files"), "{table}");
    let which = relay.owner(["save", "6"]).finish().must_end_with(2);
    drop(which.must_say("several files"));
    for arguments in [&["save", "6", "3"][..], &["save", "99"]] {
        drop(relay.owner(arguments).finish().must_end_with(1));
    }
    let all = relay.owner(["save", "6", "--all", "in"]).finish();
    drop(all.must_end_with(0));
    assert_eq!(fs::read_dir(directory.join("in")).unwrap().count(), 2);
    let again = relay
        .owner(["save", "6", "2", "-o", "in/b"])
        .finish()
        .must_end_with(2);
    drop(again.must_say("left as it is"));
    assert_eq!(fs::read(directory.join("in/b")).unwrap().len(), 20);

    let exported = relay.owner(["export", "6"]).finish().must_end_with(1);
    drop(exported.must_say("only texts can be exported"));

    // What a text takes is what it was.
    let status = relay.owner(["status", "--json"]).finish().json();
    assert_eq!(status["queue"]["stored"], 0);
    assert_eq!(status["room"]["messages"], 6);
    let shown = relay.owner(["status"]).finish().stdout_text();
    assert!(shown.contains(" 6 ("), "{shown}");
    assert!(shown.contains(" 6 messages in 1.4 MiB"), "{shown}");
    assert_eq!(
        status["room"]["stored"],
        2 * 16_384 + 16_384 + 65_536 + 262_144 + 1_048_576
    );
    drop(
        relay
            .owner(["delete", "--all", "--yes"])
            .finish()
            .must_end_with(0),
    );
    let status = relay.owner(["status", "--json"]).finish().json();
    assert_eq!(status["room"]["stored"], 0);
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is_dialled() {
    let relay = Relay::start(&["--max-bytes", "64K"]);
    let directory = relay.directory();
    make(directory, "large", 1_048_000);
    make(directory, "small", 10);
    for (arguments, code, said) in [
        (&["--file", "large"][..], 2, "Too large"),
        (&["--file", "missing"], 2, "No such file"),
        (&["--file", "."], 2, "nothing was sent"),
        (&["--file", "small", "--suite", "1"], 2, "text only"),
        (&["--resume", "state"], 2, "nothing was begun"),
        (
            &["--file", "small", "--resume", "none/state"],
            2,
            "can't make none/state: No such file",
        ),
    ] {
        let sent = kkvc(["send", "127.0.0.1:1"].iter().chain(arguments));
        let sent = sent.with(|command| command.current_dir(directory)).finish();
        drop(sent.must_end_with(code).must_say(said));
    }
    make(directory, "middle", 100_000);
    let sent = relay.send(["--file", "middle"]).finish().must_end_with(1);
    drop(sent.must_say("takes no files, or none of this size"));
    let none = Relay::start(&["--max-bytes", "0"]);
    make(none.directory(), "small", 10);
    let sent = none.send(["--file", "small"]).finish().must_end_with(1);
    drop(sent.must_say("takes no files"));
}

/// Cuts so many answers to pieces, for good at the last.
fn cutting(relay: &Relay, pass: u32, cuts: u32) -> Meddler {
    let seen = Arc::new(AtomicU32::new(0));
    Meddler::start(relay.address(), move |asked| {
        if asked.path != "/msg" {
            return Verdict::Pass;
        }
        match seen.fetch_add(1, Ordering::Relaxed) {
            n if n < pass => Verdict::Pass,
            n if n < pass + cuts => Verdict::Cut,
            _ => Verdict::Pass,
        }
    })
}

#[test]
fn an_upload_goes_on_after_cuts_and_is_stored_once() {
    let relay = Relay::start(&[]);
    let content = make(relay.directory(), "file", 60_000);
    let meddler = cutting(&relay, 0, 2);
    let sent = kkvc(["send", &meddler.address, "--file", "file"]);
    let sent = sent.with(|command| command.current_dir(relay.directory()));
    drop(sent.finish().must_end_with(0));
    assert_eq!(relay.list().len(), 1);
    drop(
        relay
            .owner(["save", "1", "-o", "saved"])
            .finish()
            .must_end_with(0),
    );
    assert!(fs::read(relay.directory().join("saved")).unwrap() == content);
}

#[test]
fn another_run_goes_on_where_one_was_ended_and_pays_nothing() {
    // Of one piece, and of four, of which one has arrived.
    for (bytes, arrive) in [(60_000, 0), (200_000, 1)] {
        ended_and_resumed(bytes, arrive);
    }
}

fn ended_and_resumed(bytes: usize, arrive: u32) {
    let relay = Relay::start(&["-c", "4"]);
    let directory = relay.directory();
    let content = make(directory, "file", bytes);
    let seen = AtomicU32::new(0);
    let all_but_these = Arc::new(AtomicU32::new(0));
    let held_so_far = Arc::clone(&all_but_these);
    let held = Meddler::start(relay.address(), move |asked| {
        if asked.path != "/msg" || seen.fetch_add(1, Ordering::Relaxed) < arrive {
            return Verdict::Pass;
        }
        held_so_far.fetch_add(1, Ordering::Relaxed);
        Verdict::Hold
    });
    let send = |address: &str| {
        let send = kkvc(["send", address, "--resume", "state"]);
        send.with(|command| command.current_dir(directory))
    };
    let with_file = |address: &str| send(address).with(|command| command.args(["--file", "file"]));
    let first: Process = with_file(&held.address).start();
    until("a piece is held", || {
        all_but_these.load(Ordering::Relaxed) > 0
    });
    first.signal(Signal::INT);
    let said = first.finish().must_end_with(130);
    drop(said.must_say("--resume"));
    let state = directory.join("state");
    let mode = fs::metadata(&state)
        .expect("it was kept")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // It is for the address that it was begun for; the port of the one in between is another.
    let elsewhere = send(relay.address()).finish().must_end_with(1);
    drop(elsewhere.must_say("for another address"));
    // Whoever can write to it could have another message sent.
    fs::set_permissions(&state, fs::Permissions::from_mode(0o666)).expect("it was kept");
    let open_to_all = send(&held.address).finish().must_end_with(2);
    drop(open_to_all.must_say("other users may get at what was begun"));
    fs::set_permissions(&state, fs::Permissions::from_mode(0o600)).expect("it was kept");
    let kept = fs::read(&state).expect("it was kept");
    let line = kept
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("it was kept");
    let cost = kept[..line]
        .rsplit(|byte| *byte == b' ')
        .next()
        .expect("it was kept");
    let moved = [relay.address().as_bytes(), b" ", cost, &kept[line..]].concat();
    fs::write(&state, moved).expect("it was kept");
    // Another message must not be taken for one that was sent: another file, name or text.
    make(directory, "other", bytes);
    fs::write(directory.join("file"), "changed").expect("our directory");
    let with_text = |run: Run| run.with(|command| command.args(["-m", "text"]));
    let other = send(relay.address()).with(|command| command.args(["--file", "other"]));
    let text = with_text(send(relay.address()));
    for another in [with_file(relay.address()), other, text] {
        let another = another.finish().must_end_with(1);
        drop(
            another
                .must_say("another message was begun there; nothing was sent")
                .must_say("Go on with that one: ")
                .must_say("Or give it up, to send this one: rm -- state"),
        );
    }
    make(directory, "file", bytes);
    let and_text = with_text(with_file(relay.address())).finish();
    drop(and_text.must_end_with(1).must_say("another message"));
    // The same command, and one that names nothing, go on.
    let second = match arrive {
        0 => with_file(relay.address()),
        _ => send(relay.address()),
    };
    let second = second.finish().must_end_with(0);
    let second = second.must_say("Going on with what was begun");
    assert!(!second.stderr.contains("Paying"), "{}", second.stderr);
    assert!(!state.exists());
    assert_eq!(relay.list().len(), 1);
    drop(
        relay
            .owner(["save", "1", "-o", "saved"])
            .finish()
            .must_end_with(0),
    );
    assert!(fs::read(directory.join("saved")).expect("it was kept") == content);
}

/// A conversation that begins with files, and goes on with files.
#[test]
fn who_sends_files_can_be_answered() {
    let relay = Relay::start(&["-c", "0"]);
    make(relay.directory(), "map.png", 20_000);
    let words = ["--words-file", "words"];
    let replies = |code| {
        kkvc(["replies", relay.address(), words[0], words[1]])
            .with(|c| c.current_dir(relay.directory()))
            .finish()
            .must_end_with(code)
    };
    for round in 1..=2 {
        let file = ["--file", "map.png", "--json", "--replies"];
        let sent = relay.send([&file[..], &words].concat()).finish();
        let told = sent.must_end_with(0).must_say("Later: kkvc replies").json();
        assert_eq!(told["answerable"], true);
        replies(9).must_say("answer yet");
        let round = round.to_string();
        let answered = relay.owner(["reply", &round, "-m", "I see."]).finish();
        answered.must_end_with(0);
        let seen = replies(0);
        assert!(seen.stdout_text().contains("\n│ I see.\n"));
    }
    let conversations: Vec<_> = relay
        .list()
        .iter()
        .map(|message| message["conversation"]["number"].as_u64())
        .collect();
    assert_eq!(conversations, [Some(1); 2]);

    // Its own words must not go with it, nor with what another run has sealed.
    let given_away = fs::read_to_string(relay.directory().join("words")).unwrap();
    let given_away = given_away.trim();
    let own = ["--file", "map.png", "-m", given_away];
    let own = relay.send([&own[..], &words].concat()).finish();
    own.must_end_with(2).must_say("nothing was sent");
    let own = ["--file", "words"];
    let own = relay.send([&own[..], &words].concat()).finish();
    own.must_end_with(2).must_say("nothing was sent");
    let latin_1 = [&b"caf\xe9\n"[..], given_away.as_bytes(), b"\xff"].concat();
    fs::write(relay.directory().join("latin-1.txt"), latin_1).unwrap();
    let own = ["--file", "map.png", "--file", "latin-1.txt"];
    let own = relay.send([&own[..], &words].concat()).finish();
    own.must_end_with(2).must_say("nothing was sent");
    let resumed = ["--file", "map.png", "--resume", "state"];
    let resumed = relay.send([&resumed[..], &words].concat()).finish();
    resumed.must_end_with(2).must_say("nothing was sent");
    assert_eq!(relay.list().len(), 2);
}

#[test]
fn what_is_saved_before_one_fails_is_told_and_no_directory_of_others_is_taken() {
    let relay = Relay::start(&[]);
    let directory = relay.directory();
    for (name, bytes) in [("small", 10), ("large", 100_000), ("last", 10)] {
        make(directory, name, bytes);
    }
    let files = ["small", "large", "last"].map(|name| ["--file", name]);
    relay.send(files.concat()).finish().must_end_with(0);
    // No file may be longer than 16 KiB at most.
    let limited = r#"trap "" XFSZ; ulimit -f 16; exec "$0" "$@""#;
    let save = relay.owner(["save", "1", "--all", "in", "--json"]);
    let save = save.through_shell(limited);
    let save = save.with(|command| command.current_dir(directory)).finish();
    let save = save.must_end_with(2).must_say("it is gone again");
    let saved = &save.json()["saved"];
    assert_eq!(saved.as_array().map(Vec::len), Some(1), "{saved}");
    assert_eq!(saved[0]["path"], "in/small");
    assert_eq!(fs::read_dir(directory.join("in")).unwrap().count(), 1);

    let others = directory.join("others");
    fs::create_dir(&others).unwrap();
    fs::set_permissions(&others, PermissionsExt::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink("in", directory.join("link")).unwrap();
    let for_all = directory.join("for all");
    fs::create_dir(&for_all).unwrap();
    fs::set_permissions(&for_all, PermissionsExt::from_mode(0o1777)).unwrap();
    for (into, why) in [
        ("others", "can be written to by other users"),
        ("for all", "can be written to by other users"),
        ("link", "a link to one"),
        ("/etc/hostname", "is no directory"),
    ] {
        let save = relay.owner(["save", "1", "--all", into]).finish();
        let save = save.must_end_with(2).must_say(why);
        let save = save.must_say("nothing was saved");
        let is_for_all = into == "for all";
        assert!(
            !(is_for_all && save.stderr.contains("chmod")),
            "{}",
            save.stderr
        );
    }
    assert_eq!(fs::read_dir(others).unwrap().count(), 0);
}

#[test]
fn hostile_names_are_shown_and_saved_without_harm() {
    let relay = Relay::start(&[]);
    let directory = relay.directory();
    let names = [
        "\u{1b}[2Jx",
        "-rf",
        ".hidden",
        "a\u{202e}gpj.exe",
        "line\nbreak",
    ];
    let mut arguments = Vec::new();
    for name in names {
        fs::write(directory.join(name), name).unwrap();
        arguments.extend(["--file".to_owned(), format!("./{name}")]);
    }
    drop(relay.send(&arguments).finish().must_end_with(0));
    let shown = relay
        .owner(["read", "1"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    let listed = relay
        .owner(["list", "--json"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    for bad in ['\u{1b}', '\u{202e}'] {
        assert!(
            !shown.contains(bad) && !listed.contains(bad),
            "{shown}{listed}"
        );
    }
    drop(
        relay
            .owner(["save", "1", "--all", "in"])
            .finish()
            .must_end_with(0),
    );
    let mut saved: Vec<_> = fs::read_dir(directory.join("in"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    saved.sort_unstable();
    assert_eq!(
        saved,
        ["_[2Jx", "_hidden", "_rf", "a_gpj.exe", "line_break"]
    );
}

#[test]
fn a_command_finds_files_in_memory_and_they_go_with_it() {
    let relay = Relay::start(&[]);
    make(relay.directory(), "a.txt", 10);
    let command = r#"cat; cat "$KKV_MESSAGE_FILES/a.txt" | wc -c; stat -f -c %T "$KKV_MESSAGE_FILES"; echo "$KKV_MESSAGE_FILES"; echo done"#;
    let watching = relay.owner(["watch", "--exec", command]).start();
    watching.wait_for_stderr("Watching for messages");
    drop(
        relay
            .send(["--file", "a.txt", "-m", "text\n"])
            .finish()
            .must_end_with(0),
    );
    watching.wait_for_stdout("all of it", |out| out.contains("done\n"));
    watching.signal(Signal::INT);
    let out = watching.finish().must_end_with(0).stdout_text();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[..3], ["text", "10", "tmpfs"], "{out}");
    assert!(!Path::new(lines[3]).exists(), "{out}");
}
