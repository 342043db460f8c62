//! What differs between builds with Tor inside and without on the command line. One without it has none of its options,
//! says so where they are used, and names no way onto Tor that it hasn't.

use std::ffi::OsString;

use clap::{Command, Error};

use super::environment::each_option;
use crate::tor::{SocksProxyError, TorMode, TorWay};
use kkv_ui::error::CliError;
use kkv_ui::tor::HAS_EMBEDDED_TOR;

/// How it is named where the ways are listed, with what stands between it and the next.
const NAMED: [&str; 3] = [
    "'embedded' (Tor inside), or ",
    "'embedded' (Tor inside), ",
    "'embedded' (that of the Tor inside) or ",
];

/// A list of ways, as it is true of this build.
fn as_built(ways: &str) -> String {
    let mut ways = ways.to_owned();
    if !HAS_EMBEDDED_TOR {
        for named in NAMED {
            ways = ways.replace(named, "");
        }
    }
    ways
}

/// The command with help that is true of this build.
pub(super) fn offered(command: Command) -> Command {
    each_option(
        command,
        &|option| match option.get_help().map(ToString::to_string) {
            Some(help) if option.get_long() == Some("tor") => option.help(as_built(&help)),
            _ => option,
        },
    )
}

/// Takes how a relay is reached.
pub(super) fn mode(text: &str) -> Result<TorMode, String> {
    text.parse()
        .map_err(|fault: crate::tor::ParseTorModeError| as_built(&fault.to_string()))
}

/// Takes a way onto Tor.
pub(super) fn way(text: &str) -> Result<TorWay, String> {
    let ways = if HAS_EMBEDDED_TOR {
        "there is 'embedded' (Tor inside), and the SOCKS port of a Tor that runs, which is written"
    } else {
        "it is the SOCKS port of a Tor that runs, written like"
    };
    text.parse().map_err(|fault| match fault {
        SocksProxyError::Shape if !text.contains(':') => format!("{ways} socks5://127.0.0.1:9050"),
        _ => fault.to_string(),
    })
}

/// What is said instead of `error`, if the words would be right in a build with Tor inside.
#[cfg(feature = "embedded-tor")]
pub(super) fn asked_for_embedded_tor(_: &Error, _: &Command, _: &[OsString]) -> Option<CliError> {
    None
}

/// What is said instead of `error`, if the words would be right in a build with Tor inside.
#[cfg(not(feature = "embedded-tor"))]
pub(super) fn asked_for_embedded_tor(
    error: &Error,
    command: &Command,
    words: &[OsString],
) -> Option<CliError> {
    use clap::Args as _;
    use clap::error::{ContextKind, ContextValue, ErrorKind};

    use kkv_ui::tor::without_embedded_tor;

    use super::embedded::arguments::{RelayArgs, SenderArgs};
    use super::environment::options_in;

    let program = command.get_name();
    let option = options_in(error).next()?;
    let value = error.get(ContextKind::InvalidValue);
    let is_embedded = matches!(value, Some(ContextValue::String(value)) if value == "embedded");
    if option == "tor" && is_embedded {
        return Some(without_embedded_tor(program, ""));
    }
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let mut below = words.iter().skip(1);
    let below = below.find_map(|word| command.find_subcommand(word));
    let none = Command::new("none");
    let embedded = match (program, below.map(Command::get_name)) {
        ("kkv", None) => RelayArgs::augment_args(none),
        ("kkvc", Some("send" | "tui")) => SenderArgs::augment_args(none),
        _ => none,
    };
    let mut embedded = embedded.get_arguments();
    let is_there = embedded.any(|argument| argument.get_long() == Some(option));
    is_there.then(|| without_embedded_tor(program, &format!(", so it has no --{option}")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::{commands, kkv};

    /// What is said of every option of a command and those under it.
    fn said(command: &Command) -> String {
        let own = command.get_arguments();
        let own = own.filter_map(|option| Some(format!("{}\n", option.get_help()?)));
        let below = command.get_subcommands().map(said);
        own.chain(below).collect()
    }

    #[test]
    fn the_tor_inside_is_named_where_it_is_and_nowhere_else() {
        for command in [kkv::Args::command(), commands::Cli::command()] {
            let said = said(&offered(command));
            assert!(said.contains("SOCKS port") || said.contains("'external'"));
            assert_eq!(said.contains("embedded"), HAS_EMBEDDED_TOR, "{said}");
        }
        for refused in [mode("x").unwrap_err(), way("x").unwrap_err()] {
            assert_eq!(refused.contains("embedded"), HAS_EMBEDDED_TOR, "{refused}");
        }
    }
}
