//! The programs that Tor's package installs, and how they are run to their end.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::wait::{self, Deadline};

/// Two RSA keys of an authority took 17 s at worst, on two cores with much else to do.
const RUN_WITHIN: Duration = Duration::from_secs(120);

/// Where the programs are.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    pub(super) tor: PathBuf,
    pub(super) tor_gencert: PathBuf,
}

impl Tools {
    /// Both programs, or an error that says how to install them.
    pub(super) fn find() -> Result<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        Ok(Self {
            tor: locate("tor", &path)?,
            tor_gencert: locate("tor-gencert", &path)?,
        })
    }
}

fn locate(program: &str, path: &OsStr) -> Result<PathBuf> {
    // Debian installs tor in /usr/sbin, which the PATH of an ordinary user leaves out.
    let beyond = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(path)
        .chain(beyond)
        .map(|dir| dir.join(program))
        .find(|file| is_executable(file))
        .with_context(|| {
            format!(
                "`{program}` is not installed: it is neither in PATH nor in /usr/sbin. \
                 `apt-get install tor` brings it (on other systems too its package is called tor)"
            )
        })
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Runs `command` to its end, with `input` as its standard input and `output` as the file of all
/// that it says.
///
/// # Errors
/// When it fails or takes too long; the error quotes its last words.
pub(super) fn run(mut command: Command, input: &Path, output: &Path) -> Result<()> {
    let what = command.get_program().display().to_string();
    let said = File::create(output).with_context(|| format!("creating {}", output.display()))?;
    let mut child = command
        .stdin(File::open(input).with_context(|| format!("opening {}", input.display()))?)
        .stdout(Stdio::from(said.try_clone()?))
        .stderr(Stdio::from(said))
        .spawn()
        .with_context(|| format!("starting {what}"))?;
    let deadline = Deadline::after(RUN_WITHIN);
    let last_words = || wait::last_lines(&[output.to_owned()]);
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(
                status.success(),
                "{what} failed ({status}); its last words are:\n{}",
                last_words()
            );
            return Ok(());
        }
        if let Err(late) = deadline.check(&format!("the end of {what}"), last_words) {
            child.kill()?;
            child.wait()?;
            return Err(late);
        }
        wait::pause();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_explained() {
        let error = locate("no-such-tor", OsStr::new("/bin:/usr/bin")).unwrap_err();
        assert!(error.to_string().contains("apt-get install tor"));
    }

    #[test]
    fn programs_are_found_in_the_path() {
        assert_eq!(
            locate("sh", OsStr::new("/nowhere:/bin")).unwrap(),
            Path::new("/bin/sh")
        );
    }
}
