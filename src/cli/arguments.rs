//! How the command line of either program is taken, with what the environment adds to it, and how it is told what is
//! wrong with one.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::slice;
use std::time::Duration;

use clap::builder::{BoolishValueParser, PathBufValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, Error, Parser};

use super::exit::Exit;
use super::output::{error, print, warn};
use super::visible::{OneLine, Visible};
use super::{build, colour, completions, writer};

/// Where the owner's socket is unless told otherwise, as `--help` says it (see [`crate::owner::default_path`]).
pub(super) const SOCKET_HELP: &str =
    "[default: $XDG_RUNTIME_DIR/kkv/kkv.sock, or kkv-UID/kkv.sock in $TMPDIR or /tmp]";

/// Options without a variable: whatever is in the environment is inherited by every program that is started, and a
/// message is nobody else's business, nor is what somebody looks for; a yes answers one question, as `--replace` does,
/// and `--all` and `--unread` are for one command, so none of them may lie in wait for others; and the two that only
/// show something.
const NOT_FROM_ENVIRONMENT: [&str; 8] = [
    "message", "yes", "replace", "all", "unread", "find", "help", "version",
];

/// What is said of the environment at the end of `--help`. The man page lists the variables.
pub(super) const KKV_ENVIRONMENT: &str = "\
Environment: each long option but --yes and --replace can be a variable, named like
KKV_MAX_MESSAGES for --max-messages; the command line wins. NO_COLOR is obeyed.";

/// The same for `kkvc`.
pub(super) const KKVC_ENVIRONMENT: &str = "\
Environment: each long option but --message, --yes, --all, --unread and --find can
be a variable, named like KKVC_TOR for --tor (only --socket is KKV_SOCKET, as in
kkv); the command line wins.
NO_COLOR is obeyed.";

/// Parses the command line. What is printed instead, if it can't be used, asks for help, or is a shell's question of
/// what could come next, is printed here.
///
/// # Errors
/// The code to end with.
pub(super) fn parse<T: Parser>() -> Result<T, ExitCode> {
    let words: Vec<OsString> = std::env::args_os().collect();
    colour::init(&words, &variable(T::command().get_name(), "no-color"));
    completions::answer::<T>(&words)?;
    parse_from(&words)
}

/// The same of `words`, with the program's own name.
pub(super) fn parse_from<T: Parser>(words: &[OsString]) -> Result<T, ExitCode> {
    let mut left_out = Vec::new();
    loop {
        let command = with_environment(build::offered(T::command()), &left_out);
        let all = command.clone();
        let parsed = command
            .try_get_matches_from(words)
            .and_then(|mut matches| T::from_arg_matches_mut(&mut matches));
        let error = match parsed {
            Ok(parsed) => return Ok(parsed),
            Err(error) => error,
        };
        let excluded = excluded(&error, &all, words);
        if excluded.iter().all(|variable| left_out.contains(variable)) {
            return Err(report(error, &all, words));
        }
        left_out.extend(excluded);
    }
}

/// Prints what is to be printed instead of doing anything.
fn report(mut error: Error, command: &Command, words: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        writer::begin(); // there is help or a version to be written, and nothing else
        let text = error.render();
        let text = match colour::on_stdout() {
            true => text.ansi().to_string(),
            false => text.to_string(),
        };
        return match print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failed) => failed.report(command.get_name()),
        };
    }
    if let Some(failed) = build::asked_for_tor_inside(&error, command, words) {
        failed.report(command.get_name());
    } else {
        tip(&mut error, words);
        // What was typed or pasted is shown back in it: an address, say, that a stranger made up.
        let text = shown(&error.render().to_string(), words);
        match text.strip_prefix("error: ") {
            Some(rest) => error("error:", rest),
            None => warn(text),
        }
    }
    for variable in blamed(&error, command, words) {
        warn(format_args!(
            "\n{variable} is set in the environment; env -u {variable} runs without it."
        ));
    }
    ExitCode::from(Exit::Usage as u8)
}

/// Takes away the tip that `--unread` may be meant by `--read`, its opposite.
fn tip(error: &mut Error, words: &[OsString]) {
    let is = |kind, option: &str| matches!(error.get(kind), Some(ContextValue::String(named)) if named == option);
    if !is(ContextKind::InvalidArg, "--read") || !is(ContextKind::SuggestedArg, "--unread") {
        return;
    }
    error.remove(ContextKind::SuggestedArg);
    if words.iter().any(|word| word == "mark") {
        let tip = ["without --unread, mark marks as read".into()].into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tip));
    }
}

/// What clap says of `words`, made safe, with each of them in one line.
fn shown(said: &str, words: &[OsString]) -> String {
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

/// The variables that have brought in what is wrong.
fn blamed(error: &Error, command: &Command, words: &[OsString]) -> Vec<String> {
    let variables = untyped(error, command, words).into_iter();
    let variables = variables.map(|long| variable(command.get_name(), &long));
    let mut blamed: Vec<String> = variables
        .filter(|variable| std::env::var_os(variable).is_some())
        .collect();
    blamed.dedup();
    blamed
}

/// The variables that an option on the command line excludes, which wins.
fn excluded(error: &Error, command: &Command, words: &[OsString]) -> Vec<String> {
    let some_are_typed = untyped(error, command, words).len() < named(error).count();
    if error.kind() == ErrorKind::ArgumentConflict && some_are_typed {
        blamed(error, command, words)
    } else {
        Vec::new()
    }
}

/// The long options that an error is about.
pub(super) fn named(error: &Error) -> impl Iterator<Item = &str> {
    let kinds = [ContextKind::InvalidArg, ContextKind::PriorArg];
    let named = kinds.into_iter().filter_map(|kind| error.get(kind));
    let named = named.flat_map(|value| match value {
        ContextValue::String(name) => slice::from_ref(name),
        ContextValue::Strings(names) => names,
        _ => &[],
    });
    named
        .filter_map(|name| name.strip_prefix("--"))
        .filter_map(|name| name.split([' ', '=', '[']).next())
}

/// Those of them that are not on the command line.
fn untyped(error: &Error, command: &Command, words: &[OsString]) -> Vec<String> {
    let is_typed = |long: &str| {
        let option = format!("--{long}");
        let short = short(command, long);
        let mut words = words.iter().filter_map(|word| word.to_str());
        words.any(|word| match word.strip_prefix('-') {
            Some(letters) if !letters.starts_with('-') => {
                short.is_some_and(|short| letters.contains(short))
            }
            _ => word == option || word.starts_with(&format!("{option}=")),
        })
    };
    let untyped = named(error).filter(|long| !is_typed(long));
    untyped.map(str::to_owned).collect()
}

/// The letter of the option `--long`.
fn short(command: &Command, long: &str) -> Option<char> {
    let own = command.get_arguments();
    let below = command.get_subcommands().flat_map(Command::get_arguments);
    let mut all = own.chain(below);
    all.find(|option| option.get_long() == Some(long))?
        .get_short()
}

/// The variable that stands for the option `--long` of `program`. The same name means other things in the two programs
/// (`--tor`, `--suite`), so each has variables of its own; only the owner's socket is one thing.
pub(super) fn variable(program: &str, long: &str) -> String {
    let program = match long {
        "socket" => "kkv",
        _ => program,
    };
    format!("{program}_{long}").to_uppercase().replace('-', "_")
}

/// Whether an option can come from the environment.
pub(super) fn has_variable(option: &Arg) -> bool {
    option
        .get_long()
        .is_some_and(|long| !NOT_FROM_ENVIRONMENT.contains(&long))
}

/// The same command, each of whose long options, and of its subcommands', takes its value from a variable if it isn't
/// on the command line, and the variable not `left_out`.
fn with_environment(command: Command, left_out: &[String]) -> Command {
    let program = command.get_name().to_owned();
    each_option(command, &|option| match option.get_long() {
        Some(long) if has_variable(&option) => {
            let variable = variable(&program, long);
            if left_out.contains(&variable) {
                option
            } else {
                from_environment(option, variable)
            }
        }
        _ => option,
    })
}

pub(super) fn each_option(command: Command, change: &dyn Fn(Arg) -> Arg) -> Command {
    command
        .mut_args(change)
        .mut_subcommands(|command| each_option(command, change))
}

/// An empty variable is none, as everywhere; and so is a flag that is set to no, since clap would take that for a flag
/// which is given, and which excludes others.
fn from_environment(option: Arg, variable: String) -> Arg {
    let is_flag = !option.get_action().takes_values();
    match std::env::var_os(&variable) {
        Some(value) if value.is_empty() || is_flag && is_no(&value) => option,
        _ if is_flag => option
            .value_parser(BoolishValueParser::new())
            .env(variable)
            .hide_env(true),
        _ if matches!(option.get_action(), ArgAction::Append) => {
            option.value_delimiter(',').env(variable).hide_env(true)
        }
        _ => option.env(variable).hide_env(true),
    }
}

/// The words that clap takes for a no.
pub(super) fn is_no(value: &std::ffi::OsStr) -> bool {
    let value = value.to_string_lossy().to_lowercase();
    ["n", "no", "f", "false", "off", "0"].contains(&value.as_str())
}

/// Takes the name of a file. `-` is none: it means standard input and output where those can stand for the file, and
/// there it isn't asked for by this. A file that is called so is `./-`.
pub(super) fn named_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            return Err("- is no file here; one that is called so is ./-");
        }
        Ok(path)
    })
}

/// Reads a duration that `fits`; `what` says which those are.
pub(super) fn duration(
    text: &str,
    fits: impl FnOnce(&Duration) -> bool,
    what: &str,
) -> Result<Duration, String> {
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) {
        return Err(format!(
            "a unit is missing: {text}s are seconds, {text}m minutes"
        ));
    }
    let time = humantime::parse_duration(text).ok().filter(fits);
    time.ok_or_else(|| what.to_owned())
}

/// Takes a whole number from 1 to `most`.
pub(super) fn from_one_to(
    most: u32,
) -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync + 'static {
    move |text| match text.parse() {
        Ok(number @ 1..) if number <= most => Ok(number),
        _ => Err(format!("it is a whole number from 1 to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::{commands, kkv};

    /// Every long option of a command and its subcommands, with its variable.
    fn variables(command: &Command) -> BTreeSet<(String, Option<String>)> {
        let own = command.get_arguments().filter_map(|option| {
            let variable = option
                .get_env()
                .map(|name| name.to_str().unwrap().to_owned());
            Some((option.get_long()?.to_owned(), variable))
        });
        let below = command.get_subcommands().flat_map(variables);
        own.chain(below).collect()
    }

    #[test]
    fn every_long_option_of_both_programs_has_its_variable_but_for_those_of_one_command_alone() {
        for command in [kkv::Args::command(), commands::Cli::command()] {
            let program = command.get_name().to_owned();
            let mut command = with_environment(command, &[]);
            command.build();
            let all = variables(&command);
            assert!(all.len() > 5);
            for (long, variable) in all {
                let expected = match long.as_str() {
                    "message" | "yes" | "replace" | "all" | "unread" | "find" | "help"
                    | "version" => None,
                    "socket" => Some("KKV_SOCKET".to_owned()),
                    _ => Some(super::variable(&program, &long)),
                };
                assert_eq!(variable, expected, "{program} --{long}");
            }
        }
    }

    #[test]
    fn a_variable_is_the_program_and_the_name() {
        assert_eq!(variable("kkv", "max-messages"), "KKV_MAX_MESSAGES");
        assert_eq!(variable("kkvc", "tor"), "KKVC_TOR");
        assert_eq!(variable("kkvc", "socket"), "KKV_SOCKET");
    }

    #[test]
    fn an_option_that_may_be_given_several_times_is_a_list_with_commas() {
        let several = Arg::new("allow").long("allow").action(ArgAction::Append);
        let several = from_environment(several, "KKV_TEST_OF_SEVERAL".to_owned());
        assert_eq!(several.get_value_delimiter(), Some(','));
        let one = Arg::new("ttl").long("ttl").action(ArgAction::Set);
        let one = from_environment(one, "KKV_TEST_OF_ONE".to_owned());
        assert_eq!(one.get_value_delimiter(), None);
    }

    /// The arguments that are paths, of a command and its subcommands.
    fn paths(command: &Command) -> Vec<Arg> {
        let is_path = |arg: &&Arg| arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
        let own = command.get_arguments().filter(is_path).cloned();
        let below = command.get_subcommands().flat_map(paths);
        own.chain(below).collect()
    }

    #[test]
    fn a_dash_is_standard_input_or_output_or_is_refused_wherever_a_file_is_named() {
        let mut refused = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for command in [kkv::Args::command(), commands::Cli::command()] {
            for path in paths(&command) {
                let parser = path.get_value_parser().clone();
                let alone = Arg::new("path").value_parser(parser).required(true);
                let command = Command::new("test").arg(alone);
                let found = command.try_get_matches_from(["test", "-"]);
                let set = match found {
                    Ok(_) => &mut taken,
                    Err(_) => &mut refused,
                };
                set.insert(path.get_id().to_string());
            }
        }
        assert_eq!(
            taken.iter().map(String::as_str).collect::<Vec<_>>(),
            ["file", "files", "receipt"],
            "the text of send, what is verified, and what send writes"
        );
        let inside: &[&str] = match cfg!(feature = "embedded-tor") {
            true => &["key", "state_dir", "tor_config"],
            false => &[],
        };
        let always = ["contacts", "file", "identity", "passphrase_file", "socket"];
        for path in always.iter().chain(inside) {
            assert!(refused.contains(*path), "{path}: {refused:?}");
        }
    }

    #[test]
    fn the_definitions_are_consistent() {
        with_environment(kkv::Args::command(), &[]).debug_assert();
        with_environment(commands::Cli::command(), &[]).debug_assert();
    }
}
