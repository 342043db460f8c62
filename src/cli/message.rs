//! One message on standard output: as people read it, as a line of JSON, or its bare text.

use std::fmt::Display;
use std::io::{self, IsTerminal};

use zeroize::Zeroizing;

use super::output::{json_line, write_all};
use super::senders::SenderNames;
use kkv_owner::{Conversation, Message, Summary};
use kkv_protocol::openpgp::Block;
use kkv_relay::queue::MessageId;
use kkv_terminal::bar::{behind_a_bar, columns};
use kkv_ui::error::CliError;
use kkv_ui::fields::{came_by, isolated, signer, time};
use kkv_ui::preview::file_in_a_line;

/// Shows it, behind what stands `before` it. Whether it was taken: false if nobody reads any more.
pub(super) fn print(
    before: &str,
    message: &Message,
    names: &SenderNames,
    json: bool,
) -> Result<bool, CliError> {
    let text = Zeroizing::new(format!("{before}{}", *render(message, names, json)));
    write_all(text.as_bytes())
}

/// The message as it is shown.
pub(super) fn render(message: &Message, names: &SenderNames, json: bool) -> Zeroizing<String> {
    if json {
        return Zeroizing::new(json_line(
            &names.named(message, message.summary.sender.as_ref()),
        ));
    }
    let columns = columns();
    let header = header(&message.summary, names, columns.is_some());
    let files = files(message);
    if message.text.is_empty() && !message.summary.files.is_empty() {
        return Zeroizing::new(format!("{header}{files}"));
    }
    let text = behind_a_bar(&message.text, columns);
    Zeroizing::new(format!("{header}{files}\n{}", *text))
}

/// Writes its text to the byte, and nothing else. Whether it was taken, as above.
pub(super) fn print_raw(message: &Message) -> Result<bool, CliError> {
    write_all(message.text.as_bytes())
}

/// Refuses to write bare text where it could do harm.
pub(super) fn raw_may_go_out(id: impl Display) -> Result<(), CliError> {
    if !io::stdout().is_terminal() {
        return Ok(());
    }
    Err(
        CliError::usage("--raw gives the text as it came, which could steer this terminal").hint(
            format!("Give it to a program (| gpg -d | less) or a file (> FILE); `kkvc read {id}` shows it in safety."),
        ),
    )
}

/// What stands above its text.
fn header(summary: &Summary, names: &SenderNames, on_a_terminal: bool) -> String {
    let openpgp = summary.openpgp.map(|block| openpgp(summary.id, block));
    let openpgp = openpgp.or_else(|| openpgp_inside(summary.id, &summary.openpgp_inside));
    let openpgp = openpgp.map(|line| format!("OpenPGP   {line}\n"));
    let name = names.of(summary.sender.as_ref());
    let answers = summary.conversation.as_ref();
    let answers = answers.map(|conversation| answers_line(summary.id, conversation));
    format!(
        "Message   {}\nReceived  {}\nFrom      {}{} ({})\n{}{}",
        summary.id,
        time(summary.received),
        name.map_or_else(String::new, |name| format!(
            "{}, ",
            isolated(name, on_a_terminal)
        )),
        signer(summary),
        came_by(summary),
        answers.unwrap_or_default(),
        openpgp.unwrap_or_default(),
    )
}

/// That it can be answered, whether it was, and how that is done.
fn answers_line(id: MessageId, conversation: &Conversation) -> String {
    let number = conversation.number;
    let (is, how) = match conversation.answered {
        0 => ("can be answered", "to answer it"),
        _ => ("answered", "to answer it once more"),
    };
    let waiting = match conversation.waiting {
        0 => String::new(),
        waiting => format!(", {waiting} waiting"),
    };
    format!("Answers   {is} (conversation {number}{waiting}); {how}: kkvc reply {id}\n")
}

/// A line for each file, and how they are saved.
fn files(message: &Message) -> String {
    let Summary { id, files, .. } = &message.summary;
    let mut lines = String::new();
    for (number, file) in (1..).zip(files) {
        lines += &format!("File      {}\n", *file_in_a_line(number, file));
    }
    lines += &match files.len() {
        0 => String::new(),
        1 => format!("          to save it: kkvc save {id}\n"),
        _ => format!("          to save them: kkvc save {id} --all DIR\n"),
    };
    lines
}

/// What a message is as OpenPGP, and what to do with it.
pub(super) fn openpgp(id: MessageId, block: Block) -> String {
    let raw = format!("kkvc read {id} --raw");
    let what = match block {
        Block::Message => format!("to open it: {raw} | gpg -d | less"),
        Block::SignedMessage => format!("to check it: {raw} | gpg --verify"),
        Block::PublicKey => {
            format!(
                "to see whose it is: {raw} | gpg --show-keys\n          to take it: {raw} | gpg --import"
            )
        }
        Block::Signature => format!("to check it: {raw} | gpg --verify - FILE"),
        Block::PrivateKey => {
            "it is no secret any more, so don't use it;\n          whose it is should revoke it"
                .to_owned()
        }
    };
    format!("{block}; {what}")
}

/// Which OpenPGP blocks are in a message that is none itself, and what `gpg` gets out of it, which is true of a part.
pub(super) fn openpgp_inside(id: MessageId, blocks: &[Block]) -> Option<String> {
    let first = blocks.first()?;
    let kinds: Vec<String> = blocks.iter().map(ToString::to_string).collect();
    let mut lines = format!("only in part: {}", kinds.join(", "));
    let raw = format!("kkvc read {id} --raw");
    match first {
        Block::Message | Block::SignedMessage => {
            lines += &format!("\n          to open the first: {raw} | gpg -d | less");
        }
        Block::PublicKey => {
            lines += &format!("\n          to see whose it is: {raw} | gpg --show-keys");
        }
        Block::Signature | Block::PrivateKey => {}
    }
    if blocks.contains(&Block::PrivateKey) {
        lines += "\n          a private key that was sent is no secret any more";
    }
    Some(lines)
}
