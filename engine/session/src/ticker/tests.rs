//! Live input that is behind: larger ticks, the same rows.

use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use millrace_connect::SourceBatch;
use millrace_data::Batch;
use millrace_planner::catalog::SYSTEM_COLUMNS;
use millrace_world::{Clock, SimulatedWorld};

use super::*;

const RELATION: RelationId = RelationId(1);

/// A millisecond passes whenever somebody looks.
#[derive(Debug, Default)]
struct PassingClock(AtomicU64);

impl Clock for PassingClock {
    fn wall_ms(&self) -> i64 {
        1_000
    }
    fn monotonic_ns(&self) -> u64 {
        self.0.fetch_add(1_000_000, Ordering::SeqCst)
    }
    fn sleep(&self, _: Duration) {}
}

fn ticker(behind_rows_max: usize) -> Ticker {
    let simulated = SimulatedWorld::new(0);
    let world = simulated.world();
    let parts = (Arc::clone(world.files()), Arc::clone(world.entropy()), Arc::clone(world.threads()));
    let world = World::of(Arc::new(PassingClock::default()), parts.0, parts.1, parts.2);
    let pace = Pace {
        record: false,
        rows_max: 10,
        live_rows_max: 10,
        behind_rows_max,
        tick: Duration::from_millis(5),
        idle: Duration::from_secs(3600),
    };
    Ticker::new(&world, pace, 1, Interrupt::default())
}

/// A live lane with a backlog of rows 0, 1, 2, … in batches of these sizes, and then nothing.
fn backlog(ticker: &mut Ticker, sizes: &[usize]) -> QueueId {
    let fields = [("X", DataType::Int64)].into_iter().chain(SYSTEM_COLUMNS);
    let fields = fields.map(|(name, data_type)| Field::new(name, data_type, true)).collect::<Vec<_>>();
    let shape = Shape { schema: Arc::new(Schema::new(fields)), visible: 1, wanted: vec![0] };
    let queue = ticker.hub.add();
    let (mut first, mut high) = (0, NO_TIME);
    for n in sizes {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(first..first + *n as i64));
        let read = SourceBatch {
            batch: Batch::new(vec![column], None, *n),
            row_times: None,
            first_offset: first,
            offsets: None,
            deletes: None,
            errors: vec![],
        };
        let rows = shape.rows(read, 0, &mut high);
        ticker.hub.send(queue, Message::Rows(Box::new(rows)), Progress::default());
        first += *n as i64;
    }
    ticker.hub.send(queue, Message::Idle, Progress::default());
    let mut feed = Feed::new(RELATION, false, 1, Backlog::Endless);
    feed.lanes.push(Lane::new(queue, 0, true, 0));
    ticker.feeds.push(feed);
    queue
}

/// The rows of each tick, until there are none.
fn ticks(ticker: &mut Ticker) -> Vec<Vec<i64>> {
    let mut ticks = vec![];
    loop {
        let Gathered::Tick(parts) = ticker.gather() else { return ticks };
        let batches = parts.rows.iter().map(|rows| rows.batch.column(0).as_primitive::<Int64Type>());
        let rows: Vec<i64> = batches.flat_map(|column| column.values().to_vec()).collect();
        if rows.is_empty() {
            return ticks;
        }
        ticks.push(rows);
    }
}

#[test]
fn ticks_are_larger_while_live_input_is_behind() {
    let run = |behind_rows_max| {
        let mut ticker = ticker(behind_rows_max);
        backlog(&mut ticker, &[64, 64, 64]);
        ticks(&mut ticker)
    };
    let (usual, larger) = (run(10), run(100));
    assert_eq!(usual.iter().map(Vec::len).collect::<Vec<_>>(), [vec![10; 19], vec![2]].concat());
    assert_eq!(larger.iter().map(Vec::len).collect::<Vec<_>>(), [100, 92]);
    assert_eq!(larger.concat(), usual.concat());
    assert_eq!(larger.concat(), (0..192).collect::<Vec<_>>());
}

#[test]
fn who_has_caught_up_has_ticks_of_the_usual_size() {
    let mut ticker = ticker(100);
    let queue = backlog(&mut ticker, &[25]);
    assert_eq!(ticks(&mut ticker).iter().map(Vec::len).collect::<Vec<_>>(), [25]);
    // it has caught up, and more comes at once
    assert!(ticker.hub.is_open(queue));
    ticker.feeds.clear();
    backlog(&mut ticker, &[9]);
    assert_eq!(ticks(&mut ticker).iter().map(Vec::len).collect::<Vec<_>>(), [9]);
    backlog(&mut ticker, &[30]);
    assert_eq!(ticks(&mut ticker).iter().map(Vec::len).collect::<Vec<_>>(), [30]);
}

#[test]
fn a_feed_that_is_held_gives_nothing_and_is_not_waited_for() {
    let mut ticker = ticker(100);
    backlog(&mut ticker, &[5]);
    ticker.hold(&[RELATION].into());
    assert!(matches!(ticker.gather(), Gathered::Ended));
    assert!(ticker.bounded_have_ended());
    assert_eq!(ticker.level(), usize::MAX);
    ticker.hold(&BTreeSet::new());
    assert_eq!(ticks(&mut ticker), [vec![0, 1, 2, 3, 4]]);
}
