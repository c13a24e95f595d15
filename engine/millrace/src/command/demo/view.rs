//! The demo's screen: the model as panes of text.
//!
//! ```text
//! head
//! what arrives      | suspicious cards
//!                   | unhappy customers, VIPs, invalid users
//! ratings by club   | balances
//! what the script does
//! keys
//! ```
//! Drawn from the model alone, as large as the terminal is. With a focus, one pane has the whole screen, and below it
//! stands the SQL that keeps it up to date.

mod head;
mod lists;
mod pane;
mod story;
mod tables;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};

pub(super) use self::pane::Pane;
use super::model::Model;
use super::watch::statement_of;

/// What is on the screen.
pub(super) struct Picture<'a> {
    pub(super) model: &'a Model,
    /// Milliseconds since events flow; `None`: they do not yet.
    pub(super) elapsed_ms: Option<u64>,
    /// Seconds of the run, if it has an end.
    pub(super) seconds: Option<u64>,
    /// The picture is held.
    pub(super) held: bool,
    /// The pane that has the screen.
    pub(super) focus: Option<Pane>,
    pub(super) notice: Option<&'a str>,
    /// Colours may be used.
    pub(super) colour: bool,
}

impl Picture<'_> {
    /// Milliseconds since events flow.
    fn now_ms(&self) -> u64 {
        self.elapsed_ms.unwrap_or(0)
    }
}

/// Below this a terminal shows nothing useful.
const SIZE_MIN: (u16, u16) = (60, 16);

/// Draws the picture.
pub(super) fn draw(picture: &Picture<'_>, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SIZE_MIN.0 || area.height < SIZE_MIN.1 {
        let wanted = format!("The demo needs {} columns and {} lines.\nq quits.", SIZE_MIN.0, SIZE_MIN.1);
        frame.render_widget(Paragraph::new(wanted), area);
        return;
    }
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(area);
    frame.render_widget(head::head(picture, head.width), head);
    frame.render_widget(head::foot(picture, foot.width), foot);
    match picture.focus {
        None => overview(picture, body, frame),
        Some(pane) => focused(picture, pane, body, frame),
    }
    if !picture.colour {
        for cell in &mut frame.buffer_mut().content {
            (cell.fg, cell.bg) = (Color::Reset, Color::Reset);
        }
    }
}

fn overview(picture: &Picture<'_>, area: Rect, frame: &mut Frame<'_>) {
    let story = (area.height / 4).clamp(5, 12);
    let [top, bottom] = Layout::vertical([Constraint::Min(0), Constraint::Length(story)]).areas(area);
    let [left, gap, right] =
        Layout::horizontal([Constraint::Percentage(46), Constraint::Length(1), Constraint::Min(0)]).areas(top);
    debug_assert_eq!(gap.width, 1);
    let [arrives, clubs] = Layout::vertical([Constraint::Min(0), Constraint::Length(5)]).areas(left);
    let weights =
        [Constraint::Fill(4), Constraint::Fill(5), Constraint::Fill(4), Constraint::Fill(4), Constraint::Fill(4)];
    let [fraud, unhappy, vip, invalid, balances] = Layout::vertical(weights).areas(right);
    for (pane, area) in [
        (Pane::Arrives, arrives),
        (Pane::Clubs, clubs),
        (Pane::Fraud, fraud),
        (Pane::Unhappy, unhappy),
        (Pane::Vip, vip),
        (Pane::Invalid, invalid),
        (Pane::Balances, balances),
        (Pane::Story, bottom),
    ] {
        draw_pane(picture, pane, area, frame);
    }
}

/// One pane, and below it the statement that makes it.
fn focused(picture: &Picture<'_>, pane: Pane, area: Rect, frame: &mut Frame<'_>) {
    let Some(sql) = pane.relation().and_then(statement_of) else {
        return draw_pane(picture, pane, area, frame);
    };
    let height = sql.lines().map(|line| 1 + line.len() as u16 / area.width.max(1)).sum::<u16>() + 1;
    let [top, bottom] = Layout::vertical([Constraint::Min(3), Constraint::Length(height)]).areas(area);
    draw_pane(picture, pane, top, frame);
    let block = Block::new().borders(Borders::TOP).border_style(Style::new().dark_gray()).title(" SQL ".bold());
    frame.render_widget(Paragraph::new(sql).cyan().wrap(Wrap { trim: false }).block(block), bottom);
}

fn draw_pane(picture: &Picture<'_>, pane: Pane, area: Rect, frame: &mut Frame<'_>) {
    let (name, count) = pane.title(picture.model, area.width);
    let title = Line::from(vec![" ".into(), Span::from(name).bold().cyan(), " ".into()]);
    let block = Block::new()
        .borders(Borders::TOP)
        .border_style(Style::new().dark_gray())
        .title_top(title)
        .title_top(Line::from(format!(" {count} ")).right_aligned().bold());
    let inner = block.inner(area);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let lines = match pane {
        Pane::Arrives => tables::arrives(picture, width, height),
        Pane::Clubs => tables::clubs(picture, width),
        Pane::Balances => tables::balances(picture, width, height),
        Pane::Fraud => lists::fraud(picture, height),
        Pane::Unhappy => lists::list(&picture.model.unhappy, picture, height, Color::Yellow),
        Pane::Vip => lists::list(&picture.model.vip_actions, picture, height, Color::Magenta),
        Pane::Invalid => lists::list(&picture.model.invalid_users, picture, height, Color::Blue),
        Pane::Story => story::story(picture, width, height),
    };
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(lines), inner);
}

/// A line with something at each end.
fn ends<'a>(mut left: Vec<Span<'a>>, right: Vec<Span<'a>>, width: usize) -> Line<'a> {
    let used: usize = left.iter().chain(&right).map(Span::width).sum();
    if used < width {
        left.push(Span::raw(" ".repeat(width - used)));
    }
    left.extend(right);
    Line::from(left)
}

/// What is old is dim.
fn aged(style: Style, age_ms: u64, dim_after_ms: u64) -> Style {
    if age_ms > dim_after_ms { style.add_modifier(Modifier::DIM) } else { style }
}

#[cfg(test)]
mod tests;
