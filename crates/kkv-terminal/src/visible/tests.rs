use super::*;
use proptest::prelude::*;

fn shown(text: &str) -> String {
    Visible(text).to_string()
}

#[test]
fn a_stray_debug_shows_no_text() {
    let (text, line) = (Visible("secret"), OneLine("words"));
    let shown = format!("{text:?} {line:?}");
    assert_eq!(shown, "Visible(6 bytes) OneLine(5 bytes)");
}

#[test]
fn letters_of_all_scripts_stay() {
    for text in [
        "naïve café",
        "שלום",
        "日本語",
        "नमस्ते",
        "e\u{301}",
        "🙂",
        "a\nb",
        // Persian, Sinhala, Bengali and Khmer as they are spelled.
        "می\u{200c}خواهم",
        "ශ්\u{200d}රී",
        "র\u{200d}্য",
        "ប\u{17ca}\u{200c}ី",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn a_shell_takes_a_word_as_it_is_meant() {
    for (word, want) in [
        ("/run/user/1000/kkv.sock", "/run/user/1000/kkv.sock"),
        ("", "''"),
        ("~/book", "'~/book'"),
        ("my book", "'my book'"),
        ("it's $(id) \\", r"'it'\''s $(id) \'"),
        ("é", "'é'"),
    ] {
        assert_eq!(quoted(word), want);
        let printed = std::process::Command::new("sh")
            .args(["-c", &format!("printf %s {want}")])
            .output();
        assert_eq!(printed.unwrap().stdout, word.as_bytes());
    }
}

#[test]
fn what_steers_is_shown() {
    for (text, want) in [
        ("\x1b[2J", "<U+001B>[2J"),
        ("\u{9b}31m", "<U+009B>31m"),
        ("a\rb", "a<U+000D>b"),
        ("\0\x07\x08\x7f", "<U+0000><U+0007><U+0008><U+007F>"),
        ("\u{202e}gpj.exe", "<U+202E>gpj.exe"),
        (
            "\u{2066}\u{2069}\u{200f}\u{61c}",
            "<U+2066><U+2069><U+200F><U+061C>",
        ),
        ("\u{2028}\u{feff}\u{e0041}", "<U+2028><U+FEFF><U+E0041>"),
    ] {
        assert_eq!(shown(text), want);
    }
}

#[test]
fn blanks_are_blank_tabs_have_stops_and_lines_end_either_way() {
    for (text, want) in [
        ("10\u{202f}000\u{a0}€", "10 000 €"),
        ("a\u{2009}b\u{2003}c\u{205f}d", "a b c d"),
        ("日\u{3000}本", "日  本"),
        ("a\tb\n\tc\n日本\td", "a       b\n        c\n日本    d"),
        ("12345678\t9", "12345678        9"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("one\rtwo\r", "one<U+000D>two<U+000D>"),
        ("\r\r\n", "<U+000D>\n"),
    ] {
        assert_eq!(shown(text), want, "{text:?}");
    }
    assert_eq!(
        OneLine("a\tb\r\n\u{a0}").to_string(),
        "a<U+0009>b<U+000D><U+000A> "
    );
}

#[test]
fn letters_that_are_blank_are_shown_as_codes() {
    assert_eq!(
        shown("do\u{3164}\u{3164} not 🙂 pay"),
        "do<U+3164><U+3164> not 🙂 pay"
    );
    for c in "\u{115f}\u{1160}\u{3164}\u{ffa0}\u{2800}\u{34f}\u{17b4}\u{180b}\u{fe00}\u{fe0f}\u{e0100}\u{1d159}\u{11a8}".chars() {
            let code = format!("<U+{:04X}>", u32::from(c));
            assert_eq!(shown(&format!("a{c}b")), format!("a{code}b"));
            assert_eq!(shown(&c.to_string()), code);
        }
    for text in [
        "1\u{fe0f}\u{20e3}",
        "🏕\u{fe0f}",
        "葛\u{e0100}",
        "ᠠ\u{180b}",
        "🇩🇪",
        "น้ำ กำ",
        "বাংলা",
        "한글",
    ] {
        assert_eq!(shown(text), text, "the language needs it");
    }
    assert_eq!(shown("1\u{fe0f}2"), "1<U+FE0F>2");
}

#[test]
fn korean_in_parts_is_shown_in_syllables() {
    assert_eq!(
        shown("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
        "한글"
    );
    assert_eq!(shown("가\u{11a8} 각\u{11a8}"), "각 각<U+11A8>");
    assert_eq!(shown("\u{1100}"), "\u{1100}");
    assert_eq!(shown("\u{1100}\u{1160}"), "\u{1100}<U+1160>");
}

#[test]
fn joined_emoji_are_shown_side_by_side() {
    for (text, want) in [
        ("👨\u{200d}👩\u{200d}👧", "👨👩👧"),
        ("❤\u{fe0f}\u{200d}🔥", "❤\u{fe0f}🔥"),
        ("👩🏽\u{200d}⚕\u{fe0f}", "👩🏽⚕\u{fe0f}"),
        ("🙂\u{200d}↔\u{fe0f}", "🙂↔\u{fe0f}"),
    ] {
        assert_eq!(shown(text), want);
    }
}

#[test]
fn joiners_that_join_nothing_are_shown() {
    for (text, want) in [
        ("pass\u{200d}word", "pass<U+200D>word"),
        ("\u{200c}م", "<U+200C>م"),
        ("م\u{200d}", "م<U+200D>"),
        ("م\u{200d} م", "م<U+200D> م"),
        ("م\u{200c}\u{200d}م", "م<U+200C><U+200D>م"),
        ("م\u{200d}a", "م<U+200D>a"),
        ("1\u{200d}2", "1<U+200D>2"),
        ("🙂\u{200d}", "🙂<U+200D>"),
        ("🙂\u{200d}\u{200d}🙂", "🙂<U+200D><U+200D>🙂"),
    ] {
        assert_eq!(shown(text), want);
    }
}

/// Joiners, and what may stand beside them, more often than in any text.
fn joined() -> impl Strategy<Value = String> {
    let parts = vec![
        "\u{200c}", "\u{200d}", "م", "ක", "\u{dca}", "🙂", "\u{fe0f}", "🏽", "↔", "a", "1", " ",
        "\n", "\u{202e}", "\u{600}", "\u{180e}",
    ];
    let part = prop::sample::select(parts).prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![4 => part, 1 => any::<String>()], 0..20)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn nothing_that_steers_ever_comes_out(text in joined()) {
        let shown = shown(&text);
        prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
        let letters: Vec<char> = shown.chars().collect();
        for (place, c) in letters.iter().enumerate() {
            let hidden = c.general_category() == GeneralCategory::Format;
            let beside = |place: usize| letters.get(place).is_some_and(|c| c.is_alphabetic() || is_joined(*c));
            prop_assert!(
                !hidden || JOINERS.contains(c) && place > 0 && beside(place - 1) && beside(place + 1),
                "{shown:?}"
            );
        }
        prop_assert_eq!(self::shown(&shown), shown.clone(), "what is shown is shown as it is");
        let bidi = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
            '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'];
        prop_assert!(!shown.contains(bidi));
    }
}
