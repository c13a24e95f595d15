//! Between the reader threads and the ticker: one bounded queue a lane.
//!
//! ```text
//! reader of partition 0 ─send→ [queue 0] ─┐
//! reader of partition 1 ─send→ [queue 1] ─┴─take→ ticker
//! ```
//! A reader waits when its own queue is full, and for nothing else. The ticker looks into any queue at any time, and
//! waits for *something* to arrive: it compares the number of arrivals that it has seen, so that no call is lost.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use millrace_connect::Progress;

use super::lane_batch::LaneBatch;

/// Batches that wait in one queue before its reader does. With reads of 8,192 rows this keeps a tick of 10,000 rows in
/// hand while the next is being decoded, and bounds what a paused ticker holds.
const QUEUE_BATCHES_MAX: usize = 4;

/// What a reader says.
#[derive(Debug)]
pub(crate) enum Message {
    /// Records.
    Rows(Box<LaneBatch>),
    /// The source has nothing now. Said once, until there are records again.
    Idle,
    /// Nothing will come any more.
    End,
    /// The source cannot be read now; the reader tries again.
    Stalled(String),
    /// The source cannot be read any more.
    Failed(String),
}

/// Names a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueId(usize);

/// See the module.
#[derive(Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
}

#[derive(Default)]
struct State {
    queues: Vec<Queue>,
    arrivals: u64,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    progress: Progress,
    closed: bool,
}

impl Hub {
    /// A new, empty queue.
    pub(crate) fn add(&self) -> QueueId {
        let mut state = self.lock();
        state.queues.push(Queue::default());
        QueueId(state.queues.len() - 1)
    }

    /// Puts a message into the queue, after waiting for room. `false`: nobody wants it any more.
    pub(crate) fn send(&self, queue: QueueId, message: Message, progress: Progress) -> bool {
        let mut state = self.lock();
        while state.queues[queue.0].messages.len() >= QUEUE_BATCHES_MAX && !state.queues[queue.0].closed {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let target = &mut state.queues[queue.0];
        if target.closed {
            return false;
        }
        target.messages.push_back(message);
        target.progress = progress;
        state.arrivals += 1;
        self.arrived.notify_all();
        true
    }

    /// The next message of the queue, if there is one.
    pub(crate) fn take(&self, queue: QueueId) -> Option<Message> {
        let message = self.lock().queues[queue.0].messages.pop_front();
        if message.is_some() {
            self.room.notify_all();
        }
        message
    }

    /// Whether somebody still wants what is sent to the queue.
    pub(crate) fn is_open(&self, queue: QueueId) -> bool {
        !self.lock().queues[queue.0].closed
    }

    /// Nobody wants any more from this queue: its reader ends.
    pub(crate) fn close(&self, queue: QueueId) {
        let mut state = self.lock();
        let target = &mut state.queues[queue.0];
        target.closed = true;
        target.messages.clear();
        self.room.notify_all();
    }

    /// How far the queue's reader is.
    pub(crate) fn progress(&self, queue: QueueId) -> Progress {
        self.lock().queues[queue.0].progress
    }

    /// Messages that have arrived so far, in all queues.
    pub(crate) fn arrivals(&self) -> u64 {
        self.lock().arrivals
    }

    /// Waits until more than `seen` messages have arrived, but no longer than `timeout`.
    pub(crate) fn wait(&self, seen: u64, timeout: Duration) {
        let state = self.lock();
        let until = self.arrived.wait_timeout_while(state, timeout, |state| state.arrivals == seen);
        drop(until.unwrap_or_else(PoisonError::into_inner));
    }

    /// A reader that panicked held nothing half done: every change of the state is a single step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use millrace_world::World;

    use super::*;

    #[test]
    fn a_full_queue_holds_up_its_reader_alone() {
        let hub = Arc::new(Hub::default());
        let (slow, fast) = (hub.add(), hub.add());
        let sender = Arc::clone(&hub);
        let body = move || {
            let sent = (0..100).take_while(|_| sender.send(slow, Message::Idle, Progress::default())).count();
            assert!((QUEUE_BATCHES_MAX..100).contains(&sent), "{sent} went through a closed queue");
        };
        let thread = World::real().threads().spawn("reader", Box::new(body)).unwrap();
        while hub.arrivals() < QUEUE_BATCHES_MAX as u64 {
            hub.wait(hub.arrivals(), Duration::from_millis(50));
        }
        assert!(hub.send(fast, Message::End, Progress::default()));
        assert!(matches!(hub.take(fast), Some(Message::End)));
        assert!(hub.take(fast).is_none());
        hub.close(slow);
        thread.join().unwrap();
        assert!(!hub.is_open(slow));
    }

    #[test]
    fn an_arrival_before_the_wait_is_not_lost() {
        let hub = Hub::default();
        let queue = hub.add();
        let seen = hub.arrivals();
        assert!(hub.send(queue, Message::Idle, Progress::default()));
        hub.wait(seen, Duration::from_secs(3600));
        assert_eq!(hub.arrivals(), seen + 1);
    }
}
