//! What goes wrong: in statements, in data, in the world.

use crate::recorder::{Recorder, options, program, run, run_over};
use millrace_session::{
    Client, ClientGone, ErrorClass, Interrupt, Notice, Options, ResultHead, ResultId, ResultRows, Session,
};
use millrace_world::SimulatedWorld;

#[test]
fn the_first_failing_statement_ends_the_run() {
    let run = run("SELECT 1; SELECT nothing FROM nowhere; SELECT 2");
    assert_eq!(run.recorder.rows(), ["1: 1"]);
    let error = run.error();
    assert!(error.starts_with("error[42P01]: ") && error.contains("--> test.sql:1:"), "{error}");
}

#[test]
fn statements_before_a_mistake_run() {
    let run = run("SELECT 1; SELEC 2");
    assert_eq!(run.recorder.rows(), ["1: 1"]);
    assert!(run.error().starts_with("error[42601]"), "{}", run.error());
}

#[test]
fn records_that_cannot_be_read_are_told_and_listed() {
    let file = ("/n.csv", "n\n1\nx\n3\n");
    let sql = "CREATE STREAM n (n INT) WITH (CONNECTOR = 'file', PATH = '/n.csv');
        SELECT * FROM n;
        SELECT source, \"OFFSET\" FROM millrace.decode_errors";
    let run = run_over(&[file], sql);
    assert_eq!(run.rows(), ["2: 1", "2: 3", "3: N 1"]);
    let notice = "1 record of N could not be read; millrace.decode_errors shows it";
    assert!(run.recorder.notices().contains(&notice), "{:?}", run.recorder.notices());
}

#[test]
fn rows_on_which_an_expression_fails_are_missing_and_told() {
    let sql = "CREATE STREAM s (a INT, b INT) WITH (CONNECTOR = 'memory');
        CREATE STREAM d AS SELECT a / b AS q FROM s;
        INSERT INTO s VALUES (6, 3), (1, 0), (8, 2);
        SELECT * FROM d;
        SELECT query, kind FROM millrace.errors;
        SELECT a / b AS q FROM s";
    let run = run(sql);
    assert_eq!(run.rows(), ["4: 2", "4: 4", "5: D expression", "6: 2", "6: 4"]);
    let notices = run.recorder.notices();
    assert!(notices.iter().any(|n| n.starts_with("1 row of D is missing: ") && n.contains("division")), "{notices:?}");
    assert!(notices.iter().any(|n| n.starts_with("1 row of this answer is missing: ")), "{notices:?}");
}

#[test]
fn on_error_fail_stops_the_query_and_its_readers() {
    let sql = "CREATE STREAM s (a INT, b INT) WITH (CONNECTOR = 'memory');
        CREATE STREAM d WITH (ON_ERROR = 'FAIL') AS SELECT a / b AS q FROM s;
        CREATE STREAM e AS SELECT q FROM d;
        CREATE STREAM f AS SELECT a FROM s;
        INSERT INTO s VALUES (1, 0);
        INSERT INTO s VALUES (6, 3);
        SELECT * FROM f;
        SELECT name, state FROM millrace.queries;
        SELECT * FROM e";
    // a memory relation ends with the last statement, so that F is not at its end yet
    let run = run(sql);
    assert_eq!(
        run.recorder.rows(),
        ["7: 1", "7: 6", "8: D FAILED", "8: E FAILED", "8: F RUNNING"],
        "{}",
        run.recorder.text()
    );
    assert!(run.error().contains("D has failed"), "{}", run.error());
}

#[test]
fn a_file_that_is_not_there_is_the_worlds_fault() {
    let world = SimulatedWorld::new(0);
    let program = program("CREATE STREAM n WITH (CONNECTOR = 'file', PATH = '/none.csv')");
    let mut session = Session::new(options(&[]), world.world().clone()).unwrap();
    let error = session.run(&program, &mut Recorder::default()).unwrap_err();
    assert_eq!(error.class, ErrorClass::World);
    let text = program.render(&error);
    assert!(text.contains("error[58030]") && text.contains("^^^^^^^^^^^"), "{text}");
}

#[test]
fn a_reader_that_goes_away_ends_the_run() {
    let world = SimulatedWorld::new(0);
    let mut recorder = Recorder::default();
    recorder.gone_after = Some(2);
    let program = program("SELECT * FROM (VALUES (1), (2), (3)) t(a)");
    let mut session = Session::new(options(&[]), world.world().clone()).unwrap();
    let error = session.run(&program, &mut recorder).unwrap_err();
    assert_eq!(error.class, ErrorClass::ClientGone);
}

#[test]
fn an_endless_source_runs_until_somebody_asks_for_the_end() {
    struct Stopper(Recorder, Interrupt, usize);
    impl millrace_session::Client for Stopper {
        fn head(&mut self, head: &millrace_session::ResultHead) -> Result<(), millrace_session::ClientGone> {
            self.0.head(head)
        }
        fn rows(&mut self, rows: &millrace_session::ResultRows) -> Result<(), millrace_session::ClientGone> {
            self.2 += rows.rows.num_rows();
            if self.2 > 20_000 {
                self.1.set();
            }
            Ok(())
        }
        fn done(&mut self, result: millrace_session::ResultId) -> Result<(), millrace_session::ClientGone> {
            self.0.done(result)
        }
        fn notice(&mut self, notice: &millrace_session::Notice) {
            self.0.notice(notice);
        }
    }
    let world = SimulatedWorld::new(0);
    let interrupt = Interrupt::default();
    let program = program(
        "CREATE STREAM r WITH (CONNECTOR = 'generator', GENERATOR = 'ratings', RATE = 0);
        SELECT * FROM r EMIT CHANGES",
    );
    let options = Options { interrupt: interrupt.clone(), ..options(&[]) };
    let mut session = Session::new(options, world.world().clone()).unwrap();
    let mut stopper = Stopper(Recorder::default(), interrupt, 0);
    let error = session.run(&program, &mut stopper).unwrap_err();
    assert_eq!(error.class, ErrorClass::Interrupted);
    assert!(stopper.2 > 20_000);
}

#[test]
fn memory_has_a_limit() {
    let world = SimulatedWorld::new(0);
    world.files().write("/proc/self/status", b"VmRSS: 400000 kB\n");
    let mut session = Session::new(options(&[("memory_bytes_max", "100000000")]), world.world().clone()).unwrap();
    let program = program("SELECT 1");
    let error = session.run(&program, &mut Recorder::default()).unwrap_err();
    assert_eq!(error.class, ErrorClass::World);
    assert!(program.render(&error).contains("error[53200]: this answer is refused: the process has 390 MB"), "{error}");
}

/// Where the process's size is told, and a client that makes it smaller when it hears that sources pause.
struct Freeing<'a>(Recorder, &'a SimulatedWorld);

impl Client for Freeing<'_> {
    fn head(&mut self, head: &ResultHead) -> Result<(), ClientGone> {
        self.0.head(head)
    }
    fn rows(&mut self, rows: &ResultRows) -> Result<(), ClientGone> {
        Client::rows(&mut self.0, rows)
    }
    fn done(&mut self, result: ResultId) -> Result<(), ClientGone> {
        self.0.done(result)
    }
    fn notice(&mut self, notice: &Notice) {
        if matches!(notice, Notice::Data(text) if text.starts_with("sources pause")) {
            self.1.files().write("/proc/self/status", b"VmRSS: 90000 kB\n");
        }
        self.0.notice(notice);
    }
}

#[test]
fn sources_pause_at_the_limit_and_go_on_below_it() {
    let world = SimulatedWorld::new(0);
    world.files().write("/proc/self/status", b"VmRSS: 90000 kB\n");
    let mut session = Session::new(options(&[("memory_bytes_max", "100000000")]), world.world().clone()).unwrap();
    let begin = program(
        "CREATE STREAM r WITH (CONNECTOR = 'generator', GENERATOR = 'ratings', ROWS = 1000, SEED = 1);
         CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n FROM r;",
    );
    let mut client = Freeing(Recorder::default(), &world);
    for statement in begin.statements() {
        session.execute(statement, &mut client).unwrap();
    }
    world.files().write("/proc/self/status", b"VmRSS: 400000 kB\n");
    world.clock().advance(std::time::Duration::from_secs(1));
    // new queries are refused, but one may ask why
    let refused = program("SELECT * FROM n");
    let error = session.execute(&refused.statements()[0], &mut client).unwrap_err();
    assert!(error.error.message.contains("is refused"), "{error}");
    session.execute(&program("SHOW QUERIES").statements()[0], &mut client).unwrap();
    let rows = client.0.rows();
    assert!(rows[0].contains("STALLED the process has 390 MB"), "{rows:?}");
    // the first look is the one that says so
    session.finish(&mut client).unwrap();
    let notices: Vec<&str> = client.0.notices().into_iter().filter(|notice| notice.starts_with("sources")).collect();
    assert!(notices[0].starts_with("sources pause until memory is free: the process has 390 MB"), "{notices:?}");
    assert_eq!(notices[1], "sources go on: memory is free again");
    let rest = program("SELECT * FROM n; SHOW QUERIES");
    client.0.lines.clear();
    for statement in rest.statements() {
        session.execute(statement, &mut client).unwrap();
    }
    let rows = client.0.rows();
    assert!(rows[0].ends_with(": 1000"), "{rows:?}");
    assert!(rows[1].contains("COMPLETED"), "{rows:?}");
}
