//! What is asked and answered about the owner's identity, and about posts.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use kkv_base::private::Private;

use crate::messages::Answer;
use crate::post_id::PostId;

/// Most posts of one answer.
pub const MAX_LISTED_POSTS: usize = 500;
/// Most characters of each post in a feed.
pub const MAX_POST_PREVIEW: usize = 200;
/// The longest text of a post, in bytes.
pub const MAX_POST_BYTES: usize = 200_000;
/// Bytes of JSON that a post takes at most beside its text.
const MAX_POST_JSON_BYTES: usize = 512;

/// Brings an identity into the relay: a new one, or one that is restored.
#[derive(Debug, Serialize, Deserialize)]
pub struct TakeIn {
    /// Its recovery words.
    pub words: Private<Zeroizing<String>>,
}

/// The identity that is in the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// Its fingerprint: 40 hex digits.
    pub key: String,
    /// By what people compare it: six groups of five digits.
    pub check_number: String,
    /// Posts that are here.
    pub posts: u64,
    /// Bytes of memory that they take, with all that belongs to them.
    pub bytes: u64,
    /// Bytes that they may take.
    pub most_bytes: u64,
}

/// The identity was wiped, with all posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// How many posts there were.
    pub posts: u64,
}

/// Who can read a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Its author alone.
    Me,
    /// The author's friends.
    Friends,
    /// Everyone.
    Everyone,
}

/// Writes a post.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewPost {
    /// What it says: 1 to [`MAX_POST_BYTES`] bytes.
    pub text: Private<Zeroizing<String>>,
    /// Who can read it.
    pub to: Audience,
}

/// Puts another text in the place of a post's, for the same readers.
#[derive(Debug, Serialize, Deserialize)]
pub struct EditPost {
    /// Which.
    pub id: PostId,
    /// What it says from now on: 1 to [`MAX_POST_BYTES`] bytes.
    pub text: Private<Zeroizing<String>>,
}

/// It is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// What it is called.
    pub id: PostId,
    /// Who can read it.
    pub to: Audience,
    /// When it ends, in unix seconds.
    pub expires: u64,
}

/// Query of a feed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct WantedPosts {
    /// How many posts; [`MAX_LISTED_POSTS`] come at most.
    pub most: usize,
    /// Characters of each text; [`MAX_POST_PREVIEW`] come at most.
    pub first: usize,
}

/// Posts, the newest first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Feed {
    /// The posts.
    pub posts: Vec<PostSummary>,
    /// Whether there are older ones.
    pub more: bool,
}

/// What is known of a post beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostSummary {
    /// What it is called.
    pub id: PostId,
    /// Its author's fingerprint: 40 hex digits.
    pub author: String,
    /// Whether that is the owner.
    pub mine: bool,
    /// When it was written, in unix seconds, to the minute.
    pub created: u64,
    /// When it ends, in unix seconds.
    pub expires: u64,
    /// How many earlier versions of it are here: it was edited.
    pub earlier: usize,
    /// Who can read it; `None` if it says something else than there is.
    pub to: Option<Audience>,
    /// Bytes of its text.
    pub bytes: usize,
    /// What its text begins with, in a feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Private<Zeroizing<String>>>,
}

/// Asks for one post.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct GetPost {
    /// Which.
    pub id: PostId,
}

/// One post.
#[derive(Debug, Serialize, Deserialize)]
pub struct Post {
    /// What is known of it beside its text.
    #[serde(flatten)]
    pub summary: PostSummary,
    /// The text.
    pub text: Private<Zeroizing<String>>,
}

/// Deletes posts.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeletePosts {
    /// Which.
    pub ids: Vec<PostId>,
}

/// What was deleted.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedPosts {
    /// The posts that were.
    pub done: Vec<PostId>,
    /// Those that are not there (any more).
    pub missing: Vec<PostId>,
}

/// Why something wasn't done with an identity or a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum CantPost {
    /// There is an identity already.
    #[error("there is an identity in this kkv already")]
    HasIdentity,
    /// The words are none of an identity.
    #[error("these are no recovery words")]
    BadWords,
    /// There is no such post.
    #[error("there is no post {0}")]
    NoPost(PostId),
    /// There is nothing in it.
    #[error("there is no text in it")]
    Empty,
    /// It is longer than [`MAX_POST_BYTES`].
    #[error("too long: {0} bytes, and 200,000 fit into a post")]
    TooLong(usize),
    /// It was changed too often within a few minutes.
    #[error("it was changed too often within a few minutes; try again in some")]
    TooOften,
    /// There is no room for it.
    #[error("there is no room for it")]
    NoRoom,
    /// The relay is ending.
    #[error("this kkv is ending")]
    Stopping,
}

const _: () = assert!(MAX_POST_BYTES == 200_000, "TooLong says so");

/// Says so.
#[derive(Debug, Serialize, Deserialize)]
pub struct PostRefused {
    /// Why.
    pub code: CantPost,
    /// The same for people, in one line.
    pub error: String,
}

impl Answer for Me {}
impl Answer for Forgotten {}
impl Answer for Posted {}
impl Answer for DeletedPosts {}
impl Answer for PostRefused {}
impl Answer for Post {
    const MAX_BYTES: usize = 6 * MAX_POST_BYTES + MAX_POST_JSON_BYTES;
}
impl Answer for Feed {
    const MAX_BYTES: usize = MAX_LISTED_POSTS * (6 * MAX_POST_PREVIEW + MAX_POST_JSON_BYTES) + 64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_answers_are_read() {
        let of = |characters: usize| Private(Zeroizing::new("\u{1}".repeat(characters)));
        let summary = PostSummary {
            id: PostId(u64::MAX),
            author: "f".repeat(40),
            mine: false,
            created: u64::MAX,
            expires: u64::MAX,
            earlier: usize::MAX,
            to: Some(Audience::Everyone),
            bytes: usize::MAX,
            first: Some(of(MAX_POST_PREVIEW)),
        };
        let feed = Feed {
            posts: vec![summary.clone(); MAX_LISTED_POSTS],
            more: false,
        };
        assert!(serde_json::to_string(&feed).unwrap().len() <= Feed::MAX_BYTES);
        let post = Post {
            summary: PostSummary {
                first: None,
                ..summary
            },
            text: of(MAX_POST_BYTES),
        };
        assert!(serde_json::to_string(&post).unwrap().len() <= Post::MAX_BYTES);
    }
}
