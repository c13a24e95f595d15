//! `customers` and `users`: who rates and who clicks.
//!
//! Both are tables by id. The first [`CUSTOMERS`] rows bring every id once, in order; rows behind them, if asked for, are
//! later versions of ids drawn at random, with another club status or level and the same name.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;

use super::draw::Rows;
use super::{GeneratedColumn, Generator};

/// Ids are 1 up to this.
pub(super) const CUSTOMERS: u64 = 1_000;

pub(super) struct Customers;
pub(super) struct Users;

mod lane {
    pub(super) const VERSION_OF: u64 = 1;
    pub(super) const GENDER: u64 = 2;
    pub(super) const FIRST_NAME: u64 = 3;
    pub(super) const LAST_NAME: u64 = 4;
    pub(super) const DOMAIN: u64 = 5;
    pub(super) const STATUS: u64 = 6;
    pub(super) const COMMENTS: u64 = 7;
}

const CUSTOMER_COLUMNS: [GeneratedColumn; 7] = [
    ("ID", DataType::Int64),
    ("FIRST_NAME", DataType::Utf8),
    ("LAST_NAME", DataType::Utf8),
    ("EMAIL", DataType::Utf8),
    ("GENDER", DataType::Utf8),
    ("CLUB_STATUS", DataType::Utf8),
    ("COMMENTS", DataType::Utf8),
];

const USER_COLUMNS: [GeneratedColumn; 2] = [("USER_ID", DataType::Int64), ("LEVEL", DataType::Utf8)];

impl Generator for Customers {
    fn name(&self) -> &'static str {
        "customers"
    }
    fn columns(&self) -> &'static [GeneratedColumn] {
        &CUSTOMER_COLUMNS
    }
    fn step_ms(&self) -> u32 {
        1_000
    }
    fn rows_before_start(&self) -> u64 {
        CUSTOMERS
    }
    fn rows_default(&self) -> Option<u64> {
        Some(CUSTOMERS)
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef {
        let people = People::of(rows);
        match column {
            0 => rows.bigints(|row| people.id(row) as i64),
            1 => rows.texts(8, |row| people.first_name(people.id(row)).0),
            2 => rows.texts(8, |row| people.last_name(people.id(row)).0),
            3 => rows.written(32, |row, text| {
                let id = people.id(row);
                text.push(people.first_name(id).1);
                text.push(".");
                text.push(people.last_name(id).1);
                text.push_fmt(format_args!("{id}@"));
                text.push(rows.lane(lane::DOMAIN).at(id).pick(&["example.com", "example.org", "mail.example.net"]));
            }),
            4 => rows.texts(6, |row| people.gender(people.id(row))),
            5 => {
                let lane = rows.lane(lane::STATUS);
                rows.texts(8, |row| match lane.at(row).below(100) {
                    0..45 => "bronze",
                    45..72 => "silver",
                    72..88 => "gold",
                    _ => "platinum",
                })
            }
            _ => {
                let lane = rows.lane(lane::COMMENTS);
                Arc::new(rows.numbers().map(|row| lane.at(row).pick(&COMMENTS)).collect::<StringArray>())
            }
        }
    }
}

impl Generator for Users {
    fn name(&self) -> &'static str {
        "users"
    }
    fn columns(&self) -> &'static [GeneratedColumn] {
        &USER_COLUMNS
    }
    fn step_ms(&self) -> u32 {
        1_000
    }
    fn rows_before_start(&self) -> u64 {
        CUSTOMERS
    }
    fn rows_default(&self) -> Option<u64> {
        Some(CUSTOMERS)
    }
    fn column(&self, column: usize, rows: &Rows<'_>) -> ArrayRef {
        let people = People::of(rows);
        match column {
            0 => rows.bigints(|row| people.id(row) as i64),
            _ => {
                let lane = rows.lane(lane::STATUS);
                rows.texts(8, |row| match lane.at(row).below(100) {
                    0..40 => "Bronze",
                    40..70 => "Silver",
                    70..90 => "Gold",
                    _ => "Platinum",
                })
            }
        }
    }
}

/// What of a person stays the same over all versions.
struct People<'a> {
    rows: &'a Rows<'a>,
}

impl<'a> People<'a> {
    fn of(rows: &'a Rows<'a>) -> Self {
        People { rows }
    }
    fn id(&self, row: u64) -> u64 {
        if row < CUSTOMERS { row + 1 } else { self.rows.lane(lane::VERSION_OF).at(row).below(CUSTOMERS) + 1 }
    }
    fn gender(&self, id: u64) -> &'static str {
        match self.rows.lane(lane::GENDER).at(id).below(100) {
            0..49 => "Female",
            49..97 => "Male",
            _ => "Other",
        }
    }
    fn first_name(&self, id: u64) -> (&'static str, &'static str) {
        let draw = self.rows.lane(lane::FIRST_NAME).at(id);
        match self.gender(id) {
            "Female" => draw.pick(&FEMALE),
            "Male" => draw.pick(&MALE),
            _ => draw.pick(&EITHER),
        }
    }
    fn last_name(&self, id: u64) -> (&'static str, &'static str) {
        self.rows.lane(lane::LAST_NAME).at(id).pick(&LAST_NAMES)
    }
}

/// A name, and its form in an e-mail address.
type Name = (&'static str, &'static str);

const FEMALE: [Name; 40] = [
    ("Aisha", "aisha"),
    ("Alice", "alice"),
    ("Amara", "amara"),
    ("Anna", "anna"),
    ("Beatriz", "beatriz"),
    ("Carmen", "carmen"),
    ("Chloé", "chloe"),
    ("Clara", "clara"),
    ("Divya", "divya"),
    ("Elena", "elena"),
    ("Emma", "emma"),
    ("Fatima", "fatima"),
    ("Freya", "freya"),
    ("Giulia", "giulia"),
    ("Grace", "grace"),
    ("Hannah", "hannah"),
    ("Ines", "ines"),
    ("Ingrid", "ingrid"),
    ("Julia", "julia"),
    ("Keiko", "keiko"),
    ("Laura", "laura"),
    ("Léa", "lea"),
    ("Lin", "lin"),
    ("Lucy", "lucy"),
    ("Maria", "maria"),
    ("Mei", "mei"),
    ("Nadia", "nadia"),
    ("Nora", "nora"),
    ("Olivia", "olivia"),
    ("Petra", "petra"),
    ("Priya", "priya"),
    ("Rosa", "rosa"),
    ("Ruth", "ruth"),
    ("Sofia", "sofia"),
    ("Susan", "susan"),
    ("Tamar", "tamar"),
    ("Ursula", "ursula"),
    ("Yara", "yara"),
    ("Zahra", "zahra"),
    ("Zoë", "zoe"),
];

const MALE: [Name; 40] = [
    ("Ahmed", "ahmed"),
    ("Alex", "alex"),
    ("André", "andre"),
    ("Ben", "ben"),
    ("Björn", "bjorn"),
    ("Carlos", "carlos"),
    ("Chen", "chen"),
    ("Daniel", "daniel"),
    ("David", "david"),
    ("Diego", "diego"),
    ("Dmitri", "dmitri"),
    ("Elias", "elias"),
    ("Emre", "emre"),
    ("Felix", "felix"),
    ("George", "george"),
    ("Hassan", "hassan"),
    ("Hiro", "hiro"),
    ("Hugo", "hugo"),
    ("Ivan", "ivan"),
    ("James", "james"),
    ("Jan", "jan"),
    ("José", "jose"),
    ("Karl", "karl"),
    ("Kofi", "kofi"),
    ("Lars", "lars"),
    ("Liam", "liam"),
    ("Luca", "luca"),
    ("Marco", "marco"),
    ("Mateo", "mateo"),
    ("Nils", "nils"),
    ("Noah", "noah"),
    ("Omar", "omar"),
    ("Pablo", "pablo"),
    ("Ravi", "ravi"),
    ("Robert", "robert"),
    ("Samuel", "samuel"),
    ("Tariq", "tariq"),
    ("Thomas", "thomas"),
    ("Viktor", "viktor"),
    ("William", "william"),
];

const EITHER: [Name; 8] = [
    ("Alexis", "alexis"),
    ("Charlie", "charlie"),
    ("Jamie", "jamie"),
    ("Kim", "kim"),
    ("Noor", "noor"),
    ("Robin", "robin"),
    ("Sasha", "sasha"),
    ("Sam", "sam"),
];

const LAST_NAMES: [Name; 72] = [
    ("Abbott", "abbott"),
    ("Adeyemi", "adeyemi"),
    ("Almeida", "almeida"),
    ("Andersson", "andersson"),
    ("Bauer", "bauer"),
    ("Becker", "becker"),
    ("Bernard", "bernard"),
    ("Bianchi", "bianchi"),
    ("Brown", "brown"),
    ("Castillo", "castillo"),
    ("Chan", "chan"),
    ("Cohen", "cohen"),
    ("Costa", "costa"),
    ("Davies", "davies"),
    ("de Vries", "devries"),
    ("Diaz", "diaz"),
    ("Dubois", "dubois"),
    ("Eriksen", "eriksen"),
    ("Evans", "evans"),
    ("Fernandez", "fernandez"),
    ("Fischer", "fischer"),
    ("Fujita", "fujita"),
    ("García", "garcia"),
    ("Gonzalez", "gonzalez"),
    ("Greene", "greene"),
    ("Haddad", "haddad"),
    ("Hansen", "hansen"),
    ("Harris", "harris"),
    ("Hoffmann", "hoffmann"),
    ("Hughes", "hughes"),
    ("Ibrahim", "ibrahim"),
    ("Ito", "ito"),
    ("Ivanova", "ivanova"),
    ("Jansen", "jansen"),
    ("Johnson", "johnson"),
    ("Jones", "jones"),
    ("Kaya", "kaya"),
    ("Keller", "keller"),
    ("Khan", "khan"),
    ("Kim", "kim"),
    ("Kowalski", "kowalski"),
    ("Kumar", "kumar"),
    ("Larsen", "larsen"),
    ("Lee", "lee"),
    ("López", "lopez"),
    ("Martin", "martin"),
    ("Mensah", "mensah"),
    ("Meyer", "meyer"),
    ("Moreau", "moreau"),
    ("Müller", "mueller"),
    ("Nakamura", "nakamura"),
    ("Nguyen", "nguyen"),
    ("Novak", "novak"),
    ("O'Brien", "obrien"),
    ("Okafor", "okafor"),
    ("Olsen", "olsen"),
    ("Patel", "patel"),
    ("Pereira", "pereira"),
    ("Petrov", "petrov"),
    ("Ricci", "ricci"),
    ("Romero", "romero"),
    ("Rossi", "rossi"),
    ("Sato", "sato"),
    ("Schmidt", "schmidt"),
    ("Silva", "silva"),
    ("Singh", "singh"),
    ("Smith", "smith"),
    ("Tanaka", "tanaka"),
    ("Virtanen", "virtanen"),
    ("Wang", "wang"),
    ("Wójcik", "wojcik"),
    ("Zhang", "zhang"),
];

const COMMENTS: [Option<&str>; 16] = [
    None,
    None,
    None,
    Some("Prefers the aisle"),
    Some("Prefers the window"),
    Some("Vegetarian meals"),
    Some("Travels with a service dog"),
    Some("Asked for invoices by post"),
    Some("Called twice about lost luggage"),
    Some("Frequent flyer since 1998"),
    Some("Wheelchair to the gate, please"),
    Some("Books for a family of five"),
    Some("Complained about the seat pitch"),
    Some("Sends a card to the crew every Christmas"),
    Some("Do not call before noon"),
    Some("Allergic to peanuts"),
];
