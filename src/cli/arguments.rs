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
    let blamed = typed.blamed(&fault, command);
    if let Some(failed) = build::asked_for_embedded_tor(&fault, command, words) {
        report_error(command.get_name(), &failed);
    } else {
        correct_tip(&mut fault, words);
        // What was typed or pasted is shown back in it: an address, say, that a stranger made up.
        let values = blamed.iter().filter_map(std::env::var_os);
        let given: Vec<OsString> = words.iter().cloned().chain(values).collect();
        let text = escaped(&mut fault, &given);
        match text.strip_prefix("error: ") {
            Some(rest) => error("error:", rest),
            None => warn(text),
        }
    }
    for variable in blamed {
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

/// What clap says, made safe, with each of the words and values that were `given` in one line.
fn escaped(fault: &mut Error, given: &[OsString]) -> String {
    let in_one_line = |text: &String| OneLine(text).to_string();
    // What clap repeats itself. It may be a part of what was given: behind `-c` or `=`, or between commas.
    let repeated: Vec<(ContextKind, ContextValue)> = fault
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(in_one_line(text)))),
            ContextValue::Strings(texts) => {
                let texts = texts.iter().map(in_one_line).collect();
                Some((kind, ContextValue::Strings(texts)))
            }
            _ => None,
        })
        .collect();
    for (kind, value) in repeated {
        fault.insert(kind, value);
    }
    // What the parser of a value says may repeat it as well.
    let mut said = fault.render().to_string().trim_end().to_owned();
    let given = given.iter().map(|word| word.to_string_lossy());
    for word in given.filter(|word| word.contains('\n')) {
        let value = word.split_once('=').map(|(_, value)| value);
        let parts = [Some(&*word), value].into_iter().flatten();
        for part in parts.filter(|part| part.contains('\n')) {
            said = said.replace(part, &OneLine(part).to_string());
        }
    }
    Visible(&said).to_string()
}
