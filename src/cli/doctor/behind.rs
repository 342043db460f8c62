//! The way from a system Tor to the relay: whether Tor can take it, and who else could.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::super::tor_lines::PLACE_RISK;
use super::Finding;
use crate::tor::Listen;
use kkv_net::process::own_uid;
use kkv_net::unix_socket::directory_of;
use kkv_ui::advice::keep_from_writing;

const CHECK: &str = "tor";
const OWN_DIRECTORY: &str = "take a directory of your own, as torrc.example shows";

/// What packages call the user of a system Tor: Debian, Fedora, Arch, BSD and macOS.
const TORS: [&str; 4] = ["debian-tor", "toranon", "tor", "_tor"];

/// All may write in a directory, and each removes only what is their own: as in /tmp.
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;
/// One of the three bits of a mode: to enter a directory, and to connect to a socket.
const ENTER: u32 = 0o1;
const CONNECT: u32 = 0o2;

/// Somebody of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct User {
    name: String,
    uid: u32,
    groups: Vec<u32>,
}

/// What `kkv --tor external` has behind it.
pub(super) fn external(listens: &Listen) -> Finding {
    match listens {
        Listen::Loopback(address) => Finding::warning(
            CHECK,
            format!("a system Tor brings what comes to {address}; {PLACE_RISK}"),
            "have Tor bring it to a socket, as torrc.example shows",
        ),
        Listen::Unix(path) => {
            let read = |path| fs::read_to_string(path).unwrap_or_default();
            reached(
                path,
                &tors(&read("/etc/passwd"), &read("/etc/group")),
                own_uid(),
            )
        }
    }
}

/// The users among [`TORS`] that this machine has. See passwd(5) and group(5).
fn tors(passwd: &str, group: &str) -> Vec<User> {
    let users = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| TORS.contains(name))?;
        let mut ids = fields.skip(1).map_while(|field| field.parse().ok());
        let (uid, own) = (ids.next()?, ids.next()?);
        let member_of = group.lines().filter_map(|line| {
            let (gid, members) = line.splitn(3, ':').nth(2)?.split_once(':')?;
            let is_member = members.split(',').any(|member| member == name);
            gid.parse().ok().filter(|_| is_member)
        });
        Some(User {
            name: name.to_owned(),
            uid,
            groups: std::iter::once(own).chain(member_of).collect(),
        })
    });
    users.collect()
}

/// Whether one of `tors` can connect to the socket at `path`, and nobody else put another one there. The advice is for
/// user `me`.
fn reached(path: &Path, tors: &[User], me: u32) -> Finding {
    let (at, directory) = (path.display(), directory_of(path));
    let ours = directory.display();
    for within in directory.ancestors() {
        let Ok(seen) = fs::metadata(within) else {
            let what = format!("can't look at {}", within.display());
            return Finding::wrong(CHECK, what, "run kkvc as the user who runs kkv");
        };
        let open = seen.mode() & OTHERS_WRITE != 0;
        let kept = seen.mode() & STICKY != 0;
        if open && !kept {
            let what = format!(
                "other users may write in {}, and put a socket of their own in the place of {at}",
                within.display()
            );
            return match keep_from_writing(within, me) {
                Some(command) => Finding::mended_by(CHECK, what, command),
                None => Finding::wrong(CHECK, what, OWN_DIRECTORY),
            };
        }
        if open && within == directory {
            let what = format!(
                "{ours} is for everyone, so while kkv is down another user can be first to make {at} and take the messages"
            );
            return Finding::warning(CHECK, what, OWN_DIRECTORY);
        }
    }
    if tors.is_empty() {
        let what = format!(
            "a system Tor brings what comes to {at}; as which user it runs isn't known here"
        );
        return Finding::ok(CHECK, what);
    }
    let names: Vec<&str> = tors.iter().map(|tor| tor.name.as_str()).collect();
    let names = names.join(" and ");
    let enters = |tor: &User| directory.ancestors().all(|within| tor.may(within, ENTER));
    if !tors.iter().any(enters) {
        let what = format!("{names} may not enter {ours}, so Tor can't reach {at}");
        let mend = "make the directory as torrc.example shows, and start kkv again";
        return Finding::wrong(CHECK, what, mend);
    }
    let reaches = |tor: &&User| enters(tor) && tor.may(path, CONNECT);
    let Some(tor) = tors.iter().find(reaches) else {
        let what = format!("{names} may not connect to {at}");
        let mend = "give its directory Tor's group and mode 2750, as torrc.example shows, and start kkv again";
        return Finding::wrong(CHECK, what, mend);
    };
    let what = format!(
        "a system Tor brings what comes to {at}, which {} can reach",
        tor.name
    );
    Finding::ok(CHECK, what)
}

impl User {
    /// Whether the file at `path` gives this user the right, by the class that the kernel goes by.
    fn may(&self, path: &Path, right: u32) -> bool {
        fs::metadata(path).is_ok_and(|seen| {
            let class = if seen.uid() == self.uid {
                6
            } else if self.groups.contains(&seen.gid()) {
                3
            } else {
                0
            };
            seen.mode() >> class & right != 0
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::net::UnixListener;

    use super::super::State::{Ok as Well, Warning, Wrong};
    use super::*;

    const ME: u32 = 7;

    fn user(uid: u32, groups: &[u32]) -> User {
        User {
            name: "debian-tor".to_owned(),
            uid,
            groups: groups.to_vec(),
        }
    }

    #[test]
    fn the_users_of_a_tor_are_found_with_all_their_groups() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nvictor:x:7:8::/:/bin/false\n\
                      debian-tor:x:102:105::/var/lib/tor:/bin/false\ntor:x:no:1::/:/\n";
        let group = "debian-tor:x:105:\nkkv:x:9:root,debian-tor\nnone:x:10:debian-tors\nbroken\n";
        assert_eq!(tors(passwd, group), [user(102, &[105, 9])]);
        assert_eq!(tors("", ""), []);
    }

    #[test]
    fn whether_tor_reaches_the_socket_and_who_could_take_its_place_is_told() {
        let around = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        set(around.path(), 0o711);
        let directory = around.path().join("kkv");
        fs::create_dir(&directory).unwrap();
        chown(&directory, Some(ME), None).expect("run by root, or as scripts/test runs it");
        let path = directory.join("relay.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let group = fs::metadata(&path).unwrap().gid();
        let (tor, stranger) = (user(u32::MAX - 1, &[7, group]), user(u32::MAX - 1, &[7]));
        for (tors, within, socket, state, told) in [
            (
                vec![tor.clone()],
                0o750,
                0o660,
                Well,
                "which debian-tor can reach",
            ),
            (
                vec![tor.clone()],
                0o710,
                0o660,
                Well,
                "which debian-tor can reach",
            ),
            (vec![tor.clone()], 0o700, 0o660, Wrong, "may not enter"),
            (vec![tor.clone()], 0o750, 0o600, Wrong, "may not connect"),
            (
                vec![stranger.clone(), tor.clone()],
                0o750,
                0o660,
                Well,
                "can reach",
            ),
            (vec![stranger.clone()], 0o750, 0o660, Wrong, "may not enter"),
            (
                vec![stranger.clone()],
                0o755,
                0o660,
                Wrong,
                "may not connect",
            ),
            (vec![stranger], 0o755, 0o666, Well, "can reach"),
            (vec![tor.clone()], 0o770, 0o660, Wrong, "chmod go-w"),
            (vec![tor], 0o1777, 0o660, Warning, "be first to make"),
            (vec![], 0o750, 0o660, Well, "isn't known"),
        ] {
            set(&directory, within);
            set(&path, socket);
            let finding = reached(&path, &tors, ME);
            assert_eq!(finding.state, state, "{finding:?}");
            assert!(finding.line().contains(told), "{finding:?}");
        }
        set(around.path(), 0o777);
        let finding = reached(&path, &[], ME);
        assert!(finding.state == Wrong, "{finding:?}");
        assert!(
            !finding.line().contains("chmod"),
            "it isn't mine: {finding:?}"
        );
        set(around.path(), 0o711);
        set(&directory, 0o777);
        let line = reached(&path, &[], 0).line();
        assert!(
            !line.contains("chmod") && line.contains("directory of your own"),
            "root: {line}"
        );
    }

    #[test]
    fn a_port_that_anybody_can_take_is_no_error_and_is_told() {
        let port = "127.0.0.1:45069".parse().unwrap();
        let finding = external(&port);
        assert_eq!(finding.state, Warning);
        assert!(finding.line().contains("torrc.example"), "{finding:?}");
    }
}
