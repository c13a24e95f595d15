-- Times are epoch ms here, and the window is spelt out.
CREATE MATERIALIZED VIEW answer AS
SELECT B.auction, B.price, B.bidder, B.date_time, B.extra
FROM bid B
JOIN (
  SELECT MAX(price) AS maxprice, (date_time / 10000 + 1) * 10000 AS endtime FROM bid GROUP BY (date_time / 10000 + 1) * 10000
) B1
ON B.price = B1.maxprice
WHERE B.date_time BETWEEN B1.endtime - 10000 AND B1.endtime
