//! Streams of files that flowed by and were not kept: who comes later reads the file again.

use millrace_session::Session;
use millrace_world::SimulatedWorld;

use crate::recorder::{Recorder, options, program, run_with};

const EVENTS: &str = "t,k,x\n1000,a,1\n2000,a,2\n9000,b,3\n1500,late,4\n12000,a,5\nnever,a,6\n30000,b,7\n";

const CREATE: &str = "CREATE STREAM e (t BIGINT, k VARCHAR, x INT)
    WITH (CONNECTOR = 'file', PATH = '/e.csv', TIMESTAMP = 't');";

#[test]
fn it_says_what_it_would_have_said_of_kept_rows() {
    let sql = format!(
        "{CREATE}
        SELECT COUNT(*) AS n FROM e;
        CREATE TABLE w AS SELECT k, COUNT(*) AS n, WINDOWSTART AS ws FROM e
            WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY k EMIT FINAL;
        SELECT k, n, ws FROM w;
        SELECT a.k, a.x, b.x FROM e a JOIN e b ON a.k = b.k AND a.x < b.x;
        CREATE TABLE seconds (k VARCHAR PRIMARY KEY, v INT) WITH (CONNECTOR = 'memory');
        INSERT INTO seconds VALUES ('a', 1), ('b', 2);
        CREATE STREAM j AS SELECT e.k AS k, e.x AS x, s.v AS v FROM e LEFT JOIN seconds s ON e.k = s.k;
        SELECT k, x, v FROM j;
        SELECT COUNT(*) AS n FROM millrace.decode_errors;
        SELECT query, source, row_time FROM millrace.late;
        SELECT relation, ended FROM millrace.frontiers WHERE relation = 'E';
        SELECT MAX(x) AS x FROM e"
    );
    let files = [("/e.csv", EVENTS)];
    let kept = run_with(&[], &files, &sql);
    assert!(kept.rows().contains(&"10: 1") && kept.rows().contains(&"11: W E 1500"), "{}", kept.text());
    for (settings, workers) in [("0", "1"), ("3", "1"), ("3", "2")] {
        let again = run_with(&[("history_rows_max", settings), ("workers", workers)], &files, &sql);
        assert_eq!(again.rows(), kept.rows(), "{settings} rows, {workers} workers");
    }
}

/// The file has changed meanwhile: who reads it again sees what it is now.
#[test]
fn it_is_the_file_that_is_read() {
    for (rows_max, want) in [("100", ["2: 6", "3: 6", "4: 6"]), ("2", ["2: 6", "3: 1", "4: 1"])] {
        let world = SimulatedWorld::new(0);
        world.files().write("/e.csv", EVENTS.as_bytes());
        let mut session = Session::new(options(&[("history_rows_max", rows_max)]), world.world().clone()).unwrap();
        let mut recorder = Recorder::default();
        let count = "SELECT COUNT(*) AS n FROM e;";
        for statement in program(&format!("{CREATE} {count} {count} {count}")).statements() {
            session.execute(statement, &mut recorder).unwrap();
            if recorder.rows().len() == 1 {
                world.files().write("/e.csv", b"t,k,x\n1,a,1\n");
            }
        }
        assert_eq!(recorder.rows(), want, "{rows_max} rows");
    }
}

/// Rows from now on are those that the source has not brought yet, whether the others were kept or not.
#[test]
fn from_now_on_nothing_is_read_again() {
    let sql = format!(
        "{CREATE} SELECT COUNT(*) AS n FROM e;
        SET 'auto.offset.reset' = 'latest';
        SELECT k FROM e EMIT CHANGES"
    );
    for rows_max in ["100", "2"] {
        let run = run_with(&[("history_rows_max", rows_max)], &[("/e.csv", EVENTS)], &sql);
        assert_eq!(run.rows(), ["2: 6"], "{rows_max} rows");
    }
}
