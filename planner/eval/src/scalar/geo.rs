//! Distances on the earth.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::{Result, exec_err};
use datafusion_expr::ScalarUDF;

use super::plain;

const EARTH_RADIUS_KM: f64 = 6371.0;
const EARTH_RADIUS_MILES: f64 = 3959.0;

/// GEO_DISTANCE(latitude, longitude, latitude, longitude [, 'KM' or 'MILES']).
pub(crate) fn all() -> Vec<ScalarUDF> {
    let four = [DataType::Float64, DataType::Float64, DataType::Float64, DataType::Float64];
    let with_unit = [four.as_slice(), &[DataType::Utf8]].concat();
    vec![plain("geo_distance", &[&four, &with_unit], DataType::Float64, distance)]
}

/// The great-circle distance, by the haversine formula.
fn distance(args: &[ArrayRef]) -> Result<ArrayRef> {
    let degrees: Vec<&Float64Array> = args[..4].iter().map(|arg| arg.as_primitive::<Float64Type>()).collect();
    let rows = (0..args[0].len()).map(|i| {
        if args.iter().any(|arg| arg.is_null(i)) {
            return Ok(None);
        }
        let radius = match args.get(4).map(|unit| unit.as_string::<i32>().value(i).to_uppercase()) {
            None => EARTH_RADIUS_KM,
            Some(unit) => match unit.as_str() {
                "KM" | "KMS" | "KILOMETER" | "KILOMETERS" | "KILOMETRE" | "KILOMETRES" => EARTH_RADIUS_KM,
                "MI" | "MILE" | "MILES" => EARTH_RADIUS_MILES,
                other => return exec_err!("{other} is no unit of distance; KM and MILES are"),
            },
        };
        let [lat1, lon1, lat2, lon2] = [0, 1, 2, 3].map(|c: usize| degrees[c].value(i));
        if lat1.abs() > 90.0 || lat2.abs() > 90.0 || lon1.abs() > 180.0 || lon2.abs() > 180.0 {
            return exec_err!("({lat1}, {lon1}) or ({lat2}, {lon2}) is not on the earth");
        }
        let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
        let a = half(lat1, lat2) + half(lon1, lon2) * lat1.to_radians().cos() * lat2.to_radians().cos();
        Ok(Some(2.0 * radius * a.sqrt().atan2((1.0 - a).max(0.0).sqrt())))
    });
    Ok(Arc::new(rows.collect::<Result<Float64Array>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn palo_alto_to_london() {
        let point = |x: f64| Arc::new(Float64Array::from(vec![x])) as ArrayRef;
        let km = distance(&[point(37.4439), point(-122.1663), point(51.5257), point(-0.1122)]).unwrap();
        assert!((km.as_primitive::<Float64Type>().value(0) - 8634.6).abs() < 0.5);
        assert!(distance(&[point(91.0), point(0.0), point(0.0), point(0.0)]).is_err());
    }
}
