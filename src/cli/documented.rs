//! Every command that the README or the guide shows can be given, and every option that they name is one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Command, CommandFactory};

use super::commands::Cli;
use super::kkv::Args;
use super::man::packaged;

/// What stands for something in a command, and something that it may stand for.
const PLACEHOLDERS: [(&str, &str); 7] = [
    (
        "ADDRESS",
        "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion",
    ),
    (
        "LINK",
        "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion+aaaaaaaaaaaaaaaaaaaaaaaaadvanoxi",
    ),
    (
        "KEY",
        "descriptor:x25519:TVIGVVKA7SVZR7GCNPB5BBJKG7HBXWAKSDXLZH3G2DIUQ5JL5JTA",
    ),
    ("DURATION", "7d"),
    ("COST", "30"),
    ("N", "1"),
    ("COMMAND", "list"),
];

/// Options that clap adds.
const OF_CLAP: [&str; 2] = ["--help", "--version"];

fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_dir(root.join("docs/guide")).expect("the guide");
    let guide = guide.map(|entry| entry.expect("an entry").path());
    let all = guide.chain([root.join("README.md")]);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a document");
        (path, text)
    };
    all.map(read).collect()
}

/// Lines of a document that are commands, or have some in them: those in blocks, and what is quoted in its prose.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (place, part) in text.split("```").enumerate() {
        if place % 2 == 0 {
            found.extend(part.split('`').skip(1).step_by(2).map(str::to_owned));
            continue;
        }
        let (language, lines) = part.split_once('\n').expect("a block has lines");
        for line in lines.lines() {
            let command = match language {
                "console" => line.split_once("$ ").filter(|(who, _)| !who.contains(' ')),
                "sh" => Some(("", line)),
                other => panic!("a block of {other}"),
            };
            found.extend(command.map(|(_, command)| command.to_owned()));
        }
    }
    found
}

/// The words of each program that a line of a shell starts.
fn started(line: &str) -> Vec<Vec<String>> {
    let mut all = vec![vec![String::new()]];
    let mut quote = None;
    let mut before = ' ';
    for c in line.chars() {
        let words = all.last_mut().expect("there is one");
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '#') if before == ' ' => break,
            (None, '|' | ';' | '&' | '(' | ')') => all.push(vec![String::new()]),
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().expect("there is one").push(c),
        }
        before = c;
    }
    for words in &mut all {
        words.retain(|word| !word.is_empty());
        // What is read from and written to is the shell's.
        while let Some(at) = words
            .iter()
            .position(|word| matches!(word.as_str(), "<" | ">"))
        {
            words.drain(at..(at + 2).min(words.len()));
        }
        let is_program = |word: &String| {
            !matches!(word.as_str(), "sudo" | "nohup" | "exec") && !word.contains('=')
        };
        let first = words.iter().position(is_program).unwrap_or(words.len());
        words.drain(..first);
    }
    all
}

fn definitions() -> [Command; 2] {
    [Args::command(), Cli::command()].map(|command| with_any_way(packaged(command)))
}

/// As in the package `--tor` is what it is with Tor inside, which a build without it can't read.
fn with_any_way(command: Command) -> Command {
    let command = command.mut_args(|arg| match arg.get_id().as_str() {
        "tor" => arg.value_parser(NonEmptyStringValueParser::new()),
        _ => arg,
    });
    command.mut_subcommands(with_any_way)
}

#[test]
fn every_command_that_is_shown_can_be_given() {
    let mut tried = 0;
    for (path, text) in documents() {
        for line in commands(&text) {
            for words in started(&line) {
                let Some(program) = words.first() else {
                    continue;
                };
                let definitions = definitions();
                let Some(command) = definitions.iter().find(|one| one.get_name() == program) else {
                    continue;
                };
                let filled = words.iter().map(|word| {
                    let known = PLACEHOLDERS.iter().find(|(name, _)| name == word);
                    known.map_or(word.as_str(), |(_, value)| value)
                });
                tried += 1;
                let Err(why) = command.clone().try_get_matches_from(filled) else {
                    continue;
                };
                let is_only_short = matches!(
                    why.kind(),
                    ErrorKind::DisplayHelp
                        | ErrorKind::DisplayVersion
                        | ErrorKind::MissingRequiredArgument
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                        | ErrorKind::MissingSubcommand
                );
                assert!(is_only_short, "{}: {line}\n{why}", path.display());
            }
        }
    }
    assert!(tried > 60, "only {tried} were found");
}

/// The long options of a command and of those under it.
fn options(command: &Command, found: &mut BTreeSet<String>) {
    let long = command
        .get_arguments()
        .filter_map(|option| option.get_long());
    found.extend(long.map(|long| format!("--{long}")));
    for command in command.get_subcommands() {
        options(command, found);
    }
}

#[test]
fn every_option_that_is_named_is_one() {
    let mut known: BTreeSet<String> = OF_CLAP.map(str::to_owned).into();
    for command in definitions() {
        options(&command, &mut known);
    }
    let mut named = 0;
    for (path, text) in documents() {
        for line in commands(&text) {
            let words = line.split([' ', '=']).filter(|word| word.starts_with("--"));
            let is_of_others = |line: &str| {
                ["sudo ", "systemctl ", "cargo ", "start-stop-daemon "]
                    .iter()
                    .any(|p| line.starts_with(p))
            };
            if is_of_others(&line) && !line.starts_with("sudo kkv") {
                continue;
            }
            for word in words {
                named += 1;
                assert!(known.contains(word), "{}: {word} in {line}", path.display());
            }
        }
    }
    assert!(named > 60, "only {named} were found");
}

#[test]
fn commands_are_found_in_what_a_shell_is_told() {
    let started = |line| {
        let all = started(line).into_iter().filter(|words| !words.is_empty());
        all.map(|words| words.join("+")).collect::<Vec<_>>()
    };
    assert_eq!(
        started("gpg -ea < a.txt | kkvc send A"),
        ["gpg+-ea", "kkvc+send+A"]
    );
    assert_eq!(
        started("source <(kkvc completions bash)  # or zsh"),
        ["source", "kkvc+completions+bash"]
    );
    assert_eq!(
        started("sudo X=1 kkvc send A -m \"on its way\" &"),
        ["kkvc+send+A+-m+on its way"]
    );
    let document =
        "`kkvc card` and\n```console\nowner$ kkvc list\n  1 it costs $ 5\n```\n```sh\nkkv &\n```\n";
    assert_eq!(commands(document), ["kkvc card", "kkvc list", "kkv &"]);
}
