//! `account_movements`: money that comes and goes, in whole francs.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::draw::Rows;
use super::schedule::Disorder;
use super::{GeneratedColumn, Generator};

pub(super) struct AccountMovements;

mod lane {
    pub(super) const ACCOUNT: u64 = 1;
    pub(super) const KIND: u64 = 2;
    pub(super) const AMOUNT: u64 = 3;
}

const COLUMNS: [GeneratedColumn; 2] = [("ACCOUNT", DataType::Utf8), ("AMOUNT", DataType::Int64)];

const ACCOUNTS: u64 = 500;

impl Generator for AccountMovements {
    fn name(&self) -> &'static str {
        "account_movements"
    }
    fn columns(&self) -> &'static [GeneratedColumn] {
        &COLUMNS
    }
    fn step_ms(&self) -> u32 {
        250
    }
    fn disorder(&self) -> Disorder {
        Disorder { few_per_10k: 100, few_ms_max: 2_000, late_per_10k: 5, late_ms_max: 120_000 }
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef {
        match column {
            0 => {
                let lane = rows.lane(lane::ACCOUNT);
                rows.written(8, |row, text| text.push_fmt(format_args!("ACC-{:04}", lane.at(row).skewed(ACCOUNTS) + 1)))
            }
            _ => {
                let (kind, amount) = (rows.lane(lane::KIND), rows.lane(lane::AMOUNT));
                rows.bigints(|row| {
                    let draw = amount.at(row);
                    match kind.at(row).below(100) {
                        // wages, deposits, refunds; cash, cards, rent
                        0..6 => 3_000 + 50 * draw.below(120) as i64,
                        6..38 => 10 + 10 * draw.skewed(80) as i64,
                        38..44 => 1 + draw.below(90) as i64,
                        44..62 => -20 * (1 + draw.below(25) as i64),
                        62..97 => -(1 + draw.skewed(240) as i64),
                        _ => -(900 + 10 * draw.below(140) as i64),
                    }
                })
            }
        }
    }
}
