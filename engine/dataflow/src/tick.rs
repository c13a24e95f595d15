//! The tick that a worker is at: its number, its wall clock and the event times of the sources.
//!
//! A worker works on one tick at a time: the next begins when every dataflow that is awake has passed the last. So operators may ask
//! for *the* tick's stream times while they run.
//!
//! A query that was paused goes through the ticks that it missed when it is resumed, all within one tick of the worker. So
//! while somebody is paused, stream times are remembered as they were at each tick.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::replace;
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
    /// From which tick on each stream time counts, in order: the last one, and those before it that are remembered.
    stream_times: HashMap<RelationId, Vec<(u64, StreamTime)>>,
    remembers: bool,
    /// The ticks that are remembered, in order.
    past: Vec<u64>,
}

impl TickClock {
    /// Begins a tick.
    pub(crate) fn begin(&self, tick: u64, now_ms: i64, moved: &[(RelationId, StreamTime)]) {
        let mut state = self.0.borrow_mut();
        state.tick = tick;
        state.now_ms = now_ms;
        let remembers = state.remembers;
        if remembers {
            state.past.push(tick);
        }
        for (source, time) in moved {
            let times = state.stream_times.entry(*source).or_default();
            if !remembers {
                times.clear();
            }
            times.push((tick, *time));
        }
    }

    /// From now on stream times of past ticks can be asked for.
    pub(crate) fn remember(&self) {
        self.0.borrow_mut().remembers = true;
    }

    /// Nobody asks for those of past ticks any more.
    pub(crate) fn forget(&self) {
        let mut state = self.0.borrow_mut();
        if replace(&mut state.remembers, false) {
            state.past = vec![];
            for times in state.stream_times.values_mut() {
                times.drain(..times.len().saturating_sub(1));
            }
        }
    }

    /// The first tick from `from` on that is remembered, or else the worker's; `None` if that is before.
    pub(crate) fn next(&self, from: u64) -> Option<u64> {
        let state = self.0.borrow();
        let past = state.past.get(state.past.partition_point(|tick| *tick < from));
        past.copied().or_else(|| Some(state.tick).filter(|tick| from <= *tick))
    }

    /// Wall clock of the tick, epoch ms.
    #[expect(dead_code, reason = "now() is bound to the tick's clock by temporal filters")]
    pub(crate) fn now_ms(&self) -> i64 {
        self.0.borrow().now_ms
    }

    /// The least stream time over `sources` at a tick, the worker's or one that is remembered; the start for a source
    /// without a record, and for no sources.
    pub(crate) fn stream_time(&self, tick: u64, sources: &[RelationId]) -> StreamTime {
        let state = self.0.borrow();
        let at = |source: &RelationId| {
            let mut times = state.stream_times.get(source)?.iter().rev();
            times.find(|(from, _)| *from <= tick).map(|(_, time)| *time)
        };
        sources
            .iter()
            .map(|source| at(source).unwrap_or(StreamTime::START))
            .reduce(|a, b| StreamTime { close: a.close.min(b.close), retain: a.retain.min(b.retain) })
            .unwrap_or(StreamTime::START)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: RelationId = RelationId(1);

    fn at(time: i64) -> StreamTime {
        StreamTime { close: time, retain: time }
    }

    #[test]
    fn past_stream_times_are_there_while_they_are_remembered() {
        let clock = TickClock::default();
        clock.begin(1, 0, &[(A, at(10))]);
        clock.begin(2, 0, &[(A, at(20))]);
        assert_eq!(clock.stream_time(2, &[A]), at(20));
        clock.remember();
        clock.begin(3, 0, &[]);
        clock.begin(4, 0, &[(A, at(40))]);
        clock.begin(5, 0, &[(A, at(50))]);
        let seen: Vec<i64> = (2..=5).map(|tick| clock.stream_time(tick, &[A]).close).collect();
        assert_eq!(seen, [20, 20, 40, 50]);
        assert_eq!([1, 4, 5, 6].map(|from| clock.next(from)), [Some(3), Some(4), Some(5), None]);
        clock.forget();
        assert_eq!([1, 6].map(|from| clock.next(from)), [Some(5), None]);
        assert_eq!(clock.stream_time(5, &[A]), at(50));
        assert_eq!(clock.stream_time(4, &[A]), StreamTime::START);
    }
}
