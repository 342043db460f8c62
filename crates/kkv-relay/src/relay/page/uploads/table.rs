//! The uploads that there are, and when each ends.

use std::sync::Arc;
use std::time::Duration;

use super::super::Entry;
use super::Upload;
use kkv_base::limits::{UPLOAD_IDLE, UPLOAD_LIFETIME};
use kkv_page::challenge::Challenge;
use kkv_page::form_id::{FormId, UploadName};

/// All of them: no more than the memory for files has blocks.
#[derive(Debug, Default)]
pub(in crate::relay::page) struct Uploads {
    open: Vec<Entered>,
}

#[derive(Debug)]
struct Entered {
    upload: Arc<Upload>,
    end: Duration,
}

impl Uploads {
    /// Ends what has expired. Returns when something is next.
    pub(in crate::relay::page) fn purge(&mut self, now: Duration) -> Option<Duration> {
        self.retain(|entered| now < entered.end);
        self.open.iter().map(|entered| entered.end).min()
    }

    /// Ends all of them.
    pub(in crate::relay::page) fn wipe(&mut self) {
        self.retain(|_| false);
    }

    /// Ends the one of a form.
    pub(in crate::relay::page) fn end_of(&mut self, form: FormId) {
        self.retain(|entered| entered.upload.form != form);
    }

    /// How many, but for this form's, hold a place that is given away.
    pub(in crate::relay::page) fn free(&self, form: Option<FormId>) -> usize {
        self.entries(form, |entry| matches!(entry, Entry::Free))
    }

    /// Whether one, but for this form's, holds this challenge.
    pub(in crate::relay::page) fn holds(&self, challenge: &Challenge, form: FormId) -> bool {
        self.entries(Some(form), |entry| entry.paid() == Some(challenge)) > 0
    }

    /// Adds one.
    pub(super) fn add(&mut self, upload: Upload, now: Duration) {
        let (upload, end) = (Arc::new(upload), now + UPLOAD_IDLE);
        self.open.push(Entered { upload, end });
    }

    fn entries(&self, form: Option<FormId>, counts: impl Fn(&Entry) -> bool) -> usize {
        let others = self.open.iter().map(|entered| &entered.upload);
        let others = others.filter(|upload| Some(upload.form) != form);
        let counted = others.filter(|upload| {
            let stage = crate::lock(&upload.stage);
            stage.as_ref().is_some_and(|open| counts(&open.entry))
        });
        counted.count()
    }

    /// The one of this name.
    pub(super) fn get(&self, name: UploadName, now: Duration) -> Option<&Arc<Upload>> {
        let mut open = self.open.iter();
        let found = open.find(|entered| entered.upload.name == name && now < entered.end);
        found.map(|entered| &entered.upload)
    }

    /// Its end is as far away again as it may be.
    pub(super) fn extend(&mut self, name: UploadName, now: Duration) {
        for entered in &mut self.open {
            if entered.upload.name == name {
                entered.end = (now + UPLOAD_IDLE).min(entered.upload.opened + UPLOAD_LIFETIME);
            }
        }
    }

    /// Removes those that are over.
    pub(super) fn end_closed(&mut self) {
        self.open
            .retain(|entered| crate::lock(&entered.upload.stage).is_some());
    }

    /// Ends this one.
    pub(super) fn end(&mut self, name: UploadName) {
        self.retain(|entered| entered.upload.name != name);
    }

    fn retain(&mut self, stays: impl Fn(&Entered) -> bool) {
        self.open.retain(|entered| {
            let stays = stays(entered);
            if !stays {
                // A piece of it may be on its way still: its memory must not wait for that.
                *crate::lock(&entered.upload.stage) = None;
            }
            stays
        });
    }
}
