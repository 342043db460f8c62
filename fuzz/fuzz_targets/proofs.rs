//! Any bytes as the files that `kkvc verify` reads, and right ones with a little changed: only what was signed passes,
//! and nothing that steers is said.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Unstructured;
use kkv::cli::render_proofs;
use kkv_fuzz::change::changes;
use kkv_fuzz::stranger::sender_key;
use kkv_protocol::crypto::identity::{KeySeed, RelayKey};
use kkv_protocol::crypto::labels;
use kkv_protocol::ids::{BoxDigest, SessionId};
use kkv_protocol::proof::Proof;
use kkv_protocol::v2::{message, receipt};
use kkv_protocol::wire::Hex;
use kkv_terminal::json::ascii_json;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const TEXT: &str = "Ein Gru\u{df} \u{1f642}";

/// One right file of each format; the last two belong together.
static RIGHT: LazyLock<[String; 3]> = LazyLock::new(|| {
    let (sender, relay) = (
        sender_key(1),
        RelayKey::from_seed(&KeySeed::new([2; 32].into())),
    );
    let (sender_hex, relay_hex) = (sender.public().id(), relay.public().id());
    let (session, place) = (SessionId([3; 32]), BoxDigest([4; 32]));
    let statement = message::statement(&relay_hex, &session, 0, &place, TEXT.as_bytes());
    let signature = sender.sign_statement(&statement);
    let digest = receipt::digest(&statement, &signature);
    let fields: [&[u8]; 3] = [&session.0, &sender_hex.0, &digest.0];
    let receipt = relay.sign_statement(&labels::RECEIPT.digest(&fields));
    [
        json!({
            "format": "kkv/1 message", "sender": sender_hex, "text": TEXT,
            "signature": Hex(sender.sign(TEXT.as_bytes()).0),
        }),
        json!({
            "format": "kkv/2 message", "relay": relay_hex, "session": session, "sender": sender_hex,
            "kind": "text", "box": place, "text": TEXT, "signature": Hex(signature.0),
        }),
        json!({
            "format": "kkv/2 receipt", "relay": relay_hex, "session": session, "sender": sender_hex,
            "digest": digest, "signature": Hex(receipt.0),
        }),
    ]
    .map(|proof| proof.to_string())
});

/// Reads a file, if it is one, and looks at all that is made of it.
fn read(file: &[u8]) -> Option<Proof> {
    let proof = Proof::parse(file).ok()?;
    let written = ascii_json(&proof);
    let again = Proof::parse(written.as_bytes()).expect("what is written can be read");
    assert_eq!(ascii_json(&again), written);
    assert_eq!(again.check(), proof.check());
    for proofs in [&[proof][..], &[again]] {
        let told = render_proofs(proofs, Some(80));
        assert!(told.lines().all(steers_nothing), "{told:?}");
    }
    Proof::parse(file).ok()
}

/// Whether a line has no control character in it, but for the two sequences between which a terminal breaks no line.
fn steers_nothing(line: &str) -> bool {
    let line = match line.split_once("\x1b[?7l") {
        Some((before, rest)) => rest.strip_suffix("\x1b[?7h").map(|rest| [before, rest]),
        None => Some([line, ""]),
    };
    line.is_some_and(|parts| !parts.concat().contains(char::is_control))
}

/// What a file says, however it is written.
fn meaning(file: &[u8]) -> Option<Value> {
    let proof = Proof::parse(file).ok()?;
    serde_json::to_value(&proof).ok()
}

fn near_right(u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let right = &*RIGHT;
    let number = u.choose_index(right.len())?;
    let changed = changes(right[number].as_bytes(), u)?;
    let Some(proof) = read(&changed) else {
        return Ok(());
    };
    let same = right
        .iter()
        .any(|right| meaning(&changed) == meaning(right.as_bytes()));
    assert_eq!(
        proof.check().is_ok(),
        same,
        "{}",
        String::from_utf8_lossy(&changed)
    );
    for (other, file) in right.iter().enumerate() {
        let other_proof = read(file.as_bytes()).expect("a right file");
        let together = proof.belongs_to(&other_proof);
        assert_eq!(together, other_proof.belongs_to(&proof));
        if same && number != 0 && other != 0 {
            assert_eq!(together, (number != other).then_some(true));
        }
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        // Everything that a file can start with but these few bytes.
        Some((0..=7, rest)) => {
            let _ = near_right(&mut Unstructured::new(rest));
        }
        _ => {
            if let Some(proof) = read(bytes) {
                let _ = proof.check();
            }
        }
    }
});
