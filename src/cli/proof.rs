//! `kkvc export` and `kkvc verify`: files that a third party can check without a relay.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::output::{print, print_json, require_output};
use kkv_client::owner::Client;
use kkv_protocol::crypto::identity::{BadSignature, Relay, Sender};
use kkv_protocol::proof::{MAX_FILE_BYTES, NoProof, Proof};
use kkv_relay::queue::MessageId;
use kkv_terminal::bar::{behind_a_bar, columns};
use kkv_terminal::input::{self, stdin};
use kkv_terminal::json::ascii_json;
use kkv_terminal::visible::{OneLine, quoted};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::fingerprint;

/// What `kkvc verify --json` says.
#[derive(Serialize)]
struct Checked {
    proofs: Vec<Proof>,
}

/// Prints a message with its signature.
pub(super) async fn export(client: &Client, id: MessageId) -> Result<(), CliError> {
    require_output("nothing was exported")?;
    let message = client.message(id).await?;
    if !message.summary.files.is_empty() {
        let what = format!("message {id} has files, and only texts can be exported");
        return Err(CliError::new(Exit::Refused, what).hint(format!(
            "`kkvc save {id}` writes the files; nobody else can check them."
        )));
    }
    let Some(proof) = message.into_proof() else {
        let what = format!(
            "message {id} came by the page, where nobody signs: nothing proves who wrote it"
        );
        return Err(CliError::new(Exit::Refused, what).hint(format!("`kkvc read {id}` shows it.")));
    };
    print(&format!("{}\n", ascii_json(&proof)))
}

/// Checks one or two files; two must be a message and its receipt.
pub(super) fn verify(paths: &[PathBuf], json: bool) -> Result<(), CliError> {
    let proofs = paths
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, _>>()?;
    for (path, proof) in paths.iter().zip(&proofs) {
        proof.check().map_err(|BadSignature| {
            let what = format!("{}: the signature doesn't fit", quoted(path));
            CliError::new(Exit::BadSignature, what)
                .hint("It was changed after it was signed, or never signed by that key.")
        })?;
    }
    if let [one, other] = &proofs[..] {
        let Some(together) = one.belongs_to(other) else {
            return Err(CliError::usage(
                "two files must be a message and its receipt",
            ));
        };
        if !together {
            let what = "each file is right by itself, but the receipt is for another message";
            return Err(CliError::new(Exit::BadSignature, what));
        }
    }
    if json {
        return print_json(&Checked { proofs });
    }
    print(&render_proofs(&proofs, columns()))
}

/// What the files prove, for people, on a terminal of so many `columns` if it is one. Only said of what was checked.
/// The text of a message comes last, behind a bar: whatever it says, it can't pass for a word of this program.
#[must_use]
pub fn render_proofs(proofs: &[Proof], columns: Option<usize>) -> String {
    let mut lines: String = proofs.iter().map(render).collect();
    lines += match proofs {
        [Proof::Receipt(_)] => {
            "Give the exported message as well to see which message it is about.\n"
        }
        [_, _] => "They belong together: the relay accepted exactly this message.\n",
        _ => "",
    };
    if let Some(text) = proofs.iter().find_map(Proof::text) {
        lines.push('\n');
        lines += &behind_a_bar(text, columns);
    }
    lines
}

fn read(path: &Path) -> Result<Proof, CliError> {
    let unreadable =
        |fault: io::Error| CliError::usage(format!("can't read {}: {fault}", quoted(path)));
    let source = if path.as_os_str() == "-" {
        stdin()
    } else {
        File::open(path)
    };
    let text = source.and_then(|source| input::text(source, MAX_FILE_BYTES));
    let text = text.map_err(unreadable)?;
    Proof::parse(text.as_bytes()).map_err(|fault| {
        let path = quoted(path);
        let why = why(&fault);
        CliError::usage(format!(
            "{path} is no exported message and no receipt: {why}"
        ))
        .hint("`kkvc export ID` and `kkvc send --receipt FILE` write such files.")
    })
}

/// Why it is none. The names of fields are a stranger's.
fn why(fault: &NoProof) -> String {
    match fault {
        NoProof::Extra(name) => {
            let name = OneLine(name);
            format!("it has an extra field, \"{name}\", which no signature covers")
        }
        NoProof::Twice(name) => format!("the field \"{}\" is there twice", OneLine(name)),
        fault => fault.to_string(),
    }
}

/// What one file proves, but for the text of a message.
fn render(proof: &Proof) -> String {
    match proof {
        Proof::MessageV1(message) => format!(
            "A message in kkv/1. Its signature fits; it covers\n\
             the text alone, not to whom or when it was said.\n  \
             signed by  {}\n             {}\n",
            fingerprint::<Sender>(&message.sender),
            message.sender,
        ),
        Proof::MessageV2(message) => format!(
            "A message in kkv/2. Its signature fits.\n  \
             signed by  {}\n             {}\n  said to    {}\n             {}\n",
            fingerprint::<Sender>(&message.sender),
            message.sender,
            fingerprint::<Relay>(&message.relay),
            message.relay,
        ),
        Proof::Receipt(receipt) => format!(
            "A receipt. Its signature fits: the relay accepted one message of this sender.\n  \
             signed by  {}\n             {}\n  sender     {}\n             {}\n",
            fingerprint::<Relay>(&receipt.relay),
            receipt.relay,
            fingerprint::<Sender>(&receipt.sender),
            receipt.sender,
        ),
    }
}
