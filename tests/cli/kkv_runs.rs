//! What `kkv` says when it starts, and where it puts its socket.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::programs::{Process, Relay, Signal, Terminal, kkv, kkv_at, kkvc, through_shell};

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

#[test]
fn the_block_says_where_it_listens_how_it_is_reached_and_its_key() {
    let relay = Relay::start(&["--ttl", "12h", "-m", "7", "-c", "9"]);
    let block = relay.process().stdout();
    let status = relay.owner(["status"]).finish().must_end_with(0);
    let key = status.stdout_text();
    let key = key.lines().find(|line| line.contains("key ")).unwrap();
    for text in [
        "keeps up to 7 messages in memory, each kept for 12h\n",
        "price     2^9 hashes: under a second on this machine; more as it fills up\n",
        &format!("listens   {}, speaks kkv/2 and kkv/1", relay.address()),
        "reach it  from this machine; no Tor is expected",
        &format!("owner     kkvc --socket {} list", relay.socket().display()),
        key,
    ] {
        assert!(block.contains(text), "no {text:?} in {block}");
    }
    let port: u16 = relay.address().rsplit_once(':').unwrap().1.parse().unwrap();
    assert_ne!(port, 0, "port 0 is shown as the port that the kernel chose");
}

#[test]
fn behind_a_system_tor_it_says_what_to_put_into_the_torrc() {
    let directory = tempfile::tempdir().unwrap();
    let words = ["torrc.example", "hostname", "any user here"];
    for columns in [50, 60, 80] {
        let mut command = kkv();
        command.args(["--tor", "external", "--listen", "127.0.0.1:0", "--socket"]);
        command.arg(directory.path().join("kkv.sock"));
        let mut terminal = Terminal::start(command, columns, 40);
        terminal.wait_for("\n  key ");
        terminal.process().signal(Signal::INT);
        let (_, screen) = terminal.finish();
        assert!(words.iter().all(|word| screen.contains(word)), "{screen}");
        let (rows, _) = screen.split_once("\n  owner ").unwrap();
        for line in rows.lines() {
            assert!(line.chars().count() <= columns.into(), "{screen}");
            let goes_on = !line.starts_with("kkv ") && &line[2..3] == " ";
            assert!(!goes_on || line.starts_with(&" ".repeat(12)), "{screen}");
        }
    }
}

#[test]
fn of_a_place_behind_a_system_tor_it_says_if_others_could_take_it() {
    let directory = tempfile::tempdir().unwrap();
    let socket = format!("unix:{}/relay.sock", directory.path().display());
    let open = directory.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).unwrap();
    let open_socket = format!("unix:{}/relay.sock", open.display());
    for (arguments, at_risk) in [
        (&["--tor", "external"][..], true),
        (&["--tor", "external", "--listen", &socket], false),
        (&["--tor", "off"], false),
        (&["--tor", "external", "--listen", &open_socket], true),
    ] {
        let relay = Relay::start(arguments);
        let status = relay.owner(["status"]).finish().must_end_with(0);
        for told in [relay.process().stdout(), status.stdout_text()] {
            let risk = told.contains("any user here can take that place");
            assert_eq!(risk, at_risk, "{told}");
        }
    }
}

#[test]
fn after_the_block_it_is_silent_whatever_comes() {
    let relay = Relay::start(&["-m", "2"]);
    let block = relay.process().stdout();
    relay.deliver(b"one");
    relay.deliver(b"two");
    relay.send(["-m", "three"]).finish().must_end_with(4);
    relay.owner(["read", "1"]).finish().must_end_with(0);
    relay.owner(["delete", "1", "-y"]).finish().must_end_with(0);
    relay.process().signal(Signal::TERM);
    let outcome = relay.process().finish().must_end_with(0);
    let end = "kkv has stopped; every message is wiped.\n";
    assert_eq!(outcome.stdout_text(), format!("{block}{end}"));
    assert_eq!(outcome.stderr, "");
}

#[test]
fn it_runs_with_a_file_for_its_output_and_nothing_to_read() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let log = directory.path().join("log");
    let file = || Stdio::from(fs::File::create(&log).unwrap());
    let mut child = kkv_at(&socket)
        .stdout(file())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until_it_answers(&socket);
    assert!(fs::read_to_string(&log).unwrap().contains("\n  key "));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn it_runs_with_input_output_and_errors_closed() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let closed = through_shell(&kkv_at(&socket), "exec \"$0\" \"$@\" <&- >&- 2>&-");
    let process = Process::spawn(closed, None);
    wait_until_it_answers(&socket);
    process.signal(Signal::TERM);
    process.finish().must_end_with(0);
}

/// Asks until a relay answers.
fn wait_until_it_answers(socket: &Path) {
    for _ in 0..2000 {
        let asked = kkvc(["status", "--json", "--socket"])
            .with(|c| c.arg(socket))
            .finish();
        if asked.code == Some(0) {
            return;
        }
    }
    panic!("no relay came up at {}", socket.display());
}

#[test]
fn the_socket_is_in_the_runtime_directory_and_private() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = directory.path().join("run");
    fs::create_dir(&runtime).unwrap();
    found_by_both(&runtime.join("kkv/kkv.sock"), |command| {
        command.env("XDG_RUNTIME_DIR", &runtime)
    });
}

#[test]
fn without_a_runtime_directory_the_socket_is_in_tmp_under_the_users_number() {
    // TMPDIR stands for /tmp, where a relay of this user may be at work.
    let directory = tempfile::tempdir().unwrap();
    let uid = rustix::process::geteuid().as_raw();
    let socket = directory.path().join(format!("kkv-{uid}/kkv.sock"));
    found_by_both(&socket, |command| {
        command
            .env_remove("XDG_RUNTIME_DIR")
            .env("TMPDIR", directory.path())
    });
}

/// Starts a relay that is not told where its socket is, and a client that isn't either.
fn found_by_both(socket: &Path, environment: impl Fn(&mut Command) -> &mut Command) {
    let mut command = kkv();
    command.args(["--tor", "off", "--listen", "127.0.0.1:0"]);
    environment(&mut command);
    let process = Process::spawn(command, None);
    process.wait_for_stdout("the block", |out| out.contains("\n  key "));
    assert_eq!(mode(socket), 0o600);
    assert_eq!(mode(socket.parent().expect("it is in a directory")), 0o700);
    kkvc(["status"])
        .with(|command| environment(command))
        .finish()
        .must_end_with(0);
}

#[test]
fn a_directory_in_tmp_that_others_can_write_to_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let uid = rustix::process::geteuid().as_raw();
    let taken = directory.path().join(format!("kkv-{uid}"));
    fs::create_dir(&taken).unwrap();
    fs::set_permissions(&taken, fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = kkv();
    command
        .env_remove("XDG_RUNTIME_DIR")
        .env("TMPDIR", directory.path());
    command.args(["--tor", "off", "--listen", "127.0.0.1:0"]);
    let refused = Process::spawn(command, None).finish().must_end_with(1);
    let refused = refused.must_say("nobody else may write in it");
    // Root is given no command: most directories of root's are not only for itself.
    let advice = match uid {
        0 => "Name another socket",
        _ => "chmod 700",
    };
    refused.must_say(advice);
}

#[test]
fn a_directory_in_tmp_that_is_a_link_is_called_one() {
    let directory = tempfile::tempdir().unwrap();
    let own = directory.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&own, &link).unwrap();
    let mut command = kkv_at(&link.join("A.sock"));
    command.env("TMPDIR", directory.path());
    let refused = Process::spawn(command, None).finish().must_end_with(1);
    refused
        .must_say("is a link; it must be a directory itself")
        .must_say("Name another socket");
}

#[test]
fn help_of_kkv_names_every_default_and_every_exit_code() {
    let mut command = kkv();
    command.arg("--help");
    let help = Process::spawn(command, None)
        .finish()
        .must_end_with(0)
        .stdout_text();
    let flat = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [
        "[default: 50]",
        "[default: 30]",
        "[default: 480]",
        "keep until deleted]",
        "[default: any]",
        "[default: 127.0.0.1:45069; with Tor inside nowhere]",
        "[default: $XDG_RUNTIME_DIR/kkv/kkv.sock, or kkv-UID/kkv.sock in $TMPDIR or /tmp]",
        if cfg!(feature = "embedded-tor") {
            "[default: embedded]"
        } else {
            "[default: external]"
        },
        "Exit codes: 0 it was told to stop",
        "1 it can't start",
        "2 wrong usage",
    ] {
        assert!(flat.contains(text), "no {text:?} in {help}");
    }
}

#[test]
fn both_programs_say_their_version() {
    let mut command = kkv();
    command.arg("--version");
    let relay = Process::spawn(command, None)
        .finish()
        .must_end_with(0)
        .stdout_text();
    let client = kkvc(["--version"]).finish().must_end_with(0).stdout_text();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        (relay, client),
        (format!("kkv {version}\n"), format!("kkvc {version}\n"))
    );
}

#[test]
fn the_block_says_when_messages_go_in_days_and_hours() {
    let relay = Relay::start(&["--ttl", "7weeks", "--wipe-after", "1month"]);
    let block = relay.process().stdout();
    let gone =
        "each kept for 49days; all are wiped once you have not been there for 30days 10h 33m 36s";
    assert!(block.contains(gone), "{block}");
    let status = relay
        .owner(["status"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    let kept = "49days, or until you have not been there for 30days 10h 33m 36s";
    assert!(status.contains(kept), "{status}");
}

#[test]
fn the_status_says_whether_senders_see_what_has_become_of_their_messages() {
    let said = "senders who want answers see whether theirs is read";
    for (arguments, given) in [(&["--read-receipts"][..], true), (&[], false)] {
        let relay = Relay::start(arguments);
        let status = |words: &[&str]| relay.owner(words).finish().must_end_with(0);
        let text = status(&["status"]).stdout_text();
        assert_eq!(text.contains(said), given, "{text}");
        assert_eq!(status(&["status", "--json"]).json()["read_receipts"], given);
    }
}

#[test]
fn a_build_without_tor_inside_says_that_an_address_is_not_served() {
    let state = tempfile::tempdir().unwrap();
    let keys = state.path().join("kkv/relay/state/keystore/hss/kkv");
    fs::create_dir_all(&keys).unwrap();
    let told = |program: &Process| program.stderr().contains("isn't served");
    for (there, served) in [(false, true), (true, false)] {
        if there {
            fs::write(keys.join("ks_hs_id.ed25519_expanded_private"), "key").unwrap();
        }
        let relay = Relay::start_with(&[], |c| c.env("XDG_STATE_HOME", state.path()));
        assert_eq!(
            told(relay.process()),
            !served && !cfg!(feature = "embedded-tor")
        );
        let mut command = kkv();
        command.args(["address", "new", "--yes", "--tor", "external"]);
        command.env("XDG_STATE_HOME", state.path());
        let failed = Process::spawn(command, None).finish().must_end_with(2);
        let inside = failed.stderr.contains("without Tor inside");
        assert_eq!(
            inside,
            !served && !cfg!(feature = "embedded-tor"),
            "{}",
            failed.stderr
        );
    }
}

#[test]
fn its_last_words_are_broken_between_words() {
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(kkv_at(&directory.path().join("kkv.sock")), 25, 40);
    terminal.wait_for("\n  key ");
    terminal.process().signal(Signal::INT);
    let (_, screen) = terminal.finish();
    let screen = screen.replace('\r', "");
    assert!(screen.contains("kkv has stopped; every\n"), "{screen}");
}
