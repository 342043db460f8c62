//! Right answers of both suites, by a key of our own: it can sign what is wrong as well.

use arbitrary::{Result, Unstructured};
use kkv::crypto::exchange::{HybridOffer, X25519Secret};
use kkv::crypto::identity::{PublicKey, Relay, RelayKey, Sender, Signature};
use kkv::crypto::labels;
use kkv::crypto::seal::MessageKey;
use kkv::protocol::ids::{MessageDigest, SenderId, SessionId};
use kkv::protocol::v2::message::{self, PLAIN_BYTES};
use kkv::protocol::v2::receipt::{self, Receipt};
use kkv::protocol::v2::{challenge::Challenge, transcript};
use kkv::protocol::wire::Hex;
use kkv::protocol::{v1, v2};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::in_process::START;
use crate::raw_http::{FORM, Request};

/// The highest cost that is paid here at once. A search for more would take time of this machine's, while all other
/// time stands still.
const MAX_BITS: u8 = 8;
/// Bits that nobody pays, and that are refused unpaid.
const ABSURD_BITS: u8 = 61;

/// The relay's side of everything.
pub(super) struct Signer {
    key: RelayKey,
    sender: SenderId,
    rng: StdRng,
    session: Option<Session>,
    /// The receipt for the last message that could be opened, and its text.
    read: Option<(Receipt, Vec<u8>)>,
}

struct Session {
    id: SessionId,
    key: MessageKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// Changes a value before it is signed.
pub(super) trait Twist {
    fn twist(&mut self, bytes: &mut [u8]) -> Result<()>;
}

/// Changes nothing.
pub(super) struct Straight;

impl Twist for Straight {
    fn twist(&mut self, _: &mut [u8]) -> Result<()> {
        Ok(())
    }
}

/// Changes a few bytes, perhaps all of them.
impl Twist for Unstructured<'_> {
    fn twist(&mut self, bytes: &mut [u8]) -> Result<()> {
        for _ in 0..self.int_in_range(0..=3)? {
            let at = self.choose_index(bytes.len())?;
            bytes[at] = self.arbitrary()?;
        }
        if self.ratio(1, 16)? {
            bytes.fill(self.arbitrary()?);
        }
        Ok(())
    }
}

impl Signer {
    pub(super) fn new(sender: SenderId, rng: &mut StdRng) -> Self {
        Self {
            key: RelayKey::generate(rng),
            sender,
            rng: StdRng::seed_from_u64(rng.next_u64()),
            session: None,
            read: None,
        }
    }

    pub(super) fn public(&self) -> PublicKey<Relay> {
        self.key.public()
    }

    /// The receipt for a message of this text, if such a one has been opened.
    pub(super) fn read(&self, text: &str) -> Option<Receipt> {
        let (receipt, read) = self.read.as_ref()?;
        (read == text.as_bytes()).then_some(*receipt)
    }

    /// The body of a right answer, but for what `twist` does to it before it is signed.
    pub(super) fn body(&mut self, request: &Request, twist: &mut impl Twist) -> Result<String> {
        let form = request.header("content-type") == Some(FORM);
        match (request.path.as_str(), form) {
            ("/get_domain_pk", _) => {
                let mut key = *self.public().as_bytes();
                twist.twist(&mut key)?;
                Ok(Hex(key).to_string())
            }
            ("/pow", true) => self.pow_v1(twist),
            ("/exchange_keys", true) => self.exchange_v1(twist),
            ("/msg", true) => Ok(String::new()),
            ("/pow", false) => self.pow_v2(twist),
            ("/exchange_keys", false) => self.exchange_v2(&read(request), twist),
            ("/msg", false) => self.message_v2(&read(request), twist),
            (path, _) => panic!("a sender has no business at {path}"),
        }
    }

    /// Whether somebody may take this for a challenge that costs real time, since kkv/1 searches before it looks at the
    /// signature: it has the sender's key in it, and the cost before that.
    pub(super) fn is_too_dear(&self, bytes: &[u8]) -> bool {
        let sender = self.sender.to_string();
        let mut found = bytes
            .windows(sender.len())
            .enumerate()
            .filter(|(_, window)| window.eq_ignore_ascii_case(sender.as_bytes()));
        found.any(|(at, _)| {
            let before = at.checked_sub(8).and_then(|start| bytes.get(start..at));
            let cost = before.and_then(|hex| Hex::<4>::parse(str::from_utf8(hex).ok()?).ok());
            cost.is_some_and(|cost| {
                let bits = u32::from_le_bytes(cost.0);
                (u32::from(MAX_BITS) + 1..u32::from(ABSURD_BITS)).contains(&bits)
            })
        })
    }

    fn pow_v1(&mut self, twist: &mut impl Twist) -> Result<String> {
        let mut bytes = [0; 76];
        self.rng.fill_bytes(&mut bytes[..32]);
        bytes[36..68].copy_from_slice(&self.sender.0);
        bytes[68..].copy_from_slice(&(START + 60).to_le_bytes());
        twist.twist(&mut bytes)?;
        bytes[32] = payable(bytes[32]);
        Ok(json(&v1::wire::PowAnswer {
            bytes: Hex(bytes),
            signature: Hex(self.key.sign(&bytes).0),
        }))
    }

    fn exchange_v1(&mut self, twist: &mut impl Twist) -> Result<String> {
        let mut public = X25519Secret::generate(&mut self.rng).public();
        twist.twist(&mut public.0)?;
        let signature = self.key.sign(&public.0).0;
        Ok(json(&v1::wire::ExchangeAnswer::new(public, signature)))
    }

    fn pow_v2(&mut self, twist: &mut impl Twist) -> Result<String> {
        let mut bytes = [0; 112];
        bytes[0] = 2;
        bytes[2..4].copy_from_slice(&120u16.to_le_bytes());
        bytes[4..8].copy_from_slice(&60u32.to_le_bytes());
        bytes[8..16].copy_from_slice(&(START + 60).to_le_bytes());
        self.rng.fill_bytes(&mut bytes[16..48]);
        bytes[48..80].copy_from_slice(&self.sender.0);
        bytes[80..].copy_from_slice(self.public().as_bytes());
        twist.twist(&mut bytes)?;
        bytes[1] = payable(bytes[1]);
        let statement = labels::CHALLENGE.digest(&[&bytes]);
        Ok(json(&v2::wire::PowAnswer {
            challenge: Hex(bytes),
            signature: Hex(self.key.sign_statement(&statement).0),
        }))
    }

    fn exchange_v2(
        &mut self,
        request: &v2::wire::ExchangeRequest,
        twist: &mut impl Twist,
    ) -> Result<String> {
        let challenge = Challenge::from_bytes(&request.challenge.0).expect("one that was given");
        let offer = HybridOffer {
            x25519: request.x25519,
            mlkem768: request.mlkem768.0,
        };
        let (mut keys, shared) = offer.answer(&mut self.rng).expect("an honest sender's");
        twist.twist(&mut keys.x25519.0)?;
        twist.twist(&mut keys.mlkem768)?;
        let request_statement =
            transcript::request(&challenge, request.solution.as_bytes(), &offer);
        let signed =
            transcript::session(&request_statement, &Signature(request.signature.0), &keys);
        let id = transcript::session_id(&signed);
        self.session = Some(Session {
            id,
            key: shared.message_key(&id),
        });
        Ok(json(&v2::wire::ExchangeAnswer {
            x25519: keys.x25519,
            mlkem768: Hex(keys.mlkem768),
            signature: Hex(self.key.sign_statement(&signed).0),
        }))
    }

    fn message_v2(
        &mut self,
        request: &v2::wire::MessageRequest,
        twist: &mut impl Twist,
    ) -> Result<String> {
        let session = self.session.as_ref().expect("a message comes in a session");
        assert_eq!(request.session, session.id);
        let sender = PublicKey::<Sender>::from_id(&self.sender).expect("an honest key");
        let mut receipt = Receipt {
            session: request.session,
            sender,
            digest: MessageDigest([0; 32]), // of what can't be opened it can know nothing
        };
        let (sealed, tag) = request.sealed.0.split_last_chunk().expect("3,584 bytes");
        let mut plain: [u8; PLAIN_BYTES] = sealed.try_into().expect("3,568 bytes");
        if session
            .key
            .open(&request.session.0, &mut plain, tag)
            .is_ok()
        {
            let parts = message::decode(&plain).expect("an honest sender's message");
            let relay = self.key.public().id();
            let said = message::statement(&relay, &request.session, parts.kind, parts.content);
            assert!(sender.verify_statement(&said, &parts.signature).is_ok());
            receipt.digest = receipt::digest(&said, &parts.signature);
            self.read = Some((receipt, parts.content.to_vec()));
        }
        twist.twist(&mut receipt.session.0)?;
        twist.twist(&mut receipt.digest.0)?;
        let fields: [&[u8]; 3] = [&receipt.session.0, &self.sender.0, &receipt.digest.0];
        let statement = labels::RECEIPT.digest(&fields);
        Ok(json(&v2::wire::MessageAnswer {
            receipt: Hex(self.key.sign_statement(&statement).0),
        }))
    }
}

/// A cost that can be paid here, or one that nobody pays.
fn payable(bits: u8) -> u8 {
    match bits {
        0..=MAX_BITS | ABSURD_BITS.. => bits,
        _ => bits % (MAX_BITS + 1),
    }
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("hex is JSON")
}

fn read<T: DeserializeOwned>(request: &Request) -> T {
    serde_json::from_slice(&request.body).expect("our sender says it right")
}
