//! The sessions for messages with files, by name, and when each ends.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Upload;
use crate::relay::exchanges::Exchanges;
use crate::relay::sessions::{Moment, PaidRequest};
use crate::relay::spent::Challenge;
use kkv_base::limits::{MAX_DONE_UPLOADS, UPLOAD_IDLE};
use kkv_protocol::ids::SessionId;
use kkv_protocol::refusal::Refusal;

/// All of them. Everything in it changes together.
pub(super) struct Table {
    exchanges: Exchanges<()>,
    sessions: HashMap<SessionId, Entry>,
    ends: BTreeMap<(Duration, Challenge), SessionId>,
    /// Sessions whose message was accepted, in that order.
    done: VecDeque<SessionId>,
    is_closed: bool,
}

struct Entry {
    upload: Arc<Upload>,
    challenge: Challenge,
    end: Duration,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            exchanges: Exchanges::new(),
            sessions: HashMap::new(),
            ends: BTreeMap::new(),
            done: VecDeque::new(),
            is_closed: false,
        }
    }

    /// The answer to this request, if it was answered before.
    ///
    /// # Errors
    /// `spent`, `expired` or `stopping`.
    pub(super) fn cached_answer(
        &self,
        paid: &PaidRequest,
        now: Duration,
    ) -> Result<Option<String>, Refusal> {
        if self.is_closed {
            return Err(Refusal::Stopping);
        }
        self.exchanges.answer(paid, now)
    }

    /// Spends the challenge and adds the session.
    pub(super) fn open(
        &mut self,
        paid: &PaidRequest,
        upload: Arc<Upload>,
        answer: String,
        now: Duration,
    ) {
        let (challenge, end) = (paid.challenge, now + UPLOAD_IDLE);
        let id = upload.session().id();
        let entry = Entry {
            upload,
            challenge,
            end,
        };
        self.exchanges.insert(paid, answer, (), end);
        self.ends.insert((end, challenge), id);
        self.sessions.insert(id, entry);
    }

    pub(super) fn get(&self, id: &SessionId, now: Duration) -> Option<&Arc<Upload>> {
        let entry = self.sessions.get(id)?;
        (now < entry.end).then_some(&entry.upload)
    }

    /// It ends at this time, if not before.
    pub(super) fn set_end(&mut self, id: &SessionId, end: Duration) {
        let Some(entry) = self.sessions.get_mut(id) else {
            return;
        };
        let challenge = entry.challenge;
        self.ends.remove(&(entry.end, challenge));
        self.ends.insert((end, challenge), *id);
        entry.end = end;
        self.exchanges.set_end(&challenge, end);
    }

    /// Its message was accepted; it is remembered until this time.
    pub(super) fn done(&mut self, id: &SessionId, end: Duration) {
        let Some(entry) = self.sessions.get(id) else {
            return;
        };
        let challenge = entry.challenge;
        self.exchanges.forget(&challenge);
        self.set_end(id, end);
        self.done.push_back(*id);
        if self.done.len() > MAX_DONE_UPLOADS
            && let Some(first) = self.done.pop_front()
        {
            self.end(&first);
        }
    }

    /// It is over. Dropping it wipes keys.
    pub(super) fn end(&mut self, id: &SessionId) -> Option<Arc<Upload>> {
        let entry = self.sessions.remove(id)?;
        self.ends.remove(&(entry.end, entry.challenge));
        self.exchanges.forget(&entry.challenge);
        Some(entry.upload)
    }

    /// Removes and returns what has expired.
    pub(super) fn purge(&mut self, now: Moment) -> Vec<Arc<Upload>> {
        let mut expired = Vec::new();
        while let Some(((end, _), id)) = self.ends.first_key_value()
            && *end <= now.elapsed
        {
            let id = *id;
            expired.extend(self.end(&id));
        }
        while self.exchanges.expire(now.elapsed).is_some() {}
        while let Some(first) = self.done.front()
            && !self.sessions.contains_key(first)
        {
            self.done.pop_front();
        }
        self.exchanges.forget_spent(now);
        expired
    }

    pub(super) fn next_end(&self, now: Moment) -> Option<Duration> {
        let ends = [
            self.ends.first_key_value().map(|((end, _), _)| *end),
            self.exchanges.next_end(now),
        ];
        ends.into_iter().flatten().min()
    }

    /// Removes every session that is open. Those whose message was accepted stay, so that strangers can't tell.
    pub(super) fn take_open(&mut self) -> Vec<Arc<Upload>> {
        let done: Vec<SessionId> = self.done.iter().copied().collect();
        let mut open = std::mem::take(&mut self.sessions);
        for id in done {
            if let Some(entry) = open.remove(&id) {
                self.sessions.insert(id, entry);
            }
        }
        for entry in open.values() {
            self.ends.remove(&(entry.end, entry.challenge));
        }
        open.into_values().map(|entry| entry.upload).collect()
    }

    /// Removes every session, and opens none from now on.
    pub(super) fn close(&mut self) -> Vec<Arc<Upload>> {
        self.is_closed = true;
        self.exchanges.clear();
        self.ends.clear();
        self.done.clear();
        let sessions = std::mem::take(&mut self.sessions);
        sessions.into_values().map(|entry| entry.upload).collect()
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, spent) = (self.sessions.len(), self.exchanges.counts().0);
        write!(f, "{open} uploads, {spent} spent")
    }
}
