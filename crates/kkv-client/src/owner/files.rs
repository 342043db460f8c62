//! Files of messages, bit by bit as they come.

use reqwest::StatusCode;
use zeroize::Zeroizing;

use super::fault::{ClientError, unanswered};
use super::{Client, url};
use kkv_base::limits::OWNER_FILE_TIMEOUT;
use kkv_owner::{GetFile, MessageId};
use kkv_protocol::v2::purpose::LargeSize;

/// The bytes of a file that are still to come.
#[derive(Debug)]
pub struct FileBytes {
    answer: reqwest::Response,
    left: u64,
}

/// No file is longer.
const MAX_FILE_BYTES: u64 = LargeSize::MAX_CONTENT_BYTES as u64;

impl FileBytes {
    /// How many there are.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// What comes next; `None` at the end.
    ///
    /// # Errors
    /// It ends too early, as it does if the message is deleted meanwhile.
    pub async fn next(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, ClientError> {
        let piece = self
            .answer
            .chunk()
            .await
            .map_err(|fault| unanswered(&fault))?;
        let bytes = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        match (piece, self.left.checked_sub(bytes)) {
            (None, _) if self.left == 0 => Ok(None),
            (Some(piece), Some(left)) => {
                self.left = left;
                Ok(Some(Zeroizing::new(piece.to_vec())))
            }
            _ => Err(ClientError::Unexpected(
                "a file that is shorter or longer than it was said to be".to_owned(),
            )),
        }
    }
}

impl Client {
    /// One file of a message, from 1: bit by bit as it comes.
    ///
    /// # Errors
    /// Not there; nobody answers, or not as expected.
    pub async fn file(&self, id: MessageId, file: usize) -> Result<FileBytes, ClientError> {
        let request = self.http.get(url("get_file")).query(&GetFile { id, file });
        let answer = self.send(request.timeout(OWNER_FILE_TIMEOUT)).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(ClientError::NoMessage(id));
        }
        let length = answer.content_length();
        match length {
            Some(length) if answer.status().is_success() && length <= MAX_FILE_BYTES => {
                Ok(FileBytes {
                    answer,
                    left: length,
                })
            }
            _ => Err(ClientError::Unexpected(
                "an answer that is no file".to_owned(),
            )),
        }
    }
}
