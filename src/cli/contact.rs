//! `kkvc contact`: names for addresses.

use std::io;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::ask::{self, Answer, confirm, require_yes_or_terminal};
use super::book::{Contacts, found};
use super::commands::{AddContact, ContactCommand, Signer};
use super::common::Common;
use super::output::{json_line, print_json, print_lines, print_outcome};
use kkv_client::contacts::{Added, Book, Contact, Name, Words};
use kkv_protocol::crypto::identity::{PublicKey, Sender};
use kkv_protocol::crypto::scrub;
use kkv_protocol::ids::SenderId;
use kkv_protocol::suite::Suite;
use kkv_terminal::bar::{columns, columns_of};
use kkv_terminal::stderr::{info, info_unwrapped};
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::{address, in_two_lines, isolated, padded, short, words};

/// A contact in JSON.
#[derive(Serialize)]
struct ContactJson {
    name: String,
    address: String,
    words: Option<String>,
    suite: Option<Suite>,
    sender: Option<SenderId>,
    sender_fingerprint: Option<String>,
    verified: bool,
    invited: bool,
}

#[derive(Serialize)]
struct List {
    contacts: Vec<ContactJson>,
}

/// Runs one of the commands.
pub(super) async fn contact(common: &Common, command: ContactCommand) -> Result<(), CliError> {
    let json = common.json;
    let contacts = common.contacts().ok_or_else(|| {
        CliError::usage("contacts are kept only where you say so: name a file with --contacts FILE")
            .hint("The first `kkvc contact add` makes it, encrypted with a passphrase.")
    })?;
    match command {
        ContactCommand::Add(args) => add(common, contacts, *args).await,
        ContactCommand::List => list(contacts.open().await?.book(), json),
        ContactCommand::Rename { old, new } => {
            let change = |book: &mut Book| book.rename(&old, new).cloned();
            let renamed = contacts.change(change).await?;
            report(&renamed, &format!("{old} is now"), json)
        }
        ContactCommand::Remove { name, yes } => remove(contacts, &name, yes, json).await,
        ContactCommand::Verify { name, yes } => verify(contacts, &name, yes, json).await,
    }
}

async fn add(common: &Common, contacts: Contacts<'_>, args: AddContact) -> Result<(), CliError> {
    let sender = match args.sender {
        None => None,
        Some(Signer::Key(key)) => Some(key),
        Some(Signer::Fingerprint(shown)) => Some(who_signed(common, &shown).await?),
    };
    let contact = Contact::of_link(args.name, args.address, sender);
    let (contact, what) = contacts.add(contact, args.yes).await?;
    added(&contact, what, contacts, common.json)
}

/// The key with that fingerprint, among those that have signed a message in the owner's inbox.
async fn who_signed(common: &Common, shown: &str) -> Result<PublicKey<Sender>, CliError> {
    let list = common.client()?.list().await?;
    let keys = list.messages.iter();
    let mut keys = keys.filter_map(|message| PublicKey::from_id(message.sender.as_ref()?).ok());
    keys.find(|key: &PublicKey<Sender>| key.fingerprint().to_string() == shown)
        .ok_or_else(|| {
            let what = format!("no message in your inbox is signed by {shown}");
            let hint = "Give the public key instead, as `kkvc identity` shows it to them.";
            CliError::new(Exit::Refused, what).hint(hint)
        })
}

/// Says what is to be done with a new one.
fn added(
    contact: &Contact,
    what: Added,
    contacts: Contacts<'_>,
    json: bool,
) -> Result<(), CliError> {
    let done = match what {
        Added::Contact => "Added",
        Added::Invitation => "Changed",
    };
    report(contact, done, json)?;
    if !json && contact.invitation().is_some() {
        info("  invited: a message to them costs nothing, as long as the invitation can be used");
    }
    if !json
        && !contact.is_verified()
        && let Some(words) = words(contact.target())
    {
        info(in_two_lines(&words, "  words  "));
        info("Compare them over another way with what `kkvc card` shows its owner, then:");
        let words = format!("contact verify {}", quoted(contact.name().as_str()));
        info_unwrapped(format_args!("  {}", contacts.command(&words)));
    }
    Ok(())
}

fn list(book: &Book, json: bool) -> Result<(), CliError> {
    if json {
        let contacts = book.iter().map(ContactJson::of).collect();
        return print_json(&List { contacts });
    }
    if book.is_empty() {
        info("No contacts.");
        return Ok(());
    }
    print_lines(&table(book, columns().is_some()))
}

/// All of them, one in a line.
fn table(book: &Book, on_a_terminal: bool) -> String {
    let widest = book.iter().map(|contact| contact.name().as_str().width());
    let width = widest.max().unwrap_or(0).max("NAME".len());
    let mut table = format!(
        "{}  {:<8}  {:<7}  {:<5}  {:<9}  ADDRESS\n",
        padded("NAME", width),
        "VERIFIED",
        "INVITED",
        "SUITE",
        "SIGNS AS"
    );
    for contact in book.iter() {
        let sender = contact.sender().map(|key| short(&key.id()));
        table += &format!(
            "{}  {:<8}  {:<7}  {:<5}  {:<9}  {}\n",
            padded(&isolated(contact.name(), on_a_terminal), width),
            if contact.is_verified() { "yes" } else { "no" },
            contact.invitation().map_or("–", |_| "yes"),
            contact.suite().map_or("–".to_owned(), |s| s.to_string()),
            sender.as_deref().unwrap_or("–"),
            address(contact.target()),
        );
    }
    table
}

async fn remove(
    contacts: Contacts<'_>,
    name: &Name,
    yes: bool,
    json: bool,
) -> Result<(), CliError> {
    let mut file = contacts.open().await?;
    let contact = found(file.book(), name, contacts)?;
    require_yes_or_terminal(yes, &format!("remove {}", quoted(name.as_str())))?;
    let (name, target) = (contact.name().clone(), contact.target());
    // Asked before the file is locked: no other program waits for an answer.
    if !yes
        && !confirm(&format!(
            "Remove {name} from your contacts? It can't be undone."
        ))?
    {
        let what = format!("{name} was not removed");
        return Err(CliError::new(Exit::Cancelled, what));
    }
    let removed = contacts.change_in(&mut file, |book| book.remove(&name, target))?;
    report(&removed, "Removed", json)
}

async fn verify(
    contacts: Contacts<'_>,
    name: &Name,
    yes: bool,
    json: bool,
) -> Result<(), CliError> {
    let mut file = contacts.open().await?;
    let contact = found(file.book(), name, contacts)?;
    let (target, was_verified) = (contact.target(), contact.is_verified());
    let words = words(target).ok_or_else(|| {
        let what = format!("{name} is on this machine, and has no words to compare");
        CliError::usage(what)
    })?;
    require_yes_or_terminal(
        yes,
        "mark it as verified, if the words of both are the same",
    )?;
    let answer = if yes {
        Answer::Yes
    } else {
        compared(contact, &words)?
    };
    if answer != Answer::Yes {
        let failed = match (answer, was_verified) {
            (Answer::No, true) => {
                contacts.change_in(&mut file, |book| book.distrust(name, target).cloned())?;
                CliError::new(Exit::Refused, format!("{name} is not verified any more"))
            }
            (_, true) => CliError::new(Exit::Cancelled, format!("{name} stays verified as before")),
            (_, false) => CliError::new(
                Exit::Cancelled,
                format!("{name} was not marked as verified"),
            ),
        };
        let command = format!("contact remove {}", quoted(name.as_str()));
        return Err(failed
            .hint("If the words differ, that address is somebody else's:")
            .command("  ", &contacts.command(&command)));
    }
    let verified = contacts.change_in(&mut file, |book| book.verify(name, target).cloned())?;
    report(&verified, "Verified", json)
}

/// Has the words compared, and asks whether they are the same.
fn compared(contact: &Contact, words: &Words) -> Result<Answer, CliError> {
    let name = contact.name();
    info(format_args!(
        "{name} has the address\n  {}\nand these words:",
        address(contact.target())
    ));
    info(in_two_lines(words, "  "));
    info("Ask for those that `kkvc card` shows there, over a way on which nobody else can answer.");
    let question = format!("Does {name} have the same twelve words?");
    scrub::run_then_wipe_stack(|| ask::ask(&question))
}

fn report(contact: &Contact, done: &str, json: bool) -> Result<(), CliError> {
    let name = isolated(contact.name(), columns_of(io::stderr()).is_some());
    let done = format!("{done} {name}: {}", address(contact.target()));
    if json {
        return print_outcome(done, &json_line(&ContactJson::of(contact)));
    }
    info(done);
    Ok(())
}

impl ContactJson {
    fn of(contact: &Contact) -> Self {
        Self {
            name: contact.name().to_string(),
            address: address(contact.target()),
            words: words(contact.target()).map(|words| words.to_string()),
            suite: contact.suite(),
            sender: contact.sender().map(|key| key.id()),
            sender_fingerprint: contact.sender().map(|key| key.fingerprint().to_string()),
            verified: contact.is_verified(),
            invited: contact.invitation().is_some(),
        }
    }
}
