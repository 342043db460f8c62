//! Arguments of what the owner does with messages: `list`, `save`, `reply` and `watch`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use clap_complete::ArgValueCompleter;

use super::super::completions::ids;
use super::super::value_parsers::named_file;
use super::values::{conversation, file_number, number};
use kkv_base::private::Private;
use kkv_relay::queue::MessageId;

/// Arguments of `kkvc list`.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct List {
    /// Only those that are unread
    #[arg(long)]
    pub(in crate::cli) unread: bool,

    /// Only those with each of these words in the text or in the sender's name
    #[arg(long, value_name = "WORDS")]
    pub(in crate::cli) find: Option<Private<String>>,

    /// Leave out the first words of each text, which a terminal that is wide enough shows
    #[arg(long)]
    pub(in crate::cli) no_preview: bool,
}

/// Arguments of `kkvc save`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Save {
    /// Number of the message
    #[arg(value_parser = number, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
    pub(in crate::cli) id: MessageId,

    /// Which of its files, as `read` numbers them [default: the only one]
    #[arg(value_name = "N", allow_negative_numbers = true, value_parser = file_number)]
    pub(in crate::cli) file: Option<usize>,

    /// Write it to this new file [default: its own name, made harmless, in this directory]
    #[arg(short, long, value_name = "PATH", value_parser = named_file())]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Write all of them into this directory, which is made if it isn't there
    #[arg(long, value_name = "DIR", value_parser = named_file(), conflicts_with_all = ["file", "output"])]
    pub(in crate::cli) all: Option<PathBuf>,
}

/// Arguments of `kkvc reply`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Reply {
    /// Number of the message
    #[arg(value_parser = number, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
    #[arg(required_unless_present = "withdraw")]
    pub(in crate::cli) id: Option<MessageId>,

    /// File with the answer [default: standard input]
    #[arg(conflicts_with_all = ["message", "edit"])]
    pub(in crate::cli) file: Option<PathBuf>,

    /// Write the answer with the editor that VISUAL or EDITOR names, in memory. The editor itself may keep what you
    /// write elsewhere, as vim does in ~/.viminfo: EDITOR='vim -n -i NONE' has it keep nothing
    #[arg(short, long, conflicts_with = "message")]
    pub(in crate::cli) edit: bool,

    /// The answer itself. Other users of this machine can see it while the command runs
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(in crate::cli) message: Option<Private<String>>,

    /// Take back the answers that wait in this conversation, so that there is room for others: 2, if `list` marks its
    /// messages with ↩2
    #[arg(long, value_name = "CONVERSATION", value_parser = conversation)]
    #[arg(conflicts_with_all = ["id", "file", "edit", "message"])]
    pub(in crate::cli) withdraw: Option<u64>,

    /// Don't ask whether to take them back
    #[arg(short, long, requires = "withdraw")]
    pub(in crate::cli) yes: bool,
}

/// Arguments of `kkvc watch`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Watch {
    /// Begin with the messages that are unread already
    #[arg(long)]
    pub(in crate::cli) unread: bool,

    /// Ring the terminal's bell for each message
    #[arg(long)]
    pub(in crate::cli) bell: bool,

    /// Instead of showing it, run this for each message, by sh -c, with its text on standard input; the message is
    /// marked as read if that ends with 0
    #[arg(long, value_name = "CMD", value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) exec: Option<String>,
}

/// What `--help` of `kkvc watch` says at its end.
pub(super) const WATCH_HELP: &str = "\
If no kkv runs when it begins, it ends with 3. If one ends later, it waits for the
next.

What CMD finds in its environment:
  KKV_MESSAGE_ID        its number
  KKV_MESSAGE_SENDER    the sender's public key, in hex; empty if it came by the page
  KKV_MESSAGE_RECEIVED  when it was accepted, in seconds since 1970
  KKV_MESSAGE_BYTES     length of its text
  KKV_MESSAGE_SUITE     kkv/1 or kkv/2; web if it came by the page
  KKV_MESSAGE_OPENPGP   which OpenPGP block it is, if it is one, as in --json
  KKV_MESSAGE_OPENPGP_INSIDE
                        which are in it, if it is none itself, with commas between
  KKV_MESSAGE_CONVERSATION
                        number of its conversation, if it can be answered
  KKV_MESSAGE_FILES     a directory in memory with its files, if it has any; it is
                        removed when CMD has ended";
