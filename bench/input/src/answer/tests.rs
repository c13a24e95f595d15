//! Vectors of the row hash, for those who write it in another language, and its independence of order and type.

use std::sync::Arc;

use arrow::array::{BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::array::{TimestampMicrosecondArray, TimestampMillisecondArray};

use super::*;

/// The row (-12.5).
const DECIMAL_MINUS_12_5: u64 = 0x127f_feb3_3d0d_22a4;
/// The row (123456789012345678901.234).
const DECIMAL_LONG: u64 = 0x3c77_c2b0_5b87_1eae;

#[test]
fn vectors() {
    assert_eq!(hash_i64(0, 0), 0xc9d8_74ca_57d9_e055);
    assert_eq!(hash_i64(0, -1), 0x8e1a_4acd_601c_1d69);
    assert_eq!(hash_null(0), 0x62a3_71b5_a6e8_c168);
    assert_eq!(hash_text(0, "abc"), 0xfe78_4840_703e_8da7);
    assert_eq!(hash_text(0, "Kate Walton"), 0x4890_9121_ebd3_f56f);
    // the row (7, 'Zürich', NULL)
    assert_eq!(hash_null(hash_text(hash_i64(0, 7), "Zürich")), 0xc9dd_cb25_89df_be29);
}

#[test]
fn decimals_hash_by_their_value_and_doubles_as_texts() {
    let decimal = |unscaled, scale| hash_decimal(0, unscaled, scale);
    assert_eq!(decimal(-1250, 2), DECIMAL_MINUS_12_5);
    assert_eq!(decimal(-12_500_000, 6), DECIMAL_MINUS_12_5);
    assert_eq!(decimal(123_456_789_012_345_678_901_234, 3), DECIMAL_LONG);
    assert_eq!(decimal(7_000_000, 6), hash_i64(0, 7));
    assert_eq!(decimal(700, 0), hash_i64(0, 700));
    assert_eq!(decimal(0, 9), hash_i64(0, 0));
    assert_eq!(hash_f64(0, 1.5), hash_text(0, "1.50000000e0"));
    assert_eq!(hash_f64(0, -2e-7), hash_text(0, "-2.00000000e-7"));
    assert_eq!(hash_f64(0, -0.0), hash_text(0, "0.00000000e0"));
}

#[test]
fn columns_hash_as_their_values() {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(7), None])),
        Arc::new(Int32Array::from(vec![-1, 2])),
        Arc::new(StringArray::from(vec![None, Some("abc")])),
        Arc::new(BooleanArray::from(vec![true, false])),
        Arc::new(Date32Array::from(vec![3, 4])),
        Arc::new(TimestampMillisecondArray::from(vec![5, 6])),
        Arc::new(TimestampMicrosecondArray::from(vec![5999, -1])),
        Arc::new(Float64Array::from(vec![1.5, 2.5])),
        Arc::new(Decimal128Array::from(vec![110, 5]).with_precision_and_scale(12, 1).unwrap()),
        Arc::new(Int64Array::from(vec![99, 98])),
    ];
    let batch = Batch::new(columns, Some(vec![2, -1]), 2);
    let mut answer = Answer::default();
    answer.add_batch(&batch, 9, &mut vec![]).unwrap();

    let mut expected = Answer::default();
    let first = hash_i64(hash_i64(hash_null(hash_i64(hash_i64(0, 7), -1)), 1), 3);
    expected.add(hash_i64(hash_f64(hash_i64(hash_i64(first, 5), 5), 1.5), 11), 2);
    let second = hash_i64(hash_i64(hash_text(hash_i64(hash_null(0), 2), "abc"), 0), 4);
    expected.add(hash_decimal(hash_f64(hash_i64(hash_i64(second, 6), -1), 2.5), 50, 2), -1);
    assert_eq!(answer, expected);
    assert_eq!(answer.rows, 1);
}

#[test]
fn changes_add_up_in_any_order() {
    let (mut a, mut b, mut c) = (Answer::default(), Answer::default(), Answer::default());
    for (hash, diff) in [(1 << 63 | 5, 1), (77, 3), (1 << 63 | 5, -1)] {
        a.add(hash, diff);
    }
    b.add(77, 2);
    c.add(77, 1);
    assert_eq!(a, b.and(c));
}
