-- The window is spelt out, in ms.
SELECT k, COUNT(*) AS n, SUM(v) AS total, w * 10000 AS window_start, (w + 1) * 10000 AS window_end
FROM (SELECT k, v, time // 10000 AS w FROM events) q
GROUP BY k, w;
