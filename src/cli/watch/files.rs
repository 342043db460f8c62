//! The files of a message, for the command that `--exec` runs: in a private directory in memory, which is removed when
//! the command has ended.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use kkv_client::owner::Client;
use kkv_owner::Message;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::file_name::{numbered, safe};
use kkv_ui::private_directory::PrivateDirectory;

/// The directory. It is removed on drop, with what is in it.
#[derive(Debug)]
pub(super) struct FilesDirectory(PrivateDirectory);

impl FilesDirectory {
    /// With all files of the message; `None` if it has none.
    ///
    /// # Errors
    /// There is no memory for them, or the relay doesn't give them.
    pub(super) async fn of(client: &Client, message: &Message) -> Result<Option<Self>, CliError> {
        if message.summary.files.is_empty() {
            return Ok(None);
        }
        let directory = PrivateDirectory::make().ok_or_else(|| {
            let what = "there is no directory in memory for its files (XDG_RUNTIME_DIR or /dev/shm, as tmpfs), \
                        and on a disk they would stay";
            CliError::new(Exit::Refused, what)
        })?;
        let mut names = Vec::new();
        for (number, file) in (1..).zip(&message.summary.files) {
            let name = unlike(&names, &safe(&file.name));
            let mut bytes = client.file(message.summary.id, number).await?;
            let path = directory.path().join(&name);
            let written = async {
                let created = directory.create(&name);
                let mut file = created.map_err(|fault| unwritten(&path, &fault))?;
                while let Some(piece) = bytes.next().await? {
                    let written = file.write_all(&piece);
                    written.map_err(|fault| unwritten(&path, &fault))?;
                }
                Ok::<_, CliError>(())
            };
            written.await?;
            names.push(name);
        }
        Ok(Some(Self(directory)))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// For the command that works on them: see [`PrivateDirectory::lock_for_a_command`].
    pub(super) fn lock(&self) -> io::Result<OwnedFd> {
        self.0.lock_for_a_command()
    }
}

/// This name, or one with a number that none before has.
fn unlike(names: &[String], name: &str) -> String {
    let is_free = |name: &String| !names.contains(name);
    let all = (1..).map(|number| match number {
        1 => name.to_owned(),
        _ => numbered(name, number),
    });
    let mut free = all.filter(is_free);
    free.next().unwrap_or_else(|| name.to_owned())
}

fn unwritten(path: &Path, fault: &io::Error) -> CliError {
    let what = format!("can't write {}: {fault}", quoted(path));
    CliError::new(Exit::of_io(fault), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_of_one_name_are_two_files() {
        let mut names = Vec::new();
        for name in ["a.b", "a.b", "a (2).b", "a.b"] {
            names.push(unlike(&names, name));
        }
        assert_eq!(names, ["a.b", "a (2).b", "a (2) (2).b", "a (3).b"]);
    }
}
