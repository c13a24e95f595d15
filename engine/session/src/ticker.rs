//! From sources to ticks: which rows are the next tick's.
//!
//! ```text
//! partition ─reader thread→ queue ─┐            merge of bounded lanes, head by head by ROWTIME
//! partition ─reader thread→ queue ─┼─ gather ─→   live lanes in order of arrival             ─→ TickParts
//! partition ─reader thread→ queue ─┘            at most `rows_max` rows, or `tick_ms` for live input
//! ```
//! # Contract
//! * Bounded lanes are merged by event time (ties: tables first, then order of CREATE, then partition) and cut by row
//!   count alone: two runs give the same ticks. A lane whose next row is not known yet is waited for.
//! * A lane that says it has nothing now is live from then on: what it brings is taken as it arrives.
//! * Live lanes that bring more than a tick takes are behind: ticks are larger then, and close at once, until they have
//!   caught up.
//! * A feed that is held gives nothing, and nothing waits for it; its readers wait when their queues are full.
//! * A feed of a higher level gives nothing until the backlog of every lower one is in.
//! * What a lane says besides rows (records that cannot be read, stalls) comes with the tick in which it was said.

mod feed;
mod hub;
mod lane_batch;
mod order;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use millrace_connect::{Progress, Source, SourceError};
use millrace_dataflow::{Rows, StreamTime};
use millrace_planner::catalog::RelationId;
use millrace_world::World;

pub(crate) use feed::{Backlog, Note, Now};
pub(crate) use lane_batch::{NO_TIME, Shape, system_columns};
pub(crate) use order::{Input, Precedence, levels};

use crate::interrupt::Interrupt;
use feed::{Feed, Head, Lane};
use hub::{Hub, Message, QueueId};
use reader::Reader;

/// How long the ticker sleeps at most before it looks whether it was interrupted.
const WAIT_MAX: Duration = Duration::from_millis(50);

/// When a tick closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// One record a tick, in merged order; backlogs are not waited for.
    pub(crate) record: bool,
    /// Rows over bounded lanes.
    pub(crate) rows_max: usize,
    /// Rows over live lanes, while they keep up.
    pub(crate) live_rows_max: usize,
    /// Rows over live lanes that are behind.
    pub(crate) behind_rows_max: usize,
    /// After the first row of a live lane.
    pub(crate) tick: Duration,
    /// A live lane that has been silent for so long does not hold back stream time.
    pub(crate) idle: Duration,
}

/// What happens in a tick, as far as sources are concerned.
#[derive(Debug, Default)]
pub(crate) struct TickParts {
    /// The wall clock that dates it.
    pub(crate) now_ms: i64,
    pub(crate) rows: Vec<Rows>,
    pub(crate) stream_times: Vec<(RelationId, StreamTime)>,
    /// Relations that have ended with this tick.
    pub(crate) ended: Vec<RelationId>,
    pub(crate) notes: Vec<(RelationId, Note)>,
}

/// What there is to be done.
#[derive(Debug)]
pub(crate) enum Gathered {
    /// A tick.
    Tick(TickParts),
    /// Nothing now.
    Nothing,
    /// Nothing any more.
    Ended,
    /// Somebody wants to stop.
    Interrupted,
}

/// How a relation is to be fed.
pub(crate) struct FeedSpec {
    pub(crate) relation: RelationId,
    pub(crate) name: String,
    pub(crate) table: bool,
    pub(crate) shape: Shape,
    pub(crate) backlog: Backlog,
}

/// See the module.
pub(crate) struct Ticker {
    world: World,
    hub: Arc<Hub>,
    feeds: Vec<Feed>,
    pace: Pace,
    workers: usize,
    interrupt: Interrupt,
    /// When the last tick opened, more rows waited in live lanes than a tick usually takes.
    behind: bool,
}

/// Why a feed cannot be started.
#[derive(Debug)]
pub(crate) enum FeedError {
    Source(SourceError),
    Thread(io::Error),
}

impl Ticker {
    pub(crate) fn new(world: &World, pace: Pace, workers: usize, interrupt: Interrupt) -> Self {
        let (world, hub, feeds) = (world.clone(), Arc::default(), vec![]);
        Ticker { world, hub, feeds, pace, workers, interrupt, behind: false }
    }

    /// Starts to read a source: a thread per partition.
    pub(crate) fn add(&mut self, spec: FeedSpec, source: &dyn Source) -> Result<(), FeedError> {
        let mut feed = Feed::new(spec.relation, spec.table, spec.shape.visible, spec.backlog);
        let shape = Arc::new(spec.shape);
        let live = spec.backlog != Backlog::Bounded;
        for partition in 0..source.partitions() {
            let queue = self.hub.add();
            let reader = Reader {
                source: source.open(partition).map_err(FeedError::Source)?,
                partition: partition as i32,
                shape: Arc::clone(&shape),
                hub: Arc::clone(&self.hub),
                queue,
                clock: Arc::clone(self.world.clock()),
            };
            let name = format!("{} {partition}", spec.name);
            let body = guarded(reader, Arc::clone(&self.hub), queue);
            self.world.threads().spawn(&name, body).map_err(FeedError::Thread)?;
            feed.lanes.push(Lane::new(queue, partition as i32, live, self.world.clock().monotonic_ns()));
        }
        self.feeds.push(feed);
        // ties: tables first, then order of CREATE
        self.feeds.sort_by_key(|feed| (!feed.table, feed.relation));
        Ok(())
    }

    /// Reads a source no more.
    pub(crate) fn remove(&mut self, relation: RelationId) {
        for feed in self.feeds.iter().filter(|feed| feed.relation == relation) {
            feed.close_queues(&self.hub);
        }
        self.feeds.retain(|feed| feed.relation != relation);
    }

    /// Which backlogs come before which feeds.
    pub(crate) fn set_levels(&mut self, level: impl Fn(RelationId) -> usize) {
        self.feeds.iter_mut().for_each(|feed| feed.level = level(feed.relation));
    }

    /// Takes no rows of these feeds, until it is told otherwise.
    pub(crate) fn hold(&mut self, held: &BTreeSet<RelationId>) {
        self.feeds.iter_mut().for_each(|feed| feed.held = held.contains(&feed.relation));
    }

    /// Feeds that may give rows.
    fn given(&self) -> impl Iterator<Item = &Feed> {
        self.feeds.iter().filter(|feed| !feed.held)
    }

    /// The level of the lowest feed whose backlog is not in yet; feeds above it wait.
    pub(crate) fn level(&self) -> usize {
        if self.pace.record {
            return usize::MAX;
        }
        self.given().filter(|feed| !feed.backlog_is_in()).map(|feed| feed.level).min().unwrap_or(usize::MAX)
    }

    /// Whether every source with an end has been read to it.
    pub(crate) fn bounded_have_ended(&self) -> bool {
        self.given().filter(|feed| feed.backlog == Backlog::Bounded).all(Feed::ended)
    }

    /// Whether input is live and is taken as fast as it comes: then whoever reads answers waits for this tick's, not for
    /// the next tick.
    pub(crate) fn keeps_up(&self) -> bool {
        !self.behind && self.bounded_have_ended()
    }

    /// How far the readers of each relation are.
    pub(crate) fn progress(&self) -> impl Iterator<Item = (RelationId, Progress, bool)> + '_ {
        self.feeds.iter().map(|feed| (feed.relation, feed.progress(&self.hub), feed.ended()))
    }

    /// Waits until something may have arrived, but not for long.
    pub(crate) fn wait(&self, seen: u64) {
        self.hub.wait(seen, WAIT_MAX);
    }

    /// What [`wait`](Self::wait) compares with: to be asked before [`gather`](Self::gather).
    pub(crate) fn arrivals(&self) -> u64 {
        self.hub.arrivals()
    }

    /// The next tick, if there is something for it.
    pub(crate) fn gather(&mut self) -> Gathered {
        if self.given().all(Feed::ended) {
            return Gathered::Ended;
        }
        let now = self.now();
        let mut parts = TickParts { now_ms: now.wall_ms, ..TickParts::default() };
        let ended: Vec<RelationId> = self.feeds.iter().filter(|f| f.ended()).map(|f| f.relation).collect();
        let level = self.level();
        let Some(merged) = self.merge(level, now, &mut parts) else { return Gathered::Interrupted };
        if !self.take_live(level, merged, now, &mut parts) {
            return Gathered::Interrupted;
        }
        self.close(now, &mut parts);
        let have_ended = self.feeds.iter().filter(|f| f.ended() && !ended.contains(&f.relation));
        parts.ended = have_ended.map(|f| f.relation).collect();
        let TickParts { rows, stream_times, ended, notes, .. } = &parts;
        if rows.is_empty() && stream_times.is_empty() && ended.is_empty() && notes.is_empty() {
            return Gathered::Nothing;
        }
        Gathered::Tick(parts)
    }

    /// Rows of bounded lanes, merged; their number, or `None` when interrupted.
    fn merge(&mut self, level: usize, now: Now, parts: &mut TickParts) -> Option<usize> {
        let rows_max = if self.pace.record { 1 } else { self.pace.rows_max };
        let mut taken = 0;
        loop {
            // also behind the last row: whether a lane has ended belongs to the tick of its last row
            let heads = self.heads(level, now, parts)?;
            if taken == rows_max || heads.is_empty() {
                return Some(taken);
            }
            let first = heads.iter().min()?;
            let (f, l) = (first.feed, first.lane);
            let second = heads.iter().filter(|head| (head.feed, head.lane) != (f, l)).min();
            let comes_before = |(time, partition): (i64, i32)| {
                second.is_none_or(|second| (time, f, partition) < (second.time, second.feed, second.partition))
            };
            let n = self.feeds[f].lanes[l].run(rows_max - taken, comes_before).max(1);
            self.feeds[f].take(l, n, now);
            taken += n;
        }
    }

    /// The next row of every bounded lane that may give one.
    fn heads(&mut self, level: usize, now: Now, parts: &mut TickParts) -> Option<Vec<MergeHead>> {
        let mut heads = vec![];
        let given = |feed: &Feed| feed.level <= level && !feed.held;
        for f in (0..self.feeds.len()).filter(|f| given(&self.feeds[*f])).collect::<Vec<_>>() {
            for l in 0..self.feeds[f].lanes.len() {
                loop {
                    let seen = self.hub.arrivals();
                    let head = self.feeds[f].head_unless_live(l, &self.hub, now, &mut parts.notes);
                    match head {
                        Some(Head::Row) => {
                            let (time, partition) = self.feeds[f].lanes[l].order();
                            heads.push(MergeHead { time, feed: f, partition, lane: l });
                        }
                        Some(Head::Unknown) if self.interrupt.is_set() => return None,
                        Some(Head::Unknown) => {
                            self.hub.wait(seen, WAIT_MAX);
                            continue;
                        }
                        Some(Head::End) | None => {}
                    }
                    break;
                }
            }
        }
        Some(heads)
    }

    /// Rows of live lanes, as they have arrived; `false` when interrupted. `merged`: rows that the tick has already.
    fn take_live(&mut self, level: usize, merged: usize, now: Now, parts: &mut TickParts) -> bool {
        let usual = self.pace.live_rows_max.max(self.pace.rows_max);
        let (usual, behind) = match self.pace.record {
            true => (1, 1),
            false => (usual, usual.max(self.pace.behind_rows_max)),
        };
        let mut taken = merged;
        let mut seen = self.hub.arrivals();
        // what waits when the tick opens says whether lanes are behind; then it is all taken, and nothing is waited for
        self.take_arrived(level, behind, &mut taken, now, parts);
        self.behind = taken >= usual && !self.pace.record;
        let opened_ns = self.world.clock().monotonic_ns();
        // bounded input does not wait for live input, and neither does an end
        while taken > 0 && merged == 0 && taken < usual {
            let open = Duration::from_nanos(self.world.clock().monotonic_ns() - opened_ns);
            if open >= self.pace.tick {
                break;
            }
            if self.interrupt.is_set() {
                return false;
            }
            self.hub.wait(seen, (self.pace.tick - open).min(WAIT_MAX));
            seen = self.hub.arrivals();
            self.take_arrived(level, usual, &mut taken, now, parts);
        }
        true
    }

    /// What has arrived in live lanes, up to `rows_max` rows in all.
    fn take_arrived(&mut self, level: usize, rows_max: usize, taken: &mut usize, now: Now, parts: &mut TickParts) {
        for feed in self.feeds.iter_mut().filter(|feed| feed.level <= level && !feed.held) {
            for l in 0..feed.lanes.len() {
                while *taken < rows_max
                    && feed.lanes[l].live
                    && feed.head(l, &self.hub, now, &mut parts.notes) == Head::Row
                {
                    let n = feed.lanes[l].rows_at_hand().min(rows_max - *taken);
                    feed.take(l, n, now);
                    *taken += n;
                }
            }
        }
    }

    fn close(&mut self, now: Now, parts: &mut TickParts) {
        let idle_ns = self.pace.idle.as_nanos() as u64;
        for feed in self.feeds.iter_mut().filter(|feed| !feed.held) {
            feed.leave_out_silent(now.monotonic_ns, idle_ns);
            let (rows, time) = feed.close(self.workers, now);
            parts.rows.extend(rows);
            parts.stream_times.extend(time.map(|time| (feed.relation, time)));
        }
    }

    /// The clocks now.
    pub(crate) fn now(&self) -> Now {
        let clock = self.world.clock();
        Now { wall_ms: clock.wall_ms(), monotonic_ns: clock.monotonic_ns() }
    }
}

/// The next row of a bounded lane; ordered as rows are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MergeHead {
    time: i64,
    feed: usize,
    partition: i32,
    lane: usize,
}

/// A reader that panics is a source that failed: nobody waits for it for ever.
fn guarded(reader: Reader, hub: Arc<Hub>, queue: QueueId) -> Box<dyn FnOnce() + Send> {
    Box::new(move || {
        if catch_unwind(AssertUnwindSafe(|| reader.run())).is_err() {
            let message = Message::Failed("its reader panicked: a bug".to_owned());
            hub.send(queue, message, Progress::default());
        }
    })
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.feeds.iter().for_each(|feed| feed.close_queues(&self.hub));
    }
}
