//! How values of options are parsed, those that several commands take.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};

/// Where the owner's socket is unless told otherwise, as `--help` says it (see [`kkv_owner::socket::default_path`]).
pub(super) const SOCKET_HELP: &str =
    "[default: $XDG_RUNTIME_DIR/kkv/kkv.sock, or kkv-UID/kkv.sock in $TMPDIR or /tmp]";

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

/// Reads a number of bytes, like 512K, 16M or 1G: K is 1,024.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 1 << 10),
        Some((at, 'M' | 'm')) => (&text[..at], 1 << 20),
        Some((at, 'G' | 'g')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let number: Option<usize> = digits.parse().ok().filter(|_| !digits.starts_with('+'));
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "a size is written like 512K or 16M".to_owned())
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

    use clap::{Arg, Command, CommandFactory};

    use super::*;
    use crate::cli::{commands, kkv};
    use kkv_ui::tor::HAS_EMBEDDED_TOR;

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
        let embedded: &[&str] = match HAS_EMBEDDED_TOR {
            true => &["key", "state_dir", "tor_config"],
            false => &[],
        };
        let always = ["contacts", "file", "identity", "passphrase_file", "socket"];
        for path in always.iter().chain(embedded) {
            assert!(refused.contains(*path), "{path}: {refused:?}");
        }
    }
}
