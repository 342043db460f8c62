use proptest::prelude::*;
use rand::rngs::ThreadRng;

use super::relay::LargeSession;
use super::sender::{OpenLarge, Upload};
use super::*;
use crate::crypto::exchange::HybridSecret;
use crate::crypto::identity::{SenderKey, Signature};
use crate::error::ProtocolError;
use crate::files::{File, Files};
use crate::relay_keys::RelayKeys;
use crate::v2::answers::box_part::BoxPart;
use crate::v2::message;
use kkv_pow::Cost;

/// Both ends of a session, after an exchange that nobody has signed.
struct Stage {
    keys: RelayKeys,
    key: SenderKey,
    relay: LargeSession,
    sender: OpenLarge,
}

fn stage(size: LargeSize, rng: &mut ThreadRng) -> Stage {
    let id = SessionId([9; 32]);
    let keys = RelayKeys::generate(rng);
    let [key, again] = {
        let key = SenderKey::generate(rng);
        let pem = key.to_pem();
        [key, SenderKey::from_pem(&pem).unwrap()]
    };
    let secret = HybridSecret::generate(rng);
    let (answer, relays) = secret.offer().answer(rng).unwrap();
    let senders = secret.agree(&answer).unwrap().upload_keys(&id);
    let relay = LargeSession::new(
        key.public(),
        keys.public().id(),
        (Cost::HIGHEST, None),
        size,
        relays.upload_keys(&id),
        id,
    );
    let sender = OpenLarge::new(again, *keys.public(), id, size, senders);
    Stage {
        keys,
        key,
        relay,
        sender,
    }
}

/// What a relay does with a body: opens it where it belongs.
fn put(relay: &LargeSession, opened: &mut [u8], body: &[u8]) -> Result<Part, Refusal> {
    let (head, rest) = body.split_first_chunk().unwrap();
    let (session, index) = super::head(head);
    assert_eq!(session, relay.acknowledgements.id());
    let part = Part::of(relay.acknowledgements.size(), index, body.len())?;
    let (sealed, tag) = rest.split_last_chunk().unwrap();
    match part {
        Part::Query => relay.acknowledgements.check_query(tag)?,
        Part::Piece(index) => {
            let place = &mut opened[index.offset(relay.acknowledgements.size())..][..sealed.len()];
            place.copy_from_slice(sealed);
            relay.pieces.open(index, place, tag)?;
        }
    }
    Ok(part)
}

fn number(number: u64) -> AskNumber {
    AskNumber::new(number).unwrap()
}

#[test]
fn a_message_of_each_size_arrives_whatever_the_order_of_its_pieces() {
    let rng = &mut rand::rng();
    for size in LargeSize::ALL {
        let Stage {
            keys,
            relay,
            sender,
            ..
        } = stage(size, rng);
        let name = "holiday.jpg";
        let most = size.content_room()
            - Files::new("see", vec![File::new(name, "image/jpeg", b"").unwrap()])
                .unwrap()
                .content_bytes();
        let bytes: Vec<u8> = (0..most).map(|n| (n % 251) as u8).collect();
        let files = vec![File::new(name, "image/jpeg", &bytes).unwrap()];
        let files = Files::new("see", files).unwrap();
        assert_eq!(LargeSize::for_content(files.content_bytes()), Some(size));
        let mut upload = sender.seal(&files, &BoxPart::None);
        assert_eq!(upload.missing(), Pieces::all(size));

        let mut opened = vec![0; size.opened_bytes()];
        let (mut here, mut acknowledgements) = (Pieces::NONE, 0);
        let mut order: Vec<_> = upload.missing().iter().collect();
        order.reverse();
        for index in order {
            assert!(!upload.may_be_whole());
            let body = upload.begin(index).to_vec();
            assert_eq!(body.len(), size.piece_bytes());
            assert_eq!(put(&relay, &mut opened, &body), Ok(Part::Piece(index)));
            here.insert(index);
            let body = relay
                .acknowledgements
                .acknowledge(number(acknowledgements), here, None);
            acknowledgements += 1;
            assert!(upload.acknowledged(&body).unwrap().is_none());
            assert_eq!(upload.here(), here);
        }
        assert!(upload.may_be_whole());
        assert_eq!(upload.missing(), Pieces::NONE);
        let accepted = relay.pieces.accept(&keys, &mut opened).unwrap();
        assert_eq!(opened[accepted.content.clone()], **files.encode());
        assert!(
            opened[..accepted.content.start]
                .iter()
                .all(|byte| *byte == 0)
        );
        assert_eq!(put(&relay, &mut opened, upload.query()), Ok(Part::Query));
        let done = relay.acknowledgements.acknowledge(
            number(acknowledgements),
            here,
            Some(&accepted.receipt),
        );
        let receipted = upload.acknowledged(&done).unwrap().unwrap();
        assert_eq!(receipted.signature, accepted.receipt);
        assert_eq!(receipted.receipt.session, relay.acknowledgements.id());
    }
}

/// A message of 256 KiB that was sealed, with its relay.
fn sealed(rng: &mut ThreadRng) -> (RelayKeys, LargeSession, Upload) {
    let Stage {
        keys,
        relay,
        sender,
        ..
    } = stage(LargeSize::Kib256, rng);
    let files = vec![File::new("a", "", b"hello").unwrap()];
    let upload = sender.seal(&Files::new("", files).unwrap(), &BoxPart::None);
    (keys, relay, upload)
}

#[test]
fn a_piece_opens_in_its_own_place_only_and_unchanged() {
    let (_, relay, mut upload) = sealed(&mut rand::rng());
    let mut opened = vec![0; relay.acknowledgements.size().opened_bytes()];
    let all: Vec<_> = Pieces::all(relay.acknowledgements.size()).iter().collect();
    let body = upload.begin(all[1]).to_vec();
    for (at, change) in [(32, 3), (40, 1), (4000, 1), (body.len() - 1, 0x80)] {
        let mut other = body.clone();
        other[at] ^= change;
        let refused = put(&relay, &mut opened, &other);
        assert_eq!(refused, Err(Refusal::Unproven), "{at}");
    }
    for index in [4, 1 << 8, 1 << 56, u64::MAX] {
        let mut other = body.clone();
        other[32..40].copy_from_slice(&index.to_le_bytes());
        assert_eq!(put(&relay, &mut opened, &other), Err(Refusal::Unproven));
    }
    assert_eq!(put(&relay, &mut opened, &body), Ok(Part::Piece(all[1])));
    let mut query = *upload.query();
    query[55] ^= 1;
    assert_eq!(put(&relay, &mut opened, &query), Err(Refusal::Unproven));
    for bytes in [0, 55, 57, 16_384, 65_535] {
        let size = relay.acknowledgements.size();
        assert_eq!(Part::of(size, 0, bytes), Err(Refusal::Unproven), "{bytes}");
    }
}

#[test]
fn a_sender_believes_no_acknowledgement_that_cant_be() {
    let (_, relay, mut upload) = sealed(&mut rand::rng());
    let all = Pieces::all(relay.acknowledgements.size());
    let first = all.iter().next().unwrap();
    let none = |upload: &mut Upload, body: &[u8], why: ProtocolError| {
        let before = upload.here();
        assert_eq!(upload.acknowledged(body).err(), Some(why));
        assert_eq!(upload.here(), before);
    };
    let mut one = Pieces::NONE;
    one.insert(first);
    let lies = relay.acknowledgements.acknowledge(number(0), one, None);
    none(&mut upload, &lies, ProtocolError::Malformed); // it was never sent
    upload.begin(first);
    let true_now = lies;
    let beyond = relay
        .acknowledgements
        .acknowledge(number(1), Pieces(0x10), None);
    none(&mut upload, &beyond, ProtocolError::Malformed);
    let early = relay
        .acknowledgements
        .acknowledge(number(2), one, Some(&Signature([1; 64])));
    none(&mut upload, &early, ProtocolError::Malformed);
    for index in all.iter() {
        upload.begin(index);
    }
    let forged = relay
        .acknowledgements
        .acknowledge(number(3), all, Some(&Signature([1; 64])));
    none(&mut upload, &forged, ProtocolError::BadReceipt);
    let without = relay
        .acknowledgements
        .acknowledge(number(4), all, Some(&Signature([0; 64])));
    none(&mut upload, &without, ProtocolError::BadReceipt);
    for at in 0..ACKNOWLEDGEMENT_BYTES {
        let mut changed = true_now;
        changed[at] ^= 0x40;
        none(&mut upload, &changed, ProtocolError::BadSeal);
    }
    none(&mut upload, &true_now[..95], ProtocolError::BadSeal);
    none(
        &mut upload,
        &[true_now.as_slice(), &[0]].concat(),
        ProtocolError::BadSeal,
    );
    assert!(upload.acknowledged(&true_now).unwrap().is_none());
    assert_eq!(upload.here(), one);
    // An older one that comes late takes nothing back.
    let older = relay
        .acknowledgements
        .acknowledge(number(5), Pieces::NONE, None);
    assert!(upload.acknowledged(&older).unwrap().is_none());
    assert_eq!(upload.here(), one);
}

/// Lays out an opened message, signed by the sender.
fn laid_out(stage: &Stage, kind: u8, content: &[u8], signed: &[u8]) -> Vec<u8> {
    let relay = stage.keys.public().id();
    let none = BoxPart::None;
    let statement = message::statement(
        &relay,
        &stage.relay.acknowledgements.id(),
        kind,
        &none.digest(),
        signed,
    );
    let signature = stage.key.sign_statement(&statement);
    let mut opened = vec![0; stage.relay.acknowledgements.size().opened_bytes()];
    let head = message::head(&signature, kind, &none, content.len());
    opened[..head.len()].copy_from_slice(head.as_slice());
    opened[head.len()..][..content.len()].copy_from_slice(content);
    opened
}

#[test]
fn a_message_that_is_no_good_is_refused_and_wiped() {
    let stage = stage(LargeSize::Kib16, &mut rand::rng());
    let files = Files::new("", vec![File::new("a", "", b"hello").unwrap()]).unwrap();
    let (content, manifest) = (files.encode(), files.manifest());
    let good = laid_out(&stage, 1, &content, &manifest);
    let mut padded = good.clone();
    *padded.last_mut().unwrap() = 1;
    let mut answerable = good.clone();
    answerable[65] = 3;
    let mut another = good.clone();
    another[message::HEAD_BYTES + content.len() - 1] ^= 1; // a byte of the file
    let text = laid_out(&stage, 0, b"hello", b"hello");
    let longer = [content.as_slice(), &[0]].concat();
    let longer = laid_out(&stage, 1, &longer, &manifest);
    let itself = laid_out(&stage, 1, &content, &content);
    for (mut opened, why) in [
        (padded, Refusal::Unproven),
        (answerable, Refusal::Unproven),
        (another, Refusal::Unproven),
        (itself, Refusal::Unproven),
        (text, Refusal::UnknownKind),
        (longer, Refusal::BadContent),
    ] {
        let refused = stage.relay.pieces.accept(&stage.keys, &mut opened);
        assert_eq!(refused.err(), Some(why));
        assert!(opened.iter().all(|byte| *byte == 0));
    }
    let mut good = good;
    assert!(stage.relay.pieces.accept(&stage.keys, &mut good).is_ok());
}

#[test]
fn another_run_goes_on_with_what_was_kept_and_with_nothing_else() {
    let (keys, relay, mut upload) = sealed(&mut rand::rng());
    let all = Pieces::all(relay.acknowledgements.size());
    let mut opened = vec![0; relay.acknowledgements.size().opened_bytes()];
    // Kept before anything of it is sent, as later it may be too late.
    let kept = upload.keep();
    let first = all.iter().next().unwrap();
    let body = upload.begin(first).to_vec();
    put(&relay, &mut opened, &body).unwrap();
    assert!(kept.len() <= kept::MAX_BYTES);
    drop(upload);

    let mut upload = Upload::again(&kept).unwrap();
    assert_eq!(upload.keep(), kept);
    for (name, bytes, text, is_same) in [
        ("a", "hello", "", true),
        ("b", "hello", "", false),
        ("a", "hallo", "", false),
        ("a", "hello", "text", false),
    ] {
        let files = vec![File::new(name, "", bytes.as_bytes()).unwrap()];
        let files = Files::new(text, files).unwrap();
        assert_eq!(upload.is_of(&files), is_same, "{name} {bytes} {text}");
    }
    let mut one = Pieces::NONE;
    one.insert(first);
    let body = relay.acknowledgements.acknowledge(number(0), one, None);
    assert!(upload.acknowledged(&body).unwrap().is_none());
    assert_eq!(put(&relay, &mut opened, upload.query()), Ok(Part::Query));
    for index in upload.missing().iter() {
        let body = upload.begin(index).to_vec();
        put(&relay, &mut opened, &body).unwrap();
    }
    let accepted = relay.pieces.accept(&keys, &mut opened).unwrap();
    let done = relay
        .acknowledgements
        .acknowledge(number(1), all, Some(&accepted.receipt));
    assert!(upload.acknowledged(&done).unwrap().is_some());

    for end in (0..400).chain([kept.len() - 1]) {
        assert!(Upload::again(&kept[..end]).is_err(), "{end}");
    }
    for at in [0, 14, 17, 18 + 208] {
        let mut changed = kept.clone();
        changed[at] ^= 0xff;
        let changed = Upload::again(&changed).map(|upload| *upload.keep() == *kept);
        assert!(!matches!(changed, Ok(true)), "{at}");
    }
    let longer = [kept.as_slice(), &[0]].concat();
    assert!(Upload::again(&longer).is_err());
}

proptest! {
    #[test]
    fn nothing_that_was_kept_makes_it_panic(kept in prop::collection::vec(any::<u8>(), 0..400), size in 0..6_u8) {
        let mut kept = [b"kkv/2 upload 1".as_slice(), &kept].concat();
        if let Some(byte) = kept.get_mut(14) {
            *byte = size;
        }
        prop_assert!(Upload::again(&kept).is_err());
    }
}
