-- The pipeline that `millrace demo` runs, on made-up events. `millrace demo --show-sql` prints it; `millrace run` takes it.
-- RATE is rows per second. `--rate` scales all of them, `--seed` takes the place of every SEED.

-- An airline's ratings, and the ones that hurt.
CREATE STREAM ratings (rating_id BIGINT, user_id BIGINT, stars INT, route_id BIGINT, rating_time BIGINT, channel VARCHAR, message VARCHAR)
  WITH (CONNECTOR='generator', GENERATOR='ratings', SEED=1, RATE=200, TIMESTAMP='rating_time');
CREATE STREAM POOR_RATINGS AS SELECT * FROM ratings WHERE STARS <3;

-- Customers as the CRM knows them, in a table that an UPDATE can correct.
CREATE TABLE crm_export (id BIGINT PRIMARY KEY, first_name VARCHAR, last_name VARCHAR, email VARCHAR, gender VARCHAR, club_status VARCHAR, comments VARCHAR)
  WITH (CONNECTOR='generator', GENERATOR='customers', SEED=1);
CREATE TABLE customers (id BIGINT PRIMARY KEY, first_name VARCHAR, last_name VARCHAR, email VARCHAR, gender VARCHAR, club_status VARCHAR, comments VARCHAR)
  WITH (CONNECTOR='memory');
INSERT INTO customers SELECT * FROM crm_export;

-- Each rating meets the customer as the customer is at that moment.
CREATE STREAM RATINGS_WITH_CUSTOMER_DATA AS
  SELECT r.rating_id, r.stars, r.route_id, r.channel, r.message, c.id, c.first_name, c.last_name, c.email, c.club_status
  FROM ratings r LEFT JOIN customers c ON r.user_id = c.id;
CREATE STREAM UNHAPPY_PLATINUM_CUSTOMERS AS SELECT * FROM RATINGS_WITH_CUSTOMER_DATA WHERE STARS < 3 AND CLUB_STATUS = 'platinum';

-- A view is revised for ever: correct a customer, and all that the customer ever rated moves along.
CREATE TABLE RATINGS_BY_CUSTOMER AS
  SELECT user_id, count(*) AS ratings, sum(stars) AS stars FROM ratings GROUP BY user_id;
CREATE MATERIALIZED VIEW RATINGS_BY_CLUB AS
  SELECT c.club_status, sum(b.ratings) AS ratings, CAST(sum(b.stars) AS DOUBLE) / sum(b.ratings) AS stars
  FROM RATINGS_BY_CUSTOMER b JOIN customers c ON b.user_id = c.id
  GROUP BY c.club_status;

-- Who knocks at the servers?
CREATE STREAM syslog (host VARCHAR, message VARCHAR) WITH (CONNECTOR='generator', GENERATOR='syslog', SEED=1, RATE=100);
CREATE STREAM SYSLOG_INVALID_USERS AS SELECT HOST, MESSAGE FROM SYSLOG WHERE MESSAGE LIKE '%Invalid user%';

-- Clicks of people who count. INSERT INTO clickstream adds clicks to those that are made up.
CREATE STREAM web_clicks (userid BIGINT, page VARCHAR, action VARCHAR)
  WITH (CONNECTOR='generator', GENERATOR='clickstream', SEED=1, RATE=250);
CREATE STREAM clickstream AS SELECT userid, page, action FROM web_clicks;
CREATE TABLE user_export (user_id BIGINT PRIMARY KEY, level VARCHAR) WITH (CONNECTOR='generator', GENERATOR='users', SEED=1);
CREATE TABLE users (user_id BIGINT PRIMARY KEY, level VARCHAR) WITH (CONNECTOR='memory');
INSERT INTO users SELECT * FROM user_export;
CREATE STREAM vip_actions AS
  SELECT userid, page, action
  FROM clickstream c
  LEFT JOIN users u ON c.userid = u.user_id
  WHERE u.level = 'Platinum';

-- A card that is tried more than three times within five seconds.
CREATE STREAM card_terminals (card_number VARCHAR, amount DOUBLE)
  WITH (CONNECTOR='generator', GENERATOR='authorization_attempts', SEED=1, RATE=150);
CREATE STREAM authorization_attempts AS SELECT card_number, amount FROM card_terminals;
CREATE TABLE possible_fraud AS
  SELECT card_number, count(*)
  FROM authorization_attempts
  WINDOW TUMBLING (SIZE 5 SECONDS)
  GROUP BY card_number
  HAVING count(*) > 3;

CREATE STREAM pageviews_json (viewtime BIGINT, userid VARCHAR, pageid VARCHAR)
  WITH (CONNECTOR='generator', GENERATOR='pageviews', SEED=1, RATE=200);
-- The talk goes on with a copy in AVRO, which answers 0A000: Avro is not supported.
--   CREATE STREAM pageviews WITH (PARTITIONS=4, VALUE_FORMAT='AVRO') AS SELECT * FROM pageviews_json;
CREATE STREAM pageviews AS SELECT * FROM pageviews_json;

-- The table is the sum of the stream.
CREATE STREAM account_movements (account VARCHAR, amount BIGINT)
  WITH (CONNECTOR='generator', GENERATOR='account_movements', SEED=1, RATE=100);
CREATE TABLE balances AS SELECT account, SUM(amount) AS balance FROM account_movements GROUP BY account;
