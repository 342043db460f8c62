//! Messages, and the relay itself: how it is, what is in it, and what is done with that.

use reqwest::StatusCode;

use super::fault::ClientError;
use super::{Client, parse, url};
use kkv_base::limits::{OWNER_TIMEOUT, WATCH_TIMEOUT};
use kkv_owner::{
    Answer, Delete, Done, Get, Known, List, Mark, Message, MessageId, Status, Version, Wanted,
    Watch,
};

impl Client {
    /// How the relay is.
    ///
    /// # Errors
    /// As for all calls: nobody answers, or not as expected.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.call(self.http.get(url("status"))).await
    }

    /// Every message, without its text.
    ///
    /// # Errors
    /// Nobody answers, or not as expected.
    pub async fn list(&self) -> Result<List, ClientError> {
        self.call(self.http.get(url("get_msg"))).await
    }

    /// Every message, with as many `characters` of its text as the relay gives at most (it may give none).
    ///
    /// # Errors
    /// Nobody answers, or not as expected.
    pub async fn list_with_first(&self, characters: usize) -> Result<List, ClientError> {
        let first = Some(characters);
        self.wanted(&Wanted {
            first,
            ..Wanted::default()
        })
        .await
    }

    /// What has changed since what is `known`: see [`List::onto`]. Every message, if that is nothing, or nobody can
    /// tell; from each that is listed the `first` characters of its text, if that is wanted.
    ///
    /// # Errors
    /// Nobody answers, or not as expected.
    pub async fn changes(
        &self,
        known: Option<Known>,
        first: Option<usize>,
    ) -> Result<List, ClientError> {
        self.wanted(&Wanted {
            first,
            since: Some(known.map_or(0, |known| known.version)),
            relay: known.map(|known| known.relay),
        })
        .await
    }

    async fn wanted(&self, wanted: &Wanted) -> Result<List, ClientError> {
        let request = self.http.get(url("get_msg")).query(wanted);
        let answer = self.send(request).await?;
        parse(
            answer,
            List::max_bytes_with_first(wanted.first.unwrap_or(0)),
        )
        .await
    }

    /// One message.
    ///
    /// # Errors
    /// Not there; nobody answers, or not as expected.
    pub async fn message(&self, id: MessageId) -> Result<Message, ClientError> {
        let answer = self
            .send(self.http.post(url("get_msg")).json(&Get { id }))
            .await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(ClientError::NoMessage(id));
        }
        parse(answer, Message::MAX_BYTES).await
    }

    /// Marks as read or unread.
    ///
    /// # Errors
    /// Nobody answers, or not as expected.
    pub async fn mark(&self, ids: Vec<MessageId>, read: bool) -> Result<Done, ClientError> {
        self.post("read_msg", &Mark { ids, read }).await
    }

    /// Deletes.
    ///
    /// # Errors
    /// Nobody answers, or not as expected.
    pub async fn delete(&self, what: &Delete) -> Result<Done, ClientError> {
        self.post("del_msg", what).await
    }

    /// Wipes every message and invitation, and ends every session.
    ///
    /// # Errors
    /// Nobody answers, or not as expected.
    pub async fn wipe(&self) -> Result<Done, ClientError> {
        self.call(self.http.post(url("wipe"))).await
    }

    /// Waits until something has changed since the version `seen`, 0 at first; a minute at most. The present version.
    ///
    /// # Errors
    /// Nobody answers, or not as expected.
    pub async fn watch(&self, seen: u64) -> Result<u64, ClientError> {
        let request = self.http.get(url("watch")).query(&Watch { seen });
        let request = request.timeout(WATCH_TIMEOUT + OWNER_TIMEOUT);
        let Version { version } = self.call(request).await?;
        Ok(version)
    }
}
