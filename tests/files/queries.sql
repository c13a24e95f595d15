-- What is compared with DuckDB: views over `events` (a stream), `accounts` (a table with a primary key, updated and
-- deleted from) and `offers` (a bag, deleted from). Each query is asked of both as it stands here, but for integer
-- division, which is `/` here and `//` there; a second block `name: duckdb` is what DuckDB is asked instead.
-- No query has one column only: a NULL alone on a line of CSV cannot be told from an empty line.

-- filter_project
SELECT id, kind, amount * 2 AS twice, account / 7 AS bucket FROM events WHERE amount > 500 AND kind LIKE '%a%';

-- scalar_functions
SELECT id, upper(kind) AS u, char_length(kind) AS n, coalesce(account, -1) AS account, abs(amount - 500) AS off,
       CASE WHEN ratio < 100 THEN 'low' WHEN ratio < 300 THEN 'middle' WHEN ratio IS NULL THEN 'none' ELSE 'high' END AS size,
       kind IS NULL OR account BETWEEN 10 AND 20 AS odd, CAST(amount AS BIGINT) AS whole, account % 5 AS rest
FROM events WHERE id % 3 = 0;

-- aggregate_all
SELECT count(*) AS n, count(account) AS accounts, sum(amount) AS amount, min(day) AS first, max(day) AS last,
       min(kind) AS low, max(kind) AS high, sum(ratio) AS ratio FROM events;

-- aggregate_by_key
SELECT account / 10 AS g, count(*) AS n, count(kind) AS kinds, sum(amount) AS amount, min(amount) AS low,
       max(ratio) AS high, avg(ratio) AS mean, bool_and(amount > 10) AS big FROM events GROUP BY account / 10;

-- aggregate_of_table
SELECT region, count(*) AS n, sum(credit) AS credit, min(credit) AS low, max(owner) AS last FROM accounts GROUP BY region;

-- aggregate_of_bag
SELECT kind, count(*) AS n, sum(price) AS price, min(price) AS low, max(account) AS high FROM offers GROUP BY kind;

-- aggregate_distinct
SELECT kind, count(DISTINCT account) AS accounts, sum(DISTINCT amount) AS amounts, count(*) FILTER (WHERE amount > 900) AS big
FROM events GROUP BY kind;

-- aggregate_decimals
SELECT account % 11 AS g, avg(amount) AS mean, avg(id) AS mean_id, sum(amount * 3) AS sum3, max(amount * amount) AS square
FROM events GROUP BY account % 11;

-- having
SELECT account, count(*) AS n, sum(amount) AS amount FROM events GROUP BY account HAVING count(*) > 4 AND sum(amount) < 4000;

-- distinct_rows
SELECT DISTINCT kind, day, amount > 500 AS big FROM events;

-- distinct_of_bag
SELECT DISTINCT account % 50 AS a, kind FROM offers;

-- join_inner
SELECT e.id, e.amount, a.owner, a.credit - e.amount AS rest FROM events e JOIN accounts a ON e.account = a.id
WHERE a.credit > e.amount;

-- join_left
SELECT e.id, e.kind, a.region, a.owner FROM events e LEFT JOIN accounts a ON e.account = a.id AND a.credit > 300;

-- join_full
SELECT a.id, a.region, t.account, t.n FROM accounts a
FULL JOIN (SELECT account, count(*) AS n FROM events WHERE amount < 250 GROUP BY account) AS t ON a.id = t.account;

-- join_on_text
SELECT a.region, k.kind, a.n, k.amount FROM (SELECT region, count(*) AS n FROM accounts GROUP BY region) AS a
JOIN (SELECT kind, sum(amount) AS amount FROM events GROUP BY kind) AS k ON a.region = k.kind;

-- join_aggregate
SELECT a.region, count(*) AS n, sum(e.amount) AS amount, max(e.ratio) AS ratio, count(DISTINCT a.owner) AS owners
FROM events e JOIN accounts a ON e.account = a.id GROUP BY a.region;

-- join_bag
SELECT a.id, a.credit, o.kind, o.price FROM accounts a JOIN offers o ON a.id = o.account WHERE o.price > a.credit;

-- join_three
SELECT a.region, e.n AS events, o.n AS offers, count(*) AS accounts FROM accounts a
JOIN (SELECT account, count(*) AS n FROM events GROUP BY account) AS e ON e.account = a.id
LEFT JOIN (SELECT account, count(*) AS n FROM offers GROUP BY account) AS o ON o.account = a.id
GROUP BY a.region, e.n, o.n;

-- in_subquery
SELECT id, account, amount FROM events WHERE account IN (SELECT id FROM accounts WHERE region = 'north' AND credit > 500);

-- not_in_without_null
SELECT id, account, amount FROM events WHERE account NOT IN (SELECT id FROM accounts WHERE credit > 200);

-- not_in_with_null
SELECT id, owner FROM accounts WHERE region NOT IN (SELECT kind FROM events WHERE amount > 990);

-- exists_correlated
SELECT a.id, a.owner FROM accounts a WHERE EXISTS (SELECT 1 FROM events e WHERE e.account = a.id AND e.amount > a.credit);

-- not_exists_correlated
SELECT a.id, a.owner FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.account = a.id);

-- scalar_subquery
SELECT id, amount FROM events WHERE amount > (SELECT avg(credit) * 1.8 FROM accounts);

-- scalar_correlated
SELECT a.id, a.owner, (SELECT max(e.amount) FROM events e WHERE e.account = a.id) AS top FROM accounts a;

-- top_k
SELECT id, amount, kind FROM events ORDER BY amount DESC NULLS LAST, id LIMIT 25;

-- top_k_offset
SELECT id, credit, owner FROM accounts ORDER BY credit, owner DESC NULLS LAST, id LIMIT 10 OFFSET 5;

-- top_k_of_groups
SELECT region, count(*) AS n, sum(credit) AS credit FROM accounts GROUP BY region ORDER BY credit DESC, region NULLS LAST LIMIT 3;

-- union_all
SELECT account AS a, kind AS k FROM events WHERE amount < 20 UNION ALL SELECT id, region FROM accounts WHERE credit < 100;

-- union_distinct
SELECT account % 40 AS a, kind AS k FROM events UNION SELECT id % 40, region FROM accounts;

-- intersect_distinct
SELECT account % 100 AS a, kind AS k FROM events INTERSECT SELECT id % 100, region FROM accounts;

-- except_distinct
SELECT id, id % 9 AS r FROM accounts EXCEPT SELECT account, account % 9 FROM events;

-- except_all
SELECT account % 60 AS a, kind AS k FROM events EXCEPT ALL SELECT id % 60, region FROM accounts;

-- window_tumbling
SELECT kind, count(*) AS n, sum(amount) AS amount, windowstart, windowend
FROM events WINDOW TUMBLING (SIZE 60 MILLISECONDS) GROUP BY kind;

-- window_tumbling: duckdb
SELECT kind, count(*) AS n, sum(amount) AS amount, ms // 60 * 60 AS windowstart, ms // 60 * 60 + 60 AS windowend
FROM events GROUP BY kind, ms // 60;

-- window_hopping
SELECT account % 3 AS g, count(*) AS n, max(ratio) AS ratio, windowstart, windowend FROM events
WINDOW HOPPING (SIZE 90 MILLISECONDS, ADVANCE BY 30 MILLISECONDS) GROUP BY account % 3;

-- window_hopping: duckdb
SELECT account % 3 AS g, count(*) AS n, max(ratio) AS ratio, (ms // 30 - back) * 30 AS windowstart,
       (ms // 30 - back) * 30 + 90 AS windowend
FROM events, range(3) AS r(back) GROUP BY account % 3, ms // 30 - back;

-- row_number
SELECT region, place, id, credit FROM (
  SELECT region, id, credit, row_number() OVER (PARTITION BY region ORDER BY credit DESC, id) AS place FROM accounts) AS r
WHERE place <= 3;
