//! Addresses, challenges, refusals and texts: what parses prints the same again, and nothing else parses.

use data_encoding::BASE32_NOPAD;
use kkv_base::limits::{MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};
use kkv_net::tor::{SocksProxy, Target};
use kkv_protocol::crypto::identity::{KeySeed, SenderKey};
use kkv_protocol::ids::ServiceKey;
use kkv_protocol::onion::OnionAddress;
use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::{BadText, Text};
use kkv_protocol::{v1, v2};
use proptest::collection::vec;
use proptest::prelude::*;
use sha3::{Digest, Sha3_256};
use zeroize::Zeroizing;

use super::visit::cases;

/// Texts near to an address.
fn nearly_an_address() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,80}",
        "[a-z2-7]{56}\\.onion(:[0-9]{0,6})?",
        "([0-9]{1,3}\\.){3}[0-9]{1,3}(:[0-9]{0,6})?",
        "\\[?[0-9a-f:]{0,20}\\]?(:[0-9]{0,6})?",
        "(socks5h?|http)://(localhost|127\\.0\\.0\\.1|\\[::1\\]|example\\.com)(:[0-9]{0,6})?/?",
        "(localhost|LOCALHOST|localhost\\.)(:[0-9]{0,6})?",
    ]
}

/// A key that an onion service can have.
fn onion_key() -> impl Strategy<Value = ServiceKey> {
    any::<[u8; 32]>().prop_map(|secret| {
        let key = SenderKey::from_seed(&KeySeed::new(secret.into()));
        ServiceKey(*key.public().as_bytes())
    })
}

/// Whether `printed` with one character changed is taken for an address only if it is one.
///
/// The checksum has 16 bits, so of 65,536 mistyped keys one has a checksum that fits: then it is another address, in
/// full, and no reader could tell. The checksum is computed here anew, after Tor's rend-spec-v3.
fn one_changed_stands(printed: &str, at: usize, to: &str) -> bool {
    let changed = format!("{}{to}{}", &printed[..at], &printed[at + 1..]);
    let bytes = BASE32_NOPAD
        .decode(changed[..56].to_ascii_uppercase().as_bytes())
        .expect("base32 of 35 bytes");
    let (key, end) = bytes.split_at(32);
    let hash = Sha3_256::digest([b".onion checksum", key, &[3]].concat());
    let fits = *end == [hash[0], hash[1], 3];
    match changed.parse::<OnionAddress>() {
        Ok(read) => fits && read.to_string() == changed,
        Err(_) => changed != printed,
    }
}

/// Two inboxes whose addresses differ in one character of the key alone, found by chance.
#[test]
fn a_checksum_of_16_bits_fits_a_wrong_key_once_in_65536_times() {
    let key = ServiceKey(*b"\x59\xcb\x3a\x97\xa2\xf3\x1b\x29\x92\xf1\x6b\xd0\x76\xcf\x4b\x40\x88\x64\xb6\x72\x4d\x48\x2e\xaa\xd5\xb7\x2e\x05\x95\xfe\xc7\x5c");
    let printed = OnionAddress::from_public_key(key).to_string();
    assert!(one_changed_stands(&printed, 9, "4"));
    let neighbour = format!("{}4{}", &printed[..9], &printed[10..]);
    assert_ne!(neighbour, printed);
    assert!(neighbour.parse::<OnionAddress>().is_ok());
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn every_onion_address_reads_as_it_was_printed(key in onion_key(), port in 1..=u16::MAX, shout: bool) {
        let address = OnionAddress::from_public_key(key);
        let mut printed = address.to_string();
        if shout {
            printed.make_ascii_uppercase();
        }
        prop_assert_eq!(printed.parse(), Ok(address));
        let target = Target::Onion { address, port };
        prop_assert_eq!(target.to_string().parse(), Ok(target));
    }

    #[test]
    fn an_onion_address_with_one_character_changed_is_none_unless_its_own_checksum_fits(
        key in onion_key(), at in 0..56_usize, to in "[a-z2-7]",
    ) {
        let address = OnionAddress::from_public_key(key);
        prop_assert!(one_changed_stands(&address.to_string(), at, &to));
    }

    #[test]
    fn any_text_is_an_address_that_prints_and_reads_the_same_or_none(text in nearly_an_address()) {
        if let Ok(target) = text.parse::<Target>() {
            prop_assert_eq!(target.to_string().parse(), Ok(target));
            if let Target::Loopback(address) = target {
                prop_assert!(address.ip().is_loopback() && address.port() != 0);
            }
        }
        if let Ok(address) = text.parse::<OnionAddress>() {
            prop_assert_eq!(address.to_string(), text.to_ascii_lowercase());
        }
        if let Ok(proxy) = text.parse::<SocksProxy>() {
            prop_assert_eq!(proxy.to_string().parse(), Ok(proxy));
            prop_assert!(!text.contains("example"));
        }
    }

    #[test]
    fn any_bytes_are_a_refusal_of_the_list_or_none(bytes in vec(any::<u8>(), 0..200), word in "[a-z_]{0,12}") {
        prop_assert_eq!(Refused::read(400, &bytes), Refused::No);
        let body = serde_json::json!({ "error": word, "reason": "\u{1b}[2J" }).to_string();
        let known = Refusal::ALL.into_iter().find(|refusal| refusal.code() == word);
        let status = known.map_or(400, Refusal::status);
        prop_assert_eq!(Refused::read(status, body.as_bytes()).known(), known);
        prop_assert_eq!(Refused::read(499, body.as_bytes()), Refused::Unknown);
    }

    #[test]
    fn a_refusal_cut_short_or_changed_is_another_or_none(
        number in 0..Refusal::ALL.len(), at: prop::sample::Index, byte: u8,
    ) {
        let refusal = Refusal::ALL[number];
        let body = refusal.body().into_bytes();
        let read = |body: &[u8]| Refused::read(refusal.status(), body);
        prop_assert_eq!(read(&body), Refused::Known(refusal));
        let at = at.index(body.len());
        prop_assert_eq!(read(&body[..at]), Refused::No);
        let mut changed = body.clone();
        changed[at] = byte;
        if let Some(read) = read(&changed).known() {
            prop_assert!(String::from_utf8_lossy(&changed).contains(read.code()));
        }
    }

    #[test]
    fn any_76_bytes_are_a_kkv1_challenge_that_writes_the_same_or_cost_too_much(bytes in vec(any::<u8>(), 76), cheap: bool) {
        let mut bytes: [u8; 76] = bytes.try_into().unwrap();
        if cheap {
            bytes[33..36].fill(0);
            bytes[32] %= 80;
        }
        let cost = u32::from_le_bytes(bytes[32..36].try_into().unwrap());
        match v1::challenge::Challenge::from_bytes(&bytes) {
            Ok(challenge) => prop_assert_eq!(challenge.to_bytes(), bytes),
            Err(_) => prop_assert!(cost > 60),
        }
    }

    #[test]
    fn any_128_bytes_are_a_kkv2_challenge_that_writes_the_same_or_are_out_of_bounds(
        bytes in vec(any::<u8>(), 128), suite in 0..4_u8, cost in 0..80_u8, purpose in 0..3_u8, size in 0..7_u8, zero: bool,
        is_invited: bool,
    ) {
        let mut bytes: [u8; 128] = bytes.try_into().unwrap();
        bytes[..4].copy_from_slice(&[suite, cost, purpose, size]);
        if zero {
            bytes[18..24].fill(0);
        }
        if !is_invited {
            bytes[24..32].fill(0);
        }
        let read = v2::challenge::Challenge::from_bytes(&bytes);
        let has_purpose = purpose <= 1 && size <= 4;
        let has_zeros = bytes[18..24] == [0; 6];
        prop_assert_eq!(read.is_ok(), suite == 2 && cost <= 60 && has_purpose && has_zeros);
        if let Ok(challenge) = read {
            prop_assert_eq!(challenge.as_bytes(), &bytes);
            prop_assert_eq!(&challenge.sender().0[..], &bytes[64..96]);
            prop_assert_eq!(&challenge.relay().0[..], &bytes[96..]);
        }
    }

    #[test]
    fn any_opened_message_comes_apart_in_one_way_or_not_at_all(
        head in vec(any::<u8>(), 152), filled in 0..3_600_usize, length in 0..4_000_u32, zeros: bool,
        answerable in 0..4_u8, has_box: bool,
    ) {
        let mut plain = [0; v2::message::PLAIN_BYTES];
        plain[..152].copy_from_slice(&head);
        plain[65] = answerable;
        if zeros {
            plain[66..68].fill(0);
        }
        if !has_box {
            plain[68..148].fill(0);
        }
        plain[148..152].copy_from_slice(&length.to_le_bytes());
        let end = (152 + filled).min(plain.len());
        plain[152..end].fill(b'x');
        let length = length as usize;
        let fits = length >= end - 152 && length <= MAX_TEXT_BYTES;
        let has_zeros = plain[66..68] == [0; 2];
        let has_box_part = match answerable {
            0 => plain[68..148] == [0; 80],
            1 | 2 => true,
            _ => false,
        };
        match v2::message::decode(&plain) {
            Ok(parts) => {
                prop_assert!(fits && has_zeros && has_box_part);
                prop_assert_eq!(parts.content, &plain[152..152 + length]);
                prop_assert_eq!(parts.kind, head[64]);
                prop_assert_eq!(parts.box_part.answerable(), answerable);
                prop_assert_eq!(&parts.signature.0[..], &head[..64]);
            }
            Err(refusal) => {
                prop_assert_eq!(refusal, Refusal::Unproven);
                prop_assert!(!fits || !has_zeros || !has_box_part);
            }
        }
    }

    #[test]
    fn a_text_is_taken_as_it_is_or_not_at_all(text in prop_oneof![".{0,40}", "(\\PC|\0){0,3600}"]) {
        let length = text.len();
        match Text::new(Zeroizing::new(text.clone())) {
            Ok(taken) => {
                prop_assert!((1..=MAX_TEXT_BYTES).contains(&length));
                prop_assert_eq!(taken.as_str(), &text);
                prop_assert!(taken.fits(Suite::V2).is_ok());
                let fits_v1 = length <= MAX_TEXT_BYTES_V1 && !text.contains('\0');
                prop_assert_eq!(taken.fits(Suite::V1).is_ok(), fits_v1);
            }
            Err(BadText::Blank) => prop_assert!(!text.chars().any(char::is_alphanumeric)),
            Err(_) => prop_assert!(length == 0 || length > MAX_TEXT_BYTES),
        }
    }

    #[test]
    fn any_text_is_a_choice_of_suites_that_prints_the_same_or_none(text in "any|1|2|[a-z0-9]{0,4}") {
        if let Ok(policy) = text.parse::<SuitePolicy>() {
            prop_assert_eq!(policy.to_string(), text);
        }
    }
}
