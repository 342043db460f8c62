//! Which messages have the words that one looks for.

use zeroize::Zeroizing;

use crate::contacts::{Name, alike};
use crate::owner::{Client, ClientError};
use kkv_base::private::Private;
use kkv_owner::MessageId;

/// Words that are looked for. Letters that look alike are the same, as in names of contacts: capitals and small ones,
/// with their accents composed or not.
#[derive(Debug, Clone)]
pub struct Wanted(Private<Zeroizing<String>>);

impl Wanted {
    /// These words, with blanks between.
    #[must_use]
    pub fn new(words: &str) -> Self {
        Self(Zeroizing::new(alike(words)).into())
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// Whether each of them is in the text of this message or in the name of its `sender`. None if it is gone.
    ///
    /// # Errors
    /// The relay doesn't answer, or not as expected.
    pub async fn are_in(
        &self,
        client: &Client,
        id: MessageId,
        sender: Option<&Name>,
    ) -> Result<Option<bool>, ClientError> {
        let message = match client.message(id).await {
            Ok(message) => message,
            Err(ClientError::NoMessage(_)) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let text = Zeroizing::new(alike(&message.text));
        let name = sender.map_or_else(String::new, |name| alike(name.as_str()));
        let mut words = self.0.split_whitespace();
        Ok(Some(
            words.all(|word| text.contains(word) || name.contains(word)),
        ))
    }
}
