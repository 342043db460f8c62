//! Arguments of what senders do: `send` and `replies`.

use std::path::PathBuf;

use clap::Args;

use super::super::carrying::Carrying;
use super::super::value_parsers::named_file;
use super::values::recipient;
use kkv_base::private::Private;
use kkv_client::contacts::Recipient;
use kkv_protocol::suite::SuitePolicy;

/// Arguments of `kkvc send`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Send {
    /// Whom it is for: an onion address (56 characters and .onion), with or without :PORT, or an address on this
    /// machine; behind it with + an invitation, if you have one; with --contacts also a name
    #[arg(value_parser = recipient)]
    pub(in crate::cli) address: Recipient,

    /// File with the message [default: standard input]
    #[arg(conflicts_with = "message")]
    pub(in crate::cli) file: Option<PathBuf>,

    /// The message itself. Other users of this machine can see it while the command runs
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(in crate::cli) message: Option<Private<String>>,

    /// Send this file as well; may be given several times. Without a text before it (-m, or FILE) none is sent
    #[arg(long = "file", value_name = "PATH", value_parser = named_file())]
    pub(in crate::cli) files: Vec<PathBuf>,

    /// Keep in this file what it takes to go on with --file if the line breaks or this is stopped: then the same
    /// command goes on, or --resume without --file. It is removed once that is done, or can't be done any more
    #[arg(long, value_name = "STATE", value_parser = named_file(), conflicts_with = "replies")]
    pub(in crate::cli) resume: Option<PathBuf>,

    /// Key to sign with (see `kkvc identity`) [default: a new one that is forgotten]
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(in crate::cli) identity: Option<PathBuf>,

    /// Pay, although you are invited; a contact's invitation is forgotten then
    #[arg(long)]
    pub(in crate::cli) pay: bool,

    /// Suite to speak: 'any' (kkv/2, or kkv/1 with a relay that has nothing better), '2' or '1'
    #[arg(long, value_name = "SUITE", default_value_t)]
    pub(in crate::cli) suite: SuitePolicy,

    /// Write the relay's receipt to this new file, or with - to standard output
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) receipt: Option<PathBuf>,

    /// Ask to be answered: shows 12 words, by which alone the answers are read. Write them down
    #[arg(long, alias = "reply")]
    pub(in crate::cli) replies: bool,

    /// With --replies: leave those words in this new file instead of showing them. With the words that are in it
    /// already, the message goes on with their conversation; it costs a look for answers then, too
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(in crate::cli) words_file: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) carrying: Carrying,
}

/// Arguments of `kkvc replies`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Replies {
    /// The inbox that you wrote to: its address, with --contacts also a name
    #[arg(value_parser = recipient)]
    pub(in crate::cli) address: Recipient,

    /// File with the 12 words [default: they are asked for]
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(in crate::cli) words_file: Option<PathBuf>,

    /// Leave the answers there when they have been shown
    #[arg(long)]
    pub(in crate::cli) keep: bool,

    #[command(flatten)]
    pub(in crate::cli) carrying: Carrying,
}
