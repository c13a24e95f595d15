//! Panes that are lists of lines, newest first.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::{Picture, aged};
use crate::command::demo::model::{List, card};

/// What is new is bright for so long.
const NEW_MS: u64 = 1_500;

/// What is old is dim.
const OLD_MS: u64 = 8_000;

/// Lines of a stream; `lead` is the colour of what comes first.
pub(super) fn list<'a>(list: &'a List, picture: &Picture<'a>, height: usize, lead: Color) -> Vec<Line<'a>> {
    let line = |line: &'a crate::command::demo::model::Line| {
        let age_ms = picture.now_ms().saturating_sub(line.at_ms);
        let style = aged(Style::new(), age_ms, OLD_MS);
        let (lead, text) = match line.scripted {
            true => (style.fg(Color::Black).bg(lead), style.add_modifier(Modifier::BOLD)),
            false => (style.fg(lead), style),
        };
        Line::from(vec![Span::styled(line.lead.as_str(), lead), " ".into(), Span::styled(line.text.as_str(), text)])
    };
    list.lines.iter().rev().take(height).map(line).collect()
}

/// Suspicious cards: those that have just lit up, burn.
pub(super) fn fraud<'a>(picture: &Picture<'a>, height: usize) -> Vec<Line<'a>> {
    let cards = picture.model.fraud.cards.iter().rev().take(height);
    let line = |suspect: &crate::command::demo::model::Card| {
        let now_ms = picture.now_ms();
        let style = match now_ms.saturating_sub(suspect.lit_ms) {
            age if age <= NEW_MS => Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
            age => aged(Style::new().fg(Color::Red), age, OLD_MS),
        };
        let counted = match now_ms.saturating_sub(suspect.changed_ms) <= NEW_MS {
            true => Style::new().add_modifier(Modifier::BOLD),
            false => Style::new().add_modifier(Modifier::DIM),
        };
        let mut spans = vec![
            Span::styled(format!(" ● {} ", card(&suspect.number)), style),
            Span::styled(format!("  {} attempts in 5 s", suspect.attempts), counted),
        ];
        if let Some(after_us) = suspect.after_us {
            let after = format!("  lit in {:.1} ms", after_us as f64 / 1_000.0);
            spans.push(Span::styled(after, Style::new().fg(Color::Green)));
        }
        Line::from(spans)
    };
    cards.map(line).collect()
}
