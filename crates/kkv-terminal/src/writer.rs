//! Standard output and standard error, each written by a thread of its own, so that an output that takes nothing
//! (Ctrl-S, a hung connection, a paused pager) stops nothing else.
//!
//! Words for people go into a bounded queue and are never waited for; what finds no room is dropped, and how much is
//! said in its place. Data is waited for, until a signal asks the program to end.

mod guard;
mod patience;
mod sink;

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Condvar, LazyLock, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use rustix::fs::fstat;
use zeroize::Zeroizing;

use crate::bar::GOES_ON;
use crate::lock;
use patience::Patience;
pub use sink::{Sink, Taken};
use sink::{all, lines};

/// Words that wait for an output: some hundred lines.
const WAITING_BYTES: usize = 64 << 10;
/// What is drawn over and over waits for less: a late picture is worth nothing.
const FRAME_BYTES: usize = 1 << 10;
/// A signal is looked for so often while an output is waited for.
const LOOK: Duration = Duration::from_millis(10);
/// More than enough to write from.
const STACK_BYTES: usize = 128 << 10;

type OnWritten = Box<dyn FnOnce(Taken) + Send>;

/// Something to be written, and who wants to know when it is.
struct Piece {
    sink: Sink,
    bytes: Zeroizing<Vec<u8>>,
    on_written: Option<OnWritten>,
}

/// What waits for one thread.
#[derive(Default)]
struct Waiting {
    pieces: VecDeque<Piece>,
    /// Words among them, in bytes.
    words: usize,
    /// Lines that found no room, and where they belonged.
    dropped: Option<(Sink, usize)>,
    has_thread: bool,
    /// Where what is being written goes.
    writing: Option<Sink>,
}

/// One thread's work.
#[derive(Default)]
struct Lane {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

static LANES: LazyLock<[Lane; 3]> = LazyLock::new(Default::default);
/// Whether there may be threads: see [`hold`].
static HELD: Mutex<bool> = Mutex::new(false);

/// Keeps everything until [`begin`]: a thread that is there before the program confines itself would not be confined.
pub fn hold() {
    *lock(&HELD) = true;
}

/// From here on there may be threads that write.
pub fn begin() {
    *lock(&HELD) = false;
    LANES.iter().for_each(Lane::start);
}

/// Adds words. They may be dropped, but never waited for.
pub fn words(sink: Sink, text: String) {
    lane(&sink).add_words(sink, text);
}

/// Adds something that is drawn over and over, unless the output is behind.
pub fn frame(sink: Sink, text: String) {
    let lane = lane(&sink);
    if lock(&lane.waiting).words < FRAME_BYTES {
        lane.add_words(sink, text);
    }
}

/// Adds what has to be written, however much waits, and tells when it is.
pub fn piece(
    sink: Sink,
    bytes: Zeroizing<Vec<u8>>,
    on_written: impl FnOnce(Taken) + Send + 'static,
) {
    let piece = Piece {
        bytes,
        on_written: Some(Box::new(on_written)),
        sink,
    };
    lane(&piece.sink).add(piece);
}

/// Waits until `bytes` are written, or until the program is asked to end and the output still takes nothing: then the
/// error is [`io::ErrorKind::Interrupted`].
pub fn written(sink: Sink, bytes: Zeroizing<Vec<u8>>) -> Taken {
    written_late(sink, bytes).0
}

/// The same, and for how long it waited, rounded down to a multiple of `LOOK`.
pub fn written_late(sink: Sink, bytes: Zeroizing<Vec<u8>>) -> (Taken, Duration) {
    let (sender, result) = channel();
    piece(sink, bytes, move |taken| _ = sender.send(taken));
    let mut patience = Patience::new(None);
    let mut late = Duration::ZERO;
    loop {
        match result.recv_timeout(LOOK) {
            Ok(taken) => return (taken, late),
            Err(RecvTimeoutError::Timeout) if !patience.is_over() => late += LOOK,
            Err(_) => return (Err(io::ErrorKind::Interrupted.into()), late),
        }
    }
}

/// Waits until all is written, at most for as long as `longest`; much shorter once the program is asked to end. Whether
/// all is.
pub fn finish(longest: Option<Duration>) -> bool {
    begin();
    if let Some(terminal) = guard::cut_off() {
        let goes_on = Zeroizing::new(GOES_ON.as_bytes().to_vec());
        piece(terminal, goes_on, |_: Taken| {});
    }
    let mut patience = Patience::new(longest);
    let all = LANES.iter().all(|lane| lane.wait(&mut patience));
    if !all {
        patience::give_up();
    }
    all
}

/// Sees to it, when dropped, that the last words are written: also when a fault ends the program.
#[derive(Debug)]
pub struct LastWords {
    longest: Option<Duration>,
}

impl LastWords {
    /// Which wait for so long, or until a signal comes.
    pub fn within(longest: Option<Duration>) -> Self {
        Self { longest }
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        finish(self.longest);
    }
}

/// Outputs that are the same file have one thread, so that what is written first stands first.
fn lane(sink: &Sink) -> &'static Lane {
    static SAME: OnceLock<bool> = OnceLock::new();
    let is_same = || {
        let (Ok(out), Ok(err)) = (fstat(io::stdout()), fstat(io::stderr())) else {
            return false;
        };
        (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino)
    };
    let place = match sink {
        Sink::Out => 0,
        Sink::Err if *SAME.get_or_init(is_same) => 0,
        Sink::Err => 1,
        Sink::Terminal(_) => 2,
    };
    &LANES[place]
}

impl Lane {
    fn add_words(&'static self, sink: Sink, text: String) {
        let mut waiting = lock(&self.waiting);
        if waiting.words + text.len() > WAITING_BYTES {
            let lines = text.lines().count().max(1);
            let (_, dropped) = waiting.dropped.get_or_insert((sink, 0));
            *dropped += lines;
            return;
        }
        waiting.say_what_was_dropped();
        waiting.words += text.len();
        waiting.pieces.push_back(Piece {
            sink,
            bytes: Zeroizing::new(text.into_bytes()),
            on_written: None,
        });
        drop(waiting);
        self.start();
    }

    fn add(&'static self, piece: Piece) {
        let mut waiting = lock(&self.waiting);
        waiting.say_what_was_dropped(); // before what comes after it
        waiting.pieces.push_back(piece);
        drop(waiting);
        self.start();
    }

    /// Has a thread write what there is.
    fn start(&'static self) {
        if *lock(&HELD) {
            return;
        }
        let mut waiting = lock(&self.waiting);
        if waiting.pieces.is_empty() {
            return;
        }
        if !waiting.has_thread {
            let thread = thread::Builder::new().name("output".to_owned());
            let started = thread.stack_size(STACK_BYTES).spawn(|| self.write());
            waiting.has_thread = started.is_ok();
        }
        let has_thread = waiting.has_thread;
        drop(waiting);
        self.changed.notify_all();
        if !has_thread {
            while self.write_one() {} // on this one, then
        }
    }

    fn write(&self) {
        loop {
            if !self.write_one() {
                let waiting = lock(&self.waiting);
                let no_more = |waiting: &mut Waiting| waiting.pieces.is_empty();
                drop(self.changed.wait_while(waiting, no_more));
            }
        }
    }

    /// Writes what is next. Whether there was anything.
    fn write_one(&self) -> bool {
        let mut waiting = lock(&self.waiting);
        if waiting.pieces.is_empty() {
            waiting.say_what_was_dropped();
        }
        let Some(piece) = waiting.pieces.pop_front() else {
            return false;
        };
        waiting.writing = Some(piece.sink.clone());
        drop(waiting);
        let Piece {
            sink,
            bytes,
            on_written,
        } = piece;
        let (out, err) = (io::stdout(), io::stderr());
        let file = sink.file(&out, &err);
        let is_guarded = guard::notice(&sink, &bytes);
        let taken = match on_written {
            Some(_) if is_guarded => lines(file, &bytes),
            _ => all(file, &bytes),
        };
        let mut waiting = lock(&self.waiting);
        waiting.writing = None;
        match on_written {
            Some(on_written) => on_written(taken),
            None => waiting.words -= bytes.len(),
        }
        drop(waiting);
        self.changed.notify_all();
        true
    }

    /// Waits until nothing waits any more. Whether that came.
    fn wait(&self, patience: &mut Patience) -> bool {
        let mut waiting = lock(&self.waiting);
        while let Some(sink) = waiting.next() {
            if patience.is_over() && (patience.is_exhausted() || !sink.takes_more()) {
                return false;
            }
            let next = self.changed.wait_timeout(waiting, LOOK);
            waiting = next.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        true
    }
}

impl Waiting {
    /// Where what is written next goes, or is being written.
    fn next(&self) -> Option<&Sink> {
        let waiting = self.pieces.front().map(|piece| &piece.sink);
        self.writing.as_ref().or(waiting)
    }

    fn say_what_was_dropped(&mut self) {
        let Some((sink, lines)) = self.dropped.take() else {
            return;
        };
        let lines = match lines {
            1 => "1 line is".to_owned(),
            several => format!("{several} lines are"),
        };
        let text = format!("({lines} missing here: nothing was taken for too long)\n");
        self.words += text.len();
        self.pieces.push_back(Piece {
            sink,
            bytes: Zeroizing::new(text.into_bytes()),
            on_written: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, pipe};
    use std::os::fd::OwnedFd;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn words_that_find_no_room_are_counted_where_they_belong_and_data_never_is() {
        const LINES: usize = 2000;
        let lane: &'static Lane = Box::leak(Box::default());
        let (mut reader, writer) = pipe().unwrap();
        let sink = Sink::Terminal(Arc::new(File::from(OwnedFd::from(writer))));
        for number in 0..LINES {
            lane.add_words(sink.clone(), format!("{number:099}\n")); // 200 kB: a pipe takes 64, and as much waits
        }
        let (sender, result) = channel();
        lane.add(Piece {
            sink,
            bytes: Zeroizing::new(b"data\n".to_vec()),
            on_written: Some(Box::new(move |taken| sender.send(taken).unwrap())),
        });
        assert!(!lane.wait(&mut Patience::new(Some(LOOK))), "it waits");
        let mut seen = Vec::new();
        while !seen.ends_with(b"data\n") {
            let mut some = [0; 4096];
            let read = reader.read(&mut some).unwrap();
            seen.extend_from_slice(&some[..read]);
        }
        assert!(result.recv().unwrap().unwrap());
        assert!(lane.wait(&mut Patience::new(None)), "nothing comes after");

        // How many runs of lines were dropped depends on when the thread writes; that each has its note does not.
        let seen = String::from_utf8(seen).unwrap();
        let mut seen: Vec<_> = seen.lines().collect();
        assert_eq!(seen.pop(), Some("data"), "once, after all that came before");
        let (mut next, mut missing) = (0, 0);
        for line in seen {
            let note = line
                .strip_suffix(" missing here: nothing was taken for too long)")
                .and_then(|note| note.strip_prefix('('))
                .and_then(|note| {
                    note.strip_suffix(" lines are")
                        .or(note.strip_suffix(" line is"))
                });
            if let Some(dropped) = note {
                let dropped: usize = dropped.parse().unwrap();
                assert_ne!(dropped, 0);
                (next, missing) = (next + dropped, missing + dropped);
            } else {
                assert_eq!(
                    line,
                    format!("{next:099}"),
                    "in order, and no gap without a note"
                );
                next += 1;
            }
        }
        assert_eq!(next, LINES);
        assert_ne!(missing, 0, "a pipe and a queue hold less than all");
    }

    #[test]
    fn an_output_that_takes_more_is_told_from_one_that_does_not() {
        let (reader, writer) = pipe().unwrap();
        let writer = Arc::new(File::from(OwnedFd::from(writer)));
        let sink = Sink::Terminal(Arc::clone(&writer));
        assert!(sink.takes_more());
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        while rustix::io::write(&writer, &[0; 4096]).is_ok() {}
        assert!(!sink.takes_more(), "it is full");
        drop(reader);
        assert!(sink.takes_more(), "a write fails at once");
    }
}
