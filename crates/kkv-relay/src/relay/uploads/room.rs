//! The memory that is reserved for a message with files: its pieces are read into it, each where it belongs, three at a
//! time (PROTOCOL.md §16).

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::queue::LargeReservation;
use kkv_base::limits::MAX_PIECES_BEGUN;
use kkv_protocol::MessageHeader;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::upload::relay::{Assembly, Ended, Reader};
use kkv_protocol::v2::upload::{PieceIndex, Pieces};

/// A block, and which pieces of it are here.
#[derive(Debug)]
pub(in crate::relay) struct Room {
    block: LargeReservation<MessageHeader>,
    size: LargeSize,
    assembly: Assembly,
    /// Where the pieces go in the block, one behind the other.
    place: Range<usize>,
}

/// What may have such a room.
pub(in crate::relay) trait InRoom {
    /// Acts in the room; `None` if there is none any more.
    fn in_room<T>(&self, act: impl FnOnce(&mut Room) -> T) -> Option<T>;
}

/// A piece that is being read into its place. One that is dropped before it is whole leaves its place wiped. One that
/// has given way before doesn't look after its place any more: what it has left there is overwritten by the next body,
/// or wiped with the room.
#[derive(Debug)]
pub(in crate::relay) struct Receiving<U: InRoom> {
    upload: Arc<U>,
    reader: Reader,
    filled: usize,
}

impl Room {
    /// Nothing is here. The pieces fill `place`.
    pub(in crate::relay) fn new(
        block: LargeReservation<MessageHeader>,
        size: LargeSize,
        place: Range<usize>,
    ) -> Self {
        Self {
            block,
            size,
            assembly: Assembly::new(size),
            place,
        }
    }

    /// Which pieces are here.
    pub(in crate::relay) fn here(&self) -> Pieces {
        self.assembly.here()
    }

    /// Whether all of them are.
    pub(in crate::relay) fn is_complete(&self) -> bool {
        let pieces = self.place.len().div_ceil(self.size.part_bytes());
        self.here().count() as usize == pieces
    }

    /// Where a piece goes in the block; the last may be shorter than the others. Empty if there is no such piece.
    pub(in crate::relay) fn part(&self, index: PieceIndex) -> Range<usize> {
        let start = self.place.start + index.offset(self.size);
        let end = (start + self.size.part_bytes()).min(self.place.end);
        start.min(end)..end
    }

    /// Begins to read a piece; `None` if it is here.
    ///
    /// # Errors
    /// Too many bodies were begun.
    pub(in crate::relay) fn begin(
        &mut self,
        index: PieceIndex,
        now: Duration,
    ) -> Result<Option<Reader>, Ended> {
        if self.assembly.begun() == MAX_PIECES_BEGUN {
            return Err(Ended);
        }
        Ok(self.assembly.begin(index, now))
    }

    /// The piece of a body that has come whole is here, if `check` accepts what stands in its place.
    ///
    /// # Errors
    /// `slow_down`: another body has taken its place. What `check` refuses.
    pub(in crate::relay) fn finish(
        &mut self,
        reader: &Reader,
        now: Duration,
        check: impl FnOnce(&mut [u8]) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let gave_way = |_| Refusal::SlowDown;
        self.assembly.progress(reader, now).map_err(gave_way)?;
        let part = self.part(reader.index());
        self.block.block_mut().write(part, check)?;
        self.assembly.finish(reader, now).map_err(gave_way)
    }

    /// Calls `write` with a part of the block.
    pub(in crate::relay) fn write<T>(
        &mut self,
        range: Range<usize>,
        write: impl FnOnce(&mut [u8]) -> T,
    ) -> T {
        self.block.block_mut().write(range, write)
    }

    /// Its block.
    pub(in crate::relay) fn into_block(self) -> LargeReservation<MessageHeader> {
        self.block
    }

    fn receive(
        &mut self,
        reader: &Reader,
        filled: usize,
        bytes: &[u8],
        now: Duration,
    ) -> Result<(), Ended> {
        self.assembly.progress(reader, now)?;
        let start = self.part(reader.index()).start + filled;
        self.write(start..start + bytes.len(), |place| {
            place.copy_from_slice(bytes);
        });
        Ok(())
    }

    fn give_up(&mut self, reader: &Reader) {
        if self.assembly.end(reader) {
            let part = self.part(reader.index());
            self.block.block_mut().wipe(part);
        }
    }
}

impl<U: InRoom> Receiving<U> {
    pub(in crate::relay) fn new(upload: &Arc<U>, reader: Reader) -> Self {
        Self {
            upload: Arc::clone(upload),
            reader,
            filled: 0,
        }
    }

    pub(in crate::relay) fn upload(&self) -> &Arc<U> {
        &self.upload
    }

    pub(in crate::relay) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Puts bytes of the piece where they belong.
    ///
    /// # Errors
    /// `slow_down`: another body has taken this one's place. Unproven: there is no room any more.
    pub(in crate::relay) fn receive(&mut self, bytes: &[u8], now: Duration) -> Result<(), Refusal> {
        let (reader, filled) = (&self.reader, self.filled);
        let received = self
            .upload
            .in_room(|room| room.receive(reader, filled, bytes, now));
        match received {
            None => Err(Refusal::Unproven),
            Some(Err(Ended)) => Err(Refusal::SlowDown),
            Some(Ok(())) => {
                self.filled += bytes.len();
                Ok(())
            }
        }
    }
}

impl<U: InRoom> Drop for Receiving<U> {
    fn drop(&mut self) {
        let reader = &self.reader;
        self.upload.in_room(|room| room.give_up(reader));
    }
}
