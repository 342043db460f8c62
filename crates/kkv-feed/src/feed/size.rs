//! What a bag and its feed take of memory, as the kernel counts it.

use kkv_letters::{ChainTag, EnvelopeId, Fingerprint, Minutes};
use kkv_letters::{Letter, Purpose};

use super::checks::{ME, NOON, who};
use super::{Feed, Inside, Opener, Work};
use crate::bag::{Bag, Outside};

/// A letter to a circle has about as many bytes.
const BYTES: usize = 1_340;

/// Opens every envelope as a post: of the person that its first byte says.
struct Posts;

impl Opener for Posts {
    fn open(&self, envelope: &[u8]) -> Option<Inside> {
        let content = envelope.get(40..1_040)?.to_vec();
        Some(Inside {
            author: who(*envelope.first()?),
            circle: None,
            letter: Letter::new(Purpose::ShareText, content),
        })
    }
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

fn outside(n: u32, author: Fingerprint) -> Outside {
    let id = *blake3::hash(&n.to_le_bytes()).as_bytes();
    let mut chain = [0; 16];
    chain.copy_from_slice(&id[16..]);
    Outside {
        id: EnvelopeId(id),
        author,
        chain: ChainTag(chain),
        revision: 64 * (NOON.0 - n % 10_000),
        created: Minutes(NOON.0 - n % 10_000),
        lifetime: Minutes(20_000),
        action: false,
        direct: false,
        tombstone: false,
        erase_before: None,
    }
}

/// The bound: at most 1.3 times the envelopes and 4 MiB, the feed included.
#[test]
fn a_full_bag_and_its_feed_take_little_more_than_the_envelopes() {
    const BUDGET: usize = 64 << 20;
    let before = resident();
    let mut bag = Bag::new(BUDGET, [3; 32]);
    let mut feed = Feed::new(who(ME));
    let mut work = Work::with(u32::MAX, 0, NOON);
    let mut envelope = vec![0; BYTES];
    let mut admitted = 0;
    for n in 0..60_000_u32 {
        envelope[0] = u8::try_from(n % 100).unwrap();
        envelope[1..33].copy_from_slice(blake3::hash(&n.to_le_bytes()).as_bytes());
        let outside = outside(n, who(envelope[0]));
        admitted += usize::from(bag.admit_made(&outside, &envelope, NOON, &mut feed).is_ok());
        if n % 100 == 0 {
            feed.settle(&mut bag, &Posts, &mut work, NOON);
        }
    }
    feed.settle(&mut bag, &Posts, &mut work, NOON);
    let taken = resident().saturating_sub(before);
    let envelopes = bag.len() * BYTES;
    assert!(
        admitted > bag.len() && bag.len() > 30_000,
        "it is full: {}",
        bag.len()
    );
    assert_eq!(feed.len(), bag.len());
    let bound = envelopes + envelopes * 3 / 10 + (4 << 20);
    let counted = bag.bytes();
    assert!(
        taken <= bound,
        "{taken} of {bound}, counted {counted}, letters {envelopes}"
    );
}

/// Each growth copies the whole list: if every letter made it grow, the time for all would grow with their square.
#[test]
fn the_list_of_letters_grows_now_and_then_and_not_with_each() {
    let mut bag = Bag::new(64 << 20, [3; 32]);
    let mut feed = Feed::new(who(ME));
    let mut grown = 0;
    for n in 0..10_000_u32 {
        let capacity = feed.items.capacity();
        let outside = outside(n, who(u8::try_from(n % 100).unwrap()));
        let admitted = bag.admit_made(&outside, &[7; BYTES], NOON, &mut feed);
        assert!(admitted.is_ok());
        grown += usize::from(feed.items.capacity() != capacity);
    }
    assert!(grown < 100, "{grown}");
}
