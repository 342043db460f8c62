//! The bag against arbitrary operations, and against any order of the same envelopes.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::checks::{DAY, Made, NOON, Shown, person};
use super::{Bag, MIN_BUDGET_BYTES, Refusal, Standing};
use kkv_letters::Minutes;

/// What is done to a bag.
#[derive(Debug, Clone)]
enum Step {
    Offer(Made, bool),
    /// Offers one again that was offered before.
    Again(usize),
    Pass(u32),
    Delete(usize),
    Stand(u8, Standing),
}

fn made() -> impl Strategy<Value = Made> {
    let who = (0..4_u8, 0..4_u8, 0..3_u32);
    let when = (0..60 * DAY, 1..30 * DAY);
    let what = (
        any::<bool>(),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.15),
    );
    let erase = prop::option::weighted(0.05, 0..60 * DAY);
    let size = (
        prop_oneof![300..2000_usize, 4000..40_000_usize],
        0..3_u8,
        0..4_u32,
    );
    (who, when, what, erase, size).prop_map(|(who, when, what, erase, size)| {
        let created = NOON.0 + when.0;
        Made {
            author: who.0,
            chain: who.1,
            ahead: who.2,
            created,
            lifetime: when.1,
            action: what.0,
            direct: what.1,
            tombstone: what.2,
            erase_before: erase.map(|before| (NOON.0 + before).min(created)),
            bytes: size.0,
            paid: size.1,
            salt: size.2,
        }
    })
}

fn standing() -> impl Strategy<Value = Standing> {
    prop::sample::select(vec![
        Standing::Blocked,
        Standing::Muted,
        Standing::Stranger,
        Standing::Person,
        Standing::Friend,
        Standing::Own,
    ])
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (made(), prop::bool::weighted(0.9)).prop_map(|(made, signed)| Step::Offer(made, signed)),
        3 => any::<usize>().prop_map(Step::Again),
        2 => (0..3 * DAY).prop_map(Step::Pass),
        1 => any::<usize>().prop_map(Step::Delete),
        1 => (0..4_u8, standing()).prop_map(|(who, standing)| Step::Stand(who, standing)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_done_the_bag_stays_within_its_budget_and_whole_and_its_watcher_right(
        steps in vec(step(), 1..250),
    ) {
        let mut bag = Bag::new(MIN_BUDGET_BYTES, [1; 32]);
        let mut shown = Shown::default();
        let mut now = Minutes(NOON.0);
        let mut offered: Vec<Made> = Vec::new();
        for step in steps {
            match step {
                Step::Offer(made, signed) => {
                    // In time, so that most are taken.
                    now = now.max(Minutes(made.created));
                    let taken = bag.offer_signed(&made, now, signed, &mut shown);
                    prop_assert!(signed || taken.is_err());
                    offered.push(made);
                }
                Step::Again(which) if !offered.is_empty() => {
                    let made = offered[which % offered.len()];
                    let was_here = bag.holds(&made.id());
                    let taken = bag.offer(&made, now, &mut shown);
                    prop_assert!(!was_here || taken.is_err());
                }
                Step::Pass(minutes) => {
                    now.0 += minutes;
                    bag.expire(now, &mut shown);
                }
                Step::Delete(which) if !offered.is_empty() => {
                    let id = offered[which % offered.len()].id();
                    if bag.delete(&id, &mut shown) {
                        prop_assert_eq!(bag.lacks(&id), Err(Refusal::Gone));
                    }
                }
                Step::Stand(who, standing) => bag.set_standing(&person(who), standing, &mut shown),
                Step::Again(_) | Step::Delete(_) => {}
            }
            bag.check();
            shown.check(&bag);
        }
        while let Some(end) = bag.next_end() {
            bag.expire(end, &mut shown);
            bag.check();
        }
        prop_assert!(bag.is_empty() && shown.newest.is_empty());
    }

    /// LETTERS.md §7: which letters are shown is a function of the set of envelopes.
    #[test]
    fn the_same_envelopes_in_any_order_and_as_often_as_you_like_show_the_same(
        all in vec(made(), 1..60),
        order in any::<prop::sample::Index>(),
        again in vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let now = Minutes(NOON.0 + 60 * DAY);
        let show = |all: &[Made]| {
            let mut bag = Bag::new(64 << 20, [1; 32]);
            let mut shown = Shown::default();
            for made in all {
                // All of them are still good then.
                let made = Made { lifetime: 90 * DAY, ..*made };
                let _ = bag.offer(&made, now, &mut shown);
            }
            let letters: BTreeSet<_> = bag.newest().map(|stored| stored.id).collect();
            assert_eq!(letters, shown.ids());
            let carried = bag.stub_ids().collect::<BTreeSet<_>>();
            (letters, carried)
        };
        let mut other = all.clone();
        other.sort_by_key(|made| (made.id().0[order.index(32)], made.id()));
        other.extend(again.iter().map(|at| *at.get(&all)));
        prop_assert_eq!(show(&all), show(&other));
    }

    /// Strangers who pay nothing never push out those whom the owner knows, and nobody pushes out the owner.
    #[test]
    fn strangers_go_before_people_people_before_friends_and_the_owner_never(
        all in vec((0..4_u8, 500..30_000_usize), 200..400),
    ) {
        let mut bag = Bag::new(MIN_BUDGET_BYTES, [1; 32]);
        let standings = [Standing::Stranger, Standing::Person, Standing::Friend, Standing::Own];
        for (who, standing) in (0..).zip(standings) {
            bag.set_standing(&person(who), standing, &mut ());
        }
        for (salt, (who, bytes)) in (0..).zip(all) {
            let made = Made { salt, bytes, ..Made::share(who, 200) };
            let before = bytes_of(&bag);
            if bag.offer(&made, NOON, &mut ()).is_ok() {
                let after = bytes_of(&bag);
                for other in usize::from(who) + 1..4 {
                    prop_assert_eq!(before[other], after[other], "{} pushed out {}", who, other);
                }
            }
            bag.check_quotas();
        }
    }
}

/// How many bytes each of the four has in the bag.
fn bytes_of(bag: &Bag) -> [usize; 4] {
    let mut bytes = [0; 4];
    for stored in bag.newest() {
        bytes[usize::from(stored.author.0[0])] += stored.bytes.len();
    }
    bytes
}
