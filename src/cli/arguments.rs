//! How the command line of either program is parsed, and how one is told what is wrong with it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Command, Error, Parser};

use super::environment::{Typed, is_no, variable, with_environment};
use super::exit::report_error;
use super::output::print;
use super::{build, completions};
use kkv_terminal::stderr::{error, warn};
use kkv_terminal::visible::{OneLine, Visible};
use kkv_terminal::{colour, writer};
use kkv_ui::error::Exit;

/// Parses the command line. What is printed instead, if it can't be used, asks for help, or is a shell's question of
/// what could come next, is printed here.
///
/// # Errors
/// The code to end with.
pub(super) fn parse<T: Parser>() -> Result<T, ExitCode> {
    let words: Vec<OsString> = std::env::args_os().collect();
    init_colour(&words, &variable(T::command().get_name(), "no-color"));
    completions::answer::<T>(&words)?;
    parse_from(&words)
}

/// Takes note, before anything is parsed, of whether the command line or `variable` refuses colour: help and errors of
/// clap obey it as well.
fn init_colour(words: &[OsString], variable: &str) {
    let options = words.iter().take_while(|word| *word != "--");
    let typed = options.into_iter().any(|word| word == "--no-color");
    let set = std::env::var_os(variable).is_some_and(|value| !value.is_empty() && !is_no(&value));
    if typed || set {
        colour::refuse();
    }
}

/// The same of `words`, with the program's own name.
pub(super) fn parse_from<T: Parser>(words: &[OsString]) -> Result<T, ExitCode> {
    let plain = build::offered(T::command());
    let typed = Typed::among(&plain, words);
    let mut command = with_environment(plain, &typed);
    let matches = command.try_get_matches_from_mut(words);
    matches
        .and_then(|mut matches| T::from_arg_matches_mut(&mut matches))
        .map_err(|fault| report(fault, &command, &typed, words))
}

/// Prints what is to be printed instead of doing anything.
fn report(mut fault: Error, command: &Command, typed: &Typed, words: &[OsString]) -> ExitCode {
    if !fault.use_stderr() {
        writer::begin(); // there is help or a version to be written, and nothing else
        let text = fault.render();
        let text = match colour::on_stdout() {
            true => text.ansi().to_string(),
            false => text.to_string(),
        };
        return match print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failed) => report_error(command.get_name(), &failed),
        };
    }
    if let Some(failed) = build::asked_for_embedded_tor(&fault, command, words) {
        report_error(command.get_name(), &failed);
    } else {
        correct_tip(&mut fault, words);
        // What was typed or pasted is shown back in it: an address, say, that a stranger made up.
        let text = escaped(&fault.render().to_string(), words);
        match text.strip_prefix("error: ") {
            Some(rest) => error("error:", rest),
            None => warn(text),
        }
    }
    for variable in typed.blamed(&fault, command) {
        warn(format_args!(
            "\n{variable} is set in the environment; env -u {variable} runs without it."
        ));
    }
    ExitCode::from(Exit::Usage as u8)
}

/// Takes away the tip that `--unread` may be meant by `--read`, its opposite.
fn correct_tip(fault: &mut Error, words: &[OsString]) {
    let is = |kind, option: &str| matches!(fault.get(kind), Some(ContextValue::String(named)) if named == option);
    if !is(ContextKind::InvalidArg, "--read") || !is(ContextKind::SuggestedArg, "--unread") {
        return;
    }
    fault.remove(ContextKind::SuggestedArg);
    if words.iter().any(|word| word == "mark") {
        let tip = ["without --unread, mark marks as read".into()].into();
        fault.insert(ContextKind::Suggested, ContextValue::StyledStrs(tip));
    }
}

/// What clap says of `words`, made safe, with each of them in one line.
fn escaped(said: &str, words: &[OsString]) -> String {
    let mut said = said.trim_end().to_owned();
    let typed = words.iter().map(|word| word.to_string_lossy());
    for word in typed.filter(|word| word.contains('\n')) {
        let value = word.split_once('=').map(|(_, value)| value);
        let parts = [Some(&*word), value].into_iter().flatten();
        for part in parts.filter(|part| part.contains('\n')) {
            said = said.replace(part, &OneLine(part).to_string());
        }
    }
    Visible(&said).to_string()
}
