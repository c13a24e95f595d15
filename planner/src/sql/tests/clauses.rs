//! WINDOW, WITHIN, EMIT and PARTITION BY find the query, the SELECT and the JOIN that they belong to.

use std::ops::ControlFlow;

use expect_test::expect;
use sqlparser::ast::{self, Visit, Visitor};

use super::{check, fails};
use crate::sql::parse_statement;
use crate::sql::query::{Clauses, StreamingQuery};
use crate::sql::statement::Statement;

fn query(sql: &str) -> StreamingQuery {
    match parse_statement(sql) {
        Ok(parsed) => match parsed.statement {
            Statement::Query(query) => query,
            other => panic!("{other:?}"),
        },
        Err(error) => panic!("{}", error.render("test.sql", sql)),
    }
}

/// What each SELECT and each JOIN has, by its first item and by its relation.
struct Found<'a> {
    clauses: &'a Clauses,
    found: Vec<String>,
}

impl Visitor for Found<'_> {
    type Break = ();
    fn pre_visit_select(&mut self, select: &ast::Select) -> ControlFlow<()> {
        if let Some(window) = self.clauses.window(select) {
            let item = select.projection.first().map(ToString::to_string).unwrap_or_default();
            self.found.push(format!("{item}: {:?}", window.kind).replace("ms: ", ""));
        }
        for join in select.from.iter().flat_map(|table| &table.joins) {
            if let Some(within) = self.clauses.within(join) {
                self.found.push(format!("{}: {} {}", join.relation, within.before.ms, within.after.ms));
            }
        }
        ControlFlow::Continue(())
    }
}

fn found(sql: &str) -> Vec<String> {
    let query = query(sql);
    let mut found = Found { clauses: &query.clauses, found: Vec::new() };
    let _ = query.query.visit(&mut found);
    found.found.into_iter().map(|text| text.split(", span").next().unwrap_or_default().to_string()).collect()
}

#[test]
fn each_select_has_its_own_window() {
    let sql = "SELECT a, count(*) FROM (SELECT b, count(*) FROM s WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY b) x
               WINDOW SESSION (2 MINUTES, RETENTION 1 DAY) WHERE a > (SELECT max(c) FROM t window w hopping (size 3 days, advance by 1 hour))
               GROUP BY a EMIT CHANGES";
    assert_eq!(
        found(sql),
        [
            "a: Session { gap: Duration { 120000",
            "b: Tumbling { size: Duration { 1000",
            "max(c): Hopping { size: Duration { 259200000",
        ]
    );
}

#[test]
fn each_join_has_its_own_within() {
    let sql = "SELECT * FROM a JOIN b WITHIN 1 HOUR ON a.x = b.x
               LEFT JOIN (SELECT * FROM c FULL JOIN ((d)) WITHIN (1 SECOND, 0 MILLISECONDS) GRACE PERIOD 1 DAY USING (x)) e
               WITHIN 5 MILLISECONDS ON e.x = a.x JOIN t ON t.x = a.x";
    assert_eq!(found(sql), ["b: 3600000 3600000", "(SELECT * FROM c FULL JOIN d USING(x)) e: 5 5", "d: 1000 0",]);
}

#[test]
fn clauses_keep_their_places() {
    let sql = "SELECT é, 1 FROM s AS r WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS) PARTITION BY (a, r.b) EMIT FINAL LIMIT 3";
    let query = query(sql);
    let at = |span: crate::error::Span| &sql[span.start..span.end];
    let window =
        query.clauses.windows().next().map(|window| (at(window.span), window.grace.map(|grace| at(grace.span))));
    assert_eq!(window, Some(("WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS)", Some("0 SECONDS"))));
    assert_eq!(query.emit.map(|emit| at(emit.span)), Some("EMIT FINAL"));
    assert_eq!(query.partition_by_span.map(at), Some("PARTITION BY (a, r.b)"));
    assert_eq!(query.partition_by.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "r.b"]);
    assert_eq!(query.text, sql);
    assert!(query.query.limit_clause.is_some());
}

#[test]
fn words_of_the_clauses_are_still_names() {
    check(
        "SELECT emit, window, within, s.emit AS changes, partition FROM emit AS window WHERE within = 1;
         SELECT sum(x) OVER w, rank() OVER (PARTITION BY a ORDER BY b) FROM t WINDOW w AS (PARTITION BY c);
         SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM t;
         SELECT x AS window FROM (SELECT 1 AS x) y",
        expect![[r#"
            SELECT
              emit,
              window,
              within,
              s.emit AS changes,
              partition
            FROM
              emit AS window
            WHERE
              within = 1;
            SELECT
              sum(x) OVER w,
              rank() OVER (
                PARTITION BY a
                ORDER BY b
              )
            FROM
              t
            WINDOW
            w AS (PARTITION BY c);
            SELECT
              percentile_cont(0.5) WITHIN GROUP (ORDER BY x)
            FROM
              t;
            SELECT
              x AS window
            FROM
              (
                SELECT
                  1 AS x
              ) y;
        "#]],
    );
}

#[test]
fn a_window_prints_behind_the_last_relation() {
    check(
        "SELECT * FROM a x JOIN b WITHIN (1 DAYS, 90 MINUTES) GRACE PERIOD 1 MILLISECOND ON x.i = b.i WINDOW TUMBLING (SIZE 1 DAY) GROUP BY 1;
         SELECT * FROM a JOIN b WITHIN 1 HOUR USING (i) WINDOW SESSION (1 SECOND) GROUP BY (p, q)",
        expect![[r#"
            SELECT
              *
            FROM
              a x
              JOIN b WITHIN (1 DAY, 90 MINUTES) GRACE PERIOD 1 MILLISECOND ON x.i = b.i WINDOW TUMBLING (SIZE 1 DAY)
            GROUP BY
              1;
            SELECT
              *
            FROM
              a
              JOIN b WITHIN 1 HOUR USING (i) WINDOW SESSION (1 SECOND)
            GROUP BY
              p, q;
        "#]],
    );
}

#[test]
fn misplaced_clauses_are_errors() {
    fails(
        "SELECT 1 WINDOW TUMBLING (SIZE 1 DAY)",
        expect![[r#"
        error[42601]: WINDOW stands behind the FROM of a SELECT
          --> test.sql:1:10
           |
        1  | SELECT 1 WINDOW TUMBLING (SIZE 1 DAY)
           |          ^^^^^^"#]],
    );
    fails(
        "SELECT * FROM a WITHIN 1 DAY",
        expect![[r#"
        error[42601]: WITHIN stands between the relation of a JOIN and its ON
          --> test.sql:1:17
           |
        1  | SELECT * FROM a WITHIN 1 DAY
           |                 ^^^^^^^^^^^^"#]],
    );
    fails(
        "SELECT * FROM (SELECT * FROM a EMIT CHANGES)",
        expect![[r#"
        error[42601]: EMIT belongs to the whole query, not to a part of it
          --> test.sql:1:32
           |
        1  | SELECT * FROM (SELECT * FROM a EMIT CHANGES)
           |                                ^^^^^^^^^^^^
           = hint: EMIT stands at the end of the statement"#]],
    );
    fails(
        "SELECT * FROM a EMIT CHANGES EMIT FINAL",
        expect![[r#"
        error[42601]: a query has one EMIT
          --> test.sql:1:30
           |
        1  | SELECT * FROM a EMIT CHANGES EMIT FINAL
           |                              ^^^^^^^^^^"#]],
    );
    fails(
        "SELECT * FROM a WINDOW TUMBLING (SIZE 1 DAY) WINDOW SESSION (1 DAY)",
        expect![[r#"
        error[42601]: a SELECT has one WINDOW
          --> test.sql:1:46
           |
        1  | SELECT * FROM a WINDOW TUMBLING (SIZE 1 DAY) WINDOW SESSION (1 DAY)
           |                                              ^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    fails(
        "CREATE VIEW v AS SELECT * FROM a EMIT CHANGES",
        expect![[r#"
        error[0A000]: not supported: EMIT in a view, which has no changes of its own
          --> test.sql:1:34
           |
        1  | CREATE VIEW v AS SELECT * FROM a EMIT CHANGES
           |                                  ^^^^^^^^^^^^
           = hint: leave EMIT out, or CREATE MATERIALIZED VIEW"#]],
    );
    fails(
        "SELECT * FROM a JOIN UNNEST(x) WITHIN 1 DAY ON TRUE",
        expect![[r#"
        error[0A000]: not supported: WITHIN behind anything but a relation or a query in brackets
          --> test.sql:1:32
           |
        1  | SELECT * FROM a JOIN UNNEST(x) WITHIN 1 DAY ON TRUE
           |                                ^^^^^^^^^^^^"#]],
    );
    fails(
        "DELETE FROM t WHERE a IN (SELECT b FROM s WINDOW TUMBLING (SIZE 1 DAY))",
        expect![[r#"
        error[42601]: WINDOW belongs to a query
          --> test.sql:1:43
           |
        1  | DELETE FROM t WHERE a IN (SELECT b FROM s WINDOW TUMBLING (SIZE 1 DAY))
           |                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn misspelt_clauses_have_hints() {
    fails(
        "SELECT * FROM a WINDOW TUMBLNG (SIZE 1 DAY)",
        expect![[r#"
        error[42601]: expected TUMBLING, HOPPING or SESSION, found TUMBLNG
          --> test.sql:1:24
           |
        1  | SELECT * FROM a WINDOW TUMBLNG (SIZE 1 DAY)
           |                        ^^^^^^^
           = hint: did you mean TUMBLING?"#]],
    );
    fails(
        "SELECT * FROM a WINDOW TUMBLING (SIZ 1 DAY)",
        expect![[r#"
        error[42601]: expected SIZE, RETENTION or GRACE PERIOD, found SIZ
          --> test.sql:1:34
           |
        1  | SELECT * FROM a WINDOW TUMBLING (SIZ 1 DAY)
           |                                  ^^^
           = hint: did you mean SIZE?"#]],
    );
    fails(
        "SELECT * FROM a WINDOW TUMBLING (SIZE 1 DAZE)",
        expect![[r#"
        error[42601]: expected MILLISECONDS, SECONDS, MINUTES, HOURS or DAYS, found DAZE
          --> test.sql:1:41
           |
        1  | SELECT * FROM a WINDOW TUMBLING (SIZE 1 DAZE)
           |                                         ^^^^"#]],
    );
    fails(
        "SELECT * FROM a WINDOW TUMBLING (SIZE 1 DAY, SIZE 2 DAYS)",
        expect![[r#"
        error[42601]: this stands here already
          --> test.sql:1:46
           |
        1  | SELECT * FROM a WINDOW TUMBLING (SIZE 1 DAY, SIZE 2 DAYS)
           |                                              ^^^^^^^^^^^"#]],
    );
    fails(
        "SELECT * FROM a WINDOW TUMBLING (SIZE 0 DAYS)",
        expect![[r#"
        error[22023]: the size is longer than nothing
          --> test.sql:1:39
           |
        1  | SELECT * FROM a WINDOW TUMBLING (SIZE 0 DAYS)
           |                                       ^^^^^^"#]],
    );
    fails(
        "SELECT * FROM a WINDOW TUMBLING (SIZE 1.5 DAYS)",
        expect![[r#"
        error[22023]: a duration is a whole number of milliseconds, seconds, minutes, hours or days
          --> test.sql:1:39
           |
        1  | SELECT * FROM a WINDOW TUMBLING (SIZE 1.5 DAYS)
           |                                       ^^^"#]],
    );
    fails(
        "SELECT * FROM a WINDOW TUMBLING (SIZE 9999999999999999 DAYS)",
        expect![[r#"
        error[22023]: the duration is longer than 292 million years
          --> test.sql:1:39
           |
        1  | SELECT * FROM a WINDOW TUMBLING (SIZE 9999999999999999 DAYS)
           |                                       ^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    fails(
        "SELECT * FROM a WINDOW TUMBLING (GRACE PERIOD 1 DAY)",
        expect![[r#"
        error[42601]: a TUMBLING window has a SIZE
          --> test.sql:1:17
           |
        1  | SELECT * FROM a WINDOW TUMBLING (GRACE PERIOD 1 DAY)
           |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    fails(
        "SELECT * FROM a WINDOW HOPPING (SIZE 1 DAY, ADVANCE BY 2 DAYS)",
        expect![[r#"
        error[22023]: a window advances by at most its size, or rows would fall between windows
          --> test.sql:1:56
           |
        1  | SELECT * FROM a WINDOW HOPPING (SIZE 1 DAY, ADVANCE BY 2 DAYS)
           |                                                        ^^^^^^"#]],
    );
    fails(
        "SELECT * FROM a EMIT CHANGE",
        expect![[r#"
        error[42601]: expected CHANGES or FINAL, found CHANGE
          --> test.sql:1:22
           |
        1  | SELECT * FROM a EMIT CHANGE
           |                      ^^^^^^
           = hint: did you mean CHANGES?"#]],
    );
    fails(
        "SELECT * FROM a JOIN b WITHIN (1 DAY 2 DAYS) ON TRUE",
        expect![[r#"
        error[42601]: expected a comma, found 2
          --> test.sql:1:38
           |
        1  | SELECT * FROM a JOIN b WITHIN (1 DAY 2 DAYS) ON TRUE
           |                                      ^"#]],
    );
    fails(
        "SELECT * FROM a PARTITION BY",
        expect![[r#"
        error[42601]: expected an expression, found the end of the statement
          --> test.sql:1:29
           |
        1  | SELECT * FROM a PARTITION BY
           |                             ^"#]],
    );
    fails(
        "SELECT * FROM a PARTITION BY b c",
        expect![[r#"
        error[42601]: expected a comma or the next clause, found c
          --> test.sql:1:32
           |
        1  | SELECT * FROM a PARTITION BY b c
           |                                ^"#]],
    );
}
