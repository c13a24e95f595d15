//! What stands on the screen, cell by cell.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::command::demo::model::tests::{at, clubs, fraud, result, texts, whole};
use crate::command::demo::watch::Panel;

fn model() -> Model {
    let mut model = Model::new(5.0);
    let sample = result(vec![("STARS", whole(&[2])), ("MESSAGE", texts(&["Cold pasta, warm beer."]))], &[1]);
    model.rows(Panel::Sample(0), &sample, at(900));
    model.rows(Panel::Clubs, &clubs(&["gold", "platinum"], &[10, 5], &[3.5, 3.0], &[1, 1]), at(900));
    let balances = result(vec![("ACCOUNT", texts(&["ACC-0001"])), ("BALANCE", whole(&[1_250]))], &[1]);
    model.rows(Panel::Balances, &balances, at(900));
    model.step(Some("One card is tried"), "INSERT INTO authorization_attempts …", "the fourth", at(1_000));
    model.rows(Panel::Fraud, &fraud(&["4929000000004242"], &[0], &[4], &[1]), at(1_002));
    model.step_done();
    model
}

fn picture(model: &Model) -> Picture<'_> {
    Picture { model, elapsed_ms: Some(1_200), seconds: None, held: false, focus: None, notice: None, colour: true }
}

fn screen(picture: &Picture<'_>, width: u16, height: u16) -> (Vec<String>, ratatui::buffer::Buffer) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen in memory");
    terminal.draw(|frame| draw(picture, frame)).expect("drawn");
    let buffer = terminal.backend().buffer().clone();
    let rows = buffer.content.chunks(usize::from(width));
    let lines = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned());
    (lines.collect(), buffer)
}

#[track_caller]
fn has(lines: &[String], part: &str) -> usize {
    lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part:?} in\n{}", lines.join("\n")))
}

#[test]
fn everything_is_on_one_screen() {
    let model = model();
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let (lines, _) = screen(&picture(&model), width, height);
        assert!(has(&lines, "● 4929 0000 0000 4242") < has(&lines, "UNHAPPY_PLATINUM_CUSTOMERS"), "{width}x{height}");
        has(&lines, "MILLRACE   00:01   0 rows/s");
        has(&lines, "4 attempts in 5 s");
        has(&lines, "gold      ███");
        has(&lines, "10 ratings 3.500 ★");
        has(&lines, "ACC-0001       1,250");
        assert!(has(&lines, "One card is tried") < has(&lines, "+ POSSIBLE_FRAUD  4929 0000 0000 4242 4 attempts"));
        assert!(lines.last().is_some_and(|line| line.starts_with(" q quit   space hold")));
    }
    let (lines, _) = screen(&picture(&model), 120, 40);
    has(&lines, "2  Cold pasta, warm beer.");
    has(&lines, "lit in 2.0 ms");
}

#[test]
fn a_new_card_burns_and_an_old_one_does_not() {
    let model = model();
    let burning = |elapsed_ms, colour| {
        let (lines, buffer) = screen(&Picture { elapsed_ms: Some(elapsed_ms), colour, ..picture(&model) }, 120, 40);
        let line = has(&lines, "● 4929") * 120;
        buffer.content[line..line + 120].iter().any(|cell| cell.bg == Color::Red)
    };
    assert!(burning(1_200, true));
    assert!(!burning(9_000, true));
    assert!(!burning(1_200, false), "NO_COLOR");
}

#[test]
fn a_pane_alone_shows_its_statement() {
    let model = model();
    let alone = Picture { focus: Some(Pane::Fraud), held: true, notice: Some("RATINGS is stalled"), ..picture(&model) };
    let (lines, _) = screen(&alone, 100, 30);
    assert!(has(&lines, "● 4929") < has(&lines, "CREATE TABLE possible_fraud AS"));
    has(&lines, "HAVING count(*) > 3;");
    has(&lines, "HELD, the engine goes on");
    has(&lines, "RATINGS is stalled");
    assert!(!lines.iter().any(|line| line.contains("BALANCES")));
    let mut focus = None;
    let through = std::iter::from_fn(|| {
        focus = Pane::next(focus);
        focus
    });
    let panes: Vec<Pane> = through.collect();
    assert_eq!(panes.len(), 8);
    assert_eq!(Pane::previous(None), panes.last().copied());
    assert_eq!(Pane::previous(Some(panes[0])), None);
}

#[test]
fn a_small_terminal_says_what_is_missing() {
    let (lines, _) = screen(&picture(&model()), 50, 10);
    assert!(lines[0].starts_with("The demo needs 60 columns and 16 lines."), "{lines:?}");
    let (lines, _) = screen(&Picture { elapsed_ms: None, ..picture(&Model::new(5.0)) }, 60, 16);
    has(&lines, "planning the pipeline");
}
