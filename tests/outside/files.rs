//! "RAM only", of messages with files: each file is in the relay's memory once, in the share that is locked; deleted,
//! wiped or expired it is nowhere, nor is anything of one that was broken off, nor a key of either.

use std::fs;

use kkv_base::limits::UPLOAD_IDLE;

use super::expired::{another, be_the_relay, pass, role};
use super::marker::Marker;
use super::process_memory::{Found, about, must_be_nowhere, scan};
use super::stage::{Stage, way};
use super::stranger::Stranger;
use super::uploading::Uploading;
use crate::programs::{Process, until};

/// Relays, each with files of its own: one in each way. Less than of texts, since each search takes longer.
const LIVES: usize = 2;

/// Memory for files, all of which is searched.
const SHARE: [&str; 2] = ["--max-bytes", "1M"];

/// Files of two messages: one that a piece holds, and two that take several.
fn files() -> [Marker; 3] {
    [30_000, 150_000, 7_000].map(Marker::text)
}

/// Writes files into the relay's directory; their paths.
fn written(stage: &Stage, files: &[Marker]) -> Vec<String> {
    let paths = files.iter().enumerate().map(|(number, file)| {
        let path = stage.relay.directory().join(format!("file{number}"));
        fs::write(&path, file.bytes()).expect("our own directory");
        path.to_str().expect("made of ASCII").to_owned()
    });
    paths.collect()
}

/// Leaves two messages: the first file alone, and the others with a text.
fn deliver(stage: &Stage, files: &[Marker; 3], text: &Marker) {
    let paths = written(stage, files);
    let first = stage.relay.send(["--file", &paths[0]]);
    first.finish().must_end_with(0);
    let others = [
        "--file",
        &paths[1],
        "--file",
        &paths[2],
        "-m",
        text.as_str(),
    ];
    let others = stage.relay.send(others);
    others.finish().must_end_with(0);
}

#[test]
fn a_file_is_in_memory_once_however_often_it_is_saved_and_deleted_or_wiped_nowhere() {
    for run in 0..LIVES {
        let stage = Stage::new(&[way(run), SHARE].concat());
        let (files, text) = (files(), Marker::text(71));
        deliver(&stage, &files, &text);
        let all = [&files[..], &[text]].concat();
        stage.holds_each_once(&all);

        let place = stage.relay.directory().join("saved");
        let place = place.to_str().expect("made of ASCII");
        for number in ["1", "2"] {
            stage.run(&["save", number, "--all", place]);
            for command in [&["read", number][..], &["read", number, "--json"]] {
                stage.run(command);
            }
        }
        stage.run(&["list"]);
        for (number, file) in files.iter().enumerate() {
            let saved = fs::read(format!("{place}/file{number}")).expect("it was saved");
            assert_eq!(saved, file.bytes());
        }
        stage.holds_each_once(&all);

        stage.run(&["delete", "1", "--yes"]);
        must_be_nowhere(&stage.scan(&all[..1]));
        stage.holds_each_once(&all[1..]);
        stage.run(&["wipe", "--yes"]);
        must_be_nowhere(&stage.scan(&all));
    }
}

#[test]
fn files_that_have_expired_are_nowhere_in_memory_even_if_nobody_asks() {
    let lives = (0..LIVES).map(|run| {
        let stage = Stage::new(&[way(run), SHARE, ["--ttl", "1s"]].concat());
        let (files, text) = (files(), Marker::text(71));
        deliver(&stage, &files, &text);
        (stage, [&files[..], &[text]].concat())
    });
    for (stage, all) in lives.collect::<Vec<_>>() {
        until("the files to leave memory", || {
            stage.scan(&all).iter().all(|found| found.copies() == 0)
        });
        must_be_nowhere(&stage.scan(&all));
        assert!(stage.relay.list().is_empty());
    }
}

#[track_caller]
fn must_be_there(found: &[Found]) {
    for found in found {
        assert!(found.copies() >= 1, "it is needed: {found:?}");
    }
}

/// Waits until most of this ciphertext is in memory: the line holds what the relay has not read yet.
fn arrives(process: &Process, sealed: &Marker) {
    let id = process.pid().as_raw_nonzero().get();
    until("half a piece to arrive", || {
        let found = scan(id, std::slice::from_ref(sealed));
        found[0].pieces() > sealed.pieces() / 4
    });
}

/// Half of a piece, whose line breaks then: what has come of it is there until then, and not a moment longer.
fn broken(process: &Process, upload: &Uploading<'_>, index: usize) -> Marker {
    let sealed = upload.sealed(index);
    let line = upload.send_some(index, 40_000);
    arrives(process, &sealed);
    drop(line);
    sealed
}

#[test]
fn what_is_sealed_and_the_keys_of_files_are_nowhere_once_they_are_used_or_wiped() {
    for run in 0..LIVES {
        let stage = Stage::new(&[way(run), SHARE].concat());
        let [one, other] = [(); 2].map(|()| Stranger::new(stage.relay.address(), "2"));
        let [whole, part] = [200_000, 210_000].map(Marker::text);
        let (first, second) = (
            Uploading::open(&one, &whole),
            Uploading::open(&other, &part),
        );
        let keys = |upload: &Uploading<'_>| [upload.key(), upload.acknowledgements()];
        must_be_there(&stage.scan(&[keys(&first), keys(&second)].concat()));

        second.send(1);
        let sealed = broken(stage.relay.process(), &second, 0);
        must_be_nowhere(&stage.scan(&[sealed]));
        for index in (0..first.pieces()).rev() {
            first.send(index);
            let left = [second.part(1), first.part(index)];
            stage.holds_each_once(&left);
        }
        // The receipt is still asked for, as often as it gets lost; the message's key is of no use any more.
        stage.holds_each_once(std::slice::from_ref(&whole));
        let (mut used, acknowledgements) = (first.secrets(), first.acknowledgements());
        used.retain(|marker| marker.bytes() != acknowledgements.bytes());
        used.extend((0..first.pieces()).map(|index| first.sealed(index)));
        must_be_nowhere(&stage.scan(&used));
        must_be_there(&stage.scan(&[&keys(&second)[..], &[acknowledgements]].concat()));

        stage.run(&["wipe", "--yes"]);
        let sealed = (0..second.pieces()).map(|index| second.sealed(index));
        let gone = [used, second.secrets(), vec![second.part(1), whole]].concat();
        must_be_nowhere(&stage.scan(&gone.into_iter().chain(sealed).collect::<Vec<_>>()));
    }
}

#[test]
fn an_upload_that_is_broken_off_and_expires_leaves_neither_a_byte_nor_a_key_in_memory() {
    const NAME: &str = "outside::files::an_upload_that_is_broken_off_and_expires_leaves_neither_a_byte_nor_a_key_in_memory";
    if let Some(step) = role() {
        return be_the_relay(step).expect("it runs until it is killed");
    }
    for _ in 0..LIVES {
        let (process, address) = another(NAME, UPLOAD_IDLE);
        let id = process.pid().as_raw_nonzero().get();
        let [one, other] = [(); 2].map(|()| Stranger::new(&address, "2"));
        let [whole, part] = [30_000, 200_000].map(Marker::text);
        let (first, second) = (
            Uploading::open(&one, &whole),
            Uploading::open(&other, &part),
        );
        first.send(0);
        second.send(0);
        second.send(3);
        let sealed = broken(&process, &second, 2);
        let there = [
            whole.clone(),
            first.acknowledgements(),
            second.key(),
            second.acknowledgements(),
            second.part(0),
            second.part(3),
        ];
        must_be_there(&scan(id, &there));
        pass(&process);
        let parts = [second.part(0), second.part(3), sealed];
        let secrets = [first.secrets(), second.secrets()].concat();
        must_be_nowhere(&scan(id, &[&parts[..], &secrets].concat()));
        scan(id, &[whole])[0].must_be_one_copy();
    }
}

/// The most memory that it ever had, in KiB.
fn peak(process: &Process) -> u64 {
    let status = about(process.pid().as_raw_nonzero().get(), "status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    let number = number.expect("the kernel counts it");
    number.parse().expect("a number of KiB")
}

#[test]
fn memory_for_files_is_bounded_when_it_is_full_and_full_is_said() {
    /// What the programs may do for the first time meanwhile, and what a connection takes, in KiB.
    const BESIDE: u64 = 6 << 10;
    let stage = Stage::new(&["--max-bytes", "768K", "--adaptive", "off"]);
    let before = peak(stage.relay.process());
    let files = [250_000, 250_000, 250_000].map(Marker::text);
    let paths = written(&stage, &files);
    for path in &paths {
        let sent = stage.relay.send(["--file", path]);
        sent.finish().must_end_with(0);
    }
    for size in ["40", "250000"] {
        let more = written(&stage, &[Marker::text(size.parse().expect("a number"))]);
        let refused = stage.relay.send(["--file", &more[0]]).finish();
        let refused = refused.must_end_with(4);
        refused.must_say("no room for files of this size now");
    }
    stage.relay.deliver(b"a text has its own place");
    let taken = peak(stage.relay.process()) - before;
    assert!(taken < 768 + BESIDE, "{taken} KiB");
    stage.holds_each_once(&files);
    stage.run(&["delete", "2", "--yes"]);
    let again = stage.relay.send(["--file", &paths[2]]);
    again.finish().must_end_with(0);
}
