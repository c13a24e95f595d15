//! File sinks.

use crate::recorder::{run_over, run_with};

#[test]
fn a_stream_and_a_table_are_written_when_they_are_complete() {
    let file = ("/n.csv", "k,v\nb,2\na,1\nb,3\n");
    let sql = "CREATE STREAM n WITH (CONNECTOR = 'file', PATH = '/n.csv');
        CREATE STREAM big WITH (CONNECTOR = 'file', PATH = '/big.json') AS SELECT k, v FROM n WHERE v > 1;
        CREATE TABLE sums WITH (CONNECTOR = 'file', PATH = '/sums.csv') AS
          SELECT k, sum(v) AS total FROM n GROUP BY k;";
    for workers in ["1", "2"] {
        let run = run_with(&[("workers", workers)], &[file], sql);
        assert_eq!(run.rows(), Vec::<&str>::new());
        let read = |path: &str| String::from_utf8(run.world.files().read(path).unwrap()).unwrap();
        assert_eq!(read("/big.json"), "{\"K\":\"b\",\"V\":2}\n{\"K\":\"b\",\"V\":3}\n");
        assert_eq!(read("/sums.csv"), "K,TOTAL\na,1\nb,5\n");
    }
}

#[test]
fn a_run_that_fails_leaves_no_file() {
    let file = ("/n.csv", "n\n1\n0\n");
    let sql = "CREATE STREAM n WITH (CONNECTOR = 'file', PATH = '/n.csv');
        CREATE STREAM q WITH (CONNECTOR = 'file', PATH = '/q.json', ON_ERROR = 'FAIL') AS SELECT 1 / n AS q FROM n";
    let run = run_over(&[file], sql);
    assert!(run.error().contains("Q has failed"), "{}", run.error());
    assert_eq!(run.world.files().paths().len(), 1);
}
