//! Who a sender is to the owner, and how much of the bag may be his.

/// Who a sender is to the owner of a bag. A hub has no owner: there everybody is a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing of his is taken, and what is here was dropped.
    Blocked,
    /// As blocked, but for his actions: so he is still a friend where he was one, and can't tell. What comes by a `put`
    /// is answered as if it had been taken.
    Muted,
    /// Nobody knows him.
    Stranger,
    /// One of the people the owner knows or follows.
    Person,
    /// The owner and he follow each other.
    Friend,
    /// The owner.
    Own,
}

/// Whose share of the bag an envelope counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Stranger,
    /// All direct letters together whose sender nobody can tell: each is signed by a key of its own.
    Direct,
    Person,
    Friend,
    Own,
}

impl Class {
    pub(super) fn of(standing: Standing) -> Self {
        match standing {
            Standing::Blocked | Standing::Stranger => Self::Stranger,
            Standing::Muted | Standing::Person => Self::Person,
            Standing::Friend => Self::Friend,
            Standing::Own => Self::Own,
        }
    }
}

/// The two shares of one sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// What people write.
    Share,
    /// Follows, likes, names and the like: small, one for each chain.
    Action,
}

/// How many bytes of a bag of `budget` bytes one sender's letters of this kind may take: of a person min(5 MB, bag/16),
/// of a friend min(50 MB, bag/4), of the owner all; of actions a tenth to a quarter of that.
pub(super) fn quota(class: Class, kind: Kind, budget: usize) -> usize {
    match (class, kind) {
        (Class::Own, _) => budget,
        (Class::Friend, Kind::Share) => (budget / 4).min(50_000_000),
        (Class::Friend, Kind::Action) => (budget / 32).min(5_000_000),
        (Class::Person | Class::Stranger, Kind::Share) => (budget / 16).min(5_000_000),
        (Class::Person | Class::Stranger, Kind::Action) => (budget / 64).min(1_000_000),
        (Class::Direct, Kind::Share) => budget / 8,
        (Class::Direct, Kind::Action) => budget / 32,
    }
}

/// How many bytes of a bag of `budget` bytes all stubs of tombstones and erases may take.
pub(super) fn stub_quota(budget: usize) -> usize {
    budget / 8
}

/// How many bytes one sender's stubs may take of that. Nothing purges them, so that a stranger gets a sixteenth at
/// most.
pub(super) fn stub_quota_of(class: Class, budget: usize) -> usize {
    match class {
        Class::Own => stub_quota(budget),
        Class::Friend | Class::Direct => stub_quota(budget) / 4,
        Class::Person | Class::Stranger => stub_quota(budget) / 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K-S18: 5 MB for a person, 50 MB for a friend, oneself without a limit; 1:10 where the bag is large.
    #[test]
    fn quotas_are_those_of_kiki_where_the_bag_is_large_and_parts_of_it_where_it_is_small() {
        let of = |class, mib: usize| quota(class, Kind::Share, mib << 20);
        assert_eq!(of(Class::Person, 1024), 5_000_000);
        assert_eq!(of(Class::Friend, 1024), 50_000_000);
        assert_eq!(of(Class::Own, 1024), 1024 << 20);
        assert_eq!(of(Class::Person, 64), 4 << 20);
        assert_eq!(of(Class::Friend, 64), 16 << 20);
        assert_eq!(of(Class::Stranger, 64), 4 << 20);
    }
}
