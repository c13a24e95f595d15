//! The pipeline of the talk over files: a test with its rows for every statement of it.
//!
//! In the files: a customer who is upgraded and one who goes, a rating of nobody, one without stars and one that is
//! wrong, a VIP whose level comes late, attempts that come out of order, and the movements +50, +25, −60.

use crate::harness::{Folder, Said, said};

const PIPELINE: &str = include_str!("talk.sql");

const RATINGS: &str = r#"
{"rating_id":1,"user_id":1,"stars":5,"route_id":10,"rating_time":1000,"channel":"web","message":"Lovely."}
{"rating_id":2,"user_id":2,"stars":1,"route_id":11,"rating_time":2000,"channel":"ios","message":"Lost \"again\", and late"}
{"rating_id":3,"user_id":1,"stars":2,"route_id":12,"rating_time":3000,"channel":"web","message":"Cold pasta."}
{"rating_id":4,"user_id":9,"stars":2,"route_id":14,"rating_time":5000,"channel":"android","message":"Who am I?"}
{"rating_id":5,"user_id":3,"stars":2,"route_id":15,"rating_time":6000,"channel":"web","message":null}
{"rating_id":6,"user_id":2,"stars":null,"route_id":16,"rating_time":7000,"channel":"web","message":"No stars"}
{"rating_id":7,"user_id":2,"stars":"many","route_id":16,"rating_time":7500,"channel":"web","message":"no number"}
{"rating_id":8,"user_id":2,"stars":3,"route_id":17,"rating_time":8000,"channel":"web","message":"Fine"}
"#;

const CUSTOMERS: &str = r#"
{"op":"c","at":100,"id":1,"first_name":"Ann","last_name":"Ash","email":"ann@x.org","club_status":"bronze"}
{"op":"c","at":100,"id":2,"first_name":"Bob","last_name":"Birch","email":"bob@x.org","club_status":"bronze"}
{"op":"c","at":100,"id":3,"first_name":"Cem","last_name":"Cedar","email":null,"club_status":"platinum"}
{"op":"u","at":3500,"id":2,"first_name":"Bob","last_name":"Birch","email":"bob@x.org","club_status":"platinum"}
{"op":"d","at":5500,"id":3}
"#;

const SYSLOG: &str = "host,message
h1,Invalid user admin from 10.0.0.1
h1,Accepted key for root
h2,\"sshd: Invalid user \"\"x, y\"\" from 10.0.0.2\"
h2,invalid user in lower case
";

const CLICKSTREAM: &str = "userid,page,action,at
1,/a,view,1000
2,/b,buy,2000
1,/c,view,4000
3,/d,view,5000
2,/e,view,6000
";

/// User 1 is upgraded after the first click, and user 2 is no VIP any more.
const USERS: &str = "user_id,level,at
1,Gold,10
2,Platinum,10
1,Platinum,3000
2,Gold,5500
";

/// Card x: four in a window, a fifth out of order; one beyond. Card z: four. Card y: too few.
const ATTEMPTS: &str = "card_number,amount,at
x,1.5,1000
x,2.5,2000
y,1,2500
x,3,3000
x,4,4999
y,9,5000
x,5,5000
x,6,4000
z,1,11000
z,1,11001
z,1,11002
z,1,11003
z,1,15000
";

fn folder() -> Folder {
    Folder::with(&[
        ("talk.sql", PIPELINE),
        ("ratings.jsonl", RATINGS.trim_start()),
        ("customers.jsonl", CUSTOMERS.trim_start()),
        ("syslog.csv", SYSLOG),
        ("clickstream.csv", CLICKSTREAM),
        ("users.csv", USERS),
        ("attempts.csv", ATTEMPTS),
        (
            "pageviews.jsonl",
            "{\"viewtime\":1,\"userid\":\"u1\",\"pageid\":\"p1\"}\n{\"viewtime\":2,\"pageid\":\"p2\"}\n",
        ),
        ("movements.csv", "account,amount\na,50\nb,7\na,25\na,-60\n"),
    ])
}

/// The pipeline, and then this.
fn ask(flags: &[&str], sql: &str) -> Said {
    let args: Vec<&str> =
        ["run", "--format", "csv"].iter().chain(flags).copied().chain(["talk.sql", "-e", sql]).collect();
    said(&mut folder().millrace(&args))
}

/// What a relation of the pipeline holds, for ticks of one row and for all rows in one, and for one worker and two.
#[track_caller]
fn holds(sql: &str, rows: &str) {
    for flags in [["--set=millrace.tick.rows=1", "--workers=2"], ["--set=millrace.tick.rows=10000", "--workers=1"]] {
        assert_eq!(ask(&flags, sql).done(), rows, "{flags:?}");
    }
}

#[test]
fn ratings_and_customers() {
    holds("SELECT rating_id, stars FROM ratings", "RATING_ID,STARS\n1,5\n2,1\n3,2\n4,2\n5,2\n6,\n8,3\n");
    holds(
        "SELECT id, first_name, club_status FROM customers",
        "ID,FIRST_NAME,CLUB_STATUS\n1,Ann,bronze\n2,Bob,platinum\n",
    );
    let said = ask(&[], "SELECT source, \"OFFSET\", reason FROM \"millrace.decode_errors\"");
    assert_eq!(said.done(), "SOURCE,OFFSET,REASON\nRATINGS,6,\"column STARS: expected INT, found a text (byte 35)\"\n");
    assert!(said.err.contains("note: 1 record of RATINGS could not be read"), "{}", said.err);
}

#[test]
fn poor_ratings() {
    let rows = "RATING_ID,USER_ID,STARS,ROUTE_ID,RATING_TIME,CHANNEL,MESSAGE
2,2,1,11,2000,ios,\"Lost \"\"again\"\", and late\"
3,1,2,12,3000,web,Cold pasta.
4,9,2,14,5000,android,Who am I?
5,3,2,15,6000,web,
";
    holds("SELECT * FROM POOR_RATINGS", rows);
}

/// The table is loaded before the stream's first row: the history of ratings meets the customers of today.
#[test]
fn ratings_with_customer_data() {
    let rows = "RATING_ID,STARS,ROUTE_ID,CHANNEL,MESSAGE,ID,FIRST_NAME,LAST_NAME,EMAIL,CLUB_STATUS
1,5,10,web,Lovely.,1,Ann,Ash,ann@x.org,bronze
2,1,11,ios,\"Lost \"\"again\"\", and late\",2,Bob,Birch,bob@x.org,platinum
3,2,12,web,Cold pasta.,1,Ann,Ash,ann@x.org,bronze
4,2,14,android,Who am I?,,,,,
5,2,15,web,,,,,,
6,,16,web,No stars,2,Bob,Birch,bob@x.org,platinum
8,3,17,web,Fine,2,Bob,Birch,bob@x.org,platinum
";
    holds("SELECT * FROM RATINGS_WITH_CUSTOMER_DATA", rows);
}

#[test]
fn unhappy_platinum_customers() {
    holds(
        "SELECT rating_id, first_name, club_status FROM UNHAPPY_PLATINUM_CUSTOMERS",
        "RATING_ID,FIRST_NAME,CLUB_STATUS\n2,Bob,platinum\n",
    );
}

#[test]
fn syslog_invalid_users() {
    let rows =
        "HOST,MESSAGE\nh1,Invalid user admin from 10.0.0.1\nh2,\"sshd: Invalid user \"\"x, y\"\" from 10.0.0.2\"\n";
    holds("SELECT * FROM SYSLOG_INVALID_USERS", rows);
}

#[test]
fn vip_actions() {
    holds("SELECT * FROM vip_actions", "USERID,PAGE,ACTION\n1,/a,view\n1,/c,view\n");
}

/// Rows of statements come one after the other: what was clicked before the level came stays as it was.
#[test]
fn a_late_vip() {
    let sql = "SELECT userid, page FROM vip_actions EMIT CHANGES;
        CREATE STREAM clicks (userid BIGINT, page VARCHAR);
        CREATE TABLE levels (user_id BIGINT PRIMARY KEY, level VARCHAR);
        CREATE STREAM late AS
          SELECT userid, page FROM clicks c LEFT JOIN levels l ON c.userid = l.user_id WHERE l.level = 'Platinum';
        INSERT INTO clicks VALUES (7, '/before');
        INSERT INTO levels VALUES (7, 'Platinum');
        INSERT INTO clicks VALUES (7, '/behind');
        SELECT * FROM late";
    let said = ask(&[], sql);
    assert!(said.done().contains("USERID,PAGE\n7,/behind\n"), "{said:?}");
    assert!(!said.out.contains("/before"), "{said:?}");
}

#[test]
fn possible_fraud() {
    let rows = "CARD_NUMBER,KSQL_COL_0,WINDOWSTART,WINDOWEND\nx,5,0,5000\nz,4,10000,15000\n";
    holds("SELECT * FROM possible_fraud", rows);
    // row by row: the card lights up with the fourth attempt and is revised by the fifth
    let said = ask(&["--set=millrace.tick.rows=1"], "SELECT * FROM possible_fraud EMIT CHANGES");
    let changes: Vec<&str> = said.done().lines().skip(1).map(|line| &line[line.find(',').expect("a tick")..]).collect();
    assert_eq!(changes, [",u,x,4,0,5000", ",u,x,5,0,5000", ",u,z,4,10000,15000"]);
}

#[test]
fn pageviews() {
    holds("SELECT * FROM pageviews", "VIEWTIME,USERID,PAGEID\n1,u1,p1\n2,,p2\n");
    let avro = "CREATE STREAM more WITH (PARTITIONS=4, VALUE_FORMAT='AVRO') AS SELECT * FROM pageviews_json";
    let parts = ["error[0A000]: not supported: topics of format 'AVRO'", "^^^^^^", "There are JSON, DELIMITED, KAFKA."];
    ask(&[], avro).failed(1, &parts);
}

#[test]
fn balances() {
    holds("SELECT * FROM balances", "ACCOUNT,BALANCE\na,15\nb,7\n");
    // the stream is a table: +50, +25, −60 give 50, 75, 15, in this order
    let said = ask(&["--set=millrace.tick.rows=1"], "SELECT * FROM balances EMIT CHANGES");
    let changes: Vec<&str> = said.done().lines().skip(1).map(|line| &line[line.find(',').expect("a tick")..]).collect();
    assert_eq!(changes, [",u,a,50", ",u,b,7", ",u,a,75", ",u,a,15"]);
}
