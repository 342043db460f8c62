//! The owner's routes.

mod file;
mod posts;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::boxes::Boxes;
use crate::home::Home;
use crate::queue::{MessageRef, Now, Queue};
use crate::relay::{Invitations, NotInvited};
use kkv_base::limits::{
    MAX_INVITATION_USES, MAX_LISTED_CHARACTERS, MAX_PREVIEW_CHARACTERS, MAX_TTL, SLOT_BYTES,
    WATCH_TIMEOUT,
};
use kkv_base::private::Private;
use kkv_owner::run;
use kkv_owner::{
    CantReply, Changes, Delete, Done, FileInfo, Get, Invite, Invited, List, MAX_FILE_INFO_BYTES,
    Mark, Message, MessageId, Problem, Replied, Reply, ReplyRefused, Revoke, Revoked, Status,
    Summary, UNATTENDED, Version, WaitingAnswers, Waits, Wanted, Watch, Withdraw, Withdrawn,
};
use kkv_protocol::crypto::{random, scrub};
use kkv_protocol::files::Files;
use kkv_protocol::ids::RelayId;
use kkv_protocol::kind::Kind;
use kkv_protocol::openpgp::Block;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::wire::Hex;
use kkv_protocol::{MessageHeader, Via};

/// What the owner's side needs of the running program.
pub trait Host: Send + Sync + 'static {
    /// Where the messages are.
    fn queue(&self) -> &Queue<MessageHeader>;
    /// The time.
    fn now(&self) -> Now;
    /// Where answers to them wait.
    fn boxes(&self) -> &Boxes;
    /// Who is let in without paying.
    fn invitations(&self) -> &Arc<Invitations>;
    /// Where the owner's identity is.
    fn home(&self) -> &Home;
    /// The relay's public key.
    fn relay_key(&self) -> RelayId;
    /// How it is.
    fn status(&self) -> Status;
    /// Forgets messages, sessions, invitations and the owner's identity; returns which messages.
    fn wipe(&self) -> Vec<MessageId>;
    /// The owner is there: called before whatever is asked for is done.
    fn seen(&self);
}

/// The routes that only the owner sees: see [`kkv_owner`].
pub fn router(host: Arc<dyn Host>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/get_msg", get(list).post(message))
        .route("/get_file", get(file::file))
        .route("/read_msg", post(mark))
        .route("/del_msg", post(delete))
        .route("/reply", post(reply))
        .route("/waiting", post(waiting))
        .route("/withdraw", post(withdraw))
        .route("/watch", get(watch))
        .route("/wipe", post(wipe))
        .route("/invite", post(invite))
        .route("/invitations", get(invitations))
        .route("/revoke", post(revoke))
        .route("/me", get(posts::me).post(posts::take_in))
        .route("/forget_me", post(posts::forget))
        .route("/post", post(posts::post))
        .route("/edit_post", post(posts::edit))
        .route("/feed", get(posts::feed))
        .route("/get_post", post(posts::get))
        .route("/del_post", post(posts::delete))
        .layer(from_fn_with_state(Arc::clone(&host), seen))
        .with_state(host)
}

type AppHost = State<Arc<dyn Host>>;

async fn seen(State(host): AppHost, request: Request, next: Next) -> Response {
    if !request.headers().contains_key(UNATTENDED) {
        host.seen();
    }
    let key = host.relay_key();
    let mut response = if run::is_meant(request.headers(), &key) {
        next.run(request).await
    } else {
        let error = "this is another run of kkv than the one that was meant".to_owned();
        (StatusCode::CONFLICT, Json(Problem { error })).into_response()
    };
    response.headers_mut().insert(run::RUN, run::value(&key));
    response
}

async fn status(State(host): AppHost) -> Json<Status> {
    Json(host.status())
}

async fn list(State(host): AppHost, Query(wanted): Query<Wanted>) -> Response {
    aside(move || Json(listed(&*host, wanted)).into_response()).await
}

fn listed(host: &dyn Host, wanted: Wanted) -> List {
    let first_wanted = wanted
        .first
        .map(|characters| characters.min(MAX_PREVIEW_CHARACTERS));
    let look = |waiting: MessageRef<'_, MessageHeader>| {
        let parts = Parts::of(&waiting);
        let mut summary = summary(&waiting, &parts, MAX_LISTED_CHARACTERS);
        // A block begins as all blocks do.
        let wanted = first_wanted.filter(|_| summary.openpgp.is_none());
        summary.first = wanted.map(|characters| first(parts.text, characters).into());
        summary
    };
    let now = host.now().elapsed;
    let Some(since) = wanted.since else {
        let mut messages = host.queue().list(now, look);
        host.boxes().fill(&mut messages);
        return messages.into();
    };
    let relay = host.relay_key();
    // Another run's versions say nothing of this one's.
    let since = Some(since).filter(|_| wanted.relay == Some(relay));
    let mut changes = host.queue().changes(since, now, look);
    // Looked at after the version: what changes meanwhile is listed again.
    host.boxes().fill(&mut changes.shown);
    List {
        messages: changes.shown,
        changes: Some(Changes {
            relay,
            version: changes.version,
            since: changes.since,
            oldest: changes.oldest,
            gone: changes.gone,
        }),
    }
}

async fn message(State(host): AppHost, Json(wanted): Json<Get>) -> Response {
    let relay = host.relay_key();
    let found = host.queue().with(wanted.id, host.now().elapsed, |waiting| {
        let parts = Parts::of(&waiting);
        Message {
            summary: summary(&waiting, &parts, usize::MAX),
            relay,
            session: waiting.header.session,
            box_digest: waiting.header.box_digest,
            signature: Hex(waiting.header.signature.0),
            text: Private(String::from_utf8_lossy(parts.text).into_owned().into()),
        }
    });
    match found {
        Some(mut message) => {
            host.boxes().fill([&mut message.summary]);
            let files = message.summary.files.len() * MAX_FILE_INFO_BYTES;
            wiped(&message, MAX_MESSAGE_BYTES + files)
        }
        None => missing(wanted.id),
    }
}

fn missing(id: MessageId) -> Response {
    let error = format!("there is no message {id}");
    (StatusCode::NOT_FOUND, Json(Problem { error })).into_response()
}

async fn reply(State(host): AppHost, Json(wanted): Json<Reply>) -> Response {
    let mut response = aside(move || replied(&*host, wanted)).await;
    // What was read of the request goes with the connection.
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

fn replied(host: &dyn Host, Reply { id, text }: Reply) -> Response {
    let text = match Text::new(text.0) {
        Ok(text) => text,
        Err(why) => {
            let error = why.to_string();
            return (StatusCode::BAD_REQUEST, Json(Problem { error })).into_response();
        }
    };
    let now = host.now();
    let asked = host.queue().with(id, now.elapsed, |message| {
        let header = message.header;
        header.via != Via::V1 && header.box_digest != BoxPart::None.digest()
    });
    let sealed = match asked {
        None => return missing(id),
        Some(false) => Err(CantReply::NotAnswerable),
        Some(true) => host
            .boxes()
            .answer(id, &text, &host.relay_key(), host.queue(), now),
    };
    match sealed {
        Ok(conversation) => Json(Replied { conversation }).into_response(),
        // It has expired, or was deleted, since it was looked at.
        Err(_) if !host.queue().holds(id, now.elapsed) => missing(id),
        Err(code) => {
            let error = code.to_string();
            let refused = Json(ReplyRefused { code, error });
            (StatusCode::UNPROCESSABLE_ENTITY, refused).into_response()
        }
    }
}

async fn waiting(State(host): AppHost, Json(asked): Json<Waits>) -> Json<WaitingAnswers> {
    let (boxes, number, now) = (host.boxes(), asked.conversation, host.now());
    let there = boxes.waiting(number, host.queue(), now);
    Json(WaitingAnswers {
        answers: there.map(|(answers, _)| answers),
        since: there.and_then(|(_, since)| since),
        newest: boxes.newest(number, host.queue(), now),
    })
}

async fn withdraw(State(host): AppHost, Json(wanted): Json<Withdraw>) -> Json<Withdrawn> {
    let number = wanted.conversation;
    let answers = host.boxes().withdraw(number, host.queue(), host.now());
    Json(Withdrawn { answers })
}

async fn mark(State(host): AppHost, Json(wanted): Json<Mark>) -> Json<Done> {
    let now = host.now().elapsed;
    each(wanted.ids, |id| host.queue().mark(id, wanted.read, now))
}

async fn delete(State(host): AppHost, Json(wanted): Json<Delete>) -> Json<Done> {
    aside(move || {
        let now = host.now().elapsed;
        match wanted {
            Delete::Ids(ids) => each(ids, |id| host.queue().delete(id, now)),
            Delete::All => Json(Done {
                done: host.queue().delete_all(now),
                missing: Vec::new(),
            }),
        }
    })
    .await
}

async fn watch(State(host): AppHost, Query(watch): Query<Watch>) -> Json<Version> {
    let mut version = host.queue().watch();
    let news = version.wait_for(|version| *version != watch.seen);
    let _ = tokio::time::timeout(WATCH_TIMEOUT, news).await;
    let version = *version.borrow();
    Json(Version { version })
}

async fn wipe(State(host): AppHost) -> Json<Done> {
    let done = aside(move || host.wipe()).await;
    Json(Done {
        done,
        missing: Vec::new(),
    })
}

/// Makes an invitation. Its token is in this answer and nowhere else.
async fn invite(State(host): AppHost, Json(wanted): Json<Invite>) -> Response {
    let uses = wanted.uses.clamp(1, MAX_INVITATION_USES);
    let lifetime = Duration::from_secs(wanted.lifetime_seconds).min(MAX_TTL);
    let (now, rng) = (host.now(), &mut random::kernel());
    match host.invitations().make(uses, lifetime, now, rng) {
        Ok((token, invitation)) => wiped(
            &Invited {
                invitation,
                token: Private(token.to_text()),
            },
            MAX_INVITED_BYTES,
        ),
        Err(why) => {
            let status = match why {
                NotInvited::NoKkv2 => StatusCode::NOT_IMPLEMENTED,
                NotInvited::TooMany => StatusCode::INSUFFICIENT_STORAGE,
            };
            let error = why.to_string();
            (status, Json(Problem { error })).into_response()
        }
    }
}

async fn invitations(State(host): AppHost) -> Json<kkv_owner::Invitations> {
    let invitations = host.invitations().list(host.now().elapsed);
    Json(kkv_owner::Invitations { invitations })
}

async fn revoke(State(host): AppHost, Json(wanted): Json<Revoke>) -> Json<Revoked> {
    let now = host.now().elapsed;
    let revoked = host.invitations().revoke(wanted.number, now);
    Json(Revoked { revoked })
}

/// Does what may take milliseconds, or a tenth of a second with the largest queue, on a thread of its own: strangers
/// share this one.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(|| scrub::run_then_wipe_stack(work))
        .await
        .expect("nothing in it panics")
}

/// More than the longest message in JSON: `\u0000` for each byte of the text, and the rest in a kilobyte.
const MAX_MESSAGE_BYTES: usize = 6 * SLOT_BYTES + 1024;
/// More than a new invitation: four numbers and 32 characters.
const MAX_INVITED_BYTES: usize = 512;

/// A JSON answer of less than `most` bytes, which are overwritten once the socket has them. (The beginnings of texts in
/// a list go as all memory does that is freed: the allocator wipes it.)
fn wiped(answer: &impl Serialize, most: usize) -> Response {
    struct Wiped(Zeroizing<Vec<u8>>);
    impl AsRef<[u8]> for Wiped {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    // Of more than the longest, so it never moves and leaves no copy.
    let mut body = Zeroizing::new(Vec::with_capacity(most));
    serde_json::to_writer(&mut *body, answer).expect("our own types are always JSON");
    let body = Bytes::from_owner(Wiped(body));
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

fn each(ids: Vec<MessageId>, mut act: impl FnMut(MessageId) -> bool) -> Json<Done> {
    let (done, missing) = ids.into_iter().partition(|id| act(*id));
    Json(Done { done, missing })
}

/// What a message consists of.
struct Parts<'m> {
    text: &'m [u8],
    files: Option<Files<'m>>,
}

impl<'m> Parts<'m> {
    fn of(waiting: &MessageRef<'m, MessageHeader>) -> Self {
        let files = match waiting.header.kind {
            Kind::Text => None,
            Kind::Files => Files::decode(waiting.content).ok(), // it was looked at before it was accepted
        };
        Self {
            text: files
                .as_ref()
                .map_or(waiting.content, |files| files.text().as_bytes()),
            files,
        }
    }

    /// With so many characters of each name and type at most.
    fn files(&self, characters: usize) -> Vec<FileInfo> {
        let cut = |text: &str| {
            let end = text
                .char_indices()
                .nth(characters)
                .map_or(text.len(), |(at, _)| at);
            Private(Zeroizing::new(text[..end].to_owned()))
        };
        let files = self.files.iter().flat_map(Files::files);
        files
            .map(|file| FileInfo {
                name: cut(file.name()),
                bytes: file.bytes().len() as u64,
                media_type: cut(file.media_type()),
            })
            .collect()
    }
}

/// What is known of a message, with so many characters of each file's name at most.
fn summary(
    waiting: &MessageRef<'_, MessageHeader>,
    parts: &Parts<'_>,
    characters: usize,
) -> Summary {
    Summary {
        id: waiting.id,
        received: waiting.received,
        read: waiting.read,
        via: waiting.header.via,
        kind: waiting.header.kind,
        cost: waiting.header.cost.bits(),
        invitation: waiting.header.invitation,
        bytes: waiting.content.len(),
        sender: (waiting.header.via != Via::Web).then_some(waiting.header.sender),
        openpgp: Block::of(parts.text),
        openpgp_inside: Block::inside(parts.text),
        files: parts.files(characters),
        first: None,
        conversation: None,
    }
}

/// So many characters of a text, behind the blanks that it may begin with.
fn first(text: &[u8], characters: usize) -> Zeroizing<String> {
    let text = text.trim_ascii_start();
    let longest = text.len().min(4 * characters); // in UTF-8, so that what may be cut in two stands behind them
    let text = Zeroizing::new(String::from_utf8_lossy(&text[..longest]).into_owned());
    let end = text.char_indices().nth(characters).map(|(at, _)| at);
    Zeroizing::new(text[..end.unwrap_or(text.len())].to_owned())
}

#[cfg(test)]
mod followed;
