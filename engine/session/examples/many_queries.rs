//! Many small queries over one stream: what one of them costs in memory, and what the others cost one of them in time.
//!
//! ```text
//! many_queries [--queries 1000] [--workers 1] [--ticks 2000] [--shape 0…9]
//! ```
//! Ten shapes, half of them with state, no two queries equal, all from SQL text. Each query sees some hundred rows. Then
//! one query is watched: rows that only it asks for come in ticks of their own, and the time from a row's coming in to
//! its change going out is taken, first without and then with the others, which have nothing to do then.
//! `--shape` prints the memory of queries of one shape alone.

// A program that is run by hand prints.
#![allow(clippy::print_stdout)]

use std::env;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use millrace_session::{
    Client, ClientGone, Notice, Options, Origin, Program, ResultHead, ResultId, ResultRows, Script, Session, Settings,
};
use millrace_world::World;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Each with the user or thing `{n}` of its own.
const SHAPES: [(&str, &str); 10] = [
    ("filter", "SELECT ITEM, PRICE FROM S WHERE USER_ID = {n}"),
    ("filter text", "SELECT USER_ID, PRICE * 2 AS TWICE FROM S WHERE ITEM = 'item {n}'"),
    ("range", "SELECT USER_ID, ITEM FROM S WHERE PRICE > 100000 + {n}"),
    ("in list", "SELECT UCASE(ITEM) AS NAME, PRICE + {n} AS PRICE FROM S WHERE USER_ID IN ({n}, -{n})"),
    ("case", "SELECT CASE WHEN PRICE > 50 THEN 'much' ELSE ITEM END AS KIND FROM S WHERE USER_ID = {n} AND QTY > 1"),
    ("count, sum", "SELECT ITEM, COUNT(*) AS N, SUM(PRICE) AS TOTAL FROM S WHERE USER_ID = {n} GROUP BY ITEM"),
    ("max", "SELECT USER_ID, MAX(PRICE) AS MOST FROM S WHERE ITEM = 'item {n}' GROUP BY USER_ID"),
    ("join", "SELECT S.PRICE, C.NAME FROM S JOIN C ON S.USER_ID = C.ID WHERE S.USER_ID = {n}"),
    ("distinct", "SELECT DISTINCT ITEM, QTY FROM S WHERE USER_ID = {n}"),
    ("top-k", "SELECT ITEM, PRICE FROM S WHERE USER_ID = {n} ORDER BY PRICE DESC LIMIT 5"),
];

/// Rows that every query sees before anything is measured.
const ROWS_EACH: i64 = 100;

/// Rows of a tick while the state is built.
const TICK_ROWS: usize = 10_000;

struct Arguments {
    queries: usize,
    workers: usize,
    ticks: usize,
    shape: Option<usize>,
}

fn main() {
    let mut arguments = Arguments { queries: 1000, workers: 1, ticks: 2000, shape: None };
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{word} NUMBER"));
        match word.as_str() {
            "--queries" => arguments.queries = number(),
            "--workers" => arguments.workers = number(),
            "--ticks" => arguments.ticks = number(),
            "--shape" => arguments.shape = Some(number()),
            other => panic!("no argument {other}"),
        }
    }
    match arguments.shape {
        Some(shape) => report_shape(shape, &arguments),
        None => {
            report(&arguments);
        }
    }
}

/// What queries of one shape cost; the first ones, which make things for all of them, do not count.
fn report_shape(shape: usize, arguments: &Arguments) {
    let mut bench = Bench::start(arguments.workers);
    bench.install((0..10).map(|i| (shape, i)));
    let before = bench.resident_kb();
    bench.install((10..10 + arguments.queries).map(|i| (shape, i)));
    let made = bench.resident_kb();
    let rows_kb = bench.fill();
    let each = |kb: i64| kb as f64 / arguments.queries as f64;
    let (made, filled) = (each(made - before), each(bench.resident_kb() - before - rows_kb));
    println!("{:12} {made:7.1} KB each as made, {filled:7.1} KB with rows", SHAPES[shape].0);
}

/// Measures, prints, and says KB for each query.
fn report(arguments: &Arguments) -> f64 {
    let mut bench = Bench::start(arguments.workers);
    bench.watch();
    let alone = bench.latencies(arguments.ticks);
    bench.install((0..10).map(|i| (i % SHAPES.len(), i)));
    let before = bench.resident_kb();
    let begun_ns = bench.world.clock().monotonic_ns();
    bench.install((10..10 + arguments.queries).map(|i| (i % SHAPES.len(), i)));
    let took_ms = (bench.world.clock().monotonic_ns() - begun_ns) as f64 / 1e6;
    let made = bench.resident_kb();
    let rows_kb = bench.fill();
    let n = arguments.queries as f64;
    let per_query = (bench.resident_kb() - before - rows_kb) as f64 / n;
    println!(
        "{} queries, {} workers: {:.1} KB each as made, {per_query:.1} KB each with rows; {:.2} ms to make each",
        arguments.queries,
        arguments.workers,
        (made - before) as f64 / n,
        took_ms / n
    );
    let among = bench.latencies(arguments.ticks);
    for (name, all) in [("alone", &alone), ("among all", &among)] {
        let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize];
        println!("{name:10} p50 {:7.1} µs   p99 {:7.1} µs   max {:7.1} µs", at(0.5), at(0.99), at(1.0));
    }
    per_query
}

struct Bench {
    world: World,
    session: Session,
    client: Counter,
    queries: Vec<(usize, usize)>,
}

impl Bench {
    fn start(workers: usize) -> Bench {
        let mut settings = Settings::default();
        let set = settings.set("millrace.workers", Some(&workers.to_string()), Origin::Flag);
        set.unwrap_or_else(|error| panic!("{}", error.message));
        let world = World::real();
        let session = Session::new(Options { settings, ..Options::default() }, world.clone());
        let session = session.unwrap_or_else(|error| panic!("{}", error.error.message));
        let mut bench = Bench { world, session, client: Counter::default(), queries: vec![] };
        bench.run(
            "CREATE STREAM S (USER_ID BIGINT, ITEM VARCHAR, PRICE BIGINT, QTY BIGINT) WITH (CONNECTOR = 'memory');
             CREATE TABLE C (ID BIGINT PRIMARY KEY, NAME VARCHAR) WITH (CONNECTOR = 'memory');",
        );
        bench
    }

    fn run(&mut self, sql: &str) {
        let program = Program::parse(vec![Script { name: "many".to_owned(), text: sql.to_owned() }]);
        assert!(program.mistake().is_none(), "{:?}", program.mistake());
        for statement in program.statements() {
            let done = self.session.execute(statement, &mut self.client);
            done.unwrap_or_else(|error| panic!("{}: {sql}", error.error.message));
        }
    }

    fn watch(&mut self) {
        self.run("SELECT ITEM, PRICE FROM S WHERE USER_ID = -77 EMIT CHANGES;");
        self.advance();
    }

    fn install(&mut self, queries: impl Iterator<Item = (usize, usize)>) {
        for (shape, i) in queries {
            let sql = SHAPES[shape].1.replace("{n}", &(i + 1).to_string());
            self.run(&format!("CREATE MATERIALIZED VIEW Q{i} AS {sql};"));
            self.queries.push((shape, i));
        }
        self.advance();
    }

    fn advance(&mut self) {
        let tick = self.session.advance(&mut self.client);
        tick.unwrap_or_else(|error| panic!("{}", error.error.message));
    }

    /// Rows for every query, in an order that looks like none; how much of the memory is the rows themselves, in KB.
    fn fill(&mut self) -> i64 {
        let n = self.queries.len() as i64;
        let customers: Vec<i64> = (1..=n).collect();
        let names: ArrayRef =
            Arc::new(StringArray::from_iter_values(customers.iter().map(|i| format!("customer {i}"))));
        let fields = vec![Field::new("ID", DataType::Int64, true), Field::new("NAME", DataType::Utf8, true)];
        self.ingest("C", fields, vec![Arc::new(Int64Array::from(customers)), names]);
        let rows: Vec<(i64, i64, i64, i64)> = (0..n * ROWS_EACH)
            .map(|i| {
                let of = (i * 7919) % n + 1;
                (of, of, (i * 31) % 100 + if i % 97 == 0 { 100_000 + n } else { 0 }, i % 3)
            })
            .collect();
        let mut bytes = 0;
        for rows in rows.chunks(TICK_ROWS) {
            bytes += self.rows(rows);
        }
        (bytes / 1024) as i64
    }

    /// A tick of rows; the bytes of their columns, those that the system adds included.
    fn rows(&mut self, rows: &[(i64, i64, i64, i64)]) -> usize {
        let numbers = |f: fn(&(i64, i64, i64, i64)) -> i64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(f)))
        };
        let items: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| format!("item {}", row.1))));
        let field = |(name, data_type): (&str, DataType)| Field::new(name, data_type, true);
        let fields = [
            ("USER_ID", DataType::Int64),
            ("ITEM", DataType::Utf8),
            ("PRICE", DataType::Int64),
            ("QTY", DataType::Int64),
        ];
        let columns = vec![numbers(|row| row.0), items, numbers(|row| row.2), numbers(|row| row.3)];
        let bytes = columns.iter().map(|column| column.get_array_memory_size()).sum::<usize>() + rows.len() * 28;
        self.ingest("S", fields.map(field).to_vec(), columns);
        bytes
    }

    fn ingest(&mut self, relation: &str, fields: Vec<Field>, columns: Vec<ArrayRef>) {
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        let rows = rows.unwrap_or_else(|error| panic!("{error}"));
        let tick = self.session.ingest(relation, &rows, None, None, &mut self.client);
        tick.unwrap_or_else(|error| panic!("{}", error.error.message));
    }

    /// Memory of the process.
    fn resident_kb(&self) -> i64 {
        let status = self.world.files().read_whole(Path::new("/proc/self/status")).unwrap_or_default();
        let status = String::from_utf8_lossy(&status);
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
    }

    /// From a row's coming in to its change going out, µs, sorted.
    fn latencies(&mut self, ticks: usize) -> Vec<f64> {
        let mut latencies = Vec::with_capacity(ticks);
        for i in 0..ticks as i64 {
            let told = self.client.rows;
            let begun_ns = self.world.clock().monotonic_ns();
            self.rows(&[(-77, -77, i, 0)]);
            latencies.push((self.world.clock().monotonic_ns() - begun_ns) as f64 / 1e3);
            assert_eq!(self.client.rows, told + 1, "the row has gone out");
        }
        latencies.sort_by(f64::total_cmp);
        latencies
    }
}

/// Counts the rows that it is told.
#[derive(Default)]
struct Counter {
    rows: usize,
}

impl Client for Counter {
    fn head(&mut self, _: &ResultHead) -> Result<(), ClientGone> {
        Ok(())
    }

    fn rows(&mut self, rows: &ResultRows) -> Result<(), ClientGone> {
        self.rows += rows.rows.num_rows();
        Ok(())
    }

    fn done(&mut self, _: ResultId) -> Result<(), ClientGone> {
        Ok(())
    }

    fn notice(&mut self, _: &Notice) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_queries() {
        report(&Arguments { queries: 20, workers: 2, ticks: 20, shape: None });
    }
}
