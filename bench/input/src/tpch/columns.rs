//! Tables, and the columns of an item.

use tpchgen::generators::LineItem;

use crate::rows::Value;
use crate::table::SqlType::{BigInt, Date, Decimal, Int, Varchar};
use crate::table::Table;
use crate::workload::Workload;

/// What the query reads; with `all`, every column that files have. Items that change have a key.
pub(super) fn tables(workload: Workload, changes: bool, all: bool) -> Vec<Table> {
    let money = Decimal(12, 2);
    let items = Table::new(
        "lineitem",
        &[
            ("l_id", BigInt),
            ("l_orderkey", BigInt),
            ("l_suppkey", BigInt),
            ("l_quantity", money),
            ("l_extendedprice", money),
            ("l_discount", money),
            ("l_tax", money),
            ("l_returnflag", Varchar),
            ("l_linestatus", Varchar),
            ("l_shipdate", Date),
        ],
    );
    let items = |reads: &[&str]| {
        let mut names: Vec<&str> = if all { items.columns.iter().map(|c| c.name).collect() } else { reads.to_vec() };
        if changes && !names.contains(&"l_id") {
            names.push("l_id");
        }
        let table = items.clone().only(&names);
        if changes { table.keyed_by("l_id").retracting() } else { table }
    };
    let orders = Table::new(
        "orders",
        &[("o_orderkey", BigInt), ("o_custkey", BigInt), ("o_orderdate", Date), ("o_shippriority", Int)],
    );
    let customers =
        Table::new("customer", &[("c_custkey", BigInt), ("c_nationkey", BigInt), ("c_mktsegment", Varchar)]);
    let only = |table: Table, reads: &[&str]| if all { table } else { table.only(reads) };
    match workload {
        Workload::TpchQ1 => vec![items(&[
            "l_returnflag",
            "l_linestatus",
            "l_quantity",
            "l_extendedprice",
            "l_discount",
            "l_tax",
            "l_shipdate",
        ])],
        Workload::TpchQ3 => vec![
            only(customers, &["c_custkey", "c_mktsegment"]),
            orders,
            items(&["l_orderkey", "l_extendedprice", "l_discount", "l_shipdate"]),
        ],
        Workload::TpchQ5 => vec![
            only(customers, &["c_custkey", "c_nationkey"]),
            only(orders, &["o_orderkey", "o_custkey", "o_orderdate"]),
            items(&["l_orderkey", "l_suppkey", "l_extendedprice", "l_discount"]),
            Table::new("supplier", &[("s_suppkey", BigInt), ("s_nationkey", BigInt)]),
            Table::new("nation", &[("n_nationkey", BigInt), ("n_name", Varchar), ("n_regionkey", BigInt)]),
            Table::new("region", &[("r_regionkey", BigInt), ("r_name", Varchar)]),
        ],
        _ => vec![items(&["l_quantity", "l_extendedprice", "l_discount", "l_shipdate"])],
    }
}

/// An item of an order.
#[derive(Clone)]
pub(super) struct Item {
    order: i64,
    number: i64,
    supplier: i64,
    /// Whole pieces.
    pub(super) quantity: i64,
    price: i64,
    discount: i64,
    tax: i64,
    flag: String,
    status: &'static str,
    shipped: i32,
}

impl Item {
    /// As it was generated.
    pub(super) fn of(item: &LineItem<'_>) -> Item {
        Item {
            order: item.l_orderkey,
            number: item.l_linenumber.into(),
            supplier: item.l_suppkey,
            quantity: item.l_quantity,
            price: item.l_extendedprice.into_inner(),
            discount: item.l_discount.into_inner(),
            tax: item.l_tax.into_inner(),
            flag: item.l_returnflag.to_owned(),
            status: item.l_linestatus,
            shipped: item.l_shipdate.to_unix_epoch(),
        }
    }

    /// The value of a column.
    pub(super) fn value(&self, column: &str) -> Value {
        match column {
            "l_id" => Value::Int(self.order * 8 + self.number),
            "l_orderkey" => Value::Int(self.order),
            "l_suppkey" => Value::Int(self.supplier),
            "l_quantity" => Value::Decimal(i128::from(self.quantity) * 100),
            "l_extendedprice" => Value::Decimal(self.price.into()),
            "l_discount" => Value::Decimal(self.discount.into()),
            "l_tax" => Value::Decimal(self.tax.into()),
            "l_returnflag" => Value::Text(self.flag.clone()),
            "l_linestatus" => Value::Text(self.status.to_owned()),
            _ => Value::Date(self.shipped),
        }
    }
}
