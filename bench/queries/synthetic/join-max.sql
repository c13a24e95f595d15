CREATE MATERIALIZED VIEW answer AS
SELECT l.k, l.name, MAX(r.v) AS v FROM lefts l JOIN rights r ON l.k = r.k GROUP BY l.k, l.name
