//! Lines over a logarithmic horizontal axis.

use super::{COLOURS, DASHES, LEFT, Scale, Svg, TOP, WIDTH, power};

const BOTTOM: f64 = 380.0;
/// Where the names of the lines begin.
const RIGHT: f64 = 640.0;

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Its name.
    pub(crate) name: String,
    /// Its points, from left to right.
    pub(crate) points: Vec<(f64, f64)>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    /// Above it.
    pub(crate) title: String,
    /// Below the horizontal axis.
    pub(crate) x_name: String,
    /// Beside the vertical axis.
    pub(crate) y_name: String,
    /// The lines.
    pub(crate) series: Vec<Series>,
}

impl Lines {
    /// The chart.
    pub(crate) fn svg(&self) -> String {
        let height = (BOTTOM + 50.0).max(TOP + 20.0 * self.series.len() as f64 + 20.0);
        let mut svg = Svg::new(WIDTH, height, &self.title);
        let points = || self.series.iter().flat_map(|s| s.points.iter());
        let x = Scale::around(points().map(|p| p.0), LEFT, RIGHT - 20.0);
        let y = Scale::around(points().map(|p| p.1), BOTTOM, TOP);
        svg.vertical(&y, RIGHT - 20.0, &self.y_name);
        for mark in x.marks() {
            let at = x.place(mark);
            svg.line((at, TOP), (at, BOTTOM), "stroke=\"#eee\"");
            svg.text(at, BOTTOM + 16.0, "middle", &power(mark), "");
        }
        svg.text((LEFT + RIGHT) / 2.0, BOTTOM + 36.0, "middle", &self.x_name, "");
        for (i, series) in self.series.iter().enumerate() {
            let colour = COLOURS[i % COLOURS.len()];
            let dash = DASHES[i / COLOURS.len() % DASHES.len()];
            let stroke = format!("stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"");
            let places: Vec<(f64, f64)> = series.points.iter().map(|(a, b)| (x.place(*a), y.place(*b))).collect();
            let path: Vec<String> = places.iter().map(|(a, b)| format!("{a:.1},{b:.1}")).collect();
            svg.put(&format!("<polyline points=\"{}\" fill=\"none\" {stroke}/>", path.join(" ")));
            for (a, b) in places {
                svg.put(&format!("<circle cx=\"{a:.1}\" cy=\"{b:.1}\" r=\"3\" fill=\"{colour}\"/>"));
            }
            let at = TOP + 20.0 * i as f64 + 10.0;
            svg.line((RIGHT, at - 4.0), (RIGHT + 24.0, at - 4.0), &stroke);
            svg.text(RIGHT + 30.0, at, "start", &series.name, "font-size=\"11\"");
        }
        svg.finish()
    }
}
