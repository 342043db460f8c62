//! The program `kkvc`: runs what its arguments ask for.

use std::env;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use super::commands::{
    Cli, Command, ContactCommand, InviteCommand, MeCommand, Tui, options_are_of_the_screen,
};
use super::common::Common;
use super::exit::report_error;
use super::named::Which;
use super::output::require_output;
use super::{
    arguments, bench, card, completions, contact, delete, doctor, identity, invite, key, list,
    mark, me, named, panic, post, proof, read, replies, reply, runtime, save, send, status, watch,
    wipe,
};
use crate::tui::{self, Options, Route};
use kkv_protocol::crypto::scrub;
use kkv_relay::memory;
use kkv_terminal::colour;
use kkv_terminal::stderr::set_verbosity;
use kkv_terminal::writer::LastWords;
use kkv_ui::error::CliError;
use kkv_ui::private_directory;
use kkv_ui::way::SharedTor;

/// How long threads get to end when a command is done. They do at once, except one that waits for somebody to type.
const SHUTDOWN: Duration = Duration::from_millis(100);

/// Runs one command.
#[must_use]
pub fn main() -> ExitCode {
    // What it has said is there before it ends, however long its output takes; a signal ends that.
    let _last = LastWords::within(None);
    // It is the program `kkv` under another name (bin/kkvc.rs): who ends `kkv` doesn't mean it.
    _ = rustix::thread::set_name(c"kkvc");
    panic::report_place_only("kkvc");
    memory::harden(); // the message may be among the arguments
    let cli = match parsed() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    set_verbosity(cli.common.verbosity());
    let result = scrub::run_then_wipe_stack(|| finished(cli));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => report_error("kkvc", &failed),
    }
}

/// The command line, with the command that is meant if there is none: it takes variables from the environment as well.
fn parsed() -> Result<Cli, ExitCode> {
    let cli: Cli = arguments::parse()?;
    if cli.command.is_some() {
        return Ok(cli);
    }
    let words = env::args_os().filter(|word| word != "--");
    let words: Vec<_> = words.chain(["tui".into()]).collect();
    arguments::parse_from(&words)
}

/// Runs one command, and waits for what it has started: that has to forget the same things.
fn finished(cli: Cli) -> Result<(), CliError> {
    let runtime = runtime::start(
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_park(scrub::wipe_deep_stack),
    )?;
    let result = runtime.block_on(run(cli));
    runtime.shutdown_timeout(SHUTDOWN);
    result
}

async fn run(cli: Cli) -> Result<(), CliError> {
    let common = &cli.common;
    common.must_fit_together()?;
    let command = cli
        .command
        .expect("there is one, if only the one that is meant");
    if prints_alone(&command, common.json) {
        require_output("nothing was done")?;
    }
    // What was killed has left there what it had of messages.
    if matches!(
        command,
        Command::Tui(_) | Command::Watch(_) | Command::Wipe { .. }
    ) {
        private_directory::remove_abandoned();
    }
    match command {
        Command::Tui(args) => tui(common, args).await,
        Command::Send(args) => send::send(common, args).await,
        Command::Replies(args) => replies::replies(common, args).await,
        Command::List(args) => {
            list::list(&common.client()?, args, common.contacts(), common.json).await
        }
        Command::Read { ids, raw } => match (named::split(&ids)?, raw) {
            (Which::Messages(ids), false) => {
                read::read(&common.client()?, &ids, common.contacts(), common.json).await
            }
            (Which::Messages(ids), true) => read::read_raw(common, &ids).await,
            (Which::Posts(ids), false) => post::read(&common.client()?, &ids, common.json).await,
            (Which::Posts(ids), true) => post::read_raw(common, &ids).await,
        },
        Command::Reply(args) => reply::reply(common, args).await,
        Command::Save(args) => save::save(&common.client()?, args, common.json).await,
        Command::Watch(args) => watch::watch(common, args).await,
        Command::Mark { ids, unread } => {
            mark::mark(&common.client()?, &ids, !unread, common.json).await
        }
        Command::Delete { all: true, yes, .. } => {
            delete::delete_all(&common.client()?, yes, common.json).await
        }
        Command::Delete { ids, yes, .. } => match named::split(&ids)? {
            Which::Messages(ids) => delete::delete(&common.client()?, &ids, yes, common.json).await,
            Which::Posts(ids) => post::delete(&common.client()?, &ids, yes, common.json).await,
        },
        Command::Me { command } => me::me(&common.client()?, command, common.json).await,
        Command::Post(args) => post::post(&common.client()?, args, common.json).await,
        Command::Edit(args) => post::edit(&common.client()?, args, common.json).await,
        Command::Feed(args) => post::feed(&common.client()?, &args, common.json).await,
        Command::Wipe { yes } => wipe::wipe(&common.client()?, yes, common.json).await,
        Command::Bench(solving) => bench::bench(&solving, common.json).await,
        Command::Status => status::status(&common.client()?, common.json).await,
        Command::Doctor => doctor::doctor(common).await,
        Command::Card(args) => card::card(common, args).await,
        Command::Invite(args) => invite::invite(common, args).await,
        Command::Contact { command } => contact::contact(common, command).await,
        Command::Export { id } => proof::export(&common.client()?, id).await,
        Command::Verify { files } => proof::verify(&files, common.json),
        Command::Key { address, file } => key::show_or_make(address, &file, common.json).await,
        Command::Identity { file } => identity::show_or_make(&file, common.json).await,
        Command::Completions { shell, program } => completions::print_script(shell, program),
    }
}

/// Whether a command prints what it was asked for. `replies`, `read`, `watch` and `export` look themselves, and say
/// what follows.
fn prints_alone(command: &Command, json: bool) -> bool {
    match command {
        Command::Tui(_)
        | Command::Replies(_)
        | Command::Read { .. }
        | Command::Watch(_)
        | Command::Export { .. } => false,
        Command::List(_)
        | Command::Bench(_)
        | Command::Status
        | Command::Doctor
        | Command::Card(_)
        | Command::Save(_)
        | Command::Verify { .. }
        | Command::Feed(_)
        | Command::Me {
            command: None | Some(MeCommand::Show),
        }
        | Command::Key { .. }
        | Command::Identity { .. }
        | Command::Completions { .. } => true,
        Command::Invite(invite) => {
            json || !matches!(invite.command, Some(InviteCommand::Revoke { .. }))
        }
        Command::Contact { command } => json || matches!(command, ContactCommand::List),
        Command::Send(_)
        | Command::Reply(_)
        | Command::Mark { .. }
        | Command::Delete { .. }
        | Command::Me { .. }
        | Command::Post(_)
        | Command::Edit(_)
        | Command::Wipe { .. } => json,
    }
}

async fn tui(common: &Common, args: Tui) -> Result<(), CliError> {
    if common.json {
        return Err(CliError::usage(
            "--json is for commands: kkvc --help lists them",
        ));
    }
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(CliError::usage("the interactive client needs a terminal")
            .hint("The commands don't: kkvc --help lists them."));
    }
    let route = Route {
        tor: common.tor,
        solver: args.solving.solver(),
        embedded: SharedTor::new(args.embedded.options()),
    };
    let contacts = match common.contacts() {
        Some(contacts) => Some(contacts.open().await?),
        None => None,
    };
    let socket = common.socket.clone();
    let options = Options {
        colours: colour::on_stdout(),
        mouse: !args.no_mouse,
        bell: args.bell,
        first_words: !args.no_preview,
        takes_options: options_are_of_the_screen,
    };
    tui::run(socket, route, contacts, options).await
}
