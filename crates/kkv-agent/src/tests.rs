//! An identity's life: what it writes, reads and deletes, and what is left.

use crate::{Agent, Audience, MAX_POST_BYTES, NotPosted, Number};
use kkv_letters::{Identity, Minutes, Seed};

const NOON: Minutes = Minutes(3_000_000);
const WEEK: u32 = 7 * 24 * 60;

fn agent() -> Agent {
    let identity = Identity::new(Seed::new(&[7; 16]));
    Agent::new(identity, NOON, &mut rand::rng())
}

fn post(agent: &mut Agent, text: &str, to: Audience, now: Minutes) -> Result<Number, NotPosted> {
    agent.post(text, to, now, &mut rand::rng())
}

fn texts(agent: &mut Agent, now: Minutes) -> Vec<String> {
    let page = agent.feed(100, now);
    let texts = page
        .posts
        .iter()
        .map(|post| post.text().unwrap().to_owned());
    texts.collect()
}

#[test]
fn what_is_posted_is_in_the_feed_the_newest_first_with_for_whom_it_is() {
    let mut agent = agent();
    for (at, to) in (0..).zip(Audience::ALL) {
        let number = post(&mut agent, &format!("post {at}"), to, Minutes(NOON.0 + at));
        assert_eq!(number, Ok(Number(u64::from(at) + 1)));
    }
    let now = Minutes(NOON.0 + 5);
    assert_eq!(texts(&mut agent, now), ["post 2", "post 1", "post 0"]);
    let page = agent.feed(2, now);
    assert!(page.has_more && page.posts.len() == 2);
    assert!(!agent.feed(3, now).has_more);
    let read = agent.read(Number(2), now).unwrap();
    assert_eq!(read.to, Some(Audience::Friends));
    assert_eq!((read.text(), read.is_mine), (Some("post 1"), true));
    assert_eq!(
        (read.since, read.expires),
        (Minutes(NOON.0 + 1), Minutes(NOON.0 + 1 + WEEK))
    );
    assert_eq!(agent.room().posts, 3);
    assert!(agent.read(Number(4), now).is_none());
}

#[test]
fn many_posts_within_one_minute_are_all_there_and_can_all_be_deleted() {
    let mut agent = agent();
    for at in 0..200 {
        post(&mut agent, &format!("post {at}"), Audience::Friends, NOON).unwrap();
    }
    let newest: Vec<_> = (100..200).rev().map(|at| format!("post {at}")).collect();
    assert_eq!(texts(&mut agent, NOON), newest);
    for number in 1..=200 {
        let deleted = agent.delete(Number(number), NOON, &mut rand::rng());
        assert_eq!(deleted, Ok(true), "{number}");
    }
    assert!(texts(&mut agent, NOON).is_empty());
}

#[test]
fn what_is_deleted_is_gone_and_its_number_names_nothing_any_more() {
    let mut agent = agent();
    let first = post(&mut agent, "first", Audience::Everyone, NOON).unwrap();
    let second = post(&mut agent, "second", Audience::Myself, NOON).unwrap();
    let mut delete = |number| agent.delete(number, NOON, &mut rand::rng());
    assert_eq!(delete(first), Ok(true));
    assert_eq!(delete(first), Ok(false));
    assert_eq!(delete(Number(9)), Ok(false));
    assert_eq!(texts(&mut agent, NOON), ["second"]);
    assert!(agent.read(first, NOON).is_none());
    assert!(agent.read(second, NOON).is_some());
    assert_eq!(
        post(&mut agent, "third", Audience::Myself, NOON),
        Ok(Number(3))
    );
}

#[test]
fn an_edited_post_keeps_its_number_its_place_and_its_readers() {
    let mut agent = agent();
    let first = post(&mut agent, "lake", Audience::Friends, NOON).unwrap();
    let later = Minutes(NOON.0 + 10);
    post(&mut agent, "bread", Audience::Myself, later).unwrap();
    let mut edit = |number, text: &str, now| agent.edit(number, text, now, &mut rand::rng());
    assert_eq!(edit(first, "the lake", later), Ok(()));
    assert_eq!(edit(first, " ", later), Err(NotPosted::Empty));
    assert_eq!(edit(Number(9), "none", later), Err(NotPosted::NotOwn));
    assert_eq!(texts(&mut agent, later), ["bread", "the lake"]);
    let read = agent.read(first, later).unwrap();
    assert_eq!((read.since, read.earlier), (NOON, 1));
    assert_eq!(read.to, Some(Audience::Friends));
    assert_eq!(read.expires, Minutes(later.0 + WEEK));
    assert_eq!(agent.delete(first, later, &mut rand::rng()), Ok(true));
    assert_eq!(texts(&mut agent, later), ["bread"]);
}

#[test]
fn a_post_that_is_edited_without_end_is_refused_before_it_runs_ahead_of_its_time_and_can_be_deleted()
 {
    let mut agent = agent();
    let number = post(&mut agent, "0", Audience::Myself, NOON).unwrap();
    let mut edits = 0;
    let refused = loop {
        let text = format!("{edits}");
        match agent.edit(number, &text, NOON, &mut rand::rng()) {
            Ok(()) => edits += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused, edits), (NotPosted::TooOften, 64 * 11));
    assert_eq!(agent.delete(number, NOON, &mut rand::rng()), Ok(true));
    assert!(texts(&mut agent, NOON).is_empty());
}

#[test]
fn a_post_ends_after_a_week_and_it_is_said_when() {
    let mut agent = agent();
    assert_eq!(agent.expire(NOON), None);
    let number = post(&mut agent, "short", Audience::Myself, NOON).unwrap();
    let ends = Minutes(NOON.0 + WEEK);
    assert_eq!(agent.expire(NOON), Some(ends));
    assert!(agent.read(number, Minutes(ends.0 - 1)).is_some());
    assert!(agent.read(number, ends).is_none());
    assert_eq!(agent.expire(ends), None);
    assert_eq!(agent.room().posts, 0);
}

#[test]
fn what_is_no_post_is_refused_and_changes_nothing() {
    let mut agent = agent();
    for empty in ["", " \n\t"] {
        let refused = post(&mut agent, empty, Audience::Myself, NOON);
        assert_eq!(refused, Err(NotPosted::Empty));
    }
    let long = "x".repeat(MAX_POST_BYTES + 1);
    let refused = post(&mut agent, &long, Audience::Myself, NOON);
    assert_eq!(refused, Err(NotPosted::TooLong(MAX_POST_BYTES + 1)));
    assert!(texts(&mut agent, NOON).is_empty());
    let longest = &long[1..];
    post(&mut agent, longest, Audience::Everyone, NOON).unwrap();
    assert_eq!(texts(&mut agent, NOON), [longest]);
}

#[test]
fn a_full_bag_makes_room_and_never_takes_more_than_it_may() {
    let identity = Identity::new(Seed::new(&[7; 16]));
    let mut agent = Agent::with_room(1 << 20, identity, NOON, &mut rand::rng());
    let text = "x".repeat(MAX_POST_BYTES);
    for at in 0..10 {
        post(&mut agent, &text, Audience::Myself, Minutes(NOON.0 + at)).unwrap();
    }
    let room = agent.room();
    assert!(
        room.bytes <= room.budget && (3..6).contains(&room.posts),
        "{room:?}"
    );
    let newest = Minutes(NOON.0 + 9);
    assert!(agent.read(Number(10), newest).is_some());
    assert!(agent.read(Number(1), newest).is_none(), "the oldest went");
}

#[test]
fn a_stray_debug_shows_neither_a_text_nor_a_key() {
    let mut agent = agent();
    let number = post(&mut agent, "the lake", Audience::Friends, NOON).unwrap();
    let read = agent.read(number, NOON).unwrap();
    let shown = format!("{agent:?} {read:?} {:?}", agent.feed(1, NOON));
    assert!(!shown.contains("lake"), "{shown}");
    assert!(!shown.contains("[7, 7"), "{shown}");
}
