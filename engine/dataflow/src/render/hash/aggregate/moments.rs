//! VARIANCE and STDDEV: the exact sum of the values and of their squares.
//!
//! `(n Σx² − (Σx)²) / n(n − 1)` from integers, rounded once: nothing cancels, whatever the values.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type};
use hashbrown::HashMap;
use millrace_planner::plan::AggregateFunction;

use super::sum::{Divisors, merge_specials, note_special, powers_of_ten, special};
use super::{Call, Finished, State, Update, doubles};
use crate::by_group::ByGroup;
use crate::exact::{SUM_UNIT, Squares, Sums, spread};

/// Position of an integer's lowest bit in a sum.
const ONE: u32 = SUM_UNIT.unsigned_abs();

/// See the module.
pub(super) struct Moments {
    arg: usize,
    data_type: DataType,
    sums: Sums,
    squares: Squares,
    specials: HashMap<u32, [i64; 3]>,
}

impl Moments {
    /// Over a column of this type.
    pub(super) fn new(arg: usize, data_type: &DataType) -> Self {
        let data_type = data_type.clone();
        Moments { arg, data_type, sums: Sums::new(), squares: Squares::new(), specials: HashMap::new() }
    }

    fn add_integer(&mut self, group: u32, x: i128, weight: i64) {
        let (group, magnitude) = (group as usize, x.unsigned_abs());
        let (times, negative) = (u128::from(weight.unsigned_abs()), weight < 0);
        let (low, high) = (magnitude & u128::from(u64::MAX), magnitude >> 64);
        self.sums.add(group, low * times, ONE, negative != (x < 0));
        self.sums.add(group, high * times, ONE + 64, negative != (x < 0));
        // (low + high 2^64)², a product of at most 128 bits at a time, which a weight makes 192
        for (product, position) in [(low * low, 0), (low * high, 65), (high * high, 128)] {
            self.squares.add(group, (product & u128::from(u64::MAX)) * times, 2 * ONE + position, negative);
            self.squares.add(group, (product >> 64) * times, 2 * ONE + position + 64, negative);
        }
    }

    fn update_integers(&mut self, rows: &Update<'_>, value: impl Fn(usize) -> i128) {
        for (i, (group, weight)) in rows.groups.iter().zip(rows.weights).enumerate() {
            if *weight != 0 {
                self.add_integer(*group, value(i), *weight);
            }
        }
    }

    fn variance(&self, group: u32, count: i64, population: bool, power: &Divisors) -> Option<f64> {
        let by = if population { count } else { count - 1 };
        if by <= 0 {
            return None;
        }
        if special(&self.specials, group).is_some() {
            return Some(f64::NAN);
        }
        let mut divisors = power.clone();
        divisors.extend([count as u64, by as u64]);
        let (sum, squares) = (self.sums.value(group as usize), self.squares.value(group as usize));
        Some(spread(sum, squares, count, &divisors))
    }
}

impl State for Moments {
    fn grow(&mut self, groups: usize) {
        self.sums.grow(groups);
        self.squares.grow(groups);
    }

    fn update(&mut self, rows: &Update<'_>) {
        let column: &ArrayRef = &rows.columns[self.arg];
        match column.data_type() {
            DataType::Int32 => {
                let values = column.as_primitive::<Int32Type>();
                self.update_integers(rows, |i| i128::from(values.value(i)));
            }
            DataType::Int64 => {
                let values = column.as_primitive::<Int64Type>();
                self.update_integers(rows, |i| i128::from(values.value(i)));
            }
            DataType::Decimal128(..) => {
                let values = column.as_primitive::<Decimal128Type>();
                self.update_integers(rows, |i| values.value(i));
            }
            DataType::Float64 => {
                let values = column.as_primitive::<Float64Type>().values();
                for ((group, weight), value) in rows.groups.iter().zip(rows.weights).zip(values) {
                    if *weight == 0 {
                        continue;
                    }
                    if value.is_finite() {
                        self.sums.add_value(*group as usize, *value, *weight);
                        self.squares.add_square(*group as usize, *value, *weight);
                    } else {
                        note_special(&mut self.specials, *group, *value, *weight);
                    }
                }
            }
            other => panic!("VARIANCE over {other}"),
        }
    }

    fn finish(&self, call: &Call, groups: &[u32], counts: &ByGroup<i64>) -> Finished {
        let (population, root) = match call.function {
            AggregateFunction::Stddev { population } => (population, true),
            AggregateFunction::Variance { population } => (population, false),
            ref other => panic!("{other:?} is no moment"),
        };
        let mut power = Divisors::new();
        if let DataType::Decimal128(_, scale) = self.data_type {
            power.extend(powers_of_ten(scale));
            power.extend(powers_of_ten(scale));
        }
        let values: Vec<Option<f64>> = groups
            .iter()
            .map(|group| {
                let variance = self.variance(*group, counts[*group as usize], population, &power);
                if root { variance.map(f64::sqrt) } else { variance }
            })
            .collect();
        let valid = values.iter().map(Option::is_some).collect();
        Finished::of(doubles(values.into_iter().map(Option::unwrap_or_default).collect(), Some(valid)))
    }

    fn merge(&mut self, from: u32, into: u32) {
        self.sums.merge(from as usize, into as usize);
        self.squares.merge(from as usize, into as usize);
        merge_specials(&mut self.specials, from, into);
    }

    fn clear(&mut self, groups: &[u32]) {
        for group in groups {
            self.sums.clear(*group as usize);
            self.squares.clear(*group as usize);
            self.specials.remove(group);
        }
    }

    fn memory_bytes(&self) -> usize {
        self.sums.memory_bytes() + self.squares.memory_bytes() + self.specials.capacity() * 32
    }
}
