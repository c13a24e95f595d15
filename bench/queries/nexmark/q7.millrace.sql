-- Times are epoch ms here, so that the window's end is made one for the comparison.
CREATE MATERIALIZED VIEW answer AS
SELECT B.auction, B.price, B.bidder, B.date_time, B.extra
FROM bid B
JOIN (
  SELECT MAX(price) AS maxprice, UNIX_TIMESTAMP(window_end) AS date_time
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end
) B1
ON B.price = B1.maxprice
WHERE B.date_time BETWEEN B1.date_time - 10000 AND B1.date_time
