//! What owner and relay say to each other: JSON both ways over a Unix socket, messages by id; and where that socket is.
//!
//! | route | request | answer |
//! |---|---|---|
//! | `GET /status` | – | [`Status`] |
//! | `GET /get_msg`, `GET /get_msg?first=N` | – | [`List`]; with N characters of each text |
//! | `GET /get_msg?since=N&relay=KEY` | – | [`List`] of what has changed since version N of this relay's queue |
//! | `POST /get_msg` | [`Get`] | [`Message`], or 404 |
//! | `GET /get_file?id=N&file=K` | – | the K-th file of message N, as it is, or 404 |
//! | `POST /read_msg` | [`Mark`] | [`Done`] |
//! | `POST /del_msg` | [`Delete`] | [`Done`] |
//! | `POST /reply` | [`Reply`] | [`Replied`], 404, or 422 with [`ReplyRefused`] |
//! | `POST /waiting` | [`Waits`] | [`WaitingAnswers`] |
//! | `POST /withdraw` | [`Withdraw`] | [`Withdrawn`] |
//! | `GET /watch?seen=N` | – | [`Version`], once it is not N, or after a minute |
//! | `POST /wipe` | – | [`Done`]; ends open sessions and invitations as well |
//! | `POST /invite` | [`Invite`] | [`Invited`]; 501 in kkv/1 alone, 507 with too many of them |
//! | `GET /invitations` | – | [`Invitations`] |
//! | `POST /revoke` | [`Revoke`] | [`Revoked`] |
//! | `POST /me` | [`TakeIn`] | [`Me`], or 422 with [`PostRefused`] |
//! | `GET /me` | – | [`Me`] |
//! | `POST /forget_me` | – | [`Forgotten`] |
//! | `POST /post` | [`NewPost`] | [`Posted`], or 422 with [`PostRefused`] |
//! | `POST /edit_post` | [`EditPost`] | [`Posted`], or 422 with [`PostRefused`] |
//! | `GET /feed?most=N&first=K` | – | [`Feed`], with K characters of each text |
//! | `POST /get_post` | [`GetPost`] | [`Post`], or 422 with [`PostRefused`] |
//! | `POST /del_post` | [`DeletePosts`] | [`DeletedPosts`] |
//!
//! As long as there is no identity, all of the last eight but `POST /me` are answered by 404, as if there were no such
//! route.
//!
//! The relay's side of it is in `kkv-relay`, the client's in `kkv-client`.

mod id;
mod invitations;
mod messages;
mod post_id;
mod posts;
mod replies;
pub mod run;
pub mod socket;
mod status;

pub use id::MessageId;
pub use invitations::{Invitation, Invitations, Invite, Invited, Revoke, Revoked};
pub use messages::{
    Answer, Changes, Delete, Done, FileInfo, Get, GetFile, Known, List, MAX_FILE_INFO_BYTES, Mark,
    Message, Problem, Summary, UNATTENDED, Version, Wanted, Watch,
};
pub use post_id::{BadPostId, PostId};
pub use posts::{
    Audience, CantPost, DeletePosts, DeletedPosts, EditPost, Feed, Forgotten, GetPost,
    MAX_LISTED_POSTS, MAX_POST_BYTES, MAX_POST_PREVIEW, Me, NewPost, Post, PostRefused,
    PostSummary, Posted, TakeIn, WantedPosts,
};
pub use replies::{
    CantReply, Conversation, Replied, Reply, ReplyRefused, WaitingAnswers, Waits, Withdraw,
    Withdrawn,
};
pub use status::{Confined, Occupancy, PageStatus, Reach, Room, Sandbox, Status};
