//! Whether Tor's files are their owner's alone: the whole directory and the way to it, looked at before anything is
//! done with them. arti has rules of its own for that, and says what is wrong one file after the other; here all of it
//! is found at once, with the commands that mend it.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use fs_mistrust::{Error, Mistrust};

use super::ROOT;
use kkv_net::process::own_uid;

/// The directories under ours in which arti wants each file to be safe.
const CHECKED: [&str; 3] = ["cache", "state/keystore", "state/state"];

/// What others could do with a directory, and what keeps them from it.
#[derive(Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The directory with Tor's files, without links.
    pub root: PathBuf,
    /// All that is wrong, what is above before what is below.
    pub faults: Vec<Fault>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is another user's, who can do with it what he likes.
    Owner(PathBuf, u32),
    /// Its mode lets others in.
    Mode(PathBuf, u32),
    /// It is a link: what is behind it may be in use by another program, whose lock is elsewhere.
    Link(PathBuf),
    /// It can't be looked at, or is neither file nor directory.
    Other(PathBuf, String),
}

impl Exposed {
    /// Looks at everything in `directory`, which exists, and at the directories above it; at the latter as arti does,
    /// which trusts whom `mistrust` says.
    pub(super) fn find(directory: &Path, mistrust: &Mistrust) -> Option<Self> {
        let root = match fs::canonicalize(directory) {
            Ok(root) => root,
            Err(fault) => {
                let faults = vec![Fault::of(directory, &fault)];
                return Some(Self {
                    root: directory.to_owned(),
                    faults,
                });
            }
        };
        let mut faults = Vec::new();
        look_through(&root, &mut faults);
        let verifier = || mistrust.verifier().all_errors();
        let above = verifier().check(&root).err();
        // The directories of whose files arti looks at every one.
        let within = CHECKED.map(|name| root.join(name));
        let within = within.iter().filter(|path| path.is_dir());
        let within = within.filter_map(|path| {
            verifier()
                .permit_readable()
                .check_content()
                .check(path)
                .err()
        });
        let of_arti: Vec<_> = above.into_iter().chain(within).collect();
        for fault in of_arti
            .iter()
            .flat_map(Error::errors)
            .filter_map(Fault::of_arti)
        {
            if !faults.iter().any(|known| known.path() == fault.path()) {
                faults.push(fault);
            }
        }
        faults.sort_by(|one, other| one.path().cmp(other.path())); // so that what is above comes first
        (!faults.is_empty()).then_some(Self { root, faults })
    }

    /// Whether there are links in it.
    #[must_use]
    pub fn has_links(&self) -> bool {
        let is_link = |fault: &Fault| matches!(fault, Fault::Link(_));
        self.faults.iter().any(is_link)
    }

    /// The commands that mend it, for a shell; none if there are none. `quoted` makes a word of a path.
    #[must_use]
    pub fn mended_by(&self, quoted: impl Fn(&Path) -> String) -> Option<String> {
        self.mended_by_user(own_uid(), quoted)
    }

    pub(super) fn mended_by_user(
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
        for fault in &self.faults {
            let path = fault.path();
            let is_inside = path.starts_with(&self.root);
            inside |= is_inside;
            match fault {
                Fault::Owner(..) if is_inside => others = true,
                Fault::Mode(..) if is_inside => {}
                Fault::Mode(path, _) if is_of(path, user) && user != ROOT => {
                    commands.push(format!("chmod go-w {}", quoted(path)));
                }
                // A directory above that is another user's stays as he has it; so does what may be the machine's, such
                // as /var/local, which a group may write in. And who is to say what can be done about the rest?
                Fault::Mode(..) | Fault::Owner(..) | Fault::Link(_) | Fault::Other(..) => {
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

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.root.display();
        match self.faults.as_slice() {
            [] => write!(f, "{root} is safe"),
            [fault, more @ ..] => {
                write!(f, "Tor's files in {root} can't be used like that: ")?;
                let path = fault.path();
                match path == self.root {
                    true => fault.say_of(f, &"that directory")?, // its name has just been said
                    false => fault.say_of(f, &path.display())?,
                }
                match more.len() {
                    0 => Ok(()),
                    more => write!(f, ", and so on (in {} places)", more + 1),
                }
            }
        }
    }
}

impl Fault {
    fn path(&self) -> &Path {
        match self {
            Self::Owner(path, _)
            | Self::Mode(path, _)
            | Self::Link(path)
            | Self::Other(path, _) => path,
        }
    }

    fn say_of(&self, f: &mut fmt::Formatter<'_>, it: &dyn fmt::Display) -> fmt::Result {
        match self {
            Self::Owner(_, user) => write!(f, "{it} is another user's ({user})"),
            Self::Mode(_, mode) => {
                let who = match mode & 0o077 {
                    0 => "you may not use", // but have to
                    _ => "other users may use",
                };
                write!(f, "{who} {it} (mode {:o})", mode & 0o7777)
            }
            Self::Link(_) => write!(f, "{it} is a link to another place"),
            Self::Other(_, why) => write!(f, "{it}: {why}"),
        }
    }

    fn of(path: &Path, fault: &io::Error) -> Self {
        Self::Other(path.to_owned(), fault.to_string())
    }

    /// What arti finds wrong on the way.
    fn of_arti(error: &Error) -> Option<Self> {
        Some(match error {
            Error::Content(within) => Self::of_arti(within)?,
            Error::BadOwner(path, user) => Self::Owner(path.clone(), *user),
            Error::BadPermission(path, mode, _) => Self::Mode(path.clone(), *mode),
            Error::NotFound(_) => return None, // it has just gone: a Tor in the directory makes files and removes them
            other => {
                let said = super::super::trouble::of_system(other);
                let why = said.map_or_else(|| super::super::chain(other), io::Error::to_string);
                Self::Other(other.path()?.to_owned(), why)
            }
        })
    }
}

fn is_of(path: &Path, user: u32) -> bool {
    fs::metadata(path).is_ok_and(|found| found.uid() == user)
}

/// Everything in `root`, and that itself.
fn look_through(root: &Path, faults: &mut Vec<Fault>) {
    let mut directories = Vec::new();
    if look_at(root, faults) {
        directories.push(root.to_owned());
    }
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => continue, // it has just gone
            Err(fault) => {
                faults.push(Fault::of(&directory, &fault));
                continue;
            }
        };
        for entry in entries {
            match entry {
                Ok(entry) => {
                    let path = entry.path();
                    if look_at(&path, faults) {
                        directories.push(path);
                    }
                }
                Err(fault) => faults.push(Fault::of(&directory, &fault)),
            }
        }
    }
}

/// One file or directory. Whether it is a directory that can be looked into.
fn look_at(path: &Path, faults: &mut Vec<Fault>) -> bool {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return false, // it has just gone
        Err(fault) => {
            faults.push(Fault::of(path, &fault));
            return false;
        }
    };
    if found.uid() != own_uid() {
        faults.push(Fault::Owner(path.to_owned(), found.uid()));
        return false; // its owner decides what is in it
    }
    let is_directory = found.is_dir();
    // Files stand in directories that nobody else can enter, and arti makes some that all may read.
    let (forbidden, needed) = if is_directory {
        (0o077, 0o700)
    } else {
        (0, 0o400)
    };
    let mode = found.mode();
    if found.is_symlink() {
        faults.push(Fault::Link(path.to_owned()));
    } else if mode & forbidden != 0 || mode & needed != needed {
        faults.push(Fault::Mode(path.to_owned(), mode));
    }
    is_directory && mode & 0o500 == 0o500
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::{Home, HomeError};
    use super::*;
    use crate::Settings;

    /// What is said of `state`, and what the commands that come with it make of it.
    fn mended(state: &Path) -> Vec<Fault> {
        let settings = Settings::default();
        let refused = Home::of_relay(state, &settings);
        let Err(HomeError::Exposed(exposed)) = refused else {
            panic!("{refused:?}");
        };
        let commands = exposed
            .mended_by(|path| path.display().to_string())
            .unwrap();
        let ran = std::process::Command::new("sh")
            .args(["-c", &commands])
            .status();
        assert!(ran.unwrap().success(), "{commands}");
        Home::of_relay(state, &settings).expect("one paste is enough");
        exposed.faults
    }

    #[test]
    fn whatever_a_copy_has_made_of_the_directory_one_command_mends_it() {
        let private = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let state = tempfile::tempdir().unwrap();
        let relay = state.path().join("relay");
        let keys = relay.join("state/keystore/hss");
        drop(Home::of_relay(state.path(), &Settings::default()).unwrap());
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
        assert_eq!(mended(state.path()).len(), 4);
        private(&keys, 0o500);
        let exposed = Exposed::find(&relay, &Settings::default().mistrust()).unwrap();
        assert!(exposed.to_string().contains("you may not use"), "{exposed}");
        assert_eq!(mended(state.path()), [Fault::Mode(keys.clone(), 0o040_500)]);
        private(&keys.join("key"), 0o664);
        assert_eq!(mended(state.path()).len(), 1, "arti wouldn't take it");
        for path in [&relay, &keys.join("key")] {
            std::os::unix::fs::chown(path, Some(7), Some(8))
                .expect("run by root, or as scripts/test runs it");
            assert_eq!(mended(state.path()), [Fault::Owner(path.clone(), 7)]);
        }
    }

    #[test]
    fn only_a_directory_of_ones_own_on_the_way_is_to_be_changed_and_never_by_root() {
        let around = tempfile::tempdir().unwrap();
        let state = around.path().join("state");
        drop(Home::of_relay(&state, &Settings::default()).unwrap());
        // As /var/local is on Debian: root's, and writable to a group.
        std::os::unix::fs::chown(around.path(), Some(ROOT), Some(8))
            .expect("run by root, or as scripts/test runs it");
        fs::set_permissions(around.path(), fs::Permissions::from_mode(0o2775)).unwrap();
        let refused = Home::of_relay(&state, &Settings::default());
        let Err(HomeError::Exposed(exposed)) = refused else {
            panic!("{refused:?}");
        };
        let commands = |user| exposed.mended_by_user(user, |path| path.display().to_string());
        assert_eq!([commands(ROOT), commands(7)], [None, None]);
        std::os::unix::fs::chown(around.path(), Some(7), None).unwrap();
        let own = format!("chmod go-w {}", around.path().display());
        assert_eq!(
            [commands(7), commands(8), commands(ROOT)],
            [Some(own), None, None]
        );
    }

    #[test]
    fn where_another_user_owns_the_way_no_command_is_made_up() {
        let others = tempfile::tempdir().unwrap();
        let state = others.path().join("state");
        fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(others.path(), Some(7), Some(8))
            .expect("run by root, or as scripts/test runs it");
        let refused = Home::of_relay(&state, &Settings::default());
        let Err(HomeError::Exposed(exposed)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(exposed.faults, [Fault::Owner(others.path().to_owned(), 7)]);
        assert_eq!(exposed.mended_by(|_| String::new()), None);
    }
}
