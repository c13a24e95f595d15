//! T1 under a paced load: `millrace run` follows files that grow, and what it prints is read as it comes.
//!
//! ```text
//! schedule ─▶ this thread appends lines ─▶ files ─FOLLOW─▶ millrace run ─stdout─▶ reading thread: bytes, and when
//!                                                                                   └─▶ rows that each table has, by tick
//! ```
//! Beside the workload's view the program counts the rows of each table. A tick's changes are printed query by query, the
//! counts last: when a count has been read, all that the tick changed in the answer has been. So the latency of an event
//! is from its scheduled time until the counts that include it were read, and takes in the file, decoding, the tick, the
//! query, printing and the pipe. What was printed is only kept while the clock runs, and added up afterwards.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use millrace_bench_input::files::Lines;
use millrace_bench_input::pace::Pace;
use millrace_bench_input::{Figures, Request, Spec, Table, Tick};
use serde::Deserialize;

use super::files::{peak_of, source};
use super::rows::Rows;
use crate::peer::millrace_binary;

/// How long nothing may come before the run counts as stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file system in memory, where there is one: a disk's hiccups are nobody's latency.
const IN_MEMORY: &str = "/dev/shm";

pub(super) fn measure(request: &Request, query: &str) -> Result<Figures, String> {
    let spec = &request.spec;
    let tables = spec.workload.tables(spec, true);
    if let Some(table) = tables.iter().find(|t| t.retracts || t.key.is_some()) {
        return Err(format!("{}: what comes at a pace from files only grows", table.name));
    }
    let (mut pace, schedule) = (Pace::of(request)?, Pace::of(request)?);
    let (load, ticks) = texts(spec, &tables)?;
    let folder = Scratch::new(&tables)?;
    let mut run = Run::start(&folder, &tables, request.workers, query)?;
    let mut files = Files::open(&folder, &tables)?;

    let mut seen = run.wait_for(&vec![0; tables.len()])?;
    for tick in &load {
        files.append(tick)?;
        seen = run.wait_for(&tick.rows)?;
    }
    let (start_ns, cpu_s) = (run.now(), cpu_s_of(run.child.id()));
    let now = |run: &Run| run.now().saturating_sub(start_ns);
    let mut next = 0;
    while next < ticks.len() {
        schedule.sleep(next, || now(&run));
        let due = schedule.due(now(&run)).clamp(next + 1, ticks.len());
        ticks[next..due].iter().try_for_each(|tick| files.append(tick))?;
        next = due;
    }
    let all = ticks.last().map_or(seen, |tick| tick.rows.clone());
    run.wait_for(&all)?;
    let (wall_s, cpu_s) = (now(&run) as f64 / 1e9, cpu_s_of(run.child.id()) - cpu_s);
    let peak_mb = peak_of(run.child.id()) as f64 / 1024.0;
    let (printed, counts) = run.end()?;

    let mut done = 0;
    for count in &counts {
        let begun = done;
        done += ticks[done..].iter().take_while(|tick| covers(&count.rows, &tick.rows)).count();
        pace.done(begun..done, count.at_ns.saturating_sub(start_ns));
    }
    let mut rows = Rows::of_changes();
    printed.into_iter().try_for_each(|line| rows.line(&line))?;
    Ok(Figures { answer: rows.answer, cpu_s, wall_s, peak_mb, latency: pace.latency(), ..Figures::default() })
}

/// Lines of a tick, one text a table, and how many rows each table has with them.
struct Text {
    lines: Vec<Vec<u8>>,
    rows: Vec<u64>,
}

/// The ticks that are loaded, and those that are paced.
fn texts(spec: &Spec, tables: &[Table]) -> Result<(Vec<Text>, Vec<Text>), String> {
    let (lines, mut rows) = (Lines::new(tables.to_vec()), vec![0; tables.len()]);
    let text = |tick: Tick| {
        let mut texts = vec![vec![]; tables.len()];
        for (total, more) in rows.iter_mut().zip(lines.append(&tick, &mut texts)?) {
            *total += more as u64;
        }
        Ok(Text { lines: texts, rows: rows.clone() })
    };
    let mut load = spec.workload.ticks(spec, true).map(text).collect::<Result<Vec<Text>, String>>()?;
    let paced = load.split_off(spec.sizes().1);
    Ok((load, paced))
}

/// Whether there are as many rows as were written.
fn covers(seen: &[u64], written: &[u64]) -> bool {
    seen.iter().zip(written).all(|(seen, written)| seen >= written)
}

/// The files of one run; they are gone with it.
struct Scratch(PathBuf);

impl Scratch {
    /// A folder with an empty file for each table.
    fn new(tables: &[Table]) -> Result<Scratch, String> {
        let root = if Path::new(IN_MEMORY).is_dir() { PathBuf::from(IN_MEMORY) } else { std::env::temp_dir() };
        let scratch = Scratch(root.join(format!("millrace-bench-paced-{}", std::process::id())));
        fs::create_dir_all(&scratch.0).map_err(|e| format!("{}: {e}", scratch.0.display()))?;
        for table in tables {
            let path = scratch.file(table);
            File::create(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        Ok(scratch)
    }

    fn file(&self, table: &Table) -> PathBuf {
        self.0.join(format!("{}.jsonl", table.name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what is left behind is in memory or in a folder for such things
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The files while they grow.
struct Files(Vec<File>);

impl Files {
    fn open(folder: &Scratch, tables: &[Table]) -> Result<Files, String> {
        let open = |table| {
            let path = folder.file(table);
            File::options().append(true).open(&path).map_err(|e| format!("{}: {e}", path.display()))
        };
        Ok(Files(tables.iter().map(open).collect::<Result<_, _>>()?))
    }

    fn append(&mut self, tick: &Text) -> Result<(), String> {
        let mut each = self.0.iter_mut().zip(&tick.lines).filter(|(_, lines)| !lines.is_empty());
        each.try_for_each(|(file, lines)| file.write_all(lines)).map_err(|e| format!("a file cannot grow: {e}"))
    }
}

/// Rows that the tables had, and when this was read.
struct Counted {
    at_ns: u64,
    rows: Vec<u64>,
}

/// What the reading thread hands over at its end: lines of the answer.
type Printed = Vec<String>;

/// `millrace run`, and who reads what it prints.
struct Run {
    child: Child,
    origin: Instant,
    counts: Receiver<Counted>,
    /// Those that were received.
    received: Vec<Counted>,
    reading: Option<JoinHandle<Result<Printed, String>>>,
}

impl Run {
    fn start(folder: &Scratch, tables: &[Table], workers: usize, query: &str) -> Result<Run, String> {
        let binary = millrace_binary()?;
        let mut script: String = tables.iter().map(|t| source(t, &folder.file(t), ", FOLLOW='true'")).collect();
        script += query.trim().trim_end_matches(';');
        script += ";\nSELECT * FROM answer EMIT CHANGES;\n";
        let answer = tables.len() + 2;
        script.extend(tables.iter().map(|t| format!("SELECT COUNT(*) AS n FROM {} EMIT CHANGES;\n", t.name)));
        let mut child = Command::new(&binary)
            .args(["run", "--format", "json", "--workers", &workers.to_string(), "-e", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|e| format!("{}: {e}", binary.display()))?;
        let out = child.stdout.take().ok_or("no stdout")?;
        let (sender, counts) = channel();
        let (origin, n_tables) = (Instant::now(), tables.len());
        let reading = std::thread::spawn(move || read(out, origin, answer, n_tables, &sender));
        Ok(Run { child, origin, counts, received: vec![], reading: Some(reading) })
    }

    /// ns since the start of the process.
    fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// Waits until all tables have so many rows; returns how many they have.
    fn wait_for(&mut self, rows: &[u64]) -> Result<Vec<u64>, String> {
        loop {
            if let Some(last) = self.received.last().filter(|last| covers(&last.rows, rows)) {
                return Ok(last.rows.clone());
            }
            let counted = self.counts.recv_timeout(PATIENCE).map_err(|_| {
                let last = self.received.last().map(|last| &last.rows);
                format!("millrace run has read {last:?} of {rows:?} rows and says no more")
            })?;
            self.received.push(counted);
        }
    }

    /// Ends the process; what it printed, and when which rows had been counted.
    fn end(mut self) -> Result<(Printed, Vec<Counted>), String> {
        self.kill();
        let reading = self.reading.take().ok_or("read twice")?;
        let printed = reading.join().map_err(|_| "the reader panicked")??;
        Ok((printed, std::mem::take(&mut self.received)))
    }

    fn kill(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.kill();
    }
}

#[derive(Deserialize)]
struct Head {
    statement: usize,
}

#[derive(Deserialize)]
struct Count {
    diff: i64,
    row: CountRow,
}

#[derive(Deserialize)]
struct CountRow {
    #[serde(rename = "N")]
    n: u64,
}

/// Reads to the end: lines of statement `answer` are kept, those behind it are the counts of the tables. A time is that at
/// which the bytes had come, before anybody looked into them.
fn read(
    out: impl Read,
    origin: Instant,
    answer: usize,
    n_tables: usize,
    counts: &Sender<Counted>,
) -> Result<Printed, String> {
    let mut out = BufReader::with_capacity(1 << 20, out);
    let (mut printed, mut line) = (vec![], vec![]);
    let mut statement = answer;
    let mut rows: Vec<Option<u64>> = vec![None; n_tables];
    loop {
        let bytes = out.fill_buf().map_err(|e| e.to_string())?;
        if bytes.is_empty() {
            return Ok(printed);
        }
        let at_ns = origin.elapsed().as_nanos() as u64;
        let n = bytes.len();
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            line.extend_from_slice(piece);
            if line.last() != Some(&b'\n') {
                continue;
            }
            let text = std::str::from_utf8(&line).map_err(|e| e.to_string())?.trim_end();
            let wrong = |e: serde_json::Error| format!("{text}: {e}");
            if text.starts_with("{\"statement\":") {
                statement = serde_json::from_str::<Head>(text).map_err(wrong)?.statement;
            }
            if statement == answer {
                printed.push(text.to_owned());
            } else if text.starts_with("{\"tick\":") {
                let count: Count = serde_json::from_str(text).map_err(wrong)?;
                let table = rows.get_mut(statement - answer - 1).ok_or("a statement that nobody made")?;
                if count.diff > 0 {
                    *table = Some(count.row.n);
                    if let Some(rows) = rows.iter().copied().collect::<Option<Vec<u64>>>() {
                        // nobody listens any more once all rows are in
                        let _ = counts.send(Counted { at_ns, rows });
                    }
                }
            }
            line.clear();
        }
        out.consume(n);
    }
}

/// CPU time of a process so far, s.
fn cpu_s_of(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    (field(11) + field(12)) as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use millrace_bench_input::Workload;

    use super::*;

    #[test]
    fn counts_are_told_from_the_answer() {
        let printed = [
            r#"{"statement":4,"columns":[{"name":"A","type":"BIGINT"}]}"#,
            r#"{"tick":1,"diff":1,"row":{"A":7}}"#,
            r#"{"statement":5,"columns":[{"name":"N","type":"BIGINT"}]}"#,
            r#"{"tick":1,"diff":1,"row":{"N":0}}"#,
            r#"{"statement":6,"columns":[{"name":"N","type":"BIGINT"}]}"#,
            r#"{"tick":1,"diff":1,"row":{"N":3}}"#,
            r#"{"statement":5,"columns":[{"name":"N","type":"BIGINT"}]}"#,
            r#"{"tick":2,"diff":-1,"row":{"N":0}}"#,
            r#"{"tick":2,"diff":1,"row":{"N":12}}"#,
            "",
        ];
        let (sender, counts) = channel();
        let lines = read(printed.join("\n").as_bytes(), Instant::now(), 4, 2, &sender).unwrap();
        assert_eq!(lines, printed[..2]);
        drop(sender);
        let rows: Vec<Vec<u64>> = counts.iter().map(|count| count.rows).collect();
        assert_eq!(rows, [[0, 3], [12, 3]]);
        assert!(covers(&rows[1], &[12, 2]) && !covers(&rows[1], &[12, 4]));
    }

    #[test]
    fn lines_are_loaded_and_paced_tick_by_tick() {
        let spec = Spec { load: 100, ..Spec::new(Workload::Q4, 250, 50) };
        let tables = Workload::Q4.tables(&spec, true);
        let (load, ticks) = texts(&spec, &tables).unwrap();
        // of fifty events one is a person, three are auctions, the rest bids
        let rows = |texts: &[Text]| texts.iter().map(|text| text.rows.clone()).collect::<Vec<_>>();
        assert_eq!(rows(&load), [[6, 92]]);
        assert_eq!(rows(&ticks[..2]), [[9, 138], [12, 184]]);
        let lines = |text: &[u8]| text.iter().filter(|b| **b == b'\n').count();
        assert_eq!((ticks.len(), lines(&ticks[4].lines[0]), lines(&ticks[4].lines[1])), (5, 3, 46));
    }
}
