//! docs/JSON.md and what `--json` prints are the same: each field of each command is documented, with its type, and
//! each documented field occurs.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

use kkv_net::tor::{TorState, TorTrouble};
use kkv_owner::Status;
use serde_json::{Value, json};

use crate::answerable::leave_answerable;
use crate::programs::{Outcome, Relay, kkvc};

const DOCUMENT: &str = include_str!("../../docs/JSON.md");

/// An inbox to make a key for.
const ONION: &str = "w5jytzspuem263phveilelcgpvrxczwjh62ltqjiljzyrlhm7xvymyad.onion";

/// What the document says of a field.
#[derive(Debug)]
struct Field {
    /// One of them is enough.
    kinds: Vec<Kind>,
    may_be_absent: bool,
}

/// A text with an OpenPGP block among other words.
const IN_PART: &str = "two\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n";

#[derive(Debug)]
enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    Text,
    Hex(usize),
    Word(String),
    Array,
    Object,
}

impl Kind {
    fn parse(text: &str) -> Self {
        match text.trim() {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::Text,
            "array" => Self::Array,
            "object" => Self::Object,
            other => match other.strip_prefix("hex of ") {
                Some(bytes) => Self::Hex(bytes.parse().expect("a number of bytes")),
                None => Self::Word(within_ticks(other).to_owned()),
            },
        }
    }

    fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_u64(),
            Self::Number => value.is_f64(),
            Self::Text => value.is_string(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
            Self::Word(word) => value == word.as_str(),
            Self::Hex(bytes) => value.as_str().is_some_and(|text| {
                let digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
                text.len() == 2 * bytes && text.bytes().all(digit)
            }),
        }
    }
}

fn within_ticks(text: &str) -> &str {
    let inner = text
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'));
    inner.unwrap_or_else(|| panic!("{text:?} is no type"))
}

/// The tables of the document, by command.
fn documented() -> BTreeMap<String, BTreeMap<String, Field>> {
    let sections = DOCUMENT.split("\n## `kkvc ").skip(1);
    let of_section = |section: &str| {
        let (name, rest) = section.split_once('`').expect("a heading");
        let rows = rest.lines().filter(|line| line.starts_with("| `"));
        let fields = rows.map(|row| {
            let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
            let name = within_ticks(cells.next().expect("a name")).to_owned();
            let kinds = cells.next().expect("a type");
            let (kinds, may_be_absent) = match kinds.strip_suffix(", or absent") {
                Some(kinds) => (kinds, true),
                None => (kinds, false),
            };
            let kinds = kinds.replace(" or ", ", ");
            let kinds = kinds.split(", ").map(Kind::parse).collect();
            (
                name,
                Field {
                    kinds,
                    may_be_absent,
                },
            )
        });
        (name.to_owned(), fields.collect())
    };
    sections.map(of_section).collect()
}

/// Holds `value`, at `path`, to the table; the paths that occur are added to `seen`.
fn check(path: &str, value: &Value, table: &BTreeMap<String, Field>, seen: &mut BTreeSet<String>) {
    if !path.is_empty() {
        let field = table.get(path);
        let field = field.unwrap_or_else(|| panic!("{path} is not documented: {value}"));
        let fits = field.kinds.iter().any(|kind| kind.fits(value));
        assert!(
            fits,
            "{path} is {value}, which is none of {:?}",
            field.kinds
        );
        seen.insert(path.to_owned());
    }
    match value {
        Value::Object(fields) => {
            let below = |name: &str| match path {
                "" => name.to_owned(),
                _ => format!("{path}.{name}"),
            };
            for (name, value) in fields {
                check(&below(name), value, table, seen);
            }
            let prefix = below("");
            for (name, field) in table {
                let own = name
                    .strip_prefix(&prefix)
                    .filter(|rest| !rest.contains(['.', '[']));
                if let Some(own) = own.filter(|own| !own.is_empty()) {
                    let there = field.may_be_absent || fields.contains_key(own);
                    assert!(there, "{name} is missing");
                }
            }
        }
        Value::Array(elements) => {
            for element in elements {
                check(&format!("{path}[]"), element, table, seen);
            }
        }
        _ => {}
    }
}

/// Statuses as they are with embedded Tor, which not every build has: made of a real one.
fn statuses(real: &Value) -> Vec<Value> {
    let with = |state: TorState| {
        let mut fields = real.clone();
        let fields = fields.as_object_mut().expect("an object");
        let schema = fields.remove("schema").expect("a version");
        let fingerprint = fields.remove("relay_fingerprint").expect("it is there");
        let mut status: Status = serde_json::from_value(fields.clone().into()).expect("a status");
        status.tor_state = Some(state);
        status.onion = Some(ONION.to_owned());
        status.wiped = Some(1_700_000_000);
        status.sandbox.writes = Some("/home/owner/.local/state/kkv/relay".into());
        let mut value = json!(status);
        value["schema"] = schema;
        value["relay_fingerprint"] = fingerprint;
        value
    };
    let troubles = [
        TorTrouble::Offline,
        TorTrouble::Blocked,
        TorTrouble::Clock,
        TorTrouble::Unreachable,
        TorTrouble::NoDirectory,
        TorTrouble::Unpublished,
        TorTrouble::DiskFull,
        TorTrouble::Files,
        TorTrouble::NotStarted,
    ];
    let lost = troubles.map(|trouble| TorState::Lost { trouble });
    let others = [
        TorState::Connecting {
            percent: 1,
            trouble: None,
        },
        TorState::Connected,
        TorState::Publishing { trouble: None },
        TorState::Reachable,
    ];
    lost.into_iter().chain(others).map(with).collect()
}

/// Whatever it finds out about this machine.
fn doctor(relay: &Relay) -> Value {
    relay.owner(["doctor", "--json"]).finish().json()
}

/// What each command prints, of every kind that there is.
fn printed() -> BTreeMap<&'static str, Vec<Value>> {
    let relay = Relay::start(&["--ttl", "7d", "--wipe-after", "7d", "--page"]);
    let json = |outcome: Outcome| outcome.must_end_with(0).json();
    let owner = |words: &[&str]| {
        let words = words.iter().copied().chain(["--json"]);
        json(relay.owner(words).finish())
    };
    let mut all = BTreeMap::new();
    let sent = |words: &[&str]| json(relay.send(words).finish());
    let invited = owner(&["invite"]);
    let link = invited["link"].as_str().expect("a link").to_owned();
    let listed = owner(&["invite", "list"]);
    owner(&["invite"]);
    let revoked = owner(&["invite", "revoke", "2"]);
    all.insert("invite", vec![invited, listed, revoked]);
    all.insert(
        "send",
        vec![
            sent(&["-m", "one", "--json", "--receipt", "receipt"]),
            sent(&["-m", IN_PART, "--json", "--suite", "1"]),
            json(kkvc(["send", &link, "-m", "free", "--json"]).finish()),
        ],
    );
    leave_answerable(relay.address(), &[5; 16], "three");
    all.insert("list", vec![owner(&["list"])]);
    let read = ["1", "2", "3", "4"].map(|id| owner(&["read", id]));
    all.insert("read", read.into());
    let contact = |words: &[&str]| {
        let book = ["--contacts", "book", "--passphrase-file", "passphrase"];
        owner(&[words, &book].concat())
    };
    let passphrase = relay.directory().join("passphrase");
    std::fs::write(&passphrase, "a passphrase of several words\n").expect("our directory");
    std::fs::set_permissions(&passphrase, PermissionsExt::from_mode(0o600)).expect("our file");
    let listed = owner(&["list"]);
    let sender = listed["messages"][0]["sender"].as_str().expect("a key");
    let added = contact(&["contact", "add", "Alice", ONION, "--sender", sender]);
    let near = contact(&["contact", "add", "Near", relay.address()]);
    all.insert("contact", vec![added, near, contact(&["contact", "list"])]);
    let of_contacts = [("list", vec!["list"]), ("read", vec!["read", "1"])];
    for (command, words) in of_contacts {
        let printed = all.get_mut(command).expect("put in above");
        printed.push(contact(&words));
    }
    let export = |id: &str, file: &str| {
        let exported = relay.owner(["export", id]).finish().must_end_with(0);
        std::fs::write(relay.directory().join(file), exported.stdout).expect("our directory");
    };
    export("1", "v2");
    export("2", "v1");
    all.insert(
        "verify",
        vec![
            owner(&["verify", "v2", "receipt"]),
            owner(&["verify", "v1"]),
        ],
    );
    sent(&["-m", "four", "--json", "--replies", "--words-file", "words"]);
    let last = relay.list().last().expect("it is there")["id"].to_string();
    let answered = owner(&["reply", &last, "-m", "yes"]);
    let conversation = answered["conversation"].to_string();
    let withdrawn = owner(&["reply", "--withdraw", &conversation, "-y"]);
    let again = owner(&["reply", &last, "-m", "yes"]);
    all.insert("reply", vec![answered, withdrawn, again]);
    let replies = |code| {
        let words = [
            "replies",
            relay.address(),
            "--words-file",
            "words",
            "--json",
        ];
        let run = kkvc(words).with(|c| c.current_dir(relay.directory()));
        run.finish().must_end_with(code).json()
    };
    let mut looked = vec![replies(0), replies(9)];
    let missing = |command: &[&str]| {
        let words = command.iter().copied().chain(["2", "99", "--json"]);
        relay.owner(words).finish().must_end_with(1).json()
    };
    std::fs::write(relay.directory().join("file.txt"), "a file").expect("our directory");
    drop(sent(&["--file", "file.txt", "--json"]));
    let last = owner(&["list"])["messages"]
        .as_array()
        .expect("a list")
        .len();
    let last = last.to_string();
    for (command, words) in [("list", vec!["list"]), ("read", vec!["read", &last])] {
        all.get_mut(command)
            .expect("put in above")
            .push(owner(&words));
    }
    all.insert("save", vec![owner(&["save", &last, "-o", "saved"])]);
    all.insert("mark", vec![missing(&["mark"])]);
    let real = owner(&["status"]);
    let mut status = statuses(&real);
    status.push(real);
    all.insert("status", status);
    all.insert("delete", vec![missing(&["delete", "--yes"])]);
    let me = ["me", "new", "--words-file", "recovery"];
    let me = vec![owner(&me), owner(&["me"])];
    let posted =
        ["me", "friends", "everyone"].map(|to| owner(&["post", "-m", "five", "--to", to, "-y"]));
    all.insert("post", posted.into());
    let edited = owner(&["edit", "p2", "-m", "six"]);
    all.insert("edit", vec![edited]);
    all.insert("feed", vec![owner(&["feed"])]);
    all.insert("read p3", vec![owner(&["read", "p3"])]);
    let deleted = ["delete", "p3", "p9", "--yes", "--json"];
    let deleted = relay.owner(deleted).finish().must_end_with(1).json();
    all.insert("delete p3", vec![deleted]);
    all.insert("me", [me, vec![owner(&["me", "forget", "--yes"])]].concat());
    all.insert("wipe", vec![owner(&["wipe", "--yes"])]);
    looked.push(replies(10));
    all.insert("replies", looked);
    all.insert("bench", vec![json(kkvc(["bench", "--json"]).finish())]);
    all.insert("identity", vec![owner(&["identity", "identity"])]);
    all.insert("doctor", vec![doctor(&relay)]);
    all.insert("card", vec![json(kkvc(["card", ONION, "--json"]).finish())]);
    all.insert("key", vec![owner(&["key", ONION, "key"])]);
    all
}

/// The commands that `kkvc --help` lists.
fn commands() -> BTreeSet<String> {
    let help = kkvc(["--help"]).finish().must_end_with(0).stdout_text();
    let (_, list) = help.split_once("Commands:\n").expect("a list of commands");
    let lines = list.lines().take_while(|line| !line.is_empty());
    let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
    // What is further in is the rest of the line above.
    let heads = lines.filter(|line| !line.starts_with("   "));
    heads
        .filter_map(first)
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn every_field_that_is_printed_is_documented_and_every_documented_field_occurs() {
    let documented = documented();
    let printed = printed();
    assert!(
        documented.keys().eq(printed.keys()),
        "{:?}",
        documented.keys()
    );
    for (command, table) in &documented {
        let mut seen = BTreeSet::new();
        for value in &printed[command.as_str()] {
            assert!(value.is_object());
            check("", value, table, &mut seen);
        }
        let all: BTreeSet<String> = table.keys().cloned().collect();
        let never: Vec<_> = all.difference(&seen).collect();
        assert!(never.is_empty(), "kkvc {command} never prints {never:?}");
    }
}

#[test]
fn every_command_is_in_the_document_with_its_fields_or_as_one_without() {
    let with_fields: BTreeSet<String> = documented().into_keys().collect();
    let (_, without) = DOCUMENT
        .split_once("Commands without JSON of this kind: ")
        .expect("a list of them");
    let without = without.split("\n\n").next().expect("a paragraph");
    for command in commands() {
        let is_without = without.contains(&format!("`{command}`"));
        let told = is_without || with_fields.contains(&command);
        assert!(told, "kkvc {command} is not in docs/JSON.md");
    }
}

#[test]
fn the_version_of_the_schema_comes_first() {
    let relay = Relay::start(&[]);
    let list = relay.owner(["list", "--json"]).finish().stdout_text();
    assert_eq!(list, "{\"schema\":1,\"messages\":[]}\n");
}
