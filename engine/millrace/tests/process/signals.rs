//! Ctrl-C, SIGTERM, and readers that go away.

use std::process::Stdio;

use crate::harness::{Folder, said};

/// Comes for ever.
const ENDLESS: &str = "CREATE STREAM g WITH (CONNECTOR='generator', GENERATOR='ratings', SEED=7, RATE=2000);";

#[test]
fn ctrl_c_ends_a_run_without_an_end_with_130() {
    let push = format!("{ENDLESS} SELECT rating_id FROM g EMIT CHANGES");
    for signal in ["INT", "TERM"] {
        let said = Folder::new().start(&["run", "--format", "csv", "-e", &push]).signal(signal);
        said.failed(130, &["error[57014]: interrupted"]);
        // whole lines, also the last: tick, diff, id
        let whole = |line: &str| line.split(',').filter(|value| value.parse::<i64>().is_ok()).count() == 3;
        assert!(said.out.ends_with('\n') && said.out.lines().all(whole), "{}", said.out);
    }
}

#[test]
fn ctrl_c_leaves_no_half_of_a_file() {
    let folder = Folder::with(&[("o.csv", "what it was\n")]);
    let sql = format!(
        "{ENDLESS} CREATE STREAM o WITH (CONNECTOR='file', PATH='o.csv') AS SELECT * FROM g;
         SELECT rating_id FROM g EMIT CHANGES"
    );
    folder.start(&["run", "--format", "csv", "-e", &sql]).signal("INT").failed(130, &[]);
    assert_eq!(folder.names(), ["o.csv"]);
    assert_eq!(folder.read("o.csv"), b"what it was\n");
}

#[test]
fn ctrl_c_ends_plain_demos_with_130() {
    let said = Folder::new().start(&["demo", "--plain", "--rate", "500"]).signal("INT");
    said.failed(130, &[]);
    assert_eq!(said.err, "");
    assert!(said.out.contains(" rows in ") && said.out.contains("BALANCES "), "it sums up: {}", said.out);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    let push = format!("{ENDLESS} SELECT rating_id FROM g EMIT CHANGES");
    for format in ["table", "json", "csv"] {
        let said = folder.start(&["run", "--format", format, "-e", &push]).close();
        assert_eq!((said.status, said.err.as_str()), (Some(0), ""), "{format}");
    }
    let said = folder.start(&["demo", "--plain", "--seconds", "60"]).close();
    assert_eq!((said.status, said.err.as_str()), (Some(0), ""));
}

#[test]
fn nobody_at_stderr_is_no_reason_to_stop() {
    let folder = Folder::new();
    let sql = "CREATE STREAM s (k VARCHAR); CREATE TABLE n AS SELECT k, count(*) AS n FROM s GROUP BY k; SELECT 1 AS a";
    let mut command = folder.millrace(&["run", "--format", "csv", "-e", sql]);
    assert_eq!(said(command.stderr(Stdio::null())).done(), "A\n1\n");
    let mut command = folder.millrace(&["run", "--format", "csv", "-e", sql]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    drop(child.stderr.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stdout), (Some(0), b"A\n1\n".to_vec()));
}
