//! T1: the binary `millrace run`, from its start to its end, over JSON lines.
//!
//! The measured run counts the rows of its answer. What they are is read once, in a run of its own that nobody measures,
//! and kept beside the input for the same binary and query.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use millrace_bench_input::{Answer, Figures, Request, Spec, Table};
use serde::{Deserialize, Serialize};

use super::rows::Rows;
use crate::peer::millrace_binary;

/// What the run that nobody measures found.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Seen {
    answer: Answer,
    first_ms: f64,
}

pub(super) fn measure(request: &Request, query: &str) -> Result<Figures, String> {
    let folder = request.files.as_ref().ok_or("T1 needs files")?;
    let binary = millrace_binary()?;
    let script = script(&request.spec, folder, query);
    let seen = seen(request, &binary, folder, &script)?;
    let counting = format!("{script}SELECT COUNT(*) AS n FROM answer;\n");
    let (begun, cpu) = (Instant::now(), children_s());
    let mut child = start(&binary, request, &counting)?;
    let out = child.stdout.take().ok_or("no stdout")?;
    let watched = child.id();
    let reader = std::thread::spawn(move || BufReader::new(out).lines().collect::<Result<Vec<String>, _>>());
    let mut peak_kb = 0;
    while child.try_wait().map_err(|e| e.to_string())?.is_none() {
        peak_kb = peak_kb.max(peak_of(watched));
        std::thread::sleep(Duration::from_millis(5));
    }
    let wall_s = begun.elapsed().as_secs_f64();
    let cpu_s = children_s() - cpu;
    finish(child)?;
    let lines = reader.join().map_err(|_| "the reader panicked")?.map_err(|e| e.to_string())?;
    let counted: i64 = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|row| row.get("N").and_then(serde_json::Value::as_i64))
        .ok_or_else(|| format!("no count in {lines:?}"))?;
    if counted != seen.answer.rows {
        return Err(format!("{counted} rows were counted, {} were seen", seen.answer.rows));
    }
    let (answer, first_ms, peak_mb) = (seen.answer, Some(seen.first_ms), peak_kb as f64 / 1024.0);
    Ok(Figures { answer, cpu_s, wall_s, peak_mb, first_ms, ..Figures::default() })
}

/// The rows of the answer, and when the first was there; kept beside the input.
fn seen(request: &Request, binary: &Path, folder: &Path, script: &str) -> Result<Seen, String> {
    let built = fs::metadata(binary).and_then(|m| m.modified()).map_err(|e| e.to_string())?;
    let built = built.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let kept: PathBuf = folder.join(format!("seen-{}-{built}-{}.json", request.workers, fingerprint(script)));
    if let Some(seen) = fs::read_to_string(&kept).ok().and_then(|text| serde_json::from_str(&text).ok()) {
        return Ok(seen);
    }
    let asking = format!("{script}SELECT * FROM answer EMIT CHANGES LIMIT 1;\nSELECT * FROM answer;\n");
    let begun = Instant::now();
    let mut child = start(binary, request, &asking)?;
    let out = child.stdout.take().ok_or("no stdout")?;
    let (mut rows, mut first_ms) = (Rows::default(), 0.0);
    for line in BufReader::new(out).lines() {
        rows.line(&line.map_err(|e| e.to_string())?)?;
        if first_ms == 0.0 && rows.changes > 0 {
            first_ms = begun.elapsed().as_secs_f64() * 1e3;
        }
    }
    finish(child)?;
    let seen = Seen { answer: rows.answer, first_ms };
    let text = serde_json::to_string(&seen).map_err(|e| e.to_string())?;
    fs::write(&kept, text).map_err(|e| format!("{}: {e}", kept.display()))?;
    Ok(seen)
}

fn start(binary: &Path, request: &Request, script: &str) -> Result<Child, String> {
    Command::new(binary)
        .args(["run", "--format", "json", "--workers", &request.workers.to_string()])
        .args([
            "--set",
            &format!("millrace.tick.rows={}", request.spec.tick),
            "--set",
            "millrace.answer_rows_max=1000000000",
        ])
        .args(["-e", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", binary.display()))
}

/// Fails if the program did.
fn finish(child: Child) -> Result<(), String> {
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("millrace run: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

/// The relations over the files, and the query.
fn script(spec: &Spec, folder: &Path, query: &str) -> String {
    let of = |table: &Table| source(table, &folder.join(format!("{}.jsonl", table.name)), "");
    let mut script: String = spec.workload.tables(spec, true).iter().map(of).collect();
    script.push_str(query.trim().trim_end_matches(';'));
    script.push_str(";\n");
    script
}

/// The statement that makes a source of a file, with more properties behind the usual ones.
pub(super) fn source(table: &Table, path: &Path, more: &str) -> String {
    let path = path.display().to_string().replace('\'', "''");
    let key = table.key.map(|k| format!(", PRIMARY KEY ({})", table.columns[k].name)).unwrap_or_default();
    let time = table.time.map(|t| format!(", TIMESTAMP='{}'", table.columns[t].name)).unwrap_or_default();
    let op = if table.retracts { ", OP_COLUMN='op'" } else { "" };
    let kind = if table.key.is_some() { "TABLE" } else { "STREAM" };
    let (name, columns) = (table.name, table.definitions());
    format!(
        "CREATE {kind} {name} ({columns}{key}) WITH (CONNECTOR='file', PATH='{path}', VALUE_FORMAT='JSON'{time}{op}{more});\n"
    )
}

/// Tells scripts apart.
fn fingerprint(text: &str) -> String {
    format!("{:016x}", millrace_bench_input::answer::hash_text(0, text))
}

/// CPU time of children that have ended, s.
fn children_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    (field(13) + field(14)) as f64 / 100.0
}

/// Largest memory of a process so far, kB; 0 once it has ended.
pub(super) fn peak_of(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:"));
    line.and_then(|l| l.split_whitespace().nth(1)).and_then(|n| n.parse().ok()).unwrap_or(0)
}
