//! Messages with files (docs/PROTOCOL.md §16): any bytes as their content, as an upload that another run has kept, as
//! the head of a piece, and as what a hostile relay acknowledges, under a right seal and under none.

#![no_main]

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use kkv_fuzz::stranger::sender_key;
use kkv_pow::Cost;
use kkv_protocol::Terms;
use kkv_protocol::crypto::identity::Signature;
use kkv_protocol::files::{File, Files};
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::purpose::{LargeSize, Purpose};
use kkv_protocol::v2::relay;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::v2::upload::sender::Upload;
use kkv_protocol::v2::upload::{HEAD_BYTES, Part, Pieces, QUERY_BYTES, head};
use kkv_ui::file_name::{numbered, safe};
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;

const SIZE: LargeSize = LargeSize::Kib256;

/// An upload of four pieces as its sender keeps it, and the receipt that the relay gives for it.
static UPLOAD: LazyLock<(Vec<u8>, Signature)> = LazyLock::new(|| {
    let rng = &mut StdRng::seed_from_u64(0);
    let keys = RelayKeys::generate(rng);
    let terms = Terms {
        cost: Cost::new(0).expect("nothing can be asked for"),
        lifetime: 60,
        expiry: 60,
        session_lifetime: 600,
    };
    let hello = Hello::for_large(sender_key(1), SIZE, None);
    let answer = relay::issue(&keys, &hello.request(), Purpose::Large(SIZE), &terms, rng);
    let challenged = hello.challenged(&answer).expect("it is right");
    let exchanging = challenged.solved(&[0], rng);
    let admitted = relay::admit(&keys, exchanging.request(), 0).expect("it is paid for");
    let opened = admitted.open_large(&keys, SIZE, rng);
    let (session, answer) = opened.expect("it is right");
    let open = exchanging.answered(&answer).expect("it is right");
    let file = vec![File::new("file", "", b"of one byte").expect("it is one")];
    let files = Files::new("text", file).expect("they are some");
    let mut upload = open.seal(&files, &BoxPart::None);
    let (pieces, mut whole) = (session.pieces, Vec::new());
    for index in Pieces::all(SIZE).iter() {
        let (_, chunk) = upload.begin(index).split_at(HEAD_BYTES);
        let (part, tag) = chunk.split_last_chunk().expect("a tag");
        let mut part = part.to_vec();
        pieces.open(index, &mut part, tag).expect("it is right");
        whole.append(&mut part);
    }
    let accepted = pieces.accept(&keys, &mut whole).expect("it is right");
    (upload.keep().to_vec(), accepted.receipt)
});

/// What a relay says of an upload, sealed with the right key and laid out anyhow, and any bytes beside: what is taken
/// is what can be, and a receipt is the relay's word.
fn acknowledged(u: &mut Unstructured<'_>) -> Result<()> {
    let (kept, right) = &*UPLOAD;
    let mut upload = Upload::again(kept).expect("it was kept");
    // Session, sender, digest and key stand one after the other: see `v2/upload/kept`.
    let session: [u8; 32] = kept[47..79].try_into().expect("32 bytes");
    let key: [u8; 32] = kept[143..175].try_into().expect("32 bytes");
    while !u.is_empty() {
        let here: u16 = u.arbitrary()?;
        let mut plain = [0; 72];
        plain[..2].copy_from_slice(&here.to_le_bytes());
        plain[2] = u.int_in_range(0..=2)?;
        if u.arbitrary()? {
            plain[8..].copy_from_slice(&right.0);
        }
        for _ in 0..u.int_in_range(0..=2)? {
            let at = u.choose_index(plain.len())?;
            plain[at] = u.arbitrary()?;
        }
        let number: u64 = u.arbitrary()?;
        let mut nonce = [0; 12];
        nonce[..7].copy_from_slice(&number.to_le_bytes()[..7]);
        nonce[11] = 1;
        let mut body = plain;
        let tag = ChaCha20Poly1305::new(&key.into())
            .encrypt_inout_detached(&Nonce::from(nonce), &session, body.as_mut_slice().into())
            .expect("it is short");
        let body = [&number.to_le_bytes()[..], &body, &tag].concat();
        let before = upload.here();
        let receipt = Signature(*plain.last_chunk().expect("64 bytes"));
        let all = Pieces::all(SIZE);
        let bits = u16::from_le_bytes([plain[0], plain[1]]);
        let laid_out = number < 1 << 56 && plain[3..8] == [0; 5] && bits < 1 << SIZE.pieces();
        let is_right = laid_out
            && match plain[2] {
                0 => receipt.0 == [0; 64],
                1 => bits == 0b1111 && receipt == *right,
                _ => false,
            };
        match upload.acknowledged(&body) {
            Ok(receipted) => {
                assert!(is_right, "{plain:?}");
                assert_eq!(receipted.is_some(), plain[2] == 1);
                assert!(before.without(upload.here()) == Pieces::NONE);
                assert!(upload.here().without(all) == Pieces::NONE);
            }
            Err(_) => {
                assert!(!is_right, "{plain:?}");
                assert!(upload.here() == before);
            }
        }
        let any: Vec<u8> = u.arbitrary()?;
        assert!(upload.acknowledged(&any).is_err(), "nobody has sealed it");
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let _ = acknowledged(&mut Unstructured::new(bytes));
    if let Ok(files) = Files::decode(bytes) {
        assert_eq!(
            files.encode().as_slice(),
            bytes,
            "one content has one encoding"
        );
        let all: usize = files.files().iter().map(|file| file.bytes().len()).sum();
        let manifest = bytes.len() - all + 32 * files.files().len();
        assert_eq!(files.manifest().len(), manifest);
        for file in files.files() {
            for name in [safe(file.name()), numbered(&safe(file.name()), 2)] {
                assert!(!name.is_empty() && name.len() < 255);
                assert!(!name.starts_with('.') && !name.contains(['/', '\0']));
                assert!(!name.contains(char::is_control));
            }
        }
    }
    if let Ok(upload) = Upload::again(bytes) {
        assert_eq!(upload.keep().as_slice(), bytes);
    }
    if let Some((first, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() {
        let (_, index) = head(first);
        for size in LargeSize::ALL {
            let bytes = [QUERY_BYTES, size.piece_bytes(), HEAD_BYTES + rest.len()];
            for length in bytes {
                match Part::of(size, index, length) {
                    Ok(Part::Piece(piece)) => assert!(piece.get() < size.pieces()),
                    Ok(Part::Query) => assert_eq!((index, length), (u64::MAX, QUERY_BYTES)),
                    Err(_) => {}
                }
            }
        }
    }
});
