//! The owner's Unix socket: where it is, and that only its owner can use it.

use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::http::Accept;

/// Where relay and client meet unless told otherwise: `$XDG_RUNTIME_DIR/kkv/kkv.sock`, or `kkv-<uid>/kkv.sock` in `$TMPDIR` or `/tmp`
/// where there is no such directory. A socket is a name in a directory, not a file with content; nothing that goes through it is written to the disk.
#[must_use]
pub fn default_path() -> PathBuf {
    let directory = match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(runtime) if Path::new(&runtime).is_absolute() => PathBuf::from(runtime).join("kkv"),
        _ => std::env::temp_dir().join(format!("kkv-{}", own_uid())),
    };
    directory.join("kkv.sock")
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Why the socket can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another relay answers there.
    #[error("{0} is in use by another kkv")]
    InUse(PathBuf),
    /// Something else is there.
    #[error("{0} exists and is not a socket; it is left alone")]
    NotASocket(PathBuf),
    /// Its directory is another user's, or open to others' writing.
    #[error("{0} must belong to you, and nobody else may write in it (mode 0700)")]
    Directory(PathBuf),
    /// The kernel says no.
    #[error("can't make the socket {0}: {1}")]
    Io(PathBuf, io::Error),
}

/// Listens on the owner's socket; removes it when dropped.
#[derive(Debug)]
pub struct OwnerListener {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode, so that a socket that someone else has put there since is not removed.
    identity: (u64, u64),
}

impl OwnerListener {
    /// Makes the socket, with mode 0600. Its directory is made with mode 0700 if it is not there; a socket that nobody answers on, left by
    /// a relay that was killed, is replaced.
    ///
    /// # Errors
    /// In use, or not to be had.
    pub async fn bind(path: &Path) -> Result<Self, SocketError> {
        let failed = |fault| SocketError::Io(path.to_owned(), fault);
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        make_directory(directory)?;
        clear(path).await?;
        // Whoever can enter the directory could connect before the mode is set, hence the directory's own mode, and the check of each peer.
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let metadata = std::fs::symlink_metadata(path).map_err(failed)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            identity: (metadata.dev(), metadata.ino()),
        })
    }
}

fn make_directory(directory: &Path) -> Result<(), SocketError> {
    let failed = |fault| SocketError::Io(directory.to_owned(), fault);
    if !directory.exists() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
    }
    // The directory in /tmp has a name that anyone can guess and make first. A directory named by the owner is the owner's choice.
    if directory.parent() == Some(&std::env::temp_dir()) {
        let metadata = std::fs::symlink_metadata(directory).map_err(failed)?;
        let ours_alone = metadata.uid() == own_uid() && metadata.mode() & 0o022 == 0;
        if !metadata.is_dir() || !ours_alone {
            return Err(SocketError::Directory(directory.to_owned()));
        }
    }
    Ok(())
}

/// Removes a socket that nobody answers on.
async fn clear(path: &Path) -> Result<(), SocketError> {
    match std::fs::symlink_metadata(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(fault) => Err(SocketError::Io(path.to_owned(), fault)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            Err(SocketError::NotASocket(path.to_owned()))
        }
        Ok(_) => match UnixStream::connect(path).await {
            Err(fault) if fault.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path).map_err(|f| SocketError::Io(path.to_owned(), f))
            }
            Ok(_) => Err(SocketError::InUse(path.to_owned())),
            Err(fault) => Err(SocketError::Io(path.to_owned(), fault)),
        },
    }
}

impl Accept for OwnerListener {
    type Stream = UnixStream;

    async fn accept(&mut self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) if is_owner(&stream) => return stream,
                Ok(_) => {} // another user: closed without a word
                Err(_) => tokio::time::sleep(crate::limits::ACCEPT_PAUSE).await,
            }
        }
    }
}

fn is_owner(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own_uid())
}

impl Drop for OwnerListener {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.identity);
        if ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_is_private_unique_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/kkv.sock");
        let listener = OwnerListener::bind(&path).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        let second = OwnerListener::bind(&path).await;
        assert!(matches!(second, Err(SocketError::InUse(_))));
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_anything_else_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kkv.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(OwnerListener::bind(&path).await.unwrap());
        std::fs::write(&path, "mine").unwrap();
        let refused = OwnerListener::bind(&path).await;
        assert!(matches!(refused, Err(SocketError::NotASocket(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    }
}
