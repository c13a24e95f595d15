//! What is said of several runs.

/// Median of some figures; NaN of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

/// Least and largest.
pub(crate) fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(*x), most.max(*x)))
}

/// Geometric mean of positive figures; NaN of none.
pub(crate) fn geometric_mean(values: &[f64]) -> f64 {
    let logs: f64 = values.iter().map(|x| x.ln()).sum();
    if values.is_empty() { f64::NAN } else { (logs / values.len() as f64).exp() }
}

/// `median (least–largest)`, with three digits that mean something.
pub(crate) fn spread(values: &[f64]) -> String {
    let (least, most) = extremes(values);
    let middle = number(median(values.to_vec()));
    if values.len() < 2 { middle } else { format!("{middle} ({}–{})", number(least), number(most)) }
}

/// Three digits that mean something, no exponent.
pub(crate) fn number(x: f64) -> String {
    match x.abs() {
        _ if x.is_nan() => "–".to_owned(),
        size if size >= 99.95 => format!("{x:.0}"),
        size if size >= 9.995 => format!("{x:.1}"),
        size if size >= 0.9995 || x == 0.0 => format!("{x:.2}"),
        size => {
            let digits = (2.0 - size.log10().floor()).clamp(0.0, 9.0) as usize;
            format!("{x:.digits$}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_runs() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
        assert!(median(vec![]).is_nan());
        assert_eq!(extremes(&[3.0, 1.0, 2.0]), (1.0, 3.0));
        assert!((geometric_mean(&[1.0, 4.0, 16.0]) - 4.0).abs() < 1e-12);
        assert_eq!(spread(&[1.0, 3.0, 2.0]), "2.00 (1.00–3.00)");
        assert_eq!(spread(&[0.0123]), "0.0123");
    }

    #[test]
    fn numbers_have_three_digits() {
        let said: Vec<String> = [1234.5, 99.96, 12.34, 1.5, 0.5, 0.00123, 0.0].iter().map(|x| number(*x)).collect();
        assert_eq!(said, ["1234", "100", "12.3", "1.50", "0.500", "0.00123", "0.00"]);
        assert_eq!(number(f64::NAN), "–");
    }
}
