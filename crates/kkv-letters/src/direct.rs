//! Direct letters: for one person, who knows who wrote them and can't show it to anybody (LETTERS-FORMAT.md §13).
//!
//! The outer signature is by a key of one use. Inside, the author is proved by what only author and addressee can
//! compute; so whoever has the addressee's key can make letters *to* the addressee, in anybody's name.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::author::{Author, SIGNATURE_BYTES};
use crate::identity::{Identity, PublicIdentity};
use crate::ids::MailboxTag;
use crate::labels;
use crate::slot::{ClearDigest, ContentKey};

/// Bytes before the letter: the author's two keys, the signature that joins them, and the proof.
pub(crate) const HEAD_BYTES: usize = 32 + 32 + SIGNATURE_BYTES + PROOF_BYTES;
const PROOF_BYTES: usize = 32;

/// What the proof is bound to.
pub(crate) struct Bound<'b> {
    pub(crate) clear: &'b ClearDigest,
    pub(crate) content: &'b ContentKey,
}

/// The author's keys, and the signature by which they are one person's: it says nothing of any letter.
pub(crate) fn head(author: &Identity) -> Zeroizing<Vec<u8>> {
    let public = author.public();
    let joined = author
        .signing()
        .sign(labels::EXCHANGE_KEY, &[&public.exchange]);
    let mut head = Zeroizing::new(Vec::with_capacity(HEAD_BYTES));
    head.extend_from_slice(&public.author.0);
    head.extend_from_slice(&public.exchange);
    head.extend_from_slice(&joined);
    head.extend_from_slice(&[0; PROOF_BYTES]);
    head
}

/// Writes the proof into `text`, which begins with a [`head`] and goes on with a padded letter. None if the addressee's
/// key is of small order.
pub(crate) fn prove(
    text: &mut [u8],
    author: &Identity,
    to: &PublicIdentity,
    bound: &Bound<'_>,
) -> Option<()> {
    let agreed = author.exchange().agree(&to.exchange)?;
    prove_by(text, &agreed, &author.public().author, &to.author, bound);
    Some(())
}

/// The same by the secret that author and addressee share: whichever of them has it.
pub(crate) fn prove_by(
    text: &mut [u8],
    agreed: &[u8; 32],
    author: &Author,
    to: &Author,
    bound: &Bound<'_>,
) {
    let proof = proof(text, agreed, author, to, bound);
    text[HEAD_BYTES - PROOF_BYTES..HEAD_BYTES].copy_from_slice(&proof);
}

/// Who wrote `text`, and the padded letter. None if it isn't proved to this addressee.
pub(crate) fn check<'t>(
    text: &'t [u8],
    addressee: &Identity,
    bound: &Bound<'_>,
) -> Option<(Author, &'t [u8])> {
    let (head, letter) = text.split_at_checked(HEAD_BYTES)?;
    let (author, rest) = head.split_first_chunk()?;
    let author = Author(*author);
    let (exchange, rest) = rest.split_first_chunk::<32>()?;
    let (joined, said) = rest.split_first_chunk::<SIGNATURE_BYTES>()?;
    author
        .verify(labels::EXCHANGE_KEY, &[exchange], joined)
        .ok()?;
    let agreed = addressee.exchange().agree(exchange)?;
    let proof = proof(text, &agreed, &author, &addressee.public().author, bound);
    bool::from(proof.as_slice().ct_eq(said)).then_some((author, letter))
}

/// BLAKE3 keyed_hash(D("direct letter", X25519(author, addressee) ‖ content key ‖ author's Ed25519 key ‖
/// addressee's), clear digest ‖ commitment ‖ text without the proof).
fn proof(
    text: &[u8],
    agreed: &[u8; 32],
    author: &Author,
    addressee: &Author,
    bound: &Bound<'_>,
) -> [u8; PROOF_BYTES] {
    let secrets = [agreed, bound.content.bytes(), &author.0, &addressee.0];
    let key = labels::DIRECT.derive(&secrets.map(<[u8; 32]>::as_slice));
    let mut hasher = Zeroizing::new(blake3::Hasher::new_keyed(&key));
    hasher.update(&bound.clear.0);
    hasher.update(&bound.content.commitment(bound.clear));
    hasher.update(&text[..HEAD_BYTES - PROOF_BYTES]);
    hasher.update(&text[HEAD_BYTES..]);
    *hasher.finalize().as_bytes()
}

impl MailboxTag {
    /// D("mailbox", mailbox key ‖ ephemeral key)[..16]: whoever is shown the mailbox's public key knows what is for
    /// it, and nobody else does.
    #[must_use]
    pub fn of(mailbox: &Author, ephemeral: &[u8; 32]) -> Self {
        let digest = labels::MAILBOX.digest(&[&mailbox.0, ephemeral]);
        Self(*digest.first_chunk().expect("32 bytes have 16"))
    }
}
