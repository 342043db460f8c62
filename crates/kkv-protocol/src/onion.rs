//! Onion addresses, parsed and checksummed before anything is dialled.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use sha3::{Digest, Sha3_256};

use crate::ids::ServiceKey;

/// Characters of an address before `.onion`: base32 of 35 bytes.
const ENCODED_CHARACTERS: usize = 56;
/// The only version of onion service there is today.
const VERSION: u8 = 3;

/// The address of a version 3 onion service.
///
/// `base32(PUBKEY ‖ CHECKSUM ‖ VERSION) ".onion"`, CHECKSUM = SHA3-256(".onion checksum" ‖ PUBKEY ‖ VERSION)[..2]
/// (Tor's rend-spec-v3, "Encoding onion addresses").
///
/// ```
/// use kkv_protocol::onion::{OnionAddress, OnionAddressError};
///
/// let printed = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
/// let address: OnionAddress = printed.parse()?;
/// assert_eq!(address.to_string(), printed);
/// assert_eq!(OnionAddress::from_public_key(*address.public_key()), address);
///
/// let mistyped = printed.replacen("2gz", "2hz", 1);
/// assert_eq!(mistyped.parse::<OnionAddress>(), Err(OnionAddressError::Checksum));
/// # Ok::<(), OnionAddressError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OnionAddress {
    public_key: ServiceKey,
}

/// Why a text is no onion address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnionAddressError {
    /// It does not end in `.onion`.
    #[error("it doesn't end in .onion")]
    NoSuffix,
    /// A name in front of the address: `www.<address>.onion`.
    #[error("it has a subdomain; an inbox has none")]
    Subdomain,
    /// The part before `.onion` has the wrong length.
    #[error("an onion address has 56 characters before .onion, and this has {0}")]
    Length(usize),
    /// A character that base32 does not have.
    #[error("it has a character other than a-z and 2-7")]
    Character,
    /// The version byte is not 3.
    #[error("its end says version {0}, and only version 3 exists, so a character may be wrong")]
    Version(u8),
    /// The checksum does not fit: a character is mistyped or missing.
    #[error("its checksum doesn't fit, so a character must be wrong")]
    Checksum,
    /// The key it contains is not one that an onion service can have.
    #[error("the key in it is not a valid one")]
    Key,
}

impl OnionAddress {
    /// The address of the onion service with this Ed25519 public key.
    #[must_use]
    pub fn from_public_key(public_key: ServiceKey) -> Self {
        Self { public_key }
    }

    /// The Ed25519 public key of the onion service.
    #[must_use]
    pub fn public_key(&self) -> &ServiceKey {
        &self.public_key
    }

    fn checksum(&self) -> [u8; 2] {
        let hash = Sha3_256::new()
            .chain_update(b".onion checksum")
            .chain_update(self.public_key.0)
            .chain_update([VERSION])
            .finalize();
        [hash[0], hash[1]]
    }
}

impl FromStr for OnionAddress {
    type Err = OnionAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let encoded = lower
            .strip_suffix(".onion")
            .ok_or(OnionAddressError::NoSuffix)?;
        if encoded.contains('.') {
            return Err(OnionAddressError::Subdomain);
        }
        let characters = encoded.chars().count();
        if characters != ENCODED_CHARACTERS {
            return Err(OnionAddressError::Length(characters));
        }
        let decoded = BASE32_NOPAD
            .decode(encoded.to_ascii_uppercase().as_bytes())
            .map_err(|_| OnionAddressError::Character)?;
        let (public_key, rest) = decoded
            .split_first_chunk::<32>()
            .ok_or(OnionAddressError::Length(characters))?;
        let &[first, second, version] = rest else {
            return Err(OnionAddressError::Length(characters));
        };
        let address = Self::from_public_key(ServiceKey(*public_key));
        if version != VERSION {
            return Err(OnionAddressError::Version(version));
        }
        if address.checksum() != [first, second] {
            return Err(OnionAddressError::Checksum);
        }
        // A checksum can be right over a key that no service has; dialling it would only ever time out.
        match ed25519_dalek::VerifyingKey::from_bytes(public_key) {
            Ok(key) if !key.is_weak() => Ok(address),
            _ => Err(OnionAddressError::Key),
        }
    }
}

impl fmt::Display for OnionAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.checksum();
        let mut bytes = [0; 35];
        bytes[..32].copy_from_slice(&self.public_key.0);
        bytes[32..].copy_from_slice(&[first, second, VERSION]);
        let encoded = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
        write!(f, "{encoded}.onion")
    }
}

/// An address says whom someone writes to, so it is printed only on purpose, never by a stray `{:?}`.
impl fmt::Debug for OnionAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnionAddress(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Tor Project's own site, as published by it.
    const TOR_PROJECT: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    #[test]
    fn a_published_address_parses_and_prints_the_same() {
        let address: OnionAddress = TOR_PROJECT.parse().unwrap();
        assert_eq!(address.to_string(), TOR_PROJECT);
        let shouted: OnionAddress = TOR_PROJECT.to_uppercase().parse().unwrap();
        assert_eq!(shouted, address);
    }

    #[test]
    fn every_single_mistyped_character_is_caught() {
        for position in 0..ENCODED_CHARACTERS {
            let mut wrong = TOR_PROJECT.to_owned().into_bytes();
            wrong[position] = if wrong[position] == b'a' { b'b' } else { b'a' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(wrong.parse::<OnionAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_fault_has_its_own_error() {
        use OnionAddressError as E;
        let cases = [
            ("example.com".to_owned(), E::NoSuffix),
            (format!("www.{TOR_PROJECT}"), E::Subdomain),
            ("expyuzz4wqqyqhjn.onion".to_owned(), E::Length(16)),
            (TOR_PROJECT.replacen('2', "1", 1), E::Character),
            (format!("{}é.onion", &TOR_PROJECT[..55]), E::Character),
            (TOR_PROJECT.replace("wid.onion", "wie.onion"), E::Version(4)),
            (TOR_PROJECT.replacen("2gz", "2hz", 1), E::Checksum),
            (
                OnionAddress::from_public_key(ServiceKey([0; 32])).to_string(),
                E::Key,
            ),
        ];
        for (text, want) in cases {
            assert_eq!(text.parse::<OnionAddress>(), Err(want), "{text}");
        }
    }
}
