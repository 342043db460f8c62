//! Every size, count and lifetime in one place, each with its reason.
//!
//! What the published protocol fixes is marked `kkv/1`; what our own specification fixes names its section of
//! docs/PROTOCOL.md. All other numbers may change without anyone else noticing.

use std::time::Duration;

pub use kkv_protocol::limits::{
    MAX_CIPHERTEXT_BYTES_V1, MAX_EXPECTED_SECONDS, MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1, SLOT_BYTES,
};

/// Port of an inbox on its onion address, and of the loopback listener behind it (kkv/1; we keep it).
pub const DEFAULT_PORT: u16 = 45069;

/// Largest body of a request or an answer, in bytes. The largest real one is a kkv/2 message: 7,168 + 64 hex
/// characters.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// Largest head of a request, in bytes: ours are under 300; what a browser sends still fits. Also the smallest buffer
/// hyper takes.
pub const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Most header lines in one request: ours have 4, a browser's about 20.
pub const MAX_HEADERS: usize = 32;

/// File descriptors that `kkv` asks for: what the kernel itself allows every program, so it can mostly be had. Three
/// quarters are for strangers' connections; the rest is for the owner, Tor's files and connections, and what libraries
/// open. Where there are fewer, the places below shrink with them.
pub const MAX_DESCRIPTORS: u64 = 4096;

/// Connections that the kernel keeps until they are let in. In a crowd, the usual 128 are too few for the moment
/// between two looks at them, and who comes then is turned away for a second.
pub const BACKLOG: u32 = 1024;

/// Connections that have not said anything: under 2 KiB each. A sender is one of them for one round trip through Tor,
/// say two seconds, so it takes a thousand new connections a second to push it out before it speaks.
pub const MAX_SILENT: usize = 2048;

/// Connections whose first request is on its way. Each may cost [`CONNECTION_BYTES`]; an honest one is over in the
/// moment it arrives.
pub const MAX_BEGUN: usize = 256;

/// Connections that have had an answer and ask nothing at the moment: senders who pay, mostly.
pub const MAX_ANSWERED: usize = 512;

/// Connections that have had an answer and whose next request is on its way: a message of 15 Tor cells takes a second
/// or more.
pub const MAX_ASKING: usize = 256;

/// What one connection may cost the relay at most, all in all: hyper's two buffers of 8 KiB, a body of 16 KiB that
/// grows by doubling if it doesn't say how long it is, and what the parts of HTTP keep. 1,024 connections can be at
/// that point, so 48 MiB stay under the 64 that a relay behind a system Tor may take.
pub const CONNECTION_BYTES: usize = 48 * 1024;

/// Connections of the owner in each of the four states: one `kkvc` has one.
pub const MAX_OWNER: usize = 64;

/// A connection that has not said anything is kept for this long; whoever asks says so at once.
pub const SILENT_TIMEOUT: Duration = Duration::from_secs(60);

/// Once the first byte of a request is there, its head must be complete within this time: a head fits into one or two
/// Tor cells. A little longer than [`REQUEST_TIMEOUT`], since a slow body is watched by the same clock, and is to be
/// refused with a word, not hung up on.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(35);

/// A connection that has had an answer is kept for this long without another request.
///
/// An honest sender is silent for as long as its proof of work takes; one at the default cost is mostly done within
/// this time, and keeps its connection. Who takes longer dials anew.
pub const ANSWERED_TIMEOUT: Duration = Duration::from_secs(120);

/// A request must be read and answered, and its answer taken, within this time each: a full kkv/2 message is 15 Tor
/// cells, so seconds on the worst of circuits.
///
/// Requests are not bounded by themselves: a step runs to its end without letting go of its thread, so there is one at
/// a time that is worked on. Those on their way are [`MAX_BEGUN`] and [`MAX_ASKING`] at most, with a body of
/// [`MAX_BODY_BYTES`] each.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// When a connection ends, what is still coming is read and thrown away for so long and so much, so that the last
/// answer arrives: more than is ever under way of a request that is refused before it was read whole.
pub const PARTING_TIMEOUT: Duration = Duration::from_secs(2);
/// See [`PARTING_TIMEOUT`].
pub const MAX_UNREAD_BYTES: u64 = 256 * 1024;

/// Kernel buffers of a stranger's connection on this machine, each way, in bytes: more than a body, so that nothing
/// waits for them. Unasked, the kernel lends megabytes to a connection whose answers nobody takes. (It keeps its own
/// books on top, and so takes twice as much.)
pub const SOCKET_BUFFER_BYTES: u32 = 32 * 1024;

/// How long a session stays open, and its slot reserved, from its key exchange to its message (PROTOCOL.md §3).
pub const SESSION_LIFETIME: Duration = Duration::from_secs(120);

/// Spent challenges remembered at most, in each suite, in 64 bytes each: 16 MiB. Nobody is refused for it; when there
/// are more, challenges end before their time (`relay::spent`), those first that were made first. A relay serves some
/// 2,700 paid messages a second on its one thread, so it keeps the challenges of a minute and a half in the worst case;
/// against a hundred machines that pay the default price, those of three hours.
pub const MAX_SPENT: usize = 1 << 18;

/// Accepted messages whose answer is kept for [`SESSION_LIFETIME`] at most, in each suite, in 450 bytes each: 28 MiB.
/// When there are more, the oldest answer goes before its time, and whoever has lost it is left in doubt; that takes
/// 546 paid messages a second for two minutes.
pub const MAX_ACCEPTED: usize = 1 << 16;

/// Slots of the queue at most: 400 MB of memory, taken at start.
pub const MAX_MESSAGES: u32 = 100_000;

/// Slots of the queue unless told otherwise (kkv/1's default).
pub const DEFAULT_MESSAGES: u32 = 50;

/// Bytes in one page of memory, the least that can be locked against swapping: one slot.
pub const PAGE_BYTES: usize = SLOT_BYTES;

/// Messages that the queue shows or wipes under one lock: some microseconds, or a tenth of a millisecond, for which a
/// stranger's request may have to wait.
pub const LIST_PAGE: usize = 128;

/// Messages deleted from between others whose numbers the queue remembers, in 16 bytes each, for owners who ask what
/// has changed. Who has missed more of them gets the whole list.
pub const MAX_GONE: usize = 1024;

/// Characters of each text that the owner's list may begin it with: more than fit on a wide terminal, and with the most
/// messages that there may be no more than an owner's client can take in one answer.
pub const MAX_FIRST: usize = 200;

/// Cost of a challenge unless told otherwise, in bits (kkv/1's default).
pub const DEFAULT_COST: u8 = 30;

/// The most that a filling queue adds to the cost, in bits (PROTOCOL.md §5). Two cores pay the default cost in four
/// seconds, and this in four minutes of the eight that they have: dear, and not out of reach.
pub const MAX_SURCHARGE: u32 = 6;

/// How long a sender has to solve a challenge unless the owner says otherwise, in seconds (kkv/1's default).
pub const DEFAULT_EXPECTED_SECONDS: u32 = 480;

/// Shortest `--ttl` and `--wipe-after`: they are told in seconds, and nobody reads a message in less.
pub const MIN_TTL: Duration = Duration::from_secs(1);

/// Longest `--ttl` and `--wipe-after`: a century, far from any overflow of a clock.
pub const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A sender tries for this long to find an inbox, unless told otherwise, and waits as long for the Tor inside to get
/// nearer to the network. A descriptor, circuits and a rendezvous take 2 to 20 seconds over the public network; what
/// has not come about in a minute will not.
pub const DIAL_PATIENCE: Duration = Duration::from_secs(60);

/// Longest `--timeout`.
pub const MAX_PATIENCE: Duration = Duration::from_secs(60 * 60);

/// One attempt to find an inbox. Beyond it, other circuits are the better bet: an attempt of Tor's own may go on for
/// eight minutes.
pub const DIAL_ATTEMPT: Duration = Duration::from_secs(20);

/// Pause between two attempts to find an inbox: directories of onion services answer at once, and often the same.
pub const DIAL_PAUSE: Duration = Duration::from_secs(3);

/// Pause before Tor's connection is tried again after it failed for good; it doubles up to the second.
pub const BOOTSTRAP_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause: a network that comes back is noticed within it.
pub const MAX_BOOTSTRAP_PAUSE: Duration = Duration::from_secs(30);

/// A Tor that has lost its connection is begun anew after this long, and again after twice as long, up to the second. A
/// run that begins reads the whole directory again, and tries every relay that it knows at once.
pub const RENEWAL_PAUSE: Duration = Duration::from_secs(10);
/// Longest such time: a network that comes back is noticed within it.
pub const MAX_RENEWAL_PAUSE: Duration = Duration::from_secs(60);

/// A Tor that ends may take this long for what it is about at the moment; mostly it is nothing.
pub const RUN_SHUTDOWN: Duration = Duration::from_millis(20);

/// A Tor that has just ended is waited for this long before another one takes its files, then for twice as long.
pub const RELEASE_PAUSE: Duration = Duration::from_millis(100);

/// A Tor that has a network and gets no further is begun anew after this long, if no visitor is there. The next step
/// mostly takes seconds; but what is in the way, such as a wrong clock, arti says after a minute at the earliest.
pub const RENEWAL_OF_STUCK: Duration = Duration::from_secs(70);
/// And then after this long each time: arti tries for five minutes to reach a directory that doesn't answer, and calls
/// an address published in part only after that.
pub const LATER_RENEWAL_OF_STUCK: Duration = Duration::from_secs(6 * 60);

/// A clock that is this far from where it should be has been set, or the machine was asleep: what was tried in vain is
/// tried at once.
pub const CLOCK_STEP: Duration = Duration::from_secs(60);
/// How often the clock is looked at while something is tried in vain.
pub const CLOCK_LOOK: Duration = Duration::from_secs(5);

/// An onion service may not publish sooner than this after a start: directories refuse a descriptor that has the same
/// revision as one they have, and its number is a time in seconds, so one published in the second of the last would be
/// lost, and all that follow with it.
pub const REPUBLISH_PAUSE: Duration = Duration::from_millis(1100);

/// Circuits of visitors that carry no stream, those on their way to the rendezvous among them. Each costs the relay the
/// memory of a circuit; a sender is among them for a few seconds.
pub const MAX_EMPTY_CIRCUITS: usize = 128;

/// Circuits of visitors that carry streams: an inbox that fills up with fifty messages needs no more at once.
pub const MAX_BUSY_CIRCUITS: usize = 128;

/// Streams on one circuit at once. A sender needs one, and another when that one breaks; Tor closes the circuit of one
/// that opens more.
pub const MAX_STREAMS_PER_CIRCUIT: u32 = 8;

/// A visitor's circuit without a stream is closed after this long: a sender who pays may have lost its stream and comes
/// back on it.
pub const CIRCUIT_IDLE: Duration = Duration::from_secs(60);

/// One that has not begun to carry streams is not ended for another one before this: a rendezvous takes two to five
/// seconds.
pub const RENDEZVOUS_SPARED: Duration = Duration::from_secs(5);

/// A rendezvous that has not come about by then never will.
pub const RENDEZVOUS_TIMEOUT: Duration = Duration::from_secs(60);

/// A sender waits this long for one answer, unless `--timeout` says otherwise.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Hashes a second that any machine computes that is worth a thought: a price that even this one pays in time, almost
/// surely, is paid without measuring how fast this one is.
pub const SLOWEST_RATE: f64 = 1e6;

/// So long is measured how fast a machine is: its rate shows to a few hundredths, and nobody notices the wait.
pub const RATE_TIME: Duration = Duration::from_millis(100);

/// A price that is paid in time with less than this chance is not paid without asking.
pub const LIKELY: f64 = 0.5;

/// A sender pays for no longer than this unless somebody has said that it may (`--max-time`, `--anyway`, or a yes): a
/// relay may give a day, and ask for a price that takes it. An ordinary machine pays the highest price of an inbox with
/// the default cost in four minutes.
pub const UNASKED_PAYING: Duration = Duration::from_secs(15 * 60);

/// Longest `--max-time`: as long as any challenge lasts.
pub const MAX_PAYING: Duration = Duration::from_secs(MAX_EXPECTED_SECONDS as u64);

/// Most `--threads`: more cores than that no machine has that one person sits at.
pub const MAX_THREADS: u32 = 1024;

/// How often a sender pays at most for one message: once, and again for each step by which an honest relay's price can
/// rise.
pub const MAX_PAYMENTS: u32 = 1 + MAX_SURCHARGE;

/// How often a sender asks for one step before it gives up on a line that keeps breaking.
pub const ATTEMPTS: u32 = 4;

/// How often of a relay that takes the connection and says nothing: its first minute may have gone into a dead line.
pub const SILENT_ATTEMPTS: u32 = 2;

/// Pause before the second attempt; it doubles after each.
pub const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Pause before a request is repeated that was refused for a reason that may pass; it doubles after each, up to the
/// second.
pub const REPEAT_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause: a slot that has become free is found within it.
pub const MAX_REPEAT_PAUSE: Duration = Duration::from_secs(30);

/// Pause after a relay has said `slow_down` (PROTOCOL.md §9).
pub const SLOW_DOWN_PAUSE: Duration = Duration::from_secs(60);

/// The share by which such pauses are longer at random, at most, so that those who were refused together don't come
/// back together.
pub const REPEAT_JITTER: f64 = 0.25;

/// So long before a challenge or session ends, a request is repeated for the last time: it has to arrive by then,
/// through Tor.
pub const REPEAT_MARGIN: Duration = Duration::from_secs(5);

/// What was not paid for is repeated for this long; it costs nothing to begin again later.
pub const UNPAID_REPEATS: Duration = Duration::from_secs(2 * 60);

/// What was paid for is repeated for this long at most, however long the relay says that its challenge lasts.
pub const PAID_REPEATS: Duration = Duration::from_secs(15 * 60);

/// What has outlived its time is looked for at least this often while anything has a lifetime: that late at most after
/// a suspend.
pub const PURGE_INTERVAL: Duration = Duration::from_secs(60);

/// A clock that is right shows no less, in unix seconds: 1 May 2026, before there was a first version. To be moved on
/// with releases.
pub const EARLIEST: u64 = 1_777_593_600;

/// A SOCKS port on this machine greets within this time, or is none: Tor does so at once, connected or not.
pub const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// The owner's client waits this long for an answer from the relay on the same machine.
pub const OWNER_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest answer of a relay about one message or itself that its owner's client reads, in bytes: a text of 3,500
/// bytes, each escaped as six, with its keys. Whoever made a socket that is taken for the relay's could otherwise fill
/// the memory of who asks, root's perhaps.
pub const MAX_OWNER_ANSWER_BYTES: usize = 64 * 1024;

/// The same of an answer about every message: [`MAX_MESSAGES`] summaries of 384 bytes at most.
pub const MAX_OWNER_LIST_BYTES: usize = MAX_MESSAGES as usize * 384 + MAX_OWNER_ANSWER_BYTES;

/// A watching owner is answered after this long even when nothing came, so that neither side keeps a dead connection.
pub const WATCH_TIMEOUT: Duration = Duration::from_secs(60);

/// Pause after the kernel could not hand over a connection, mostly for want of file descriptors, before asking it
/// again.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Longest name of a contact, in characters: longer ones make lists unreadable.
pub const MAX_NAME_CHARACTERS: usize = 32;

/// Contacts at most: more than one person writes to, and a file of them is still opened, and written anew, in a moment.
pub const MAX_CONTACTS: usize = 1000;

/// What contacts take in their file is filled up to a multiple of this, so that its size says nothing of one more or
/// less: about 400 contacts with short names, and 170 of the longest.
pub const CONTACTS_BUCKET_BYTES: usize = 64 * 1024;

/// Largest file of contacts that is read, in bytes: [`MAX_CONTACTS`] of the longest take 384 KiB, and the encryption 1
/// KiB at most.
pub const MAX_CONTACTS_FILE_BYTES: usize = 512 * 1024;

/// What it costs to try one passphrase on a file of contacts: 2^17 steps of scrypt, which take 128 MiB of memory.
pub const CONTACTS_WORK: u8 = 17;

/// How long a file of contacts is waited for that another program holds: a change of its own takes it part of a second.
pub const CONTACTS_PATIENCE: Duration = Duration::from_secs(5);

/// The dearest file of contacts that is opened, made anew by another program perhaps: four times as dear as ours. One
/// that asks for more could take all memory there is, or hours.
pub const MAX_CONTACTS_WORK: u8 = CONTACTS_WORK + 2;

/// Longest file with a key or a passphrase, in bytes: keys take 128 at most, and [`MAX_PASSPHRASE_BYTES`] are fewer.
pub const MAX_SECRET_FILE_BYTES: usize = 4096;

/// Longest passphrase, in bytes: twenty words of any language are shorter.
pub const MAX_PASSPHRASE_BYTES: usize = 1024;
