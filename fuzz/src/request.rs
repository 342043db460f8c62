//! A request of either suite: as the relay's steps take it, as bytes on the wire, and changed.

use arbitrary::{Result, Unstructured};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::wire::{Hex, HexUpTo};
use kkv_protocol::{v1, v2};
use kkv_relay::relay::Relay;
use rand::CryptoRng;

/// What a stranger asks.
#[derive(Debug)]
pub enum Request {
    /// For a challenge, in kkv/1.
    PowV1(v1::wire::PowRequest),
    /// For a challenge, in kkv/2.
    PowV2(v2::wire::PowRequest),
    /// For a session, in kkv/1.
    ExchangeV1(v1::wire::Exchange),
    /// For a session, in kkv/2.
    ExchangeV2(Box<v2::wire::ExchangeRequest>),
    /// To take a message, in kkv/1.
    MessageV1(v1::wire::MessageRequest),
    /// To take a message, in kkv/2.
    MessageV2(Box<v2::wire::MessageRequest>),
}

impl Request {
    /// Which suite it speaks.
    #[must_use]
    pub fn suite(&self) -> Suite {
        match self {
            Self::PowV1(_) | Self::ExchangeV1(_) | Self::MessageV1(_) => Suite::V1,
            Self::PowV2(_) | Self::ExchangeV2(_) | Self::MessageV2(_) => Suite::V2,
        }
    }

    /// Where it is asked.
    #[must_use]
    pub fn path(&self) -> &'static str {
        match self {
            Self::PowV1(_) | Self::PowV2(_) => "/pow",
            Self::ExchangeV1(_) | Self::ExchangeV2(_) => "/exchange_keys",
            Self::MessageV1(_) | Self::MessageV2(_) => "/msg",
        }
    }

    /// The type of its body.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self.suite() {
            Suite::V1 => "application/x-www-form-urlencoded",
            Suite::V2 => "application/json",
        }
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> String {
        let form = "hex is always a form";
        let json = "hex is always JSON";
        match self {
            Self::PowV1(request) => serde_urlencoded::to_string(request).expect(form),
            Self::ExchangeV1(request) => serde_urlencoded::to_string(request).expect(form),
            Self::MessageV1(request) => serde_urlencoded::to_string(request).expect(form),
            Self::PowV2(request) => serde_json::to_string(request).expect(json),
            Self::ExchangeV2(request) => serde_json::to_string(request).expect(json),
            Self::MessageV2(request) => serde_json::to_string(request).expect(json),
        }
    }

    /// Asks a relay: the body of its answer.
    ///
    /// # Errors
    /// Whatever the relay says instead.
    pub fn ask(&self, relay: &Relay, rng: &mut impl CryptoRng) -> Result<String, Refusal> {
        let json = "an answer is always JSON";
        match self {
            Self::PowV1(request) => {
                let answer = relay.pow_v1(request, rng)?;
                Ok(serde_json::to_string(&answer).expect(json))
            }
            Self::PowV2(request) => {
                let answer = relay.pow_v2(request, rng)?;
                Ok(serde_json::to_string(&answer).expect(json))
            }
            Self::ExchangeV1(request) => relay.exchange_v1(request, rng),
            Self::ExchangeV2(request) => relay.exchange_v2(request, rng),
            Self::MessageV1(request) => relay.message_v1(request),
            Self::MessageV2(request) => relay.message_v2(request),
        }
    }

    /// The same with one byte of one value changed; and whether a relay may still take it for the same.
    ///
    /// # Errors
    /// There are no more bytes to choose by.
    pub fn changed(&self, u: &mut Unstructured<'_>) -> Result<(Self, bool)> {
        let field: u8 = u.arbitrary()?;
        let changed = match self {
            Self::PowV1(request) => Self::PowV1(v1::wire::PowRequest {
                bytes: flipped_id(request.bytes, u)?,
            }),
            Self::PowV2(request) => {
                let mut to = v2::wire::PowRequest {
                    suite: request.suite.clone(),
                    ..*request
                };
                match (field % 3, to.invitation) {
                    (0, _) => to.sender = flipped_id(to.sender, u)?,
                    (1, Some(proof)) => to.invitation = Some(flipped_id(proof, u)?),
                    _ => to.purpose = flipped(to.purpose, u)?,
                }
                Self::PowV2(to)
            }
            Self::ExchangeV1(request) => {
                let mut to = v1::wire::Exchange { ..*request };
                match field % 6 {
                    0 => to.ed25519_pubkey = flipped_id(to.ed25519_pubkey, u)?,
                    1 => to.nonce = flipped(to.nonce, u)?,
                    2 => to.pow = flipped(to.pow, u)?,
                    3 => to.diffie_hellman = flipped_id(to.diffie_hellman, u)?,
                    4 => to.diffie_hellman_sig = flipped(to.diffie_hellman_sig, u)?,
                    _ => {
                        // The tag in the challenge's seed says the same, so nobody looks at this.
                        to.pow_sig = flipped(to.pow_sig, u)?;
                        return Ok((Self::ExchangeV1(to), true));
                    }
                }
                Self::ExchangeV1(to)
            }
            Self::ExchangeV2(request) => {
                let mut to = v2::wire::ExchangeRequest {
                    solution: request.solution.clone(),
                    ..**request
                };
                match field % 5 {
                    0 => to.challenge = flipped(to.challenge, u)?,
                    1 => to.solution = flipped_up_to(&to.solution, u)?,
                    2 => to.x25519 = flipped_id(to.x25519, u)?,
                    3 => to.mlkem768 = flipped(to.mlkem768, u)?,
                    _ => to.signature = flipped(to.signature, u)?,
                }
                Self::ExchangeV2(Box::new(to))
            }
            Self::MessageV1(request) => {
                let mut to = v1::wire::MessageRequest {
                    chiphertext: request.chiphertext.clone(),
                    ..*request
                };
                match field % 3 {
                    0 => to.pubkey = flipped_id(to.pubkey, u)?,
                    1 => to.chiphertext = flipped_up_to(&to.chiphertext, u)?,
                    _ => to.signature = flipped(to.signature, u)?,
                }
                Self::MessageV1(to)
            }
            Self::MessageV2(request) => {
                let mut to = v2::wire::MessageRequest { ..**request };
                match field % 2 {
                    0 => to.session = flipped_id(to.session, u)?,
                    _ => to.sealed = flipped(to.sealed, u)?,
                }
                Self::MessageV2(Box::new(to))
            }
        };
        Ok((changed, false))
    }
}

/// The same with other bits somewhere.
fn flip(bytes: &mut [u8], u: &mut Unstructured<'_>) -> Result<()> {
    let at = u.choose_index(bytes.len())?;
    bytes[at] ^= u.int_in_range(1..=u8::MAX)?;
    Ok(())
}

fn flipped<const N: usize>(mut hex: Hex<N>, u: &mut Unstructured<'_>) -> Result<Hex<N>> {
    flip(&mut hex.0, u)?;
    Ok(hex)
}

/// The same of 32 bytes with a type of their own.
fn flipped_id<T: From<[u8; 32]> + Into<[u8; 32]>>(id: T, u: &mut Unstructured<'_>) -> Result<T> {
    let mut bytes = id.into();
    flip(&mut bytes, u)?;
    Ok(bytes.into())
}

fn flipped_up_to<const MAX: usize>(
    hex: &HexUpTo<MAX>,
    u: &mut Unstructured<'_>,
) -> Result<HexUpTo<MAX>> {
    let mut bytes = hex.as_bytes().to_vec();
    flip(&mut bytes, u)?;
    Ok(HexUpTo::new(bytes))
}
