//! A listening Unix socket with a path: created with its mode, replaced if stale, removed on drop.

use std::fs::{self, DirEntry, File, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags};
use tokio::net::{UnixListener, UnixStream};

use crate::process::{ROOT, own_uid};
use kkv_base::limits::BACKLOG;

/// How long to wait for another program that creates a socket in the same directory, and how often to try. A socket
/// is created within milliseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
const LOCK_INTERVAL: Duration = Duration::from_millis(10);

/// The mode bits that let group and others write.
const OTHERS_WRITE: u32 = 0o022;

/// Why a socket can't be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// A program accepts connections on it.
    #[error("{0} is in use by another kkv")]
    InUse(PathBuf),
    /// It is of the user with this number, and can't be replaced.
    #[error("{0} belongs to another user (uid {1})")]
    OfAnotherUser(PathBuf, u32),
    /// The path exists and is no socket.
    #[error("{0} exists and is not a socket; it is left alone")]
    NotASocket(PathBuf),
    /// Another user owns its directory or may write in it.
    #[error("{0} must belong to you, and nobody else may write in it (mode 0700)")]
    Directory(PathBuf),
    /// Its directory is a link, which who may write beside it could lead elsewhere.
    #[error(
        "{0} is a link; it must be a directory itself, of yours, in which nobody else may write"
    )]
    Link(PathBuf),
    /// Its directory can't be created.
    #[error("can't make {0}, the directory for the socket: {1}")]
    NoDirectory(PathBuf, io::Error),
    /// A system call failed.
    #[error("can't make the socket {0}: {1}")]
    Io(PathBuf, io::Error),
}

/// The directory that a socket is in.
#[must_use]
pub fn directory_of(socket: &Path) -> &Path {
    match socket.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Whether anyone but its owner and root could replace this socket, now or when it is gone.
#[must_use]
pub fn others_can_replace(socket: &Path) -> bool {
    let owner = fs::symlink_metadata(socket).map(|socket| socket.uid());
    let directory = fs::metadata(directory_of(socket));
    owner
        .and_then(|owner| directory.map(|directory| (owner, directory)))
        .is_ok_and(|(owner, directory)| {
            ![ROOT, owner].contains(&directory.uid()) || directory.mode() & OTHERS_WRITE != 0
        })
}

/// Whether `directory` holds nothing but these sockets: this user owns it, nobody else may write in it, and there is
/// nothing else in it. A program in a sandbox may remove its sockets from such a directory only, because the right to
/// do so covers everything in it.
#[must_use]
pub fn holds_only(sockets: &[&Path], directory: &Path) -> bool {
    let private = fs::metadata(directory)
        .is_ok_and(|metadata| metadata.uid() == own_uid() && metadata.mode() & OTHERS_WRITE == 0);
    let is_socket = |entry: io::Result<DirEntry>| {
        let name = entry.map(|entry| entry.file_name()).ok();
        sockets.iter().any(|socket| {
            directory_of(socket) == directory && socket.file_name() == name.as_deref()
        })
    };
    private && fs::read_dir(directory).is_ok_and(|mut entries| entries.all(is_socket))
}

/// A listener with a path, which is removed on drop.
#[derive(Debug)]
pub struct UnixSocket {
    /// The first field, so that the path is removed before the listener is closed.
    _path: BoundPath,
    listener: UnixListener,
}

/// The path of a socket that this process has created. Removed on drop.
#[derive(Debug)]
struct BoundPath {
    path: PathBuf,
    /// Device and inode: a socket that has replaced ours is not removed.
    identity: (u64, u64),
}

impl UnixSocket {
    /// Creates the socket with `mode`. A stale one, left by a program that was killed, is replaced.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub async fn bind(path: &Path, mode: Mode) -> Result<Self, SocketError> {
        let failed = |fault| SocketError::Io(path.to_owned(), fault);
        // Otherwise a socket that another program has bound, but not listened on yet, would seem stale; and of two
        // programs that find a stale one, the second would remove the new socket of the first.
        let _lock = lock(directory_of(path)).await;
        remove_stale(path).await?;
        let (bound, listener) = listen(path, mode).map_err(failed)?;
        undo_umask(path, mode).map_err(|fault| failed(fault.into()))?;
        Ok(Self {
            _path: bound,
            listener,
        })
    }

    /// Waits for the next connection.
    pub async fn accept(&self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                // Mostly for want of file descriptors: wait for connections to end.
                Err(_) => tokio::time::sleep(kkv_base::limits::ACCEPT_PAUSE).await,
            }
        }
    }
}

/// Locks a directory against other programs that create sockets in it, until the file is dropped. `None` where it can't
/// be locked: on some file systems, where this user has only search permission, and where another program doesn't let
/// go. Any user who may read the directory can hold its lock, and must not keep a relay from starting by that.
async fn lock(directory: &Path) -> Option<File> {
    // As a directory only: to open another user's named pipe would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(directory, flags, Mode::empty()).ok()?);
    let mut waited = Duration::ZERO;
    while let Err(fault) = file.try_lock() {
        if matches!(fault, TryLockError::Error(_)) || waited >= LOCK_TIMEOUT {
            return None;
        }
        tokio::time::sleep(LOCK_INTERVAL).await;
        waited += LOCK_INTERVAL;
    }
    Some(file)
}

/// Sets the mode of the socket before it is bound: bind(2) gives the path that mode, less the umask. A chmod(2) after
/// it would leave a moment in which others can connect, and setting the umask would affect all threads.
fn listen(path: &Path, mode: Mode) -> io::Result<(BoundPath, UnixListener)> {
    let socket = tokio::net::UnixSocket::new_stream()?;
    rustix::fs::fchmod(&socket, mode)?;
    socket.bind(path)?;
    let bound = BoundPath::new(path)?; // removed if anything fails from here on
    Ok((bound, socket.listen(BACKLOG)?))
}

/// Gives the path the mode bits that the umask has removed.
fn undo_umask(path: &Path, mode: Mode) -> rustix::io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let place = rustix::fs::open(path, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&place)?;
    let is_ours = FileType::from_raw_mode(stat.st_mode).is_socket() && stat.st_uid == own_uid();
    if is_ours && Mode::from_raw_mode(stat.st_mode) != mode {
        // By its descriptor: the path may be another file's meanwhile.
        rustix::fs::chmod(format!("/proc/self/fd/{}", place.as_raw_fd()), mode)?;
    }
    Ok(())
}

impl BoundPath {
    /// The path of a socket that was just bound. Takes no file descriptor.
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|there| there == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket that nobody listens on.
async fn remove_stale(path: &Path) -> Result<(), SocketError> {
    let metadata = match fs::symlink_metadata(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(fault) => return Err(SocketError::Io(path.to_owned(), fault)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(SocketError::NotASocket(path.to_owned()));
        }
        Ok(metadata) => metadata,
    };
    // In a directory for everybody, such as /tmp, it may be anybody's. Who listens there need not be a relay.
    let other = Some(metadata.uid()).filter(|owner| *owner != own_uid());
    let failed = |fault: io::Error| match other {
        Some(other) if fault.kind() == io::ErrorKind::PermissionDenied => {
            Err(SocketError::OfAnotherUser(path.to_owned(), other))
        }
        _ => Err(SocketError::Io(path.to_owned(), fault)),
    };
    match UnixStream::connect(path).await {
        // Reset: the listener was closed before it accepted this connection.
        Err(fault)
            if matches!(
                fault.kind(),
                io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
            ) =>
        {
            match fs::remove_file(path) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => failed(fault),
                _ => Ok(()),
            }
        }
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()), // removed meanwhile
        Err(fault) => failed(fault),
        Ok(_) => Err(match other {
            Some(other) => SocketError::OfAnotherUser(path.to_owned(), other),
            None => SocketError::InUse(path.to_owned()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use kkv_testing::alone;
    use rustix::io::Errno;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::*;

    const OWNER_ONLY: Mode = Mode::from_raw_mode(0o600);

    #[tokio::test]
    async fn the_socket_has_its_mode_is_unique_and_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kkv.sock");
        for mode in [0o600, 0o660] {
            let mode = Mode::from_raw_mode(mode);
            let socket = UnixSocket::bind(&path, mode).await.unwrap();
            let got = fs::metadata(&path).unwrap().mode() & 0o777;
            assert_eq!(got, mode.as_raw_mode());
            let second = UnixSocket::bind(&path, mode).await;
            assert!(matches!(second, Err(SocketError::InUse(_))));
            drop(socket);
            assert!(!path.exists());
        }
    }

    #[tokio::test]
    async fn it_has_its_mode_when_it_is_bound() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kkv.sock");
        let _made = listen(&path, OWNER_ONLY).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn one_that_is_being_bound_is_waited_for_and_never_taken_for_stale() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kkv.sock");
        let other = lock(directory.path()).await.unwrap();
        // As it is within `bind` of another program: it has its name, and doesn't listen yet.
        let made = tokio::net::UnixSocket::new_stream().unwrap();
        made.bind(&path).unwrap();
        let mut second = std::pin::pin!(UnixSocket::bind(&path, OWNER_ONLY));
        tokio::select! {
            biased;
            second = &mut second => panic!("{second:?}"),
            () = std::future::ready(()) => {}
        }
        assert!(path.exists(), "it was taken for stale");
        let _listener = made.listen(1).unwrap();
        drop(other);
        assert!(matches!(second.await, Err(SocketError::InUse(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_lets_go_of_the_directory_keeps_no_relay_from_starting() {
        let directory = tempfile::tempdir().unwrap();
        let _other = lock(directory.path()).await.unwrap();
        let bound = UnixSocket::bind(&directory.path().join("kkv.sock"), OWNER_ONLY).await;
        assert!(bound.is_ok(), "{bound:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 8)]
    async fn of_many_that_find_a_stale_one_a_single_one_replaces_it() {
        // One round without the lock seldom has two winners.
        for _ in 0..50 {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("kkv.sock");
            drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
            let all = (0..8).map(|_| {
                let path = path.clone();
                tokio::spawn(async move { UnixSocket::bind(&path, OWNER_ONLY).await })
            });
            let mut made = Vec::new();
            for one in all.collect::<Vec<_>>() {
                match one.await.unwrap() {
                    Ok(socket) => made.push(socket),
                    Err(fault) => assert!(matches!(fault, SocketError::InUse(_)), "{fault}"),
                }
            }
            assert_eq!(made.len(), 1);
        }
    }

    #[tokio::test]
    async fn a_named_pipe_in_place_of_the_directory_is_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, OWNER_ONLY, 0).unwrap();
        // With both ends open, opening it doesn't wait, and a lock on it would be had.
        let ends = File::options().read(true).write(true).open(&pipe).unwrap();
        assert!(lock(&pipe).await.is_none());
        drop(ends);
        // Without, opening it to read would wait for a writer.
        let bound = UnixSocket::bind(&pipe.join("kkv.sock"), OWNER_ONLY).await;
        let Err(SocketError::Io(_, fault)) = bound else {
            panic!("{bound:?}");
        };
        assert_eq!(fault.kind(), io::ErrorKind::NotADirectory);
    }

    #[test]
    fn a_failure_halfway_leaves_no_path_behind() {
        alone(|| {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_io().build().unwrap();
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("kkv.sock");
            // Two descriptors are left, for the directory and the socket itself.
            let next = File::open("/dev/null").unwrap().as_raw_fd();
            let limit = Rlimit {
                current: Some(u64::try_from(next).unwrap() + 2),
                ..getrlimit(Resource::Nofile)
            };
            setrlimit(Resource::Nofile, limit).unwrap();
            let bound = runtime.block_on(UnixSocket::bind(&path, OWNER_ONLY));
            let Err(SocketError::Io(_, fault)) = bound else {
                panic!("{bound:?}");
            };
            assert_eq!(fault.raw_os_error(), Some(Errno::MFILE.raw_os_error()));
            assert!(!path.exists(), "it stayed behind");
        });
    }

    #[test]
    fn it_has_its_mode_whatever_the_umask_and_doesnt_change_that_of_other_files() {
        alone(|| {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_io().build().unwrap();
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("kkv.sock");
            let others = directory.path().join("others");
            let is_over = AtomicBool::new(false);
            rustix::process::umask(Mode::from_raw_mode(0o077));
            thread::scope(|scope| {
                let others = scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        fs::create_dir(&others).unwrap();
                        assert_eq!(fs::metadata(&others).unwrap().mode() & 0o777, 0o700);
                        fs::remove_dir(&others).unwrap();
                    }
                });
                for _ in 0..1000 {
                    let mode = Mode::from_raw_mode(0o660);
                    let socket = runtime.block_on(UnixSocket::bind(&path, mode)).unwrap();
                    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o660);
                    drop(socket);
                }
                is_over.store(true, Ordering::Relaxed);
                others.join().unwrap();
            });
        });
    }

    #[tokio::test]
    async fn whoever_may_write_in_its_directory_can_replace_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kkv.sock");
        let _socket = UnixSocket::bind(&path, OWNER_ONLY).await.unwrap();
        for (mode, others) in [
            (0o700, false),
            (0o2750, false),
            (0o770, true),
            (0o1777, true),
        ] {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(directory.path(), mode.clone()).unwrap();
            assert_eq!(others_can_replace(&path), others, "{mode:?}");
        }
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_anything_else_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kkv.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(UnixSocket::bind(&path, OWNER_ONLY).await.unwrap());
        fs::write(&path, "mine").unwrap();
        let refused = UnixSocket::bind(&path, OWNER_ONLY).await;
        assert!(matches!(refused, Err(SocketError::NotASocket(_))));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }
}
