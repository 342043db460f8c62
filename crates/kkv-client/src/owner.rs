//! The owner's client: one call per route.

mod fault;
mod only_socket;
mod run;

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use serde::Serialize;
use zeroize::Zeroizing;

pub use fault::ClientError;
use fault::{at_bottom, causes, unanswered};

use kkv_base::limits::{OWNER_FILE_TIMEOUT, OWNER_TIMEOUT, WATCH_TIMEOUT};
use kkv_base::private::Private;
use kkv_net::process::{ROOT, own_uid};
use kkv_owner::socket::{SERVICE_PATH, default_path};
use kkv_owner::{
    Answer, Conversation, Delete, Done, Get, GetFile, Invitations, Invite, Invited, Known, List,
    Mark, Message, MessageId, Replied, Reply, ReplyRefused, Revoke, Revoked, Status, UNATTENDED,
    Version, Wanted, Watch, Withdraw, Withdrawn,
};
use kkv_protocol::ids::RelayId;
use kkv_protocol::text::Text;
use kkv_protocol::v2::invitation::InvitationNumber;
use kkv_protocol::v2::purpose::LargeSize;
use only_socket::only;
use run::Meant;

/// Speaks to a relay that runs on this machine.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    socket: PathBuf,
    attended: bool,
    meant: Meant,
}

/// The bytes of a file that are still to come.
#[derive(Debug)]
pub struct FileBytes {
    answer: reqwest::Response,
    left: u64,
}

/// No file is longer.
const MAX_FILE_BYTES: u64 = LargeSize::MAX_CONTENT_BYTES as u64;

impl FileBytes {
    /// How many there are.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// What comes next; `None` at the end.
    ///
    /// # Errors
    /// It ends too early, as it does if the message is deleted meanwhile.
    pub async fn next(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, ClientError> {
        let piece = self
            .answer
            .chunk()
            .await
            .map_err(|fault| unanswered(&fault))?;
        let bytes = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        match (piece, self.left.checked_sub(bytes)) {
            (None, _) if self.left == 0 => Ok(None),
            (Some(piece), Some(left)) => {
                self.left = left;
                Ok(Some(Zeroizing::new(piece.to_vec())))
            }
            _ => Err(ClientError::Unexpected(
                "a file that is shorter or longer than it was said to be".to_owned(),
            )),
        }
    }
}

impl Client {
    /// A client for this user's own relay, where it is unless told otherwise; if there is none, for the one that runs
    /// as a service of this machine.
    ///
    /// # Errors
    /// There is neither, or it is another user's.
    pub fn by_default() -> Result<Self, ClientError> {
        Self::first_of(&default_path(), Path::new(SERVICE_PATH))
    }

    fn first_of(own: &Path, service: &Path) -> Result<Self, ClientError> {
        Self::new(own).or_else(|fault| match (fault, Self::new(service)) {
            (_, Ok(client)) => Ok(client),
            (ClientError::NotRunning(_), Err(ClientError::NotYours(service))) => {
                Err(ClientError::ServiceOnly(service))
            }
            (fault, Err(_)) => Err(fault),
        })
    }

    /// A client for the relay at `socket`.
    ///
    /// # Errors
    /// There is none, or it is another user's.
    pub fn new(socket: &Path) -> Result<Self, ClientError> {
        belongs_to_us(socket)?;
        if std::fs::metadata(socket).is_ok_and(|found| !found.file_type().is_socket()) {
            return Err(ClientError::NotASocket(socket.to_owned()));
        }
        let http = only(socket).map_err(|fault| ClientError::Unexpected(at_bottom(&fault)))?;
        Ok(Self {
            http,
            socket: socket.to_owned(),
            attended: true,
            meant: Meant::Any,
        })
    }

    /// Where the relay is.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The same, but what it asks is no sign that the owner is there: nobody may be in front of it.
    #[must_use]
    pub fn unattended(self) -> Self {
        Self {
            attended: false,
            ..self
        }
    }

    /// The same, for one run of the relay: the first that answers. No other does anything that is asked for, and none
    /// is listened to.
    #[must_use]
    pub fn of_one_run(self) -> Self {
        Self {
            meant: Meant::One(OnceLock::new()),
            ..self
        }
    }

    /// The same, for the run with this key.
    #[must_use]
    pub fn of_run(self, key: RelayId) -> Self {
        Self {
            meant: Meant::One(OnceLock::from(key)),
            ..self
        }
    }

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

    /// One file of a message, from 1: bit by bit as it comes.
    ///
    /// # Errors
    /// Not there; nobody answers, or not as expected.
    pub async fn file(&self, id: MessageId, file: usize) -> Result<FileBytes, ClientError> {
        let request = self.http.get(url("get_file")).query(&GetFile { id, file });
        let answer = self.send(request.timeout(OWNER_FILE_TIMEOUT)).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(ClientError::NoMessage(id));
        }
        let length = answer.content_length();
        match length {
            Some(length) if answer.status().is_success() && length <= MAX_FILE_BYTES => {
                Ok(FileBytes {
                    answer,
                    left: length,
                })
            }
            _ => Err(ClientError::Unexpected(
                "an answer that is no file".to_owned(),
            )),
        }
    }

    /// Marks as read or unread.
    ///
    /// # Errors
    /// Nobody answers, or not as expected.
    pub async fn mark(&self, ids: Vec<MessageId>, read: bool) -> Result<Done, ClientError> {
        self.post("read_msg", &Mark { ids, read }).await
    }

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

    /// Deletes.
    ///
    /// # Errors
    /// Nobody answers, or not as expected.
    pub async fn delete(&self, what: &Delete) -> Result<Done, ClientError> {
        self.post("del_msg", what).await
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

    async fn post<T: Answer>(&self, route: &str, body: &impl Serialize) -> Result<T, ClientError> {
        self.call(self.http.post(url(route)).json(body)).await
    }

    async fn call<T: Answer>(&self, request: reqwest::RequestBuilder) -> Result<T, ClientError> {
        parse(self.send(request).await?, T::MAX_BYTES).await
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, ClientError> {
        let (client, request) = request.build_split();
        let mut request = request.map_err(|fault| ClientError::Unexpected(at_bottom(&fault)))?;
        request.timeout_mut().get_or_insert(OWNER_TIMEOUT);
        if !self.attended {
            request
                .headers_mut()
                .insert(UNATTENDED, HeaderValue::from_static("1"));
        }
        self.meant.say(request.headers_mut());
        let answer = client.execute(request).await.map_err(|fault| {
            if fault.is_connect() {
                self.unreached(&fault)
            } else {
                unanswered(&fault)
            }
        })?;
        self.meant.check(answer.headers())?;
        Ok(answer)
    }

    fn unreached(&self, fault: &reqwest::Error) -> ClientError {
        let forbidden = causes(fault).any(|cause| {
            let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
            kind == Some(io::ErrorKind::PermissionDenied)
        });
        if forbidden {
            ClientError::NotYours(self.socket.clone())
        } else {
            ClientError::NotRunning(self.socket.clone())
        }
    }
}

/// Whoever made the socket could pose as the relay, and in a directory for all, such as /tmp, anyone can be first. So
/// it has to be ours; root's may also be any user's, in a place where nobody else could have made it.
fn belongs_to_us(socket: &Path) -> Result<(), ClientError> {
    match std::fs::symlink_metadata(socket).map(|metadata| metadata.uid()) {
        Ok(maker) if maker == own_uid() => Ok(()),
        Ok(maker) if own_uid() == ROOT && only_writes(maker, socket) => Ok(()),
        Ok(_) => Err(ClientError::NotYours(socket.to_owned())),
        Err(fault) if fault.kind() == io::ErrorKind::PermissionDenied => {
            Err(ClientError::NotYours(socket.to_owned()))
        }
        Err(_) => Err(ClientError::NotRunning(socket.to_owned())),
    }
}

/// Whether `user` and root are the only ones who can change what is at `path`.
fn only_writes(user: u32, path: &Path) -> bool {
    let directory =
        std::path::absolute(path).and_then(|path| path.parent().unwrap_or(&path).canonicalize());
    directory.is_ok_and(|directory| {
        directory.ancestors().all(|directory| {
            std::fs::metadata(directory).is_ok_and(|metadata| {
                [ROOT, user].contains(&metadata.uid()) && metadata.mode() & 0o022 == 0
            })
        })
    })
}

fn url(route: &str) -> String {
    format!("http://kkv/{route}")
}

async fn parse<T: Answer>(answer: reqwest::Response, most: usize) -> Result<T, ClientError> {
    let status = answer.status();
    if !status.is_success() {
        return Err(ClientError::Unexpected(format!("status {status}")));
    }
    let body = whole(answer, most).await?;
    // Why it can't be read is not told: that would repeat parts of it, which may be a stranger's text.
    serde_json::from_slice(&body).map_err(|_| unread())
}

fn unread() -> ClientError {
    ClientError::Unexpected("an answer that can't be read".to_owned())
}

/// The body of an answer, of `most` bytes at most: who answers may not be who we think.
async fn whole(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|fault| unanswered(&fault))? {
        if body.len() + piece.len() > most {
            let what = "an answer that is longer than any of a relay's".to_owned();
            return Err(ClientError::Unexpected(what));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;
    use std::os::unix::net::UnixListener;

    use kkv_net::http::{ConnectionLimits, serve};
    use kkv_owner::CantReply;
    use kkv_protocol::v2::answers::sender::ReplySecrets;
    use kkv_relay::owner::stage::Stage;
    use kkv_relay::owner::{OwnerListener, router};
    use kkv_relay::queue::Queue;

    use super::*;

    fn socket_in(directory: &Path, name: &str) -> PathBuf {
        let path = directory.join(name);
        drop(UnixListener::bind(&path).unwrap());
        path
    }

    #[test]
    fn the_users_own_relay_comes_before_the_service() {
        let directory = tempfile::tempdir().unwrap();
        let own = socket_in(directory.path(), "own");
        let service = socket_in(directory.path(), "service");
        let nowhere = directory.path().join("nowhere");
        let chosen = |own: &Path, service: &Path| Client::first_of(own, service).map(|c| c.socket);
        assert_eq!(chosen(&own, &service).unwrap(), own);
        assert_eq!(chosen(&own, &nowhere).unwrap(), own);
        assert_eq!(chosen(&nowhere, &service).unwrap(), service);
        assert!(matches!(
            chosen(&nowhere, Path::new("/nonexistent")),
            Err(ClientError::NotRunning(path)) if path == nowhere
        ));
        // One that is another user's: given away, if we can, or else something of root's.
        let theirs = match chown(&service, Some(65534), None) {
            Ok(()) => service,
            Err(_) => "/".into(),
        };
        assert!(matches!(
            chosen(&nowhere, &theirs),
            Err(ClientError::ServiceOnly(path)) if path == theirs
        ));
        assert!(matches!(
            chosen(&theirs, &nowhere),
            Err(ClientError::NotYours(path)) if path == theirs
        ));
        assert_eq!(chosen(&theirs, &own).unwrap(), own);
    }

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
            let longest = CantReply::NoPlace { conversation: 1 };
            assert_eq!(cant(other).await, longest);
            assert_eq!(client.withdraw(9).await.unwrap(), None);
            assert_eq!(client.withdraw(1).await.unwrap(), Some(4));
            assert_eq!(client.withdraw(1).await.unwrap(), Some(0));
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

    #[test]
    fn a_place_is_a_users_alone_if_nobody_else_writes_to_any_directory_above_it() {
        for (path, alone) in [
            ("/usr/bin/kkv.sock", true),
            ("/usr/../usr/bin/kkv.sock", true),
            ("/tmp/kkv.sock", false),
            ("/nonexistent/kkv.sock", false),
        ] {
            assert_eq!(only_writes(1000, Path::new(path)), alone, "{path}");
        }
    }
}
