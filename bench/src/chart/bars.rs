//! Bars in groups: one group a workload, one colour a contender.

use crate::statistics::number;

use super::{COLOURS, LEFT, Scale, Svg, TOP, WIDTH};

const HEIGHT: f64 = 420.0;
const BOTTOM: f64 = 320.0;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bars {
    /// Above it.
    pub(crate) title: String,
    /// Of the values.
    pub(crate) unit: String,
    /// Names of the bars in a group.
    pub(crate) series: Vec<String>,
    /// Names of the groups with their values, one for each series.
    pub(crate) groups: Vec<(String, Vec<Option<f64>>)>,
}

impl Bars {
    /// The chart.
    pub(crate) fn svg(&self) -> String {
        let mut svg = Svg::new(WIDTH, HEIGHT, &self.title);
        let values = self.groups.iter().flat_map(|(_, values)| values).filter_map(|v| *v);
        let scale = Scale::around(values, BOTTOM, TOP + 15.0);
        let right = WIDTH - 20.0;
        svg.vertical(&scale, right, &self.unit);
        let group = (right - LEFT) / self.groups.len().max(1) as f64;
        let bar = group * 0.85 / self.series.len().max(1) as f64;
        for (g, (name, values)) in self.groups.iter().enumerate() {
            let start = LEFT + group * (g as f64 + 0.075);
            for (s, value) in values.iter().enumerate() {
                let Some(value) = value else { continue };
                let (x, y) = (start + bar * s as f64, scale.place(*value));
                svg.put(&format!(
                    "<rect class=\"bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
                    bar * 0.95,
                    (BOTTOM - y).max(1.0),
                    COLOURS[s % COLOURS.len()]
                ));
                svg.text(x + bar / 2.0, y - 3.0, "middle", &number(*value), "font-size=\"9\"");
            }
            let (x, y) = (start + group * 0.42, BOTTOM + 14.0);
            let more = format!("transform=\"rotate(-25 {x:.1} {y:.1})\"");
            svg.text(x, y, "end", name, &more);
        }
        for (s, name) in self.series.iter().enumerate() {
            let x = LEFT + 130.0 * s as f64;
            let colour = COLOURS[s % COLOURS.len()];
            svg.put(&format!(
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>",
                HEIGHT - 20.0
            ));
            svg.text(x + 14.0, HEIGHT - 11.0, "start", name, "");
        }
        svg.finish()
    }
}
