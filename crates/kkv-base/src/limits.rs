//! Every size, count and lifetime, each with its reason.
//!
//! `kkv/1` marks what the published protocol fixes; a § is one of docs/PROTOCOL.md. All other numbers may change
//! without anyone else noticing.

use std::time::Duration;

pub use kkv_protocol::limits::{
    MAX_CIPHERTEXT_BYTES_V1, MAX_EXPECTED_SECONDS, MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1, SLOT_BYTES,
};

/// Port of an inbox on its onion address, and of the loopback listener behind it (kkv/1; kkv/2 keeps it).
pub const DEFAULT_PORT: u16 = 45069;

/// Port at which browsers ask for a page, if its address names none (RFC 9110 §4.2.1).
pub const PAGE_PORT: u16 = 80;

/// Largest body of a request or response, in bytes, but of `POST /ask` and of pieces of messages with files (64 KiB).
/// The largest real one is a kkv/2 message: 7,336 + 64 hex characters.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// Largest head of a request, in bytes. Ours are under 300; a browser's fits, too. Also the smallest buffer that hyper
/// accepts.
pub const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Most header fields in one request. Ours have 4, a browser's about 20.
pub const MAX_HEADERS: usize = 32;

/// File descriptors that `kkv` asks for: Linux's default hard limit, so that it gets them nearly everywhere. Three
/// quarters are for strangers' connections; the rest is for the owner, Tor's files and connections, and libraries. With
/// fewer descriptors, the numbers of connections below shrink in proportion.
pub const MAX_DESCRIPTORS: u64 = 4096;

/// Backlog of the listening sockets. Under attack, the usual 128 overflow between two turns of the accept loop, and a
/// client whose SYN is dropped tries again after a second.
pub const BACKLOG: u32 = 1024;

/// Connections that have sent nothing: under 2 KiB each. A sender is one of them for one round trip through Tor, about
/// two seconds. So it takes a thousand new connections a second to evict it before its first byte.
pub const MAX_NEW_CONNECTIONS: usize = 2048;

/// Connections that are sending their first request. Each may take [`CONNECTION_BYTES`]. An honest request arrives in
/// one piece.
pub const MAX_FIRST_REQUESTS: usize = 256;

/// Connections that have had a response and are sending nothing: mostly senders that search for a solution.
pub const MAX_IDLE_CONNECTIONS: usize = 512;

/// Connections that have had a response and are sending another request: a message of 15 Tor cells takes a second or
/// more.
pub const MAX_NEXT_REQUESTS: usize = 256;

/// Most memory that one connection takes from the relay: two buffers of hyper's with 8 KiB each, a body of 16 KiB in a
/// buffer that doubles if there is no `Content-Length`, and the parsed head. 1,024 connections can be in that state: 48
/// MiB, under the 64 that a relay behind a system Tor may take beside its memory for messages, and what asks, uploads
/// and boxes add (docs/THREATS.md, "What an attack does to it").
pub const CONNECTION_BYTES: usize = 48 * 1024;

/// Connections of the owner in each phase. One `kkvc` has one.
pub const MAX_OWNER_CONNECTIONS: usize = 64;

/// A connection must send its first byte within this time. Clients send it at once.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(60);

/// From the first byte of a request, its head must be complete within this time; it fits into one or two Tor cells.
/// Longer than [`REQUEST_TIMEOUT`]: the body runs on the same clock, and a slow one gets a response before the
/// connection is closed.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(35);

/// An idle connection is kept for this long after a response. A sender is idle while it searches for a solution: at the
/// default cost mostly for less than this. A slower one connects anew.
pub const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(120);

/// A request must be read and answered within this time, and its response taken within the same again. A full kkv/2
/// message is 15 Tor cells: seconds on the worst of circuits.
///
/// Requests in progress need no bound of their own: a step runs to its end on the one thread, so one is worked on at a
/// time. [`MAX_FIRST_REQUESTS`] and [`MAX_NEXT_REQUESTS`] bound those that are arriving, with [`MAX_BODY_BYTES`] each,
/// and [`MAX_LARGE_BODIES`] those of asks that are larger.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection lingers when it is closed, and how much it then reads and discards, so that the last response
/// arrives (RFC 9112 §9.6). More than is ever in flight of a request that was refused before it was read.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// See [`LINGER_TIMEOUT`].
pub const MAX_LINGER_BYTES: u64 = 256 * 1024;

/// Kernel buffers of a stranger's connection on this machine, each way, in bytes: more than a body, so that nothing but
/// a large ask waits for them. By default the kernel grows them to megabytes when a client reads no responses. (It
/// doubles this value for its own bookkeeping, socket(7).)
pub const SOCKET_BUFFER_BYTES: u32 = 32 * 1024;

/// How long a session stays open, and its slot reserved, after its key exchange (§3).
pub const SESSION_LIFETIME: Duration = Duration::from_secs(120);

/// Most spent challenges remembered in each suite, and of asks, with 64 bytes each: 16 MiB. Beyond that nobody is
/// refused; instead the challenges that expire first end early (`relay::spent`). The relay's one thread serves about
/// 2,700 paid messages a second, so in the worst case a challenge lasts a minute and a half; against a hundred machines
/// that pay the default price, three hours.
pub const MAX_SPENT: usize = 1 << 18;

/// Payments on the page that wait for a check that takes long, each with half a KiB (§18). The last of them waits
/// for a tenth of a second on an ordinary machine.
pub const MAX_CHECKS: usize = 32;

/// Most challenges remembered for which a wrong solution has come that took long to check, with 64 bytes each: 8 MiB.
/// Beyond that, as with [`MAX_SPENT`], those of the page's class `pbkdf2` that expire first end early. A first part
/// that is wrong is found in a tenth of a millisecond at the least, and after it the check rests as long: that takes
/// half a minute without a pause at the least, and a search for hashes that fit for each of them.
pub const MAX_WRONG: usize = 1 << 17;

/// Most payments remembered that were checked and found right, and have not been spent yet, with 100 bytes each: 400
/// KiB. Beyond that one is checked once more.
pub const MAX_RIGHT: usize = 1 << 12;

/// Most accepted messages whose answer is kept, for [`SESSION_LIFETIME`], in each suite, with 450 bytes each: 28 MiB.
/// Beyond that, the oldest answer is dropped early, and a sender that has not received it stays in doubt. That takes
/// 546 paid messages a second for two minutes.
pub const MAX_ACCEPTED: usize = 1 << 16;

/// Most sessions for asks, with half a KiB each: 8 MiB. Beyond that the one idle longest ends (§14).
pub const MAX_ASK_SESSIONS: u32 = 1 << 14;

/// Most invitations at one time. A proof is tried on all of them, so a forged one costs the relay as many hashes of one
/// block (§15): about what it costs to read a forged exchange (benches/table/strangers.rs).
pub const MAX_INVITATIONS: usize = 64;

/// Most uses of one invitation: each lets a slot be had for nothing.
pub const MAX_INVITATION_USES: u32 = 1000;

/// How long an invitation can be used by default.
pub const DEFAULT_INVITATION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Cost of a session for asks of the smallest size, in bits, while nobody else has one (§14). Any machine pays it in
/// a blink. Each size costs two bits more, since it is four times the last.
pub const ASK_COST: u32 = 16;

/// The most that sessions for asks add to their cost, in bits (§14). So the last
/// places cost 28 bits or more. At 10 GH/s, a large graphics card's, a flooder opens 37 of these a second. To replace
/// all takes him seven minutes, and an honest session lasts for two.
pub const MAX_ASK_SURCHARGE: u32 = 12;

/// Bodies of asks above [`MAX_BODY_BYTES`] that are read at once, and as many that are answered, with 64 KiB of memory
/// each: half a megabyte. Others wait for [`REQUEST_TIMEOUT`].
pub const MAX_LARGE_BODIES: usize = 4;

/// Large bodies that are begun in one session for asks: twice as many as are answered, since a line may break (§14).
pub const MAX_LARGE_BEGUN: u8 = 32;

/// How long a session for a message with files stays open without a piece (§16): its sender may have lost the line for
/// a while, or ended the program.
pub const UPLOAD_IDLE: Duration = Duration::from_secs(10 * 60);

/// How long it stays open in all: 1 MiB arrives in ten minutes at 2 KiB a second.
pub const UPLOAD_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// Pieces that are begun in such a session: each of sixteen as many times, since a line may break. A body that never
/// comes whole could hold a connection again and again for nothing.
pub const MAX_PIECES_BEGUN: u32 = 256;

/// Most sessions whose message was accepted that are remembered, for [`UPLOAD_IDLE`], with half a KiB each by the sizes
/// of their parts: 2 MiB.
/// Beyond that the first is forgotten early, and a sender that has not received its receipt stays in doubt. That takes
/// seven paid messages a second.
pub const MAX_DONE_UPLOADS: usize = 1 << 12;

/// How long a sender goes on with a message with files while nothing is acknowledged, over new connections.
pub const UPLOAD_PATIENCE: Duration = Duration::from_secs(3 * 60);

/// Bytes of an ask's body, or of a piece of a message with files, that have to arrive in each second, on average, once
/// [`REQUEST_TIMEOUT`] is over.
pub const MIN_UPLOAD_RATE: u32 = 4096;

/// From the head of the largest ask to its end, at [`MIN_UPLOAD_RATE`], and what it may wait for its place.
pub const LARGEST_BODY_TIMEOUT: Duration =
    Duration::from_secs(2 * REQUEST_TIMEOUT.as_secs() + (1 << 20) / MIN_UPLOAD_RATE as u64);

/// Bytes of its answer that have to be taken, likewise.
pub const MIN_DOWNLOAD_RATE: u32 = 8192;

/// Most slots of the queue: 400 MB, allocated at start.
pub const MAX_MESSAGES: u32 = 100_000;

/// Memory for messages with files by default.
pub const DEFAULT_LARGE_BYTES: usize = 16 << 20;

/// Least memory for messages with files, if there is any: one of the smallest.
pub const MIN_LARGE_BYTES: usize = 16 << 10;

/// Most memory for messages with files. With it a list of all of them still fits into what the owner's client reads.
pub const MAX_LARGE_BYTES: usize = 64 << 20;

/// Slots of the queue by default (kkv/1).
pub const DEFAULT_MESSAGES: u32 = 50;

/// Bytes in one page of memory, the unit of mlock(2): one slot.
pub const PAGE_BYTES: usize = SLOT_BYTES;

/// Messages that are listed or wiped under one lock: for microseconds, at most a tenth of a millisecond, for which a
/// stranger's request may have to wait.
pub const LIST_PAGE: usize = 128;

/// Ids of deleted messages that the queue remembers, with 16 bytes each, for owners who ask what has changed. Whoever
/// missed more gets the whole list.
pub const MAX_DELETED_IDS: usize = 1024;

/// Boxes for answers, for each slot of the queue; there is one more for each large message that there is room for. At
/// most two for each slot, and one for each large message, have an answer waiting or a message in the queue: there is
/// always one that can make place. By default these are 1,224.
pub const BOXES_PER_SLOT: usize = 4;

/// Most boxes, however large the queue is. Each look for answers, and each follow-up, is tried on all of them, with a
/// keyed hash: 70 ns each on an AMD EPYC (release), so 0.3 ms. Measured, all of them take 10.5 MB with 16 messages of
/// each in the queue, and the answers that wait, half as many, 8.3 MB. A queue of more than 768 slots could have more.
pub const MAX_BOXES: usize = 1 << 12;

/// A box for answers lives so long from its last change, unless messages have a lifetime of their own (`--ttl`).
pub const BOX_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Most characters of each text's beginning that a list shows: more than fit on a wide terminal. With [`MAX_MESSAGES`]
/// the list still fits into [`MAX_OWNER_LIST_BYTES`].
pub const MAX_PREVIEW_CHARACTERS: usize = 200;

/// Cost of a challenge by default, in bits (kkv/1).
pub const DEFAULT_COST: u8 = 30;

/// The most that a filling queue adds to the cost, in bits (§5). Two cores pay the default cost in four seconds, and
/// with this surcharge in four minutes of the eight that they have.
pub const MAX_SURCHARGE: u32 = 6;

/// Seconds that a sender has to solve a challenge by default (kkv/1).
pub const DEFAULT_EXPECTED_SECONDS: u32 = 480;

/// Shortest `--ttl` and `--wipe-after`: `kkvc status` shows them in seconds.
pub const MIN_TTL: Duration = Duration::from_secs(1);

/// Longest `--ttl` and `--wipe-after`: a century, far from any overflow of a clock.
pub const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How long a sender tries to reach an inbox by default, and how long it waits for each bit of progress of the embedded
/// Tor's bootstrap. A descriptor, circuits and a rendezvous take 2 to 20 seconds over the public network.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(60);

/// Longest `--timeout`.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Longest attempt to reach an inbox; the next takes other circuits. One attempt of Tor's own may take eight minutes.
pub const DIAL_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// Pause between two attempts to reach an inbox: directories of onion services answer at once, and often the same.
pub const DIAL_PAUSE: Duration = Duration::from_secs(3);

/// Pause before Tor is bootstrapped again after a failure. It doubles up to [`MAX_BOOTSTRAP_PAUSE`].
pub const BOOTSTRAP_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause: a network that comes back is noticed within it.
pub const MAX_BOOTSTRAP_PAUSE: Duration = Duration::from_secs(30);

/// A Tor without network is restarted after this delay, which doubles up to [`MAX_RESTART_DELAY`]. A restart reads the
/// whole directory again, and tries every known relay at once.
pub const RESTART_DELAY: Duration = Duration::from_secs(10);
/// Longest such delay: a network that comes back is noticed within it.
pub const MAX_RESTART_DELAY: Duration = Duration::from_secs(60);

/// A Tor that is stopped gets this long for the tasks that are running; mostly there are none.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(20);

/// Pause before another Tor takes over the files of the last one, which may still release them. It doubles up to
/// [`MAX_RESTART_DELAY`].
pub const RESTART_RETRY_DELAY: Duration = Duration::from_millis(100);

/// A Tor that has network and makes no progress is restarted after this time, unless a client is connected. A step
/// mostly takes seconds, but arti reports an obstacle, such as a wrong clock, after a minute at the earliest.
pub const STUCK_TIMEOUT: Duration = Duration::from_secs(70);
/// The same for every restart after the first: arti retries an unresponsive directory for five minutes, and only then
/// reports a descriptor as published in part.
pub const LATER_STUCK_TIMEOUT: Duration = Duration::from_secs(6 * 60);

/// A wall clock that differs by this much from the steady one was set, or the machine was suspended.
pub const CLOCK_STEP: Duration = Duration::from_secs(60);
/// How often the two clocks are compared while Tor is stuck.
pub const CLOCK_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Pause before an onion service that has run before publishes. Directories reject a descriptor whose revision counter
/// is not larger than the last (rend-spec-v3, `revision-counter`), and arti's counts seconds: a descriptor of the same
/// second would be rejected, and arti would repeat it for ever.
pub const REPUBLISH_PAUSE: Duration = Duration::from_millis(1100);

/// Circuits of clients that carry no stream, including those whose rendezvous is not complete. A sender's is among them
/// for a few seconds.
pub const MAX_EMPTY_CIRCUITS: usize = 128;

/// Circuits of clients that carry streams. An inbox that receives fifty messages at once needs no more.
pub const MAX_BUSY_CIRCUITS: usize = 128;

/// Concurrent streams on one circuit. A sender needs one, and another when that breaks. Tor closes a circuit that opens
/// more.
pub const MAX_STREAMS_PER_CIRCUIT: u32 = 8;

/// A client's circuit without a stream is closed after this time: a sender that searches for a solution may come back
/// on it.
pub const CIRCUIT_IDLE: Duration = Duration::from_secs(60);

/// A circuit that has had no stream is not evicted before this age: a rendezvous takes two to five seconds.
pub const RENDEZVOUS_SPARED: Duration = Duration::from_secs(5);

/// A rendezvous must complete within this time.
pub const RENDEZVOUS_TIMEOUT: Duration = Duration::from_secs(60);

/// A sender waits this long for one response by default.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Hashes a second that any usable machine computes. A price that this rate pays in time is paid without measuring the
/// machine.
pub const SLOWEST_RATE: f64 = 1e6;

/// How long a machine's rate is measured: it is then known to a few hundredths, and nobody notices the wait.
pub const RATE_SAMPLE_TIME: Duration = Duration::from_millis(100);

/// A sender pays unasked only if it finds a solution in time with more than this probability.
pub const MIN_ODDS: f64 = 0.5;

/// A sender pays for no longer than this unless allowed to (`--max-time`, `--anyway`, or a yes). A relay may give a
/// day, and ask for a price that takes it. An ordinary machine pays the highest price of an inbox with the default cost
/// in four minutes.
pub const MAX_UNASKED_PAYING: Duration = Duration::from_secs(15 * 60);

/// Longest `--max-time`: as long as any challenge lasts.
pub const MAX_PAYING: Duration = Duration::from_secs(MAX_EXPECTED_SECONDS as u64);

/// Most `--threads`: more than any personal machine has cores.
pub const MAX_THREADS: u32 = 1024;

/// How often a sender pays for one message: once, and once more for each bit by which an honest relay's price can rise.
pub const MAX_PAYMENTS: u32 = 1 + MAX_SURCHARGE;

/// How often a sender sends one request over connections that break.
pub const ATTEMPTS: u32 = 4;

/// How often it sends it to a relay that accepts connections and never responds. More than once, because the first may
/// have broken without a sign.
pub const SILENT_ATTEMPTS: u32 = 2;

/// Pause before the second attempt; it doubles after each.
pub const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Pause before a request is repeated after a transient refusal. It doubles up to [`MAX_REPEAT_PAUSE`].
pub const REPEAT_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause: a slot that becomes free is found within it.
pub const MAX_REPEAT_PAUSE: Duration = Duration::from_secs(30);

/// Pause after a relay has said `slow_down` (§9).
pub const SLOW_DOWN_PAUSE: Duration = Duration::from_secs(60);

/// Jitter: such pauses are longer by up to this share, at random, so that senders refused together don't return
/// together.
pub const REPEAT_JITTER: f64 = 0.25;

/// A request is repeated for the last time this long before its challenge or session ends: it has to arrive by then,
/// through Tor.
pub const REPEAT_MARGIN: Duration = Duration::from_secs(5);

/// How long an unpaid request is repeated. Starting over later costs nothing.
pub const UNPAID_REPEATS: Duration = Duration::from_secs(2 * 60);

/// How long a paid request is repeated at most, whatever lifetime the relay states.
pub const PAID_REPEATS: Duration = Duration::from_secs(15 * 60);

/// Expired sessions and messages are purged at least this often while there are any: timers stand still while the
/// machine is suspended, lifetimes don't.
pub const PURGE_INTERVAL: Duration = Duration::from_secs(60);

/// A clock that shows less is wrong, in unix seconds: 1 May 2026, before the first version. To be moved on with
/// releases.
pub const EARLIEST_CLOCK: u64 = 1_777_593_600;

/// A SOCKS port on this machine must answer the method negotiation within this time. Tor does so at once, connected or
/// not.
pub const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// The owner's client waits this long for a response from the relay on the same machine.
pub const OWNER_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest response about one message, or about the relay, that the owner's client reads, in bytes: a text of 3,500
/// bytes, each escaped as six, with its keys. Without a bound, a false socket could exhaust the memory of its client,
/// perhaps root's.
pub const MAX_OWNER_ANSWER_BYTES: usize = 64 * 1024;

/// The same for a response about all messages: [`MAX_MESSAGES`] summaries of 512 bytes at most.
pub const MAX_OWNER_LIST_BYTES: usize = MAX_MESSAGES as usize * 512 + MAX_OWNER_ANSWER_BYTES;

/// Most characters of a file's name, and of its media type, in a list of messages.
pub const MAX_LISTED_CHARACTERS: usize = 64;

/// What the files of all messages add to a list at most: 32 of them, with 700 bytes each if every character is escaped,
/// in each 16 KiB of the largest memory for them.
pub const MAX_LISTED_FILES_BYTES: usize = MAX_LARGE_BYTES / MIN_LARGE_BYTES * 32 * 700;

/// The owner's client waits this long for all of a file from the relay on the same machine.
pub const OWNER_FILE_TIMEOUT: Duration = Duration::from_secs(120);

/// A long poll (`/watch`) is answered after this time even if nothing changed, so that neither side keeps a dead
/// connection.
pub const WATCH_TIMEOUT: Duration = Duration::from_secs(60);

/// Pause after accept(2) failed, mostly for want of file descriptors.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Longest name of a contact, in characters: longer ones make lists unreadable.
pub const MAX_NAME_CHARACTERS: usize = 32;

/// Most contacts: more than one person writes to, and a file of them is still read and rewritten in a moment.
pub const MAX_CONTACTS: usize = 1000;

/// The plaintext of a file of contacts is padded to a multiple of this, so that its size doesn't show one contact more
/// or less: about 400 with short names, 170 with the longest.
pub const CONTACTS_BUCKET_BYTES: usize = 64 * 1024;

/// Largest file of contacts that is read, in bytes: [`MAX_CONTACTS`] of the longest take 384 KiB, and the encryption
/// adds 1 KiB at most.
pub const MAX_CONTACTS_FILE_BYTES: usize = 512 * 1024;

/// Work factor of a file of contacts (age, "scrypt recipient stanza"): 2^17 iterations, which take 128 MiB.
pub const CONTACTS_WORK_FACTOR: u8 = 17;

/// How long a change waits for the lock of a file of contacts. Another program's change holds it for part of a second.
pub const CONTACTS_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Highest work factor that is accepted, in files from other programs: four times ours. A higher one could take all
/// memory, or hours.
pub const MAX_CONTACTS_WORK_FACTOR: u8 = CONTACTS_WORK_FACTOR + 2;

/// Longest file of settings for the Tor inside, in bytes: a thousand fallback directories, of 250 bytes each with two
/// identities and two addresses, take a quarter of it.
pub const MAX_TOR_CONFIG_BYTES: usize = 1024 * 1024;

/// Longest file with a key or passphrase, in bytes: keys take 128, passphrases [`MAX_PASSPHRASE_BYTES`].
pub const MAX_SECRET_FILE_BYTES: usize = 4096;

/// Longest passphrase, in bytes: twenty words of any language are shorter.
pub const MAX_PASSPHRASE_BYTES: usize = 1024;

/// How long a form of the page is good: somebody may write for hours. An inbox remembers for as long that it has come.
pub const FORM_LIFETIME: Duration = Duration::from_secs(6 * 60 * 60);

/// Forms that are remembered; with as many, no message comes by the page until the first is too old. At 100 bytes each
/// 1.6 MiB.
pub const MAX_FORMS: usize = 1 << 14;

/// Longest body of a form, in bytes: a message of 1 MiB, and what stands around it. Above [`MAX_BODY_BYTES`] it is read
/// on only if its message would be let in.
pub const MAX_FORM_BYTES: usize = (1 << 20) + (64 << 10);

/// Bytes of a form that is too large that are read all the same, and dropped: browsers show no answer to what they are
/// still sending.
pub const MAX_DRAINED_BYTES: usize = 32 << 20;

/// Most messages without an invitation that an owner can let in by the page at a time.
pub const MAX_PAGE_FREE: u32 = 1000;
