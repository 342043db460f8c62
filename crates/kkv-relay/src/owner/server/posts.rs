//! The owner's routes of an identity and its posts. Without an identity all but the one that brings it in are answered
//! as if there were no such route.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kkv_agent::{Agent, NotPosted, Number};
use kkv_base::private::Private;
use kkv_letters::{Minutes, Seed};
use kkv_owner::{
    Audience, CantPost, DeletePosts, DeletedPosts, EditPost, Feed, Forgotten, GetPost,
    MAX_LISTED_POSTS, MAX_POST_PREVIEW, Me, NewPost, Post, PostId, PostRefused, PostSummary,
    Posted, TakeIn, WantedPosts,
};
use kkv_protocol::crypto::random;
use zeroize::Zeroizing;

use super::{AppHost, Host, aside, first, wiped};
use crate::home::NotTakenIn;

const _: () = assert!(kkv_owner::MAX_POST_BYTES == kkv_agent::MAX_POST_BYTES);

/// More than a post in JSON takes beside its text.
const AROUND_BYTES: usize = 1024;

pub(super) async fn take_in(State(host): AppHost, Json(wanted): Json<TakeIn>) -> Response {
    let response = aside(move || {
        let Ok(seed) = Seed::parse(&wanted.words) else {
            return refused(CantPost::BadWords);
        };
        let taken = host
            .home()
            .take_in(seed, now(&*host), &mut random::kernel());
        match taken {
            Ok(()) => shown(&*host),
            Err(NotTakenIn::Taken) => refused(CantPost::HasIdentity),
            Err(NotTakenIn::Closed) => refused(CantPost::Stopping),
        }
    })
    .await;
    closing(response)
}

pub(super) async fn me(State(host): AppHost) -> Response {
    shown(&*host)
}

fn shown(host: &dyn Host) -> Response {
    answered(host.home().with(|agent| {
        let room = agent.room();
        Json(Me {
            key: agent.me().to_string(),
            check_number: agent.check_number().to_string(),
            posts: room.posts as u64,
            bytes: room.bytes as u64,
            most_bytes: room.budget as u64,
        })
    }))
}

pub(super) async fn forget(State(host): AppHost) -> Response {
    aside(move || {
        let forgotten = host.home().forget();
        answered(forgotten.map(|posts| {
            Json(Forgotten {
                posts: posts as u64,
            })
        }))
    })
    .await
}

pub(super) async fn post(State(host): AppHost, Json(wanted): Json<NewPost>) -> Response {
    let response = aside(move || {
        let now = now(&*host);
        let to = match wanted.to {
            Audience::Me => kkv_agent::Audience::Myself,
            Audience::Friends => kkv_agent::Audience::Friends,
            Audience::Everyone => kkv_agent::Audience::Everyone,
        };
        answered(host.home().with(|agent| {
            let written = agent.post(&wanted.text, to, now, &mut random::kernel());
            let posted = written.map(|number| Posted {
                id: PostId(number.0),
                to: wanted.to,
                expires: agent
                    .read(number, now)
                    .map_or(0, |post| post.expires.unix()),
            });
            match posted {
                Ok(posted) => Json(posted).into_response(),
                Err(why) => refused(why_not(why)),
            }
        }))
    })
    .await;
    closing(response)
}

pub(super) async fn edit(State(host): AppHost, Json(wanted): Json<EditPost>) -> Response {
    let response = aside(move || {
        let now = now(&*host);
        answered(host.home().with(|agent| {
            let number = Number(wanted.id.0);
            let edited = agent.edit(number, &wanted.text, now, &mut random::kernel());
            match (edited, agent.read(number, now)) {
                (Ok(()), Some(post)) => Json(Posted {
                    id: wanted.id,
                    to: post.to.map_or(Audience::Me, said),
                    expires: post.expires.unix(),
                })
                .into_response(),
                (Err(NotPosted::NotOwn), _) | (Ok(()), None) => {
                    refused(CantPost::NoPost(wanted.id))
                }
                (Err(why), _) => refused(why_not(why)),
            }
        }))
    })
    .await;
    closing(response)
}

fn said(to: kkv_agent::Audience) -> Audience {
    match to {
        kkv_agent::Audience::Myself => Audience::Me,
        kkv_agent::Audience::Friends => Audience::Friends,
        kkv_agent::Audience::Everyone => Audience::Everyone,
    }
}

fn why_not(why: NotPosted) -> CantPost {
    match why {
        NotPosted::Empty => CantPost::Empty,
        NotPosted::TooLong(bytes) => CantPost::TooLong(bytes),
        NotPosted::TooOften => CantPost::TooOften,
        _ => CantPost::NoRoom,
    }
}

pub(super) async fn feed(State(host): AppHost, Query(wanted): Query<WantedPosts>) -> Response {
    aside(move || {
        let now = now(&*host);
        let characters = wanted.first.min(MAX_POST_PREVIEW);
        let most = wanted.most.min(MAX_LISTED_POSTS);
        answered(host.home().with(|agent| {
            let page = agent.feed(most, now);
            let posts = page.posts.iter().map(|post| {
                let text = post.text().unwrap_or_default().as_bytes();
                PostSummary {
                    first: Some(first(text, characters).into()),
                    ..summary(post)
                }
            });
            let feed = Feed {
                posts: posts.collect(),
                more: page.has_more,
            };
            wiped(
                &feed,
                most * (6 * MAX_POST_PREVIEW + AROUND_BYTES) + AROUND_BYTES,
            )
        }))
    })
    .await
}

pub(super) async fn get(State(host): AppHost, Json(wanted): Json<GetPost>) -> Response {
    aside(move || {
        let now = now(&*host);
        answered(host.home().with(|agent| {
            let Some(post) = agent.read(Number(wanted.id.0), now) else {
                return refused(CantPost::NoPost(wanted.id));
            };
            let text = post.text().unwrap_or_default();
            let shown = Post {
                summary: summary(&post),
                text: Private(Zeroizing::new(text.to_owned())),
            };
            wiped(&shown, 6 * text.len() + AROUND_BYTES)
        }))
    })
    .await
}

pub(super) async fn delete(State(host): AppHost, Json(wanted): Json<DeletePosts>) -> Response {
    aside(move || {
        let now = now(&*host);
        answered(host.home().with(|agent| deleted(agent, wanted.ids, now)))
    })
    .await
}

fn deleted(agent: &mut Agent, ids: Vec<PostId>, now: Minutes) -> Response {
    let mut deleted = DeletedPosts::default();
    for id in ids {
        match agent.delete(Number(id.0), now, &mut random::kernel()) {
            Ok(true) => deleted.done.push(id),
            Ok(false) => deleted.missing.push(id),
            Err(why) => return refused(why_not(why)),
        }
    }
    Json(deleted).into_response()
}

fn summary(post: &kkv_agent::Post) -> PostSummary {
    PostSummary {
        id: PostId(post.number.0),
        author: post.author.to_string(),
        mine: post.is_mine,
        created: post.since.unix(),
        expires: post.expires.unix(),
        earlier: post.earlier,
        to: post.to.map(said),
        bytes: post.text().unwrap_or_default().len(),
        first: None,
    }
}

fn now(host: &dyn Host) -> Minutes {
    Minutes::from_unix(host.now().unix)
}

/// 404 without a word, if there is no identity.
fn answered(done: Option<impl IntoResponse>) -> Response {
    done.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        IntoResponse::into_response,
    )
}

fn refused(code: CantPost) -> Response {
    let error = code.to_string();
    let refused = Json(PostRefused { code, error });
    (StatusCode::UNPROCESSABLE_ENTITY, refused).into_response()
}

/// What was read of the request goes with the connection.
fn closing(mut response: Response) -> Response {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}
