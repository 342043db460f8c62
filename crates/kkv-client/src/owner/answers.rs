//! Answers and invitations: what goes out to those who write.

use std::time::Duration;

use reqwest::StatusCode;
use zeroize::Zeroizing;

use super::fault::ClientError;
use super::{Client, parse, unread, url, whole};
use kkv_base::private::Private;
use kkv_owner::{
    Answer, Conversation, Invitations, Invite, Invited, MessageId, Replied, Reply, ReplyRefused,
    Revoke, Revoked, WaitingAnswers, Waits, Withdraw, Withdrawn,
};
use kkv_protocol::text::Text;
use kkv_protocol::v2::invitation::InvitationNumber;

impl Client {
    /// Answers a message: the answer is sealed at once, and waits for its sender.
    ///
    /// # Errors
    /// Not there; it can't be answered, and why; nobody answers, or not as expected.
    pub async fn reply(&self, id: MessageId, text: &Text) -> Result<Conversation, ClientError> {
        let text = Private(Zeroizing::new(text.as_str().to_owned()));
        let answer = self
            .send(self.http.post(url("reply")).json(&Reply { id, text }))
            .await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(ClientError::NoMessage(id)),
            StatusCode::UNPROCESSABLE_ENTITY => {
                let body = whole(answer, Replied::MAX_BYTES).await?;
                let refused: ReplyRefused = serde_json::from_slice(&body).map_err(|_| unread())?;
                Err(ClientError::CantReply(id, refused.code))
            }
            _ => {
                let replied: Replied = parse(answer, Replied::MAX_BYTES).await?;
                Ok(replied.conversation)
            }
        }
    }

    /// What waits in a conversation.
    ///
    /// # Errors
    /// As [`list`](Client::list).
    pub async fn waiting(&self, conversation: u64) -> Result<WaitingAnswers, ClientError> {
        let asked = Waits { conversation };
        let request = self.http.post(url("waiting")).json(&asked);
        parse(self.send(request).await?, WaitingAnswers::MAX_BYTES).await
    }

    /// Takes back the answers that wait in a conversation. Returns how many; `None` if there is no such one.
    ///
    /// # Errors
    /// Nobody answers, or not as expected: a relay from before knows no such thing.
    pub async fn withdraw(&self, conversation: u64) -> Result<Option<u8>, ClientError> {
        let wanted = Withdraw { conversation };
        let request = self.http.post(url("withdraw")).json(&wanted);
        let withdrawn: Withdrawn = parse(self.send(request).await?, Withdrawn::MAX_BYTES).await?;
        Ok(withdrawn.answers)
    }

    /// Makes an invitation: to so many messages, at least 1, for so long. Its token is told this once.
    ///
    /// # Errors
    /// The relay makes none, or has too many; nobody answers, or not as expected.
    pub async fn invite(&self, uses: u32, lifetime: Duration) -> Result<Invited, ClientError> {
        let wanted = Invite {
            uses,
            lifetime_seconds: lifetime.as_secs(),
        };
        let answer = self
            .send(self.http.post(url("invite")).json(&wanted))
            .await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(ClientError::TooOldToInvite),
            StatusCode::NOT_IMPLEMENTED => Err(ClientError::InvitesNobody),
            StatusCode::INSUFFICIENT_STORAGE => Err(ClientError::TooManyInvitations),
            _ => parse(answer, Invited::MAX_BYTES).await,
        }
    }

    /// The invitations that can be used.
    ///
    /// # Errors
    /// The relay knows none; nobody answers, or not as expected.
    pub async fn invitations(&self) -> Result<Invitations, ClientError> {
        let answer = self.send(self.http.get(url("invitations"))).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(ClientError::TooOldToInvite),
            _ => parse(answer, Invitations::MAX_BYTES).await,
        }
    }

    /// Ends an invitation.
    ///
    /// # Errors
    /// The relay knows none; nobody answers, or not as expected.
    pub async fn revoke(&self, number: InvitationNumber) -> Result<Revoked, ClientError> {
        let wanted = Revoke { number };
        let answer = self
            .send(self.http.post(url("revoke")).json(&wanted))
            .await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(ClientError::TooOldToInvite),
            _ => parse(answer, Revoked::MAX_BYTES).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use kkv_net::http::{ConnectionLimits, serve};
    use kkv_owner::CantReply;
    use kkv_protocol::v2::answers::sender::ReplySecrets;
    use kkv_relay::owner::stage::Stage;
    use kkv_relay::owner::{OwnerListener, router};
    use kkv_relay::queue::Queue;

    use super::*;

    #[tokio::test]
    async fn a_message_is_answered_where_its_sender_wants_it_and_else_it_is_said_why_not() {
        let stage = Stage::new(Queue::new(7, None).unwrap(), 1);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kkv.sock");
        let listener = OwnerListener::bind(&path).await.unwrap();
        let limits = ConnectionLimits::for_owner();
        let serving = serve(listener, router(stage.clone()), limits);
        let asks = async {
            let client = Client::new(&path).unwrap();
            let text = Text::new("an answer".to_owned().into()).unwrap();
            let opens = |words| ReplySecrets::new(&[words; 16]).opens(&mut rand::rng());
            let id = stage.arrive_with("hello", opens(1)).unwrap();
            for sealed in 1..=4 {
                let conversation = client.reply(id, &text).await.unwrap();
                let expected = Conversation {
                    number: 1,
                    answers: sealed,
                    waiting: sealed as u8,
                    answered: sealed,
                };
                assert_eq!(conversation, expected);
                let listed = client.list().await.unwrap().messages;
                assert_eq!(listed[0].conversation, Some(expected));
                let read = client.message(id).await.unwrap().summary;
                assert_eq!(read.conversation, Some(expected));
            }
            let cant = async |id: MessageId| match client.reply(id, &text).await {
                Err(ClientError::CantReply(of, why)) => {
                    assert_eq!(of, id);
                    why
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(cant(id).await, CantReply::Unfetched);
            let plain = stage.arrive("plain").unwrap();
            assert_eq!(cant(plain).await, CantReply::NotAnswerable);
            let other = stage.arrive_with("hello", opens(2)).unwrap();
            for _ in 0..3 {
                client.reply(other, &text).await.unwrap();
            }
            let CantReply::NoPlace {
                conversation: 1,
                waiting: 4,
                since,
            } = cant(other).await
            else {
                panic!("those of the first have waited longest");
            };
            let there = |answers, since, newest| WaitingAnswers {
                answers,
                since,
                newest,
            };
            let waiting = async |number| client.waiting(number).await.unwrap();
            assert_eq!(waiting(9).await, there(None, None, None));
            assert_eq!(waiting(1).await, there(Some(4), Some(since), Some(id)));
            assert_eq!(client.withdraw(9).await.unwrap(), None);
            assert_eq!(client.withdraw(1).await.unwrap(), Some(4));
            assert_eq!(client.withdraw(1).await.unwrap(), Some(0));
            assert_eq!(waiting(1).await, there(Some(0), None, Some(id)));
            let freed = client.reply(other, &text).await.unwrap();
            assert_eq!((freed.answers, freed.waiting), (4, 4));
            let listed = client.list().await.unwrap().messages;
            let first = listed[0].conversation.unwrap();
            assert_eq!((first.answers, first.waiting), (4, 0));
            stage.boxes.wipe();
            assert_eq!(cant(id).await, CantReply::BoxGone);
            let missing = client.reply(MessageId(99), &text).await;
            assert!(matches!(
                missing,
                Err(ClientError::NoMessage(MessageId(99)))
            ));
            let listed = client.list().await.unwrap().messages;
            assert!(listed.iter().all(|message| message.conversation.is_none()));
        };
        tokio::select! {
            ended = serving => panic!("{ended:?}"),
            () = asks => {}
        }
    }
}
