//! The streams of the talk that Millrace was made after: ratings of flights with the customers who gave them, card
//! payments of which some come too fast, movements of accounts.

use crate::random::Random;
use crate::rows::{Rows, Value};
use crate::spec::Spec;
use crate::table::SqlType::{BigInt, Double, Int, Varchar};
use crate::table::{Table, Tick};
use crate::workload::Workload;

const CUSTOMERS: u64 = 10_000;
const CARDS: u64 = 50_000;
const ACCOUNTS: u64 = 20_000;
const CHANNELS: [&str; 4] = ["web", "ios", "android", "desk"];
const STATUS: [&str; 4] = ["bronze", "silver", "gold", "platinum"];
const FIRST: [&str; 6] = ["Ada", "Ben", "Cleo", "Dora", "Emil", "Fay"];
const LAST: [&str; 6] = ["Archer", "Baker", "Cooper", "Draper", "Fisher", "Glover"];
const MESSAGES: [&str; 5] = [
    "worst flight ever",
    "why is it so difficult to keep the bathrooms clean?",
    "your team here rocks!",
    "is this as good as it gets? really?",
    "thank you for the friendliest, helpfulness and kindness",
];

/// What the pipeline reads.
pub(crate) fn tables(workload: Workload) -> Vec<Table> {
    match workload {
        Workload::TalkUnhappy => {
            let ratings = [
                ("rating_id", BigInt),
                ("user_id", BigInt),
                ("stars", Int),
                ("route_id", BigInt),
                ("rating_time", BigInt),
                ("channel", Varchar),
                ("message", Varchar),
            ];
            let customers = [
                ("id", BigInt),
                ("first_name", Varchar),
                ("last_name", Varchar),
                ("email", Varchar),
                ("gender", Varchar),
                ("club_status", Varchar),
                ("comments", Varchar),
            ];
            let customers = Table::new("customers", &customers).keyed_by("id").retracting();
            vec![Table::new("ratings", &ratings).timed_by("rating_time"), customers]
        }
        Workload::TalkFraud => {
            let columns = [("card_number", Varchar), ("amount", Double), ("time", BigInt)];
            vec![Table::new("authorization_attempts", &columns).timed_by("time")]
        }
        _ => vec![Table::new("account_movements", &[("account", Varchar), ("amount", BigInt)])],
    }
}

/// The events, tick by tick.
pub(crate) struct Talk {
    spec: Spec,
    tables: Vec<Table>,
    sizes: std::vec::IntoIter<usize>,
    random: Random,
    made: u64,
    /// Versions of the customers that are known.
    customers: Vec<u32>,
}

impl Talk {
    pub(crate) fn new(spec: &Spec, tables: Vec<Table>) -> Self {
        let (sizes, random) = (spec.sizes().0.into_iter(), Random::new(spec.seed));
        Talk { spec: spec.clone(), tables, sizes, random, made: 0, customers: vec![] }
    }

    fn event(&mut self, rows: &mut [Rows]) {
        let (number, time) = (self.made, self.spec.time_ms(self.made));
        self.made += 1;
        match rows {
            [ratings, customers] => {
                // a customer comes with every tenth event until all are there; then one in a hundred events changes one
                let known = self.customers.len() as u64;
                if known < CUSTOMERS && number.is_multiple_of(10) {
                    self.customers.push(0);
                    customers.push(1, |column| customer(known, 0, column));
                } else if known > 0 && self.random.below(100) == 0 {
                    let at = self.random.below(known);
                    let version = &mut self.customers[at as usize];
                    customers.push(-1, |column| customer(at, *version, column));
                    *version += 1;
                    customers.push(1, |column| customer(at, *version, column));
                } else {
                    let own = Random::of(self.random.bits(), number);
                    ratings.push(1, |column| rating(number, time, own, column));
                }
            }
            [one] if one.table == "authorization_attempts" => {
                // one payment in five is of a card that is used over and over for a while
                let card = match self.random.below(5) {
                    0 => number / 20_000 * 7919 % CARDS,
                    _ => self.random.below(CARDS),
                };
                let cents = self.random.below(1_000_000) as f64;
                one.push(1, |column| match column {
                    "card_number" => Value::Text(format!("4012 {:04} {:08}", card % 10_000, card)),
                    "amount" => Value::Double(cents / 100.0),
                    _ => Value::Int(time),
                });
            }
            _ => {
                let account = self.random.below(ACCOUNTS);
                let amount = self.random.below(200_000) as i64 - 100_000;
                for one in rows {
                    one.push(1, |column| match column {
                        "account" => Value::Text(format!("DE{account:020}")),
                        _ => Value::Int(amount),
                    });
                }
            }
        }
    }
}

fn customer(number: u64, version: u32, column: &str) -> Value {
    let mut own = Random::of(number, u64::from(version) << 8);
    let (first, last) = (own.pick(&FIRST), own.pick(&LAST));
    Value::Text(match column {
        "id" => return Value::Int(number as i64),
        "first_name" => first.to_owned(),
        "last_name" => last.to_owned(),
        "email" => format!("{first}.{last}{number}@example.com"),
        "gender" => own.pick(&["female", "male", "diverse"]).to_owned(),
        "club_status" => own.pick(&STATUS).to_owned(),
        _ if own.below(4) == 0 => return Value::Null,
        _ => own.pick(&MESSAGES).to_owned(),
    })
}

fn rating(number: u64, time: i64, mut own: Random, column: &str) -> Value {
    let (user, stars, route) = (own.below(CUSTOMERS + CUSTOMERS / 20), own.below(5) + 1, own.below(10_000));
    match column {
        "rating_id" => Value::Int(number as i64),
        "user_id" => Value::Int(user as i64),
        "stars" => Value::Int(stars as i64),
        "route_id" => Value::Int(route as i64),
        "rating_time" => Value::Int(time),
        "channel" => Value::Text(own.pick(&CHANNELS).to_owned()),
        _ => Value::Text({
            own.bits();
            own.pick(&MESSAGES).to_owned()
        }),
    }
}

impl Iterator for Talk {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let n = self.sizes.next()?;
        let mut rows: Vec<Rows> = self.tables.iter().map(Rows::new).collect();
        (0..n).for_each(|_| self.event(&mut rows));
        Some(rows.into_iter().map(Rows::finish).collect())
    }
}
