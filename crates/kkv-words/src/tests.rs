//! Reading, writing and telling apart words of each kind.

use super::*;
use proptest::prelude::*;

fn of(kind: Kind, entropy: [u8; 16]) -> Words {
    Words::new(kind, &entropy)
}

fn bad(text: &str) -> BadWords {
    Words::parse(Kind::Reply, text).unwrap_err()
}

proptest! {
    #[test]
    fn all_words_read_back(entropy: [u8; 16]) {
        for kind in Kind::ALL {
            let words = of(kind, entropy);
            let line = words.line();
            prop_assert_eq!(words.iter().count(), WORDS);
            prop_assert_eq!(*Words::parse(kind, &line).unwrap().entropy(), entropy);
            prop_assert_eq!(line.capacity(), line.len() + 1, "it has not grown, and left no copy behind");
        }
    }

    #[test]
    fn no_text_makes_the_parser_stumble(text: String) {
        for kind in Kind::ALL {
            _ = Words::parse(kind, &text);
            _ = of(kind, [7; 16]).are_in(&text);
            _ = of(kind, [7; 16]).are_in_file(text.as_bytes());
        }
    }
}

/// Computed by an implementation of BLAKE3 in another language. If this changes, words that people have written down
/// open nothing any more.
#[test]
fn words_never_change() {
    let counting = std::array::from_fn(|i| i as u8);
    for (kind, zeros, ones, last) in [
        (Kind::Reply, "ability", "year", "buyer"),
        (Kind::Recovery, "access", "wrestle", "butter"),
        (Kind::Successor, "accuse", "year", "cable"),
    ] {
        let word = |entropy| of(kind, entropy).iter().last();
        assert_eq!(word([0; 16]), Some(zeros), "{kind}");
        assert_eq!(word([0xff; 16]), Some(ones), "{kind}");
        let line = of(kind, counting).line();
        let first = "abandon amount liar amount expire adjust cage candy arch gather drum";
        assert_eq!(*line, format!("{first} {last}"), "{kind}");
    }
}

#[test]
fn what_people_write_is_read() {
    let words = of(Kind::Recovery, [0x5a; 16]);
    let line = words.line();
    let numbered: Vec<_> = words
        .iter()
        .zip(1..)
        .map(|(w, i)| format!("{i}. {w}"))
        .collect();
    let short: Vec<_> = words.iter().map(|w| &w[..w.len().min(4)]).collect();
    for written in [
        line.to_uppercase(),
        format!("  {}\n", line.replace(' ', " \t\n ")),
        numbered.join("\n"),
        line.replace(' ', ", "),
        line.replace(' ', "-"),
        short.join(" "),
    ] {
        let read = Words::parse(Kind::Recovery, &written);
        let read = read.unwrap_or_else(|bad| panic!("{written}: {bad}"));
        assert_eq!(read.entropy(), words.entropy(), "{written}");
    }
    assert_eq!(format!("{words:?}"), "Words(..)");
}

#[test]
fn what_is_wrong_is_said_by_its_place() {
    let words = of(Kind::Reply, [0x5a; 16]);
    let all: Vec<_> = words.iter().collect();
    assert_eq!(bad(""), BadWords::Count(Kind::Reply, 0));
    assert_eq!(bad(&all[..11].join(" ")), BadWords::Count(Kind::Reply, 11));
    let more = format!("{} act", all.join(" "));
    assert_eq!(bad(&more), BadWords::Count(Kind::Reply, 13));
    for (place, wrong) in [
        (0, "anch0r"),
        (2, "xyz"),
        (11, "acts"),
        (5, "abou\u{e9}"),
        (7, "ab"),
    ] {
        let mut all = all.clone();
        all[place] = wrong;
        let unknown = BadWords::Unknown(Kind::Reply, place + 1);
        assert_eq!(bad(&all.join(" ")), unknown, "{wrong}");
    }
    let mut swapped = all.clone();
    swapped.swap(0, 1);
    assert_ne!(all[0], all[1]);
    assert_eq!(bad(&swapped.join(" ")), BadWords::Checksum(Kind::Reply));
}

/// How what is written as another kind reads: taken, told by its name, told by the name of a third, not told.
fn read_as(
    kind: Kind,
    written: impl Fn([u8; 16]) -> String,
    told: fn(BadWords) -> bool,
) -> [u32; 4] {
    let mut counts = [0; 4];
    for byte in 0..=255 {
        let mut entropy = [byte; 16];
        entropy[15] = !byte;
        counts[match Words::parse(kind, &written(entropy)) {
            Ok(_) => 0,
            Err(bad) if told(bad) => 1,
            Err(BadWords::OtherKind(..)) => 2,
            Err(_) => 3,
        }] += 1;
    }
    counts
}

#[test]
fn words_of_another_kind_are_called_by_its_name() {
    use Kind::{Recovery, Reply, Successor};
    for (wanted, given, told) in [
        (
            Reply,
            Recovery,
            (|bad| bad == BadWords::OtherKind(Reply, Recovery)) as fn(_) -> _,
        ),
        (Reply, Successor, |bad| {
            bad == BadWords::OtherKind(Reply, Successor)
        }),
        (Recovery, Reply, |bad| {
            bad == BadWords::OtherKind(Recovery, Reply)
        }),
        (Recovery, Successor, |bad| {
            bad == BadWords::OtherKind(Recovery, Successor)
        }),
        (Successor, Reply, |bad| {
            bad == BadWords::OtherKind(Successor, Reply)
        }),
        (Successor, Recovery, |bad| {
            bad == BadWords::OtherKind(Successor, Recovery)
        }),
    ] {
        let counts = read_as(
            wanted,
            |entropy| of(given, entropy).line().to_string(),
            told,
        );
        assert!(
            counts[1] > 200 && counts[3] == 0,
            "{given} as {wanted}: {counts:?}, 1 in 16 has both checksums"
        );
    }
    let wallet = |entropy: [u8; 16]| {
        Mnemonic::from_entropy_in(Language::English, &entropy)
            .unwrap()
            .to_string()
    };
    for kind in Kind::ALL {
        let counts = read_as(kind, wallet, |bad| matches!(bad, BadWords::Wallet(_)));
        assert!(
            counts[1] > 180 && counts[3] == 0,
            "a wallet's as {kind}: {counts:?}"
        );
    }
}

#[test]
fn what_is_said_names_both_kinds() {
    let said = BadWords::OtherKind(Kind::Reply, Kind::Recovery).to_string();
    assert_eq!(
        said,
        "these look like recovery words, which don't belong here; if they are reply words, then one word is wrong"
    );
    let count = BadWords::Count(Kind::Successor, 3).to_string();
    assert_eq!(count, "words against theft are 12, and these are 3");
}
