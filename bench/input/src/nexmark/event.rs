//! One event, and the value of each of its columns.

use crate::random::Random;

use crate::rows::Value;

const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const CITIES: [&str; 10] =
    ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"];
const FIRST: [&str; 11] =
    ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
const LAST: [&str; 9] = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
const CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];

/// First number of people and auctions.
const FIRST_ID: i64 = 1000;
/// Sizes that Nexmark gives its records, bytes: numbers count eight each.
const PERSON_BYTES: usize = 200;
const AUCTION_BYTES: usize = 500;
const BID_BYTES: usize = 100;

/// A person, an auction or a bid.
pub(super) enum Event {
    Person(Person),
    Auction(Auction),
    Bid(Bid),
}

pub(super) struct Person {
    id: i64,
    name: String,
    city: &'static str,
    state: &'static str,
    time: i64,
}

pub(super) struct Auction {
    id: i64,
    seller: i64,
    category: i64,
    time: i64,
    expires: i64,
}

pub(super) struct Bid {
    /// The event that made it: its identity.
    pub(super) event: u64,
    auction: i64,
    bidder: i64,
    pub(super) price: i64,
    time: i64,
}

impl Event {
    /// The event of this number.
    pub(super) fn draw(event: u64, time: i64, random: &mut Random) -> Event {
        let (group, place) = (event / 50, event % 50);
        match place {
            0 => {
                let name = format!("{} {}", random.pick(&FIRST), random.pick(&LAST));
                let (city, state) = (CITIES[random.below(10) as usize], STATES[random.below(6) as usize]);
                Event::Person(Person { id: FIRST_ID + group as i64, name, city, state, time })
            }
            1..=3 => {
                let seller = hot_or_recent(random, group, 4, 1000);
                let id = (group * 3 + place - 1) as i64 + FIRST_ID;
                let category = 10 + random.below(5) as i64;
                let expires = time + 1 + random.below(400) as i64;
                Event::Auction(Auction { id, seller, category, time, expires })
            }
            _ => {
                let auction = hot_or_recent(random, group * 3 + 2, 2, 100);
                let bidder = hot_or_recent(random, group, 4, 1000) + 1;
                Event::Bid(Bid { event, auction, bidder, price: price(random), time })
            }
        }
    }
}

/// A price: as many between 100 and 1,000 as between 10,000,000 and 100,000,000.
pub(super) fn price(random: &mut Random) -> i64 {
    let u = random.below(1 << 20) as f64 / f64::from(1 << 20);
    (10f64.powf(u * 6.0) * 100.0).round() as i64
}

/// All but one in `ratio` are the last hundred's first, the others one of the last `recent`.
fn hot_or_recent(random: &mut Random, last: u64, ratio: u64, recent: u64) -> i64 {
    let id = if random.below(ratio) > 0 { last / 100 * 100 } else { last - random.below(last.min(recent) + 1) };
    id as i64 + FIRST_ID
}

impl Person {
    /// The value of a column, filled from the event's own random numbers.
    pub(super) fn value(&self, column: &str, own: Random) -> Value {
        let mut own = Random::of(salt(column), { own }.bits());
        match column {
            "id" => Value::Int(self.id),
            "name" => Value::Text(self.name.clone()),
            "city" => Value::Text(self.city.to_owned()),
            "state" => Value::Text(self.state.to_owned()),
            "date_time" => Value::Int(self.time),
            "email_address" => Value::Text(format!("{}@{}.com", letters(&mut own, 8), letters(&mut own, 5))),
            "credit_card" => {
                let mut four = || own.below(10_000);
                Value::Text(format!("{:04} {:04} {:04} {:04}", four(), four(), four(), four()))
            }
            "extra" => {
                let fixed = 2 * 8 + self.name.len() + 18 + 19 + self.city.len() + self.state.len();
                Value::Text(filler(&mut own, PERSON_BYTES, fixed))
            }
            other => unknown(other),
        }
    }
}

impl Auction {
    /// As for people.
    pub(super) fn value(&self, column: &str, own: Random) -> Value {
        let mut own = Random::of(salt(column), { own }.bits());
        match column {
            "id" => Value::Int(self.id),
            "seller" => Value::Int(self.seller),
            "category" => Value::Int(self.category),
            "date_time" => Value::Int(self.time),
            "expires" => Value::Int(self.expires),
            "item_name" => Value::Text(letters(&mut own, 20)),
            "description" => Value::Text(letters(&mut own, 100)),
            "initial_bid" => Value::Int(price(&mut own)),
            "reserve" => Value::Int(price(&mut own)),
            "extra" => Value::Text(filler(&mut own, AUCTION_BYTES, 7 * 8 + 120)),
            other => unknown(other),
        }
    }
}

impl Bid {
    /// As for people.
    pub(super) fn value(&self, column: &str, own: Random) -> Value {
        match column {
            "auction" => return Value::Int(self.auction),
            "bidder" => return Value::Int(self.bidder),
            "price" => return Value::Int(self.price),
            "date_time" => return Value::Int(self.time),
            "bid_id" => return Value::Int(self.event as i64),
            _ => (),
        }
        let mut own = Random::of(salt(column), { own }.bits());
        match column {
            "channel" => Value::Text(match own.below(2) {
                0 => own.pick(&CHANNELS).to_owned(),
                _ => format!("channel-{}", own.below(10_000)),
            }),
            "url" => Value::Text(format!("https://www.nexmark.com/{}/item.htm", letters(&mut own, 6))),
            "extra" => Value::Text(filler(&mut own, BID_BYTES, 4 * 8 + 10 + 39)),
            other => unknown(other),
        }
    }
}

/// Names of columns are written in this crate.
fn unknown(column: &str) -> Value {
    panic!("no column {column}")
}

fn salt(column: &str) -> u64 {
    column.bytes().fold(0u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte))
}

fn letters(random: &mut Random, n: usize) -> String {
    let mut text = String::with_capacity(n);
    let mut bits = 0;
    for i in 0..n {
        if i % 8 == 0 {
            bits = random.bits();
        }
        text.push(char::from(b'a' + (bits as u8) % 26));
        bits >>= 8;
    }
    text
}

/// Letters up to `target` bytes after `fixed` others, a fifth more or less.
fn filler(random: &mut Random, target: usize, fixed: usize) -> String {
    let mean = target.saturating_sub(fixed);
    let spread = (mean / 5).max(1);
    let n = mean - spread.min(mean) + random.below(2 * spread as u64 + 1) as usize;
    letters(random, n)
}
