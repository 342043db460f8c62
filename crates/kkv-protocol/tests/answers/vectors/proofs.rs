//! Files for third parties (PROTOCOL.md §8): those of every message, and what is none or doesn't hold.

use kkv_protocol::proof::Proof;
use serde::Deserialize;

use super::v2::file;

/// The files of one message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    message: String,
    receipt: String,
}

/// A file that somebody is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileCase {
    name: String,
    file: String,
    holds: bool,
    why: String,
}

/// The proof in a file, if it holds.
fn proof(file: &str) -> Option<Proof> {
    let proof = Proof::parse(file.as_bytes()).ok()?;
    proof.check().is_ok().then_some(proof)
}

#[test]
fn the_files_of_a_message_hold_and_belong_together() {
    let cases = file().cases;
    let files = cases.iter().map(|case| &case.proofs);
    let files: Vec<_> = files
        .map(|files| [&files.message, &files.receipt].map(|file| proof(file).unwrap()))
        .collect();
    for (i, [message, _]) in files.iter().enumerate() {
        assert_eq!(message.text(), Some(&*cases[i].text));
        for (j, [_, receipt]) in files.iter().enumerate() {
            assert_eq!(message.belongs_to(receipt), Some(i == j), "{i} and {j}");
        }
    }
}

#[test]
fn a_file_is_a_proof_or_none_as_the_vectors_say() {
    let cases = super::negative::file().proofs;
    assert!(cases.iter().any(|case| !case.holds));
    for case in cases {
        let holds = proof(&case.file).is_some();
        assert_eq!(holds, case.holds, "{}: {}", case.name, case.why);
    }
}
