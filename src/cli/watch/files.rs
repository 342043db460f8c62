//! The files of a message, for the command that `--exec` runs: in a private directory in memory, which is removed when
//! the command has ended.

use std::collections::hash_map::RandomState;
use std::env;
use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kkv_client::owner::Client;
use kkv_owner::Message;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::file_name::{numbered, safe};
use rustix::fs::statfs;

/// File systems in memory: tmpfs and ramfs (statfs(2)).
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// The directory. It is removed on drop, with what is in it.
#[derive(Debug)]
pub(super) struct FilesDirectory(PathBuf);

impl FilesDirectory {
    /// With all files of the message; `None` if it has none.
    ///
    /// # Errors
    /// There is no memory for them, or the relay doesn't give them.
    pub(super) async fn of(client: &Client, message: &Message) -> Result<Option<Self>, CliError> {
        if message.summary.files.is_empty() {
            return Ok(None);
        }
        let candidates = env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        let candidates = candidates.into_iter().chain([PathBuf::from("/dev/shm")]);
        let directory = Self::create(&candidates.collect::<Vec<_>>())?;
        let mut names = Vec::new();
        for (number, file) in (1..).zip(&message.summary.files) {
            let name = unlike(&names, &safe(&file.name));
            let mut bytes = client.file(message.summary.id, number).await?;
            let path = directory.0.join(&name);
            let written = async {
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&path)
                    .map_err(|fault| unwritten(&path, &fault))?;
                while let Some(piece) = bytes.next().await? {
                    let written = file.write_all(&piece);
                    written.map_err(|fault| unwritten(&path, &fault))?;
                }
                Ok::<_, CliError>(())
            };
            written.await?;
            names.push(name);
        }
        Ok(Some(directory))
    }

    /// A new one in the first of these directories that is in memory.
    fn create(candidates: &[PathBuf]) -> Result<Self, CliError> {
        let in_memory = candidates.iter().find(|path| is_in_memory(path));
        let Some(parent) = in_memory else {
            let what = "there is no directory in memory for its files (XDG_RUNTIME_DIR or /dev/shm, as tmpfs), \
                        and on a disk they would stay";
            return Err(CliError::new(Exit::Refused, what));
        };
        // Others may make names in /dev/shm; none that nobody can guess.
        let random = RandomState::new().build_hasher().finish();
        let path = parent.join(format!("kkvc-{random:016x}"));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|fault| unwritten(&path, &fault))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for FilesDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
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

fn is_in_memory(path: &Path) -> bool {
    statfs(path).is_ok_and(|found| IN_MEMORY.contains(&(found.f_type as u64)))
}

fn unwritten(path: &Path, fault: &io::Error) -> CliError {
    let what = format!("can't write {}: {fault}", quoted(path));
    CliError::new(Exit::of_io(fault), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_a_disk_is_no_place_and_what_is_made_goes() {
        let on_disk = [PathBuf::from("/proc"), PathBuf::from("/nonexistent")];
        let refused = FilesDirectory::create(&on_disk).unwrap_err();
        assert!(
            refused.what.contains("no directory in memory"),
            "{}",
            refused.what
        );
        let memory = PathBuf::from("/dev/shm");
        assert!(is_in_memory(&memory), "Linux has it");
        let made = FilesDirectory::create(&[on_disk[1].clone(), memory]).unwrap();
        let path = made.path().to_owned();
        fs::write(path.join("a"), "b").unwrap();
        drop(made);
        assert!(!path.exists());
    }

    #[test]
    fn two_files_of_one_name_are_two_files() {
        let mut names = Vec::new();
        for name in ["a.b", "a.b", "a (2).b", "a.b"] {
            names.push(unlike(&names, name));
        }
        assert_eq!(names, ["a.b", "a (2).b", "a (2) (2).b", "a (3).b"]);
    }
}
