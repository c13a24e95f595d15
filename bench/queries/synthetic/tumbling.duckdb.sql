-- The window is spelt out, in ms.
SELECT k, COUNT(*) AS n, w * 10000 AS window_start, (w + 1) * 10000 AS window_end
FROM (SELECT k, time // 10000 AS w FROM events) q
GROUP BY k, w;
