//! What was wrong with kiki's feed, tried on ours: each fault by its number in the list of them.

use kkv_letters::{Purpose, Target};

use super::checks::{DAY, Draft, Home, ME, NOON, chain, who};
use super::facts::About;
use super::{Filter, Likes};
use crate::bag::{Refusal, Standing};

const ANN: u8 = 1;
const BOB: u8 = 2;
const EVE: u8 = 3;

/// KD2: kiki let anybody replace anybody's letter.
#[test]
fn a_letter_of_another_sender_in_my_chain_changes_nothing_of_mine() {
    let mine = Draft::post(ANN, 1, "mine");
    let theirs = Draft::post(EVE, 1, "theirs").ahead(9);
    let mut home = Home::with(&[mine, theirs.clone(), theirs.clone().tombstone(NOON.0)]);
    assert_eq!(home.all(), ["mine"]);
    assert_eq!(home.take(&theirs.ahead(20)), Err(Refusal::Deleted));
}

/// KD3: kiki trusted every key that came in a letter, and deleted letters by it.
#[test]
fn a_letter_with_a_key_changes_nothing_in_the_feed_and_is_handed_on() {
    let mut home = Home::with(&[Draft::post(ANN, 1, "here")]);
    let before = home.shown();
    for content in [&b""[..], b"{}", &[0xFF; 200], &who(ANN).0] {
        let chain = u8::try_from(content.len()).unwrap();
        let key = Draft {
            purpose: Purpose::ShareKey,
            content: content.to_vec(),
            ..Draft::post(EVE, chain, "")
        };
        home.take(&key).unwrap();
        assert_eq!(home.settle().keys, [key.outside().id]);
        assert_eq!(home.shown(), before);
    }
}

/// KD7: in kiki nothing could be taken back, and the list of followed people ignored edits.
#[test]
fn likes_follows_names_and_blocks_are_taken_back_by_a_later_revision() {
    let like = Draft::like(ANN, 2, chain(BOB, 1));
    let name = Draft::action(ANN, 3, Purpose::ActionName, None, b"Ann");
    let follow = Draft::follow(ANN, 4);
    let block = Draft::action(
        ME,
        5,
        Purpose::ActionBlock,
        Some(Target::Person(who(EVE))),
        b"1",
    );
    let mut home = Home::with(&[
        Draft::post(BOB, 1, "lake"),
        like.clone(),
        name.clone(),
        follow.clone(),
        block.clone(),
    ]);
    let ann = home.feed.person(&who(ANN));
    assert!(ann.follows_me && ann.name.is_some());
    assert_eq!(home.feed.likes(&chain(BOB, 1)).others, 1);
    assert_eq!(home.feed.standing(&who(EVE)), Standing::Blocked);
    for undone in [like, name, follow, block] {
        let undone = Draft {
            content: Vec::new(),
            ..undone.ahead(1)
        };
        home.take(&undone).unwrap();
    }
    home.settle();
    let ann = home.feed.person(&who(ANN));
    assert!(!ann.follows_me && ann.name.is_none());
    assert_eq!(home.feed.likes(&chain(BOB, 1)), Likes::default());
    assert_eq!(home.feed.standing(&who(EVE)), Standing::Stranger);
}

/// KD8: what kiki had erased came back with the next exchange.
#[test]
fn what_was_erased_is_gone_from_the_feed_with_its_likes_and_stays_away() {
    let old = Draft::post(ANN, 1, "old").at(NOON.0 - DAY);
    let liked = Draft::like(ANN, 2, chain(BOB, 1)).at(NOON.0 - DAY);
    let new = Draft::post(ANN, 3, "new");
    let erase = Draft {
        erase_before: Some(NOON.0),
        ..Draft::action(ANN, 9, Purpose::ActionErase, None, b"1")
    };
    let mut home = Home::with(&[
        Draft::post(BOB, 1, "lake"),
        old.clone(),
        liked.clone(),
        new,
        erase,
    ]);
    for _ in 0..3 {
        assert_eq!(
            home.texts(&Filter {
                person: Some(who(ANN)),
                ..Filter::default()
            }),
            ["new"]
        );
        assert_eq!(home.feed.likes(&chain(BOB, 1)), Likes::default());
        for letter in [&old, &liked] {
            assert!(home.take(letter).is_err());
        }
        home.settle();
    }
}

/// K-P16: the bit on the outside has to agree with what is inside.
#[test]
fn an_action_that_pretends_to_be_a_post_is_neither() {
    let follow = Draft::follow(ANN, 1);
    let mut home = Home::new();
    let mut outside = follow.outside();
    home.take(&Draft::post(BOB, 1, "here")).unwrap();
    outside.action = false;
    let mut other = Home::with(std::slice::from_ref(&follow));
    assert!(other.feed.person(&who(ANN)).follows_me);
    let envelope = other.bag.bytes_of(&outside.id).unwrap().to_vec();
    other.restart();
    other
        .bag
        .admit_made(&outside, &envelope, NOON, &mut other.feed)
        .unwrap();
    other.settle();
    assert!(!other.feed.person(&who(ANN)).follows_me && other.feed.is_empty());
}

/// K-F8b, K-V33.
#[test]
fn two_edits_within_a_minute_show_the_later_and_history_has_both() {
    let first = Draft::post(ANN, 1, "Lake on Saturday?");
    let edits = [
        first.clone(),
        Draft {
            content: b"Lake on Sunday?".into(),
            ..first.clone().ahead(1)
        },
        Draft {
            content: b"Lake at six?".into(),
            ..first.ahead(2)
        },
    ];
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let mut home = Home::with(&order.map(|which: usize| edits[which].clone()));
        assert_eq!(home.all(), ["Lake at six?"]);
        let history = home
            .feed
            .reader(&home.bag, &home.keys)
            .history(&chain(ANN, 1));
        let texts: Vec<_> = history
            .iter()
            .map(|post| post.inside.text().unwrap())
            .collect();
        assert_eq!(
            texts,
            ["Lake at six?", "Lake on Sunday?", "Lake on Saturday?"]
        );
        assert_eq!(home.page(&Filter::default()).posts[0].earlier, 2);
    }
}

/// CRYPTO.md 13: a circle's key opens letters of others only as answers and likes in its owner's threads.
#[test]
fn whoever_has_a_friends_key_writes_only_into_that_friends_threads() {
    let guest = |draft: Draft| Draft {
        circle: Some(ANN),
        ..draft
    };
    let post = Draft::post(ANN, 1, "lake");
    let own = guest(Draft::post(BOB, 2, "my own, to your friends"));
    let answer = guest(Draft::reply(BOB, 3, chain(ANN, 1), "yes"));
    let elsewhere = guest(Draft::reply(BOB, 4, chain(EVE, 5), "no"));
    let mut home = Home::with(&[post, own, answer, elsewhere, Draft::post(EVE, 5, "eve")]);
    let mut all = home.all();
    all.sort();
    assert_eq!(all, ["eve", "lake"]);
    assert_eq!(home.thread(chain(ANN, 1)), ["lake", ".yes"]);
    assert_eq!(home.thread(chain(EVE, 5)), ["eve"]);
}

/// K-22, CRYPTO.md 7: a block acts also where only the inside tells who wrote.
#[test]
fn a_block_drops_posts_likes_and_direct_letters_and_mute_keeps_friends() {
    let post = Draft::post(ANN, 1, "lake");
    let like = Draft::like(ANN, 2, chain(BOB, 1));
    let direct = Draft {
        direct: true,
        signer: 77,
        ..Draft::post(ANN, 3, "psst")
    };
    let follow = Draft::follow(ANN, 4);
    let all = [post, like, direct, follow, Draft::post(BOB, 1, "bob")];
    let seen = |home: &mut Home| {
        let mut texts = home.all();
        texts.sort();
        (
            texts.concat(),
            home.feed.likes(&chain(BOB, 1)).others + home.feed.likes(&chain(BOB, 1)).followed.len(),
        )
    };
    let mut home = Home::with(&all);
    home.feed.say(About::Follow, &who(ANN).0, b"1", NOON);
    home.settle();
    assert!(home.feed.is_friend(&who(ANN)));
    assert_eq!(seen(&mut home), ("boblakepsst".into(), 1));

    home.feed.say(About::Mute, &who(ANN).0, b"1", NOON);
    home.settle();
    assert!(home.feed.is_friend(&who(ANN)), "she can't tell");
    assert_eq!(home.take(&all[0]), Err(Refusal::Muted));
    assert_eq!(seen(&mut home).1, 0);
    let direct = Draft {
        signer: 78,
        ..all[2].clone()
    };
    home.take(&direct).unwrap();
    home.settle();
    assert!(!home.bag.holds(&direct.outside().id));

    home.feed.say(About::Block, &who(ANN).0, b"1", NOON);
    home.settle();
    assert!(!home.feed.is_friend(&who(ANN)));
    assert_eq!(home.take(&all[0]), Err(Refusal::Blocked));
    home.feed.say(About::Block, &who(ANN).0, b"", NOON);
    home.feed.say(About::Mute, &who(ANN).0, b"", NOON);
    home.settle();
    for letter in &all[..2] {
        home.take(letter).unwrap();
    }
    home.settle();
    assert_eq!(seen(&mut home), ("boblake".into(), 1));
    assert!(
        home.feed.is_friend(&who(ANN)),
        "what she said last still holds"
    );
}
