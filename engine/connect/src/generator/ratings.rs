//! `ratings`: what passengers of an airline think of it.
//!
//! Stars and message agree. A hundredth of the ratings is by users that nobody knows, and a few come from test devices:
//! outer joins and filters have something to do.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use arrow::datatypes::DataType;

use super::customers::CUSTOMERS;
use super::draw::{Lane, Rows};
use super::schedule::Disorder;
use super::{GeneratedColumn, Generator};

pub(super) struct Ratings;

mod lane {
    pub(super) const USER: u64 = 1;
    pub(super) const STARS: u64 = 2;
    pub(super) const ROUTE: u64 = 3;
    pub(super) const CHANNEL: u64 = 4;
    pub(super) const MESSAGE: u64 = 5;
    pub(super) const UNKNOWN: u64 = 6;
}

const COLUMNS: [GeneratedColumn; 7] = [
    ("RATING_ID", DataType::Int64),
    ("USER_ID", DataType::Int64),
    ("STARS", DataType::Int32),
    ("ROUTE_ID", DataType::Int64),
    ("RATING_TIME", DataType::Int64),
    ("CHANNEL", DataType::Utf8),
    ("MESSAGE", DataType::Utf8),
];

/// Users that rate without being customers.
const STRANGERS: u64 = 25;
const ROUTES: u64 = 10_000;

impl Generator for Ratings {
    fn name(&self) -> &'static str {
        "ratings"
    }
    fn columns(&self) -> &'static [GeneratedColumn] {
        &COLUMNS
    }
    fn step_ms(&self) -> u32 {
        100
    }
    fn disorder(&self) -> Disorder {
        Disorder { few_per_10k: 400, few_ms_max: 3_000, late_per_10k: 20, late_ms_max: 90_000 }
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef {
        match column {
            0 => rows.bigints(|row| row as i64 + 1),
            1 => user_ids(rows),
            2 => {
                let lane = rows.lane(lane::STARS);
                Arc::new(Int32Array::from_iter_values(rows.numbers().map(|row| stars(lane, row))))
            }
            3 => {
                let lane = rows.lane(lane::ROUTE);
                rows.bigints(|row| lane.at(row).skewed(ROUTES) as i64 + 1)
            }
            4 => rows.time_column(),
            5 => {
                let lane = rows.lane(lane::CHANNEL);
                rows.texts(8, |row| channel(lane, row))
            }
            _ => {
                let (stars_lane, lane) = (rows.lane(lane::STARS), rows.lane(lane::MESSAGE));
                rows.texts(72, |row| lane.at(row).pick(messages(stars(stars_lane, row))))
            }
        }
    }
}

fn user_ids(rows: &Rows<'_>) -> ArrayRef {
    let (user, unknown) = (rows.lane(lane::USER), rows.lane(lane::UNKNOWN));
    rows.bigints(|row| {
        let id = if unknown.at(row).permille(10) {
            CUSTOMERS + user.at(row).below(STRANGERS)
        } else {
            user.at(row).skewed(CUSTOMERS)
        };
        id as i64 + 1
    })
}

#[inline]
fn stars(lane: Lane, row: u64) -> i32 {
    match lane.at(row).below(100) {
        0..12 => 1,
        12..27 => 2,
        27..45 => 3,
        45..74 => 4,
        _ => 5,
    }
}

fn channel(lane: Lane, row: u64) -> &'static str {
    match lane.at(row).below(100) {
        0..36 => "web",
        36..66 => "iOS",
        66..94 => "Android",
        94..97 => "iOS-test",
        97..99 => "Android-test",
        _ => "kiosk",
    }
}

fn messages(stars: i32) -> &'static [&'static str] {
    match stars {
        1 | 2 => &POOR,
        3 => &MIXED,
        _ => &GOOD,
    }
}

const POOR: [&str; 28] = [
    "Two hours on the tarmac and nobody told us why. Never again.",
    "My suitcase went to Lisbon. I did not.",
    "Worst. Flight. Ever. The seat would not recline and the screen was dead.",
    "Why is it so difficult to keep the bathrooms clean?",
    "Cancelled at the gate, and the rebooking line took longer than the flight.",
    "Thirty-five minutes on hold, then the call dropped.",
    "Paid extra for legroom and got the row in front of the exit.",
    "The cabin was freezing and they had run out of blankets.",
    "Cold pasta, warm beer.",
    "They lost our stroller and shrugged.",
    "Boarding was chaos: three groups at once through one door.",
    "The app checked me in and the desk said it did not.",
    "Missed my connection because of a missing fuel sheet. Who forgets that?",
    "Wi-Fi for nine dollars, and it never loaded a single page.",
    "Sat next to the galley. Slept zero minutes.",
    "The crew argued with each other during the whole service.",
    "My vegetarian meal was chicken.",
    "Overbooked again. Fourth time this year.",
    "Is this a joke? A refund form that asks for a fax number?",
    "Broken armrest, broken light, broken promise about the upgrade.",
    "We were told 'weather' while every other airline took off.",
    "Surly at check-in, surly at the gate, surly on board.",
    "The entertainment system rebooted seven times over the Atlantic.",
    "Bag arrived two days late and soaked.",
    "No announcement in any language I understand, and I speak four.",
    "They charged me for the bag that they had told me to bring.",
    "Landed at the far stand, waited forty minutes for a bus.",
    "Seats so narrow that my elbows filed a complaint.",
];

const MIXED: [&str; 13] = [
    "Late out, but they made most of it up in the air.",
    "Flight was fine, the food was not.",
    "Average. It got me there.",
    "Friendly crew, tired aircraft.",
    "Good price, but you feel where they saved.",
    "Smooth flight, endless passport queue.",
    "The lounge is nice. The coffee in it is not.",
    "Seat ok, neighbour ok, movie selection from 2009.",
    "Would fly again if the app stopped logging me out.",
    "Bags came fast, the bus to the terminal did not.",
    "Nothing special, nothing terrible.",
    "Gate changed three times, still left on time.",
    "Meh. The window seat had no window.",
];

const GOOD: [&str; 26] = [
    "Exceeded all my expectations. Thank you!",
    "The crew noticed my son's birthday. He will never forget it.",
    "On time, clean, kind. That is all I ask for.",
    "Best landing I have ever not noticed.",
    "Upgraded without asking. You have a customer for life.",
    "Check-in took ninety seconds. I timed it.",
    "The steward found my glasses under row 23. Hero!",
    "Wonderful breakfast above the Alps.",
    "Fast boarding, overhead space for everyone, early arrival.",
    "They held the connection for six of us. Class act.",
    "Great legroom for a person of 1.96 m.",
    "Rebooked me before I knew that my flight was cancelled. Impressive.",
    "Quiet cabin, dimmed lights, slept like a stone.",
    "The captain explained every bump. My fear of flying says thanks.",
    "Your airline is the reason I visit my mother more often.",
    "The kids' meal had a dinosaur in it. Ten out of ten.",
    "Wi-Fi good enough for a video call over Greenland!",
    "Lost my passport at security, and the gate team had it before I did.",
    "Fresh fruit, real coffee, honest smiles.",
    "Easy app, easy seat change, easy refund. More of that.",
    "Très bien, équipage très sympathique.",
    "Alles bestens: pünktlich, sauber, freundlich.",
    "You made my wheelchair trip the easiest one in years.",
    "Premium economy is worth every cent on the night flight.",
    "First off the plane and the bag was already there.",
    "Fair price, new aircraft, and a view of the northern lights 😍",
];
