//! An upload that another run of its sender goes on with (PROTOCOL.md §16): everything that it takes, but the message
//! key. Who finds it learns the length of the message, can send it to its end, and can check a guess of what is in it.
//!
//! ```text
//! "kkv/2 upload 1" 14 | size u8 | relay 32 | session 32 | sender 32 | digest 32
//! | acknowledgement key 32 | query tag 16 | content 32 | pieces
//! ```
//!
//! `content` is the BLAKE3, under a context of its own, of the session and of what is signed for the content: by it
//! alone another run tells the same message from another one.
//!
//! Which pieces the relay has is not kept: it says so itself, and may have any of them.

use zeroize::Zeroizing;

use super::sender::Upload;
use super::{HEAD_BYTES, Pieces, QUERY_BYTES, QUERY_INDEX, write_head};
use crate::crypto::chunks::ChunkKey;
use crate::crypto::identity::PublicKey;
use crate::ids::{MessageDigest, RelayId, SenderId, SessionId};
use crate::v2::purpose::LargeSize;
use crate::v2::receipt::Receipt;

const MAGIC: &[u8; 14] = b"kkv/2 upload 1";
const FIXED_BYTES: usize = 14 + 1 + 5 * 32 + 16 + 32;

/// Longest one, in bytes.
pub const MAX_BYTES: usize = FIXED_BYTES + LargeSize::Mib1.bytes();

/// It is no upload that was kept, or a broken one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no upload that was begun")]
pub struct NotKept;

impl Upload {
    /// What another run needs to go on.
    #[must_use]
    pub fn keep(&self) -> Zeroizing<Vec<u8>> {
        let mut kept = Zeroizing::new(Vec::with_capacity(FIXED_BYTES + self.sealed.len()));
        kept.extend_from_slice(MAGIC);
        kept.push(self.size as u8);
        kept.extend_from_slice(&self.relay.id().0);
        kept.extend_from_slice(&self.receipt.session.0);
        kept.extend_from_slice(self.receipt.sender.as_bytes());
        kept.extend_from_slice(&self.receipt.digest.0);
        kept.extend_from_slice(self.acknowledgement_key.as_bytes());
        kept.extend_from_slice(&self.query[HEAD_BYTES..]);
        kept.extend_from_slice(&*self.content);
        kept.extend_from_slice(&self.sealed);
        kept
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// It is none, or broken.
    pub fn again(kept: &[u8]) -> Result<Self, NotKept> {
        let mut rest = kept;
        if take(&mut rest)? != *MAGIC {
            return Err(NotKept);
        }
        let [size] = take(&mut rest)?;
        let size = LargeSize::try_from(size).map_err(|_| NotKept)?;
        let relay = PublicKey::from_id(&RelayId(take(&mut rest)?)).map_err(|_| NotKept)?;
        let session = SessionId(take(&mut rest)?);
        let sender = PublicKey::from_id(&SenderId(take(&mut rest)?)).map_err(|_| NotKept)?;
        let digest = MessageDigest(take(&mut rest)?);
        let acknowledgement_key = ChunkKey::new(Zeroizing::new(take(&mut rest)?));
        let tag: [u8; QUERY_BYTES - HEAD_BYTES] = take(&mut rest)?;
        let content = Zeroizing::new(take(&mut rest)?);
        let mut query = [0; QUERY_BYTES];
        query[..HEAD_BYTES].copy_from_slice(&write_head(&session, QUERY_INDEX));
        query[HEAD_BYTES..].copy_from_slice(&tag);
        let pieces = rest.chunks_exact(size.piece_bytes());
        let heads = Pieces::all(size).iter();
        let heads = heads.map(|index| write_head(&session, index.get() as u64));
        let is_whole = rest.len() == size.bytes()
            && pieces
                .zip(heads)
                .all(|(piece, head)| piece.starts_with(&head));
        if !is_whole {
            return Err(NotKept);
        }
        Ok(Self {
            relay,
            receipt: Receipt {
                session,
                sender,
                digest,
            },
            size,
            sealed: rest.to_vec(),
            query,
            acknowledgement_key,
            content,
            begun: Pieces::all(size),
            here: Pieces::NONE,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], NotKept> {
    let (array, after) = rest.split_first_chunk().ok_or(NotKept)?;
    *rest = after;
    Ok(*array)
}
