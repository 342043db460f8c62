//! Which forms have come, so that one that comes twice is stored once.
//!
//! Of what a form had in it a digest is kept, for two minutes, as of a message of kkv/2: so long a change is told
//! from a repetition. After that it is not known any more, and whoever sends the form again is told so. It is blinded
//! ([`kkv_page::form_id::digest`]), so it outlives a wipe: who repeats his form is answered the same and sees none.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use kkv_base::limits::{MAX_FORMS, SESSION_LIFETIME};
use kkv_page::form_id::FormId;
use zeroize::Zeroize;

#[derive(Debug, Default)]
pub(super) struct Forms {
    arrived: HashMap<FormId, Form>,
    /// When each is forgotten.
    ends: BTreeSet<(Duration, FormId)>,
    /// When the digest of each is forgotten.
    digests: BTreeSet<(Duration, FormId)>,
}

#[derive(Debug)]
struct Form {
    /// Of the last message that came with it, blinded. Overwritten where it stands all the same.
    digest: Option<blake3::Hash>,
    /// When it is forgotten.
    digest_ends: Duration,
}

/// What is known of a form that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It has not come before.
    Never,
    /// It has, with the same in it.
    Same,
    /// It has, with something else in it.
    Other,
    /// It has, and it is forgotten with what.
    Unknown,
}

impl Forms {
    /// Whether this form has come, with what is known by this digest in it, if that is known yet.
    pub(super) fn seen(&self, form: FormId, digest: Option<blake3::Hash>) -> Seen {
        match self.arrived.get(&form).map(|form| form.digest) {
            None => Seen::Never,
            Some(None) => Seen::Unknown,
            same if same == Some(digest) => Seen::Same,
            Some(Some(_)) => Seen::Other,
        }
    }

    /// Whether no other can be remembered, once what is old is forgotten.
    pub(super) fn are_full(&mut self, now: Duration) -> bool {
        self.purge(now);
        self.arrived.len() >= MAX_FORMS
    }

    /// Remembers this one until its id is no good any more.
    pub(super) fn arrived(
        &mut self,
        form: FormId,
        digest: blake3::Hash,
        now: Duration,
        expiry: Duration,
    ) {
        let digest_ends = now + SESSION_LIFETIME;
        let arrived = Form {
            digest: Some(digest),
            digest_ends,
        };
        if let Some(before) = self.arrived.insert(form, arrived) {
            self.digests.remove(&(before.digest_ends, form));
        }
        self.ends.insert((expiry, form));
        self.digests.insert((digest_ends, form));
    }

    /// Forgets what is old. Returns when something is next.
    pub(super) fn purge(&mut self, now: Duration) -> Option<Duration> {
        while let Some((_, form)) = first_before(&mut self.digests, now) {
            if let Some(form) = self.arrived.get_mut(&form) {
                form.digest.zeroize();
            }
        }
        while let Some((_, form)) = first_before(&mut self.ends, now) {
            self.arrived.remove(&form);
        }
        let next = [self.digests.first(), self.ends.first()];
        next.into_iter().flatten().map(|(end, _)| *end).min()
    }
}

fn first_before(
    ends: &mut BTreeSet<(Duration, FormId)>,
    now: Duration,
) -> Option<(Duration, FormId)> {
    ends.first()
        .is_some_and(|(end, _)| *end <= now)
        .then(|| ends.pop_first())
        .flatten()
}
