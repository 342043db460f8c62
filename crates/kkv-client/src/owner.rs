//! The owner's client: one call per route.

mod answers;
mod fault;
mod files;
mod messages;
mod only_socket;
mod posts;
mod run;

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use reqwest::header::HeaderValue;
use serde::Serialize;

pub use fault::ClientError;
use fault::{at_bottom, causes, unanswered};
pub use files::FileBytes;

use kkv_base::limits::OWNER_TIMEOUT;
use kkv_net::process::{ROOT, own_uid};
use kkv_owner::socket::{SERVICE_PATH, default_path};
use kkv_owner::{Answer, UNATTENDED};
use kkv_protocol::ids::RelayId;
use only_socket::only;
use run::Meant;

/// Speaks to a relay that runs on this machine.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    socket: PathBuf,
    attended: bool,
    meant: Meant,
}

impl Client {
    /// A client for this user's own relay, where it is unless told otherwise; if there is none, for the one that runs
    /// as a service of this machine.
    ///
    /// # Errors
    /// There is neither, or it is another user's.
    pub fn by_default() -> Result<Self, ClientError> {
        Self::first_of(&default_path(), Path::new(SERVICE_PATH))
    }

    fn first_of(own: &Path, service: &Path) -> Result<Self, ClientError> {
        Self::new(own).or_else(|fault| match (fault, Self::new(service)) {
            (_, Ok(client)) => Ok(client),
            (ClientError::NotRunning(_), Err(ClientError::NotYours(service))) => {
                Err(ClientError::ServiceOnly(service))
            }
            (fault, Err(_)) => Err(fault),
        })
    }

    /// A client for the relay at `socket`.
    ///
    /// # Errors
    /// There is none, or it is another user's.
    pub fn new(socket: &Path) -> Result<Self, ClientError> {
        belongs_to_us(socket)?;
        if std::fs::metadata(socket).is_ok_and(|found| !found.file_type().is_socket()) {
            return Err(ClientError::NotASocket(socket.to_owned()));
        }
        let http = only(socket).map_err(|fault| ClientError::Unexpected(at_bottom(&fault)))?;
        Ok(Self {
            http,
            socket: socket.to_owned(),
            attended: true,
            meant: Meant::Any,
        })
    }

    /// Where the relay is.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The same, but what it asks is no sign that the owner is there: nobody may be in front of it.
    #[must_use]
    pub fn unattended(self) -> Self {
        Self {
            attended: false,
            ..self
        }
    }

    /// The same, for one run of the relay: the first that answers. No other does anything that is asked for, and none
    /// is listened to.
    #[must_use]
    pub fn of_one_run(self) -> Self {
        Self {
            meant: Meant::One(OnceLock::new()),
            ..self
        }
    }

    /// The same, for the run with this key.
    #[must_use]
    pub fn of_run(self, key: RelayId) -> Self {
        Self {
            meant: Meant::One(OnceLock::from(key)),
            ..self
        }
    }

    async fn post<T: Answer>(&self, route: &str, body: &impl Serialize) -> Result<T, ClientError> {
        self.call(self.http.post(url(route)).json(body)).await
    }

    async fn call<T: Answer>(&self, request: reqwest::RequestBuilder) -> Result<T, ClientError> {
        parse(self.send(request).await?, T::MAX_BYTES).await
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, ClientError> {
        let (client, request) = request.build_split();
        let mut request = request.map_err(|fault| ClientError::Unexpected(at_bottom(&fault)))?;
        request.timeout_mut().get_or_insert(OWNER_TIMEOUT);
        if !self.attended {
            request
                .headers_mut()
                .insert(UNATTENDED, HeaderValue::from_static("1"));
        }
        self.meant.say(request.headers_mut());
        let answer = client.execute(request).await.map_err(|fault| {
            if fault.is_connect() {
                self.unreached(&fault)
            } else {
                unanswered(&fault)
            }
        })?;
        self.meant.check(answer.headers())?;
        Ok(answer)
    }

    fn unreached(&self, fault: &reqwest::Error) -> ClientError {
        let forbidden = causes(fault).any(|cause| {
            let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
            kind == Some(io::ErrorKind::PermissionDenied)
        });
        if forbidden {
            ClientError::NotYours(self.socket.clone())
        } else {
            ClientError::NotRunning(self.socket.clone())
        }
    }
}

/// Whoever made the socket could pose as the relay, and in a directory for all, such as /tmp, anyone can be first. So
/// it has to be ours; root's may also be any user's, in a place where nobody else could have made it.
fn belongs_to_us(socket: &Path) -> Result<(), ClientError> {
    match std::fs::symlink_metadata(socket).map(|metadata| metadata.uid()) {
        Ok(maker) if maker == own_uid() => Ok(()),
        Ok(maker) if own_uid() == ROOT && only_writes(maker, socket) => Ok(()),
        Ok(_) => Err(ClientError::NotYours(socket.to_owned())),
        Err(fault) if fault.kind() == io::ErrorKind::PermissionDenied => {
            Err(ClientError::NotYours(socket.to_owned()))
        }
        Err(_) => Err(ClientError::NotRunning(socket.to_owned())),
    }
}

/// Whether `user` and root are the only ones who can change what is at `path`.
fn only_writes(user: u32, path: &Path) -> bool {
    let directory =
        std::path::absolute(path).and_then(|path| path.parent().unwrap_or(&path).canonicalize());
    directory.is_ok_and(|directory| {
        directory.ancestors().all(|directory| {
            std::fs::metadata(directory).is_ok_and(|metadata| {
                [ROOT, user].contains(&metadata.uid()) && metadata.mode() & 0o022 == 0
            })
        })
    })
}

fn url(route: &str) -> String {
    format!("http://kkv/{route}")
}

async fn parse<T: Answer>(answer: reqwest::Response, most: usize) -> Result<T, ClientError> {
    let status = answer.status();
    if !status.is_success() {
        return Err(ClientError::Unexpected(format!("status {status}")));
    }
    let body = whole(answer, most).await?;
    // Why it can't be read is not told: that would repeat parts of it, which may be a stranger's text.
    serde_json::from_slice(&body).map_err(|_| unread())
}

fn unread() -> ClientError {
    ClientError::Unexpected("an answer that can't be read".to_owned())
}

/// The body of an answer, of `most` bytes at most: who answers may not be who we think.
async fn whole(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|fault| unanswered(&fault))? {
        if body.len() + piece.len() > most {
            let what = "an answer that is longer than any of a relay's".to_owned();
            return Err(ClientError::Unexpected(what));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn socket_in(directory: &Path, name: &str) -> PathBuf {
        let path = directory.join(name);
        drop(UnixListener::bind(&path).unwrap());
        path
    }

    #[test]
    fn the_users_own_relay_comes_before_the_service() {
        let directory = tempfile::tempdir().unwrap();
        let own = socket_in(directory.path(), "own");
        let service = socket_in(directory.path(), "service");
        let nowhere = directory.path().join("nowhere");
        let chosen = |own: &Path, service: &Path| Client::first_of(own, service).map(|c| c.socket);
        assert_eq!(chosen(&own, &service).unwrap(), own);
        assert_eq!(chosen(&own, &nowhere).unwrap(), own);
        assert_eq!(chosen(&nowhere, &service).unwrap(), service);
        assert!(matches!(
            chosen(&nowhere, Path::new("/nonexistent")),
            Err(ClientError::NotRunning(path)) if path == nowhere
        ));
        // One that is another user's: given away, if we can, or else something of root's.
        let theirs = match chown(&service, Some(65534), None) {
            Ok(()) => service,
            Err(_) => "/".into(),
        };
        assert!(matches!(
            chosen(&nowhere, &theirs),
            Err(ClientError::ServiceOnly(path)) if path == theirs
        ));
        assert!(matches!(
            chosen(&theirs, &nowhere),
            Err(ClientError::NotYours(path)) if path == theirs
        ));
        assert_eq!(chosen(&theirs, &own).unwrap(), own);
    }

    #[test]
    fn a_place_is_a_users_alone_if_nobody_else_writes_to_any_directory_above_it() {
        for (path, alone) in [
            ("/usr/bin/kkv.sock", true),
            ("/usr/../usr/bin/kkv.sock", true),
            ("/tmp/kkv.sock", false),
            ("/nonexistent/kkv.sock", false),
        ] {
            assert_eq!(only_writes(1000, Path::new(path)), alone, "{path}");
        }
    }
}
