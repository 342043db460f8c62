//! What `read` and `delete` are told to act on: messages, or posts.

use super::commands::Named;
use kkv_owner::PostId;
use kkv_ui::error::CliError;
use kkv_ui::selection::IdRange;

/// All that was named is of one kind.
pub(super) enum Which {
    Messages(Vec<IdRange>),
    Posts(Vec<PostId>),
}

/// # Errors
/// There are both kinds: a question and an answer are about one of them.
pub(super) fn split(named: &[Named]) -> Result<Which, CliError> {
    let (mut messages, mut posts) = (Vec::new(), Vec::new());
    for one in named {
        match one {
            Named::Messages(range) => messages.push(*range),
            Named::Post(id) if posts.contains(id) => {}
            Named::Post(id) => posts.push(*id),
        }
    }
    match (messages.is_empty(), posts.is_empty()) {
        (_, true) => Ok(Which::Messages(messages)),
        (true, false) => Ok(Which::Posts(posts)),
        (false, false) => Err(CliError::usage(
            "messages and posts are named apart: a command each",
        )),
    }
}
