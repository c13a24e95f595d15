//! The tick that a worker is at: its number, its wall clock and the event times of the sources.
//!
//! A worker works on one tick at a time: the next begins when every dataflow that is awake has passed the last. So operators may ask
//! for *the* tick's stream times while they run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use millrace_planner::catalog::RelationId;

use crate::api::StreamTime;

/// Shared by everything on one worker.
#[derive(Clone, Default)]
pub(crate) struct TickClock(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    tick: u64,
    now_ms: i64,
    stream_times: HashMap<RelationId, StreamTime>,
}

impl TickClock {
    /// Begins a tick.
    pub(crate) fn begin(&self, tick: u64, now_ms: i64, moved: &[(RelationId, StreamTime)]) {
        let mut state = self.0.borrow_mut();
        state.tick = tick;
        state.now_ms = now_ms;
        state.stream_times.extend(moved.iter().copied());
    }

    /// The tick.
    pub(crate) fn tick(&self) -> u64 {
        self.0.borrow().tick
    }

    /// Wall clock of the tick, epoch ms.
    #[expect(dead_code, reason = "now() is bound to the tick's clock by temporal filters")]
    pub(crate) fn now_ms(&self) -> i64 {
        self.0.borrow().now_ms
    }

    /// The least stream time over `sources`; the start for a source without a record, and for no sources.
    pub(crate) fn stream_time(&self, sources: &[RelationId]) -> StreamTime {
        let state = self.0.borrow();
        sources
            .iter()
            .map(|s| state.stream_times.get(s).copied().unwrap_or(StreamTime::START))
            .reduce(|a, b| StreamTime { close: a.close.min(b.close), retain: a.retain.min(b.retain) })
            .unwrap_or(StreamTime::START)
    }
}
