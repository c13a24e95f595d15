-- AVG of whole numbers is a DOUBLE here: the fraction is cut off.
SELECT Q.category, CAST(SUM(Q.final) // COUNT(*) AS BIGINT) AS average
FROM (
  SELECT MAX(B.price) AS final, A.category
  FROM auction A, bid B
  WHERE A.id = B.auction AND B.date_time BETWEEN A.date_time AND A.expires
  GROUP BY A.id, A.category
) Q
GROUP BY Q.category;
