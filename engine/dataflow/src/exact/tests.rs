//! Sums are exact, do not depend on the order, and are rounded once.

use millrace_data::hash::mix;

use super::*;

fn sum(values: &[(f64, i64)]) -> f64 {
    let mut sums = Sums::new();
    sums.grow(1);
    values.iter().for_each(|(x, weight)| sums.add_value(0, *x, *weight));
    sums.rounded(0)
}

/// Doubles of all sizes, subnormals included.
fn random(seed: u64) -> f64 {
    let x = f64::from_bits(mix(seed));
    if x.is_finite() { x } else { f64::from_bits(mix(seed) & 0x800f_ffff_ffff_ffff) }
}

#[test]
fn rounds_once_to_even() {
    assert_eq!(sum(&[(0.1, 10)]), 1.0);
    assert_eq!(sum(&[(1e16, 1), (1.0, 1)]), 1e16);
    assert_eq!(sum(&[(1e16, 1), (1.0, 1), (1.0, 1)]), 1e16 + 2.0);
    assert_eq!(sum(&[(1e16, 1), (1.0, 1), (1e-300, 1)]), 1e16 + 2.0);
    assert_eq!(sum(&[(f64::MAX, 1), (f64::MAX, 1)]), f64::INFINITY);
    assert_eq!(sum(&[(f64::MAX, 2), (f64::MAX, -1), (-1e300, 1)]), f64::MAX - 1e300);
    assert_eq!(sum(&[(-f64::MAX, 1), (f64::MAX, 1)]), 0.0);
    let least = f64::from_bits(1);
    assert_eq!(sum(&[(least, 3), (least, -2)]), least);
    assert_eq!(sum(&[(f64::MIN_POSITIVE, 1), (least, -1)]), f64::MIN_POSITIVE - least);
}

#[test]
fn one_value_is_itself() {
    for seed in 0..5000 {
        let x = random(seed);
        assert_eq!(sum(&[(x, 1)]).to_bits(), (x + 0.0).to_bits());
        // 2^−971 × 3 and its like: nothing is lost by weights
        assert_eq!(sum(&[(x, i64::MAX), (x, i64::MIN + 2)]), x);
    }
}

#[test]
fn order_and_detours_do_not_matter() {
    for round in 0..200u64 {
        let values: Vec<(f64, i64)> = (0..40)
            .map(|i| {
                let seed = round * 1000 + i;
                let x = if round % 2 == 0 { random(seed) } else { (mix(seed) % 1_000_000) as f64 / 100.0 };
                (x, (mix(seed + 7) % 7) as i64 - 3)
            })
            .collect();
        let want = sum(&values);
        let mut other = values.clone();
        other.sort_by(|a, b| a.0.total_cmp(&b.0));
        other.extend([(1e308, 5), (-1e-308, 1), (1e308, -5), (-1e-308, -1)]);
        assert_eq!(sum(&other).to_bits(), want.to_bits());
        let undone: Vec<(f64, i64)> = values.iter().map(|(x, w)| (*x, -w)).chain(values.iter().copied()).collect();
        assert_eq!(sum(&undone).to_bits(), 0);
    }
}

#[test]
fn sums_of_integers_agree_with_128_bits() {
    for round in 0..500u64 {
        let mut sums = Sums::new();
        sums.grow(3);
        let mut want = [0i128; 3];
        for i in 0..50 {
            let seed = mix(round * 100 + i);
            let x = (seed as i64 >> (seed % 50)) as f64;
            let (group, weight) = ((seed % 3) as usize, (mix(seed) as i64) >> 40);
            sums.add_value(group, x, weight);
            want[group] += x as i128 * i128::from(weight);
        }
        sums.merge(0, 2);
        want[2] += want[0];
        sums.clear(0);
        want[0] = 0;
        for (group, want) in want.iter().enumerate() {
            // the conversion rounds to nearest, ties to even, as well
            assert_eq!(sums.rounded(group), *want as f64);
        }
    }
}

#[test]
fn most_sums_stay_narrow() {
    let mut sums = Sums::new();
    sums.grow(1);
    for i in 0..10_000u64 {
        sums.add_value(0, (mix(i) % 100_000_000) as f64 / 100.0, 1);
    }
    assert!(sums.base[0] != WIDE);
    sums.add_value(0, 1e-200, 1);
    assert!(sums.base[0] == WIDE);
    sums.clear(0);
    sums.add_value(0, 2.5, 1);
    assert!(sums.base[0] != WIDE);
    assert_eq!(sums.rounded(0), 2.5);
}

fn mean(sums: &Sums, n: u64) -> f64 {
    sums.divided(0, &[n])
}

fn variance(sums: &Sums, squares: &Squares, n: u64, population: bool) -> f64 {
    spread(sums.value(0), squares.value(0), n as i64, &[n, if population { n } else { n - 1 }])
}

fn moments(values: &[f64]) -> (Sums, Squares) {
    let (mut sums, mut squares) = (Sums::new(), Squares::new());
    sums.grow(1);
    squares.grow(1);
    for x in values {
        sums.add_value(0, *x, 1);
        squares.add_square(0, *x, 1);
    }
    (sums, squares)
}

#[test]
fn means_and_variances_are_the_nearest_doubles() {
    for round in 0..300u64 {
        let n = 2 + round % 9;
        // small enough that numerators and denominators are doubles, so that one division of doubles rounds once
        let ints: Vec<i64> = (0..n).map(|i| (mix(round * 100 + i) % 200_001) as i64 - 100_000).collect();
        let scale = 2f64.powi((mix(round) % 600) as i32 - 300);
        let values: Vec<f64> = ints.iter().map(|x| *x as f64 * scale).collect();
        let (sums, squares) = moments(&values);
        let total: i64 = ints.iter().sum();
        assert_eq!(mean(&sums, n), total as f64 / n as f64 * scale);
        let numerator = n as i64 * ints.iter().map(|x| x * x).sum::<i64>() - total * total;
        for (population, divisor) in [(true, n * n), (false, n * (n - 1))] {
            let got = variance(&sums, &squares, n, population);
            assert_eq!(got, numerator as f64 / divisor as f64 * scale * scale);
        }
    }
}

#[test]
fn variances_of_close_values_do_not_cancel() {
    let (sums, squares) = moments(&[1e15 + 1.0, 1e15 + 2.0, 1e15 + 3.0]);
    assert_eq!(variance(&sums, &squares, 3, false), 1.0);
    let (sums, squares) = moments(&[0.1, 0.1, 0.1]);
    assert_eq!(variance(&sums, &squares, 3, false), 0.0);
    let (sums, squares) = moments(&[1e300, -1e300]);
    assert_eq!(variance(&sums, &squares, 2, true), f64::INFINITY);
    let (sums, squares) = moments(&[1e300, 1e-300]);
    assert_eq!(mean(&sums, 2), 5e299);
    assert_eq!(variance(&sums, &squares, 2, true), f64::INFINITY);
    let (sums, squares) = moments(&[1e100, 1e-300]);
    assert_eq!(variance(&sums, &squares, 2, true), 2.5e199);
}
