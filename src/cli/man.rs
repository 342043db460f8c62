//! Writes the manual pages of the package, `dist/man`, from the definitions of the command line: a test holds the files
//! to them, and brings them up to date with `SNAPSHOTS=overwrite` in the environment.

use clap::{Arg, Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::commands::Cli;
use super::environment::{has_variable, variable};
use super::exit::{CODES, RELAY_CODES};
use super::kkv::Args;

/// What can't be taken from the definitions.
struct Page {
    command: Command,
    what: &'static str,
    codes: &'static str,
    files: &'static [(&'static str, &'static str)],
    examples: &'static [(&'static str, &'static str)],
    see: &'static [&'static str],
}

/// `kkv(1)`.
fn kkv() -> Page {
    Page {
        command: packaged(Args::command()),
        what: "an inbox of your own, as a Tor onion service",
        codes: RELAY_CODES,
        files: &[
            (
                "$XDG_RUNTIME_DIR/kkv/kkv.sock",
                "The socket at which kkvc finds it; without that variable kkv-UID/kkv.sock in $TMPDIR or /tmp.",
            ),
            (
                "$XDG_STATE_HOME/kkv/relay",
                "The key of the onion address, and files of the Tor inside; ~/.local/state if the variable is not set. Whoever has a copy of the key can \
                 pose as your inbox. Nothing in it tells who wrote.",
            ),
            (
                "/run/kkv/kkv.sock",
                "The socket of the service of the machine (systemctl start kkv).",
            ),
            (
                "/usr/share/doc/kkv/torrc.example",
                "The lines that a system Tor needs for --tor external.",
            ),
        ],
        examples: &[
            (
                "kkv &",
                "Run your inbox until you log out. Its address is printed.",
            ),
            (
                "nohup kkv --max-messages 200 --ttl 7d &",
                "Go on after that, with room for 200 messages, each kept for a week.",
            ),
            (
                "KKV_COST_POW=32 kkv --ephemeral",
                "Ask for more work, at an address for this run only.",
            ),
            (
                "kkv address backup FILE",
                "Keep the key of the address elsewhere, encrypted; restore FILE brings it back.",
            ),
            ("pkill -x kkv", "Wipe every message and end."),
        ],
        see: &["kkvc"],
    }
}

/// `kkvc(1)`.
fn kkvc() -> Page {
    Page {
        command: packaged(Cli::command()),
        what: "leave messages in inboxes, and read your own",
        codes: CODES,
        files: &[
            (
                "$XDG_RUNTIME_DIR/kkv/kkv.sock",
                "The socket of your kkv; without that variable kkv-UID/kkv.sock in $TMPDIR or /tmp.",
            ),
            (
                "/run/kkv/kkv.sock",
                "The socket of the service of the machine, which root reads.",
            ),
            (
                "$XDG_STATE_HOME/kkv/send",
                "What the Tor inside knows of the network; ~/.local/state if the variable is not set. Nothing in it tells to whom you wrote.",
            ),
            (
                "/usr/share/doc/kkv/docs/JSON.md",
                "What --json prints, field by field.",
            ),
        ],
        examples: &[
            ("kkvc", "Read and write in the interactive client."),
            (
                "kkvc send ADDRESS letter.txt",
                "Leave a file in somebody's inbox.",
            ),
            (
                "gpg -ea < letter.txt | kkvc send ADDRESS",
                "Leave what another program writes.",
            ),
            ("kkvc list", "See what has come."),
            ("kkvc read 3", "Show a message and mark it as read."),
            ("kkvc delete 3 4", "Wipe two messages from memory."),
            (
                "kkvc list --json | jq '.messages[].id'",
                "Give the numbers of all messages to a script.",
            ),
            (
                "source <(kkvc completions bash)",
                "Complete commands, options and numbers in this shell. (The Debian package does it by itself.)",
            ),
        ],
        see: &["kkv"],
    }
}

/// A command whose `--tor` is what it is with the embedded Tor, and those under it.
#[cfg(not(feature = "embedded-tor"))]
fn with_embedded_tor(command: Command) -> Command {
    let command = command.mut_args(|arg| match arg.get_id().as_str() {
        "tor" => arg.default_value("embedded"),
        _ => arg,
    });
    command.mut_subcommands(with_embedded_tor)
}

/// The definitions as in the package, whatever this build has: with the embedded Tor.
pub(super) fn packaged(command: Command) -> Command {
    #[cfg(not(feature = "embedded-tor"))]
    let command = {
        use clap::Args as _;

        use super::embedded::arguments::{RelayArgs, SenderArgs};

        // Not `mut_arg`, which puts it behind all others.
        let command = with_embedded_tor(command);
        // What is said of the options as such takes the place of what is said of the command.
        let with = |augment: fn(Command) -> Command| {
            move |command: Command| {
                let about = command.get_about().cloned();
                augment(command).about(about.unwrap_or_default())
            }
        };
        if command.get_name() == "kkv" {
            with(RelayArgs::augment_args)(command)
        } else {
            // Each in its place.
            command.mut_subcommands(|command| match command.get_name() {
                "send" | "replies" | "tui" => with(SenderArgs::augment_args)(command),
                _ => command,
            })
        }
    };
    command
}

impl Page {
    /// The page, in roff.
    fn render(&self) -> String {
        let mut command = self.command.clone().disable_help_subcommand(true);
        command.build();
        let name = command.get_name().to_owned();
        let mut page = String::new();

        let mut top = Roff::new();
        top.control("SH", ["NAME"]);
        top.text([roman(format!("{name} - {}", self.what))]);
        top.control("SH", ["SYNOPSIS"]);
        top.text(usage(&mut command.clone(), &name));
        top.control("SH", ["DESCRIPTION"]);
        let about = command.get_about().map(ToString::to_string);
        top.text([roman(format!("{}.", about.unwrap_or_default()))]);
        page += &top.render();

        page += &options(&command, |_| true);
        if command.has_subcommands() {
            page += &commands(&command);
        }

        let mut end = Roff::new();
        self.environment(&command, &mut end);
        list(&mut end, "FILES", self.files);
        list(&mut end, "EXIT STATUS", &codes(self.codes));
        list(&mut end, "EXAMPLES", self.examples);
        end.control("SH", ["SEE ALSO"]);
        let others = self.see.iter().map(|name| format!("{name}(1)"));
        let others: Vec<String> = others.collect();
        end.text([roman(format!(
            "{}; the guide in /usr/share/doc/kkv/docs/guide.",
            others.join(", ")
        ))]);
        page += &end.render();
        // Each part begins with the same two lines, which the page needs once.
        let (apostrophe, _) = page.split_at(page.find(".SH").expect("it has sections"));
        let apostrophe = apostrophe.to_owned();
        let page = page.replace(&apostrophe, "");
        let (title, version) = (name.to_uppercase(), env!("CARGO_PKG_VERSION"));
        format!("{apostrophe}.TH {title} 1 \"\" \"kkv {version}\" \"User Commands\"\n{page}")
    }

    fn environment(&self, command: &Command, page: &mut Roff) {
        page.control("SH", ["ENVIRONMENT"]);
        page.text([roman(
            "An option that is not on the command line is taken from its variable, unless that is empty. For a flag it says true or false (or yes, on, 1; no, \
             off, 0); for an option that may be given several times, values with commas between them.",
        )]);
        let mut all = Vec::new();
        variables(command.get_name(), command, &mut all);
        page.control("PP", []);
        page.control("nf", []);
        for (variable, option) in all {
            page.text([
                bold(format!("{variable:<24}")),
                roman(format!("--{option}")),
            ]);
        }
        page.control("fi", []);
        page.control("PP", []);
        page.text([
            roman("If "),
            bold("NO_COLOR"),
            roman(" is set to anything, no colours are used."),
        ]);
    }
}

/// How it is called, after `name`.
fn usage(command: &mut Command, name: &str) -> Vec<clap_mangen::roff::Inline> {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let rest = usage.strip_prefix(name).unwrap_or(usage);
    vec![bold(name), roman(rest)]
}

/// The options that `shown` takes, under their headings.
fn options(command: &Command, shown: impl Fn(&Arg) -> bool) -> String {
    let hide = |option: Arg| {
        let hidden = !shown(&option);
        option.hide(hidden)
    };
    let mut options = Vec::new();
    Man::new(command.clone().mut_args(hide))
        .render_options_section(&mut options)
        .expect("memory can be written to");
    String::from_utf8(options).expect("text")
}

/// A section on each command, with the options that are its own.
fn commands(command: &Command) -> String {
    format!(".SH COMMANDS\n{}", described(command))
}

/// Each command under `command`, with those under it.
fn described(command: &Command) -> String {
    let mut page = String::new();
    for command in command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
    {
        let name = command
            .get_bin_name()
            .unwrap_or(command.get_name())
            .to_owned();
        let mut head = Roff::new();
        head.control("SS", [name.as_str()]);
        let about = command.get_about().map(ToString::to_string);
        head.text([roman(format!("{}.", about.unwrap_or_default()))]);
        head.control("PP", []);
        head.text(usage(&mut command.clone(), &name));
        page += &head.render();
        let own = options(command, |option| {
            !option.is_global_set() && option.get_id() != "help"
        });
        // The headings would begin sections of the whole page.
        let lines = own.lines().filter(|line| !line.starts_with(".SH "));
        page.extend(lines.map(|line| format!("{line}\n")));
        page += &described(command);
    }
    page
}

/// Each variable with its option, in the order in which they are first seen.
fn variables(program: &str, command: &Command, found: &mut Vec<(String, String)>) {
    for option in command
        .get_arguments()
        .filter(|option| has_variable(option))
    {
        let long = option.get_long().expect("it has a variable for that");
        let one = (variable(program, long), long.to_owned());
        if !found.contains(&one) {
            found.push(one);
        }
    }
    for command in command.get_subcommands() {
        variables(program, command, found);
    }
}

/// The table of exit codes in `--help`, as pairs.
fn codes(table: &'static str) -> Vec<(&'static str, &'static str)> {
    let lines = table.lines().skip(1).map(str::trim_start);
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(code, what)| (code, what.trim_start()))
        .collect()
}

fn list(page: &mut Roff, heading: &str, entries: &[(&str, &str)]) {
    page.control("SH", [heading]);
    for (what, says) in entries {
        page.control("TP", []);
        page.text([italic_or_bold(heading, what)]);
        page.text([roman(*says)]);
    }
}

/// Files are set as files are everywhere.
fn italic_or_bold(heading: &str, text: &str) -> clap_mangen::roff::Inline {
    if heading == "FILES" {
        italic(text)
    } else {
        bold(text)
    }
}

mod tests {
    use std::path::Path;
    use std::process::{Command, Stdio};

    use snapbox::data::DataFormat;
    use snapbox::{Assert, Data};

    use super::*;

    fn kept() -> [(std::path::PathBuf, String); 2] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/man");
        [
            (directory.join("kkv.1"), kkv().render()),
            (directory.join("kkvc.1"), kkvc().render()),
        ]
    }

    #[test]
    fn the_pages_of_the_package_are_those_of_the_definitions() {
        for (file, page) in kept() {
            let kept = Data::read_from(&file, Some(DataFormat::Text));
            Assert::new()
                .action_env("SNAPSHOTS")
                .normalize_paths(false)
                .eq(page, kept.raw());
        }
    }

    #[test]
    fn groff_has_nothing_to_complain_of() {
        for (file, _) in kept() {
            let groff = Command::new("groff")
                .args(["-man", "-K", "utf8", "-T", "utf8", "-ww", "-z"])
                .arg(&file)
                .stdin(Stdio::null())
                .output()
                .expect("groff is there: scripts/test installs it");
            let said = String::from_utf8_lossy(&groff.stderr);
            assert!(
                groff.status.success() && said.is_empty(),
                "{}: {said}",
                file.display()
            );
        }
    }

    #[test]
    fn every_option_and_every_exit_code_is_on_the_page() {
        for (page, codes) in [(kkv(), RELAY_CODES), (kkvc(), CODES)] {
            let text = page.render().replace("\\*(Aq", "'").replace('\\', "");
            let mut all = Vec::new();
            variables(page.command.get_name(), &page.command, &mut all);
            for (variable, option) in all {
                assert!(text.contains(&format!("--{option}")), "--{option}");
                assert!(text.contains(&variable), "{variable}");
            }
            for line in codes.lines().skip(1) {
                let says = line.trim_start().split_once(' ').expect("a code").1;
                assert!(text.contains(says.trim_start()), "{says}");
            }
        }
    }
}
