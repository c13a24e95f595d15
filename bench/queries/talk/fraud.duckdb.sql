-- The window is spelt out, in ms.
SELECT card_number, COUNT(*) AS n, w * 5000 AS window_start, (w + 1) * 5000 AS window_end
FROM (SELECT card_number, time // 5000 AS w FROM authorization_attempts) q
GROUP BY card_number, w
HAVING COUNT(*) > 3;
