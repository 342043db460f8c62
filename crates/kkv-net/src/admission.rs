//! Bounded LRU admission by class: a newcomer to a full class evicts the member that has been idle longest.
//!
//! Holding a permit therefore keeps nobody else out; an attacker has to be faster than everyone else, without a pause.
//! A newcomer evicts only within its class, so a crowd that never gets anywhere can't evict those that have.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The bounds of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// Most members; at least one.
    pub capacity: usize,
    /// A member that isn't touched for this long is evicted, even if there is room.
    pub idle_timeout: Duration,
}

/// The admission control of one kind of resource. Clones share its state.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    classes: Vec<Class>,
    members: Mutex<Members>,
}

/// The members of each class.
#[derive(Debug)]
struct Members {
    /// By ticket. Tickets grow, so the first member of a class has been idle longest.
    classes: Vec<BTreeMap<u64, Member>>,
    last_ticket: u64,
}

#[derive(Debug)]
struct Member {
    /// When it was admitted to the class, or last touched in it.
    since: Instant,
    evict: Arc<Notify>,
}

/// Membership in a class, given up on drop.
#[derive(Debug)]
pub struct Permit {
    admission: Admission,
    position: Mutex<Position>,
    evict: Arc<Notify>,
    /// Wakes [`evicted`](Self::evicted) when the deadline has moved before its alarm.
    deadline_moved: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Position {
    class: usize,
    ticket: u64,
    deadline: Instant,
    /// When [`Permit::evicted`], if it is polled, next compares the time with the deadline.
    alarm: Option<Instant>,
}

impl Admission {
    /// Admission to these classes, which are named by their index. They have no members yet.
    #[must_use]
    pub fn new(classes: &[Class]) -> Self {
        let members = Members {
            classes: classes.iter().map(|_| BTreeMap::new()).collect(),
            last_ticket: 0,
        };
        Self(Arc::new(Shared {
            classes: classes.to_vec(),
            members: Mutex::new(members),
        }))
    }

    /// Admits a member to `class`. If that is full, its least recently touched member is evicted.
    ///
    /// # Panics
    /// There is no such class.
    #[must_use]
    pub fn admit(&self, class: usize) -> Permit {
        let evict = Arc::new(Notify::new());
        let position = self.insert(&mut crate::lock(&self.0.members), class, &evict);
        Permit {
            admission: self.clone(),
            position: Mutex::new(position),
            evict,
            deadline_moved: Notify::new(),
        }
    }

    /// Whether no class has a member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let members = crate::lock(&self.0.members);
        members.classes.iter().all(BTreeMap::is_empty)
    }

    /// If `class` is full: when its next victim was last touched.
    ///
    /// # Panics
    /// There is no such class.
    #[must_use]
    pub fn full_since(&self, class: usize) -> Option<Instant> {
        let members = crate::lock(&self.0.members);
        let of_class = &members.classes[class];
        let (_, victim) = of_class.first_key_value()?;
        (of_class.len() >= self.0.classes[class].capacity).then_some(victim.since)
    }

    fn insert(&self, members: &mut Members, class: usize, evict: &Arc<Notify>) -> Position {
        let Class {
            capacity,
            idle_timeout,
        } = self.0.classes[class];
        let of_class = &mut members.classes[class];
        if of_class.len() >= capacity
            && let Some((_, victim)) = of_class.pop_first()
        {
            victim.evict.notify_one();
        }
        let since = Instant::now();
        members.last_ticket += 1;
        let evict = Arc::clone(evict);
        of_class.insert(members.last_ticket, Member { since, evict });
        Position {
            class,
            ticket: members.last_ticket,
            deadline: since + idle_timeout,
            alarm: None,
        }
    }
}

impl Permit {
    /// The class it is in.
    pub fn class(&self) -> usize {
        crate::lock(&self.position).class
    }

    /// Makes it the most recently touched member of `class`, which may be its own or another one. Does nothing once it
    /// has been evicted.
    ///
    /// # Panics
    /// There is no such class.
    pub fn touch(&self, class: usize) {
        let mut position = crate::lock(&self.position);
        let mut members = crate::lock(&self.admission.0.members);
        let left = members.classes[position.class].remove(&position.ticket);
        if left.is_some() {
            let alarm = position.alarm;
            *position = self.admission.insert(&mut members, class, &self.evict);
            if alarm.is_some_and(|alarm| position.deadline < alarm) {
                self.deadline_moved.notify_one();
            } else {
                position.alarm = alarm;
            }
        }
    }

    /// Waits until it is evicted: for a newcomer, or because it was idle for too long. [`touch`](Self::touch) may be
    /// called from any task; within one task, poll what touches before this.
    pub async fn evicted(&self) {
        let mut evict = pin!(self.evict.notified());
        let mut moved = pin!(self.deadline_moved.notified());
        let mut alarm = pin!(sleep_until(self.deadline()));
        poll_fn(|context| {
            if evict.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            while moved.as_mut().poll(context).is_ready() {
                moved.set(self.deadline_moved.notified());
            }
            loop {
                let deadline = self.arm(alarm.deadline());
                if deadline < alarm.deadline() {
                    alarm.as_mut().reset(deadline);
                }
                ready!(alarm.as_mut().poll(context));
                // Timers are reset when they fire, not at each touch: most touches move the deadline further away.
                if deadline <= alarm.deadline() {
                    return Poll::Ready(());
                }
                alarm.as_mut().reset(deadline);
            }
        })
        .await;
    }

    fn deadline(&self) -> Instant {
        crate::lock(&self.position).deadline
    }

    /// Notes that the timer fires at `alarm`, or at the deadline if that is sooner. Returns the deadline.
    fn arm(&self, alarm: Instant) -> Instant {
        let mut position = crate::lock(&self.position);
        position.alarm = Some(alarm.min(position.deadline));
        position.deadline
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let position = *crate::lock(&self.position);
        let mut members = crate::lock(&self.admission.0.members);
        members.classes[position.class].remove(&position.ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_secs(10);
    const LONG: Duration = Duration::from_secs(60);
    /// Of three members, then of two.
    const CLASSES: [Class; 2] = [
        Class {
            capacity: 3,
            idle_timeout: LONG,
        },
        Class {
            capacity: 2,
            idle_timeout: SHORT,
        },
    ];

    /// The indices of those that have been evicted by now.
    async fn evicted(permits: &[Permit]) -> Vec<usize> {
        let mut evicted = Vec::new();
        for (index, permit) in permits.iter().enumerate() {
            tokio::select! {
                biased;
                () = permit.evicted() => evicted.push(index),
                () = std::future::ready(()) => {}
            }
        }
        evicted
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_to_a_full_class_evicts_the_least_recently_touched() {
        let admission = Admission::new(&CLASSES);
        let mut permits: Vec<Permit> = (0..3).map(|_| admission.admit(0)).collect();
        assert!(evicted(&permits).await.is_empty());
        permits.push(admission.admit(0));
        assert_eq!(evicted(&permits).await, [0]);
        permits[1].touch(0);
        permits.push(admission.admit(0));
        assert_eq!(evicted(&permits).await, [2], "the other was just touched");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_in_one_class_evicts_nobody_from_another() {
        let admission = Admission::new(&CLASSES);
        let others = [admission.admit(0), admission.admit(1)];
        others[0].touch(1);
        let crowd: Vec<Permit> = (0..100).map(|_| admission.admit(0)).collect();
        assert!(evicted(&others).await.is_empty());
        assert_eq!(evicted(&crowd).await, (0..97).collect::<Vec<_>>());
        crowd[99].touch(1);
        assert_eq!(evicted(&others).await, [1], "the first that came there");
    }

    #[tokio::test(start_paused = true)]
    async fn an_evicted_member_is_not_readmitted_by_a_touch() {
        let admission = Admission::new(&CLASSES);
        let permits: Vec<Permit> = (0..4).map(|_| admission.admit(0)).collect();
        permits[0].touch(1);
        assert_eq!(permits[0].class(), 0);
        assert_eq!(evicted(&permits).await, [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_permit_makes_room() {
        let admission = Admission::new(&CLASSES);
        let mut permits: Vec<Permit> = (0..3).map(|_| admission.admit(0)).collect();
        drop(permits.remove(1));
        permits.push(admission.admit(0));
        assert!(evicted(&permits).await.is_empty());
        drop(permits);
        assert!(admission.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_member_is_evicted_and_each_touch_starts_its_time_anew() {
        let admission = Admission::new(&CLASSES);
        let permit = admission.admit(0);
        let start = Instant::now();
        tokio::select! {
            biased;
            () = async {
                tokio::time::advance(LONG - SHORT).await;
                permit.touch(0);
                tokio::time::advance(LONG - SHORT).await;
                permit.touch(1); // shorter from here
                std::future::pending::<()>().await;
            } => {}
            () = permit.evicted() => {}
        }
        // The timer counts in milliseconds, and rounds up.
        let late = start.elapsed() - (2 * LONG - SHORT);
        assert!(late < Duration::from_millis(5), "{late:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_another_task_brings_forward_is_noticed() {
        let admission = Admission::new(&CLASSES);
        let permit = Arc::new(admission.admit(0));
        let waiting = tokio::spawn({
            let permit = Arc::clone(&permit);
            async move { permit.evicted().await }
        });
        let start = Instant::now();
        let second = Duration::from_secs(1);
        // Longer, shorter, longer again and shorter again: the last one counts.
        for class in [0, 1, 0, 1] {
            tokio::time::advance(second).await;
            permit.touch(class);
        }
        waiting.await.unwrap();
        let late = start.elapsed() - (4 * second + SHORT);
        assert!(late < Duration::from_millis(50), "{late:?}");
    }
}
