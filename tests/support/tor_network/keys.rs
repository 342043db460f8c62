//! The identity keys of authorities and relays: made once, kept, and installed in each network.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};
use jiff::Timestamp;
use rustix::process::getuid;

use super::options::Options;
use super::tools::{self, Tools};

/// Keys belong to the period of eleven months in which they were made, and are used to its end.
/// Their certificates, good for twelve, then have a month left at least; and nothing in the cache
/// is ever replaced under another process that is reading it.
const PERIOD_SECONDS: i64 = 330 * 24 * 60 * 60;
const VALID_MONTHS: &str = "12";

/// Only long-lived keys go into a network. The rest is valid for 30 days or less; each daemon
/// makes its own from these, in no time.
const AUTHORITY_KEYS: [&str; 3] = [
    "authority_identity_key",
    "authority_signing_key",
    AUTHORITY_CERTIFICATE,
];
const AUTHORITY_CERTIFICATE: &str = "authority_certificate";
const RELAY_KEYS: [&str; 3] = [
    "secret_id_key",
    "ed25519_master_id_secret_key",
    "ed25519_master_id_public_key",
];

/// Who a node is, whatever its address.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) nickname: String,
    /// The relay's RSA fingerprint, 40 hex digits.
    pub(super) rsa: String,
    /// The relay's Ed25519 identity, base64 without padding.
    pub(super) ed25519: String,
    /// An authority's voting identity, 40 hex digits; relays have none.
    pub(super) v3: Option<String>,
    kept_in: PathBuf,
}

impl Identity {
    /// Makes `dir` the data directory of this node.
    pub(super) fn install(&self, dir: &Path) -> Result<()> {
        make_private_dir(dir)?;
        let keys = dir.join("keys");
        make_private_dir(&keys)?;
        for key in key_files(self.v3.is_some()) {
            fs::copy(self.kept_in.join("keys").join(key), keys.join(key))
                .with_context(|| format!("copying {key} from {}", self.kept_in.display()))?;
        }
        Ok(())
    }

    fn read(nickname: &str, authority: bool, kept_in: PathBuf) -> Result<Self> {
        let read = |file: &str| {
            let path = kept_in.join(file);
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
        };
        let last_word = |file: &str| {
            let text = read(file)?;
            let word = text.split_whitespace().last().map(str::to_owned);
            word.with_context(|| format!("{file} of {nickname} is empty"))
        };
        let v3 = authority.then(|| {
            read(&format!("keys/{AUTHORITY_CERTIFICATE}"))?
                .lines()
                .find_map(|line| line.strip_prefix("fingerprint ").map(str::to_owned))
                .with_context(|| format!("no fingerprint in the certificate of {nickname}"))
        });
        Ok(Self {
            nickname: nickname.to_owned(),
            rsa: last_word("fingerprint")?,
            ed25519: last_word("fingerprint-ed25519")?,
            v3: v3.transpose()?,
            kept_in,
        })
    }
}

/// The identities of the nodes that `options` ask for, authorities first; made where the cache
/// has none.
pub(super) fn identities(tools: &Tools, options: &Options) -> Result<Vec<Identity>> {
    let cache = &options.key_cache;
    let period = Timestamp::now().as_second().div_euclid(PERIOD_SECONDS);
    open_cache(cache).with_context(|| format!("the key cache {} is of no use", cache.display()))?;

    let authorities = (0..options.authorities).map(|i| (format!("a{i}"), true));
    let relays = (0..options.relays).map(|i| (format!("r{i}"), false));
    thread::scope(|scope| {
        let makers: Vec<_> = authorities
            .chain(relays)
            .map(|(nickname, authority)| {
                scope.spawn(move || {
                    let entry = cache.join(format!("{nickname}-{period}"));
                    if !entry.exists() {
                        make(tools, &nickname, authority, cache, &entry)
                            .with_context(|| format!("making the keys of {nickname}"))?;
                    }
                    Identity::read(&nickname, authority, entry).with_context(|| {
                        format!("what {} keeps is damaged; remove it", cache.display())
                    })
                })
            })
            .collect();
        makers
            .into_iter()
            .map(|maker| maker.join().map_err(|_| anyhow!("key making panicked"))?)
            .collect()
    })
}

/// Makes a cache entry beside its place and renames it there, so that an entry is whole as soon
/// as it can be seen, whoever else is filling the cache.
fn make(tools: &Tools, nickname: &str, authority: bool, cache: &Path, entry: &Path) -> Result<()> {
    let making = tempfile::Builder::new()
        .prefix("making-")
        .tempdir_in(cache)?;
    let dir = making.path();
    let keys = dir.join("keys");
    make_private_dir(&keys)?;
    if authority {
        make_authority_keys(tools, dir, &keys)?;
    }
    make_relay_keys(tools, nickname, dir)?;

    match fs::rename(dir, entry) {
        // The directory now has another name, which the guard must not remove.
        Ok(()) => drop(making.keep()),
        Err(_) if entry.exists() => {} // another process was first; its keys do as well
        Err(error) => return Err(error).context("keeping the keys"),
    }
    Ok(())
}

fn make_authority_keys(tools: &Tools, dir: &Path, keys: &Path) -> Result<()> {
    // The passphrase protects an identity key that is kept offline; any line will do here.
    let passphrase = dir.join("passphrase");
    fs::write(&passphrase, "test\n")?;
    let [identity, signing, certificate] = AUTHORITY_KEYS.map(|file| keys.join(file));
    let mut command = Command::new(&tools.tor_gencert);
    command
        .args(["--create-identity-key", "--passphrase-fd", "0"])
        .args(["-m", VALID_MONTHS])
        .arg("-i")
        .arg(identity)
        .arg("-s")
        .arg(signing)
        .arg("-c")
        .arg(certificate);
    tools::run(command, &passphrase, &dir.join("tor-gencert.log"))
}

/// `tor` makes a relay's keys when it is asked for the fingerprint, and writes that to
/// `fingerprint` and `fingerprint-ed25519`.
fn make_relay_keys(tools: &Tools, nickname: &str, dir: &Path) -> Result<()> {
    let mut command = Command::new(&tools.tor);
    command
        .args(["--ignore-missing-torrc", "-f", "/nonexistent"])
        .args(["--defaults-torrc", "/nonexistent"])
        .args(["--list-fingerprint", "--quiet"])
        // The rest makes it a relay's configuration that passes tor's checks; nothing connects.
        .args(["--orport", "1", "--assumereachable", "1"])
        .args(["--address", "127.0.0.1", "--nickname", nickname])
        .args(["--dirserver", UNUSED_AUTHORITY, "--datadirectory"])
        .arg(dir);
    tools::run(command, Path::new("/dev/null"), &dir.join("tor.log"))
}

/// With the public authorities in its configuration, `tor` refuses to be a relay on loopback.
const UNUSED_AUTHORITY: &str = "x 127.0.0.1:1 ffffffffffffffffffffffffffffffffffffffff";

fn key_files(authority: bool) -> impl Iterator<Item = &'static str> {
    let authority_keys = authority.then_some(AUTHORITY_KEYS);
    authority_keys.into_iter().flatten().chain(RELAY_KEYS)
}

/// `tor` refuses directories that others can look into.
pub(super) fn make_private_dir(dir: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("creating {}", dir.display()))
}

/// The default cache may be in /tmp, where anyone could have put something else in its place.
fn open_cache(cache: &Path) -> Result<()> {
    if let Some(parent) = cache.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(cache) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let meta = cache.symlink_metadata()?;
    ensure!(
        meta.is_dir() && meta.uid() == getuid().as_raw() && meta.mode() & 0o777 == 0o700,
        "it must be a directory of this user with mode 0700; remove it, or choose another"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_cache_is_made_private() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("not/yet/there");
        open_cache(&cache).unwrap();
        assert_eq!(cache.metadata().unwrap().mode() & 0o777, 0o700);
        open_cache(&cache).unwrap();
    }

    #[test]
    fn a_cache_of_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        symlink(dir.path(), &link).unwrap();
        assert!(open_cache(&link).is_err());

        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(open_cache(&open).is_err());
    }
}
