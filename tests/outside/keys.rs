//! Keys in files, and what of them must not be left in memory.

use std::fs;

use data_encoding::{BASE32_NOPAD, BASE64};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey;

use super::marker::Marker;

/// Everything that a key to sign with could be known by: its secret, what a signature makes of it, and the part of the
/// file that says it.
pub(crate) fn identity(file: &str) -> Vec<Marker> {
    let pem = fs::read_to_string(file).expect("it was made");
    let key = SigningKey::from_pkcs8_pem(&pem).expect("a key");
    let line = pem.lines().nth(1).expect("the key is in one line");
    let der = BASE64.decode(line.as_bytes()).expect("base64");
    assert_eq!(der[16..], key.to_bytes(), "RFC 8410: the secret comes last");
    let mut markers = Marker::with_hex("the secret key", &key.to_bytes()).to_vec();
    markers.extend([
        Marker::new("its scalar", key.to_scalar_bytes()),
        Marker::new("its scalar, reduced", key.to_scalar().to_bytes()),
        Marker::new("the secret key, in base64", &line[22..]), // 16 bytes are 21 characters and a third
    ]);
    markers
}

/// The same of a key to a closed inbox.
pub(crate) fn access(file: &str) -> Vec<Marker> {
    let line = fs::read_to_string(file).expect("it was made");
    let base32 = line.trim().rsplit(':').next().expect("the key comes last");
    let secret = BASE32_NOPAD.decode(base32.as_bytes()).expect("base32");
    let mut markers = Marker::with_hex("the secret key", &secret).to_vec();
    markers.push(Marker::new("the secret key, in base32", base32));
    markers
}
