-- There is no HOP: the five windows of a bid are spelt out, as their start in ms.
WITH counts AS (
  SELECT auction, COUNT(*) AS num, starttime
  FROM (SELECT auction, (date_time // 2000 - hop.n) * 2000 AS starttime
        FROM bid CROSS JOIN (VALUES (0), (1), (2), (3), (4)) AS hop (n)) hopped
  GROUP BY auction, starttime
)
SELECT AuctionBids.auction, AuctionBids.num
FROM counts AS AuctionBids
JOIN (SELECT MAX(num) AS maxn, starttime FROM counts GROUP BY starttime) AS MaxBids
ON AuctionBids.starttime = MaxBids.starttime AND AuctionBids.num >= MaxBids.maxn;
