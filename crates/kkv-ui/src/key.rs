//! Files with keys to closed inboxes.

use std::path::Path;

use kkv_net::tor::AccessSecret;
use kkv_terminal::visible::quoted;

use crate::error::CliError;
use crate::secret_file;

/// The command that makes such files.
pub const MAKER: &str = "kkvc key ADDRESS FILE";

/// Reads the key in `file`, if nobody else can.
///
/// # Errors
/// It can't be read, others may read it, or it is no key.
pub async fn load(file: &Path) -> Result<AccessSecret, CliError> {
    let line = secret_file::read(file, MAKER, |line| line.parse::<AccessSecret>().is_ok()).await?;
    line.parse().map_err(|fault| {
        CliError::usage(format!("{}: {fault}", quoted(file)))
            .hint(format!("Name a new file: `{MAKER}` makes a key in it."))
    })
}
