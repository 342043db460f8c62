//! The owner's Unix socket, which only its owner can use.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use rustix::fs::Mode;
use tokio::net::UnixStream;

use kkv_net::http::{Accept, AllowedHosts};
use kkv_net::process::{ROOT, own_uid};
use kkv_net::unix_socket::{SocketError, UnixSocket, directory_of};

/// Listens on the owner's socket; removes it when dropped.
#[derive(Debug)]
pub struct OwnerListener(UnixSocket);

impl OwnerListener {
    /// Makes the socket, with mode 0600. Its directory is made with mode 0700 if it is not there.
    ///
    /// # Errors
    /// In use, or not to be had.
    pub async fn bind(path: &Path) -> Result<Self, SocketError> {
        make_directory(directory_of(path))?;
        Ok(Self(UnixSocket::bind(path, Mode::RUSR | Mode::WUSR).await?))
    }
}

fn make_directory(directory: &Path) -> Result<(), SocketError> {
    let failed = |fault| SocketError::NoDirectory(directory.to_owned(), fault);
    if !directory.exists() {
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
    }
    // The directory in /tmp has a name that anyone can guess and make first. A directory named by the owner is the
    // owner's choice.
    if directory.parent() == Some(&std::env::temp_dir()) {
        let metadata = std::fs::symlink_metadata(directory).map_err(failed)?;
        if metadata.is_symlink() {
            return Err(SocketError::Link(directory.to_owned()));
        }
        let ours_alone = metadata.uid() == own_uid() && metadata.mode() & 0o022 == 0;
        if !metadata.is_dir() || !ours_alone {
            return Err(SocketError::Directory(directory.to_owned()));
        }
    }
    Ok(())
}

impl Accept for OwnerListener {
    type Stream = UnixStream;

    /// No browser comes here; what is decided in front of every route holds here, too.
    fn allowed_hosts(&self) -> AllowedHosts {
        AllowedHosts::Owner
    }

    async fn accept(&mut self) -> Option<UnixStream> {
        loop {
            let stream = self.0.accept().await;
            if is_owner(&stream) {
                return Some(stream);
            } // another user's is closed without a word
        }
    }
}

fn is_owner(stream: &UnixStream) -> bool {
    stream
        .peer_cred()
        .is_ok_and(|peer| may_enter(peer.uid(), own_uid()))
}

/// The relay's own user may; and root, who could read the relay's memory all the same. As whom a service runs, nobody
/// can log in.
fn may_enter(peer: u32, own: u32) -> bool {
    peer == own || peer == ROOT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_user_and_root_may_enter_and_nobody_else() {
        for (peer, own, may) in [
            (1000, 1000, true),
            (ROOT, 1000, true),
            (ROOT, ROOT, true),
            (1001, 1000, false),
            (1000, ROOT, false),
        ] {
            assert_eq!(may_enter(peer, own), may, "{peer} at {own}");
        }
    }

    #[tokio::test]
    async fn socket_and_directory_are_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/kkv.sock");
        let listener = OwnerListener::bind(&path).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        drop(listener);
        assert!(!path.exists());
    }
}
