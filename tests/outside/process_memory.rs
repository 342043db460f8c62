//! The memory of another process, as the kernel shows it: every mapping in which something could be, each byte of it.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use super::marker::{Marker, PIECE_BYTES, Piece, Search};
use super::spread::{PIECE_BYTES as SPREAD_PIECE_BYTES, spread_pieces};

/// Mappings that are the kernel's and not the process's: the clock's pages, and code that every process has.
const OF_THE_KERNEL: [&str; 4] = ["[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]"];

/// A mapping, as `/proc/PID/smaps` has it.
#[derive(Debug, Default)]
struct Mapping {
    start: u64,
    end: u64,
    /// Such as `rw-p`.
    rights: String,
    name: String,
    is_file: bool,
    /// Pages of it that are in memory, those of them that are not simply the file's, and pages in swap. KiB.
    resident: u64,
    anonymous: u64,
    swapped: u64,
    /// Such as `rd wr lo dd`.
    flags: String,
}

impl Mapping {
    /// Whether anything of the process's own can be in it. A page that was never touched is zeros; one of a file that
    /// was never written to is what the file has, which was there before whatever is looked for.
    fn may_hold_something(&self) -> bool {
        let untouched = self.resident + self.swapped == 0;
        let is_the_file =
            self.is_file && self.rights.ends_with('p') && self.anonymous + self.swapped == 0;
        self.rights.starts_with('r')
            && !untouched
            && !is_the_file
            && !OF_THE_KERNEL.contains(&self.name.as_str())
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.flags.split_whitespace().any(|word| word == flag)
    }
}

/// What a scan has found of one marker.
pub(crate) struct Found {
    marker: Marker,
    places: Vec<Place>,
}

/// A piece, and where it is.
pub(crate) struct Place {
    /// Whether the kernel never writes this memory to a disk: neither to swap nor to a core dump.
    pub is_kept_in_memory: bool,
    address: u64,
    mapping: String,
    piece: Piece,
}

impl Found {
    /// How many whole copies there are.
    pub(crate) fn copies(&self) -> usize {
        self.whole().count()
    }

    /// Where whole copies are.
    pub(crate) fn whole(&self) -> impl Iterator<Item = &Place> {
        let length = self.marker.bytes().len();
        let places = self.places.iter();
        places.filter(move |place| place.piece.part.len() == length)
    }

    /// How many pieces of 16 bytes there are, those within longer ones counted.
    pub(crate) fn pieces(&self) -> usize {
        let within = |place: &Place| place.piece.part.len() + 1 - PIECE_BYTES;
        self.places.iter().map(within).sum()
    }

    /// Fails the test unless there is one copy and nothing else of it.
    #[track_caller]
    pub(crate) fn must_be_one_copy(&self) {
        let (copies, pieces) = (self.copies(), self.pieces());
        assert_eq!((copies, pieces), (1, self.marker.pieces()), "{self:?}");
    }
}

/// Fails the test if there is a piece of any.
#[track_caller]
pub(crate) fn must_be_nowhere(found: &[Found]) {
    let left = found.iter().filter(|found| found.pieces() > 0);
    let left: Vec<_> = left.collect();
    assert!(left.is_empty(), "still in memory: {left:#?}");
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (copies, pieces) = (self.copies(), self.pieces());
        writeln!(
            f,
            "{:?}: {copies} whole copies, {pieces} pieces of {PIECE_BYTES}",
            self.marker
        )?;
        for place in &self.places {
            let part = &place.piece.part;
            writeln!(f, "  {part:?} at {:#x}, {}", place.address, place.mapping)?;
        }
        Ok(())
    }
}

/// Looks for `markers` in the memory of `process`: what was found of each, in their order.
pub(crate) fn scan(process: i32, markers: &[Marker]) -> Vec<Found> {
    let search = Search::new(markers);
    let mut found: Vec<Found> = markers
        .iter()
        .map(|marker| Found {
            marker: marker.clone(),
            places: Vec::new(),
        })
        .collect();
    read(process, |mapping, bytes| {
        for piece in search.pieces(bytes) {
            found[piece.marker].places.push(Place {
                is_kept_in_memory: mapping.has_flag("lo") && mapping.has_flag("dd"),
                address: mapping.start + piece.offset as u64,
                mapping: described(process, mapping),
                piece,
            });
        }
    });
    found
}

/// Where letters of `marker` are in memory that `process` may write to, each as far from the next as in
/// [`spread_pieces`]: 1 byte if they are one text.
pub(crate) fn scan_spread(process: i32, marker: &Marker) -> Vec<String> {
    let mut places = Vec::new();
    read(process, |mapping, bytes| {
        if !mapping.rights.contains('w') {
            return;
        }
        for piece in spread_pieces(bytes, marker.bytes()) {
            let address = mapping.start + piece.offset as u64;
            places.push(format!(
                "{SPREAD_PIECE_BYTES} letters, {} bytes from one to the next, at {address:#x}, {}",
                piece.stride,
                described(process, mapping)
            ));
        }
    });
    places
}

/// Every 32 bytes in memory that the process may write to which could be a secret key, once each, with the places where
/// they are.
///
/// A key that a machine has drawn is looked for only where it can begin: at a multiple of 8, as memory for 32 bytes
/// does. Left out is what next to no random key looks like (once in 2^30): a word of zeros in it, two words that look
/// like addresses or small numbers, nothing but ASCII.
pub(crate) fn possible_keys(process: i32) -> Vec<([u8; 32], String)> {
    let mut seen = HashSet::new();
    let mut keys = Vec::new();
    read(process, |mapping, bytes| {
        if !mapping.rights.contains('w') {
            return;
        }
        let (words, _) = bytes.as_chunks::<8>();
        for (at, words) in words.windows(4).enumerate() {
            if words.contains(&[0; 8])
                || words.iter().filter(|word| word[6..] == [0; 2]).count() > 1
            {
                continue;
            }
            let key: [u8; 32] = words.concat().try_into().expect("four words");
            if !key.is_ascii() && seen.insert(key) {
                let address = mapping.start + 8 * at as u64;
                keys.push((
                    key,
                    format!("{address:#x}, {}", described(process, mapping)),
                ));
            }
        }
    });
    keys
}

/// Shows everything that `process` may have in memory to `look`, mapping by mapping.
fn read(process: i32, mut look: impl FnMut(&Mapping, &[u8])) {
    assert_ne!(process, std::process::id().cast_signed(), "the test itself");
    let mappings = mappings(process);
    let memory = File::open(format!("/proc/{process}/mem"));
    let memory = looked(memory).expect("it runs");
    let mut read = 0;
    let mut bytes = Vec::new();
    for mapping in mappings.iter().filter(|m| m.may_hold_something()) {
        let length = usize::try_from(mapping.end - mapping.start).expect("it fits in memory");
        bytes.resize(length, 0);
        memory
            .read_exact_at(&mut bytes, mapping.start)
            .unwrap_or_else(|fault| panic!("{mapping:?} can't be read: {fault}"));
        read += length;
        look(mapping, &bytes);
    }
    // The heap and the stack alone are more, so less means that something else was read.
    assert!(read > 1 << 18, "only {read} bytes could be read");
}

/// What `/proc/PID` says of a process in this file; nothing if it has ended. Fails the test, saying why, if we may not
/// look.
pub(crate) fn about(process: i32, file: &str) -> String {
    let read = fs::read_to_string(format!("/proc/{process}/{file}"));
    looked(read).unwrap_or_default()
}

/// How many files it has open.
pub(crate) fn open_files(process: i32) -> usize {
    let files = fs::read_dir(format!("/proc/{process}/fd"));
    looked(files).map_or(0, Iterator::count)
}

fn looked<T>(look: io::Result<T>) -> Option<T> {
    if let Err(fault) = &look {
        assert!(
            fault.kind() != io::ErrorKind::PermissionDenied,
            "the program can't be looked into ({fault}). It is closed to everyone but root, so this test needs root, or root's rights within a \
             namespace of one's own: `unshare --user --map-root-user cargo nextest run`, which is how scripts/test runs it for ordinary users"
        );
    }
    look.ok()
}

fn mappings(process: i32) -> Vec<Mapping> {
    parsed(&about(process, "smaps"))
        .unwrap_or_else(|line| panic!("a line of the mappings says nothing: {line:?}"))
}

/// Reads `smaps`; the line that can't be read if there is one.
fn parsed(smaps: &str) -> Result<Vec<Mapping>, &str> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in smaps.lines() {
        let field = line.starts_with(|c: char| c.is_ascii_uppercase());
        match (field, mappings.last_mut()) {
            (true, Some(mapping)) => mapping.take(line).ok_or(line)?,
            _ => mappings.push(begun(line).ok_or(line)?),
        }
    }
    Ok(mappings)
}

/// The first line of a mapping.
fn begun(line: &str) -> Option<Mapping> {
    let mut words = line.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let rights = words.next()?.to_owned();
    let (_offset, _device, inode) = (words.next()?, words.next()?, words.next()?);
    Some(Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        rights,
        is_file: inode != "0",
        name: words.collect::<Vec<_>>().join(" "),
        ..Mapping::default()
    })
}

impl Mapping {
    /// One of the lines that follow.
    fn take(&mut self, line: &str) -> Option<()> {
        let (name, value) = line.split_once(':')?;
        let kib = || value.trim().strip_suffix(" kB")?.parse().ok();
        match name {
            "Rss" => self.resident = kib()?,
            "Anonymous" => self.anonymous = kib()?,
            "Swap" => self.swapped = kib()?,
            "VmFlags" => value.trim().clone_into(&mut self.flags),
            _ => {}
        }
        Some(())
    }
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
    let smaps = "7ffd276c2000-7ffd276e4000 rw-p 00000000 00:00 0                          [stack]\n\
        Rss:                  96 kB\nAnonymous:            96 kB\nVmFlags: rd wr mr mw me gd ac lo dd \n\
        10-20 r-xp 00001000 fe:01 77   /a path/kkv (deleted)\nRss:                  4 kB\nVmFlags: rd ex\n\
        7f38-7f39 ---p 00000000 00:00 0 \nRss:                  0 kB\n";
    let mappings = parsed(smaps).unwrap();
    let [stack, file, hidden] = &mappings[..] else {
        panic!("{mappings:?}");
    };
    assert_eq!((stack.start, stack.end), (0x7ffd276c2000, 0x7ffd276e4000));
    assert_eq!((stack.name.as_str(), stack.resident), ("[stack]", 96));
    assert!(stack.may_hold_something() && stack.has_flag("lo") && stack.has_flag("dd"));
    assert_eq!(file.name, "/a path/kkv (deleted)");
    assert!(!file.may_hold_something() && !file.has_flag("lo"));
    assert!(!hidden.may_hold_something());
    let written = parsed("10-20 rw-p 0 fe:01 77 /kkv\nRss: 8 kB\nAnonymous: 4 kB\n").unwrap();
    assert!(written[0].may_hold_something());
    let shared = parsed("10-20 rw-s 0 fe:01 77 /kkv\nRss: 8 kB\nAnonymous: 0 kB\n").unwrap();
    assert!(shared[0].may_hold_something());
    for bad in ["10-20 r-xp", "xy-20 r-xp 0 0 0", "10 r-xp 0 0 0"] {
        assert_eq!(parsed(bad).unwrap_err(), bad);
    }
    assert!(parsed("10-20 rw-p 0 0 0\nRss: many\n").is_err());
}
