//! "RAM only": the keys of a session are in the relay's memory while it needs them, and nowhere once they are used.

use ed25519_dalek::SigningKey;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

use super::marker::Marker;
use super::process_memory::must_be_nowhere;
use super::stage::{RUNS, Stage, texts, way};
use super::stranger::{Flaw, Stranger};
use crate::published::unhex;

fn used(suite: &str) {
    for run in 0..RUNS {
        let stage = Stage::new(&way(run));
        let [one, other] = [(); 2].map(|()| Stranger::new(stage.relay.address(), suite));
        let (first, second) = (one.open(), other.open());
        let keys = [first.key(), second.key()];
        let parts = [first.parts(), second.parts()].concat();
        let found = stage.scan(&[&keys[..], &parts].concat());
        let (keys, parts) = found.split_at(2);
        let needed = keys.iter().all(|key| key.copies() >= 1);
        assert!(needed, "the relay can't open its messages: {keys:?}");
        must_be_nowhere(parts);

        let text = texts(suite)[run % 4].clone();
        let (status, said) = one.send(&first.message(&text, Flaw::None));
        assert_eq!(status, 200, "{said}");
        let found = stage.scan(&[first.secrets(), vec![second.key()]].concat());
        let (waits, done) = found.split_last().expect("both");
        must_be_nowhere(done);
        assert!(waits.copies() >= 1, "the other session waits: {waits:?}");

        stage.run(&["wipe", "--yes"]);
        let senders = [one.public(), other.public()].concat();
        must_be_nowhere(
            &stage.scan(&[first.secrets(), second.secrets(), senders, vec![text]].concat()),
        );
    }
}

#[test]
fn the_keys_of_a_kkv1_session_are_nowhere_in_memory_once_they_are_used() {
    used("1");
}

#[test]
fn the_keys_of_a_kkv2_session_are_nowhere_in_memory_once_they_are_used() {
    used("2");
}

/// Looks at everything in memory that could be a key: none may be the secret of a one-use key of these.
fn must_have_forgotten(stage: &Stage, one_use: &[[u8; 32]]) -> Vec<([u8; 32], String)> {
    let possible = stage.possible_keys();
    for (key, place) in &possible {
        let public = x25519(*key, X25519_BASEPOINT_BYTES);
        assert!(!one_use.contains(&public), "a one-use secret at {place}");
    }
    possible
}

fn one_use(suite: &str) {
    for run in 0..RUNS {
        let stage = Stage::new(&way(run));
        let stranger = Stranger::new(stage.relay.address(), suite);
        let session = stranger.open();
        let possible = must_have_forgotten(&stage, &[session.one_use]);
        if run < 2 {
            lasting_key_is_in_one_place(&stage, &stranger, &possible);
            let body = session.message(&Marker::text(60), Flaw::None);
            let (status, said) = stranger.send(&body);
            assert_eq!(status, 200, "{said}");
            must_have_forgotten(&stage, &[session.one_use]);
        }
    }
}

/// The relay's lasting key has to be found, which shows that a key would be. And what a signature makes of it has to be
/// nowhere.
fn lasting_key_is_in_one_place(
    stage: &Stage,
    stranger: &Stranger,
    possible: &[([u8; 32], String)],
) {
    let (status, public) = stranger.ask("GET", "/get_domain_pk", "");
    assert_eq!(status, 200);
    let public: [u8; 32] = unhex(&public);
    let mut keys = possible.iter().map(|(key, _)| SigningKey::from_bytes(key));
    let key = keys.find(|key| key.verifying_key().to_bytes() == public);
    let key = key.expect("the relay has the key that it signs with");
    let lasting = [Marker::new("the relay's key", key.to_bytes())];
    stage.scan(&lasting)[0].must_be_one_copy();
    must_be_nowhere(&stage.scan(&[
        Marker::new("its scalar", key.to_scalar_bytes()),
        Marker::new("its scalar, reduced", key.to_scalar().to_bytes()),
    ]));
}

#[test]
fn the_relays_one_use_secret_of_a_kkv1_session_is_nowhere_in_memory_and_its_lasting_one_in_one_place()
 {
    one_use("1");
}

#[test]
fn the_relays_one_use_secret_of_a_kkv2_session_is_nowhere_in_memory_and_its_lasting_one_in_one_place()
 {
    one_use("2");
}
