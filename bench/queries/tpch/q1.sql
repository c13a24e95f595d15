-- TPC-H 1. The averages are left out: they are quotients of the sums and the count that stand beside them, and no two
-- engines give a quotient the same type.
CREATE MATERIALIZED VIEW answer AS
SELECT l_returnflag, l_linestatus, SUM(l_quantity) AS sum_qty, SUM(l_extendedprice) AS sum_base_price,
  SUM(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
  SUM(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
  SUM(l_discount) AS sum_disc, COUNT(*) AS count_order
FROM lineitem
WHERE l_shipdate <= DATE '1998-09-02'
GROUP BY l_returnflag, l_linestatus
