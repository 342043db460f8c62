//! Arguments of the owner's identity and of posts: `me`, `post`, `edit` and `feed`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::super::value_parsers::{from_one_to, named_file};
use super::values::{audience, post_id};
use kkv_base::private::Private;
use kkv_owner::{Audience, MAX_LISTED_POSTS, PostId};

/// The commands of `kkvc me`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum MeCommand {
    /// Make an identity in your running kkv, and show the 12 words that bring it back
    New {
        /// Leave the words in this new file instead of showing them
        #[arg(long, value_name = "FILE", value_parser = named_file())]
        words_file: Option<PathBuf>,
    },
    /// Show your identity: its check number, and how much room its posts take
    Show,
    /// Bring an identity back by its 12 words. Its posts don't come back
    Restore {
        /// File with the 12 words [default: they are asked for]
        #[arg(long, value_name = "FILE", value_parser = named_file())]
        words_file: Option<PathBuf>,
    },
    /// Wipe your identity, its keys and its posts from memory. Its words bring it back
    Forget {
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Arguments of `kkvc post`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Post {
    /// File with the post [default: standard input]
    #[arg(conflicts_with = "message")]
    pub(in crate::cli) file: Option<PathBuf>,

    /// The post itself. Other users of this machine can see it while the command runs
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(in crate::cli) message: Option<Private<String>>,

    /// Who can read it: 'friends', 'everyone', or 'me', which is you alone
    #[arg(long, value_name = "WHOM", value_parser = audience, default_value = "friends")]
    pub(in crate::cli) to: Audience,

    /// Don't ask whether everyone may read it
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
}

/// Arguments of `kkvc edit`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Edit {
    /// Id of the post, like p3
    #[arg(value_parser = post_id)]
    pub(in crate::cli) id: PostId,

    /// File with its text from now on [default: standard input]
    #[arg(conflicts_with = "message")]
    pub(in crate::cli) file: Option<PathBuf>,

    /// The text itself. Other users of this machine can see it while the command runs
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(in crate::cli) message: Option<Private<String>>,
}

/// Arguments of `kkvc feed`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Feed {
    /// Show so many posts at most
    #[arg(long, value_name = "N", default_value_t = 20, allow_negative_numbers = true, value_parser = from_one_to(MAX_LISTED_POSTS as u32))]
    pub(in crate::cli) most: u32,
}
