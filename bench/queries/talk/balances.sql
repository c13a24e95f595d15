CREATE MATERIALIZED VIEW answer AS SELECT account, SUM(amount) AS balance FROM account_movements GROUP BY account
