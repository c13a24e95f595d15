-- The average of whole numbers is a whole number in the published form's dialect: the fraction is cut off.
CREATE MATERIALIZED VIEW answer AS
SELECT Q.category, SUM(Q.final) / COUNT(*) AS average
FROM (
  SELECT MAX(B.price) AS final, A.id, A.category
  FROM auction A JOIN bid B ON A.id = B.auction
  WHERE B.date_time BETWEEN A.date_time AND A.expires
  GROUP BY A.id, A.category
) Q
GROUP BY Q.category
