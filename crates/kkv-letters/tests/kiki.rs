//! Why envelopes are signed: kiki's signature, which every member of a region can make in anybody's name, and beside
//! it what becomes of the same attempt here.

#[path = "support/by_hand.rs"]
mod by_hand;

use by_hand::Outside;
use crypto_box::aead::Aead;
use crypto_box::{Nonce, PublicKey, SalsaBox, SecretKey};
use kkv_letters::{BadSignature, CircleKey, Envelope, Identity, Keyring, RegionKey, Seed};

const NOW: u32 = 3_600_000;
const ANN: [u8; 16] = [1; 16];
const EVE: [u8; 16] = [2; 16];

/// kiki's check: the "signature" is the sender's public key in a NaCl box from the sender to the region, whose secret
/// every member has.
fn kiki_takes(signature: &[u8], sender: &PublicKey, region: &SecretKey) -> bool {
    let opened = SalsaBox::new(sender, region).decrypt(&Nonce::default(), signature);
    opened.is_ok_and(|opened| opened == sender.as_bytes())
}

fn sealed(by: &SecretKey, to: &PublicKey, text: &[u8]) -> Vec<u8> {
    let sealed = SalsaBox::new(to, by).encrypt(&Nonce::default(), text);
    sealed.expect("it is short")
}

#[test]
fn kikis_signature_is_made_by_any_member_in_anybodys_name() {
    let region = SecretKey::from([9; 32]);
    let [ann, eve] = [[1; 32], [2; 32]].map(SecretKey::from);
    let ann_public = ann.public_key();
    let by_ann = sealed(&ann, &region.public_key(), ann_public.as_bytes());
    assert!(kiki_takes(&by_ann, &ann_public, &region));
    // A stranger to the region, who lacks its secret, can't.
    let by_stranger = sealed(&eve, &region.public_key(), ann_public.as_bytes());
    assert!(!kiki_takes(&by_stranger, &ann_public, &region));

    // A box has one key for both directions: a member makes Ann's out of the region's secret and Ann's public key.
    let by_member = sealed(&region, &ann_public, ann_public.as_bytes());
    assert!(kiki_takes(&by_member, &ann_public, &region));
    assert_eq!(by_member, by_ann);
    // So is the slot in which a public letter has its key.
    let slot = sealed(&region, &ann_public, &[7; 32]);
    let opened = SalsaBox::new(&ann_public, &region).decrypt(&Nonce::default(), slot.as_slice());
    assert_eq!(opened.expect("the region opens it"), [7; 32]);
}

/// A member has the region's key and the circle's as well: tags, slot, commitment and content are all right, and open.
/// What a member lacks is Ann's signature.
#[test]
fn a_member_who_seals_in_anns_name_cant_sign_for_her() {
    let ann = Identity::new(Seed::new(&ANN));
    let author = ann.public().author;
    let region = CircleKey::open_region();
    let outside = Outside {
        author: author.0,
        flags: 0,
        created: NOW,
        chain: [5; 16],
        ephemeral: [6; 32],
    };
    // share-text, no device, audience or anything else, and eleven bytes.
    let letter = [&[1][..], &[0; 13], &[11, 0, 0, 0], b"I owe Eve 9"].concat();
    let body = by_hand::body(&outside, region.bytes(), region.bytes(), &letter);

    let right = Envelope::parse(by_hand::sign(&body, &by_hand::signing_key(&ANN)));
    let right = right.expect("it is laid out rightly");
    assert_eq!(right.verify(), Ok(()));
    let forged = Envelope::parse(by_hand::sign(&body, &by_hand::signing_key(&EVE)));
    let forged = forged.expect("it is laid out rightly");
    assert_eq!(forged.verify(), Err(BadSignature));

    assert_eq!(forged.id(), right.id());
    assert!(RegionKey::open().has(&forged));
    let bob = Keyring::new(Identity::new(Seed::new(&[3; 16])));
    let opened = bob.open(&forged).expect("it can be read");
    let opened = opened.expect("it is for everybody");
    assert_eq!(opened.author, author.fingerprint());
    assert_eq!(opened.letter.content.as_slice(), b"I owe Eve 9");
}
