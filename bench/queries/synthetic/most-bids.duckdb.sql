-- `/` gives a DOUBLE here.
SELECT w, MAX(n) AS n
FROM (SELECT date_time // 10000 AS w, auction, COUNT(*) AS n FROM bid GROUP BY date_time // 10000, auction) q
GROUP BY w;
