//! The statements of the talk, over files and generators.

use expect_test::{Expect, expect};

use super::catalog;

const SOURCES: &str = "
CREATE STREAM ratings (rating_id BIGINT, user_id BIGINT, stars INT, route_id BIGINT, rating_time BIGINT, channel VARCHAR, message VARCHAR)
  WITH (CONNECTOR='generator', GENERATOR='ratings', ROWS=100, TIMESTAMP='rating_time');
CREATE TABLE customers (id BIGINT PRIMARY KEY, first_name VARCHAR, last_name VARCHAR, email VARCHAR, gender VARCHAR, club_status VARCHAR, comments VARCHAR)
  WITH (CONNECTOR='file', PATH='customers.json');
CREATE STREAM syslog (host VARCHAR, message VARCHAR) WITH (CONNECTOR='file', PATH='syslog.json');
CREATE STREAM clickstream (userid BIGINT, page VARCHAR, action VARCHAR) WITH (CONNECTOR='file', PATH='clicks.json');
CREATE TABLE users (user_id BIGINT PRIMARY KEY, level VARCHAR) WITH (CONNECTOR='file', PATH='users.json');
CREATE STREAM authorization_attempts (card_number VARCHAR, amount DOUBLE) WITH (CONNECTOR='file', PATH='a.json');
CREATE STREAM account_movements (account VARCHAR, amount BIGINT) WITH (CONNECTOR='file', PATH='m.json');
";

fn check(statement: &str, expect: Expect) {
    let mut catalog = catalog::catalog(SOURCES);
    let script = statement.to_string();
    let planned = catalog::apply(&mut catalog, &script);
    let text = match planned {
        Ok(Some(action)) => millrace_planner::explain::plan(&action, &catalog),
        Ok(None) => "nothing".into(),
        Err(error) => error.render("talk.sql", &script),
    };
    expect.assert_eq(&text);
}

#[test]
fn a_filter_is_a_stream() {
    check(
        "CREATE STREAM POOR_RATINGS AS SELECT * FROM ratings WHERE STARS <3",
        expect![[r#"
        Emit POOR_RATINGS  stream
        └ Filter  STARS < 3
          └ Source RATINGS  append-only  columns=[RATING_ID, USER_ID, STARS, ROUTE_ID, RATING_TIME, CHANNEL, MESSAGE, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
}

#[test]
fn a_stream_meets_a_table() {
    check(
        "CREATE STREAM RATINGS_WITH_CUSTOMER_DATA AS
  SELECT r.rating_id, r.stars, r.route_id, r.channel, r.message, c.id, c.first_name, c.last_name, c.email, c.club_status
  FROM ratings r LEFT JOIN customers c ON r.user_id = c.id;
CREATE STREAM UNHAPPY_PLATINUM_CUSTOMERS AS SELECT * FROM RATINGS_WITH_CUSTOMER_DATA WHERE STARS < 3 AND CLUB_STATUS = 'platinum';
CREATE STREAM AGAIN AS
  SELECT r.rating_id, r.stars, r.route_id, r.channel, r.message, c.id, c.first_name, c.last_name, c.email, c.club_status
  FROM ratings r LEFT JOIN customers c ON r.user_id = c.id",
        expect![[r#"
            Emit AGAIN  stream  key=(USER_ID)
            └ Project  [RATING_ID, STARS, ROUTE_ID, CHANNEL, MESSAGE, ID, FIRST_NAME, LAST_NAME, EMAIL, CLUB_STATUS, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME, USER_ID]
              └ AsOfJoin  left  on USER_ID = ID  hash  keeps the table  append-only
                ├ Source RATINGS  append-only  columns=[RATING_ID, USER_ID, STARS, ROUTE_ID, CHANNEL, MESSAGE, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]
                └ Source CUSTOMERS  columns=[ID, FIRST_NAME, LAST_NAME, EMAIL, CLUB_STATUS]"#]],
    );
}

#[test]
fn a_condition_on_the_table_makes_the_join_inner() {
    check(
        "CREATE STREAM vip_actions AS
  SELECT userid, page, action
  FROM clickstream c
  LEFT JOIN users u ON c.userid = u.user_id
  WHERE u.level = 'Platinum'",
        expect![[r#"
            Emit VIP_ACTIONS  stream  key=(USERID)
            └ Project  [USERID, PAGE, ACTION, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]
              └ AsOfJoin  inner  on USERID = USER_ID  hash  keeps the table  append-only
                ├ Source CLICKSTREAM  append-only  columns=[USERID, PAGE, ACTION, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]
                └ Map  [USER_ID]  where LEVEL = 'Platinum'
                  └ Source USERS  columns=[USER_ID, LEVEL]"#]],
    );
}

#[test]
fn windows_close() {
    check(
        "CREATE TABLE possible_fraud AS
  SELECT card_number, count(*)
  FROM authorization_attempts
  WINDOW TUMBLING (SIZE 5 SECONDS)
  GROUP BY card_number
  HAVING count(*) > 3",
        expect![[r#"
            Emit POSSIBLE_FRAUD  upsert  key=(CARD_NUMBER, WINDOWSTART, WINDOWEND)
            └ Map  [CARD_NUMBER, COUNT AS KSQL_COL_0, WINDOWSTART, WINDOWEND]  where COUNT > 3
              └ WindowedReduce  count(*)  key=CARD_NUMBER  window=TUMBLING 5 s  hash  keeps 1 row per key and open window, until window end + grace 24 h; results 24 h 5 s
                └ Source AUTHORIZATION_ATTEMPTS  append-only  columns=[CARD_NUMBER, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
}

#[test]
fn a_balance_is_a_table() {
    check(
        "CREATE TABLE balances AS SELECT account, SUM(amount) AS balance FROM account_movements GROUP BY account",
        expect![[r#"
            Emit BALANCES  upsert  key=(ACCOUNT)
            └ Reduce  sum(AMOUNT)  key=ACCOUNT  hash  keeps 1 row per key
              └ Source ACCOUNT_MOVEMENTS  append-only  columns=[ACCOUNT, AMOUNT]"#]],
    );
}

#[test]
fn an_invalid_user_is_a_pattern() {
    check(
        "CREATE STREAM SYSLOG_INVALID_USERS AS SELECT HOST, MESSAGE FROM SYSLOG WHERE MESSAGE LIKE '%Invalid user%'",
        expect![[r#"
            Emit SYSLOG_INVALID_USERS  stream
            └ Filter  MESSAGE LIKE '%Invalid user%'
              └ Source SYSLOG  append-only  columns=[HOST, MESSAGE, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
}

#[test]
fn undeclared_aliases_are_repaired() {
    check(
        "SELECT * FROM RATINGS LEFT JOIN CUSTOMERS ON R.ID = C.ID",
        expect![[r#"
        error[42P01]: no relation in FROM is called "R"
          --> talk.sql:1:46
           |
        1  | SELECT * FROM RATINGS LEFT JOIN CUSTOMERS ON R.ID = C.ID
           |                                              ^^^^
           = detail: FROM has RATINGS and CUSTOMERS, neither of them with an alias.
           = hint: FROM RATINGS R LEFT JOIN CUSTOMERS C ON R.ID = C.ID"#]],
    );
}
