//! What the pages show of what comes from outside, and what they must never have.

use data_encoding::BASE64;

use super::*;
use crate::assets::{FILES, File};
use crate::pieces::Pieces;
use crate::strings::ENGLISH;

/// Ends every context that HTML has.
const HOSTILE: &str = "\"'><script>alert(1)</script></textarea></pre><!-- &amp; \u{202e}";

fn form<'a>(words: &'a Zeroizing<String>, text: &'a str) -> Form<'a> {
    Form {
        id: "0123",
        words,
        follows: false,
        seen: &[],
        needs: Needs::Nothing,
        invitation: text,
        text,
        answer: true,
        takes_files: true,
        only_files: true,
        uploaded: None,
    }
}

#[track_caller]
fn must_be_the_same_in_pieces(page: &Write<'_>) {
    let pieces = Pieces::of(page);
    let bytes = pieces.bytes();
    let all: String = pieces.map(|piece| piece.to_string()).collect();
    assert_eq!(all, *html(page));
    assert_eq!(all.len(), bytes);
}

/// Every page, with `text` wherever something comes from outside.
fn pages(text: &str) -> Vec<String> {
    let s = &ENGLISH;
    let words = Zeroizing::new("abandon amount liar".to_owned());
    let mut pages = Vec::new();
    let paid = Paid {
        challenge: text,
        nonces: text,
    };
    let invitation = |pays| Needs::Invitation { pays };
    for needs in [
        Needs::Nothing,
        Needs::Answered,
        invitation(false),
        invitation(true),
        Needs::Paid(paid),
        Needs::Held,
        Needs::Room { typed: false },
        Needs::Room { typed: true },
    ] {
        for follows in [false, true] {
            for error in [None, Some(s.empty)] {
                let seen = [Zeroizing::new("ab".to_owned())];
                let files = [text.to_owned(), text.to_owned()];
                let uploaded = error.map(|_| Uploaded {
                    name: "00",
                    files: &files,
                });
                let f = &Form {
                    uploaded,
                    needs,
                    follows,
                    seen: if follows { &seen } else { &[] },
                    ..form(&words, text)
                };
                let had_files = error.is_some();
                let page = Write {
                    s,
                    f,
                    error,
                    had_files,
                };
                pages.push(html(&page));
                must_be_the_same_in_pieces(&page);
            }
        }
    }
    let none = Zeroizing::default();
    for words in [None, Some(&words), Some(&none)] {
        for again in [false, true] {
            let files = [(text.to_owned(), 1), (text.to_owned(), 1_030_000)];
            for files in [&files[..], &[]] {
                let came = Some(Came { text: 12, files }).filter(|_| !again);
                pages.push(html(&Sent {
                    s,
                    words,
                    again,
                    came,
                }));
            }
        }
    }
    for error in [None, Some(s.bad_words)] {
        let typed = text;
        pages.push(html(&Words { s, error, typed }));
    }
    let opened = || Answer::Opened {
        time: time(0),
        text: Zeroizing::new(text.to_owned()),
    };
    let sealed = || Answer::Sealed {
        relay: "ab".to_owned(),
        answer: "cd".to_owned(),
    };
    for answers in [
        vec![],
        vec![opened(), opened()],
        vec![sealed(), sealed()],
        vec![opened(), Answer::Unopened],
    ] {
        let messages = [(0, s.read), (1, s.gone)].map(|(unix, state)| Message {
            time: time(unix),
            state,
        });
        pages.push(html(&Answers {
            s,
            answers: &answers,
            messages: &messages,
            until: time(2),
            deleted: answers.is_empty(),
            had_files: answers.is_empty(),
            f: &Form {
                follows: true,
                ..form(if answers.is_empty() { &words } else { &none }, text)
            },
        }));
    }
    let heading = s.no_box;
    pages.push(html(&Notice { s, heading, text }));
    pages.into_iter().map(|page| page.to_string()).collect()
}

#[test]
fn nothing_from_outside_becomes_markup() {
    let mut shown = 0;
    for (page, plain) in pages(HOSTILE).iter().zip(pages("plain")) {
        assert!(!without_script(page).contains("<script"), "{page}");
        assert!(!page.contains("<!--"), "{page}");
        assert_eq!(
            page.matches('<').count(),
            plain.matches('<').count(),
            "{page}"
        );
        shown += page.matches("&#60;script").count();
    }
    assert!(shown > 10, "{shown}");
}

#[test]
fn no_page_names_another_host_or_has_what_the_policy_forbids() {
    for page in pages("plain") {
        let page = without_script(&page).replace(&icon(), "");
        for forbidden in [
            "//", "<script", "<style", " style=", "<svg", "<img", " on", "<base", "<iframe",
        ] {
            let found = page.match_indices(forbidden).find(|(at, _)| {
                // ` on` of a sentence is no handler.
                forbidden != " on"
                    || page[at + 3..].starts_with(|c: char| c.is_ascii_alphabetic())
                        && page[at + 1..].find('=').is_some_and(|equals| {
                            page[at + 1..][..equals]
                                .chars()
                                .all(|c| c.is_ascii_alphabetic())
                        })
            });
            assert_eq!(found, None, "{page}");
        }
        assert!(page.contains("<html lang=\"en\">"), "{page}");
    }
    for forbidden in ["url(", "@import", "//"] {
        assert!(!content("/page.css").contains(forbidden), "{forbidden}");
    }
    for script in scripts() {
        for forbidden in ["://", "eval", "innerHTML", "Function("] {
            assert!(!script.contains(forbidden), "{forbidden}");
        }
        let code = script.lines().filter(|line| !line.starts_with("//"));
        let imports = |line: &&str| line.contains("import ") || line.contains("import(");
        for line in code.filter(imports) {
            assert!(
                line.contains(" from \"./") || line.contains("import(\"./"),
                "{line}"
            );
        }
    }
}

fn content(path: &str) -> &'static str {
    let file = FILES.iter().find(|file| file.path == path);
    str::from_utf8(file.unwrap().bytes).unwrap()
}

fn scripts() -> impl Iterator<Item = &'static str> {
    let paths = FILES.iter().map(|file| file.path);
    paths.filter(|path| path.ends_with(".js")).map(content)
}

/// Script is where one may write, pay or read and nowhere else, and what it says is there.
#[test]
fn a_page_has_script_only_where_it_is_of_use() {
    let pages = pages("plain");
    let with = |script: &str| pages.iter().filter(|page| page.contains(script)).count();
    let paying = "invited or paying, first or following, wrong or not";
    assert_eq!(with(SCRIPT_TAGS[0]), 4, "{paying}");
    assert_eq!(
        with(SCRIPT_TAGS[1]),
        30,
        "seven ways to come by a form, and the words"
    );
    assert_eq!(with(SCRIPT_TAGS[2]), with("type=\"file\""));
    let said = |script: &'static str, by: &'static str| {
        let said = content(script).split(by).skip(1);
        said.map(|rest| {
            rest.split(|c: char| !c.is_ascii_alphabetic())
                .next()
                .unwrap()
        })
    };
    let names = said("/page.js", "say(\"").chain(said("/conversation.js", " dataset."));
    let names = names.chain(said("/upload.js", "say(\""));
    for name in names {
        let named = format!(" data-{name}=\"");
        assert!(pages.iter().any(|page| page.contains(&named)), "{name}");
    }
}

const SCRIPT_TAGS: [&str; 3] = [
    "<script type=\"module\" src=\"/page.js\"></script>",
    "<script type=\"module\" src=\"/conversation.js\"></script>",
    "<script type=\"module\" src=\"/upload.js\"></script>",
];

/// What of a page is there without script.
fn without_script(page: &str) -> String {
    let tags = SCRIPT_TAGS.iter();
    tags.fold(page.to_owned(), |page, tag| page.replace(tag, ""))
}

#[test]
fn every_field_has_a_label_and_every_id_is_there_once() {
    for page in pages("plain") {
        let ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .map(|rest| &rest[..rest.find('"').unwrap()])
            .collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "{page}");
        for field in page
            .split('<')
            .filter(|tag| tag.starts_with("textarea") || tag.starts_with("input"))
        {
            let is_labelled = field.contains("type=\"hidden\"")
                || field.contains("type=\"checkbox\"")
                || ids.iter().any(|id| {
                    field.contains(&format!(" id=\"{id}\""))
                        && page.contains(&format!("for=\"{id}\""))
                });
            assert!(is_labelled, "{field}");
        }
        for (attribute, _) in page.match_indices("aria-describedby=\"") {
            let rest = &page[attribute + 18..];
            let named = &rest[..rest.find('"').unwrap()];
            assert!(ids.contains(&named), "{named}");
        }
    }
}

/// In the page's head.
fn icon() -> String {
    let icon = BASE64.encode(include_bytes!("../../assets/icon.png"));
    format!("<link rel=\"icon\" href=\"data:image/png;base64,{icon}\">")
}

/// Tor Browser would ask for it by HTTPS, which an onion address doesn't have: and asking for a port that isn't there
/// ends the circuit (tor(1), `HiddenServiceAllowUnknownPorts`).
#[test]
fn the_icon_is_in_the_page_and_asked_for_nowhere() {
    for page in pages("plain") {
        assert!(page.contains(&icon()), "{page}");
    }
}

#[test]
fn a_page_to_write_on_and_all_its_files_are_small() {
    let longest = pages("").iter().map(String::len).max().unwrap();
    let files = |suffixes: &[&str]| -> usize {
        let are = |file: &&File| suffixes.iter().any(|suffix| file.path.ends_with(suffix));
        FILES
            .iter()
            .filter(are)
            .map(|file| file.deflated.len())
            .sum()
    };
    let all = files(&["css", "js", "txt"]);
    assert!(longest + all < 33 * 1024, "{longest} and {all}");
    let words = ["conversation.js", "words.js", "sealed.js", "blake3.js"];
    assert!(files(&words) < 8900);
    assert!(files(&["txt"]) < 9000 && files(&["upload.js", "spoken.js"]) < 3500);
}

#[test]
fn lengths_are_told_in_thousands() {
    for (bytes, told) in [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1,000 bytes"),
        (1_030_000, "1,030,000 bytes"),
    ] {
        let came = Some(Came {
            text: 0,
            files: &[("a".to_owned(), bytes)],
        });
        let page = html(&Sent {
            s: &ENGLISH,
            words: None,
            again: false,
            came,
        });
        assert!(page.contains(&format!(": {told}</li>")), "{}", *page);
    }
}

#[test]
fn times_are_told_to_the_minute() {
    assert_eq!(time(0), "1970-01-01 00:00 UTC");
    assert_eq!(time(1_795_827_059), "2026-11-28 00:50 UTC");
    assert_eq!(time(u64::MAX), "9999-12-31 23:59 UTC");
}

#[test]
fn a_long_text_goes_out_in_short_pieces() {
    let words = Zeroizing::new("abandon amount liar".to_owned());
    for text in [
        "<".repeat(16 * 1024),
        "a\u{20ac}\"\n".repeat(4000),
        "x".repeat(1023) + "\u{1f467}",
    ] {
        let f = &Form {
            invitation: "",
            ..form(&words, &text)
        };
        let page = Write {
            s: &ENGLISH,
            f,
            error: Some(ENGLISH.too_long),
            had_files: false,
        };
        must_be_the_same_in_pieces(&page);
        assert!(Pieces::of(&page).all(|piece| piece.len() <= 5 * 1024 && !piece.is_empty()));
    }
}
