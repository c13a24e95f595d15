//! `authorization_attempts`: cards that are tried, and some that are tried too often.
//!
//! Of the stretches of [`STRETCH`] rows, one in seven has a burst: four to eight attempts with one card in a row, as
//! someone who found a number makes them. All other attempts are spread over a million cards.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;

use super::draw::Rows;
use super::schedule::Disorder;
use super::{GeneratedColumn, Generator};

pub(super) struct AuthorizationAttempts;

mod lane {
    pub(super) const CARD: u64 = 1;
    pub(super) const AMOUNT: u64 = 2;
    pub(super) const BURST: u64 = 3;
    pub(super) const BURST_SHAPE: u64 = 4;
}

const COLUMNS: [GeneratedColumn; 2] = [("CARD_NUMBER", DataType::Utf8), ("AMOUNT", DataType::Float64)];

const CARDS: u64 = 1_000_000;
const STRETCH: u64 = 64;

impl Generator for AuthorizationAttempts {
    fn name(&self) -> &'static str {
        "authorization_attempts"
    }
    fn columns(&self) -> &'static [GeneratedColumn] {
        &COLUMNS
    }
    fn step_ms(&self) -> u32 {
        100
    }
    fn disorder(&self) -> Disorder {
        Disorder { few_per_10k: 100, few_ms_max: 1_000, late_per_10k: 5, late_ms_max: 45_000 }
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef {
        match column {
            0 => {
                let lane = rows.lane(lane::CARD);
                rows.written(16, |row, text| {
                    // every attempt of a burst draws from the place of its first
                    let place = burst_start(rows, row).unwrap_or(row);
                    let card = lane.at(place).below(CARDS);
                    text.push_fmt(format_args!("4{:015}", card * 1_000_003 + 17));
                })
            }
            _ => {
                let lane = rows.lane(lane::AMOUNT);
                let cents = |row| match burst_start(rows, row) {
                    Some(_) => 100 + lane.at(row).below(900),
                    None => 150 + lane.at(row).skewed(60_000),
                };
                Arc::new(Float64Array::from_iter_values(rows.numbers().map(|row| cents(row) as f64 / 100.0)))
            }
        }
    }
}

/// Where the burst began that the row belongs to.
fn burst_start(rows: &Rows<'_>, row: u64) -> Option<u64> {
    let stretch = row / STRETCH;
    if !rows.lane(lane::BURST).at(stretch).permille(143) {
        return None;
    }
    let shape = rows.lane(lane::BURST_SHAPE);
    let length = 4 + shape.at(stretch).below(5);
    let start = stretch * STRETCH + shape.at(stretch ^ (1 << 63)).below(STRETCH - length);
    (start..start + length).contains(&row).then_some(start)
}
