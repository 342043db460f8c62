//! Files that are to come, as script announces them.

use std::fmt;

use serde::Deserialize;

use super::super::{NotTaken, kept_name, kept_type};
use kkv_protocol::files::file_head;

/// What browsers call a file whose type they don't know.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// A file that is to come.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub(in crate::relay) struct Announced {
    pub(super) name: String,
    #[serde(rename = "type")]
    media_type: String,
    pub(super) size: usize,
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Announced(..)")
    }
}

impl Announced {
    /// As it is kept: see a form's own files.
    pub(super) fn kept(mut self) -> Self {
        self.name = kept_name(self.name);
        self.media_type = if self.media_type.is_empty() {
            UNKNOWN_TYPE.to_owned()
        } else {
            kept_type(self.media_type)
        };
        self
    }

    /// What stands before its bytes.
    pub(super) fn head(&self) -> Result<Vec<u8>, NotTaken> {
        file_head(&self.name, &self.media_type, self.size).map_err(|_| NotTaken::TooLarge)
    }
}

/// Bytes of the files themselves.
pub(super) fn bytes(files: &[Announced]) -> usize {
    let sizes = files.iter().map(|file| file.size);
    sizes.fold(0, usize::saturating_add)
}
