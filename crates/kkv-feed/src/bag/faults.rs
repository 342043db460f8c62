//! What was wrong with kiki's store, tried on the bag: each fault by its number in the list of them.

use super::checks::{DAY, Made, NOON, Shown, person, tag};
use super::{Bag, MAX_VERSIONS, MIN_BUDGET_BYTES, Refusal, Standing};
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

/// KD2: kiki didn't compare the sender of a replacing letter with that of the replaced one.
#[test]
fn an_envelope_of_another_sender_with_the_same_tag_changes_nothing() {
    let (mut bag, mut shown) = bag();
    let ours = Made::share(1, 1);
    bag.offer(&ours, NOON, &mut shown).unwrap();
    let theirs = Made {
        author: 2,
        ahead: 5,
        ..ours
    };
    bag.offer(&theirs, NOON, &mut shown).unwrap();
    bag.offer(&tombstone(theirs, NOON.0), NOON, &mut shown)
        .unwrap();
    bag.offer(&erase(2, NOON.0, NOON.0), NOON, &mut shown)
        .unwrap();
    assert!(shown.ids().contains(&ours.id()));
    assert_eq!(bag.len(), 1);
    assert!(!bag.has_ended(&person(1), &tag(1, 0)));
}

/// KD4: an envelope with a copied signature deleted the victim's row. Nor may one make us refuse the right one, whose
/// id is the same, since it doesn't cover the signature.
#[test]
fn an_envelope_with_a_wrong_signature_changes_nothing_and_isnt_remembered() {
    let (mut bag, mut shown) = bag();
    let ours = Made::share(1, 1);
    let ends = tombstone(ours, NOON.0);
    let erases = erase(1, NOON.0, NOON.0);
    let newer = Made { ahead: 1, ..ours };
    bag.offer(&ours, NOON, &mut shown).unwrap();
    for forged in [newer, ends, erases] {
        let refused = bag.offer_signed(&forged, NOON, false, &mut shown);
        assert_eq!(refused, Err(Refusal::Signature));
        assert_eq!(shown.ids(), [ours.id()].into());
        assert_eq!(bag.lacks(&forged.id()), Ok(()));
    }
    for right in [newer, ends, erases] {
        bag.offer(&right, NOON, &mut shown).unwrap();
    }
    // What has ended or is erased isn't remembered before its signature was looked at, either.
    let late = Made { ahead: 7, ..ours };
    assert_eq!(
        bag.offer_signed(&late, NOON, false, &mut shown),
        Err(Refusal::Signature)
    );
    assert_eq!(bag.offer(&late, NOON, &mut shown), Err(Refusal::Deleted));
}

/// KD6: kiki's loop never ended where nothing was larger than 5000 bytes.
#[test]
fn three_thousand_tiny_letters_over_a_quota_end_and_the_newest_are_kept() {
    let (mut bag, mut shown) = bag();
    let letters = (0..3000).map(|n| Made {
        created: NOON.0 - 3000 + n,
        bytes: 300,
        salt: n,
        ..Made::share(1, 200)
    });
    let letters: Vec<Made> = letters.collect();
    let account = |bag: &Bag| bag.newest().map(|stored| stored.bytes.len()).sum::<usize>();
    for letter in &letters {
        let bytes = vec![0xAB; letter.bytes];
        bag.admit_made(&letter.outside(), &bytes, NOON, &mut shown)
            .unwrap();
        assert!(bag.bytes() <= bag.budget());
    }
    bag.check();
    bag.check_quotas();
    assert!(account(&bag) <= bag.budget() / 16);
    let kept = bag.len();
    assert!(kept > 500, "{kept}");
    let newest = letters.iter().rev().take(kept).map(Made::id).collect();
    assert_eq!(shown.ids(), newest);
}

/// KD12: what had been purged or erased was fetched again at every exchange.
#[test]
fn what_was_purged_superseded_or_deleted_isnt_taken_or_asked_for_again() {
    let mut bag = Bag::new(MIN_BUDGET_BYTES, [1; 32]);
    let letters = (0..60).map(|n| Made {
        created: NOON.0 - 60 + n,
        bytes: 10_000,
        salt: n,
        ..Made::share(u8::try_from(n).unwrap(), 200)
    });
    let letters: Vec<Made> = letters.collect();
    for letter in &letters {
        bag.offer(letter, NOON, &mut ()).unwrap();
    }
    let purged = letters.iter().filter(|letter| !bag.holds(&letter.id()));
    let purged: Vec<_> = purged.collect();
    assert!(purged.len() > 10, "{}", purged.len());
    for letter in purged {
        assert_eq!(bag.lacks(&letter.id()), Err(Refusal::Gone));
        assert_eq!(bag.offer(letter, NOON, &mut ()), Err(Refusal::Gone));
    }
    let name = Made {
        action: true,
        ..Made::share(1, 1)
    };
    let newer = Made { ahead: 1, ..name };
    bag.offer(&name, NOON, &mut ()).unwrap();
    bag.offer(&newer, NOON, &mut ()).unwrap();
    assert_eq!(bag.lacks(&name.id()), Err(Refusal::Gone));
    assert!(bag.delete(&newer.id(), &mut ()));
    assert_eq!(bag.lacks(&newer.id()), Err(Refusal::Gone));
}

/// LETTERS.md §5: "too early by my clock" is another answer, carries that clock, and isn't remembered.
#[test]
fn what_is_too_early_is_taken_once_it_isnt() {
    let (mut bag, mut shown) = bag();
    let ahead = Made {
        created: NOON.0 + 11,
        ..Made::share(1, 1)
    };
    let refused = bag.offer(&ahead, NOON, &mut shown);
    assert_eq!(refused, Err(Refusal::TooEarly { clock: NOON }));
    assert!(Refusal::TooEarly { clock: NOON }.is_for_now());
    assert_eq!(bag.lacks(&ahead.id()), Ok(()));
    bag.offer(&ahead, Minutes(NOON.0 + 1), &mut shown).unwrap();
    let stored = bag.find(&ahead.id()).unwrap();
    assert_eq!(
        (stored.arrived, stored.since),
        (Minutes(NOON.0 + 1), Minutes(NOON.0 + 1))
    );
}

/// K-V33, and "two edits within a minute show the later".
#[test]
fn two_edits_within_a_minute_show_the_later_in_any_order() {
    let first = Made::share(1, 1);
    let edits = [
        first,
        Made { ahead: 1, ..first },
        Made { ahead: 2, ..first },
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let (mut bag, mut shown) = bag();
        for which in order {
            bag.offer(&edits[which], NOON, &mut shown).unwrap();
        }
        assert_eq!(shown.ids(), [edits[2].id()].into());
        let versions = bag.versions(&person(1), &tag(1, 0));
        let ids: Vec<_> = versions.iter().map(|stored| stored.id).collect();
        assert_eq!(ids, [2, 1, 0].map(|which: usize| edits[which].id()));
    }
}

/// K-S19, K-21: of actions the newest of a chain is kept, of shares a few versions, which go first.
#[test]
fn actions_are_compacted_and_histories_bounded() {
    let (mut bag, mut shown) = bag();
    for ahead in 0..40 {
        let edit = Made {
            ahead,
            ..Made::share(1, 1)
        };
        bag.offer(&edit, NOON, &mut shown).unwrap();
        let name = Made {
            action: true,
            ..Made { chain: 2, ..edit }
        };
        bag.offer(&name, NOON, &mut shown).unwrap();
    }
    assert_eq!(bag.versions(&person(1), &tag(1, 0)).len(), MAX_VERSIONS);
    assert_eq!(bag.versions(&person(1), &tag(2, 0)).len(), 1);
    assert_eq!(shown.newest.len(), 2);
}

/// K-22: what a blocked sender has sent is dropped and what he sends is refused; it may come again when he isn't. A
/// muted one is still a friend: his actions stay.
#[test]
fn a_block_drops_and_refuses_and_mute_keeps_actions() {
    let (mut bag, mut shown) = bag();
    let post = Made::share(1, 1);
    let follow = Made {
        action: true,
        ..Made::share(1, 2)
    };
    let both = [post, follow];
    for letter in both {
        bag.offer(&letter, NOON, &mut shown).unwrap();
    }
    bag.set_standing(&person(1), Standing::Muted, &mut shown);
    assert_eq!(shown.ids(), [follow.id()].into());
    assert_eq!(bag.offer(&post, NOON, &mut shown), Err(Refusal::Muted));
    bag.set_standing(&person(1), Standing::Blocked, &mut shown);
    assert!(bag.is_empty());
    for letter in both {
        assert_eq!(bag.offer(&letter, NOON, &mut shown), Err(Refusal::Blocked));
    }
    bag.set_standing(&person(1), Standing::Stranger, &mut shown);
    for letter in both {
        bag.offer(&letter, NOON, &mut shown).unwrap();
    }
}

/// CRYPTO.md 10: keys are free, so among strangers it is work that counts.
#[test]
fn of_strangers_the_cheapest_go_first_and_cheaper_ones_than_all_that_is_here_arent_taken() {
    let mut bag = Bag::new(MIN_BUDGET_BYTES, [1; 32]);
    let letter = |author: u8, paid| Made {
        paid,
        bytes: 15_000,
        ..Made::share(author, 200)
    };
    for author in 0..60 {
        let paid = if author % 3 == 0 { 16 } else { 12 };
        let _ = bag.offer(&letter(author, paid), NOON, &mut ());
    }
    let cheap = |bag: &Bag| {
        bag.newest()
            .filter(|stored| stored.author.0[0] % 3 > 0 && stored.author.0[0] < 60)
            .count()
    };
    let before = cheap(&bag);
    assert_eq!(
        bag.offer(&letter(100, 11), NOON, &mut ()),
        Err(Refusal::NoRoom)
    );
    assert_eq!(cheap(&bag), before, "nothing went for what wasn't taken");
    let dear = bag.len() - before;
    assert!(before > 3, "{before}");
    for author in 100..103 {
        bag.offer(&letter(author, 16), NOON, &mut ()).unwrap();
    }
    assert_eq!(
        (cheap(&bag), bag.len() - cheap(&bag)),
        (before - 3, dear + 3)
    );
}

/// Direct letters of unknown senders have a share of their own.
#[test]
fn direct_letters_fill_their_share_and_no_more() {
    let (mut bag, mut shown) = bag();
    for n in 0..=255 {
        let letter = Made {
            direct: true,
            bytes: 5_000,
            ..Made::share(n, 1)
        };
        bag.offer(&letter, NOON, &mut shown).unwrap();
        bag.offer(
            &Made {
                direct: false,
                chain: 2,
                bytes: 1_000,
                ..letter
            },
            NOON,
            &mut shown,
        )
        .unwrap();
    }
    bag.check_quotas();
    let direct = bag.newest().filter(|stored| stored.direct).count();
    assert!(
        (80..=104).contains(&direct),
        "{direct} of 5 KB in an eighth of 4 MiB"
    );
}

/// Whoever pays for a large version may push out all that he had, its own earlier versions too.
#[test]
fn a_version_for_which_all_others_of_its_chain_go_takes_their_place() {
    let (mut bag, mut shown) = (Bag::new(MIN_BUDGET_BYTES, [1; 32]), Shown::default());
    bag.set_standing(&person(9), Standing::Own, &mut shown);
    let mut salt = 0;
    while bag.bytes() + 44_000 < bag.budget() {
        salt += 1;
        let own = Made {
            salt,
            ..Made::share(9, 200)
        };
        bag.offer(&own, NOON, &mut shown).unwrap();
    }
    let version = |ahead, bytes| Made {
        ahead,
        bytes,
        ..Made::share(1, 1)
    };
    for ahead in 0..20 {
        bag.offer(&version(ahead, 1_500), NOON, &mut shown).unwrap();
    }
    let newer = |chain| Made {
        created: NOON.0 + 1,
        ..Made::share(2, chain)
    };
    for chain in 0..20 {
        if bag.offer(&newer(chain), NOON, &mut shown).is_err() || bag.bytes() + 2_500 > bag.budget()
        {
            break;
        }
    }
    let large = Made {
        paid: 5,
        ..version(20, 28_000)
    };
    bag.offer(&large, NOON, &mut shown).unwrap();
    shown.check(&bag);
    assert_eq!(bag.versions(&person(1), &tag(1, 0)).len(), 1);
}
