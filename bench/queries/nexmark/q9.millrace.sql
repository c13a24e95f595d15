-- The first of each group, as DISTINCT ON says it. What the published order leaves open is decided by bidder and text, so
-- that there is one answer.
CREATE MATERIALIZED VIEW answer AS
SELECT DISTINCT ON (A.id)
  A.id, A.item_name, A.description, A.initial_bid, A.reserve, A.date_time, A.expires, A.seller, A.category, A.extra,
  B.auction, B.bidder, B.price, B.date_time AS bid_date_time, B.extra AS bid_extra
FROM auction A JOIN bid B ON A.id = B.auction
WHERE B.date_time BETWEEN A.date_time AND A.expires
ORDER BY A.id, B.price DESC, B.date_time, B.bidder, B.extra
