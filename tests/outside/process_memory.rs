//! The memory of another process, as the kernel shows it: every mapping that can be read, each byte of it.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use super::marker::{Marker, PIECE_BYTES, Piece};

/// Mappings that are the kernel's and not the process's: the clock's pages, and code that every process has.
const OF_THE_KERNEL: [&str; 4] = ["[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]"];

/// One line of `/proc/PID/maps`.
#[derive(Debug)]
struct Mapping {
    start: u64,
    end: u64,
    readable: bool,
    name: String,
}

/// What a scan has found of one marker.
pub(super) struct Found {
    length: usize,
    pieces: Vec<Place>,
}

/// A piece, and where it is.
struct Place {
    address: u64,
    mapping: String,
    piece: Piece,
}

impl Found {
    /// How many whole copies there are.
    pub(super) fn copies(&self) -> usize {
        let whole = |place: &&Place| place.piece.part.len() == self.length;
        self.pieces.iter().filter(whole).count()
    }

    /// How many pieces of 16 bytes there are, those within longer ones counted.
    pub(super) fn pieces(&self) -> usize {
        let within = |place: &Place| place.piece.part.len() + 1 - PIECE_BYTES;
        self.pieces.iter().map(within).sum()
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (copies, pieces) = (self.copies(), self.pieces());
        writeln!(
            f,
            "of {} bytes: {copies} whole copies, {pieces} pieces of {PIECE_BYTES}",
            self.length
        )?;
        for place in &self.pieces {
            let part = &place.piece.part;
            writeln!(f, "  {part:?} at {:#x}, {}", place.address, place.mapping)?;
        }
        Ok(())
    }
}

/// Looks for `markers` in the memory of `process`.
pub(super) fn scan(process: i32, markers: &[Marker]) -> Vec<Found> {
    assert_ne!(process, std::process::id().cast_signed(), "the test itself");
    let mappings = mappings(process);
    let memory = File::open(format!("/proc/{process}/mem"))
        .unwrap_or_else(|fault| panic!("the relay's memory can't be opened: {fault}"));
    let mut found: Vec<Found> = markers
        .iter()
        .map(|marker| Found {
            length: marker.text().len(),
            pieces: Vec::new(),
        })
        .collect();
    let mut read = 0;
    let mut bytes = Vec::new();
    for mapping in mappings.iter().filter(|mapping| mapping.readable) {
        let length = usize::try_from(mapping.end - mapping.start).expect("it fits in memory");
        bytes.resize(length, 0);
        memory
            .read_exact_at(&mut bytes, mapping.start)
            .unwrap_or_else(|fault| panic!("{mapping:?} can't be read: {fault}"));
        read += length;
        for (marker, found) in markers.iter().zip(&mut found) {
            let places = marker.search(&bytes).into_iter().map(|piece| Place {
                address: mapping.start + piece.offset as u64,
                mapping: described(process, mapping),
                piece,
            });
            found.pieces.extend(places);
        }
    }
    // The program alone has more, so less means that something else was read.
    assert!(read > 1 << 20, "only {read} bytes could be read");
    found
}

fn mappings(process: i32) -> Vec<Mapping> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))
        .unwrap_or_else(|fault| panic!("the relay's mappings can't be read: {fault}"));
    let parsed = maps.lines().map(|line| {
        parsed(line).unwrap_or_else(|| panic!("a line of the mappings says nothing: {line:?}"))
    });
    parsed
        .filter(|mapping| !OF_THE_KERNEL.contains(&mapping.name.as_str()))
        .collect()
}

fn parsed(line: &str) -> Option<Mapping> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let readable = fields.next()?.starts_with('r');
    let (_offset, _device, _inode) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        readable,
        name: fields.collect::<Vec<_>>().join(" "),
    })
}

/// What a person can make of a mapping: its name, or whose stack it is, as far as the kernel tells.
fn described(process: i32, mapping: &Mapping) -> String {
    let size = (mapping.end - mapping.start) >> 10;
    let name = match mapping.name.as_str() {
        "" => stack_of(process, mapping).unwrap_or_else(|| "without a name".to_owned()),
        name => name.to_owned(),
    };
    format!("{name}, {size} KiB from {:#x}", mapping.start)
}

/// The thread whose stack pointer is in this mapping, if there is one that waits in the kernel.
fn stack_of(process: i32, mapping: &Mapping) -> Option<String> {
    for task in fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let task = task.ok()?.path();
        let call = fs::read_to_string(task.join("syscall")).ok()?;
        let pointer = call.split_whitespace().rev().nth(1)?.strip_prefix("0x");
        let pointer = pointer.and_then(|hex| u64::from_str_radix(hex, 16).ok());
        if pointer.is_some_and(|pointer| (mapping.start..mapping.end).contains(&pointer)) {
            let thread = fs::read_to_string(task.join("comm")).ok()?;
            return Some(format!("stack of thread {}", thread.trim()));
        }
    }
    None
}

#[test]
fn the_lines_of_the_kernel_are_understood() {
    let line = "7ffd276c2000-7ffd276e4000 rw-p 00000000 00:00 0                          [stack]";
    let mapping = parsed(line).unwrap();
    assert_eq!(
        (mapping.start, mapping.end),
        (0x7ffd276c2000, 0x7ffd276e4000)
    );
    assert!(mapping.readable && mapping.name == "[stack]");
    let hidden = parsed("7f38-7f39 ---p 00000000 00:00 0 ").unwrap();
    assert!(!hidden.readable && hidden.name.is_empty());
    let file = parsed("10-20 r-xp 00001000 fe:01 77   /a path/kkv (deleted)").unwrap();
    assert_eq!(file.name, "/a path/kkv (deleted)");
    for bad in ["", "10-20 r-xp", "xy-20 r-xp 0 0 0", "10 r-xp 0 0 0"] {
        assert!(parsed(bad).is_none(), "{bad}");
    }
}
