//! `kkvc key`: keys to closed inboxes.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::output::{json_line, print_outcome};
use crate::tor::AccessSecret;
use kkv_protocol::crypto::random;
use kkv_protocol::onion::OnionAddress;
use kkv_terminal::stderr::info;
use kkv_terminal::visible::{OneLine, quoted};
use kkv_ui::error::CliError;
use kkv_ui::{key, secret_file};

#[derive(Serialize)]
struct KeyJson {
    inbox: String,
    key: String,
}

/// Shows the public half of the key in `file`, which is made for `inbox` if it isn't there.
pub(super) async fn show_or_make(
    inbox: OnionAddress,
    file: &Path,
    json: bool,
) -> Result<(), CliError> {
    let new = AccessSecret::generate(inbox, &mut random::kernel());
    let (secret, made) = match secret_file::make(file, &new.to_line()) {
        Ok(()) => (new, true),
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {
            (key::load(file).await?, false)
        }
        Err(fault) => return Err(secret_file::unusable(file, &fault, key::MAKER)),
    };
    if secret.inbox() != inbox {
        let what = format!("{} is the key to another inbox", quoted(file));
        return Err(
            CliError::usage(what).hint("Name another file; each inbox has a key of its own.")
        );
    }
    let key = secret.key().to_string();
    let done = key_in(made, file);
    if json {
        let inbox = inbox.to_string();
        return print_outcome(done, &json_line(&KeyJson { inbox, key }));
    }
    print_outcome(done, &format!("{key}\n"))?;
    info(format_args!(
        "Give this line to the inbox's owner, for kkv --allow. Keep {} to yourself; \
         kkvc send --key uses it, and so does a system Tor in its ClientOnionAuthDir.",
        OneLine(&file.to_string_lossy())
    ));
    Ok(())
}

/// Where the key is.
pub(super) fn key_in(made: bool, file: &Path) -> String {
    let key = if made { "A new key" } else { "The key" };
    format!("{key} is in {}", file.display())
}
