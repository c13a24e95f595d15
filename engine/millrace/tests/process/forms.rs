//! The three forms of an answer, for pull and for push queries.

use crate::harness::Folder;

/// Values of every type that text has to take care of.
const VALUES: &str = "SELECT 1 AS i, NULL AS v, '' AS e, 'a,\"b' AS q, 1.50 AS d, CAST(0.1 AS DOUBLE) AS f,
    CAST('NaN' AS DOUBLE) AS n, TRUE AS b, DATE '2018-09-28' AS day, TIMESTAMP '2018-09-28 12:00:00' AS ts;";

/// A table that is revised, in diff and in upsert form.
const CHANGES: &str =
    "CREATE STREAM s (k VARCHAR, n INT); CREATE TABLE t AS SELECT k, sum(n) AS total FROM s GROUP BY k;
    SELECT k, total FROM t EMIT CHANGES; INSERT INTO s VALUES ('a', 50); INSERT INTO s VALUES ('a', -60);";

#[test]
fn a_table_is_for_people() {
    let said = Folder::new().run(&[], "SELECT 1 AS n, NULL AS v, '' AS e, 1.50 AS d; SELECT 'x' AS wide WHERE FALSE");
    let want = "   \
   N | V       | E       |             D
 INT | VARCHAR | VARCHAR | DECIMAL(3, 2)
-----+---------+---------+---------------
   1 | NULL    |         |          1.50
(1 row)

 WIDE
 VARCHAR
---------
(0 rows)
";
    assert_eq!(said.done(), want);
}

#[test]
fn a_table_is_not_cut_in_a_pipe() {
    let long = "x".repeat(3_000);
    assert!(Folder::new().run(&[], &format!("SELECT '{long}' AS x")).done().contains(&long));
}

#[test]
fn json_is_one_object_a_line() {
    let said = Folder::new().run(&["--format", "json"], VALUES);
    let want = "{\"I\":1,\"V\":null,\"E\":\"\",\"Q\":\"a,\\\"b\",\"D\":1.50,\"F\":0.1,\"N\":\"NaN\",\"B\":true,\
        \"DAY\":\"2018-09-28\",\"TS\":\"2018-09-28T12:00:00.000\"}\n";
    assert_eq!(said.done(), want);
}

#[test]
fn json_results_are_told_apart() {
    let said = Folder::new().run(&["--format", "json"], "SELECT 1 AS a; SELECT 'x' AS b WHERE FALSE; SELECT 2 AS c");
    let want = "{\"statement\":1,\"columns\":[{\"name\":\"A\",\"type\":\"INT\"}]}\n{\"A\":1}\n\
        {\"statement\":2,\"columns\":[{\"name\":\"B\",\"type\":\"VARCHAR\"}]}\n\
        {\"statement\":3,\"columns\":[{\"name\":\"C\",\"type\":\"INT\"}]}\n{\"C\":2}\n";
    assert_eq!(said.done(), want);
}

#[test]
fn csv_is_what_rfc_4180_says() {
    let said = Folder::new().run(&["--format", "csv"], VALUES);
    let want = "I,V,E,Q,D,F,N,B,DAY,TS\n\
        1,,\"\",\"a,\"\"b\",1.50,0.1,NaN,true,2018-09-28,2018-09-28T12:00:00.000\n";
    assert_eq!(said.done(), want);
}

#[test]
fn upserts_have_keys() {
    let run = |format: &str| Folder::new().run(&["--format", format], CHANGES).done().to_owned();
    let table = " op | K       |  TOTAL\n    | VARCHAR | BIGINT\n----+---------+--------\n u  | a       |     50\n u  | a       |    -10\n";
    assert_eq!(run("table"), table);
    // which tick it was depends on when the engine was asked
    let lines = |text: String| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let json = lines(run("json"));
    assert_eq!(json.len(), 2);
    assert!(
        json[0].starts_with("{\"tick\":")
            && json[0].ends_with(",\"op\":\"u\",\"key\":{\"K\":\"a\"},\"row\":{\"K\":\"a\",\"TOTAL\":50}}")
    );
    assert!(json[1].ends_with(",\"op\":\"u\",\"key\":{\"K\":\"a\"},\"row\":{\"K\":\"a\",\"TOTAL\":-10}}"));
    let csv = lines(run("csv"));
    assert_eq!((csv[0].as_str(), csv.len()), ("tick,op,K,TOTAL", 3));
    assert!(csv[1].ends_with(",u,a,50") && csv[2].ends_with(",u,a,-10"), "{csv:?}");
}

#[test]
fn differences_say_what_goes_and_what_comes() {
    let run = |format: &str| {
        let flags = ["--set", "millrace.changes=diff", "--format", format];
        Folder::new().run(&flags, CHANGES).done().to_owned()
    };
    let table = " ± | K       |  TOTAL\n   | VARCHAR | BIGINT\n---+---------+--------\n + | a       |     50\n - | a       |     50\n + | a       |    -10\n";
    assert_eq!(run("table"), table);
    let json = run("json");
    let rows: Vec<&str> = json.lines().map(|line| &line[line.find("\"diff\"").expect("a diff")..]).collect();
    let row = |diff: i64, total: i64| format!("\"diff\":{diff},\"row\":{{\"K\":\"a\",\"TOTAL\":{total}}}}}");
    assert_eq!(rows, [row(1, 50), row(-1, 50), row(1, -10)]);
    let csv = run("csv");
    let rows: Vec<&str> = csv.lines().skip(1).map(|line| &line[line.find(',').expect("a tick")..]).collect();
    assert_eq!((csv.lines().next(), rows), (Some("tick,diff,K,TOTAL"), vec![",1,a,50", ",-1,a,50", ",1,a,-10"]));
}
