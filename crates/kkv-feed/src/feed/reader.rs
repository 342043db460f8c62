//! The feed as it is read: pages, threads, one post, its history.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use kkv_letters::ChainRef;
use kkv_letters::{EnvelopeId, Fingerprint, Minutes};

use super::facts::About;
use super::inside::{Inside, Opener};
use super::item::{Key, tag_number};
use super::{Feed, Likes, fold};
use crate::bag::{Bag, Place, Standing, Stored};

/// How many letters one page opens at most in search of a text: the next page goes on from there.
const SEARCHED_AT_ONCE: usize = 1_000;

/// Which posts a page shows. Those that fit all that is asked for. `Debug` prints nothing of what is searched for.
#[derive(Clone, Default)]
pub struct Filter {
    /// Of this person.
    pub person: Option<Fingerprint>,
    /// With this hashtag, whatever its case and accents.
    pub tag: Option<String>,
    /// With this in their text or name, whatever its case and accents.
    pub text: Option<String>,
    /// Of people whom the owner follows, and his own.
    pub home: bool,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

impl Filter {
    /// Whether it asks for threads as a whole. Else each post is shown by itself, answers too.
    fn is_of_threads(&self) -> bool {
        self.person.is_none() && self.tag.is_none() && self.text.is_none()
    }
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(Key);

/// A page of posts, the newest first.
#[derive(Debug)]
pub struct Page {
    /// The posts.
    pub posts: Vec<Post>,
    /// Where to go on, if there may be more. A page may end before it is full, if it has searched for long.
    pub next: Option<Cursor>,
}

/// A post as it is shown.
#[derive(Debug, Clone)]
pub struct Post {
    /// What names it, through all its versions.
    pub chain: ChainRef,
    /// The version that is shown.
    pub id: EnvelopeId,
    /// Who wrote it.
    pub author: Fingerprint,
    /// When its first version was written, clamped to its arrival.
    pub since: Minutes,
    /// When this version was written, by its author's clock.
    pub created: Minutes,
    /// When it ends.
    pub expires: Minutes,
    /// Its revision.
    pub revision: u32,
    /// How many earlier versions are here.
    pub earlier: usize,
    /// How many answer it directly.
    pub replies: usize,
    /// Who likes it.
    pub likes: Likes,
    /// What is in it.
    pub inside: Arc<Inside>,
}

/// Reads a feed over its bag, with its owner's keys.
pub struct Reader<'r, O> {
    feed: &'r mut Feed,
    bag: &'r Bag,
    opener: &'r O,
}

impl<O> fmt::Debug for Reader<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("feed", &self.feed)
            .finish_non_exhaustive()
    }
}

impl Feed {
    /// Reads it.
    pub fn reader<'r, O: Opener>(&'r mut self, bag: &'r Bag, opener: &'r O) -> Reader<'r, O> {
        Reader {
            feed: self,
            bag,
            opener,
        }
    }
}

impl<O: Opener> Reader<'_, O> {
    /// A page of at most `most` posts that fit the filter, the newest first, from where another page ended. Answers
    /// hang on what they answer, and are not on the page by themselves, unless it is searched for one person, tag or
    /// text.
    pub fn page(&mut self, filter: &Filter, after: Option<Cursor>, most: usize) -> Page {
        let tag = filter.tag.as_deref().map(fold::tag);
        let text = filter.text.as_deref().map(fold::fold);
        let mut page = Page {
            posts: Vec::new(),
            next: None,
        };
        let mut searched = 0;
        let mut last = after.map(|Cursor(key)| key);
        while page.posts.len() < most {
            if searched >= SEARCHED_AT_ONCE {
                page.next = last.map(Cursor);
                return page;
            }
            let Some(key) = self.before(tag.as_ref(), last) else {
                return page;
            };
            last = Some(key);
            if !self.fits(filter, key.place) {
                continue;
            }
            if tag.is_some() || text.is_some() {
                searched += 1;
                if !self.has(tag.as_ref(), text.as_deref(), key.place) {
                    continue;
                }
            }
            page.posts.extend(self.show(key.place));
        }
        page.next = last.map(Cursor);
        page
    }

    /// What stands before `last` in the order of display; of what may have a tag, if one is searched for.
    fn before(&self, tag: Option<&Option<String>>, last: Option<Key>) -> Option<Key> {
        let Some(tag) = tag else {
            let until = last.map_or(Bound::Unbounded, Bound::Excluded);
            let range = self.feed.timeline.range((Bound::Unbounded, until));
            return range.copied().next_back();
        };
        let number = tag_number(tag.as_ref()?);
        let first = Bound::Included((number, Key::FIRST));
        let until = last.map_or(Bound::Included((number, Key::LAST)), |last| {
            Bound::Excluded((number, last))
        });
        let range = self.feed.tags.range((first, until));
        range.map(|(_, key)| *key).next_back()
    }

    /// Whether a post fits what can be told without its text.
    fn fits(&self, filter: &Filter, place: Place) -> bool {
        let feed = &*self.feed;
        let author = feed
            .item(place)
            .and_then(|item| feed.people.get(item.author));
        let Some(author) = author else {
            return false;
        };
        if filter.person.is_some_and(|person| person != author) {
            return false;
        }
        if filter.home && author != feed.me && !feed.facts.is(About::Follow, &author) {
            return false;
        }
        feed.is_allowed(self.bag, place)
            && (!filter.is_of_threads() || feed.is_root(self.bag, place))
    }

    /// Whether a post has this tag, and this in its text or name, folded.
    fn has(&mut self, tag: Option<&Option<String>>, text: Option<&str>, place: Place) -> bool {
        let Some(inside) = self.read(place) else {
            return false;
        };
        let shown = inside.text().unwrap_or_default();
        let has_tag = match tag {
            Some(Some(tag)) => fold::tags(shown).contains(tag),
            Some(None) => false,
            None => true,
        };
        let has_text = |text: &str| {
            fold::fold(shown).contains(text) || fold::fold(&inside.letter.name).contains(text)
        };
        has_tag && text.is_none_or(has_text)
    }

    /// What is in the letter at this place.
    fn read(&mut self, place: Place) -> Option<Arc<Inside>> {
        if let Some(inside) = self.feed.opened.get(place) {
            return Some(inside);
        }
        let inside = Arc::new(self.opener.open(self.bag.get(place)?.bytes)?);
        self.feed.opened.insert(place, &inside);
        Some(inside)
    }

    fn show(&mut self, place: Place) -> Option<Post> {
        let inside = self.read(place)?;
        let stored = self.bag.get(place)?;
        Some(self.post_of(&stored, inside))
    }

    fn post_of(&self, stored: &Stored<'_>, inside: Arc<Inside>) -> Post {
        let chain = ChainRef {
            author: stored.author,
            chain: stored.chain,
        };
        let versions = self.bag.count_versions(&stored.author, &stored.chain);
        Post {
            chain,
            id: stored.id,
            author: inside.author,
            since: stored.since,
            created: stored.created,
            expires: stored.expires,
            revision: stored.revision,
            earlier: versions.saturating_sub(1),
            replies: self.feed.count_replies(self.bag, &chain),
            likes: self.feed.likes(&chain),
            inside,
        }
    }

    /// The post that a chain shows.
    pub fn post(&mut self, chain: &ChainRef) -> Option<Post> {
        let place = self.feed.place_of(self.bag, chain)?;
        let is_allowed = self.feed.is_allowed(self.bag, place);
        is_allowed.then(|| self.show(place))?
    }

    /// The thread that a chain begins, with how deep each post hangs: what answers a post comes after it, the earliest
    /// first. At most `most` posts.
    pub fn thread(&mut self, first: &ChainRef, most: usize) -> Vec<(usize, Post)> {
        let walked = self.feed.walk(self.bag, first, most);
        let shown = walked.into_iter();
        shown
            .filter_map(|(depth, place)| Some((depth, self.show(place)?)))
            .collect()
    }

    /// All versions of a post that are here, the newest first.
    pub fn history(&mut self, chain: &ChainRef) -> Vec<Post> {
        if self.feed.place_of(self.bag, chain).is_none() {
            return Vec::new();
        }
        let versions = self.bag.versions(&chain.author, &chain.chain).into_iter();
        let opened = versions.filter_map(|stored| {
            let inside = self.opener.open(stored.bytes)?;
            Some(self.post_of(&stored, Arc::new(inside)))
        });
        opened.collect()
    }

    /// What is in the letter with this id: a name, a profile, a picture.
    pub fn inside(&mut self, id: &EnvelopeId) -> Option<Arc<Inside>> {
        let place = self.bag.find(id)?.place;
        let is_wanted = {
            let author = self
                .feed
                .item(place)
                .and_then(|item| self.feed.people.get(item.author));
            author.is_some_and(|author| self.feed.standing(&author) != Standing::Blocked)
        };
        is_wanted.then(|| self.read(place))?
    }
}
