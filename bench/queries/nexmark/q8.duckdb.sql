-- There is no TUMBLE: the window is spelt out, in ms.
SELECT P.id, P.name, P.starttime
FROM (SELECT DISTINCT id, name, date_time // 10000 * 10000 AS starttime FROM person) P
JOIN (SELECT DISTINCT seller, date_time // 10000 * 10000 AS starttime FROM auction) A
ON P.id = A.seller AND P.starttime = A.starttime;
