//! What the owner sees of a feed, and what of it is due, tried by small examples.

use kkv_letters::Minutes;
use kkv_letters::{Purpose, Target};

use super::checks::{DAY, Draft, Home, ME, NOON, chain, who};
use super::facts::{About, FACTS_TYPE, Facts};
use super::{Due, Filter, Likes, MAX_DEPTH, Work};
use crate::bag::Standing;

const ANN: u8 = 1;
const BOB: u8 = 2;
const EVE: u8 = 3;

/// K-F9: replies hang on the chain and survive edits. K-19: so do likes.
#[test]
fn answers_and_likes_stay_with_an_edited_post() {
    let post = Draft::post(ANN, 1, "lake");
    let edit = Draft {
        content: b"sea".into(),
        ..post.clone().ahead(1)
    };
    let reply = Draft::reply(BOB, 2, chain(ANN, 1), "yes").at(NOON.0 + 1);
    let deeper = Draft::reply(ANN, 3, chain(BOB, 2), "good").at(NOON.0 + 2);
    let like = Draft::like(BOB, 4, chain(ANN, 1));
    let mut home = Home::with(&[post, reply, like, edit]);
    home.now.0 += 2;
    home.take(&deeper).unwrap();
    home.settle();
    assert_eq!(home.all(), ["sea"]);
    assert_eq!(home.thread(chain(ANN, 1)), ["sea", ".yes", "..good"]);
    let post = &home.page(&Filter::default()).posts[0];
    assert_eq!((post.replies, post.likes.others), (1, 1));
    home.take(&Draft::post(BOB, 2, "").tombstone(NOON.0))
        .unwrap();
    home.settle();
    assert_eq!(home.thread(chain(ANN, 1)), ["sea"]);
    assert_eq!(
        home.all(),
        ["good", "sea"],
        "an answer to what is gone stands by itself"
    );
}

/// Replies in a circle, and deeper than one may hang, end; and nothing is lost.
#[test]
fn answers_in_a_circle_and_without_end_are_shown_once_each() {
    let circle = [
        Draft::reply(ANN, 1, chain(BOB, 2), "a"),
        Draft::reply(BOB, 2, chain(ANN, 1), "b"),
    ];
    let to_itself = Draft::reply(EVE, 3, chain(EVE, 3), "c");
    let mut home = Home::with(&[circle[0].clone(), circle[1].clone(), to_itself]);
    let mut all = home.all();
    all.sort();
    assert_eq!(all, ["a", "b", "c"]);
    assert_eq!(home.thread(chain(ANN, 1)), ["a", ".b"]);
    let mut home = Home::with(&[Draft::post(ANN, 0, "0")]);
    for n in 1..=200 {
        home.take(&Draft::reply(ANN, n, chain(ANN, n - 1), &n.to_string()))
            .unwrap();
    }
    home.settle();
    let roots = home.all();
    assert_eq!(roots.len(), 1 + 200 - MAX_DEPTH);
    assert_eq!(home.thread(chain(ANN, 0)).len(), 1 + MAX_DEPTH);
}

#[test]
fn likes_are_of_those_i_follow_by_name_and_of_how_many_others() {
    let post = Draft::post(ANN, 1, "lake");
    let likes = [ME, BOB, EVE, 5, 6].map(|who| Draft::like(who, 2, chain(ANN, 1)));
    let twice = Draft::like(BOB, 3, chain(ANN, 1));
    let mut home = Home::with(&likes);
    home.take(&post).unwrap();
    home.take(&twice).unwrap();
    home.feed.say(About::Follow, &who(BOB).0, b"1", NOON);
    home.settle();
    let likes = home.feed.likes(&chain(ANN, 1));
    assert_eq!(
        likes,
        Likes {
            mine: true,
            followed: vec![who(BOB)],
            others: 3
        }
    );
}

/// K-A24, K-19: friends follow each other; who isn't followed is a follower and no more.
#[test]
fn friends_are_those_who_follow_each_other() {
    let mut home = Home::with(&[Draft::follow(ANN, 1), Draft::follow(BOB, 1)]);
    home.feed.say(About::Follow, &who(ANN).0, b"1", NOON);
    home.feed.say(About::Follow, &who(EVE).0, b"1", NOON);
    home.settle();
    assert_eq!(home.feed.friends().collect::<Vec<_>>(), [who(ANN)]);
    assert_eq!(home.feed.followers(), [who(ANN), who(BOB)]);
    assert_eq!(
        home.feed.followed().collect::<Vec<_>>(),
        [who(ANN), who(EVE)]
    );
    assert_eq!(home.feed.standing(&who(EVE)), Standing::Person);
    let to_bob = Draft::action(
        ANN,
        2,
        Purpose::ActionFollow,
        Some(Target::Person(who(BOB))),
        b"1",
    );
    home.take(&to_bob).unwrap();
    home.settle();
    assert_eq!(
        home.feed.followers(),
        [who(ANN), who(BOB)],
        "whom others follow is theirs"
    );
}

/// K-V31, K-17, K-18: filters, and search without case and accents.
#[test]
fn filters_find_by_person_tag_text_and_home() {
    let mut home = Home::with(&[
        Draft::post(ANN, 1, "Été au #Lac").at(NOON.0 - 3),
        Draft::post(BOB, 2, "winter at the #lac").at(NOON.0 - 2),
        Draft::reply(ANN, 3, chain(BOB, 2), "brr").at(NOON.0 - 1),
        Draft::post(ME, 4, "mine"),
        Draft {
            name: "Études.pdf".into(),
            purpose: Purpose::ShareData,
            ..Draft::post(EVE, 5, "#lac")
        },
    ]);
    home.feed.say(About::Follow, &who(ANN).0, b"1", NOON);
    home.settle();
    let by = |filter| filter;
    let none = Filter::default;
    assert_eq!(
        home.texts(&by(Filter {
            tag: Some("#LAC".into()),
            ..none()
        })),
        ["winter at the #lac", "Été au #Lac"]
    );
    assert_eq!(
        home.texts(&by(Filter {
            tag: Some("no tag".into()),
            ..none()
        })),
        Vec::<String>::new()
    );
    assert_eq!(
        home.texts(&by(Filter {
            text: Some("ETE".into()),
            ..none()
        })),
        ["Été au #Lac"]
    );
    assert_eq!(
        home.texts(&by(Filter {
            text: Some("etudes".into()),
            ..none()
        })),
        ["?"]
    );
    assert_eq!(
        home.texts(&by(Filter {
            person: Some(who(ANN)),
            ..none()
        })),
        ["brr", "Été au #Lac"]
    );
    let mut at_home = home.texts(&by(Filter {
        home: true,
        ..none()
    }));
    at_home.sort();
    assert_eq!(at_home, ["mine", "Été au #Lac"]);
    let both = Filter {
        tag: Some("lac".into()),
        person: Some(who(BOB)),
        ..none()
    };
    assert_eq!(home.texts(&both), ["winter at the #lac"]);
    let id = home.page(&both).posts[0].id;
    assert_eq!(home.feed.find(&home.bag, &id), Some(chain(BOB, 2)));
}

#[test]
fn pages_follow_each_other_without_a_gap_or_a_repetition() {
    let mut home = Home::new();
    for n in 0..100 {
        home.take(&Draft::post(ANN, n, &n.to_string()).at(NOON.0 - u32::from(n / 7)))
            .unwrap();
    }
    home.settle();
    let all = home.all();
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = home
            .feed
            .reader(&home.bag, &home.keys)
            .page(&Filter::default(), after, 9);
        paged.extend(
            page.posts
                .iter()
                .map(|post| post.inside.text().unwrap().to_owned()),
        );
        after = page.next;
        if after.is_none() {
            break;
        }
        // What comes meanwhile is newer, and changes no later page.
        home.now.0 += 1;
        let chain = 100 + u8::try_from(paged.len() / 9).unwrap();
        home.take(&Draft::post(BOB, chain, "meanwhile").at(home.now.0))
            .unwrap();
        home.settle();
    }
    assert_eq!(paged, all);
    assert_eq!(all.len(), 100);
}

/// Order of display: by what is said, but nobody stands above all others by a clock that is ahead.
#[test]
fn posts_are_ordered_by_when_they_were_written_clamped_to_when_they_came() {
    let mut home = Home::new();
    home.take(&Draft::post(ANN, 1, "ahead").at(NOON.0 + 9))
        .unwrap();
    home.pass(1);
    home.take(&Draft::post(BOB, 2, "later").at(NOON.0 + 1))
        .unwrap();
    home.take(&Draft::post(EVE, 3, "earlier").at(NOON.0 - 5))
        .unwrap();
    home.settle();
    assert_eq!(home.all(), ["later", "ahead", "earlier"]);
}

/// LETTERS.md §5: opening is lazy, with one budget of work for all strangers; people one knows don't wait.
#[test]
fn strangers_letters_wait_for_work_and_those_of_people_one_knows_dont() {
    let mut home = Home::new();
    home.work = Work::with(10, 5, NOON);
    home.feed.say(About::Follow, &who(ANN).0, b"1", NOON);
    home.settle();
    for n in 0..50 {
        home.take(&Draft::post(100 + n, 1, "stranger")).unwrap();
    }
    home.take(&Draft::post(ANN, 1, "friend")).unwrap();
    home.take(&Draft::post(ME, 1, "mine")).unwrap();
    let settled = home.settle();
    assert_eq!((settled.opened, settled.waiting), (12, 40));
    assert_eq!(home.settle().opened, 0);
    home.pass(2);
    assert_eq!(home.settle().opened, 10);
    home.pass(60);
    assert_eq!(
        home.settle().opened,
        10,
        "it doesn't add up without a bound"
    );
}

/// A friend's new key opens what was closed.
#[test]
fn what_could_not_be_opened_is_tried_again_with_new_keys() {
    let closed = Draft {
        can_be_opened: false,
        ..Draft::post(ANN, 1, "for friends")
    };
    let mut home = Home::with(std::slice::from_ref(&closed));
    assert!(home.all().is_empty());
    home.keys.give(&closed.outside().id);
    home.feed.keys_changed(&home.bag);
    home.settle();
    assert_eq!(home.all(), ["for friends"]);
}

/// CRYPTO.md 25, "nobody loses a follow by time alone": what is due at half its life.
#[test]
fn state_is_due_at_half_its_life_and_facts_when_they_say_less_than_is_known() {
    let mut home = Home::with(&[Draft::action(ME, 1, Purpose::ActionName, None, b"Me")]);
    let life = Minutes(30 * DAY);
    let due = |home: &Home| home.feed.due(&home.bag, &home.keys, home.now, life, None);
    assert_eq!(due(&home), []);
    home.feed.say(About::Follow, &who(ANN).0, b"1", NOON);
    assert_eq!(due(&home), [Due::Facts, Due::Follow(who(ANN))]);
    home.feed.told(&who(ANN), NOON);
    home.say_facts(2, NOON.0);
    assert_eq!(due(&home), []);
    let erasing = home.feed.due(
        &home.bag,
        &home.keys,
        home.now,
        life,
        Some(Minutes(NOON.0 + 1)),
    );
    assert_eq!(erasing.len(), 3, "{erasing:?}");
    home.pass(15 * DAY - 1);
    assert_eq!(due(&home), []);
    home.pass(1);
    assert!(matches!(
        due(&home)[..],
        [Due::Facts, Due::Letter { .. }, Due::Follow(_)]
    ));
    home.feed.told(&who(ANN), home.now);
    home.say_facts(2, home.now.0);
    assert!(matches!(due(&home)[..], [Due::Letter { .. }]));
}

/// Two machines of one person say different things at once, and both hold.
#[test]
fn facts_of_two_machines_are_one() {
    let said = |whom: u8| {
        let mut facts = Facts::default();
        facts.say(About::Follow, &who(whom).0, b"1", NOON);
        facts
    };
    let letter = |ahead, facts: &Facts| Draft {
        media_type: FACTS_TYPE.into(),
        ..Draft::action(ME, 1, Purpose::ActionFollow, None, &facts.encode()).ahead(ahead)
    };
    let both = [letter(0, &said(ANN)), letter(1, &said(BOB))];
    let mut home = Home::with(&both);
    // The first was superseded before it was opened; the machine that had written it still knows, and says so.
    home.feed.learn(&said(ANN));
    assert_eq!(
        home.feed.followed().collect::<Vec<_>>(),
        [who(ANN), who(BOB)]
    );
    let due = home
        .feed
        .due(&home.bag, &home.keys, home.now, Minutes(DAY), None);
    assert!(due.contains(&Due::Facts));
    // Of somebody else they are nothing.
    let forged = Draft {
        author: EVE,
        signer: EVE,
        ..letter(0, &said(5))
    };
    home.take(&forged).unwrap();
    home.settle();
    assert_eq!(home.feed.followed().count(), 2);
}
