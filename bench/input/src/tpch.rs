//! TPC-H as a stream: first nations, regions, suppliers and customers, then orders with their items as they were placed.
//!
//! The scale is as large as the number of changes wants. With `updates_percent`, so many of the changes take an earlier
//! item back or change its quantity, half and half. `l_id` is the key of an item, of its order's and its own number.

mod columns;

use std::sync::OnceLock;

use tpchgen::distribution::Distributions;
use tpchgen::generators::{
    Customer, CustomerGenerator, LineItem, LineItemGenerator, NationGenerator, Order, OrderGenerator, RegionGenerator,
    Supplier, SupplierGenerator,
};
use tpchgen::text::TextPool;

use crate::random::Random;
use crate::rows::Rows;
use crate::spec::Spec;
use crate::table::{Table, Tick};
use crate::workload::Workload;

use columns::Item;

/// Rows that a scale of one has, of the tables that are used here: customers, suppliers, orders and their items.
const ROWS_PER_SCALE: f64 = 150_000.0 + 10_000.0 + 1_500_000.0 + 6_000_000.0;

/// Items that are remembered for changes.
const LIVE_MAX: usize = 1 << 20;

/// What the query reads.
pub(crate) fn tables(workload: Workload, spec: &Spec, all: bool) -> Vec<Table> {
    columns::tables(workload, spec.updates_percent > 0, all)
}

/// The changes, tick by tick.
pub(crate) struct Tpch {
    tables: Vec<Table>,
    sizes: std::vec::IntoIter<usize>,
    random: Random,
    updates_percent: u32,
    rows: Box<dyn Iterator<Item = Row> + Send>,
    live: Vec<Item>,
}

/// A row as it comes.
enum Row {
    Nation(i64, String, i64),
    Region(i64, String),
    Supplier(i64, i64),
    Customer(i64, i64, String),
    Order(i64, i64, i32, i32),
    Item(Item),
}

impl Tpch {
    pub(crate) fn new(spec: &Spec, tables: Vec<Table>) -> Self {
        let scale = ((spec.load + spec.events) as f64 / ROWS_PER_SCALE * 1.05).max(0.001);
        let (sizes, random) = (spec.sizes().0.into_iter(), Random::new(spec.seed));
        Tpch { tables, sizes, random, updates_percent: spec.updates_percent, rows: rows(scale), live: vec![] }
    }

    fn change(&mut self, rows: &mut [Rows]) {
        if self.random.percent(self.updates_percent) && !self.live.is_empty() {
            let at = self.random.below(self.live.len() as u64) as usize;
            put_item(rows, &self.live[at], -1);
            if self.random.below(2) == 0 {
                self.live.swap_remove(at);
            } else {
                self.live[at].quantity = 1 + self.random.below(50) as i64;
                put_item(rows, &self.live[at], 1);
            }
            return;
        }
        // the scale has more rows than are asked for
        let Some(row) = self.rows.next() else { return };
        for table in rows.iter_mut() {
            row.put(table);
        }
        if let Row::Item(item) = row
            && self.updates_percent > 0
            && self.live.len() < LIVE_MAX
        {
            self.live.push(item);
        }
    }
}

fn put_item(rows: &mut [Rows], item: &Item, diff: i64) {
    for table in rows.iter_mut().filter(|r| r.table == "lineitem") {
        table.push(diff, |column| item.value(column));
    }
}

impl Row {
    /// Into its own table, if that is read.
    fn put(&self, rows: &mut Rows) {
        use crate::rows::Value::{Date, Int, Text};
        match (self, rows.table) {
            (Row::Nation(key, name, region), "nation") => rows.push(1, |column| match column {
                "n_nationkey" => Int(*key),
                "n_name" => Text(name.clone()),
                _ => Int(*region),
            }),
            (Row::Region(key, name), "region") => rows.push(1, |column| match column {
                "r_regionkey" => Int(*key),
                _ => Text(name.clone()),
            }),
            (Row::Supplier(key, nation), "supplier") => rows.push(1, |column| match column {
                "s_suppkey" => Int(*key),
                _ => Int(*nation),
            }),
            (Row::Customer(key, nation, segment), "customer") => rows.push(1, |column| match column {
                "c_custkey" => Int(*key),
                "c_nationkey" => Int(*nation),
                _ => Text(segment.clone()),
            }),
            (Row::Order(key, customer, date, priority), "orders") => rows.push(1, |column| match column {
                "o_orderkey" => Int(*key),
                "o_custkey" => Int(*customer),
                "o_orderdate" => Date(*date),
                _ => Int((*priority).into()),
            }),
            (Row::Item(item), "lineitem") => rows.push(1, |column| item.value(column)),
            _ => (),
        }
    }
}

/// All rows of a scale, in the order in which they come.
fn rows(scale: f64) -> Box<dyn Iterator<Item = Row> + Send> {
    let (words, text) = (Distributions::static_default(), text_pool());
    let nations = NationGenerator::new_with_distributions_and_text_pool(words, text).into_iter();
    let nations = nations.map(|n| Row::Nation(n.n_nationkey, n.n_name.to_owned(), n.n_regionkey));
    let regions = RegionGenerator::new_with_distributions_and_text_pool(words, text).into_iter();
    let regions = regions.map(|r| Row::Region(r.r_regionkey, r.r_name.to_owned()));
    let suppliers = SupplierGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, text).into_iter();
    let suppliers = suppliers.map(|s: Supplier| Row::Supplier(s.s_suppkey, s.s_nationkey));
    let customers = CustomerGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, text).into_iter();
    let customers =
        customers.map(|c: Customer<'_>| Row::Customer(c.c_custkey, c.c_nationkey, c.c_mktsegment.to_owned()));
    let items = LineItemGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, text);
    let mut items = items.into_iter().peekable();
    let orders = OrderGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, text).into_iter();
    let orders = orders.flat_map(move |o: Order<'_>| {
        let mut placed = vec![Row::Order(o.o_orderkey, o.o_custkey, o.o_orderdate.to_unix_epoch(), o.o_shippriority)];
        while let Some(item) = items.next_if(|item: &LineItem<'_>| item.l_orderkey == o.o_orderkey) {
            placed.push(Row::Item(Item::of(&item)));
        }
        placed
    });
    Box::new(nations.chain(regions).chain(suppliers).chain(customers).chain(orders))
}

/// Comments are cut from it; none is read here, so it need not be as large as TPC-H wants it, which takes seconds to make.
fn text_pool() -> &'static TextPool {
    static POOL: OnceLock<TextPool> = OnceLock::new();
    POOL.get_or_init(|| TextPool::new(1 << 16, Distributions::static_default()))
}

impl Iterator for Tpch {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let n = self.sizes.next()?;
        let mut rows: Vec<Rows> = self.tables.iter().map(Rows::new).collect();
        (0..n).for_each(|_| self.change(&mut rows));
        Some(rows.into_iter().map(Rows::finish).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_follow_their_orders() {
        let spec = Spec::new(Workload::TpchQ3, 20_000, 20_000);
        let ticks: Vec<Tick> = Workload::TpchQ3.ticks(&spec, true).collect();
        let rows: Vec<usize> = ticks[0].iter().map(millrace_data::Batch::len).collect();
        // customers, orders, items
        assert!(rows[0] > 300 && rows[1] > 3000 && (3 * rows[1]..5 * rows[1]).contains(&rows[2]), "{rows:?}");
    }

    #[test]
    fn a_tenth_of_the_changes_changes_or_takes_back() {
        let spec = Spec { updates_percent: 10, ..Spec::new(Workload::TpchQ6, 20_000, 20_000) };
        let ticks: Vec<Tick> = Workload::TpchQ6.ticks(&spec, false).collect();
        let back = (0..ticks[0][0].len()).filter(|i| ticks[0][0].diff(*i) < 0).count();
        assert!((1700..2300).contains(&back), "{back}");
    }
}
