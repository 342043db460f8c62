//! What deletion means in the bag: tombstones, erases, their stubs.

use super::checks::{DAY, Made, NOON, Shown, person, tag};
use super::{Bag, MIN_BUDGET_BYTES, Refusal};
use kkv_letters::Minutes;

fn bag() -> (Bag, Shown) {
    (Bag::new(4 << 20, [1; 32]), Shown::default())
}

fn tombstone(of: Made, created: u32) -> Made {
    Made {
        tombstone: true,
        created,
        lifetime: 30 * DAY,
        bytes: 300,
        ..of
    }
}

fn erase(author: u8, before: u32, created: u32) -> Made {
    Made {
        action: true,
        erase_before: Some(before),
        created,
        lifetime: 30 * DAY,
        bytes: 300,
        ..Made::share(author, 99)
    }
}

/// KD8: kiki's erase deleted itself as well, and the letters came back with the next exchange.
#[test]
fn what_was_erased_stays_away_for_as_long_as_it_could_live() {
    let (mut bag, mut shown) = bag();
    let old = Made {
        created: NOON.0 - DAY,
        lifetime: 30 * DAY,
        ..Made::share(1, 1)
    };
    let unseen = Made {
        created: NOON.0 - 1,
        lifetime: 30 * DAY,
        ..Made::share(1, 2)
    };
    let later = Made::share(1, 3);
    bag.offer(&old, NOON, &mut shown).unwrap();
    bag.offer(&later, NOON, &mut shown).unwrap();
    bag.offer(&erase(1, NOON.0, NOON.0), NOON, &mut shown)
        .unwrap();
    assert_eq!(shown.ids(), [later.id()].into());
    for day in 0..40 {
        let now = Minutes(NOON.0 + day * DAY);
        for letter in [old, unseen] {
            assert!(bag.offer(&letter, now, &mut shown).is_err());
        }
    }
    assert!(bag.is_empty());
}

/// An erase ends nothing that was written later, and no tombstone: what that hides may have been written later.
#[test]
fn an_erase_leaves_tombstones() {
    let (mut bag, mut shown) = bag();
    let letter = Made::share(1, 1);
    let ends = tombstone(letter, NOON.0 - DAY);
    bag.offer(&ends, NOON, &mut shown).unwrap();
    bag.offer(&erase(1, NOON.0, NOON.0), NOON, &mut shown)
        .unwrap();
    assert!(bag.holds(&ends.id()));
    assert_eq!(bag.offer(&letter, NOON, &mut shown), Err(Refusal::Deleted));
}

/// CRYPTO.md 6: deleted letters came back by a higher revision.
#[test]
fn a_tombstone_ends_its_chain_whatever_the_revision_and_outlives_what_it_hides() {
    let (mut bag, mut shown) = bag();
    let letter = Made::share(1, 1);
    bag.offer(&letter, NOON, &mut shown).unwrap();
    let ends = tombstone(letter, NOON.0);
    bag.offer(&ends, NOON, &mut shown).unwrap();
    assert!(shown.newest.is_empty() && bag.is_empty());
    let higher = Made {
        ahead: 600,
        lifetime: 30 * DAY,
        ..letter
    };
    assert_eq!(bag.offer(&higher, NOON, &mut shown), Err(Refusal::Deleted));
    // Another machine of the same sender, which knew nothing of the deletion, wrote this much later.
    let later = Made {
        created: NOON.0 + 29 * DAY,
        lifetime: 30 * DAY,
        ..letter
    };
    assert_eq!(
        bag.offer(&later, Minutes(later.created), &mut shown),
        Err(Refusal::Deleted)
    );
    let same = Made { salt: 1, ..later };
    for day in 29..60 {
        let now = Minutes(NOON.0 + day * DAY);
        bag.expire(now, &mut shown);
        assert!(bag.has_ended(&person(1), &tag(1, 0)), "day {day}");
        assert!(
            bag.offer(&Made { salt: day, ..same }, now, &mut shown)
                .is_err(),
            "day {day}"
        );
    }
    assert!(!bag.holds(&ends.id()), "its envelope has expired");
    bag.expire(Minutes(NOON.0 + 62 * DAY), &mut shown);
    assert!(
        !bag.has_ended(&person(1), &tag(1, 0)),
        "nothing is left that it could hide"
    );
    assert_eq!(bag.stubs.len(), 0);
}

/// Stubs are under a quota of their own, counted for their sender; nothing purges them.
#[test]
fn stubs_of_one_stranger_leave_room_for_those_of_others_and_are_never_purged() {
    let mut bag = Bag::new(MIN_BUDGET_BYTES, [1; 32]);
    let stub = |author, salt| {
        tombstone(
            Made {
                salt,
                ..Made::share(author, 200)
            },
            NOON.0,
        )
    };
    let taken = (0..500)
        .take_while(|salt| bag.offer(&stub(1, *salt), NOON, &mut ()).is_ok())
        .count();
    assert!((5..100).contains(&taken), "{taken}");
    assert_eq!(bag.offer(&stub(1, 500), NOON, &mut ()), Err(Refusal::Quota));
    bag.offer(&stub(2, 0), NOON, &mut ()).unwrap();
    // A crowd of large letters pushes none of them out.
    for salt in 0..200 {
        let letter = Made {
            salt,
            bytes: 20_000,
            ..Made::share(7, 200)
        };
        let _ = bag.offer(&letter, NOON, &mut ());
    }
    for salt in 0..u32::try_from(taken).unwrap() {
        assert!(bag.has_ended(&person(1), &tag(200, salt)));
    }
    assert!(bag.has_ended(&person(2), &tag(200, 0)));
}

#[test]
fn a_wiped_bag_is_as_a_new_one() {
    let (mut bag, mut shown) = bag();
    bag.offer(&Made::share(1, 1), NOON, &mut shown).unwrap();
    bag.wipe();
    assert!(bag.is_empty() && bag.next_end().is_none());
    bag.offer(&Made::share(1, 1), NOON, &mut ()).unwrap();
}

/// What an erase hides is looked for among all envelopes: nobody gets that work done for a forged one.
#[test]
fn a_forged_erase_is_refused_before_anything_else_is_looked_at() {
    let mut bag = Bag::new(MIN_BUDGET_BYTES, [1; 32]);
    let stub = |salt| {
        tombstone(
            Made {
                salt,
                ..Made::share(1, 200)
            },
            NOON.0,
        )
    };
    let taken = (0..500).take_while(|salt| bag.offer(&stub(*salt), NOON, &mut ()).is_ok());
    assert!(taken.count() > 5);
    let erase = erase(1, NOON.0, NOON.0);
    let forged = bag.offer_signed(&erase, NOON, false, &mut ());
    assert_eq!(forged, Err(Refusal::Signature));
    assert_eq!(bag.offer(&erase, NOON, &mut ()), Err(Refusal::Quota));
}
