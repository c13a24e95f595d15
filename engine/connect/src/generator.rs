//! `CONNECTOR = 'generator'`: made-up rows that look real, the same for the same seed.
//!
//! ```text
//! GENERATOR, SEED ──▶ values by row number ([`draw`])      ─┐
//! RATE            ──▶ event times and when rows are due     ├─▶ batches of any size
//!                     ([`schedule`])                        │
//! ROWS            ──▶ where it ends                        ─┘
//! ```
//! Every generator is one file below. Rows are made a column at a time, and only the wanted columns.
//!
//! Without RATE, event time starts at 2024-01-01T00:00:00Z and moves by the generator's own step, so that two runs are
//! equal to the last byte. With RATE, row *i* happens *i*/RATE seconds after the source was first opened and comes when
//! that time has come; a reader that opens the source again gets the same rows with the same times.

mod account_movements;
mod authorization_attempts;
mod clickstream;
mod customers;
mod declared;
mod draw;
mod orders;
mod ratings;
mod schedule;
mod syslog;

use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use millrace_data::Batch;
use millrace_world::World;

use self::declared::DeclaredColumn;
use self::draw::{Lane, Rows};
use self::schedule::{Disorder, EPOCH_MS, Schedule, rows_due};
use crate::error::{ConnectError, SourceError};
use crate::event_time::EventTime;
use crate::options::{Options, suggest};
use crate::source::{Column, Progress, Read, Source, SourceBatch, SourceReader, resolve_wanted};
use crate::{READ_ROWS_MAX, SourceRequest};

const KNOWN: [&str; 6] = ["GENERATOR", "SEED", "ROWS", "RATE", "TIMESTAMP", "TIMESTAMP_FORMAT"];

/// Seed when none is given: a number, not the clock, so that a script without SEED repeats too.
const SEED_DEFAULT: u64 = 1;

/// Most rows per second that can be asked for; more than that is `RATE = 0`.
const RATE_MAX: f64 = 1e9;

/// Name and type of a column that a generator makes.
type GeneratedColumn = (&'static str, DataType);

/// Makes rows of one kind.
///
/// # Contract
/// `column` is a function of the seed, the row numbers and the schedule alone. It has the type that `columns` says.
trait Generator: Send + Sync {
    fn name(&self) -> &'static str;
    fn columns(&self) -> &'static [GeneratedColumn];
    /// Event time from row to row when nobody paces it.
    fn step_ms(&self) -> u32;
    /// Rows that lie before the start of time when nobody paces it: tables that streams refer to.
    fn rows_before_start(&self) -> u64 {
        0
    }
    /// Rows when ROWS is not given; `None`: without end.
    fn rows_default(&self) -> Option<u64> {
        None
    }
    fn disorder(&self) -> Disorder {
        Disorder::NONE
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef;
}

static GENERATORS: [&dyn Generator; 9] = [
    &ratings::Ratings,
    &customers::Customers,
    &clickstream::Clickstream,
    &customers::Users,
    &authorization_attempts::AuthorizationAttempts,
    &syslog::Syslog,
    &clickstream::Pageviews,
    &account_movements::AccountMovements,
    &orders::Orders,
];

/// The names that GENERATOR may have.
pub fn generator_names() -> impl Iterator<Item = &'static str> {
    GENERATORS.iter().map(|g| g.name())
}

/// See the module.
struct GeneratorSource {
    plan: Arc<GeneratorPlan>,
}

/// What readers of one source share.
struct GeneratorPlan {
    generator: &'static dyn Generator,
    seed: u64,
    rows: Option<u64>,
    /// Rows per second; `None`: not paced.
    rate: Option<f64>,
    columns: Vec<Column>,
    declared: Vec<DeclaredColumn>,
    wanted: Vec<usize>,
    event_time: Option<EventTime>,
    /// When a paced source was first opened.
    start: OnceLock<Start>,
    world: World,
}

#[derive(Clone, Copy)]
struct Start {
    wall_ms: i64,
    monotonic_ns: u64,
}

struct GeneratorReader {
    plan: Arc<GeneratorPlan>,
    schedule: Schedule,
    start_ns: u64,
    next: u64,
    times: Vec<i64>,
}

/// Opens a generator.
pub(crate) fn open(request: &SourceRequest<'_>, world: &World) -> Result<Box<dyn Source>, ConnectError> {
    let options = Options::new("generator", request.options, &KNOWN)?;
    let names: Vec<&str> = generator_names().collect();
    let Some(name) = options.text("GENERATOR") else {
        let error = ConnectError::option("CONNECTOR", "CONNECTOR = 'generator' needs a GENERATOR");
        return Err(error.hint(format!("there are {}", names.join(", "))));
    };
    let Some(generator) = GENERATORS.iter().find(|g| g.name().eq_ignore_ascii_case(name)) else {
        let error = ConnectError::option("GENERATOR", format!("there is no generator '{name}'"));
        return Err(error.hint(suggest(name, &names)));
    };
    let rate = options.parsed::<f64>("RATE", "a number of rows per second, 0 for as fast as it goes")?.unwrap_or(0.0);
    if !(0.0..=RATE_MAX).contains(&rate) {
        let message =
            format!("RATE is {rate}, it must be between 0 (as fast as it goes) and {RATE_MAX} rows per second");
        return Err(ConnectError::option("RATE", message));
    }
    let (columns, declared) = declared::resolve(*generator, request.columns)?;
    let plan = GeneratorPlan {
        generator: *generator,
        seed: options.whole_number("SEED")?.unwrap_or(SEED_DEFAULT),
        rows: options.whole_number("ROWS")?.or(generator.rows_default()),
        rate: (rate > 0.0).then_some(rate),
        wanted: resolve_wanted(request.wanted, &columns),
        event_time: EventTime::resolve(&options, &columns)?,
        columns,
        declared,
        start: OnceLock::new(),
        world: world.clone(),
    };
    Ok(Box::new(GeneratorSource { plan: Arc::new(plan) }))
}

impl Source for GeneratorSource {
    fn partitions(&self) -> usize {
        1
    }
    fn bounded(&self) -> bool {
        self.plan.rows.is_some()
    }
    fn columns(&self) -> &[Column] {
        &self.plan.columns
    }
    fn open(&self, partition: usize) -> Result<Box<dyn SourceReader>, SourceError> {
        assert_eq!(partition, 0, "a generator has one partition");
        let clock = self.plan.world.clock();
        let now = || Start { wall_ms: clock.wall_ms(), monotonic_ns: clock.monotonic_ns() };
        let start = *self.plan.start.get_or_init(now);
        let schedule = self.plan.schedule(start);
        let plan = Arc::clone(&self.plan);
        Ok(Box::new(GeneratorReader { plan, schedule, start_ns: start.monotonic_ns, next: 0, times: vec![] }))
    }
}

impl GeneratorPlan {
    fn schedule(&self, start: Start) -> Schedule {
        let generator = self.generator;
        let (start_ms, step_ms) = match self.rate {
            Some(rate) => (start.wall_ms, 1_000.0 / rate),
            None => {
                let before = generator.rows_before_start() as i64 * i64::from(generator.step_ms());
                (EPOCH_MS - before, f64::from(generator.step_ms()))
            }
        };
        Schedule { start_ms, step_ms, disorder: generator.disorder(), lane: Lane::new(self.seed, u64::MAX) }
    }

    fn column(&self, column: usize, rows: &Rows<'_>) -> Result<ArrayRef, SourceError> {
        let declared = &self.declared[column];
        declared.convert(&self.generator.column(declared.generated, rows))
    }
}

impl GeneratorReader {
    /// Rows that may be made now, at most `rows_max`.
    fn ready(&self, rows_max: usize) -> u64 {
        let due = match self.plan.rate {
            None => u64::MAX,
            Some(rate) => rows_due(self.plan.world.clock().monotonic_ns().saturating_sub(self.start_ns), rate),
        };
        let end = due.min(self.plan.rows.unwrap_or(u64::MAX));
        end.saturating_sub(self.next).min(rows_max.min(READ_ROWS_MAX) as u64)
    }

    fn make(&mut self, n: u64) -> Result<SourceBatch, SourceError> {
        let plan = &self.plan;
        self.times.clear();
        self.times.extend((self.next..self.next + n).map(|row| self.schedule.time(row)));
        let rows = Rows { seed: plan.seed, start: self.next, times: &self.times, schedule: &self.schedule };
        let columns = plan.wanted.iter().map(|c| plan.column(*c, &rows)).collect::<Result<Vec<_>, _>>()?;
        let row_times = match &plan.event_time {
            None => Int64Array::from_iter_values(self.times.iter().copied()),
            Some(event_time) => event_time.times(&plan.column(event_time.column, &rows)?).0,
        };
        let batch = Batch::new(columns, None, n as usize);
        Ok(SourceBatch {
            batch,
            row_times: Some(row_times),
            first_offset: self.next as i64,
            offsets: None,
            deletes: None,
            errors: vec![],
        })
    }
}

impl SourceReader for GeneratorReader {
    fn read(&mut self, rows_max: usize) -> Result<Read, SourceError> {
        if self.plan.rows.is_some_and(|rows| self.next >= rows) {
            return Ok(Read::End);
        }
        let n = self.ready(rows_max);
        if n == 0 {
            return Ok(Read::Idle);
        }
        let batch = self.make(n)?;
        self.next += n;
        Ok(Read::Batch(batch))
    }
    fn progress(&self) -> Progress {
        Progress { rows: self.next, rows_total: self.plan.rows, ..Progress::default() }
    }
}

#[cfg(test)]
mod tests;
