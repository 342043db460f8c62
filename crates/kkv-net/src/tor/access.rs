//! Keys to a closed inbox: Tor's client authorization (rend-spec-v3, "Client authorization"; arti calls it restricted
//! discovery). Without a key a client can't decrypt the service's descriptor, and so can't find its introduction
//! points.
//!
//! Both halves have Tor's text format, so that one key works with the embedded and with a system Tor.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use rand::CryptoRng;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use zeroize::{Zeroize, Zeroizing};

use kkv_protocol::onion::OnionAddress;

const PREFIX: &str = "descriptor:x25519:";

/// The public half, which an owner authorises: `descriptor:x25519:` and 52 characters of base32 (32 bytes, X25519).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessKey([u8; 32]);

/// The secret half, and the inbox that it is for: `<56 characters>:descriptor:x25519:<52 characters of base32>`, as
/// in Tor's `.auth_private` files.
pub struct AccessSecret {
    inbox: OnionAddress,
    secret: Zeroizing<[u8; 32]>,
}

/// The error of parsing an [`AccessKey`] or [`AccessSecret`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAccessError {
    /// It is no public key.
    #[error(
        "a key is written descriptor:x25519: and 52 letters and digits, as `kkvc key` prints it"
    )]
    Key,
    /// It is no secret key.
    #[error(
        "a key's file has one line: 56 characters of an onion address, :descriptor:x25519:, and 52 letters and digits"
    )]
    Secret,
}

impl AccessKey {
    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for AccessKey {
    type Err = ParseAccessError;

    fn from_str(text: &str) -> Result<Self, ParseAccessError> {
        let encoded = text
            .trim()
            .strip_prefix(PREFIX)
            .ok_or(ParseAccessError::Key)?;
        Ok(Self(*decode(encoded).ok_or(ParseAccessError::Key)?))
    }
}

impl fmt::Display for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", BASE32_NOPAD.encode(&self.0))
    }
}

/// Redacted: it identifies whom an owner authorises.
impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(..)")
    }
}

impl AccessSecret {
    /// A new key for `inbox` (32 bytes are drawn).
    pub fn generate(inbox: OnionAddress, rng: &mut impl CryptoRng) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *secret);
        Self { inbox, secret }
    }

    /// The inbox that it is for.
    #[must_use]
    pub fn inbox(&self) -> OnionAddress {
        self.inbox
    }

    /// The public half, for the inbox's owner.
    #[must_use]
    pub fn key(&self) -> AccessKey {
        AccessKey(x25519(*self.secret, X25519_BASEPOINT_BYTES))
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The line of its file, with the newline.
    #[must_use]
    pub fn to_line(&self) -> Zeroizing<String> {
        let inbox = self.inbox.to_string();
        let inbox = inbox.trim_end_matches(".onion");
        let secret = Zeroizing::new(BASE32_NOPAD.encode(&*self.secret));
        Zeroizing::new([inbox, ":", PREFIX, &secret, "\n"].concat())
    }
}

impl FromStr for AccessSecret {
    type Err = ParseAccessError;

    fn from_str(text: &str) -> Result<Self, ParseAccessError> {
        let (inbox, encoded) = text
            .trim()
            .split_once(':')
            .ok_or(ParseAccessError::Secret)?;
        let inbox = format!("{inbox}.onion")
            .parse()
            .map_err(|_| ParseAccessError::Secret)?;
        let encoded = encoded
            .strip_prefix(PREFIX)
            .ok_or(ParseAccessError::Secret)?;
        let secret = decode(encoded).ok_or(ParseAccessError::Secret)?;
        Ok(Self { inbox, secret })
    }
}

impl fmt::Debug for AccessSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessSecret(..)")
    }
}

fn decode(encoded: &str) -> Option<Zeroizing<[u8; 32]>> {
    let upper = Zeroizing::new(encoded.to_ascii_uppercase());
    let mut bytes = BASE32_NOPAD.decode(upper.as_bytes()).ok()?;
    let array = bytes.as_slice().try_into().ok().map(Zeroizing::new);
    bytes.zeroize();
    array
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    const INBOX: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid";
    /// RFC 7748 §6.1, Alice's keys.
    const SECRET: &str = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    const PUBLIC: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

    #[test]
    fn a_key_parses_as_it_is_formatted() {
        let secret =
            AccessSecret::generate(format!("{INBOX}.onion").parse().unwrap(), &mut rand::rng());
        let again: AccessSecret = secret.to_line().parse().unwrap();
        assert_eq!(again.as_bytes(), secret.as_bytes());
        assert_eq!(again.inbox(), secret.inbox());
        let key: AccessKey = secret.key().to_string().parse().unwrap();
        assert_eq!(key, secret.key());
        let lower = secret.key().to_string().to_lowercase();
        assert_eq!(lower.parse(), Ok(secret.key()));
    }

    #[test]
    fn the_public_half_is_that_of_x25519() {
        let base32 = |hex: &str| BASE32_NOPAD.encode(&HEXLOWER.decode(hex.as_bytes()).unwrap());
        let line = format!("{INBOX}:{PREFIX}{}\n", base32(SECRET));
        let secret: AccessSecret = line.parse().unwrap();
        assert_eq!(*secret.to_line(), line);
        assert_eq!(
            secret.key().to_string(),
            format!("{PREFIX}{}", base32(PUBLIC))
        );
    }

    #[test]
    fn other_texts_are_rejected() {
        let base32 = "A".repeat(52);
        for text in [
            "",
            "descriptor:x25519:",
            "x25519:AAAA",
            &base32,
            &format!("descriptor:x448:{base32}"),
            &format!("{PREFIX}{}", "A".repeat(51)),
            &format!("{PREFIX}{}1", "A".repeat(51)),
        ] {
            assert_eq!(
                text.parse::<AccessKey>(),
                Err(ParseAccessError::Key),
                "{text}"
            );
            let line = format!("{INBOX}:{text}");
            assert_eq!(
                line.parse::<AccessSecret>().unwrap_err(),
                ParseAccessError::Secret
            );
        }
        let other_inbox = format!("{}a:{PREFIX}{base32}", &INBOX[..55]);
        assert_eq!(
            other_inbox.parse::<AccessSecret>().unwrap_err(),
            ParseAccessError::Secret
        );
    }
}
