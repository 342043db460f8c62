//! "RAM only", of an identity and its posts: what is deleted, forgotten or wiped is nowhere in the relay's memory, and
//! what brings the identity back is there as bytes alone, never as words.

use std::fs;
use std::path::Path;

use kkv_words::{Kind, Words};

use super::marker::Marker;
use super::process_memory::must_be_nowhere;
use super::stage::{RUNS, Stage, way};
use crate::programs::until;

/// What follows from an identity's words, by the specification's own formulas (LETTERS-FORMAT.md §8).
fn keys(words: &Words) -> Vec<Marker> {
    let key = |label: &str| {
        let context = format!("kkv letters 2026-11-28 {label}");
        Marker::new(label, blake3::derive_key(&context, words.entropy()))
    };
    let labels = [
        "identity signing",
        "identity exchange",
        "self circle",
        "chain tag key",
    ];
    let entropy = Marker::new("the entropy", *words.entropy());
    labels.map(key).into_iter().chain([entropy]).collect()
}

/// Makes an identity; its words, which are in the relay at no time.
fn identity(stage: &Stage, directory: &Path) -> (Words, Marker) {
    let file = directory.join("words");
    let name = file.to_str().expect("a plain path");
    stage.run(&["me", "new", "--words-file", name]);
    let line = fs::read_to_string(&file).expect("it was made");
    let words = Words::parse(Kind::Recovery, &line).expect("they are words");
    let written = Marker::new("the words", line.trim().to_owned());
    fs::remove_file(&file).expect("it is ours");
    (words, written)
}

fn post(stage: &Stage, text: &Marker, to: &str) -> String {
    let arguments = ["post", "-", "--to", to, "--yes", "--json"];
    let posted = stage.relay.owner(arguments).stdin(text.bytes()).finish();
    let posted = posted.must_end_with(0).json();
    posted["id"].as_str().expect("an id").to_owned()
}

fn everything_was_done_with(stage: &Stage, id: &str, text: &Marker) {
    let read = stage.run(&["read", id, "--raw"]);
    assert_eq!(read, text.as_str());
    stage.run(&["read", id, "--json"]);
    stage.run(&["feed"]);
    stage.run(&["me", "show"]);
}

fn must_be_there(stage: &Stage, markers: &[Marker]) {
    for found in stage.scan(markers) {
        assert!(found.copies() >= 1, "it is needed: {found:?}");
    }
}

/// One identity's life, to its end by this command.
fn life(end: &[&str]) {
    for run in 0..RUNS / 4 {
        let stage = Stage::new(&way(run));
        let directory = tempfile::tempdir().expect("a directory");
        let (words, written) = identity(&stage, directory.path());
        let keys = keys(&words);
        must_be_there(&stage, &keys);
        must_be_nowhere(&stage.scan(std::slice::from_ref(&written)));

        let texts = [71, 5000, 190_000].map(Marker::text);
        let to = ["me", "friends", "everyone"];
        let ids: Vec<_> = texts
            .iter()
            .zip(to)
            .map(|(text, to)| post(&stage, text, to))
            .collect();
        for (id, text) in ids.iter().zip(&texts) {
            everything_was_done_with(&stage, id, text);
        }
        must_be_there(&stage, &texts[..2]);
        let changed = Marker::text(300);
        stage.run(&["edit", &ids[0], "-m", changed.as_str()]);
        everything_was_done_with(&stage, &ids[0], &changed);
        stage.run(&["delete", &ids[0], &ids[2], "--yes"]);
        must_be_nowhere(&stage.scan(&[texts[0].clone(), texts[2].clone(), changed]));
        must_be_there(&stage, &[texts[1].clone()]);

        stage.run(end);
        must_be_nowhere(&stage.scan(&texts));
        must_be_nowhere(&stage.scan(&keys));
        stage.relay.owner(["feed"]).finish().must_end_with(1);
        must_be_nowhere(&stage.scan(&[written]));
    }
}

#[test]
fn posts_that_are_deleted_and_an_identity_that_is_forgotten_are_nowhere_in_memory() {
    life(&["me", "forget", "--yes"]);
}

#[test]
fn an_identity_with_its_posts_is_nowhere_in_memory_after_a_wipe() {
    life(&["wipe", "--yes"]);
}

#[test]
fn an_identity_whose_owner_stays_away_too_long_is_nowhere_in_memory() {
    let stage = Stage::new(&["--wipe-after", "10s"]);
    let directory = tempfile::tempdir().expect("a directory");
    let (words, _) = identity(&stage, directory.path());
    let text = Marker::text(71);
    post(&stage, &text, "friends");
    let all = [keys(&words), vec![text]].concat();
    until("the identity to leave memory", || {
        stage.scan(&all).iter().all(|found| found.copies() == 0)
    });
    must_be_nowhere(&stage.scan(&all));
}
