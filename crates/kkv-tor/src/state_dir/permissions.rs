//! Checks that no other user has access to Tor's files: in the whole directory and on the path to it. arti has rules of
//! its own, and reports one file at a time. This finds all problems at once, and the commands that fix them.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use fs_mistrust::{Error, Mistrust};

use super::layout::checked_by_arti;
use crate::error::chain;
use crate::faults::io_source;
use kkv_net::process::{ROOT, own_uid};

/// A directory that other users have access to, or that can't be used for a similar reason.
#[derive(Debug, PartialEq, Eq)]
pub struct InsecureDir {
    /// The directory of Tor's files, canonicalized.
    pub root: PathBuf,
    /// All problems, ordered by path: directories before what is in them.
    pub problems: Vec<Problem>,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Another user owns it.
    Owner(PathBuf, u32),
    /// Its mode gives others access, or denies it to its owner.
    Mode(PathBuf, u32),
    /// It is a symlink. A program that uses its target has its lock elsewhere.
    Symlink(PathBuf),
    /// It can't be checked, or is neither a file nor a directory.
    Other(PathBuf, String),
}

impl InsecureDir {
    /// Checks everything in `directory`, which must exist, and the directories above it; these as arti does, with the
    /// trusted users of `mistrust`. `None` if there is no problem.
    pub(super) fn find(directory: &Path, mistrust: &Mistrust) -> Option<Self> {
        let root = match fs::canonicalize(directory) {
            Ok(root) => root,
            Err(fault) => {
                let problems = vec![Problem::unreadable(directory, &fault)];
                return Some(Self {
                    root: directory.to_owned(),
                    problems,
                });
            }
        };
        let mut problems = Vec::new();
        check_tree(&root, &mut problems);
        let verifier = || mistrust.verifier().all_errors();
        let above = verifier().check(&root).err();
        let within = checked_by_arti(&root);
        let within = within.iter().filter(|path| path.is_dir());
        let within = within.filter_map(|path| {
            verifier()
                .permit_readable()
                .check_content()
                .check(path)
                .err()
        });
        let from_arti: Vec<_> = above.into_iter().chain(within).collect();
        for problem in from_arti
            .iter()
            .flat_map(Error::errors)
            .filter_map(Problem::from_arti)
        {
            if !problems.iter().any(|known| known.path() == problem.path()) {
                problems.push(problem);
            }
        }
        problems.sort_by(|one, other| one.path().cmp(other.path())); // directories first
        (!problems.is_empty()).then_some(Self { root, problems })
    }

    /// Whether there are symlinks in it.
    #[must_use]
    pub fn has_symlinks(&self) -> bool {
        let is_symlink = |problem: &Problem| matches!(problem, Problem::Symlink(_));
        self.problems.iter().any(is_symlink)
    }

    /// The shell commands that fix it, if commands can. `quoted` quotes a path for a shell.
    #[must_use]
    pub fn repair_commands(&self, quoted: impl Fn(&Path) -> String) -> Option<String> {
        self.repair_commands_of(own_uid(), quoted)
    }

    pub(super) fn repair_commands_of(
        &self,
        user: u32,
        quoted: impl Fn(&Path) -> String,
    ) -> Option<String> {
        let group = rustix::process::getgid().as_raw();
        let root = quoted(&self.root);
        let sudo = if user == ROOT { "" } else { "sudo " };
        let mut commands = Vec::new();
        let mut inside = false;
        let mut others = false;
        for problem in &self.problems {
            let path = problem.path();
            let is_inside = path.starts_with(&self.root);
            inside |= is_inside;
            match problem {
                Problem::Owner(..) if is_inside => others = true,
                Problem::Mode(..) if is_inside => {}
                Problem::Mode(path, _) if is_of(path, user) && user != ROOT => {
                    commands.push(format!("chmod go-w {}", quoted(path)));
                }
                // Directories above may be other users' or the system's on purpose, such as /var/local, which a group
                // may write in. For the rest no command is known to be right.
                Problem::Mode(..)
                | Problem::Owner(..)
                | Problem::Symlink(_)
                | Problem::Other(..) => {
                    return None;
                }
            }
        }
        if others {
            commands.push(format!("{sudo}chown -R {user}:{group} {root}"));
        }
        if inside {
            commands.push(format!("chmod -R u+rwX,go= {root}"));
        }
        Some(commands.join(" && "))
    }
}

impl fmt::Display for InsecureDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.root.display();
        match self.problems.as_slice() {
            [] => write!(f, "{root} is safe"),
            [problem, more @ ..] => {
                write!(f, "Tor's files in {root} can't be used like that: ")?;
                let path = problem.path();
                match path == self.root {
                    true => problem.describe(f, &"that directory")?, // its path stands before
                    false => problem.describe(f, &path.display())?,
                }
                match more.len() {
                    0 => Ok(()),
                    more => write!(f, ", and so on (in {} places)", more + 1),
                }
            }
        }
    }
}

impl Problem {
    fn path(&self) -> &Path {
        match self {
            Self::Owner(path, _)
            | Self::Mode(path, _)
            | Self::Symlink(path)
            | Self::Other(path, _) => path,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>, it: &dyn fmt::Display) -> fmt::Result {
        match self {
            Self::Owner(_, user) => write!(f, "{it} is another user's ({user})"),
            Self::Mode(_, mode) => {
                let who = match mode & 0o077 {
                    0 => "you may not use",
                    _ => "other users may use",
                };
                write!(f, "{who} {it} (mode {:o})", mode & 0o7777)
            }
            Self::Symlink(_) => write!(f, "{it} is a link to another place"),
            Self::Other(_, why) => write!(f, "{it}: {why}"),
        }
    }

    fn unreadable(path: &Path, fault: &io::Error) -> Self {
        Self::Other(path.to_owned(), fault.to_string())
    }

    /// A problem that arti has found.
    fn from_arti(error: &Error) -> Option<Self> {
        Some(match error {
            Error::Content(within) => Self::from_arti(within)?,
            Error::BadOwner(path, user) => Self::Owner(path.clone(), *user),
            Error::BadPermission(path, mode, _) => Self::Mode(path.clone(), *mode),
            Error::NotFound(_) => return None, // removed meanwhile, by a Tor that uses the directory
            other => {
                let source = io_source(other);
                let why = source.map_or_else(|| chain(other), io::Error::to_string);
                Self::Other(other.path()?.to_owned(), why)
            }
        })
    }
}

fn is_of(path: &Path, user: u32) -> bool {
    fs::metadata(path).is_ok_and(|found| found.uid() == user)
}

/// Checks `root` and everything in it.
fn check_tree(root: &Path, problems: &mut Vec<Problem>) {
    let mut directories = Vec::new();
    if check_one(root, problems) {
        directories.push(root.to_owned());
    }
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => continue, // removed meanwhile
            Err(fault) => {
                problems.push(Problem::unreadable(&directory, &fault));
                continue;
            }
        };
        for entry in entries {
            match entry {
                Ok(entry) => {
                    let path = entry.path();
                    if check_one(&path, problems) {
                        directories.push(path);
                    }
                }
                Err(fault) => problems.push(Problem::unreadable(&directory, &fault)),
            }
        }
    }
}

/// Checks one file or directory. Returns whether it is a directory that can be read.
fn check_one(path: &Path, problems: &mut Vec<Problem>) -> bool {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return false, // removed meanwhile
        Err(fault) => {
            problems.push(Problem::unreadable(path, &fault));
            return false;
        }
    };
    if found.uid() != own_uid() {
        problems.push(Problem::Owner(path.to_owned(), found.uid()));
        return false; // its owner controls what is in it
    }
    let is_directory = found.is_dir();
    // Files are protected by their directories, which nobody else can enter; arti creates some that all may read.
    let (forbidden, needed) = if is_directory {
        (0o077, 0o700)
    } else {
        (0, 0o400)
    };
    let mode = found.mode();
    if found.is_symlink() {
        problems.push(Problem::Symlink(path.to_owned()));
    } else if mode & forbidden != 0 || mode & needed != needed {
        problems.push(Problem::Mode(path.to_owned(), mode));
    }
    is_directory && mode & 0o500 == 0o500
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::{StateDir, StateDirError};
    use super::*;
    use crate::Settings;

    /// The problems of the relay's directory under `state`. Runs the commands that fix them.
    fn repaired(state: &Path) -> Vec<Problem> {
        let settings = Settings::default();
        let refused = StateDir::for_relay(state, &settings);
        let Err(StateDirError::Insecure(insecure)) = refused else {
            panic!("{refused:?}");
        };
        let commands = insecure
            .repair_commands(|path| path.display().to_string())
            .unwrap();
        let ran = std::process::Command::new("sh")
            .args(["-c", &commands])
            .status();
        assert!(ran.unwrap().success(), "{commands}");
        StateDir::for_relay(state, &settings).expect("all problems are fixed at once");
        insecure.problems
    }

    #[test]
    fn one_command_fixes_whatever_a_copy_has_made_of_the_directory() {
        let private = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let state = tempfile::tempdir().unwrap();
        let relay = state.path().join("relay");
        let keys = relay.join("state/keystore/hss");
        drop(StateDir::for_relay(state.path(), &Settings::default()).unwrap());
        fs::create_dir_all(&keys).unwrap();
        fs::write(keys.join("key"), "x").unwrap();
        // As `cp -r` leaves it.
        for path in [
            &relay,
            &relay.join("state"),
            &relay.join("state/keystore"),
            &keys,
        ] {
            private(path, 0o755);
        }
        assert_eq!(repaired(state.path()).len(), 4);
        private(&keys, 0o500);
        let insecure = InsecureDir::find(&relay, &Settings::default().mistrust()).unwrap();
        assert!(
            insecure.to_string().contains("you may not use"),
            "{insecure}"
        );
        assert_eq!(
            repaired(state.path()),
            [Problem::Mode(keys.clone(), 0o040_500)]
        );
        private(&keys.join("key"), 0o664);
        assert_eq!(repaired(state.path()).len(), 1, "arti wouldn't take it");
        for path in [&relay, &keys.join("key")] {
            std::os::unix::fs::chown(path, Some(7), Some(8))
                .expect("run by root, or as scripts/test runs it");
            assert_eq!(repaired(state.path()), [Problem::Owner(path.clone(), 7)]);
        }
    }

    #[test]
    fn commands_change_only_directories_of_ones_own_above_and_never_as_root() {
        let around = tempfile::tempdir().unwrap();
        let state = around.path().join("state");
        drop(StateDir::for_relay(&state, &Settings::default()).unwrap());
        // As /var/local is on Debian: root's, and writable to a group.
        std::os::unix::fs::chown(around.path(), Some(ROOT), Some(8))
            .expect("run by root, or as scripts/test runs it");
        fs::set_permissions(around.path(), fs::Permissions::from_mode(0o2775)).unwrap();
        let refused = StateDir::for_relay(&state, &Settings::default());
        let Err(StateDirError::Insecure(insecure)) = refused else {
            panic!("{refused:?}");
        };
        let commands = |user| insecure.repair_commands_of(user, |path| path.display().to_string());
        assert_eq!([commands(ROOT), commands(7)], [None, None]);
        std::os::unix::fs::chown(around.path(), Some(7), None).unwrap();
        let own = format!("chmod go-w {}", around.path().display());
        assert_eq!(
            [commands(7), commands(8), commands(ROOT)],
            [Some(own), None, None]
        );
    }

    #[test]
    fn where_another_user_owns_a_directory_above_there_is_no_command() {
        let others = tempfile::tempdir().unwrap();
        let state = others.path().join("state");
        fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(others.path(), Some(7), Some(8))
            .expect("run by root, or as scripts/test runs it");
        let refused = StateDir::for_relay(&state, &Settings::default());
        let Err(StateDirError::Insecure(insecure)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(
            insecure.problems,
            [Problem::Owner(others.path().to_owned(), 7)]
        );
        assert_eq!(insecure.repair_commands(|_| String::new()), None);
    }
}
