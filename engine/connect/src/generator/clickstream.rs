//! `clickstream` and `pageviews`: what people do on a site.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::customers::CUSTOMERS;
use super::draw::{Lane, Rows};
use super::schedule::Disorder;
use super::{GeneratedColumn, Generator};

pub(super) struct Clickstream;
pub(super) struct Pageviews;

mod lane {
    pub(super) const USER: u64 = 1;
    pub(super) const PAGE: u64 = 2;
    pub(super) const ITEM: u64 = 3;
    pub(super) const ACTION: u64 = 4;
}

const CLICK_COLUMNS: [GeneratedColumn; 3] =
    [("USERID", DataType::Int64), ("PAGE", DataType::Utf8), ("ACTION", DataType::Utf8)];

const VIEW_COLUMNS: [GeneratedColumn; 3] =
    [("VIEWTIME", DataType::Int64), ("USERID", DataType::Utf8), ("PAGEID", DataType::Utf8)];

/// Consecutive rows of one visitor, as far as the others let them be.
const VISIT_ROWS: u64 = 8;

impl Generator for Clickstream {
    fn name(&self) -> &'static str {
        "clickstream"
    }
    fn columns(&self) -> &'static [GeneratedColumn] {
        &CLICK_COLUMNS
    }
    fn step_ms(&self) -> u32 {
        50
    }
    fn disorder(&self) -> Disorder {
        Disorder { few_per_10k: 200, few_ms_max: 1_500, late_per_10k: 5, late_ms_max: 60_000 }
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef {
        let (page, action) = (rows.lane(lane::PAGE), rows.lane(lane::ACTION));
        match column {
            0 => {
                let lane = rows.lane(lane::USER);
                rows.bigints(|row| visitor(lane, row) as i64 + 1)
            }
            1 => {
                let item = rows.lane(lane::ITEM);
                rows.written(20, |row, text| match page_kind(page, row) {
                    Page::Fixed(path) => text.push(path),
                    Page::Destination => {
                        text.push("/destinations/");
                        text.push(item.at(row).pick(&DESTINATIONS));
                    }
                    Page::Flight => text.push_fmt(format_args!("/flights/MR{}", 100 + item.at(row).skewed(900))),
                })
            }
            _ => rows.texts(6, |row| match (page_kind(page, row), action.at(row).below(100)) {
                (Page::Fixed("/checkout"), 0..55) => "purchase",
                (Page::Fixed("/checkout"), _) => "abandon",
                (Page::Fixed("/search"), 0..80) => "search",
                (Page::Flight, 0..25) => "add_to_cart",
                (_, 0..70) => "view",
                (_, 70..95) => "click",
                _ => "share",
            }),
        }
    }
}

impl Generator for Pageviews {
    fn name(&self) -> &'static str {
        "pageviews"
    }
    fn columns(&self) -> &'static [GeneratedColumn] {
        &VIEW_COLUMNS
    }
    fn step_ms(&self) -> u32 {
        20
    }
    fn disorder(&self) -> Disorder {
        Disorder { few_per_10k: 100, few_ms_max: 1_000, late_per_10k: 2, late_ms_max: 60_000 }
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef {
        match column {
            0 => rows.time_column(),
            1 => {
                let lane = rows.lane(lane::USER);
                rows.written(8, |row, text| text.push_fmt(format_args!("User_{}", lane.at(row).skewed(100) + 1)))
            }
            _ => {
                let lane = rows.lane(lane::PAGE);
                rows.written(8, |row, text| text.push_fmt(format_args!("Page_{}", lane.at(row).skewed(200) + 1)))
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Page {
    Fixed(&'static str),
    Destination,
    Flight,
}

fn page_kind(lane: Lane, row: u64) -> Page {
    match lane.at(row).below(100) {
        0..18 => Page::Fixed("/home"),
        18..34 => Page::Fixed("/search"),
        34..62 => Page::Flight,
        62..78 => Page::Destination,
        78..88 => Page::Fixed("/account"),
        88..94 => Page::Fixed("/checkout"),
        _ => Page::Fixed("/help"),
    }
}

/// Half of the rows belong to the visitor of their stretch, so that visits are sessions; the others are anybody's.
fn visitor(lane: Lane, row: u64) -> u64 {
    if lane.at(row ^ (1 << 63)).permille(500) {
        lane.at((row / VISIT_ROWS) ^ (1 << 62)).skewed(CUSTOMERS)
    } else {
        lane.at(row).skewed(CUSTOMERS)
    }
}

const DESTINATIONS: [&str; 16] = [
    "accra",
    "bergen",
    "bogota",
    "boston",
    "hanoi",
    "kyoto",
    "lisbon",
    "marrakesh",
    "nairobi",
    "naples",
    "oslo",
    "porto",
    "reykjavik",
    "seville",
    "tbilisi",
    "zanzibar",
];
