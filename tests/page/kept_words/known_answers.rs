//! The page's cryptography, by known answers: BLAKE3 as its own crate has it, ChaCha20-Poly1305 by RFC 8439, and words,
//! secrets and answers by the vectors of PROTOCOL.md §13, which an implementation of their own has made.

use data_encoding::HEXLOWER;

use super::*;

fn relay_and_browser() -> (Relay, Session) {
    let relay = inbox("1");
    let browser = Session::start(Script::On);
    browser.go(&at(&relay, "/words"));
    (relay, browser)
}

/// What a module's functions say, where `b` is `/blake3.js`, `s` `/sealed.js` and `w` `/words.js`.
fn said(browser: &Session, body: &str) -> Value {
    browser.evaluate(&format!(
        "return (async () => {{
             const [b, s, w] = await Promise.all(['/blake3.js', '/sealed.js', '/words.js'].map((path) => import(path)));
             const {{ hex, unhex }} = b;
             {body}
         }})();"
    ))
}

fn vectors(file: &str) -> Value {
    serde_json::from_str(file).expect("JSON")
}

const KKV2: &str = include_str!("../../../crates/kkv-protocol/vectors/kkv2.json");
const NEGATIVE: &str = include_str!("../../../crates/kkv-protocol/vectors/negative.json");

#[test]
fn keys_are_derived_as_blake3_says() {
    const CONTEXT: &str = "BLAKE3 2019-12-27 16:29:52 test vectors context";
    let (relay, browser) = relay_and_browser();
    let lengths = [0, 1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 129, 1023, 1024];
    let found = said(
        &browser,
        &format!(
            "const input = (length) => Uint8Array.from({{ length }}, (_, n) => n % 251);
             return {lengths:?}.map((length) => hex(b.derive('{CONTEXT}', input(length))));"
        ),
    );
    let expected: Vec<String> = lengths
        .iter()
        .map(|length| {
            let input: Vec<u8> = (0..*length).map(|n: u32| (n % 251) as u8).collect();
            HEXLOWER.encode(&blake3::derive_key(CONTEXT, &input))
        })
        .collect();
    assert_eq!(
        expected[0],
        "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d"
    );
    assert_eq!(found, serde_json::json!(expected));
    let contexts = vectors(KKV2)["contexts"].clone();
    let contexts = contexts.as_object().expect("names and keys");
    for (context, _) in contexts
        .iter()
        .filter(|(name, _)| name.contains("2026-11-27"))
    {
        let found = said(
            &browser,
            &format!("return hex(b.derive('{context}', [1], [], [2, 3]))"),
        );
        let expected = blake3::derive_key(context, &[1, 2, 3]);
        assert_eq!(found, HEXLOWER.encode(&expected), "{context}");
    }
    browser.must_have_kept_to(relay.address());
}

/// RFC 8439: §2.3.2, §2.5.2, §2.8.2, and of A.3 what is at the edges of the prime.
#[test]
fn what_is_sealed_opens_as_rfc_8439_says() {
    let (_relay, browser) = relay_and_browser();
    let block = "return hex(s.block(unhex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'), 1,
                 unhex('000000090000004a00000000')));";
    assert_eq!(
        said(&browser, block),
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e\
         d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
    );
    let [zeros, ones, two] = [
        "0".repeat(32),
        "f".repeat(32),
        format!("02{}", "0".repeat(30)),
    ];
    let four = "01000000000000000400000000000000";
    let near = format!("e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000{zeros}");
    for (key, message, tag) in [
        (
            "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b".to_owned(),
            HEXLOWER.encode(b"Cryptographic Forum Research Group"),
            "a8061dc1305136c6c22b8baf0c0127a9",
        ),
        (
            format!("{two}{zeros}"),
            ones.clone(),
            "03000000000000000000000000000000",
        ),
        (
            format!("{two}{ones}"),
            two.clone(),
            "03000000000000000000000000000000",
        ),
        (
            format!("{two}{zeros}"),
            ones.replacen("ff", "fd", 1),
            "faffffffffffffffffffffffffffffff",
        ),
        (
            format!("{four}{zeros}"),
            format!("{near}01{}", "0".repeat(30)),
            "14000000000000005500000000000000",
        ),
        (
            format!("{four}{zeros}"),
            near,
            "13000000000000000000000000000000",
        ),
    ] {
        let found = said(
            &browser,
            &format!("return hex(s.poly1305(unhex('{key}'), unhex('{message}')))"),
        );
        assert_eq!(found, tag, "{message}");
    }
    let opened = said(
        &browser,
        "const key = Uint8Array.from({ length: 32 }, (_, n) => 0x80 + n);
         const [nonce, data] = ['070000004041424344454647', '50515253c0c1c2c3c4c5c6c7'].map(unhex);
         const sealed = unhex('d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca96712'
             + '82fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad67594'
             + '5585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691');
         const opens = (sealed) => { try { s.open(key, nonce, data, sealed); return true; } catch { return false; } };
         const changed = Array.from(sealed, (_, at) => sealed.map((byte, n) => n === at ? byte ^ 1 : byte));
         if (changed.some(opens) || opens(sealed.subarray(1)) || opens(new Uint8Array(0))) return 'opens though changed';
         return new TextDecoder().decode(s.open(key, nonce, data, sealed));",
    );
    assert_eq!(
        opened,
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
    );
}

#[test]
fn words_secrets_and_answers_are_those_of_the_vectors() {
    let (relay, browser) = relay_and_browser();
    let [kkv2, negative] = [KKV2, NEGATIVE].map(vectors);
    let secrets = "const secrets = (words) => ({ secret: unhex(words.box_secret), root: unhex(words.answer_root) });";
    for case in kkv2["boxes"].as_array().expect("a list") {
        let wrong = said(
            &browser,
            &format!(
                "const box = {case}, list = await w.load(), wrong = [];
                 {secrets}
                 const {{ entropy, words, box_secret, answer_root }} = box.words;
                 if (w.spell(unhex(entropy), list).join(' ') !== words) wrong.push('spelling');
                 if (hex(w.read(words, list).entropy) !== entropy) wrong.push('reading');
                 const derived = (name) => hex(b.derive('kkv/2 2026-11-27 ' + name, unhex(entropy)));
                 if (derived('box secret') !== box_secret || derived('answer root') !== answer_root) wrong.push('keys');
                 for (const {{ salt, first_key }} of box.messages) {{
                     const key = hex(b.derive('kkv/2 2026-11-27 answer key', unhex(answer_root), unhex(salt)));
                     if (key !== first_key) wrong.push('first key');
                 }}
                 for (const {{ salt, index, sealed, time, text, acknowledgement }} of box.answers) {{
                     const place = b.joined([unhex(salt), [index & 255, index >> 8], unhex(sealed)]);
                     const opened = s.answer(secrets(box.words), unhex(box.relay), place);
                     const isRight = opened.time === time && opened.text === text
                         && hex(opened.acknowledgement) === acknowledgement;
                     if (!isRight) wrong.push('answer ' + index);
                 }}
                 return wrong;"
            ),
        );
        assert_eq!(wrong, serde_json::json!([]), "{}", case["name"]);
    }
    let first = &kkv2["boxes"][0];
    let wrong = said(
        &browser,
        &format!(
            "const cases = {}, words = {}, box = {{ relay: {}, words: {} }}, list = await w.load(), wrong = [];
             {secrets}
             for (const {{ name, place, sender_takes }} of cases) {{
                 let taken = true;
                 try {{ s.answer(secrets(box.words), unhex(box.relay), unhex(place)); }} catch {{ taken = false; }}
                 if (taken !== sender_takes) wrong.push(name);
             }}
             for (const {{ name, words: typed, entropy }} of words) {{
                 const read = w.read(typed, list).entropy;
                 if ((read ? hex(read) : null) !== entropy) wrong.push(name);
             }}
             return wrong;",
            negative["answers"], negative["words"], first["relay"], first["words"]
        ),
    );
    assert_eq!(wrong, serde_json::json!([]));
    browser.must_have_kept_to(relay.address());
}

/// What the page finds in a text or a file is what the relay does.
#[test]
fn words_that_are_given_away_are_found_as_the_relay_finds_them() {
    let (_relay, browser) = relay_and_browser();
    let words =
        parsed("abandon amount liar amount expire adjust cage candy arch gather drum buyer");
    let line = words.line();
    let all: Vec<&str> = line.split(' ').collect();
    let short: Vec<&str> = all.iter().map(|word| &word[..word.len().min(4)]).collect();
    let mut backwards = all.clone();
    backwards.reverse();
    let far = all.join(&" x".repeat(60));
    let texts = [
        String::new(),
        "Is the flat on Mill Road still free?".to_owned(),
        format!("Mine are: {}. Keep them!", *line),
        line.to_uppercase(),
        line.replace(' ', "\n12. "),
        line.replace(' ', ""),
        format!("x{}y", line.replace(' ', "-")),
        format!("xx{}", *line),
        short.join(" "),
        short.concat(),
        all[..11].join(" "),
        all.join("é"),
        all.join("\0"),
        backwards.join(", "),
        far,
        format!("{} {}", "abandon ".repeat(3000), *line),
        format!(
            "{}{}",
            all[..6].join(" "),
            "\n".repeat(1100) + &all[6..].join(" ")
        ),
    ];
    for text in &texts {
        let written = serde_json::json!(text);
        let found = said(
            &browser,
            &format!(
                "const text = {written}, words = '{}'.split(' ');
                 return [w.areIn(text, words), w.areInFile(new TextEncoder().encode(text), words)];",
                *line
            ),
        );
        let expected = [words.are_in(text), words.are_in_file(text.as_bytes())];
        assert_eq!(found, serde_json::json!(expected), "{text}");
    }
}
