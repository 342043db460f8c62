//! Places in rows, each row with so many and no more: who comes to a full row gets in, and who has stood in it for the
//! longest leaves.
//!
//! So nobody keeps others out by holding places, only by being quicker than they are. Rows are for guests of different
//! merit: those who come push out their own kind, never who has already got further.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How many stand in a row at most, and for how long each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Places; at least one.
    pub places: usize,
    /// Who stands here for longer leaves, even if there is room.
    pub patience: Duration,
}

/// All rows. A clone is the same ones.
#[derive(Debug, Clone)]
pub struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    rows: Vec<Row>,
    standing: Mutex<Standing>,
}

#[derive(Debug)]
struct Standing {
    /// In each row who came there when, and how to tell them to leave, by number: the first has stood there for the
    /// longest.
    rows: Vec<BTreeMap<u64, (Instant, Arc<Notify>)>>,
    last: u64,
}

/// Somebody's place. It is given back when dropped.
#[derive(Debug)]
pub struct Place {
    all: Places,
    at: Mutex<At>,
    leave: Arc<Notify>,
    /// Wakes whoever waits for the time to be over, when that becomes sooner than it had set its alarm to.
    sooner: Notify,
}

#[derive(Debug, Clone, Copy)]
struct At {
    row: usize,
    number: u64,
    until: Instant,
    /// When whoever waits for the time to be over looks again.
    alarm: Option<Instant>,
}

impl Places {
    /// Nobody stands there yet.
    #[must_use]
    pub fn new(rows: &[Row]) -> Self {
        let standing = Standing {
            rows: rows.iter().map(|_| BTreeMap::new()).collect(),
            last: 0,
        };
        Self(Arc::new(Shared {
            rows: rows.to_vec(),
            standing: Mutex::new(standing),
        }))
    }

    /// A place at the end of `row`. If it was full, its first has to leave.
    ///
    /// # Panics
    /// There is no such row.
    #[must_use]
    pub fn enter(&self, row: usize) -> Place {
        let leave = Arc::new(Notify::new());
        let at = self.stand(&mut crate::lock(&self.0.standing), row, &leave);
        Place {
            all: self.clone(),
            at: Mutex::new(at),
            leave,
            sooner: Notify::new(),
        }
    }

    /// Whether nobody stands anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let standing = crate::lock(&self.0.standing);
        standing.rows.iter().all(BTreeMap::is_empty)
    }

    /// If `row` is full: since when its first, who would have to leave, has stood there.
    ///
    /// # Panics
    /// There is no such row.
    #[must_use]
    pub fn full_since(&self, row: usize) -> Option<Instant> {
        let standing = crate::lock(&self.0.standing);
        let there = &standing.rows[row];
        let (_, (since, _)) = there.first_key_value()?;
        (there.len() >= self.0.rows[row].places).then_some(*since)
    }

    fn stand(&self, standing: &mut Standing, row: usize, leave: &Arc<Notify>) -> At {
        let Row { places, patience } = self.0.rows[row];
        let there = &mut standing.rows[row];
        if there.len() >= places
            && let Some((_, (_, first))) = there.pop_first()
        {
            first.notify_one();
        }
        let now = Instant::now();
        standing.last += 1;
        there.insert(standing.last, (now, Arc::clone(leave)));
        At {
            row,
            number: standing.last,
            until: now + patience,
            alarm: None,
        }
    }
}

impl Place {
    /// The row it is in.
    pub fn row(&self) -> usize {
        crate::lock(&self.at).row
    }

    /// Goes to the end of `row`, be it another or the same. Nothing comes of it for whoever has been told to leave.
    ///
    /// # Panics
    /// There is no such row.
    pub fn moves_to(&self, row: usize) {
        let mut at = crate::lock(&self.at);
        let mut standing = crate::lock(&self.all.0.standing);
        if standing.rows[at.row].remove(&at.number).is_some() {
            let alarm = at.alarm;
            *at = self.all.stand(&mut standing, row, &self.leave);
            if alarm.is_some_and(|alarm| at.until < alarm) {
                self.sooner.notify_one();
            } else {
                at.alarm = alarm;
            }
        }
    }

    /// Waits until the place is lost: somebody else needed it, or its time was over. Moves count whichever task makes
    /// them; within the same one, this is to be looked at after whatever moves.
    pub async fn lost(&self) {
        let mut leave = pin!(self.leave.notified());
        let mut sooner = pin!(self.sooner.notified());
        let mut alarm = pin!(sleep_until(self.until()));
        poll_fn(|context| {
            if leave.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            while sooner.as_mut().poll(context).is_ready() {
                sooner.set(self.sooner.notified());
            }
            loop {
                let until = self.looked_at(alarm.deadline());
                if until < alarm.deadline() {
                    alarm.as_mut().reset(until);
                }
                ready!(alarm.as_mut().poll(context));
                // Only now: a time that grows with each step need not be set anew with each.
                if until <= alarm.deadline() {
                    return Poll::Ready(());
                }
                alarm.as_mut().reset(until);
            }
        })
        .await;
    }

    fn until(&self) -> Instant {
        crate::lock(&self.at).until
    }

    /// When the time is over, for one who looks again at `alarm`, or at that if it is sooner.
    fn looked_at(&self, alarm: Instant) -> Instant {
        let mut at = crate::lock(&self.at);
        at.alarm = Some(alarm.min(at.until));
        at.until
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let at = *crate::lock(&self.at);
        crate::lock(&self.all.0.standing).rows[at.row].remove(&at.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    const LATER: Duration = Duration::from_secs(60);
    /// Three places, then two.
    const ROWS: [Row; 2] = [
        Row {
            places: 3,
            patience: LATER,
        },
        Row {
            places: 2,
            patience: SOON,
        },
    ];

    /// Which of them have lost their place by now.
    async fn lost(places: &[Place]) -> Vec<usize> {
        let mut lost = Vec::new();
        for (number, place) in places.iter().enumerate() {
            tokio::select! {
                biased;
                () = place.lost() => lost.push(number),
                () = std::future::ready(()) => {}
            }
        }
        lost
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_to_a_full_row_gets_in_and_the_longest_there_leaves() {
        let all = Places::new(&ROWS);
        let mut places: Vec<Place> = (0..3).map(|_| all.enter(0)).collect();
        assert!(lost(&places).await.is_empty());
        places.push(all.enter(0));
        assert_eq!(lost(&places).await, [0]);
        places[1].moves_to(0);
        places.push(all.enter(0));
        assert_eq!(lost(&places).await, [2], "the other has just got further");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_in_one_row_pushes_nobody_out_of_another() {
        let all = Places::new(&ROWS);
        let further = [all.enter(0), all.enter(1)];
        further[0].moves_to(1);
        let crowd: Vec<Place> = (0..100).map(|_| all.enter(0)).collect();
        assert!(lost(&further).await.is_empty());
        assert_eq!(lost(&crowd).await, (0..97).collect::<Vec<_>>());
        crowd[99].moves_to(1);
        assert_eq!(lost(&further).await, [1], "who came there first");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_to_leave_gets_no_other_place_by_moving() {
        let all = Places::new(&ROWS);
        let places: Vec<Place> = (0..4).map(|_| all.enter(0)).collect();
        places[0].moves_to(1);
        assert_eq!(places[0].row(), 0);
        assert_eq!(lost(&places).await, [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_given_back_by_whoever_goes() {
        let all = Places::new(&ROWS);
        let mut places: Vec<Place> = (0..3).map(|_| all.enter(0)).collect();
        drop(places.remove(1));
        places.push(all.enter(0));
        assert!(lost(&places).await.is_empty());
        drop(places);
        assert!(all.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_lost_when_its_time_is_over_and_each_move_begins_it_anew() {
        let all = Places::new(&ROWS);
        let place = all.enter(0);
        let start = Instant::now();
        tokio::select! {
            biased;
            () = async {
                tokio::time::advance(LATER - SOON).await;
                place.moves_to(0);
                tokio::time::advance(LATER - SOON).await;
                place.moves_to(1); // shorter from here
                std::future::pending::<()>().await;
            } => {}
            () = place.lost() => {}
        }
        // The timer counts in milliseconds, and rounds up.
        let late = start.elapsed() - (2 * LATER - SOON);
        assert!(late < Duration::from_millis(5), "{late:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_already_waits_learns_of_a_time_that_another_task_has_shortened() {
        let all = Places::new(&ROWS);
        let place = Arc::new(all.enter(0));
        let waiting = tokio::spawn({
            let place = Arc::clone(&place);
            async move { place.lost().await }
        });
        let start = Instant::now();
        let second = Duration::from_secs(1);
        // Longer, shorter, longer again and shorter again: the last word counts.
        for row in [0, 1, 0, 1] {
            tokio::time::advance(second).await;
            place.moves_to(row);
        }
        waiting.await.unwrap();
        let late = start.elapsed() - (4 * second + SOON);
        assert!(late < Duration::from_millis(50), "{late:?}");
    }
}
