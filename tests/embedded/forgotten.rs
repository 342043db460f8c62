//! "RAM only" with embedded Tor: a message is in the relay's memory once and, when it was deleted, nowhere; a sender
//! keeps neither its text nor the key that opens a closed inbox.

use kkv_base::limits::{MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};

use super::stage::Stage;
use crate::outside::marker::Marker;
use crate::outside::process_memory::{Found, must_be_nowhere, scan};
use crate::outside::standing::must_forget;
use crate::programs::{Relay, until};

/// One short text in each suite, and the longest.
const LENGTHS: [(&str, usize); 4] = [
    ("2", 60),
    ("1", 71),
    ("2", MAX_TEXT_BYTES),
    ("1", MAX_TEXT_BYTES_V1),
];

pub(crate) fn a_message_is_in_memory_once_and_deleted_nowhere(stage: &Stage) {
    let relay = &stage.embedded.relay;
    for (suite, length) in LENGTHS {
        let text = [Marker::text(length)];
        let send = stage.send(&stage.embedded.onion, &["--suite", suite], text[0].as_str());
        must_forget(send, &text);
        comes_to_rest(relay, &text, 1)[0].must_be_one_copy();

        let last = relay.list().pop().expect("the message")["id"].to_string();
        for look in [
            &["read", &last][..],
            &["read", &last, "--json"],
            &["export", &last],
        ] {
            let shown = relay.owner(look).finish().must_end_with(0).stdout_text();
            assert!(shown.contains(text[0].as_str()), "{shown}");
        }
        let found = comes_to_rest(relay, &text, 1);
        found[0].must_be_one_copy();
        let kept = found[0].whole().all(|place| place.is_kept_in_memory);
        assert!(kept, "it is not in a slot: {found:?}");

        let deleted = relay.owner(["delete", &last, "-y"]).finish();
        deleted.must_end_with(0);
        must_be_nowhere(&comes_to_rest(relay, &text, 0));
    }
}

/// What is found of `text` when there are so many copies and nothing else. Tor's threads always have something to do,
/// and what they have left goes when they are idle.
fn comes_to_rest(relay: &Relay, text: &[Marker; 1], copies: usize) -> Vec<Found> {
    let process = relay.process().pid().as_raw_nonzero().get();
    let mut found = Vec::new();
    until("the relay to come to rest", || {
        found = scan(process, text);
        found[0].pieces() == copies * text[0].pieces()
    });
    found
}
