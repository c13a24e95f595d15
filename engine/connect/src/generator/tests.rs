//! The promises that all generators make, and the stories that theirs tell.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::{Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use millrace_world::SimulatedWorld;
use millrace_world::simulated::WALL_START_MS;

use super::*;
use crate::{SourceRequest, open_source};

fn source(world: &World, options: &str, columns: &[Column]) -> Result<Box<dyn Source>, ConnectError> {
    let pairs = options.split(' ').filter_map(|pair| pair.split_once('='));
    let mut options: BTreeMap<String, String> = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    options.insert("CONNECTOR".to_owned(), "generator".to_owned());
    open_source(&SourceRequest { options: &options, columns, table: false, wanted: None }, world)
}

/// All rows, read `rows_max` at a time, with their event times.
fn read_all(source: &dyn Source, rows_max: usize) -> (Batch, Vec<i64>) {
    let mut reader = source.open(0).unwrap();
    let (mut batches, mut times) = (vec![], vec![]);
    loop {
        match reader.read(rows_max).unwrap() {
            Read::Batch(read) => {
                assert!(read.batch.len() <= rows_max);
                assert_eq!(read.first_offset, times.len() as i64);
                times.extend(read.row_times.unwrap().values());
                batches.push(read.batch);
            }
            Read::Idle => panic!("an unpaced generator is never idle"),
            Read::End => return (Batch::concat(&batches), times),
        }
    }
}

fn rows(options: &str) -> (Batch, Vec<i64>) {
    let world = SimulatedWorld::new(0);
    read_all(source(world.world(), options, &[]).unwrap().as_ref(), 10_000)
}

fn texts(batch: &Batch, column: usize) -> Vec<&str> {
    batch.column(column).as_string::<i32>().iter().map(Option::unwrap_or_default).collect()
}

fn bigints(batch: &Batch, column: usize) -> &[i64] {
    batch.column(column).as_primitive::<Int64Type>().values()
}

#[test]
fn rows_do_not_depend_on_batches_and_do_on_the_seed() {
    let world = SimulatedWorld::new(0);
    for name in generator_names() {
        let open = |seed: u64| source(world.world(), &format!("GENERATOR={name} ROWS=2500 SEED={seed}"), &[]).unwrap();
        let whole = read_all(open(7).as_ref(), 2_500);
        assert_eq!(whole.0.len(), 2_500);
        for rows_max in [1, 7, 999] {
            let again = read_all(open(7).as_ref(), rows_max);
            assert_eq!(again.0.columns(), whole.0.columns(), "{name} by {rows_max}");
            assert_eq!(again.1, whole.1, "{name} by {rows_max}");
        }
        assert_ne!(read_all(open(8).as_ref(), 2_500).0.columns(), whole.0.columns(), "{name}");
    }
}

#[test]
fn columns_are_what_they_say() {
    let world = SimulatedWorld::new(0);
    for name in generator_names() {
        let source = source(world.world(), &format!("GENERATOR={name} ROWS=10"), &[]).unwrap();
        let (batch, _) = read_all(source.as_ref(), 10);
        let made: Vec<&DataType> = batch.columns().iter().map(|c| c.data_type()).collect();
        let said: Vec<&DataType> = source.columns().iter().map(|(_, t)| t).collect();
        assert_eq!(made, said, "{name}");
    }
}

#[test]
fn rows_are_the_same_in_every_version() {
    let (batch, times) = rows("GENERATOR=ratings ROWS=3 SEED=42");
    assert_eq!(times[0], 1_704_067_200_000);
    let row: Vec<String> =
        (0..7).map(|c| arrow::util::display::array_value_to_string(batch.column(c), 1).unwrap()).collect();
    assert_eq!(row.join("|"), "2|561|1|378|1704067200100|iOS|My suitcase went to Lisbon. I did not.");
}

#[test]
fn ratings_tell_of_unhappy_platinum_customers() {
    let (ratings, times) = rows("GENERATOR=ratings ROWS=20000");
    let (customers, _) = rows("GENERATOR=customers");
    assert_eq!(customers.len(), 1_000);
    let status: BTreeMap<i64, &str> = bigints(&customers, 0).iter().copied().zip(texts(&customers, 5)).collect();
    let stars = ratings.column(2).as_primitive::<Int32Type>().values();
    assert!(stars.iter().all(|s| (1..=5).contains(s)));
    let users = bigints(&ratings, 1);
    let unhappy = (0..ratings.len()).filter(|i| stars[*i] < 3 && status.get(&users[*i]) == Some(&"platinum")).count();
    assert!((300..1_500).contains(&unhappy), "{unhappy}");
    let strangers = users.iter().filter(|id| !status.contains_key(id)).count();
    assert!((100..400).contains(&strangers), "{strangers}");
    assert_eq!(bigints(&ratings, 4), times, "rating_time is the event time");
    assert!(times.windows(2).any(|t| t[1] < t[0]), "some come late");
    let tests = texts(&ratings, 5).iter().filter(|c| c.contains("-test")).count();
    assert!((500..1_500).contains(&tests), "{tests}");
    let messages: std::collections::BTreeSet<&str> = texts(&ratings, 6).into_iter().collect();
    assert_eq!(messages.len(), 67);
}

#[test]
fn customers_have_versions() {
    let (customers, times) = rows("GENERATOR=customers ROWS=3000");
    let ids = bigints(&customers, 0);
    assert_eq!(ids[..1_000], (1..=1_000).collect::<Vec<i64>>());
    assert!(times[..1_000].iter().all(|t| *t < EPOCH_MS), "there before the streams begin");
    let (emails, statuses) = (texts(&customers, 3), texts(&customers, 5));
    let mut changed = 0;
    for later in 1_000..3_000 {
        let first = (ids[later] - 1) as usize;
        assert_eq!(emails[later], emails[first]);
        changed += u32::from(statuses[later] != statuses[first]);
    }
    assert!(changed > 500, "{changed}");
    assert!(emails.iter().all(|e| e.is_ascii() && e.contains('@')));
    assert!((300..900).contains(&customers.column(6).null_count()));
}

#[test]
fn some_cards_are_tried_more_than_three_times_in_five_seconds() {
    let (attempts, times) = rows("GENERATOR=authorization_attempts ROWS=20000");
    let mut windows: BTreeMap<(&str, i64), u32> = BTreeMap::new();
    for (card, time) in texts(&attempts, 0).into_iter().zip(&times) {
        assert!(card.len() == 16 && card.starts_with('4'));
        *windows.entry((card, time / 5_000)).or_default() += 1;
    }
    let frauds = windows.values().filter(|n| **n > 3).count();
    assert!((20..60).contains(&frauds), "{frauds}");
    let amounts: &Float64Array = attempts.column(1).as_primitive::<Float64Type>();
    assert!(amounts.values().iter().all(|a| (1.0..1_000.0).contains(a)));
}

#[test]
fn syslog_has_invalid_users_and_attacks_on_one_host() {
    let (lines, _) = rows("GENERATOR=syslog ROWS=9600");
    let (hosts, messages) = (texts(&lines, 0), texts(&lines, 1));
    let invalid: Vec<usize> = (0..lines.len()).filter(|i| messages[*i].contains("Invalid user ")).collect();
    assert!((700..2_500).contains(&invalid.len()), "{}", invalid.len());
    let mut by_stretch: BTreeMap<(usize, &str), u32> = BTreeMap::new();
    for i in invalid {
        *by_stretch.entry((i / 48, hosts[i])).or_default() += 1;
    }
    assert!(by_stretch.values().filter(|n| **n > 20).count() > 10);
}

#[test]
fn clicks_of_platinum_users_and_movements_below_zero() {
    let (clicks, _) = rows("GENERATOR=clickstream ROWS=5000");
    let (users, _) = rows("GENERATOR=users");
    let platinum: std::collections::BTreeSet<i64> = bigints(&users, 0)
        .iter()
        .zip(texts(&users, 1))
        .filter(|(_, level)| *level == "Platinum")
        .map(|(id, _)| *id)
        .collect();
    let vip = bigints(&clicks, 0).iter().filter(|id| platinum.contains(id)).count();
    assert!((100..1_500).contains(&vip), "{vip}");
    assert!(texts(&clicks, 1).iter().all(|page| page.starts_with('/')));

    let (movements, _) = rows("GENERATOR=account_movements ROWS=5000");
    let amounts = bigints(&movements, 1);
    let spent = amounts.iter().filter(|a| **a < 0).count();
    assert!((2_000..3_500).contains(&spent) && !amounts.contains(&0), "{spent}");

    let (views, times) = rows("GENERATOR=pageviews ROWS=100");
    assert_eq!(bigints(&views, 0), times);
    assert!(texts(&views, 1)[0].starts_with("User_") && texts(&views, 2)[0].starts_with("Page_"));
}

#[test]
fn orders_go_forward_and_keep_what_they_are() {
    let (orders, _) = rows("GENERATOR=orders ROWS=8000");
    let amounts = orders.column(2).as_primitive::<Decimal128Type>();
    let placed = orders.column(4).as_primitive::<TimestampMicrosecondType>();
    let (ids, statuses) = (bigints(&orders, 0), texts(&orders, 3));
    let rank = |s: &str| {
        ["NEW", "PAID", "SHIPPED", "DELIVERED", "RETURNED", "CANCELLED"].iter().position(|x| *x == s).unwrap()
    };
    let mut seen: BTreeMap<i64, (usize, usize)> = BTreeMap::new();
    for row in 0..orders.len() {
        let now = rank(statuses[row]);
        match seen.insert(ids[row], (row, now)) {
            None => assert_eq!((now, ids[row]), (0, seen.len() as i64)),
            Some((before, then)) => {
                assert!(now >= then.max(1), "{} after {}", statuses[row], statuses[before]);
                assert_eq!(amounts.value(row), amounts.value(before));
                assert_eq!(placed.value(row), placed.value(before));
            }
        }
    }
    assert_eq!(seen.len(), 6_000);
}

#[test]
fn declared_columns_are_found_by_name_and_widened() {
    let world = SimulatedWorld::new(0);
    let column = |name: &str, t| (name.to_owned(), t);
    let declared = [
        column("order_time", DataType::Int64),
        column("AMOUNT", DataType::Float64),
        column("QUANTITY", DataType::Int64),
    ];
    let narrow = source(world.world(), "GENERATOR=orders ROWS=4 TIMESTAMP=ORDER_TIME", &declared).unwrap();
    let (batch, times) = read_all(narrow.as_ref(), 10);
    let (whole, _) = rows("GENERATOR=orders ROWS=4");
    let micros = whole.column(4).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(bigints(&batch, 0)[3], micros.value(3) / 1_000);
    assert_eq!(times, bigints(&batch, 0), "TIMESTAMP names the order's time");
    let cents = whole.column(2).as_primitive::<Decimal128Type>().value(0);
    assert_eq!(batch.column(1).as_primitive::<Float64Type>().value(0), cents as f64 / 100.0);

    let error = source(world.world(), "GENERATOR=orders", &[column("AMOUNTS", DataType::Float64)]).err().unwrap();
    assert_eq!((error.column.as_deref(), error.hint.as_deref()), (Some("AMOUNTS"), Some("did you mean AMOUNT?")));
    let error = source(world.world(), "GENERATOR=orders", &[column("AMOUNT", DataType::Int32)]).err().unwrap();
    assert_eq!(error.kind, crate::ConnectErrorKind::Columns);
}

#[test]
fn only_wanted_columns_are_made() {
    let world = SimulatedWorld::new(0);
    let options = BTreeMap::from(
        [("CONNECTOR", "generator"), ("GENERATOR", "ratings"), ("ROWS", "9")]
            .map(|(k, v)| (k.to_owned(), v.to_owned())),
    );
    let request = SourceRequest { options: &options, columns: &[], table: false, wanted: Some(&[5, 2]) };
    let source = open_source(&request, world.world()).unwrap();
    let (batch, times) = read_all(source.as_ref(), 10);
    let (whole, _) = rows("GENERATOR=ratings ROWS=9");
    assert_eq!(batch.columns(), whole.project(&[5, 2]).columns());
    assert_eq!(times.len(), 9);
    assert_eq!(source.columns().len(), 7);
}

#[test]
fn a_rate_is_kept_without_drift_and_rows_are_stamped_when_due() {
    let world = SimulatedWorld::new(0);
    let source = source(world.world(), "GENERATOR=customers RATE=3 ROWS=4000", &[]).unwrap();
    let mut reader = source.open(0).unwrap();
    let mut read = |rows_max| match reader.read(rows_max).unwrap() {
        Read::Batch(read) => Some((read.first_offset, read.row_times.unwrap().values().to_vec())),
        Read::Idle => None,
        Read::End => panic!("not yet"),
    };
    assert_eq!(read(10), Some((0, vec![WALL_START_MS])));
    assert_eq!(read(10), None);
    world.clock().advance(Duration::from_millis(333));
    assert_eq!(read(10), None);
    world.clock().advance(Duration::from_millis(1));
    assert_eq!(read(10), Some((1, vec![WALL_START_MS + 333])));
    // behind by an hour's thousands of rows: they come in pieces, stamped when they were due
    world.clock().advance(Duration::from_secs(1_000) - Duration::from_millis(334));
    let (first, times) = read(2_000).unwrap();
    assert_eq!((first, times.len(), times[1_999]), (2, 2_000, WALL_START_MS + 667_000));
    let (_, times) = read(2_000).unwrap();
    assert_eq!((times.len(), times[998]), (999, WALL_START_MS + 1_000_000));

    // opened again, the same rows at once
    let mut again = source.open(0).unwrap();
    let Read::Batch(first) = again.read(2).unwrap() else { panic!("rows were due") };
    assert_eq!(first.row_times.unwrap().values(), &[WALL_START_MS, WALL_START_MS + 333]);
}

#[test]
fn ends_where_it_says() {
    let world = SimulatedWorld::new(0);
    let open = |options: &str| source(world.world(), options, &[]);
    assert!(!open("GENERATOR=ratings").unwrap().bounded());
    assert!(open("GENERATOR=ratings ROWS=5").unwrap().bounded());
    assert!(open("GENERATOR=users").unwrap().bounded(), "a table has so many rows");
    assert_eq!(read_all(open("GENERATOR=ratings ROWS=0").unwrap().as_ref(), 5).0.len(), 0);
    let source = open("GENERATOR=ratings ROWS=5").unwrap();
    let mut reader = source.open(0).unwrap();
    reader.read(3).unwrap();
    assert_eq!(reader.progress(), Progress { rows: 3, rows_total: Some(5), bytes: 0, bytes_total: None });

    for (options, at) in [
        ("GENERATOR=rating", "GENERATOR"),
        ("ROWS=5", "CONNECTOR"),
        ("GENERATOR=ratings RATE=-1", "RATE"),
        ("GENERATOR=ratings RATE=NaN", "RATE"),
        ("GENERATOR=ratings ROWS=many", "ROWS"),
        ("GENERATOR=ratings KAFKA_TOPIC=x", "KAFKA_TOPIC"),
    ] {
        assert_eq!(open(options).err().unwrap().option.as_deref(), Some(at), "{options}");
    }
}
