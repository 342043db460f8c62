//! The arguments of `kkvc`: one type for each command that takes more than a number.

mod people;
mod posting;
mod reading;
mod sending;
pub(super) mod values;

use std::path::PathBuf;

use clap::{ArgGroup, Args, CommandFactory, Parser, Subcommand};
use clap_complete::ArgValueCompleter;

use super::carrying::Solving;
use super::common::Common;
use super::completions::{Program, Shell, ids};
use super::embedded::SenderArgs;
use super::environment::KKVC_ENVIRONMENT;
use super::exit::CODES;
use super::value_parsers::named_file;
use kkv_protocol::onion::OnionAddress;
use kkv_relay::queue::MessageId;
use kkv_ui::selection::IdRange;

pub(super) use people::{AddContact, Card, ContactCommand, Invite, InviteCommand, NewInvitation};
pub(super) use posting::{Edit, Feed, MeCommand, Post};
use reading::WATCH_HELP;
pub(super) use reading::{List, Reply, Save, Watch};
pub(super) use sending::{Replies, Send};
pub(super) use values::Named;
pub(super) use values::Signer;
use values::{id_range, named, number, onion};

/// Leaves messages in inboxes, and reads your own. Without a command it opens the interactive client.
#[derive(Debug, Parser)]
#[command(name = "kkvc", version, max_term_width = 100, after_help = format!("{CODES}\n\n{KKVC_ENVIRONMENT}"))]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) common: Common,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Open the interactive client, as kkvc without a command does
    Tui(Tui),
    /// Leave a message in somebody's inbox
    #[command(after_help = CODES)]
    Send(Send),
    /// See whether you were answered, by the 12 words of your message, and write back. A look costs a little work, too
    #[command(after_help = CODES, alias = "fetch")]
    Replies(Replies),
    /// List your messages
    List(List),
    /// Show messages and mark them as read; or show posts
    Read {
        /// Numbers of the messages, as `list` shows them, and ranges of these, like 2-5; or ids of posts, like p3
        #[arg(required = true, value_parser = named, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
        ids: Vec<Named>,
        /// Write the text alone, to the byte, for another program or a file: kkvc read 3 --raw | gpg -d | less
        #[arg(long)]
        raw: bool,
    },
    /// Answer a message whose sender wants to be answered: the answer is sealed at once
    #[command(after_help = CODES)]
    Reply(Reply),
    /// Write files that came with a message: for you alone, and never over one that is there
    Save(Save),
    /// Show each new message as it arrives, and mark it as read, until stopped with Ctrl-C
    #[command(after_help = WATCH_HELP)]
    Watch(Watch),
    /// Mark messages as read, or unread
    Mark {
        /// Numbers of the messages, and ranges of these, like 2-5
        #[arg(required = true, value_parser = id_range, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
        ids: Vec<IdRange>,
        /// Mark as unread
        #[arg(long)]
        unread: bool,
    },
    /// Delete messages or posts; they are wiped from memory
    #[command(group = ArgGroup::new("which").required(true))]
    Delete {
        /// Numbers of the messages, and ranges of these, like 2-5; or ids of posts, like p3
        #[arg(group = "which", value_parser = named, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
        ids: Vec<Named>,
        /// Every message
        #[arg(long, group = "which")]
        all: bool,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Wipe all messages, answers and invitations, and your identity with its posts, from memory and end what is under
    /// way, now
    Wipe {
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Show how your relay is
    Status,
    /// Check the relay, its socket, Tor and this machine, and say what is wrong and how to mend it
    Doctor,
    /// Show your address as a card, to be given to others: with words to compare it by, and a QR code
    Card(Card),
    /// Make a card with one message free, or more of them; list them, and revoke one
    Invite(Invite),
    /// Keep names for addresses, in the file that --contacts names
    Contact {
        #[command(subcommand)]
        command: ContactCommand,
    },
    /// Your identity, by which you post: make, show, restore and forget it
    Me {
        #[command(subcommand)]
        command: Option<MeCommand>,
    },
    /// Write a post
    Post(Post),
    /// Put another text in the place of a post's, for the same readers
    Edit(Edit),
    /// Show the newest posts
    Feed(Feed),
    /// Measure what this machine pays, and show what each cost means here
    Bench(Solving),
    /// Print a message with its signature, for others to verify
    Export {
        /// Number of the message
        #[arg(value_parser = number, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
        id: MessageId,
    },
    /// Check an exported message, a receipt, or both together; needs no relay
    Verify {
        /// Files from `export` and `send --receipt`; - for standard input
        #[arg(required = true, num_args = 1..=2)]
        files: Vec<PathBuf>,
    },
    /// Make a key to a closed inbox, or show an existing one
    Key {
        /// The inbox
        #[arg(value_parser = onion)]
        address: OnionAddress,
        /// File of the key (as Tor's .auth_private); made if it doesn't exist
        #[arg(value_parser = named_file())]
        file: PathBuf,
    },
    /// Make a key to sign with, or show an existing one
    Identity {
        /// File of the key (PKCS#8 PEM, Ed25519); made if it doesn't exist
        #[arg(value_parser = named_file())]
        file: PathBuf,
    },
    /// Print a script by which your shell completes commands, options and numbers of messages
    Completions {
        /// The shell: bash, zsh or fish
        #[arg(hide_possible_values = true)]
        shell: Shell,
        /// The program that is completed: kkvc or kkv
        #[arg(
            long = "for",
            value_name = "PROGRAM",
            default_value = "kkvc",
            hide_possible_values = true
        )]
        program: Program,
    },
}

/// Arguments of `kkvc tui`: how it behaves, and how messages that are written there go.
#[derive(Debug, Default, Args)]
pub(super) struct Tui {
    /// Ring the terminal's bell when messages arrive
    #[arg(long)]
    pub(super) bell: bool,

    /// Leave the mouse to the terminal, which marks text with it
    #[arg(long)]
    pub(super) no_mouse: bool,

    /// Leave out the first words of each text, which the list shows where it has room
    #[arg(long)]
    pub(super) no_preview: bool,

    #[command(flatten)]
    pub(super) solving: Solving,

    #[command(flatten)]
    pub(super) embedded: SenderArgs,
}

/// Whether every option that `text` names is one of the interactive client, too.
pub(super) fn options_are_of_the_screen(text: &str) -> bool {
    let mut all = Cli::command();
    all.build(); // gives each command those that are for all
    let screen = all.find_subcommand("tui").expect("it is one of them");
    let is_known = |name: &str| {
        screen
            .get_arguments()
            .any(|arg| arg.get_long() == Some(name))
    };
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.all(|word| word.strip_prefix("--").is_none_or(is_known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_debug_shows_neither_a_text_nor_what_is_looked_for() {
        for arguments in [
            &["kkvc", "list", "--find", "secret"][..],
            &["kkvc", "send", "127.0.0.1:1", "-m", "secret"],
        ] {
            let cli = Cli::try_parse_from(arguments).unwrap();
            let shown = format!("{cli:?}");
            assert!(shown.contains("Private(..)"), "{shown}");
            assert!(!shown.contains("secret"), "{shown}");
        }
    }

    #[test]
    fn of_the_options_that_texts_name_those_of_the_screen_are_known() {
        for (text, known) in [
            ("Name Tor's own SOCKS port with --tor.", true),
            ("Try again later.", true),
            (
                "Try again, or for longer with --timeout; Tor may do it.",
                false,
            ),
            ("--anyway tries all the same.", false),
        ] {
            assert_eq!(options_are_of_the_screen(text), known, "{text}");
        }
    }
}
