-- The pipeline of the talk, statement by statement, over files. `at` is the time in the records of those files that have
-- none of their own.
CREATE STREAM ratings (rating_id BIGINT, user_id BIGINT, stars INT, route_id BIGINT, rating_time BIGINT, channel VARCHAR, message VARCHAR)
  WITH (CONNECTOR='file', PATH='ratings.jsonl', TIMESTAMP='rating_time');
CREATE TABLE customers (id BIGINT PRIMARY KEY, first_name VARCHAR, last_name VARCHAR, email VARCHAR, gender VARCHAR, club_status VARCHAR, comments VARCHAR, at BIGINT)
  WITH (CONNECTOR='file', PATH='customers.jsonl', OP_COLUMN='op', TIMESTAMP='at');
CREATE STREAM POOR_RATINGS AS SELECT * FROM ratings WHERE STARS <3;
CREATE STREAM RATINGS_WITH_CUSTOMER_DATA AS
  SELECT r.rating_id, r.stars, r.route_id, r.channel, r.message, c.id, c.first_name, c.last_name, c.email, c.club_status
  FROM ratings r LEFT JOIN customers c ON r.user_id = c.id;
CREATE STREAM UNHAPPY_PLATINUM_CUSTOMERS AS SELECT * FROM RATINGS_WITH_CUSTOMER_DATA WHERE STARS < 3 AND CLUB_STATUS = 'platinum';
CREATE STREAM syslog (host VARCHAR, message VARCHAR) WITH (CONNECTOR='file', PATH='syslog.csv');
CREATE STREAM SYSLOG_INVALID_USERS AS SELECT HOST, MESSAGE FROM SYSLOG WHERE MESSAGE LIKE '%Invalid user%';
CREATE STREAM clickstream (userid BIGINT, page VARCHAR, action VARCHAR, at BIGINT)
  WITH (CONNECTOR='file', PATH='clickstream.csv', TIMESTAMP='at');
CREATE TABLE users (user_id BIGINT PRIMARY KEY, level VARCHAR, at BIGINT)
  WITH (CONNECTOR='file', PATH='users.csv', TIMESTAMP='at');
CREATE STREAM vip_actions AS
  SELECT userid, page, action
  FROM clickstream c
  LEFT JOIN users u ON c.userid = u.user_id
  WHERE u.level = 'Platinum';
CREATE STREAM authorization_attempts (card_number VARCHAR, amount DOUBLE, at BIGINT)
  WITH (CONNECTOR='file', PATH='attempts.csv', TIMESTAMP='at');
CREATE TABLE possible_fraud AS
  SELECT card_number, count(*)
  FROM authorization_attempts
  WINDOW TUMBLING (SIZE 5 SECONDS)
  GROUP BY card_number
  HAVING count(*) > 3;
CREATE STREAM pageviews_json (viewtime BIGINT, userid VARCHAR, pageid VARCHAR)
  WITH (CONNECTOR='file', PATH='pageviews.jsonl', TIMESTAMP='viewtime');
CREATE STREAM pageviews AS SELECT * FROM pageviews_json;
CREATE STREAM account_movements (account VARCHAR, amount BIGINT) WITH (CONNECTOR='file', PATH='movements.csv');
CREATE TABLE balances AS SELECT account, SUM(amount) AS balance FROM account_movements GROUP BY account;
