//! The first line and the last.

use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Span};

use super::{Picture, ends};
use crate::command::demo::model::grouped;

/// Columns of the curve of rows per second.
const CURVE_WIDTH: usize = 24;

/// From the least to the most.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Time, rows per second, latency.
pub(super) fn head<'a>(picture: &Picture<'a>, width: u16) -> Line<'a> {
    let mut left = vec![" MILLRACE ".black().on_cyan().bold(), "  ".into()];
    match picture.elapsed_ms {
        None => left.push("planning the pipeline, loading its tables …".bold()),
        Some(ms) => {
            let of = picture.seconds.map(|seconds| format!(" of {seconds} s")).unwrap_or_default();
            left.push(format!("{:02}:{:02}{of}   ", ms / 60_000, ms / 1_000 % 60).into());
            left.push(format!("{} rows/s ", grouped(picture.model.sources.rate() as i64)).bold());
            if width >= 100 {
                left.push(curve(picture.model.sources.history.iter().copied()).cyan());
            }
        }
    }
    if picture.held {
        left.push("  HELD, the engine goes on ".black().on_yellow());
    }
    let latency = &picture.model.latency;
    let right = match (latency.percentile(50), latency.percentile(99)) {
        (Some(p50), Some(p99)) => {
            vec!["event to change  ".dark_gray(), format!("p50 {p50:.0} ms  p99 {p99:.0} ms ").green().bold()]
        }
        _ => vec![],
    };
    ends(left, right, usize::from(width))
}

/// The keys, and what the session has to say.
pub(super) fn foot<'a>(picture: &Picture<'a>, width: u16) -> Line<'a> {
    let key = |name: &'a str, what: &'a str| [Span::from(name).bold(), Span::styled(what, Style::new().dark_gray())];
    let mut left: Vec<Span<'a>> = vec![" ".into()];
    left.extend(key("q", " quit   "));
    left.extend(key("space", if picture.held { " go on   " } else { " hold   " }));
    left.extend(key("tab", " one pane with its SQL   "));
    if picture.focus.is_some() {
        left.extend(key("esc", " all panes"));
    }
    let right = picture.notice.map(|notice| vec![notice.yellow(), " ".into()]).unwrap_or_default();
    ends(left, right, usize::from(width))
}

/// The last values as bars, from nothing to the largest.
fn curve(values: impl DoubleEndedIterator<Item = u64>) -> String {
    let mut last: Vec<u64> = values.rev().take(CURVE_WIDTH).collect();
    last.reverse();
    let most = last.iter().copied().max().unwrap_or(0).max(1);
    last.iter().map(|value| BARS[(value * 7).div_ceil(most).min(7) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_nothing_to_the_largest() {
        assert_eq!(curve([0, 50, 100].into_iter()), "▁▅█");
        assert_eq!(curve(0..100).chars().count(), CURVE_WIDTH);
        assert_eq!(curve([].into_iter()), "");
    }
}
