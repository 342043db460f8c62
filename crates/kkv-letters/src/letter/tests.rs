//! Letters read back as they were laid out, and no bytes in two ways.

use proptest::prelude::*;

use super::*;

fn chains() -> impl Strategy<Value = ChainRef> {
    (any::<[u8; 20]>(), any::<[u8; 16]>()).prop_map(|(author, chain)| ChainRef {
        author: Fingerprint(author),
        chain: ChainTag(chain),
    })
}

fn texts() -> impl Strategy<Value = Zeroizing<String>> {
    ".{0,60}".prop_map(Zeroizing::new)
}

prop_compose! {
    fn letters()(
        code: u8,
        (device, number) in any::<([u8; 4], u32)>(),
        audience in prop::collection::vec(texts(), 0..5),
        [media_type, name] in [texts(), texts()],
        replies_to in prop::option::of(chains()),
        target in prop::option::of(prop_oneof![
            chains().prop_map(Target::Letter),
            any::<[u8; 20]>().prop_map(|person| Target::Person(Fingerprint(person))),
        ]),
        content: Vec<u8>,
    ) -> Letter {
        let content = Zeroizing::new(content);
        let purpose = Purpose::from_code(code);
        let count = Count { device, number };
        Letter { purpose, count, audience, media_type, name, replies_to, target, content }
    }
}

fn laid_out(letter: &Letter) -> Result<Zeroizing<Vec<u8>>, TooLong> {
    letter.write(Zeroizing::default())
}

proptest! {
    #[test]
    fn what_was_laid_out_is_read(letter in letters(), zeros in 0..2000_usize) {
        let mut bytes = laid_out(&letter).unwrap();
        let length = bytes.len() + zeros;
        bytes.resize(length, 0);
        prop_assert_eq!(&Letter::read(&bytes).unwrap(), &letter);
        bytes.push(1);
        prop_assert!(Letter::read(&bytes).is_err());
    }

    #[test]
    fn no_bytes_are_read_in_two_ways(bytes: Vec<u8>) {
        if let Ok(letter) = Letter::read(&bytes) {
            let again = laid_out(&letter).unwrap();
            prop_assert_eq!(&bytes[..again.len()], &again[..]);
        }
    }

    #[test]
    fn one_cut_off_anywhere_is_none(letter in letters(), cut: prop::sample::Index) {
        let bytes = laid_out(&letter).unwrap();
        prop_assert!(Letter::read(&bytes[..cut.index(bytes.len())]).is_err());
    }
}

#[test]
fn what_is_too_long_for_its_length_is_refused() {
    let mut letter = Letter::new(Purpose::ShareText, b"text".to_vec());
    letter.name = Zeroizing::new("n".repeat(255));
    assert!(laid_out(&letter).is_ok());
    letter.name.push('n');
    assert_eq!(laid_out(&letter).unwrap_err(), TooLong("name"));
    letter.name.clear();
    letter.audience = (0..256).map(|_| Zeroizing::default()).collect();
    assert_eq!(laid_out(&letter).unwrap_err(), TooLong("audience"));
}

#[test]
fn purposes_are_known_by_code_and_by_name() {
    for code in 0..=u8::MAX {
        let purpose = Purpose::from_code(code);
        assert_eq!(purpose.code(), code);
        if let Some(name) = purpose.name() {
            assert_eq!(Purpose::from_name(name), Some(purpose));
            assert_eq!(name.starts_with("action-"), purpose.is_action());
        }
    }
    let known = (0..=u8::MAX).filter_map(|code| Purpose::from_code(code).name());
    assert_eq!(known.count(), 12);
    assert_eq!(Purpose::from_name("action-dance"), None);
}

#[test]
fn a_stray_debug_shows_no_content() {
    let mut letter = Letter::new(Purpose::ShareText, b"a secret".to_vec());
    letter.name = Zeroizing::new("its name".into());
    let shown = format!("{letter:?}");
    assert!(
        !shown.contains("name") && shown.contains("8 bytes"),
        "{shown}"
    );
}
