//! Nexmark's questions as they are published, over TIMESTAMP columns: each is maintained, and this is how.

use expect_test::{Expect, expect};

use super::catalog::plan;

const STREAMS: &str = "
CREATE STREAM person (id BIGINT, name VARCHAR, email_address VARCHAR, credit_card VARCHAR, city VARCHAR, state VARCHAR, date_time TIMESTAMP, extra VARCHAR) WITH (CONNECTOR='memory');
CREATE STREAM auction (id BIGINT, item_name VARCHAR, description VARCHAR, initial_bid BIGINT, reserve BIGINT, date_time TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra VARCHAR) WITH (CONNECTOR='memory');
CREATE STREAM bid (auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, date_time TIMESTAMP, extra VARCHAR) WITH (CONNECTOR='memory');
CREATE MATERIALIZED VIEW answer AS ";

fn check(question: &str, expect: Expect) {
    expect.assert_eq(&plan(&format!("{STREAMS}{question}")));
}

#[test]
fn q5_hot_items() {
    check(
        "SELECT AuctionBids.auction, AuctionBids.num
         FROM (
           SELECT auction, COUNT(*) AS num, window_start AS starttime, window_end AS endtime
           FROM TABLE(HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
           GROUP BY auction, window_start, window_end
         ) AS AuctionBids
         JOIN (
           SELECT MAX(CountBids.num) AS maxn, CountBids.starttime, CountBids.endtime
           FROM (
             SELECT COUNT(*) AS num, window_start AS starttime, window_end AS endtime
             FROM TABLE(HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
             GROUP BY auction, window_start, window_end
           ) AS CountBids
           GROUP BY CountBids.starttime, CountBids.endtime
         ) AS MaxBids
         ON AuctionBids.starttime = MaxBids.starttime AND AuctionBids.endtime = MaxBids.endtime
           AND AuctionBids.num >= MaxBids.maxn",
        expect![[r#"
            Emit ANSWER  changes
            └ Project  [AUCTION, NUM]
              └ Join  inner  on STARTTIME = STARTTIME AND ENDTIME = ENDTIME AND NUM >= MAXN  hash  keeps both sides
                ├ Project  [AUCTION, COUNT AS NUM, WINDOW_START AS STARTTIME, WINDOW_END AS ENDTIME]
                │ └ Reduce  count(*)  key=(AUCTION, WINDOW_START, WINDOW_END)  hash  keeps 1 row per key
                │   └ Project  [AUCTION, WINDOW_START, window_end(WINDOW_START, 10000000) AS WINDOW_END]
                │     └ Unnest  columns=[WINDOW_START]
                │       └ Map  [AUCTION, window_starts(DATE_TIME, 2000000, 10000000) AS WINDOW_START]  where DATE_TIME IS NOT NULL
                │         └ Source BID  append-only  columns=[AUCTION, DATE_TIME]
                └ Project  [MAX AS MAXN, STARTTIME, ENDTIME]
                  └ Reduce  max(NUM)  key=(STARTTIME, ENDTIME)  hash  keeps 1 row per key
                    └ Project  [WINDOW_START AS STARTTIME, WINDOW_END AS ENDTIME, COUNT:2 AS NUM]
                      └ Reduce  count(*)  key=(AUCTION, WINDOW_START, WINDOW_END)  hash  keeps 1 row per key
                        └ Project  [AUCTION, WINDOW_START, window_end(WINDOW_START, 10000000) AS WINDOW_END]
                          └ Unnest  columns=[WINDOW_START]
                            └ Map  [AUCTION, window_starts(DATE_TIME, 2000000, 10000000) AS WINDOW_START]  where DATE_TIME IS NOT NULL
                              └ Source BID  append-only  columns=[AUCTION, DATE_TIME]"#]],
    );
}

#[test]
fn q7_highest_bid() {
    check(
        "SELECT B.auction, B.price, B.bidder, B.date_time, B.extra
         FROM bid B
         JOIN (
           SELECT MAX(price) AS maxprice, window_end AS date_time
           FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
           GROUP BY window_start, window_end
         ) B1
         ON B.price = B1.maxprice
         WHERE B.date_time BETWEEN B1.date_time - INTERVAL '10' SECOND AND B1.date_time",
        expect![[r#"
            Emit ANSWER  changes
            └ Project  [AUCTION, PRICE, BIDDER, DATE_TIME, EXTRA]
              └ Join  inner  on PRICE = MAXPRICE AND DATE_TIME >= DATE_TIME - INTERVAL '10.000000000 secs' AND DATE_TIME <= DATE_TIME  hash  keeps both sides
                ├ Source BID  append-only  columns=[AUCTION, BIDDER, PRICE, DATE_TIME, EXTRA]
                └ Project  [MAX AS MAXPRICE, WINDOW_END AS DATE_TIME]
                  └ Reduce  max(PRICE)  key=(WINDOW_START, WINDOW_END)  hash  keeps 1 row per key
                    └ Project  [WINDOW_START, window_end(WINDOW_START, 10000000) AS WINDOW_END, PRICE]
                      └ Map  [PRICE, window_start(DATE_TIME, 10000000) AS WINDOW_START]  where DATE_TIME IS NOT NULL
                        └ Source BID  append-only  columns=[PRICE, DATE_TIME]"#]],
    );
}

#[test]
fn q8_new_users() {
    check(
        "SELECT P.id, P.name, P.starttime
         FROM (
           SELECT id, name, window_start AS starttime, window_end AS endtime
           FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
           GROUP BY id, name, window_start, window_end
         ) P
         JOIN (
           SELECT seller, window_start AS starttime, window_end AS endtime
           FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
           GROUP BY seller, window_start, window_end
         ) A
         ON P.id = A.seller AND P.starttime = A.starttime AND P.endtime = A.endtime",
        expect![[r#"
            Emit ANSWER  changes
            └ Project  [ID, NAME, STARTTIME]
              └ Join  inner  on ID = SELLER AND STARTTIME = STARTTIME AND ENDTIME = ENDTIME  hash  keeps both sides  append-only
                ├ Distinct  key=(ID, NAME, WINDOW_START, WINDOW_END)  hash  keeps 1 row per key  append-only
                │ └ Project  [ID, NAME, WINDOW_START, window_end(WINDOW_START, 10000000) AS WINDOW_END]
                │   └ Map  [ID, NAME, window_start(DATE_TIME, 10000000) AS WINDOW_START]  where DATE_TIME IS NOT NULL
                │     └ Source PERSON  append-only  columns=[ID, NAME, DATE_TIME]
                └ Distinct  key=(SELLER, WINDOW_START, WINDOW_END)  hash  keeps 1 row per key  append-only
                  └ Project  [SELLER, WINDOW_START, window_end(WINDOW_START, 10000000) AS WINDOW_END]
                    └ Map  [SELLER, window_start(DATE_TIME, 10000000) AS WINDOW_START]  where DATE_TIME IS NOT NULL
                      └ Source AUCTION  append-only  columns=[DATE_TIME, SELLER]"#]],
    );
}

#[test]
fn q9_winning_bids() {
    check(
        "SELECT id, item_name, description, initial_bid, reserve, date_time, expires, seller, category, extra,
           auction, bidder, price, bid_date_time, bid_extra
         FROM (
           SELECT A.*, B.auction, B.bidder, B.price, B.date_time AS bid_date_time, B.extra AS bid_extra,
             ROW_NUMBER() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.date_time ASC) AS rownum
           FROM auction A, bid B
           WHERE A.id = B.auction AND B.date_time BETWEEN A.date_time AND A.expires
         )
         WHERE rownum <= 1",
        expect![[r#"
            Emit ANSWER  changes
            └ TopK  key=ID  order=(PRICE DESC, BID_DATE_TIME, ID, ITEM_NAME, DESCRIPTION, INITIAL_BID, RESERVE, DATE_TIME, EXPIRES, SELLER, CATEGORY, EXTRA, AUCTION, BIDDER, BID_EXTRA)  limit=1  hash  keeps the first rows
              └ Join  inner  on ID = AUCTION AND DATE_TIME >= DATE_TIME AND DATE_TIME <= EXPIRES  hash  keeps both sides  append-only
                ├ Source AUCTION  append-only  columns=[ID, ITEM_NAME, DESCRIPTION, INITIAL_BID, RESERVE, DATE_TIME, EXPIRES, SELLER, CATEGORY, EXTRA]
                └ Source BID  append-only  columns=[AUCTION, BIDDER, PRICE, DATE_TIME, EXTRA]"#]],
    );
}

#[test]
fn q18_last_bid() {
    check(
        "SELECT auction, bidder, price, channel, url, date_time, extra
         FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY date_time DESC) AS rank_number FROM bid)
         WHERE rank_number <= 1",
        expect![[r#"
            Emit ANSWER  changes
            └ TopK  key=(BIDDER, AUCTION)  order=(DATE_TIME DESC, AUCTION, BIDDER, PRICE, CHANNEL, URL, EXTRA)  limit=1  hash  keeps the first rows
              └ Source BID  append-only  columns=[AUCTION, BIDDER, PRICE, CHANNEL, URL, DATE_TIME, EXTRA]"#]],
    );
}

#[test]
fn q19_top_ten() {
    check(
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rank_number FROM bid)
         WHERE rank_number <= 10",
        expect![[r#"
            Emit ANSWER  changes
            └ TopK  key=AUCTION  order=(PRICE DESC, AUCTION, BIDDER, CHANNEL, URL, DATE_TIME, EXTRA)  limit=10  numbered  hash  keeps the first rows
              └ Source BID  append-only  columns=[AUCTION, BIDDER, PRICE, CHANNEL, URL, DATE_TIME, EXTRA]"#]],
    );
}
