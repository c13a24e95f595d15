//! Where the arrangement could go wrong: keys from elsewhere, no columns, many columns, long texts, churn, small sizes.

use super::*;

/// Rows of another arrangement find what their gathered keys find.
#[test]
fn rows_of_another_arrangement_are_keys() {
    let (mut left, mut right) = (arrangement(&[3, 2]), arrangement(&[3, 2]));
    let some = |n: i64, salt: i64| (0..n).map(move |i| ((i * salt % 41, i), 1)).collect::<Vec<_>>();
    left.apply(1, &[batch(&some(300, 7))]);
    right.apply(1, &[batch(&some(200, 3))]);
    let mut cursor = left.cursor(1);
    left.scan(&mut cursor, 1000, |ids, _| {
        let keys = left.gather_keys(ids);
        let mut hashes = vec![];
        hash_columns(&keys, ids.len(), &mut hashes);
        for nulls in [NullKeys::Equal, NullKeys::Skip] {
            let (mut by_rows, mut by_keys) = (vec![], vec![]);
            right.probe_rows(&left, ids, &hashes, 1, nulls, |i, row, diff| by_rows.push((i, row, diff)));
            right.probe(&keys, &hashes, 1, nulls, |i, row, diff| by_keys.push((i, row, diff)));
            assert_eq!(by_rows, by_keys);
            assert!(by_rows.len() > 300);
            for (i, row, _) in by_rows {
                let keys = (read(&left, &ids[i as usize..][..1])[0].0, read(&right, &[row])[0].0);
                assert!(keys.0 == keys.1 || nulls == NullKeys::Equal);
                assert!(nulls == NullKeys::Equal || !right.has_null_key(row));
            }
        }
    });
}

#[test]
#[should_panic(expected = "append-only")]
fn append_only_arrangements_refuse_removals() {
    let mut arrangement = Arrangement::append_only(&[], &[]);
    arrangement.apply(1, &[Batch::new(vec![], Some(vec![-1]), 1)]);
}

#[test]
fn append_only_rows_are_found() {
    let types: Vec<DataType> = columns(&[]).iter().map(|c| c.data_type().clone()).collect();
    let mut arrangement = Arrangement::append_only(&types, &[0, 3]);
    let reader = arrangement.add_reader(0);
    let mut random = Random(4);
    let mut history = vec![Multiset::new()];
    for tick in 1..=12 {
        let mut now = history[history.len() - 1].clone();
        // key 3 has thousands of rows in the end
        let key = |random: &mut Random| if random.below(3) == 0 { 3 } else { random.below(400) };
        let ups: Vec<_> =
            (0..1000).map(|_| ((key(&mut random), random.below(900)), 1 + random.below(50) / 49)).collect();
        ups.iter().for_each(|(row, diff)| add(&mut now, *row, *diff));
        let delta = arrangement.apply(tick, &[batch(&ups)]);
        let mut changes = Changes::new();
        arrangement.changes(&delta, &mut changes);
        assert_eq!(changes.len(), 1000);
        history.push(now);
    }
    for as_of in [1, 7, 12] {
        assert_eq!(scan(&arrangement, as_of, 777), history[as_of as usize]);
        check_probes(&arrangement, &history[as_of as usize], as_of, 400);
    }
    arrangement.remove_reader(reader);
    arrangement.maintain(12);
    check_probes(&arrangement, &history[12], 12, 400);
}

/// A key that was hot is cheap again when its rows are gone.
#[test]
fn hot_keys_cool() {
    let mut arrangement = Arrangement::new(&[DataType::Int64, DataType::Int64], &[0]);
    let rows = |upper: i64, diff: i64| {
        let pairs = (0..50).flat_map(|k| (0..upper).map(move |v| (k, v)));
        let (keys, values): (Vec<i64>, Vec<i64>) = pairs.filter(|(_, v)| diff > 0 || v % 100 != 0).unzip();
        let n = keys.len();
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(keys)), Arc::new(Int64Array::from(values))];
        Batch::new(columns, Some(vec![diff; n]), n)
    };
    arrangement.apply(1, &[rows(1000, 1)]);
    arrangement.maintain(1);
    let warm = arrangement.hot.memory_bytes();
    arrangement.apply(2, &[rows(1000, -1)]);
    for tick in 3..30 {
        arrangement.maintain(tick);
    }
    assert!(arrangement.hot.memory_bytes() * 20 < warm, "{} of {warm}", arrangement.hot.memory_bytes());
    assert_eq!(arrangement.rows(), 500);
    let key: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(0..50))];
    let (mut hashes, mut counts) = (vec![], vec![]);
    hash_columns(&key, 50, &mut hashes);
    arrangement.probe_counts(&key, &hashes, 29, NullKeys::Skip, &mut counts);
    assert_eq!(counts, [10; 50]);
    // ten rows a key are a chain, in which removals work
    arrangement.apply(30, &[rows(1000, 1)]);
    arrangement.apply(31, &[rows(1000, -1)]);
    arrangement.probe_counts(&key, &hashes, 31, NullKeys::Skip, &mut counts);
    assert_eq!(counts, [20; 50]);
}

#[test]
fn rows_without_columns_are_counted() {
    let mut arrangement = Arrangement::new(&[], &[]);
    let ones = |n: usize, diff: i64| Batch::new(vec![], Some(vec![diff; n]), n);
    arrangement.apply(1, &[ones(1000, 1)]);
    let reader = arrangement.add_reader(1);
    arrangement.apply(2, &[ones(3, -5), ones(20, 1)]);
    for tick in 3..20 {
        arrangement.apply(tick, &[ones(100, -1)]);
        arrangement.maintain(tick);
    }
    let count = |arrangement: &Arrangement, as_of| {
        let mut out = vec![];
        arrangement.probe_counts(&[], &[0], as_of, NullKeys::Skip, &mut out);
        out[0]
    };
    assert_eq!(count(&arrangement, 1), 1000);
    assert_eq!(count(&arrangement, 2), 1005);
    assert_eq!(count(&arrangement, 19), 1005 - 1700);
    let mut exists = vec![];
    for (as_of, want) in [(12, true), (13, false), (19, false)] {
        arrangement.probe_exists(&[], &[0], as_of, NullKeys::Skip, &mut exists);
        assert_eq!(exists, [want], "as of {as_of}");
    }
    arrangement.remove_reader(reader);
    arrangement.apply(20, &[ones(1, 695)]);
    arrangement.maintain(20);
    assert_eq!((count(&arrangement, 20), arrangement.rows()), (0, 0));
}

/// Churn for long: numbers of segments are used again, and memory stays within a few times what is alive.
#[test]
fn ids_and_memory_are_recycled() {
    let types = [DataType::Int64, DataType::Utf8];
    let mut arrangement = Arrangement::new(&types, &[0]);
    let rows = |from: i64, n: i64, diff: i64| {
        let text = (from..from + n).map(|i| Some(format!("a text of row {i}"))).collect::<StringArray>();
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(from..from + n)), Arc::new(text)];
        Batch::new(columns, Some(vec![diff; n as usize]), n as usize)
    };
    let alive = 20_000;
    let mut peak = 0;
    for tick in 1..=400i64 {
        let mut batches = vec![rows(tick * 1000, 1000, 1)];
        if tick * 1000 > alive {
            // every tenth row stays for good
            let gone = rows(tick * 1000 - alive, 1000, -1);
            batches.push(gone.take(&(0..1000).filter(|i| i % 10 != 0).collect::<Vec<_>>()));
        }
        arrangement.apply(tick as u64, &batches);
        arrangement.maintain(tick as u64);
        if tick > 40 {
            let per_row = arrangement.memory_bytes() / arrangement.rows();
            peak = peak.max(per_row);
        }
    }
    assert_eq!(arrangement.rows(), 20_000 + 380 * 100);
    assert!(peak < 250, "{peak} bytes per row");
    assert!(arrangement.log.store.segments.len() < 40, "{} segments", arrangement.log.store.segments.len());
}

#[test]
fn small_arrangements_are_small() {
    let mut arrangement = Arrangement::new(&[DataType::Int64, DataType::Utf8, DataType::Int64], &[0]);
    assert!(arrangement.memory_bytes() < 2048, "{} bytes when empty", arrangement.memory_bytes());
    let text = (0..100).map(|i| Some(format!("customer number {i}"))).collect::<StringArray>();
    let number: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
    let rows = Batch::new(vec![Arc::clone(&number), Arc::new(text), number], None, 100);
    arrangement.apply(1, &[rows]);
    arrangement.maintain(1);
    assert!(arrangement.memory_bytes() < 32 << 10, "{} bytes", arrangement.memory_bytes());
}

/// Segments that are full of bytes before they are full of rows, and texts larger than a segment's share.
#[test]
fn long_texts_are_kept() {
    let mut arrangement = Arrangement::new(&[DataType::Utf8, DataType::Int64], &[0]);
    let text = |i: i64| format!("{i:07}").repeat(if i == 70 { 900_000 } else { 300 * (i as usize % 9) });
    let rows = |numbers: std::ops::Range<i64>, diff: i64| {
        let n = numbers.clone().count();
        let texts = numbers.clone().map(|i| Some(text(i))).collect::<StringArray>();
        let columns: Vec<ArrayRef> = vec![Arc::new(texts), Arc::new(Int64Array::from_iter_values(numbers))];
        Batch::new(columns, Some(vec![diff; n]), n)
    };
    arrangement.apply(1, &[rows(0..3000, 1)]);
    arrangement.maintain(1);
    let full = arrangement.memory_bytes();
    assert!(arrangement.log.store.segments.len() >= 6);
    let gone = rows(0..3000, -1).take(&(0..3000).filter(|i| i % 10 != 0).collect::<Vec<_>>());
    arrangement.apply(2, &[gone]);
    for tick in 2..12 {
        arrangement.maintain(tick);
    }
    assert!(arrangement.memory_bytes() * 2 < full, "{} of {full}", arrangement.memory_bytes());
    let left = rows(0..3000, 1).take(&(0..3000).step_by(10).collect::<Vec<_>>());
    let mut hashes = vec![];
    hash_columns(&left.columns()[..1], left.len(), &mut hashes);
    let (mut found, mut of) = (vec![], vec![]);
    arrangement.probe(&left.columns()[..1], &hashes, 11, NullKeys::Equal, |i, row, _| {
        found.push(row);
        of.push(i);
    });
    // the empty text has many rows, and finds them all each time
    assert_eq!(&arrangement.gather(0, &found), left.take(&of).column(0));
    assert!(found.len() >= 300);
}

/// More columns than NULL bits in the first word, in the key and behind it.
#[test]
fn wide_rows_keep_their_nulls() {
    let key: Vec<usize> = (40..140).rev().collect();
    let mut arrangement = Arrangement::new(&vec![DataType::Int64; 200], &key);
    let value = |row: i64, c: i64| ((row * 31 + c) % 3 != 0).then_some(row % 50 * c);
    let column = |c: i64| Arc::new((0..100).map(|row| value(row, c)).collect::<Int64Array>()) as ArrayRef;
    let columns: Vec<ArrayRef> = (0..200).map(column).collect();
    arrangement.apply(1, &[Batch::new(columns.clone(), None, 100)]);
    let keys: Vec<ArrayRef> = key.iter().map(|c| Arc::clone(&columns[*c])).collect();
    let mut hashes = vec![];
    hash_columns(&keys, 100, &mut hashes);
    let mut rows = vec![RowId(0); 100];
    arrangement.probe(&keys, &hashes, 1, NullKeys::Equal, |i, row, _| rows[i as usize] = row);
    for (c, column) in columns.iter().enumerate() {
        assert_eq!(&arrangement.gather(c, &rows), column, "column {c}");
    }
    arrangement.apply(2, &[Batch::new(columns, None, 100).negate()]);
    assert_eq!(arrangement.rows(), 0);
}
