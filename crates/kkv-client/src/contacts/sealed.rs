//! Bytes encrypted with a passphrase: an age file with its scrypt recipient, which other programs open, too.

use std::io::{Read, Write};
use std::iter::once;

use age::{DecryptError, Decryptor, Encryptor, scrypt};
use zeroize::Zeroizing;

use super::error::FileError;
use super::passphrase::Passphrase;
use kkv_base::limits::{MAX_CONTACTS_FILE_BYTES, MAX_CONTACTS_WORK_FACTOR};

/// How every age file begins.
const AGE: &[u8] = b"age-encryption.org/";

/// Encrypts, at a cost of 2^`work` for each guess.
pub(super) fn seal(plain: &[u8], passphrase: &Passphrase, work: u8) -> Result<Vec<u8>, FileError> {
    let mut recipient = scrypt::Recipient::new(passphrase.for_age());
    recipient.set_work_factor(work);
    let encryptor = Encryptor::with_recipients(once(&recipient as &dyn age::Recipient))
        .expect("one recipient, who is not mixed with others");
    let mut bytes = Vec::new();
    let mut writer = encryptor.wrap_output(&mut bytes)?;
    writer.write_all(plain)?;
    writer.finish()?;
    Ok(bytes)
}

/// Opens what [`seal`] has made.
pub(super) fn unseal(
    bytes: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    if !bytes.starts_with(AGE) {
        return Err(FileError::Foreign);
    }
    let decryptor = Decryptor::new_buffered(bytes).map_err(|_| FileError::Altered)?;
    if !decryptor.is_scrypt() {
        return Err(FileError::Foreign); // made for somebody's key
    }
    let mut identity = scrypt::Identity::new(passphrase.for_age());
    identity.set_max_work_factor(MAX_CONTACTS_WORK_FACTOR);
    let reader = decryptor.decrypt(once(&identity as &dyn age::Identity));
    let mut reader = reader.map_err(|fault| match fault {
        DecryptError::DecryptionFailed => FileError::WrongPassphrase,
        DecryptError::ExcessiveWork { required, .. } => FileError::TooMuchWork(required),
        _ => FileError::Altered,
    })?;
    // More room than is ever read, so that it never moves and leaves a copy behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(MAX_CONTACTS_FILE_BYTES));
    let read = reader.read_to_end(&mut plain);
    read.map_err(|_| FileError::Altered)?;
    Ok(plain)
}
