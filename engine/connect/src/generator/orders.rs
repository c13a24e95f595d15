//! `orders`: what is bought, and what becomes of it.
//!
//! A row is a version of an order. Three of four rows are new orders; every fourth tells a later status of an earlier
//! order, with everything else as it was. So a TABLE by id changes all the time, and as a STREAM it is its changelog.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int32Array, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, TimeUnit};

use super::customers::CUSTOMERS;
use super::draw::Rows;
use super::schedule::Disorder;
use super::{GeneratedColumn, Generator};

pub(super) struct Orders;

mod lane {
    pub(super) const CUSTOMER: u64 = 1;
    pub(super) const ITEM: u64 = 2;
    pub(super) const QUANTITY: u64 = 3;
    pub(super) const COUNTRY: u64 = 4;
    pub(super) const AGE: u64 = 5;
    pub(super) const FATE: u64 = 6;
}

const COLUMNS: [GeneratedColumn; 8] = [
    ("ID", DataType::Int64),
    ("CUSTOMER_ID", DataType::Int64),
    ("AMOUNT", DataType::Decimal128(12, 2)),
    ("STATUS", DataType::Utf8),
    ("ORDER_TIME", DataType::Timestamp(TimeUnit::Microsecond, None)),
    ("ITEM", DataType::Utf8),
    ("QUANTITY", DataType::Int32),
    ("COUNTRY", DataType::Utf8),
];

/// Of the rows, so many are new orders before one is a later version.
const NEW: u64 = 3;
/// The oldest order that changes, in orders before the newest.
const AGE_MAX: u64 = 200;

/// Things and their prices in cents.
const ITEMS: [(&str, u64); 14] = [
    ("Cabin suitcase", 14_900),
    ("Neck pillow", 2_450),
    ("Noise-cancelling headphones", 24_900),
    ("Travel adapter", 1_995),
    ("Eye mask", 890),
    ("Model aircraft 1:200", 5_900),
    ("Packing cubes", 3_200),
    ("Seat upgrade voucher", 8_000),
    ("Lounge day pass", 4_500),
    ("Swiss chocolate, 400 g", 1_690),
    ("Reusable bottle", 2_900),
    ("Luggage tag", 650),
    ("Power bank", 4_990),
    ("Compression socks", 1_250),
];

const COUNTRIES: [&str; 12] = ["CH", "DE", "AT", "FR", "IT", "GB", "US", "NL", "SE", "JP", "BR", "KE"];

impl Generator for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }
    fn columns(&self) -> &'static [GeneratedColumn] {
        &COLUMNS
    }
    fn step_ms(&self) -> u32 {
        500
    }
    fn disorder(&self) -> Disorder {
        Disorder { few_per_10k: 200, few_ms_max: 5_000, late_per_10k: 10, late_ms_max: 120_000 }
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef {
        let orders = OrderLanes(rows);
        let numbers = rows.numbers();
        match column {
            0 => rows.bigints(|row| orders.version(row).id as i64),
            1 => {
                let lane = rows.lane(lane::CUSTOMER);
                rows.bigints(|row| lane.at(orders.version(row).id).skewed(CUSTOMERS) as i64 + 1)
            }
            2 => {
                let amounts = numbers.map(|row| {
                    let id = orders.version(row).id;
                    i128::from(orders.item(id).1 * orders.quantity(id))
                });
                let amounts = Decimal128Array::from_iter_values(amounts);
                Arc::new(amounts.with_data_type(DataType::Decimal128(12, 2)))
            }
            3 => rows.texts(8, |row| orders.status(row)),
            4 => {
                // the order's own time, also in its later versions
                let times = numbers.map(|row| rows.schedule.time(row_of(orders.version(row).id)) * 1_000);
                Arc::new(TimestampMicrosecondArray::from_iter_values(times))
            }
            5 => rows.texts(20, |row| orders.item(orders.version(row).id).0),
            6 => {
                let quantities = numbers.map(|row| orders.quantity(orders.version(row).id) as i32);
                Arc::new(Int32Array::from_iter_values(quantities))
            }
            _ => {
                let lane = rows.lane(lane::COUNTRY);
                rows.texts(2, |row| {
                    let n = lane.at(orders.version(row).id).skewed(COUNTRIES.len() as u64);
                    COUNTRIES[n as usize]
                })
            }
        }
    }
}

/// Which order a row is about, and how many newer ones there are.
struct Version {
    id: u64,
    age: u64,
}

struct OrderLanes<'a>(&'a Rows<'a>);

impl OrderLanes<'_> {
    fn version(&self, row: u64) -> Version {
        let newest = row - row / (NEW + 1);
        if row % (NEW + 1) < NEW {
            return Version { id: newest + 1, age: 0 };
        }
        let age = (1 + self.0.lane(lane::AGE).at(row).below(AGE_MAX)).min(newest - 1);
        Version { id: newest - age, age }
    }
    fn item(&self, id: u64) -> (&'static str, u64) {
        self.0.lane(lane::ITEM).at(id).pick(&ITEMS)
    }
    fn quantity(&self, id: u64) -> u64 {
        1 + self.0.lane(lane::QUANTITY).at(id).skewed(6)
    }
    /// A function of the order's age, so that an order never goes back.
    fn status(&self, row: u64) -> &'static str {
        let version = self.version(row);
        let fate = self.0.lane(lane::FATE).at(version.id).below(100);
        match version.age {
            0 => "NEW",
            1..40 => "PAID",
            _ if fate < 8 => "CANCELLED",
            40..110 => "SHIPPED",
            170.. if fate < 14 => "RETURNED",
            _ => "DELIVERED",
        }
    }
}

/// The row that brought an order for the first time.
fn row_of(id: u64) -> u64 {
    (id - 1) + (id - 1) / NEW
}
