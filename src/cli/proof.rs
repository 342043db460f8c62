//! What a third party can check without a relay: exported messages and receipts (PROTOCOL.md §7, §8, §10).

mod file;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::bar::{behind_a_bar, columns};
use super::exit::{CliError, Exit};
use super::fields::fingerprint;
use super::input::{self, stdin};
use super::output::{ascii_json, print, print_json, require_output};
use super::visible::quoted;
use crate::crypto::identity::{BadSignature, PublicKey, Relay, Sender, Signature, Statement};
use crate::owner::Client;
use crate::owner::api::Message;
use crate::private::Private;
use crate::protocol::kind::Kind;
use crate::protocol::suite::Suite;
use crate::protocol::v1;
use crate::protocol::v2::message;
use crate::protocol::v2::receipt::{self, Receipt};
use crate::protocol::v2::sender::Receipted;
use crate::protocol::wire::Hex;
use crate::queue::MessageId;

pub use file::NoProof;

/// The largest is a message of 3,500 bytes, each escaped as six.
const MAX_FILE_BYTES: usize = 64 * 1024;

/// A file that proves something. Every field is covered by its signature, and no other field is let in.
#[derive(Debug, Serialize)]
#[serde(tag = "format")]
pub enum Proof {
    /// A message in kkv/1.
    #[serde(rename = "kkv/1 message")]
    MessageV1(MessageV1),
    /// A message in kkv/2.
    #[serde(rename = "kkv/2 message")]
    MessageV2(MessageV2),
    /// A receipt.
    #[serde(rename = "kkv/2 receipt")]
    Receipt(ReceiptV2),
}

/// What `kkvc verify --json` says.
#[derive(Serialize)]
struct Checked {
    proofs: Vec<Proof>,
}

/// What a sender signed in kkv/1.
#[derive(Debug, Serialize)]
pub struct MessageV1 {
    sender: Hex<32>,
    text: Private<String>,
    signature: Hex<64>,
}

/// What a sender signed in kkv/2.
#[derive(Debug, Serialize)]
pub struct MessageV2 {
    relay: Hex<32>,
    session: Hex<32>,
    sender: Hex<32>,
    kind: Kind,
    text: Private<String>,
    signature: Hex<64>,
}

/// What a relay signed.
#[derive(Debug, Serialize)]
pub struct ReceiptV2 {
    relay: Hex<32>,
    session: Hex<32>,
    sender: Hex<32>,
    digest: Hex<32>,
    signature: Hex<64>,
}

impl From<Message> for Proof {
    fn from(mut message: Message) -> Self {
        let text = Private(std::mem::take(&mut **message.text));
        let Message {
            summary,
            relay,
            session,
            signature,
            ..
        } = message;
        match summary.suite {
            Suite::V1 => Self::MessageV1(MessageV1 {
                sender: summary.sender,
                text,
                signature,
            }),
            Suite::V2 => Self::MessageV2(MessageV2 {
                relay,
                session,
                sender: summary.sender,
                kind: summary.kind,
                text,
                signature,
            }),
        }
    }
}

impl From<&Receipted> for Proof {
    fn from(receipted: &Receipted) -> Self {
        Self::Receipt(ReceiptV2 {
            relay: Hex(*receipted.relay.as_bytes()),
            session: Hex(receipted.receipt.session),
            sender: Hex(*receipted.receipt.sender.as_bytes()),
            digest: Hex(receipted.receipt.digest),
            signature: Hex(receipted.signature.0),
        })
    }
}

/// Prints a message with its signature.
pub(super) async fn export(client: &Client, id: MessageId) -> Result<(), CliError> {
    require_output("nothing was exported")?;
    let proof = Proof::from(client.message(id).await?);
    print(&format!("{}\n", ascii_json(&proof)))
}

/// Checks one or two files; two must be a message and its receipt.
pub(super) fn verify(paths: &[PathBuf], json: bool) -> Result<(), CliError> {
    let proofs = paths
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, _>>()?;
    for (path, proof) in paths.iter().zip(&proofs) {
        proof.check().map_err(|BadSignature| {
            let what = format!("{}: the signature doesn't fit", quoted(path));
            CliError::new(Exit::BadSignature, what)
                .hint("It was changed after it was signed, or never signed by that key.")
        })?;
    }
    if let [one, other] = &proofs[..] {
        let Some(together) = one.belongs_to(other) else {
            return Err(CliError::usage(
                "two files must be a message and its receipt",
            ));
        };
        if !together {
            let what = "each file is right by itself, but the receipt is for another message";
            return Err(CliError::new(Exit::BadSignature, what));
        }
    }
    if json {
        return print_json(&Checked { proofs });
    }
    print(&render_proofs(&proofs, columns()))
}

/// What the files prove, for people, on a terminal of so many `columns` if it is one. Only said of what was checked.
/// The text of a message comes last, behind a bar: whatever it says, it can't pass for a word of this program.
#[must_use]
pub fn render_proofs(proofs: &[Proof], columns: Option<usize>) -> String {
    let mut lines: String = proofs.iter().map(Proof::render).collect();
    lines += match proofs {
        [Proof::Receipt(_)] => {
            "Give the exported message as well to see which message it is about.\n"
        }
        [_, _] => "They belong together: the relay accepted exactly this message.\n",
        _ => "",
    };
    if let Some(text) = proofs.iter().find_map(Proof::text) {
        lines.push('\n');
        lines += &behind_a_bar(text, columns);
    }
    lines
}

fn read(path: &Path) -> Result<Proof, CliError> {
    let unreadable =
        |fault: io::Error| CliError::usage(format!("can't read {}: {fault}", quoted(path)));
    let source = if path.as_os_str() == "-" {
        stdin()
    } else {
        File::open(path)
    };
    let text = source.and_then(|source| input::text(source, MAX_FILE_BYTES));
    let text = text.map_err(unreadable)?;
    Proof::parse(text.as_bytes()).map_err(|fault| {
        let path = quoted(path);
        CliError::usage(format!(
            "{path} is no exported message and no receipt: {fault}"
        ))
        .hint("`kkvc export ID` and `kkvc send --receipt FILE` write such files.")
    })
}

impl Proof {
    /// Checks its keys and its signature.
    ///
    /// # Errors
    /// It doesn't fit, or is by or to a key that none can be by or to.
    pub fn check(&self) -> Result<(), BadSignature> {
        match self {
            Self::MessageV1(message) => {
                let signature = Signature(message.signature.0);
                let signed = v1::content_signed(message.text.as_bytes());
                key::<Sender>(&message.sender)?.verify(signed, &signature)
            }
            Self::MessageV2(message) => {
                key::<Relay>(&message.relay)?;
                key::<Sender>(&message.sender)?
                    .verify_statement(&message.statement(), &Signature(message.signature.0))
            }
            Self::Receipt(receipt) => Receipt {
                session: receipt.session.0,
                sender: key(&receipt.sender)?,
                digest: receipt.digest.0,
            }
            .verify(&key(&receipt.relay)?, &Signature(receipt.signature.0)),
        }
    }

    /// Whether one of the two is the receipt for the other; `None` if they are not a message and a receipt.
    #[must_use]
    pub fn belongs_to(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::MessageV2(message), Self::Receipt(receipt))
            | (Self::Receipt(receipt), Self::MessageV2(message)) => Some(receipt.confirms(message)),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::MessageV1(message) => Some(&message.text),
            Self::MessageV2(message) => Some(&message.text),
            Self::Receipt(_) => None,
        }
    }

    fn render(&self) -> String {
        match self {
            Self::MessageV1(message) => format!(
                "A message in kkv/1. Its signature fits; it covers\n\
                 the text alone, not to whom or when it was said.\n  \
                 signed by  {}\n             {}\n",
                fingerprint::<Sender>(&message.sender),
                message.sender,
            ),
            Self::MessageV2(message) => format!(
                "A message in kkv/2. Its signature fits.\n  \
                 signed by  {}\n             {}\n  said to    {}\n             {}\n",
                fingerprint::<Sender>(&message.sender),
                message.sender,
                fingerprint::<Relay>(&message.relay),
                message.relay,
            ),
            Self::Receipt(receipt) => format!(
                "A receipt. Its signature fits: the relay accepted one message of this sender.\n  \
                 signed by  {}\n             {}\n  sender     {}\n             {}\n",
                fingerprint::<Relay>(&receipt.relay),
                receipt.relay,
                fingerprint::<Sender>(&receipt.sender),
                receipt.sender,
            ),
        }
    }
}

impl MessageV2 {
    fn statement(&self) -> Statement {
        let content = self.text.as_bytes();
        message::statement(&self.relay.0, &self.session.0, self.kind as u8, content)
    }
}

impl ReceiptV2 {
    fn confirms(&self, message: &MessageV2) -> bool {
        let digest = receipt::digest(&message.statement(), &Signature(message.signature.0));
        self.digest.0 == digest
            && self.session == message.session
            && self.sender == message.sender
            && self.relay == message.relay
    }
}

fn key<Side>(bytes: &Hex<32>) -> Result<PublicKey<Side>, BadSignature> {
    PublicKey::from_bytes(&bytes.0).map_err(|_| BadSignature)
}
