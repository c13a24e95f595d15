//! SUM and AVG: exact sums of integers, decimals and doubles.
//!
//! * INT, BIGINT and DECIMALs of up to 18 digits: 128 bits hold any sum of them.
//! * Longer DECIMALs: 192 bits; a sum may leave the range of its type and come back.
//! * DOUBLE: see [`crate::exact`]; NaN and infinities are counted apart.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, Decimal128Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type};
use hashbrown::HashMap;
use millrace_planner::plan::AggregateFunction;
use smallvec::SmallVec;

use super::{Call, Finished, State, Update, doubles, present};
use crate::by_group::ByGroup;
use crate::exact::{self, Sums};

/// Digits of a DECIMAL whose sums 128 bits always hold.
const NARROW_DIGITS_MAX: u8 = 18;

/// The state for a column of this type.
///
/// # Panics
/// If it is no number.
pub(super) fn new(arg: usize, data_type: &DataType) -> Box<dyn State> {
    match data_type {
        DataType::Int32 => Box::new(Narrow::<Int32Type>::new(arg, 0)),
        DataType::Int64 => Box::new(Narrow::<Int64Type>::new(arg, 0)),
        DataType::Decimal128(precision, scale) if *precision <= NARROW_DIGITS_MAX => {
            Box::new(Narrow::<Decimal128Type>::new(arg, *scale))
        }
        DataType::Decimal128(_, scale) => Box::new(Wide { arg, scale: *scale, sums: ByGroup::new() }),
        DataType::Float64 => Box::new(Doubles::new(arg)),
        other => panic!("SUM over {other}"),
    }
}

/// A signed integer of 192 bits, low part first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Int192(u128, i64);

impl Int192 {
    fn add(&mut self, other: Int192) {
        let (low, carry) = self.0.overflowing_add(other.0);
        *self = Int192(low, self.1 + other.1 + i64::from(carry));
    }

    fn of(x: i128) -> Self {
        Int192(x as u128, (x >> 127) as i64)
    }

    fn negated(self) -> Self {
        let (low, carry) = (!self.0).overflowing_add(1);
        Int192(low, (!self.1).wrapping_add(i64::from(carry)))
    }

    /// `x` times a weight.
    fn product(x: i128, weight: i64) -> Self {
        let (magnitude, times) = (x.unsigned_abs(), u128::from(weight.unsigned_abs()));
        let low = (magnitude & u128::from(u64::MAX)) * times;
        let (low, carry) = low.overflowing_add(((magnitude >> 64) * times) << 64);
        let high = (((magnitude >> 64) * times) >> 64) as i64 + i64::from(carry);
        let product = Int192(low, high);
        if (x < 0) != (weight < 0) { product.negated() } else { product }
    }

    /// The value, if 128 bits hold it.
    fn to_i128(self) -> Option<i128> {
        let low = self.0 as i128;
        (self.1 == (low >> 127) as i64).then_some(low)
    }

    fn words(self) -> [u64; 3] {
        [self.0 as u64, (self.0 >> 64) as u64, self.1 as u64]
    }
}

struct Narrow<T: ArrowPrimitiveType> {
    arg: usize,
    scale: i8,
    sums: ByGroup<i128>,
    kind: std::marker::PhantomData<T>,
}

impl<T: ArrowPrimitiveType> Narrow<T> {
    fn new(arg: usize, scale: i8) -> Self {
        Narrow { arg, scale, sums: ByGroup::new(), kind: std::marker::PhantomData }
    }
}

impl<T: ArrowPrimitiveType> State for Narrow<T>
where
    T::Native: Into<i128>,
{
    fn grow(&mut self, groups: usize) {
        self.sums.grow(groups);
    }

    fn update(&mut self, rows: &Update<'_>) {
        let values = rows.columns[self.arg].as_primitive::<T>().values();
        for ((group, weight), value) in rows.groups.iter().zip(rows.weights).zip(values) {
            // what lies under a NULL is anything; its weight is 0
            if *weight != 0 {
                self.sums[*group as usize] += (*value).into() * i128::from(*weight);
            }
        }
    }

    fn finish(&self, call: &Call, groups: &[u32], counts: &ByGroup<i64>) -> Finished {
        finish_integers(call, self.scale, groups, counts, |group| Int192::of(self.sums[group]))
    }

    fn merge(&mut self, from: u32, into: u32) {
        self.sums[into as usize] += self.sums[from as usize];
    }

    fn clear(&mut self, groups: &[u32]) {
        groups.iter().for_each(|group| self.sums[*group as usize] = 0);
    }

    fn memory_bytes(&self) -> usize {
        self.sums.memory_bytes()
    }
}

struct Wide {
    arg: usize,
    scale: i8,
    sums: ByGroup<Int192>,
}

impl State for Wide {
    fn grow(&mut self, groups: usize) {
        self.sums.grow(groups);
    }

    fn update(&mut self, rows: &Update<'_>) {
        let values = rows.columns[self.arg].as_primitive::<Decimal128Type>().values();
        for ((group, weight), value) in rows.groups.iter().zip(rows.weights).zip(values) {
            let product = match weight {
                0 => continue,
                1 => Int192::of(*value),
                weight => Int192::product(*value, *weight),
            };
            self.sums[*group as usize].add(product);
        }
    }

    fn finish(&self, call: &Call, groups: &[u32], counts: &ByGroup<i64>) -> Finished {
        finish_integers(call, self.scale, groups, counts, |group| self.sums[group])
    }

    fn merge(&mut self, from: u32, into: u32) {
        let sum = self.sums[from as usize];
        self.sums[into as usize].add(sum);
    }

    fn clear(&mut self, groups: &[u32]) {
        groups.iter().for_each(|group| self.sums[*group as usize] = Int192::default());
    }

    fn memory_bytes(&self) -> usize {
        self.sums.memory_bytes()
    }
}

/// Results from sums of integers in units of 10^−scale.
fn finish_integers(
    call: &Call,
    scale: i8,
    groups: &[u32],
    counts: &ByGroup<i64>,
    sum: impl Fn(usize) -> Int192,
) -> Finished {
    let valid = present(groups, counts);
    let each = groups.iter().map(|group| (sum(*group as usize), counts[*group as usize]));
    match &call.data_type {
        DataType::Float64 => {
            let mean = call.function == AggregateFunction::Avg;
            let power = powers_of_ten(scale);
            let values = each.map(|(sum, count)| quotient(sum, &power, if mean { count } else { 1 }));
            Finished::of(doubles(values.collect(), valid))
        }
        DataType::Decimal128(precision, to) => {
            let limit = 10u128.pow(u32::from(*precision));
            let values = each.map(|(sum, count)| {
                let value = match call.function {
                    AggregateFunction::Avg if count > 0 => decimal_mean(sum, count, i32::from(*to) - i32::from(scale)),
                    _ => sum.to_i128(),
                };
                value.filter(|value| value.unsigned_abs() < limit)
            });
            let (values, failures) = checked(values, &valid, || {
                let name = if call.function == AggregateFunction::Avg { "AVG" } else { "SUM" };
                format!("{name} is out of the range of DECIMAL({precision}, {to})")
            });
            let column = Decimal128Array::new(values.into(), valid).with_data_type(call.data_type.clone());
            Finished { column: Arc::new(column), failures }
        }
        _ => {
            let values = each.map(|(sum, _)| sum.to_i128().and_then(|sum| i64::try_from(sum).ok()));
            let (values, failures) = checked(values, &valid, || "SUM is out of the range of BIGINT".to_owned());
            Finished { column: Arc::new(Int64Array::new(values.into(), valid)) as ArrayRef, failures }
        }
    }
}

/// Values, 0 for those that are out of range, and a failure for each of these that counts.
fn checked<T: Default>(
    values: impl Iterator<Item = Option<T>>,
    valid: &Option<NullBuffer>,
    message: impl Fn() -> String,
) -> (Vec<T>, Vec<(usize, String)>) {
    let mut failures = vec![];
    let values = values.enumerate().map(|(i, value)| {
        if value.is_none() && valid.as_ref().is_none_or(|valid| valid.is_valid(i)) {
            failures.push((i, message()));
        }
        value.unwrap_or_default()
    });
    (values.collect(), failures)
}

/// The double nearest to `sum` over all of `power` and `count`.
fn quotient(sum: Int192, power: &Divisors, count: i64) -> f64 {
    if count <= 0 {
        return 0.0;
    }
    // a quotient of two doubles is rounded once
    const EXACT: i128 = 1 << 53;
    if power.is_empty()
        && i128::from(count) <= EXACT
        && let Some(sum) = sum.to_i128().filter(|sum| (-EXACT..=EXACT).contains(sum))
    {
        return sum as f64 / count as f64;
    }
    let mut divisors = power.clone();
    divisors.push(count as u64);
    exact::divided(&sum.words(), 0, &divisors)
}

/// Factors of a divisor.
pub(super) type Divisors = SmallVec<[u64; 6]>;

/// Divisors whose product is 10^scale.
pub(super) fn powers_of_ten(scale: i8) -> Divisors {
    let mut left = u32::from(scale.unsigned_abs());
    let mut powers = Divisors::new();
    while left > 0 {
        let part = left.min(19);
        powers.push(10u64.pow(part));
        left -= part;
    }
    powers
}

/// A sum over a count as an integer with `digits` more decimal digits, rounded half away from zero; `None` beyond 128
/// bits.
fn decimal_mean(sum: Int192, count: i64, digits: i32) -> Option<i128> {
    let negative = sum.1 < 0;
    let magnitude = if negative { sum.negated() } else { sum };
    // quotient digit by digit of 2^64; then the digits behind it come from the remainder
    let divisor = u128::from(count.unsigned_abs());
    let mut rest = 0u128;
    let mut quotient = 0u128;
    for word in magnitude.words().iter().rev() {
        let dividend = rest << 64 | u128::from(*word);
        if quotient >> 64 != 0 {
            return None;
        }
        quotient = (quotient << 64) | (dividend / divisor);
        rest = dividend % divisor;
    }
    for _ in 0..digits.max(0) {
        // below 2^63 × 10
        rest *= 10;
        quotient = quotient.checked_mul(10)?.checked_add(rest / divisor)?;
        rest %= divisor;
    }
    let mut half = rest * 2 >= divisor;
    for i in 0..digits.min(0).unsigned_abs() {
        let digit = quotient % 10;
        quotient /= 10;
        // of the digits that are dropped the highest decides, which goes last
        half = if i + 1 == digits.min(0).unsigned_abs() { digit >= 5 } else { half };
    }
    let value = i128::try_from(quotient.checked_add(u128::from(half))?).ok()?;
    Some(if negative { -value } else { value })
}

/// How often NaN, ∞ and −∞ are there.
type Specials = [i64; 3];

struct Doubles {
    arg: usize,
    sums: Sums,
    specials: HashMap<u32, Specials>,
}

impl Doubles {
    fn new(arg: usize) -> Self {
        Doubles { arg, sums: Sums::new(), specials: HashMap::new() }
    }
}

impl State for Doubles {
    fn grow(&mut self, groups: usize) {
        self.sums.grow(groups);
    }

    fn update(&mut self, rows: &Update<'_>) {
        let values = rows.columns[self.arg].as_primitive::<Float64Type>().values();
        for ((group, weight), value) in rows.groups.iter().zip(rows.weights).zip(values) {
            if *weight == 0 {
                continue;
            }
            if value.is_finite() {
                self.sums.add_value(*group as usize, *value, *weight);
            } else {
                note_special(&mut self.specials, *group, *value, *weight);
            }
        }
    }

    fn finish(&self, call: &Call, groups: &[u32], counts: &ByGroup<i64>) -> Finished {
        let mean = call.function == AggregateFunction::Avg;
        let values = groups.iter().map(|group| {
            let count = counts[*group as usize];
            match special(&self.specials, *group) {
                Some(special) => special,
                None if count <= 0 => 0.0,
                None if mean => self.sums.divided(*group as usize, &[count as u64]),
                None => self.sums.rounded(*group as usize),
            }
        });
        Finished::of(doubles(values.collect(), present(groups, counts)))
    }

    fn merge(&mut self, from: u32, into: u32) {
        self.sums.merge(from as usize, into as usize);
        merge_specials(&mut self.specials, from, into);
    }

    fn clear(&mut self, groups: &[u32]) {
        for group in groups {
            self.sums.clear(*group as usize);
            self.specials.remove(group);
        }
    }

    fn memory_bytes(&self) -> usize {
        self.sums.memory_bytes() + self.specials.capacity() * size_of::<(u32, Specials)>()
    }
}

/// Counts a value that is not finite.
#[cold]
pub(super) fn note_special(specials: &mut HashMap<u32, Specials>, group: u32, value: f64, weight: i64) {
    let counts = specials.entry(group).or_default();
    counts[if value.is_nan() { 0 } else { 1 + usize::from(value < 0.0) }] += weight;
    if *counts == [0; 3] {
        specials.remove(&group);
    }
}

/// What values that are not finite make of a sum.
pub(super) fn special(specials: &HashMap<u32, Specials>, group: u32) -> Option<f64> {
    if specials.is_empty() {
        return None;
    }
    let [nan, plus, minus] = specials.get(&group)?;
    Some(if *nan > 0 || *plus > 0 && *minus > 0 {
        f64::NAN
    } else if *plus > 0 {
        f64::INFINITY
    } else {
        f64::NEG_INFINITY
    })
}

/// Adds what `from` has to `into`.
pub(super) fn merge_specials(specials: &mut HashMap<u32, Specials>, from: u32, into: u32) {
    if let Some(more) = specials.get(&from).copied() {
        let counts = specials.entry(into).or_default();
        counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
    }
}
