//! The look-up table by which two relays find what the other lacks: its size follows from the differences, not from
//! what they have (LETTERS-FORMAT.md §16).
//!
//! An invertible Bloom look-up table (Eppstein and others, "What's the Difference?", SIGCOMM 2011). The asker draws a
//! new salt for each, so nobody can make envelopes whose ids jam it.

use rand::CryptoRng;

use crate::ids::EnvelopeId;
use crate::labels;

/// Bytes of a cell.
pub const CELL_BYTES: usize = 16;
/// Cells that each id is in, one of each quarter of the table. Two ids with all cells in common are lost: of a small
/// table that is one pair in 64^4, and most of what fails.
const PLACES: usize = 4;

/// How large a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableSize {
    /// 256 cells, 4 KiB: for 150 differences.
    Small,
    /// 4,096 cells, 64 KiB: for 2,900 differences.
    Large,
}

/// What ids are hashed with: the asker's, and new for each table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 16]);

/// keyed_hash(salt's key, id)\[..8\]: an envelope's id within one table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortId(pub [u8; 8]);

/// Hashes of one salt.
#[derive(Clone)]
struct Keys {
    short: [u8; 32],
    cells: [u8; 32],
}

/// A set of ids, as sums over cells.
#[derive(Clone)]
pub struct LookUp {
    salt: Salt,
    keys: Keys,
    cells: Vec<Cell>,
}

/// Of the ids in it: the sum (exclusive or) of them and of their checks, and how many.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Cell {
    sum: [u8; 8],
    check: u32,
    count: i32,
}

/// What only one side has.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// What this side has alone, in the order of their bytes.
    pub ours: Vec<ShortId>,
    /// What the other has alone.
    pub theirs: Vec<ShortId>,
}

/// Too many differences for a table of this size, or a table that nobody made honestly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more differences than a table of this size can tell")]
pub struct TooMany;

/// The bytes are no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a look-up table has 4 or 64 KiB")]
pub struct BadTable;

impl TableSize {
    /// How many cells it has.
    #[must_use]
    pub fn cells(self) -> usize {
        match self {
            Self::Small => 256,
            Self::Large => 4096,
        }
    }
}

impl Salt {
    /// A new one: 16 bytes are drawn.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        Self(salt)
    }

    /// Takes the asker's.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn keys(self) -> Keys {
        Keys {
            short: labels::LOOKUP_ID.digest(&[&self.0]),
            cells: labels::LOOKUP_CELLS.digest(&[&self.0]),
        }
    }
}

impl Keys {
    fn short(&self, id: &EnvelopeId) -> ShortId {
        let hash = blake3::keyed_hash(&self.short, &id.0);
        ShortId(*hash.as_bytes().first_chunk().expect("32 bytes have 8"))
    }

    /// The check of an id, and its cells.
    fn places(&self, id: ShortId, cells: usize) -> (u32, [usize; PLACES]) {
        let hash = blake3::keyed_hash(&self.cells, &id.0);
        let word = |at: usize| {
            let chunk = hash.as_bytes()[4 * at..].first_chunk();
            u32::from_le_bytes(*chunk.expect("32 bytes have 5 words"))
        };
        let quarter = cells / PLACES;
        let places = std::array::from_fn(|part| part * quarter + word(1 + part) as usize % quarter);
        (word(0), places)
    }
}

impl LookUp {
    /// An empty set.
    #[must_use]
    pub fn new(size: TableSize, salt: Salt) -> Self {
        Self {
            salt,
            keys: salt.keys(),
            cells: vec![Cell::default(); size.cells()],
        }
    }

    /// Reads a table. Whatever its cells are, [`difference`](Self::difference) ends.
    ///
    /// # Errors
    /// It has another size than tables have.
    pub fn parse(bytes: &[u8], salt: Salt) -> Result<Self, BadTable> {
        let (cells, rest) = bytes.as_chunks::<CELL_BYTES>();
        let sizes = [TableSize::Small, TableSize::Large];
        let fits = sizes.into_iter().any(|size| size.cells() == cells.len());
        if !fits || !rest.is_empty() {
            return Err(BadTable);
        }
        Ok(Self {
            salt,
            keys: salt.keys(),
            cells: cells.iter().map(Cell::read).collect(),
        })
    }

    /// The table as it is sent, beside its salt.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.cells.iter().flat_map(Cell::write).collect()
    }

    /// What its ids are hashed with.
    #[must_use]
    pub fn salt(&self) -> Salt {
        self.salt
    }

    /// What `id` is called in tables of this salt.
    #[must_use]
    pub fn short(&self, id: &EnvelopeId) -> ShortId {
        self.keys.short(id)
    }

    /// Takes an id in, which must not be in it yet.
    pub fn insert(&mut self, id: &EnvelopeId) {
        self.add(self.short(id), 1);
    }

    fn add(&mut self, id: ShortId, sign: i32) -> [usize; PLACES] {
        let (check, places) = self.keys.places(id, self.cells.len());
        for place in places {
            let cell = &mut self.cells[place];
            cell.add(&Cell {
                sum: id.0,
                check,
                count: sign,
            });
        }
        places
    }

    /// What each side has alone. Takes at most as many steps as there are cells.
    ///
    /// # Errors
    /// There are more differences than the table can tell, or the two are of other sizes or salts.
    pub fn difference(mut self, theirs: &Self) -> Result<Difference, TooMany> {
        if self.salt != theirs.salt || self.cells.len() != theirs.cells.len() {
            return Err(TooMany);
        }
        for (cell, other) in self.cells.iter_mut().zip(&theirs.cells) {
            cell.add(&Cell {
                count: other.count.wrapping_neg(),
                ..*other
            });
        }
        let mut found = Difference::default();
        let mut waiting: Vec<usize> = (0..self.cells.len()).collect();
        let mut steps = self.cells.len();
        while let Some(place) = waiting.pop() {
            let Cell { sum, check, count } = self.cells[place];
            let id = ShortId(sum);
            let fits = || {
                let (right, places) = self.keys.places(id, self.cells.len());
                right == check && places.contains(&place)
            };
            if !matches!(count, 1 | -1) || !fits() {
                continue;
            }
            // Cells that nobody made honestly could give out one id for ever.
            steps = steps.checked_sub(1).ok_or(TooMany)?;
            let side = if count == 1 {
                &mut found.ours
            } else {
                &mut found.theirs
            };
            side.push(id);
            waiting.extend(self.add(id, -count));
        }
        if self.cells.iter().any(|cell| *cell != Cell::default()) {
            return Err(TooMany);
        }
        found.ours.sort_unstable();
        found.theirs.sort_unstable();
        Ok(found)
    }
}

impl Cell {
    fn add(&mut self, other: &Self) {
        for (byte, with) in self.sum.iter_mut().zip(other.sum) {
            *byte ^= with;
        }
        self.check ^= other.check;
        self.count = self.count.wrapping_add(other.count);
    }

    fn read(bytes: &[u8; CELL_BYTES]) -> Self {
        let [sum, rest] = [0, 8].map(|at| bytes[at..].first_chunk::<8>());
        let rest = *rest.expect("a cell has 16 bytes");
        let [a, b, c, d, e, f, g, h] = rest;
        Self {
            sum: *sum.expect("a cell has 16 bytes"),
            check: u32::from_le_bytes([a, b, c, d]),
            count: i32::from_le_bytes([e, f, g, h]),
        }
    }

    fn write(&self) -> [u8; CELL_BYTES] {
        let mut bytes = [0; CELL_BYTES];
        bytes[..8].copy_from_slice(&self.sum);
        bytes[8..12].copy_from_slice(&self.check.to_le_bytes());
        bytes[12..].copy_from_slice(&self.count.to_le_bytes());
        bytes
    }
}

opaque_debug!(Salt, ShortId, LookUp, Difference);

#[cfg(test)]
mod tests;
