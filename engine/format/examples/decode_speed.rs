//! How fast JSON and delimited records become columns, beside Arrow's own readers, on the same bytes in one run.
//!
//! `cargo run --release -p millrace-format --example decode_speed [ROWS] [ROUNDS] [WHAT]`
//!
//! Prints million records and megabytes per second of core time, best of the rounds, and checks that both gave the same
//! number of rows and the same columns.
// It measures this process from outside the engine, so it asks the system itself.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::ArrayRef;
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use millrace_format::{
    ColumnSpec, Decoder, DelimitedDecoder, DelimitedEncoder, DelimitedOptions, Framing, JsonDecoder, JsonEncoder,
    RecordSpec, RecordSplitter, Records, TimeForm,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const BLOCK_ROWS: usize = 10_000;
const CHUNK_BYTES: usize = 1 << 20;

/// Time that this thread spent on a core, where the system tells it, so that a busy machine does not count.
#[derive(Clone, Copy)]
struct Start(Duration);

impl Start {
    fn now() -> Self {
        static EPOCH: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        let on_core = stat.and_then(|s| s.split(' ').next()?.parse().ok()).map(Duration::from_nanos);
        Start(on_core.unwrap_or_else(|| EPOCH.get_or_init(Instant::now).elapsed()))
    }

    fn elapsed(self) -> Duration {
        Start::now().0.saturating_sub(self.0)
    }
}

struct Case {
    name: &'static str,
    columns: Vec<ColumnSpec>,
    text: Vec<u8>,
}

fn columns(columns: &[(&str, DataType)]) -> Vec<ColumnSpec> {
    columns.iter().map(|(name, t)| ColumnSpec::new(*name, t.clone())).collect()
}

/// As Nexmark's bids: five numbers, a time, three texts.
fn bids(rows: usize) -> Case {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut text = String::new();
    for i in 0..rows {
        let channel = ["Google", "Facebook", "Baidu", "Apple", "channel-1234"][rng.random_range(0..5)];
        text += &format!(
            "{{\"auction\":{},\"bidder\":{},\"price\":{},\"channel\":\"{channel}\",\"url\":\"https://www.nexmark.com/{:x}/item.htm?query=1\",\"dateTime\":{},\"extra\":\"{:x}\"}}\n",
            1000 + rng.random_range(0..100_000),
            1000 + rng.random_range(0..50_000),
            10_f64.powf(rng.random::<f64>() * 6.0 + 2.0) as i64,
            rng.random::<u32>(),
            1_436_918_400_000_i64 + i as i64 / 10,
            rng.random::<u128>() >> rng.random_range(0..60),
        );
    }
    let text_type = DataType::Utf8;
    let columns = columns(&[
        ("auction", DataType::Int64),
        ("bidder", DataType::Int64),
        ("price", DataType::Int64),
        ("channel", text_type.clone()),
        ("url", text_type.clone()),
        ("dateTime", DataType::Int64),
        ("extra", text_type),
    ]);
    Case { name: "bids", columns, text: text.into_bytes() }
}

/// As ratings of an airline: small numbers, short texts, one longer one.
fn ratings(rows: usize) -> Case {
    let mut rng = SmallRng::seed_from_u64(2);
    let mut text = String::new();
    for i in 0..rows {
        let channel = ["web", "iOS", "android", "iOS-test"][rng.random_range(0..4)];
        let message = [
            "Surprisingly good, you are getting better at this!",
            "why is it so difficult to keep the bathrooms clean ?",
            "thank you for the most friendly, helpful experience today at your new lounge",
            "meh",
        ][rng.random_range(0..4)];
        text += &format!(
            "{{\"rating_id\":{i},\"user_id\":{},\"stars\":{},\"route_id\":{},\"rating_time\":{},\"channel\":\"{channel}\",\"message\":\"{message}\"}}\n",
            rng.random_range(1..20),
            rng.random_range(1..5),
            rng.random_range(1..10_000),
            1_538_136_000_000_i64 + i as i64,
        );
    }
    let columns = columns(&[
        ("rating_id", DataType::Int64),
        ("user_id", DataType::Int32),
        ("stars", DataType::Int32),
        ("route_id", DataType::Int32),
        ("rating_time", DataType::Int64),
        ("channel", DataType::Utf8),
        ("message", DataType::Utf8),
    ]);
    Case { name: "ratings", columns, text: text.into_bytes() }
}

/// As measurements, spaces as Python writes them: floats, ISO times, escapes, NULLs.
fn readings(rows: usize) -> Case {
    let mut rng = SmallRng::seed_from_u64(3);
    let mut text = String::new();
    for i in 0..rows {
        let note = ["null", "\"\"", "\"said \\\"ok\\\"\"", "\"na\u{ef}ve\""][rng.random_range(0..4)];
        text += &format!(
            "{{\"sensor\": \"s-{}\", \"at\": \"2024-05-{:02}T{:02}:{:02}:00.{:03}\", \"value\": {:.3}, \"error\": {}, \"good\": {}, \"note\": {note}}}\n",
            rng.random_range(0..1000),
            1 + i % 28,
            i % 24,
            i % 60,
            i % 1000,
            rng.random::<f64>() * 100.0,
            rng.random::<f64>(),
            rng.random::<bool>(),
        );
    }
    let columns = columns(&[
        ("sensor", DataType::Utf8),
        ("at", DataType::Timestamp(TimeUnit::Microsecond, None)),
        ("value", DataType::Float64),
        ("error", DataType::Float64),
        ("good", DataType::Boolean),
        ("note", DataType::Utf8),
    ]);
    Case { name: "readings", columns, text: text.into_bytes() }
}

/// Splits the whole text, and does something with each block.
fn split(text: &[u8], framing: Framing, mut block: impl FnMut(Records<'_>)) {
    let mut splitter = RecordSplitter::new(framing);
    let mut chunks = text.chunks(CHUNK_BYTES);
    while !splitter.is_done() {
        if let Some(records) = splitter.take_full(BLOCK_ROWS, 64 << 20) {
            block(records);
            continue;
        }
        match chunks.next() {
            Some(chunk) => splitter.push(chunk),
            None => splitter.finish(),
        }
    }
}

/// The columns of each block of the text.
fn ours(text: &[u8], framing: Framing, decoder: &mut dyn Decoder) -> Vec<Vec<ArrayRef>> {
    let mut out = Vec::new();
    split(text, framing, |records| {
        let decoded = decoder.decode(records).expect("a spec that fits");
        assert_eq!(decoded.errors, []);
        out.push(decoded.columns);
    });
    out
}

fn schema(case: &Case) -> Arc<Schema> {
    Arc::new(Schema::new(
        case.columns.iter().map(|c| Field::new(&c.name, c.data_type.clone(), true)).collect::<Vec<_>>(),
    ))
}

fn arrow_json(case: &Case) -> Vec<Vec<ArrayRef>> {
    let mut decoder =
        arrow_json::ReaderBuilder::new(schema(case)).with_batch_size(BLOCK_ROWS).build_decoder().expect("types");
    let mut out = Vec::new();
    let mut rest = &case.text[..];
    loop {
        let n = decoder.decode(rest).expect("valid JSON");
        rest = &rest[n..];
        match decoder.flush().expect("valid JSON") {
            Some(batch) => out.push(batch.columns().to_vec()),
            None => return out,
        }
    }
}

fn assert_same(case: &Case, a: &[Vec<ArrayRef>], b: &[Vec<ArrayRef>]) {
    let whole = |blocks: &[Vec<ArrayRef>], column: usize| {
        concat(&blocks.iter().map(|b| b[column].as_ref()).collect::<Vec<_>>()).expect("equal types")
    };
    for c in 0..case.columns.len() {
        assert_eq!(&whole(a, c), &whole(b, c), "column {c}");
    }
}

struct Measure {
    rows: usize,
    rounds: usize,
    only: Option<String>,
}

impl Measure {
    /// The best time of the rounds, shown; `None` if it is not asked for.
    fn run<T>(&self, what: &str, bytes: usize, mut work: impl FnMut() -> T) -> Option<Duration> {
        if self.only.as_ref().is_some_and(|only| only != what) {
            return None;
        }
        let mut best = Duration::MAX;
        for _ in 0..self.rounds {
            let start = Start::now();
            std::hint::black_box(work());
            best = best.min(start.elapsed());
        }
        let seconds = best.as_secs_f64();
        println!(
            "  {what:<18} {:>7.2} M records/s {:>8.0} MB/s {:>7.0} ns/record",
            self.rows as f64 / seconds / 1e6,
            bytes as f64 / seconds / 1e6,
            seconds * 1e9 / self.rows as f64
        );
        Some(best)
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |default| args.next().map_or(default, |a| a.parse().expect("a number"));
    let (rows, rounds) = (number(500_000), number(5));
    let measure = Measure { rows, rounds, only: args.next() };
    for case in [bids(rows), ratings(rows), readings(rows)] {
        println!("{}: {} bytes a record", case.name, case.text.len() / rows);
        let bytes = case.text.len();
        let mut json = JsonDecoder::new(RecordSpec::all_of(case.columns.clone())).expect("types of SQL");
        let blocks = ours(&case.text, Framing::Lines, &mut json);
        let theirs = measure.run("arrow-json", bytes, || arrow_json(&case));
        let own = measure.run("json-decode", bytes, || ours(&case.text, Framing::Lines, &mut json));
        if let (Some(theirs), Some(own)) = (theirs, own) {
            assert_same(&case, &blocks, &arrow_json(&case));
            println!("  {:<18} {:>7.2} x", "", theirs.as_secs_f64() / own.as_secs_f64());
        }
        measure.run("split", bytes, || split(&case.text, Framing::Lines, |_| ()));
        others(&case, &blocks, &measure);
    }
}

/// Encoding, and the same rows as delimited text.
fn others(case: &Case, blocks: &[Vec<ArrayRef>], measure: &Measure) {
    let names = || case.columns.iter().map(|c| c.name.as_str());
    let encoder = JsonEncoder::new(names(), TimeForm::Number);
    let options = DelimitedOptions { header: false, ..DelimitedOptions::default() };
    let delimited = DelimitedEncoder::new(names(), options, TimeForm::Number).expect("a comma delimits");
    let mut decoder = DelimitedDecoder::new(RecordSpec::all_of(case.columns.clone()), options).expect("types of SQL");
    let mut out = Vec::with_capacity(2 * case.text.len());
    measure.run("json-encode", case.text.len(), || {
        out.clear();
        blocks.iter().for_each(|b| encoder.encode(b, &mut out).expect("types of SQL"));
    });
    out.clear();
    blocks.iter().for_each(|b| delimited.encode(b, &mut out).expect("types of SQL"));
    let text = out.clone();
    measure.run("delimited-encode", text.len(), || {
        out.clear();
        blocks.iter().for_each(|b| delimited.encode(b, &mut out).expect("types of SQL"));
    });
    let framing = options.framing(case.columns.len());
    assert_same(case, &ours(&text, framing, &mut decoder), blocks);
    measure.run("delimited-decode", text.len(), || ours(&text, framing, &mut decoder));
    measure.run("delimited-split", text.len(), || split(&text, framing, |_| ()));
}
