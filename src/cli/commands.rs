//! The arguments of `kkvc`: one type for each command that takes more than a number.

pub(super) mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, CommandFactory, Parser, Subcommand};
use clap_complete::ArgValueCompleter;

use super::carrying::{Carrying, Solving};
use super::common::Common;
use super::completions::{Program, Shell, ids};
use super::embedded::SenderArgs;
use super::environment::KKVC_ENVIRONMENT;
use super::exit::CODES;
use super::value_parsers::{from_one_to, named_file};
use crate::tor::Target;
use kkv_base::limits::MAX_INVITATION_USES;
use kkv_base::private::Private;
use kkv_client::contacts::{Link, Name, Recipient};
use kkv_protocol::onion::OnionAddress;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::v2::invitation::InvitationNumber;
use kkv_relay::queue::MessageId;
use kkv_ui::selection::IdRange;

pub(super) use values::Signer;
use values::{
    file_number, id_range, invitation, link, number, onion, recipient, signer, target, time_to_live,
};

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
    /// See whether you were answered, by the 12 words of your message, and write back
    #[command(after_help = CODES, alias = "fetch")]
    Replies(Replies),
    /// List your messages
    List(List),
    /// Show messages and mark them as read
    Read {
        /// Numbers of the messages, as `list` shows them, and ranges of these, like 2-5
        #[arg(required = true, value_parser = id_range, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
        ids: Vec<IdRange>,
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
    /// Delete messages; they are wiped from memory
    #[command(group = ArgGroup::new("which").required(true))]
    Delete {
        /// Numbers of the messages, and ranges of these, like 2-5
        #[arg(group = "which", value_parser = id_range, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
        ids: Vec<IdRange>,
        /// Every message
        #[arg(long, group = "which")]
        all: bool,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Wipe every message from memory and end every exchange that is under way, now
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

/// Arguments of `kkvc list`.
#[derive(Debug, Default, Args)]
pub(super) struct List {
    /// Only those that are unread
    #[arg(long)]
    pub(super) unread: bool,

    /// Only those with each of these words in the text or in the sender's name
    #[arg(long, value_name = "WORDS")]
    pub(super) find: Option<Private<String>>,

    /// Leave out the first words of each text, which a terminal that is wide enough shows
    #[arg(long)]
    pub(super) no_preview: bool,
}

/// Arguments of `kkvc save`.
#[derive(Debug, Args)]
pub(super) struct Save {
    /// Number of the message
    #[arg(value_parser = number, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
    pub(super) id: MessageId,

    /// Which of its files, as `read` numbers them [default: the only one]
    #[arg(value_name = "N", allow_negative_numbers = true, value_parser = file_number)]
    pub(super) file: Option<usize>,

    /// Write it to this new file [default: its own name, made harmless, in this directory]
    #[arg(short, long, value_name = "PATH", value_parser = named_file())]
    pub(super) output: Option<PathBuf>,

    /// Write all of them into this directory, which is made if it isn't there
    #[arg(long, value_name = "DIR", value_parser = named_file(), conflicts_with_all = ["file", "output"])]
    pub(super) all: Option<PathBuf>,
}

/// Arguments of `kkvc send`.
#[derive(Debug, Args)]
pub(super) struct Send {
    /// Whom it is for: an onion address (56 characters and .onion), with or without :PORT, or an address on this
    /// machine; behind it with + an invitation, if you have one; with --contacts also a name
    #[arg(value_parser = recipient)]
    pub(super) address: Recipient,

    /// File with the message [default: standard input]
    #[arg(conflicts_with = "message")]
    pub(super) file: Option<PathBuf>,

    /// The message itself. Other users of this machine can see it while the command runs
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) message: Option<Private<String>>,

    /// Send this file as well; may be given several times. Without a text before it (-m, or FILE) none is sent
    #[arg(long = "file", value_name = "PATH", value_parser = named_file())]
    pub(super) files: Vec<PathBuf>,

    /// Keep in this file what it takes to go on with --file if the line breaks or this is stopped: then --resume goes
    /// on, without --file. It is removed once that is done
    #[arg(long, value_name = "STATE", value_parser = named_file(), conflicts_with = "replies")]
    pub(super) resume: Option<PathBuf>,

    /// Key to sign with (see `kkvc identity`) [default: a new one that is forgotten]
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(super) identity: Option<PathBuf>,

    /// Pay, although you are invited; a contact's invitation is forgotten then
    #[arg(long)]
    pub(super) pay: bool,

    /// Suite to speak: 'any' (kkv/2, or kkv/1 with a relay that has nothing better), '2' or '1'
    #[arg(long, value_name = "SUITE", default_value_t)]
    pub(super) suite: SuitePolicy,

    /// Write the relay's receipt to this new file, or with - to standard output
    #[arg(long, value_name = "FILE")]
    pub(super) receipt: Option<PathBuf>,

    /// Ask to be answered: shows 12 words, by which alone the answers are read. Write them down
    #[arg(long, alias = "reply")]
    pub(super) replies: bool,

    /// Leave those words in this new file instead of showing them. In one that has some already, they go on with their
    /// conversation
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(super) words_file: Option<PathBuf>,

    #[command(flatten)]
    pub(super) carrying: Carrying,
}

/// Arguments of `kkvc replies`.
#[derive(Debug, Args)]
pub(super) struct Replies {
    /// The inbox that you wrote to: its address, with --contacts also a name
    #[arg(value_parser = recipient)]
    pub(super) address: Recipient,

    /// File with the 12 words [default: they are asked for]
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(super) words_file: Option<PathBuf>,

    /// Leave the answers there when they have been shown
    #[arg(long)]
    pub(super) keep: bool,

    #[command(flatten)]
    pub(super) carrying: Carrying,
}

/// Arguments of `kkvc reply`.
#[derive(Debug, Args)]
pub(super) struct Reply {
    /// Number of the message
    #[arg(value_parser = number, allow_negative_numbers = true, add = ArgValueCompleter::new(ids))]
    #[arg(required_unless_present = "withdraw")]
    pub(super) id: Option<MessageId>,

    /// File with the answer [default: standard input]
    #[arg(conflicts_with_all = ["message", "edit"])]
    pub(super) file: Option<PathBuf>,

    /// Write the answer with the editor that VISUAL or EDITOR names, in memory
    #[arg(short, long, conflicts_with = "message")]
    pub(super) edit: bool,

    /// The answer itself. Other users of this machine can see it while the command runs
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) message: Option<Private<String>>,

    /// Take back the answers that wait in this conversation, so that there is room for others: 2, if `list` marks its
    /// messages with ↩2
    #[arg(long, value_name = "CONVERSATION", conflicts_with_all = ["id", "file", "edit", "message"])]
    pub(super) withdraw: Option<u64>,

    /// Don't ask whether to take them back
    #[arg(short, long, requires = "withdraw")]
    pub(super) yes: bool,
}

/// Arguments of `kkvc card`.
#[derive(Debug, Args)]
pub(super) struct Card {
    /// Another's address, or yours where kkv doesn't know it, as behind a system Tor; with --contacts also a name
    /// [default: yours]
    #[arg(value_parser = recipient)]
    pub(super) address: Option<Recipient>,

    /// Leave out the QR code
    #[arg(long)]
    pub(super) no_qr: bool,
}

/// Arguments of `kkvc invite`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Invite {
    #[command(flatten)]
    pub(super) new: NewInvitation,

    #[command(subcommand)]
    pub(super) command: Option<InviteCommand>,
}

/// What a new invitation is like.
#[derive(Debug, Args)]
pub(super) struct NewInvitation {
    /// How many messages it lets in for nothing
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = from_one_to(MAX_INVITATION_USES))]
    pub(super) uses: u32,

    /// How long it can be used, like 12h or 30days
    #[arg(long, value_name = "DURATION", default_value = "7days", allow_negative_numbers = true, value_parser = time_to_live)]
    pub(super) expires: Duration,

    /// Your address where kkv doesn't know it, as behind a system Tor [default: the one it knows]
    #[arg(long, value_name = "ADDRESS", value_parser = target)]
    pub(super) address: Option<Target>,

    /// Leave out the QR code
    #[arg(long)]
    pub(super) no_qr: bool,
}

/// The commands of `kkvc invite`.
#[derive(Debug, Subcommand)]
pub(super) enum InviteCommand {
    /// List the invitations that can be used; nobody is shown their links again
    List,
    /// End an invitation
    Revoke {
        /// Its number, as `invite list` shows it
        #[arg(value_parser = invitation, allow_negative_numbers = true)]
        number: InvitationNumber,
    },
}

/// Arguments of `kkvc contact add`.
#[derive(Debug, Args)]
pub(super) struct AddContact {
    /// What to call them: up to 32 characters
    pub(super) name: Name,

    /// Their inbox; with an invitation behind it, that is kept, too, also if they are there already
    #[arg(value_parser = link)]
    pub(super) address: Link,

    /// The key that they sign with, as `kkvc identity` shows it to them, or the fingerprint of one that has signed a
    /// message in your inbox: messages there show the name then
    #[arg(long, value_name = "KEY", value_parser = signer)]
    pub(super) sender: Option<Signer>,

    /// Don't ask whether an invitation is to take the place of another, which goes for good
    #[arg(long, short)]
    pub(super) yes: bool,
}

/// The commands of `kkvc contact`.
#[derive(Debug, Subcommand)]
pub(super) enum ContactCommand {
    /// Take somebody in
    Add(Box<AddContact>),
    /// List your contacts
    List,
    /// Give somebody another name
    Rename {
        /// The name so far
        old: Name,
        /// The new one
        new: Name,
    },
    /// Forget somebody
    Remove {
        /// Whom
        name: Name,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Show the words of an address, to compare them with its owner's, and remember that they are the same
    Verify {
        /// Whose
        name: Name,
        /// Don't ask: they have been compared
        #[arg(long, short)]
        yes: bool,
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

/// Arguments of `kkvc watch`.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// Begin with the messages that are unread already
    #[arg(long)]
    pub(super) unread: bool,

    /// Ring the terminal's bell for each message
    #[arg(long)]
    pub(super) bell: bool,

    /// Instead of showing it, run this for each message, by sh -c, with its text on standard input; the message is
    /// marked as read if that ends with 0
    #[arg(long, value_name = "CMD", value_parser = NonEmptyStringValueParser::new())]
    pub(super) exec: Option<String>,
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

/// What `--help` of `kkvc watch` says at its end.
const WATCH_HELP: &str = "\
If no kkv runs when it begins, it ends with 3. If one ends later, it waits for the
next.

What CMD finds in its environment:
  KKV_MESSAGE_ID        its number
  KKV_MESSAGE_SENDER    the sender's public key, in hex
  KKV_MESSAGE_RECEIVED  when it was accepted, in seconds since 1970
  KKV_MESSAGE_BYTES     length of its text
  KKV_MESSAGE_SUITE     kkv/1 or kkv/2
  KKV_MESSAGE_OPENPGP   which OpenPGP block it is, if it is one, as in --json
  KKV_MESSAGE_OPENPGP_INSIDE
                        which are in it, if it is none itself, with commas between
  KKV_MESSAGE_CONVERSATION
                        number of its conversation, if it can be answered
  KKV_MESSAGE_FILES     a directory in memory with its files, if it has any; it is
                        removed when CMD has ended";

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
