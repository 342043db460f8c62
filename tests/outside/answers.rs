//! "RAM only", of answers: once one is sealed, neither its text nor its key is in the relay's memory, and it never had
//! the words.

use std::path::Path;

use data_encoding::HEXLOWER;
use kkv_client::owner::Client;
use kkv_owner::MessageId;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::sender::Replies;
use rand::Rng;
use zeroize::Zeroizing;

use super::marker::Marker;
use super::process_memory::must_be_nowhere;
use super::stage::{RUNS, Stage, way};
use crate::answerable::{blocking, fetch, leave_answerable};

/// What follows from the words and a salt, by the specification's own formulas (PROTOCOL.md §17).
pub(super) struct Derived {
    pub(super) box_secret: [u8; 32],
    pub(super) answer_root: [u8; 32],
    keys: [[u8; 32]; 3],
    salt: [u8; 16],
}

fn derive(context: &str, parts: &[&[u8]]) -> [u8; 32] {
    blake3::derive_key(&format!("kkv/2 2026-11-27 {context}"), &parts.concat())
}

impl Derived {
    pub(super) fn new(words: &[u8; 16], salt: [u8; 16]) -> Self {
        let answer_root = derive("answer root", &[words]);
        let first = derive("answer key", &[&answer_root, &salt]);
        let second = derive("next answer key", &[&first]);
        let third = derive("next answer key", &[&second]);
        Self {
            box_secret: derive("box secret", &[words]),
            answer_root,
            keys: [first, second, third],
            salt,
        }
    }

    pub(super) fn key(&self, index: usize) -> Marker {
        Marker::new(format!("answer key {index}"), self.keys[index])
    }

    /// All that could open the answer of this index, or say that it has arrived.
    pub(super) fn of_answer(&self, index: usize, relay: &[u8]) -> Vec<Marker> {
        let key = &self.keys[index];
        let place = (index as u16).to_le_bytes();
        let parts: [&[u8]; 5] = [key, relay, &self.box_secret, &self.salt, &place];
        let sealing = derive("answer sealing key", &parts);
        let acknowledgement = derive("acknowledgement", &[key]);
        vec![
            self.key(index),
            Marker::new(format!("sealing key {index}"), sealing),
            Marker::new(format!("acknowledgement {index}"), acknowledgement),
        ]
    }
}

fn reply(socket: &Path, text: &Marker) {
    let text = Text::new(Zeroizing::new(text.as_str().to_owned())).expect("it is short");
    let client = Client::new(socket).expect("its socket");
    let replied = blocking(client.reply(MessageId(1), &text));
    replied.expect("it can be answered");
}

#[test]
fn an_answer_that_is_sealed_is_nowhere_in_memory_nor_is_its_key_and_the_words_never_were() {
    for run in 0..RUNS / 4 {
        let stage = Stage::new(&way(run));
        let mut words = [0; 16];
        rand::rng().fill_bytes(&mut words);
        let message = Marker::text(60);
        leave_answerable(stage.relay.address(), &words, message.as_str());
        let address = stage.relay.address();
        let Replies::Box(status, _) = fetch(address, &words, &[]) else {
            panic!("there is a box");
        };
        let derived = Derived::new(&words, status.entries[0].salt.0);
        let never = || {
            vec![
                Marker::new("the entropy", words),
                Marker::new("the answer root", derived.answer_root),
            ]
        };
        must_be_nowhere(&stage.scan(&never()));
        let there = |markers: &[Marker]| {
            for found in stage.scan(markers) {
                assert!(found.copies() >= 1, "it is needed: {found:?}");
            }
        };
        let box_secret = || Marker::new("the box secret", derived.box_secret);
        there(&[derived.key(0), box_secret()]);

        let relay: serde_json::Value =
            serde_json::from_str(&stage.run(&["status", "--json"])).expect("JSON");
        let relay = relay["relay"].as_str().expect("hex");
        let relay = HEXLOWER.decode(relay.as_bytes()).expect("hex");
        let texts = [Marker::text(3500), Marker::text(71)];
        for (index, text) in texts.iter().enumerate() {
            reply(stage.relay.socket(), text);
            let gone = [derived.of_answer(index, &relay), vec![text.clone()]].concat();
            must_be_nowhere(&stage.scan(&gone));
            there(&[derived.key(index + 1)]);
        }
        let Replies::Box(_, answers) = fetch(address, &words, &[]) else {
            panic!("there is a box");
        };
        let read: Vec<_> = answers.iter().map(|answer| answer.text.as_str()).collect();
        assert_eq!(read, [texts[0].as_str(), texts[1].as_str()]);
        let told: Vec<_> = answers
            .iter()
            .map(|answer| &answer.acknowledgement)
            .collect();
        fetch(address, &words, &told);
        let sealed_and_fetched = [derived.of_answer(0, &relay), derived.of_answer(1, &relay)];
        must_be_nowhere(&stage.scan(&[&sealed_and_fetched.concat()[..], &never()].concat()));

        stage.run(&["wipe", "--yes"]);
        must_be_nowhere(&stage.scan(&[derived.key(2), box_secret(), message]));
    }
}
