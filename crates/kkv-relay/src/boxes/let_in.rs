//! Messages that answers let in on the page: who was answered may write back once for each answer, with neither
//! invitation nor payment (PROTOCOL.md §18).

use std::sync::Arc;

use super::{Boxes, touch};
use crate::queue::{Now, Queue};
use kkv_protocol::v2::answers::keys::BoxSecret;

/// One of them, held for a form. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct LetIn {
    of: Arc<Boxes>,
    /// The box; none once its message is in the queue.
    number: Option<u64>,
}

impl Boxes {
    /// Whether an answer of the box with this secret lets in a message; `None` if there is no such box.
    pub(crate) fn lets_in<H>(
        &self,
        secret: &BoxSecret,
        queue: &Queue<H>,
        now: Now,
    ) -> Option<bool> {
        let mut table = crate::lock(&self.table);
        let ended = table.expire(now.elapsed);
        let lets_in = table.find(|other| other.is(secret));
        let lets_in = lets_in.and_then(|number| table.lets_in(number));
        drop(table);
        touch(queue, &[], &ended, now);
        lets_in
    }

    /// Lets one in, if there is one.
    pub(crate) fn let_in(self: &Arc<Self>, secret: &BoxSecret) -> Option<LetIn> {
        let mut table = crate::lock(&self.table);
        let number = table.find(|other| other.is(secret))?;
        table.lets_in(number)?.then(|| {
            table.begin(number);
            LetIn {
                of: Arc::clone(self),
                number: Some(number),
            }
        })
    }
}

impl LetIn {
    /// Its message is in the queue.
    pub(crate) fn spend(mut self) {
        if let Some(number) = self.number.take() {
            crate::lock(&self.of.table).finish(number, true);
        }
    }
}

impl Drop for LetIn {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            crate::lock(&self.of.table).finish(number, false);
        }
    }
}
