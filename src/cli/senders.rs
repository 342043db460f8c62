//! Who a message is from, as far as the owner's contacts tell.

use serde::Serialize;

use super::book::Contacts;
use kkv_client::contacts::{BookFile, Name};
use kkv_owner::Summary;
use kkv_protocol::crypto::identity::{PublicKey, Sender};
use kkv_protocol::ids::SenderId;
use kkv_ui::error::CliError;
use kkv_ui::fields::{fingerprint, short_sender};

/// The contacts that senders are looked for among, if there are any.
pub(super) struct SenderNames(Option<BookFile>);

/// Something of a message's, in JSON, with its sender's fingerprint and name: null if it is nobody's, and left out if
/// no contacts are in use.
#[derive(Serialize)]
pub(super) struct WithSender<'m, T> {
    #[serde(flatten)]
    message: &'m T,
    sender_fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<Option<&'m str>>,
}

impl SenderNames {
    /// Opens the file, if one is named.
    pub(super) async fn open(contacts: Option<Contacts<'_>>) -> Result<Self, CliError> {
        Ok(Self(match contacts {
            Some(contacts) => Some(contacts.open().await?),
            None => None,
        }))
    }

    /// The contact that signs with `sender`.
    pub(super) fn of(&self, sender: Option<&SenderId>) -> Option<&Name> {
        let file = self.0.as_ref()?;
        file.book().by_sender(&PublicKey::from_id(sender?).ok()?)
    }

    /// The name of a message's sender, or what its fingerprint begins with.
    pub(super) fn of_message(&self, message: &Summary) -> String {
        let name = self.of(message.sender.as_ref());
        name.map_or_else(|| short_sender(message), ToString::to_string)
    }

    /// `message` with the name of its `sender`.
    pub(super) fn named<'m, T>(
        &'m self,
        message: &'m T,
        sender: Option<&SenderId>,
    ) -> WithSender<'m, T> {
        let contact = self.of(sender).map(Name::as_str);
        WithSender {
            message,
            sender_fingerprint: sender.map(fingerprint::<Sender>),
            contact: self.0.as_ref().map(|_| contact),
        }
    }
}
