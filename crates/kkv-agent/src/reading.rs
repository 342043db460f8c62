//! The feed as its owner reads it: a page of posts, and one of them.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use kkv_feed::feed::{self, Filter, Inside};
use kkv_letters::{Fingerprint, Minutes};

use crate::{Agent, Audience, Number};

/// Posts of one minute are put in order if they are no more.
const MOST_OF_A_MINUTE: usize = 500;

/// A post as it is shown. `Debug` prints its number.
#[derive(Clone)]
pub struct Post {
    /// What a person calls it.
    pub number: Number,
    /// Who wrote it.
    pub author: Fingerprint,
    /// Whether that is the identity itself.
    pub is_mine: bool,
    /// When it was written.
    pub since: Minutes,
    /// When it ends.
    pub expires: Minutes,
    /// How many earlier versions are here.
    pub earlier: usize,
    /// For whom, where it says one of the audiences that there are.
    pub to: Option<Audience>,
    pub(crate) revision: u32,
    inside: Arc<Inside>,
}

/// Posts, the newest first.
#[derive(Debug)]
pub struct Page {
    /// The posts.
    pub posts: Vec<Post>,
    /// Whether there may be older ones.
    pub has_more: bool,
}

impl Post {
    /// Its text; `None` if it is something else.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.inside.text()
    }
}

impl Agent {
    /// At most `most` posts, the newest first; of one minute those that were numbered last.
    pub fn feed(&mut self, most: usize, now: Minutes) -> Page {
        self.expire(now);
        self.settle(now);
        let filter = Filter::default();
        let mut reader = self.feed.reader(&self.bag, &self.keys);
        let mut page = reader.page(&filter, None, most);
        // Letters know whole minutes: all of the last one, to put them in order.
        while let Some(last) = page.posts.last().map(|post| post.since)
            && let Some(next) = page.next
            && page.posts.len() < most + MOST_OF_A_MINUTE
        {
            let more = reader.page(&filter, Some(next), 1);
            page.next = more.next;
            let in_minute = more.posts.iter().all(|post| post.since == last);
            page.posts.extend(more.posts);
            if !in_minute {
                break;
            }
        }
        let posts = page.posts.into_iter().map(|post| self.shown(post));
        let mut posts: Vec<_> = posts.collect();
        posts.sort_by_key(|post| Reverse((post.since, post.number)));
        let has_more = posts.len() > most;
        posts.truncate(most);
        Page { posts, has_more }
    }

    /// The post with this number.
    pub fn read(&mut self, number: Number, now: Minutes) -> Option<Post> {
        self.expire(now);
        let chain = self.numbers.chain(number)?;
        let post = self.feed.reader(&self.bag, &self.keys).post(&chain)?;
        Some(self.shown(post))
    }

    fn shown(&mut self, post: feed::Post) -> Post {
        Post {
            number: self.numbers.of(post.chain),
            author: post.author,
            is_mine: post.author == self.me(),
            since: post.since,
            expires: post.expires,
            earlier: post.earlier,
            revision: post.revision,
            to: Audience::of(&post.inside.letter.audience),
            inside: post.inside,
        }
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
