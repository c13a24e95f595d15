-- `/` gives a DOUBLE here.
SELECT auction, price * 89 // 100 AS euro, bidder FROM bid WHERE price > 100000 AND auction % 4 <> 0;
