//! `kkvc export` and `kkvc verify`: what a third party can check, and that nothing changed gets through.

use std::fs;
use std::path::Path;

use kkv_protocol::crypto::identity::{KeySeed, RelayKey, SenderKey};
use kkv_protocol::ids::{BoxDigest, RelayId, SessionId};
use kkv_protocol::v2::message;
use kkv_protocol::wire::Hex;
use serde_json::{Value, json};

use crate::programs::{Outcome, Relay, kkvc};

/// A relay with a message in each suite and a receipt, exported into `v1`, `v2` and `receipt`.
fn exported() -> Relay {
    let relay = Relay::start(&[]);
    relay
        .send(["-m", "said in \"kkv/1\" é\n", "--suite", "1"])
        .finish()
        .must_end_with(0);
    relay
        .send(["-m", "said in \"kkv/2\" é\n", "--receipt", "receipt"])
        .finish()
        .must_end_with(0);
    for (id, name) in [("1", "v1"), ("2", "v2")] {
        let message = relay.owner(["export", id]).finish().must_end_with(0);
        message.json();
        fs::write(relay.directory().join(name), message.stdout).expect("our own directory");
    }
    relay
}

/// Verifies files of `directory`. A relay is not needed.
fn verify(directory: &Path, files: &[&str]) -> Outcome {
    kkvc(["verify"])
        .with(|c| c.args(files).current_dir(directory))
        .finish()
}

fn verify_text(text: &str) -> Outcome {
    kkvc(["verify", "-"]).stdin(text).finish()
}

#[test]
fn what_was_exported_is_verified_with_and_without_its_receipt() {
    let relay = exported();
    let sender = relay.list()[1]["sender"].as_str().unwrap().to_owned();
    let directory = relay.directory();
    relay
        .owner(["delete", "--all", "--yes"])
        .finish()
        .must_end_with(0);
    for (files, told) in [
        (&["v1"][..], "A message in kkv/1. Its signature fits"),
        (&["v2"], "A message in kkv/2. Its signature fits."),
        (&["receipt"], "A receipt. Its signature fits"),
        (
            &["v2", "receipt"],
            "the relay accepted exactly this message",
        ),
        (
            &["receipt", "v2"],
            "the relay accepted exactly this message",
        ),
    ] {
        let shown = verify(directory, files).must_end_with(0).stdout_text();
        assert!(shown.contains(told), "{shown}");
        if files != ["v1"] {
            assert!(shown.contains(&sender), "{shown}");
        }
    }
    let text = fs::read_to_string(directory.join("v2")).unwrap();
    let shown = verify_text(&text).must_end_with(0).stdout_text();
    assert!(shown.ends_with("\n\n│ said in \"kkv/2\" é\n"), "{shown}");
    let both = kkvc(["verify", "v2", "receipt", "--json"]).with(|c| c.current_dir(directory));
    assert_eq!(
        both.finish().must_end_with(0).json()["proofs"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn no_text_can_speak_for_the_program() {
    let relay = Relay::start(&[]);
    let lie = "\n\nA receipt. Its signature fits.\nThey belong together: the relay accepted exactly this message.";
    let send = relay.send(["-m", lie, "--receipt", "receipt"]).finish();
    send.must_end_with(0);
    let message = relay.owner(["export", "1"]).finish().stdout;
    fs::write(relay.directory().join("message"), message).unwrap();
    for files in [
        &["message"][..],
        &["message", "receipt"],
        &["receipt", "message"],
    ] {
        let shown = verify(relay.directory(), files)
            .must_end_with(0)
            .stdout_text();
        let (said, text) = shown.split_once("\n\n").unwrap();
        let barred = lie.lines().map(|line| format!("│ {line}\n"));
        let barred: String = barred.collect::<String>().replace("│ \n", "│\n");
        assert_eq!(text, barred, "the text is last, behind a bar");
        assert_eq!(said.contains("They belong together"), files.len() == 2);
        assert!(
            !said.contains("Give the exported message"),
            "it was given: {said}"
        );
    }
    let alone = verify(relay.directory(), &["receipt"])
        .must_end_with(0)
        .stdout_text();
    assert!(
        alone.contains("Give the exported message as well"),
        "{alone}"
    );
}

#[test]
fn a_message_is_exported_whole_whatever_is_in_it() {
    let relay = Relay::start(&[]);
    let worst = "\u{1}".repeat(3500); // each character takes six in JSON
    relay.deliver(worst.as_bytes());
    let message = relay.owner(["export", "1"]).finish().must_end_with(0);
    assert_eq!(message.json()["text"], worst);
    verify_text(&message.stdout_text()).must_end_with(0);
}

/// Verifies a forgery: the signature doesn't fit, or it is no longer a message or receipt at all.
#[track_caller]
fn must_be_caught(forgery: &str, what: &str) {
    let outcome = verify_text(forgery);
    assert!(
        matches!(outcome.code, Some(2 | 6)),
        "{what}: {outcome:?} {forgery}"
    );
    assert!(outcome.stdout.is_empty(), "{what}: {outcome:?}");
    assert!(
        !outcome.stderr.contains("internal error"),
        "{what}: {outcome:?}"
    );
}

#[test]
fn a_change_of_any_field_is_caught() {
    let relay = exported();
    for name in ["v1", "v2", "receipt"] {
        let text = fs::read_to_string(relay.directory().join(name)).unwrap();
        let original: Value = serde_json::from_str(&text).unwrap();
        let fields = original.as_object().unwrap();
        assert!(fields.len() >= 4, "{text}");
        for (field, value) in fields {
            let value = value.as_str().unwrap();
            let digit = if value.starts_with('0') { "1" } else { "0" };
            for other in [
                json!(format!("{digit}{}", &value[1..])),
                json!(format!("{value}x")),
                json!(""),
                json!(null),
                json!(7),
                json!([value]),
                json!("0".repeat(value.len())),
            ] {
                let mut changed = original.clone();
                changed[field] = other;
                must_be_caught(&changed.to_string(), field);
            }
            let mut without = original.clone();
            without.as_object_mut().unwrap().remove(field);
            must_be_caught(&without.to_string(), field);
        }
        let mut more = original.clone();
        more["note"] = json!("signed too, surely");
        must_be_caught(&more.to_string(), "a field that no signature covers");
        let twice = text.replacen('{', "{\"text\":\"said before\",\"sender\":\"00\",", 1);
        must_be_caught(&twice, "a field that is there twice");
    }
}

/// The values of an object in the order they stand in.
fn as_array(text: &str, original: &Value) -> String {
    let mut fields: Vec<(&String, &Value)> = original
        .as_object()
        .expect("an exported file is an object")
        .iter()
        .collect();
    fields.sort_by_key(|(name, _)| text.find(&format!("\"{name}\":")));
    Value::from_iter(fields.into_iter().map(|(_, value)| value.clone())).to_string()
}

#[test]
fn what_is_written_as_an_array_or_with_a_wrapped_kind_is_no_exported_file() {
    let relay = exported();
    for name in ["v1", "v2", "receipt"] {
        let text = fs::read_to_string(relay.directory().join(name)).unwrap();
        let original: Value = serde_json::from_str(&text).unwrap();
        let array = as_array(&text, &original);
        assert!(array.starts_with("[\"kkv/"), "{array}");
        for array in [array.clone(), format!(" \n{array}\n")] {
            let outcome = verify_text(&array).must_end_with(2);
            assert!(outcome.stdout.is_empty(), "{outcome:?}");
        }
        verify_text(&format!(" \t\r\n{text}")).must_end_with(0);
    }
    let text = fs::read_to_string(relay.directory().join("v2")).unwrap();
    let wrapped = text.replace("\"kind\":\"text\"", "\"kind\":{\"text\":null}");
    assert_ne!(wrapped, text);
    verify_text(&wrapped).must_end_with(2);
}

#[test]
fn one_suites_message_cannot_be_passed_off_as_the_others() {
    let relay = exported();
    let v2: Value =
        serde_json::from_slice(&fs::read(relay.directory().join("v2")).unwrap()).unwrap();
    let (sender, text, signature) = (&v2["sender"], &v2["text"], &v2["signature"]);
    let as_v1 =
        json!({"format": "kkv/1 message", "sender": sender, "text": text, "signature": signature});
    assert_eq!(verify_text(&as_v1.to_string()).code, Some(6));
    let v1: Value =
        serde_json::from_slice(&fs::read(relay.directory().join("v1")).unwrap()).unwrap();
    let as_v2 = json!({
        "format": "kkv/2 message", "relay": v2["relay"], "session": "0".repeat(64), "kind": "text",
        "box": "0".repeat(64),
        "sender": v1["sender"], "text": v1["text"], "signature": v1["signature"],
    });
    assert_eq!(verify_text(&as_v2.to_string()).code, Some(6));
}

/// Another character of the same sort, so that as many changes as possible still parse.
fn other(character: char) -> char {
    match character {
        '0'..='8' | 'a'..='e' | 'g'..='y' => {
            char::from_u32(u32::from(character) + 1).expect("a letter")
        }
        '9' => '0',
        'f' | 'z' => 'a',
        '"' => '\'',
        _ => 'Q',
    }
}

#[test]
fn a_change_of_any_character_is_caught() {
    let relay = exported();
    for name in ["v1", "v2", "receipt"] {
        let text = fs::read_to_string(relay.directory().join(name)).unwrap();
        for (position, character) in text.trim_end().char_indices() {
            let mut changed = text.clone();
            changed.replace_range(position..=position, &other(character).to_string());
            must_be_caught(&changed, &format!("character {position}"));
        }
    }
}

#[test]
fn a_message_cut_short_or_with_something_behind_it_is_caught() {
    let relay = exported();
    let text = fs::read_to_string(relay.directory().join("v2")).unwrap();
    let line = text.trim_end();
    for length in [0, 1, line.len() / 2, line.len() - 1] {
        must_be_caught(&line[..length], "cut short");
    }
    for behind in ["x", "{}", "\0", line] {
        must_be_caught(&format!("{line}{behind}"), "something behind");
        must_be_caught(&format!("{line}\n{behind}"), "something behind");
    }
}

#[test]
fn files_that_do_not_belong_together_are_told_apart() {
    let relay = exported();
    relay
        .send(["-m", "another", "--receipt", "other"])
        .finish()
        .must_end_with(0);
    let directory = relay.directory();
    verify(directory, &["v2", "other"])
        .must_end_with(6)
        .must_say("is for another message");
    verify(directory, &["other", "v2"])
        .must_end_with(6)
        .must_say("is for another message");
    for files in [
        ["v1", "v2"],
        ["v2", "v2"],
        ["receipt", "other"],
        ["v1", "receipt"],
    ] {
        let outcome = verify(directory, &files).must_end_with(2);
        outcome.must_say("two files must be a message and its receipt");
    }
}

#[test]
fn a_forgery_beside_a_right_file_is_named() {
    let relay = exported();
    let directory = relay.directory();
    let text = fs::read_to_string(directory.join("v2")).unwrap();
    fs::write(directory.join("forged"), text.replace("said", "Said")).unwrap();
    let outcome = verify(directory, &["forged", "receipt"]).must_end_with(6);
    assert!(outcome.stdout.is_empty());
    outcome.must_say("forged: the signature doesn't fit");
}

#[test]
fn what_is_no_exported_file_ends_with_2() {
    let directory = tempfile::tempdir().unwrap();
    for garbage in [
        &b""[..],
        b"garbage",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"null",
        b"{\"format\":\"kkv/3 message\"}",
    ] {
        fs::write(directory.path().join("file"), garbage).unwrap();
        verify(directory.path(), &["file"]).must_end_with(2);
    }
    fs::write(directory.path().join("nested"), "[".repeat(60_000)).unwrap();
    let huge = fs::File::create(directory.path().join("huge")).unwrap();
    huge.set_len(1 << 40).unwrap(); // a terabyte of nothing, of which no more than the first bytes may be read
    for file in ["nested", "huge", "missing", ".", "/dev/zero"] {
        let outcome = verify(directory.path(), &[file]).must_end_with(2);
        assert!(outcome.stdout.is_empty());
    }
    verify(directory.path(), &[]).must_end_with(2);
    verify(directory.path(), &["file", "file", "file"]).must_end_with(2);
}

/// A message file whose signature fits, of whatever text.
fn signed(format: &str, text: &str, relay: RelayId) -> Value {
    let sender = SenderKey::from_seed(&KeySeed::new([1; 32].into()));
    let session = SessionId([3; 32]);
    let mut file = json!({"format": format, "sender": sender.public().id(), "text": text});
    let signature = if format == "kkv/1 message" {
        sender.sign(text.as_bytes())
    } else {
        file["relay"] = json!(relay);
        file["session"] = json!(session);
        file["kind"] = json!("text");
        let place = BoxDigest([4; 32]);
        file["box"] = json!(place);
        sender.sign_statement(&message::statement(
            &relay,
            &session,
            0,
            &place,
            text.as_bytes(),
        ))
    };
    file["signature"] = json!(Hex(signature.0));
    file
}

fn usable_key() -> RelayId {
    RelayKey::from_seed(&KeySeed::new([2; 32].into()))
        .public()
        .id()
}

#[test]
fn a_text_that_no_message_has_is_refused_though_its_signature_fits() {
    let (v1, v2) = ("kkv/1 message", "kkv/2 message");
    for (format, text, what) in [
        (v1, String::new(), "its text has 0 bytes"),
        (v2, String::new(), "its text has 0 bytes"),
        (v1, "a".repeat(2921), "its text has 2921 bytes"),
        (v2, "a".repeat(3501), "its text has 3501 bytes"),
        (v2, "é".repeat(1751), "its text has 3502 bytes"),
        (v1, "a\0b".into(), "its text has a NUL"),
    ] {
        let file = signed(format, &text, usable_key()).to_string();
        let outcome = verify_text(&file).must_end_with(2);
        assert!(outcome.stdout.is_empty(), "{outcome:?}");
        outcome.must_say(what);
    }
    for (format, text) in [
        (v1, "a".repeat(2920)),
        (v2, "é".repeat(1750)),
        (v2, "a\0b".into()),
    ] {
        verify_text(&signed(format, &text, usable_key()).to_string()).must_end_with(0);
    }
}

#[test]
fn a_message_to_a_key_that_none_can_have_is_refused_though_its_signature_fits() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let file = signed("kkv/2 message", "text", RelayId(neutral)).to_string();
    verify_text(&file).must_end_with(6);
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let right = signed("kkv/2 message", "text", usable_key());
    let mut extra = right.clone();
    extra["signed_at"] = json!("2026-11-21");
    let mut hex = right.clone();
    hex["session"] = json!("00");
    let twice = right.to_string().replacen('{', "{\"text\":\"t\",", 1);
    let steering = right.to_string().replacen('{', "{\"no\\nte\\u001b\":1,", 1);
    let steering_twice = steering.replacen('{', "{\"no\\nte\\u001b\":1,", 1);
    let mut missing = right.clone();
    missing.as_object_mut().unwrap().remove("session");
    let cut = &right.to_string()[..100];
    for (file, what) in [
        (extra.to_string(), "it has an extra field, \"signed_at\""),
        (hex.to_string(), "the field \"session\" isn't 64 hex digits"),
        (steering, "it has an extra field, \"no<U+000A>te<U+001B>\""),
        (twice, "the field \"text\" is there twice"),
        (
            steering_twice,
            "the field \"no<U+000A>te<U+001B>\" is there twice",
        ),
        (missing.to_string(), "the field \"session\" is missing"),
        (cut.to_owned(), "it isn't one JSON object"),
        (format!("\u{feff}{right}"), "it isn't one JSON object"),
    ] {
        verify_text(&file).must_end_with(2).must_say(what);
    }
    let upper = right["sender"].as_str().unwrap().to_uppercase();
    let mut upper_case = right.clone();
    upper_case["sender"] = json!(upper);
    verify_text(&upper_case.to_string()).must_end_with(0);
}
