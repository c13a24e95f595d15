//! What the script does and what changes by it, newest at the bottom, as in a terminal.

use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};

use super::{Picture, ends};
use crate::command::demo::model::{Story, StoryLine};
use crate::command::demo::plain::{milliseconds, sign};

/// The last lines of the stories that fit.
pub(super) fn story<'a>(picture: &Picture<'a>, width: usize, height: usize) -> Vec<Line<'a>> {
    let stories = &picture.model.stories;
    if stories.is_empty() {
        let soon = "In a moment: a card that is tried too often, a guest who becomes a VIP, a correction that travels.";
        return vec![Line::from(soon).dark_gray()];
    }
    let mut lines: Vec<Line<'a>> = stories.iter().flat_map(|story| told(story, width)).collect();
    lines.split_off(lines.len().saturating_sub(height))
}

fn told<'a>(story: &'a Story, width: usize) -> Vec<Line<'a>> {
    let time = format!("{:02}:{:02}  ", story.at_ms / 60_000, story.at_ms / 1_000 % 60);
    let title = Line::from(vec![time.dark_gray(), story.title.bold().yellow()]);
    std::iter::once(title).chain(story.lines.iter().map(|line| line_of(line, width))).collect()
}

fn line_of<'a>(line: &'a StoryLine, width: usize) -> Line<'a> {
    match line {
        StoryLine::Step { sql, remark } => {
            let left = vec!["  ".into(), sql.as_str().into()];
            let right = if remark.is_empty() { vec![] } else { vec!["  -- ".dark_gray(), (*remark).dark_gray()] };
            ends(left, right, width)
        }
        StoryLine::Change { view, diff, text, after_us } => {
            let colour = if *diff < 0 { Color::Red } else { Color::Green };
            let style = Style::new().fg(colour);
            let left = vec![
                Span::styled(format!("    {} ", sign(*diff)), style.bold()),
                Span::styled(format!("{view}  "), style),
                text.as_str().into(),
            ];
            ends(left, vec![format!("{} later", milliseconds(*after_us)).dark_gray()], width)
        }
    }
}
