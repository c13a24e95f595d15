//! Charts as SVG, with logarithmic axes: figures that are compared differ by factors.

mod bars;
mod lines;

use std::fmt::Write;

pub(crate) use bars::Bars;
pub(crate) use lines::{Lines, Series};

/// Colours that people who confuse some of them can tell apart.
const COLOURS: [&str; 8] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d31", "#555555"];

/// Dashes of lines whose colours have run out.
const DASHES: [&str; 4] = ["", "6 3", "2 3", "8 3 2 3"];

const WIDTH: f64 = 900.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 40.0;

/// From values to places.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Whole powers of ten around the values.
    fn around(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Scale {
        let logs = values.filter(|v| v.is_finite() && *v > 0.0).map(f64::log10);
        let low = logs.clone().fold(f64::INFINITY, f64::min).floor();
        let high = logs.fold(f64::NEG_INFINITY, f64::max).ceil();
        match low.is_finite() {
            true => Scale { low, high: high.max(low + 1.0), from, to },
            false => Scale { low: 0.0, high: 1.0, from, to },
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.max(1e-300).log10() - self.low) / (self.high - self.low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// The powers of ten.
    fn marks(&self) -> impl Iterator<Item = f64> + '_ {
        (self.low as i32..=self.high as i32).map(|e| 10f64.powi(e))
    }
}

/// An SVG being written.
struct Svg(String);

impl Svg {
    fn new(width: f64, height: f64, title: &str) -> Svg {
        let mut svg = Svg(String::new());
        svg.put(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">"
        ));
        svg.put("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        svg.text(LEFT, 22.0, "start", title, "font-size=\"14\" font-weight=\"bold\"");
        svg
    }

    fn put(&mut self, element: &str) {
        self.0.push_str(element);
        self.0.push('\n');
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str, more: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.put(&format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {more}>{text}</text>"));
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), more: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.put(&format!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {more}/>"));
    }

    /// The vertical axis with its grid, from `LEFT` to `right`.
    fn vertical(&mut self, scale: &Scale, right: f64, name: &str) {
        for mark in scale.marks() {
            let y = scale.place(mark);
            self.line((LEFT, y), (right, y), "stroke=\"#ddd\"");
            self.text(LEFT - 6.0, y + 4.0, "end", &power(mark), "");
        }
        let middle = (scale.from + scale.to) / 2.0;
        let turned = format!("transform=\"rotate(-90 18 {middle:.1})\"");
        self.text(18.0, middle, "middle", name, &turned);
    }

    fn finish(mut self) -> String {
        self.put("</svg>");
        self.0
    }
}

/// `1 k`, `10 M`, `0.01`.
fn power(value: f64) -> String {
    let mut text = String::new();
    let (scaled, unit) = match value {
        v if v >= 0.99e9 => (v / 1e9, " G"),
        v if v >= 0.99e6 => (v / 1e6, " M"),
        v if v >= 0.99e3 => (v / 1e3, " k"),
        v => (v, ""),
    };
    let digits = (-scaled.log10().round()).max(0.0) as usize;
    // a string takes everything
    let _ = write!(text, "{scaled:.digits$}{unit}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_covers_its_values_with_powers_of_ten() {
        let scale = Scale::around([0.5, 30.0].into_iter(), 100.0, 0.0);
        assert_eq!(scale.marks().map(power).collect::<Vec<_>>(), ["0.1", "1", "10", "100"]);
        assert_eq!((scale.place(0.1), scale.place(100.0)), (100.0, 0.0));
        assert!((scale.place(1.0) - 200.0 / 3.0).abs() < 1e-9);
        assert_eq!(power(1e4), "10 k");
    }

    #[test]
    fn charts_show_every_series_and_value() {
        let bars = Bars {
            title: "a < b".to_owned(),
            unit: "M/s".to_owned(),
            series: vec!["x".to_owned(), "y".to_owned()],
            groups: vec![("q0".to_owned(), vec![Some(1.0), None]), ("q1".to_owned(), vec![Some(2.0), Some(30.0)])],
        };
        let svg = bars.svg();
        assert_eq!(svg.matches("class=\"bar\"").count(), 3);
        assert!(svg.contains("a &lt; b") && svg.contains(">30.0<") && svg.ends_with("</svg>\n"), "{svg}");
        let series = |name: &str| Series { name: name.to_owned(), points: vec![(1.0, 5.0), (100.0, 7.0)] };
        let lines = Lines { series: vec![series("x"), series("y")], ..Lines::default() };
        assert_eq!(lines.svg().matches("<polyline").count(), 2);
    }
}
