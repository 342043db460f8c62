//! ChaCha20-Poly1305 (RFC 8439). Our message keys fix the nonce, so the RFC's own is tried on the cipher that they use.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};

use super::hex::{array, bytes};

#[test]
fn sealing_is_that_of_rfc_8439() {
    // RFC 8439 §2.8.2
    let key: [u8; 32] = array("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    let nonce = Nonce::from(array::<12>("070000004041424344454647"));
    let associated = bytes("50515253c0c1c2c3c4c5c6c7");
    let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    let sealed = bytes(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6\
         3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36\
         92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc\
         3ff4def08e4b7a9de576d26586cec64b6116",
    );
    let tag = Tag::from(array::<16>("1ae10b594f09e26a7e902ecbd0600691"));

    let cipher = ChaCha20Poly1305::new(&key.into());
    let mut buffer = plain.to_vec();
    let made = cipher
        .encrypt_inout_detached(&nonce, &associated, buffer.as_mut_slice().into())
        .unwrap();
    assert_eq!((&buffer, made), (&sealed, tag));

    cipher
        .decrypt_inout_detached(&nonce, &associated, buffer.as_mut_slice().into(), &tag)
        .unwrap();
    assert_eq!(buffer, plain);

    let other = cipher.decrypt_inout_detached(
        &nonce,
        &associated[1..],
        sealed.clone().as_mut_slice().into(),
        &tag,
    );
    assert!(other.is_err(), "the associated data is covered");
}
