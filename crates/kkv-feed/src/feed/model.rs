//! The feed of the same letters in any order, as often as one likes, opened at any moment: always the same.

use kkv_letters::{Purpose, Target};
use proptest::collection::vec;
use proptest::prelude::*;

use super::checks::{Draft, Home, ME, NOON, chain, who};
use super::facts::{About, FACTS_TYPE, Facts};

/// A letter of one of five people, of any kind.
fn draft() -> impl Strategy<Value = Draft> {
    let letter = || (1..5_u8, 0..4_u8).prop_map(|(person, tag)| chain(person, tag));
    let text = || prop::sample::select(vec!["lake", "sea #Lac", "#été", ""]);
    let post =
        (0..5_u8, 0..4_u8, text()).prop_map(|(author, tag, text)| Draft::post(author, tag, text));
    let reply = (0..5_u8, 0..4_u8, letter(), text());
    let reply = reply.prop_map(|(author, tag, to, text)| Draft::reply(author, tag, to, text));
    let like =
        (0..5_u8, 4..6_u8, letter(), any::<bool>()).prop_map(|(author, tag, letter, is_on)| {
            Draft {
                content: vec![1; usize::from(is_on)],
                ..Draft::like(author, tag, letter)
            }
        });
    let follow = (1..5_u8, 6..8_u8, any::<bool>()).prop_map(|(author, tag, is_on)| Draft {
        content: vec![1; usize::from(is_on)],
        ..Draft::follow(author, tag)
    });
    let purposes = vec![
        Purpose::ActionName,
        Purpose::ActionProfile,
        Purpose::ActionImage,
        Purpose::Unknown(99),
    ];
    let said = (0..5_u8, 8..10_u8, prop::sample::select(purposes), text());
    // A chain is of posts or of actions: who mixes them loses some of his own letters where he is muted.
    let said = said.prop_map(|(author, tag, purpose, text)| {
        let tag = tag
            + if purpose == Purpose::Unknown(99) {
                32
            } else {
                0
            };
        Draft::action(author, tag, purpose, None, text.as_bytes())
    });
    let of_me = (
        prop::sample::select(vec![About::Follow, About::Mute, About::Block]),
        1..5_u8,
        0..2_usize,
    );
    // Each in a chain of its own: the next letter of a chain of facts says all that the one before did.
    let of_me = of_me.prop_map(|(about, whom, is_on)| {
        let mut facts = Facts::default();
        facts.say_at(about, &who(whom).0, &[1][..is_on], 5);
        let tag = 100 + 20 * about as u8 + 2 * whom + u8::from(is_on > 0);
        Draft {
            media_type: FACTS_TYPE.into(),
            ..Draft::action(ME, tag, Purpose::ActionFollow, None, &facts.encode())
        }
    });
    let direct =
        (1..5_u8, 60..62_u8, 0..3_u8, text()).prop_map(|(author, signer, tag, text)| Draft {
            direct: true,
            // A one-use key is one person's.
            signer: signer + 10 * author,
            ..Draft::post(author, tag, text)
        });
    let erase = (1..5_u8, 0..60_u32).prop_map(|(author, before)| Draft {
        erase_before: Some(NOON.0 - before),
        ..Draft::action(author, 30, Purpose::ActionErase, None, b"1")
    });
    let block = (1..5_u8).prop_map(|whom| {
        Draft::action(
            1,
            31,
            Purpose::ActionBlock,
            Some(Target::Person(who(whom))),
            b"1",
        )
    });
    let any = prop_oneof![6 => post, 6 => reply, 3 => like, 3 => follow, 2 => said, 2 => of_me, 2 => direct, 1 => erase, 1 => block];
    let rest = (
        0..60_u32,
        0..3_u32,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.9),
    );
    (any, rest).prop_map(|(draft, (before, ahead, tombstone, can_be_opened))| {
        let created = if draft.erase_before.is_some() {
            NOON.0
        } else {
            NOON.0 - before
        };
        // What can't be opened takes back nothing: whoever says that he follows says the opposite to the same people.
        let is_said = draft.author == ME || draft.purpose == Purpose::ActionFollow;
        Draft {
            ahead,
            tombstone: tombstone && draft.erase_before.is_none() && draft.author != ME,
            can_be_opened: can_be_opened || is_said,
            ..draft.at(created)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// LETTERS.md §7: which letters are shown and in what state is a pure function of the set of envelopes.
    #[test]
    fn the_same_letters_in_any_order_and_as_often_as_you_like_make_the_same_feed(
        drafts in vec(draft(), 1..60),
        order in 0..32_usize,
        again in vec(any::<prop::sample::Index>(), 0..30),
        settled in vec(any::<bool>(), 90),
    ) {
        let mut once = Home::new();
        for draft in &drafts {
            let _ = once.take(draft);
        }
        once.settle();
        let mut other = drafts.clone();
        other.sort_by_key(|draft| (draft.outside().id.0[order], draft.outside().id));
        other.extend(again.iter().map(|at| at.get(&drafts).clone()));
        let mut often = Home::new();
        for (draft, settle) in other.iter().zip(settled.iter().cycle()) {
            let _ = often.take(draft);
            if *settle {
                often.settle();
            }
        }
        often.settle();
        // What was dropped while its sender was blocked comes again from those who have it, as it does at each
        // exchange.
        for home in [&mut once, &mut often] {
            for draft in &drafts {
                let _ = home.take(draft);
            }
            home.settle();
            home.bag.check();
        }
        prop_assert_eq!(once.shown(), often.shown());
    }
}
