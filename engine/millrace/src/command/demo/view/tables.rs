//! Panes with columns: what arrives, balances, ratings by club.

use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};

use super::{Picture, ends};
use crate::command::demo::model::grouped;

/// How long a change is marked.
const MARKED_MS: u64 = 1_200;

/// How long a correction is.
const CORRECTED_MS: u64 = 5_000;

/// Clubs, best first.
const CLUBS: [&str; 4] = ["platinum", "gold", "silver", "bronze"];

/// Below this a source has no room for its count.
const NARROW: usize = 48;

/// Columns of a bar, at most.
const BAR_WIDTH_MAX: usize = 12;

/// Columns of what stands beside the bar.
const BESIDE_BAR_WIDTH: usize = 34;

/// The sources: how much comes, and some of it.
pub(super) fn arrives<'a>(picture: &Picture<'a>, width: usize, height: usize) -> Vec<Line<'a>> {
    let each = (height / 6).max(1);
    let mut lines = vec![];
    for (name, source) in picture.model.sources.all() {
        let rate = format!("{}/s", grouped(source.rate as i64));
        let counted = match width < NARROW {
            true => format!(" {rate:>9}"),
            false => format!("{rate:>10} {:>12}", grouped(source.rows as i64)),
        };
        lines.push(ends(vec![name.bold()], vec![counted.into()], width));
        let samples = source.samples.iter().rev().take(each - 1);
        lines.extend(samples.map(|sample| Line::from(vec!["  ".into(), sample.as_str().dark_gray()])));
        let missing = (each - 1).saturating_sub(source.samples.len());
        lines.extend(std::iter::repeat_n(Line::default(), missing));
    }
    lines
}

/// The accounts that move most.
pub(super) fn balances<'a>(picture: &Picture<'a>, width: usize, height: usize) -> Vec<Line<'a>> {
    let movers = picture.model.balances.movers(height);
    let line = |(name, account): (&'a str, crate::command::demo::model::Account)| {
        let style = match account.moved < 0 {
            true => Style::new().fg(Color::Red),
            false => Style::new().fg(Color::Green),
        };
        let (style, arrow) = match picture.now_ms().saturating_sub(account.moved_ms) <= MARKED_MS {
            true => (style.add_modifier(Modifier::BOLD), if account.moved < 0 { "▼" } else { "▲" }),
            false => (style.add_modifier(Modifier::DIM), " "),
        };
        let sign = if account.moved < 0 { "−" } else { "+" };
        let moved = format!("{arrow} {sign}{}", grouped(account.moved.abs()));
        let left = vec![name.into(), format!("{:>12}", grouped(account.balance)).bold()];
        ends(left, vec![Span::styled(format!("{moved:>12}"), style)], width.min(44))
    };
    movers.into_iter().map(line).collect()
}

/// Ratings by club, and which a correction has just moved.
pub(super) fn clubs<'a>(picture: &Picture<'a>, width: usize) -> Vec<Line<'a>> {
    let clubs = &picture.model.clubs;
    let bar_width = width.saturating_sub(BESIDE_BAR_WIDTH).min(BAR_WIDTH_MAX);
    let most = clubs.values().map(|club| club.ratings).max().unwrap_or(0).max(1);
    let line = |name: &&'static str| {
        let club = clubs.get(*name)?;
        let corrected = club.corrected_ms.is_some_and(|at| picture.now_ms().saturating_sub(at) <= CORRECTED_MS);
        let filled = (club.ratings.max(0) as usize * bar_width).div_ceil(most as usize);
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(bar_width - filled));
        let style = match corrected {
            true => Style::new().fg(Color::Black).bg(Color::Green).add_modifier(Modifier::BOLD),
            false => Style::new().add_modifier(Modifier::BOLD),
        };
        let left = vec![Span::styled(format!("{name:<9}"), style), " ".into(), bar.cyan()];
        let right =
            vec![format!("{:>7} ratings ", grouped(club.ratings)).into(), format!("{:.3} ★", club.stars).yellow()];
        Some(ends(left, right, width))
    };
    CLUBS.iter().filter_map(line).collect()
}
