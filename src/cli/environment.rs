//! Options from the environment: which variable stands for which option, and which of them counts.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::slice;

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Error, Id};

/// Options without a variable: whatever is in the environment is inherited by every program that is started, and a
/// message is nobody else's business, nor is what somebody looks for; a yes answers one question, as `--replace` does,
/// and `--all`, `--unread`, `--pay`, `--file`, `--resume`, `--receipt`, `--replies`, `--keep`, `--edit`, `--withdraw`
/// and `--output` are for one command, so none of them may lie in wait for others (and a file's name may have a comma
/// in it); and the two that only show something.
const NOT_FROM_ENVIRONMENT: [&str; 17] = [
    "message", "yes", "replace", "all", "unread", "find", "pay", "file", "resume", "receipt",
    "replies", "keep", "edit", "withdraw", "output", "help", "version",
];

/// What is said of the environment at the end of `--help`. The man page lists the variables.
pub(super) const KKV_ENVIRONMENT: &str = "\
Environment: each long option but --yes and --replace can be a variable, named like
KKV_MAX_MESSAGES for --max-messages; the command line wins. NO_COLOR is obeyed.";

/// The same for `kkvc`.
pub(super) const KKVC_ENVIRONMENT: &str = "\
Environment: each long option can be a variable, named like KKVC_TOR for --tor
(only --socket is KKV_SOCKET, as in kkv), but not those that are for one command
alone: --message, --file, --resume, --receipt, --replies, --pay, --keep, --edit,
--withdraw, --output, --all, --unread, --find and --yes. The command line wins.
NO_COLOR is obeyed.";

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
/// on the command line.
///
/// The command line wins: where an option that is `typed` excludes another, the variable of that one is not looked at.
/// (To clap a value from the environment conflicts as much as a typed one.)
pub(super) fn with_environment(command: Command, typed: &Typed) -> Command {
    let program = command.get_name().to_owned();
    let excluded = typed.excluded(&command);
    each_option(command, &|option| match option.get_long() {
        Some(long) if has_variable(&option) && !excluded.contains(option.get_id()) => {
            let variable = variable(&program, long);
            from_environment(option, variable)
        }
        _ => option,
    })
}

/// The same command with each option changed, and those of its subcommands.
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
pub(super) fn is_no(value: &OsStr) -> bool {
    let value = value.to_string_lossy().to_lowercase();
    ["n", "no", "f", "false", "off", "0"].contains(&value.as_str())
}

/// The options and arguments on the command line.
#[derive(Debug, Default)]
pub(super) struct Typed(HashSet<Id>);

impl Typed {
    /// Those among the `words`, up to the first that can't be parsed.
    pub(super) fn among(command: &Command, words: &[OsString]) -> Self {
        let mut typed = Self::default();
        let lenient = command.clone().ignore_errors(true);
        if let Ok(matches) = lenient.try_get_matches_from(words) {
            typed.add(&matches);
        }
        typed
    }

    fn add(&mut self, matches: &ArgMatches) {
        let is_typed =
            |id: &&Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        self.0.extend(matches.ids().filter(is_typed).cloned());
        if let Some((_, below)) = matches.subcommand() {
            self.add(below);
        }
    }

    /// What they exclude or are excluded by, in the command and its subcommands.
    fn excluded(&self, command: &Command) -> HashSet<Id> {
        let mut excluded = HashSet::new();
        for option in command.get_arguments() {
            for other in command.get_arg_conflicts_with(option) {
                for (one, other) in [(option, other), (other, option)] {
                    if self.0.contains(one.get_id()) {
                        excluded.insert(other.get_id().clone());
                    }
                }
            }
        }
        let below = command.get_subcommands();
        excluded.extend(below.flat_map(|below| self.excluded(below)));
        excluded
    }

    /// The variables that have brought in what is wrong: of the options that the error is about, and that are not
    /// typed.
    pub(super) fn blamed(&self, error: &Error, command: &Command) -> Vec<String> {
        let typed = all_options(command);
        let typed = typed.filter(|option| self.0.contains(option.get_id()));
        let typed: HashSet<&str> = typed.filter_map(Arg::get_long).collect();
        // An option without a value is a typed one: an empty variable is none.
        let value = error.get(ContextKind::InvalidValue);
        let lacks_value = matches!(value, Some(ContextValue::String(value)) if value.is_empty());
        let untyped = options_in(error).filter(|long| !lacks_value && !typed.contains(long));
        let variables = untyped.map(|long| variable(command.get_name(), long));
        let mut blamed: Vec<String> = variables
            .filter(|variable| std::env::var_os(variable).is_some())
            .collect();
        blamed.dedup();
        blamed
    }
}

fn all_options(command: &Command) -> Box<dyn Iterator<Item = &Arg> + '_> {
    let below = command.get_subcommands().flat_map(all_options);
    Box::new(command.get_arguments().chain(below))
}

/// The long options that an error is about.
pub(super) fn options_in(error: &Error) -> impl Iterator<Item = &str> {
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

#[cfg(test)]
mod tests {
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
            let mut command = with_environment(command, &Typed::default());
            command.build();
            let all = variables(&command);
            assert!(all.len() > 5);
            for (long, variable) in all {
                let expected = match long.as_str() {
                    "message" | "yes" | "replace" | "all" | "unread" | "find" | "pay" | "file"
                    | "resume" | "receipt" | "replies" | "keep" | "edit" | "withdraw"
                    | "output" | "help" | "version" => None,
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

    #[test]
    fn the_definitions_are_consistent() {
        with_environment(kkv::Args::command(), &Typed::default()).debug_assert();
        with_environment(commands::Cli::command(), &Typed::default()).debug_assert();
    }
}
