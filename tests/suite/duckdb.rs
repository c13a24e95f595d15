//! The reference evaluator against DuckDB, over the same random queries.

use millrace_tests::property::case::Case;
use millrace_tests::property::changes::RELATIONS;
use millrace_tests::property::duckdb::{DIFFERENCES, DuckDb, answer};
use millrace_tests::property::generate::Shape;
use millrace_tests::property::query::Dialect;
use millrace_tests::property::record::Recorder;
use millrace_tests::property::run::plan;
use millrace_tests::reference;

/// Cases of a plain `make test`.
const CASES: u64 = 700;
/// At least this many of them must be comparable.
const COMPARED_LEAST: usize = 300;

#[test]
fn the_reference_says_what_duckdb_says() {
    let mut duckdb = DuckDb::start();
    let (mut compared, mut excused) = (0, 0);
    for seed in 1_000_000..1_000_000 + CASES {
        let case = Case::draw(seed);
        if case.shape != Shape::View {
            continue;
        }
        let Ok(planned) = plan(&case) else { continue };
        let mut recorder = Recorder::new(&planned.catalog);
        for (i, ops) in case.ticks.iter().enumerate() {
            recorder.tick(i as u64 + 1, ops);
        }
        let last = case.ticks.len() as u64;
        let ours = reference::answer(&planned.bound.logical, recorder.history(), 1, last).unwrap();
        if ours.failures > 0 {
            excused += 1;
            continue;
        }
        let visible = planned.create.query.visible;
        let rows: Vec<_> = ours.rows.into_iter().map(|r| r[..visible].to_vec()).collect();
        let tables: Vec<_> = (0..RELATIONS.len()).map(|at| recorder.content(at, last)).collect();
        let theirs = duckdb.ask(&case, &tables);
        let sql = case.query.sql(Dialect::DuckDb);
        let said = theirs.as_ref().err().cloned().unwrap_or_default();
        if DIFFERENCES.iter().any(|(part, _)| sql.contains(part) || said.contains(part)) {
            excused += 1;
            continue;
        }
        match theirs {
            Ok(theirs) => assert_eq!(answer(&rows), theirs, "seed {seed}\n{sql}\n{}", case.describe()),
            Err(error) => panic!("DuckDB refuses seed {seed}: {error}\n{sql}"),
        }
        compared += 1;
    }
    println!("{compared} compared, {excused} excused");
    assert!(compared >= COMPARED_LEAST, "only {compared} queries could be compared");
}
