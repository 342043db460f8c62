//! Landlock: where the process may read and write. Also no signals to other processes, no TCP ports to bind and, if it
//! needs none, none to connect to, as a second line behind seccomp.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use kkv_owner::Confined;

/// What a process may still do inside the sandbox.
#[derive(Debug, Default)]
pub struct Needs {
    /// The directory that it may write in.
    pub writes: Option<PathBuf>,
    /// Directories that it may remove its sockets from at the end. Landlock's right covers all files below them, so
    /// there must be nothing else in them.
    pub removes: Vec<PathBuf>,
    /// The directory that it may remove `writes` from at the end. It may remove other empty directories there, too.
    pub removed_from: Option<PathBuf>,
    /// Whether it may connect by TCP. Listening sockets must be bound before.
    pub connects: bool,
}

/// What a running program reads of the system: libraries, the time zone, users, hardware, random bytes. Not all of
/// `/dev`: `/dev/shm` holds the shared memory of other programs.
const SYSTEM: [&str; 9] = [
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/proc",
    "/sys",
    "/dev/random",
    "/dev/urandom",
    "/run/systemd",
];

/// The version of Landlock whose rules are requested. An older kernel enforces those that it knows (`Partly`).
const RULES: ABI = ABI::V6;

/// How many of the rules this kernel knows.
pub(super) fn possible() -> Confined {
    let strict = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let all = || {
        strict()
            .handle_access(AccessFs::from_all(RULES))?
            .handle_access(AccessNet::BindTcp)?
            .scope(Scope::from_all(RULES))
    };
    if all().is_ok() {
        Confined::Fully
    } else if strict().handle_access(AccessFs::from_all(ABI::V1)).is_ok() {
        Confined::Partly
    } else {
        Confined::Not
    }
}

/// Restricts this thread and those it starts to `needs`. Nothing may be executed, not even there.
pub(super) fn confine(needs: &Needs) -> Result<Confined, RulesetError> {
    let everything = AccessFs::from_all(RULES);
    let mut rules = Ruleset::default()
        .handle_access(everything)?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::from_all(RULES))?;
    if !needs.connects {
        rules = rules.handle_access(AccessNet::ConnectTcp)?;
    }
    let mut rules = rules.create()?.add_rules(path_beneath_rules(
        SYSTEM,
        AccessFs::ReadFile | AccessFs::ReadDir,
    ))?;
    if let Some(home) = &needs.writes
        && let Ok(home) = PathFd::new(home)
    {
        let all_but_executing = everything & !AccessFs::Execute;
        rules = rules.add_rule(PathBeneath::new(home, all_but_executing))?;
    }
    let sockets = needs
        .removes
        .iter()
        .map(|from| (from, AccessFs::RemoveFile));
    let home = needs.removed_from.iter();
    for (from, removing) in sockets.chain(home.map(|from| (from, AccessFs::RemoveDir))) {
        if let Ok(from) = PathFd::new(from) {
            rules = rules.add_rule(PathBeneath::new(from, removing))?;
        }
    }
    Ok(match rules.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Confined::Fully,
        RulesetStatus::PartiallyEnforced => Confined::Partly,
        RulesetStatus::NotEnforced => Confined::Not,
    })
}
