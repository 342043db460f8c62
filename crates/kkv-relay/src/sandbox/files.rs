//! Landlock: where the process may read and write, and that it signals no other; beside seccomp also that it listens on
//! no TCP port and, where it needs none, connects to none.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::{Confined, Needs};

/// What is read of the system while a program runs: libraries, the time zone, who the user is, what the machine has,
/// random bytes. Nobody's own files: of `/dev` no more than that, as `/dev/shm` is the memory that other programs
/// share.
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

/// The rules of Landlock that are asked for; a kernel that knows fewer (see `Partly`) enforces those.
const RULES: ABI = ABI::V6;

/// How much of the rules this kernel knows.
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

/// From here on nothing but `needs` is allowed.
///
/// Not even there may anything be executed, by anyone.
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
