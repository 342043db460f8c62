//! A signing key that a sender keeps in a file, to be recognised by it.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::key::key_in;
use super::output::{json_line, print_outcome};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::random;
use kkv_protocol::ids::SenderId;
use kkv_terminal::stderr::info;
use kkv_terminal::visible::{OneLine, quoted};
use kkv_ui::error::CliError;
use kkv_ui::secret_file;

/// The command that makes such files.
const MAKER: &str = "kkvc identity FILE";

#[derive(Serialize)]
struct Identity {
    public_key: SenderId,
    fingerprint: String,
    made: bool,
}

/// Makes the key unless it exists, and shows its public half.
pub(super) async fn show_or_make(path: &Path, json: bool) -> Result<(), CliError> {
    let (key, made) = match make(path) {
        Ok(key) => (key, true),
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => (load(path).await?, false),
        Err(fault) => return Err(secret_file::unusable(path, &fault, MAKER)),
    };
    let public = key.public();
    let identity = Identity {
        public_key: public.id(),
        fingerprint: public.fingerprint().to_string(),
        made,
    };
    if json {
        return print_outcome(key_in(made, path), &json_line(&identity));
    }
    let done = if made { "A new key" } else { "The key" };
    info(format_args!(
        "{done} in {}",
        OneLine(&path.to_string_lossy())
    ));
    let shown = format!(
        "fingerprint  {}\npublic key   {}\n",
        identity.fingerprint, identity.public_key
    );
    print_outcome(key_in(made, path), &shown)
}

fn make(path: &Path) -> io::Result<SenderKey> {
    let key = SenderKey::generate(&mut random::kernel());
    secret_file::make(path, &key.to_pem())?;
    Ok(key)
}

/// Reads the key in `path`, if nobody else can.
pub(super) async fn load(path: &Path) -> Result<SenderKey, CliError> {
    let pem = secret_file::read(path, MAKER, |text| SenderKey::from_pem(text).is_ok()).await?;
    SenderKey::from_pem(&pem).map_err(|fault| {
        CliError::usage(format!("{}: {fault}", quoted(path)))
            .hint(format!("Name a new file: `{MAKER}` makes a key in it."))
    })
}
