//! `kkvc watch --exec`: what a command is given, one after the other, and what its end means.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::{Process, Relay, Signal, until};

/// `kkvc watch --exec COMMAND`, once it watches. What the command prints comes out of it.
fn watch(relay: &Relay, command: &str) -> Process {
    let run = relay.owner(["watch", "--exec", command]);
    let run = run.with(|command| {
        command.env("GATE", gate(relay));
        command.env("KKV_MESSAGE_OPENPGP", "message") // of a watch around this one
    });
    let process = run.start();
    process.wait_for_stderr("Watching for messages");
    process
}

fn wait_for(process: &Process, text: &str) {
    process.wait_for_stdout(text, |out| out.contains(text));
}

fn must_stop(watching: &Process) -> String {
    watching.signal(Signal::INT);
    watching.finish().must_end_with(0).stdout_text()
}

fn marks(relay: &Relay) -> Vec<bool> {
    let list = relay.list();
    list.iter()
        .map(|m| m["read"].as_bool().expect("yes or no"))
        .collect()
}

/// Where a command can wait: `cat "$GATE"` ends when somebody has opened it.
fn gate(relay: &Relay) -> PathBuf {
    relay.directory().join("gate")
}

fn make_gate(relay: &Relay) {
    let made = Command::new("mkfifo").arg(gate(relay)).status();
    assert!(made.expect("mkfifo is there").success());
}

fn open_gate(relay: &Relay) {
    fs::write(gate(relay), "").expect("somebody waits there");
}

#[test]
fn it_has_the_text_to_read_the_rest_in_its_environment_and_nothing_in_its_arguments() {
    let relay = Relay::start(&[]);
    let command = r#"cat; echo; env | grep ^KKV_ | sort; tr "\\0" " " </proc/$$/cmdline; echo "$#"; echo done"#;
    let watching = watch(&relay, command);
    let text = "$(touch pwned) `id`\n\x1b[2J é";
    relay.deliver(text.as_bytes());
    wait_for(&watching, "done\n");
    let out = must_stop(&watching);
    let message = &relay.list()[0];
    let environment = format!(
        "KKV_MESSAGE_BYTES={}\nKKV_MESSAGE_ID=1\nKKV_MESSAGE_RECEIVED={}\nKKV_MESSAGE_SENDER={}\nKKV_MESSAGE_SUITE=kkv/2\n",
        text.len(),
        message["received"],
        message["sender"].as_str().unwrap(),
    );
    let want = format!("{text}\n{environment}sh -c {command} 0\ndone\n");
    assert_eq!(out, want);
    assert!(!relay.directory().join("pwned").exists());
}

#[test]
fn what_ends_well_is_read_and_what_does_not_is_said_and_stays_unread() {
    let relay = Relay::start(&[]);
    let watching = watch(
        &relay,
        r#"read -r end; echo "$end"; [ "$end" = killed ] && kill -9 $$; exit "$end""#,
    );
    for end in ["0\n", "7\n", "killed\n", "0\n"] {
        relay.deliver(end.as_bytes());
    }
    watching.wait_for_stdout("all four", |out| out == "0\n7\nkilled\n0\n");
    while marks(&relay) != [true, false, false, true] {
        assert!(watching.is_running(), "{}", watching.stderr());
    }
    must_stop(&watching);
    let said = watching.stderr();
    for line in [
        "kkvc: the command ended with 7; message 2 stays unread\n",
        "kkvc: the command was ended by signal 9; message 3 stays unread\n",
    ] {
        assert_eq!(said.matches(line).count(), 1, "{said}");
    }
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn files_that_a_killed_watch_has_left_in_memory_go_once_its_command_has_ended() {
    let relay = Relay::start(&[]);
    make_gate(&relay);
    let memory = tempfile::tempdir_in("/dev/shm").expect("Linux has it");
    let watch = |command: &str| {
        let run = relay.owner(["watch", "--exec", command]);
        let run = run.with(|run| {
            run.env("XDG_RUNTIME_DIR", memory.path())
                .env("GATE", gate(&relay))
        });
        let process = run.start();
        process.wait_for_stderr("Watching for messages");
        process
    };
    let here = || fs::read_dir(memory.path()).expect("ours").count();
    let watching = watch(
        r#"cat "$KKV_MESSAGE_FILES/a.txt"; exec >/dev/null 2>&1; cat "$GATE"; cp "$KKV_MESSAGE_FILES/a.txt" "$GATE.copy""#,
    );
    fs::write(relay.directory().join("a.txt"), "a secret\n").expect("ours");
    let sent = relay.send(["--file", "a.txt"]).finish();
    sent.must_end_with(0);
    wait_for(&watching, "a secret\n");
    watching.signal(Signal::KILL);
    watching.ended();
    assert_eq!(here(), 1, "nothing could remove it");
    let next = watch("true");
    assert_eq!(here(), 1, "its command goes on, and works on it");
    must_stop(&next);
    open_gate(&relay);
    until("it goes with the first one after that", || {
        must_stop(&watch("true"));
        here() == 0
    });
    let copy = fs::read(gate(&relay).with_extension("copy"));
    assert_eq!(copy.expect("the command made it"), b"a secret\n");
}

#[test]
fn a_command_that_reads_nothing_and_one_that_is_not_there_are_no_trouble() {
    let relay = Relay::start(&[]);
    let watching = watch(&relay, "exec <&-; echo here");
    relay.deliver(&[b'x'; 3500]);
    relay.deliver(b"y");
    watching.wait_for_stdout("both", |out| out == "here\nhere\n");
    must_stop(&watching);
    let watching = watch(&relay, "/nonexistent/program");
    relay.deliver(b"z");
    watching.wait_for_stderr("ended with 127; message 3 stays unread");
    must_stop(&watching);
}

#[test]
fn they_run_one_at_a_time_and_in_order_and_what_is_gone_by_then_is_passed_over() {
    let relay = Relay::start(&["-m", "10", "--adaptive", "off"]);
    make_gate(&relay);
    let watching = watch(
        &relay,
        r#"text=$(cat); echo "$text begins"; [ "$text" != a ] || cat "$GATE"; echo "$text ends""#,
    );
    relay.deliver(b"a");
    wait_for(&watching, "a begins");
    for text in [b"b", b"c", b"d"] {
        relay.deliver(text);
    }
    relay.owner(["delete", "3", "-y"]).finish().must_end_with(0);
    open_gate(&relay);
    while marks(&relay) != [true, true, true] {
        assert!(watching.is_running(), "{}", watching.stderr());
    }
    let out = must_stop(&watching);
    assert_eq!(
        out,
        "a begins\na ends\nb begins\nb ends\nd begins\nd ends\n"
    );
    assert_eq!(
        watching.stderr().lines().count(),
        1,
        "{}",
        watching.stderr()
    );
}

#[test]
fn a_relay_that_is_started_anew_while_one_runs_keeps_its_own_marks() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let arguments = ["--socket", socket.to_str().unwrap()];
    let relay = Relay::start(&arguments);
    make_gate(&relay);
    let watching = watch(
        &relay,
        r#"text=$(cat); echo "$text begins"; [ "$text" != old ] || { cat "$GATE"; exit 0; }; exit 1"#,
    );
    relay.deliver(b"old");
    wait_for(&watching, "old begins");
    relay.process().signal(Signal::TERM);
    relay.process().finish().must_end_with(0);
    let anew = Relay::start(&arguments);
    anew.deliver(b"new");
    open_gate(&relay);
    // It has the number of the one before, which has just ended well.
    watching.wait_for_stderr("message 1 stays unread");
    assert_eq!(marks(&anew), [false]);
    assert_eq!(must_stop(&watching), "old begins\nnew begins\n");
}

/// Whether the process has ended. Whoever has inherited it may not have taken note yet.
fn has_ended(process: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(process).join("status"));
    status.is_err() || status.is_ok_and(|status| status.contains("\nState:\tZ"))
}

/// Stops `kkvc watch` while it runs `command`, which says of a process that it has started which it is. Returns what
/// came out after that.
fn stopped_with(command: &str) -> String {
    let relay = Relay::start(&[]);
    let watching = watch(&relay, command);
    relay.deliver(b"x");
    watching.wait_for_stdout("a line", |out| out.ends_with('\n'));
    let out = must_stop(&watching);
    let (process, rest) = out.split_once('\n').expect("a line");
    assert!(!process.is_empty(), "{out}");
    while !has_ended(process) {
        std::thread::yield_now(); // it has been killed, which the kernel takes a moment to do
    }
    assert_eq!(marks(&relay), [false]);
    rest.to_owned()
}

#[test]
fn a_command_that_runs_when_watch_is_stopped_is_ended_with_all_that_it_has_started() {
    let told = stopped_with(r#"trap "echo told; exit 1" TERM; sleep 1000 & echo $!; wait"#);
    assert_eq!(told, "told\n");
}

#[test]
fn one_that_does_not_listen_is_ended_all_the_same() {
    let told = stopped_with(r#"trap "" TERM; sh -c 'echo $$; exec sleep 1000'; echo over"#);
    assert_eq!(told, "");
}

#[test]
fn what_one_has_left_in_the_background_goes_on() {
    let relay = Relay::start(&[]);
    make_gate(&relay);
    let watching = watch(&relay, r#"cat "$GATE" & echo $!"#);
    relay.deliver(b"x");
    watching.wait_for_stdout("a line", |out| out.ends_with('\n'));
    while marks(&relay) != [true] {
        assert!(watching.is_running(), "{}", watching.stderr());
    }
    watching.signal(Signal::INT);
    assert_eq!(watching.ended().0.code(), Some(0));
    let left = watching.stdout();
    assert!(!has_ended(left.trim_end()));
    open_gate(&relay);
    while !has_ended(left.trim_end()) {
        std::thread::yield_now(); // it has been let go
    }
}

#[test]
fn each_has_a_session_of_its_own_so_that_no_terminal_can_make_it_stand_still() {
    let relay = Relay::start(&[]);
    let command = r#"read -r _ _ _ _ group session _ </proc/$$/stat; echo "$$ $group $session""#;
    let watching = watch(&relay, command);
    relay.deliver(b"x");
    watching.wait_for_stdout("a line", |out| out.ends_with('\n'));
    let told = must_stop(&watching);
    let numbers: Vec<&str> = told.split_whitespace().collect();
    assert_eq!(numbers, [numbers[0]; 3], "process, group and session");
}

#[test]
fn that_a_message_stays_unread_is_said_to_quiet_ones_too() {
    let relay = Relay::start(&[]);
    relay.deliver(b"x");
    let words = ["watch", "-q", "--unread", "--exec", "false"];
    let watching = relay.owner(words).start();
    watching.wait_for_stderr("the command ended with 1; message 1 stays unread");
    must_stop(&watching);
}

#[test]
fn a_mark_that_the_relay_does_not_answer_is_said_and_no_end() {
    let relay = Relay::start(&[]);
    make_gate(&relay);
    let watching = watch(&relay, r#"text=$(cat); echo "$text"; cat "$GATE""#);
    relay.deliver(b"a");
    wait_for(&watching, "a\n");
    relay.process().signal(Signal::STOP);
    open_gate(&relay);
    watching.wait_for_stderr("message 1 may stay unread: kkv doesn't answer");
    relay.process().signal(Signal::CONT);
    relay.deliver(b"b");
    wait_for(&watching, "b\n");
    open_gate(&relay);
    must_stop(&watching);
}

#[test]
fn who_stops_it_while_a_mark_is_not_answered_is_told_what_may_stay_unread() {
    let relay = Relay::start(&[]);
    make_gate(&relay);
    let watching = watch(&relay, r#"echo "$$"; cat "$GATE""#);
    relay.deliver(b"a");
    wait_for(&watching, "\n");
    let command = Path::new("/proc").join(watching.stdout().trim_end());
    relay.process().signal(Signal::STOP);
    open_gate(&relay);
    while command.exists() {
        std::thread::yield_now(); // it is over once kkvc has taken note of its end
    }
    watching.signal(Signal::INT);
    let ended = watching.finish().must_end_with(0);
    ended.must_say("message 1 may stay unread: kkv");
    relay.process().signal(Signal::CONT);
}
