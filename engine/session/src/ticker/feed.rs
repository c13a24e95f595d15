//! A source relation as the ticker sees it: its lanes, what was taken of them in the tick at hand, its stream time.
//!
//! # Stream time
//! The least over the lanes of the largest event time that was taken from each. A lane that has ended, or that has been
//! silent for `idle_ms`, is left out. It is looked at in the order of the merged records and at each end of a lane, so
//! that it is the same however records are cut into ticks; and it never goes back.

use millrace_connect::{DecodeErrorRow, Progress};
use millrace_data::Batch;
use millrace_dataflow::{Rows, StreamTime};
use millrace_planner::catalog::RelationId;

use super::hub::{Hub, Message, QueueId};
use super::lane_batch::{LaneBatch, NO_TIME, stamp};

/// How long a feed holds up those that wait for its backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backlog {
    /// Until its end.
    Bounded,
    /// Until it has nothing for the first time.
    UntilIdle,
    /// Not at all: it has no end and no pause that one could wait for.
    Endless,
}

/// See the module.
pub(crate) struct Feed {
    pub(crate) relation: RelationId,
    /// Its rows go into a keyed table or a bag: their order matters within a tick, across lanes too.
    pub(crate) table: bool,
    /// How many columns its connector knows; system columns follow, if it has any.
    pub(crate) visible: usize,
    pub(crate) backlog: Backlog,
    /// Feeds of a higher level wait for the backlog of this one.
    pub(crate) level: usize,
    /// Nobody takes its rows now: it gives none, and nobody waits for it.
    pub(crate) held: bool,
    pub(crate) lanes: Vec<Lane>,
    /// Rows of the tick at hand, in order.
    pieces: Vec<Rows>,
    stream_time: i64,
    /// What the engine was told last.
    told: StreamTime,
    /// What follows cannot be read: it never counts as ended.
    failed: bool,
}

/// One partition.
pub(crate) struct Lane {
    queue: QueueId,
    partition: i32,
    batch: Option<LaneBatch>,
    /// The row of `batch` that comes next.
    at: usize,
    /// The first row of `batch` that was taken in the tick at hand.
    from: usize,
    /// Largest event time taken.
    high: i64,
    /// Order of arrival counts, not event time: it has no end, or comes at a pace of its own.
    pub(crate) live: bool,
    /// It had nothing when it was last looked at.
    pub(crate) idle: bool,
    pub(crate) ended: bool,
    /// When something last arrived, monotonic ns.
    arrived_ns: u64,
    left_out: bool,
    stalled: bool,
}

/// What a lane has next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// A row.
    Row,
    /// Not known yet.
    Unknown,
    /// Nothing any more.
    End,
}

/// What else a lane said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// A record that cannot be read.
    Error(DecodeErrorRow),
    /// The source cannot be read now.
    Stalled(String),
    /// It can be read again.
    Recovered,
    /// The source cannot be read any more.
    Failed(String),
}

impl Feed {
    pub(crate) fn new(relation: RelationId, table: bool, visible: usize, backlog: Backlog) -> Self {
        let told = StreamTime::START;
        let (lanes, pieces, failed) = (vec![], vec![], false);
        Feed {
            relation,
            table,
            visible,
            backlog,
            level: 0,
            held: false,
            lanes,
            pieces,
            stream_time: NO_TIME,
            told,
            failed,
        }
    }

    /// Whether nothing will come any more.
    pub(crate) fn ended(&self) -> bool {
        !self.failed && self.lanes.iter().all(|lane| lane.ended)
    }

    /// Whether those that wait for its backlog may go on.
    pub(crate) fn backlog_is_in(&self) -> bool {
        match self.backlog {
            Backlog::Endless => true,
            Backlog::Bounded => self.ended(),
            Backlog::UntilIdle => self.lanes.iter().all(|lane| lane.idle || lane.ended),
        }
    }

    /// What lane `l` has next, without waiting.
    pub(crate) fn head(&mut self, l: usize, hub: &Hub, now: Now, notes: &mut Vec<(RelationId, Note)>) -> Head {
        loop {
            let lane = &self.lanes[l];
            if lane.has_row() {
                return Head::Row;
            }
            if lane.ended {
                return Head::End;
            }
            let Some(message) = hub.take(lane.queue) else { return Head::Unknown };
            self.note(l, message, now, notes);
        }
    }

    /// The same for a lane that is merged; `None` for a live one.
    pub(crate) fn head_unless_live(
        &mut self,
        l: usize,
        hub: &Hub,
        now: Now,
        notes: &mut Vec<(RelationId, Note)>,
    ) -> Option<Head> {
        loop {
            let lane = &mut self.lanes[l];
            if lane.live {
                return None;
            }
            if lane.has_row() {
                return Some(Head::Row);
            }
            if lane.ended {
                return Some(Head::End);
            }
            let Some(message) = hub.take(lane.queue) else { return Some(Head::Unknown) };
            self.note(l, message, now, notes);
        }
    }

    fn note(&mut self, l: usize, message: Message, now: Now, notes: &mut Vec<(RelationId, Note)>) {
        self.flush(l, now);
        let lane = &mut self.lanes[l];
        if lane.stalled && !matches!(message, Message::Stalled(_)) {
            lane.stalled = false;
            notes.push((self.relation, Note::Recovered));
        }
        match message {
            Message::Rows(mut rows) => {
                notes.extend(std::mem::take(&mut rows.errors).into_iter().map(|e| (self.relation, Note::Error(e))));
                (lane.arrived_ns, lane.idle, lane.left_out) = (now.monotonic_ns, false, false);
                (lane.batch, lane.at, lane.from) = (Some(*rows), 0, 0);
            }
            Message::Idle => (lane.idle, lane.live) = (true, true),
            Message::End => {
                self.observe();
                self.lanes[l].ended = true;
                self.observe();
            }
            Message::Stalled(reason) => {
                (lane.stalled, lane.live) = (true, true);
                notes.push((self.relation, Note::Stalled(reason)));
            }
            Message::Failed(reason) => {
                (lane.ended, self.failed) = (true, true);
                notes.push((self.relation, Note::Failed(reason)));
            }
        }
    }

    /// Takes `n` rows of lane `l`.
    pub(crate) fn take(&mut self, l: usize, n: usize, now: Now) {
        if self.table && self.lanes.iter().enumerate().any(|(other, lane)| other != l && lane.from < lane.at) {
            // rows of another lane came before these
            (0..self.lanes.len()).filter(|other| *other != l).for_each(|other| self.flush(other, now));
        }
        let lane = &mut self.lanes[l];
        lane.at += n;
        if let Some(times) = lane.batch.as_ref().and_then(|b| b.times.as_ref()) {
            lane.high = lane.high.max(times.highs[lane.at - 1]);
        }
    }

    /// Hands what was taken of lane `l` to the tick.
    fn flush(&mut self, l: usize, now: Now) {
        let lane = &mut self.lanes[l];
        let Some(rows) = &lane.batch else { return };
        let (from, n) = (lane.from, lane.at - lane.from);
        lane.from = lane.at;
        if n == 0 {
            return;
        }
        let mut batch = rows.batch.slice(from, n);
        if rows.times.is_none() {
            batch = stamp(&batch, self.visible, now.wall_ms, &mut lane.high);
        }
        let deletes = rows.deletes.as_ref().map(|d| d.slice(from, n));
        if !lane.has_row() {
            lane.batch = None;
            (lane.at, lane.from) = (0, 0);
        }
        self.pieces.push(Rows { relation: self.relation, batch, deletes, only: None });
    }

    /// Closes the tick: its rows, in order, streams cut into `parts`; and the stream time, if it has moved.
    pub(crate) fn close(&mut self, parts: usize, now: Now) -> (Vec<Rows>, Option<StreamTime>) {
        (0..self.lanes.len()).for_each(|l| self.flush(l, now));
        self.observe();
        let mut time = StreamTime { close: self.stream_time, retain: self.stream_time };
        if self.ended() {
            time = time.ended();
        }
        let moved = (time != self.told).then_some(time);
        self.told = time;
        let pieces = std::mem::take(&mut self.pieces);
        if self.table {
            return (pieces, moved);
        }
        (spread(pieces, parts), moved)
    }

    /// Leaves out lanes that have been silent for `idle_ns`; whether there is one more.
    pub(crate) fn leave_out_silent(&mut self, now_ns: u64, idle_ns: u64) -> bool {
        let silent = |lane: &&mut Lane| {
            lane.live && !lane.left_out && !lane.ended && now_ns.saturating_sub(lane.arrived_ns) >= idle_ns
        };
        self.lanes.iter_mut().filter(silent).map(|lane| lane.left_out = true).count() > 0
    }

    fn observe(&mut self) {
        let counting = self.lanes.iter().filter(|lane| !lane.ended && !lane.left_out);
        if let Some(least) = counting.map(|lane| lane.high).min() {
            self.stream_time = self.stream_time.max(least);
        }
    }

    /// How far its readers are, together.
    pub(crate) fn progress(&self, hub: &Hub) -> Progress {
        let add = |a: Option<u64>, b: Option<u64>| Some(a? + b?);
        let lanes = self.lanes.iter().map(|lane| hub.progress(lane.queue));
        let sum = |a: Progress, b: Progress| Progress {
            rows: a.rows + b.rows,
            rows_total: add(a.rows_total, b.rows_total),
            bytes: a.bytes + b.bytes,
            bytes_total: add(a.bytes_total, b.bytes_total),
        };
        lanes.reduce(sum).unwrap_or_default()
    }

    /// Nobody wants its rows any more.
    pub(crate) fn close_queues(&self, hub: &Hub) {
        self.lanes.iter().for_each(|lane| hub.close(lane.queue));
    }
}

impl Lane {
    pub(crate) fn new(queue: QueueId, partition: i32, live: bool, now_ns: u64) -> Self {
        Lane {
            queue,
            partition,
            batch: None,
            at: 0,
            from: 0,
            high: NO_TIME,
            live,
            idle: false,
            ended: false,
            arrived_ns: now_ns,
            left_out: false,
            stalled: false,
        }
    }

    fn has_row(&self) -> bool {
        self.rows_at_hand() > 0
    }

    /// Rows that can be taken without asking the queue.
    pub(crate) fn rows_at_hand(&self) -> usize {
        self.batch.as_ref().map_or(0, |rows| rows.batch.len() - self.at)
    }

    /// What its next row is merged by: event time, then partition. Rows that the clock dates come last.
    pub(crate) fn order(&self) -> (i64, i32) {
        (self.order_of(self.at), self.partition)
    }

    /// How many of its next `most` rows come while `before` holds for what they are merged by.
    pub(crate) fn run(&self, most: usize, before: impl Fn((i64, i32)) -> bool) -> usize {
        let most = most.min(self.rows_at_hand());
        (0..most).take_while(|i| before((self.order_of(self.at + i), self.partition))).count()
    }

    fn order_of(&self, row: usize) -> i64 {
        self.batch.as_ref().and_then(|rows| rows.times.as_ref()).map_or(i64::MAX, |times| times.order(row))
    }
}

/// The clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) wall_ms: i64,
    pub(crate) monotonic_ns: u64,
}

/// Rows of a stream in `parts` pieces of equal size, so that every worker gets some; small runs stay whole.
fn spread(pieces: Vec<Rows>, parts: usize) -> Vec<Rows> {
    /// Rows of a piece, at least: below this a piece costs more than it brings.
    const PIECE_ROWS_MIN: usize = 512;
    let mut spread = Vec::with_capacity(pieces.len());
    for rows in pieces {
        let piece = rows.batch.len().div_ceil(parts).max(PIECE_ROWS_MIN);
        let mut from = 0;
        while from < rows.batch.len() {
            let n = piece.min(rows.batch.len() - from);
            let batch: Batch = rows.batch.slice(from, n);
            spread.push(Rows { relation: rows.relation, batch, deletes: None, only: None });
            from += n;
        }
    }
    spread
}
