//! The owner's socket: where it is, whose it is, and who else could use it or put another one in its place.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use tokio::net::UnixStream;

use super::Finding;
use super::relay::Seen;
use kkv_client::owner::ClientError;
use kkv_net::process::{ROOT, own_uid};
use kkv_net::unix_socket::directory_of;
use kkv_terminal::visible::quoted;
use kkv_ui::advice::keep_from_writing;

const CHECK: &str = "socket";
/// All may write in a directory, and each removes only what is their own: as in /tmp.
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;
const OTHERS: u32 = 0o077;

/// Its rights, its directory's, and whether somebody answers.
pub(super) async fn check(seen: &Seen) -> Finding {
    let path = &seen.socket;
    let at = path.display();
    let socket = match fs::symlink_metadata(path) {
        Ok(socket) => socket,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
            return Finding::warning(
                CHECK,
                format!("nothing is at {at}"),
                "kkv makes it when it starts",
            );
        }
        Err(fault) => {
            let what = format!("can't look at {at} ({fault})");
            return Finding::wrong(CHECK, what, "run kkvc as the user who runs kkv");
        }
    };
    if !socket.file_type().is_socket() {
        let mend = "remove it if it is of no use, or name another with --socket, to kkv as well";
        return Finding::wrong(CHECK, format!("{at} is not a socket"), mend);
    }
    if let Err(ClientError::NotYours(_) | ClientError::ServiceOnly(_)) = seen.status {
        let what = format!("{at} belongs to user {}", socket.uid());
        let mend = "run kkvc as that user, or as root if it is a service";
        return Finding::wrong(CHECK, what, mend);
    }
    if let Some(finding) = rights(path, &socket) {
        return finding;
    }
    let refused = UnixStream::connect(path).await.err();
    if refused.is_some_and(|fault| fault.kind() == io::ErrorKind::ConnectionRefused) {
        let what = format!("nobody listens at {at}; a kkv that was killed has left it");
        return Finding::warning(CHECK, what, "the next kkv replaces it");
    }
    Finding::ok(CHECK, format!("{at}, for its user alone"))
}

/// What is wrong with who may use it, if anything.
fn rights(path: &Path, socket: &Metadata) -> Option<Finding> {
    let at = path.display();
    let mode = socket.mode() & 0o777;
    if mode & OTHERS != 0 {
        let what = format!("other users may knock at {at} (mode {mode:04o}); kkv lets none in");
        let command = format!("chmod 600 {}", quoted(path));
        return Some(Finding::mended_by(CHECK, what, command));
    }
    let directory = directory_of(path);
    let within = fs::metadata(directory).ok()?;
    let there = directory.display();
    if ![own_uid(), socket.uid(), ROOT].contains(&within.uid()) {
        let what = format!(
            "{there} belongs to user {}, who can take {at} away",
            within.uid()
        );
        return Some(Finding::wrong(
            CHECK,
            what,
            "name another with --socket, to kkv as well",
        ));
    }
    match (within.mode() & OTHERS_WRITE, within.mode() & STICKY) {
        (0, _) => None,
        (_, 0) => {
            let what =
                format!("other users may write in {there}, and put another socket in its place");
            Some(match keep_from_writing(directory, own_uid()) {
                Some(command) => Finding::mended_by(CHECK, what, command),
                None => Finding::wrong(CHECK, what, "name another with --socket, to kkv as well"),
            })
        }
        _ => {
            let what =
                format!("{there} is for everyone, so another user could be first to make {at}");
            let mend = "leave out --socket, or name one in a directory of your own";
            Some(Finding::warning(CHECK, what, mend))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use super::super::State::{self, Ok as Well, Warning, Wrong};
    use super::super::relay::tests::{seen, well};
    use super::*;

    async fn found(path: PathBuf) -> (State, String) {
        let mut seen = seen(Ok(well()));
        seen.socket = path;
        let finding = check(&seen).await;
        (finding.state, finding.line())
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[tokio::test]
    async fn whoever_else_could_use_it_or_replace_it_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kkv.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        for (socket, within, state, told) in [
            (0o600, 0o700, Well, "for its user alone"),
            (0o600, 0o755, Well, "for its user alone"),
            (0o666, 0o700, Wrong, "chmod 600"),
            (0o660, 0o700, Wrong, "(mode 0660)"),
            (0o600, 0o777, Wrong, "other users may write"),
            (0o600, 0o770, Wrong, "other users may write"),
            (0o600, 0o1777, Warning, "could be first"),
        ] {
            set(&path, socket);
            set(directory.path(), within);
            let (found, line) = found(path.clone()).await;
            assert_eq!(found, state, "{line}");
            assert!(line.contains(told), "{line}");
        }
        set(directory.path(), 0o700);
    }

    #[tokio::test]
    async fn what_is_no_socket_is_wrong_and_one_that_nobody_listens_at_will_be_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name| directory.path().join(name);
        fs::write(path("file"), "").unwrap();
        drop(UnixListener::bind(path("dead")).unwrap());
        set(&path("dead"), 0o600);
        for (name, state, told) in [
            ("nothing", Warning, "nothing is at"),
            ("file", Wrong, "is not a socket"),
            ("dead", Warning, "the next kkv replaces it"),
        ] {
            let (found, line) = found(path(name)).await;
            assert_eq!(found, state, "{line}");
            assert!(line.contains(told), "{line}");
        }
    }
}
